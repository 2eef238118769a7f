//! JWS compact serialisation (RFC 7515 §7.1): three segments, nothing else.

use crate::JwtError;

/// The largest token that is looked at, in bytes.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// A token split into its segments, still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
    /// What is signed: header, dot, payload (RFC 7515 §5.1).
    pub(crate) signing_input: &'a [u8],
}

impl<'a> Compact<'a> {
    /// Rule 1: nothing is done with a token that is too long.
    pub(crate) const fn check_length(token: &str) -> Result<(), JwtError> {
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
    pub(crate) fn split(token: &'a str) -> Result<Self, JwtError> {
        Self::check_length(token)?;
        let mut segments = token.split('.');
        let (Some(header), Some(payload), Some(signature)) =
            (segments.next(), segments.next(), segments.next())
        else {
            return Err(JwtError::NotCompact);
        };
        match segments.count() {
            0 => {}
            2 => return Err(JwtError::Encrypted),
            _ => return Err(JwtError::NotCompact),
        }
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(JwtError::NotCompact);
        }
        let signed = header.len() + 1 + payload.len();
        let signing_input = token.as_bytes().get(..signed).ok_or(JwtError::NotCompact)?;
        Ok(Self {
            header,
            payload,
            signature,
            signing_input,
        })
    }
}

/// Whether `token` has the outer shape of a compact JWS: exactly two dots.
pub(crate) fn looks_like_jws(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(token: &str) -> Option<JwtError> {
        Compact::split(token).err()
    }

    #[test]
    fn j1_exactly_three_filled_segments_are_split() {
        let compact = Compact::split("a.bc.d").expect("splits");
        assert_eq!(
            (compact.header, compact.payload, compact.signature),
            ("a", "bc", "d")
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
        assert!(Compact::split(&longest).is_ok());
        assert_eq!(error(&format!("{longest}c")), Some(JwtError::TooLong));
        assert_eq!(error(&".".repeat(1_000_000)), Some(JwtError::TooLong));
    }
}
