//! A token in a place of the application's own.

use http::request::Parts;
use http::{HeaderName, Method};
use portcullis_core::{AuthErrorKind, Challenge, Delivery, Scheme, any_of};
use portcullis_jwt::{FoundToken, JwtBearer};
use portcullis_test::{assert_private, assert_refused, assert_status, assert_vary};
use portcullis_tower::AuthenticateLayer;

use crate::support::{Scene, bearer_value, request, routes, send};

static PLACE: HeaderName = HeaderName::from_static("x-access-token");

fn find(parts: &Parts) -> FoundToken<'_> {
    let mut values = parts.headers.get_all(&PLACE).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (None, _) => FoundToken::Absent,
        (Some(Ok(token)), None) => FoundToken::Token(token, Delivery::Explicit),
        (Some(_), _) => FoundToken::Malformed,
    }
}

fn in_place(scene: &Scene) -> JwtBearer {
    let challenge = Challenge::new(Scheme::new("AccessToken").expect("scheme"))
        .realm("api")
        .expect("realm");
    scene
        .bearer()
        .in_place(find, [PLACE.clone()], challenge)
        .expect("place")
}

/// H1, H11, H12
#[tokio::test]
async fn a_place_of_ones_own_is_read_challenged_and_kept_out_of_shared_caches() {
    let scene = Scene::new();
    let service = routes(&scene.reached).layer(AuthenticateLayer::required(in_place(&scene)));
    let token = scene.reader().build();
    let response = send(
        &service,
        request(Method::GET, "/documents", &[("x-access-token", &token)]),
    )
    .await;
    assert_status(&response, 200);
    assert_private(&response);
    assert_vary(&response, "x-access-token");

    let bearer = bearer_value(&token);
    type Row<'t> = (&'t [(&'t str, &'t str)], AuthErrorKind);
    let tables: [Row<'_>; 6] = [
        (&[], AuthErrorKind::MissingCredentials),
        (&[("authorization", &bearer)], AuthErrorKind::MissingCredentials),
        (&[("x-access-token", "")], AuthErrorKind::InvalidCredentials),
        (&[("x-access-token", "a b\tc")], AuthErrorKind::InvalidCredentials),
        (&[("x-access-token", &bearer)], AuthErrorKind::InvalidCredentials),
        (
            &[("x-access-token", &token), ("x-access-token", &token)],
            AuthErrorKind::InvalidRequest,
        ),
    ];
    for (headers, kind) in tables {
        let response = send(&service, request(Method::GET, "/documents", headers)).await;
        let refusal = assert_refused(&response, kind);
        assert!(
            refusal
                .challenges()
                .iter()
                .all(|challenge| challenge.scheme().matches("AccessToken"))
        );
    }
}

/// B5, B8: two explicit credentials.
#[tokio::test]
async fn a_token_in_two_explicit_places_is_answered_with_400() {
    let scene = Scene::new();
    let token = scene.reader().build();
    let other = scene.issuer.forged_token().build();
    let opaque = "2YotnFZFEjr1zCsicMWpAA".to_owned();
    for (header, place) in [
        (&token, &token),
        (&token, &other),
        (&other, &token),
        (&opaque, &token),
    ] {
        for layer in [
            AuthenticateLayer::required(any_of((scene.bearer(), in_place(&scene)))),
            AuthenticateLayer::optional(any_of((scene.bearer(), in_place(&scene)))),
        ] {
            let service = routes(&scene.reached).layer(layer);
            let headers = [
                ("authorization", &*bearer_value(header)),
                ("x-access-token", place),
            ];
            let response = send(&service, request(Method::GET, "/whoami", &headers)).await;
            assert_refused(&response, AuthErrorKind::InvalidRequest);
        }
    }
    assert_eq!(scene.reached.times(), 0);
}
