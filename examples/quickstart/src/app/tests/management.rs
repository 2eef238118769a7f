//! One's own sessions and API keys, and nobody else's.

use super::credentials::{Fields, OWN_PAGE, Scene};
use super::*;

const WANTED: &str = r#"{"name":"deploy","scopes":["documents:read"],"expires_in_days":30}"#;
const JSON: (&str, &str) = ("content-type", "application/json");

async fn issue(scene: &Scene, cookie: &str) -> (String, String) {
    let answer = scene
        .send("POST", "/keys", &[("cookie", cookie), OWN_PAGE, JSON], WANTED)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let text = |name: &str| answer.body[name].as_str().expect("a text").to_owned();
    (text("id"), text("key"))
}

/// T-ADM-1: every route that manages something, with every kind of caller.
#[tokio::test]
async fn asvs_7_2_2_sessions_and_keys_are_managed_by_their_owner_in_a_session_only() {
    let scene = Scene::new().await;
    let (alice, bob) = (scene.sign_in("alice").await, scene.sign_in("bob").await);
    let (id, _) = issue(&scene, &alice).await;
    let listed = scene.send("GET", "/sessions", &[("cookie", &alice)], "").await;
    let session = listed.body[0]["id"].as_str().expect("an id").to_owned();
    let (key_path, rotate) = (format!("/keys/{id}"), format!("/keys/{id}/rotate"));
    let session_path = format!("/sessions/{session}");
    let token = format!("Bearer {}", Api::new().token("home", "-", "read"));
    let key = scene.key.clone();
    for (method, path, body, others) in [
        ("GET", "/keys", "", 200),
        ("POST", "/keys", WANTED, 201),
        ("POST", &rotate, "", 404),
        ("DELETE", &key_path, "", 404),
        ("GET", "/sessions", "", 200),
        ("DELETE", &session_path, "", 404),
        ("DELETE", "/sessions", "", 204),
    ] {
        let ask = async |fields: Fields<'_>| {
            scene
                .send(method, path, &[fields, &[OWN_PAGE, JSON]].concat(), body)
                .await
                .status
        };
        assert_eq!(ask(&[]).await, 401, "{method} {path}: nobody");
        assert_eq!(ask(&[("x-api-key", &key)]).await, 403, "{method} {path}: a key");
        assert_eq!(
            ask(&[("authorization", &token)]).await,
            401,
            "{method} {path}: of another issuer's key"
        );
        assert_eq!(
            ask(&[("x-api-key", &key), ("cookie", &alice)]).await,
            403,
            "{method} {path}: both"
        );
        assert_eq!(
            ask(&[("cookie", &bob)]).await,
            others,
            "{method} {path}: somebody else"
        );
    }
    assert_eq!(
        scene.send("GET", "/me", &[("cookie", &alice)], "").await.status,
        200,
        "untouched"
    );
    assert_eq!(
        scene
            .send("DELETE", &key_path, &[("cookie", &alice), OWN_PAGE], "")
            .await
            .status,
        204
    );
    assert_eq!(
        scene
            .send("DELETE", &session_path, &[("cookie", &alice), OWN_PAGE], "")
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn asvs_7_5_2_sessions_are_listed_and_ended_one_by_one_or_all_others() {
    let scene = Scene::new().await;
    let mut cookies = Vec::new();
    for _ in 0..3 {
        cookies.push(scene.sign_in("alice").await);
    }
    let mine = [
        ("cookie", cookies[0].as_str()),
        OWN_PAGE,
        ("user-agent", "test\u{9}agent"),
    ];
    let list = scene.send("GET", "/sessions", &mine, "").await.body;
    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), 3);
    let (current, others): (Vec<_>, Vec<_>) = list.iter().partition(|one| one["current"] == true);
    assert_eq!((current.len(), others.len()), (1, 2));
    for cookie in &cookies {
        let id = cookie.split_once('=').expect("a value").1;
        assert!(list.iter().all(|one| one["id"] != id), "never the id itself");
    }
    let one = format!("/sessions/{}", others[0]["id"].as_str().expect("an id"));
    assert_eq!(scene.send("DELETE", &one, &mine, "").await.status, 204);
    assert_eq!(scene.send("DELETE", &one, &mine, "").await.status, 404);
    let mut alive = 0;
    for cookie in &cookies {
        alive += u32::from(scene.send("GET", "/me", &[("cookie", cookie)], "").await.status == 200);
    }
    assert_eq!(alive, 2);
    assert_eq!(scene.send("DELETE", "/sessions", &mine, "").await.status, 204);
    assert_eq!(scene.send("GET", "/me", &mine, "").await.status, 200);
    for cookie in &cookies[1..] {
        assert_eq!(
            scene.send("GET", "/me", &[("cookie", cookie)], "").await.status,
            401
        );
    }
}

#[tokio::test]
async fn a_key_can_do_no_more_than_its_owner_and_is_shown_once() {
    let scene = Scene::new().await;
    let alice = scene.sign_in("alice").await;
    let fields = [("cookie", alice.as_str()), OWN_PAGE, JSON];
    for (body, status) in [
        (
            r#"{"name":"x","scopes":["documents:read","admin:all"],"expires_in_days":1}"#,
            403,
        ),
        (
            r#"{"name":"x","scopes":["documents:read"],"expires_in_days":366}"#,
            422,
        ),
        (
            r#"{"name":"","scopes":["documents:read"],"expires_in_days":1}"#,
            422,
        ),
        (r#"{"name":"x","scopes":["documents:read"]}"#, 422),
        (
            r#"{"name":"x","scopes":"documents:read documents:delete","expires_in_days":1}"#,
            201,
        ),
    ] {
        assert_eq!(
            scene.send("POST", "/keys", &fields, body).await.status,
            status,
            "{body}"
        );
    }
    let (id, key) = issue(&scene, &alice).await;
    let use_key = async |key: &str, method: &str, path: &str| {
        scene.send(method, path, &[("x-api-key", key)], "").await.status
    };
    assert_eq!(use_key(&key, "GET", "/documents/1").await, 200);
    assert_eq!(
        use_key(&key, "DELETE", "/documents/1").await,
        403,
        "a scope that the key lacks"
    );
    let list = scene.send("GET", "/keys", &fields, "").await.body;
    assert!(!list.to_string().contains(&key));
    assert!(
        list.as_array()
            .expect("a list")
            .iter()
            .any(|one| one["id"] == id.as_str())
    );

    let rotated = scene
        .send("POST", &format!("/keys/{id}/rotate"), &fields, "")
        .await;
    assert_eq!((rotated.status, &rotated.body["id"]), (200, &json!(id)));
    let new = rotated.body["key"].as_str().expect("a key");
    assert_ne!(new, key);
    assert_eq!(use_key(&key, "GET", "/documents/1").await, 200, "in the overlap");
    assert_eq!(use_key(new, "GET", "/documents/1").await, 200);
    let path = format!("/keys/{id}");
    assert_eq!(scene.send("DELETE", &path, &fields, "").await.status, 204);
    for dead in [&*key, new] {
        assert_eq!(use_key(dead, "GET", "/documents/1").await, 401);
    }
    assert_eq!(scene.send("DELETE", &path, &fields, "").await.status, 404);
}

/// A key in the address is no credential: addresses are logged.
#[tokio::test]
async fn asvs_14_2_1_a_key_in_the_address_is_none() {
    let scene = Scene::new().await;
    for name in ["api_key", "x-api-key", "key"] {
        let path = format!("/documents/1?{name}={}", scene.key);
        assert_eq!(scene.send("GET", &path, &[], "").await.status, 401);
    }
}
