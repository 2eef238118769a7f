//! WebSockets: who may upgrade, and when a connection ends because its evidence did.

use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use portcullis_axum::{Authenticated, Authorized};
use portcullis_core::{Clock, MemoryRevocations, SignedIn, Timestamp};
use portcullis_jwt::{Algorithm, JwtBearer, StaticKeySet, TrustedIssuer, Verifier};
use portcullis_test::TokenBuilder;
use tokio::io::DuplexStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self};

use crate::support::{Mode, Need, Scene, Sent};
use crate::wire::{ISSUER, request, send};

/// Echoes until the evidence ends, and says why it closes.
async fn echo(mut socket: WebSocket, caller: Authenticated) {
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    let _ = socket.send(Message::Text(text)).await;
                }
                Some(Ok(_)) => {}
                _ => return,
            },
            why = caller.until_invalid() => {
                let frame = CloseFrame { code: 1008, reason: why.as_str().into() };
                let _ = socket.send(Message::Close(Some(frame))).await;
                return;
            }
        }
    }
}

async fn upgrade(caller: Authorized<SignedIn>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| echo(socket, caller.into_authenticated()))
}

/// Asks only when the connection has been upgraded already.
async fn upgrade_first(upgrade: WebSocketUpgrade, request: axum::extract::Request) -> Response {
    let outcome = portcullis_core::Outcome::<portcullis_core::Principal>::of(request.extensions());
    let outcome = outcome.expect("a layer").clone();
    upgrade.on_upgrade(async move |mut socket| {
        let text = match outcome.require().await {
            Ok(caller) => caller.principal().subject().to_owned(),
            Err(error) => error.kind().as_str().to_owned(),
        };
        let _ = socket.send(Message::Text(text.into())).await;
    })
}

fn application() -> Router {
    Router::new()
        .route("/ws", any(upgrade))
        .route("/late", any(upgrade_first))
}

type Client = WebSocketStream<DuplexStream>;

/// A handshake over a connection in memory, with a real client and a real server.
async fn connect(
    application: &Router,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<Client, tungstenite::Error> {
    let (client, server) = tokio::io::duplex(64 * 1024);
    let service = TowerToHyperService::new(application.clone());
    tokio::spawn(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(server), service)
            .with_upgrades(),
    );
    let mut request: Request<()> = format!("ws://app.test{path}").into_client_request()?;
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(*name, value.parse().expect("a value"));
    }
    let (socket, answer) = tokio_tungstenite::client_async(request, client).await?;
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    Ok(socket)
}

/// The refusal of a handshake.
#[track_caller]
fn refusal(connected: Result<Client, tungstenite::Error>) -> tungstenite::handshake::client::Response {
    match connected {
        Err(tungstenite::Error::Http(answer)) => *answer,
        Err(other) => panic!("no refusal: {other}"),
        Ok(_) => panic!("upgraded"),
    }
}

async fn says(socket: &mut Client, text: &str) -> String {
    socket.send(tungstenite::Message::text(text)).await.expect("sent");
    heard(socket).await
}

async fn heard(socket: &mut Client) -> String {
    match socket.next().await {
        Some(Ok(tungstenite::Message::Text(text))) => text.as_str().to_owned(),
        Some(Ok(tungstenite::Message::Close(Some(frame)))) => format!("closed: {}", frame.reason),
        other => panic!("{other:?}"),
    }
}

/// A refused handshake is a refusal like any other: with its status and challenge, and without an upgrade.
#[tokio::test]
async fn a_handshake_is_upgraded_or_refused_with_a_challenge() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        let application = application().layer(mode.layer(scene.bearer()));
        for sent in Sent::ALL {
            let value = scene.value(sent);
            let headers: Vec<_> = value.map(|value| ("authorization", value)).into_iter().collect();
            let connected = connect(&application, "/ws", &headers).await;
            match mode.refuses(sent).or_else(|| Need::Caller.refuses(sent)) {
                None => assert_eq!(says(&mut connected.expect("upgraded"), "hello").await, "hello"),
                Some(kind) => {
                    let answer = refusal(connected);
                    assert_eq!(answer.status(), kind.wire().status, "{mode:?} {sent:?}");
                    let unauthorized = answer.status() == 401;
                    assert_eq!(
                        answer.headers().contains_key("www-authenticate"),
                        unauthorized || answer.status() == 400
                    );
                    assert!(!answer.headers().contains_key("sec-websocket-accept"));
                    assert_eq!(answer.headers()["cache-control"], "no-store");
                }
            }
        }
    }
}

