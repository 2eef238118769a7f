use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::policy::OriginPolicy;
use super::service::Csrf;

/// Refuses requests that another site may have provoked. For routes that create an ambient credential without
/// having one; where one decides, [`AuthenticateLayer`](crate::AuthenticateLayer) checks by itself. See the
/// [module docs](crate::csrf).
///
/// ```
/// use portcullis_tower::csrf::{CsrfLayer, OriginPolicy};
///
/// let layer = CsrfLayer::new(OriginPolicy::new().external_origin("https://app.example")?);
/// # let _ = layer;
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct CsrfLayer {
    origins: Arc<OriginPolicy>,
    reports_only: bool,
}

impl CsrfLayer {
    /// Refuses what `origins` refuses, with 403.
    pub fn new(origins: OriginPolicy) -> Self {
        Self {
            origins: Arc::new(origins),
            reports_only: false,
        }
    }

    /// Refuses nothing, and says in the log (`warn`) what would have been refused: for the first days.
    pub const fn dangerous_report_only(mut self) -> Self {
        self.reports_only = true;
        self
    }
}

impl<S> Layer<S> for CsrfLayer {
    type Service = Csrf<S>;

    fn layer(&self, inner: S) -> Csrf<S> {
        Csrf {
            inner,
            origins: Arc::clone(&self.origins),
            reports_only: self.reports_only,
        }
    }
}

impl fmt::Debug for CsrfLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfLayer")
            .field("origins", &self.origins)
            .field("reports_only", &self.reports_only)
            .finish()
    }
}
