//! What the request says, and what time it is.

use std::fmt;

use http::request::Parts;

use crate::{Authentication, Clock, Decision, Policy, Timestamp};

/// Grants where `holds` says so of the head of the request; denied with `code`.
///
/// For `AuthorizeLayer::policy` and a route's `policy`. Look at what the application itself put into the extensions, such
/// as the address of the peer. A path is text that a caller wrote, and what a proxy puts into a header anybody can
/// who reaches the service past it.
///
/// ```
/// use std::net::IpAddr;
/// use portcullis_core::policy::of_request;
///
/// let from_inside = of_request("not_from_inside", |parts| {
///     parts.extensions.get::<IpAddr>().is_some_and(IpAddr::is_loopback)
/// });
/// # let _ = from_inside;
/// ```
pub const fn of_request<F>(code: &'static str, holds: F) -> OfRequest<F>
where
    F: Fn(&Parts) -> bool + Send + Sync + 'static,
{
    OfRequest { code, holds }
}

/// A policy about the request; see [`of_request`].
#[derive(Clone, Copy)]
pub struct OfRequest<F> {
    code: &'static str,
    holds: F,
}

impl<P, F: Fn(&Parts) -> bool + Send + Sync + 'static> Policy<P, Parts> for OfRequest<F> {
    fn decide(&self, _: &Authentication<P>, parts: &Parts) -> Decision {
        Decision::granted_if((self.holds)(parts), self.code)
    }
}

impl<F> fmt::Debug for OfRequest<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfRequest")
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// Grants where `holds` says so of the time that `clock` tells; denied with `code`.
///
/// ```
/// use portcullis_core::policy::at_time;
/// use portcullis_core::SystemClock;
///
/// // Between 8 and 18 o'clock, UTC.
/// let office_hours = at_time(SystemClock::new(), "outside_office_hours", |now| {
///     (8..18).contains(&(now.as_unix_seconds() / 3600 % 24))
/// });
/// # let _ = office_hours;
/// ```
pub const fn at_time<C, F>(clock: C, code: &'static str, holds: F) -> AtTime<C, F>
where
    C: Clock,
    F: Fn(Timestamp) -> bool + Send + Sync + 'static,
{
    AtTime { clock, code, holds }
}

/// A policy about the time; see [`at_time`].
#[derive(Clone, Copy)]
pub struct AtTime<C, F> {
    clock: C,
    code: &'static str,
    holds: F,
}

impl<P, R, C, F> Policy<P, R> for AtTime<C, F>
where
    R: ?Sized,
    C: Clock,
    F: Fn(Timestamp) -> bool + Send + Sync + 'static,
{
    fn decide(&self, _: &Authentication<P>, _: &R) -> Decision {
        Decision::granted_if((self.holds)(self.clock.now()), self.code)
    }
}

impl<C, F> fmt::Debug for AtTime<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtTime")
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}
