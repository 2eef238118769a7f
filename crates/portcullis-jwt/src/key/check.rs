//! From raw material to a [`VerifyingKey`]: the checks we do ourselves, because the cryptographic
//! library below accepts some of what is refused here.

use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self, ParsedPublicKey};

use super::{KeyError, Verify, VerifyingKey};
use crate::Algorithm;
use crate::algorithm::{Curve, KeyKind};

const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Verification time grows with the exponent; 65537 has 17 bits.
const RSA_EXPONENT_BYTES: usize = 5;

/// Big-endian bytes without leading zeros.
fn strip_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn bit_length(stripped: &[u8]) -> usize {
    match stripped {
        [] => 0,
        [first, rest @ ..] => 8 - first.leading_zeros() as usize + rest.len() * 8,
    }
}

const fn is_odd(bytes: &[u8]) -> bool {
    matches!(bytes.last(), Some(last) if *last & 1 == 1)
}

/// An RSA key for `algorithm`, or for every RSA algorithm when none is declared.
pub(super) fn rsa(n: &[u8], e: &[u8], algorithm: Option<Algorithm>) -> Result<VerifyingKey, KeyError> {
    let (n, e) = (strip_zeros(n), strip_zeros(e));
    if !RSA_BITS.contains(&bit_length(n)) {
        return Err(KeyError::Size);
    }
    if !is_odd(n) || !is_odd(e) || e == [1] || e.len() > RSA_EXPONENT_BYTES {
        return Err(KeyError::Weak);
    }
    let components = PublicKeyComponents { n, e };
    let fingerprint = [n, &[0], e].concat();
    build(KeyKind::Rsa, algorithm, fingerprint, |algorithm| {
        let parameters = algorithm.rsa_parameters().ok_or(KeyError::Unsupported)?;
        components
            .to_parsed_public_key(parameters)
            .map_err(|_| KeyError::Weak)
    })
}

/// An EC key from its two coordinates, each of the curve's full length (RFC 7518 §6.2.1).
pub(super) fn ec(
    curve: Curve,
    x: &[u8],
    y: &[u8],
    algorithm: Option<Algorithm>,
) -> Result<VerifyingKey, KeyError> {
    if x.len() != curve.coordinate_len() || y.len() != curve.coordinate_len() {
        return Err(KeyError::Encoding);
    }
    // SEC 1 §2.3.3, uncompressed. That the point is on the curve is checked when it is parsed.
    let point = [&[4], x, y].concat();
    build(KeyKind::Ec(curve), algorithm, point.clone(), |algorithm| {
        let algorithm = algorithm.ecdsa().ok_or(KeyError::Unsupported)?;
        ParsedPublicKey::new(algorithm, &point).map_err(|_| KeyError::Weak)
    })
}

/// An Ed25519 key from its encoded point (RFC 8032 §5.1.5).
pub(super) fn ed25519(point: &[u8], algorithm: Option<Algorithm>) -> Result<VerifyingKey, KeyError> {
    let bytes: &[u8; 32] = point.try_into().map_err(|_| KeyError::Encoding)?;
    if !is_sound_ed25519(bytes) {
        return Err(KeyError::Weak);
    }
    build(KeyKind::Ed25519, algorithm, point.to_vec(), |_| {
        ParsedPublicKey::new(&signature::ED25519, point).map_err(|_| KeyError::Weak)
    })
}

/// An HMAC key, bound to exactly one algorithm.
pub(super) fn hmac(algorithm: Algorithm, secret: &[u8]) -> Result<VerifyingKey, KeyError> {
    let (mac, shortest) = algorithm.hmac().ok_or(KeyError::Unsupported)?;
    if secret.len() < shortest {
        return Err(KeyError::Size);
    }
    if secret.trim_ascii_start().starts_with(b"-----BEGIN ") {
        return Err(KeyError::Weak);
    }
    let key = hmac::Key::new(mac, secret);
    Ok(VerifyingKey {
        kid: None,
        any_kid: true,
        kind: KeyKind::Hmac,
        fingerprint: Box::default(),
        verifiers: [(algorithm, Verify::Mac(Box::new(key)))].into(),
    })
}

fn build(
    kind: KeyKind,
    declared: Option<Algorithm>,
    fingerprint: Vec<u8>,
    parse: impl Fn(Algorithm) -> Result<ParsedPublicKey, KeyError>,
) -> Result<VerifyingKey, KeyError> {
    let verifiers = Algorithm::for_kind(kind)
        .filter(|algorithm| declared.is_none_or(|declared| declares(declared, *algorithm)))
        .map(|algorithm| Ok((algorithm, Verify::Public(parse(algorithm)?))))
        .collect::<Result<Box<[_]>, KeyError>>()?;
    if verifiers.is_empty() {
        return Err(KeyError::Unsupported);
    }
    Ok(VerifyingKey {
        kid: None,
        any_kid: true,
        kind,
        fingerprint: fingerprint.into(),
        verifiers,
    })
}

