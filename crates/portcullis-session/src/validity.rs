//! Whether a session still holds, for connections that stay open.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use portcullis_core::{Invalid, Validity};
use portcullis_store::RecordKey;

use crate::error::SessionError;
use crate::id::KIND;
use crate::payload::View;
use crate::sessions::{LONGEST_CHAIN, Sessions};

/// How often a connection asks, and so how long a session that was ended keeps one open.
const EVERY: Duration = Duration::from_secs(5);

/// The record of a session, looked up again. It reads and never writes: a connection that stays open is no use of the
/// session, and ends with it when nothing else uses it.
pub(crate) struct Held {
    sessions: Sessions,
    /// The record as it is called now; a renewal moves it.
    key: Mutex<RecordKey>,
}

impl Held {
    pub(crate) const fn new(sessions: Sessions, key: RecordKey) -> Self {
        let key = Mutex::new(key);
        Self { sessions, key }
    }

    /// Whether it is there, or its successor.
    async fn lives(&self) -> Result<bool, SessionError> {
        let settings = self.sessions.settings();
        for _ in 0..LONGEST_CHAIN {
            let key = self.key.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(record) = settings.find(&key).await? else {
                return Ok(false);
            };
            let view = View::of(record.payload())?;
            // Exchanged for another privilege: whoever connected with the old one connects anew.
            if view.head.is_exchanged() {
                return Ok(false);
            }
            let Some(next) = view.successor(KIND) else {
                return Ok(record.lifetime().lasts_at(settings.now()));
            };
            *self.key.lock().unwrap_or_else(PoisonError::into_inner) = next;
        }
        Ok(false)
    }
}

impl Validity for Held {
    /// Nothing is known without asking.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// As long as others use it.
    fn remaining(&self) -> Option<Duration> {
        None
    }

    fn ask(&self) -> Pin<Box<dyn Future<Output = Result<(), Invalid>> + Send + '_>> {
        Box::pin(async {
            match self.lives().await {
                Ok(true) => Ok(()),
                Ok(false) => Err(Invalid::Revoked),
                Err(_) => Err(Invalid::Unavailable),
            }
        })
    }

    /// More often than the grace of a renewal is long, or the successor would not be found.
    fn ask_every(&self) -> Duration {
        let renewal = self.sessions.settings().renewal;
        renewal.map_or(EVERY, |renewal| EVERY.min(renewal.grace / 2))
    }
}
