use std::fmt;

use axum_core::response::{IntoResponse, Response};
use http::HeaderName;
use portcullis_core::{AuthError, append_vary};
use portcullis_tower::client_address::UnknownClient;
use portcullis_tower::response::refuse;

/// A refusal as a response: what handlers and extractors return.
///
/// Any [`AuthError`] becomes one with `?`, so that a handler can refuse for reasons of its own. The layer
/// outside adds the challenges of the place (RFC 9110 §15.5.2); a handler that stands outside any layer
/// names them itself, with [`AuthError::or_challenges`].
///
/// ```
/// use portcullis_axum::{AuthRejection, Authenticated};
/// use portcullis_core::AuthError;
///
/// async fn invoice(caller: Authenticated) -> Result<&'static str, AuthRejection> {
///     if caller.principal().subject() != "alice" {
///         return Err(AuthError::denied("not_the_owner").into());
///     }
///     Ok("your invoice")
/// }
/// ```
#[derive(Clone)]
pub struct AuthRejection {
    error: AuthError,
    /// What the verdict read, where no layer says so.
    inspected: Vec<HeaderName>,
}

impl AuthRejection {
    /// The refusal.
    #[must_use]
    pub const fn error(&self) -> &AuthError {
        &self.error
    }

    pub(crate) const fn after_reading(error: AuthError, inspected: Vec<HeaderName>) -> Self {
        Self { error, inspected }
    }
}

impl From<AuthError> for AuthRejection {
    fn from(error: AuthError) -> Self {
        Self::after_reading(error, Vec::new())
    }
}

impl From<UnknownClient> for AuthRejection {
    fn from(unknown: UnknownClient) -> Self {
        AuthError::from(unknown).into()
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        let mut response: Response = refuse(self.error);
        append_vary(response.headers_mut(), &self.inspected);
        response
    }
}

impl fmt::Debug for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuthRejection").field(&self.error).finish()
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for AuthRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.error)
    }
}
