//! Tokens made to be expensive: refused early, or read in time that grows with their length only.

use portcullis_jwt::{ClaimMap, JwtError, MAX_TOKEN_LEN, TrustedIssuer};
use serde_json::json;

use crate::support::{
    ASYMMETRIC, ISSUER, Spy, accepted, assert_refused, builder, built, issuer, trusted, verifier,
};

/// T-DOS-1, J9: the longest token that is looked at, and one byte more.
#[test]
fn a_token_of_the_greatest_length_is_read_and_a_longer_one_is_not() {
    let issuer = issuer();
    let spy = Spy::new(&issuer.jwks());
    let verifier = built(builder().issuer(TrustedIssuer::new(ISSUER, spy.clone()).algorithms(ASYMMETRIC)));
    let padded = |length: usize| {
        issuer
            .token()
            .claim("jti", "a")
            .claim("pad", "x".repeat(length))
            .build()
    };
    let longest = (0..MAX_TOKEN_LEN)
        .rev()
        .find(|length| padded_len(*length, padded(0).len()) <= MAX_TOKEN_LEN)
        .map(padded)
        .unwrap();
    assert!(longest.len() <= MAX_TOKEN_LEN && longest.len() > MAX_TOKEN_LEN - 4);
    let _ = accepted(&verifier, &longest);
    for length in [MAX_TOKEN_LEN, 1 << 20, 8 << 20] {
        assert_refused(&verifier, &padded(length), JwtError::TooLong, "too long");
    }
    assert_refused(
        &verifier,
        &"a".repeat(64 << 20),
        JwtError::TooLong,
        "no token at all",
    );
    assert_eq!(spy.looked_at(), 1, "only for the one that was read");
}

/// The length of a token with `more` letters in its payload, when it has `plain` without.
const fn padded_len(more: usize, plain: usize) -> usize {
    plain + (more * 4).div_ceil(3)
}

/// T-DOS-2, CVE-2025-30204: exactly two dots.
#[test]
fn a_token_of_dots_is_refused() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    for dots in [0, 1, 3, 5, 6, 100, MAX_TOKEN_LEN] {
        assert_refused(
            &verifier,
            &".".repeat(dots),
            JwtError::NotCompact,
            &format!("{dots} dots"),
        );
    }
    assert_refused(&verifier, "..", JwtError::NotCompact, "two and nothing else");
    assert_refused(&verifier, "....", JwtError::Encrypted, "four");
    assert_refused(&verifier, &".".repeat(10_000_000), JwtError::TooLong, "millions");
    let token = issuer.token().build();
    assert_refused(
        &verifier,
        &format!("{token}."),
        JwtError::NotCompact,
        "one dot more",
    );
    assert_refused(
        &verifier,
        &format!(".{token}"),
        JwtError::NotCompact,
        "one dot before",
    );
    assert_refused(
        &verifier,
        &format!("{token}.."),
        JwtError::Encrypted,
        "five segments",
    );
    assert_refused(
        &verifier,
        &token.replacen('.', "..", 1),
        JwtError::NotCompact,
        "doubled",
    );
    assert_refused(
        &verifier,
        &token.replacen('.', "", 1),
        JwtError::NotCompact,
        "one lost",
    );
}

/// T-DOS-3, A7, J6: neither decompression nor key derivation is ever begun.
#[test]
fn nothing_is_decompressed_or_derived() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    for (name, value, expected) in [
        ("zip", json!("DEF"), JwtError::Encrypted),
        ("zip", json!(null), JwtError::Encrypted),
        ("enc", json!("A256GCM"), JwtError::Encrypted),
    ] {
        let token = issuer.token().header(name, value).build();
        assert_refused(&verifier, &token, expected, name);
    }
    let derived = issuer
        .token()
        .alg("PBES2-HS512+A256KW")
        .header("p2c", u64::MAX)
        .header("p2s", "AAAA");
    assert_refused(&verifier, &derived.build(), JwtError::AlgorithmNotAllowed, "p2c");
    let ignored = issuer.token().header("p2c", u64::MAX);
    let _ = accepted(&verifier, &ignored.build());
}

