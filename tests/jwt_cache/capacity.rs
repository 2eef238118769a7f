//! A cache holds what it was told to, and no more.

use std::sync::{Arc, Weak};
use std::time::Duration;

use portcullis_core::Secret;
use portcullis_jwt::{Algorithm, Keys, StaticKeySet, TrustedIssuer, Verifier, VerifyingKey};
use portcullis_test::{SigningKey, TokenBuilder};

use crate::doubles::{House, cached, entries, keys_of, same};
use crate::support::{ISSUER, NOW, accepted, builder, built, encode};

const SECRET: [u8; 32] = [7; 32];

fn verifier(tokens: usize) -> Verifier {
    let key = VerifyingKey::hmac(Algorithm::Hs256, &Secret::new(SECRET.to_vec())).unwrap();
    let trusted = TrustedIssuer::new(ISSUER, StaticKeySet::new([key]).unwrap());
    built(
        builder()
            .issuer(trusted.algorithms([Algorithm::Hs256]))
            .cache_tokens(tokens),
    )
}

/// Good tokens, each different; written by hand, since there are many.
struct Mint {
    key: SigningKey,
    header: String,
}

impl Mint {
    fn new() -> Self {
        Self {
            key: SigningKey::from_secret("HS256", "key-1", &SECRET),
            header: encode(br#"{"alg":"HS256"}"#),
        }
    }

    fn token(&self, number: usize) -> String {
        let (audience, exp) = (TokenBuilder::AUDIENCE, NOW + 300);
        let payload = format!(r#"{{"iss":"{ISSUER}","aud":"{audience}","exp":{exp},"jti":"{number}"}}"#);
        let signed = format!("{}.{}", self.header, encode(payload.as_bytes()));
        let signature = encode(&self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// Whatever number was configured, it is not exceeded: not by one, and not by what shards round up.
#[test]
fn no_flood_of_good_tokens_exceeds_the_capacity() {
    let mint = Mint::new();
    for tokens in [
        1, 2, 3, 31, 32, 33, 63, 65, 127, 129, 255, 257, 300, 511, 513, 1_001,
    ] {
        let verifier = verifier(tokens);
        for number in 0..tokens * 3 + 10 {
            let _ = accepted(&verifier, &mint.token(number));
            assert!(entries(&verifier) <= tokens, "{} of {tokens}", entries(&verifier));
        }
        // And it is of use: most of what it may hold, it does.
        let held = entries(&verifier);
        assert!(held * 10 >= tokens * 9, "{held} of {tokens}");
    }
}

/// T-DOS-1: a hundred thousand distinct good tokens leave no more than the capacity behind.
#[test]
fn a_hundred_thousand_tokens_leave_the_capacity_behind() {
    let mint = Mint::new();
    let verifier = verifier(10_000);
    for number in 0..100_000 {
        let _ = accepted(&verifier, &mint.token(number));
    }
    let held = entries(&verifier);
    assert!((9_000..=10_000).contains(&held), "{held}");
    // What was pushed out is verified as any other.
    let _ = cached(&verifier, &mint.token(0));
    assert!(entries(&verifier) <= 10_000);
}

#[test]
fn the_smallest_cache_remembers_one_token() {
    let mint = Mint::new();
    let verifier = verifier(1);
    for number in 0..3 {
        let _ = cached(&verifier, &mint.token(number));
    }
}

/// A number beyond all memory is no reason to panic; memory is taken as tokens come.
#[test]
fn an_absurd_capacity_builds_and_takes_no_memory() {
    for tokens in [1 << 40, usize::MAX / 2, usize::MAX] {
        let _ = cached(&verifier(tokens), &Mint::new().token(1));
    }
    assert!(builder().cache_tokens(0).build().is_err());
}

/// A remembered token holds on to the keys it was verified with. Those of sets that were replaced are let go of,
/// also where there is room for all: a service that runs for months and sees few tokens keeps few sets alive.
#[test]
fn keys_that_were_replaced_are_not_kept_alive() {
    let house = House::new();
    let verifier = built(house.builder().cache_tokens(10_000));
    let mut sets = Vec::<Weak<Keys>>::new();
    for _ in 0..300 {
        let keys = keys_of([&house.issuer.signing_key()]);
        sets.push(Arc::downgrade(&keys));
        house.keys.set(Ok(keys));
        let _ = cached(&verifier, &house.issuer.token().lifetime(86_400).build());
        house.clock.advance(Duration::from_secs(60));
    }
    let alive = sets.iter().filter(|keys| keys.strong_count() > 0).count();
    assert!((1..=10).contains(&alive), "{alive} sets are alive");
}

/// What has expired goes as well; what still holds stays.
#[test]
fn tokens_that_have_expired_are_let_go_of() {
    let house = House::new();
    let verifier = built(house.builder().cache_tokens(10_000));
    let lasting = house.issuer.token().lifetime(1_000_000).build();
    let known = cached(&verifier, &lasting);
    for _ in 0..300 {
        let _ = cached(&verifier, &house.issuer.token().lifetime(300).build());
        house.clock.advance(Duration::from_secs(60));
    }
    let held = entries(&verifier);
    assert!((2..=20).contains(&held), "{held} tokens are remembered");
    assert!(same(&known, &accepted(&verifier, &lasting)));
}
