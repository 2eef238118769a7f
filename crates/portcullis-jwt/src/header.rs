//! The JOSE header (RFC 7515 §4), read strictly. Keys and URLs in it are never looked at.

use std::borrow::Cow;

use serde::de::{Error as _, MapAccess};

use crate::base64url::Buffer;
use crate::json::{Object, Text, read_object, skip_value};
use crate::{Algorithm, JwtError};

/// Where a header is decoded to: on the stack, unless something like `x5c` makes it unusually long.
pub(crate) type HeaderBuffer = Buffer<512>;

/// What a header says, as far as anybody here may listen.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Cow<'a, str>>,
    pub(crate) typ: Option<Cow<'a, str>>,
}

#[derive(Default)]
struct Members<'a> {
    alg: Option<Cow<'a, str>>,
    kid: Option<Cow<'a, str>>,
    typ: Option<Cow<'a, str>>,
    cty: Option<Cow<'a, str>>,
    critical: bool,
    encrypted: bool,
}

impl<'de> Object<'de> for Members<'de> {
    fn member<M: MapAccess<'de>>(&mut self, name: &str, map: &mut M) -> Result<(), M::Error> {
        match name {
            "alg" => self.alg = Some(map.next_value_seed(Text)?),
            "kid" => self.kid = Some(map.next_value_seed(Text)?),
            "typ" => self.typ = Some(map.next_value_seed(Text)?),
            "cty" => self.cty = Some(map.next_value_seed(Text)?),
            // We understand no extension, so whatever `crit` demands is refused (RFC 7515 §4.1.11), and
            // `b64` may not stand in a JWT at all (RFC 7797 §7).
            "crit" | "b64" => {
                self.critical = true;
                skip_value(map)?;
            }
            "enc" | "zip" => {
                self.encrypted = true;
                skip_value(map)?;
            }
            // `jwk`, `jku`, `x5u`, `x5c` and everything unknown: checked as JSON, never used.
            _ => skip_value(map)?,
        }
        if self.kid.as_ref().is_some_and(|kid| kid.is_empty()) {
            return Err(M::Error::custom("an empty key id"));
        }
        Ok(())
    }
}

impl<'a> Header<'a> {
    /// Reads a decoded header.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, JwtError> {
        let json = std::str::from_utf8(json).map_err(|_| JwtError::Header)?;
        let mut members = Members::default();
        read_object(json, &mut members).map_err(|_| JwtError::Header)?;
        if members.critical {
            return Err(JwtError::CriticalExtension);
        }
        if members.encrypted {
            return Err(JwtError::Encrypted);
        }
        if members.cty.is_some_and(|cty| is_media_type(&cty, "jwt")) {
            return Err(JwtError::Nested);
        }
        let alg = members.alg.ok_or(JwtError::Header)?;
        Ok(Self {
            algorithm: Algorithm::from_name(&alg).ok_or(JwtError::AlgorithmNotAllowed)?,
            kid: members.kid,
            typ: members.typ,
        })
    }
}

/// Whether `value` names the media type `application/<subtype>`; without a slash, `application/` is
/// implied (RFC 7515 §4.1.9). Compared without case.
pub(crate) fn is_media_type(value: &str, subtype: &str) -> bool {
    let name = match value.split_once('/') {
        Some((kind, name)) if kind.eq_ignore_ascii_case("application") => name,
        Some(_) => return false,
        None => value,
    };
    name.eq_ignore_ascii_case(subtype)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<(Algorithm, Option<String>), JwtError> {
        Header::parse(json.as_bytes()).map(|header| (header.algorithm, header.kid.map(Cow::into_owned)))
    }

    #[test]
    fn a_plain_header_is_read() {
        let read = parse(r#"{"alg":"RS256","kid":"a","typ":"at+jwt"}"#);
        assert_eq!(read, Ok((Algorithm::Rs256, Some("a".to_owned()))));
    }

    /// T-ALG-2
    #[test]
    fn none_and_anything_that_is_not_a_known_name_is_refused() {
        for alg in [r#""none""#, r#""None""#, r#""nOnE""#, r#""""#] {
            let refused = parse(&format!("{{\"alg\":{alg}}}"));
            assert_eq!(refused, Err(JwtError::AlgorithmNotAllowed), "{alg}");
        }
        for header in [
            r#"{}"#,
            r#"{"alg":1}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":null}"#,
            r#"{"ALG":"RS256"}"#,
        ] {
            assert_eq!(parse(header), Err(JwtError::Header), "{header}");
        }
    }

    /// T-HDR-2
    #[test]
    fn every_critical_extension_is_refused() {
        for member in [
            r#""crit":["exp"]"#,
            r#""crit":[]"#,
            r#""crit":["a","a"]"#,
            r#""crit":[1]"#,
            r#""crit":"exp""#,
            r#""crit":null"#,
            r#""b64":false"#,
            r#""b64":true"#,
            r#""crit":["b64"],"b64":false"#,
        ] {
            let refused = parse(&format!("{{\"alg\":\"RS256\",{member}}}"));
            assert_eq!(refused, Err(JwtError::CriticalExtension), "{member}");
        }
    }

    #[test]
    fn j3_a_repeated_member_is_refused() {
        assert_eq!(parse(r#"{"alg":"RS256","alg":"RS256"}"#), Err(JwtError::Header));
        assert_eq!(
            parse(r#"{"alg":"RS256","kid":"a","kid":"b"}"#),
            Err(JwtError::Header)
        );
    }

    #[test]
    fn j6_nested_and_encrypted_tokens_are_refused() {
        assert_eq!(parse(r#"{"alg":"RS256","cty":"JWT"}"#), Err(JwtError::Nested));
        assert_eq!(
            parse(r#"{"alg":"RS256","enc":"A128GCM"}"#),
            Err(JwtError::Encrypted)
        );
        assert_eq!(parse(r#"{"alg":"RS256","zip":"DEF"}"#), Err(JwtError::Encrypted));
    }

    #[test]
    fn bcp12_a_media_type_without_slash_is_an_application_type() {
        for value in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert!(is_media_type(value, "at+jwt"), "{value}");
        }
        for value in ["", "jwt", "text/at+jwt", "application/", "at+jwt ", "at+jwt;x=1"] {
            assert!(!is_media_type(value, "at+jwt"), "{value}");
        }
    }
}
