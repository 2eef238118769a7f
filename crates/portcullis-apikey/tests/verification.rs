//! Which requests a key lets in.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use std::net::IpAddr;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request};
use portcullis_apikey::{ApiKey, ApiKeys, Expiry, OwnerNow, PeerAddress, Rotation};
use portcullis_core::{
    AuthErrorKind, AuthenticateRequest, Delivery, Method, Presence, Principal, Roles, Scheme, any_of,
};
use portcullis_test::Impersonation;

use self::support::*;

#[tokio::test]
async fn a_key_lets_its_owner_in_and_says_what_it_knows() {
    let app = App::new();
    let (id, key) = app.key().await;
    let caller = decide(&app.keys(), &with_key(&key)).await.unwrap();
    assert_eq!(caller.principal(), alice().principal());
    assert_eq!(
        (caller.method(), caller.delivery()),
        (Method::API_KEY, Delivery::Explicit)
    );
    assert_eq!(caller.scopes(), &scopes("a b"));
    assert_eq!(caller.scheme(), Some(&Scheme::API_KEY));
    let details: &ApiKey = caller.details().unwrap();
    assert_eq!(
        (details.id(), details.name(), details.environment()),
        (id, "deploy", Some("live"))
    );
    assert_eq!(caller.expires_at(), details.expires_at());
    assert!(key.ends_with(details.last_four()) && details.last_four().len() == 4);
    assert!(caller.checked_at().is_some());
}

/// A mistake in typing costs nobody a look-up, and neither does anything that is no key.
#[tokio::test]
async fn what_has_not_the_form_or_checksum_of_a_key_costs_no_store_call() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    let before = app.store.calls();
    for at in [8, 20, 30, 55, 61] {
        let mut wrong = key.clone().into_bytes();
        wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
        let wrong = String::from_utf8(wrong).unwrap();
        assert_eq!(
            refusal(&keys, &with_key(&wrong)).await,
            (INVALID, "wrong_checksum")
        );
    }
    for wrong in [
        &key[..61],
        "sk_live_",
        "x",
        &key.to_uppercase(),
        &format!("{key}0"),
        &"k".repeat(5_000),
    ] {
        assert_eq!(refusal(&keys, &with_key(wrong)).await, (INVALID, "malformed_key"));
    }
    assert_eq!(app.store.calls(), before);
    assert!(passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before + 1);
}

#[tokio::test]
async fn an_unknown_id_and_a_wrong_secret_look_alike_on_the_wire() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    let unknown = key.replace(&key[8..24], "0123456789abcdEF");
    let unknown = format!("{}{}", &unknown[..56], checksum(&unknown[..56]));
    let mut answers = Vec::new();
    for (presented, reason) in [
        (with_another_secret(&key), "wrong_secret"),
        (unknown, "unknown_key"),
    ] {
        let error = decide(&keys, &with_key(&presented)).await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (INVALID, reason));
        let mut headers = HeaderMap::new();
        error.or_challenges(keys.challenges()).write_headers(&mut headers);
        answers.push(headers);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(
        answers[0]["www-authenticate"],
        r#"ApiKey realm="api", header="x-api-key", error="invalid_token""#
    );
    assert!(passes(&keys, &key).await);
    // Nor is it let in by a key that is remembered.
    assert_eq!(
        refusal(&keys, &with_key(&with_another_secret(&key))).await,
        (INVALID, "wrong_secret")
    );
}

#[tokio::test]
async fn a_key_ends_at_its_expiry_and_not_before_also_when_it_is_remembered() {
    let app = App::new();
    let (_, key) = app.issue(new_key_until(Expiry::in_days(1))).await;
    let keys = app.keys();
    app.clock.advance(DAY - Duration::from_secs(5));
    assert!(passes(&keys, &key).await);
    app.clock.advance(Duration::from_secs(5) - NANO);
    assert!(passes(&keys, &key).await);
    app.clock.advance(NANO);
    assert_eq!(refusal(&keys, &with_key(&key)).await, (INVALID, "expired"));
    // Nor is it found again.
    assert!(!passes(&app.keys(), &key).await);
}

