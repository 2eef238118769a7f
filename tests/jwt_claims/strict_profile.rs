//! RFC 9068: what its access tokens must have, each left out once.

use portcullis_jwt::{ClaimMap, JwtError, Profile, Verifier};
use portcullis_test::TestIssuer;
use serde_json::json;

use crate::support::{accepted, assert_refused, builder, built, issuer, trusted};

fn strict(issuer: &TestIssuer) -> Verifier {
    built(builder().issuer(trusted(issuer)).profile(Profile::AccessToken))
}

/// AT1, BCP12: in any case, with or without the prefix; nothing else, and not left out.
#[test]
fn the_type_of_an_access_token_is_mandatory() {
    let issuer = issuer();
    let verifier = strict(&issuer);
    for typ in [
        "at+jwt",
        "at+JWT",
        "AT+JWT",
        "application/at+jwt",
        "APPLICATION/AT+JWT",
    ] {
        let _ = accepted(&verifier, &issuer.token().typ(typ).build());
    }
    for typ in ["JWT", "jwt", "application/jwt", ""] {
        let token = issuer.token().typ(typ).build();
        assert_refused(&verifier, &token, JwtError::WrongKind, typ);
    }
    let token = issuer.token().without_header("typ").build();
    assert_refused(&verifier, &token, JwtError::WrongKind, "missing");
}

/// AT2-AT5, AT7, T9
#[test]
fn every_mandatory_claim_is_missed() {
    let issuer = issuer();
    let verifier = strict(&issuer);
    let _ = accepted(&verifier, &issuer.token().build());
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let token = issuer.token().without(name).build();
        assert_refused(&verifier, &token, JwtError::MissingClaim(name), name);
    }
}

/// AT7: `client_id` is that claim, wherever the claim map looks for the client.
#[test]
fn no_other_claim_stands_in_for_the_client_id() {
    let issuer = issuer();
    let verifier = strict(&issuer);
    for name in ["azp", "cid", "appid", "clientId", "Client_id"] {
        let token = issuer
            .token()
            .without("client_id")
            .claim(name, "test-client")
            .build();
        assert_refused(&verifier, &token, JwtError::MissingClaim("client_id"), name);
    }
    for map in [
        ClaimMap::empty(),
        ClaimMap::okta(),
        ClaimMap::google(),
        ClaimMap::entra_v2(),
    ] {
        let trusted = trusted(&issuer).claims(map);
        let verifier = built(builder().issuer(trusted).profile(Profile::AccessToken));
        let _ = accepted(&verifier, &issuer.token().build());
        let token = issuer
            .token()
            .without("client_id")
            .claim("cid", "x")
            .claim("azp", "x");
        assert_refused(
            &verifier,
            &token.build(),
            JwtError::MissingClaim("client_id"),
            "elsewhere",
        );
    }
    for value in [json!(["test-client"]), json!(1), json!(null), json!({})] {
        let token = issuer.token().claim("client_id", value.clone()).build();
        assert_refused(&verifier, &token, JwtError::Claims, &value.to_string());
    }
}

/// AT3, AT7, T4: the loud opt-out is for issuers that do not follow the profile.
#[test]
fn the_profile_asks_for_an_audience_whatever_else_is_configured() {
    let issuer = issuer();
    let lax = builder()
        .issuer(trusted(&issuer))
        .dangerous_without_audience()
        .profile(Profile::AccessToken);
    let Ok(verifier) = lax.build() else {
        return; // A contradiction that is not built is as good.
    };
    let _ = accepted(&verifier, &issuer.token().build());
    let token = issuer.token().without("aud").build();
    assert_refused(&verifier, &token, JwtError::MissingClaim("aud"), "no audience");
}

/// AT4, AT8
#[test]
fn nothing_else_is_waived_for_an_access_token() {
    let issuer = issuer();
    let verifier = strict(&issuer);
    for (token, expected) in [
        (issuer.token().alg("none"), JwtError::AlgorithmNotAllowed),
        (issuer.expired_token(), JwtError::Expired),
        (issuer.wrong_audience_token(), JwtError::Audience),
        (issuer.wrong_issuer_token(), JwtError::Issuer),
        (issuer.forged_token(), JwtError::Signature),
        (issuer.token().tampered_payload(), JwtError::Signature),
        (issuer.token().claim("cnf", json!({"jkt": "a"})), JwtError::Bound),
    ] {
        assert_refused(&verifier, &token.build(), expected, expected.reason());
    }
}

/// AT9, AT10: what the profile carries is handed on.
#[test]
fn what_an_access_token_carries_is_handed_on() {
    let issuer = issuer();
    let token = issuer
        .token()
        .scope("documents:read documents:list")
        .roles(["admin"])
        .claim("acr", "gold");
    let authentication = accepted(&strict(&issuer), &token.build())
        .into_authentication()
        .unwrap();
    assert!(authentication.scopes().contains("documents:list"));
    assert!(authentication.roles().contains("admin"));
    assert_eq!(authentication.client_id(), Some("test-client"));
    assert!(!authentication.is_client());
}
