//! HMAC-SHA-256 (RFC 2104), and keys derived with it so that one secret serves one end only.

use aws_lc_rs::hmac;
use portcullis_core::Secret;
use zeroize::Zeroizing;

/// The length of SHA-256 and of every key here.
pub(crate) const MAC_LEN: usize = 32;

pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Secret<[u8; MAC_LEN]> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    into_custody(tag.as_ref())
}

/// Copies the 32 bytes of a digest; `zip` does it without a panic.
pub(crate) fn into_custody(digest: &[u8]) -> Secret<[u8; MAC_LEN]> {
    let mut bytes = Zeroizing::new([0; MAC_LEN]);
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
    Secret::new(*bytes)
}

/// A key for one end. Another label gives a key that tells nothing about this one.
pub(crate) fn derive(secret: &Secret<[u8; MAC_LEN]>, label: &str) -> Secret<[u8; MAC_LEN]> {
    hmac_sha256(secret.expose(), label.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    /// RFC 4231 §4.2 to §4.8, but for §4.6, which truncates.
    #[test]
    fn the_published_macs_are_made() {
        let long = [0xaa; 131];
        let counting: Vec<u8> = (1..=25).collect();
        let cases: [(&[u8], &[u8], &str); 6] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 20],
                &[0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                &counting,
                &[0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                &long,
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &long,
                b"This is a test using a larger than block-size key and a larger than block-size data. \
                  The key needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, message, mac) in cases {
            assert!(hmac_sha256(key, message).ct_eq(&unhex(mac)));
            assert!(!hmac_sha256(key, b"another message").ct_eq(&unhex(mac)));
        }
    }

    #[test]
    fn another_label_or_another_secret_gives_another_key() {
        let one = Secret::new([1; MAC_LEN]);
        let key = derive(&one, "a");
        assert!(key.ct_eq(derive(&one, "a").expose()));
        assert!(!key.ct_eq(derive(&one, "b").expose()));
        assert!(!key.ct_eq(derive(&Secret::new([2; MAC_LEN]), "a").expose()));
    }
}
