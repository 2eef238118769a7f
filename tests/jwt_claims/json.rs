//! The payload as JSON: one object, UTF-8, no member twice at any depth.

use portcullis_jwt::{ClaimMap, JwtError};
use serde_json::json;

use crate::support::{accepted, assert_refused, builder, built, issuer, trusted, verifier};

/// T1, BCP8
#[test]
fn a_payload_that_is_not_one_object_is_refused() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    let _ = accepted(
        &verifier,
        &issuer.token().raw_payload(format!(" \r\n\t{claims}\n")).build(),
    );
    for payload in [
        "null".to_owned(),
        "[]".to_owned(),
        format!("[{claims}]"),
        format!("{claims}{claims}"),
        format!("{claims},"),
        format!("{claims}\0"),
        format!("\u{feff}{claims}"),
        format!("\u{a0}{claims}"),
        claims.trim_end_matches('}').to_owned(),
        claims.replace('"', "'"),
        claims.replacen('{', "{//\n", 1),
        claims.replacen('{', "{,", 1),
        claims.replacen('}', ",}", 1),
        claims.replacen('{', "{\"a\":01,", 1),
        claims.replacen('{', "{\"a\":+1,", 1),
        claims.replacen('{', "{\"a\":.5,", 1),
        claims.replacen('{', "{\"a\":NaN,", 1),
        claims.replacen('{', "{\"a\":tru,", 1),
        claims.replacen('{', "{\"a\":\"\u{1}\",", 1),
        claims.replacen('{', "{\"a\":\"\\x\",", 1),
        claims.replacen('{', "{\"a\":\"\\ud800\",", 1),
        claims.replacen('{', "{\"\\udc00\":1,", 1),
        claims.replacen('{', "{a:1,", 1),
        claims.replacen('{', "{1:1,", 1),
    ] {
        let token = issuer.token().raw_payload(payload.clone()).build();
        assert_refused(&verifier, &token, JwtError::Claims, &payload);
    }
}

/// T1, BCP8: bytes that are no UTF-8, wherever they stand.
#[test]
fn a_payload_that_is_not_utf_8_is_refused() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    let strange: [&[u8]; 6] = [
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\xe2\x82",
        b"\x80",
    ];
    for bytes in strange {
        let value = [b"{\"a\":\"", bytes, b"\",", &claims.as_bytes()[1..]].concat();
        let name = [b"{\"", bytes, b"\":1,", &claims.as_bytes()[1..]].concat();
        let after = [claims.as_bytes(), bytes].concat();
        for payload in [value, name, after] {
            let token = issuer.token().raw_payload(payload).build();
            assert_refused(&verifier, &token, JwtError::Claims, "not UTF-8");
        }
    }
    let utf16: Vec<u8> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let token = issuer.token().raw_payload(utf16).build();
    assert_refused(&verifier, &token, JwtError::Claims, "UTF-16");
}

/// J3, T-DOS-4: also in claims that nobody reads until a handler does, also behind many others.
#[test]
fn a_member_named_twice_is_refused_at_every_depth() {
    let issuer = issuer();
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    let many: String = (0..200).map(|index| format!("\"m{index}\":{index},")).collect();
    for map in [
        ClaimMap::standard(),
        ClaimMap::empty(),
        ClaimMap::empty().roles_at(["a", "b"]),
    ] {
        let verifier = built(builder().issuer(trusted(&issuer).claims(map)));
        let good = format!("\"lazy\":{{\"a\":1,\"b\":[{{\"a\":1}},{{\"a\":2}}],\"c\":{{\"a\":1}}}},{many}");
        let payload = claims.replacen('{', &format!("{{{good}"), 1);
        let _ = accepted(&verifier, &issuer.token().raw_payload(payload).build());
        for twice in [
            "\"lazy\":1,\"lazy\":1,".to_owned(),
            "\"\":1,\"\":2,".to_owned(),
            "\"lazy\":1,\"l\\u0061zy\":1,".to_owned(),
            "\"\\u006cazy\":1,\"l\\u0061zy\":1,".to_owned(),
            "\"lazy\":{\"a\":1,\"a\":1},".to_owned(),
            "\"lazy\":[{\"a\":1,\"\\u0061\":1}],".to_owned(),
            "\"lazy\":[[[[{\"x\":{\"a\":1,\"a\":1}}]]]],".to_owned(),
            "\"a\":{\"c\":{\"x\":1,\"x\":2}},".to_owned(),
            "\"a\":{\"b\":\"r\",\"b\":\"r\"},".to_owned(),
            format!("{many}\"m0\":1,"),
            format!("{many}\"m24\":1,"),
            format!("{many}\"m199\":1,"),
            format!("{many}\"\\u006d199\":1,"),
            format!("\"lazy\":{{{many}\"m150\":1}},"),
            "\"\u{e9}\":1,\"\\u00e9\":1,".to_owned(),
            "\"\u{1f600}\":1,\"\\ud83d\\ude00\":1,".to_owned(),
            "\"sub\":\"mallory\",".to_owned(),
            "\"exp\":9999999999,".to_owned(),
            "\"\\u0065xp\":9999999999,".to_owned(),
        ] {
            let payload = claims.replacen('{', &format!("{{{twice}"), 1);
            let token = issuer.token().raw_payload(payload).build();
            assert_refused(&verifier, &token, JwtError::Claims, &twice);
        }
    }
}

/// J3: names that differ are different, however alike they look.
#[test]
fn names_are_not_normalised() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let token = issuer
        .token()
        .claim("a", 1)
        .claim("A", 2)
        .claim("a ", 3)
        .claim("\u{e9}", 4)
        .claim("e\u{301}", 5)
        .claim("a\u{0}", 6)
        .claim("\u{ff49}ss", "https://attacker.test")
        .claim("", json!({"": {"": []}}));
    let _ = accepted(&verifier, &token.build());
}

/// T8: names with escapes are the names, for every claim that is checked.
#[test]
fn escapes_in_a_name_hide_nothing() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    let mut escaped = claims;
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        let spelt: String = name
            .chars()
            .map(|letter| format!("\\u{:04x}", u32::from(letter)))
            .collect();
        escaped = escaped.replace(&format!("\"{name}\":"), &format!("\"{spelt}\":"));
    }
    let verified = accepted(&verifier, &issuer.token().raw_payload(escaped.clone()).build());
    assert_eq!(
        (verified.subject(), verified.client_id()),
        (Some("alice"), Some("test-client"))
    );
    for (claim, expected) in [
        ("\\u006ebf\":9999999999", JwtError::NotYetValid),
        ("n\\u006fnce\":1", JwtError::WrongKind),
        ("\\u0063nf\":{}", JwtError::Bound),
        ("\\u0073cope\":1", JwtError::Claims),
    ] {
        let payload = escaped.replacen('{', &format!("{{\"{claim},"), 1);
        let token = issuer.token().raw_payload(payload).build();
        assert_refused(&verifier, &token, expected, claim);
    }
}
