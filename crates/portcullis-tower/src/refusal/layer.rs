use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::service::Refusal;
use super::style::RefusalStyle;

/// Shows refusals in one style. See the [module docs](crate::refusal).
#[derive(Clone)]
#[must_use]
pub struct RefusalLayer(Arc<dyn RefusalStyle>);

impl RefusalLayer {
    /// Shows refusals in this style.
    pub fn new(style: impl RefusalStyle) -> Self {
        Self(Arc::new(style))
    }
}

impl<S> Layer<S> for RefusalLayer {
    type Service = Refusal<S>;

    fn layer(&self, inner: S) -> Refusal<S> {
        Refusal {
            inner,
            style: Arc::clone(&self.0),
        }
    }
}

impl fmt::Debug for RefusalLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefusalLayer(<style>)")
    }
}
