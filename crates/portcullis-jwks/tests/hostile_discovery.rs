//! Discovery documents that an attacker, or nobody in particular, wrote.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use portcullis_fetch::FetchErrorKind;
use portcullis_jwks::{JwksFetchErrorKind, RemoteKeySet};
use portcullis_test::{TestIssuer, answer};

use crate::support::{ISSUER, Verdict, World, s};

mod support;

const REFUSED: Option<JwksFetchErrorKind> =
    Some(JwksFetchErrorKind::Fetch(FetchErrorKind::RefusedDestination));

fn discovering(issuer: &str) -> World {
    World::with(RemoteKeySet::discover(issuer), TestIssuer::new(issuer))
}

/// SS1, SS3: every spelling of an address that is nobody's business
#[tokio::test(start_paused = true)]
async fn no_spelling_of_a_private_address_is_fetched() {
    for bad in [
        "https://169.254.169.254",
        "https://169.254.169.254./latest",
        "https://0251.0376.0251.0376/",
        "https://0xa9fea9fe/",
        "https://2852039166/",
        "https://169.254.43518/",
        "https://169。254。169。254/",
        "https://①⑥⑨.254.169.254/",
        "https://[::ffff:169.254.169.254]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[fe80::1]/",
        "https://[::]/",
        "https://0/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://localhost:8443/",
        "https://LOCALHOST/",
        "https://localhost./",
        "https://a.localhost/",
        "https://metadata.google.internal/",
        "https://METADATA.google.INTERNAL./",
        "https://printer.local/",
        "https://router.home.arpa/",
        "https://intranet/",
        "https://issuer.test@169.254.169.254/jwks",
        "https://issuer.test%40169.254.169.254/",
        "https://:pass@issuer.test/jwks",
        "https:\\\\169.254.169.254\\jwks",
        "https:/169.254.169.254/",
        "https:169.254.169.254",
        "https://\t169.254.169.254/",
        "http://issuer.test/jwks",
        "HTTP://issuer.test/jwks",
        "file:///etc/passwd",
        "data:application/json,{}",
        "javascript:0",
        "//issuer.test/jwks",
        "/jwks",
        "jwks",
        "https://",
        "https://issuer.test:99999/jwks",
        "https://issuer.test/jwks#keys",
        "",
    ] {
        let world = discovering(ISSUER);
        world.issuer.set_jwks_uri(bad);
        assert!(
            matches!(world.ask("key-1").await, Verdict::Unavailable(Some(_))),
            "{bad}"
        );
        assert_eq!(world.keys.status().last_error, REFUSED, "{bad}");
        assert_eq!(world.fetch.arrived(), 1, "{bad}");
    }
}

/// SS3: an issuer inside a cluster opens its own origin, not the cluster
#[tokio::test(start_paused = true)]
async fn a_configured_issuer_does_not_open_its_neighbours() {
    let inside = "https://login.cluster.local:8443/realm";
    for bad in [
        "https://login.cluster.local/jwks",
        "https://login.cluster.local:6443/api",
        "https://other.cluster.local:8443/jwks",
        "https://login.cluster.local.:8443/jwks",
        "http://login.cluster.local:8443/jwks",
        "https://10.0.0.1:8443/jwks",
    ] {
        let world = discovering(inside);
        world.issuer.set_jwks_uri(bad);
        assert!(
            matches!(world.ask("key-1").await, Verdict::Unavailable(_)),
            "{bad}"
        );
        assert_eq!(world.keys.status().last_error, REFUSED, "{bad}");
    }
    for good in [
        "https://login.cluster.local:8443/jwks",
        "https://LOGIN.cluster.local:8443/a/../jwks",
        "https://keys.example.com/jwks",
        "https://keys.example.com:8443/jwks?tenant=a",
    ] {
        let world = discovering(inside);
        world.issuer.set_jwks_uri(good);
        let issuer = world.issuer.clone();
        world.fetch.always(move |request| match request.uri().path() {
            "/jwks" => answer::json(issuer.jwks()),
            _ => Ok(issuer.respond(request)),
        });
        assert_eq!(world.ask("key-1").await, Verdict::Known, "{good}");
    }
}

/// SS1: the development switch is for plain http to this machine, not for https to any
#[tokio::test(start_paused = true)]
async fn the_development_switch_opens_plain_http_to_this_machine_only() {
    for bad in [
        "http://issuer.test/jwks",
        "http://127.0.0.1.example.com/jwks",
        "http://169.254.169.254/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost.example.com/",
        "http://user@localhost/",
        "https://127.0.0.1/jwks",
    ] {
        let builder = RemoteKeySet::discover(ISSUER).allow_http_loopback();
        let world = World::with(builder, TestIssuer::new(ISSUER));
        world.issuer.set_jwks_uri(bad);
        assert!(
            matches!(world.ask("key-1").await, Verdict::Unavailable(_)),
            "{bad}"
        );
        assert_eq!(world.keys.status().last_error, REFUSED, "{bad}");
    }
}

