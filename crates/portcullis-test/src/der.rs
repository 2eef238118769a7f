//! The few lines of DER (X.690) the kit needs: reading the integers of an RSA key, writing an
//! ECDSA signature the way JOSE does not want it, and PEM around both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// The integers of the outermost sequence, without leading zeros.
pub(crate) fn integers(der: &[u8]) -> Vec<&[u8]> {
    elements(element(der).1)
        .filter(|(tag, _)| *tag == INTEGER)
        .map(|(_, content)| without_leading_zeros(content))
        .collect()
}

/// What a PKCS#8 `PrivateKeyInfo` wraps (RFC 5208 §5).
pub(crate) fn pkcs8_private_key(der: &[u8]) -> &[u8] {
    elements(element(der).1)
        .find(|(tag, _)| *tag == OCTET_STRING)
        .expect("PKCS#8 holds the private key in an octet string")
        .1
}

/// An ECDSA signature `R || S` as the `SEQUENCE { r, s }` of RFC 3279 §2.2.3.
pub(crate) fn ecdsa_signature(fixed: &[u8]) -> Vec<u8> {
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let mut content = unsigned_integer(r);
    content.extend(unsigned_integer(s));
    tagged(SEQUENCE, &content)
}

/// PEM (RFC 7468) with the given label.
pub(crate) fn to_pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (index, character) in body.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    pem
}

/// The bytes inside the first block of a PEM text.
pub(crate) fn from_pem(pem: &str) -> Vec<u8> {
    let body: String = pem
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN "))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END "))
        .map(str::trim)
        .collect();
    STANDARD.decode(body).expect("a PEM block holds base64")
}

fn elements(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (tag, content, after) = element_and_rest(rest);
        rest = after;
        Some((tag, content))
    })
}

fn element(der: &[u8]) -> (u8, &[u8]) {
    let (tag, content, _) = element_and_rest(der);
    (tag, content)
}

fn element_and_rest(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let [tag, first, rest @ ..] = der else {
        panic!("DER ends inside an element");
    };
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (length, rest) = rest.split_at(usize::from(first & 0x7f));
        let length = length.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
        (length, rest)
    };
    let (content, rest) = rest.split_at(length);
    (*tag, content, rest)
}

fn unsigned_integer(bytes: &[u8]) -> Vec<u8> {
    let mut content = without_leading_zeros(bytes).to_vec();
    if content.first().is_none_or(|first| *first >= 0x80) {
        content.insert(0, 0);
    }
    tagged(INTEGER, &content)
}

/// Content of an ECDSA signature is at most 139 bytes, so one length byte is enough.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("content of at most 255 bytes");
    let mut der = vec![tag];
    if length >= 0x80 {
        der.push(0x81);
    }
    der.push(length);
    der.extend_from_slice(content);
    der
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.split_at(zeros).1
}
