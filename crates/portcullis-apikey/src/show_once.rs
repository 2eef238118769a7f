//! A new key on its way to whoever asked for it.

use std::fmt;

use portcullis_core::Secret;

/// A key in clear, to be read once.
///
/// Nothing here keeps a copy: whoever drops it unread has lost the key, and rotates. There is no `Clone`, no
/// `Display` and no `Serialize`; `Debug` shows nothing, and the text is wiped on drop.
///
/// Into the body of an answer it goes by name. Send that answer with `Cache-Control: no-store`.
///
/// ```
/// # use portcullis_apikey::{ApiKeyFormat, ShowOnce};
/// # use portcullis_seal::SystemRandomness;
/// # let key: ShowOnce = ApiKeyFormat::new("sk_live")?.generate(&SystemRandomness::new())?;
/// let key = key.reveal(); // Consumes it.
/// let body = format!(r#"{{"key":"{}"}}"#, key.expose());
/// # assert!(body.contains("sk_live_"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a key that nobody reads is lost"]
pub struct ShowOnce(Secret<String>);

impl ShowOnce {
    pub(crate) fn new(text: String) -> Self {
        Self(Secret::new(text))
    }

    pub(crate) const fn secret(&self) -> &Secret<String> {
        &self.0
    }

    /// The end of the checksum, by which people know the key.
    pub(crate) fn last_four(&self) -> &str {
        let text = self.0.expose();
        text.get(text.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// The key.
    #[must_use]
    pub fn reveal(self) -> Secret<String> {
        self.0
    }
}

impl fmt::Debug for ShowOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShowOnce(..)")
    }
}
