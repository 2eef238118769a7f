//! A server that takes connections and answers nothing after that, as one does whose disk or network stands still.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::time::Duration;

use portcullis_sqlx::PostgresStore;
use portcullis_store::StoreErrorKind;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// "You are who you say", and "ready for a query".
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

async fn serve(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer).await;
    let _ = stream.write_all(WELCOME).await;
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

async fn mute() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    format!("postgres://postgres:hunter2@127.0.0.1:{port}/postgres?sslmode=disable")
}

#[tokio::test]
async fn whoever_asks_a_server_that_says_nothing_is_told_in_time() {
    let builder = PostgresStore::builder().wait_at_most(Duration::from_millis(300));
    let long = Duration::from_secs(20);
    let url = mute().await;
    let connected = tokio::time::timeout(long, builder.clone().connect(&url)).await;
    let error = connected.expect("waiting is bounded").expect_err("no answer");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);

    let pooled = builder.over(PgPool::connect_lazy(&url).expect("a URL"));
    let migrated = tokio::time::timeout(long, pooled.migrate()).await;
    let error = migrated.expect("waiting is bounded").expect_err("no answer");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(error.to_string(), "postgresql, migrate: no answer in time");
}
