//! What a verifier was told, and what its claims remember of it.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, RevocationList, Timestamp};

use super::headers::KnownHeaders;
use crate::claims::{CompiledClaimMap, Times};
use crate::{JwtError, KeySet, Keys, KeysUnavailable, Profile, VerifiedClaims, VerifyingKey};

pub(crate) struct Settings {
    pub(super) issuers: Vec<IssuerRules>,
    pub(super) profile: Profile,
    pub(super) skew: Duration,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) revocations: Option<Arc<dyn RevocationList>>,
    pub(super) headers: KnownHeaders,
}

pub(crate) struct IssuerRules {
    pub(super) name: Arc<str>,
    pub(super) keys: Arc<dyn KeySet>,
    pub(super) algorithms: u16,
    pub(super) audiences: Vec<Box<str>>,
    pub(super) audience_optional: bool,
    pub(super) map: CompiledClaimMap,
}

impl Settings {
    /// Whether the token was taken back.
    pub(super) fn check_revocation(&self, claims: &VerifiedClaims) -> Result<(), JwtError> {
        let Some(list) = &self.revocations else {
            return Ok(());
        };
        let missing = if claims.token_id().is_none() { "jti" } else { "iat" };
        let token = claims.revocation_id().ok_or(JwtError::MissingClaim(missing))?;
        match list.is_revoked(&token) {
            Ok(false) => Ok(()),
            Ok(true) => Err(JwtError::Revoked),
            Err(unavailable) => Err(JwtError::RevocationUnavailable {
                retry_after: unavailable.retry_after(),
            }),
        }
    }
}

/// The keys of each issuer and the time.
pub(super) struct Moment {
    keys: Vec<Option<Arc<Keys>>>,
    now: Timestamp,
}

impl Moment {
    /// Whether the token was verified with the keys that are the issuer's now, and has not expired.
    pub(super) fn bears(&self, claims: &VerifiedClaims) -> bool {
        let origin = claims.origin();
        let current = self.keys.get(origin.issuer).and_then(Option::as_ref);
        current.is_some_and(|keys| Arc::ptr_eq(keys, &origin.keys))
            && self.now < claims.expires_at().saturating_add(origin.settings.skew)
    }
}

/// Who verified a token, and with which key: enough to ask again.
#[derive(Clone)]
pub(crate) struct Origin {
    settings: Arc<Settings>,
    /// The issuer's place in the settings.
    issuer: usize,
    name: Arc<str>,
    keys: Arc<Keys>,
    /// The key's place in the set.
    key: usize,
}

impl Origin {
    pub(super) fn new(
        settings: &Arc<Settings>,
        issuer: usize,
        name: &Arc<str>,
        keys: &Arc<Keys>,
        key: usize,
    ) -> Self {
        Self {
            settings: Arc::clone(settings),
            issuer,
            name: Arc::clone(name),
            keys: Arc::clone(keys),
            key,
        }
    }

    pub(crate) const fn issuer(&self) -> &Arc<str> {
        &self.name
    }

    fn key(&self) -> Option<&VerifyingKey> {
        self.keys.at(self.key)
    }

    fn current_keys(&self) -> Result<Arc<Keys>, KeysUnavailable> {
        let rules = self.settings.issuers.get(self.issuer);
        rules.map_or_else(|| Err(KeysUnavailable::default()), |rules| rules.keys.current())
    }

    /// Whether the set in which the key was found is still the issuer's.
    pub(crate) fn key_set_is_current(&self) -> Result<bool, KeysUnavailable> {
        Ok(Arc::ptr_eq(&self.current_keys()?, &self.keys))
    }

    /// Whether the key is in the issuer's set, be it a newer one.
    pub(crate) fn key_is_published(&self) -> Result<bool, KeysUnavailable> {
        let current = self.current_keys()?;
        let held = |key| current.holds(key);
        Ok(Arc::ptr_eq(&current, &self.keys) || self.key().is_some_and(held))
    }

    /// Everything about time that may have changed since the token was verified.
    pub(crate) fn check_still_in_time(&self, times: &Times) -> Result<(), JwtError> {
        let (now, skew) = (self.settings.clock.now(), self.settings.skew);
        if now >= times.expires_at.saturating_add(skew) {
            return Err(JwtError::Expired);
        }
        if times.not_before > now.saturating_add(skew) {
            return Err(JwtError::NotYetValid);
        }
        Ok(())
    }

    /// How things stand now, for all tokens of this verifier.
    pub(super) fn moment(&self) -> Moment {
        let keys = self
            .settings
            .issuers
            .iter()
            .map(|rules| rules.keys.current().ok());
        Moment {
            keys: keys.collect(),
            now: self.settings.clock.now(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    pub(super) fn monotonic(&self) -> Duration {
        self.settings.clock.monotonic()
    }

    pub(crate) fn remaining(&self, times: &Times) -> Duration {
        let end = times.expires_at.saturating_add(self.settings.skew);
        end.saturating_since(self.settings.clock.now())
    }

    pub(crate) fn check_revocation(&self, claims: &VerifiedClaims) -> Result<(), JwtError> {
        self.settings.check_revocation(claims)
    }

    pub(crate) fn revocation_changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match &self.settings.revocations {
            Some(list) => list.changed(),
            None => Box::pin(pending()),
        }
    }
}
