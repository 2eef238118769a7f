//! Scopes and roles: read where they are configured to be, and nowhere else.

use portcullis_jwt::{ClaimMap, JwtError, VerifiedToken, Verifier};
use portcullis_test::{TestIssuer, TokenBuilder};
use serde_json::{Value, json};

use crate::support::{accepted, assert_refused, builder, built, issuer, trusted, verifier};

fn with_map(issuer: &TestIssuer, map: ClaimMap) -> Verifier {
    built(builder().issuer(trusted(issuer).claims(map)))
}

fn scopes(verified: &VerifiedToken) -> Vec<&str> {
    verified.scopes().iter().collect()
}

fn roles(verified: &VerifiedToken) -> Vec<&str> {
    verified.roles().iter().collect()
}

/// B15, AT9
#[test]
fn scopes_are_read_from_a_string_or_an_array() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let found: [(Value, &[&str]); 6] = [
        (json!("a:b c"), &["a:b", "c"]),
        (json!(["a:b", "c"]), &["a:b", "c"]),
        (json!("  a:b   c "), &["a:b", "c"]),
        (json!(""), &[]),
        (json!([]), &[]),
        (json!(["", "c"]), &["c"]),
    ];
    for (value, expected) in found {
        let verified = accepted(&verifier, &issuer.token().claim("scope", value.clone()).build());
        assert_eq!(scopes(&verified), expected, "{value}");
        assert!(!verified.scopes().contains("a"), "no substrings");
        assert!(!verified.scopes().contains(""), "nothing is no scope");
        assert!(!verified.scopes().contains("a:b c"), "a list is no scope");
    }
}

/// B12, B15, T8: what RFC 6749 §3.3 does not allow refuses the token instead of being repaired.
#[test]
fn a_scope_that_is_none_refuses_the_token() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    for value in [
        json!("a\tb"),
        json!("a\nb"),
        json!("a\u{a0}b"),
        json!("a\"b"),
        json!("a\\b"),
        json!("\u{e9}"),
        json!("a\u{0}"),
        json!("a\u{7f}"),
        json!(["a b"]),
        json!([" a"]),
        json!(["a", "b admin"]),
        json!(1),
        json!(null),
        json!(true),
        json!({}),
        json!({"admin": true}),
        json!(["a", 1]),
        json!([["a"]]),
        json!([{"scope": "a"}]),
    ] {
        let token = issuer.token().claim("scope", value.clone()).build();
        assert_refused(&verifier, &token, JwtError::Claims, &value.to_string());
    }
}

/// AT9: a role is one value, spaces and all; nothing is split, nothing is joined.
#[test]
fn a_role_is_never_split() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let found: [(Value, &[&str]); 5] = [
        (json!("admin"), &["admin"]),
        (json!("user admin"), &["user admin"]),
        (json!(["user admin", "x"]), &["user admin", "x"]),
        (json!(["user,admin"]), &["user,admin"]),
        (json!([]), &[]),
    ];
    for (value, expected) in found {
        let verified = accepted(&verifier, &issuer.token().claim("roles", value.clone()).build());
        assert_eq!(roles(&verified), expected, "{value}");
        assert_eq!(
            verified.roles().contains("admin"),
            expected.contains(&"admin"),
            "{value}"
        );
    }
    for value in [
        json!(1),
        json!(null),
        json!({"admin": true}),
        json!([true]),
        json!([["admin"]]),
    ] {
        let token = issuer.token().claim("roles", value.clone()).build();
        assert_refused(&verifier, &token, JwtError::Claims, &value.to_string());
    }
}

/// B15: a scope is no role and a role is no scope, whatever they are called.
#[test]
fn scopes_and_roles_do_not_turn_into_each_other() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let scoped = accepted(
        &verifier,
        &issuer.token().scope("admin roles:admin roles").build(),
    );
    assert!(roles(&scoped).is_empty());
    let roled = accepted(
        &verifier,
        &issuer.token().roles(["documents:read", "a b"]).build(),
    );
    assert!(scopes(&roled).is_empty());
    let elsewhere = issuer
        .token()
        .claim("role", "admin")
        .claim("Roles", json!(["admin"]))
        .claim("scp", "documents:read")
        .claim("scopes", "documents:read")
        .claim("permissions", json!(["documents:read"]))
        .claim("groups", json!(["admin"]))
        .claim("realm_access", json!({"roles": ["admin"]}))
        .claim("a", json!({"roles": ["admin"], "scope": "documents:read"}));
    let verified = accepted(&verifier, &elsewhere.build());
    assert!(roles(&verified).is_empty() && scopes(&verified).is_empty());
}

