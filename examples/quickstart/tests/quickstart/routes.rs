//! Every route of the running binary, with and without the right to use it.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::support::Quickstart;

struct Api {
    quickstart: Quickstart,
    client: Client,
}

impl Api {
    fn start(arguments: &[&str]) -> Self {
        let client = Client::builder().no_proxy().build().expect("a client");
        Self {
            quickstart: Quickstart::start(arguments),
            client,
        }
    }

    async fn mint(&self, form: &str) -> String {
        let answer = self
            .client
            .post(format!("{}/issuer/token", self.quickstart.origin))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{form}");
        let text = answer.text().await.expect("a body");
        let body: Value = serde_json::from_str(&text).expect("JSON");
        body["access_token"].as_str().expect("a token").to_owned()
    }

    async fn send(&self, method: Method, path: &str, token: Option<&str>) -> (u16, Option<String>, String) {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.quickstart.origin));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.expect("an answer");
        let challenge = answer
            .headers()
            .get("www-authenticate")
            .map(|value| value.to_str().expect("ascii").to_owned());
        (
            answer.status().as_u16(),
            challenge,
            answer.text().await.expect("a body"),
        )
    }

    async fn get(&self, path: &str, token: Option<&str>) -> (u16, Value) {
        let (status, _, body) = self.send(Method::GET, path, token).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn public_and_optional_routes_take_anybody_but_no_bad_token() {
    let api = Api::start(&[]);
    assert_eq!(api.send(Method::GET, "/healthz", Some("garbage")).await.0, 200);
    assert_eq!(
        api.get("/whoami", None).await,
        (200, json!({ "authenticated": false }))
    );
    assert_eq!(api.get("/whoami", Some("garbage")).await.0, 401);
    let expired = api.mint("sub=alice&lifetime=-60").await;
    assert_eq!(api.get("/whoami", Some(&expired)).await.0, 401);
    let token = api.mint("sub=alice&scope=a+b&roles=x+y").await;
    let expected = json!({
        "iss": format!("{}/issuer", api.quickstart.origin),
        "sub": "alice",
        "scopes": ["a", "b"],
        "roles": ["x", "y"],
        "method": "jwt",
    });
    assert_eq!(api.get("/whoami", Some(&token)).await, (200, expected.clone()));
    assert_eq!(api.get("/me", Some(&token)).await, (200, expected));
    assert_eq!(api.get("/me", None).await.0, 401);
}

#[tokio::test]
async fn documents_need_the_scope_and_the_owner_or_an_admin() {
    let api = Api::start(&[]);
    let alice = api.mint("sub=alice&scope=documents:read+documents:delete").await;
    let bob = api.mint("sub=bob&scope=documents:read").await;
    let carol = api
        .mint("sub=carol&scope=documents:read+documents:delete&roles=admin")
        .await;
    let scopeless = api.mint("sub=alice&roles=admin").await;
    let elsewhere = api
        .mint("sub=alice&scope=documents:read&aud=https://other.example")
        .await;
    let read = |token| api.send(Method::GET, "/documents/2", token);

    assert_eq!(api.get("/documents", Some(&alice)).await.0, 200);
    assert_eq!(read(Some(&*bob)).await.0, 200);
    assert_eq!(read(Some(&*carol)).await.0, 200);
    let (status, challenge, _) = read(Some(&*alice)).await;
    assert_eq!((status, challenge), (403, None), "somebody else's");
    let (status, challenge, _) = read(Some(&*scopeless)).await;
    let missing = r#"Bearer realm="api", error="insufficient_scope", scope="documents:read""#;
    assert_eq!((status, challenge.as_deref()), (403, Some(missing)));
    let invalid = r#"Bearer realm="api", error="invalid_token""#;
    let (status, challenge, _) = read(Some(&*elsewhere)).await;
    assert_eq!(
        (status, challenge.as_deref()),
        (401, Some(invalid)),
        "another audience"
    );
    assert_eq!(api.get("/documents/9", Some(&alice)).await.0, 404);

    let delete = |path, token| api.send(Method::DELETE, path, Some(token));
    assert_eq!(delete("/documents/2", &*bob).await.0, 403, "no scope");
    assert_eq!(delete("/documents/2", &*alice).await.0, 403, "not hers");
    assert_eq!(delete("/documents/1", &*alice).await.0, 204);
    assert_eq!(delete("/documents/2", &*carol).await.0, 204);
    assert_eq!(api.get("/documents", Some(&alice)).await, (200, json!([])));
}

#[tokio::test]
async fn keys_from_a_file_verify_without_any_fetch() {
    let issuing = Api::start(&[]);
    let token = issuing.mint("sub=alice&scope=documents:read").await;
    let (_, _, jwks) = issuing.send(Method::GET, "/issuer/jwks", None).await;
    let issuer = format!("{}/issuer", issuing.quickstart.origin);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("jwks.json");
    std::fs::write(&path, jwks).expect("written");
    drop(issuing);

    let path = path.to_str().expect("a path");
    let api = Api::start(&["--issuer", &issuer, "--jwks-file", path]);
    assert_eq!(api.get("/documents/1", Some(&token)).await.0, 200);
    assert_eq!(api.get("/documents/1", None).await.0, 401);
    // The issuer is gone, and no token is minted here.
    assert_eq!(api.send(Method::POST, "/issuer/token", None).await.0, 404);
}

#[tokio::test]
async fn keys_of_another_issuer_are_fetched_by_discovery_or_from_an_address() {
    let issuing = Api::start(&[]);
    let token = issuing.mint("sub=alice").await;
    let issuer = format!("{}/issuer", issuing.quickstart.origin);
    let jwks = format!("{issuer}/jwks");
    for arguments in [
        &["--issuer", &issuer, "--allow-http-loopback"][..],
        &["--issuer", &issuer, "--jwks-url", &jwks, "--allow-http-loopback"],
        &[
            "--issuer",
            &issuer,
            "--allow-http-loopback",
            "--profile",
            "rfc9068",
        ],
    ] {
        let api = Api::start(arguments);
        assert_eq!(api.get("/me", Some(&token)).await.0, 200, "{arguments:?}");
    }
}

#[tokio::test]
async fn another_audience_or_profile_refuses_what_the_default_takes() {
    let issuing = Api::start(&[]);
    let token = issuing.mint("sub=alice").await;
    let other = issuing.mint("sub=alice&aud=https://other.example").await;
    let issuer = format!("{}/issuer", issuing.quickstart.origin);
    let options = [
        "--issuer",
        &issuer,
        "--allow-http-loopback",
        "--audience",
        "https://other.example",
    ];
    let api = Api::start(&options);
    assert_eq!(api.get("/me", Some(&token)).await.0, 401);
    assert_eq!(api.get("/me", Some(&other)).await.0, 200);

    // A plain JWT is no access token of RFC 9068.
    let key = portcullis_test::SigningKey::es256("key-1");
    let plain = portcullis_test::TestIssuer::new("https://issuer.test").with_key(&key);
    let token = plain.token().typ("JWT").build();
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("jwks.json");
    std::fs::write(&path, plain.jwks()).expect("written");
    let file = [
        "--issuer",
        "https://issuer.test",
        "--jwks-file",
        path.to_str().expect("a path"),
    ];
    assert_eq!(Api::start(&file).get("/me", Some(&token)).await.0, 200);
    let strict = Api::start(&[&file[..], &["--profile", "rfc9068"]].concat());
    assert_eq!(strict.get("/me", Some(&token)).await.0, 401);
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_503_and_never_401() {
    let issuing = Api::start(&[]);
    let token = issuing.mint("sub=alice").await;
    let issuer = format!("{}/issuer", issuing.quickstart.origin);
    drop(issuing);
    let api = Api::start(&["--issuer", &issuer, "--allow-http-loopback"]);
    let (status, challenge, _) = api.send(Method::GET, "/me", Some(&token)).await;
    assert_eq!((status, challenge), (503, None));
    assert_eq!(api.get("/me", None).await.0, 401);
}
