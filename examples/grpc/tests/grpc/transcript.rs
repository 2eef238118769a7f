//! The printed lines give what their titles say.

use tonic::Code;
use tonic::transport::Endpoint;

use crate::calls::{Call, bearer};
use crate::process::Process;

/// A line to paste, taken apart.
struct Line {
    title: String,
    token: Option<String>,
    about: u32,
    method: String,
}

fn lines(printed: &str) -> Vec<Line> {
    let mut lines = printed.lines().peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let (Some(title), Some(command)) = (line.strip_prefix("# "), lines.peek()) else {
            continue;
        };
        let between = |before: &str, after: char| {
            let (_, rest) = command.split_once(before)?;
            rest.split_once(after).map(|(text, _)| text.to_owned())
        };
        found.push(Line {
            title: title.to_owned(),
            token: between("Bearer ", '\''),
            about: between(r#"{"id":"#, '}').map_or(0, |id| id.parse().expect("a number")),
            method: command.rsplit(' ').next().expect("a method").to_owned(),
        });
    }
    found
}

#[tokio::test]
async fn every_title_says_the_code_that_comes() {
    let process = Process::start(&[]);
    let origin = format!("http://{}", process.address);
    let channel = Endpoint::from_shared(origin).expect("an origin").connect_lazy();
    let lines = lines(&process.printed);
    assert_eq!(lines.len(), 8);
    for line in lines {
        let credentials: Vec<_> = line.token.iter().map(|token| bearer(token)).collect();
        let credentials: Vec<_> = credentials.iter().map(String::as_str).collect();
        let call = match (&*line.method, line.about) {
            ("portcullis.example.v1.Documents/Get", 1) => Call::Get,
            ("portcullis.example.v1.Documents/Get", 2) => Call::GetOther,
            ("portcullis.example.v1.Documents/Watch", _) => Call::Watch,
            ("portcullis.example.v1.Account/SignOut", _) => Call::SignOut,
            other => panic!("{other:?}"),
        };
        let code = call.code(&channel, &credentials).await;
        if matches!(call, Call::Watch) {
            // What the title says comes with the end, for which nobody waits here.
            assert_eq!(code, Code::Ok);
        } else {
            assert!(
                line.title.ends_with(&format!("{code:?}")),
                "{}: {code:?}",
                line.title
            );
        }
    }
}
