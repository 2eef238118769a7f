//! The decision about one token.

mod builder;
mod cache;
mod headers;
mod judge;
mod settings;
mod times;

use std::fmt;
use std::sync::Arc;

pub use self::builder::{TrustedIssuer, VerifierBuilder};
use self::cache::{Looked, TokenCache};
use self::headers::ReadHeader;
pub(crate) use self::settings::Origin;
use self::settings::{IssuerRules, Settings};
use crate::claims::{Expected, PayloadBuffer, decode_payload, peek_issuer, read_claims};
use crate::compact::Compact;
use crate::header::{Header, HeaderBuffer};
use crate::{Algorithm, JwtError, Keys, Refresh, RefreshReason, VerifiedToken, base64url};

/// The longest signature: RSA with 8192 bits.
const MAX_SIGNATURE_LEN: usize = 1024;

/// Verifies JWTs of the issuers it trusts. Cheap to clone.
///
/// # Decision rules
///
/// In this order; the first that does not hold refuses the token.
///
/// 1. At most 16 KiB; three segments of canonical base64url; no JWE.
/// 2. The header is one JSON object without repeated members; no `crit`, no `b64`, not nested; its `typ`
///    fits the [`Profile`](crate::Profile). Keys and URLs inside it are never used.
/// 3. The claimed `iss` is a trusted issuer, byte for byte, and `alg` is on that issuer's list. (Where
///    only one is trusted, `iss` is looked at with the other claims, unless newer keys would be asked for.)
/// 4. Exactly one key of that issuer has this `kid` and serves this `alg`. None: newer keys are asked
///    for, once. Several: refused, never tried in turn.
/// 5. The signature holds.
/// 6. The claims are one JSON object without repeated members at any depth, each of its proper type.
/// 7. `iss`, `aud`, `exp`, `nbf`, `iat`, lifetime, kind, required claims; no `cnf`, since nothing here
///    can check the proof it asks for.
/// 8. With a [revocation list](VerifierBuilder::revocations): `jti` and `iat` are there, and the list knows
///    that the token was not revoked. What the list cannot know is refused with 503.
///
/// With a [cache](VerifierBuilder::cache_tokens), a token that held before skips rules 2 to 6 while the
/// issuer's key set is the very same; what may have changed since (times, keys, revocation) is checked again.
///
/// # What this trusts
///
/// The [`KeySet`](crate::KeySet) of each issuer, the [`Clock`](portcullis_core::Clock) and the revocation list.
/// Without a list, a token is as good as its issuer until it expires.
#[derive(Clone)]
pub struct Verifier {
    settings: Arc<Settings>,
    cache: Option<Arc<TokenCache>>,
}

/// How far a token got without waiting.
pub(crate) enum Step {
    Done(Result<VerifiedToken, JwtError>),
    /// Newer keys are on their way; what the verdict is without them.
    Waiting {
        refresh: Refresh,
        meanwhile: JwtError,
    },
}

