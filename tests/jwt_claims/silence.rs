//! What is printed, logged and answered never holds a credential, and never says which check failed.

use http::Request;
use portcullis_core::{AuthError, AuthenticateRequest, Secret};
use portcullis_jwt::{Algorithm, JwtBearer, JwtError, StaticKeySet, VerifyingKey};
use serde_json::json;

use crate::support::{accepted, issuer, ready, segments, verifier};

const MARK: &str = "wombat";

/// B16, P-JWT4: every way of printing everything that a request with a token makes.
#[test]
fn nothing_that_is_printed_holds_a_token_or_its_private_claims() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let token = issuer.token().claim("private", MARK).claim("jti", MARK).build();
    let [header, payload, signature] = segments(&token);
    let bearer = JwtBearer::new(verifier.clone()).unwrap();
    let request = Request::builder().header("authorization", format!("Bearer {token}"));
    let parts = request.body(()).unwrap().into_parts().0;
    let check = bearer.authenticate_request(&parts);
    let verified = accepted(&verifier, &token);
    let mut printed = vec![
        format!("{verifier:?}"),
        format!("{bearer:?}"),
        format!("{check:?}"),
        format!("{verified:?}"),
        format!("{:?}", verified.claims()),
        format!("{:?}", bearer.presence(&parts)),
    ];
    let authentication = ready(check).unwrap().unwrap();
    printed.push(format!("{authentication:?}"));
    for text in &printed {
        for secret in [header, payload, signature, MARK] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

/// P-JWT4, AT8, B6: every refusal looks the same to the client; the reason is for the log.
#[test]
fn every_refusal_looks_the_same_on_the_wire() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let bearer = JwtBearer::new(verifier).unwrap();
    let token = || issuer.token().claim("jti", MARK);
    let mut answers = Vec::new();
    let mut reasons = Vec::new();
    for broken in [
        token().tampered_signature(),
        token().tampered_payload(),
        token().lifetime(-3600),
        token().audience("urn:wombat"),
        token().claim("iss", "https://wombat.test"),
        token().kid(MARK),
        token().alg(MARK),
        token().typ(MARK),
        token().header("crit", json!([MARK])),
        token().claim("cnf", json!({"jkt": MARK})),
        token().claim("nonce", MARK),
        token().without("sub"),
        token().without("exp"),
        token().raw_payload(MARK),
        token().raw_header(MARK),
    ] {
        let request = Request::builder().header("authorization", broken.bearer());
        let parts = request.body(()).unwrap().into_parts().0;
        let error: AuthError = ready(bearer.authenticate_request(&parts)).unwrap_err();
        let mut headers = http::HeaderMap::new();
        error.write_headers(&mut headers);
        let source = std::error::Error::source(&error).map(ToString::to_string);
        for text in [
            format!("{error}"),
            format!("{error:?}"),
            source.unwrap_or_default(),
        ] {
            assert!(!text.contains(MARK), "{text}");
        }
        reasons.push(error.reason());
        answers.push(format!("{} {headers:?}", error.status()));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert!(answers[0].starts_with("401"), "{}", answers[0]);
    reasons.dedup();
    assert!(reasons.len() > 8, "the log tells them apart: {reasons:?}");
}

/// B16, A1: neither keys nor their errors show a secret.
#[test]
fn no_key_shows_its_secret() {
    let secret = Secret::new(MARK.repeat(12).into_bytes());
    let key = VerifyingKey::hmac(Algorithm::Hs256, &secret).unwrap();
    let set = StaticKeySet::new([key.clone()]).unwrap();
    for text in [format!("{key:?}"), format!("{set:?}"), format!("{secret:?}")] {
        assert!(!text.contains(MARK) && !text.contains("119, 111"), "{text}");
    }
    let error = VerifyingKey::from_pem(MARK.as_bytes()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(MARK));
}

/// P-JWT4: a stable code for each, and no part of a token in any.
#[test]
fn a_missing_claim_is_named_by_us_only() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let refused = verifier
        .verify_now(&issuer.token().without("aud").build())
        .unwrap_err();
    assert_eq!(refused, JwtError::MissingClaim("aud"));
    assert_eq!(
        (refused.reason(), refused.to_string().as_str()),
        ("claim_missing", "the claim aud is missing")
    );
}
