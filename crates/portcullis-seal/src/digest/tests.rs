use super::*;
use crate::Pepper;
use crate::testing::secret as pepper_secret;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn pepper(version: u32) -> Pepper {
    let number = u8::try_from(version).expect("small");
    Pepper::new(version, &pepper_secret(number)).expect("a pepper")
}

fn peppers(current: u32, old: &[u32]) -> Peppers {
    let builder = Peppers::builder().current(pepper(current));
    old.iter()
        .fold(builder, |builder, version| builder.old(pepper(*version)))
        .build()
        .expect("peppers")
}

fn read(text: &str) -> SecretDigest {
    text.parse().expect(text)
}

/// FIPS 180-4, the example of one block.
#[test]
fn a_digest_without_pepper_is_sha_256() {
    let text = SecretDigest::sha256(&secret("abc")).to_text();
    assert_eq!(text, "sha256:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    assert_eq!(Peppers::none().digest(&secret("abc")).to_text(), text);
}

/// Computed with another HMAC: what is in stores has to match for ever.
#[test]
fn a_digest_with_a_pepper_is_made_as_documented() {
    let text = peppers(1, &[]).digest(&secret("abc")).to_text();
    assert_eq!(text, "hmac1:1:kDo5h-B0XUhhWqzWjnkFXnvN3D4F-pvq-Uc8LQb1A2g");
}

#[test]
fn the_bytes_are_those_of_the_text_and_no_two_kinds_have_the_same() {
    let plain = SecretDigest::sha256(&secret("abc"));
    let text = plain.to_text();
    assert_eq!(URL_SAFE_NO_PAD.encode(plain.as_bytes()), text["sha256:".len()..]);
    for version in [1, 2] {
        let peppered = peppers(version, &[]).digest(&secret("abc"));
        assert_ne!(peppered.as_bytes(), plain.as_bytes());
        assert_eq!(read(&peppered.to_text()).as_bytes(), peppered.as_bytes());
    }
}

#[test]
fn a_digest_matches_its_secret_and_no_other() {
    for peppers in [Peppers::none(), peppers(2, &[1])] {
        let digest = read(&peppers.digest(&secret("k7Qw")).to_text());
        assert!(digest.matches(&secret("k7Qw"), &peppers));
        for other in ["", "k7Q", "k7Qw ", "K7Qw"] {
            assert!(!digest.matches(&secret(other), &peppers), "{other}");
        }
    }
}

#[test]
fn a_digest_with_any_character_changed_does_not_match() {
    for peppers in [Peppers::none(), peppers(2, &[1])] {
        let text = peppers.digest(&secret("k7Qw")).to_text();
        for (at, character) in text.char_indices() {
            let changed = if character == 'A' { "B" } else { "A" };
            let mut text = text.clone();
            text.replace_range(at..=at, changed);
            let digest = text.parse::<SecretDigest>();
            assert!(
                !digest.is_ok_and(|digest| digest.matches(&secret("k7Qw"), &peppers)),
                "{text}"
            );
        }
    }
}

#[test]
fn old_peppers_match_until_they_are_gone_and_new_digests_are_made_with_the_current() {
    let before = peppers(1, &[]);
    let stored = before.digest(&secret("k7Qw"));
    assert!(before.is_current(&stored));
    assert!(stored.to_text().starts_with("hmac1:1:"));

    let during = peppers(2, &[1]);
    assert!(stored.matches(&secret("k7Qw"), &during));
    assert!(!during.is_current(&stored));
    let anew = during.digest(&secret("k7Qw"));
    assert!(anew.to_text().starts_with("hmac1:2:") && during.is_current(&anew));

    let publishing = Peppers::builder().current(pepper(1)).publishing(pepper(2));
    assert!(anew.matches(&secret("k7Qw"), &publishing.build().expect("peppers")));

    let after = peppers(2, &[]);
    assert!(anew.matches(&secret("k7Qw"), &after));
    assert!(!stored.matches(&secret("k7Qw"), &after));
}

#[test]
fn a_digest_of_an_unknown_pepper_is_not_tried_without_one() {
    let digest = peppers(1, &[]).digest(&secret("k7Qw"));
    assert!(digest.matches(&secret("k7Qw"), &peppers(1, &[])));
    assert!(!digest.matches(&secret("k7Qw"), &peppers(2, &[])));
    assert!(!digest.matches(&secret("k7Qw"), &Peppers::none()));

    // The plain digest under the name of a pepper that nobody has, and of one that is there.
    let plain = SecretDigest::sha256(&secret("k7Qw")).to_text();
    for disguise in ["hmac1:9:", "hmac1:1:"] {
        let digest = read(&plain.replace("sha256:", disguise));
        assert!(!digest.matches(&secret("k7Qw"), &peppers(1, &[])), "{disguise}");
    }
}

#[test]
fn one_version_with_two_secrets_is_two_peppers() {
    let digest = peppers(1, &[]).digest(&secret("k7Qw"));
    let other = Pepper::new(1, &pepper_secret(99)).expect("a pepper");
    let peppers = Peppers::builder().current(other).build().expect("peppers");
    assert!(!digest.matches(&secret("k7Qw"), &peppers));
}

#[test]
fn with_peppers_a_digest_without_one_is_refused_unless_that_is_asked_for() {
    let plain = SecretDigest::sha256(&secret("k7Qw"));
    assert!(plain.matches(&secret("k7Qw"), &Peppers::none()));
    assert!(!plain.matches(&secret("k7Qw"), &peppers(1, &[])));

    let moving = Peppers::builder()
        .current(pepper(1))
        .dangerous_accept_unpeppered();
    let moving = moving.build().expect("peppers");
    assert!(plain.matches(&secret("k7Qw"), &moving));
    assert!(!plain.matches(&secret("k7Qx"), &moving));
    assert!(!moving.is_current(&plain));
    assert!(moving.digest(&secret("k7Qw")).to_text().starts_with("hmac1:1:"));
}

#[test]
fn a_secret_is_looked_up_under_every_digest_that_would_match() {
    let kinds = |peppers: &Peppers| {
        let text = |digest: SecretDigest| {
            assert!(digest.matches(&secret("k7Qw"), peppers));
            digest.to_text().rsplit_once(':').expect("two parts").0.to_owned()
        };
        peppers.digests(&secret("k7Qw")).map(text).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&Peppers::none()), ["sha256"]);
    assert_eq!(kinds(&peppers(3, &[1, 2])), ["hmac1:3", "hmac1:1", "hmac1:2"]);
    let moving = Peppers::builder()
        .current(pepper(1))
        .dangerous_accept_unpeppered();
    assert_eq!(kinds(&moving.build().expect("peppers")), ["hmac1:1", "sha256"]);
}

