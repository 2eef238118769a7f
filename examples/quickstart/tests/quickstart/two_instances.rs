//! Two instances on one store, behind nginx: what one knows, the other knows, and what one takes back is gone on
//! both within a second.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::servers::{self, Server};
use crate::support::Quickstart;

const PASSWORD: &str = "correct horse battery staple";
/// What the issue of a revocation promises to everybody.
const SECOND: Duration = Duration::from_secs(1);

/// Two processes on one store, nginx in front.
struct Pair {
    a: Quickstart,
    b: Quickstart,
    nginx: Server,
    client: Client,
}

/// An answer: its status, its headers, its body.
struct Answer(StatusCode, HeaderMap, String);

impl Pair {
    fn start(store: &str) -> Option<Self> {
        let start = || Quickstart::start(&["--store", store, "--demo-password", PASSWORD]);
        let (a, b) = (start(), start());
        let nginx = servers::nginx(&[&a.origin, &b.origin])?;
        let client = Client::builder().no_proxy().build().expect("a client");
        Some(Self { a, b, nginx, client })
    }

    async fn ask(
        &self,
        origin: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = self.client.request(method, format!("{origin}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body.to_owned()).send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer(status, headers, answer.text().await.expect("a body"))
    }

    /// Signs alice in, and returns her cookie.
    async fn sign_in(&self, origin: &str) -> String {
        let form = format!("username=alice&password={}", PASSWORD.replace(' ', "+"));
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let Answer(status, headers, body) = self.ask(origin, Method::POST, "/login", &headers, &form).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
        let cookie = headers[SET_COOKIE].to_str().expect("ascii");
        cookie.split(';').next().expect("a cookie").to_owned()
    }

    async fn status(&self, origin: &str, headers: &[(&str, &str)]) -> u16 {
        self.ask(origin, Method::GET, "/documents/1", headers, "")
            .await
            .0
            .as_u16()
    }

    async fn change(&self, origin: &str, method: Method, path: &str, cookie: &str, body: &str) -> Answer {
        let headers = [
            (COOKIE.as_str(), cookie),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/json"),
        ];
        self.ask(origin, method, path, &headers, body).await
    }

    /// Whether `headers` are refused there within a second.
    async fn is_dead_within_a_second(&self, origin: &str, headers: &[(&str, &str)]) -> bool {
        let begun = Instant::now();
        loop {
            let status = self.status(origin, headers).await;
            if status != 200 || begun.elapsed() > SECOND {
                return status == 401;
            }
        }
    }

    /// T-REV-1: signed in on one, used on the other, revoked there, dead on the first.
    async fn sessions_and_keys_are_everywhere_and_end_everywhere(&self) {
        let (a, b) = (&self.a.origin, &self.b.origin);
        let front = format!("http://127.0.0.1:{}", self.nginx.port);
        let cookie = self.sign_in(a).await;
        let session = [(COOKIE.as_str(), cookie.as_str())];
        for origin in [a, b, &front, &front] {
            assert_eq!(self.status(origin, &session).await, 200, "{origin}");
        }
        let other = self.sign_in(&front).await;

        let wanted =
            json!({ "name": "deploy", "scopes": ["documents:read"], "expires_in_days": 1 }).to_string();
        let Answer(status, _, body) = self.change(a, Method::POST, "/keys", &cookie, &wanted).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        let key: Value = serde_json::from_str(&body).expect("JSON");
        let (id, key) = (
            key["id"].as_str().expect("an id"),
            key["key"].as_str().expect("a key"),
        );
        let key = [("x-api-key", key)];
        for origin in [a, b, &front, &front] {
            assert_eq!(self.status(origin, &key).await, 200, "{origin}");
        }
        let path = format!("/keys/{id}");
        let Answer(status, ..) = self.change(b, Method::DELETE, &path, &cookie, "").await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert!(self.is_dead_within_a_second(a, &key).await);
        assert_eq!(self.status(b, &key).await, 401);

        // The other one, from the other instance.
        let Answer(status, ..) = self.change(b, Method::DELETE, "/sessions", &other, "").await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert!(self.is_dead_within_a_second(a, &session).await);
        assert_eq!(self.status(b, &session).await, 401);
        let survivor = [(COOKIE.as_str(), other.as_str())];
        assert_eq!(self.status(a, &survivor).await, 200, "another session of hers");
    }

    /// The store ends and comes back while requests go on. Nobody is let in who should not be and nobody with a good
    /// session is told 401.
    async fn an_outage_is_503_and_ends_by_itself(&self, store: &mut Server) {
        let front = format!("http://127.0.0.1:{}", self.nginx.port);
        let cookie = self.sign_in(&front).await;
        let good = [(COOKIE.as_str(), cookie.as_str())];
        let ended = self.sign_in(&front).await;
        self.change(&front, Method::POST, "/logout", &ended, "").await;
        let bad = [(COOKIE.as_str(), ended.as_str())];
        let load = Load::start(&front, &cookie);
        for _ in 0..50 {
            assert_eq!(self.status(&front, &good).await, 200, "while it is up");
        }
        store.kill();
        // Each answer may wait as long as a connection is waited for.
        let begun = Instant::now();
        let mut seen = Vec::new();
        while seen.iter().filter(|status| **status == 503).count() < 2 {
            seen.push(self.status(&front, &good).await);
            let refused = self.status(&front, &bad).await;
            assert!(matches!(refused, 401 | 503), "{refused}");
            assert!(begun.elapsed() < Duration::from_secs(30), "{seen:?}");
        }
        assert!(seen.iter().all(|status| matches!(status, 200 | 503)), "{seen:?}");
        let Answer(public, ..) = self.ask(&front, Method::GET, "/healthz", &good, "").await;
        assert_eq!(public, StatusCode::OK, "public pages stay");
        store.start();
        let begun = Instant::now();
        while self.status(&front, &good).await != 200 {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not recover");
        }
        assert_eq!(self.status(&front, &bad).await, 401);
        if let Some(statuses) = load.and_then(Load::finish) {
            let wrong = statuses.iter().filter(|(status, _)| !matches!(status, 200 | 503));
            assert_eq!(wrong.count(), 0, "{statuses:?}");
            assert!(
                statuses
                    .iter()
                    .any(|(status, count)| *status == 200 && *count > 0),
                "{statuses:?}"
            );
        }
    }
}

/// wrk, which counts what it was answered.
struct Load {
    child: std::process::Child,
    _folder: TempDir,
}

const SCRIPT: &str = "
wrk.headers['Cookie'] = os.getenv('LOAD_COOKIE')
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) counts = {} end
function response(status, headers, body)
    counts[status] = (counts[status] or 0) + 1
    all = ''
    for status, count in pairs(counts) do all = all .. status .. '=' .. count .. ' ' end
end
function done(summary, latency, requests)
    for _, thread in ipairs(threads) do print('counted ' .. (thread:get('all') or '')) end
end
";

impl Load {
    /// For some seconds, bounded in connections. Nothing where wrk is not installed.
    fn start(origin: &str, cookie: &str) -> Option<Self> {
        if !servers::installed("wrk") {
            return None;
        }
        let folder = TempDir::new().expect("a folder");
        let script = folder.path().join("load.lua");
        fs::write(&script, SCRIPT).expect("a file");
        let child = Command::new("wrk")
            .args(["-t1", "-c4", "-d12s", "--timeout", "10s", "-s"])
            .arg(&script)
            .arg(format!("{origin}/documents/1"))
            .env("LOAD_COOKIE", cookie)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("wrk starts");
        Some(Self {
            child,
            _folder: folder,
        })
    }

