//! A small API that shows 401, 200 and 403: real signatures, keys fetched over HTTP.
//!
//! `cargo run -p quickstart` needs nothing else. It runs an issuer of its own and prints `curl` lines
//! to paste. `--help` says how to use another issuer.

mod accounts;
mod app;
mod background;
mod documents;
mod embedded;
mod keys;
mod options;
mod rules;
mod sessions;
mod stores;
mod users;
mod verifier;

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use clap::Parser;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::accounts::Passwords;
use crate::app::App;
use crate::embedded::EmbeddedIssuer;
use crate::options::Options;
use crate::stores::Store;

/// The exit code for a mistake in how the program was started.
const USAGE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) if error.use_stderr() => return complain(&options::one_line(&error)),
        Err(help) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    if options.print_inventory {
        announce(&app::inventory().to_string());
        return ExitCode::SUCCESS;
    }
    // Warnings unless RUST_LOG says otherwise: an issuer that does not answer is worth a line, and so is an answer
    // that nobody decided about. RUST_LOG=portcullis::audit=info shows every decision.
    let filter = match std::env::var("RUST_LOG") {
        Ok(wanted) => EnvFilter::builder()
            .with_default_directive(LevelFilter::WARN.into())
            .parse_lossy(wanted),
        Err(_) => EnvFilter::new("warn,portcullis::audit=error"),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string()),
    }
}

/// Says where things are. Nobody has to listen: a closed standard output is no reason to stop.
fn announce(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// One clear line and exit code 2.
fn complain(message: &str) -> ExitCode {
    eprintln!("quickstart: {message}");
    ExitCode::from(USAGE)
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    if options.issuer.is_none() && !options.listen.ip().is_loopback() {
        return Err(
            "the embedded issuer mints tokens for anybody: listen on loopback, or give --issuer".into(),
        );
    }
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    let origin = format!("http://{}", listener.local_addr()?);
    let (routes, embedded) = match &options.issuer {
        Some(issuer) => (Router::new(), Err(issuer.clone())),
        None => {
            let embedded = EmbeddedIssuer::new(&origin, &options.audience);
            (embedded.routes(), Ok(embedded))
        }
    };
    let issuer = embedded.as_ref().map_or_else(Clone::clone, EmbeddedIssuer::url);
    let verifier = verifier::build(options, &issuer)?;
    let store = Store::open(&options.store).await?;
    let (passwords, list) = Passwords::new(options.demo_password.as_deref())?;
    let app = App::new(&store, Arc::new(passwords))?;
    let key = app.demo_key().await?;
    let router = app::router(verifier, &app)?.merge(routes);
    background::start(store, &app);

    let stop = stop_signal()?;
    let invitation = embedded.map(|embedded| embedded.invitation()).unwrap_or_default();
    let audience = &options.audience;
    announce(&format!(
        "listening on {origin}\nissuer {issuer}, audience {audience}\n\n\
         accounts, for POST {origin}/login (username, password):\n{list}\
         API key of alice, documents:read, for a day (X-API-Key):\n  {key}\n{invitation}"
    ));
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    Ok(())
}

/// Ctrl-C, or SIGTERM where there is one. Listens from the call on, not from the first poll: whoever
/// reads that we are up may stop us at once.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