#[test]
fn peppers_without_a_definite_current_one_are_not_built() {
    let builder = Peppers::builder;
    assert!(builder().current(pepper(1)).old(pepper(2)).build().is_ok());
    for bad in [
        builder(),
        builder().old(pepper(2)),
        builder().current(pepper(1)).current(pepper(2)),
        builder().current(pepper(1)).old(pepper(1)),
        builder().current(pepper(1)).old(pepper(2)).publishing(pepper(2)),
    ] {
        assert!(bad.clone().build().is_err(), "{bad:?}");
    }
    assert!(Pepper::new(1, &Secret::new([0; MAC_LEN])).is_err());
    let text = |text: &str| Pepper::from_text(1, &Secret::new(text.as_bytes().to_vec()));
    assert!(text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHvs").is_ok());
    assert!(text("correct horse battery staple").is_err());
}

#[test]
fn a_text_has_one_form() {
    let bytes = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
    for good in ["sha256:", "hmac1:0:", "hmac1:7:", "hmac1:4294967295:"] {
        let text = format!("{good}{bytes}");
        assert_eq!(read(&text).to_text(), text);
    }
    for bad in [
        "",
        "SHA256:",
        "sha256",
        "sha256: ",
        "sha256:7:",
        "sha1:",
        "hmac:7:",
        "hmac2:7:",
    ] {
        assert!(format!("{bad}{bytes}").parse::<SecretDigest>().is_err(), "{bad}");
    }
    for version in ["", "07", "+7", "-7", " 7", "4294967296", "7:7", "vii"] {
        let text = format!("hmac1:{version}:{bytes}");
        assert!(text.parse::<SecretDigest>().is_err(), "{version}");
    }
    for bad in [
        "",
        &bytes[1..],
        &format!("{bytes}A"),
        &format!("{bytes}="),
        &bytes.replace('-', "+"),
        // The last character carries bits that no byte has.
        &bytes.replace("Fa0", "Fa1"),
    ] {
        assert!(format!("sha256:{bad}").parse::<SecretDigest>().is_err(), "{bad}");
    }
}

#[test]
fn debug_shows_neither_digest_nor_pepper() {
    let peppers = peppers(2, &[1]);
    let digest = peppers.digest(&secret("k7Qw"));
    assert_eq!(format!("{digest:?}"), "SecretDigest(hmac1:2:..)");
    let plain = SecretDigest::sha256(&secret("k7Qw"));
    assert_eq!(format!("{plain:?}"), "SecretDigest(sha256:..)");
    assert_eq!(format!("{:?}", pepper(3)), "Pepper { version: 3, .. }");
    assert_eq!(
        format!("{peppers:?}"),
        "Peppers { peppers: [Pepper { version: 2, .. }, Pepper { version: 1, .. }], accepts_unpeppered: false }"
    );
}
