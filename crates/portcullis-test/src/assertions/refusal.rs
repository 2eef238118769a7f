//! A refusal as a client reads it, held against the wire table.

use http::Response;
use http::header::RETRY_AFTER;
use portcullis_core::{AuthErrorKind, Challenge, WireChallenges};

use super::{assert_no_store, challenges, head};

/// A refusal read back from an answer.
///
/// Reading one asserts what holds for every refusal: the status and the error code are a row of the
/// [wire table](AuthErrorKind::wire), challenges are there exactly when that row sends them, each
/// with a parameter and one of them at most with an error code, `Bearer` first; `Retry-After` where
/// the row has it; and no cache may keep it.
///
/// ```
/// use portcullis_core::AuthErrorKind;
/// use portcullis_test::Refusal;
///
/// let response = http::Response::builder()
///     .status(401)
///     .header("www-authenticate", r#"Bearer realm="invoices", error="invalid_token""#)
///     .header("cache-control", "no-store")
///     .body(())?;
/// let refusal = Refusal::of(&response);
/// assert_eq!(refusal.kind(), AuthErrorKind::InvalidCredentials);
/// assert_eq!(refusal.error(), Some("invalid_token"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Refusal {
    kind: AuthErrorKind,
    challenges: Vec<Challenge>,
    retry_after: Option<u64>,
}

impl Refusal {
    /// Reads a refusal.
    ///
    /// # Panics
    ///
    /// When the answer is no refusal, or one that says something else than the wire table.
    #[must_use]
    #[track_caller]
    pub fn of<B>(response: &Response<B>) -> Self {
        let challenges = challenges(response);
        let errors: Vec<_> = challenges
            .iter()
            .filter_map(|challenge| challenge.get("error"))
            .collect();
        assert!(
            errors.len() <= 1,
            "expected one error code at most\n{}",
            head(response)
        );
        let Some(kind) = kind(response.status().as_u16(), errors.first().copied()) else {
            panic!("expected a refusal of the wire table\n{}", head(response));
        };
        let wire = kind.wire();
        assert!(
            challenges.is_empty() == (wire.challenges == WireChallenges::None),
            "{kind:?} sends {:?} challenges\n{}",
            wire.challenges,
            head(response)
        );
        for (index, challenge) in challenges.iter().enumerate() {
            let bare = challenge.params().next().is_none() && challenge.token68().is_none();
            assert!(
                !bare,
                "expected a parameter in every challenge\n{}",
                head(response)
            );
            let late = challenge.scheme().matches("Bearer")
                && challenges[..index]
                    .iter()
                    .any(|other| !other.scheme().matches("Bearer"));
            assert!(!late, "expected Bearer first\n{}", head(response));
        }
        assert_no_store(response);
        let retry_after = retry_after(response);
        assert!(
            retry_after.is_some() || !wire.retry_after,
            "expected Retry-After in seconds\n{}",
            head(response)
        );
        Self {
            kind,
            challenges,
            retry_after,
        }
    }

    /// The row of the wire table.
    #[must_use]
    pub const fn kind(&self) -> AuthErrorKind {
        self.kind
    }

    /// The challenges, in order.
    pub fn challenges(&self) -> &[Challenge] {
        &self.challenges
    }

    /// The error code, from whichever challenge has one.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.parameter("error")
    }

    /// A parameter, from the first challenge that has it.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.challenges.iter().find_map(|challenge| challenge.get(name))
    }

    /// `Retry-After`, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }
}

/// Asserts a refusal of this kind, as [`Refusal::of`] reads it.
///
/// ```
/// use portcullis_core::AuthErrorKind;
/// use portcullis_test::assert_refused;
///
/// let response = http::Response::builder().status(403).header("cache-control", "no-store").body(())?;
/// assert_refused(&response, AuthErrorKind::Denied);
/// # Ok::<(), http::Error>(())
/// ```
///
/// # Panics
///
/// When the answer is anything else.
#[track_caller]
#[allow(clippy::must_use_candidate)] // It has asserted already; the refusal is for those who want more.
pub fn assert_refused<B>(response: &Response<B>, kind: AuthErrorKind) -> Refusal {
    let refusal = Refusal::of(response);
    assert!(
        refusal.kind == kind,
        "expected {kind:?}, found {:?}\n{}",
        refusal.kind,
        head(response)
    );
    refusal
}

/// The kind that the wire table gives this status and error code.
fn kind(status: u16, error: Option<&str>) -> Option<AuthErrorKind> {
    const KINDS: [AuthErrorKind; 9] = [
        AuthErrorKind::MissingCredentials,
        AuthErrorKind::InvalidRequest,
        AuthErrorKind::InvalidCredentials,
        AuthErrorKind::StepUpRequired,
        AuthErrorKind::InsufficientScope,
        AuthErrorKind::Denied,
        AuthErrorKind::Throttled,
        AuthErrorKind::Unavailable,
        AuthErrorKind::Misconfigured,
    ];
    KINDS
        .into_iter()
        .find(|kind| kind.wire().status == status && kind.wire().error == error)
}

fn retry_after<B>(response: &Response<B>) -> Option<u64> {
    let value = response.headers().get(RETRY_AFTER)?;
    value.to_str().ok()?.parse().ok()
}
