//! PEM (RFC 7468): a labelled frame around base64. Strict about the frame, lax about line lengths.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::KeyError;

/// The first section of a file: its label and its contents.
pub(super) fn first_section(pem: &[u8]) -> Result<(&str, Vec<u8>), KeyError> {
    let text = std::str::from_utf8(pem).map_err(|_| KeyError::Encoding)?;
    let mut lines = text.lines().map(str::trim);
    let label = lines
        .find_map(|line| frame(line, "-----BEGIN "))
        .ok_or(KeyError::Encoding)?;
    let mut encoded = String::new();
    for line in lines {
        if let Some(end) = frame(line, "-----END ") {
            if end != label {
                return Err(KeyError::Encoding);
            }
            let der = STANDARD.decode(&encoded).map_err(|_| KeyError::Encoding)?;
            return Ok((label, der));
        }
        encoded.push_str(line);
    }
    Err(KeyError::Encoding)
}

fn frame<'l>(line: &'l str, start: &str) -> Option<&'l str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_and_a_broken_frame_is_refused() {
        let good = "a comment\n-----BEGIN PUBLIC KEY-----\r\nYWJj\nZGVm\n-----END PUBLIC KEY-----\n";
        assert_eq!(
            first_section(good.as_bytes()),
            Ok(("PUBLIC KEY", b"abcdef".to_vec()))
        );
        for bad in [
            "",
            "YWJj",
            "-----BEGIN PUBLIC KEY-----\nYWJj\n",
            "-----BEGIN PUBLIC KEY-----\nYWJj\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nYWJ*\n-----END PUBLIC KEY-----",
        ] {
            assert_eq!(first_section(bad.as_bytes()), Err(KeyError::Encoding), "{bad}");
        }
    }
}
