//! Whether a verified token still holds, asked again.

use std::pin::Pin;
use std::time::Duration;

use portcullis_core::{Invalid, Validity};

use super::VerifiedClaims;
use crate::JwtError;

impl Validity for VerifiedClaims {
    /// The token ends when it expires, when it is revoked, and when the key that signed it leaves the issuer's
    /// set. While the issuer's keys or the revocation list are not available, it is undecidable, as it is for
    /// new requests.
    fn check(&self) -> Result<(), Invalid> {
        let origin = self.origin();
        origin
            .check_still_in_time(self.times())
            .map_err(|error| match error {
                JwtError::Expired => Invalid::Expired,
                // A clock that was set back: nothing about this token can be said.
                _ => Invalid::Unavailable,
            })?;
        match origin.key_is_published() {
            Ok(true) => {}
            Ok(false) => return Err(Invalid::KeyWithdrawn),
            Err(_) => return Err(Invalid::Unavailable),
        }
        origin.check_revocation(self).map_err(|error| match error {
            JwtError::RevocationUnavailable { .. } => Invalid::Unavailable,
            _ => Invalid::Revoked,
        })
    }

    fn remaining(&self) -> Option<Duration> {
        Some(self.origin().remaining(self.times()))
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.origin().revocation_changed()
    }
}
