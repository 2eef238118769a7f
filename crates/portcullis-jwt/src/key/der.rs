//! The little DER that public keys need (X.690, RFC 5280 §4.1, RFC 8017 §A.1.1, RFC 8410, RFC 5480).
//!
//! Definite, minimal lengths only; nothing is skipped silently inside a key. A certificate is only
//! walked to its `subjectPublicKeyInfo`: neither its signature nor its dates are looked at, for the
//! file it came from is what is trusted.

use super::{KeyError, VerifyingKey, check};
use crate::algorithm::Curve;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[0] EXPLICIT`: the version of a certificate.
const CONTEXT_0: u8 = 0xa0;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8, KeyError> {
        let (first, rest) = self.0.split_first().ok_or(KeyError::Encoding)?;
        self.0 = rest;
        Ok(*first)
    }

    fn length(&mut self) -> Result<usize, KeyError> {
        let first = self.byte()?;
        let length = match first {
            0..=0x7f => return Ok(usize::from(first)),
            0x81 => usize::from(self.byte()?),
            0x82 => usize::from(self.byte()?) << 8 | usize::from(self.byte()?),
            // Longer than any key or certificate we read.
            _ => return Err(KeyError::Encoding),
        };
        let minimal = if first == 0x81 { 0x80 } else { 0x100 };
        if length < minimal {
            Err(KeyError::Encoding)
        } else {
            Ok(length)
        }
    }

    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The contents of the next element, which must have `tag`.
    fn element(&mut self, tag: u8) -> Result<&'a [u8], KeyError> {
        if self.byte()? != tag {
            return Err(KeyError::Encoding);
        }
        let length = self.length()?;
        let (contents, rest) = self.0.split_at_checked(length).ok_or(KeyError::Encoding)?;
        self.0 = rest;
        Ok(contents)
    }

    fn sequence(&mut self) -> Result<Self, KeyError> {
        self.element(SEQUENCE).map(Reader)
    }

    /// A non-negative INTEGER's magnitude, minimally encoded.
    fn unsigned(&mut self) -> Result<&'a [u8], KeyError> {
        match self.element(INTEGER)? {
            [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => Err(KeyError::Encoding),
            [0, magnitude @ ..] if !magnitude.is_empty() => Ok(magnitude),
            magnitude => Ok(magnitude),
        }
    }

    /// A BIT STRING of whole octets.
    fn octets(&mut self) -> Result<&'a [u8], KeyError> {
        match self.element(BIT_STRING)? {
            [0, octets @ ..] => Ok(octets),
            _ => Err(KeyError::Encoding),
        }
    }

    const fn end(&self) -> Result<(), KeyError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(KeyError::Encoding)
        }
    }
}

/// A `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
pub(super) fn spki(der: &[u8]) -> Result<VerifyingKey, KeyError> {
    let mut outer = Reader(der);
    let key = spki_fields(&mut outer)?;
    outer.end()?;
    Ok(key)
}

fn spki_fields(outer: &mut Reader<'_>) -> Result<VerifyingKey, KeyError> {
    let mut fields = outer.sequence()?;
    let mut algorithm = fields.sequence()?;
    let oid = algorithm.element(OBJECT_IDENTIFIER)?;
    let key = fields.octets()?;
    fields.end()?;
    match oid {
        RSA_ENCRYPTION => {
            if !algorithm.element(NULL)?.is_empty() {
                return Err(KeyError::Encoding);
            }
            algorithm.end()?;
            pkcs1(key)
        }
        EC_PUBLIC_KEY => {
            let curve = match algorithm.element(OBJECT_IDENTIFIER)? {
                PRIME256V1 => Curve::P256,
                SECP384R1 => Curve::P384,
                SECP521R1 => Curve::P521,
                _ => return Err(KeyError::Unsupported),
            };
            algorithm.end()?;
            let [4, coordinates @ ..] = key else {
                return Err(KeyError::Encoding);
            };
            let (x, y) = coordinates
                .split_at_checked(curve.coordinate_len())
                .ok_or(KeyError::Encoding)?;
            check::ec(curve, x, y, None)
        }
        ED25519 => {
            algorithm.end()?;
            check::ed25519(key, None)
        }
        _ => Err(KeyError::Unsupported),
    }
}

/// Whether this is one SEQUENCE and nothing after it, as every private key in PKCS#8 is: the library below
/// does not mind what follows.
pub(crate) fn is_one_sequence(der: &[u8]) -> bool {
    let mut outer = Reader(der);
    outer.sequence().is_ok() && outer.end().is_ok()
}

/// An `RSAPublicKey` (RFC 8017 §A.1.1).
pub(super) fn pkcs1(der: &[u8]) -> Result<VerifyingKey, KeyError> {
    let (n, e) = rsa_components(der)?;
    check::rsa(n, e, None)
}

/// The modulus and the exponent of an `RSAPublicKey`, big-endian without leading zeros.
pub(crate) fn rsa_components(der: &[u8]) -> Result<(&[u8], &[u8]), KeyError> {
    let mut outer = Reader(der);
    let mut fields = outer.sequence()?;
    outer.end()?;
    let n = fields.unsigned()?;
    let e = fields.unsigned()?;
    fields.end()?;
    Ok((n, e))
}

/// The key of a `Certificate` (RFC 5280 §4.1).
pub(super) fn certificate(der: &[u8]) -> Result<VerifyingKey, KeyError> {
    let mut outer = Reader(der);
    let mut certificate = outer.sequence()?;
    outer.end()?;
    let mut tbs = certificate.sequence()?;
    if tbs.peek() == Some(CONTEXT_0) {
        tbs.element(CONTEXT_0)?;
    }
    tbs.element(INTEGER)?; // serialNumber
    for _ in 0..4 {
        tbs.element(SEQUENCE)?; // signature, issuer, validity, subject
    }
    spki_fields(&mut tbs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `30 2a 30 05 06 03 2b 65 70 03 21 00 <point>` (RFC 8410 §10.1).
    fn ed25519_spki() -> Vec<u8> {
        let mut der = vec![
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ];
        der.push(0x58);
        der.extend([0x66; 31]);
        der
    }

    #[test]
    fn a_key_is_read_and_one_changed_byte_of_its_frame_is_refused() {
        assert!(spki(&ed25519_spki()).is_ok());
        for at in 0..12 {
            let mut broken = ed25519_spki();
            broken[at] ^= 1;
            assert!(spki(&broken).is_err(), "byte {at}");
        }
        let mut longer = ed25519_spki();
        longer.push(0);
        assert_eq!(spki(&longer).err(), Some(KeyError::Encoding));
    }

    #[test]
    fn lengths_are_minimal_and_definite() {
        for der in [
            &[0x30, 0x80, 0, 0][..],
            &[0x30, 0x81, 0x01, 0],
            &[0x30, 0x82, 0, 0x80],
            &[0x30, 0x83, 0, 0, 1],
        ] {
            assert_eq!(spki(der).err(), Some(KeyError::Encoding));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(der in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = (spki(&der), pkcs1(&der), certificate(&der));
        }
    }
}
