//! What one verifier remembers is nothing to another.

use std::time::Duration;

use portcullis_jwt::{ClaimMap, JwtError, Profile, TrustedIssuer, Verifier, VerifierBuilder};

use crate::doubles::{House, cached, entries, same};
use crate::support::{ASYMMETRIC, accepted, assert_refused, builder, built};

/// A verifier with the same keys, clock and list, but for one setting.
fn other(house: &House, change: impl FnOnce(VerifierBuilder) -> VerifierBuilder) -> Verifier {
    let base = builder()
        .clock(house.clock.clone())
        .revocations(house.list.clone())
        .cache_tokens(10);
    built(change(base))
}

#[test]
fn a_clone_remembers_what_the_verifier_does() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let known = cached(&verifier, &token);
    let clone = verifier.clone();
    assert!(same(&known, &accepted(&clone, &token)));
    let other = house.issuer.token().build();
    assert!(same(&cached(&clone, &other), &accepted(&verifier, &other)));
}

/// Each differs in one thing that makes the token unacceptable; the token was remembered next door.
#[test]
fn another_verifier_judges_by_its_own_rules() {
    let house = House::new();
    let first = house.verifier();
    let token = house.issuer.token().typ("JWT").build();
    let _ = cached(&first, &token);
    let elsewhere = TrustedIssuer::new("https://elsewhere.test", house.keys.clone()).algorithms(ASYMMETRIC);
    let strict = ClaimMap::standard().require(["tenant"], ["blue"]);
    let short = Duration::from_secs(200);
    let others: Vec<(&str, Verifier, JwtError)> = vec![
        (
            "audience",
            built(
                Verifier::builder()
                    .issuer(house.trusted())
                    .audience("https://other.test")
                    .clock(house.clock.clone())
                    .cache_tokens(10),
            ),
            JwtError::Audience,
        ),
        (
            "issuer",
            other(&house, |base| base.issuer(elsewhere)),
            JwtError::Issuer,
        ),
        (
            "profile",
            other(&house, |base| {
                base.issuer(house.trusted()).profile(Profile::AccessToken)
            }),
            JwtError::WrongKind,
        ),
        (
            "algorithms",
            other(&house, |base| {
                let trusted = TrustedIssuer::new(house.issuer.url(), house.keys.clone());
                base.issuer(trusted.algorithms([portcullis_jwt::Algorithm::Rs256]))
            }),
            JwtError::AlgorithmNotAllowed,
        ),
        (
            "claims",
            other(&house, |base| base.issuer(house.trusted().claims(strict))),
            JwtError::RequiredClaim,
        ),
        (
            "lifetime",
            other(&house, |base| base.issuer(house.trusted()).max_lifetime(short)),
            JwtError::LifetimeTooLong,
        ),
    ];
    for (what, verifier, error) in others {
        assert_refused(&verifier, &token, error, what);
        assert_refused(&verifier, &token, error, what);
        assert_eq!(entries(&verifier), 0, "{what}");
    }
    let twin = house.verifier();
    assert!(!same(&accepted(&first, &token), &accepted(&twin, &token)));
}
