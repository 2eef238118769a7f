//! A refusal on its way to becoming a response.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{AuthErrorKind, Wire, WireChallenges};
use crate::challenge::Verdict;
use crate::{Challenges, Reason, ResponseEffects, Scheme, StepUp};

/// A refusal.
///
/// Opaque: the [kind](Self::kind) decides what the wire says, the [reason](Self::reason) and the
/// [source](Error::source) are for the log. Neither ever holds a credential. Cheap to clone, so that
/// it can travel in response extensions.
///
/// ```
/// use portcullis_core::{AuthError, AuthErrorKind};
///
/// let error = AuthError::denied("not_the_owner");
/// assert_eq!(error.kind(), AuthErrorKind::Denied);
/// assert_eq!(error.status(), 403);
/// assert_eq!(error.to_string(), "the caller is not allowed to do this");
/// ```
#[derive(Clone)]
pub struct AuthError {
    kind: AuthErrorKind,
    reason: &'static str,
    challenges: Option<Challenges>,
    // Boxed: the refusals that a flood of anonymous requests causes need none of it.
    details: Option<Box<Details>>,
}

#[derive(Clone, Default)]
struct Details {
    scheme: Option<Scheme>,
    scope: Option<Cow<'static, str>>,
    step_up: Option<StepUp>,
    public_code: Option<&'static str>,
    retry_after: Option<Duration>,
    effects: ResponseEffects,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl AuthError {
    const fn of(kind: AuthErrorKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason,
            challenges: None,
            details: None,
        }
    }

    /// Nothing was sent that this place accepts.
    #[must_use]
    pub const fn missing_credentials() -> Self {
        Self::of(AuthErrorKind::MissingCredentials, "missing_credentials")
    }

    /// Credentials that cannot be read. `reason` is a stable code for logs, such as `two_credentials`.
    #[must_use]
    pub const fn invalid_request(reason: &'static str) -> Self {
        Self::of(AuthErrorKind::InvalidRequest, reason)
    }

    /// Credentials that do not hold. `reason` is a stable code for logs, such as `expired`.
    #[must_use]
    pub const fn invalid_credentials(reason: &'static str) -> Self {
        Self::of(AuthErrorKind::InvalidCredentials, reason)
    }

    /// A known caller who must authenticate again.
    #[must_use]
    pub fn step_up_required(step_up: StepUp) -> Self {
        let mut error = Self::of(AuthErrorKind::StepUpRequired, "step_up_required");
        error.details_mut().step_up = Some(step_up);
        error
    }

    /// A known caller who lacks scope. `scope` is the space-separated list of what is needed.
    #[must_use]
    pub fn insufficient_scope(scope: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::of(AuthErrorKind::InsufficientScope, "insufficient_scope");
        error.details_mut().scope = Some(scope.into());
        error
    }

    /// A known caller who may not. `reason` is a stable code for logs, such as `not_the_owner`.
    #[must_use]
    pub const fn denied(reason: &'static str) -> Self {
        Self::of(AuthErrorKind::Denied, reason)
    }

    /// Too many attempts; the next may be made after `retry_after`.
    #[must_use]
    pub fn throttled(retry_after: Duration) -> Self {
        let mut error = Self::of(AuthErrorKind::Throttled, "throttled");
        error.details_mut().retry_after = Some(retry_after);
        error
    }

    /// It could not be decided. `reason` is a stable code for logs, such as `keys_unavailable`.
    #[must_use]
    pub const fn unavailable(reason: &'static str) -> Self {
        Self::of(AuthErrorKind::Unavailable, reason)
    }

    /// The application is wired wrongly. `reason` is a stable code for logs.
    #[must_use]
    pub const fn misconfigured(reason: &'static str) -> Self {
        Self::of(AuthErrorKind::Misconfigured, reason)
    }

    /// Refuses as a policy decided.
    #[must_use]
    pub fn from_reason(reason: &Reason) -> Self {
        let mut error = match reason.missing_scope() {
            Some(scope) => {
                let mut error = Self::insufficient_scope(scope.clone());
                error.reason = reason.code();
                error
            }
            None => Self::denied(reason.code()),
        };
        if let Some(code) = reason.public_code() {
            error.details_mut().public_code = Some(code);
        }
        error
    }

    /// Names the challenges of the place that refuses. Those already named are kept.
    #[must_use]
    pub fn or_challenges(mut self, challenges: &Challenges) -> Self {
        if self.challenges.is_none() {
            self.challenges = Some(challenges.clone());
        }
        self
    }

