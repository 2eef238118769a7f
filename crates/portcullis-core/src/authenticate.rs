//! Checking one kind of credential, and the rule for a request that carries several.

use std::error::Error;
use std::sync::Arc;

use http::HeaderName;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::{AndThen, AuthError, Authentication, Authorization, Challenges, Delivery, Load, Map, Presence};

/// Checks one kind of credential on a request.
///
/// The work is split so that a request can be sorted before anything costs: [`presence`] says whether
/// there is something to check, [`authenticate_request`] checks it. Several methods are combined with
/// [`AnyOf`](crate::AnyOf).
///
/// [`presence`]: Self::presence
/// [`authenticate_request`]: Self::authenticate_request
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not authenticate requests",
    note = "pass a method such as `JwtBearer`, several with `any_of((a, b))`, or implement `AuthenticateRequest`"
)]
pub trait AuthenticateRequest: Send + Sync + 'static {
    /// Who callers are.
    type Principal: Send + Sync + 'static;

    /// The check. Ready answers (a known key, a cache hit) should not allocate for it.
    type Future: Future<Output = Result<Option<Authentication<Self::Principal>>, AuthError>> + Send + 'static;

    /// Whether the request carries credentials of this kind.
    ///
    /// Pure: no cryptography, no I/O, no clock. Decided by scheme, name *and* the credential's shape,
    /// so that several kinds can share `Bearer`.
    fn presence(&self, parts: &Parts) -> Presence;

    /// Checks the credentials. Called only when they are present.
    ///
    /// `Ok(None)` is for an ambient left-over (an expired session): the caller is anonymous. Explicit
    /// credentials that do not hold are an error.
    fn authenticate_request(&self, parts: &Parts) -> Self::Future;

    /// The verdict of a check that has come to one already; the check itself, when it must be waited for.
    ///
    /// Lets layers go on at once, without keeping the request and a copy of the service beside the check. By
    /// default every check is waited for.
    ///
    /// # Errors
    ///
    /// The check, untouched.
    #[allow(clippy::type_complexity)] // The output of the check, or the check.
    fn verdict_now(
        check: Self::Future,
    ) -> Result<Result<Option<Authentication<Self::Principal>>, AuthError>, Self::Future>
    where
        Self: Sized,
    {
        Err(check)
    }

    /// What a request without credentials is told.
    fn challenges(&self) -> &Challenges;

    /// The header fields [`presence`](Self::presence) looks at, for `Vary`. `Authorization` unless
    /// overridden.
    fn inspected_headers(&self) -> &[HeaderName] {
        static AUTHORIZATION_ONLY: [HeaderName; 1] = [AUTHORIZATION];
        &AUTHORIZATION_ONLY
    }

    /// Loads the application's own user for whoever was found: the account behind an issuer's name for
    /// somebody. The evidence (scopes, expiry, …) stays.
    ///
    /// | `load` answers | the request is |
    /// |---|---|
    /// | `Ok(Some(user))` | the user's |
    /// | `Ok(None)` | refused with 401, as with credentials that do not hold; with an ambient credential, anonymous |
    /// | `Err(error)` | refused with 503: an outage is no reason to throw credentials away. The log gets the error |
    ///
    /// Look the user up by what the issuer vouches for, (issuer, subject), never by e-mail. No time limit is
    /// set here; give the store's client one.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use portcullis_core::{AuthenticateRequest, Principal};
    ///
    /// struct User {
    ///     name: String,
    /// }
    ///
    /// fn with_users(
    ///     method: impl AuthenticateRequest<Principal = Principal>,
    /// ) -> impl AuthenticateRequest<Principal = User> {
    ///     method.load(|who: Principal| async move {
    ///         // A database would be asked here.
    ///         let known = who.subject() == "alice";
    ///         Ok::<_, Infallible>(known.then(|| User { name: "Alice".to_owned() }))
    ///     })
    /// }
    /// ```
    fn load<F, L, U, E>(self, load: F) -> Load<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Principal) -> L + Send + Sync + 'static,
        L: Future<Output = Result<Option<U>, E>> + Send + 'static,
        U: Send + Sync + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Load::new(self, load)
    }

    /// Exchanges the principal for one made from it.
    fn map<F, Q>(self, exchange: F) -> Map<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Principal) -> Q + Send + Sync + 'static,
        Q: Send + Sync + 'static,
    {
        Map::new(self, exchange)
    }

    /// Has the last word about whoever was found: refuse them, exchange them, change the evidence. Rarely
    /// needed; [`load`](Self::load) and [`map`](Self::map) say more.
    fn and_then<F, T, Q>(self, then: F) -> AndThen<Self, F>
    where
        Self: Sized,
        F: Fn(Authentication<Self::Principal>) -> T + Send + Sync + 'static,
        T: Future<Output = Result<Option<Authentication<Q>>, AuthError>> + Send + 'static,
        Q: Send + Sync + 'static,
    {
        AndThen::new(self, then)
    }
}