/// T8: a path leads through members of objects only, and ends where it says.
#[test]
fn a_path_leads_through_objects_only() {
    let issuer = issuer();
    let map = ClaimMap::empty()
        .roles_at(["realm_access", "roles"])
        .scopes_at(["a", "b", "c"]);
    let verifier = with_map(&issuer, map);
    let with = |name: &str, value: Value| issuer.token().claim(name, value).build();
    let good = accepted(
        &verifier,
        &with("realm_access", json!({"roles": ["admin"], "x": [1, {}]})),
    );
    assert_eq!(roles(&good), ["admin"]);
    let deep = accepted(&verifier, &with("a", json!({"b": {"c": "read"}})));
    assert_eq!(scopes(&deep), ["read"]);
    for value in [
        json!([{"roles": ["admin"]}]),
        json!({"x": {"roles": ["admin"]}}),
        json!({"Roles": ["admin"]}),
        json!({"roles2": ["admin"]}),
        json!({"realm_access": {"roles": ["admin"]}}),
        json!({"realm_access.roles": ["admin"]}),
        json!(["roles", "admin"]),
        json!("admin"),
        json!("roles"),
        json!(1),
        json!(null),
    ] {
        let verified = accepted(&verifier, &with("realm_access", value.clone()));
        assert!(roles(&verified).is_empty(), "{value}");
    }
    for (name, value) in [
        ("roles", json!(["admin"])),
        ("realm_access.roles", json!(["admin"])),
        ("resource_access", json!({"roles": ["admin"]})),
        ("b", json!({"c": "read"})),
        ("a", json!({"c": "read"})),
        ("a", json!({"b": "read"})),
        ("a", json!({"b": {"d": {"c": "read"}}})),
    ] {
        let verified = accepted(&verifier, &with(name, value));
        assert!(
            roles(&verified).is_empty() && scopes(&verified).is_empty(),
            "{name}"
        );
    }
    for roles in [
        json!([["admin"]]),
        json!([{"roles": "admin"}]),
        json!({"admin": 1}),
        json!(1),
    ] {
        let token = with("realm_access", json!({"roles": roles}));
        assert_refused(&verifier, &token, JwtError::Claims, "of another type");
    }
}

/// J3: two places that claim to be one are refused, at any depth.
#[test]
fn a_path_that_stands_there_twice_is_refused() {
    let issuer = issuer();
    let verifier = with_map(&issuer, ClaimMap::keycloak());
    let claims = serde_json::to_string(issuer.token().claim("typ", "Bearer").claims()).unwrap();
    for twice in [
        r#""realm_access":{"roles":["a"]},"realm_access":{"roles":["admin"]}"#,
        r#""realm_access":{"roles":["a"],"roles":["admin"]}"#,
        r#""realm_access":{"roles":["a"],"\u0072oles":["admin"]}"#,
        r#""realm_access":{"roles":["a"],"x":{"y":1,"y":2}}"#,
        r#""realm_access":{"roles":["a"],"x":[{"y":1,"y":2}]}"#,
    ] {
        let payload = claims.replacen('{', &format!("{{{twice},"), 1);
        let token = issuer.token().raw_payload(payload).build();
        assert_refused(&verifier, &token, JwtError::Claims, twice);
    }
}

/// AT9: several places add up; the same place for both is what was asked for.
#[test]
fn several_places_add_up() {
    let issuer = issuer();
    let map = ClaimMap::standard()
        .scopes_at(["permissions"])
        .roles_at(["resource_access", "invoices", "roles"])
        .roles_at(["realm_access", "roles"]);
    let verifier = with_map(&issuer, map);
    let token = issuer
        .token()
        .scope("a b")
        .claim("permissions", json!(["c", "d"]))
        .roles(["one"])
        .claim(
            "resource_access",
            json!({"invoices": {"roles": ["two"]}, "other": {"roles": ["no"]}}),
        )
        .claim("realm_access", json!({"roles": ["three"]}));
    let verified = accepted(&verifier, &token.build());
    let mut found = (scopes(&verified), roles(&verified));
    found.0.sort_unstable();
    found.1.sort_unstable();
    assert_eq!(found, (vec!["a", "b", "c", "d"], vec!["one", "three", "two"]));
    let smuggled = token.claim("permissions", json!(["c d"])).build();
    assert_refused(&verifier, &smuggled, JwtError::Claims, "two permissions in one");
}

/// BCP9: the claims with checks of their own are no place for scopes, roles or clients.
#[test]
fn claims_with_checks_of_their_own_are_no_place_for_roles() {
    let issuer = issuer();
    for name in ["iss", "aud", "exp", "nbf", "iat", "cnf", "auth_time"] {
        for map in [
            ClaimMap::standard().roles_at([name]),
            ClaimMap::standard().scopes_at([name, "x"]),
            ClaimMap::standard().client_id_at([name]),
            ClaimMap::standard().client_when([name], "x"),
        ] {
            assert!(
                builder().issuer(trusted(&issuer).claims(map)).build().is_err(),
                "{name}"
            );
        }
    }
}

/// AT9: a registered list can be a place of roles too, and is still read for what it is.
#[test]
fn a_registered_claim_can_be_a_place_of_roles() {
    let issuer = issuer();
    let verifier = with_map(&issuer, ClaimMap::empty().roles_at(["amr"]).scopes_at(["acr"]));
    let token: TokenBuilder = issuer
        .token()
        .claim("amr", json!(["pwd", "otp"]))
        .claim("acr", "a b");
    let verified = accepted(&verifier, &token.build());
    assert_eq!(
        (roles(&verified), scopes(&verified)),
        (vec!["pwd", "otp"], vec!["a", "b"])
    );
    let authentication = verified.into_authentication().unwrap();
    assert_eq!(
        (authentication.factors().len(), authentication.acr()),
        (2, Some("a b"))
    );
}

/// BCP1: a path that is the beginning of another can be met by no token: a mistake at the start.
#[test]
fn paths_that_exclude_each_other_are_refused_at_the_start() {
    let issuer = issuer();
    let map = ClaimMap::empty().roles_at(["a"]).scopes_at(["a", "b"]);
    assert!(builder().issuer(trusted(&issuer).claims(map)).build().is_err());
    let foreign = ClaimMap::empty().require(["nonce"], ["n"]);
    assert!(
        builder()
            .issuer(trusted(&issuer).claims(foreign))
            .build()
            .is_err()
    );
}
