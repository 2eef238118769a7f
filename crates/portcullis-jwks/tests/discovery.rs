//! From an issuer to the address of its keys.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use portcullis_fetch::FetchErrorKind;
use portcullis_jwks::{JwksFetchErrorKind, RemoteKeySet};
use portcullis_test::{ScriptedFetch, TestIssuer, answer};
use serde_json::{Value, json};

use crate::support::{ISSUER, Verdict, World, s};

mod support;

const CONFIGURATION: &str = "https://issuer.test/.well-known/openid-configuration";
const INSERTED: &str = "https://issuer.test/.well-known/oauth-authorization-server";

fn discovering(issuer: &str) -> World {
    World::with(RemoteKeySet::discover(issuer), TestIssuer::new(issuer))
}

/// The failure of a discovery whose document is changed by `change`; no keys were asked for.
async fn refused(change: impl FnOnce(&TestIssuer)) -> Option<JwksFetchErrorKind> {
    let world = discovering(ISSUER);
    change(&world.issuer);
    assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
    assert_eq!(
        world.fetch.request_uris(),
        [CONFIGURATION],
        "no keys are asked for"
    );
    world.keys.status().last_error
}

/// DC1
#[tokio::test(start_paused = true)]
async fn the_document_is_asked_for_in_both_places_openid_first() {
    for (issuer, appended, inserted) in [
        (ISSUER, CONFIGURATION, INSERTED),
        (
            "https://issuer.test/tenant",
            "https://issuer.test/tenant/.well-known/openid-configuration",
            "https://issuer.test/.well-known/oauth-authorization-server/tenant",
        ),
        (
            "https://issuer.test/tenant/",
            "https://issuer.test/tenant/.well-known/openid-configuration",
            "https://issuer.test/.well-known/oauth-authorization-server/tenant",
        ),
    ] {
        let world = discovering(issuer);
        let keys = world.issuer.jwks_uri();
        assert_eq!(world.ask("key-1").await, Verdict::Known, "{issuer}");
        assert_eq!(world.fetch.request_uris(), [appended, &keys]);

        let world = discovering(issuer);
        world.fetch.push(answer::status(404));
        assert_eq!(world.ask("key-1").await, Verdict::Known, "{issuer}");
        assert_eq!(world.fetch.request_uris(), [appended, inserted, &keys]);
    }
}

/// DC2, DC6
#[tokio::test(start_paused = true)]
async fn a_document_of_another_issuer_is_not_used() {
    for other in [
        "https://issuer.test/",
        "https://ISSUER.test",
        "https://issuer.test:443",
        "http://issuer.test",
        "https://issuer.test/tenant",
        "https://evil.test",
        "issuer.test",
        "",
        " https://issuer.test",
        "https://issuer.test\u{0}",
    ] {
        let kind = refused(|issuer| issuer.set_metadata("issuer", other)).await;
        assert_eq!(kind, Some(JwksFetchErrorKind::IssuerMismatch), "{other:?}");
    }
}

/// DC2, DC3
#[tokio::test(start_paused = true)]
async fn a_document_without_issuer_or_address_is_not_used() {
    for name in ["issuer", "jwks_uri"] {
        for value in [Value::Null, json!(1), json!([ISSUER]), json!({})] {
            let kind = refused(|issuer| issuer.set_metadata(name, value.clone())).await;
            assert_eq!(kind, Some(JwksFetchErrorKind::Discovery), "{name}: {value}");
        }
    }
}

/// DC3
#[tokio::test(start_paused = true)]
async fn unknown_members_are_ignored_and_repeated_ones_are_not() {
    let world = discovering(ISSUER);
    world
        .issuer
        .set_metadata("x_future", json!({"deep": [1, {"issuer": "https://evil.test"}]}));
    assert_eq!(world.ask("key-1").await, Verdict::Known);

    for body in [
        r#"{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/jwks","issuer":"https://issuer.test"}"#,
        r#"{"issuer":"https://issuer.test","jwks_uri":"https://evil.test/","jwks_uri":"https://issuer.test/jwks"}"#,
        "[]",
        "null",
        "{",
        "",
    ] {
        let world = discovering(ISSUER);
        world.fetch.push(answer::json(body));
        assert!(
            matches!(world.ask("key-1").await, Verdict::Unavailable(_)),
            "{body}"
        );
        let kind = world.keys.status().last_error;
        assert_eq!(kind, Some(JwksFetchErrorKind::Discovery), "{body}");
    }
}

/// DC4, SS1, SS3
#[tokio::test(start_paused = true)]
async fn an_address_that_came_out_of_the_document_must_be_https_and_public() {
    for bad in [
        "http://issuer.test/jwks",
        "http://keys.example.com/jwks",
        "http://127.0.0.1/jwks",
        "https://127.0.0.1/jwks",
        "https://2130706433/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/jwks",
        "https://[::1]/jwks",
        "https://[fd00::1]/jwks",
        "https://localhost/jwks",
        "https://kubernetes.default.svc.cluster.local/jwks",
        "https://user:pass@issuer.test/jwks",
        "ftp://issuer.test/jwks",
    ] {
        let kind = refused(|issuer| issuer.set_jwks_uri(bad)).await;
        let expected = JwksFetchErrorKind::Fetch(FetchErrorKind::RefusedDestination);
        assert_eq!(kind, Some(expected), "{bad}");
    }
    for good in ["https://keys.example.com/jwks", "https://issuer.test/elsewhere"] {
        let world = discovering(ISSUER);
        world.issuer.set_jwks_uri(good);
        assert_eq!(world.ask("key-1").await, Verdict::Known, "{good}");
    }
}

