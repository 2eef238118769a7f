//! A handler that forgot to ask whether its caller may, four times: once without a net, once with a layer that only
//! watches, once with one that withholds, and once where it does not get that far.
//!
//! `cargo run -p forgotten` shows what each answers to somebody who is signed in and has no business there.

use std::io::Write;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::routing::get;
use portcullis::core::Method;
use portcullis::{
    AuthenticateLayer, AuthenticateRequest, Authenticated, Authentication, ConfigError, Gate, HasRole,
    LedgerLayer, Principal, Role, Secret, authenticate_fn, place,
};
use tower::ServiceExt;

struct Payroll;

impl Role for Payroll {
    const NAME: &str = "payroll";
}

/// Knows who asks, and never asks whether they may.
async fn salaries(caller: Authenticated) -> String {
    let reader = caller.principal().subject();
    format!("alice earns 7,000, bob earns 6,000; read by {reader}")
}

/// A stand-in for real credentials: whoever says who they are is believed.
fn believing() -> Result<impl AuthenticateRequest<Principal = Principal>, ConfigError> {
    Ok(authenticate_fn(
        place::header("x-demo-user")?,
        |name: Secret<String>| async move {
            let somebody = Principal::new("https://issuer.test", name.expose().as_str());
            Ok(Some(Authentication::assertion(somebody, Method::new("demo"))))
        },
    ))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_writer(std::io::stdout)
        .init();
    let signed_in = || believing().map(AuthenticateLayer::required);
    let forgetful = || Router::new().route("/salaries", get(salaries));

    let leaky = forgetful().layer(signed_in()?);
    show("without a net", leaky).await?;

    let watched = forgetful().layer(signed_in()?).layer(LedgerLayer::report_only());
    show("with a layer that only watches", watched).await?;

    let withheld = forgetful().layer(signed_in()?).layer(LedgerLayer::new());
    show("with a layer that withholds", withheld).await?;

    // `Gate::new().guarded("/salaries", portcullis::gate::get(salaries))` does not compile: a method of this route says
    // nothing about who may call it. So its author is asked, and says:
    let gate = Gate::<(), Principal>::new().guarded(
        "/salaries",
        portcullis::gate::get(salaries).needs::<HasRole<Payroll>>(),
    );
    let gate = gate.into_router().layer(signed_in()?).layer(LedgerLayer::new());
    show("with a gate", gate).await?;
    Ok(())
}

/// What bob gets, who is signed in and does not do payroll.
async fn show(title: &str, app: Router) -> Result<(), Box<dyn std::error::Error>> {
    say(&format!("# {title}"))?;
    let request = Request::get("/salaries")
        .header("x-demo-user", "bob")
        .body(Body::empty())?;
    let answer = app.oneshot(request).await?;
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 4096).await?;
    say(&format!("{status}: {}\n", String::from_utf8_lossy(&body)))
}

fn say(line: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(())
}