/// CS14: a page of another site makes the browser send the cookie along; the handshake is a GET and refused all the
/// same. The same handshake of the own page is upgraded, and so is one with a token that scripts must add.
#[tokio::test]
async fn a_handshake_of_another_site_is_refused_where_a_cookie_would_decide() {
    let scene = Scene::new();
    let cookie = format!("token={}", scene.token("alice"));
    let cookie = cookie.as_str();
    let token = scene.value(Sent::Good).expect("sent");
    for mode in Mode::ALL {
        let by_cookie = application().layer(mode.layer(scene.cookie()));
        for (headers, upgraded) in [
            (vec![("cookie", cookie), ("origin", "https://evil.test")], false),
            (
                vec![
                    ("cookie", cookie),
                    ("origin", "https://app.test"),
                    ("sec-fetch-site", "cross-site"),
                ],
                false,
            ),
            (vec![("cookie", cookie), ("origin", "null")], false),
            (vec![("cookie", cookie)], false),
            (vec![("cookie", cookie), ("origin", "https://app.test")], true),
            (vec![("cookie", cookie), ("sec-fetch-site", "same-origin")], true),
        ] {
            let connected = connect(&by_cookie, "/ws", &headers).await;
            if upgraded {
                assert_eq!(says(&mut connected.expect("upgraded"), "hello").await, "hello");
            } else {
                assert_eq!(refusal(connected).status(), 403, "{mode:?} {headers:?}");
            }
        }
        let by_token = application().layer(mode.layer(scene.bearer()));
        let headers = [("authorization", token), ("origin", "https://evil.test")];
        assert!(connect(&by_token, "/ws", &headers).await.is_ok());
    }
}

/// CS14: a handshake over HTTP/2 is a CONNECT (RFC 8441), and no safe method.
#[tokio::test]
async fn a_handshake_over_http_2_of_another_site_is_refused_as_well() {
    let scene = Scene::new();
    let cookie = format!("token={}", scene.token("alice"));
    let application = Router::new()
        .route("/ws", any(|_: Authenticated| async {}))
        .layer(Mode::OnDemand.layer(scene.cookie()));
    for (origin, status) in [("https://evil.test", 403), ("https://app.test", 200)] {
        let headers = [("cookie", cookie.as_str()), ("origin", origin)];
        let mut handshake = request(Method::CONNECT, "https://app.test/ws", &headers);
        *handshake.version_mut() = http::Version::HTTP_2;
        assert_eq!(send(&application, handshake).await.status(), status);
    }
}

/// An undecided handshake that is upgraded first is decided about as it came in, cross-site or not.
#[tokio::test]
async fn whoever_asks_after_the_upgrade_hears_the_verdict_about_the_handshake() {
    let scene = Scene::new();
    let cookie = format!("token={}", scene.token("alice"));
    let application = application().layer(Mode::OnDemand.layer(scene.cookie()));
    for (headers, expected) in [
        (vec![], "missing_credentials"),
        (
            vec![("cookie", "token=a.b.c"), ("sec-fetch-site", "same-origin")],
            "invalid_credentials",
        ),
        (
            vec![("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")],
            "denied",
        ),
        (
            vec![("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")],
            "alice",
        ),
    ] {
        let mut socket = connect(&application, "/late", &headers).await.expect("upgraded");
        assert_eq!(heard(&mut socket).await, expected);
    }
}

/// A clock that goes with the runtime's, which stands still while anything is left to do.
#[derive(Clone, Copy, Debug)]
struct RuntimeClock(Instant);

