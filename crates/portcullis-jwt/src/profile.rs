//! Which kind of token is accepted (RFC 8725 §3.11–3.12: mutually exclusive rules for each).

use crate::JwtError;
use crate::claims::{Audience, Read};
use crate::header::is_media_type;

/// The kind of token that is accepted as an access token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Any signed JWT that is not recognisably of another kind. `typ` is absent, `JWT` or `at+jwt`.
    /// ID, logout, DPoP, introspection and status list tokens are refused by `typ` and by claims that
    /// only they have (`nonce`, `at_hash`, `events`, `htm`, `token_introspection`, …).
    ///
    /// An ID token with none of these is told apart by its audience alone: the client's, not this API's.
    /// Where the issuer can, prefer [`AccessToken`](Self::AccessToken).
    #[default]
    Jwt,
    /// JWT access tokens of RFC 9068, strictly: `typ` is `at+jwt`, and `iss`, `exp`, `aud`, `sub`,
    /// `client_id`, `iat` and `jti` are all there (§2.2, §4).
    AccessToken,
}

impl Profile {
    /// Judges the header, before any key is looked for.
    pub(crate) fn check_typ(self, typ: Option<&str>) -> Result<(), JwtError> {
        let accepted = match typ {
            None => self == Self::Jwt,
            Some(typ) => is_media_type(typ, "at+jwt") || (self == Self::Jwt && is_media_type(typ, "jwt")),
        };
        if accepted {
            Ok(())
        } else {
            Err(JwtError::WrongKind)
        }
    }

    /// Judges the claims, after the signature.
    pub(crate) fn check_claims(self, read: &Read<'_>) -> Result<(), JwtError> {
        if read.foreign {
            return Err(JwtError::WrongKind);
        }
        if self == Self::AccessToken {
            let required = [
                ("aud", read.aud != Audience::Absent),
                ("sub", read.sub.is_some()),
                ("client_id", read.names_client),
                ("iat", read.iat.is_some()),
                ("jti", read.jti.is_some()),
            ];
            if let Some((name, _)) = required.into_iter().find(|(_, present)| !present) {
                return Err(JwtError::MissingClaim(name));
            }
        }
        Ok(())
    }
}
