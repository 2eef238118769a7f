//! `exp`, `nbf`, `iat` against the clock (RFC 7519 §4.1.4–4.1.6).

use portcullis_core::Timestamp;

use super::settings::Settings;
use crate::JwtError;
use crate::claims::{Read, Times};

impl Settings {
    /// Judges the times.
    ///
    /// The skew is granted to the issuer's clock once per comparison: a token is refused from
    /// `exp + skew` on, exactly (§4.1.4: "on or after"), and accepted from `nbf - skew` on.
    pub(super) fn check_times(&self, read: &Read<'_>) -> Result<Times, JwtError> {
        let now = self.clock.now();
        let exp = read.exp.ok_or(JwtError::MissingClaim("exp"))?;
        if now >= exp.saturating_add(self.skew) {
            return Err(JwtError::Expired);
        }
        let latest_start = now.saturating_add(self.skew);
        if read.nbf.is_some_and(|nbf| nbf > latest_start) {
            return Err(JwtError::NotYetValid);
        }
        if read.iat.is_some_and(|iat| iat > latest_start || iat > exp)
            || read.nbf.is_some_and(|nbf| nbf > exp)
            || read.auth_time.is_some_and(|auth_time| auth_time > latest_start)
        {
            return Err(JwtError::Implausible);
        }
        if let Some(max_lifetime) = self.max_lifetime {
            let iat = read.iat.ok_or(JwtError::MissingClaim("iat"))?;
            if exp.saturating_since(iat) > max_lifetime {
                return Err(JwtError::LifetimeTooLong);
            }
        }
        let starts = [read.nbf, read.iat, read.auth_time];
        Ok(Times {
            issued_at: read.iat,
            expires_at: exp,
            not_before: starts.into_iter().flatten().max().unwrap_or(Timestamp::EPOCH),
        })
    }
}
