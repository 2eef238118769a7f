//! Streams end when the caller's evidence does, and not before.

use std::sync::Arc;
use std::time::Duration;

use grpc_example::proto::Document;
use grpc_example::{routes, verifier};
use hyper_util::rt::TokioIo;
use portcullis::core::{MemoryRevocations, Timestamp};
use portcullis::{Clock, StaticKeySet};
use portcullis_test::{ManualClock, TestIssuer};
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status, Streaming};

use crate::calls::{Call, bearer, discuss, sign_out, watch};
use crate::support::{AUDIENCE, Api, EVERY_SCOPE};

/// The status that a stream ends with, and nothing before it.
async fn end<T: std::fmt::Debug>(mut stream: Streaming<T>) -> Status {
    stream.message().await.expect_err("the evidence ended")
}

async fn next(stream: &mut Streaming<Document>) -> Document {
    let message = stream.message().await.expect("the evidence holds");
    message.expect("the stream goes on")
}

#[tokio::test]
async fn a_watcher_sees_their_own_documents_until_they_sign_out() {
    let api = Api::start().await;
    let alice = bearer(&api.token("alice", EVERY_SCOPE));
    let bob = bearer(&api.token("bob", EVERY_SCOPE));
    let mut stream = watch(&api.channel, &[&alice]).await.expect("she may");
    let seen = next(&mut stream).await;
    assert_eq!((seen.id, seen.deleted), (1, false));

    // Somebody else's sign-out wakes the stream and does not end it: the next change still comes.
    sign_out(&api.channel, &[&bob]).await.expect("he may");
    assert_eq!(Call::Delete.code(&api.channel, &[&alice]).await, Code::Ok);
    let seen = next(&mut stream).await;
    assert_eq!((seen.id, seen.deleted), (1, true));

    sign_out(&api.channel, &[&alice]).await.expect("she may");
    let status = end(stream).await;
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unauthenticated, "the credentials are not valid")
    );
}

#[tokio::test]
async fn a_discussion_is_signed_by_the_server_and_ends_with_the_token() {
    let api = Api::start().await;
    let alice = bearer(&api.token("alice", EVERY_SCOPE));
    let mut stream = discuss(&api.channel, &[&alice]).await.expect("she may");
    let note = stream
        .message()
        .await
        .expect("the evidence holds")
        .expect("a note");
    assert_eq!((&*note.text, &*note.author), ("hello", "alice"));
    sign_out(&api.channel, &[&alice]).await.expect("she may");
    assert_eq!(end(stream).await.code(), Code::Unauthenticated);
}

/// The list stops knowing: whether the token still holds cannot be decided, which is 14 and not 16.
#[tokio::test]
async fn a_stream_whose_revocations_are_no_longer_known_ends_as_unavailable() {
    let clock = ManualClock::default();
    let revocations = MemoryRevocations::builder()
        .max_lag(Duration::from_secs(10))
        .clock(clock.clone())
        .build();
    revocations.confirm(clock.monotonic());
    let api = Api::with_revocations(revocations.clone()).await;
    let alice = bearer(&api.token("alice", EVERY_SCOPE));
    let mut stream = watch(&api.channel, &[&alice]).await.expect("decidable");
    assert_eq!(next(&mut stream).await.id, 1);

    clock.advance(Duration::from_secs(11));
    let far = Timestamp::from_unix_seconds(u64::MAX);
    revocations
        .revoke("https://issuer.test", "somebody else's", far)
        .expect("room");
    assert_eq!(end(stream).await.code(), Code::Unavailable);
    assert_eq!(Call::Get.code(&api.channel, &[&alice]).await, Code::Unavailable);
}

/// Time as tokio has it, which a test can let pass without waiting.
#[derive(Clone, Copy, Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000).saturating_add(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The server at the other end of a pipe: a socket would stand still while time flies.
async fn connect(issuer: &TestIssuer, clock: TokioClock) -> Channel {
    let keys = StaticKeySet::from_jwks(issuer.jwks().as_bytes()).expect("keys");
    let revocations = MemoryRevocations::new();
    let verifier = verifier(&issuer.url(), keys, AUDIENCE, revocations.clone(), clock).expect("a verifier");
    let routes = routes(verifier, revocations, clock).await.expect("routes");
    let (client, server) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        let incoming = futures_util::stream::iter([Ok::<_, std::io::Error>(server)]);
        let served = Server::builder().add_routes(routes).serve_with_incoming(incoming);
        served.await.expect("it serves");
    });
    let client = Arc::new(std::sync::Mutex::new(Some(TokioIo::new(client))));
    Endpoint::from_static("http://api.example.test")
        .connect_with_connector(tower::service_fn(move |_| {
            let client = client.lock().expect("lock").take();
            async move { client.ok_or_else(|| std::io::Error::other("one connection only")) }
        }))
        .await
        .expect("connected")
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_token_expires_and_not_before() {
    let clock = TokioClock(Instant::now());
    let issuer = TestIssuer::new("https://issuer.test").clock(clock);
    let channel = connect(&issuer, clock).await;
    for (seconds, call) in [(20, Call::Watch), (600, Call::Watch), (600, Call::Discuss)] {
        let token = issuer.token().scope(EVERY_SCOPE).lifetime(seconds).build();
        let begin = clock.now();
        let status = match call {
            Call::Watch => {
                let mut stream = watch(&channel, &[&bearer(&token)]).await.expect("she may");
                assert_eq!(next(&mut stream).await.id, 1);
                end(stream).await
            }
            _ => {
                let mut stream = discuss(&channel, &[&bearer(&token)]).await.expect("she may");
                assert!(stream.message().await.expect("the evidence holds").is_some());
                end(stream).await
            }
        };
        assert_eq!(status.code(), Code::Unauthenticated);
        // The clock skew that the verifier tolerates, 30 seconds, comes on top.
        let lasted = clock.now().saturating_since(begin).as_secs_f64();
        let expected = f64::from(u32::try_from(seconds).expect("small")) + 30.0;
        assert!((expected - 1.0..expected + 1.0).contains(&lasted), "{lasted}");
    }
}
