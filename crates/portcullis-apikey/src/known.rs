//! A key that was looked up, ready for use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use portcullis_core::{Authentication, Delivery, Method, Scheme, Timestamp, Validity};

use crate::last_used::LastUsed;
use crate::owner::Effective;
use crate::stored::{Fit, StoredKey};
use crate::validity::Held;
use crate::verify::Verify;

/// A key that was looked up, and its owner.
pub(crate) struct Known<P> {
    stored: StoredKey,
    owner: Effective<P>,
    /// For connections that the key's secret of today opens.
    held: Arc<dyn Validity>,
    verify: Weak<Verify<P>>,
    /// When its use was noted last, in milliseconds; zero for never.
    noted_at: AtomicU64,
}

impl<P> Known<P> {
    pub(crate) fn new(stored: StoredKey, owner: Effective<P>, verify: Weak<Verify<P>>) -> Self
    where
        P: Clone + Send + Sync + 'static,
    {
        let noted_at = stored.key().last_used_at().map_or(0, millis);
        let key = stored.key();
        let secret = stored.digest.to_text().into();
        let held = Held::new(Weak::clone(&verify), key.id(), &secret, key.expires_at());
        Self {
            held: Arc::new(held),
            verify,
            stored,
            owner,
            noted_at: AtomicU64::new(noted_at),
        }
    }

    pub(crate) const fn stored(&self) -> &StoredKey {
        &self.stored
    }

    pub(crate) fn note_use(&self, last_used: &LastUsed, now: Timestamp) {
        let known = Timestamp::from_unix(Duration::from_millis(self.noted_at.load(Ordering::Relaxed)));
        if LastUsed::is_due(known, now) {
            self.noted_at.store(millis(now), Ordering::Relaxed);
            last_used.note(self.stored.key().id(), now);
        }
    }
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.since_epoch().as_millis()).unwrap_or(u64::MAX)
}

impl<P: Clone + Send + Sync + 'static> Known<P> {
    /// What a connection can ask that the former secret opened.
    fn held_by_former(&self, ends_at: Option<Timestamp>) -> Arc<dyn Validity> {
        let former = self.stored.previous.as_ref();
        let secret = former.map_or_else(String::new, |former| former.digest.to_text());
        let id = self.stored.key().id();
        Arc::new(Held::new(Weak::clone(&self.verify), id, &secret.into(), ends_at))
    }

    /// The secret was compared and every rule held.
    pub(crate) fn authentication(&self, now: Timestamp, fit: Fit, scheme: &Scheme) -> Authentication<P> {
        let key = self.stored.key();
        // What lives on after the request ends with the secret that it was opened with.
        let ends_at = match (key.expires_at(), fit) {
            (Some(end), Fit::Former(secret_ends_at)) => Some(end.min(secret_ends_at)),
            (None, Fit::Former(secret_ends_at)) => Some(secret_ends_at),
            (end, Fit::Current) => end,
        };
        let authentication = Authentication::assertion(self.owner.principal.clone(), Method::API_KEY)
            .with_scheme(scheme.clone())
            .with_delivery(Delivery::Explicit)
            .with_scopes(self.owner.scopes.clone())
            .with_roles(self.owner.roles.clone())
            .with_details(Arc::clone(&self.stored.key))
            .with_checked_at(now)
            .with_validity(match fit {
                Fit::Current => Arc::clone(&self.held),
                Fit::Former(_) => self.held_by_former(ends_at),
            });
        let authentication = match ends_at {
            Some(end) => authentication.with_expires_at(end),
            None => authentication,
        };
        if authentication.account() == Some(key.owner()) {
            return authentication;
        }
        authentication.with_account(key.owner().clone())
    }
}
