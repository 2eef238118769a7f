//! The contract of a client, kept by the one that ships and broken by one that is made for it.

// Helpers of tests panic as tests do.
#![allow(clippy::expect_used)]

use bytes::Bytes;
use http::header::LOCATION;
use http::{Request, Response, Uri};
use portcullis_fetch::{Fetch, FetchError, FetchErrorKind, Limits, ReqwestFetch, contract};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// SS1, SS2, SS4, SS5, T-JWKS-6, T-JWKS-7, T-JWKS-12
#[tokio::test]
async fn the_client_that_ships_keeps_the_contract() {
    let fetch = ReqwestFetch::new().expect("a client");
    let kept = contract::check(|| fetch.clone()).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

/// A client as one writes it in an afternoon: it follows redirects, reads whatever comes, and goes on
/// when nobody waits any more.
#[derive(Debug)]
struct Careless;

#[async_trait::async_trait]
impl Fetch for Careless {
    async fn fetch(&self, request: Request<Bytes>, _: &Limits) -> Result<Response<Bytes>, FetchError> {
        let exchange = tokio::spawn(follow(request.uri().clone()));
        let answer = exchange.await.expect("it does not panic");
        answer.map_err(|error| FetchError::new(FetchErrorKind::Other, "it failed").with_source(error))
    }
}

async fn follow(mut uri: Uri) -> std::io::Result<Response<Bytes>> {
    loop {
        let response = exchange(&uri).await?;
        let Some(location) = response.headers().get(LOCATION) else {
            return Ok(response);
        };
        let location = location.to_str().expect("it is ASCII");
        uri = if location.starts_with('/') {
            let authority = uri.authority().expect("it is absolute");
            format!("http://{authority}{location}").parse().expect("a URL")
        } else {
            location.parse().expect("a URL")
        };
    }
}

async fn exchange(uri: &Uri) -> std::io::Result<Response<Bytes>> {
    let authority = uri.authority().expect("it is absolute").as_str();
    let mut stream = TcpStream::connect(authority).await?;
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: {authority}\r\nCookie: crumb=1\r\n\r\n",
        uri.path()
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or("200");
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    Ok(response.body(Bytes::from(body.to_owned())).expect("a response"))
}

#[tokio::test]
async fn a_careless_client_breaks_what_only_a_client_can_break() {
    let broken = contract::check(|| Careless).await.expect_err("it is careless");
    let rules: Vec<_> = broken.rules().collect();
    for rule in [
        "nothing ambient is sent along",
        "`Accept` is sent as it was given",
        "a body over the cap is refused as too large",
        "a body over the cap is abandoned",
        "a body is read up to the cap",
        "a redirect is not followed",
        "an exchange that timed out is abandoned",
    ] {
        assert!(rules.contains(&rule), "{rule}: {broken}");
    }
    // What can be seen from outside holds whoever implements the trait.
    for rule in [
        "a slow exchange times out",
        "another media type or coding is refused",
        "plain http to another machine is refused",
        "a private address is refused",
        "a refused destination is not connected to",
    ] {
        assert!(!rules.contains(&rule), "{rule}: {broken}");
    }
}
