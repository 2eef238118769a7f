use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use portcullis_core::{AuthError, Ledger};
use portcullis_session::SessionError;

use crate::AuthRejection;

/// The session of the request.
///
/// Derefs to [`portcullis_session::Session`], which says what can be done with it. Nothing is loaded until something
/// is asked. Taking it decides nothing about who may: a visitor has a session as well.
///
/// # Rejections
///
/// | situation | status |
/// |---|---|
/// | another site may have provoked the request, [whatever credential decides](portcullis_tower::csrf) | 403 |
/// | no `SessionLayer` outside the route | 500 |
///
/// ```
/// use portcullis_axum::{AuthRejection, Session};
///
/// async fn visits(session: Session) -> Result<String, AuthRejection> {
///     let visits = session.get::<u32>("visits").await?.unwrap_or_default() + 1;
///     session.insert("visits", &visits).await?;
///     Ok(format!("visit {visits}\n"))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Session(portcullis_session::Session);

impl Session {
    /// The session itself, for whatever outlives the handler.
    #[must_use]
    pub fn into_inner(self) -> portcullis_session::Session {
        self.0
    }
}

impl Deref for Session {
    type Target = portcullis_session::Session;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let session = portcullis_session::Session::of(&parts.extensions);
        session.map(Self).map_err(|error| refused(error, parts))
    }
}

/// The session of a request whose form brings the token in a field, for browsers that do not say where a request comes
/// from.
///
/// [Holds](Self::into_inner) a [`portcullis_session::FormSession`], which hands the session out when the token was looked at.
///
/// # Rejections
///
/// As those of [`Session`], except where the browser said nothing: that is left to
/// [`verify`](portcullis_session::FormSession::verify).
///
/// ```
/// use portcullis_axum::{AuthRejection, FormSession};
///
/// async fn rename(form: FormSession, body: String) -> Result<(), AuthRejection> {
///     let token = body.strip_prefix("token=").unwrap_or_default();
///     let session = form.into_inner().verify(token)?;
///     session.insert("name", "Alice").await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct FormSession(portcullis_session::FormSession);

impl FormSession {
    /// The session, to be [verified](portcullis_session::FormSession::verify).
    #[must_use]
    pub fn into_inner(self) -> portcullis_session::FormSession {
        self.0
    }
}

impl<S: Sync> FromRequestParts<S> for FormSession {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let session = portcullis_session::FormSession::of(&parts.extensions);
        session.map(Self).map_err(|error| refused(error, parts))
    }
}

/// The refusal, told to the request's ledger.
fn refused(error: AuthError, parts: &Parts) -> AuthRejection {
    if let Some(ledger) = Ledger::of(&parts.extensions) {
        ledger.refused(&error);
    }
    error.into()
}

impl From<SessionError> for AuthRejection {
    fn from(error: SessionError) -> Self {
        AuthError::from(error).into()
    }
}
