//! What every [`Fetch`] has to hold, tested over real sockets against a server that misbehaves.
//!
//! ```
//! use portcullis_fetch::contract;
//!
//! # async fn example<F: portcullis_fetch::Fetch>(make: impl Fn() -> F) {
//! // In a test of your own client, inside a tokio runtime with I/O and time enabled:
//! let kept = contract::check(make).await;
//! assert!(kept.is_ok(), "{kept:?}");
//! # }
//! ```
//!
//! # What this does not check
//!
//! TLS, and which addresses a name may resolve to: both need more than this machine.

use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http::{Request, Response};

use self::server::Server;
use crate::{Destinations, Fetch, FetchError, FetchErrorKind, Limits, fetch_within};

mod server;

const MAX_BODY: usize = 16 * 1024;
const TOTAL: Duration = Duration::from_millis(400);
/// What the sockets of both sides may hold beyond the cap.
const IN_FLIGHT: usize = 16 * 1024 * 1024;

/// The rules that were broken, as sentences that were expected to be true.
#[derive(Debug)]
pub struct Violations(Vec<Violation>);

#[derive(Debug)]
struct Violation {
    rule: &'static str,
    found: String,
}

impl Violations {
    /// The rules that were broken.
    pub fn rules(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|violation| violation.rule)
    }

    fn expect(&mut self, rule: &'static str, holds: bool, found: impl fmt::Debug) {
        if !holds {
            let found = format!("{found:?}");
            self.0.push(Violation { rule, found });
        }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client breaks the contract")?;
        for violation in &self.0 {
            write!(f, "; {}, but: {}", violation.rule, violation.found)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// Runs every rule against a fresh client each. Takes about two seconds of real time; runs inside a
/// tokio runtime with I/O and time enabled.
///
/// # Errors
///
/// The rules that were broken.
pub async fn check<F: Fetch>(make: impl Fn() -> F) -> Result<(), Violations> {
    let mut violations = Violations(Vec::new());
    if let Err(error) = run(&make, &mut violations).await {
        violations.expect("a loopback port is to be had", false, error);
    }
    if violations.0.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

async fn run<F: Fetch>(make: &impl Fn() -> F, violations: &mut Violations) -> io::Result<()> {
    ordinary(&make(), violations).await?;
    too_large(&make(), violations).await?;
    redirect(&make(), violations).await?;
    slow(&make(), violations).await?;
    media_type(&make(), violations).await?;
    destinations(&make(), violations).await
}

fn limits() -> Limits {
    Limits::new()
        .with_total_timeout(TOTAL)
        .with_max_body(MAX_BODY)
        .with_media_types(["application/json"])
        .with_destinations(Destinations::new().allow_http_loopback())
}

async fn get<F: Fetch>(fetch: &F, url: &str, limits: &Limits) -> Result<Response<Bytes>, FetchErrorKind> {
    let request = Request::get(url).body(Bytes::new());
    let request = request
        .map_err(|error| kind(&FetchError::new(FetchErrorKind::Other, "no URL").with_source(error)))?;
    let answer = fetch_within(fetch, request, limits).await;
    answer.map_err(|error| kind(&error))
}

const fn kind(error: &FetchError) -> FetchErrorKind {
    error.kind()
}

async fn ordinary<F: Fetch>(fetch: &F, violations: &mut Violations) -> io::Result<()> {
    let server = Server::start().await?;
    for _ in 0..2 {
        let answer = get(fetch, &server.url("/fine"), &limits()).await;
        let fine = answer
            .as_ref()
            .is_ok_and(|answer| answer.status().is_success() && answer.body() == "{}");
        violations.expect("an ordinary answer is delivered", fine, answer);
    }
    let heads = server.heads().to_ascii_lowercase();
    let ambient = ["cookie:", "authorization:", "referer:", "accept-encoding:"];
    let sent: Vec<_> = ambient.into_iter().filter(|name| heads.contains(name)).collect();
    violations.expect("nothing ambient is sent along", sent.is_empty(), sent);
    let asks = heads.contains("accept: application/json");
    violations.expect("`Accept` is sent as it was given", asks, "none, or another");
    Ok(())
}

async fn too_large<F: Fetch>(fetch: &F, violations: &mut Violations) -> io::Result<()> {
    for path in ["/declared", "/endless"] {
        let server = Server::start().await?;
        let answer = get(fetch, &server.url(path), &limits()).await;
        let refused = matches!(answer, Err(FetchErrorKind::TooLarge));
        violations.expect("a body over the cap is refused as too large", refused, answer);
        let stopped = server.all_closed().await;
        violations.expect("a body over the cap is abandoned", stopped, path);
        let sent = server.sent();
        violations.expect("a body is read up to the cap", sent <= MAX_BODY + IN_FLIGHT, sent);
    }
    Ok(())
}

async fn redirect<F: Fetch>(fetch: &F, violations: &mut Violations) -> io::Result<()> {
    let server = Server::start().await?;
    let target = Server::start().await?;
    for path in ["/redirect", "/elsewhere"] {
        server.lead_to(&target.url("/fine"));
        let answer = get(fetch, &server.url(path), &limits()).await;
        let refused = matches!(answer, Err(FetchErrorKind::Redirect));
        violations.expect("a redirect is reported as one", refused, answer);
    }
    let followed = target.connections() > 0 || server.heads().contains("/fine");
    violations.expect("a redirect is not followed", !followed, "a request to its target");
    Ok(())
}

async fn slow<F: Fetch>(fetch: &F, violations: &mut Violations) -> io::Result<()> {
    for path in ["/slow-head", "/slow-body", "/silent"] {
        let server = Server::start().await?;
        let (url, limits) = (server.url(path), limits());
        let Ok(answer) = tokio::time::timeout(TOTAL * 8, get(fetch, &url, &limits)).await else {
            violations.expect("a slow exchange is ended in time", false, path);
            continue;
        };
        let refused = matches!(answer, Err(FetchErrorKind::Timeout));
        violations.expect("a slow exchange times out", refused, (path, answer));
        let stopped = server.all_closed().await;
        violations.expect("an exchange that timed out is abandoned", stopped, path);
    }
    Ok(())
}

async fn media_type<F: Fetch>(fetch: &F, violations: &mut Violations) -> io::Result<()> {
    for path in ["/html", "/coded"] {
        let server = Server::start().await?;
        let answer = get(fetch, &server.url(path), &limits()).await;
        let refused = matches!(answer, Err(FetchErrorKind::MediaType));
        violations.expect("another media type or coding is refused", refused, (path, answer));
    }
    Ok(())
}

async fn destinations<F: Fetch>(fetch: &F, violations: &mut Violations) -> io::Result<()> {
    let refused = |answer: &Result<Response<Bytes>, FetchErrorKind>| {
        matches!(answer, Err(FetchErrorKind::RefusedDestination))
    };
    let elsewhere = get(fetch, "http://192.0.2.1/", &limits()).await;
    violations.expect(
        "plain http to another machine is refused",
        refused(&elsewhere),
        elsewhere,
    );

    let server = Server::start().await?;
    let private = server.url("/fine").replacen("http:", "https:", 1);
    let strict = Limits::new().with_total_timeout(TOTAL);
    for url in [&server.url("/fine"), &private] {
        let answer = get(fetch, url, &strict).await;
        violations.expect("a private address is refused", refused(&answer), answer);
    }
    let untouched = server.connections() == 0;
    violations.expect(
        "a refused destination is not connected to",
        untouched,
        "a connection",
    );

    // Trusted, it is tried; that it fails is this server's lack of TLS.
    if let Ok(trusting) = Destinations::new().trust_origin(&private) {
        let answer = get(fetch, &private, &strict.with_destinations(trusting)).await;
        let tried = server.connections() > 0 && !refused(&answer);
        violations.expect("a trusted private address is connected to", tried, answer);
    }
    Ok(())
}
