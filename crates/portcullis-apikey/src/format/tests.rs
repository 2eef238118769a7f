use portcullis_seal::SystemRandomness;
use proptest::prelude::*;

use super::*;

/// Says its bytes again and again.
#[derive(Debug)]
struct Scripted(&'static [u8]);

impl Randomness for Scripted {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        for (place, byte) in buffer.iter_mut().zip(self.0.iter().cycle()) {
            *place = *byte;
        }
        Ok(())
    }
}

fn format() -> ApiKeyFormat {
    ApiKeyFormat::environments([("live", "sk_live"), ("test", "sk_test"), ("old", "sk")]).expect("a format")
}

fn key(format: &ApiKeyFormat) -> String {
    let key = format.generate(&SystemRandomness::new()).expect("randomness");
    key.reveal().expose().clone()
}

#[test]
fn a_prefix_is_lower_case_and_bounded() {
    for good in ["a", "sk", "sk_live", "0", "a_b_c", &"x".repeat(32)] {
        assert!(ApiKeyFormat::new(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "_",
        "_sk",
        "sk_",
        "SK",
        "sk-live",
        "sk live",
        "sk.live",
        "ä",
        &"x".repeat(33),
    ] {
        assert!(ApiKeyFormat::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn two_environments_have_two_names_and_two_prefixes() {
    assert!(ApiKeyFormat::environments([("live", "sk_live"), ("test", "sk_test")]).is_ok());
    assert!(ApiKeyFormat::environments([("live", "sk_live"), ("live", "sk_test")]).is_err());
    assert!(ApiKeyFormat::environments([("live", "sk_live"), ("test", "sk_live")]).is_err());
    assert!(ApiKeyFormat::environments([]).is_err());
}

#[test]
fn a_known_key_is_read_and_its_neighbours_are_not() {
    let format = ApiKeyFormat::new("sk_live").expect("a format");
    let key = generate("sk_live", b"0123456789abcdEF", &Scripted(&[1])).expect("a key");
    let text = key.reveal().expose().clone();
    assert_eq!(&text[..24], "sk_live_0123456789abcdEF");
    assert_eq!(&text[24..56], "1".repeat(32));
    let parsed = format.parse(text.as_bytes()).expect("a key");
    assert_eq!(
        (parsed.id().to_string().as_str(), parsed.prefix()),
        ("0123456789abcdEF", "sk_live")
    );

    let other = text.replace("sk_live", "sk_test");
    assert_eq!(
        format.parse(other.as_bytes()).unwrap_err(),
        ParseKeyError::Foreign
    );
    for bad in [
        &text[..61],
        &format!("{text}0"),
        &text.replace("_0", "0"),
        "sk_live_",
        "sk_live_x",
    ] {
        assert!(format.parse(bad.as_bytes()).is_err(), "{bad}");
    }
    let checksum = text.replace("0123456789abcdEF", "0123456789abcdEG");
    assert_eq!(
        format.parse(checksum.as_bytes()).unwrap_err(),
        ParseKeyError::Checksum
    );
}

#[test]
fn each_environment_has_its_prefix() {
    let format = format();
    for (environment, prefix) in [("live", "sk_live"), ("test", "sk_test"), ("old", "sk")] {
        assert_eq!(format.prefix_of(Some(environment)).as_deref(), Some(prefix));
        let text = generate(prefix, &[b'a'; ID_LEN], &SystemRandomness::new())
            .expect("a key")
            .reveal();
        let parsed = format.parse(text.expose().as_bytes()).expect("a key");
        assert_eq!(parsed.environment(), Some(environment));
    }
    assert_eq!(format.prefix_of(None).as_deref(), Some("sk_live"));
    assert_eq!(format.prefix_of(Some("none")), None);
}

#[test]
fn digits_are_drawn_without_preference() {
    // 248 and above are skipped; 62 is the digit 0 again.
    let mut digits = [0; 4];
    fill_base62(&Scripted(&[255, 248, 0, 61, 62, 247]), &mut digits).expect("randomness");
    assert_eq!(&digits, b"0z0z");
    assert_eq!(
        fill_base62(&Scripted(&[250]), &mut digits),
        Err(NoRandomness::new())
    );

    let mut counts = [0_u32; 62];
    let mut digits = [0; 62 * 200];
    fill_in_parts(&mut digits);
    for digit in digits {
        let value = checksum::DIGITS
            .iter()
            .position(|known| *known == digit)
            .expect("base62");
        counts[value] += 1;
    }
    // 200 expected, standard deviation 14: six of them.
    assert!(
        counts.iter().all(|count| (115..285).contains(count)),
        "{counts:?}"
    );
}

fn fill_in_parts(digits: &mut [u8]) {
    for part in digits.chunks_mut(32) {
        fill_base62(&SystemRandomness::new(), part).expect("randomness");
    }
}

#[test]
fn a_key_is_not_shown() {
    let format = format();
    let shown = format.generate(&SystemRandomness::new()).expect("randomness");
    assert_eq!(format!("{shown:?}"), "ShowOnce(..)");
    let text = shown.reveal();
    let parsed = format!("{:?}", format.parse(text.expose().as_bytes()).expect("a key"));
    assert!(!parsed.contains(&text.expose()[24..30]), "{parsed}");
}

proptest! {
    #[test]
    fn what_is_generated_is_read(seed in any::<u8>()) {
        let _ = seed;
        let format = format();
        let text = key(&format);
        prop_assert!(format.parse(text.as_bytes()).is_ok());
        prop_assert_eq!(text.len(), "sk_live_".len() + TAIL_LEN);
    }

    /// Also what damages the prefix: it is part of what the checksum is made of.
    #[test]
    fn one_wrong_character_is_always_noticed(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let format = format();
        let mut text = key(&format).into_bytes();
        let at = at.index(text.len());
        prop_assume!(text[at] != byte);
        text[at] = byte;
        prop_assert!(format.parse(&text).is_err());
    }

    #[test]
    fn two_swapped_characters_are_always_noticed(at in 0_usize..61) {
        let format = format();
        let mut text = key(&format).into_bytes();
        prop_assume!(text[at] != text[at + 1]);
        text.swap(at, at + 1);
        prop_assert!(format.parse(&text).is_err());
    }

    #[test]
    fn no_bytes_make_the_parser_panic(text in prop::collection::vec(any::<u8>(), 0..120), ours in any::<bool>()) {
        let text = if ours { [b"sk_live_", &text[..]].concat() } else { text };
        let _ = format().parse(&text);
    }
}
