//! The faults an issuer can have.

use std::time::Duration;

/// How a [`HttpIssuer`](crate::HttpIssuer) answers from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// As it should.
    #[default]
    Healthy,
    /// 500 without a body.
    Outage,
    /// 503 with `Retry-After`, in whole seconds.
    Busy(Duration),
    /// Nothing listens: connections are refused.
    Refused,
    /// Connections are accepted and closed without an answer.
    Closed,
    /// The answer begins after this long.
    Slow(Duration),
    /// The answer begins at once, and its body arrives at one byte per this long.
    SlowLoris(Duration),
    /// 200 and `application/json`, with a body that is not JSON.
    Garbage,
    /// The right body under `text/html`.
    WrongMediaType,
    /// A key set without keys; discovery is healthy.
    Empty,
    /// 302 to a place on the same server where the right answer is, so that following it would seem
    /// to work.
    Redirect,
    /// The right answer, followed by 16 MiB of white space without a `Content-Length`.
    Oversize,
    /// The discovery document names another issuer; the key set is healthy.
    WrongIssuerInDiscovery,
}
