//! Every kind of token that one issuer signs, held against every profile (RFC 8725 §3.12).

use portcullis_jwt::{ClaimMap, JwtError, Profile};
use portcullis_test::{TestIssuer, TokenBuilder};
use serde_json::{Value, json};

use crate::support::{ISSUER, NOW, accepted, assert_refused, builder, built, issuer, trusted};

const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The kinds as an issuer signs them, with our audience, so that only the kind is wrong; `typ` is
/// taken away again by who wants to see them told apart by shape.
fn kinds(issuer: &TestIssuer) -> Vec<(&'static str, TokenBuilder)> {
    let plain = || issuer.token().without("client_id").without("jti");
    let id = || {
        plain()
            .typ("JWT")
            .claim("azp", TokenBuilder::CLIENT_ID)
            .claim("auth_time", NOW - 5)
    };
    vec![
        ("ID token with nonce", id().claim("nonce", "n-0S6_WzA2Mj")),
        (
            "ID token with at_hash",
            id().claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"),
        ),
        (
            "ID token with c_hash",
            id().claim("c_hash", "LDktKdoQak3Pk0cnXxCltA"),
        ),
        (
            "ID token with s_hash",
            id().claim("s_hash", "LDktKdoQak3Pk0cnXxCltA"),
        ),
        (
            "self-issued ID token",
            id().claim("sub_jwk", json!({"kty": "EC"})),
        ),
        (
            "logout token",
            issuer
                .token()
                .typ("logout+jwt")
                .claim("events", json!({LOGOUT_EVENT: {}}))
                .claim("sid", "session-1"),
        ),
        (
            "security event",
            issuer
                .token()
                .typ("secevent+jwt")
                .claim("events", json!({"urn:event": {}})),
        ),
        (
            "DPoP proof",
            issuer
                .token()
                .typ("dpop+jwt")
                .claim("htm", "GET")
                .claim("htu", "https://api.example.test/")
                .claim("ath", "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"),
        ),
        (
            "introspection response",
            issuer
                .token()
                .typ("token-introspection+jwt")
                .claim("token_introspection", json!({"active": true, "scope": "admin"})),
        ),
        (
            "status list",
            issuer
                .token()
                .typ("statuslist+jwt")
                .claim("status_list", json!({"bits": 1, "lst": "eNrbuRgAAhcBXQ"})),
        ),
    ]
}

/// BCP13, AT1, I13, row 16, row 23: each kind, as it is, against both profiles.
#[test]
fn no_other_kind_of_token_passes_for_an_access_token() {
    let issuer = issuer();
    for profile in [Profile::Jwt, Profile::AccessToken] {
        let verifier = built(builder().issuer(trusted(&issuer)).profile(profile));
        let _ = accepted(&verifier, &issuer.token().build());
        for (kind, token) in kinds(&issuer) {
            assert_refused(
                &verifier,
                &token.build(),
                JwtError::WrongKind,
                &format!("{kind}, {profile:?}"),
            );
        }
    }
}

/// BCP12, BCP13: the shape gives it away, whatever `typ` says, and so does `typ`, whatever the shape.
#[test]
fn a_kind_is_told_by_its_type_and_by_its_shape() {
    let issuer = issuer();
    let plain = built(builder().issuer(trusted(&issuer)));
    let strict = built(builder().issuer(trusted(&issuer)).profile(Profile::AccessToken));
    for (kind, token) in kinds(&issuer) {
        let token = token
            .claim("client_id", TokenBuilder::CLIENT_ID)
            .claim("jti", "id");
        for typ in ["at+jwt", "application/at+jwt"] {
            let posing = token.clone().typ(typ).build();
            assert_refused(&plain, &posing, JwtError::WrongKind, kind);
            assert_refused(&strict, &posing, JwtError::WrongKind, kind);
        }
        for posing in [token.clone().typ("JWT"), token.clone().without_header("typ")] {
            assert_refused(&plain, &posing.build(), JwtError::WrongKind, kind);
            assert_refused(&strict, &posing.build(), JwtError::WrongKind, kind);
        }
    }
    for typ in [
        "logout+jwt",
        "dpop+jwt",
        "token-introspection+jwt",
        "statuslist+jwt",
        "secevent+jwt",
        "client-authentication+jwt",
        "oauth-authz-req+jwt",
        "application/logout+jwt",
        "id+jwt",
        "ID",
        "Bearer",
        "JOSE",
        "JWE",
        "",
        " at+jwt",
        "at+jwt ",
        "at+jwt; v=1",
        "text/at+jwt",
        "application/application/at+jwt",
        "at+jwt,JWT",
        "JWTX",
    ] {
        let token = issuer.token().typ(typ).build();
        assert_refused(&plain, &token, JwtError::WrongKind, typ);
        assert_refused(&strict, &token, JwtError::WrongKind, typ);
    }
}

/// BCP13, CA4: a client's assertion names the client as its issuer, even when the same key signs it.
#[test]
fn a_client_assertion_is_refused() {
    let issuer = issuer();
    for profile in [Profile::Jwt, Profile::AccessToken] {
        let verifier = built(builder().issuer(trusted(&issuer)).profile(profile));
        let assertion = issuer
            .token()
            .claim("iss", TokenBuilder::CLIENT_ID)
            .subject(TokenBuilder::CLIENT_ID);
        let to_us = assertion.clone().build();
        assert_refused(&verifier, &to_us, JwtError::Issuer, "iss is the client");
        let posing = assertion.claim("iss", ISSUER).audience(ISSUER).build();
        assert_refused(&verifier, &posing, JwtError::Audience, "aud is the issuer");
    }
}

/// BCP13: an ID token for the client that happens to be an audience here is still told apart.
#[test]
fn shape_counts_wherever_the_claim_stands_and_whatever_it_holds() {
    let issuer = issuer();
    let verifier = built(builder().issuer(trusted(&issuer).claims(ClaimMap::empty())));
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    for value in ["null", "\"\"", "[]", "{}", "0", "false"] {
        for name in [
            "nonce",
            "at_hash",
            "c_hash",
            "events",
            "htm",
            "htu",
            "ath",
            "\\u006eonce",
        ] {
            let payload = claims.replacen('{', &format!("{{\"{name}\":{value},"), 1);
            let token = issuer.token().raw_payload(payload).build();
            assert_refused(&verifier, &token, JwtError::WrongKind, name);
        }
    }
    let nested: Value = json!({"nonce": "n", "events": {}});
    let _ = accepted(&verifier, &issuer.token().claim("details", nested).build());
}
