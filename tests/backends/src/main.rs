//! One process, two services: one behind portcullis, and the application's own, which makes and reads
//! tokens with jsonwebtoken (R14 of docs/COMPARE.md).
//!
//! jsonwebtoken chooses its cryptography once for the whole process, by features that any crate in the
//! build may turn on. With one back end all is well; with both, its first call panics. This program
//! shows that the choice is the application's alone: portcullis verifies before that call and after it,
//! whichever back end there is and even where jsonwebtoken itself cannot work.
//!
//! `tests/backends/run` runs it with each back end, and with both.

use std::convert::Infallible;
use std::panic::catch_unwind;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use portcullis_jwt::{JwtBearer, StaticKeySet, TrustedIssuer, Verifier};
use portcullis_test::{SigningKey, TestIssuer, TokenBuilder};
use portcullis_tower::AuthenticateLayer;
use serde::{Deserialize, Serialize};
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};

/// The back ends of jsonwebtoken in this build.
const BACK_ENDS: &[&str] = &[
    #[cfg(feature = "aws_lc_rs")]
    "aws_lc_rs",
    #[cfg(feature = "rust_crypto")]
    "rust_crypto",
];

type Ours = BoxCloneService<Request<()>, Response<Bytes>, Infallible>;

fn main() -> ExitCode {
    let issuer = issuers();
    let mut failures = Vec::new();
    ours_verifies("before", &issuer, &mut failures);
    let works = catch_unwind(application).is_ok();
    ours_verifies("after", &issuer, &mut failures);
    // One back end: both work side by side. Both, or none: the panic shows that this can fail.
    let should = BACK_ENDS.len() == 1;
    if works != should {
        failures.push(format!(
            "jsonwebtoken's own call works: {works}, expected: {should}"
        ));
    }
    let verdict = if failures.is_empty() { "ok" } else { "FAILED" };
    println!(
        "backends {}: ours verifies before and after, jsonwebtoken {}: {verdict}",
        if BACK_ENDS.is_empty() {
            "none".to_owned()
        } else {
            BACK_ENDS.join(" + ")
        },
        if works { "works" } else { "panics" },
    );
    failures.iter().for_each(|failure| println!("  {failure}"));
    ExitCode::from(u8::from(!failures.is_empty()))
}

/// An issuer for each kind of key.
fn issuers() -> Vec<(TestIssuer, Ours)> {
    let keys = [
        SigningKey::rs256("a"),
        SigningKey::es256("b"),
        SigningKey::eddsa("c"),
    ];
    keys.iter()
        .map(|key| {
            let issuer = TestIssuer::new("https://issuer.test").with_key(key);
            let service = ours(&issuer);
            (issuer, service)
        })
        .collect()
}

/// Our service: whoever has a token of `issuer` is answered with 200.
fn ours(issuer: &TestIssuer) -> Ours {
    let keys = StaticKeySet::from_jwks(issuer.jwks().as_bytes()).expect("a key set");
    let trusted = TrustedIssuer::new(issuer.url(), keys).algorithms(portcullis_jwt::Algorithm::RECOMMENDED);
    let verifier = Verifier::builder()
        .issuer(trusted)
        .audience(TokenBuilder::AUDIENCE);
    let method = JwtBearer::new(verifier.build().expect("a verifier")).expect("a method");
    let inner = service_fn(|_: Request<()>| std::future::ready(Ok(Response::new(Bytes::new()))));
    AuthenticateLayer::required(method).layer(inner).boxed_clone()
}

/// A good token passes and a bad one is refused, for every kind of key, without a panic.
fn ours_verifies(when: &str, issuers: &[(TestIssuer, Ours)], failures: &mut Vec<String>) {
    for (issuer, service) in issuers {
        let token = issuer.token();
        for (token, expected) in [
            (token.build(), StatusCode::OK),
            (token.tampered_payload().build(), StatusCode::UNAUTHORIZED),
        ] {
            let service = std::panic::AssertUnwindSafe(service);
            let alg = issuer.signing_key().alg().to_owned();
            match catch_unwind(|| answer(&service, &token)) {
                Ok(status) if status == expected => {}
                Ok(status) => failures.push(format!("{when}, {alg}: {status} instead of {expected}")),
                Err(_) => failures.push(format!("{when}, {alg}: a panic")),
            }
        }
    }
}

fn answer(service: &Ours, token: &str) -> StatusCode {
    let request = Request::builder().header(AUTHORIZATION, format!("Bearer {token}"));
    let answer = pin!(service.clone().oneshot(request.body(()).expect("a request")));
    match answer.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response.status(),
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => panic!("the answer waits for something"),
    }
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Ticket {
    sub: String,
    exp: u64,
}

/// The application's own service: it makes a token and reads it again.
fn application() {
    let secret = b"a secret of the application's own";
    let ticket = Ticket {
        sub: "alice".to_owned(),
        exp: 4_102_444_800,
    };
    let key = EncodingKey::from_secret(secret);
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &ticket, &key).expect("a token");
    let read = |key: &[u8]| {
        let validation = Validation::new(Algorithm::HS256);
        jsonwebtoken::decode::<Ticket>(&token, &DecodingKey::from_secret(key), &validation)
    };
    assert_eq!(read(secret).expect("its own token").claims, ticket);
    assert!(
        read(b"another secret").is_err(),
        "a stranger's key reads the token"
    );
}