#[tokio::test]
async fn the_old_secret_ends_with_the_overlap_and_not_before_also_when_it_is_remembered() {
    let app = App::new();
    let (id, old) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &old).await);
    let rotated = app
        .service
        .rotate(&alice(), &id, Rotation::default())
        .await
        .unwrap();
    let (same, new) = in_clear(rotated);
    assert_eq!(id, same);
    app.clock.advance(DAY - Duration::from_secs(5));
    assert!(passes(&keys, &old).await && passes(&keys, &new).await);
    // What is opened with the old secret ends with it.
    let ends = async |key: &str| decide(&keys, &with_key(key)).await.unwrap().expires_at().unwrap();
    assert_eq!(
        ends(&old).await,
        portcullis_core::Clock::now(&app.clock).saturating_add(Duration::from_secs(5))
    );
    assert!(ends(&new).await > ends(&old).await);
    app.clock.advance(Duration::from_secs(5) - NANO);
    assert!(passes(&keys, &old).await && passes(&keys, &new).await);
    app.clock.advance(NANO);
    assert_eq!(refusal(&keys, &with_key(&old)).await, (INVALID, "wrong_secret"));
    assert!(passes(&keys, &new).await);
}

#[tokio::test]
async fn without_overlap_the_old_secret_is_dead_at_once() {
    let app = App::new();
    let (id, old) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &old).await);
    let at_once = Rotation::default().overlap(Duration::ZERO).unwrap();
    let (_, new) = in_clear(app.service.rotate(&alice(), &id, at_once).await.unwrap());
    assert!(!passes(&keys, &old).await && passes(&keys, &new).await);
}

#[tokio::test]
async fn a_key_that_is_switched_off_is_refused_at_once_and_let_in_when_it_is_on_again() {
    let app = App::new();
    let (id, key) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &key).await);
    app.service.disable(&alice(), &id).await.unwrap();
    assert_eq!(refusal(&keys, &with_key(&key)).await, (INVALID, "disabled"));
    app.service.enable(&alice(), &id).await.unwrap();
    assert!(passes(&keys, &key).await);
}

/// T-ERR-1
#[tokio::test]
async fn an_outage_is_503_and_a_wrong_key_stays_401() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    app.store.set_down(true);
    assert_eq!(
        refusal(&keys, &with_key(&key)).await,
        (AuthErrorKind::Unavailable, "api_keys_unavailable")
    );
    assert_eq!(refusal(&keys, &with_key("sk_live_x")).await.0, INVALID);
    app.store.set_down(false);
    assert!(passes(&keys, &key).await);
}

#[tokio::test]
async fn a_key_with_networks_is_accepted_from_there_only() {
    let app = App::new();
    let networks = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    let (_, key) = app.issue(new_key().networks(networks)).await;
    let keys = app.keys();
    let from = |peer: &str| {
        let mut parts = with_key(&key);
        parts
            .extensions
            .insert(PeerAddress(peer.parse::<IpAddr>().unwrap()));
        parts
    };
    for inside in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"] {
        assert!(decide(&keys, &from(inside)).await.is_ok(), "{inside}");
    }
    for outside in ["11.1.2.3", "::ffff:11.1.2.3", "2001:db9::1"] {
        assert_eq!(refusal(&keys, &from(outside)).await, (INVALID, "wrong_network"));
    }
    assert_eq!(refusal(&keys, &with_key(&key)).await, (INVALID, "wrong_network"));
}

/// T-RATE-1: what a client writes is not where it is.
#[tokio::test]
async fn t_rate_1_a_forwarded_address_is_not_believed_unless_the_application_says_so() {
    let app = App::new();
    let (_, key) = app
        .issue(new_key().networks(["10.0.0.0/8".parse().unwrap()]))
        .await;
    let forged = request(&[
        ("x-api-key", &key),
        ("x-forwarded-for", "10.1.2.3"),
        ("forwarded", "for=10.1.2.3"),
        ("x-real-ip", "10.1.2.3"),
    ]);
    assert_eq!(refusal(&app.keys(), &forged).await, (INVALID, "wrong_network"));
    let behind_a_proxy = app.service.method().dangerous_without_owners();
    let keys = behind_a_proxy
        .peer(|parts| parts.headers.get("x-real-ip")?.to_str().ok()?.parse().ok())
        .build()
        .unwrap();
    assert!(decide(&keys, &forged).await.is_ok());
}

