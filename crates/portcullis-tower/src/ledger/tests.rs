use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use portcullis_core::{
    AuditEvent, AuthError, Authentication, Caller, Challenge, Challenges, Clock, Decision, Ledger, Reason,
    Scheme, Timestamp,
};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::*;

/// What a handler does before it answers.
#[derive(Clone, Copy, Debug)]
enum Decides {
    Nothing,
    Grants,
    Refuses,
    GrantsThenRefuses,
    RefusesThenGrants,
    DeclaresPublic,
    OnlyAsks,
    GrantsInATask,
}

fn caller(request: &Request<()>) -> Caller<()> {
    let challenge = Challenge::new(Scheme::BEARER).realm("api").expect("realm");
    let evidence = Authentication::assertion((), portcullis_core::Method::JWT);
    let challenges = Challenges::new([challenge]).expect("challenges");
    Caller::new(Arc::new(evidence), challenges).with_ledger(Ledger::of(request.extensions()).cloned())
}

impl Decides {
    async fn act(self, request: &Request<()>) {
        let caller = caller(request);
        let grant = || caller.enforce(Decision::Granted);
        // The handler swallows what it should return.
        let refuse = || drop(caller.enforce(Decision::Denied(Reason::new("not_hers"))));
        match self {
            Self::Nothing => {}
            Self::Grants => grant().expect("granted"),
            Self::Refuses => refuse(),
            Self::GrantsThenRefuses => {
                grant().expect("granted");
                refuse();
            }
            Self::RefusesThenGrants => {
                refuse();
                grant().expect("granted");
            }
            Self::DeclaresPublic => Ledger::of(request.extensions())
                .expect("a ledger")
                .declare_public(),
            Self::OnlyAsks => {
                let granting = |_: &Authentication<()>, (): &()| Decision::Granted;
                assert!(caller.may(&granting, &()).expect("decided"));
            }
            Self::GrantsInATask => {
                let task = caller.clone();
                let task = tokio::spawn(async move { task.enforce(Decision::Granted) });
                task.await.expect("no panic").expect("granted");
            }
        }
    }
}

const ALL: [Decides; 8] = [
    Decides::Nothing,
    Decides::Grants,
    Decides::Refuses,
    Decides::GrantsThenRefuses,
    Decides::RefusesThenGrants,
    Decides::DeclaresPublic,
    Decides::OnlyAsks,
    Decides::GrantsInATask,
];

impl Decides {
    const fn is_decided(self) -> bool {
        matches!(self, Self::Grants | Self::DeclaresPublic | Self::GrantsInATask)
    }
}

async fn ask(
    layer: LedgerLayer,
    decides: Decides,
    method: Method,
    answer: impl Fn() -> Response<Bytes> + Clone + Send + 'static,
) -> Response<Bytes> {
    let service = service_fn(move |request: Request<()>| {
        let answer = answer.clone();
        async move {
            decides.act(&request).await;
            Ok::<_, Infallible>(answer())
        }
    });
    let request = Request::builder().method(method).body(()).expect("a request");
    layer.layer(service).oneshot(request).await.expect("infallible")
}

fn status(status: u16) -> impl Fn() -> Response<Bytes> + Clone + Send + 'static {
    move || {
        let answer = Response::builder()
            .status(status)
            .header("set-cookie", "secret=1");
        answer.body(Bytes::from("secret")).expect("an answer")
    }
}

fn is_withheld(answer: &Response<Bytes>) -> bool {
    let withheld = answer.status() == 500;
    if withheld {
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(!answer.headers().contains_key("set-cookie"));
        assert!(!answer.body().windows(6).any(|part| part == b"secret"));
    } else {
        assert_eq!(answer.headers()["set-cookie"], "secret=1");
    }
    withheld
}

/// What is no known write is taken for a read: a caller may make up the name of a method. CONNECT opens WebSockets in
/// HTTP/2 (RFC 8441).
const READS: [&str; 8] = [
    "GET", "HEAD", "OPTIONS", "TRACE", "QUERY", "CONNECT", "PROPFIND", "get",
];
const WRITES: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

