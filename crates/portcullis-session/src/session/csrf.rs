//! Tokens that only the application's own pages know, for browsers that say nothing about where a request comes from.
//!
//! HMAC-SHA-256 of a fixed label with the id as the key, masked anew for every answer, so that compression does not give it
//! away. It changes with the id, needs no store, and is no double submit: who plants a cookie of his own choice has to know
//! its id, and gains his own session.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Extensions;
use portcullis_core::AuthError;
use zeroize::Zeroizing;

use super::state::{Live, Presented};
use super::{Session, SessionError, SessionErrorKind};
use crate::id::SessionId;

const LABEL: &[u8] = b"portcullis-session 1: token of forms";
const LEN: usize = 32;

impl Session {
    /// The token for the forms of this answer. Where there is no session, one begins. Ask after whatever exchanges the id.
    ///
    /// # Errors
    ///
    /// When the store, or the source of randomness, does not answer.
    pub async fn csrf_token(&self) -> Result<String, SessionError> {
        let mut state = self.0.state.lock().await;
        self.ensure(&mut state).await?;
        // An id that is about to change gives no token.
        self.renew(&mut state).await;
        let presented = self.presented_id();
        let id = state.live().map(|live: &Live| live.id.as_ref().or(presented));
        let id = id.flatten().ok_or(SessionErrorKind::Ended)?;
        self.token(id)
    }

    fn token(&self, id: &SessionId) -> Result<String, SessionError> {
        let mut masked = [0; 2 * LEN];
        let (mask, rest) = masked.split_at_mut(LEN);
        self.settings().randomness.fill(mask)?;
        let tag = hmac::sign(&id.mac_key(), LABEL);
        for ((to, mask), tag) in rest.iter_mut().zip(mask).zip(tag.as_ref()) {
            *to = *mask ^ tag;
        }
        Ok(URL_SAFE_NO_PAD.encode(masked))
    }

    /// Whether a token was made for the session that this request came with. In constant time, and without the store.
    ///
    /// Nothing needs it where [`Session::of`] was asked: what passes there passed already.
    #[must_use]
    pub fn verify_csrf_token(&self, token: &str) -> bool {
        self.presented_id().is_some_and(|id| verify(id, token).is_some())
    }

    fn presented_id(&self) -> Option<&SessionId> {
        match &self.0.presented {
            Presented::Id(id) => Some(id),
            Presented::Nothing | Presented::Malformed => None,
        }
    }
}

pub(crate) fn verify(id: &SessionId, token: &str) -> Option<()> {
    let mut room = Zeroizing::new([0; 2 * LEN + 2]);
    if token.len() != 86 {
        return None;
    }
    let length = URL_SAFE_NO_PAD.decode_slice(token, &mut *room).ok()?;
    let (mask, rest) = room.get(..length)?.split_at_checked(LEN)?;
    let mut tag = Zeroizing::new([0; LEN]);
    for ((to, mask), masked) in tag.iter_mut().zip(mask).zip(rest) {
        *to = mask ^ masked;
    }
    hmac::verify(&id.mac_key(), LABEL, &*tag).ok()
}

/// The session of a request whose form brings the token in a field: it is handed out when the token was looked at.
///
/// For forms that old browsers send, where the header of
/// [`csrf_token_header`](crate::SessionLayer::csrf_token_header) cannot be set.
#[derive(Clone, Debug)]
pub struct FormSession(Session);

impl FormSession {
    /// The session of a request, from its extensions.
    ///
    /// # Errors
    ///
    /// As [`Session::of`], except where the browser did not say where the request comes from: that is left to
    /// [`verify`](Self::verify).
    pub fn of(extensions: &Extensions) -> Result<Self, AuthError> {
        let session = Session::unchecked(extensions)?;
        match session.origin() {
            Err(forged) if !forged.is_unattested() => {
                Err(AuthError::denied("cross_site_request").with_source(forged))
            }
            _ => Ok(Self(session)),
        }
    }

    /// The session. Where the browser said that the request comes from the application's own pages, the token is not looked
    /// at.
    ///
    /// # Errors
    ///
    /// [`Denied`](portcullis_core::AuthErrorKind::Denied) when the browser said nothing, and the token is not of this session.
    pub fn verify(self, token: &str) -> Result<Session, AuthError> {
        match self.0.origin() {
            Err(forged) if !self.0.verify_csrf_token(token) => {
                Err(AuthError::denied("cross_site_request").with_source(forged))
            }
            _ => Ok(self.0),
        }
    }
}
