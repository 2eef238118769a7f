//! `cnf`: a token that is bound to something is never taken without it.

use portcullis_jwt::{JwtError, Profile};
use serde_json::json;

use crate::support::{accepted, assert_refused, builder, built, issuer, trusted};

/// T-CNF-1, D15, MT4, MT10, row 18: whatever the confirmation asks for, nobody here can check it.
#[test]
fn a_bound_token_is_refused_whatever_it_is_bound_to() {
    let issuer = issuer();
    for profile in [Profile::Jwt, Profile::AccessToken] {
        let verifier = built(builder().issuer(trusted(&issuer)).profile(profile));
        let _ = accepted(&verifier, &issuer.token().build());
        for cnf in [
            json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
            json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
            json!({"jkt": "a", "x5t#S256": "b"}),
            json!({"jwk": {"kty": "EC"}}),
            json!({"kid": "key-1"}),
            json!({"jku": "https://attacker.test"}),
            json!({"osc": {}}),
            json!({"unknown": 1}),
            json!({}),
            json!([]),
            json!(null),
            json!(false),
            json!(0),
            json!(""),
        ] {
            let token = issuer.token().claim("cnf", cnf.clone()).build();
            assert_refused(&verifier, &token, JwtError::Bound, &cnf.to_string());
        }
    }
}

/// T-CNF-1: the name with escapes is the same name; one in another place or case is another claim.
#[test]
fn only_the_claim_cnf_binds_and_escapes_do_not_hide_it() {
    let issuer = issuer();
    let verifier = built(builder().issuer(trusted(&issuer)));
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    let hidden = claims.replacen('{', "{\"c\\u006ef\":{\"jkt\":\"a\"},", 1);
    let token = issuer.token().raw_payload(hidden).build();
    assert_refused(&verifier, &token, JwtError::Bound, "escaped");
    let nested = issuer.token().claim("act", json!({"cnf": {"jkt": "a"}})).build();
    let _ = accepted(&verifier, &nested);
    let twice = claims.replacen('{', "{\"cnf\":{\"jkt\":\"a\",\"jkt\":\"b\"},", 1);
    let token = issuer.token().raw_payload(twice).build();
    assert_refused(&verifier, &token, JwtError::Claims, "a member twice");
}

/// T-CNF-1: what is wrong with a bound token otherwise is still wrong.
#[test]
fn a_bound_token_gets_no_other_check_waived() {
    let issuer = issuer();
    let verifier = built(builder().issuer(trusted(&issuer)));
    let bound = issuer.token().claim("cnf", json!({"jkt": "a"}));
    for token in [
        bound.clone().tampered_signature(),
        bound.clone().lifetime(-3600),
        bound.audience("https://other.test"),
    ] {
        assert!(verifier.verify_now(&token.build()).is_err());
    }
}
