//! A gRPC server whose calls are authenticated and authorized: real signatures, keys fetched over HTTP.
//!
//! `cargo run -p grpc-example` needs nothing else. It runs an issuer of its own and prints `grpcurl` lines to
//! paste. `--help` says how to use another issuer.

mod invitation;
mod options;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use grpc_example::{routes, verifier};
use portcullis::core::{MemoryRevocations, SystemClock};
use portcullis::{RemoteKeySet, ReqwestFetch};
use portcullis_test::HttpIssuer;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    // Warnings unless RUST_LOG says otherwise: an issuer that does not answer is worth a line.
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grpc-example: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    let address = listener.local_addr()?;

    // The embedded issuer lives as long as the server does.
    let (issuer, embedded) = match &options.issuer {
        Some(issuer) => (issuer.clone(), None),
        None => {
            let embedded = HttpIssuer::start().await;
            (embedded.issuer_url(), Some(embedded))
        }
    };
    let mut keys = RemoteKeySet::discover(&*issuer).fetch(ReqwestFetch::new()?);
    // The embedded issuer is always on this machine.
    if options.allow_http_loopback || embedded.is_some() {
        keys = keys.allow_http_loopback();
    }
    let (revocations, clock) = (MemoryRevocations::new(), SystemClock::new());
    let verifier = verifier(
        &issuer,
        keys.build()?,
        &options.audience,
        revocations.clone(),
        clock,
    )?;
    let routes = routes(verifier, revocations, clock).await?;

    let invitation = embedded
        .as_ref()
        .map(|embedded| invitation::text(embedded.issuer(), &options.audience, address))
        .unwrap_or_default();
    let audience = &options.audience;
    announce(&format!(
        "listening on {address}\nissuer {issuer}, audience {audience}\n{invitation}"
    ));
    let incoming = TcpIncoming::from(listener);
    // Ctrl-C ends the process, open streams included.
    Server::builder()
        .add_routes(routes)
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

/// Says where things are. Nobody has to listen: a closed standard output is no reason to stop.
fn announce(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