#[derive(Clone, Debug, PartialEq)]
struct User(&'static str);

#[tokio::test]
async fn a_key_may_what_it_was_issued_for_as_far_as_its_owner_may_now() {
    let app = App::new();
    let (_, key) = app.key().await;
    let owners = |who: Principal| async move {
        assert_eq!(who.subject(), "alice");
        let owner = OwnerNow::new(User("Alice"), scopes("b c")).with_roles(Roles::from_iter(["editor"]));
        Ok::<_, std::io::Error>(Some(owner))
    };
    let keys = app.service.method().owners(owners).build().unwrap();
    for _ in 0..2 {
        let caller = decide(&keys, &with_key(&key)).await.unwrap();
        assert_eq!(
            (caller.principal(), caller.scopes()),
            (&User("Alice"), &scopes("b"))
        );
        assert!(caller.roles().contains("editor"));
        assert_eq!(caller.account(), Some(alice().principal()));
    }
}

#[tokio::test]
async fn an_owner_who_is_gone_is_401_and_one_who_cannot_be_asked_for_503() {
    let app = App::new();
    let (_, key) = app.key().await;
    let gone = |_| async { Ok::<Option<OwnerNow<User>>, std::io::Error>(None) };
    let gone = app.service.method().owners(gone).build().unwrap();
    assert_eq!(refusal(&gone, &with_key(&key)).await, (INVALID, "unknown_owner"));
    let down = |_| async { Err::<Option<OwnerNow<User>>, _>(std::io::Error::other("down")) };
    let down = app.service.method().owners(down).build().unwrap();
    assert_eq!(
        refusal(&down, &with_key(&key)).await,
        (AuthErrorKind::Unavailable, "owners_unavailable")
    );
    // Whoever does not know the secret does not get that far.
    assert_eq!(
        refusal(&down, &with_key(&with_another_secret(&key))).await,
        (INVALID, "wrong_secret")
    );
}

#[test]
fn without_a_word_about_owners_there_is_no_method() {
    let app = App::new();
    assert!(app.service.method().build().is_err());
    assert!(app.service.method().dangerous_without_owners().build().is_ok());
}

#[tokio::test]
async fn a_header_of_its_own_occurs_once_and_is_readable() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &format!(" {key}\t")).await);
    let twice = request(&[("x-api-key", &key), ("x-api-key", &key)]);
    for malformed in [
        twice,
        with_key(""),
        with_key("two words"),
        with_key(&format!("{key},{key} ")),
    ] {
        let (kind, _) = refusal(&keys, &malformed).await;
        assert!(
            matches!(kind, AuthErrorKind::InvalidRequest | INVALID),
            "{malformed:?}"
        );
    }
    assert_eq!(
        refusal(&keys, &request(&[("x-api-key", &key), ("x-api-key", "x")]))
            .await
            .0,
        AuthErrorKind::InvalidRequest
    );
    assert_eq!(
        refusal(&keys, &request(&[])).await.0,
        AuthErrorKind::MissingCredentials
    );
    let mut obscure = request(&[]);
    obscure
        .headers
        .insert("x-api-key", HeaderValue::from_bytes(b"sk_live_\xff").unwrap());
    assert_eq!(refusal(&keys, &obscure).await.0, AuthErrorKind::InvalidRequest);
}