    /// Names the scheme whose credentials were refused.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.details_mut().scheme = Some(scheme);
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.details_mut().source = Some(Arc::from(source.into()));
        self
    }

    /// Says when it is worth trying again.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.details_mut().retry_after = Some(retry_after);
        self
    }

    /// Adds what the refusal does to the response.
    #[must_use]
    pub fn with_effects(mut self, effects: &ResponseEffects) -> Self {
        self.details_mut().effects.merge(effects);
        self
    }

    fn details_mut(&mut self) -> &mut Details {
        self.details.get_or_insert_with(Box::default)
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn kind(&self) -> AuthErrorKind {
        self.kind
    }

    /// A stable code that says more than the kind. For logs and metrics, never for the client.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// The status code, as [`AuthErrorKind::wire`] has it.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.kind.wire().status
    }

    /// The challenges of the place that refused.
    #[must_use]
    pub const fn challenges(&self) -> Option<&Challenges> {
        self.challenges.as_ref()
    }

    /// The scheme whose credentials were refused.
    #[must_use]
    pub fn scheme(&self) -> Option<&Scheme> {
        self.details.as_ref()?.scheme.as_ref()
    }

    /// The scope that is needed, space-separated.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.details.as_ref()?.scope.as_deref()
    }

    /// The code that the client is told why, if the policy gave one that can be told.
    #[must_use]
    pub fn public_code(&self) -> Option<&'static str> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.');
        let code = self.details.as_ref()?.public_code?;
        (!code.is_empty() && code.bytes().all(plain)).then_some(code)
    }

    /// The authentication that would do, where a stronger or fresher one is asked for.
    #[must_use]
    pub fn step_up(&self) -> Option<&StepUp> {
        self.details.as_ref()?.step_up.as_ref()
    }

    /// When it is worth trying again, if anyone knows.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.details.as_ref()?.retry_after
    }

    /// Writes everything the wire table says except the status into `headers`: challenges,
    /// `Retry-After` in whole seconds, and what [`write_common_headers`](Self::write_common_headers) does.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        self.write_challenges(headers);
        if let Some(wait) = self.wait() {
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        self.write_common_headers(headers);
    }

    /// Writes the challenges of the wire table.
    pub fn write_challenges(&self, headers: &mut HeaderMap) {
        let wire = self.kind.wire();
        if let (Some(challenges), true) = (&self.challenges, wire.challenges != WireChallenges::None) {
            challenges.write(&self.verdict(wire), headers);
        }
    }

    /// Writes what every form of refusal carries, a redirect and a gRPC status too: `Cache-Control: no-store`
    /// and the response effects.
    pub fn write_common_headers(&self, headers: &mut HeaderMap) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(details) = &self.details {
            details.effects.apply(headers);
        }
    }

    /// How long to wait, for the kinds that are told: as long as anyone knows, or five seconds.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        let told = self.kind.wire().retry_after;
        told.then(|| self.retry_after().unwrap_or(DEFAULT_RETRY_AFTER))
    }

    fn verdict(&self, wire: Wire) -> Verdict<'_> {
        let step_up = self.step_up();
        Verdict {
            scheme: self.scheme(),
            error: wire.error,
            scope: self.scope(),
            acr_values: step_up.and_then(StepUp::acr_values),
            max_age: step_up.and_then(StepUp::max_age).map(|age| age.as_secs()),
            others: wire.challenges == WireChallenges::All,
        }
    }
}

/// What a client is told when nobody knows how long an outage lasts.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthError")
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .field("scheme", &self.scheme())
            .field("source", &self.source())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            AuthErrorKind::MissingCredentials => "no credentials were sent",
            AuthErrorKind::InvalidRequest => "the credentials cannot be read",
            AuthErrorKind::InvalidCredentials => "the credentials are not valid",
            AuthErrorKind::StepUpRequired => "the caller must authenticate more strongly or again",
            AuthErrorKind::InsufficientScope => "the credentials lack scope",
            AuthErrorKind::Denied => "the caller is not allowed to do this",
            AuthErrorKind::Throttled => "too many attempts",
            AuthErrorKind::Unavailable => "it cannot be decided at the moment",
            AuthErrorKind::Misconfigured => "authentication is not wired up correctly",
        })
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.details.as_ref()?.source.as_ref()?;
        Some(&**source)
    }
}

#[cfg(test)]
mod tests;
