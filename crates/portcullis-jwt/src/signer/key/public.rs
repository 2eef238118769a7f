//! The public half: as a verifying key, as a JWK, as a thumbprint.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::KeyPair;

use super::{Pair, SigningKey};
use crate::algorithm::Curve;
use crate::key::rsa_components;
use crate::{KeyError, VerifyingKey, base64url};

impl SigningKey {
    /// The public key as a JWK (RFC 7517 §4) with `kid`, `alg` and `use`; `None` for an HMAC secret, which
    /// has no public half.
    #[must_use]
    pub fn public_jwk(&self) -> Option<String> {
        let members = required_members(&self.pair).ok()??;
        // The id is whatever the application chose; everything else needs no escaping.
        let kid = serde_json::to_string(self.kid()).ok()?;
        let alg = self.algorithm.name();
        Some(format!(
            r#"{{{},"kid":{kid},"alg":"{alg}","use":"sig"}}"#,
            written(&members)
        ))
    }
}

/// Names and values, in lexicographic order of the names.
type Members = Vec<(&'static str, String)>;

/// The members that RFC 7638 §3.2 takes the thumbprint of, in its order.
fn required_members(pair: &Pair) -> Result<Option<Members>, KeyError> {
    Ok(Some(match pair {
        Pair::Rsa(pair, _) => {
            let (n, e) = rsa_components(pair.public_key().as_ref())?;
            vec![
                ("e", base64url::encode(e)),
                ("kty", "RSA".to_owned()),
                ("n", base64url::encode(n)),
            ]
        }
        Pair::Ecdsa(pair) => {
            let (curve, x, y) = coordinates(pair.public_key().as_ref())?;
            vec![
                ("crv", curve.jwk_name().to_owned()),
                ("kty", "EC".to_owned()),
                ("x", base64url::encode(x)),
                ("y", base64url::encode(y)),
            ]
        }
        Pair::Ed25519(pair) => vec![
            ("crv", "Ed25519".to_owned()),
            ("kty", "OKP".to_owned()),
            ("x", base64url::encode(pair.public_key().as_ref())),
        ],
        Pair::Hmac(..) => return Ok(None),
    }))
}

/// Members as JSON without white space. Written here and not by way of a map, whose order depends on a
/// feature that any crate of a program may turn on.
fn written(members: &Members) -> String {
    let members: Vec<_> = members
        .iter()
        .map(|(name, value)| format!(r#""{name}":"{value}""#))
        .collect();
    members.join(",")
}

/// The two coordinates of an uncompressed point (SEC 1 §2.3.3).
fn coordinates(point: &[u8]) -> Result<(Curve, &[u8], &[u8]), KeyError> {
    let [4, coordinates @ ..] = point else {
        return Err(KeyError::Encoding);
    };
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    let curve = [Curve::P256, Curve::P384, Curve::P521]
        .into_iter()
        .find(|curve| curve.coordinate_len() == x.len() && x.len() == y.len())
        .ok_or(KeyError::Unsupported)?;
    Ok((curve, x, y))
}

/// RFC 7638 §3: SHA-256 over the required members, base64url.
pub(super) fn thumbprint(pair: &Pair) -> Result<String, KeyError> {
    let members = required_members(pair)?.ok_or(KeyError::Unsupported)?;
    Ok(thumbprint_of(&members))
}

fn thumbprint_of(members: &Members) -> String {
    let canonical = format!("{{{}}}", written(members));
    base64url::encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

/// The public half, through the checks of [`VerifyingKey`].
pub(super) fn verifying_key(pair: &Pair) -> Result<VerifyingKey, KeyError> {
    let spki: PublicKeyX509Der<'_> = match pair {
        Pair::Rsa(pair, _) => pair.public_key().as_der(),
        Pair::Ecdsa(pair) => pair.public_key().as_der(),
        Pair::Ed25519(pair) => pair.public_key().as_der(),
        Pair::Hmac(..) => return Err(KeyError::Unsupported),
    }
    .map_err(|_| KeyError::Encoding)?;
    VerifyingKey::from_der(spki.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 §3.1: the members of the example, and its thumbprint.
    #[test]
    fn the_thumbprint_is_that_of_the_published_example() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_\
                 BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_\
                 FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4\
                 vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let members = vec![
            ("e", "AQAB".to_owned()),
            ("kty", "RSA".to_owned()),
            ("n", n.to_owned()),
        ];
        assert_eq!(
            thumbprint_of(&members),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        let mut other = members;
        other.swap(0, 1);
        assert_ne!(
            thumbprint_of(&other),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }
}
