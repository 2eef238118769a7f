//! Requests that another site may have provoked, and the token for browsers that do not say.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use std::sync::{Arc, Mutex};

use http::Request;
use portcullis_core::AuthError;
use portcullis_session::{FormSession, Session};
use support::{House, get, house, set_cookie, sign_in_of};

async fn nothing(_: Session) -> Result<(), AuthError> {
    Ok(())
}

fn post(cookies: &[&str], fields: &[(&'static str, &str)]) -> Request<()> {
    let mut request = get(cookies);
    *request.method_mut() = http::Method::POST;
    request
        .headers_mut()
        .insert("host", "app.test".parse().expect("a value"));
    for (name, value) in fields {
        request
            .headers_mut()
            .append(*name, value.parse().expect("a value"));
    }
    request
}

async fn status(house: &House, request: Request<()>) -> u16 {
    house.ask(request, nothing).await.status().as_u16()
}

/// CS2, CS3, CS7, CS8, SE13: whoever asks for the session on such a request is refused, with a session or without.
#[tokio::test]
async fn asvs_3_5_1_a_session_is_not_handed_out_on_requests_that_another_site_may_have_provoked() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    for cookies in [vec![cookie.as_str()], vec!["theme=dark"]] {
        for (fields, expected) in [
            (&[("sec-fetch-site", "same-origin")][..], 200),
            (&[("sec-fetch-site", "none")], 200),
            (&[("sec-fetch-site", "same-site")], 403),
            (&[("sec-fetch-site", "cross-site")], 403),
            (&[("origin", "https://app.test")], 200),
            (&[("origin", "https://evil.test")], 403),
            (&[("origin", "null")], 403),
            (&[], 403),
            (
                &[("authorization", "Bearer x"), ("sec-fetch-site", "cross-site")],
                403,
            ),
        ] {
            assert_eq!(
                status(&house, post(&cookies, fields)).await,
                expected,
                "{fields:?}"
            );
        }
    }
    let mut upgrade = get(&[&cookie]);
    upgrade
        .headers_mut()
        .insert("upgrade", "websocket".parse().expect("a value"));
    assert_eq!(status(&house, upgrade).await, 403, "CS7");
    assert_eq!(status(&house, get(&[&cookie])).await, 200, "CS1");
}

/// CS8: signing in as somebody else across sites is refused; curl, with no cookie to lose, is not.
#[tokio::test]
async fn a_sign_in_needs_the_applications_own_page_or_no_browser() {
    let house = house();
    let alice = |session: Session| async move { Ok(session.sign_in(sign_in_of("alice")).await?) };
    for (fields, expected) in [
        (&[][..], 200),
        (&[("sec-fetch-site", "same-origin")], 200),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("origin", "https://evil.test")], 403),
    ] {
        let answer = house.ask(post(&[], fields), alice).await;
        assert_eq!(answer.status(), expected, "{fields:?}");
        assert_eq!(set_cookie(&answer).is_some(), expected == 200);
        let vary = answer.headers()["vary"].to_str().expect("ascii");
        assert!(vary.contains("sec-fetch-site"), "CS10");
    }
}

async fn token_of(house: &House, cookies: &[&str]) -> (String, Option<String>) {
    let token = Arc::new(Mutex::new(String::new()));
    let answer = house
        .ask(get(cookies), |session| {
            let token = Arc::clone(&token);
            async move {
                let made = session.csrf_token().await?;
                assert_ne!(made, session.csrf_token().await?, "masked anew each time");
                *token.lock().expect("sound") = made;
                Ok(())
            }
        })
        .await;
    let token = token.lock().expect("sound").clone();
    (token, set_cookie(&answer))
}

