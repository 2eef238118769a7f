//! What becomes of the answer: the cookie, and what caches are told.

use std::time::Duration;

use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_core::{AuthError, append_vary, ensure_private};

use super::state::{Phase, Presented, State};
use super::{Session, SessionErrorKind};
use crate::sessions::ClearSiteData;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// What is to be said about the cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verdict {
    #[default]
    Keep,
    Set,
    Delete,
}

/// What the answer is given.
pub(crate) struct Answer {
    cookie: Option<HeaderValue>,
    was_read: bool,
    clear_site_data: Option<&'static str>,
}

impl Session {
    /// What the answer is given, where nothing has to be written before.
    pub(crate) fn answer_now(&self) -> Option<Answer> {
        let mut state = self.0.state.try_lock().ok()?;
        let waits = !state.changes.is_empty() || self.renewal_due(&state).is_some();
        (!waits).then(|| self.conclude(&mut state))
    }

    /// Writes what is to be written, and says what the answer is given.
    pub(crate) async fn answer(&self) -> Result<Answer, AuthError> {
        let mut state = self.0.state.lock().await;
        match self.commit(&mut state).await {
            // The session is over, and nothing brings it back. The browser is told.
            Err(error) if error.kind() == SessionErrorKind::Ended => {
                tracing::debug!("changes to a session that has ended were dropped");
            }
            Err(error) => {
                state.is_answered = true;
                return Err(error.into());
            }
            Ok(()) => {}
        }
        self.renew(&mut state).await;
        Ok(self.conclude(&mut state))
    }

    fn conclude(&self, state: &mut State) -> Answer {
        state.is_answered = true;
        let signed_out = state.signed_out && state.verdict == Verdict::Delete;
        Answer {
            cookie: self.cookie(state),
            was_read: state.was_read,
            clear_site_data: signed_out.then(|| self.clear_site_data()).flatten(),
        }
    }

    fn cookie(&self, state: &State) -> Option<HeaderValue> {
        let settings = self.settings();
        match (&state.phase, &self.0.presented) {
            (Phase::Live(live), _) if state.verdict == Verdict::Set => {
                let remaining = || live.record.lifetime().limit().saturating_since(settings.now());
                let max_age: Option<Duration> = live.head.is_persistent().then(remaining);
                settings.cookie.setting(&live.id.as_ref()?.encode(), max_age)
            }
            (_, Presented::Nothing) | (Phase::Live(_), _) => None,
            // Unknown to us, or its id changed a moment ago: then the browser may have the new one already.
            (Phase::Unknown | Phase::Exchanged, Presented::Id(_)) => None,
            (Phase::Absent | Phase::Ended, Presented::Id(_)) | (_, Presented::Malformed) => {
                Some(settings.cookie.deletion())
            }
        }
    }

    fn clear_site_data(&self) -> Option<&'static str> {
        match self.settings().clear_site_data {
            ClearSiteData::Nothing => None,
            ClearSiteData::CacheAndStorage => Some(r#""cache", "storage""#),
            ClearSiteData::WithCookies => Some(r#""cache", "storage", "cookies""#),
        }
    }
}

impl Answer {
    /// Writes it into the answer. Of several cookies of this name, a handler's own among them, this one remains.
    pub(crate) fn apply(self, name: &str, headers: &mut HeaderMap) {
        if self.was_read {
            append_vary(headers, &[COOKIE]);
            ensure_private(headers);
        }
        if let Some(cookie) = self.cookie {
            forget(name, headers);
            headers.append(SET_COOKIE, cookie);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if let Some(what) = self.clear_site_data {
            headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static(what));
        }
    }
}

/// Drops cookies of this name (RFC 6265bis §4.1.1: no two in one response).
fn forget(name: &str, headers: &mut HeaderMap) {
    let is_ours = |field: &HeaderValue| {
        let bytes = field.as_bytes();
        let end = bytes.iter().position(|byte| *byte == b'=').unwrap_or(bytes.len());
        bytes.split_at(end).0.trim_ascii() == name.as_bytes()
    };
    if !headers.get_all(SET_COOKIE).iter().any(is_ours) {
        return;
    }
    let others: Vec<HeaderValue> = headers
        .get_all(SET_COOKIE)
        .iter()
        .filter(|field| !is_ours(field))
        .cloned()
        .collect();
    headers.remove(SET_COOKIE);
    for other in others {
        headers.append(SET_COOKIE, other);
    }
}
