//! A verified token's payload, and texts that stand in it.

use std::sync::Arc;

use arrayvec::ArrayString;
use portcullis_core::SharedStr;

use super::VerifiedClaims;
use crate::JwtError;
use crate::base64url::Buffer;

/// Longer payloads, encoded, are decoded and kept on the heap. So long that claims with a payload in place
/// still fit into what allocators hand out quickly: glibc's fast path ends at 1,032 bytes.
const USUAL: usize = 1_024;
/// What that many characters decode to.
const INLINE: usize = USUAL / 4 * 3;

/// Where a payload is decoded to.
pub(crate) type PayloadBuffer = Buffer<USUAL>;

/// Decodes a payload.
pub(crate) fn decode<'b>(segment: &[u8], buffer: &'b mut PayloadBuffer) -> Result<&'b str, JwtError> {
    let bytes = buffer.decode(segment).map_err(|_| JwtError::Encoding)?;
    std::str::from_utf8(bytes).map_err(|_| JwtError::Claims)
}

/// The payload, in place where it is of the usual size: one allocation less per request.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // On purpose; it lives behind an `Arc`.
pub(super) enum Payload {
    Inline(ArrayString<INLINE>),
    Heap(Box<str>),
}

impl Payload {
    pub(super) fn new(json: &str) -> Self {
        match ArrayString::from(json) {
            Ok(text) => Self::Inline(text),
            Err(_) => Self::Heap(json.into()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Inline(text) => text,
            Self::Heap(text) => text,
        }
    }
}

/// A text that was read from a payload: where it stands, unless it was written with escapes.
#[derive(Clone)]
pub(crate) enum Place {
    At { start: usize, end: usize },
    Elsewhere(Box<str>),
}

impl Place {
    /// Finds out where `text`, read from `json`, stands in it.
    pub(crate) fn of(text: &str, json: &str) -> Self {
        let start = (text.as_ptr() as usize).wrapping_sub(json.as_ptr() as usize);
        let end = start.wrapping_add(text.len());
        // A text with escapes was written anew and stands elsewhere.
        match json.get(start..end) {
            Some(found) if std::ptr::eq(found, text) => Self::At { start, end },
            _ => Self::Elsewhere(text.into()),
        }
    }

    pub(super) fn read<'p>(&'p self, payload: &'p Payload) -> &'p str {
        match self {
            Self::At { start, end } => payload.as_str().get(*start..*end).unwrap_or_default(),
            Self::Elsewhere(text) => text,
        }
    }

    /// The text, shared with the claims it stands in.
    pub(crate) fn share(self, claims: &Arc<VerifiedClaims>) -> SharedStr {
        match self {
            Self::At { start, end } => SharedStr::part_of(claims.clone(), start..end).unwrap_or_default(),
            Self::Elsewhere(text) => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_it_stands_and_nowhere_else() {
        let json = r#"{"a":"alice"}"#;
        let at = |text: &str| match Place::of(text, json) {
            Place::At { start, end } => Some((start, end)),
            Place::Elsewhere(found) => {
                assert_eq!(&*found, text);
                None
            }
        };
        assert_eq!(at(&json[6..11]), Some((6, 11)));
        assert_eq!(at("alice"), None, "another `alice`");
        assert_eq!(at("alice "), None);
        let other = "x".repeat(20);
        assert_eq!(at(&other[3..5]), None);
    }

    #[test]
    fn claims_fit_into_the_fast_path_of_the_allocator() {
        let counts = 2 * size_of::<usize>();
        assert!(
            size_of::<VerifiedClaims>() + counts <= 1_032,
            "{}",
            size_of::<VerifiedClaims>()
        );
    }

    #[test]
    fn a_payload_reads_the_same_inline_and_on_the_heap() {
        for length in [0, INLINE - 1, INLINE, INLINE + 1, 10_000] {
            let text = "a".repeat(length);
            let payload = Payload::new(&text);
            assert_eq!(payload.as_str(), text);
            assert_eq!(matches!(payload, Payload::Heap(_)), length > INLINE);
            let end = length.min(3);
            assert_eq!(Place::At { start: 0, end }.read(&payload), &text[..end]);
        }
    }
}
