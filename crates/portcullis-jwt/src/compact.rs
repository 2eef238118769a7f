//! JWS compact serialisation (RFC 7515 §7.1): three segments, nothing else.

use std::ops::Range;

use memchr::memchr_iter;

use crate::JwtError;

/// The largest token that is looked at, in bytes.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// A token split into its segments, still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) signature: &'a [u8],
    /// What is signed: header, dot, payload (RFC 7515 §5.1).
    pub(crate) signing_input: &'a [u8],
}

impl<'a> Compact<'a> {
    /// Rule 1: nothing is done with a token that is too long.
    pub(crate) const fn check_length(token: &[u8]) -> Result<(), JwtError> {
        if token.len() > MAX_TOKEN_LEN {
            Err(JwtError::TooLong)
        } else {
            Ok(())
        }
    }

    /// Splits a token. The length is checked before anything else.
    ///
    /// Only the dots are looked at here; each segment's alphabet is checked when it is decoded. An
    /// empty segment is refused: a header or payload is never empty and an unsecured JWS is not
    /// accepted.
    pub(crate) fn split(token: &'a [u8]) -> Result<Self, JwtError> {
        Self::check_length(token)?;
        let mut dots = memchr_iter(b'.', token);
        let (Some(first), Some(second)) = (dots.next(), dots.next()) else {
            return Err(JwtError::NotCompact);
        };
        match dots.count() {
            0 => {}
            2 => return Err(JwtError::Encrypted),
            _ => return Err(JwtError::NotCompact),
        }
        let segment = |range: Range<usize>| token.get(range).filter(|segment| !segment.is_empty());
        let split = || {
            Some(Self {
                header: segment(0..first)?,
                payload: segment(first + 1..second)?,
                signature: segment(second + 1..token.len())?,
                signing_input: token.get(..second)?,
            })
        };
        split().ok_or(JwtError::NotCompact)
    }
}

/// Whether `token` has the outer shape of a compact JWS: exactly two dots.
pub(crate) fn looks_like_jws(token: &[u8]) -> bool {
    memchr_iter(b'.', token).count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(token: &str) -> Option<JwtError> {
        Compact::split(token.as_bytes()).err()
    }

    #[test]
    fn j1_exactly_three_filled_segments_are_split() {
        let compact = Compact::split(b"a.bc.d").expect("splits");
        assert_eq!(
            (compact.header, compact.payload, compact.signature),
            (&b"a"[..], &b"bc"[..], &b"d"[..])
        );
        assert_eq!(compact.signing_input, b"a.bc");
        for token in [
            "",
            ".",
            "..",
            "a",
            "a.b",
            "a.b.",
            "a..c",
            ".b.c",
            "a.b.c.d",
            "a.b.c.d.e.f",
        ] {
            assert_eq!(error(token), Some(JwtError::NotCompact), "{token}");
        }
    }

    #[test]
    fn j6_five_segments_are_an_encrypted_token() {
        assert_eq!(error("a.b.c.d.e"), Some(JwtError::Encrypted));
        assert_eq!(error("a....e"), Some(JwtError::Encrypted));
    }

    /// T-DOS-1: the cap comes first, also for a token made of dots only.
    #[test]
    fn j9_an_oversized_token_is_refused_before_it_is_split() {
        let longest = format!("a.{}.c", "b".repeat(MAX_TOKEN_LEN - 4));
        assert!(Compact::split(longest.as_bytes()).is_ok());
        assert_eq!(error(&format!("{longest}c")), Some(JwtError::TooLong));
        assert_eq!(error(&".".repeat(1_000_000)), Some(JwtError::TooLong));
    }
}
