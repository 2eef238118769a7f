use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// The answer to a GET as it came over the wire, head and body.
async fn get(url: &str) -> std::io::Result<(String, String)> {
    let uri: Uri = url.parse().unwrap();
    let authority = uri.authority().unwrap().as_str();
    let mut stream = TcpStream::connect(authority).await?;
    let path = uri.path();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| std::io::Error::from(ErrorKind::UnexpectedEof))?;
    Ok((head.to_lowercase(), body.to_owned()))
}

fn discovery_url(server: &HttpIssuer) -> String {
    format!("{}/.well-known/openid-configuration", server.issuer_url())
}

#[tokio::test]
async fn a_healthy_issuer_serves_both_documents_and_counts() {
    let server = HttpIssuer::start().await;
    let (head, body) = get(&server.jwks_url()).await.unwrap();
    assert!(
        head.starts_with("http/1.1 200") && head.contains("connection: close"),
        "{head}"
    );
    assert_eq!(body, server.issuer().jwks());
    let (_, body) = get(&discovery_url(&server)).await.unwrap();
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["issuer"], server.issuer_url());
    assert_eq!(document["jwks_uri"], server.jwks_url());
    assert_eq!((server.jwks_requests(), server.discovery_requests()), (1, 1));
    assert_eq!(
        server.request_uris(),
        ["/jwks", "/.well-known/openid-configuration"]
    );
    assert_eq!(server.requests()[0].method(), "GET");
}

#[tokio::test]
async fn each_mode_answers_as_it_says_and_healthy_comes_back() {
    let server = HttpIssuer::start().await;
    let healthy = server.issuer().jwks();
    let table: [(Mode, &str, &str); 6] = [
        (Mode::Outage, "500", ""),
        (Mode::Busy(Duration::from_secs(7)), "503", ""),
        (Mode::Garbage, "200", "<html>not JSON</html>"),
        (Mode::WrongMediaType, "200", &healthy),
        (Mode::Empty, "200", r#"{"keys":[]}"#),
        (Mode::Redirect, "302", ""),
    ];
    for (mode, status, expected) in table {
        server.set_mode(mode).await;
        let (head, body) = get(&server.jwks_url()).await.unwrap();
        assert!(
            head.starts_with(&format!("http/1.1 {status}")),
            "{mode:?}: {head}"
        );
        assert_eq!(body, expected, "{mode:?}");
        server.set_mode(Mode::Healthy).await;
        assert_eq!(
            get(&server.jwks_url()).await.unwrap().1,
            healthy,
            "after {mode:?}"
        );
    }
}

#[tokio::test]
async fn a_client_that_follows_the_redirect_is_seen() {
    let server = HttpIssuer::start().await;
    server.set_mode(Mode::Redirect).await;
    let (head, _) = get(&server.jwks_url()).await.unwrap();
    assert!(head.contains("location: /moved/jwks"), "{head}");
    let moved = server.jwks_url().replace("/jwks", "/moved/jwks");
    assert_eq!(get(&moved).await.unwrap().1, server.issuer().jwks());
    assert_eq!(server.request_uris(), ["/jwks", "/moved/jwks"]);
}

#[tokio::test]
async fn a_wrong_issuer_is_in_the_discovery_document_alone() {
    let server = HttpIssuer::start().await;
    server.set_mode(Mode::WrongIssuerInDiscovery).await;
    let (_, body) = get(&discovery_url(&server)).await.unwrap();
    assert!(!body.contains(&format!("\"issuer\":\"{}\"", server.issuer_url())));
    assert_eq!(get(&server.jwks_url()).await.unwrap().1, server.issuer().jwks());
}

#[tokio::test]
async fn connections_are_refused_or_closed_and_the_port_comes_back() {
    let server = HttpIssuer::start().await;
    for _ in 0..3 {
        server.set_mode(Mode::Refused).await;
        let error = get(&server.jwks_url()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        server.set_mode(Mode::Closed).await;
        let error = get(&server.jwks_url()).await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::ConnectionRefused);
        server.set_mode(Mode::Healthy).await;
        get(&server.jwks_url()).await.expect("healthy again");
    }
    assert_eq!(server.jwks_requests(), 3, "only answered requests arrive");
}

#[tokio::test(start_paused = true)]
async fn a_slow_issuer_answers_late_and_in_full() {
    let server = HttpIssuer::start().await;
    let start = tokio::time::Instant::now();
    server.set_mode(Mode::Slow(Duration::from_secs(60))).await;
    let (_, body) = get(&server.jwks_url()).await.unwrap();
    assert_eq!(body, server.issuer().jwks());
    assert!(start.elapsed() >= Duration::from_secs(60));
    let start = tokio::time::Instant::now();
    server.set_mode(Mode::SlowLoris(Duration::from_secs(1))).await;
    get(&server.jwks_url()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(body.len() as u64));
}

#[tokio::test]
async fn an_oversize_answer_is_long_without_saying_so() {
    let server = HttpIssuer::start().await;
    server.set_mode(Mode::Oversize).await;
    let (head, body) = get(&server.jwks_url()).await.unwrap();
    assert!(!head.contains("content-length"), "{head}");
    assert!(body.len() > 16 * 1024 * 1024);
}

#[tokio::test]
async fn a_dropped_issuer_no_longer_answers() {
    let server = HttpIssuer::start().await;
    let url = server.jwks_url();
    server.stop().await;
    assert_eq!(get(&url).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
