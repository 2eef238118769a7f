use proptest::prelude::*;

use super::*;

fn parsed(value: &str) -> Vec<Challenge> {
    Challenge::parse(value.as_bytes()).expect(value)
}

#[test]
fn h3_quotes_and_backslashes_survive_the_round_trip() {
    let challenge = Challenge::new(Scheme::BEARER)
        .realm(r#"a "b" \c"#)
        .expect("realm");
    assert_eq!(challenge.to_string(), r#"Bearer realm="a \"b\" \\c""#);
    assert_eq!(parsed(&challenge.to_string()), [challenge]);
}

#[test]
fn b12_values_that_could_inject_are_refused() {
    for value in ["a\r\nSet-Cookie: x=1", "é", "\u{7f}", "\t"] {
        assert!(Challenge::new(Scheme::BEARER).realm(value).is_err(), "{value:?}");
    }
    for name in ["error", "error_description", "scope", "SCOPE"] {
        let bearer = || Challenge::new(Scheme::BEARER);
        assert!(bearer().param(name, "a\"b").is_err(), "{name}");
        assert!(bearer().param(name, "a\\b").is_err(), "{name}");
        assert!(bearer().param(name, "a b").is_ok(), "{name}");
    }
}

#[test]
fn b13_a_parameter_occurs_once() {
    let challenge = Challenge::new(Scheme::BEARER).realm("a").expect("realm");
    assert!(challenge.param("Realm", "b").is_err());
    assert_eq!(
        Challenge::parse(b"Bearer realm=\"a\", REALM=b"),
        Err(InvalidChallenge)
    );
}

#[test]
fn h5_lists_of_challenges_and_parameters_are_told_apart() {
    let list = parsed(r#", Basic realm="x" ,, Bearer scope="a b",error=invalid_token, Negotiate YQ==,Other"#);
    let schemes: Vec<_> = list.iter().map(|challenge| challenge.scheme().as_str()).collect();
    assert_eq!(schemes, ["Basic", "Bearer", "Negotiate", "Other"]);
    assert_eq!(list.get(1).and_then(|bearer| bearer.get("SCOPE")), Some("a b"));
    assert_eq!(
        list.get(1).and_then(|bearer| bearer.get("error")),
        Some("invalid_token")
    );
    assert_eq!(list.get(2).and_then(Challenge::token68), Some("YQ=="));
}

#[test]
fn h6_the_same_scheme_may_occur_with_two_realms() {
    assert_eq!(parsed(r#"Basic realm="a", Basic realm="b""#).len(), 2);
}

#[test]
fn broken_challenges_are_refused() {
    for value in [
        "=",
        "realm=\"x\"",
        "Bearer realm=\"x",
        "Bearer realm=\"x\" y=\"z\"",
        "Bea(rer x",
        "Bearer realm=\"\u{e9}\"",
        "Bearer a b",
        "Bearer realm=\"x\";a=1",
        "Bearer realm=\"\\",
    ] {
        assert_eq!(
            Challenge::parse(value.as_bytes()),
            Err(InvalidChallenge),
            "{value}"
        );
    }
}

#[test]
fn bearer_comes_first_and_the_error_goes_to_the_scheme_that_was_used() {
    let challenges = Challenges::new([
        Challenge::new(Scheme::API_KEY).realm("r").expect("realm"),
        Challenge::new(Scheme::BEARER).realm("r").expect("realm"),
    ])
    .expect("challenges");
    let mut headers = HeaderMap::new();
    let verdict = Verdict {
        scheme: Some(&Scheme::API_KEY),
        error: Some("invalid_token"),
        others: true,
        ..Verdict::default()
    };
    challenges.write(&verdict, &mut headers);
    let lines: Vec<_> = headers.get_all(WWW_AUTHENTICATE).iter().collect();
    assert_eq!(
        lines,
        [
            r#"Bearer realm="r""#,
            r#"ApiKey realm="r", error="invalid_token""#
        ]
    );
}

#[test]
fn h1_b2_an_empty_list_and_a_bare_scheme_are_refused() {
    assert!(Challenges::new([]).is_err());
    assert!(Challenges::new([Challenge::new(Scheme::BEARER)]).is_err());
}

/// H5, H6
#[test]
fn merged_challenges_keep_their_order_behind_bearer_and_occur_once() {
    let list = |challenges: &[(&Scheme, &str)]| {
        let challenges = challenges
            .iter()
            .map(|(scheme, realm)| Challenge::new((*scheme).clone()).realm(realm).expect("realm"));
        Challenges::new(challenges).expect("challenges")
    };
    let (cookie, key, bearer) = (Scheme::COOKIE, Scheme::API_KEY, Scheme::BEARER);
    let first = list(&[(&cookie, "a"), (&key, "a")]);
    let second = list(&[(&bearer, "b"), (&key, "a"), (&key, "b"), (&bearer, "a")]);
    let merged: Vec<_> = Challenges::merged([&first, &second, &first])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        merged,
        [
            r#"Bearer realm="b""#,
            r#"Bearer realm="a""#,
            r#"Cookie realm="a""#,
            r#"ApiKey realm="a""#,
            r#"ApiKey realm="b""#,
        ]
    );
}

proptest! {
    #[test]
    fn what_we_write_we_read(realm in "[ -~]{0,40}", scope in "[a-z: ]{0,20}") {
        let challenge = Challenge::new(Scheme::BEARER)
            .realm(&realm)
            .and_then(|challenge| challenge.param("scope", &scope))
            .expect("allowed");
        prop_assert_eq!(parsed(&challenge.to_string()), [challenge]);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Challenge::parse(&value);
    }
}
