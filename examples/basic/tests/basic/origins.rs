//! A browser sends the password along with whatever another site makes it send.

use http::Request;
use http::request::Builder;
use portcullis::AuthErrorKind::Denied;
use portcullis_test::{assert_no_challenge, assert_refused, assert_status};

use crate::support::{ALICE, answer, basic, get};

fn post() -> Builder {
    Request::post("/notes")
        .header("host", "notes.test")
        .header("authorization", basic(ALICE))
}

#[tokio::test]
async fn a_change_that_another_site_provoked_is_refused() {
    for forged in [
        post().header("sec-fetch-site", "cross-site"),
        post().header("sec-fetch-site", "same-site"),
        post().header("origin", "https://evil.test"),
        post().header("origin", "null"),
        post()
            .header("sec-fetch-site", "cross-site")
            .header("origin", "http://notes.test"),
    ] {
        let response = answer(forged).await;
        assert_refused(&response, Denied);
        assert_no_challenge(&response);
    }
}

#[tokio::test]
async fn a_change_from_the_sites_own_pages_or_from_no_browser_is_made() {
    for request in [
        post(),
        post().header("sec-fetch-site", "same-origin"),
        // Typed into the address bar.
        post().header("sec-fetch-site", "none"),
        post().header("origin", "http://notes.test"),
    ] {
        let response = answer(request).await;
        assert_status(&response, 201);
        assert_eq!(response.body(), "alice wrote: text\n");
    }
}

#[tokio::test]
async fn a_link_from_another_site_works_and_a_web_socket_does_not() {
    let link = || get("/me", &basic(ALICE)).header("sec-fetch-site", "cross-site");
    assert_status(&answer(link()).await, 200);
    assert_refused(&answer(link().header("upgrade", "websocket")).await, Denied);
}