impl RuntimeClock {
    const START: u64 = 1_800_000_000;
}

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(Self::START).saturating_add(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

fn revocable(scene: &Scene, clock: impl Clock, list: &MemoryRevocations) -> JwtBearer {
    let keys = StaticKeySet::from_jwks(scene.issuer.jwks().as_bytes()).expect("keys");
    let verifier = Verifier::builder()
        .issuer(TrustedIssuer::new(ISSUER, keys).algorithms(Algorithm::RECOMMENDED))
        .audience(TokenBuilder::AUDIENCE)
        .clock(clock)
        .revocations(list.clone())
        .build()
        .expect("verifier");
    JwtBearer::new(verifier).expect("method")
}

/// A connection lives as long as its token, to the second, and is told why it ends.
#[tokio::test(start_paused = true)]
async fn a_connection_ends_when_its_token_does() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        for lifetime in [90, 3_600] {
            let start = Instant::now();
            let method = revocable(&scene, RuntimeClock(start), &MemoryRevocations::new());
            let application = application().layer(mode.layer(method));
            let token = format!("Bearer {}", scene.issuer.token().lifetime(lifetime).build());
            let mut socket = connect(&application, "/ws", &[("authorization", &token)])
                .await
                .expect("upgraded");
            tokio::time::sleep_until(start + Duration::from_secs(80)).await;
            assert_eq!(says(&mut socket, "still here").await, "still here");
            assert_eq!(heard(&mut socket).await, "closed: expired");
            let lived = start.elapsed().as_secs();
            let lifetime = u64::try_from(lifetime).expect("positive");
            // The tolerance for clocks that differ is part of a token's time.
            assert!((lifetime..=lifetime + 61).contains(&lived), "{mode:?} {lived}");
            let again = connect(&application, "/ws", &[("authorization", &token)]).await;
            assert_eq!(refusal(again).status(), 401);
        }
    }
}

/// A revocation ends the connections of that token at once, and no others.
#[tokio::test(start_paused = true)]
async fn a_revocation_ends_the_connection_at_once() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        let list = MemoryRevocations::new();
        let application = application().layer(mode.layer(revocable(&scene, scene.clock.clone(), &list)));
        let token = |id: &str| format!("Bearer {}", scene.issuer.token().claim("jti", id).build());
        let mut revoked = connect(&application, "/ws", &[("authorization", &token("1"))])
            .await
            .expect("upgraded");
        let mut other = connect(&application, "/ws", &[("authorization", &token("2"))])
            .await
            .expect("upgraded");
        assert_eq!(says(&mut revoked, "a").await, "a");
        assert_eq!(says(&mut other, "b").await, "b");
        let before = Instant::now();
        let end = scene.clock.now().saturating_add(Duration::from_secs(3_600));
        list.revoke(ISSUER, "1", end).expect("room");
        assert_eq!(heard(&mut revoked).await, "closed: revoked");
        assert_eq!(before.elapsed(), Duration::ZERO, "{mode:?}: at once");
        assert_eq!(says(&mut other, "c").await, "c");
        let again = connect(&application, "/ws", &[("authorization", &token("1"))]).await;
        assert_eq!(refusal(again).status(), 401);
    }
}

/// The same over a socket, with a server as an application starts it.
#[tokio::test]
async fn a_handshake_over_a_socket() {
    let scene = Scene::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let application = application().layer(Mode::Required.layer(scene.bearer()));
    let server = tokio::spawn(async move { axum::serve(listener, application).await });
    for (sent, status) in [(Sent::Good, 101), (Sent::Nothing, 401), (Sent::Bad, 401)] {
        let stream = tokio::net::TcpStream::connect(address).await.expect("connected");
        let mut request = format!("ws://{address}/ws")
            .into_client_request()
            .expect("a request");
        if let Some(value) = scene.value(sent) {
            let value = value.parse().expect("a value");
            request.headers_mut().insert("authorization", value);
        }
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((mut socket, answer)) => {
                assert_eq!(answer.status(), status);
                socket
                    .send(tungstenite::Message::text("hello"))
                    .await
                    .expect("sent");
                let heard = socket.next().await.expect("an answer").expect("a message");
                assert_eq!(heard.into_text().expect("text").as_str(), "hello");
            }
            Err(tungstenite::Error::Http(answer)) => {
                assert_eq!(answer.status(), status);
                assert!(answer.headers().contains_key("www-authenticate"));
            }
            Err(other) => panic!("{other}"),
        }
    }
    server.abort();
}
