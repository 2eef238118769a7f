//! What must hold for any bytes, one function per parser.
//!
//! Each is called in two places: by the fuzz target of its name, and, with the kept corpus, by
//! `tests/corpus.rs`, so that the corpus counts also where nothing can be fuzzed. A property that
//! does not hold panics; the answer says whether the bytes were accepted.

use std::sync::OnceLock;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use portcullis_apikey::ApiKeyFormat;
use portcullis_core::{Authorization, Challenge, Clock, CookieValue, Secret, Timestamp, find_cookie};
use portcullis_jwt::{
    Algorithm, JwksLimits, Keys, MAX_TOKEN_LEN, StaticKeySet, TrustedIssuer, Verifier, VerifyingKey,
};
use portcullis_seal::{Context, Purpose, Sealed, SealingKey, SealingRing, SecretDigest};
use serde_json::Value;

/// What a client sends in `Authorization` is read or refused, and read the same way again.
pub fn authorization(data: &[u8]) -> bool {
    let Ok(sent) = Authorization::parse_value(data) else {
        return false;
    };
    let scheme = sent.scheme();
    assert!(!scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_graphic()));
    let Ok(token) = sent.token68() else {
        return false;
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
    let known = ["Bearer", "Basic", "DPoP", "ApiKey"];
    let known = known.iter().find(|known| known.eq_ignore_ascii_case(scheme));
    let shown = format!("Authorization {{ scheme: {known:?}, .. }}");
    assert_eq!(
        format!("{sent:?}"),
        shown,
        "a scheme that everybody knows, and no more"
    );
    true
}

/// What a server sends in `WWW-Authenticate` is read or refused; what was read is written so that it
/// is read as the same.
pub fn challenge(data: &[u8]) -> bool {
    let Ok(challenges) = Challenge::parse(data) else {
        return false;
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
    true
}

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "https://api.test";
const SECRET: [u8; 32] = [7; 32];
const NOW: u64 = 1_700_000_000;
const SKEW: u64 = 30;

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(NOW)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

fn verifier() -> &'static Verifier {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let secret = Secret::new(SECRET.to_vec());
        let key = VerifyingKey::hmac(Algorithm::Hs256, &secret).expect("a sound key");
        let keys = StaticKeySet::new([key]).expect("a sound set");
        Verifier::builder()
            .issuer(TrustedIssuer::new(ISSUER, keys).algorithms([Algorithm::Hs256]))
            .audience(AUDIENCE)
            .clock_skew(Duration::from_secs(SKEW))
            .clock(StoppedClock)
            .build()
            .expect("a sound configuration")
    })
}

/// A token is verified or refused. The bytes are taken twice: as a token, whose signature nobody can
/// have guessed; and, split at the first line break, as header and payload that *we* sign, so that
/// everything behind the signature is reached. What is then accepted must look acceptable to another
/// JSON parser too.
pub fn jws(data: &[u8]) -> bool {
    let token = std::str::from_utf8(data).unwrap_or_default();
    if verifier().verify_now(token).is_ok() {
        assert!(token.len() <= MAX_TOKEN_LEN && token.matches('.').count() == 2);
    }
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (Some(header), Some(payload)) = (parts.next(), parts.next()) else {
        return false;
    };
    let signed = sign(header, payload);
    let Ok(token) = verifier().verify_now(&signed) else {
        return false;
    };
    assert!(signed.len() <= MAX_TOKEN_LEN);
    assert_eq!(token.claims().as_json().as_bytes(), payload);
    check_header(header);
    check_claims(payload);
    true
}

fn sign(header: &[u8], payload: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, input.as_bytes()));
    format!("{input}.{signature}")
}

fn check_header(header: &[u8]) {
    let header: Value = serde_json::from_slice(header).expect("an accepted header is JSON");
    assert_eq!(header["alg"], "HS256");
    for forbidden in ["crit", "b64", "enc", "zip"] {
        assert!(header.get(forbidden).is_none(), "{forbidden}");
    }
}

fn check_claims(payload: &[u8]) {
    let claims: Value = serde_json::from_slice(payload).expect("accepted claims are JSON");
    assert_eq!(claims["iss"], ISSUER);
    let audiences = match &claims["aud"] {
        Value::Array(audiences) => audiences.clone(),
        one => vec![one.clone()],
    };
    assert!(audiences.contains(&Value::from(AUDIENCE)));
    let time = |name: &str| claims.get(name).map(|time| time.as_f64().expect("a number"));
    let (now, skew) = (NOW as f64, SKEW as f64);
    assert!(time("exp").is_some_and(|exp| now < exp + skew + 1.0));
    assert!(time("nbf").is_none_or(|nbf| nbf <= now + skew + 1.0));
    assert!(claims.get("cnf").is_none(), "nobody checked the proof");
}

