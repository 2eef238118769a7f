//! A cache changes how long a verdict takes, and no verdict: two verifiers, with and without, side by side
//! through everything that may happen.

use portcullis_core::{MemoryRevocations, Timestamp};
use portcullis_jwt::{JwtError, Verifier};
use portcullis_test::SigningKey;
use proptest::prelude::*;

use crate::doubles::{House, keys_of};
use crate::support::{ISSUER, NOW, built};

#[derive(Clone, Debug)]
enum Event {
    /// The wall clock shows this many seconds from the start.
    Time(i64),
    Keys(Published),
    Revoke(usize),
    RevokeBefore(u64),
    Down(bool),
    /// Tokens that push others out.
    Strangers,
}

#[derive(Clone, Copy, Debug)]
enum Published {
    Own,
    Other,
    Both,
    Ambiguous,
    Nothing,
}

fn event() -> impl Strategy<Value = Event> {
    use Published::{Ambiguous, Both, Nothing, Other, Own};
    prop_oneof![
        3 => (-50i64..400).prop_map(Event::Time),
        3 => prop::sample::select(vec![Own, Own, Own, Other, Both, Ambiguous, Nothing]).prop_map(Event::Keys),
        1 => (0usize..4).prop_map(Event::Revoke),
        1 => (0u64..20).prop_map(Event::RevokeBefore),
        2 => any::<bool>().prop_map(Event::Down),
        1 => Just(Event::Strangers),
    ]
}

fn tokens(house: &House) -> Vec<String> {
    let token = |id: &str| house.issuer.token().claim("jti", id);
    vec![
        token("0").build(),
        token("1").claim("iat", NOW + 20).subject("bob").build(),
        token("2").claim("nbf", NOW + 30).claim("exp", NOW + 100).build(),
        token("3").claim("auth_time", NOW + 10).without("sub").build(),
        token("4").tampered_signature().build(),
    ]
}

fn happen(event: &Event, house: &House, list: &MemoryRevocations, cached: &Verifier) {
    let own = house.issuer.signing_key();
    match event {
        Event::Time(offset) => house.clock.set_wall(NOW.saturating_add_signed(*offset)),
        Event::Keys(Published::Own) => house.keys.set(Ok(keys_of([&own]))),
        Event::Keys(Published::Other) => house.withdraw(),
        Event::Keys(Published::Both) => house.keys.set(Ok(keys_of([&SigningKey::es256("key-2"), &own]))),
        Event::Keys(Published::Ambiguous) => {
            house.keys.set(Ok(keys_of([&SigningKey::es256("key-1"), &own])));
        }
        Event::Keys(Published::Nothing) => house.keys.unavailable(),
        Event::Revoke(number) => list
            .revoke(
                ISSUER,
                &number.to_string(),
                Timestamp::from_unix_seconds(NOW + 300),
            )
            .unwrap(),
        Event::RevokeBefore(offset) => list
            .revoke_before(ISSUER, "bob", Timestamp::from_unix_seconds(NOW + offset))
            .unwrap(),
        Event::Down(down) => house.list.set_down(*down),
        Event::Strangers => {
            for _ in 0..5 {
                let _ = cached.verify_now(&house.issuer.token().build());
            }
        }
    }
}

fn verdict(verifier: &Verifier, token: &str) -> Result<String, JwtError> {
    let verified = verifier.verify_now(token)?;
    Ok(format!(
        "{:?} {}",
        verified.subject(),
        verified.claims().as_json()
    ))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// T-REV-1, T-JWKS-4, T-ERR-1
    #[test]
    fn a_cache_changes_no_verdict(events in prop::collection::vec(event(), 1..25), capacity in 1usize..6) {
        let house = House::new();
        let plain = built(house.builder());
        let cached = built(house.builder().cache_tokens(capacity));
        let tokens = tokens(&house);
        for event in &events {
            happen(event, &house, &house.list.list, &cached);
            for (number, token) in tokens.iter().enumerate() {
                for _ in 0..2 {
                    prop_assert_eq!(verdict(&cached, token), verdict(&plain, token), "{} after {:?}", number, event);
                }
            }
        }
    }
}
