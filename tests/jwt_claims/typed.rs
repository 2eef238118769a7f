//! Claims as types of the application's own: owned, borrowed, lazy.

use std::borrow::Cow;
use std::collections::BTreeMap;

use portcullis_jwt::VerifiedClaims;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::support::{accepted, issuer, verifier};

#[derive(Deserialize)]
struct Owned {
    tenant: String,
    #[serde(default)]
    limits: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Borrowed<'a> {
    tenant: &'a str,
    #[serde(borrow)]
    label: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Lazy<'a> {
    #[serde(borrow)]
    limits: &'a RawValue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closed {
    #[allow(dead_code)]
    tenant: String,
}

/// T1, J3
#[test]
fn claims_are_read_owned_borrowed_or_lazily() {
    let issuer = issuer();
    let token = issuer
        .token()
        .claim("tenant", "blue")
        .claim("label", "a\"b")
        .claim("limits", json!({"a": 1, "b": 2}));
    let verified = accepted(&verifier(&issuer), &token.build());
    let claims: &VerifiedClaims = verified.claims();
    let owned: Owned = claims.read().unwrap();
    assert_eq!((owned.tenant.as_str(), owned.limits["b"]), ("blue", 2));
    let borrowed: Borrowed<'_> = claims.read().unwrap();
    assert!(
        claims
            .as_json()
            .as_bytes()
            .as_ptr_range()
            .contains(&borrowed.tenant.as_ptr())
    );
    assert_eq!(borrowed.label, "a\"b");
    let lazy: Lazy<'_> = claims.read().unwrap();
    assert_eq!(lazy.limits.get(), r#"{"a":1,"b":2}"#);
    let all: Value = claims.read().unwrap();
    assert_eq!(all["sub"], "alice");
}

/// T8: a shape that does not fit is an error, not a panic and not a default.
#[test]
fn claims_of_another_shape_are_an_error() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let verified = accepted(&verifier, &issuer.token().claim("tenant", 1).build());
    assert!(verified.claims().read::<Owned>().is_err());
    let missing = accepted(&verifier, &issuer.token().build());
    assert!(missing.claims().read::<Owned>().is_err());
    let more = accepted(&verifier, &issuer.token().claim("tenant", "blue").build());
    assert!(more.claims().read::<Closed>().is_err());
    assert!(more.claims().read::<Vec<u8>>().is_err());
    assert!(more.claims().read::<Owned>().is_ok());
}

/// B16: the claims travel with the authentication, and nobody else's do.
#[test]
fn the_claims_are_the_details_of_the_authentication() {
    let issuer = issuer();
    let token = issuer.token().claim("tenant", "blue").build();
    let authentication = accepted(&verifier(&issuer), &token)
        .into_authentication()
        .unwrap();
    let claims = authentication.details::<VerifiedClaims>().expect("details");
    assert_eq!(claims.read::<Owned>().unwrap().tenant, "blue");
    assert!(authentication.details::<String>().is_none());
}
