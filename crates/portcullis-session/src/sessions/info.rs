//! What a user is shown of a session.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::Timestamp;
use portcullis_store::Record;

use crate::error::SessionError;
use crate::payload::{HANDLE_LEN, View};

/// What a session is called in lists and paths: 16 characters that say nothing, and let nobody in. It stays when the id
/// changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionHandle([u8; HANDLE_LEN]);

impl SessionHandle {
    pub(crate) const fn new(bytes: [u8; HANDLE_LEN]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionHandle({self})")
    }
}

/// A text is no [`SessionHandle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MalformedHandle;

impl fmt::Display for MalformedHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is no handle of a session")
    }
}

impl std::error::Error for MalformedHandle {}

impl FromStr for SessionHandle {
    type Err = MalformedHandle;

    fn from_str(text: &str) -> Result<Self, MalformedHandle> {
        if text.len() != 16 {
            return Err(MalformedHandle);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedHandle)?;
        bytes.try_into().map(Self).map_err(|_| MalformedHandle)
    }
}

/// One session of a user, for the page that lists them.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    handle: SessionHandle,
    device: Option<String>,
    address: Option<String>,
    started_at: Timestamp,
    last_seen: Timestamp,
    expires_at: Timestamp,
    is_persistent: bool,
}

impl SessionInfo {
    /// What a record says; nothing for one that lives on beside its successor, or is nobody's.
    pub(crate) fn of(record: &Record) -> Result<Option<Self>, SessionError> {
        let view = View::of(record.payload())?;
        let Some(account) = view.account()? else {
            return Ok(None);
        };
        let lifetime = record.lifetime();
        let touched = lifetime.expires_at().saturating_sub(view.head.idle);
        Ok(Some(Self {
            handle: SessionHandle::new(view.head.handle),
            device: account.device,
            address: account.address,
            started_at: view.head.started_at,
            last_seen: touched.max(view.head.started_at).max(lifetime.created_at()),
            expires_at: lifetime.expires_at(),
            is_persistent: view.head.is_persistent(),
        }))
    }

    /// What to [revoke](crate::Sessions::revoke) it by.
    #[must_use]
    pub const fn handle(&self) -> SessionHandle {
        self.handle
    }

    /// On which device, as the browser said; control characters are escaped.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    /// From which address somebody signed in, as the application said.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// When somebody signed in.
    #[must_use]
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// When it was last used, to the minute. Near the end of its absolute lifetime, where there is nothing left to extend,
    /// it may have been used since, by one idle time at most.
    #[must_use]
    pub const fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// When it ends unless it is used.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether the browser keeps it when it is closed.
    #[must_use]
    pub const fn is_persistent(&self) -> bool {
        self.is_persistent
    }
}
