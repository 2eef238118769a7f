//! Required claims: what satisfies them, and what only looks like it.

use portcullis_jwt::{ClaimMap, JwtError, Verifier};
use portcullis_test::TestIssuer;
use serde_json::{Value, json};

use crate::support::{accepted, assert_refused, builder, built, issuer, trusted};

fn requiring(issuer: &TestIssuer, name: &str, values: &[&str]) -> Verifier {
    built(
        builder()
            .issuer(trusted(issuer))
            .require_claim(name, values.iter().copied()),
    )
}

/// T8, BCP9: one of the values, byte for byte, alone or among others.
#[test]
fn a_required_claim_holds_one_of_its_values() {
    let issuer = issuer();
    let verifier = requiring(&issuer, "tenant", &["blue", "green"]);
    for value in [
        json!("blue"),
        json!("green"),
        json!(["red", "green"]),
        json!(["blue", "blue"]),
    ] {
        let _ = accepted(&verifier, &issuer.token().claim("tenant", value).build());
    }
    for value in [
        json!(""),
        json!("red"),
        json!("Blue"),
        json!("blue "),
        json!("blue green"),
        json!("blue,green"),
        json!("blu"),
        json!("blueish"),
        json!([]),
        json!(["red"]),
        json!(["blue green"]),
    ] {
        let token = issuer.token().claim("tenant", value.clone()).build();
        assert_refused(&verifier, &token, JwtError::RequiredClaim, &value.to_string());
    }
    let missing = issuer.token().build();
    assert_refused(&verifier, &missing, JwtError::RequiredClaim, "missing");
}

/// T8: a value of another type, or one hidden further down, satisfies nothing.
#[test]
fn a_required_claim_is_not_satisfied_by_structure() {
    let issuer = issuer();
    let verifier = requiring(&issuer, "tenant", &["blue", "1", "true", "null"]);
    for value in [
        json!(1),
        json!(true),
        json!(null),
        json!({}),
        json!({"blue": true}),
        json!({"tenant": "blue"}),
        json!([["blue"]]),
        json!([{"tenant": "blue"}]),
        json!(["blue", 1]),
        json!(["blue", null]),
        json!(["blue", ["x"]]),
    ] {
        let token = issuer.token().claim("tenant", value.clone()).build();
        assert_refused(&verifier, &token, JwtError::Claims, &value.to_string());
    }
    for (name, value) in [
        ("a", json!({"tenant": "blue"})),
        ("Tenant", json!("blue")),
        ("tenant ", json!("blue")),
        ("a.tenant", json!("blue")),
        ("", json!({"tenant": "blue"})),
        ("scope", json!("tenant blue")),
    ] {
        let token = issuer.token().claim(name, value).build();
        assert_refused(&verifier, &token, JwtError::RequiredClaim, name);
    }
}

/// J3: the first and the last of two never disagree, for there are no two.
#[test]
fn a_required_claim_that_stands_there_twice_is_refused() {
    let issuer = issuer();
    let verifier = requiring(&issuer, "tenant", &["blue"]);
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    for pair in [
        r#""tenant":"blue","tenant":"red""#,
        r#""tenant":"red","tenant":"blue""#,
        r#""tenant":"red","t\u0065nant":"blue""#,
        r#""tenant":["red"],"tenant":["blue"]"#,
    ] {
        let payload = claims.replacen('{', &format!("{{{pair},"), 1);
        let token = issuer.token().raw_payload(payload).build();
        assert_refused(&verifier, &token, JwtError::Claims, pair);
    }
    let escaped = claims.replacen('{', "{\"t\\u0065nant\":\"bl\\u0075e\",", 1);
    let _ = accepted(&verifier, &issuer.token().raw_payload(escaped).build());
}