const GOOD_KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","kid":"good","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// A key set is read or refused. What is read can verify, and never with a secret. The bytes are taken
/// twice: as a set, and as one key of a set beside a good one, which they must not spoil.
pub fn jwk(data: &[u8]) -> bool {
    let limits = JwksLimits::new();
    let accepted = Keys::from_jwks(data, &limits).is_ok_and(|keys| {
        check_keys(&keys);
        true
    });
    let Ok(entry) = serde_json::from_slice::<Box<serde_json::value::RawValue>>(data) else {
        return accepted;
    };
    let set = format!(r#"{{"keys":[{},{GOOD_KEY}]}}"#, entry.get());
    let keys = Keys::from_jwks(set.as_bytes(), &limits).expect("one entry spoils nothing");
    assert!(keys.knows(Some("good"), Algorithm::EdDsa));
    check_keys(&keys);
    accepted || keys.len() == 2
}

fn check_keys(keys: &Keys) {
    assert!((1..=100).contains(&keys.len()));
    for key in keys.iter() {
        assert!(key.algorithms().next().is_some(), "a key without use");
        for algorithm in key.algorithms() {
            let secret = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512].contains(&algorithm);
            assert!(!secret, "a published secret");
            assert!(keys.knows(key.kid(), algorithm));
        }
    }
}

/// What a client presents as an API key is one of ours or is not, and no single character of one that is can be
/// exchanged for another: a mistyped key costs no look-up.
pub fn api_key(data: &[u8]) -> bool {
    static FORMAT: OnceLock<ApiKeyFormat> = OnceLock::new();
    let format = FORMAT.get_or_init(|| {
        ApiKeyFormat::environments([("live", "sk_live"), ("test", "sk_test")]).expect("a sound format")
    });
    let Ok(key) = format.parse(data) else {
        return false;
    };
    assert!(format.recognises(data) && data.starts_with(key.prefix().as_bytes()));
    for at in 0..data.len() {
        for other in *b"0Az_" {
            let mut changed = data.to_vec();
            changed[at] = other;
            assert!(changed == data || format.parse(&changed).is_err(), "at {at}");
        }
    }
    true
}

/// One cookie is found in whatever else a client sends, as a slow reader of RFC 6265bis finds it.
pub fn cookie(data: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(line) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, line);
        }
    }
    let lines: Vec<_> = headers
        .get_all(COOKIE)
        .iter()
        .map(|line| line.as_bytes())
        .collect();
    let pairs = lines.iter().flat_map(|line| line.split(|byte| *byte == b';'));
    let blank = |text: &[u8]| -> Vec<u8> {
        let text: Vec<u8> = text
            .iter()
            .copied()
            .skip_while(|byte| b" \t".contains(byte))
            .collect();
        let end = text
            .iter()
            .rposition(|byte| !b" \t".contains(byte))
            .map_or(0, |last| last + 1);
        text[..end].to_vec()
    };
    let ours: Vec<Vec<u8>> = pairs
        .filter_map(|pair| {
            pair.iter()
                .position(|byte| *byte == b'=')
                .map(|at| pair.split_at(at))
        })
        .filter(|(name, _)| blank(name) == b"__Host-session")
        .map(|(_, value)| blank(&value[1..]))
        .collect();
    match (find_cookie(&headers, "__Host-session"), ours.as_slice()) {
        (CookieValue::Several, [_, _, ..]) => false,
        (CookieValue::Absent, [value]) => {
            assert!(value.iter().any(|byte| !matches!(byte, b'\t' | b' '..=b'~')));
            false
        }
        (CookieValue::One(found), [value]) => {
            let quoted = format!("\"{found}\"");
            assert!(found.as_bytes() == &value[..] || quoted.as_bytes() == &value[..]);
            true
        }
        (found, expected) => {
            assert!(
                expected.is_empty() && found == CookieValue::Absent,
                "{found:?}, not {expected:?}"
            );
            false
        }
    }
}

struct Kept;

impl Purpose for Kept {
    const NAME: &'static str = "fuzz";
}

/// What claims to be sealed is opened only if we sealed it, and what was opened is sealed text of ours.
pub fn sealed(data: &[u8]) -> bool {
    static RING: OnceLock<SealingRing> = OnceLock::new();
    let ring = RING.get_or_init(|| {
        let key = SealingKey::new(&Secret::new(*b"fuzz: nobody's sealing key 00001")).expect("a sound key");
        let ring = SealingRing::builder().current(key).clock(StoppedClock);
        ring.build().expect("a sound ring")
    });
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let sealed = Sealed::<Kept>::from_text(text);
    assert!(
        ring.open(&Context::of("another"), &sealed).is_err(),
        "not for this context"
    );
    let Ok(opened) = ring.open(&Context::none(), &sealed) else {
        return false;
    };
    assert!(opened.is_of_current_key() && opened.expires_at() > StoppedClock.now());
    assert_eq!(text.len(), SealingRing::text_len(opened.plaintext().len()));
    true
}

/// A stored digest is read or refused, and there is one way to write it.
pub fn digest(data: &[u8]) -> bool {
    let Some(digest) = std::str::from_utf8(data)
        .ok()
        .and_then(|text| text.parse::<SecretDigest>().ok())
    else {
        return false;
    };
    assert_eq!(digest.to_text().as_bytes(), data);
    true
}
