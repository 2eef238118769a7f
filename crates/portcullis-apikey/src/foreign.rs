//! Keys that another system issued.

use std::sync::Arc;

use portcullis_core::ConfigError;

/// Which texts are looked up as imported keys: by the SHA-256 of the whole text.
///
/// Texts with the form of a key of ours are not among them.
#[derive(Clone, Debug)]
#[must_use]
pub struct ForeignKeys {
    /// Empty: any.
    prefixes: Arc<[Box<str>]>,
}

impl ForeignKeys {
    /// Those that start with one of these: `["acme_", "ak-"]`.
    ///
    /// # Errors
    ///
    /// When there is none, or one is shorter than two characters or holds anything but visible ASCII.
    pub fn with_prefixes<'t>(prefixes: impl IntoIterator<Item = &'t str>) -> Result<Self, ConfigError> {
        let prefixes: Arc<[Box<str>]> = prefixes.into_iter().map(Box::from).collect();
        let sound = |prefix: &str| prefix.len() >= 2 && prefix.bytes().all(|byte| byte.is_ascii_graphic());
        if prefixes.is_empty() || !prefixes.iter().all(|prefix| sound(prefix)) {
            return Err(ConfigError::new(
                "a prefix of imported keys has two visible ASCII characters at least",
            ));
        }
        Ok(Self { prefixes })
    }

    /// Whatever stands in a place of its own, such as `x-api-key`. Behind `Bearer` it accepts nothing. Anything that
    /// is sent there costs a look-up.
    pub fn by_place() -> Self {
        Self { prefixes: [].into() }
    }

    pub(crate) fn has_prefix_of(&self, text: &[u8]) -> bool {
        self.prefixes
            .iter()
            .any(|prefix| text.starts_with(prefix.as_bytes()))
    }

    pub(crate) fn accept(&self, text: &[u8], shared: bool) -> bool {
        self.has_prefix_of(text) || (self.prefixes.is_empty() && !shared)
    }
}
