//! Claims: read once, strictly, into what the verifier decides on; read again, at will, into the
//! application's own types.

mod caller;
mod compiled;
mod map;
mod payload;
mod presets;
mod read;
mod validity;

use std::fmt;
use std::sync::Arc;

use portcullis_core::{Timestamp, TokenId};
use serde::Deserialize;

pub(crate) use self::caller::Caller;
pub use self::caller::VerifiedToken;
pub(crate) use self::compiled::CompiledClaimMap;
pub use self::map::ClaimMap;
use self::payload::Payload;
pub(crate) use self::payload::{PayloadBuffer, Place, decode as decode_payload};
pub(crate) use self::read::{Audience, Expected, FOREIGN, Read, peek_issuer, read_claims};
use crate::verifier::Origin;

/// The claims of a token whose signature, issuer, audience, times and kind were verified.
///
/// Born in one place. Holds the payload, so that typed claims can be read when somebody wants them:
/// owned, or borrowing from the payload. Knows who verified it, so that it can be
/// [asked](portcullis_core::Validity) later whether it still holds.
///
/// ```no_run
/// # fn example(claims: &portcullis_jwt::VerifiedClaims) -> Result<(), Box<dyn std::error::Error>> {
/// #[derive(serde::Deserialize)]
/// struct Tenant<'a> {
///     tenant: &'a str,
/// }
///
/// let tenant = claims.read::<Tenant<'_>>()?.tenant;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VerifiedClaims {
    payload: Payload,
    places: Places,
    times: Times,
    origin: Origin,
}

/// Where the texts stand that identify a token.
#[derive(Clone, Default)]
pub(crate) struct Places {
    pub(crate) token_id: Option<Place>,
    pub(crate) subject: Option<Place>,
}

/// When a token begins and ends to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) issued_at: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
    /// The latest of `nbf`, `iat` and `auth_time`: none of them may lie ahead.
    pub(crate) not_before: Timestamp,
}

impl VerifiedClaims {
    /// States that these claims **were verified**. Called by the verifier only.
    pub(crate) fn assertion(json: &str, places: Places, times: Times, origin: Origin) -> Self {
        Self {
            payload: Payload::new(json),
            places,
            times,
            origin,
        }
    }

    /// Reads the claims into a type of the application's own, owned or borrowing.
    ///
    /// No member occurs twice, at any depth: that was checked when the token was verified.
    ///
    /// # Errors
    ///
    /// When the claims do not have the type's shape. The error may quote a claim's value: keep it out
    /// of answers.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_json())
    }

    /// The payload as it was signed.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.payload.as_str()
    }

    /// The issuer, as configured (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer_name()
    }

    pub(crate) fn issuer_name(&self) -> &Arc<str> {
        self.origin.issuer()
    }

    /// The token's id (`jti`), unique within the issuer. A deny-list names issuer and id, never the token's
    /// text: an ECDSA signature (R, S) holds as (R, n - S) too, so that one token has two.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        let place = self.places.token_id.as_ref()?;
        Some(place.read(&self.payload))
    }

    /// What a revocation list knows the token by; `None` when `jti` or `iat` is missing.
    #[must_use]
    pub fn revocation_id(&self) -> Option<TokenId<'_>> {
        let subject = self
            .places
            .subject
            .as_ref()
            .map(|place| place.read(&self.payload));
        let (id, issued_at) = (self.token_id()?, self.issued_at()?);
        Some(TokenId::new(self.issuer(), id, subject, issued_at))
    }

    /// When the token was issued (`iat`).
    #[must_use]
    pub const fn issued_at(&self) -> Option<Timestamp> {
        self.times.issued_at
    }

    /// When the token expires (`exp`), without the tolerated skew.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.times.expires_at
    }

    pub(crate) const fn times(&self) -> &Times {
        &self.times
    }

    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// The payload, for texts that stand in it.
impl AsRef<str> for VerifiedClaims {
    fn as_ref(&self) -> &str {
        self.as_json()
    }
}

impl fmt::Debug for VerifiedClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedClaims")
            .field("issuer", &self.issuer())
            .field("expires_at", &self.times.expires_at)
            .finish_non_exhaustive()
    }
}
