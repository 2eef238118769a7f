//! Two ways of writing base64url that RFC 7515 §2 forbids.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The same bytes to a lax decoder: the lowest of the unused bits of the last character is set.
pub(super) fn with_trailing_bits(text: &str) -> String {
    assert!(
        text.len() % 4 > 1,
        "every bit of this segment is used: take a key whose signature leaves some, such as ES256"
    );
    let (rest, last) = text.split_at(text.len() - 1);
    let value = ALPHABET
        .iter()
        .position(|character| last.as_bytes() == [*character])
        .expect("a segment is base64url");
    format!("{rest}{}", char::from(ALPHABET[value | 1]))
}

/// The same text, filled up with `=`.
pub(super) fn padded(text: &str) -> String {
    let padding = (4 - text.len() % 4) % 4;
    format!("{text}{}", "=".repeat(padding))
}
