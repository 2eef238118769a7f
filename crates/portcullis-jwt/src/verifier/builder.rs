//! Configuration: everything that matters is mandatory, and leaving it out fails here.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, ConfigError, RevocationList, SystemClock};

use super::Verifier;
use super::cache::TokenCache;
use super::headers::KnownHeaders;
use super::settings::{IssuerRules, Settings};
use crate::{Algorithm, ClaimMap, KeySet, Profile};

/// The tolerated difference between the issuer's clock and ours, unless configured.
const DEFAULT_SKEW: Duration = Duration::from_secs(30);
const MAX_SKEW: Duration = Duration::from_secs(300);

/// An issuer whose tokens are accepted, with the keys and the rules that hold for them and for no
/// other issuer's.
#[derive(Debug)]
#[must_use]
pub struct TrustedIssuer {
    name: Arc<str>,
    keys: Arc<dyn KeySet>,
    algorithms: u16,
    audiences: Vec<Box<str>>,
    audience_optional: bool,
    map: ClaimMap,
}

impl TrustedIssuer {
    /// An issuer by its identifier, compared byte for byte with `iss` (a trailing slash matters), and
    /// the source of its keys.
    pub fn new(issuer: impl Into<Arc<str>>, keys: impl KeySet) -> Self {
        Self {
            name: issuer.into(),
            keys: Arc::new(keys),
            algorithms: 0,
            audiences: Vec::new(),
            audience_optional: false,
            map: ClaimMap::standard(),
        }
    }

    /// Allows these algorithms. Mandatory; [`Algorithm::RECOMMENDED`] is a sensible list.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms
            .into_iter()
            .fold(self.algorithms, |bits, algorithm| bits | algorithm.bit());
        self
    }

    /// Accepts tokens of this issuer for one more audience, besides those of the verifier.
    pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens of this issuer **without** `aud`, for one that sends none (Amazon Cognito's access
    /// tokens).
    ///
    /// Any client of the issuer can then present its tokens here, so
    /// [require](ClaimMap::require) something else that names this application, such as `client_id`. A
    /// token that does have an audience is still refused unless it is one of ours (RFC 7519 §4.1.3).
    pub const fn dangerous_without_audience(mut self) -> Self {
        self.audience_optional = true;
        self
    }

    /// Says where this issuer puts scopes, roles and the client; [`ClaimMap::standard`] unless called.
    pub fn claims(mut self, map: ClaimMap) -> Self {
        self.map = map;
        self
    }
}

/// Builds a [`Verifier`]. Mandatory: at least one issuer with algorithms, and an audience.
///
/// ```
/// use portcullis_core::Secret;
/// use portcullis_jwt::{Algorithm, StaticKeySet, TrustedIssuer, Verifier, VerifyingKey};
///
/// # let secret = Secret::new(vec![7; 32]);
/// let keys = StaticKeySet::new([VerifyingKey::hmac(Algorithm::Hs256, &secret)?])?;
/// let verifier = Verifier::builder()
///     .issuer(TrustedIssuer::new("https://issuer.example", keys.clone()).algorithms([Algorithm::Hs256]))
///     .audience("https://api.example")
///     .build()?;
///
/// let forgotten = Verifier::builder()
///     .issuer(TrustedIssuer::new("https://issuer.example", keys).algorithms([Algorithm::Hs256]))
///     .build();
/// assert!(forgotten.is_err(), "no audience");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct VerifierBuilder {
    issuers: Vec<TrustedIssuer>,
    audiences: Vec<Box<str>>,
    audience_optional: bool,
    required: Vec<(String, Vec<String>)>,
    profile: Profile,
    skew: Duration,
    max_lifetime: Option<Duration>,
    clock: Arc<dyn Clock>,
    revocations: Option<Arc<dyn RevocationList>>,
    cache: Option<usize>,
}

impl VerifierBuilder {
    pub(super) fn new() -> Self {
        Self {
            issuers: Vec::new(),
            audiences: Vec::new(),
            audience_optional: false,
            required: Vec::new(),
            profile: Profile::default(),
            skew: DEFAULT_SKEW,
            max_lifetime: None,
            clock: Arc::new(SystemClock::new()),
            revocations: None,
            cache: None,
        }
    }

    /// Trusts one more issuer. Its tokens verify with its own keys only.
    pub fn issuer(mut self, issuer: TrustedIssuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Accepts tokens for this audience (`aud`), compared byte for byte. May be called several times.
    pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens **without** `aud`, as [`TrustedIssuer::dangerous_without_audience`], for a verifier
    /// that trusts one issuer. With several it does not build: say it of the one that needs it.
    ///
    /// Require something else that names this application: `.require_claim("client_id", ["…"])`.
    pub const fn dangerous_without_audience(mut self) -> Self {
        self.audience_optional = true;
        self
    }

    /// Refuses tokens of every issuer unless the top-level claim `name` is one of `values`, or is an
    /// array that holds one of them.
    pub fn require_claim<V: Into<String>>(mut self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.required
            .push((name.to_owned(), values.into_iter().map(Into::into).collect()));
        self
    }

    /// Says which kind of token is accepted; [`Profile::Jwt`] unless called.
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Tolerates this difference between clocks: 30 s unless called, 300 s at most.
    pub const fn clock_skew(mut self, skew: Duration) -> Self {
        self.skew = skew;
        self
    }

    /// Refuses tokens that live longer than this from `iat` to `exp`, and those without `iat`. Off
    /// unless called; one hour is a sensible value.
    pub const fn max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = Some(max_lifetime);
        self
    }

