//! Refusals as HTTP/2 carries them: what stands in the frames, beyond what a service answers.

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use bytes::Bytes;
use http::{Method, Request, Response, Version};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_axum::Authenticated;
use portcullis_core::SignedIn;
use portcullis_test::assert_status;
use portcullis_tower::{AuthorizeLayer, RefusalLayer, Rendering};
use tower::Layer;

use crate::support::{App, Mode, Scene, Sent, app, over_a_connection};
use crate::wire::send;

/// Sends a request over a connection in memory. `Ok(None)`: the answer came and its content broke the stream. The flag
/// says whether the head was the last frame.
async fn over_http_2(service: &App, request: Request<Body>) -> (bool, Option<Response<Bytes>>) {
    let (client, server) = tokio::io::duplex(64 * 1024);
    let service = service.clone();
    let service = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut service = service.clone();
        async move { tower::Service::call(&mut service, request.map(Body::new)).await }
    });
    let service = hyper_util::service::TowerToHyperService::new(service);
    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(server), service);
    tokio::spawn(serving);
    let io = TokioIo::new(client);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .expect("a connection");
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.expect("a head");
    let (head, content) = answer.into_parts();
    let ended = content.is_end_stream();
    let content = content.collect().await.ok();
    (
        ended,
        content.map(|content| Response::from_parts(head, content.to_bytes())),
    )
}

fn request(method: Method, uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://app.test{uri}"))
        .version(Version::HTTP_2);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("a request")
}

fn routes() -> Router {
    async fn me(caller: Authenticated) -> String {
        caller.principal().subject().to_owned()
    }
    Router::new().route("/me", get(me)).route("/grpc", any(me))
}

/// H15: content in the answer to `HEAD` breaks its stream, and hyper sends it if it is there. Wherever the layers
/// stand, there is none, and its length is that of the answer to `GET`.
#[tokio::test]
async fn a_refused_head_does_not_break_its_stream() {
    let scene = Scene::new();
    let layer = || Mode::Required.layer(scene.bearer());
    let plain = || {
        RefusalLayer::new(|_: &http::request::Parts| {
            Some(Rendering::new(|error| {
                let mut answer = Response::new(Bytes::from("refused"));
                *answer.status_mut() = error.status();
                Some(answer)
            }))
        })
    };
    let assemblies = [
        ("Router::layer", app(routes().layer(layer()))),
        ("around the router", app(layer().layer(routes()))),
        ("styled", app(plain().layer(layer().layer(routes())))),
        (
            "demanded",
            app(AuthorizeLayer::needs::<SignedIn>().layer(routes())),
        ),
        (
            "demanded where nobody has decided yet",
            app(Mode::OnDemand
                .layer(scene.bearer())
                .layer(AuthorizeLayer::needs::<SignedIn>().layer(routes()))),
        ),
    ];
    for (name, service) in assemblies {
        for path in ["/me", "/nowhere"] {
            let (_, get) = over_http_2(&service, request(Method::GET, path, &[])).await;
            let get = get.expect(name);
            let (ended, head) = over_http_2(&service, request(Method::HEAD, path, &[])).await;
            let head = head.unwrap_or_else(|| panic!("{name} {path}: a broken stream"));
            assert!(ended, "{name} {path}");
            assert_status(&head, get.status().as_u16());
            assert!(
                !get.body().is_empty() && !get.status().is_success(),
                "{name} {path}"
            );
            let length = head.headers().get("content-length");
            assert!(
                length.is_some_and(|length| length == get.body().len().to_string().as_str()),
                "{name} {path}"
            );
        }
    }
}

/// H15: over HTTP/1.1 the length is said and nothing follows.
#[tokio::test]
async fn a_refused_head_over_http_1_says_a_length_and_sends_nothing() {
    let scene = Scene::new();
    let service = routes().layer(Mode::Required.layer(scene.bearer()));
    for path in ["/me", "/nowhere"] {
        let ask =
            |method: &str| format!("{method} {path} HTTP/1.1\r\nhost: app.test\r\nconnection: close\r\n\r\n");
        let get = over_a_connection(&service, &ask("GET")).await;
        let (_, content) = get.split_once("\r\n\r\n").expect("a head");
        let head = over_a_connection(&service, &ask("HEAD")).await;
        assert!(
            head.starts_with("HTTP/1.1 401") && head.ends_with("\r\n\r\n"),
            "{head}"
        );
        let length = format!("content-length: {}\r\n", content.len());
        assert!(!content.is_empty() && head.contains(&length), "{head}");
    }
}

/// A refusal in the form of gRPC is one frame, trailers only; a script over HTTP/2 can send all of a gRPC call but `TE`,
/// and gets the refusal of HTTP, not 200.
#[tokio::test]
async fn a_grpc_refusal_is_one_frame_and_no_script_gets_it() {
    let scene = Scene::new();
    let service = app(routes().layer(Mode::Required.layer(scene.bearer())));
    let call = [("content-type", "application/grpc"), ("te", "trailers")];
    let (ended, refused) = over_http_2(&service, request(Method::POST, "/grpc", &call)).await;
    let refused = refused.expect("an answer");
    assert!(ended, "END_STREAM on the head");
    assert_status(&refused, 200);
    assert_eq!(refused.headers()["grpc-status"], "16");

    let script = [call[0], ("origin", "http://app.test"), ("sec-fetch-mode", "cors")];
    let (_, refused) = over_http_2(&service, request(Method::POST, "/grpc", &script)).await;
    let refused = refused.expect("an answer");
    assert_status(&refused, 401);
    assert!(!refused.headers().contains_key("grpc-status"));

    let mut good = scene.request(Method::POST, "/grpc", Sent::Good);
    *good.version_mut() = Version::HTTP_2;
    assert_status(&send(&service, good).await, 200);
}
