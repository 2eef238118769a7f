//! The sessions of an application: settings, and what is done to sessions from outside a request.

mod admin;
mod builder;
mod info;
mod limit;

use std::fmt;
use std::sync::Arc;

use portcullis_core::{AuditEvent, AuditKind, AuditSink, Challenges, Clock, Principal, Timestamp};
use portcullis_seal::{Peppers, Randomness};
use portcullis_store::{Owner, Record, RecordKey, RecordStore, StoreError, StoreErrorKind};
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

/// How many are followed to end them all: as often as anybody exchanges an id within one grace.
const LONGEST_TRACE: usize = 1_000;

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

    /// Ends the session of a record, and its successors where its id was renewed or exchanged: whoever ends a session means
    /// all of them. Hands out what the session was, to one caller.
    ///
    /// The last one ends first, so that whoever tries again after an outage finds the way to what is left.
    pub(crate) async fn end(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let mut keys = vec![key.clone()];
        let mut next = self.find(key).await?.as_ref().and_then(successor_of);
        while let Some(key) = next.filter(|next| !keys.contains(next)) {
            if keys.len() > LONGEST_TRACE {
                return Err(StoreErrorKind::Unavailable.into());
            }
            next = self.find(&key).await?.as_ref().and_then(successor_of);
            keys.push(key);
        }
        let mut ended = None;
        while let Some(key) = keys.pop() {
            let Some(taken) = self.store.take(&key).await? else {
                continue;
            };
            match successor_of(&taken) {
                None => ended = ended.or(Some(taken)),
                // Another one since it was looked at.
                Some(next) if ended.is_none() => keys.push(next),
                Some(_) => {}
            }
        }
        Ok(ended)
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

/// The record that took the place of this one, where one did.
fn successor_of(record: &Record) -> Option<RecordKey> {
    View::of(record.payload()).ok()?.successor(KIND)
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
