//! Every way to a verdict fills the cache and profits from it.

use http::Request;
use http::request::Parts;
use portcullis_core::{AuthenticateRequest, Scheme};
use portcullis_jwt::{JwtBearer, JwtError, VerifiedClaims, VerifiedToken, Verifier};

use crate::doubles::{House, entries, keys_of, poll, same};
use crate::support::{accepted, assert_refused, ready};

fn bearing(token: &str) -> Parts {
    let request = Request::new(());
    let mut parts = request.into_parts().0;
    parts
        .headers
        .insert("authorization", format!("Bearer {token}").parse().unwrap());
    parts
}

fn verified(verifier: &Verifier, token: &str) -> VerifiedToken {
    ready(verifier.verify(token)).expect("accepted")
}

fn is_claims_of(evidence: &VerifiedClaims, token: &VerifiedToken) -> bool {
    std::ptr::eq(evidence, &**token.claims())
}

#[test]
fn whoever_verifies_first_spares_the_others() {
    let house = House::new();
    let verifier = house.verifier();
    let bearer = JwtBearer::new(verifier.clone()).unwrap();
    let by_bearer = |token: &str| {
        ready(bearer.authenticate_request(&bearing(token)))
            .expect("accepted")
            .expect("present")
    };
    let [one, two, three] = [(); 3].map(|()| house.issuer.token().build());

    let first = accepted(&verifier, &one);
    assert!(same(&first, &verified(&verifier, &one)));
    assert!(is_claims_of(by_bearer(&one).details().unwrap(), &first));

    let first = verified(&verifier, &two);
    assert!(same(&first, &accepted(&verifier, &two)));

    let first = by_bearer(&three);
    assert!(is_claims_of(
        first.details().unwrap(),
        &accepted(&verifier, &three)
    ));
    assert_eq!(entries(&verifier), 3);
}

/// How a token arrived is a matter of the request, not of what is remembered: one that was sent on purpose first
/// is ambient in a cookie, and the other way round.
#[test]
fn a_hit_says_how_this_request_brought_it() {
    let house = House::new();
    let verifier = house.verifier();
    let header = JwtBearer::new(verifier.clone()).unwrap();
    let cookie = JwtBearer::new(verifier.clone())
        .unwrap()
        .in_cookie("__Host-id")
        .unwrap();
    let token = house.issuer.token().build();
    let mut baked = Request::new(()).into_parts().0;
    baked
        .headers
        .insert("cookie", format!("__Host-id={token}").parse().unwrap());
    for _ in 0..2 {
        let sent = ready(header.authenticate_request(&bearing(&token)))
            .unwrap()
            .unwrap();
        assert_eq!((sent.is_ambient(), sent.scheme()), (false, Some(&Scheme::BEARER)));
        let carried = ready(cookie.authenticate_request(&baked)).unwrap().unwrap();
        assert_eq!(
            (carried.is_ambient(), carried.scheme()),
            (true, Some(&Scheme::COOKIE))
        );
    }
    assert_eq!(entries(&verifier), 1);
}

/// A token whose key had to be waited for is remembered, and only while those keys are the current ones.
#[test]
fn a_token_that_waited_for_its_key_is_remembered() {
    let house = House::new();
    let keys = keys_of([&house.issuer.signing_key()]);
    let token = house.issuer.token().build();
    for becomes_current in [true, false] {
        for by_bearer in [true, false] {
            let (verifier, bearer);
            house.withdraw();
            house.keys.let_wait();
            verifier = house.verifier();
            bearer = JwtBearer::new(verifier.clone()).unwrap();
            let request = bearing(&token);
            let mut waiting = Box::pin(async {
                if by_bearer {
                    bearer.authenticate_request(&request).await.is_ok()
                } else {
                    verifier.verify(&token).await.is_ok()
                }
            });
            assert!(poll(&mut waiting).is_pending());
            assert_eq!(entries(&verifier), 0);
            assert_refused(&verifier, &token, JwtError::UnknownKey, "meanwhile");
            if becomes_current {
                house.keys.set(Ok(keys.clone()));
            }
            house.keys.deliver(Ok(keys.clone()));
            assert_eq!(poll(&mut waiting), std::task::Poll::Ready(true));
            assert_eq!(entries(&verifier), 1);
            if becomes_current {
                let hit = accepted(&verifier, &token);
                assert!(same(&hit, &accepted(&verifier, &token)));
                assert_eq!(entries(&verifier), 1);
            } else {
                assert_refused(&verifier, &token, JwtError::UnknownKey, "not the current keys");
                assert_eq!(entries(&verifier), 0);
            }
        }
    }
}

/// A request that was given up while it waited leaves nothing behind, and the next one is decided.
#[test]
fn a_request_that_is_dropped_while_it_waits_leaves_nothing() {
    let house = House::new();
    let keys = keys_of([&house.issuer.signing_key()]);
    let token = house.issuer.token().build();
    house.withdraw();
    house.keys.let_wait();
    let verifier = house.verifier();
    {
        let mut waiting = Box::pin(verifier.verify(&token));
        assert!(poll(&mut waiting).is_pending());
    }
    assert_eq!(entries(&verifier), 0);
    house.keys.deliver(Ok(keys.clone()));
    house.keys.set(Ok(keys));
    let first = accepted(&verifier, &token);
    assert!(same(&first, &accepted(&verifier, &token)));
}

/// The claims of a hit know their origin: they are asked later as those of a first verification.
#[test]
fn a_hit_can_be_asked_later_whether_it_holds() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let _ = accepted(&verifier, &token);
    let evidence = accepted(&verifier, &token).into_authentication().unwrap();
    let validity = evidence.validity().expect("tokens can be asked");
    assert_eq!(validity.check(), Ok(()));
    house.reload();
    assert_eq!(validity.check(), Ok(()), "the same key in a newer set");
    house.withdraw();
    assert_eq!(validity.check(), Err(portcullis_core::Invalid::KeyWithdrawn));
}
