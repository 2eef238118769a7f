//! Tables that would say one thing while another is served.

use std::panic::catch_unwind;
use std::sync::{Arc, Mutex};

use axum::extract::{FromRef, State};
use axum::middleware::map_response;
use axum::{Router, routing};
use http::Method;
use portcullis_axum::Verified;
use portcullis_axum::gate::{Gate, Need, any, get, head, post};
use portcullis_core::{
    AuditEvent, AuthError, AuthenticateRequest, Authentication, Challenges, Delivery, Presence, Principal,
    SignedIn,
};
use portcullis_tower::LedgerLayer;

use super::*;

type Build = fn(Gate) -> Gate;

/// Four ways to say what answers where no route does.
const FALLBACKS: [Build; 4] = [
    |gate| gate.fallback_public(async || "public"),
    |gate| gate.fallback_guarded::<SignedIn, _>(async || "guarded"),
    |gate| gate.public_service("/", Router::new().fallback(async || "public service")),
    |gate| gate.guarded_service::<SignedIn, _>("/", Router::new().fallback(async || "guarded service")),
];

/// One of them would answer, and both would be listed.
#[test]
fn a_second_fallback_is_found_when_the_gate_is_built() {
    for first in FALLBACKS {
        let _ = first(Gate::new());
        for second in FALLBACKS {
            assert!(catch_unwind(|| second(first(Gate::new()))).is_err());
            assert!(catch_unwind(|| first(Gate::new()).merge(second(Gate::new()))).is_err());
            let nested = || Gate::<(), Principal>::new().nest("/a", first(Gate::new()));
            let _ = second(nested());
            assert!(catch_unwind(|| nested().nest("/a", second(Gate::new()))).is_err());
        }
    }
}

/// Every way to build, around the same corners: what the table says is what a stranger gets.
#[tokio::test]
async fn the_table_is_what_is_served_in_odd_compositions() {
    let foreign = || {
        Router::new()
            .route("/", routing::any(async || "root"))
            .fallback(async || "rest")
    };
    let odd: [(&str, Build); 9] = [
        ("methods in two calls", |gate| {
            gate.guarded("/a", get(async || "").needs::<SignedIn>())
                .public("/a", post(async || ""))
        }),
        ("any beside a method", |gate| {
            gate.guarded("/a", post(async || "").needs::<SignedIn>())
                .any_public("/a", async || "")
        }),
        ("head of its own, later", |gate| {
            gate.guarded("/a", get(async || "").needs::<SignedIn>())
                .public("/a", head(async || ""))
        }),
        ("any, then a public method", |gate| {
            gate.guarded(
                "/a",
                any(async || "").needs::<SignedIn>().get(async || "").public(),
            )
        }),
        ("nested at what is a route", |gate| {
            gate.guarded("/a", get(async || "").needs::<SignedIn>()).nest(
                "/a",
                Gate::new()
                    .public("/", post(async || ""))
                    .public("/b", get(async || "")),
            )
        }),
        ("parameter beside text", |gate| {
            gate.guarded("/{x}", get(async || "").needs::<SignedIn>())
                .public("/a", get(async || ""))
        }),
        ("everything beside text", |gate| {
            gate.guarded("/{*x}", any(async || "").needs::<SignedIn>())
                .public("/a", get(async || ""))
        }),
        ("a gate in a gate in a gate", |gate| {
            let inner = Gate::new()
                .public("/", get(async || ""))
                .fallback_guarded::<SignedIn, _>(async || "");
            gate.nest("/a/", Gate::new().nest("/b", inner))
                .fallback_public(async || "")
        }),
        ("no fallback in one with a guarded one", |gate| {
            gate.nest("/a", Gate::new().public("/b", get(async || "")))
                .merge(Gate::new().fallback_guarded::<SignedIn, _>(async || ""))
        }),
    ];
    let mut gates: Vec<(String, Gate)> = odd
        .iter()
        .map(|(name, build)| ((*name).to_owned(), build(Gate::new())))
        .collect();
    for prefix in ["/s", "/s/", "/s/{t}", "/s/{t}/"] {
        gates.push((
            format!("a guarded service at {prefix}"),
            Gate::new()
                .guarded_service::<SignedIn, _>(prefix, foreign())
                .fallback_public(async || ""),
        ));
        let inner = Gate::new().guarded_service::<SignedIn, _>("/", foreign());
        gates.push((
            format!("a guarded service at the root of {prefix}"),
            Gate::new().nest(prefix, inner),
        ));
    }
    for (name, gate) in gates {
        let inventory = gate.inventory();
        let app = gate.into_router();
        let catches_all = inventory.rows().iter().any(|row| row.route() == "/{*x}");
        for row in inventory.rows() {
            if catches_all && row.route() == "/{*rest}" {
                continue; // Another row is more of a route.
            }
            let path = row.route().replace("{x}", "x").replace("{t}", "t");
            let spellings = match path.strip_suffix("{*rest}").or_else(|| path.strip_suffix("{*x}")) {
                Some(prefix) => vec![format!("{prefix}q/r"), format!("{prefix}q/r/")],
                None => vec![path],
            };
            for (path, method) in spellings
                .iter()
                .flat_map(|path| row.methods().iter().map(move |m| (path, m)))
            {
                let method = Method::from_bytes(method.replace('*', "LINK").as_bytes()).expect("a method");
                let status = ask(&app, method.clone(), path, None).await.status();
                let expected = match row.need() {
                    Need::Public => 200,
                    Need::MethodNotAllowed => 405,
                    Need::NotFound => 404,
                    _ => 401,
                };
                assert_eq!(status, expected, "{name}: {method} {path}\n{inventory}");
            }
        }
    }
}

