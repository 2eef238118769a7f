//! How the cookie is read, set and deleted.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use http::header::{HeaderValue, SET_COOKIE};
use portcullis_core::AuthError;
use portcullis_session::{SameSite, Session, SessionCookie};
use support::{get, house, house_with, is_deleted, set_cookie, set_cookie_field, sign_in_of};
use tower::{ServiceBuilder, ServiceExt, service_fn};

async fn look(session: Session) -> Result<(), AuthError> {
    session.principal().await?;
    Ok(())
}

/// SE5, T-SESS-2: none of these is a session. No write is made for them, none is adopted, and the browser forgets them.
#[tokio::test]
async fn asvs_7_2_1_an_unknown_or_malformed_cookie_counts_as_none_is_deleted_and_causes_no_write() {
    let house = house();
    let unknown = format!("__Host-session={}", "A".repeat(43));
    let short = format!("__Host-session={}", "A".repeat(42));
    for cookie in [
        unknown.as_str(),
        &short,
        "__Host-session=",
        "__Host-session=alice",
    ] {
        house.store.calls();
        let answer = house.ask(get(&[cookie]), look).await;
        assert_eq!(answer.status(), 200);
        assert!(is_deleted(&answer), "{cookie}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(house.store.calls().iter().all(|call| *call == "load"));
        let kept = house
            .ask(get(&[cookie]), |session| async move {
                Ok(session.insert("a", &1).await?)
            })
            .await;
        assert_ne!(set_cookie(&kept).expect("a new one"), cookie, "never adopted");
    }
    let good = house.sign_in(sign_in_of("alice")).await;
    let answer = house.ask(get(&[&good]), look).await;
    assert_eq!(set_cookie_field(&answer), None);
}

/// CK7, CK10, CK11
/// T-CSRF-4
#[tokio::test]
async fn the_cookie_is_found_in_any_line_by_its_exact_name_and_once() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    assert_eq!(house.name_of(&cookie).await.as_deref(), Some("alice"));
    assert_eq!(
        house
            .name_of(&format!("theme=dark; {cookie}; a=b"))
            .await
            .as_deref(),
        Some("alice")
    );
    let other_case = cookie.replace("__Host-session", "__host-session");
    assert_eq!(house.name_of(&other_case).await, None);
    for lines in [vec!["a=b", &cookie], vec![&cookie, "theme=dark"]] {
        let answer = house
            .ask(get(&lines), |session| async move {
                assert!(session.principal().await?.is_some());
                Ok(())
            })
            .await;
        assert_eq!(answer.status(), 200);
    }
    let planted = format!("__Host-session={}", "A".repeat(43));
    for lines in [
        vec![cookie.as_str(), planted.as_str()],
        vec![&planted, &cookie],
        vec![&cookie, &cookie],
    ] {
        house.store.calls();
        let answer = house
            .ask(get(&lines), |session| async move {
                assert!(session.principal().await?.is_none());
                Ok(())
            })
            .await;
        assert!(is_deleted(&answer));
        assert!(house.store.calls().is_empty(), "neither is looked up");
    }
}

/// A flood of names: other cookies cost no look-up and hide nothing.
#[tokio::test]
async fn fifty_cookies_beside_it_change_nothing() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let flood: Vec<String> = (0..50)
        .map(|number| format!("__Host-session{number}={}", "A".repeat(43)))
        .collect();
    let all = format!("{}; {cookie}; {}", flood[..25].join("; "), flood[25..].join("; "));
    house.store.calls();
    assert_eq!(house.name_of(&all).await.as_deref(), Some("alice"));
    assert_eq!(house.store.calls(), ["load"]);
    assert_eq!(house.name_of(&flood.join("; ")).await, None);
    assert!(house.store.calls().is_empty());
}

/// SE15: only the cookie is looked at.
#[tokio::test]
async fn asvs_14_2_1_an_id_in_the_address_or_in_another_field_is_nobody() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let id = cookie.split_once('=').expect("a pair").1.to_owned();
    let mut request = get(&[]);
    *request.uri_mut() = format!("/?__Host-session={id}").parse().expect("an address");
    request
        .headers_mut()
        .insert("authorization", format!("Cookie {id}").parse().expect("a value"));
    request
        .headers_mut()
        .insert("x-session", id.parse().expect("a value"));
    house
        .ask(request, |session| async move {
            assert!(session.principal().await?.is_none());
            Ok(())
        })
        .await;
}

/// CK2: the session has the last word about its own cookie, and no say about others.
#[tokio::test]
async fn there_is_one_cookie_of_the_name_in_the_answer_and_others_stay() {
    let house = house();
    let handler = service_fn(|request: http::Request<()>| async move {
        let session = Session::of(request.extensions()).expect("a layer");
        session.sign_in(sign_in_of("alice")).await.expect("signed in");
        let mut answer = http::Response::new(bytes::Bytes::new());
        for field in [
            "__Host-session=mine; Path=/",
            "theme=dark",
            "__Host-session=; Max-Age=0",
        ] {
            answer
                .headers_mut()
                .append(SET_COOKIE, HeaderValue::from_static(field));
        }
        Ok::<_, std::convert::Infallible>(answer)
    });
    let app = ServiceBuilder::new().layer(house.layer.clone()).service(handler);
    let answer = app.oneshot(get(&[])).await.expect("infallible");
    let fields: Vec<_> = answer.headers().get_all(SET_COOKIE).iter().collect();
    assert_eq!(fields.len(), 2);
    assert_eq!(fields[0], "theme=dark");
    assert!(fields[1].is_sensitive());
    assert_ne!(fields[1], "__Host-session=mine; Path=/");
}

/// T-COOKIE-2, CK12: what is deleted is what was set.
#[tokio::test]
async fn a_cookie_with_attributes_is_deleted_with_the_same_attributes() {
    let settings = SessionCookie::default()
        .name("sid")
        .same_site(SameSite::None)
        .partitioned();
    let house = house_with(|builder| builder.cookie(settings));
    let cookie = house.sign_in(sign_in_of("alice")).await;
    assert!(cookie.starts_with("__Host-sid="));
    let out = |session: Session| async move { Ok(session.sign_out().await?) };
    let answer = house.ask(get(&[&cookie]), out).await;
    assert_eq!(
        set_cookie_field(&answer).as_deref(),
        Some(
            "__Host-sid=; Path=/; Secure; HttpOnly; SameSite=None; Partitioned; Max-Age=0; \
             Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        )
    );
}

/// SE11, PEERS 30
#[tokio::test]
async fn a_cookie_outlives_the_browser_only_where_that_was_asked_for() {
    let house = house();
    let set = |remember: bool| {
        let house = house.clone();
        async move {
            let answer = house
                .ask(get(&[]), move |session| async move {
                    Ok(session.sign_in(sign_in_of("alice").remember(remember)).await?)
                })
                .await;
            set_cookie_field(&answer).expect("a cookie")
        }
    };
    let default = "; Path=/; Secure; HttpOnly; SameSite=Lax";
    assert!(set(false).await.ends_with(default));
    assert!(set(true).await.ends_with(&format!("{default}; Max-Age=7776000")));
}
