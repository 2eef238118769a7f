//! Reports of GitHub's secret scanning.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use portcullis_apikey::GithubScanning;
use portcullis_core::AuthErrorKind;
use portcullis_fetch::FetchErrorKind;
use portcullis_test::{ScriptedFetch, answer};
use serde_json::{Value, json};

use self::support::*;

/// GitHub: keys that sign, and the document that publishes them.
struct Github(Vec<(String, EcdsaKeyPair)>);

impl Github {
    fn new(names: &[&str]) -> Self {
        let pair = |name: &&str| {
            (
                (*name).to_owned(),
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            )
        };
        Self(names.iter().map(pair).collect())
    }

    fn document(&self) -> String {
        let keys: Vec<Value> = self
            .0
            .iter()
            .map(|(name, pair)| json!({"key_identifier": name, "key": pem(pair), "is_current": true}))
            .collect();
        json!({ "public_keys": keys }).to_string()
    }

    fn sign(&self, name: &str, body: &[u8]) -> HeaderMap {
        let (_, pair) = self.0.iter().find(|(known, _)| known == name).unwrap();
        let signature = pair.sign(&SystemRandom::new(), body).unwrap();
        headers(name, &STANDARD.encode(signature))
    }
}

fn headers(name: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("github-public-key-identifier", name.parse().unwrap());
    headers.insert("github-public-key-signature", signature.parse().unwrap());
    headers
}

fn pem(pair: &EcdsaKeyPair) -> String {
    let head = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let der = [&head[..], pair.public_key().as_ref()].concat();
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    )
}

fn report(tokens: &[&str]) -> Vec<u8> {
    let found = |token: &&str| json!({"token": token, "type": "acme_key", "url": "https://github.test/x", "source": "content"});
    serde_json::to_vec(&tokens.iter().map(found).collect::<Vec<_>>()).unwrap()
}

fn endpoint(app: &App, fetch: &ScriptedFetch) -> GithubScanning {
    GithubScanning::new(app.service.clone(), fetch.clone())
        .unwrap()
        .clock(app.clock.clone())
}

fn serving(github: &Github) -> ScriptedFetch {
    let fetch = ScriptedFetch::new();
    let document = github.document();
    fetch.always(move |request| {
        assert_eq!(request.uri().to_string(), GithubScanning::KEYS);
        answer::json(document.clone())
    });
    fetch
}

#[tokio::test]
async fn a_signed_report_revokes_the_keys_in_it_and_names_the_rest_false() {
    let app = App::new();
    let (id, key) = app.key().await;
    let (_, other) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &key).await && passes(&keys, &other).await);
    let github = Github::new(&["one"]);
    let scanning = endpoint(&app, &serving(&github));
    let made_up = with_another_secret(&other);
    let body = report(&[&key, &made_up, "nonsense", &id.to_string()]);
    let feedback = scanning.handle(&github.sign("one", &body), &body).await.unwrap();
    assert_eq!(feedback.revoked(), 1);
    let response = feedback.into_response();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let told: Vec<Value> = serde_json::from_slice(response.body()).unwrap();
    let labels: Vec<&str> = told.iter().map(|told| told["label"].as_str().unwrap()).collect();
    assert_eq!(
        labels,
        [
            "true_positive",
            "false_positive",
            "false_positive",
            "false_positive"
        ]
    );
    assert_eq!(told[0]["token_type"], "acme_key");
    assert_eq!(told[0]["token_hash"].as_str().unwrap().len(), 64);
    assert!(!String::from_utf8_lossy(response.body()).contains(&key[24..56]));
    assert!(!passes(&keys, &key).await && passes(&keys, &other).await);
}

#[tokio::test]
async fn a_report_whose_signature_does_not_hold_revokes_nothing_and_all_look_alike() {
    let app = App::new();
    let (_, key) = app.key().await;
    let github = Github::new(&["one", "two"]);
    let scanning = endpoint(&app, &serving(&github));
    let body = report(&[&key]);
    let good = github.sign("one", &body);
    let signature = good["github-public-key-signature"].to_str().unwrap().to_owned();
    let mut twice = good.clone();
    twice.append("github-public-key-signature", signature.parse().unwrap());
    let mut nameless = good.clone();
    nameless.remove("github-public-key-identifier");
    let stranger = Github::new(&["one"]);
    let before = app.store.calls();
    for (what, headers, body) in [
        ("another key's name", headers("two", &signature), body.clone()),
        ("an unknown name", headers("three", &signature), body.clone()),
        ("another key", stranger.sign("one", &body), body.clone()),
        ("another body", good.clone(), [&body[..], b" "].concat()),
        ("no signature", headers("one", "AAAA"), body.clone()),
        ("no base64", headers("one", "!"), body.clone()),
        ("a long one", headers("one", &"A".repeat(1_000)), body.clone()),
        ("two signatures", twice, body.clone()),
        ("no name", nameless, body.clone()),
        ("nothing", HeaderMap::new(), body.clone()),
    ] {
        let error = scanning.handle(&headers, &body).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (AuthErrorKind::Denied, "scanning_signature"),
            "{what}"
        );
    }
    assert_eq!(app.store.calls(), before);
    assert!(passes(&app.keys(), &key).await);
    assert_eq!(scanning.handle(&good, &body).await.unwrap().revoked(), 1);
}

