//! What must hold for any bytes, one function per parser.
//!
//! Each is called in two places: by the fuzz target of its name, and, with the kept corpus, by
//! `tests/corpus.rs`, so that the corpus counts also where nothing can be fuzzed. A property that
//! does not hold panics.

use portcullis_core::{Authorization, Challenge};

/// What a client sends in `Authorization` is read or refused, and read the same way again.
pub fn authorization(data: &[u8]) {
    let Ok(sent) = Authorization::parse_value(data) else {
        return;
    };
    let scheme = sent.scheme();
    assert!(!scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_graphic()));
    let Ok(token) = sent.token68() else {
        return;
    };
    assert!(!token.is_empty());
    assert!(
        token
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b",\"\\".contains(&byte))
    );
    let again = format!("{scheme} {token}");
    let again = Authorization::parse_value(again.as_bytes()).expect("what was read is readable");
    assert_eq!((again.scheme(), again.token68()), (scheme, Ok(token)));
    assert!(!format!("{sent:?}").contains(token) || scheme.contains(token) || SHOWN.contains(token));
}

/// What `Debug` shows of any `Authorization` field; a token that is part of it is not leaked by it.
const SHOWN: &str = "Authorization { scheme: \"\", .. }";

/// What a server sends in `WWW-Authenticate` is read or refused; what was read is written so that it
/// is read as the same.
pub fn challenge(data: &[u8]) {
    let Ok(challenges) = Challenge::parse(data) else {
        return;
    };
    for challenge in &challenges {
        let written = challenge.to_string();
        assert!(
            written.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')),
            "{written:?}"
        );
        let again = Challenge::parse(written.as_bytes()).expect("what was written is readable");
        assert_eq!(again.as_slice(), std::slice::from_ref(challenge), "{written:?}");
    }
    let list: Vec<String> = challenges.iter().map(ToString::to_string).collect();
    let again = Challenge::parse(list.join(", ").as_bytes()).expect("a list of them is readable");
    assert_eq!(again, challenges);
}
