//! JWTs on requests: where they stand, and the check as an [`AuthenticateRequest`].

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use pin_project_lite::pin_project;
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Authorization, Challenge, Challenges, ConfigError,
    CookieValue, Delivery, Presence, Principal, Scheme, find_cookie,
};

use crate::compact::looks_like_jws;
use crate::verifier::Step;
use crate::{JwtError, VerifiedToken, Verifier};

/// Authenticates requests by a JWT.
///
/// # Where the token stands
///
/// In `Authorization: Bearer …` (RFC 6750 §2.1) unless configured otherwise: in a
/// [cookie](Self::in_cookie) or in a place of the [application's own](Self::in_place). Never in the URL
/// (OAuth 2.1 §5.1), and never in two places.
///
/// # What it answers
///
/// The principal is (`iss`, `sub`); a token without `sub` is refused. The
/// [verified claims](crate::VerifiedClaims) are the authentication's details.
///
/// # What this does not check
///
/// Whether the token was revoked, unless the verifier has a [list](crate::VerifierBuilder::revocations). With
/// [`in_cookie`](Self::in_cookie), whether another site provoked the request: the layer does, because the
/// credential is ambient.
#[derive(Clone)]
pub struct JwtBearer {
    verifier: Verifier,
    place: Place,
    challenges: Challenges,
    inspected: Arc<[HeaderName]>,
}

#[derive(Clone)]
enum Place {
    Authorization,
    Cookie(Arc<str>),
    Custom(Arc<dyn TokenPlace>),
}

/// Finds a token in a place of the application's own, such as a header `X-Access-Token`.
///
/// Implemented for functions; a closure whose answer borrows from its argument does not compile. The request's URL
/// is no good place: it ends up in logs and histories.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not find tokens",
    note = "write a function `fn(&http::request::Parts) -> FoundToken<'_>`, or implement `TokenPlace`"
)]
pub trait TokenPlace: Send + Sync + 'static {
    /// Looks for a token. Pure; called up to twice per request.
    fn find<'r>(&self, parts: &'r Parts) -> FoundToken<'r>;
}

impl<F> TokenPlace for F
where
    F: for<'r> Fn(&'r Parts) -> FoundToken<'r> + Send + Sync + 'static,
{
    fn find<'r>(&self, parts: &'r Parts) -> FoundToken<'r> {
        self(parts)
    }
}

/// What a [`TokenPlace`] found.
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_enums)] // As `Presence`.
pub enum FoundToken<'r> {
    /// No token.
    Absent,
    /// Something that cannot be read, or more than one.
    Malformed,
    /// A token, and how it got there.
    Token(&'r str, Delivery),
}

impl fmt::Debug for FoundToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Malformed => "Malformed",
            Self::Token(..) => "Token(..)",
        })
    }
}

const DEFAULT_REALM: &str = "api";

impl JwtBearer {
    /// Reads `Authorization: Bearer`; the challenge is `Bearer realm="api"`.
    ///
    /// # Errors
    ///
    /// None today; a builder's signature for what is to come.
    pub fn new(verifier: Verifier) -> Result<Self, ConfigError> {
        let challenge = Challenge::new(Scheme::BEARER).realm(DEFAULT_REALM)?;
        Ok(Self {
            verifier,
            place: Place::Authorization,
            challenges: Challenges::new([challenge])?,
            inspected: [AUTHORIZATION].into(),
        })
    }

    /// Sends this challenge: another realm, a `scope`, a `resource_metadata`. Call it last:
    /// [`in_cookie`](Self::in_cookie) and [`in_place`](Self::in_place) bring challenges of their own.
    ///
    /// # Errors
    ///
    /// When the challenge has no parameter, or is not `Bearer` although that is what is read.
    pub fn with_challenge(mut self, challenge: Challenge) -> Result<Self, ConfigError> {
        if matches!(self.place, Place::Authorization) && *challenge.scheme() != Scheme::BEARER {
            return Err(ConfigError::new(
                "a token in `Authorization` is asked for with `Bearer`",
            ));
        }
        self.challenges = Challenges::new([challenge])?;
        Ok(self)
    }

    /// Reads the token from the cookie `name` instead. Ambient: the layer demands that the request comes
    /// from the application's own pages. Give the cookie `Secure`, `HttpOnly`, `SameSite` and the name
    /// prefix `__Host-`.
    ///
    /// A cookie that occurs twice counts as absent: one of the two may have been planted.
    ///
    /// # Errors
    ///
    /// When `name` is empty or cannot be a cookie's name.
    pub fn in_cookie(mut self, name: &str) -> Result<Self, ConfigError> {
        self.challenges = Challenges::new([Challenge::cookie(name)?])?;
        self.place = Place::Cookie(name.into());
        self.inspected = [COOKIE].into();
        Ok(self)
    }

    /// Reads the token from a place of the application's own instead. `inspected` names the header
    /// fields that `place` looks at, for `Vary`; `challenge` is what a request without is told.
    ///
    /// # Errors
    ///
    /// When the challenge has no parameter.
    pub fn in_place(
        mut self,
        place: impl TokenPlace,
        inspected: impl IntoIterator<Item = HeaderName>,
        challenge: Challenge,
    ) -> Result<Self, ConfigError> {
        self.challenges = Challenges::new([challenge])?;
        self.place = Place::Custom(Arc::new(place));
        self.inspected = inspected.into_iter().collect();
        Ok(self)
    }

