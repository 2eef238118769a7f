//! HTTP Basic (RFC 7617) as a method of authentication.
//!
//! # Decision rules
//!
//! 1. No `Authorization`, or one of another scheme → nothing was sent that we accept: 401 with
//!    `Basic realm="…", charset="UTF-8"`, for which a browser asks its user.
//! 2. `Basic` with anything but Base64 of UTF-8 text that has a colon and no control character → 400
//!    `invalid_request`. RFC 7617 names no status for it; nothing was read, so nothing was found wrong, and the
//!    same client would send the same again. So it is with every method of portcullis.
//! 3. The user-id ends at the first colon; the password may hold more of them, a user-id cannot (RFC 7617 §2).
//! 4. A browser's request from another site that changes something → 403, before anything is hashed.
//! 5. A user-id and password that belong together → the user. Anything else → 401 `invalid_token`, the same for
//!    an unknown user and after the same work.
//! 6. Too many checks at once → 503; see [`Passwords`].
//!
//! # Delivery
//!
//! Once its user has typed a password, a browser sends it to this site with *every* request, also with those
//! that another site provoked, and `SameSite` is a matter of cookies only. That is ambient, and calls for the
//! same defence as a cookie: rule 4.
//!
//! Yet the method says [`Delivery::Explicit`]. [`Delivery::Ambient`] is for what lies *beside* `Authorization`
//! and is overlooked when something stands there (and the layer refuses whatever stands there that nobody
//! claims as explicit). It would refuse `curl -X POST -u` as well, which names no origin: with a cookie that is
//! suspicious, with a password in `Authorization` it is the rule. So the check is made here, when a browser says
//! where a request comes from; every browser does so whenever something may change.
//!
//! # What this trusts
//!
//! TLS: each request carries the password. The browser's `Origin` and `Sec-Fetch-Site`.
//!
//! # What this does not check
//!
//! How often somebody guesses: put a limit per user and address outside. Whether the user is still there: a
//! browser repeats the password long after it was typed, so no time of authentication is stated. Unicode has
//! several spellings of one text; they are different passwords here (RFC 8265 would make them one).

use std::pin::Pin;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use http::header::{AUTHORIZATION, HeaderName, ORIGIN};
use http::request::Parts;
use portcullis::core::{Authorization, Delivery, Factor, Method, Presence};
use portcullis::tower::csrf::OriginPolicy;
use portcullis::{
    AuthError, AuthenticateRequest, Authentication, Challenge, Challenges, ConfigError, Scheme, Secret,
};

use crate::passwords::Passwords;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Authenticates requests by HTTP Basic. See the [module docs](self).
#[derive(Debug)]
pub struct Basic {
    passwords: Arc<Passwords>,
    origins: OriginPolicy,
    challenges: Challenges,
}

/// Who callers are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The user-id, as it was sent.
    pub name: String,
}

impl Basic {
    /// Asks for a password of `realm`, and knows the site's own pages by their `origins`.
    ///
    /// # Errors
    ///
    /// When the realm holds anything but visible ASCII and spaces.
    pub fn new(realm: &str, passwords: Passwords, origins: OriginPolicy) -> Result<Self, ConfigError> {
        let challenge = Challenge::new(Scheme::BASIC)
            .realm(realm)?
            .param("charset", "UTF-8")?;
        Ok(Self {
            passwords: Arc::new(passwords),
            origins,
            challenges: Challenges::new([challenge])?,
        })
    }

    /// Rule 4.
    fn check_origin(&self, parts: &Parts) -> Result<(), AuthError> {
        let by_browser = [ORIGIN, SEC_FETCH_SITE]
            .iter()
            .any(|name| parts.headers.contains_key(name));
        match self.origins.check(parts) {
            Err(forged) if by_browser => Err(AuthError::denied("cross_site_request").with_source(forged)),
            _ => Ok(()),
        }
    }
}

impl AuthenticateRequest for Basic {
    type Principal = User;
    type Future = Pin<Box<dyn Future<Output = Result<Option<Authentication<User>>, AuthError>> + Send>>;

    fn presence(&self, parts: &Parts) -> Presence {
        match find(parts) {
            Ok(Some(_)) => Presence::Present(Delivery::Explicit),
            Ok(None) => Presence::Absent,
            Err(Malformed) => Presence::Malformed,
        }
    }

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        let origin = self.check_origin(parts);
        let sent = find(parts).ok().flatten();
        let passwords = Arc::clone(&self.passwords);
        Box::pin(async move {
            origin?;
            // Called only when they are present.
            let Some((name, password)) = sent else {
                return Ok(None);
            };
            if passwords.verify(&name, password).await? {
                let user = Authentication::assertion(User { name }, Method::new("basic"));
                return Ok(Some(
                    user.with_scheme(Scheme::BASIC)
                        .with_factors([Factor::new("pwd", None)]),
                ));
            }
            Err(AuthError::invalid_credentials("wrong_user_or_password").with_scheme(Scheme::BASIC))
        })
    }

    fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        static INSPECTED: [HeaderName; 3] = [AUTHORIZATION, ORIGIN, SEC_FETCH_SITE];
        &INSPECTED
    }
}

/// Something was sent that cannot be read.
struct Malformed;

/// Rules 1 to 3: user-id and password, if they were sent.
fn find(parts: &Parts) -> Result<Option<(String, Secret<String>)>, Malformed> {
    match Authorization::parse(&parts.headers).map_err(|_| Malformed)? {
        Some(sent) if sent.is(&Scheme::BASIC) => {
            let token68 = sent.token68().map_err(|_| Malformed)?;
            read(token68).ok_or(Malformed).map(Some)
        }
        _ => Ok(None),
    }
}

fn read(token68: &str) -> Option<(String, Secret<String>)> {
    let decoded = Secret::new(BASE64_STANDARD.decode(token68).ok()?);
    let text = std::str::from_utf8(decoded.expose()).ok()?;
    let (name, password) = text.split_once(':')?;
    let is_plain = !text.chars().any(char::is_control);
    is_plain.then(|| (name.to_owned(), Secret::new(password.to_owned())))
}