/// `EdDSA` and `Ed25519` are two names for the same use of the same key (RFC 9864 §2.2).
fn declares(declared: Algorithm, algorithm: Algorithm) -> bool {
    declared == algorithm
        || (declared.key_kind() == KeyKind::Ed25519 && algorithm.key_kind() == KeyKind::Ed25519)
}

/// Canonical (y < p) and not of small order. The five y coordinates that points of order 1, 2, 4 and 8
/// have, little-endian, sign bit cleared.
fn is_sound_ed25519(point: &[u8; 32]) -> bool {
    const SMALL_ORDER: [[u8; 32]; 5] = [
        [0; 32],
        [
            1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ],
        [
            0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
        ],
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    let mut y = *point;
    if let Some(top) = y.last_mut() {
        *top &= 0x7f;
    }
    // p = 2^255 - 19: in little-endian order ed ff … ff 7f.
    let [low, middle @ .., high] = &y;
    let canonical = *low < 0xed || *high != 0x7f || middle.iter().any(|byte| *byte != 0xff);
    canonical && !SMALL_ORDER.contains(&y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_order_and_non_canonical_ed25519_points_are_refused() {
        let p = {
            let mut p = [0xff; 32];
            p[0] = 0xed;
            p[31] = 0x7f;
            p
        };
        let mut p_plus_one = p;
        p_plus_one[0] = 0xee;
        let one = {
            let mut one = [0; 32];
            one[0] = 1;
            one
        };
        let mut negative_one = one;
        negative_one[31] = 0x80;
        for point in [[0; 32], p, p_plus_one, one, negative_one, [0xff; 32]] {
            assert!(!is_sound_ed25519(&point), "{point:02x?}");
        }
        // The base point.
        let mut base = [0x66; 32];
        base[0] = 0x58;
        assert!(is_sound_ed25519(&base));
        assert!(ed25519(&base, None).is_ok());
        assert_eq!(ed25519(&base[..31], None).err(), Some(KeyError::Encoding));
    }

    /// A1
    #[test]
    fn hmac_secrets_shorter_than_the_hash_are_refused() {
        for (algorithm, shortest) in [
            (Algorithm::Hs256, 32),
            (Algorithm::Hs384, 48),
            (Algorithm::Hs512, 64),
        ] {
            assert!(hmac(algorithm, &vec![7; shortest]).is_ok());
            assert_eq!(
                hmac(algorithm, &vec![7; shortest - 1]).err(),
                Some(KeyError::Size)
            );
        }
        assert_eq!(
            hmac(Algorithm::Rs256, &[7; 64]).err(),
            Some(KeyError::Unsupported)
        );
    }

    /// A2
    #[test]
    fn rsa_sizes_and_exponents_have_bounds() {
        let modulus = |bits: usize| {
            let mut n = vec![0xff; bits.div_ceil(8)];
            n[0] = 0xff >> (n.len() * 8 - bits);
            n
        };
        let e = [1, 0, 1];
        for bits in [2048, 3072, 8192] {
            assert!(rsa(&modulus(bits), &e, None).is_ok(), "{bits}");
        }
        for bits in [1024, 2047, 8193, 16384] {
            assert_eq!(
                rsa(&modulus(bits), &e, None).err(),
                Some(KeyError::Size),
                "{bits}"
            );
        }
        // Leading zeros make a small key no larger.
        let padded = [vec![0; 128], modulus(1024)].concat();
        assert_eq!(rsa(&padded, &e, None).err(), Some(KeyError::Size));
        for e in [
            &[][..],
            &[0],
            &[1],
            &[0, 1],
            &[2],
            &[1, 0, 0],
            &[1, 0, 0, 0, 0, 1],
        ] {
            assert_eq!(rsa(&modulus(2048), e, None).err(), Some(KeyError::Weak), "{e:?}");
        }
        let mut even = modulus(2048);
        even[255] = 0xfe;
        assert_eq!(rsa(&even, &e, None).err(), Some(KeyError::Weak));
    }

    /// A4
    #[test]
    fn ec_points_must_be_full_length_and_on_the_curve() {
        // The base point of P-256.
        let x = hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
        let y = hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        assert!(ec(Curve::P256, &x, &y, None).is_ok());
        assert_eq!(ec(Curve::P384, &x, &y, None).err(), Some(KeyError::Encoding));
        assert_eq!(
            ec(Curve::P256, &x[..31], &y, None).err(),
            Some(KeyError::Encoding)
        );
        assert_eq!(
            ec(Curve::P256, &[&[0], &x[..]].concat(), &y, None).err(),
            Some(KeyError::Encoding)
        );
        assert_eq!(ec(Curve::P256, &y, &x, None).err(), Some(KeyError::Weak));
        assert_eq!(
            ec(Curve::P256, &[0; 32], &[0; 32], None).err(),
            Some(KeyError::Weak)
        );
        assert_eq!(
            ec(Curve::P256, &x, &y, Some(Algorithm::Es384)).err(),
            Some(KeyError::Unsupported)
        );
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
            .collect()
    }
}
