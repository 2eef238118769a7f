//! With every log line there is, no password, cookie, key or token is in any of them.

use std::io::Read;
use std::process::{Child, ChildStderr, Stdio};
use std::thread::{self, JoinHandle};

use reqwest::header::SET_COOKIE;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use tempfile::TempDir;

use crate::servers;
use crate::support::{Quickstart, command};

const PASSWORD: &str = "correct-horse-battery";

/// What the program writes to standard error, until it ends.
fn collect(child: &mut Child) -> JoinHandle<String> {
    let mut stderr: ChildStderr = child.stderr.take().expect("stderr is piped");
    thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).expect("text");
        text
    })
}

struct Visit {
    client: Client,
    origin: String,
}

impl Visit {
    async fn send(&self, method: Method, path: &str, fields: &[(&str, &str)], body: &str) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.origin));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(body.to_owned()).send().await.expect("an answer")
    }

    async fn json(&self, method: Method, path: &str, fields: &[(&str, &str)], body: &str) -> Value {
        let text = self
            .send(method, path, fields, body)
            .await
            .text()
            .await
            .expect("a body");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Does everything that a secret is needed for, well and badly, and returns the secrets.
    async fn go(&self, demo_key: &str) -> Vec<String> {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let own = ("sec-fetch-site", "same-origin");
        let sign_in = format!("username=alice&password={PASSWORD}");
        let answer = self.send(Method::POST, "/login", &[form], &sign_in).await;
        let cookie = answer.headers()[SET_COOKIE].to_str().expect("ascii");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        let wrong = "wrong-password-of-alice";
        self.send(
            Method::POST,
            "/login",
            &[form],
            &format!("username=alice&password={wrong}"),
        )
        .await;
        let session = [
            ("cookie", cookie.as_str()),
            own,
            ("content-type", "application/json"),
        ];
        let wanted = r#"{"name":"x","scopes":["documents:read"],"expires_in_days":1}"#;
        let issued = self.json(Method::POST, "/keys", &session, wanted).await;
        let key = issued["key"].as_str().expect("a key").to_owned();
        let path = format!("/keys/{}", issued["id"].as_str().expect("an id"));
        let rotated = self
            .json(Method::POST, &format!("{path}/rotate"), &session, "")
            .await;
        let rotated = rotated["key"].as_str().expect("a key").to_owned();
        let broken = format!("{}x", &key[..key.len() - 1]);
        for key in [demo_key, &key, &rotated, &broken] {
            self.send(Method::GET, "/documents/1", &[("x-api-key", key)], "")
                .await;
            self.send(
                Method::GET,
                "/documents/1",
                &[("x-api-key", key), ("x-api-key", key)],
                "",
            )
            .await;
            self.send(Method::GET, &format!("/documents/1?api_key={key}"), &[], "")
                .await;
        }
        let minted = self
            .json(
                Method::POST,
                "/issuer/token",
                &[form],
                "sub=alice&scope=documents:read",
            )
            .await;
        let token = minted["access_token"].as_str().expect("a token").to_owned();
        let bearer = format!("Bearer {token}");
        for fields in [
            &[("authorization", bearer.as_str())][..],
            &[("authorization", &bearer), ("x-api-key", &key)],
            &[("cookie", cookie.as_str())],
        ] {
            self.send(Method::GET, "/documents", fields, "").await;
            self.send(Method::DELETE, "/documents/2", fields, "").await;
        }
        self.send(Method::DELETE, &path, &session, "").await;
        self.send(Method::GET, "/sessions", &session, "").await;
        self.send(Method::POST, "/logout", &session, "").await;
        self.send(Method::GET, "/me", &session, "").await;
        let id = cookie.split_once('=').expect("a value").1.to_owned();
        let secrets = [demo_key, &key, &rotated, &broken].map(|key| key["sk_demo_".len() + 16..].to_owned());
        let mut all = vec![id, token, PASSWORD.to_owned(), wrong.to_owned()];
        all.extend(secrets);
        all
    }
}

async fn nothing_secret_is_printed_on(store: &str) {
    let mut started = command(&["--store", store, "--demo-password", PASSWORD]);
    // What HTTP libraries say of what passes through them is theirs.
    started
        .env("RUST_LOG", "trace,hyper=off,h2=off,reqwest=off")
        .stderr(Stdio::piped());
    let (mut quickstart, demo_key) = Quickstart::start_as(started);
    let log = collect(&mut quickstart.child);
    let client = Client::builder().no_proxy().build().expect("a client");
    let origin = quickstart.origin.clone();
    let secrets = Visit { client, origin }.go(&demo_key).await;
    assert!(quickstart.stop("-TERM"));
    let log = log.join().expect("it does not panic");
    assert!(log.contains("signed_in"), "it says a lot: {} bytes", log.len());
    for (number, secret) in secrets.iter().enumerate() {
        assert!(
            secret.len() > 10 && !log.contains(secret.as_str()),
            "secret {number} is in the log"
        );
    }
}

/// ASVS 16.2.5
#[tokio::test]
async fn asvs_16_2_5_no_secret_is_in_any_line_of_the_log() {
    nothing_secret_is_printed_on("memory").await;
    let folder = TempDir::new().expect("a folder");
    nothing_secret_is_printed_on(&format!("sqlite:{}", folder.path().join("q.db").display())).await;
    if let Some(redis) = servers::redis() {
        nothing_secret_is_printed_on(&format!("redis://127.0.0.1:{}", redis.port)).await;
    }
    if let Some(postgres) = servers::postgres() {
        let store = format!("postgres://postgres@127.0.0.1:{}/postgres", postgres.port);
        nothing_secret_is_printed_on(&store).await;
    }
}
