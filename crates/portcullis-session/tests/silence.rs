//! Nothing that is printed holds an id, a cookie or a value.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use portcullis_session::Session;
use support::{get, house_with, set_cookie, sign_in_of};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("sound").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// SE2, ASVS 16.2.5, at the most talkative level and with everything failing once.
#[tokio::test]
async fn asvs_16_2_5_no_id_and_no_value_is_printed() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let house = house_with(|builder| builder);
    let mut shown = format!(
        "{:?} {:?} {:?}",
        house.sessions,
        house.layer,
        house.sessions.method()
    );
    let mut cookies = vec![house.sign_in(sign_in_of("alice")).await];
    let cookie = cookies[0].clone();
    let work = |session: Session| async move {
        session.insert("diary", "hunter2").await?;
        let _ = session.get::<u32>("diary").await;
        session.csrf_token().await?;
        println_free(&format!("{session:?}"));
        Ok(())
    };
    for verb in ["", "load", "touch", "replace", "create", "take"] {
        house.store.fail(&[verb]);
        house.advance(61);
        house.ask(get(&[&cookie]), work).await;
        house.ask(get(&[&cookie, &cookie]), work).await;
        let out = |session: Session| async move { Ok(session.rotate().await?) };
        if verb == "replace" {
            house.ask(get(&[&cookie]), out).await;
        }
    }
    house.store.fail(&[]);
    let answer = house
        .ask(
            get(&[&cookie]),
            |session| async move { Ok(session.rotate().await?) },
        )
        .await;
    shown.push_str(&format!("{answer:?} {:?}", get(&[])));
    cookies.extend(set_cookie(&answer));
    let list = house.sessions.list(&support::who("alice")).await.expect("listed");
    shown.push_str(&format!("{list:?} {:?}", sign_in_of("alice")));
    shown.push_str(&String::from_utf8_lossy(&captured.0.lock().expect("sound")));
    assert!(shown.contains("could not be extended"), "something was said");
    assert!(cookies.len() == 2 && !shown.contains("hunter2"));
    for cookie in &cookies {
        let id = cookie.split_once('=').expect("a pair").1;
        assert!(!shown.contains(id), "an id was printed");
    }
}

fn println_free(debug: &str) {
    assert_eq!(debug, "Session { .. }");
}
