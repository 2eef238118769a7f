//! No key is ever written down.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use http::Request;
use portcullis_apikey::{KeysError, Rotation};
use portcullis_core::AuthenticateRequest;

use self::support::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that happens to keys, and all that is printed meanwhile.
#[tokio::test]
async fn neither_debug_nor_errors_nor_the_log_show_a_key_or_digest() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let shown = std::cell::RefCell::new(String::new());
    let add = |text: &str| shown.borrow_mut().push_str(text);
    let show = |value: &dyn std::fmt::Debug| add(&format!("{value:?} {value:#?}\n"));

    let app = App::new();
    let issued = app.service.issue(&alice(), new_key()).await.unwrap();
    show(&issued);
    let (id, old) = in_clear(issued);
    let rotated = app
        .service
        .rotate(&alice(), &id, Rotation::default())
        .await
        .unwrap();
    show(&rotated);
    let (_, new) = in_clear(rotated);
    let keys = app.keys();
    show(&keys);
    show(&app.service);
    show(&app.service.last_used());
    for presented in [
        &old,
        &new,
        &with_another_secret(&new),
        &old[..60],
        "sk_live_hunter2",
    ] {
        let parts = with_key(presented);
        let check = keys.authenticate_request(&parts);
        show(&check);
        match check.await {
            Ok(found) => show(&found),
            Err(error) => {
                add(&error.to_string());
                add(&format!("{error:?}"));
            }
        }
        add(&format!("{:?}", format().parse(presented.as_bytes())));
    }
    let (in_url, ()) = Request::get(format!("/?api_key={new}"))
        .body(())
        .unwrap()
        .into_parts();
    let _ = keys.presence(&in_url);
    app.store.set_down(true);
    app.service.last_used().flush().await;
    let error: KeysError = app.service.find(&alice(), &id).await.unwrap_err();
    add(&format!("{error:?} {error}"));

    let shown = shown.into_inner();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("api_key_in_url"), "{log}");
    for text in [&shown, &log] {
        for secret in [&old[24..56], &new[24..56], "hunter2", "sha256:4", "zzzz"] {
            let needle = secret.get(..8).unwrap_or(secret);
            assert!(!text.contains(needle), "{needle} in {text}");
        }
    }
}
