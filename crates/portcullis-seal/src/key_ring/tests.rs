//! Sealing and opening, each refusal beside what it differs from in one thing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;
use crate::testing::{At, NoneLeft, Scripted, key};

struct Session;

impl Purpose for Session {
    const NAME: &'static str = "session";
}

struct Invitation;

impl Purpose for Invitation {
    const NAME: &'static str = "invitation";
}

const NOW: u64 = 1_800_000_000;
const PLAINTEXT: &[u8] = b"alice, admin";

fn unix(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn soon() -> Timestamp {
    unix(NOW + 600)
}

fn cookie() -> Context {
    Context::of("__Host-session")
}

fn at(clock: &At, keys: impl IntoIterator<Item = (KeyRole, SealingKey)>) -> SealingRing {
    let builder = SealingRing::builder()
        .clock(clock.clone())
        .randomness(Scripted::new());
    keys.into_iter()
        .fold(builder, |builder, (role, key)| builder.key(role, key))
        .build()
        .expect("a ring")
}

fn ring(keys: impl IntoIterator<Item = (KeyRole, SealingKey)>) -> SealingRing {
    at(&At::unix(NOW), keys)
}

fn one() -> SealingRing {
    ring([(KeyRole::Current, key(1))])
}

fn sealed(ring: &SealingRing) -> Sealed<Session> {
    ring.seal(&cookie(), soon(), PLAINTEXT).expect("sealed")
}

/// The reason of the refusal, after a look at what it shows.
fn refused(ring: &SealingRing, context: &Context, text: &str) -> Option<&'static str> {
    let refusal = ring.open(context, &Sealed::<Session>::from_text(text)).err()?;
    assert_eq!(refusal.to_string(), "the sealed value was refused");
    assert_eq!(format!("{refusal:?}"), "SealError(..)");
    Some(refusal.reason())
}

fn opens(ring: &SealingRing, sealed: &Sealed<Session>) -> bool {
    ring.open(&cookie(), sealed)
        .is_ok_and(|opened| opened.plaintext() == PLAINTEXT)
}

fn bytes(sealed: &Sealed<Session>) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(sealed.as_str()).expect("base64url")
}

#[test]
fn what_is_sealed_is_opened_as_it_was() {
    let ring = one();
    let opened = ring.open(&cookie(), &sealed(&ring)).expect("opened");
    assert_eq!(opened.plaintext(), PLAINTEXT);
    assert_eq!(opened.expires_at(), soon());
    assert_eq!(opened.key(), key(1).id());
    assert!(opened.is_of_current_key());
    assert_eq!(opened.into_plaintext().expose(), PLAINTEXT);
    let empty: Sealed<Session> = ring.seal(&Context::none(), soon(), b"").expect("sealed");
    let opened = ring.open(&Context::none(), &empty).expect("opened");
    assert!(opened.plaintext().is_empty());
}

#[test]
fn the_same_value_is_never_sealed_into_the_same_text() {
    let ring = one();
    let (first, second) = (sealed(&ring), sealed(&ring));
    assert_ne!(first.as_str(), second.as_str());
    assert!(opens(&ring, &first) && opens(&ring, &second));
}

