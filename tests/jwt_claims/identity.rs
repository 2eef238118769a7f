//! `sub`, `jti`, `acr`, `amr`, `auth_time`: who, which token, how.

use portcullis_jwt::JwtError;
use portcullis_test::SigningKey;
use serde_json::{Value, json};

use crate::support::{NOW, accepted, assert_refused, issuer, issuer_of, verifier};

/// BCP9, T8: a subject is a text; without one there is nobody to speak of.
#[test]
fn a_subject_is_a_text_that_is_not_empty() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let odd = "\u{202e}../alice\u{0}\u{1f600}";
    for sub in ["alice", "0", " ", odd] {
        let verified = accepted(&verifier, &issuer.token().subject(sub).build());
        assert_eq!(verified.subject(), Some(sub));
        let authentication = verified.into_authentication().unwrap();
        assert_eq!(authentication.principal().subject(), sub);
    }
    for sub in [
        json!(""),
        json!(1),
        json!(null),
        json!(true),
        json!(["alice"]),
        json!({"sub": "alice"}),
    ] {
        let token = issuer.token().claim("sub", sub.clone()).build();
        assert_refused(&verifier, &token, JwtError::Claims, &sub.to_string());
    }
    let nobody = accepted(&verifier, &issuer.token().without("sub").build());
    assert_eq!(nobody.subject(), None);
    assert_eq!(
        nobody.into_authentication().err(),
        Some(JwtError::MissingClaim("sub"))
    );
}

/// P-JWT3: the token's id is handed on as it was written.
#[test]
fn a_token_id_is_a_text() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let verified = accepted(&verifier, &issuer.token().claim("jti", "id-1").build());
    assert_eq!(verified.claims().token_id(), Some("id-1"));
    let none = accepted(&verifier, &issuer.token().without("jti").build());
    assert_eq!(none.claims().token_id(), None);
    for jti in [json!(1), json!(null), json!(["id-1"]), json!({})] {
        let token = issuer.token().claim("jti", jti.clone()).build();
        assert_refused(&verifier, &token, JwtError::Claims, &jti.to_string());
    }
}

/// AT9, SU3: how and when the person signed in is handed on, and of its proper type.
#[test]
fn what_is_known_of_the_sign_in_is_handed_on() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let token = issuer
        .token()
        .claim("acr", "gold")
        .claim("amr", json!(["pwd", "otp"]))
        .claim("auth_time", NOW - 60);
    let authentication = accepted(&verifier, &token.build()).into_authentication().unwrap();
    assert_eq!(authentication.acr(), Some("gold"));
    let factors: Vec<_> = authentication
        .factors()
        .iter()
        .map(|factor| factor.name())
        .collect();
    assert_eq!(factors, ["pwd", "otp"]);
    assert_eq!(
        authentication.authenticated_at().map(|at| at.as_unix_seconds()),
        Some(NOW - 60)
    );
    let wrong: [(&str, Value); 7] = [
        ("acr", json!(1)),
        ("acr", json!(["gold"])),
        ("amr", json!("pwd")),
        ("amr", json!([1])),
        ("amr", json!([["pwd"]])),
        ("auth_time", json!("now")),
        ("auth_time", json!(-1)),
    ];
    for (name, value) in wrong {
        let what = format!("{name}: {value}");
        let broken = token.clone().claim(name, value).build();
        assert_refused(&verifier, &broken, JwtError::Claims, &what);
    }
}

/// BCP9: the principal is the pair, and the issuer is the configured one.
#[test]
fn the_principal_is_issuer_and_subject() {
    let issuer = issuer_of(&SigningKey::eddsa("key-1"));
    let verified = accepted(&verifier(&issuer), &issuer.token().build());
    let authentication = verified.into_authentication().unwrap();
    assert_eq!(authentication.principal().issuer(), "https://issuer.test");
    assert_eq!(authentication.principal().subject(), "alice");
}
