//! One JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2) from a set that somebody else publishes.

use std::borrow::Cow;

use serde::de::MapAccess;

use super::{KeyError, VerifyingKey, check};
use crate::algorithm::Curve;
use crate::json::{Object, Text, Texts, read_object, skip_value};
use crate::{Algorithm, base64url};

/// Why one key of a set is left out. The others are used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwkRejected {
    /// Not an object, a repeated member, a member of the wrong type or missing.
    Malformed,
    /// Of a type, curve or algorithm that is not supported.
    Unsupported,
    /// For something else than verifying signatures: `use`, `key_ops`.
    OtherUse,
    /// Private or symmetric: published by mistake, or to be confused with a public key.
    Private,
    /// Too weak, too large or not sound.
    Unsound,
}

#[derive(Default)]
struct Members<'a> {
    kty: Option<Cow<'a, str>>,
    kid: Option<Cow<'a, str>>,
    alg: Option<Cow<'a, str>>,
    usage: Option<Cow<'a, str>>,
    crv: Option<Cow<'a, str>>,
    n: Option<Cow<'a, str>>,
    e: Option<Cow<'a, str>>,
    x: Option<Cow<'a, str>>,
    y: Option<Cow<'a, str>>,
    /// Whether `key_ops` is there, and allows verifying and nothing that contradicts it.
    verifies: Option<bool>,
    private: bool,
}

impl<'de> Object<'de> for Members<'de> {
    fn member<M: MapAccess<'de>>(&mut self, name: &str, map: &mut M) -> Result<(), M::Error> {
        let slot = match name {
            "kty" => &mut self.kty,
            "kid" => &mut self.kid,
            "alg" => &mut self.alg,
            "use" => &mut self.usage,
            "crv" => &mut self.crv,
            "n" => &mut self.n,
            "e" => &mut self.e,
            "x" => &mut self.x,
            "y" => &mut self.y,
            "key_ops" => {
                // Signing and verifying, each once: anything else contradicts itself (RFC 7517 §4.3).
                let (mut verify, mut sign, mut other) = (0, 0, 0);
                map.next_value_seed(Texts(|operation: Cow<'_, str>| match operation.as_ref() {
                    "verify" => verify += 1,
                    "sign" => sign += 1,
                    _ => other += 1,
                }))?;
                self.verifies = Some(verify == 1 && sign <= 1 && other == 0);
                return Ok(());
            }
            "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth" | "k" => {
                self.private = true;
                return skip_value(map);
            }
            // `x5c`, `x5u`, `x5t` and everything unknown.
            _ => return skip_value(map),
        };
        *slot = Some(map.next_value_seed(Text)?);
        Ok(())
    }
}

/// Reads one element of `keys`.
pub(crate) fn read_jwk(json: &str) -> Result<VerifyingKey, JwkRejected> {
    let mut members = Members::default();
    read_object(json, &mut members).map_err(|_| JwkRejected::Malformed)?;
    let kty = members.kty.as_deref().ok_or(JwkRejected::Malformed)?;
    if members.private || kty == "oct" {
        return Err(JwkRejected::Private);
    }
    if members.usage.as_deref().is_some_and(|usage| usage != "sig") || members.verifies == Some(false) {
        return Err(JwkRejected::OtherUse);
    }
    let algorithm = match members.alg.as_deref() {
        Some(name) => Some(Algorithm::from_name(name).ok_or(JwkRejected::Unsupported)?),
        None => None,
    };
    let key = match (kty, members.crv.as_deref()) {
        ("RSA", None) => check::rsa(&bytes(members.n)?, &bytes(members.e)?, algorithm),
        ("EC", Some(crv)) => {
            let curve = Curve::from_jwk_name(crv).ok_or(JwkRejected::Unsupported)?;
            check::ec(curve, &bytes(members.x)?, &bytes(members.y)?, algorithm)
        }
        ("OKP", Some("Ed25519")) => check::ed25519(&bytes(members.x)?, algorithm),
        ("RSA" | "EC", _) | ("OKP", None) => return Err(JwkRejected::Malformed),
        _ => return Err(JwkRejected::Unsupported),
    };
    let mut key = key.map_err(|error| match error {
        KeyError::Encoding | KeyError::Public => JwkRejected::Malformed,
        KeyError::Unsupported => JwkRejected::Unsupported,
        KeyError::Private => JwkRejected::Private,
        KeyError::Size | KeyError::Weak | KeyError::NotGenerated => JwkRejected::Unsound,
    })?;
    // A published key without an id serves only tokens without one.
    key.any_kid = false;
    key.kid = members.kid.map(|kid| kid.into_owned().into_boxed_str());
    Ok(key)
}

fn bytes(member: Option<Cow<'_, str>>) -> Result<Vec<u8>, JwkRejected> {
    let encoded = member.ok_or(JwkRejected::Malformed)?;
    base64url::decode(encoded.as_bytes()).map_err(|_| JwkRejected::Malformed)
}
