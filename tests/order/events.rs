//! Server-sent events: a stream ends when its evidence does.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::Sse;
use axum::response::sse::Event;
use axum::routing::get;
use futures_util::stream::{self, Stream, StreamExt};
use http::Method;
use http_body_util::BodyExt;
use portcullis_axum::Authenticated;
use portcullis_core::{Clock, MemoryRevocations};
use portcullis_jwt::{Algorithm, JwtBearer, StaticKeySet, TrustedIssuer, Verifier};
use portcullis_test::{TokenBuilder, assert_refused};
use tower::ServiceExt;

use crate::support::{Mode, Need, Scene, Sent};
use crate::wire::{ISSUER, request, send};

/// A tick every ten seconds, for as long as the evidence holds.
async fn ticks(caller: Authenticated) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = stream::unfold(0_u64, |number| async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Some((Ok(Event::default().data(number.to_string())), number + 1))
    });
    Sse::new(ticks.take_until(async move { caller.until_invalid().await }))
}

fn revocable(scene: &Scene, list: &MemoryRevocations) -> JwtBearer {
    let keys = StaticKeySet::from_jwks(scene.issuer.jwks().as_bytes()).expect("keys");
    let verifier = Verifier::builder()
        .issuer(TrustedIssuer::new(ISSUER, keys).algorithms(Algorithm::RECOMMENDED))
        .audience(TokenBuilder::AUDIENCE)
        .clock(scene.clock.clone())
        .revocations(list.clone())
        .build()
        .expect("verifier");
    JwtBearer::new(verifier).expect("method")
}

/// What ends a stream: a revocation of its token, of everything of its subject, or its time.
#[tokio::test(start_paused = true)]
async fn a_stream_of_events_ends_when_its_evidence_does() {
    let scene = Scene::new();
    let token = format!("Bearer {}", scene.issuer.token().claim("jti", "1").build());
    for mode in Mode::ALL {
        for how in ["token", "subject", "time"] {
            let scene_clock = scene.clock.clone();
            let list = MemoryRevocations::new();
            let service = Router::new()
                .route("/", get(ticks))
                .layer(mode.layer(revocable(&scene, &list)));
            let asked = request(Method::GET, "/", &[("authorization", &token)]);
            let answer = service.oneshot(asked).await.expect("infallible");
            assert_eq!(answer.status(), 200);
            let mut body = answer.into_body();
            for number in 0..3 {
                let frame = body.frame().await.expect("a tick").expect("no error");
                let text = frame.into_data().expect("data");
                assert_eq!(text, format!("data: {number}\n\n"));
            }
            let now = scene_clock.now();
            match how {
                "token" => list
                    .revoke(ISSUER, "1", now.saturating_add(Duration::from_secs(3_600)))
                    .expect("room"),
                "subject" => list.revoke_before(ISSUER, "alice", now).expect("room"),
                _ => scene_clock.advance(Duration::from_secs(10 * 3_600)),
            }
            let before = tokio::time::Instant::now();
            let mut more = 0;
            while let Some(frame) = body.frame().await {
                frame.expect("no error");
                more += 1;
            }
            // Time is looked at within a minute; what is announced, at once.
            let at_most = if how == "time" { 60 } else { 0 };
            assert!(before.elapsed() <= Duration::from_secs(at_most), "{mode:?} {how}");
            assert!(more <= at_most / 10, "{mode:?} {how}: {more}");
            if how == "time" {
                scene_clock.set_wall(now.as_unix_seconds());
            }
        }
    }
}

/// A refused caller gets no stream, and the head of one is private to nobody else.
#[tokio::test]
async fn a_stream_is_refused_as_anything_else() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        let service = Router::new()
            .route("/", get(ticks))
            .layer(mode.layer(scene.bearer()));
        for sent in Sent::ALL {
            let asked = scene.request(Method::GET, "/", sent);
            match mode.refuses(sent).or_else(|| Need::Caller.refuses(sent)) {
                Some(kind) => {
                    assert_refused(&send(&service, asked).await, kind);
                }
                None => {
                    let answer = service.clone().oneshot(asked).await.expect("infallible");
                    assert_eq!(answer.status(), 200);
                    assert_eq!(answer.headers()["content-type"], "text/event-stream");
                    assert_eq!(answer.headers()["cache-control"], "no-cache");
                    assert_eq!(answer.headers()["vary"], "authorization");
                }
            }
        }
    }
}
