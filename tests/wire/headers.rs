//! No header field but the one that carries the credential takes part in a decision.

use axum::Router;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::support::{Scene, bearer_value, request, send, sorted};

/// Names that some framework, proxy or identity service once believed.
const NOTORIOUS: [&str; 40] = [
    "x-middleware-subrequest",
    "x-middleware-invoke",
    "x-middleware-next",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-forwarded-prefix",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-access-token",
    "x-forwarded-client-cert",
    "forwarded",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-http-method-override",
    "x-method-override",
    "x-user",
    "x-user-id",
    "x_user",
    "x-remote-user",
    "remote-user",
    "x-authenticated",
    "x-authenticated-user",
    "x-auth-request-user",
    "x-access-token",
    "x-api-key",
    "x-real-ip",
    "x-internal",
    "x-admin",
    "client-cert",
    "proxy-authorization",
    "x-authorization",
    "authorization_",
    "cookie",
    "connection",
    "host",
    "dpop",
];

const VALUES: [&str; 16] = [
    "true",
    "1",
    "admin",
    "alice",
    "/open",
    "/whoami",
    "GET",
    "OPTIONS",
    "127.0.0.1",
    "localhost",
    "https",
    "authorization",
    "close, authorization",
    "middleware:middleware:middleware:middleware:middleware",
    "healthcheck",
    "null",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(&NOTORIOUS[..]).prop_map(str::to_owned),
        1 => "[a-z][a-z0-9_-]{0,24}",
    ]
    .prop_filter("the credential itself", |name| name != "authorization")
}

/// `TOKEN` stands for a valid token.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(&VALUES[..]).prop_map(str::to_owned),
        1 => Just("TOKEN".to_owned()),
        1 => Just("Bearer TOKEN".to_owned()),
        1 => Just("access_token=TOKEN; session=TOKEN; id=alice".to_owned()),
        1 => "[ -~]{0,40}",
    ]
}

struct Attack {
    scene: Scene,
    runtime: Runtime,
    services: [Router; 2],
    token: String,
    credentials: Vec<Option<String>>,
}

impl Attack {
    fn new() -> Self {
        let scene = Scene::new();
        let token = scene.reader().build();
        let credentials = vec![
            None,
            Some(bearer_value(&token)),
            Some(bearer_value(&scene.issuer.forged_token().build())),
            Some("Basic dTpw".to_owned()),
            Some("Bearer".to_owned()),
        ];
        let runtime = Builder::new_current_thread().build().expect("runtime");
        let services = [scene.required(), scene.optional()];
        Self {
            scene,
            runtime,
            services,
            token,
            credentials,
        }
    }

    fn answers(&self, headers: &[(String, String)]) -> Vec<Response<Bytes>> {
        let mut answers = Vec::new();
        for service in &self.services {
            for credentials in &self.credentials {
                for (method, path) in [
                    (Method::GET, "/open"),
                    (Method::GET, "/whoami"),
                    (Method::GET, "/documents"),
                    (Method::GET, "/admin"),
                    (Method::HEAD, "/documents"),
                    (Method::POST, "/whoami"),
                    (Method::OPTIONS, "/documents"),
                ] {
                    let mut sent = request(method, path, &[]);
                    for (name, value) in headers {
                        let name = HeaderName::try_from(name.as_str()).expect("name");
                        let value =
                            HeaderValue::try_from(value.replace("TOKEN", &self.token)).expect("value");
                        sent.headers_mut().append(name, value);
                    }
                    if let Some(credentials) = credentials {
                        let value = HeaderValue::try_from(credentials.as_str()).expect("value");
                        sent.headers_mut().insert("authorization", value);
                    }
                    answers.push(self.runtime.block_on(send(service, sent)));
                }
            }
        }
        answers
    }
}

fn comparable(response: &Response<Bytes>) -> (u16, Vec<(String, Vec<u8>)>, Bytes) {
    let status = response.status().as_u16();
    (status, sorted(response.headers()), response.body().clone())
}

/// T-WIRE-2, T-PATH-2, T-ADM-1: nobody gets in, nobody is locked out, and the answer does not differ by a byte.
#[test]
fn no_header_field_changes_the_verdict() {
    let attack = Attack::new();
    let plain: Vec<_> = attack.answers(&[]).iter().map(comparable).collect();
    let reached = attack.scene.reached.times();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        cases: 64,
        ..ProptestConfig::default()
    });
    let mut runs = 1;
    runner
        .run(&vec((name(), value()), 1..8), |headers| {
            let attacked: Vec<_> = attack.answers(&headers).iter().map(comparable).collect();
            prop_assert_eq!(&attacked, &plain);
            Ok(())
        })
        .expect("no header field takes part");
    runs += 64;
    assert_eq!(attack.scene.reached.times(), reached * runs, "handlers reached");
}

/// T-WIRE-2: each of the notorious ones with each value, one at a time, on protected places.
#[test]
fn no_notorious_header_opens_a_protected_place() {
    let attack = Attack::new();
    for name in NOTORIOUS {
        for value in VALUES.into_iter().chain(["TOKEN", "Bearer TOKEN", ""]) {
            let mut sent = request(Method::GET, "/documents", &[]);
            let value = HeaderValue::try_from(value.replace("TOKEN", &attack.token)).expect("value");
            sent.headers_mut()
                .insert(HeaderName::from_static(name), value.clone());
            for service in &attack.services {
                let response = attack.runtime.block_on(send(service, sent_again(&sent)));
                assert_eq!(response.status(), 401, "{name}: {value:?}");
            }
        }
    }
    assert_eq!(attack.scene.reached.times(), 0);
}

fn sent_again(sent: &http::Request<axum::body::Body>) -> http::Request<axum::body::Body> {
    let mut again = request(sent.method().clone(), "/documents", &[]);
    *again.headers_mut() = sent.headers().clone();
    again
}