    /// What is in the configured place.
    fn look(&self, parts: &Parts) -> Presence {
        let Place::Authorization = &self.place else {
            return match self.find_elsewhere(parts) {
                FoundToken::Absent => Presence::Absent,
                FoundToken::Malformed => Presence::Malformed,
                FoundToken::Token(_, delivery) => Presence::Present(delivery),
            };
        };
        match Authorization::parse(&parts.headers) {
            Err(_) => Presence::Malformed,
            Ok(Some(sent)) if sent.is(&Scheme::BEARER) => match sent.token68_bytes() {
                Err(_) => Presence::Malformed,
                Ok(token) if looks_like_jws(token) => Presence::Present(Delivery::Explicit),
                // Another kind of bearer token: somebody else's, or refused as unrecognised.
                Ok(_) => Presence::Absent,
            },
            Ok(_) => Presence::Absent,
        }
    }

    /// The token, where [`look`](Self::look) saw one. Its form is not looked at again: the verifier does
    /// that.
    fn find<'r>(&self, parts: &'r Parts) -> Option<(&'r [u8], Delivery)> {
        if matches!(self.place, Place::Authorization) {
            let sent = Authorization::parse(&parts.headers).ok().flatten()?;
            return sent
                .is(&Scheme::BEARER)
                .then(|| (sent.credentials(), Delivery::Explicit));
        }
        match self.find_elsewhere(parts) {
            FoundToken::Token(token, delivery) => Some((token.as_bytes(), delivery)),
            FoundToken::Absent | FoundToken::Malformed => None,
        }
    }

    fn find_elsewhere<'r>(&self, parts: &'r Parts) -> FoundToken<'r> {
        match &self.place {
            Place::Authorization => FoundToken::Absent,
            Place::Cookie(name) => match find_cookie(&parts.headers, name) {
                CookieValue::One(token) if !token.is_empty() => FoundToken::Token(token, Delivery::Ambient),
                CookieValue::One(_) | CookieValue::Absent => FoundToken::Absent,
                CookieValue::Several => {
                    tracing::debug!(
                        reason = "repeated_cookie",
                        "a cookie occurs twice and counts as absent"
                    );
                    FoundToken::Absent
                }
            },
            Place::Custom(place) => place.find(parts),
        }
    }
}

/// The scheme of the challenge that a token's refusal goes to.
fn scheme_of(challenges: &Challenges) -> Scheme {
    challenges
        .iter()
        .next()
        .map_or(Scheme::BEARER, |challenge| challenge.scheme().clone())
}

impl AuthenticateRequest for JwtBearer {
    type Principal = Principal;
    type Future = JwtCheck;

    fn presence(&self, parts: &Parts) -> Presence {
        self.look(parts)
    }

    fn authenticate_request(&self, parts: &Parts) -> JwtCheck {
        let Some((token, delivery)) = self.find(parts) else {
            return JwtCheck::ready(Ok(None));
        };
        let conclusion = Conclusion {
            scheme: scheme_of(&self.challenges),
            delivery,
        };
        match self.verifier.begin(token) {
            Step::Done(verdict) => JwtCheck::ready(conclusion.draw(verdict)),
            Step::Waiting { refresh, .. } => {
                let verifier = self.verifier.clone();
                let token = portcullis_core::Secret::new(token.to_owned());
                let wait = Box::pin(async move {
                    let verdict = match refresh.await {
                        Ok(keys) => verifier.finish(token.expose(), &keys),
                        Err(unavailable) => Err(unavailable.into()),
                    };
                    conclusion.draw(verdict)
                });
                JwtCheck::Waiting { wait }
            }
        }
    }

    fn verdict_now(check: JwtCheck) -> Result<Verdict, JwtCheck> {
        match check {
            JwtCheck::Ready {
                verdict: Some(verdict),
            } => Ok(verdict),
            waiting => Err(waiting),
        }
    }

    fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        &self.inspected
    }
}

type Verdict = Result<Option<Authentication<Principal>>, AuthError>;

struct Conclusion {
    scheme: Scheme,
    delivery: Delivery,
}

impl Conclusion {
    fn draw(self, verdict: Result<VerifiedToken, JwtError>) -> Verdict {
        let authentication = verdict.and_then(VerifiedToken::into_authentication);
        match authentication {
            Ok(authentication) => Ok(Some(
                authentication
                    .with_scheme(self.scheme)
                    .with_delivery(self.delivery),
            )),
            Err(error) => Err(AuthError::from(error).with_scheme(self.scheme)),
        }
    }
}

pin_project! {
    /// The check of one request: decided at once, unless the issuer's keys must be waited for.
    #[project = JwtCheckProjection]
    #[allow(missing_docs)] // The macro takes no documentation on fields.
    #[non_exhaustive]
    pub enum JwtCheck {
        /// Decided.
        Ready { verdict: Option<Verdict> },
        /// Waiting for keys: the one arm that allocates.
        Waiting { wait: Pin<Box<dyn Future<Output = Verdict> + Send>> },
    }
}

impl JwtCheck {
    const fn ready(verdict: Verdict) -> Self {
        Self::Ready {
            verdict: Some(verdict),
        }
    }
}

impl Future for JwtCheck {
    type Output = Verdict;

    /// A future that is polled after it was ready stays pending: it must not decide twice.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        match self.project() {
            JwtCheckProjection::Ready { verdict } => verdict.take().map_or(Poll::Pending, Poll::Ready),
            JwtCheckProjection::Waiting { wait } => wait.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for JwtCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready { .. } => "JwtCheck::Ready",
            Self::Waiting { .. } => "JwtCheck::Waiting",
        })
    }
}

impl fmt::Debug for JwtBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBearer")
            .field("verifier", &self.verifier)
            .field("challenges", &self.challenges)
            .finish_non_exhaustive()
    }
}
