//! A verifier that remembers tokens asks the keys each time, and so notices what becomes of them.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::Arc;

use portcullis_jwt::{Algorithm, JwtError, TrustedIssuer, VerifiedToken, Verifier};
use portcullis_test::{TokenBuilder, answer};

use crate::support::{World, s};

mod support;

fn remembering(world: &World) -> Verifier {
    let issuer = TrustedIssuer::new(world.issuer.url(), world.keys.clone()).algorithms([Algorithm::Es256]);
    Verifier::builder()
        .issuer(issuer)
        .audience(TokenBuilder::AUDIENCE)
        .clock(world.clock.clone())
        .cache_tokens(10)
        .build()
        .expect("a sound configuration")
}

fn hit(verifier: &Verifier, token: &str) -> Result<VerifiedToken, JwtError> {
    let [first, second] = [(); 2].map(|()| verifier.verify_now(token));
    let (first, second) = (first?, second?);
    assert!(Arc::ptr_eq(first.claims(), second.claims()), "remembered");
    Ok(second)
}

/// T-JWKS-4: where every request is a hit, the keys are still fetched in time, and a withdrawn one takes its
/// tokens with it with the answer that withdraws it.
#[tokio::test(start_paused = true)]
async fn hits_alone_notice_a_withdrawn_key() {
    let world = World::warm().await;
    let verifier = remembering(&world);
    let token = world.issuer.token().lifetime(10_000).build();
    assert!(hit(&verifier, &token).is_ok());
    world.issuer.rotate_and_retire();
    world.fetch.push(answer::status(500));
    world.pass(s(500)).await;
    assert!(hit(&verifier, &token).is_ok());
    world.settle().await;
    assert!(hit(&verifier, &token).is_ok(), "a failure removes nothing");
    world.pass(s(30)).await;
    assert!(hit(&verifier, &token).is_ok(), "a hit never waits");
    world.settle().await;
    assert_eq!(world.fetch.arrived(), 3, "nobody but hits asked");
    assert_eq!(hit(&verifier, &token).err(), Some(JwtError::UnknownKey));
    let new = world.issuer.token().build();
    assert!(hit(&verifier, &new).is_ok());
}

/// R3: a fetch that hangs keeps no hit waiting, and the confirmation that it brings in the end (304) leaves
/// everything remembered.
#[tokio::test(start_paused = true)]
async fn a_hit_passes_while_a_fetch_hangs() {
    let world = World::warm().await;
    let verifier = remembering(&world);
    let token = world.issuer.token().lifetime(10_000).build();
    let known = hit(&verifier, &token).expect("good");
    let held = world.fetch.hold();
    world.pass(s(500)).await;
    let again = hit(&verifier, &token).expect("good");
    World::yield_to_others().await;
    assert!(world.keys.status().fetching);
    assert!(Arc::ptr_eq(known.claims(), again.claims()));
    held.release();
    world.settle().await;
    assert_eq!(world.fetch.answered(), 2);
    let again = hit(&verifier, &token).expect("the same keys");
    assert!(Arc::ptr_eq(known.claims(), again.claims()));
}

/// T-JWKS-5: keys that are too old for anybody are too old for a hit, which is as good as before when they
/// are back.
#[tokio::test(start_paused = true)]
async fn dead_keys_decide_no_hit() {
    let world = World::warm().await;
    let verifier = remembering(&world);
    let token = world.issuer.token().lifetime(100_000).build();
    assert!(hit(&verifier, &token).is_ok());
    world.fetch.always(|_| answer::status(500));
    for _ in 0..100 {
        world.pass(s(100)).await;
        world.settle().await;
        if hit(&verifier, &token).is_err() {
            break;
        }
    }
    let refused = hit(&verifier, &token).err();
    assert!(
        matches!(refused, Some(JwtError::KeysUnavailable { .. })),
        "{refused:?}"
    );
    world.fetch.serve(&world.issuer);
    world.pass(s(100)).await;
    assert!(verifier.verify(&token).await.is_ok());
    assert!(hit(&verifier, &token).is_ok());
}
