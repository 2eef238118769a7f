//! Requests and answers with bodies of any type.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, Method, Request, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full};
use portcullis_axum::Authenticated;
use portcullis_core::{Outcome, Principal, SignedIn};
use portcullis_tower::{AnyBodyLayer, AuthorizeLayer};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Mode, Need, Scene, Sent, over_a_connection};
use crate::wire::send;

/// The head of a request, with this body.
fn with_body<B>(scene: &Scene, sent: Sent, body: B) -> Request<B> {
    let (head, _) = scene.request(Method::POST, "/", sent).into_parts();
    Request::from_parts(head, body)
}

/// What is expected of a service that demands somebody signed in.
fn expected(mode: Mode, sent: Sent) -> u16 {
    let refusal = mode.refuses(sent).or_else(|| Need::Caller.refuses(sent));
    refusal.map_or(200, |kind| kind.wire().status.as_u16())
}

/// Both of our layers around a service that takes and gives these types.
macro_rules! through {
    ($scene:expr, $mode:expr, $sent:expr, $request:expr => $answer:ty: $body:expr $(, $adapter:expr)?) => {{
        let inner = service_fn(|request: Request<_>| async move {
            let _ = request.into_body();
            Ok::<_, Infallible>(Response::<$answer>::new($body))
        });
        let service = (
            $mode.layer($scene.bearer()),
            AuthorizeLayer::needs::<SignedIn>(),
            $($adapter)?
        )
            .layer(inner);
        let asked = with_body($scene, $sent, $request);
        service.oneshot(asked).await.expect("infallible")
    }};
}

async fn read<B>(body: B) -> Bytes
where
    B: HttpBody<Data = Bytes, Error: std::fmt::Debug>,
{
    body.collect().await.expect("a body").to_bytes()
}

/// Bodies of answers that bytes can be made into need nothing; others need the adapter.
#[tokio::test]
async fn every_body_goes_through_both_layers() {
    let scene = Scene::new();
    let full = || Full::new(Bytes::from("hello"));
    for mode in Mode::ALL {
        for sent in Sent::ALL {
            let mut answers: Vec<(&str, u16, Bytes)> = Vec::new();
            macro_rules! row {
                ($name:literal, $answer:expr) => {{
                    let answer = $answer;
                    answers.push((
                        $name,
                        answer.status().as_u16(),
                        read(answer.into_body()).await,
                    ));
                }};
            }
            row!(
                "axum",
                through!(&scene, mode, sent, Body::empty() => Body: Body::from("hello"))
            );
            row!(
                "full",
                through!(&scene, mode, sent, full() => Full<Bytes>: full())
            );
            row!("no body", through!(&scene, mode, sent, () => Full<Bytes>: full()));
            row!(
                "text, in an adapter",
                through!(&scene, mode, sent, String::new() => String: "hello".to_owned(), AnyBodyLayer::new())
            );
            row!(
                "boxed, not to be shared",
                through!(
                    &scene, mode, sent, Empty::<Bytes>::new() => UnsyncBoxBody<Bytes, Infallible>:
                    full().boxed_unsync(), AnyBodyLayer::new()
                )
            );
            row!(
                "boxed",
                through!(
                    &scene, mode, sent, full().boxed() => BoxBody<Bytes, Infallible>:
                    full().boxed(), AnyBodyLayer::new()
                )
            );
            for (name, status, body) in answers {
                assert_eq!(status, expected(mode, sent), "{name} {mode:?} {sent:?}");
                let served = body == "hello";
                assert_eq!(served, status == 200, "{name} {mode:?} {sent:?}");
                assert!(served || body.starts_with(b"{\"title\""), "{name}: {body:?}");
            }
        }
    }
}

/// Bytes as the whole answer, where nothing is an HTTP body at all.
#[tokio::test]
async fn bytes_are_a_body_as_well() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        for sent in Sent::ALL {
            let bytes = through!(&scene, mode, sent, Vec::<u8>::new() => Bytes: Bytes::from("hello"));
            assert_eq!(bytes.status(), expected(mode, sent));
            let vec = through!(&scene, mode, sent, 7_u32 => Vec<u8>: b"hello".to_vec());
            assert_eq!(vec.status(), expected(mode, sent));
        }
    }
}

/// A body that counts how often it is asked for more, and never ends.
#[derive(Clone, Default)]
struct Endless(Arc<AtomicUsize>);

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; 1024])))))
    }
}