/// T-DOS-4, J9: nesting ends the reading, not the stack.
#[test]
fn deep_nesting_is_refused() {
    let issuer = issuer();
    let map = ClaimMap::standard().roles_at(["a", "a", "a"]);
    let verifier = built(builder().issuer(trusted(&issuer).claims(map)));
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    let with = |value: &str| {
        let payload = claims.replacen('{', &format!("{{\"a\":{value},"), 1);
        issuer.token().raw_payload(payload).build()
    };
    let nested = |open: &str, close: &str, depth: usize| {
        with(&format!("{}1{}", open.repeat(depth), close.repeat(depth)))
    };
    for (open, close) in [("[", "]"), ("{\"b\":", "}"), ("[{\"b\":", "}]")] {
        let _ = accepted(&verifier, &nested(open, close, 4));
        for depth in [20, 128, 900] {
            assert_refused(&verifier, &nested(open, close, depth), JwtError::Claims, open);
        }
    }
    assert_refused(
        &verifier,
        &with(&"[".repeat(11_000)),
        JwtError::Claims,
        "never closed",
    );
    assert_refused(
        &verifier,
        &with(&"{\"a\":".repeat(2_000)),
        JwtError::Claims,
        "along the path",
    );
}

/// T-DOS-4: as many members, elements, roles and scopes as fit into a token.
#[test]
fn a_token_full_of_small_things_is_read() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let names: serde_json::Map<_, _> = (0..1_200).map(|index| (format!("m{index}"), json!(0))).collect();
    let _ = accepted(&verifier, &issuer.token().claim("all", names).build());
    let _ = accepted(&verifier, &issuer.token().claim("all", vec![0; 5_000]).build());
    let _ = accepted(
        &verifier,
        &issuer.token().claim("all", vec![json!({}); 3_500]).build(),
    );
    let escaped: String = (0..800).map(|index| format!("\"\\u006d{index}\":1,")).collect();
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    let payload = claims.replacen('{', &format!("{{{escaped}"), 1);
    let _ = accepted(&verifier, &issuer.token().raw_payload(payload).build());

    let roles: Vec<_> = (0..1_500).map(|index| format!("r{index}")).collect();
    let token = issuer.token().roles(roles.iter().map(String::as_str)).build();
    let verified = accepted(&verifier, &token);
    assert!(verified.roles().contains("r1499") && !verified.roles().contains("r1500"));
    let scopes: Vec<_> = (0..1_500).map(|index| format!("s{index}")).collect();
    let verified = accepted(&verifier, &issuer.token().scope(&scopes.join(" ")).build());
    assert!(verified.scopes().contains("s1499") && !verified.scopes().contains("s1500"));
    let spaces = accepted(&verifier, &issuer.token().scope(&" ".repeat(10_000)).build());
    assert!(spaces.scopes().is_empty());
    let audiences: Vec<_> = (0..1_500).map(|index| format!("a{index}")).collect();
    assert_refused(
        &verifier,
        &issuer.token().audience(audiences).build(),
        JwtError::Audience,
        "aud",
    );
}

/// T-DOS-4, R1: bytes of every kind in every place make a refusal, never a panic.
#[test]
fn no_bytes_make_the_verifier_panic() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let token = issuer.token().build();
    let odd = [
        "%",
        "Bearer %",
        "\0",
        "\u{e9}",
        "\u{1f600}",
        "=",
        "==",
        " ",
        "\r\n",
        "-_",
        "A",
        "AA",
        "AAA",
        "%00",
        "\u{7f}",
    ];
    for text in odd {
        assert!(verifier.verify_now(text).is_err(), "{text:?}");
        for shape in [
            "{}.{}.{}",
            "{}.AAAA.AAAA",
            "AAAA.{}.AAAA",
            "AAAA.AAAA.{}",
            "{}.{}.{}.{}.{}",
        ] {
            assert!(
                verifier.verify_now(&shape.replace("{}", text)).is_err(),
                "{text:?}"
            );
        }
    }
    for cut in 0..token.len() {
        assert!(verifier.verify_now(&token[..cut]).is_err(), "cut at {cut}");
        assert!(
            verifier.verify_now(&token[cut + 1..]).is_err(),
            "begun at {}",
            cut + 1
        );
    }
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    for cut in 0..claims.len() {
        let token = issuer.token().raw_payload(&claims.as_bytes()[..cut]).build();
        assert!(verifier.verify_now(&token).is_err(), "payload cut at {cut}");
    }
}