/// ASVS 8.2.1, T-WIRE-1
#[tokio::test]
async fn asvs_8_2_1_an_answer_that_nobody_decided_about_is_withheld() {
    for decides in ALL {
        for method in READS.iter().chain(&WRITES) {
            let is_read = READS.contains(method);
            for (layer, withholds) in [
                (LedgerLayer::new(), is_read),
                (LedgerLayer::new().withhold_writes(), true),
                (LedgerLayer::report_only(), false),
                (LedgerLayer::report_only().withhold_writes(), false),
                (LedgerLayer::audit_only(|_: &AuditEvent<'_>| {}), false),
            ] {
                let method = Method::from_bytes(method.as_bytes()).expect("a method");
                let answer = ask(layer.clone(), decides, method.clone(), status(200)).await;
                let expected = withholds && !decides.is_decided();
                assert_eq!(is_withheld(&answer), expected, "{decides:?} {method} {layer:?}");
            }
        }
    }
}

#[tokio::test]
async fn success_is_2xx_101_and_3xx_and_nothing_else_is_judged() {
    for (code, success) in [
        (101, true),
        (200, true),
        (204, true),
        (206, true),
        (301, true),
        (303, true),
        (304, true),
        (100, false),
        (400, false),
        (401, false),
        (404, false),
        (405, false),
        (503, false),
    ] {
        let answer = ask(LedgerLayer::new(), Decides::Nothing, Method::GET, status(code)).await;
        assert_eq!(is_withheld(&answer), success, "{code}");
        let granted = ask(LedgerLayer::new(), Decides::Grants, Method::GET, status(code)).await;
        assert!(!is_withheld(&granted), "{code}");
    }
}

/// ASVS 8.2.1: every decision, method, status and mode.
#[tokio::test]
async fn no_combination_lets_an_undecided_read_out_or_touches_anything_else() {
    for decides in ALL {
        for method in READS.iter().chain(&WRITES) {
            for code in [101, 200, 204, 303, 304, 400, 403, 404, 503] {
                let is_success = code < 400;
                for (layer, withholds) in [
                    (LedgerLayer::new(), READS.contains(method)),
                    (LedgerLayer::new().withhold_writes(), true),
                    (LedgerLayer::report_only(), false),
                    (LedgerLayer::audit_only(|_: &AuditEvent<'_>| {}), false),
                ] {
                    let method = Method::from_bytes(method.as_bytes()).expect("a method");
                    let answer = ask(layer.clone(), decides, method.clone(), status(code)).await;
                    let expected = withholds && is_success && !decides.is_decided();
                    let case = format!("{decides:?} {method} {code} {layer:?}");
                    assert_eq!(is_withheld(&answer), expected, "{case}");
                    assert!(expected || answer.status() == code, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_in_another_form_is_no_success() {
    let redirect = || {
        let mut answer = status(303)();
        answer.extensions_mut().insert(AuthError::missing_credentials());
        answer
    };
    let grpc = |code: &'static str| {
        move || {
            let mut answer = status(200)();
            answer
                .headers_mut()
                .insert("grpc-status", http::HeaderValue::from_static(code));
            let media_type = http::HeaderValue::from_static("application/grpc");
            answer.headers_mut().insert("content-type", media_type);
            answer
        }
    };
    let plain = |media_type: &'static str| {
        move || {
            let mut answer = grpc("7")();
            let media_type = http::HeaderValue::from_static(media_type);
            answer.headers_mut().insert("content-type", media_type);
            answer
        }
    };
    let layer = || LedgerLayer::new().withhold_writes();
    for media_type in ["text/plain", "application/grpcish", ""] {
        assert!(is_withheld(
            &ask(layer(), Decides::Nothing, Method::GET, plain(media_type)).await
        ));
    }
    for media_type in ["application/grpc+proto", "application/grpc-web+proto"] {
        assert!(!is_withheld(
            &ask(layer(), Decides::Refuses, Method::POST, plain(media_type)).await
        ));
    }
    assert!(!is_withheld(
        &ask(layer(), Decides::Nothing, Method::GET, redirect).await
    ));
    assert!(!is_withheld(
        &ask(layer(), Decides::Refuses, Method::POST, grpc("7")).await
    ));
    assert!(is_withheld(
        &ask(layer(), Decides::Nothing, Method::POST, grpc("0")).await
    ));
}

#[tokio::test]
async fn head_is_withheld_without_content() {
    let answer = ask(LedgerLayer::new(), Decides::Nothing, Method::HEAD, status(200)).await;
    assert!(is_withheld(&answer));
    assert!(answer.body().is_empty());
    assert_eq!(answer.headers()["content-length"], "46");
}

#[tokio::test]
async fn of_two_layers_the_stricter_one_judges() {
    let forgetful = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(status(200)()) });
    let told = Arc::new(Mutex::new(0));
    let sink = {
        let told = Arc::clone(&told);
        move |_: &AuditEvent<'_>| *told.lock().expect("not poisoned") += 1
    };
    let layers = [
        LedgerLayer::audit_only(sink.clone()),
        LedgerLayer::report_only().audit(sink.clone()),
        LedgerLayer::new().audit(sink.clone()),
        LedgerLayer::new().withhold_writes().audit(sink),
    ];
    for (method, first_that_withholds) in [(Method::GET, 2), (Method::POST, 3)] {
        for (one, outer) in layers.iter().enumerate() {
            for (other, inner) in layers.iter().enumerate() {
                let request = Request::builder().method(&method).body(()).expect("a request");
                let both = outer.layer(inner.layer(forgetful));
                let answer = both.oneshot(request).await.expect("infallible");
                let expected = one.max(other) >= first_that_withholds;
                assert_eq!(is_withheld(&answer), expected, "{method} {outer:?} {inner:?}");
                let told = std::mem::take(&mut *told.lock().expect("not poisoned"));
                assert_eq!(
                    told,
                    i32::from(one.max(other) > 0),
                    "{method} {outer:?} {inner:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_record_that_no_layer_judges_switches_none_off() {
    let forgetful = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(status(200)()) });
    let mut request = Request::new(());
    request.extensions_mut().insert(Ledger::new(Method::GET));
    let answer = LedgerLayer::new().layer(forgetful).oneshot(request).await;
    assert!(is_withheld(&answer.expect("infallible")));
}

#[tokio::test]
async fn what_is_inside_a_public_layer_is_for_everybody() {
    let forgetful = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(status(200)()) });
    let public = PublicLayer::new().layer(forgetful);
    // Without a ledger it says it to nobody.
    let answer = public
        .clone()
        .oneshot(Request::new(()))
        .await
        .expect("infallible");
    assert!(!is_withheld(&answer));
    let answer = LedgerLayer::new().layer(public).oneshot(Request::new(())).await;
    assert!(!is_withheld(&answer.expect("infallible")));
}

#[tokio::test]
async fn the_instance_that_was_polled_ready_is_called() {
    let forgetful = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(status(200)()) });
    let mut service = ServiceBuilder::new()
        .layer(LedgerLayer::new())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(forgetful);
    for _ in 0..3 {
        let ready = service.ready().await.expect("ready");
        assert!(is_withheld(
            &ready.call(Request::new(())).await.expect("infallible")
        ));
    }
}

#[tokio::test]
async fn a_record_belongs_to_one_request() {
    let layer = LedgerLayer::new();
    let granted = ask(layer.clone(), Decides::Grants, Method::GET, status(200)).await;
    assert!(!is_withheld(&granted));
    let forgotten = ask(layer, Decides::Nothing, Method::GET, status(200)).await;
    assert!(is_withheld(&forgotten));
}

/// Two hours have passed whenever somebody looks again.
#[derive(Debug, Default)]
struct Leaping(AtomicU64);

impl Clock for Leaping {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(7_200 * self.0.fetch_add(1, Ordering::SeqCst))
    }
}

#[tokio::test]
async fn sinks_add_up_and_a_clock_may_come_first() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = |name: &'static str| {
        let heard = Arc::clone(&heard);
        move |event: &AuditEvent<'_>| {
            let told = (name, event.elapsed().expect("measured").as_secs());
            heard.lock().expect("not poisoned").push(told);
        }
    };
    for (layer, expected) in [
        (
            LedgerLayer::new().clock(Leaping::default()).audit(sink("a")),
            vec![("a", 7_200)],
        ),
        (
            LedgerLayer::new().audit(sink("a")).clock(Leaping::default()),
            vec![("a", 7_200)],
        ),
        (
            LedgerLayer::audit_only(sink("a"))
                .clock(Leaping::default())
                .audit(sink("b")),
            vec![("a", 7_200), ("b", 7_200)],
        ),
        (LedgerLayer::new().clock(Leaping::default()), vec![]),
    ] {
        ask(layer, Decides::Grants, Method::GET, status(200)).await;
        let heard = std::mem::take(&mut *heard.lock().expect("not poisoned"));
        assert_eq!(heard, expected);
    }
}

#[tokio::test]
async fn the_audit_hears_of_decisions_and_of_their_absence() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let heard = Arc::clone(&heard);
        move |event: &AuditEvent<'_>| {
            let mut heard = heard.lock().expect("not poisoned");
            heard.push((event.kind().as_str(), event.reason()));
        }
    };
    let layer = LedgerLayer::new().audit((sink.clone(), sink));
    for (decides, expected) in [
        (Decides::Grants, vec![("granted", None)]),
        (
            Decides::Nothing,
            vec![("undecided", Some("authorization_forgotten"))],
        ),
        (
            Decides::Refuses,
            vec![
                ("denied", Some("not_hers")),
                ("undecided", Some("refusal_ignored")),
            ],
        ),
        (
            Decides::OnlyAsks,
            vec![("undecided", Some("authorization_forgotten"))],
        ),
    ] {
        ask(layer.clone(), decides, Method::GET, status(200)).await;
        let twice: Vec<_> = expected.iter().flat_map(|event| [*event, *event]).collect();
        assert_eq!(
            std::mem::take(&mut *heard.lock().expect("not poisoned")),
            twice,
            "{decides:?}"
        );
    }
}
