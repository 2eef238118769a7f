use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use portcullis_core::{CookieValue, find_cookie};
use portcullis_tower::csrf::{CrossSiteRequest, OriginPolicy, TokenVerified};
use tower_service::Service;

use super::future::ResponseFuture;
use super::layer::Shared;
use crate::id::SessionId;
use crate::session::{Presented, Session, verify};

/// Hands sessions to handlers of `S`. See the [module docs](crate::layer).
#[derive(Clone)]
#[must_use]
pub struct WithSession<S> {
    pub(super) inner: S,
    pub(super) shared: Arc<Shared>,
}

/// What the request says about the cookie.
pub(crate) fn presented(headers: &HeaderMap, name: &str) -> Presented {
    match find_cookie(headers, name) {
        CookieValue::Absent => Presented::Nothing,
        CookieValue::One(value) => SessionId::decode(value).map_or(Presented::Malformed, Presented::Id),
        CookieValue::Several => {
            tracing::debug!("a request brought two session cookies; neither is believed");
            Presented::Malformed
        }
    }
}

impl Shared {
    /// Rule 6 of the module docs. A token that was verified is noted for the layers behind.
    fn check(&self, parts: &mut Parts, presented: &Presented) -> Result<(), CrossSiteRequest> {
        let origins = &self.sessions.settings().origins;
        let verdict = origins.check_creating(parts);
        match verdict {
            Err(forged) if forged.is_unattested() && self.brings_token(&parts.headers, presented) => {
                parts.extensions.insert(TokenVerified::assertion());
                origins.check_creating(parts)
            }
            other => other,
        }
    }

    fn brings_token(&self, headers: &HeaderMap, presented: &Presented) -> bool {
        let (Some(name), Presented::Id(id)) = (&self.token_header, presented) else {
            return false;
        };
        let mut sent = headers.get_all(name).iter();
        match (sent.next().map(|token| token.to_str()), sent.next()) {
            (Some(Ok(token)), None) => verify(id, token).is_some(),
            _ => false,
        }
    }
}

impl<S, B, R> Service<Request<B>> for WithSession<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let sessions = &self.shared.sessions;
        let presented = presented(&parts.headers, sessions.settings().cookie.name());
        let was_concerned = OriginPolicy::concerns(&parts);
        let origin = self.shared.check(&mut parts, &presented);
        let session = Session::new(sessions.clone(), presented, origin, true);
        parts.extensions.insert(session.clone());
        let is_head = parts.method == Method::HEAD;
        let answer = self.inner.call(Request::from_parts(parts, body));
        ResponseFuture::new(answer, session, was_concerned, is_head)
    }
}

impl<S: fmt::Debug> fmt::Debug for WithSession<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithSession")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
