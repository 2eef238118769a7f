//! 256 bits of secret, however they are written down.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use portcullis_core::{ConfigError, Secret};
use zeroize::Zeroizing;

use crate::mac::MAC_LEN;

const HEX_LEN: usize = 2 * MAC_LEN;

/// What the base64 decoder wants as room for 32 bytes.
const BASE64_ROOM: usize = 33;

/// Reads 32 bytes in hexadecimal (64 digits) or base64 (43 characters, or 44 with `=`; either alphabet).
/// Nothing else: 32 characters taken as bytes would be a password taken for a key.
pub(crate) fn from_text(text: &[u8]) -> Result<Secret<[u8; MAC_LEN]>, ConfigError> {
    let read = if text.len() == HEX_LEN {
        from_hex(text)
    } else {
        from_base64(text)
    };
    let secret = read.ok_or_else(|| {
        ConfigError::new("a key is 32 bytes in hexadecimal or base64: `openssl rand -base64 32`")
    })?;
    check(&secret)?;
    Ok(secret)
}

/// A key of one repeated byte is a placeholder that somebody forgot to replace.
pub(crate) fn check(secret: &Secret<[u8; MAC_LEN]>) -> Result<(), ConfigError> {
    let [first, rest @ ..] = secret.expose();
    if rest.iter().all(|byte| byte == first) {
        return Err(ConfigError::new(
            "a key of one repeated byte is a placeholder: `openssl rand -base64 32`",
        ));
    }
    Ok(())
}

fn from_hex(text: &[u8]) -> Option<Secret<[u8; MAC_LEN]>> {
    let mut secret = Zeroizing::new([0; MAC_LEN]);
    for (byte, digits) in secret.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = digits else { return None };
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(Secret::new(*secret))
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn from_base64(text: &[u8]) -> Option<Secret<[u8; MAC_LEN]>> {
    // One `=` is what 32 bytes are padded with.
    let unpadded = text.strip_suffix(b"=").unwrap_or(text);
    [&URL_SAFE_NO_PAD, &STANDARD_NO_PAD]
        .into_iter()
        .find_map(|alphabet| {
            let mut room = Zeroizing::new([0; BASE64_ROOM]);
            let length = alphabet.decode_slice(unpadded, &mut *room).ok()?;
            let secret: &[u8; MAC_LEN] = room.get(..length)?.try_into().ok()?;
            Some(Secret::new(*secret))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1efb";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHvs";

    #[test]
    fn the_same_key_is_read_in_every_spelling() {
        let mut expected: [u8; MAC_LEN] = std::array::from_fn(|n| u8::try_from(n).expect("small"));
        expected[31] = 0xfb;
        let padded = format!("{BASE64}=");
        for text in [HEX, &HEX.to_uppercase(), BASE64, &padded] {
            let secret = from_text(text.as_bytes()).expect(text);
            assert!(secret.ct_eq(&expected), "{text}");
        }
    }

    #[test]
    fn both_alphabets_are_read() {
        let bytes = [0xfb, 0xff].repeat(16);
        let read = |text: String| from_text(text.as_bytes()).expect("a key").ct_eq(&bytes);
        assert!(read(URL_SAFE_NO_PAD.encode(&bytes)));
        assert!(read(STANDARD_NO_PAD.encode(&bytes)));
    }

    #[test]
    fn anything_but_32_bytes_is_refused_and_not_shown() {
        for text in [
            "",
            "correct horse battery staple!!!!",
            &HEX[2..],
            &HEX[1..],
            &format!("{HEX}00"),
            &format!("{HEX}\n"),
            &HEX.replace('a', "g"),
            &HEX.replace("0a", "+a"),
            &BASE64[1..],
            &format!("{BASE64}A"),
            &format!("{BASE64}=="),
            &format!(" {BASE64}"),
            // The last character carries bits that no byte has.
            &BASE64.replace("Hvs", "Hvt"),
        ] {
            let error = from_text(text.as_bytes()).expect_err(text);
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn a_placeholder_is_refused() {
        let mut secret = [0x61; MAC_LEN];
        assert!(check(&Secret::new(secret)).is_err());
        assert!(from_text("0".repeat(HEX_LEN).as_bytes()).is_err());
        secret[31] = 0x62;
        assert!(check(&Secret::new(secret)).is_ok());
    }
}
