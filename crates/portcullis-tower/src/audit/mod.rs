//! Sinks for the account of decisions: `tracing`, and counters.
//!
//! | sink | feature |
//! |---|---|
//! | [`TracingAudit`] | |
//! | `MetricsAudit` | `metrics` |
//!
//! A [`LedgerLayer`](crate::LedgerLayer) hands events to them. Two at once are a tuple.

#[cfg(feature = "metrics")]
mod metrics;
mod tracing;

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsAudit;
pub use self::tracing::TracingAudit;