#[tokio::test]
async fn the_old_secret_of_a_rotation_counts_while_it_is_accepted() {
    let app = App::new();
    let (id, old) = app.key().await;
    let rotated = app
        .service
        .rotate(&alice(), &id, portcullis_apikey::Rotation::default())
        .await
        .unwrap();
    let (_, new) = in_clear(rotated);
    let github = Github::new(&["one"]);
    let scanning = endpoint(&app, &serving(&github));
    let body = report(&[&old]);
    app.clock.advance(DAY);
    assert_eq!(
        scanning
            .handle(&github.sign("one", &body), &body)
            .await
            .unwrap()
            .revoked(),
        0
    );
    assert!(passes(&app.keys(), &new).await);
    let (_, newer) = in_clear(
        app.service
            .rotate(&alice(), &id, portcullis_apikey::Rotation::default())
            .await
            .unwrap(),
    );
    let body = report(&[&new]);
    assert_eq!(
        scanning
            .handle(&github.sign("one", &body), &body)
            .await
            .unwrap()
            .revoked(),
        1
    );
    assert!(!passes(&app.keys(), &newer).await);
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once_in_thirty_seconds_and_a_known_one_once_a_day() {
    let app = App::new();
    let github = Github::new(&["one"]);
    let fetch = serving(&github);
    let scanning = endpoint(&app, &fetch);
    let body = report(&[]);
    for _ in 0..10 {
        assert!(scanning.handle(&github.sign("one", &body), &body).await.is_ok());
        assert!(scanning.handle(&headers("made-up", "AAAA"), &body).await.is_err());
    }
    assert_eq!(fetch.arrived(), 1);
    app.clock.advance(Duration::from_secs(30));
    for _ in 0..10 {
        assert!(scanning.handle(&headers("made-up", "AAAA"), &body).await.is_err());
    }
    assert_eq!(fetch.arrived(), 2);
    app.clock.advance(DAY);
    assert!(scanning.handle(&github.sign("one", &body), &body).await.is_ok());
    assert_eq!(fetch.arrived(), 3);
}

#[tokio::test]
async fn an_outage_is_503_and_over_when_it_is_over() {
    let app = App::new();
    let (_, key) = app.key().await;
    let github = Github::new(&["one"]);
    let fetch = serving(&github);
    let scanning = endpoint(&app, &fetch);
    let body = report(&[&key]);
    let signed = github.sign("one", &body);
    for failure in [
        answer::failure(FetchErrorKind::Connect),
        answer::status(500),
        answer::json("{"),
    ] {
        fetch.push(failure);
        for _ in 0..2 {
            let error = scanning.handle(&signed, &body).await.unwrap_err();
            assert_eq!(error.kind(), AuthErrorKind::Unavailable);
        }
        app.clock.advance(Duration::from_secs(30));
    }
    app.store.set_down(true);
    let error = scanning.handle(&signed, &body).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (AuthErrorKind::Unavailable, "api_keys_unavailable")
    );
    app.store.set_down(false);
    assert_eq!(scanning.handle(&signed, &body).await.unwrap().revoked(), 1);
    assert_eq!(fetch.arrived(), 4);
}

#[tokio::test]
async fn a_report_that_is_too_large_or_no_report_is_400() {
    let app = App::new();
    let github = Github::new(&["one"]);
    let scanning = endpoint(&app, &serving(&github));
    let large = vec![b' '; 1024 * 1024 + 1];
    let error = scanning
        .handle(&github.sign("one", &large), &large)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (AuthErrorKind::InvalidRequest, "scanning_report_too_large")
    );
    for body in [
        &b"{}"[..],
        b"",
        b"[{}]",
        b"[\"x\"]",
        b"[1]",
        b"[{\"token\":1,\"type\":\"x\"}]",
    ] {
        let error = scanning
            .handle(&github.sign("one", body), body)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (AuthErrorKind::InvalidRequest, "scanning_report_malformed")
        );
    }
}

#[tokio::test]
async fn one_bad_key_of_github_spoils_nothing() {
    let app = App::new();
    let github = Github::new(&["one"]);
    let mut document: Value = serde_json::from_str(&github.document()).unwrap();
    let good = document["public_keys"][0]["key"].as_str().unwrap().to_owned();
    let broken = [
        "",
        "x",
        "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
        &good.replace("PUBLIC", "PRIVATE"),
    ];
    for (index, key) in broken.iter().enumerate() {
        document["public_keys"]
            .as_array_mut()
            .unwrap()
            .insert(0, json!({"key_identifier": format!("bad{index}"), "key": key}));
    }
    let fetch = ScriptedFetch::new();
    fetch.always(move |_| answer::json(document.to_string()));
    let scanning = endpoint(&app, &fetch);
    let body = report(&[]);
    assert!(scanning.handle(&github.sign("one", &body), &body).await.is_ok());
    let signature = github.sign("one", &body)["github-public-key-signature"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        scanning
            .handle(&headers("bad0", &signature), &body)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_known_key_does_not_wait_for_the_fetch_of_an_unknown_one() {
    let app = App::new();
    let github = Github::new(&["one"]);
    let fetch = serving(&github);
    let scanning = endpoint(&app, &fetch);
    let body = report(&[]);
    let signed = github.sign("one", &body);
    assert!(scanning.handle(&signed, &body).await.is_ok());
    app.clock.advance(Duration::from_secs(30));
    let hold = fetch.hold();
    let unknown = headers("made-up", "AAAA");
    let mut waiting = Box::pin(scanning.handle(&unknown, &body));
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(waiting.as_mut().poll(cx))).await;
    assert!(polled.is_pending());
    assert!(scanning.handle(&signed, &body).await.is_ok());
    hold.release();
    assert_eq!(waiting.await.unwrap_err().kind(), AuthErrorKind::Denied);
}