impl<A: AuthenticateRequest> AuthenticateRequest for Arc<A> {
    type Principal = A::Principal;
    type Future = A::Future;

    fn presence(&self, parts: &Parts) -> Presence {
        (**self).presence(parts)
    }

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        (**self).authenticate_request(parts)
    }

    fn verdict_now(
        check: Self::Future,
    ) -> Result<Result<Option<Authentication<Self::Principal>>, AuthError>, Self::Future> {
        A::verdict_now(check)
    }

    fn challenges(&self) -> &Challenges {
        (**self).challenges()
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        (**self).inspected_headers()
    }
}

/// What [`examine`] found.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)] // Three ways on, and no fourth.
pub enum Examination {
    /// No credentials this place accepts.
    Anonymous,
    /// Credentials that need no check to be refused.
    Refused(AuthError),
    /// Credentials that the method must check; how they arrived.
    Present(Delivery),
}

/// Sorts a request: the first step of every layer and extractor that authenticates. Nothing is verified
/// yet; the caller does that with [`authenticate_request`](AuthenticateRequest::authenticate_request).
///
/// # Decision rules
///
/// 1. Credentials in a form that cannot be read → 400 `invalid_request`. So is an `Authorization` that is a
///    single word (a token whose scheme was forgotten), or that joins credentials in a scheme of this place
///    to others with a comma.
/// 2. Explicit credentials → they are checked.
/// 3. `Authorization` uses a scheme this place asks for, but no method recognises what follows →
///    401 `invalid_token`. So a token of the wrong shape is refused, not overlooked, and no cookie
///    beside it takes its place.
/// 4. Ambient credentials → they are checked.
/// 5. Anything else, another scheme included → anonymous (RFC 6750 §3.1).
pub fn examine<A: AuthenticateRequest>(method: &A, parts: &Parts) -> Examination {
    let presence = method.presence(parts);
    let refusal = match presence {
        Presence::Malformed => Some(AuthError::invalid_request("malformed_credentials")),
        Presence::Absent | Presence::Present(Delivery::Ambient) => unrecognised(method, parts),
        Presence::Present(Delivery::Explicit) => None,
    };
    match (refusal, presence) {
        (Some(error), _) => Examination::Refused(error.or_challenges(method.challenges())),
        (None, Presence::Present(delivery)) => Examination::Present(delivery),
        (None, Presence::Absent | Presence::Malformed) => Examination::Anonymous,
    }
}

/// The refusal of an `Authorization` field that speaks one of our schemes and says nothing to us.
fn unrecognised<A: AuthenticateRequest>(method: &A, parts: &Parts) -> Option<AuthError> {
    if !parts.headers.contains_key(AUTHORIZATION) || !method.inspected_headers().contains(&AUTHORIZATION) {
        return None;
    }
    match Authorization::parse(&parts.headers) {
        Err(malformed) => Some(AuthError::invalid_request("malformed_credentials").with_source(malformed)),
        Ok(Some(sent)) => {
            let challenges = method.challenges();
            let Some(challenge) = challenges.iter().find(|challenge| sent.is(challenge.scheme())) else {
                let malformed = sent.check_foreign(|scheme| challenges.accepts(scheme)).err()?;
                return Some(AuthError::invalid_request("malformed_credentials").with_source(malformed));
            };
            let error = match sent.token68() {
                Ok(_) => AuthError::invalid_credentials("unrecognised_credentials"),
                Err(malformed) => AuthError::invalid_request("malformed_credentials").with_source(malformed),
            };
            Some(error.with_scheme(challenge.scheme().clone()))
        }
        Ok(None) => None,
    }
}