/// Nobody reads what a refused caller uploads; it is dropped with the refusal.
#[tokio::test]
async fn the_body_of_a_refused_request_is_not_read() {
    async fn upload(_: Authenticated, body: Body) -> &'static str {
        let mut body = body;
        let _ = body.frame().await;
        "read"
    }
    let scene = Scene::new();
    for mode in Mode::ALL {
        let service = Router::new()
            .route("/", post(upload))
            .layer(mode.layer(scene.bearer()));
        for sent in Sent::ALL {
            let body = Endless::default();
            let asked = Arc::clone(&body.0);
            let answer = send(&service, with_body(&scene, sent, Body::new(body))).await;
            let status = expected(mode, sent);
            assert_eq!(answer.status(), status, "{mode:?} {sent:?}");
            assert_eq!(
                asked.load(Ordering::SeqCst) > 0,
                status == 200,
                "{mode:?} {sent:?}"
            );
            assert_eq!(Arc::strong_count(&asked), 1, "{mode:?} {sent:?}: dropped");
        }
    }
}

/// A body that goes on streaming after its head went out belongs to a request that was decided before.
#[tokio::test]
async fn a_streamed_answer_passes_frame_by_frame() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        let inner = service_fn(|request: Request<Body>| async move {
            let outcome = Outcome::<Principal>::of(request.extensions()).expect("a layer");
            let caller = outcome.require().await.expect("alice");
            let name = caller.principal().subject().to_owned();
            let frames = futures_util::stream::iter(["a", "b", "c"])
                .map(move |text| Ok::<_, Infallible>(Bytes::from(format!("{name} {text}"))));
            Ok::<_, Infallible>(Response::new(Body::from_stream(frames)))
        });
        let service = (mode.layer(scene.bearer()), AnyBodyLayer::new()).layer(inner);
        let asked = scene.request(Method::GET, "/", Sent::Good);
        let answer = service.oneshot(asked).await.expect("infallible");
        let mut body = std::pin::pin!(answer.into_body());
        for expected in ["alice a", "alice b", "alice c"] {
            let frame = body.frame().await.expect("a frame").expect("no error");
            assert_eq!(frame.into_data().expect("data"), expected);
        }
        assert!(body.frame().await.is_none());
    }
}

/// The adapter tells the length of a refusal, so that it is not sent in chunks.
#[tokio::test]
async fn a_refusal_in_an_adapter_knows_its_length() {
    let scene = Scene::new();
    let answer = through!(
        &scene, Mode::Required, Sent::Nothing, () => UnsyncBoxBody<Bytes, Infallible>:
        Empty::new().boxed_unsync(), AnyBodyLayer::new()
    );
    assert_eq!(
        answer.headers()["content-type"],
        HeaderValue::from_static("application/problem+json")
    );
    let exact = answer.body().size_hint().exact().expect("known");
    assert!(!answer.body().is_end_stream());
    let body = read(answer.into_body()).await;
    assert_eq!(u64::try_from(body.len()).expect("small"), exact);
}

/// What a refused caller uploads is no request, even where it looks like one: the handler behind the smuggled head
/// is not reached, however the body's length is told.
#[tokio::test]
async fn an_unread_body_is_not_taken_for_the_next_request() {
    let scene = Scene::new();
    let reached = scene.reached.clone();
    let handler = move |_: Authenticated| {
        reached.count();
        async {}
    };
    let service = Router::new()
        .route("/", post(handler))
        .layer(Mode::Required.layer(scene.bearer()));
    let good = scene.value(Sent::Good).expect("sent");
    let smuggled =
        format!("POST / HTTP/1.1\r\nhost: a\r\nauthorization: {good}\r\ncontent-length: 0\r\n\r\n");
    let length = smuggled.len();
    for (framing, body) in [
        (format!("content-length: {length}"), smuggled.clone()),
        (
            "transfer-encoding: chunked".to_owned(),
            format!("{length:x}\r\n{smuggled}\r\n0\r\n\r\n"),
        ),
    ] {
        let text = format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n{body}");
        let answer = over_a_connection(&service, &text).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        assert_eq!(scene.reached.take(), 0);
    }
    // The pair: the same bytes, as the request that they look like.
    let answer = over_a_connection(&service, &smuggled).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A client that waits to be told to go on is refused before it sends anything.
#[tokio::test]
async fn a_refused_client_is_not_told_to_go_on() {
    async fn upload(_: Authenticated, body: Bytes) -> String {
        body.len().to_string()
    }
    let scene = Scene::new();
    let service = Router::new()
        .route("/", post(upload))
        .layer(Mode::Required.layer(scene.bearer()));
    for (sent, told, status) in [
        (Sent::Nothing, false, 401),
        (Sent::Bad, false, 401),
        (Sent::Good, true, 200),
    ] {
        let authorization = scene
            .value(sent)
            .map(|value| format!("authorization: {value}\r\n"));
        let text = format!(
            "POST / HTTP/1.1\r\nhost: a\r\n{}expect: 100-continue\r\ncontent-length: 5\r\n\r\nhello",
            authorization.unwrap_or_default()
        );
        let answer = over_a_connection(&service, &text).await;
        assert_eq!(answer.starts_with("HTTP/1.1 100"), told, "{answer}");
        assert!(answer.contains(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}