    /// How often it got which status.
    fn finish(self) -> Option<Vec<(u16, u64)>> {
        let output = self.child.wait_with_output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let counted = text.lines().filter_map(|line| line.strip_prefix("counted "));
        let pairs = counted
            .flat_map(str::split_whitespace)
            .filter_map(|pair| pair.split_once('='));
        let statuses: Vec<_> = pairs
            .filter_map(|(status, count)| Some((status.parse().ok()?, count.parse().ok()?)))
            .collect();
        assert!(!statuses.is_empty(), "wrk counted nothing: {text}");
        Some(statuses)
    }
}

#[tokio::test]
async fn two_instances_on_one_redis() {
    let Some(mut redis) = servers::redis() else { return };
    let Some(pair) = Pair::start(&format!("redis://127.0.0.1:{}", redis.port)) else {
        return;
    };
    pair.sessions_and_keys_are_everywhere_and_end_everywhere().await;
    pair.an_outage_is_503_and_ends_by_itself(&mut redis).await;
}

#[tokio::test]
async fn two_instances_on_one_postgresql() {
    let Some(mut postgres) = servers::postgres() else {
        return;
    };
    let store = format!("postgres://postgres@127.0.0.1:{}/postgres", postgres.port);
    let Some(pair) = Pair::start(&store) else { return };
    pair.sessions_and_keys_are_everywhere_and_end_everywhere().await;
    pair.an_outage_is_503_and_ends_by_itself(&mut postgres).await;
}

/// A file is shared by processes of one machine.
#[tokio::test]
async fn two_instances_on_one_sqlite_file() {
    let folder = TempDir::new().expect("a folder");
    let store = format!("sqlite:{}", folder.path().join("quickstart.db").display());
    let Some(pair) = Pair::start(&store) else { return };
    pair.sessions_and_keys_are_everywhere_and_end_everywhere().await;
}