/// A row of a service includes the prefix alone.
#[tokio::test]
async fn a_guarded_prefix_is_guarded_with_and_without_its_slash() {
    let foreign = || {
        Router::new()
            .route("/", routing::any(async || "root"))
            .fallback(async || "rest")
    };
    for prefix in ["/s", "/s/"] {
        let inner = Gate::new().guarded_service::<SignedIn, _>("/", foreign());
        let gates = [
            Gate::<(), Principal>::new().guarded_service::<SignedIn, _>(prefix, foreign()),
            Gate::<(), Principal>::new().nest(prefix, inner),
        ];
        for (index, gate) in gates.into_iter().enumerate() {
            let app = gate.into_router();
            for path in ["/s", "/s/", "/s//", "/s/./", "/s/x/../../s", "/s/%2e%2e/s"] {
                let status = ask(&app, Method::GET, path, None).await.status();
                assert!(
                    status == 401 || status == 404,
                    "{index} {prefix} {path}: {status}"
                );
            }
            // At `/s/` a gate nested under `/s` has no route, and leaves it to the fallback outside.
            let expected = if index == 1 && prefix == "/s" { 404 } else { 401 };
            assert_eq!(
                ask(&app, Method::GET, "/s/", None).await.status(),
                expected,
                "{index} {prefix}"
            );
        }
    }
}

/// axum drops the fallbacks that are nested in a router without one of its own.
#[tokio::test]
async fn a_guarded_fallback_is_kept_however_deep_and_with_its_layers() {
    let mark = map_response(async |response: Response| ([("x-marked", "yes")], response));
    for outer in ["/a", "/a/"] {
        let inner = Gate::<&str, Principal>::new()
            .fallback_guarded::<SignedIn, _>(async |State(word): State<&'static str>| word)
            .layer(mark.clone());
        let gate = Gate::new().nest("/d", Gate::new().nest(outer, Gate::new().nest("/b", inner)));
        let app = gate.fallback_public(async || "").with_state("kept").into_router();
        for path in ["/d/a/b", "/d/a/b/c", "/d/a/b/c/d"] {
            let refused = ask(&app, Method::GET, path, None).await;
            assert_eq!(refused.status(), 401, "{outer} {path}");
            assert_eq!(refused.headers()["x-marked"], "yes");
            let granted = ask(&app, Method::GET, path, Some(alice())).await;
            assert_eq!(text(granted).await, "kept", "{outer} {path}");
        }
        for path in ["/d/a/c", "/d/c", "/c"] {
            assert_eq!(
                ask(&app, Method::GET, path, None).await.status(),
                200,
                "{outer} {path}"
            );
        }
    }
}

/// Knows one token.
#[derive(Clone)]
struct OneToken(Challenges);

impl AuthenticateRequest for OneToken {
    type Principal = Principal;
    type Future = std::future::Ready<Result<Option<Authentication<Principal>>, AuthError>>;

    fn presence(&self, parts: &http::request::Parts) -> Presence {
        match parts.headers.contains_key("authorization") {
            true => Presence::Present(Delivery::Explicit),
            false => Presence::Absent,
        }
    }

    fn authenticate_request(&self, parts: &http::request::Parts) -> Self::Future {
        std::future::ready(match parts.headers["authorization"] == "Bearer good" {
            true => Ok(Some(Authentication::assertion(
                Principal::new("https://issuer.test", "alice"),
                portcullis_core::Method::JWT,
            ))),
            false => Err(AuthError::invalid_credentials("bad")),
        })
    }

    fn challenges(&self) -> &Challenges {
        &self.0
    }
}

impl FromRef<Challenges> for OneToken {
    fn from_ref(challenges: &Challenges) -> Self {
        Self(challenges.clone())
    }
}

#[tokio::test]
async fn the_audit_hears_of_what_an_extractor_verified_by_itself() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let heard = Arc::clone(&heard);
        move |event: &AuditEvent<'_>| heard.lock().expect("not poisoned").push(event.kind().as_str())
    };
    let app: Router = Router::new()
        .route("/", routing::get(async |_: Verified<OneToken>| ""))
        .with_state(challenges())
        .layer(LedgerLayer::audit_only(sink));
    for (token, status, expected) in [
        (Some("Bearer good"), 200, vec!["authenticated"]),
        (Some("Bearer bad"), 401, vec!["refused"]),
        (None, 401, vec!["refused"]),
    ] {
        let mut request = request(Method::GET, "/", None);
        if let Some(token) = token {
            request
                .headers_mut()
                .insert("authorization", token.parse().expect("a header"));
        }
        assert_eq!(send(&app, request).await.status(), status);
        assert_eq!(
            std::mem::take(&mut *heard.lock().expect("not poisoned")),
            expected,
            "{token:?}"
        );
    }
}
