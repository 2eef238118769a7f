//! What a token says about its caller is shared with its payload: it reads as any other JSON reader reads it,
//! however it was written, wherever it stands and however long it is.

use portcullis_jwt::{ClaimMap, MAX_TOKEN_LEN, VerifiedToken, Verifier};
use portcullis_test::TestIssuer;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::{accepted, builder, built, encode, issuer, trusted};

fn house(map: ClaimMap) -> (TestIssuer, Verifier) {
    let issuer = issuer();
    let verifier = built(builder().issuer(trusted(&issuer).claims(map)));
    (issuer, verifier)
}

fn written(issuer: &TestIssuer, json: &str) -> String {
    issuer.token().raw_payload(json).build()
}

/// The claims of a good token, without those that are tried here.
fn base(issuer: &TestIssuer) -> Map<String, Value> {
    let mut claims = issuer.token().claims().clone();
    for name in ["sub", "jti", "client_id"] {
        claims.remove(name);
    }
    claims
}

/// Every string in its own way: as it is, or with every character escaped.
fn json_with(claims: &Map<String, Value>, escape: &mut impl FnMut() -> bool) -> String {
    let members: Vec<_> = claims
        .iter()
        .map(|(name, value)| format!("{}:{}", text(name, escape()), value_with(value, escape)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn value_with(value: &Value, escape: &mut impl FnMut() -> bool) -> String {
    match value {
        Value::String(value) => text(value, escape()),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(|value| value_with(value, escape)).collect();
            format!("[ {} ]", values.join(" , "))
        }
        Value::Object(members) => json_with(members, escape),
        other => other.to_string(),
    }
}

fn text(text: &str, escaped: bool) -> String {
    if !escaped {
        return Value::from(text).to_string();
    }
    let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{units}\"")
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Compares everything that is said about the caller with what `serde_json` reads.
fn assert_same(token: &VerifiedToken, json: &str) {
    let read: Map<String, Value> = serde_json::from_str(json).expect("JSON");
    let text = |name: &str| read.get(name).and_then(Value::as_str);
    assert_eq!(token.claims().as_json(), json);
    assert_eq!(token.subject(), text("sub"));
    assert_eq!(token.claims().token_id(), text("jti"));
    assert_eq!(token.client_id(), text("client_id"));
    // Two claims that add up, in the order in which they stand.
    let mut scopes: Vec<_> = token.scopes().iter().collect();
    let mut expected: Vec<_> = strings(read.get("scope"))
        .into_iter()
        .chain(strings(read.get("permissions")))
        .flat_map(|list| list.split(' '))
        .filter(|scope| !scope.is_empty())
        .collect();
    scopes.sort_unstable();
    expected.sort_unstable();
    assert_eq!(scopes, expected);
    assert_eq!(
        token.roles().iter().collect::<Vec<_>>(),
        strings(read.get("roles"))
    );
    let id = token.claims().revocation_id().expect("jti and iat");
    assert_eq!((Some(id.id), id.subject), (text("jti"), text("sub")));

    if text("sub").is_none() {
        return;
    }
    let evidence = token.clone().into_authentication().expect("a subject");
    assert_eq!(Some(evidence.principal().subject()), text("sub"));
    assert_eq!(evidence.client_id(), text("client_id"));
    assert_eq!(evidence.acr(), text("acr"));
    let factors: Vec<_> = evidence.factors().iter().map(|factor| factor.name()).collect();
    assert_eq!(factors, strings(read.get("amr")));
    assert_eq!(
        evidence.roles().iter().collect::<Vec<_>>(),
        strings(read.get("roles"))
    );
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c\"\\\\/{}:,\\[\\] ]{1,6}",
        "\\PC{1,8}",
        "[\\x00-\\x20\u{7f}\u{e9}\u{2028}\u{ffff}\u{1f511}]{1,4}",
        Just("alice".to_owned()),
        Just("sub".to_owned()),
    ]
}

fn scope_list() -> impl Strategy<Value = String> {
    "([!#-\\[\\]-~]{1,6} {1,2}){0,4}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// T1, J3
    #[test]
    fn every_text_reads_as_another_reader_reads_it(
        sub in prop::option::of(name()),
        jti in name(),
        acr in prop::option::of(name()),
        client in prop::option::of(name()),
        amr in prop::option::of(prop::collection::vec(name(), 0..4)),
        roles in prop::option::of(prop::collection::vec(name(), 0..5)),
        scope in prop::option::of(scope_list()),
        permissions in prop::option::of(prop::collection::vec("[!#-\\[\\]-~]{1,6}", 0..4)),
        decoys in prop::collection::vec((any::<u16>(), name()), 0..4),
        escapes in prop::collection::vec(any::<bool>(), 1..16),
        pad in 0usize..1_500,
    ) {
        let map = ClaimMap::standard().scopes_at(["permissions"]);
        let (issuer, verifier) = house(map);
        let mut claims = base(&issuer);
        let mut put = |name: &str, value: Option<Value>| value.map(|value| claims.insert(name.to_owned(), value));
        // Copies of the same texts elsewhere, before and behind.
        for (number, text) in &decoys {
            put(&format!("a{number}"), Some(json!([text, sub, jti, {"sub": sub, "jti": client}])));
        }
        put("acr", acr.map(Value::from));
        put("amr", amr.map(Value::from));
        put("client_id", client.map(Value::from));
        put("jti", Some(jti.into()));
        put("pad", Some("x".repeat(pad).into()));
        put("permissions", permissions.map(Value::from));
        put("roles", roles.map(Value::from));
        put("scope", scope.map(Value::from));
        put("sub", sub.map(Value::from));
        let mut turn = escapes.iter().cycle();
        let json = json_with(&claims, &mut || turn.next() == Some(&true));
        assert_same(&accepted(&verifier, &written(&issuer, &json)), &json);
    }
}

/// Escapes do not hide what is there, and do not move what is beside it.
#[test]
fn a_subject_with_escapes_is_the_subject() {
    let (issuer, verifier) = house(ClaimMap::standard());
    let claims = serde_json::to_string(&base(&issuer)).unwrap();
    for (written_as, subject) in [
        ("alice", "alice"),
        ("al\\u0069ce", "alice"),
        ("al\\u0069ce\\\"", "alice\""),
        ("\\\\alice", "\\alice"),
        ("\\/alice", "/alice"),
        ("al\u{ef}ce", "al\u{ef}ce"),
        ("\\ud83d\\udd11", "\u{1f511}"),
        ("a\\u0000b", "a\0b"),
    ] {
        let json = claims.replacen(
            '{',
            &format!("{{\"x\":\"alice\",\"sub\":\"{written_as}\",\"jti\":\"alice\",\"y\":\"alice\","),
            1,
        );
        let token = accepted(&verifier, &written(&issuer, &json));
        assert_eq!(token.subject(), Some(subject), "{written_as}");
        assert_same(&token, &json);
    }
    for broken in ["\\ud83d", "\\udd11\\ud83d", "\\x", "\\u12", "a\nb", "a\"b"] {
        let json = claims.replacen('{', &format!("{{\"sub\":\"{broken}\","), 1);
        assert!(verifier.verify_now(&written(&issuer, &json)).is_err(), "{broken}");
    }
    let invalid = [&b"{\"sub\":\"a\xff\","[..], &claims.as_bytes()[1..]].concat();
    assert!(
        verifier
            .verify_now(&issuer.token().raw_payload(invalid).build())
            .is_err()
    );
}

/// Whatever the length, up to the longest token: payloads live in place or on the heap, and read alike.
#[test]
fn payloads_of_every_length_read_alike() {
    let (issuer, verifier) = house(ClaimMap::standard());
    let payload = |pad: usize| {
        let mut claims = base(&issuer);
        claims.insert("a".to_owned(), "\u{e9}".repeat(pad / 2).into());
        claims.insert("b".to_owned(), "x".repeat(pad % 2).into());
        claims.insert("jti".to_owned(), "id".into());
        claims.insert("sub".to_owned(), "z\u{e9}".into());
        claims.insert("roles".to_owned(), json!(["last"]));
        serde_json::to_string(&claims).unwrap()
    };
    let plain = payload(0).len();
    let lengths = (1_040..1_060).chain([4_000, 8_000]);
    for length in lengths {
        let json = payload(length - plain);
        assert_eq!(json.len(), length);
        assert_same(&accepted(&verifier, &written(&issuer, &json)), &json);
    }
    let signed = written(&issuer, &payload(0)).len() - encode(payload(0).as_bytes()).len();
    let longest = (MAX_TOKEN_LEN - signed) / 4 * 3;
    let json = payload(longest - plain);
    let token = written(&issuer, &json);
    assert!(token.len() > MAX_TOKEN_LEN - 8 && token.len() <= MAX_TOKEN_LEN);
    assert_same(&accepted(&verifier, &token), &json);
}

/// A text outlives the token it stands in, and everything else that shares it.
#[test]
fn a_text_outlives_the_token_it_stands_in() {
    let (issuer, verifier) = house(ClaimMap::standard());
    for pad in [0, 2_000] {
        let token = issuer
            .token()
            .subject("somebody")
            .roles(["r"])
            .claim("pad", "x".repeat(pad))
            .build();
        let (principal, evidence) = {
            let evidence = accepted(&verifier, &token).into_authentication().unwrap();
            let (principal, rest) = evidence.into_parts();
            (principal, rest.roles().clone())
        };
        assert_eq!(principal.subject(), "somebody");
        assert_eq!(evidence.iter().collect::<Vec<_>>(), ["r"]);
    }
}
