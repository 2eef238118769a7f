//! `cargo run -p basic-example` serves three routes on 127.0.0.1:3000; another address may be given.

use std::error::Error;

use basic_example::{Basic, Limits, Passwords, router, users};
use portcullis::tower::csrf::OriginPolicy;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .init();
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;

    let passwords = Passwords::new(users(), Limits::default())?;
    // Behind a proxy, name the origin that browsers see: `.external_origin("https://app.example")?`.
    let basic = Basic::new("notes", passwords, OriginPolicy::new())?;

    let origin = format!("http://{}", listener.local_addr()?);
    eprintln!("listening on {origin}; try: curl -i -u 'alice:correct horse' {origin}/me");
    axum::serve(listener, router(basic)).await?;
    Ok(())
}
