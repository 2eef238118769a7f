//! The decision about one token.

mod builder;
mod times;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, Roles, Scopes, Timestamp};

pub use self::builder::{TrustedIssuer, VerifierBuilder};
use crate::claims::{Audience, Caller, CompiledClaimMap, Expected, Read, peek_issuer, read_claims};
use crate::compact::Compact;
use crate::header::{Header, HeaderBuffer};
use crate::{
    Algorithm, JwtError, KeySet, Keys, Profile, Refresh, RefreshReason, VerifiedClaims, VerifiedToken,
    base64url,
};

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
///    fits the [`Profile`]. Keys and URLs inside it are never used.
/// 3. The claimed `iss` is a trusted issuer, byte for byte, and `alg` is on that issuer's list. (Where
///    only one is trusted, `iss` is looked at with the other claims, unless newer keys would be asked for.)
/// 4. Exactly one key of that issuer has this `kid` and serves this `alg`. None: newer keys are asked
///    for, once. Several: refused, never tried in turn.
/// 5. The signature holds.
/// 6. The claims are one JSON object without repeated members at any depth, each of its proper type.
/// 7. `iss`, `aud`, `exp`, `nbf`, `iat`, lifetime, kind, required claims; no `cnf`, since nothing here
///    can check the proof it asks for.
///
/// # What this trusts
///
/// The [`KeySet`] of each issuer and the [`Clock`]. A token is as good as its issuer until it expires:
/// nothing here learns of a revocation before that.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    issuers: Vec<IssuerRules>,
    profile: Profile,
    skew: Duration,
    max_lifetime: Option<Duration>,
    clock: Arc<dyn Clock>,
}

struct IssuerRules {
    name: Arc<str>,
    keys: Arc<dyn KeySet>,
    algorithms: u16,
    audiences: Vec<Box<str>>,
    audience_optional: bool,
    map: CompiledClaimMap,
}

/// How far a token got without waiting.
pub(crate) enum Step {
    Done(Result<VerifiedToken, JwtError>),
    /// Newer keys are on their way.
    Waiting(Refresh),
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
        match self.begin(token) {
            Step::Done(verdict) => verdict,
            Step::Waiting(refresh) => self.finish(token, &*refresh.await?),
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
        let mut buffer = HeaderBuffer::new();
        let opened = self.open(token, &mut buffer)?;
        let verdict = self.decide(&opened);
        if let Some(reason) = refresh_reason(&verdict) {
            // Not waited for: whoever asks next may find newer keys.
            drop(opened.rules.keys.refresh(reason));
        }
        verdict
    }