/// SS3: what the operator configured may be anywhere
#[tokio::test(start_paused = true)]
async fn an_issuer_in_a_cluster_and_a_listed_host_are_trusted() {
    let inside = "https://login.cluster.local:8443/realm";
    let world = discovering(inside);
    assert_eq!(world.ask("key-1").await, Verdict::Known);

    let listed = RemoteKeySet::discover(ISSUER).allow_host("keys.cluster.local");
    let world = World::with(listed, TestIssuer::new(ISSUER));
    world.issuer.set_jwks_uri("https://keys.cluster.local/jwks");
    assert_eq!(world.ask("key-1").await, Verdict::Known);

    let kind = refused(|issuer| issuer.set_jwks_uri("https://keys.cluster.local/jwks")).await;
    let expected = JwksFetchErrorKind::Fetch(FetchErrorKind::RefusedDestination);
    assert_eq!(kind, Some(expected), "not listed");
}

/// DC9
#[tokio::test(start_paused = true)]
async fn a_discovered_address_is_kept_for_an_hour_and_asked_for_again_after_a_failure() {
    let world = discovering(ISSUER);
    world.issuer.set_cache_control("max-age=1800");
    let discoveries = || {
        let uris = world.fetch.request_uris();
        uris.iter().filter(|uri| **uri == CONFIGURATION).count()
    };
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    for _ in 0..2 {
        world.pass(s(1_700)).await;
        assert_eq!(world.ask("key-1").await, Verdict::Known);
        world.settle().await;
    }
    assert_eq!((discoveries(), world.fetch.arrived()), (1, 4));
    world.pass(s(1_700)).await;
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.settle().await;
    assert_eq!(discoveries(), 2, "older than an hour");

    world.fetch.push(answer::status(500));
    world.pass(s(1_700)).await;
    for _ in 0..2 {
        assert_eq!(world.ask("key-1").await, Verdict::Known);
        world.settle().await;
        world.pass(s(60)).await;
    }
    assert_eq!(discoveries(), 3, "the attempt before failed");
}

/// DC2, DC9: a document that turns bad takes nothing away
#[tokio::test(start_paused = true)]
async fn a_failed_discovery_keeps_the_keys() {
    let world = discovering(ISSUER);
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.issuer.set_metadata("issuer", "https://evil.test");
    world.pass(s(3_700)).await;
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.settle().await;
    assert_eq!(world.keys.status().failures, 1);
    assert_eq!(world.ask("key-1").await, Verdict::Known);
}

/// DC4
#[test]
fn mistakes_in_configuration_are_found_at_once() {
    let fetch = ScriptedFetch::new;
    for issuer in [
        "",
        "issuer.test",
        "http://issuer.test",
        "ftp://issuer.test",
        "https://issuer.test?tenant=a",
        "https://issuer.test#a",
        "https://user:pass@issuer.test",
        "http://localhost:3000",
    ] {
        let built = RemoteKeySet::discover(issuer).fetch(fetch()).build();
        assert!(built.is_err(), "{issuer}");
        let built = RemoteKeySet::at(issuer).fetch(fetch()).build();
        let may_have_a_query = issuer.contains('?') || issuer.contains('#');
        assert!(built.is_err() || may_have_a_query, "{issuer}");
    }
    assert!(RemoteKeySet::discover(ISSUER).build().is_err(), "no fetch");
    let bad_host = RemoteKeySet::discover(ISSUER).fetch(fetch()).allow_host("a/b");
    assert!(bad_host.build().is_err());
}

/// SS1
#[tokio::test(start_paused = true)]
async fn plain_http_reaches_this_machine_behind_the_switch_only() {
    let local = "http://localhost:3000";
    let world = World::with(
        RemoteKeySet::discover(local).allow_http_loopback(),
        TestIssuer::new(local),
    );
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    let elsewhere = RemoteKeySet::discover("http://issuer.test")
        .allow_http_loopback()
        .fetch(ScriptedFetch::new());
    assert!(elsewhere.build().is_err());
}

/// An `ETag` says something about one address only.
#[tokio::test(start_paused = true)]
async fn an_etag_of_one_address_is_not_sent_to_another() {
    let world = discovering(ISSUER);
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.issuer.set_jwks_uri("https://issuer.test/moved");
    world.pass(s(3_700)).await;
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.settle().await;
    let requests = world.fetch.requests();
    let moved = requests.last().expect("a request");
    assert_eq!(moved.uri(), "https://issuer.test/moved");
    assert!(!moved.headers().contains_key(http::header::IF_NONE_MATCH));
}

/// A URL whose fragment is dropped is not the URL that was written.
#[test]
fn an_address_with_a_fragment_is_refused() {
    let built = RemoteKeySet::at("https://issuer.test/jwks#a")
        .fetch(ScriptedFetch::new())
        .build();
    assert!(built.is_err());
}
