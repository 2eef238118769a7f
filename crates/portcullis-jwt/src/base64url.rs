//! base64url without padding (RFC 7515 §2), canonical only: no `=`, no white space, no stray bits.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The input is not canonical base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotBase64Url;

pub(crate) fn decode(input: impl AsRef<[u8]>) -> Result<Vec<u8>, NotBase64Url> {
    URL_SAFE_NO_PAD.decode(input).map_err(|_| NotBase64Url)
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes into a buffer of the caller's, and says how much of it was used.
pub(crate) fn decode_into<'b>(input: &[u8], buffer: &'b mut [u8]) -> Result<&'b [u8], NotBase64Url> {
    let length = URL_SAFE_NO_PAD
        .decode_slice(input, buffer)
        .map_err(|_| NotBase64Url)?;
    buffer.get(..length).ok_or(NotBase64Url)
}

/// Where a segment is decoded to: on the stack, unless it is longer than `N` characters.
pub(crate) struct Buffer<const N: usize> {
    short: [u8; N],
    long: Vec<u8>,
}

impl<const N: usize> Buffer<N> {
    pub(crate) const fn new() -> Self {
        Self {
            short: [0; N],
            long: Vec::new(),
        }
    }

    pub(crate) fn decode(&mut self, segment: &[u8]) -> Result<&[u8], NotBase64Url> {
        if segment.len() <= N {
            return decode_into(segment, &mut self.short);
        }
        self.long = decode(segment)?;
        Ok(&self.long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j2_only_canonical_unpadded_input_is_read() {
        assert_eq!(decode("YQ"), Ok(b"a".to_vec()));
        assert_eq!(decode(""), Ok(Vec::new()));
        for bad in [
            "YR", "YQ==", "YQ=", "Y", "YQ\n", " YQ", "Y+", "Y/", "YW\u{e9}", "YWF", "YWJ",
        ] {
            assert_eq!(decode(bad), Err(NotBase64Url), "{bad:?}");
        }
    }

    #[test]
    fn a_buffer_reads_what_fits_and_what_does_not_alike() {
        for length in [0, 2, 10, 11, 12, 14, 40] {
            let text = "YWFh".repeat(10).chars().take(length).collect::<String>();
            let mut buffer = Buffer::<12>::new();
            assert_eq!(
                buffer.decode(text.as_bytes()).map(<[u8]>::to_vec),
                decode(&text),
                "{length}"
            );
        }
    }
}
