//! Several issuers: the keys and rules of one never serve another's tokens.

use portcullis_jwt::{Algorithm, JwtError, TrustedIssuer};
use portcullis_test::{ManualClock, SigningKey, TestIssuer};

use crate::support::{ASYMMETRIC, NOW, Spy, accepted, assert_refused, builder, built, ready};

fn house(name: &str) -> (TestIssuer, Spy) {
    let issuer = TestIssuer::new(name)
        .clock(ManualClock::at(NOW))
        .with_key(&SigningKey::es256("key-1"));
    let spy = Spy::new(&issuer.jwks());
    (issuer, spy)
}

fn trusted(issuer: &TestIssuer, spy: &Spy) -> TrustedIssuer {
    TrustedIssuer::new(issuer.url(), spy.clone()).algorithms(ASYMMETRIC)
}

/// BCP9, T2, row 17: the same key id, the same algorithm, another issuer.
#[test]
fn a_key_of_one_issuer_never_verifies_another_ones_token() {
    let (a, a_keys) = house("https://a.test");
    let (b, b_keys) = house("https://b.test");
    let verifier = built(
        builder()
            .issuer(trusted(&a, &a_keys))
            .issuer(trusted(&b, &b_keys)),
    );
    assert_eq!(
        accepted(&verifier, &a.token().build()).claims().issuer(),
        "https://a.test"
    );
    assert_eq!(
        accepted(&verifier, &b.token().build()).claims().issuer(),
        "https://b.test"
    );
    assert_eq!((a_keys.looked_at(), b_keys.looked_at()), (1, 1));

    let posing = a.token().claim("iss", "https://b.test").build();
    assert_refused(&verifier, &posing, JwtError::Signature, "signed by a, says b");
    assert_eq!(
        (a_keys.looked_at(), b_keys.looked_at()),
        (1, 2),
        "only the named issuer's keys"
    );

    let foreign = a.token().claim("iss", "https://c.test").build();
    assert_refused(&verifier, &foreign, JwtError::Issuer, "nobody we know");
    let nameless = a.token().without("iss").build();
    assert_refused(&verifier, &nameless, JwtError::MissingClaim("iss"), "no issuer");
    assert_eq!((a_keys.looked_at(), b_keys.looked_at()), (1, 2), "nobody's keys");
}

/// BCP9, K9: a token of a stranger does not make anybody fetch keys, with one issuer or with two.
#[test]
fn a_strangers_token_causes_no_refresh() {
    let (a, a_keys) = house("https://a.test");
    let (b, b_keys) = house("https://b.test");
    let one = built(builder().issuer(trusted(&a, &a_keys)));
    let two = built(
        builder()
            .issuer(trusted(&a, &a_keys))
            .issuer(trusted(&b, &b_keys)),
    );
    let stranger = TestIssuer::new("https://stranger.test")
        .clock(ManualClock::at(NOW))
        .with_key(&SigningKey::es256("their-key"));
    for verifier in [&one, &two] {
        let refused = ready(verifier.verify(&stranger.token().build()));
        assert_eq!(refused.err(), Some(JwtError::Issuer));
        let nameless = ready(verifier.verify(&stranger.token().without("iss").build()));
        assert_eq!(nameless.err(), Some(JwtError::MissingClaim("iss")));
    }
    assert!(a_keys.refreshed().is_empty() && b_keys.refreshed().is_empty());

    let rotated = a.token().kid("key-2").build();
    for verifier in [&one, &two] {
        assert_eq!(ready(verifier.verify(&rotated)).err(), Some(JwtError::UnknownKey));
    }
    assert_eq!((a_keys.refreshed().len(), b_keys.refreshed().len()), (2, 0));
}

/// BCP2: what one issuer may use, another may not.
#[test]
fn algorithms_are_allowed_issuer_by_issuer() {
    let (a, a_keys) = house("https://a.test");
    let (b, _) = house("https://b.test");
    let b = b.with_key(&SigningKey::eddsa("key-1"));
    let b_keys = Spy::new(&b.jwks());
    let verifier = built(
        builder()
            .issuer(TrustedIssuer::new("https://a.test", a_keys.clone()).algorithms([Algorithm::Es256]))
            .issuer(TrustedIssuer::new("https://b.test", b_keys.clone()).algorithms([Algorithm::EdDsa])),
    );
    let _ = accepted(&verifier, &a.token().build());
    let _ = accepted(&verifier, &b.token().build());
    for posing in [
        a.token().claim("iss", "https://b.test"),
        b.token().claim("iss", "https://a.test"),
    ] {
        assert_refused(
            &verifier,
            &posing.build(),
            JwtError::AlgorithmNotAllowed,
            "the other's",
        );
    }
    assert_eq!(
        (a_keys.looked_at(), b_keys.looked_at()),
        (1, 1),
        "refused before any key"
    );
    assert!(verifier.allows(Algorithm::Es256) && verifier.allows(Algorithm::EdDsa));
    assert!(!verifier.allows(Algorithm::Rs256) && !verifier.allows(Algorithm::Hs256));
}

/// T3, BCP9: an audience that one issuer was given is not the other's.
#[test]
fn an_audience_of_one_issuer_is_not_the_others() {
    let (a, a_keys) = house("https://a.test");
    let (b, b_keys) = house("https://b.test");
    let verifier = built(
        builder()
            .issuer(trusted(&a, &a_keys).audience("urn:only-a"))
            .issuer(trusted(&b, &b_keys)),
    );
    let _ = accepted(&verifier, &a.token().audience("urn:only-a").build());
    let refused = b.token().audience("urn:only-a").build();
    assert_refused(&verifier, &refused, JwtError::Audience, "b has no such audience");
}

/// BCP9, T-LINK-4: two people with one name are two.
#[test]
fn the_same_subject_of_two_issuers_is_two_principals() {
    let (a, a_keys) = house("https://a.test");
    let (b, b_keys) = house("https://b.test");
    let verifier = built(
        builder()
            .issuer(trusted(&a, &a_keys))
            .issuer(trusted(&b, &b_keys)),
    );
    let [one, two] = [&a, &b].map(|issuer| {
        let verified = accepted(&verifier, &issuer.token().build());
        verified.into_authentication().unwrap().principal().clone()
    });
    assert_ne!(one, two);
    assert_eq!((one.subject(), two.subject()), ("alice", "alice"));
}

/// JWKS, J9: everything that needs no key is refused before anybody looks for one.
#[test]
fn what_needs_no_key_is_refused_before_any_is_looked_at() {
    let (issuer, spy) = house("https://a.test");
    let verifier = built(builder().issuer(trusted(&issuer, &spy)));
    let token = issuer.token();
    for broken in [
        "x".repeat(20_000),
        String::new(),
        "..".to_owned(),
        token.clone().alg("none").build(),
        token.clone().alg("HS256").build(),
        token.clone().header("crit", serde_json::json!([])).build(),
        token.clone().header("enc", "A128GCM").build(),
        token.clone().header("cty", "JWT").build(),
        token.clone().typ("logout+jwt").build(),
        token.clone().raw_header("{}").build(),
        token.unsigned().build(),
    ] {
        assert!(ready(verifier.verify(&broken)).is_err());
    }
    assert_eq!((spy.looked_at(), spy.refreshed().len()), (0, 0));
}