    /// Verifies as far as possible without waiting.
    pub(crate) fn begin(&self, token: &str) -> Step {
        let mut buffer = HeaderBuffer::new();
        let opened = match self.open(token, &mut buffer) {
            Ok(opened) => opened,
            Err(error) => return Step::Done(Err(error)),
        };
        let verdict = self.decide(&opened);
        let Some(reason) = refresh_reason(&verdict) else {
            return Step::Done(verdict);
        };
        match opened.rules.keys.refresh(reason) {
            Some(refresh) => Step::Waiting(refresh),
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
    pub(crate) fn finish(&self, token: &str, keys: &Keys) -> Result<VerifiedToken, JwtError> {
        self.conclude(&self.open(token, &mut HeaderBuffer::new())?, keys)
    }

    /// Rules 1 to 3: everything that needs no key.
    fn open<'t>(&self, token: &'t str, buffer: &'t mut HeaderBuffer) -> Result<Opened<'t, '_>, JwtError> {
        let compact = Compact::split(token)?;
        let header = Header::parse(buffer.decode(compact.header)?)?;
        self.0.profile.check_typ(header.typ.as_deref())?;
        let rules = self.rules_for(&compact)?;
        if rules.algorithms & header.algorithm.bit() == 0 {
            return Err(JwtError::AlgorithmNotAllowed);
        }
        Ok(Opened {
            compact,
            rules,
            algorithm: header.algorithm,
            kid: header.kid,
        })
    }

    /// The rules of the issuer a token claims to be from. With one issuer there is nothing to choose;
    /// its name is compared with the other claims, after the signature, or before keys are asked for.
    fn rules_for(&self, compact: &Compact<'_>) -> Result<&IssuerRules, JwtError> {
        if let [only] = self.0.issuers.as_slice() {
            return Ok(only);
        }
        let payload = decode_payload(compact)?;
        let claimed = peek_issuer(&payload)?;
        let trusted = self.0.issuers.iter().find(|rules| *rules.name == *claimed);
        trusted.ok_or(JwtError::Issuer)
    }

    /// Rules 4 to 7.
    fn conclude(&self, opened: &Opened<'_, '_>, keys: &Keys) -> Result<VerifiedToken, JwtError> {
        let key = keys.select(opened.kid.as_deref(), opened.algorithm)?;
        let mut buffer = [0; MAX_SIGNATURE_LEN + 2];
        let signature =
            base64url::decode_into(opened.compact.signature, &mut buffer).map_err(|_| JwtError::Encoding)?;
        if !key.verify(opened.algorithm, opened.compact.signing_input, signature) {
            return Err(JwtError::Signature);
        }
        let payload = decode_payload(&opened.compact)?;
        let expected = Expected {
            audiences: &opened.rules.audiences,
            map: &opened.rules.map,
        };
        let read = read_claims(&payload, &expected)?;
        let (caller, token_id, issued_at, expires_at) = self.judge(opened.rules, read)?;
        let claims = VerifiedClaims::assertion(
            payload.into_boxed_str(),
            Arc::clone(&opened.rules.name),
            token_id,
            issued_at,
            expires_at,
        );
        Ok(VerifiedToken {
            claims: Arc::new(claims),
            caller,
        })
    }

    /// Rule 7.
    fn judge(&self, rules: &IssuerRules, read: Read<'_>) -> Result<Judged, JwtError> {
        if read.iss.as_deref().ok_or(JwtError::MissingClaim("iss"))? != &*rules.name {
            return Err(JwtError::Issuer);
        }
        match read.aud {
            Audience::Ours => {}
            Audience::Absent if rules.audience_optional => {}
            Audience::Absent => return Err(JwtError::MissingClaim("aud")),
            Audience::Others => return Err(JwtError::Audience),
        }
        let expires_at = self.check_times(&read)?;
        if read.bound {
            return Err(JwtError::Bound);
        }
        self.0.profile.check_claims(&read)?;
        if read.found.satisfied.count_ones() as usize != rules.map.required {
            return Err(JwtError::RequiredClaim);
        }
        let subject = read.sub.map(|sub| Box::<str>::from(sub.as_ref()));
        if subject.as_deref() == Some("") || read.jti.as_deref() == Some("") {
            return Err(JwtError::Claims);
        }
        let found = read.found;
        let caller = Caller {
            is_client: found.client_mark
                || (rules.map.marks_people && !found.person_mark)
                || subject
                    .as_deref()
                    .is_some_and(|subject| found.is_client_id(subject)),
            subject,
            client_id: found.client_id.map(|(_, client_id)| client_id),
            scopes: Scopes::parse(&found.scopes).map_err(|_| JwtError::Claims)?,
            roles: found.roles.into_iter().collect::<Roles>(),
            authenticated_at: read.auth_time,
            acr: read.acr.map(|acr| acr.as_ref().into()),
            factors: read.factors,
        };
        let token_id = read.jti.map(|jti| jti.as_ref().into());
        Ok((caller, token_id, read.iat, expires_at))
    }

    /// Whether `algorithm` is on any issuer's list.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.0
            .issuers
            .iter()
            .any(|rules| rules.algorithms & algorithm.bit() != 0)
    }
}

/// The caller, `jti`, `iat` and `exp`.
type Judged = (Caller, Option<Box<str>>, Option<Timestamp>, Timestamp);

/// A token whose header was read and whose issuer's rules were found.
struct Opened<'t, 'v> {
    compact: Compact<'t>,
    rules: &'v IssuerRules,
    algorithm: Algorithm,
    kid: Option<Cow<'t, str>>,
}

impl Opened<'_, '_> {
    fn check_claimed_issuer(&self) -> Result<(), JwtError> {
        let payload = decode_payload(&self.compact)?;
        if *peek_issuer(&payload)? == *self.rules.name {
            Ok(())
        } else {
            Err(JwtError::Issuer)
        }
    }
}

/// Whether newer keys might change the verdict.
const fn refresh_reason(verdict: &Result<VerifiedToken, JwtError>) -> Option<RefreshReason> {
    match verdict {
        Err(JwtError::UnknownKey) => Some(RefreshReason::UnknownKey),
        Err(JwtError::KeysUnavailable { .. }) => Some(RefreshReason::NoKeys),
        _ => None,
    }
}

fn decode_payload(compact: &Compact<'_>) -> Result<String, JwtError> {
    let bytes = base64url::decode(compact.payload).map_err(|_| JwtError::Encoding)?;
    String::from_utf8(bytes).map_err(|_| JwtError::Claims)
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<_> = self.0.issuers.iter().map(|rules| &*rules.name).collect();
        f.debug_struct("Verifier")
            .field("issuers", &issuers)
            .field("profile", &self.0.profile)
            .finish_non_exhaustive()
    }
}