/// CS13: bound to the session, changed with its id, and no way around what a browser did say.
/// T-CSRF-2
#[tokio::test]
async fn a_token_of_the_session_passes_where_the_browser_says_nothing_and_no_other_does() {
    let mut house = house();
    house.layer = house.layer.csrf_token_header("x-csrf-token").expect("a name");
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let other = house.sign_in(sign_in_of("alice")).await;
    let (token, none) = token_of(&house, &[&cookie]).await;
    assert_eq!(none, None);
    house.store.calls();
    assert_eq!(status_of(&house, &cookie, &token, &[]).await, 200);
    assert!(house.store.calls().is_empty(), "verified without the store");
    assert_eq!(
        status_of(&house, &other, &token, &[]).await,
        403,
        "another session's"
    );
    let flipped = token.replace(|c| c == token.chars().next().expect("one"), "-");
    for broken in [
        "",
        "x",
        &token[1..],
        &format!("{token}A"),
        &"A".repeat(86),
        &flipped,
    ] {
        assert_eq!(status_of(&house, &cookie, broken, &[]).await, 403, "{broken}");
    }
    let says = [("sec-fetch-site", "cross-site")];
    assert_eq!(status_of(&house, &cookie, &token, &says).await, 403);
    let says = [("origin", "https://evil.test")];
    assert_eq!(status_of(&house, &cookie, &token, &says).await, 403);
    let twice = post(&[&cookie], &[("x-csrf-token", &token), ("x-csrf-token", &token)]);
    assert_eq!(status(&house, twice).await, 403);
    let rotate = |session: Session| async move { Ok(session.rotate().await?) };
    let rotated = set_cookie(&house.ask(get(&[&cookie]), rotate).await).expect("another id");
    assert_eq!(
        status_of(&house, &rotated, &token, &[]).await,
        403,
        "it changes with the id"
    );
}

async fn status_of(house: &House, cookie: &str, token: &str, fields: &[(&'static str, &str)]) -> u16 {
    let mut all = vec![("x-csrf-token", token)];
    all.extend_from_slice(fields);
    status(house, post(&[cookie], &all)).await
}

#[tokio::test]
async fn a_token_is_not_looked_at_unless_the_layer_was_told_to() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let (token, _) = token_of(&house, &[&cookie]).await;
    assert_eq!(status_of(&house, &cookie, &token, &[]).await, 403);
}

#[tokio::test]
async fn a_form_without_a_session_gets_one_for_its_token() {
    let house = house();
    let (token, cookie) = token_of(&house, &[]).await;
    let cookie = cookie.expect("a session of nobody");
    let form = |cookie: &str, fields: &[(&'static str, &str)], token: &str| {
        let request = post(&[cookie], fields);
        let (layer, token) = (house.layer.clone(), token.to_owned());
        async move {
            let handler = tower::service_fn(move |request: Request<()>| {
                let found = FormSession::of(request.extensions()).and_then(|form| form.verify(&token));
                let answer = match found {
                    Ok(_) => http::Response::new(bytes::Bytes::new()),
                    Err(error) => portcullis_tower::response::refuse(error),
                };
                std::future::ready(Ok::<_, std::convert::Infallible>(answer))
            });
            let app = tower::ServiceBuilder::new().layer(layer).service(handler);
            tower::ServiceExt::oneshot(app, request)
                .await
                .expect("infallible")
                .status()
                .as_u16()
        }
    };
    let own = [("sec-fetch-site", "same-origin")];
    let cross = [("sec-fetch-site", "cross-site")];
    assert_eq!(form(&cookie, &[], &token).await, 200);
    assert_eq!(form(&cookie, &[], "wrong").await, 403);
    assert_eq!(form(&cookie, &own, "wrong").await, 200, "the browser said it");
    assert_eq!(form(&cookie, &cross, &token).await, 403);
}

/// With a token verified, a layer that authenticates does not refuse either.
#[tokio::test]
async fn a_verified_token_reaches_the_layers_behind() {
    let house = house();
    let layer = house
        .layer
        .clone()
        .csrf_token_header("x-csrf-token")
        .expect("a name");
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let (token, _) = token_of(&house, &[&cookie]).await;
    for (token, expected) in [(token.as_str(), 200), ("wrong", 403)] {
        let app = tower::ServiceBuilder::new()
            .layer(layer.clone())
            .layer(portcullis_tower::AuthenticateLayer::required(
                house.sessions.method(),
            ))
            .service(tower::service_fn(|_: Request<()>| async {
                Ok::<_, std::convert::Infallible>(http::Response::new(bytes::Bytes::new()))
            }));
        let answer = tower::ServiceExt::oneshot(app, post(&[&cookie], &[("x-csrf-token", token)]));
        assert_eq!(answer.await.expect("infallible").status(), expected);
    }
}
