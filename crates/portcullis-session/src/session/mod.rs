//! The session of one request.

mod answer;
mod csrf;
mod data;
mod exchange;
mod load;
mod renew;
mod save;
mod sign;
mod state;

use std::fmt;
use std::sync::Arc;

use http::Extensions;
use portcullis_core::{AuthError, Authentication, Factor, Principal};
use portcullis_tower::csrf::CrossSiteRequest;
use tokio::sync::{Mutex, MutexGuard};

pub(crate) use self::answer::Answer;
pub use self::csrf::FormSession;
pub(crate) use self::csrf::verify;
use self::load::Now;
use self::state::State;
pub(crate) use self::state::{Live, Presented};
use crate::error::{SessionError, SessionErrorKind};
use crate::sessions::{SessionHandle, Sessions, Settings};

/// The session of a request, as [`SessionLayer`](crate::SessionLayer) hands it to handlers. A clone is the same session.
///
/// Nothing is loaded until something is asked, and then once. What is changed is written when the handler has answered, or by
/// [`save`](Self::save): what others wrote meanwhile stays, value by value. A session of nobody comes to be with the first
/// value that is written; until then there is neither a record nor a cookie.
///
/// What is written through a clone that outlives the answer, in a body that streams, say, is not saved unless `save` is called.
/// What needs a cookie is refused there, [`Answered`](SessionErrorKind::Answered): a session's first value, its first token for
/// forms, another id. A clone knows what it has loaded: that the session was ended since, it learns from `save`.
///
/// ```
/// use portcullis_session::{Session, SessionError};
///
/// async fn count(session: Session) -> Result<u32, SessionError> {
///     let visits = session.get::<u32>("visits").await?.unwrap_or_default() + 1;
///     session.insert("visits", &visits).await?;
///     Ok(visits)
/// }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    sessions: Sessions,
    presented: Presented,
    origin: Result<(), CrossSiteRequest>,
    /// Whether the answer can carry a cookie: a layer stands outside.
    has_answer: bool,
    state: Mutex<State>,
}

impl Session {
    pub(crate) fn new(
        sessions: Sessions,
        presented: Presented,
        origin: Result<(), CrossSiteRequest>,
        has_answer: bool,
    ) -> Self {
        Self(Arc::new(Inner {
            sessions,
            presented,
            origin,
            has_answer,
            state: Mutex::new(State::default()),
        }))
    }

    /// The session of a request, from its extensions. For extractors.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::AuthErrorKind::Misconfigured) when no [`SessionLayer`](crate::SessionLayer) stands
    /// outside; [`Denied`](portcullis_core::AuthErrorKind::Denied) when another site may have provoked the request, whatever
    /// credential decided about it: see [`csrf`](portcullis_tower::csrf).
    pub fn of(extensions: &Extensions) -> Result<Self, AuthError> {
        let session = Self::unchecked(extensions)?;
        match session.0.origin {
            Ok(()) => Ok(session),
            Err(forged) => Err(AuthError::denied("cross_site_request").with_source(forged)),
        }
    }

    pub(crate) fn unchecked(extensions: &Extensions) -> Result<Self, AuthError> {
        extensions.get::<Self>().cloned().ok_or_else(|| {
            AuthError::misconfigured("no_session").with_source("no SessionLayer stands outside this route")
        })
    }

    pub(crate) fn origin(&self) -> Result<(), CrossSiteRequest> {
        self.0.origin
    }

    pub(crate) fn presented(&self) -> &Presented {
        &self.0.presented
    }

    pub(crate) fn belongs_to(&self, sessions: &Sessions) -> bool {
        std::ptr::eq(self.settings(), sessions.settings())
    }

    pub(crate) fn settings(&self) -> &Settings {
        self.0.sessions.settings()
    }

    /// The state. Waiting for it is boxed where it has to be: whoever awaits a session carries no room for it otherwise.
    async fn locked(&self) -> MutexGuard<'_, State> {
        match self.0.state.try_lock() {
            Ok(state) => state,
            Err(_) => Box::pin(self.0.state.lock()).await,
        }
    }

    /// The state, after the session was looked for.
    async fn loaded(&self) -> Result<MutexGuard<'_, State>, SessionError> {
        let mut state = self.locked().await;
        self.load(&mut state).await?;
        Ok(state)
    }

    /// Who is signed in.
    ///
    /// # Errors
    ///
    /// When the store cannot say.
    pub async fn principal(&self) -> Result<Option<Principal>, SessionError> {
        let state = self.loaded().await?;
        let account = state.live().map(Live::account).transpose()?.flatten();
        Ok(account.map(|account| account.principal))
    }

    /// With what the user has proved who they are.
    ///
    /// # Errors
    ///
    /// When the store cannot say.
    pub async fn factors(&self) -> Result<Vec<Factor>, SessionError> {
        let state = self.loaded().await?;
        let account = state.live().map(Live::account).transpose()?.flatten();
        Ok(account.map(|account| account.factors).unwrap_or_default())
    }

    /// What this session is called in the [list](Sessions::list) of the user's; nothing where there is none.
    ///
    /// # Errors
    ///
    /// When the store cannot say.
    pub async fn handle(&self) -> Result<Option<SessionHandle>, SessionError> {
        let state = self.loaded().await?;
        Ok(state.live().map(Live::handle))
    }
}

/// As a method of authentication.
impl Session {
    /// The evidence, where the store needs no waiting.
    pub(crate) fn evidence_now(&self) -> Option<Result<Option<Authentication<Principal>>, AuthError>> {
        let mut state = self.0.state.try_lock().ok()?;
        match self.load_now(&mut state) {
            Ok(Now::Wait) => None,
            Ok(Now::Loaded) => Some(self.evidence_of(&state)),
            Err(error) => Some(Err(error.into())),
        }
    }

    pub(crate) async fn evidence(&self) -> Result<Option<Authentication<Principal>>, AuthError> {
        let state = self.loaded().await?;
        self.evidence_of(&state)
    }

    fn evidence_of(&self, state: &State) -> Result<Option<Authentication<Principal>>, AuthError> {
        let evidence = state.live().map(|live| live.evidence(&self.0.sessions));
        Ok(evidence.transpose()?.flatten())
    }
}

/// Shows nothing: neither the id nor what is kept.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

fn ended() -> SessionError {
    SessionErrorKind::Ended.into()
}
