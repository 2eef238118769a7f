//! Nothing shows a token, a claim or a key: not the log at any level, not `Debug`, not an answer.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method};
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Authorization, Method as By, Outcome, Principal,
    ResponseEffects, Secret, any_of,
};
use portcullis_jwt::{Algorithm, FoundToken, StaticKeySet, TrustedIssuer, Verifier, VerifyingKey};
use portcullis_tower::AuthenticateLayer;
use tower::Layer;

use crate::support::{ISSUER, Log, Scene, bearer_value, request, routes, send};

const CLAIM: &str = "hunter2-claim";

/// Asserts that `text` shows neither a token nor what is in it.
#[track_caller]
fn assert_silent(text: &str, token: &str) {
    for part in token.split('.').chain([token]).filter(|part| part.len() > 8) {
        assert!(!text.contains(part), "a token shows: {text}");
    }
    for word in [CLAIM, "alice", "mallory", "test-client", "stranger", "eyJ"] {
        assert!(!text.contains(word), "{word} shows: {text}");
    }
}

/// B16, R1, PD6
#[tokio::test]
async fn no_refusal_shows_a_token_or_a_claim_in_log_or_answer() {
    let scene = Scene::new();
    let claims = || {
        scene
            .reader()
            .claim("secret_claim", CLAIM)
            .claim("email", CLAIM)
            .scope(CLAIM)
            .roles([CLAIM])
    };
    let mut tokens: Vec<String> = scene.bad_tokens().into_iter().map(|(_, token)| token).collect();
    let not_before = claims().claim("nbf", CLAIM);
    tokens.extend([
        claims().build(),
        not_before.build(),
        claims().claim("exp", CLAIM).build(),
        claims().claim("aud", CLAIM).build(),
        claims().claim("iss", CLAIM).build(),
        claims().claim("sub", serde_json::json!([CLAIM])).build(),
        claims().kid(CLAIM).build(),
        claims().alg(CLAIM).build(),
        claims().typ(CLAIM).build(),
        claims().header("crit", serde_json::json!([CLAIM])).build(),
        claims().raw_payload(format!("{{\"{CLAIM}\":")).build(),
        claims().raw_header(format!("{{\"{CLAIM}\":")).build(),
        claims().lifetime(-1000).build(),
    ]);
    let methods = any_of((scene.bearer(), scene.bearer().in_cookie("token").expect("name")));
    let service = routes(&scene.reached).layer(AuthenticateLayer::optional(methods));
    for token in &tokens {
        for headers in [
            vec![("authorization", bearer_value(token))],
            vec![("authorization", token.clone())],
            vec![("authorization", format!("Basic {token}"))],
            vec![("authorization", format!("Bearer {token} {token}"))],
            vec![
                ("authorization", bearer_value(token)),
                ("authorization", bearer_value(token)),
            ],
            vec![("cookie", format!("token={token}"))],
            vec![("cookie", format!("token={token}; token={token}"))],
        ] {
            let (log, _guard) = Log::capture();
            let sent: Vec<_> = headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            for (method, path) in [
                (Method::GET, "/documents"),
                (Method::GET, "/admin"),
                (Method::POST, "/open"),
            ] {
                let response = send(&service, request(method, path, &sent)).await;
                if !response.status().is_success() {
                    assert_silent(&format!("{:?} {:?}", response.headers(), response.body()), token);
                    if let Some(error) = response.extensions().get::<AuthError>() {
                        assert_silent(&format!("{error} {error:?}"), token);
                    }
                }
            }
            let log = log.text();
            assert_silent(&log, token);
        }
    }
}

/// B16: a refusal is logged with a stable reason, whoever caused it.
#[tokio::test]
async fn a_refusal_is_logged_once_with_kind_reason_and_scheme() {
    let scene = Scene::new();
    let service = scene.required();
    let expired = bearer_value(&scene.issuer.expired_token().build());
    let (log, _guard) = Log::capture();
    let _ = send(
        &service,
        request(Method::GET, "/documents", &[("authorization", &expired)]),
    )
    .await;
    let log = log.text();
    assert_eq!(log.lines().count(), 1, "{log}");
    for word in ["DEBUG", "invalid_credentials", "reason=\"expired\"", "Bearer"] {
        assert!(log.contains(word), "{word} is missing: {log}");
    }
}

/// B16
#[test]
fn debug_of_nothing_public_shows_a_secret() {
    let scene = Scene::new();
    let token = scene.reader().claim("secret_claim", CLAIM).build();
    let key = b"hunter2-key-hunter2-key-hunter2!".to_vec();
    let secret = Secret::new(key.clone());
    let hmac = VerifyingKey::hmac(Algorithm::Hs256, &secret)
        .expect("key")
        .with_kid("local");
    let keys = StaticKeySet::new([hmac.clone()]).expect("keys");
    let trusted = TrustedIssuer::new(ISSUER, keys.clone()).algorithms([Algorithm::Hs256]);
    let shown = format!("{trusted:?}");
    let builder = Verifier::builder()
        .issuer(trusted)
        .audience("https://api.example.test");
    let builder_shown = format!("{builder:?}");
    let local = builder.build().expect("verifier");

    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        HeaderValue::try_from(bearer_value(&token)).expect("value"),
    );
    let sent = Authorization::parse(&headers).expect("parses");
    // The scheme was forgotten: the token stands where the scheme should.
    let schemeless = Authorization::parse_value(token.as_bytes());

    let bearer = scene.bearer();
    let parts = request(Method::GET, "/", &[("authorization", &bearer_value(&token))])
        .into_parts()
        .0;
    let check = bearer.authenticate_request(&parts);
    let verified = scene.verifier().verify_now(&token).expect("valid");
    let layer = AuthenticateLayer::required(any_of((
        scene.bearer(),
        scene.bearer().in_cookie("t").expect("name"),
    )));
    let service = layer.layer(());
    let mut effects = ResponseEffects::none();
    effects.push(
        http::header::SET_COOKIE,
        HeaderValue::try_from(format!("t={token}")).expect("value"),
    );
    let error = AuthError::invalid_credentials("x").with_effects(&effects);
    let authentication = Authentication::assertion((), By::JWT)
        .with_effects(&effects)
        .with_details(Arc::new(token.clone()));
    let outcome = Outcome::authenticated(
        Arc::new(Authentication::assertion(
            Principal::new(ISSUER, "alice"),
            By::JWT,
        )),
        bearer.challenges().clone(),
    );
    let found = FoundToken::Token(&token, portcullis_core::Delivery::Explicit);
    let unclaimed = verified.claims();
    let all = format!(
        "{secret:?} {hmac:?} {keys:?} {shown} {builder_shown} {local:?} {sent:?} {schemeless:?} {bearer:?} \
         {check:?} {layer:?} {service:?} {effects:?} {error:?} {authentication:?} {outcome:?} {found:?} \
         {unclaimed:?}"
    );
    assert_silent(&all, &token);
    let forms = [
        "hunter2-key".to_owned(),
        format!("{key:?}"),
        URL_SAFE_NO_PAD.encode(&key),
        key.iter().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for form in forms {
        assert!(!all.contains(&form), "a key shows: {all}");
    }
    let verified = format!("{verified:?}");
    assert!(
        !verified.contains(CLAIM) && !verified.contains("eyJ"),
        "{verified}"
    );
}
