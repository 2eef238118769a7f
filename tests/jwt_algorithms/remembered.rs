//! Headers are remembered by their text. That changes how long a verdict takes, and no verdict.

use portcullis_jwt::{Algorithm, JwtError, KeySet as _, StaticKeySet, TrustedIssuer, Verifier};
use portcullis_test::{ManualClock, SigningKey, TestIssuer};
use proptest::prelude::*;

use crate::doubles::{HandKeys, keys_of};
use crate::support::{NOW, accepted, assert_refused, builder, built, segments};

const A: &str = "https://a.test";
const B: &str = "https://b.test";

/// Headers that differ in one thing each, or only in how they are written.
const HEADERS: [&str; 17] = [
    r#"{"alg":"ES256","kid":"key-1"}"#,
    r#"{"alg":"ES256","kid":"key-1" }"#,
    r#"{"kid":"key-1","alg":"ES256"}"#,
    r#"{"alg":"ES256","k\u0069d":"key-1"}"#,
    r#"{"alg":"ES256","kid":"key-2"}"#,
    r#"{"alg":"ES256","kid":"KEY-1"}"#,
    r#"{"alg":"ES256"}"#,
    r#"{"alg":"ES384","kid":"key-1"}"#,
    r#"{"alg":"EdDSA","kid":"key-1"}"#,
    r#"{"alg":"none","kid":"key-1"}"#,
    r#"{"alg":"ES256","kid":"key-1","typ":"JWT"}"#,
    r#"{"alg":"ES256","kid":"key-1","typ":"jwt"}"#,
    r#"{"alg":"ES256","kid":"key-1","typ":"dpop+jwt"}"#,
    r#"{"alg":"ES256","kid":"key-1","crit":["exp"]}"#,
    r#"{"alg":"ES256","kid":"key-1","kid":"key-1"}"#,
    r#"{"alg":"ES256","kid":"key-1","cty":"JWT"}"#,
    r#"{"alg":"ES256","kid":"key-1","jku":"https://attacker.test"}"#,
];

#[derive(Clone, Debug)]
enum Event {
    /// A token of one of the issuers with one of the headers, signed by one of the keys.
    Token {
        of_b: bool,
        header: usize,
        signer: usize,
    },
    /// What one of the issuers publishes from now on, as bits.
    Publish { of_b: bool, keys: u8 },
    /// So many good headers that there is no room for more.
    Crowd,
}

fn event() -> impl Strategy<Value = Event> {
    let token = (
        any::<bool>(),
        0..HEADERS.len(),
        prop_oneof![3 => Just(0usize), 2 => 0usize..4],
    );
    prop_oneof![
        12 => token.prop_map(|(of_b, header, signer)| Event::Token { of_b, header, signer }),
        2 => (any::<bool>(), 1u8..16).prop_map(|(of_b, keys)| Event::Publish { of_b, keys }),
        1 => Just(Event::Crowd),
    ]
}

/// Two issuers, one of which takes fewer algorithms, and four keys, two of one name.
struct World {
    keys: [SigningKey; 4],
    issuers: [TestIssuer; 2],
    published: [HandKeys; 2],
}

impl World {
    fn new() -> Self {
        let keys = [
            SigningKey::es256("key-1"),
            SigningKey::es256("key-2"),
            SigningKey::eddsa("key-1"),
            SigningKey::es256("key-1"),
        ];
        let issuer = |name| {
            TestIssuer::new(name)
                .clock(ManualClock::at(NOW))
                .with_key(&keys[0])
        };
        Self {
            issuers: [issuer(A), issuer(B)],
            published: [(); 2].map(|()| HandKeys::new(Ok(keys_of([&keys[0]])))),
            keys,
        }
    }

    fn verifier(&self) -> Verifier {
        let [a, b] = &self.published;
        let lists: [&[Algorithm]; 2] = [&[Algorithm::Es256], &[Algorithm::Es256, Algorithm::EdDsa]];
        built(
            builder()
                .issuer(TrustedIssuer::new(A, a.clone()).algorithms(lists[0].iter().copied()))
                .issuer(TrustedIssuer::new(B, b.clone()).algorithms(lists[1].iter().copied())),
        )
    }

    fn token(&self, of_b: bool, header: &str, signer: usize) -> String {
        let token = self.issuers[usize::from(of_b)]
            .token()
            .signed_by(&self.keys[signer]);
        token.raw_header(header).build()
    }

    fn publish(&self, of_b: bool, keys: u8) {
        let chosen = self.keys.iter().enumerate();
        let chosen = chosen
            .filter(|(index, _)| keys & (1 << index) != 0)
            .map(|(_, key)| key);
        self.published[usize::from(of_b)].set(Ok(keys_of(chosen)));
    }
}

