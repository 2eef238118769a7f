//! The vectors of RFC 8452 appendix C.2 (`AEAD_AES_256_GCM_SIV`).

use super::*;
use crate::testing::unhex;

struct Vector {
    plaintext: &'static str,
    aad: &'static str,
    key: &'static str,
    nonce: &'static str,
    result: &'static str,
}

const KEY: &str = "0100000000000000000000000000000000000000000000000000000000000000";
const NONCE: &str = "030000000000000000000000";

const VECTORS: &[Vector] = &[
    Vector {
        plaintext: "",
        aad: "",
        key: KEY,
        nonce: NONCE,
        result: "07f5f4169bbf55a8400cd47ea6fd400f",
    },
    Vector {
        plaintext: "0100000000000000",
        aad: "",
        key: KEY,
        nonce: NONCE,
        result: "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28",
    },
    Vector {
        plaintext: "0200000000000000",
        aad: "01",
        key: KEY,
        nonce: NONCE,
        result: "1de22967237a813291213f267e3b452f02d01ae33e4ec854",
    },
];

fn sealed(vector: &Vector) -> Vec<u8> {
    let key: [u8; KEY_LEN] = unhex(vector.key).try_into().expect("32 bytes");
    let nonce: [u8; NONCE_LEN] = unhex(vector.nonce).try_into().expect("12 bytes");
    let mut in_out = unhex(vector.plaintext);
    let cipher = Cipher::new(&key).expect("a key");
    let tag = cipher
        .seal(nonce, &unhex(vector.aad), &mut in_out)
        .expect("sealed");
    in_out.extend_from_slice(tag.as_ref());
    in_out
}

#[test]
fn the_published_values_are_sealed_and_opened() {
    for vector in VECTORS {
        assert_eq!(sealed(vector), unhex(vector.result), "{}", vector.result);
        let key: [u8; KEY_LEN] = unhex(vector.key).try_into().expect("32 bytes");
        let nonce: [u8; NONCE_LEN] = unhex(vector.nonce).try_into().expect("12 bytes");
        let mut in_out = unhex(vector.result);
        let cipher = Cipher::new(&key).expect("a key");
        let opened = cipher.open(nonce, &unhex(vector.aad), &mut in_out);
        assert_eq!(opened, Ok(&*unhex(vector.plaintext)));
    }
}

#[test]
fn a_published_value_with_one_thing_broken_is_not_opened() {
    let vector = &VECTORS[2];
    let key: [u8; KEY_LEN] = unhex(vector.key).try_into().expect("32 bytes");
    let nonce: [u8; NONCE_LEN] = unhex(vector.nonce).try_into().expect("12 bytes");
    let open = |key: [u8; KEY_LEN], nonce: [u8; NONCE_LEN], aad: &[u8], sealed: &[u8]| {
        let mut in_out = sealed.to_vec();
        let cipher = Cipher::new(&key).expect("a key");
        cipher.open(nonce, aad, &mut in_out).map(<[u8]>::to_vec)
    };
    let (aad, result) = (unhex(vector.aad), unhex(vector.result));
    assert!(open(key, nonce, &aad, &result).is_ok());

    let mut other_key = key;
    other_key[31] ^= 1;
    let mut other_nonce = nonce;
    other_nonce[0] ^= 1;
    let mut flipped = result.clone();
    flipped[0] ^= 1;
    for refused in [
        open(other_key, nonce, &aad, &result),
        open(key, other_nonce, &aad, &result),
        open(key, nonce, b"\x02", &result),
        open(key, nonce, &aad, &flipped),
        open(key, nonce, &aad, &result[..result.len() - 1]),
        open(key, nonce, &aad, &result[..TAG_LEN - 1]),
    ] {
        assert_eq!(refused, Err(CipherFailed));
    }
}