impl Verifier {
    /// Starts a configuration.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::new()
    }

    /// Verifies a token, waiting for the issuer's keys where that is worth it.
    ///
    /// Needs no HTTP request: for WebSocket messages, jobs, and tokens from anywhere.
    ///
    /// # Errors
    ///
    /// See [`JwtError`].
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, JwtError> {
        match self.begin(token.as_bytes()) {
            Step::Done(verdict) => verdict,
            Step::Waiting { refresh, .. } => self.finish(token.as_bytes(), &refresh.await?),
        }
    }

    /// Verifies a token with the keys at hand, without waiting.
    ///
    /// # Errors
    ///
    /// See [`JwtError`]; [`UnknownKey`](JwtError::UnknownKey) and
    /// [`KeysUnavailable`](JwtError::KeysUnavailable) also when newer keys might have helped: they are
    /// asked for, and whoever comes later finds them.
    pub fn verify_now(&self, token: &str) -> Result<VerifiedToken, JwtError> {
        match self.begin(token.as_bytes()) {
            Step::Done(verdict) => verdict,
            // Not waited for: whoever asks next may find newer keys.
            Step::Waiting { meanwhile, .. } => Err(meanwhile),
        }
    }

    /// Verifies as far as possible without waiting.
    pub(crate) fn begin(&self, token: &[u8]) -> Step {
        let Some(cache) = &self.cache else {
            return self.begin_anew(token);
        };
        if let Err(error) = Compact::check_length(token) {
            return Step::Done(Err(error));
        }
        match cache.look_up(token) {
            Looked::Decided(verdict) => Step::Done(verdict),
            Looked::Missing(fingerprint) => {
                let step = self.begin_anew(token);
                if let (Step::Done(Ok(verified)), Some(fingerprint)) = (&step, fingerprint) {
                    cache.insert(fingerprint, verified.clone());
                }
                step
            }
        }
    }

    fn begin_anew(&self, token: &[u8]) -> Step {
        let mut buffers = Buffers::new();
        let opened = match self.open(token, &mut buffers) {
            Ok(opened) => opened,
            Err(error) => return Step::Done(Err(error)),
        };
        let meanwhile = match self.decide(&opened) {
            Ok(verified) => return Step::Done(Ok(verified)),
            Err(error) => error,
        };
        let Some(reason) = refresh_reason(meanwhile) else {
            return Step::Done(Err(meanwhile));
        };
        match opened.rules.keys.refresh(reason) {
            Some(refresh) => Step::Waiting { refresh, meanwhile },
            // Newer keys may have come since they were asked for: then those decide.
            None => Step::Done(self.decide(&opened)),
        }
    }

    /// Decides with the keys at hand. Where they do not help, a stranger's token is told apart before
    /// anybody asks for newer ones.
    fn decide(&self, opened: &Opened<'_, '_>) -> Result<VerifiedToken, JwtError> {
        let keys = opened.rules.keys.current();
        let verdict = keys
            .map_err(JwtError::from)
            .and_then(|keys| self.conclude(opened, &keys));
        if let Err(JwtError::UnknownKey | JwtError::KeysUnavailable { .. }) = &verdict {
            opened.check_claimed_issuer()?;
        }
        verdict
    }

    /// Decides with keys that were waited for.
    pub(crate) fn finish(&self, token: &[u8], keys: &Arc<Keys>) -> Result<VerifiedToken, JwtError> {
        let verified = self.conclude(&self.open(token, &mut Buffers::new())?, keys)?;
        if let Some(cache) = &self.cache {
            cache.remember(token, &verified);
        }
        Ok(verified)
    }

    /// Rules 1 to 3: everything that needs no key.
    fn open<'t>(&self, token: &'t [u8], buffers: &'t mut Buffers) -> Result<Opened<'t, '_>, JwtError> {
        let compact = Compact::split(token)?;
        let header = match self.settings.headers.find(compact.header) {
            Some(known) => ReadHeader::Known(known),
            None => {
                let json = buffers.header.decode(compact.header);
                ReadHeader::New(Header::parse(json.map_err(|_| JwtError::Encoding)?)?)
            }
        };
        self.settings.profile.check_typ(header.typ())?;
        let json = decode_payload(compact.payload, &mut buffers.payload)?;
        let (issuer, rules) = self.rules_for(json)?;
        if rules.algorithms & header.algorithm().bit() == 0 {
            return Err(JwtError::AlgorithmNotAllowed);
        }
        Ok(Opened {
            compact,
            header,
            json,
            issuer,
            rules,
        })
    }

    /// The rules of the issuer a token claims to be from, and their place. With one issuer there is nothing
    /// to choose; its name is compared with the other claims, after the signature, or before keys are asked
    /// for.
    fn rules_for(&self, json: &str) -> Result<(usize, &IssuerRules), JwtError> {
        if let [only] = self.settings.issuers.as_slice() {
            return Ok((0, only));
        }
        let claimed = peek_issuer(json)?;
        let mut issuers = self.settings.issuers.iter().enumerate();
        let trusted = issuers.find(|(_, rules)| *rules.name == *claimed);
        trusted.ok_or(JwtError::Issuer)
    }

    /// Rules 4 to 8.
    fn conclude(&self, opened: &Opened<'_, '_>, keys: &Arc<Keys>) -> Result<VerifiedToken, JwtError> {
        let algorithm = opened.header.algorithm();
        let (place, key) = keys.select(opened.header.kid(), algorithm)?;
        let mut buffer = [0; MAX_SIGNATURE_LEN + 2];
        let signature =
            base64url::decode_into(opened.compact.signature, &mut buffer).map_err(|_| JwtError::Encoding)?;
        if !key.verify(algorithm, opened.compact.signing_input, signature) {
            return Err(JwtError::Signature);
        }
        if let ReadHeader::New(header) = &opened.header {
            self.settings.headers.remember(opened.compact.header, header);
        }
        let expected = Expected {
            audiences: &opened.rules.audiences,
            map: &opened.rules.map,
        };
        let read = read_claims(opened.json, &expected)?;
        let times = self.settings.check(opened.rules, &read)?;
        let origin = Origin::new(&self.settings, opened.issuer, &opened.rules.name, keys, place);
        let token = judge::assert(opened.json, read, times, origin, opened.rules)?;
        self.settings.check_revocation(&token.claims)?;
        Ok(token)
    }

    /// Whether `algorithm` is on any issuer's list.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.settings
            .issuers
            .iter()
            .any(|rules| rules.algorithms & algorithm.bit() != 0)
    }
}

/// Where header and payload are decoded to.
struct Buffers {
    header: HeaderBuffer,
    payload: PayloadBuffer,
}

impl Buffers {
    const fn new() -> Self {
        Self {
            header: HeaderBuffer::new(),
            payload: PayloadBuffer::new(),
        }
    }
}

/// A token whose header was read and whose issuer's rules were found.
struct Opened<'t, 'v> {
    compact: Compact<'t>,
    header: ReadHeader<'t>,
    /// The payload, decoded and not yet believed.
    json: &'t str,
    issuer: usize,
    rules: &'v IssuerRules,
}

impl Opened<'_, '_> {
    fn check_claimed_issuer(&self) -> Result<(), JwtError> {
        if *peek_issuer(self.json)? == *self.rules.name {
            Ok(())
        } else {
            Err(JwtError::Issuer)
        }
    }
}

/// Whether newer keys might change the verdict.
const fn refresh_reason(error: JwtError) -> Option<RefreshReason> {
    match error {
        JwtError::UnknownKey => Some(RefreshReason::UnknownKey),
        JwtError::KeysUnavailable { .. } => Some(RefreshReason::NoKeys),
        _ => None,
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<_> = self.settings.issuers.iter().map(|rules| &*rules.name).collect();
        f.debug_struct("Verifier")
            .field("issuers", &issuers)
            .field("profile", &self.settings.profile)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}