fn crowded(number: usize) -> String {
    format!(r#"{{"alg":"ES256","kid":"key-1","number":{number}}}"#)
}

fn verdict(verifier: &Verifier, token: &str) -> Result<String, JwtError> {
    let verified = verifier.verify_now(token)?;
    Ok(format!("{:?} {}", verified.subject(), verified.claims().issuer()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// T-HDR-2, T-ALG-2, T-JWKS-4: whatever was verified before under whichever key and issuer, the verdict is that of
    /// a verifier that has seen nothing yet.
    #[test]
    fn a_header_that_was_seen_before_changes_no_verdict(events in prop::collection::vec(event(), 1..40)) {
        let world = World::new();
        let experienced = world.verifier();
        for event in &events {
            match *event {
                Event::Publish { of_b, keys } => world.publish(of_b, keys),
                Event::Crowd => (0..70).for_each(|number| {
                    let _ = experienced.verify_now(&world.token(false, &crowded(number), 0));
                }),
                Event::Token { of_b, header, signer } => {
                    let token = world.token(of_b, HEADERS[header], signer);
                    for _ in 0..2 {
                        let (seen, new) = (verdict(&experienced, &token), verdict(&world.verifier(), &token));
                        prop_assert_eq!(seen, new, "{:?}", event);
                    }
                }
            }
        }
    }
}

/// T-JWKS-4: what is remembered names a key and is none.
#[test]
fn a_remembered_header_does_not_keep_its_key() {
    let world = World::new();
    let verifier = world.verifier();
    let token = world.token(false, HEADERS[0], 0);
    let _ = accepted(&verifier, &token);
    world.publish(false, 0b10);
    assert_refused(&verifier, &token, JwtError::UnknownKey, "withdrawn");
    world.publish(false, 0b1000);
    assert_refused(&verifier, &token, JwtError::Signature, "exchanged under its name");
    world.publish(false, 0b1001);
    assert_refused(&verifier, &token, JwtError::AmbiguousKey, "two of one name");
    world.publish(false, 0b1);
    let _ = accepted(&verifier, &token);
}

/// More headers than there is room for, brought by several threads at once, are all read as they are.
#[test]
fn headers_that_come_together_are_not_mixed_up() {
    let world = World::new();
    world.publish(false, 0b11);
    let verifier = world.verifier();
    let tokens: Vec<_> = (0..100)
        .map(|number| {
            let name = format!("key-{}", number % 2 + 1);
            let header = crowded(number).replace("key-1", &name);
            (
                world.token(false, &header, number % 2),
                world.token(false, &header, 1 - number % 2),
            )
        })
        .collect();
    std::thread::scope(|scope| {
        for start in [0, 25, 50, 75] {
            let (verifier, tokens) = (&verifier, &tokens);
            scope.spawn(move || {
                for (good, bad) in tokens.iter().cycle().skip(start).take(tokens.len()) {
                    let _ = accepted(verifier, good);
                    assert_refused(verifier, bad, JwtError::Signature, "the other key");
                }
            });
        }
    });
}

/// Pseudo-random numbers (xorshift), the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// T-DOS-4, T-SIG-1: tokens with pieces changed, cut out, doubled, or taken from each other, in front of a verifier that
/// remembers the headers of the good ones: none is accepted but those that were issued, and none makes it panic.
#[test]
fn no_mixture_of_tokens_is_one() {
    let issuer = TestIssuer::new(A)
        .clock(ManualClock::at(NOW))
        .with_key(&SigningKey::eddsa("key-1"));
    let keys = StaticKeySet::from_jwks(issuer.jwks().as_bytes()).expect("keys");
    assert!(keys.current().is_ok());
    let trusted = TrustedIssuer::new(A, keys).algorithms([Algorithm::EdDsa]);
    let verifier = built(builder().issuer(trusted));
    let issued: Vec<_> = (0..4)
        .map(|number| {
            let token = issuer
                .token()
                .header("n", number)
                .claim("pad", "x".repeat(number * 170));
            token.build()
        })
        .collect();
    issued.iter().for_each(|token| drop(accepted(&verifier, token)));
    const ODD: &[u8] = b".=-_+/ %\0A\"\\\xff\n~";
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20_000 {
        let parts: [&str; 3] =
            std::array::from_fn(|index| segments(&issued[numbers.below(issued.len())])[index]);
        let mut bytes = parts.join(".").into_bytes();
        for _ in 0..numbers.below(3) {
            let at = numbers.below(bytes.len());
            match numbers.below(5) {
                0 => bytes[at] = ODD[numbers.below(ODD.len())],
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, ODD[numbers.below(ODD.len())]),
                3 => bytes.truncate(at.max(1)),
                _ => {
                    let end = at + numbers.below(bytes.len() - at);
                    let doubled = bytes[at..end].to_vec();
                    bytes.splice(at..at, doubled);
                }
            }
        }
        let token = String::from_utf8_lossy(&bytes);
        let known = issued.iter().any(|issued| *issued == token);
        assert_eq!(verifier.verify_now(&token).is_ok(), known, "{token}");
    }
}
