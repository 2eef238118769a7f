//! Tokens, API keys and sessions on the same routes: which of them decides, and that a bad one is never made up for.

use axum::body::to_bytes;
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, Response};

use super::*;

/// One application with something of everything in it.
pub(super) struct Scene {
    api: Api,
    pub(super) router: Router,
    pub(super) key: String,
}

/// An answer: its status, its headers, its body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 100_000).await.expect("a body");
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    pub(super) fn cookie(&self) -> Option<&str> {
        let set = self.headers.get(SET_COOKIE)?.to_str().expect("ascii");
        set.split(';').next()
    }
}

pub(super) type Fields<'f> = &'f [(&'f str, &'f str)];

/// What a browser says of a request that the application's own page makes.
pub(super) const OWN_PAGE: (&str, &str) = ("sec-fetch-site", "same-origin");

impl Scene {
    pub(super) async fn new() -> Self {
        let api = Api::new();
        let (app, router) = api.router_on(&Store::memory());
        let key = app.demo_key().await.expect("a key");
        Self { api, router, key }
    }

    pub(super) async fn send(&self, method: &str, path: &str, fields: Fields<'_>, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        Answer::of(self.router.clone().oneshot(request).await.expect("infallible")).await
    }

    pub(super) async fn sign_in_with(&self, name: &str, password: &str, fields: Fields<'_>) -> Answer {
        let form = format!("username={name}&password={}", password.replace(' ', "+"));
        let form_type = (CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded");
        self.send("POST", "/login", &[&[form_type], fields].concat(), &form)
            .await
    }

    pub(super) async fn sign_in(&self, name: &str) -> String {
        let answer = self.sign_in_with(name, PASSWORD, &[]).await;
        assert_eq!(answer.status, 204);
        answer.cookie().expect("a cookie").to_owned()
    }
}

/// The last character exchanged for another one.
fn broken(text: &str) -> String {
    let other = if text.ends_with('A') { 'B' } else { 'A' };
    format!("{}{other}", &text[..text.len() - 1])
}

#[tokio::test]
async fn each_credential_alone_is_its_owner_and_broken_it_is_nobody() {
    let scene = Scene::new().await;
    let bearer = |token: String| format!("Bearer {token}");
    let token = scene.api.token("home", "-", "read");
    let cookie = scene.sign_in("alice").await;
    for (method, field, good) in [
        ("jwt", "authorization", bearer(token.clone())),
        ("api_key", "x-api-key", scene.key.clone()),
        ("session", "cookie", cookie),
    ] {
        let me = scene.send("GET", "/me", &[(field, &good)], "").await;
        assert_eq!(me.status, 200, "{method}");
        assert_eq!(
            (&me.body["method"], &me.body["sub"]),
            (&json!(method), &json!("alice"))
        );
        assert_eq!(
            scene
                .send("GET", "/documents/1", &[(field, &good)], "")
                .await
                .status,
            200,
            "{method}"
        );
        assert_eq!(
            scene
                .send("GET", "/documents/2", &[(field, &good)], "")
                .await
                .status,
            403,
            "{method}"
        );
        let me = scene.send("GET", "/me", &[(field, &broken(&good))], "").await;
        assert_eq!(me.status, 401, "{method}");
        let challenges: Vec<_> = me.headers.get_all("www-authenticate").iter().collect();
        assert!(
            challenges[0].to_str().expect("ascii").starts_with("Bearer "),
            "{challenges:?}"
        );
        assert_eq!(challenges.len(), 3, "every accepted scheme");
    }
}

/// One explicit credential decides alone; two are refused; a session counts only where there is neither.
#[tokio::test]
async fn with_several_credentials_one_decides_and_a_bad_one_never_falls_through() {
    let scene = Scene::new().await;
    let good_token = format!("Bearer {}", scene.api.token("home", "-", "read"));
    let good_key = scene.key.clone();
    let good_cookie = scene.sign_in("alice").await;
    let variants = |good: &str| [None, Some(good.to_owned()), Some(broken(good))];
    let mut seen = 0;
    for (t, token) in variants(&good_token).iter().enumerate() {
        for (k, key) in variants(&good_key).iter().enumerate() {
            for (c, cookie) in variants(&good_cookie).iter().enumerate() {
                let mut fields: Vec<(&str, &str)> = Vec::new();
                fields.extend(token.as_deref().map(|token| ("authorization", token)));
                fields.extend(key.as_deref().map(|key| ("x-api-key", key)));
                fields.extend(cookie.as_deref().map(|cookie| (COOKIE.as_str(), cookie)));
                let expected = match (t, k, c) {
                    (1 | 2, 1 | 2, _) => (400, None),
                    (1, 0, _) => (200, Some("jwt")),
                    (0, 1, _) => (200, Some("api_key")),
                    (0, 0, 1) => (200, Some("session")),
                    _ => (401, None),
                };
                for path in ["/me", "/whoami"] {
                    let answer = scene.send("GET", path, &fields, "").await;
                    // Who sent nothing that counts is anonymous, and an old cookie is nothing.
                    let anonymous = path == "/whoami" && t == 0 && k == 0 && c != 1;
                    let expected = if anonymous { (200, None) } else { expected };
                    let method = answer.body["method"].as_str();
                    assert_eq!((answer.status, method), expected, "{path} {t}{k}{c}");
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 54);
}

/// T-CSRF-1, T-CSRF-3: what another site sends is refused where the cookie would decide, and where one is to be set.
#[tokio::test]
async fn another_site_can_use_no_cookie_and_set_none() {
    let scene = Scene::new().await;
    let cookie = scene.sign_in("alice").await;
    let cookie = ("cookie", cookie.as_str());
    let site = |value: &'static str| ("sec-fetch-site", value);
    let delete = async |fields: Fields<'_>| scene.send("DELETE", "/documents/9", fields, "").await.status;
    for (own, other) in [
        (
            &[cookie, site("same-origin")][..],
            &[cookie, site("cross-site")][..],
        ),
        (
            &[cookie, ("origin", "https://app.test"), ("host", "app.test")],
            &[cookie, ("origin", "https://evil.test"), ("host", "app.test")],
        ),
        (&[cookie, site("none")], &[cookie]),
        (&[cookie, site("same-origin")], &[cookie, site("same-site")]),
    ] {
        assert_eq!(delete(own).await, 404, "{own:?}");
        assert_eq!(delete(other).await, 403, "{other:?}");
    }
    // An API client needs no such thing.
    assert_eq!(
        scene
            .send("DELETE", "/documents/9", &[("x-api-key", &scene.key)], "")
            .await
            .status,
        403
    );
    let token = format!("Bearer {}", scene.api.token("home", "-", "delete"));
    assert_eq!(
        delete(&[("authorization", &token), site("cross-site")]).await,
        404
    );
    // A sign-in form of another site would sign a visitor in as somebody else.
    for (fields, status) in [(&[][..], 204), (&[OWN_PAGE], 204), (&[site("cross-site")], 403)] {
        let answer = scene.sign_in_with("alice", PASSWORD, fields).await;
        assert_eq!(answer.status, status, "{fields:?}");
        assert_eq!(answer.cookie().is_some(), status == 204, "{fields:?}");
    }
}

/// T-PW-3: whether a name is known is told by nothing but the time of day.
#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_one_answer() {
    let scene = Scene::new().await;
    let mut answers = Vec::new();
    for (name, password) in [
        ("alice", "wrong"),
        ("nobody", "wrong"),
        ("", ""),
        ("alice", &"x".repeat(5_000)),
    ] {
        let answer = scene.sign_in_with(name, password, &[]).await;
        assert!(answer.cookie().is_none());
        answers.push((answer.status, answer.headers, answer.body));
    }
    assert_eq!(answers[0].0, 401);
    assert!(answers[0].1.contains_key("www-authenticate"));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

/// T-SESS-2: what was there before the sign-in is good for nothing after it.
#[tokio::test]
async fn asvs_7_2_4_a_sign_in_changes_the_id_and_the_old_one_is_dead() {
    let scene = Scene::new().await;
    let first = scene.sign_in("bob").await;
    let planted = [("cookie", first.as_str()), OWN_PAGE];
    let second = scene.sign_in_with("alice", PASSWORD, &planted).await;
    let second = second.cookie().expect("a cookie").to_owned();
    assert_ne!(first, second);
    assert_eq!(
        scene.send("GET", "/me", &[("cookie", &first)], "").await.status,
        401
    );
    let me = scene.send("GET", "/me", &[("cookie", &second)], "").await;
    assert_eq!(me.body["sub"], "alice");
    // An id that we never gave out is not taken up.
    let made_up = format!("__Host-session={}", "A".repeat(43));
    let third = scene
        .sign_in_with("alice", PASSWORD, &[("cookie", &made_up), OWN_PAGE])
        .await;
    assert_ne!(third.cookie(), Some(made_up.as_str()));
}

#[tokio::test]
async fn asvs_7_4_1_whoever_signed_out_is_out_and_the_browser_is_told() {
    let scene = Scene::new().await;
    let cookie = scene.sign_in("alice").await;
    let fields = [("cookie", cookie.as_str()), OWN_PAGE];
    assert_eq!(scene.send("GET", "/me", &fields, "").await.status, 200);
    let answer = scene.send("POST", "/logout", &fields, "").await;
    assert_eq!(answer.status, 204);
    assert!(
        answer.headers["set-cookie"]
            .to_str()
            .expect("ascii")
            .contains("Max-Age=0")
    );
    assert!(answer.headers.contains_key("clear-site-data"));
    assert_eq!(scene.send("GET", "/me", &fields, "").await.status, 401);
    assert_eq!(scene.send("POST", "/logout", &[], "").await.status, 204, "nobody");
}

/// ASVS 3.3.2 to 3.3.4
#[tokio::test]
async fn asvs_3_3_1_the_cookie_has_every_attribute() {
    let scene = Scene::new().await;
    let answer = scene.sign_in_with("alice", PASSWORD, &[]).await;
    let set: Vec<_> = answer.headers.get_all(SET_COOKIE).iter().collect();
    assert_eq!(set.len(), 1);
    let set = set[0].to_str().expect("ascii");
    let (pair, attributes) = set.split_once("; ").expect("attributes");
    let (name, value) = pair.split_once('=').expect("a value");
    assert_eq!((name, value.len()), ("__Host-session", 43));
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Lax");
    assert_eq!(answer.headers["cache-control"], "no-store");
}
