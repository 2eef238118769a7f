//! What a stranger sees: the printed curl lines give what the README says they give.

use std::fmt::Write as _;

use reqwest::Client;

use crate::support::Quickstart;

const BEGIN: &str = "<!-- transcript -->\n```console\n";
const END: &str = "```\n<!-- /transcript -->";

fn client() -> Client {
    Client::builder().no_proxy().build().expect("a client")
}

/// The exchange as the README shows it: no token, no port, and the headers that matter.
async fn exchange(title: &str, token: Option<&str>, address: &str, origin: &str) -> String {
    let mut request = client().get(address);
    let mut curl = String::from("$ curl -i");
    if let Some(token) = token {
        request = request.bearer_auth(token);
        curl.push_str(" -H 'Authorization: Bearer eyJ…'");
    }
    let response = request.send().await.expect("an answer");
    let mut text = format!(
        "# {title}\n{curl} {}\n",
        address.replace(origin, "http://127.0.0.1:3000")
    );
    let _ = writeln!(text, "HTTP/1.1 {}", response.status());
    for challenge in response.headers().get_all("www-authenticate") {
        let _ = writeln!(text, "www-authenticate: {}", challenge.to_str().expect("ascii"));
    }
    let _ = writeln!(text, "\n{}", response.text().await.expect("a body"));
    text
}

#[tokio::test]
async fn the_readme_shows_what_the_binary_does() {
    let quickstart = Quickstart::start(&[]);
    let mut exchanges = Vec::new();
    for (title, token, address) in quickstart.invitations() {
        exchanges.push(exchange(&title, token.as_deref(), &address, &quickstart.origin).await);
    }
    assert_eq!(exchanges.len(), 6);
    let transcript = exchanges.join("\n");

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(path).expect("the README");
    let (before, rest) = readme.split_once(BEGIN).expect("the transcript begins");
    let (shown, after) = rest.split_once(END).expect("the transcript ends");
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{transcript}{END}{after}"))
            .expect("the README is written");
        return;
    }
    assert_eq!(
        shown, transcript,
        "run with PORTCULLIS_BLESS=1 to write the README"
    );
}

#[tokio::test]
async fn every_title_says_the_status_that_comes() {
    let quickstart = Quickstart::start(&[]);
    for (title, token, address) in quickstart.invitations() {
        let mut request = client().get(&address);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let status = request.send().await.expect("an answer").status();
        assert!(title.ends_with(status.as_str()), "{title}: {status}");
    }
}
