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
        match portcullis_session::Session::of(&parts.extensions) {
            Ok(session) => Ok(Self(session)),
            Err(error) => {
                if let Some(ledger) = Ledger::of(&parts.extensions) {
                    ledger.refused(&error);
                }
                Err(error.into())
            }
        }
    }
}

impl From<SessionError> for AuthRejection {
    fn from(error: SessionError) -> Self {
        AuthError::from(error).into()
    }
}
