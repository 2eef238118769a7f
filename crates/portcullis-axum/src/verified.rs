use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Caller, Delivery, Examination, Ledger, append_vary,
    ensure_private, examine,
};
use portcullis_tower::csrf::OriginPolicy;

use crate::route::name_route;
use crate::{AuthRejection, Authenticated};

/// The caller, authenticated by a method out of the router's state, without any layer.
///
/// For a route that must not depend on how layers are stacked: a state without the method does not compile. An
/// application with more than a few such routes is better off with
/// [`AuthenticateLayer`](portcullis_tower::AuthenticateLayer) and [`Authenticated`].
///
/// Decides as the layer does, with the same [rules](portcullis_tower::authenticate#decision-rules), each time it
/// is extracted. As `Option<Verified<A>>` it lets anonymous callers in and never those with bad credentials.
/// Ambient credentials on requests that another site may have provoked are refused; origins are compared with
/// the request's own authority, so a proxy in front must pass `Host` on.
///
/// ```
/// use std::sync::Arc;
///
/// use axum::extract::FromRef;
/// use axum::{Router, routing::get};
/// use portcullis_axum::Verified;
/// # use portcullis_core::{AuthenticateRequest, Principal};
///
/// # fn example<Method: AuthenticateRequest<Principal = Principal>>(method: Method) -> Router {
/// struct App<M> {
///     method: Arc<M>,
/// }
/// # impl<M> Clone for App<M> {
/// #     fn clone(&self) -> Self {
/// #         Self { method: Arc::clone(&self.method) }
/// #     }
/// # }
///
/// impl<M> FromRef<App<M>> for Arc<M> {
///     fn from_ref(app: &App<M>) -> Self {
///         Arc::clone(&app.method)
///     }
/// }
///
/// async fn me<M: AuthenticateRequest<Principal = Principal>>(caller: Verified<Arc<M>>) -> String {
///     caller.principal().subject().to_owned()
/// }
///
/// Router::new().route("/me", get(me::<Method>)).with_state(App { method: Arc::new(method) })
/// # }
/// ```
///
/// # What this does not do
///
/// An extractor cannot touch the answer of its handler. Where a shared cache may stand in front, return
/// [`answer_headers`](Self::answer_headers) with the answer: `Vary`, `Cache-Control: private` for what needs it,
/// and the verdict's response effects. Refusals carry all of that by themselves.
pub struct Verified<A: AuthenticateRequest> {
    caller: Authenticated<A::Principal>,
    inspected: Vec<HeaderName>,
}

impl<A: AuthenticateRequest> Verified<A> {
    /// The caller without the method's name, to be handed on.
    #[must_use]
    pub fn into_authenticated(self) -> Authenticated<A::Principal> {
        self.caller
    }

    /// What the answer should carry, as a part of a response: `(caller.answer_headers(), body)`.
    #[must_use]
    pub fn answer_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        append_vary(&mut headers, &self.inspected);
        self.caller.effects().apply(&mut headers);
        if self.caller.is_ambient() || self.inspected != [AUTHORIZATION] {
            ensure_private(&mut headers);
        }
        headers
    }
}

impl<A: AuthenticateRequest> Deref for Verified<A> {
    type Target = Authentication<A::Principal>;

    fn deref(&self) -> &Self::Target {
        &self.caller
    }
}

impl<A: AuthenticateRequest> AsRef<Caller<A::Principal>> for Verified<A> {
    fn as_ref(&self) -> &Caller<A::Principal> {
        self.caller.caller()
    }
}

impl<A: AuthenticateRequest> fmt::Debug for Verified<A>
where
    A::Principal: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified").field(&self.caller).finish()
    }
}

/// The verdict of `method` about a request.
async fn verify<A: AuthenticateRequest>(
    method: &A,
    parts: &Parts,
) -> Result<Option<Verified<A>>, AuthRejection> {
    let mut inspected = method.inspected_headers().to_vec();
    let verdict = match examine(method, parts) {
        Examination::Anonymous => return Ok(None),
        Examination::Refused(error) => Err(error),
        Examination::Present(delivery) => {
            if delivery == Delivery::Ambient {
                inspected.extend([http::header::ORIGIN, HeaderName::from_static("sec-fetch-site")]);
            }
            check(method, parts, delivery).await
        }
    };
    match verdict {
        Ok(Some(authentication)) => {
            let caller = Caller::new(Arc::new(authentication), method.challenges().clone());
            let caller = caller.with_ledger(Ledger::of(&parts.extensions).cloned());
            name_route(caller.ledger(), &parts.extensions);
            if let Some(ledger) = caller.ledger() {
                ledger.authenticated(&caller);
            }
            Ok(Some(Verified {
                caller: Authenticated::new(caller),
                inspected,
            }))
        }
        Ok(None) => Ok(None),
        Err(error) => Err(refused(
            error.or_challenges(method.challenges()),
            inspected,
            parts,
        )),
    }
}

/// The refusal, told to the request's ledger.
fn refused(error: AuthError, inspected: Vec<HeaderName>, parts: &Parts) -> AuthRejection {
    let ledger = Ledger::of(&parts.extensions);
    name_route(ledger, &parts.extensions);
    if let Some(ledger) = ledger {
        ledger.refused(&error);
    }
    AuthRejection::after_reading(error, inspected)
}

async fn check<A: AuthenticateRequest>(
    method: &A,
    parts: &Parts,
    delivery: Delivery,
) -> Result<Option<Authentication<A::Principal>>, AuthError> {
    if delivery == Delivery::Ambient {
        OriginPolicy::new()
            .check(parts)
            .map_err(|forged| AuthError::denied("cross_site_request").with_source(forged))?;
    }
    match method.authenticate_request(parts).await? {
        Some(authentication) => Ok(Some(authentication.with_delivery(delivery))),
        None if delivery == Delivery::Ambient => Ok(None),
        None => Err(AuthError::invalid_credentials("unrecognised_credentials")),
    }
}

impl<A, S> FromRequestParts<S> for Verified<A>
where
    A: AuthenticateRequest + FromRef<S>,
    S: Send + Sync,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthRejection> {
        let method = A::from_ref(state);
        match verify(&method, parts).await? {
            Some(verified) => Ok(verified),
            None => Err(refused(
                AuthError::missing_credentials().or_challenges(method.challenges()),
                method.inspected_headers().to_vec(),
                parts,
            )),
        }
    }
}

impl<A, S> OptionalFromRequestParts<S> for Verified<A>
where
    A: AuthenticateRequest + FromRef<S>,
    S: Send + Sync,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthRejection> {
        verify(&A::from_ref(state), parts).await
    }
}