/// DC2, DC3: what two parsers could read differently
#[tokio::test(start_paused = true)]
async fn a_document_that_can_be_read_in_two_ways_is_not_used() {
    for body in [
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}/jwks","iss\u0075er":"https://evil.test"}}"#),
        format!(r#"{{"iss\u0075er":"{ISSUER}","issuer":"{ISSUER}","jwks_uri":"{ISSUER}/jwks"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}/jwks","x":1,"x":2}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}/jwks"}}{{}}"#),
        format!(r#"[{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}/jwks"}}]"#),
        format!(r#"{{"issuer":["{ISSUER}"],"jwks_uri":"{ISSUER}/jwks"}}"#),
        format!(r#"{{"Issuer":"{ISSUER}","jwks_uri":"{ISSUER}/jwks"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":["{ISSUER}/jwks"]}}"#),
        format!("\u{feff}{{\"issuer\":\"{ISSUER}\",\"jwks_uri\":\"{ISSUER}/jwks\"}}"),
    ] {
        let world = discovering(ISSUER);
        world.fetch.push(answer::json(body.clone()));
        assert!(
            matches!(world.ask("key-1").await, Verdict::Unavailable(_)),
            "{body:.200}"
        );
        let kind = Some(JwksFetchErrorKind::Discovery);
        assert_eq!(world.keys.status().last_error, kind, "{body:.200}");
        assert_eq!(world.fetch.arrived(), 1);
    }
    let world = discovering(ISSUER);
    let escaped = r#"{"issuer":"https:\/\/issuer\u002etest","jwks_uri":"https:\/\/issuer.test\/jwks"}"#;
    world.fetch.push(answer::json(escaped));
    assert_eq!(world.ask("key-1").await, Verdict::Known, "escapes are spelling");
}

/// DC3: members that nobody reads are not read, however deep they are
#[tokio::test(start_paused = true)]
async fn a_deep_member_that_nobody_reads_exhausts_nothing() {
    let world = discovering(ISSUER);
    let (open, close) = ("[".repeat(60_000), "]".repeat(60_000));
    let deep = format!(r#"{{"issuer":"{ISSUER}","x":{open}{close},"jwks_uri":"{ISSUER}/jwks"}}"#);
    world.fetch.push(answer::json(deep));
    assert_eq!(world.ask("key-1").await, Verdict::Known);
}

/// DC1, DC2: the second place is no way around the first one's answer
#[tokio::test(start_paused = true)]
async fn the_second_place_is_asked_only_when_the_first_has_no_document() {
    let other = || answer::json(r#"{"issuer":"https://evil.test","jwks_uri":"https://evil.test/jwks"}"#);
    for (first, requests) in [
        (other(), 1),
        (answer::json("{}"), 1),
        (answer::failure(FetchErrorKind::Connect), 1),
        (
            answer::with_header(answer::status(302), "location", "https://evil.test/"),
            1,
        ),
        (answer::status(404), 2),
        (answer::status(500), 2),
    ] {
        let world = discovering(ISSUER);
        world.fetch.push(first);
        world.fetch.push(other());
        assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
        assert_eq!(world.fetch.arrived(), requests);
        let hosts: Vec<_> = world.fetch.request_uris();
        assert!(
            hosts.iter().all(|uri| uri.host() == Some("issuer.test")),
            "{hosts:?}"
        );
    }
}

/// Rule 6 of the crate's documentation: whichever document asked to be left alone
#[tokio::test(start_paused = true)]
async fn retry_after_of_a_discovery_document_is_honoured() {
    let busy = |wait| answer::with_header(answer::status(429), "retry-after", wait);
    for (answers, wait) in [
        (vec![busy("70"), answer::status(404)], 70),
        (vec![answer::status(404), busy("80")], 80),
        (vec![busy("99999"), answer::status(404)], 300),
    ] {
        let world = discovering(ISSUER);
        for answer in answers {
            world.fetch.push(answer);
        }
        assert_eq!(world.ask("key-1").await, Verdict::Unavailable(Some(s(wait))));
        world.pass(s(wait - 1)).await;
        assert_eq!(world.ask("key-1").await, Verdict::Unavailable(Some(s(1))));
        assert_eq!(world.fetch.arrived(), 2);
        world.pass(s(1)).await;
        assert_eq!(world.ask("key-1").await, Verdict::Known);
    }
}

/// DC9: the address moved, and the old one is gone
#[tokio::test(start_paused = true)]
async fn keys_that_moved_are_found_by_the_attempt_after_the_first_failure() {
    let world = discovering(ISSUER);
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.issuer.set_jwks_uri("https://issuer.test/moved");
    world.issuer.rotate_and_retire();
    world.pass(s(30)).await;
    assert!(matches!(world.ask("key-2").await, Verdict::Unavailable(Some(_))));
    assert_eq!(world.ask("key-1").await, Verdict::Known, "nothing is lost");
    world.pass(s(30)).await;
    assert_eq!(world.ask("key-2").await, Verdict::Known);
    assert_eq!(world.ask("key-1").await, Verdict::Unknown);
}

/// DC2: a trailing slash makes another issuer, in both directions
#[tokio::test(start_paused = true)]
async fn a_trailing_slash_makes_another_issuer() {
    let slash = format!("{ISSUER}/");
    for (configured, says) in [(ISSUER, slash.as_str()), (slash.as_str(), ISSUER)] {
        let world = discovering(configured);
        world.issuer.set_metadata("issuer", says);
        assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
        let kind = Some(JwksFetchErrorKind::IssuerMismatch);
        assert_eq!(world.keys.status().last_error, kind);
    }
    let world = discovering(&slash);
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    assert!(world.verify(world.issuer.token()).await.is_ok());
}