    /// Takes the time from `clock`; the system's unless called.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Asks this list about every token, also about cached ones. Tokens without `jti` or `iat` are then
    /// refused, and so is every token, with 503, while the list cannot know.
    pub fn revocations(mut self, list: impl RevocationList) -> Self {
        self.revocations = Some(Arc::new(list));
        self
    }

    /// Remembers up to `tokens` verified tokens, so that a signature is checked once. Off unless called;
    /// 10,000 is a sensible number, at about two kilobytes each.
    ///
    /// A remembered token is held against the clock and the revocation list each time, and is verified anew
    /// as soon as the issuer's key set is another: a withdrawn key takes its tokens with it at once. Only a
    /// digest of a token is kept, beside its claims. What has ended is dropped within minutes of use.
    pub const fn cache_tokens(mut self, tokens: usize) -> Self {
        self.cache = Some(tokens);
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// When no issuer is trusted, an issuer is empty or occurs twice, has no algorithms, or mixes
    /// symmetric and asymmetric ones; when there is no audience; when the skew is over 300 s; when a
    /// claim map does not make sense; when a cache is to hold nothing.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        if self.issuers.is_empty() {
            return Err(ConfigError::new("a verifier needs at least one trusted issuer"));
        }
        if self.skew > MAX_SKEW {
            return Err(ConfigError::new("the clock skew is at most 300 seconds"));
        }
        if self.audience_optional && self.issuers.len() > 1 {
            return Err(ConfigError::new(
                "several issuers are trusted: call `dangerous_without_audience` on the one that sends no `aud`",
            ));
        }
        if self.cache == Some(0) {
            return Err(ConfigError::new("a cache of tokens holds at least one"));
        }
        let mut issuers = Vec::<IssuerRules>::with_capacity(self.issuers.len());
        for mut issuer in self.issuers {
            issuer.audience_optional |= self.audience_optional;
            if issuers.iter().any(|known| known.name == issuer.name) {
                return Err(ConfigError::new("an issuer is trusted once only"));
            }
            issuers.push(rules(issuer, &self.audiences, &self.required)?);
        }
        Ok(Verifier {
            settings: Arc::new(Settings {
                issuers,
                profile: self.profile,
                skew: self.skew,
                max_lifetime: self.max_lifetime,
                clock: self.clock,
                revocations: self.revocations,
                headers: KnownHeaders::default(),
            }),
            cache: self.cache.map(|tokens| Arc::new(TokenCache::new(tokens))),
        })
    }
}

fn rules(
    issuer: TrustedIssuer,
    audiences: &[Box<str>],
    required: &[(String, Vec<String>)],
) -> Result<IssuerRules, ConfigError> {
    if issuer.name.is_empty() {
        return Err(ConfigError::new("an issuer identifier is not empty"));
    }
    check_algorithms(issuer.algorithms)?;
    let audiences: Vec<_> = audiences.iter().cloned().chain(issuer.audiences).collect();
    if audiences.iter().any(|audience| audience.is_empty()) {
        return Err(ConfigError::new("an audience is not empty"));
    }
    if audiences.is_empty() && !issuer.audience_optional {
        return Err(ConfigError::new(
            "a verifier needs an audience: the identifier of this API, which its tokens carry in `aud`",
        ));
    }
    let map = required.iter().fold(issuer.map, |map, (name, values)| {
        map.require([name.clone()], values.iter().cloned())
    });
    Ok(IssuerRules {
        name: issuer.name,
        keys: issuer.keys,
        algorithms: issuer.algorithms,
        audiences,
        audience_optional: issuer.audience_optional,
        map: map.compile()?,
    })
}

/// HMAC and public-key algorithms side by side are how keys get confused (RFC 8725 §3.1).
fn check_algorithms(bits: u16) -> Result<(), ConfigError> {
    let symmetric = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512]
        .into_iter()
        .fold(0, |bits, algorithm| bits | algorithm.bit());
    if bits == 0 {
        return Err(ConfigError::new(
            "an issuer needs a list of allowed algorithms, such as Algorithm::RECOMMENDED",
        ));
    }
    if bits & symmetric != 0 && bits & !symmetric != 0 {
        return Err(ConfigError::new(
            "an issuer's algorithms are symmetric or asymmetric, not both",
        ));
    }
    Ok(())
}
