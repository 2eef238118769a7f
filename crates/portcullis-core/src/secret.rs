//! Values that must not be shown, compared in variable time or left in memory.

use std::path::Path;
use std::{fmt, io};

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// A secret: no `Display`, no `PartialEq`, no serialisation, a `Debug` that shows nothing, wiped on
/// drop.
///
/// ```
/// use portcullis_core::Secret;
///
/// let secret = Secret::new(b"correct horse".to_vec());
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert!(secret.ct_eq(b"correct horse"));
/// assert!(!secret.ct_eq(b"correct house"));
/// ```
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into custody.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Hands the value out. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Compares in time that depends on the length only.
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        self.0.as_ref().ct_eq(other).into()
    }
}

impl Secret<Vec<u8>> {
    /// Reads the bytes of a file: a mounted secret. One line ending at the end is not part of it,
    /// because editors and `echo` add one.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds nothing.
    pub fn from_file(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut bytes = Zeroizing::new(std::fs::read(path)?);
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        Self::non_empty(std::mem::take(&mut *bytes))
    }

    /// Reads an environment variable.
    ///
    /// # Errors
    ///
    /// When the variable is not set, is not Unicode, or is empty.
    pub fn from_env(name: &str) -> io::Result<Self> {
        let value = std::env::var(name).map_err(|error| match error {
            std::env::VarError::NotPresent => io::Error::new(
                io::ErrorKind::NotFound,
                format!("the environment variable {name} is not set"),
            ),
            // The value itself stays out of the message.
            std::env::VarError::NotUnicode(_) => io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the environment variable {name} is not valid Unicode"),
            ),
        })?;
        Self::non_empty(value.into_bytes())
    }

    fn non_empty(bytes: Vec<u8>) -> io::Result<Self> {
        if bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the secret is empty"));
        }
        Ok(Self::new(bytes))
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_content(name: &str, content: &[u8]) -> io::Result<Vec<u8>> {
        let path = std::env::temp_dir().join(format!("portcullis-{}-{name}", std::process::id()));
        std::fs::write(&path, content)?;
        let secret = Secret::from_file(&path);
        std::fs::remove_file(&path)?;
        secret.map(|secret| secret.expose().clone())
    }

    #[test]
    fn a_file_is_read_without_the_one_line_ending_that_editors_add() {
        for (name, content, expected) in [
            ("plain", &b"hunter2"[..], &b"hunter2"[..]),
            ("newline", b"hunter2\n", b"hunter2"),
            ("windows", b"hunter2\r\n", b"hunter2"),
            ("two", b"hunter2\n\n", b"hunter2\n"),
            ("return", b"hunter2\r", b"hunter2\r"),
            ("spaces", b" hunter2 ", b" hunter2 "),
            ("binary", b"\xff\x00", b"\xff\x00"),
        ] {
            assert_eq!(from_content(name, content).expect(name), expected, "{name}");
        }
    }

    #[test]
    fn a_secret_that_is_not_there_or_empty_is_an_error_that_names_the_place_only() {
        for content in ["", "\n", "\r\n"] {
            let error = from_content("empty", content.as_bytes()).expect_err("empty");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
        let error = Secret::from_file("/nonexistent/secret").expect_err("no file");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = Secret::from_env("PORTCULLIS_NO_SUCH_SECRET").expect_err("not set");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("PORTCULLIS_NO_SUCH_SECRET"));
    }

    /// `PATH` stands in for a secret: tests cannot set variables without `unsafe`.
    #[test]
    fn an_environment_variable_is_taken_as_it_is() {
        let secret = Secret::from_env("PATH").expect("set");
        assert_eq!(
            Some(&secret.expose()[..]),
            std::env::var("PATH").ok().as_deref().map(str::as_bytes)
        );
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn secrets_of_another_length_or_content_are_not_equal() {
        let secret = Secret::new(b"abc".to_vec());
        assert!(secret.ct_eq(b"abc"));
        for other in [&b""[..], b"ab", b"abcd", b"abd", b"ABC"] {
            assert!(!secret.ct_eq(other));
        }
        assert!(Secret::new(Vec::new()).ct_eq(b""));
    }
}
