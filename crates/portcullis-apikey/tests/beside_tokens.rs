//! Keys and JWTs behind one `Bearer`, on the same routes, with one principal type.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use portcullis_core::{AuthErrorKind, AuthenticateRequest, Method, Principal, any_of};
use portcullis_jwt::{Algorithm, JwtBearer, StaticKeySet, TrustedIssuer, Verifier};
use portcullis_test::{SigningKey, TestIssuer, TokenBuilder};

use self::support::*;

fn issuer(app: &App) -> TestIssuer {
    TestIssuer::new("https://issuer.test")
        .clock(app.clock.clone())
        .with_key(&SigningKey::generate("ES256", "key-1"))
}

fn tokens(app: &App, issuer: &TestIssuer) -> JwtBearer {
    let keys = StaticKeySet::from_jwks(issuer.jwks().as_bytes()).unwrap();
    let trusted = TrustedIssuer::new(issuer.url(), keys).algorithms(Algorithm::RECOMMENDED);
    let verifier = Verifier::builder()
        .issuer(trusted)
        .audience(TokenBuilder::AUDIENCE)
        .clock(app.clock.clone());
    JwtBearer::new(verifier.build().unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_and_a_key_share_bearer_and_neither_falls_through_to_the_other() {
    let app = App::new();
    let issuer = issuer(&app);
    let (_, key) = app.key().await;
    let methods = any_of((tokens(&app, &issuer), app.keys().as_bearer().unwrap()));
    let bearer = |credentials: &str| request(&[("authorization", &format!("Bearer {credentials}"))]);

    let token = issuer.token().subject("alice");
    let by_token = decide(&methods, &bearer(&token.clone().build())).await.unwrap();
    let by_key = decide(&methods, &bearer(&key)).await.unwrap();
    assert_eq!(
        (by_token.method(), by_key.method()),
        (Method::JWT, Method::API_KEY)
    );
    assert_eq!(by_token.principal(), by_key.principal());

    let bad_token = token.tampered_payload().build();
    assert_eq!(refusal(&methods, &bearer(&bad_token)).await.0, INVALID);
    let bad_key = with_another_secret(&key);
    assert_eq!(
        refusal(&methods, &bearer(&bad_key)).await,
        (INVALID, "wrong_secret")
    );
    assert_eq!(
        refusal(&methods, &bearer("opaque")).await,
        (INVALID, "unrecognised_credentials")
    );
    let both = request(&[
        ("authorization", &format!("Bearer {key}")),
        ("authorization", &format!("Bearer {bad_token}")),
    ]);
    assert_eq!(refusal(&methods, &both).await.0, AuthErrorKind::InvalidRequest);
    // One challenge for both.
    assert_eq!(methods.challenges().iter().count(), 1);
}

#[tokio::test]
async fn a_key_in_a_header_of_its_own_beside_a_token_is_one_credential_too_many() {
    let app = App::new();
    let issuer = issuer(&app);
    let (_, key) = app.key().await;
    let methods = any_of((tokens(&app, &issuer), app.keys()));
    let token = format!("Bearer {}", issuer.token().subject("alice").build());
    let by_token = decide(&methods, &request(&[("authorization", &token)]))
        .await
        .unwrap();
    assert_eq!(
        by_token.principal(),
        &Principal::new("https://issuer.test", "alice")
    );
    assert!(passes(&methods, &key).await);
    let two = request(&[("authorization", &token), ("x-api-key", &key)]);
    assert_eq!(refusal(&methods, &two).await.0, AuthErrorKind::InvalidRequest);
}