/// BCP9: every requirement counts, the issuer's and the verifier's, also two of one claim.
#[test]
fn every_requirement_counts() {
    let issuer = issuer();
    let map = ClaimMap::standard()
        .require(["a", "b"], ["1"])
        .require(["groups"], ["x"]);
    let verifier = built(
        builder()
            .issuer(trusted(&issuer).claims(map))
            .require_claim("groups", ["y"])
            .require_claim("tenant", ["blue"]),
    );
    let full = issuer
        .token()
        .claim("a", json!({"b": "1"}))
        .claim("groups", json!(["x", "y"]))
        .claim("tenant", "blue");
    let _ = accepted(&verifier, &full.build());
    for (name, value) in [
        ("a", json!({"b": "2"})),
        ("a", json!({})),
        ("a", json!("1")),
        ("a", json!(["1"])),
        ("a", json!([{"b": "1"}])),
        ("a", json!({"x": {"b": "1"}})),
        ("groups", json!(["x"])),
        ("groups", json!(["y"])),
        ("groups", json!("x y")),
        ("tenant", json!("red")),
    ] {
        let what = format!("{name}: {value}");
        let token = full.clone().claim(name, value).build();
        assert_refused(&verifier, &token, JwtError::RequiredClaim, &what);
    }
}

/// T8: registered claims can be required as well: what is configured is checked, or not built.
#[test]
fn a_registered_claim_can_be_required() {
    let issuer = issuer();
    for (name, good, bad) in [
        ("sub", json!("alice"), json!("bob")),
        ("jti", json!("1"), json!("2")),
        ("acr", json!("gold"), json!("silver")),
        ("client_id", json!("one"), json!("two")),
        ("amr", json!(["pwd", "mfa"]), json!(["pwd"])),
        ("scope", json!("a"), json!("b")),
        ("roles", json!(["a", "b"]), json!(["b"])),
        ("azp", json!("one"), json!("two")),
    ] {
        let first = match &good {
            Value::Array(values) => values.last().cloned(),
            value => Some(value.clone()),
        };
        let first = first.unwrap();
        let wanted = if name == "roles" {
            "a"
        } else {
            first.as_str().unwrap()
        };
        let verifier = requiring(&issuer, name, &[wanted]);
        let _ = accepted(&verifier, &issuer.token().claim(name, good).build());
        let token = issuer.token().claim(name, bad).build();
        assert_refused(&verifier, &token, JwtError::RequiredClaim, name);
        let missing = issuer.token().without(name).build();
        assert_refused(&verifier, &missing, JwtError::RequiredClaim, name);
    }
    for name in ["iss", "aud", "exp", "nbf", "iat", "cnf", "auth_time"] {
        let built = builder()
            .issuer(trusted(&issuer))
            .require_claim(name, ["x"])
            .build();
        assert!(built.is_err(), "{name} has a check of its own");
    }
}

/// BCP1: a requirement that says nothing is a mistake, not a pass.
#[test]
fn a_requirement_without_values_or_names_is_not_built() {
    let issuer = issuer();
    let none: [&str; 0] = [];
    assert!(
        builder()
            .issuer(trusted(&issuer))
            .require_claim("tenant", none)
            .build()
            .is_err()
    );
    let nowhere = ClaimMap::standard().require(Vec::<&str>::new(), ["x"]);
    assert!(
        builder()
            .issuer(trusted(&issuer).claims(nowhere))
            .build()
            .is_err()
    );
    let many = (0..33).fold(ClaimMap::empty(), |map, index| {
        map.roles_at([format!("r{index}")])
    });
    assert!(builder().issuer(trusted(&issuer).claims(many)).build().is_err());
    let most = (0..32).fold(ClaimMap::empty(), |map, index| {
        map.roles_at([format!("r{index}")])
    });
    let verifier = built(builder().issuer(trusted(&issuer).claims(most)));
    let token = issuer
        .token()
        .claim("r0", "first")
        .claim("r31", "last")
        .claim("r32", "beyond");
    let roles: Vec<_> = accepted(&verifier, &token.build())
        .roles()
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(roles, ["first", "last"]);
}
