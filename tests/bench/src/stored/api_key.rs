//! The same router behind our API keys.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::StatusCode;
use portcullis_apikey::{API_KEYS, ApiKeyFormat, ApiKeyService, ApiKeys, Expiry, FixedKey, NewKey, OwnerNow};
use portcullis_axum::Authenticated;
use portcullis_core::{AuthenticateRequest, Authentication, Method, Principal, Scopes};
use portcullis_seal::SystemRandomness;
use portcullis_tower::AuthenticateLayer;
use tower::Layer;

use super::filled::filled;
use super::uncounted::uncounted;
use super::{KEY_FIELD, SAMPLE_KEY, USER_ID, at_once, number};
use crate::bare::{PATH, answer, request_with};
use crate::{ISSUER, InProcess, Subject};

/// The bytes of an id.
const ID_LENGTH: usize = 16;
/// As many keys as are cached unless one is configured otherwise.
const CACHED: usize = 10_000;

pub(super) const OURS: [&str; 12] = [
    "cached",
    "fixed",
    "asked",
    "refused",
    "stored-1000",
    "stored-10000",
    "stored-100000",
    "stored-1000000",
    "known-1000",
    "known-10000",
    "known-100000",
    "known-1000000",
];

async fn documents(caller: Authenticated) -> &'static str {
    black_box(caller.principal());
    answer().await
}

fn scopes() -> Scopes {
    Scopes::parse("documents:read").expect("a scope")
}

fn format() -> ApiKeyFormat {
    ApiKeyFormat::new("sk_live").expect("a format")
}

/// A key of this subject's in clear.
fn issue(service: &ApiKeyService, subject: &str) -> String {
    let owner = Principal::new(ISSUER, subject);
    let owner = Authentication::assertion(owner, Method::JWT).with_scopes(scopes());
    let issued = at_once(service.issue(&owner, NewKey::new("bench", scopes(), Expiry::in_days(90))));
    let (_, secret) = issued.expect("a key").into_parts();
    secret.reveal().expose().clone()
}

/// A method, and a key that is good for it.
fn stored(what: &str) -> (ApiKeys, String) {
    let (stored, known) = (number(what, "stored-"), number(what, "known-"));
    let issued = known.min(CACHED);
    let store = filled(API_KEYS, stored + known - issued, ID_LENGTH);
    let service = ApiKeyService::builder(format(), store)
        .build()
        .expect("a service");
    let mut method = service
        .method()
        .owners(|owner| std::future::ready(Ok::<_, Infallible>(Some(OwnerNow::new(owner, scopes())))));
    if what == "asked" || stored > 0 {
        method = method.max_age(Duration::ZERO);
    }
    let method = method.build().expect("a method");
    uncounted(|| {
        for stranger in 1..issued {
            let key = issue(&service, &format!("stranger-{stranger}"));
            let (parts, _) = request_with::<Body>(Some((KEY_FIELD, &key))).into_parts();
            let caller = at_once(method.authenticate_request(&parts)).expect("a verdict");
            assert!(caller.is_some());
        }
    });
    let key = issue(&service, USER_ID);
    (method, key)
}

/// A set of one key.
fn fixed() -> (ApiKeys, String) {
    let key = format().generate(&SystemRandomness::new()).expect("a key");
    let key = key.reveal().expose().clone();
    let hashed = digest(&SHA256, key.as_bytes());
    let hashed: String = hashed.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let fixed = FixedKey::new("bench", &hashed)
        .expect("a fixed key")
        .scopes(scopes());
    let method = ApiKeys::fixed(format(), [fixed]).and_then(|method| method.build());
    (method.expect("a method"), key)
}

/// The layer around the finished router. `what` is what differs from "one key, cached".
pub(super) fn subject(what: &'static str) -> Box<dyn Subject> {
    let (method, key) = if what == "fixed" { fixed() } else { stored(what) };
    assert_eq!(key.len(), SAMPLE_KEY.len());
    let (sent, status) = match what {
        "refused" => (None, StatusCode::UNAUTHORIZED),
        _ => (Some(key), StatusCode::OK),
    };
    let app = AuthenticateLayer::required(method).layer(Router::new().route(PATH, get(documents)));
    Box::new(InProcess::new(app, status, move || {
        request_with::<Body>(sent.as_deref().map(|value| (KEY_FIELD, value)))
    }))
}
