//! Sessions as a method of authentication.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::HeaderName;
use http::header::COOKIE;
use http::request::Parts;
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Challenges, Delivery, Method, Presence, Principal, Scheme,
};

use crate::error::SessionError;
use crate::layer::presented;
use crate::session::{Live, Presented, Session};
use crate::sessions::Sessions;
use crate::validity::Held;

/// Takes whoever signed in for the caller. Made by [`Sessions::method`].
///
/// # Decision rules
///
/// 1. One cookie of the session's exact name, in the form we set → present, ambient. Two, or any other form → absent.
/// 2. A session that is unknown, has expired or was ended, and one of nobody → anonymous. A place that requires credentials
///    answers 401, without an error code.
/// 3. The store does not answer → 503.
///
/// The evidence has the method [`SESSION`](Method::SESSION), the principal, factors, scopes and roles of the sign-in, its end, and
/// the [`SessionHandle`](crate::SessionHandle) as its details. A connection that outlives the request asks the store every five
/// seconds whether the session is still there: see `until_invalid` of `portcullis-tower`.
///
/// Behind a [`SessionLayer`](crate::SessionLayer), the request's session is loaded once for both. That layer deletes the cookie
/// of rule 2 as well, since a method that says "nobody" has no say in the answer.
#[derive(Clone)]
#[must_use]
pub struct SessionAuth(Sessions);

type Verdict = Result<Option<Authentication<Principal>>, AuthError>;

impl SessionAuth {
    pub(crate) const fn new(sessions: Sessions) -> Self {
        Self(sessions)
    }

    /// The session of the layer outside, or one of its own.
    fn session(&self, parts: &Parts) -> Session {
        match parts.extensions.get::<Session>() {
            Some(session) if session.belongs_to(&self.0) => session.clone(),
            _ => {
                let presented = presented(&parts.headers, self.0.settings().cookie.name());
                Session::new(self.0.clone(), presented, Ok(()), false)
            }
        }
    }
}

impl AuthenticateRequest for SessionAuth {
    type Principal = Principal;
    type Future = SessionAuthFuture;

    fn presence(&self, parts: &Parts) -> Presence {
        let is_id = |presented: &Presented| matches!(presented, Presented::Id(_));
        let found = match parts.extensions.get::<Session>() {
            Some(session) if session.belongs_to(&self.0) => is_id(session.presented()),
            _ => is_id(&presented(&parts.headers, self.0.settings().cookie.name())),
        };
        match found {
            true => Presence::Present(Delivery::Ambient),
            false => Presence::Absent,
        }
    }

    fn authenticate_request(&self, parts: &Parts) -> SessionAuthFuture {
        let session = self.session(parts);
        match session.evidence_now() {
            Some(verdict) => SessionAuthFuture(State::Ready(Some(verdict))),
            None => SessionAuthFuture(State::Waiting(Box::pin(async move { session.evidence().await }))),
        }
    }

    fn verdict_now(mut check: SessionAuthFuture) -> Result<Verdict, SessionAuthFuture> {
        match &mut check.0 {
            State::Ready(verdict) => verdict.take().ok_or(check),
            State::Waiting(_) => Err(check),
        }
    }

    fn challenges(&self) -> &Challenges {
        &self.0.settings().challenges
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        static COOKIE_ONLY: [HeaderName; 1] = [COOKIE];
        &COOKIE_ONLY
    }
}

impl fmt::Debug for SessionAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionAuth").field(&self.0).finish()
    }
}

/// The check of [`SessionAuth`]. Ready at once where the store is in memory.
pub struct SessionAuthFuture(State);

#[allow(clippy::large_enum_variant)] // The large one is the common one, and costs no allocation so.
enum State {
    Ready(Option<Verdict>),
    Waiting(Pin<Box<dyn Future<Output = Verdict> + Send>>),
}

impl Future for SessionAuthFuture {
    type Output = Verdict;

    /// A future that is polled after it was ready stays pending.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        match &mut self.0 {
            State::Ready(verdict) => verdict.take().map_or(Poll::Pending, Poll::Ready),
            State::Waiting(check) => {
                let verdict = std::task::ready!(check.as_mut().poll(cx));
                self.0 = State::Ready(None);
                Poll::Ready(verdict)
            }
        }
    }
}

impl fmt::Debug for SessionAuthFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionAuthFuture").finish_non_exhaustive()
    }
}

impl Live {
    /// Who signed in, as evidence; nothing for a session of nobody.
    pub(crate) fn evidence(
        &self,
        sessions: &Sessions,
    ) -> Result<Option<Authentication<Principal>>, SessionError> {
        let Some(account) = self.account()? else {
            return Ok(None);
        };
        let mut evidence = Authentication::assertion(account.principal, Method::SESSION)
            .with_scheme(Scheme::COOKIE)
            .with_delivery(Delivery::Ambient)
            .with_authenticated_at(account.authenticated_at)
            .with_checked_at(sessions.settings().now())
            .with_expires_at(self.record().lifetime().expires_at())
            .with_factors(account.factors)
            .with_scopes(account.scopes)
            .with_roles(account.roles)
            .with_details(Arc::new(self.handle()))
            .with_validity(Arc::new(Held::new(sessions.clone(), self.record().key().clone())));
        if let Some(acr) = account.acr {
            evidence = evidence.with_acr(acr);
        }
        Ok(Some(evidence))
    }
}
