use std::future::ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::Request;
use portcullis_core::{AuthenticateRequest, Scopes};
use portcullis_seal::SystemRandomness;

use super::*;
use crate::stored::Fit;
use crate::stored::counted::COMPARISONS;
use crate::{ApiKeys, checksum};

fn wait<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// How many digests are compared for a presented text, and what comes of it.
fn work(keys: &ApiKeys, text: &str) -> (usize, &'static str) {
    let (parts, ()) = Request::get("/")
        .header("x-api-key", text)
        .body(())
        .expect("a request")
        .into_parts();
    COMPARISONS.set(0);
    let verdict = wait(keys.authenticate_request(&parts));
    let reason = verdict.map_or_else(|error| error.reason(), |_| "accepted");
    (COMPARISONS.get(), reason)
}

fn with_checksum(body: &str) -> String {
    let checksum = checksum::checksum(body.as_bytes());
    format!("{body}{}", String::from_utf8_lossy(&checksum))
}

#[test]
fn an_unknown_id_costs_the_digest_that_a_wrong_secret_costs() {
    let format = ApiKeyFormat::new("sk_live").expect("a format");
    let key = format
        .generate(&SystemRandomness::new())
        .expect("randomness")
        .reveal();
    let text = key.expose().as_str();
    let row = StoredKey::new(
        format.parse(text.as_bytes()).expect("a key").id(),
        SecretDigest::sha256(&key),
        Principal::new("https://issuer.test", "alice"),
    )
    .scopes(Scopes::none());
    let find = move |id: KeyId| {
        ready(Ok::<_, std::io::Error>(
            (id == row.key().id()).then(|| row.clone()),
        ))
    };
    let keys = ApiKeys::find(format, find)
        .dangerous_without_owners()
        .build()
        .expect("a method");

    let wrong = with_checksum(&format!("{}{}", &text[..24], "z".repeat(32)));
    let unknown = with_checksum(&format!("sk_live_0123456789abcdEF{}", &text[24..56]));
    assert_eq!(work(&keys, &wrong), (1, "wrong_secret"));
    assert_eq!(work(&keys, &unknown), (1, "unknown_key"));
    assert_eq!(work(&keys, &text[..61]), (0, "malformed_key"));
    assert_eq!(work(&keys, text).1, "accepted");
    // Remembered: one digest, right or wrong.
    assert_eq!(work(&keys, text), (1, "accepted"));
    assert_eq!(work(&keys, &wrong), (1, "wrong_secret"));
}

#[test]
fn during_a_rotation_both_secrets_are_compared_whichever_fits() {
    let digest = |text: &str| SecretDigest::sha256(&Secret::new(text.to_owned()));
    let owner = Principal::new("https://issuer.test", "alice");
    let end = Timestamp::from_unix_seconds(10);
    let row = StoredKey::new(KeyId::foreign([0; 32]), digest("new"), owner).previous(digest("old"), end);
    let compare = |text: &str, now| {
        COMPARISONS.set(0);
        let matches = row.matches(&Text::custody(text.as_bytes()), &Peppers::none(), now);
        (matches, COMPARISONS.get())
    };
    let (current, former) = (Some(Fit::Current), Some(Fit::Former(end)));
    for (text, matches) in [("new", current), ("old", former), ("other", None)] {
        assert_eq!(compare(text, Timestamp::EPOCH), (matches, 2), "{text}");
    }
    assert_eq!(compare("old", end), (None, 1));
    assert_eq!(compare("new", end), (current, 1));
}