#[tokio::test]
async fn each_place_is_read_alone() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    let places = [
        (
            keys.clone().in_header("x-key").unwrap(),
            "x-key",
            key.clone(),
            r#"ApiKey realm="api", header="x-key""#,
        ),
        (
            keys.clone().in_authorization().unwrap(),
            "authorization",
            format!("apikey {key}"),
            r#"ApiKey realm="api""#,
        ),
        (
            keys.clone().as_bearer().unwrap(),
            "authorization",
            format!("bearer {key}"),
            r#"Bearer realm="api""#,
        ),
    ];
    for (index, (method, name, value, challenge)) in places.iter().enumerate() {
        assert!(
            decide(method, &request(&[(name, value)])).await.is_ok(),
            "{value}"
        );
        let asked = method.challenges().iter().next().unwrap().to_string();
        assert_eq!(&asked, challenge);
        assert_eq!(method.inspected_headers()[0], *name);
        for (other, (_, name, value, _)) in places.iter().enumerate() {
            let presence = method.presence(&request(&[(name, value)]));
            assert_eq!(presence == Presence::Present(Delivery::Explicit), index == other);
        }
    }
    for name in ["authorization", "cookie", "proxy-authorization", "two words", ""] {
        assert!(keys.clone().in_header(name).is_err(), "{name}");
    }
}

#[tokio::test]
async fn behind_bearer_keys_are_told_by_their_prefix() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys().as_bearer().unwrap();
    let bearer = |token: &str| request(&[(AUTHORIZATION.as_str(), &format!("Bearer {token}"))]);
    assert!(decide(&keys, &bearer(&key)).await.is_ok());
    assert_eq!(
        keys.presence(&bearer("eyJhbGciOiJub25lIn0.e30.x")),
        Presence::Absent
    );
    assert_eq!(
        refusal(&keys, &bearer("eyJhbGciOiJub25lIn0.e30.x")).await,
        (INVALID, "unrecognised_credentials")
    );
    assert_eq!(
        refusal(&keys, &bearer("sk_live_x")).await,
        (INVALID, "malformed_key")
    );
    assert_eq!(
        refusal(&keys, &bearer("a b")).await.0,
        AuthErrorKind::InvalidRequest
    );
}

/// A bad key does not fall through to another method.
#[tokio::test]
async fn beside_another_method_the_key_alone_decides_and_two_are_refused() {
    let app = App::new();
    let (_, key) = app.key().await;
    let methods = any_of((
        app.keys(),
        app.keys().in_authorization().unwrap(),
        Impersonation::<Principal>::new(),
    ));
    assert!(passes(&methods, &key).await);
    assert_eq!(
        refusal(&methods, &with_key(&with_another_secret(&key))).await,
        (INVALID, "wrong_secret")
    );
    let two = request(&[("x-api-key", &key), ("authorization", &format!("ApiKey {key}"))]);
    assert_eq!(refusal(&methods, &two).await.0, AuthErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_key_in_the_url_is_no_credential() {
    let app = App::new();
    let (_, key) = app.key().await;
    for uri in [
        format!("/documents?api_key={key}"),
        format!("/documents?{key}"),
        format!("/{key}"),
    ] {
        let (parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
        let before = app.store.calls();
        for method in [
            app.keys(),
            app.keys().in_authorization().unwrap(),
            app.keys().as_bearer().unwrap(),
        ] {
            assert_eq!(method.presence(&parts), Presence::Absent);
            assert_eq!(
                refusal(&method, &parts).await.0,
                AuthErrorKind::MissingCredentials
            );
        }
        assert_eq!(app.store.calls(), before);
    }
}

#[tokio::test]
async fn keys_of_an_environment_that_the_format_leaves_out_are_refused() {
    let app = App::new();
    let (_, live) = app.key().await;
    let (_, test) = app.issue(new_key().environment("test")).await;
    assert!(live.starts_with("sk_live_") && test.starts_with("sk_test_"));
    assert!(passes(&app.keys(), &live).await && passes(&app.keys(), &test).await);
    let live_only = portcullis_apikey::ApiKeyFormat::environments([("live", "sk_live")]).unwrap();
    let store =
        portcullis_apikey::ApiKeyService::builder(live_only, app.store.clone()).clock(app.clock.clone());
    let keys: ApiKeys = store
        .build()
        .unwrap()
        .method()
        .dangerous_without_owners()
        .build()
        .unwrap();
    assert!(passes(&keys, &live).await && !passes(&keys, &test).await);
}
