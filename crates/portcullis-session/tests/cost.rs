//! What a session costs a request, in allocations: over the same service without the layer.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use portcullis_core::Principal;
use portcullis_session::{Session, Sessions, SignIn};
use portcullis_store::MemoryStore;
use tower::{Layer, Service, ServiceExt, service_fn};

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("memory never waits"),
    }
}

fn request(cookie: Option<&str>) -> Request<()> {
    let mut request = Request::new(());
    if let Some(cookie) = cookie {
        request
            .headers_mut()
            .insert("cookie", cookie.parse().expect("a value"));
    }
    request
}

fn answer() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("text/plain"));
    response
}

fn counted(
    request: Request<()>,
    mut app: impl Service<Request<()>, Response = Response<Bytes>, Error = Infallible>,
) -> u64 {
    let mut answered = None;
    let counted = allocation_counter::measure(|| {
        answered = Some(now(app.call(black_box(request))));
    });
    drop(answered);
    counted.count_total
}

#[test]
fn a_session_that_is_read_costs_four_allocations() {
    let sessions = Sessions::builder(MemoryStore::new()).build().expect("settings");
    let begin = service_fn(|request: Request<()>| async move {
        let session = Session::of(request.extensions()).expect("a layer");
        let alice = Principal::new("https://app.test", "alice");
        session
            .sign_in(SignIn::assertion(alice, "pwd"))
            .await
            .expect("signed in");
        session.insert("visits", &7_u64).await.expect("kept");
        Ok::<_, Infallible>(answer())
    });
    let signed_in = now(sessions.layer().layer(begin).oneshot(request(None))).expect("infallible");
    let cookie = signed_in.headers()["set-cookie"]
        .to_str()
        .expect("ascii")
        .to_owned();
    let cookie = cookie.split(';').next().expect("a pair");
    let bare = service_fn(|request: Request<()>| async move {
        drop(request);
        Ok::<_, Infallible>(answer())
    });
    let idle = counted(request(Some(cookie)), bare);
    let reading = service_fn(|request: Request<()>| async move {
        let session = Session::of(request.extensions()).expect("a layer");
        assert_eq!(session.get::<u64>("visits").await.expect("readable"), Some(7));
        Ok::<_, Infallible>(answer())
    });
    let app = sessions.layer().layer(reading);
    counted(request(Some(cookie)), app.clone());
    let read = counted(request(Some(cookie)), app);
    assert!(read <= idle + 4, "{read} over {idle}");
    let passing = sessions
        .layer()
        .layer(service_fn(|request: Request<()>| async move {
            drop(request);
            Ok::<_, Infallible>(answer())
        }));
    let passed = counted(request(Some(cookie)), passing);
    assert!(passed <= idle + 4, "{passed} over {idle}");
}
