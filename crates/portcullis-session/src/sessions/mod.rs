//! The sessions of an application: settings, and what is done to sessions from outside a request.

mod admin;
mod builder;
mod info;
mod limit;

use std::fmt;
use std::sync::Arc;

use portcullis_core::{AuditEvent, AuditKind, AuditSink, Challenges, Clock, Principal, Timestamp};
use portcullis_seal::{Peppers, Randomness};
use portcullis_store::{Owner, Record, RecordKey, RecordStore, StoreError};
use portcullis_tower::csrf::OriginPolicy;

pub use self::builder::SessionsBuilder;
pub use self::info::{MalformedHandle, SessionHandle, SessionInfo};
pub use self::limit::AtMost;
use crate::cookie::Cookie;
use crate::id::{KIND, SessionId};
use crate::layer::SessionLayer;
use crate::method::SessionAuth;
use crate::payload::{HANDLE_LEN, View};
use crate::timeouts::{Renewal, Timeouts};

/// How many successors are followed. Within one grace there is one.
pub(crate) const LONGEST_CHAIN: usize = 4;

/// What browsers are told to forget at sign-out (`Clear-Site-Data`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // Nothing, the default, and more.
pub enum ClearSiteData {
    /// Nothing.
    Nothing,
    /// `"cache", "storage"`.
    CacheAndStorage,
    /// `"cache", "storage", "cookies"`: every cookie of the whole registrable domain, other applications' too.
    WithCookies,
}

/// The sessions of an application. A clone is the same sessions.
///
/// ```
/// use portcullis_session::{Sessions, Timeouts};
/// use portcullis_store::MemoryStore;
///
/// let sessions = Sessions::builder(MemoryStore::new()).timeouts(Timeouts::sensitive()).build()?;
/// let layer = sessions.layer();
/// # let _ = layer;
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Sessions(Arc<Settings>);

pub(crate) struct Settings {
    pub(crate) store: Arc<dyn RecordStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) peppers: Peppers,
    pub(crate) timeouts: Timeouts,
    pub(crate) remembered: Timeouts,
    pub(crate) anonymous: Timeouts,
    pub(crate) renewal: Option<Renewal>,
    pub(crate) cookie: Cookie,
    pub(crate) origins: OriginPolicy,
    pub(crate) audit: Option<Arc<dyn AuditSink>>,
    pub(crate) at_most: Option<AtMost>,
    pub(crate) clear_site_data: ClearSiteData,
    pub(crate) challenges: Challenges,
}

impl Sessions {
    /// Starts a configuration of sessions that `store` keeps.
    pub fn builder(store: impl RecordStore) -> SessionsBuilder {
        SessionsBuilder::new(Arc::new(store))
    }

    /// The layer that hands sessions to handlers, and writes their cookie.
    pub fn layer(&self) -> SessionLayer {
        SessionLayer::new(self.clone())
    }

    /// The method that takes whoever signed in for the caller.
    pub fn method(&self) -> SessionAuth {
        SessionAuth::new(self.clone())
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0
    }
}

impl Settings {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn new_id(&self) -> Result<SessionId, portcullis_seal::NoRandomness> {
        SessionId::random(&*self.randomness)
    }

    pub(crate) fn new_handle(&self) -> Result<[u8; HANDLE_LEN], portcullis_seal::NoRandomness> {
        let mut handle = [0; HANDLE_LEN];
        self.randomness.fill(&mut handle)?;
        Ok(handle)
    }

    pub(crate) async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        match self.store.load_now(key) {
            Some(answer) => answer,
            None => self.store.load(key).await,
        }
    }

    /// Ends the session of a record, and its successor where a renewal got ahead: whoever ends a session means both. Hands
    /// out the last record, to one caller.
    pub(crate) async fn end(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let mut last = self.store.take(key).await?;
        for _ in 0..LONGEST_CHAIN {
            let next = match last.as_ref().map(|record| View::of(record.payload())) {
                Some(Ok(view)) => view.successor(KIND),
                _ => None,
            };
            let Some(next) = next else {
                break;
            };
            last = self.store.take(&next).await?;
        }
        Ok(last)
    }

    pub(crate) fn tell(&self, kind: AuditKind, principal: &Principal, reason: Option<&'static str>) {
        if let Some(sink) = &self.audit {
            let event = AuditEvent::new(kind)
                .with_account(principal.issuer(), Some(principal.subject()))
                .with_reason(reason);
            sink.record(&event);
        }
    }
}

/// Under which name the store keeps whose sessions these are: the issuer's length keeps two users from having one.
pub(crate) fn owner_of(principal: &Principal) -> Result<Owner, StoreError> {
    let (issuer, subject) = (principal.issuer(), principal.subject());
    Owner::new(format!("{}:{issuer}{subject}", issuer.len()))
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("cookie", &self.0.cookie.name())
            .field("timeouts", &self.0.timeouts)
            .finish_non_exhaustive()
    }
}
