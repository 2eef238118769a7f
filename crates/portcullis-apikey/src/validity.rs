//! Whether a key still opens what it opened, for connections that stay open.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use portcullis_core::{Invalid, Timestamp, Validity};

use crate::KeyId;
use crate::stored::StoredKey;
use crate::verify::Verify;

/// How often a connection asks, and so how long a key that was revoked keeps one open.
const EVERY: Duration = Duration::from_secs(5);

/// A key, looked up again. Its secret is not kept; which of the key's secrets it was, is.
pub(crate) struct Held<P> {
    verify: Weak<Verify<P>>,
    id: KeyId,
    /// The digest of the secret that opened the connection, as text.
    secret: Arc<str>,
    /// When it ends by what was known then.
    ends_at: Option<Timestamp>,
}

impl<P> Held<P> {
    pub(crate) fn new(
        verify: Weak<Verify<P>>,
        id: KeyId,
        secret: &Arc<str>,
        ends_at: Option<Timestamp>,
    ) -> Self {
        Self {
            verify,
            id,
            secret: Arc::clone(secret),
            ends_at,
        }
    }

    /// Whether the key is there, switched on, and still has that secret.
    fn opens(&self, stored: &StoredKey, now: Timestamp) -> bool {
        let key = stored.key();
        let lives = !key.is_disabled() && key.expires_at().is_none_or(|end| now < end);
        let former = stored
            .previous
            .as_ref()
            .is_some_and(|previous| now < previous.ends_at && *previous.digest.to_text() == *self.secret);
        lives && (former || *stored.digest.to_text() == *self.secret)
    }
}

impl<P: Clone + Send + Sync + 'static> Held<P> {
    async fn holds(&self) -> Result<bool, Invalid> {
        let verify = self.verify.upgrade().ok_or(Invalid::Unavailable)?;
        let found = verify.finder.find_api_key(self.id).await;
        let found = found.map_err(|_| Invalid::Unavailable)?;
        let Some(stored) = found.filter(|stored| stored.key().id() == self.id) else {
            return Ok(false);
        };
        if !self.opens(&stored, verify.clock.now()) {
            return Ok(false);
        }
        let owner = verify.owners.ask(stored.key().owner()).await;
        Ok(owner.map_err(|_| Invalid::Unavailable)?.is_some())
    }
}

impl<P: Clone + Send + Sync + 'static> Validity for Held<P> {
    fn check(&self) -> Result<(), Invalid> {
        match self.remaining() {
            Some(Duration::ZERO) => Err(Invalid::Expired),
            _ => Ok(()),
        }
    }

    fn remaining(&self) -> Option<Duration> {
        let now = self.verify.upgrade()?.clock.now();
        self.ends_at.map(|end| end.saturating_since(now))
    }

    fn ask(&self) -> Pin<Box<dyn Future<Output = Result<(), Invalid>> + Send + '_>> {
        Box::pin(async {
            self.check()?;
            match self.holds().await? {
                true => Ok(()),
                false => Err(Invalid::Revoked),
            }
        })
    }

    fn ask_every(&self) -> Duration {
        EVERY
    }
}