/// A fixed form: what instances of two versions of this crate agree on.
#[test]
fn the_form_is_the_documented_one() {
    let ring = one();
    let sealed = bytes(&sealed(&ring));
    assert_eq!(sealed[0], 1);
    assert_eq!(&sealed[1..9], key(1).id().as_bytes());
    assert_eq!(sealed[9..21], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(sealed.len(), 21 + 8 + PLAINTEXT.len() + 16);

    let authenticated = [
        b"portcullis-seal\x01".as_slice(),
        key(1).id().as_bytes(),
        &7_u64.to_be_bytes(),
        b"session",
        &14_u64.to_be_bytes(),
        b"__Host-session",
    ]
    .concat();
    let nonce = sealed[9..21].try_into().expect("12 bytes");
    let mut body = sealed[21..].to_vec();
    let key = key(1);
    let opened = key
        .cipher()
        .open(nonce, &authenticated, &mut body)
        .expect("opened");
    assert_eq!(opened, [&(NOW + 600).to_be_bytes()[..], PLAINTEXT].concat());
}

/// T-COOKIE-1: Rack fell back to a coder without encryption when decryption failed (CVE-2026-39324).
#[test]
fn a_value_that_is_not_sealed_is_never_taken_for_one() {
    let ring = one();
    let sealed = sealed(&ring);
    assert!(opens(&ring, &sealed));
    let genuine = bytes(&sealed);
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let plain = [&genuine[..21], &(NOW + 600).to_be_bytes(), PLAINTEXT].concat();
    let json = br#"{"user":"alice","admin":true,"padding":"padding padding padding"}"#;
    for text in [
        String::new(),
        String::from_utf8(json.to_vec()).expect("text"),
        encoded(json),
        format!("{}--deadbeef", encoded(json)),
        // The body of a genuine value, and the same without version, or without key.
        encoded(PLAINTEXT),
        encoded(&genuine[1..]),
        encoded(&[&[1], &genuine[9..]].concat()),
        // The envelope of a genuine value around what was never encrypted, with and without a tag.
        encoded(&plain),
        encoded(&[&plain, &[0; 16][..]].concat()),
        // Unsealed, says the version.
        encoded(&[&[0], &genuine[1..]].concat()),
        encoded(&[&[2], &genuine[1..]].concat()),
        encoded(&[0; 80]),
        encoded(&[1; 80]),
    ] {
        assert!(refused(&ring, &cookie(), &text).is_some(), "{text}");
    }
}

#[test]
fn no_bit_of_a_sealed_value_may_change() {
    let ring = one();
    let genuine = bytes(&sealed(&ring));
    assert_eq!(refused(&ring, &cookie(), &URL_SAFE_NO_PAD.encode(&genuine)), None);
    for at in 0..genuine.len() * 8 {
        let mut changed = genuine.clone();
        changed[at / 8] ^= 1 << (at % 8);
        let expected = match at / 8 {
            0 => "seal_malformed",
            1..9 => "seal_unknown_key",
            _ => "seal_not_authentic",
        };
        let reason = refused(&ring, &cookie(), &URL_SAFE_NO_PAD.encode(&changed));
        assert_eq!(reason, Some(expected), "bit {at}");
    }
}

#[test]
fn a_shorter_or_longer_value_is_refused() {
    let ring = one();
    let genuine = bytes(&sealed(&ring));
    for length in 0..genuine.len() {
        let shorter = URL_SAFE_NO_PAD.encode(&genuine[..length]);
        let has_room = length >= 21 + 8 + 16;
        let expected = if has_room {
            "seal_not_authentic"
        } else {
            "seal_malformed"
        };
        assert_eq!(refused(&ring, &cookie(), &shorter), Some(expected), "{length}");
    }
    let longer = URL_SAFE_NO_PAD.encode([&genuine[..], b"\0"].concat());
    assert_eq!(refused(&ring, &cookie(), &longer), Some("seal_not_authentic"));
}

#[test]
fn a_text_has_one_spelling() {
    let ring = one();
    // A length of bytes that leaves bits of the last character unused.
    let sealed: Sealed<Session> = ring.seal(&cookie(), soon(), &[7; 7]).expect("sealed");
    let text = sealed.as_str();
    assert_eq!(refused(&ring, &cookie(), text), None);
    let last = text.chars().last().expect("not empty");
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for other in alphabet.chars().filter(|other| *other != last) {
        let respelt = format!("{}{other}", &text[..text.len() - 1]);
        assert!(refused(&ring, &cookie(), &respelt).is_some(), "{other}");
    }
    for respelt in [
        format!("{text}="),
        format!("{text}=="),
        format!(" {text}"),
        format!("{text}\n"),
        format!("\"{text}\""),
        format!("{text}.{text}"),
    ] {
        assert_eq!(refused(&ring, &cookie(), &respelt), Some("seal_malformed"));
    }
}

#[test]
fn a_value_of_one_purpose_is_refused_for_another() {
    let ring = one();
    let text = sealed(&ring);
    assert!(opens(&ring, &text));
    let other = Sealed::<Invitation>::from_text(text.as_str());
    let refusal = ring.open(&cookie(), &other).expect_err("another purpose");
    assert_eq!(refusal.reason(), "seal_not_authentic");
}

#[test]
fn a_value_is_refused_in_another_context() {
    let ring = one();
    let context = Context::of("ab").and("c");
    let sealed: Sealed<Session> = ring.seal(&context, soon(), PLAINTEXT).expect("sealed");
    assert_eq!(refused(&ring, &context, sealed.as_str()), None);
    for other in [
        Context::none(),
        Context::of("ab"),
        Context::of("abc"),
        Context::of("a").and("bc"),
        Context::of("c").and("ab"),
        Context::of("ab").and("c").and(""),
        Context::of("").and("ab").and("c"),
    ] {
        let reason = refused(&ring, &other, sealed.as_str());
        assert_eq!(reason, Some("seal_not_authentic"));
    }
}

#[test]
fn a_purpose_and_a_context_do_not_run_into_one_another() {
    struct Long;
    impl Purpose for Long {
        const NAME: &'static str = "sessionab";
    }
    let ring = one();
    let sealed: Sealed<Session> = ring.seal(&Context::of("ab"), soon(), PLAINTEXT).expect("sealed");
    let other = Sealed::<Long>::from_text(sealed.as_str());
    assert!(ring.open(&Context::of("ab"), &sealed).is_ok());
    assert!(ring.open(&Context::none(), &other).is_err());
}

#[test]
fn a_value_is_opened_before_its_expiry_and_not_at_it() {
    let clock = At::unix(NOW);
    let ring = at(&clock, [(KeyRole::Current, key(1))]);
    let sealed = sealed(&ring);
    clock.set(NOW + 599);
    assert!(opens(&ring, &sealed));
    for late in [NOW + 600, NOW + 601, u64::MAX] {
        clock.set(late);
        assert_eq!(refused(&ring, &cookie(), sealed.as_str()), Some("seal_expired"));
    }
}

#[test]
fn a_value_of_a_key_that_only_has_the_same_name_is_refused() {
    let sealed = sealed(&one());
    let other = ring([(KeyRole::Current, key(2))]);
    assert_eq!(
        refused(&other, &cookie(), sealed.as_str()),
        Some("seal_unknown_key")
    );
    let mut renamed = bytes(&sealed);
    renamed[1..9].copy_from_slice(key(2).id().as_bytes());
    let renamed = URL_SAFE_NO_PAD.encode(renamed);
    assert_eq!(refused(&other, &cookie(), &renamed), Some("seal_not_authentic"));
}

#[test]
fn instances_with_the_same_secrets_open_what_the_other_sealed() {
    let (here, there) = (one(), one());
    assert!(opens(&there, &sealed(&here)) && opens(&here, &sealed(&there)));
}

#[test]
fn neighbouring_steps_of_a_rotation_understand_each_other_and_distant_ones_do_not() {
    use KeyRole::{Current, Old, Publishing};
    let steps = [
        ring([(Current, key(1))]),
        ring([(Publishing, key(2)), (Current, key(1))]),
        ring([(Current, key(2)), (Old, key(1))]),
        ring([(Current, key(2))]),
    ];
    // Who opens what whom sealed.
    let table = [
        [true, true, false, false],
        [true, true, true, true],
        [true, true, true, true],
        [false, false, true, true],
    ];
    for (opener, row) in table.iter().enumerate() {
        for (sealer, expected) in row.iter().enumerate() {
            let opened = opens(&steps[opener], &sealed(&steps[sealer]));
            assert_eq!(opened, *expected, "step {opener} opens what step {sealer} sealed");
        }
    }
}

#[test]
fn keys_take_turns_and_leave_in_this_order_only() {
    let ring = one();
    let before = sealed(&ring);
    assert!(ring.clone().rotate().is_err(), "nobody waits");
    assert!(ring.clone().retire(key(1).id()).is_err(), "the current key");
    let ring = ring.publish(key(2)).expect("published");
    assert!(opens(&ring, &before));
    assert_eq!(ring.current().id(), key(1).id());
    assert!(ring.clone().publish(key(3)).is_err(), "one waits already");
    assert!(ring.clone().retire(key(2).id()).is_err(), "it waits");
    let ring = ring.rotate().expect("rotated");
    let roles: Vec<_> = ring.keys().map(|(role, key)| (role, key.id())).collect();
    assert_eq!(
        roles,
        [(KeyRole::Current, key(2).id()), (KeyRole::Old, key(1).id())]
    );
    assert!(opens(&ring, &before) && opens(&ring, &sealed(&ring)));
    assert!(!ring.open(&cookie(), &before).expect("opened").is_of_current_key());
    assert!(ring.clone().publish(key(1)).is_err(), "it is here already");
    let ring = ring.retire(key(1).id()).expect("retired");
    assert_eq!(
        refused(&ring, &cookie(), before.as_str()),
        Some("seal_unknown_key")
    );
    assert!(opens(&ring, &sealed(&ring)));
}

#[test]
fn a_ring_without_a_definite_current_key_is_not_built() {
    let builder = SealingRing::builder;
    assert!(
        builder()
            .publishing(key(3))
            .current(key(1))
            .old(key(2))
            .build()
            .is_ok()
    );
    for bad in [
        builder(),
        builder().old(key(1)),
        builder().publishing(key(1)),
        builder().current(key(1)).current(key(2)),
        builder().current(key(1)).publishing(key(2)).publishing(key(3)),
        builder().current(key(1)).old(key(1)),
        builder().current(key(1)).publishing(key(1)),
        builder().current(key(1)).old(key(2)).old(key(2)),
    ] {
        assert!(bad.clone().build().is_err(), "{bad:?}");
    }
}

#[test]
fn the_limits_have_bounds() {
    let ring = || SealingRing::builder().current(key(1));
    let of = |bytes| ring().max_plaintext(bytes).build().is_ok();
    assert_eq!([0, 1, 65_536, 65_537].map(of), [false, true, true, false]);
    let (second, most) = (Duration::from_secs(1), Duration::from_secs(400 * 86_400));
    let of = |life| ring().longest_life(life).build().is_ok();
    assert!(of(second) && of(most));
    assert!(!of(Duration::ZERO) && !of(most + second));
    let olds = |count: u8| (2..2 + count).fold(ring(), |ring, number| ring.old(key(number)));
    assert!(olds(15).build().is_ok() && olds(16).build().is_err());
    let full = olds(15).build().expect("a ring");
    assert!(full.publish(key(99)).is_err());
}

#[test]
fn what_is_too_long_is_neither_sealed_nor_decoded() {
    let keys = || SealingRing::builder().current(key(1)).clock(At::unix(NOW));
    let small = keys().max_plaintext(100).build().expect("a ring");
    let large = keys().build().expect("a ring");
    let seal = |ring: &SealingRing, length| ring.seal::<Session>(&cookie(), soon(), &vec![7; length]);
    for (ring, most) in [(&small, 100), (&large, 4096)] {
        let longest = seal(ring, most).expect("sealed");
        assert_eq!(longest.as_str().len(), SealingRing::text_len(most));
        assert_eq!(refused(ring, &cookie(), longest.as_str()), None);
        assert_eq!(seal(ring, most + 1).err(), Some(CannotSeal::TooLong));
    }
    assert!(SealingRing::text_len(3_000) + "__Host-session".len() <= 4_096);
    let longer = seal(&large, 101).expect("sealed");
    assert_eq!(refused(&large, &cookie(), longer.as_str()), None);
    assert_eq!(
        refused(&small, &cookie(), longer.as_str()),
        Some("seal_malformed")
    );
    assert!(refused(&large, &cookie(), &"A".repeat(10_000_000)).is_some());
}

#[test]
fn a_value_lives_for_a_while_and_not_too_long() {
    let ring = one();
    let seal = |expires_at| ring.seal::<Session>(&cookie(), expires_at, PLAINTEXT).err();
    let days = NOW + 90 * 86_400;
    assert_eq!(seal(unix(NOW + 1)), None);
    assert_eq!(seal(unix(days)), None);
    for past in [
        unix(0),
        unix(NOW),
        unix(NOW).saturating_add(Duration::from_millis(999)),
    ] {
        assert_eq!(seal(past), Some(CannotSeal::AlreadyExpired));
    }
    for far in [
        unix(days + 1),
        unix(days).saturating_add(Duration::from_nanos(1)),
        unix(u64::MAX),
    ] {
        assert_eq!(seal(far), Some(CannotSeal::LivesTooLong));
    }
}

#[test]
fn without_randomness_nothing_is_sealed() {
    let builder = SealingRing::builder().current(key(1)).clock(At::unix(NOW));
    let seal = |ring: SealingRing| ring.seal::<Session>(&cookie(), soon(), PLAINTEXT).err();
    assert_eq!(seal(builder.clone().build().expect("a ring")), None);
    let ring = builder.randomness(NoneLeft).build().expect("a ring");
    assert_eq!(seal(ring), Some(CannotSeal::Cryptography));
}

#[test]
fn debug_shows_no_secret() {
    let ring = ring([(KeyRole::Current, key(1)), (KeyRole::Old, key(2))]);
    let sealed = sealed(&ring);
    let opened = ring.open(&cookie(), &sealed).expect("opened");
    let shown = format!(
        "{ring:?} {sealed:?} {opened:?} {:?} {:?}",
        cookie(),
        sealed.clone()
    );
    assert!(shown.contains(&key(1).id().to_string()));
    for secret in ["alice", "165", "97, 108", "__Host", sealed.as_str()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

proptest! {
    #[test]
    fn whatever_is_sealed_is_opened_and_with_one_bit_changed_it_is_not(
        plaintext in proptest::collection::vec(any::<u8>(), 0..300),
        part in proptest::collection::vec(any::<u8>(), 0..40),
        life in 1_u64..7_776_000,
        at in any::<prop::sample::Index>(),
    ) {
        let (ring, context) = (one(), Context::of(&part));
        let expires_at = unix(NOW + life);
        let sealed: Sealed<Session> = ring.seal(&context, expires_at, &plaintext).expect("sealed");
        prop_assert_eq!(sealed.as_str().len(), SealingRing::text_len(plaintext.len()));
        let opened = ring.open(&context, &sealed).expect("opened");
        prop_assert_eq!(opened.plaintext(), &*plaintext);
        prop_assert_eq!(opened.expires_at(), expires_at);

        let mut changed = bytes(&sealed);
        let bit = at.index(changed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(refused(&ring, &context, &URL_SAFE_NO_PAD.encode(changed)).is_some());
        let other = Sealed::<Invitation>::from_text(sealed.as_str());
        prop_assert!(ring.open(&context, &other).is_err());
        prop_assert!(refused(&ring, &context.and(""), sealed.as_str()).is_some());
    }

    #[test]
    fn no_text_makes_the_ring_panic_and_none_is_opened(text in ".{0,200}", tail in "[A-Za-z0-9_-]{0,200}") {
        let ring = one();
        prop_assert!(refused(&ring, &cookie(), &text).is_some());
        // "AQ…" is version 1.
        let versioned = format!("AQ{tail}");
        prop_assert!(refused(&ring, &cookie(), &versioned).is_some());
    }

    #[test]
    fn two_lists_of_parts_are_one_context_only_if_they_are_the_same(
        one in proptest::collection::vec("[ab]{0,3}", 0..4),
        two in proptest::collection::vec("[ab]{0,3}", 0..4),
    ) {
        let context = |parts: &[String]| parts.iter().fold(Context::none(), Context::and);
        prop_assert_eq!(context(&one) == context(&two), one == two);
    }
}
