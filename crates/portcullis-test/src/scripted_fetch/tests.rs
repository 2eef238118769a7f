use std::time::Duration;

use portcullis_fetch::fetch_within;

use super::*;

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

async fn status(fetch: &ScriptedFetch) -> Result<u16, FetchErrorKind> {
    let answer = fetch_within(fetch, get("https://issuer.example/jwks"), &Limits::new()).await;
    answer
        .map(|answer| answer.status().as_u16())
        .map_err(|error| error.kind())
}

#[tokio::test]
async fn the_queue_comes_first_then_the_rule_and_an_empty_script_fails() {
    let fetch = ScriptedFetch::new();
    assert_eq!(status(&fetch).await, Err(FetchErrorKind::Other));
    fetch.always(|_| answer::status(404));
    fetch.push(answer::failure(FetchErrorKind::Timeout));
    fetch.push(answer::status(500));
    assert_eq!(fetch.queued(), 2);
    assert_eq!(status(&fetch).await, Err(FetchErrorKind::Timeout));
    assert_eq!(status(&fetch).await, Ok(500));
    assert_eq!(status(&fetch).await, Ok(404));
    assert_eq!((fetch.queued(), fetch.arrived(), fetch.answered()), (0, 4, 4));
}

#[tokio::test]
async fn an_issuer_is_served_as_it_is_at_the_moment() {
    let issuer = TestIssuer::new("https://issuer.example");
    let fetch = ScriptedFetch::serving(&issuer);
    issuer.rotate();
    let limits = Limits::new().with_max_body(1_000);
    for url in [
        "https://issuer.example/.well-known/openid-configuration",
        "https://issuer.example/jwks",
    ] {
        let answer = fetch_within(&fetch, get(url), &limits).await.unwrap();
        let expected = if url.ends_with("jwks") {
            issuer.jwks()
        } else {
            issuer.discovery_document()
        };
        assert_eq!(answer.body(), expected.as_bytes());
    }
    assert_eq!(fetch.request_uris()[1], "https://issuer.example/jwks");
    assert_eq!(fetch.requests()[1].method(), "GET");
    assert_eq!(fetch.limits().map(|limits| limits.max_body()), Some(1_000));
}

#[tokio::test]
async fn a_held_answer_is_chosen_on_arrival_and_given_on_release() {
    let issuer = TestIssuer::new("https://issuer.example");
    let fetch = ScriptedFetch::serving(&issuer);
    let before = issuer.jwks();
    let hold = fetch.hold();
    let caller = tokio::spawn({
        let fetch = fetch.clone();
        async move {
            fetch
                .fetch(get("https://issuer.example/jwks"), &Limits::new())
                .await
        }
    });
    fetch.until_arrived(1).await;
    issuer.rotate();
    assert_eq!(fetch.answered(), 0);
    hold.release();
    assert_eq!(caller.await.unwrap().unwrap().body(), before.as_bytes());
    fetch.until_answered(1).await;
    assert_eq!(status(&fetch).await, Ok(200), "nothing is held any more");
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_is_never_released_is_a_server_that_never_answers() {
    let fetch = ScriptedFetch::new();
    fetch.always(|_| answer::json("{}"));
    let (_first, second) = (fetch.hold(), fetch.hold());
    second.release();
    let start = tokio::time::Instant::now();
    assert_eq!(status(&fetch).await, Err(FetchErrorKind::Timeout));
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        (fetch.arrived(), fetch.answered()),
        (1, 0),
        "the caller went away"
    );
}
