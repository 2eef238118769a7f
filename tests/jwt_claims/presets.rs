//! The presets, each with a payload as the product issues it: accepted, and with one thing changed.

use portcullis_jwt::{ClaimMap, JwtError, TrustedIssuer, VerifiedToken, Verifier};
use portcullis_test::{ManualClock, TestIssuer, TokenBuilder};
use serde_json::{Value, json};

use crate::support::{ASYMMETRIC, NOW, accepted, assert_refused, built, published};

struct Product {
    issuer: TestIssuer,
    token: TokenBuilder,
    verifier: Verifier,
}

/// A product's token with these claims besides `iss`, `iat` and `exp`, for the audience `aud`.
fn product(iss: &str, map: ClaimMap, aud: &str, claims: &Value) -> Product {
    let issuer = TestIssuer::new(iss).clock(ManualClock::at(NOW));
    let verifier = built(
        Verifier::builder()
            .issuer(
                TrustedIssuer::new(iss, published(&issuer))
                    .algorithms(ASYMMETRIC)
                    .claims(map),
            )
            .audience(aud)
            .clock(ManualClock::at(NOW)),
    );
    let token = with(dress(&issuer, aud), claims);
    Product {
        issuer,
        token,
        verifier,
    }
}

fn dress(issuer: &TestIssuer, aud: &str) -> TokenBuilder {
    issuer
        .token()
        .typ("JWT")
        .without("client_id")
        .without("jti")
        .audience(aud)
}

fn with(token: TokenBuilder, claims: &Value) -> TokenBuilder {
    let claims = claims.as_object().unwrap();
    claims
        .iter()
        .fold(token, |token, (name, value)| token.claim(name, value.clone()))
}

impl Product {
    fn accepts(&self, more: &Value) -> VerifiedToken {
        accepted(&self.verifier, &with(self.token.clone(), more).build())
    }

    #[track_caller]
    fn refuses(&self, more: &Value, expected: JwtError) {
        let token = with(self.token.clone(), more).build();
        assert_refused(&self.verifier, &token, expected, &more.to_string());
    }
}

fn list<'v>(values: impl Iterator<Item = &'v str>) -> String {
    values.collect::<Vec<_>>().join(" ")
}

/// BCP13, AT9, AT10
#[test]
fn keycloak_access_tokens_are_read_and_its_other_tokens_are_refused() {
    let keycloak = product(
        "https://sso.example.test/realms/main",
        ClaimMap::keycloak(),
        "invoices",
        &json!({
            "typ": "Bearer", "azp": "web", "sid": "5ac1", "acr": "1", "jti": "onrtac:1",
            "allowed-origins": ["https://app.example.test"],
            "realm_access": {"roles": ["offline_access", "clerk"]},
            "resource_access": {"invoices": {"roles": ["approver"]}, "account": {"roles": ["manage-account"]}},
            "scope": "openid email profile", "email_verified": true,
            "preferred_username": "alice", "auth_time": NOW - 60,
        }),
    );
    let verified = keycloak.accepts(&json!({}));
    assert_eq!(list(verified.roles().iter()), "offline_access clerk");
    assert_eq!(list(verified.scopes().iter()), "openid email profile");
    assert_eq!((verified.client_id(), verified.is_client()), (Some("web"), false));
    for typ in ["ID", "Refresh", "Offline", "Logout", "bearer", ""] {
        keycloak.refuses(&json!({"typ": typ}), JwtError::RequiredClaim);
    }
    keycloak.refuses(&json!({"typ": ["ID"]}), JwtError::RequiredClaim);
    keycloak.refuses(&json!({"typ": null}), JwtError::Claims);
    keycloak.refuses(
        &json!({"realm_access": {"roles": "clerk", "x": 1}, "typ": "ID"}),
        JwtError::RequiredClaim,
    );
    keycloak.refuses(&json!({"realm_access": {"roles": [1]}}), JwtError::Claims);
    let service = keycloak.accepts(&json!({"preferred_username": "service-account-web", "client_id": "web"}));
    assert!(service.is_client());
    let posing = keycloak.accepts(&json!({"roles": ["admin"], "groups": ["/admin"]}));
    assert!(!posing.roles().contains("admin"));
}

/// AT9, AT10
#[test]
fn auth0_access_tokens_of_both_dialects_are_read() {
    let aud = "https://api.example.test";
    let auth0 = product(
        "https://tenant.auth0.test/",
        ClaimMap::auth0(),
        aud,
        &json!({
            "sub": "auth0|6553da60", "aud": [aud, "https://tenant.auth0.test/userinfo"],
            "azp": "K1AUPhZq", "scope": "openid profile read:patients",
            "permissions": ["read:patients", "write:patients"], "org_id": "org_1",
        }),
    );
    let verified = auth0.accepts(&json!({}));
    assert!(verified.scopes().contains("write:patients") && verified.roles().is_empty());
    assert_eq!(
        (verified.client_id(), verified.is_client()),
        (Some("K1AUPhZq"), false)
    );
    let machine = auth0.accepts(&json!({"gty": "client-credentials", "sub": "K1AUPhZq@clients"}));
    assert!(machine.is_client());
    auth0.refuses(
        &json!({"aud": ["https://tenant.auth0.test/userinfo"]}),
        JwtError::Audience,
    );
    auth0.refuses(&json!({"nonce": "n"}), JwtError::WrongKind);
    auth0.refuses(&json!({"permissions": ["read:patients admin"]}), JwtError::Claims);
    assert!(
        !auth0
            .accepts(&json!({"roles": ["admin"]}))
            .roles()
            .contains("admin")
    );
}

/// AT10, BCP9: the dialect of RFC 9068 has no `gty`; the subject says whose token it is.
#[test]
fn an_auth0_machine_is_a_client_in_the_dialect_of_rfc_9068_too() {
    let auth0 = product(
        "https://tenant.auth0.test/",
        ClaimMap::auth0(),
        "https://api.example.test",
        &json!({"sub": "K1AUPhZq@clients", "client_id": "K1AUPhZq", "jti": "73Wakrf", "scope": "read:patients"}),
    );
    assert!(auth0.accepts(&json!({})).is_client());
    assert!(!auth0.accepts(&json!({"sub": "auth0|6553da60"})).is_client());
    assert!(
        !auth0
            .accepts(&json!({"sub": "K1AUPhZq@clients.example.test"}))
            .is_client()
    );
}

/// AT9, AT10
#[test]
fn okta_access_tokens_are_read() {
    let okta = product(
        "https://example.okta.test/oauth2/default",
        ClaimMap::okta(),
        "api://default",
        &json!({
            "ver": 1, "jti": "AT.1", "cid": "0oa1", "uid": "00u1", "sub": "alice@example.test",
            "scp": ["openid", "documents:read"], "auth_time": NOW - 60, "groups": ["Everyone", "Clerks"],
        }),
    );
    let verified = okta.accepts(&json!({}));
    assert_eq!(list(verified.scopes().iter()), "openid documents:read");
    assert_eq!(list(verified.roles().iter()), "Everyone Clerks");
    assert_eq!(
        (verified.client_id(), verified.is_client()),
        (Some("0oa1"), false)
    );
    assert!(okta.accepts(&json!({"sub": "0oa1"})).is_client());
    okta.refuses(
        &json!({"scp": ["documents:read documents:delete"]}),
        JwtError::Claims,
    );
    okta.refuses(&json!({"scp": 1}), JwtError::Claims);
    okta.refuses(&json!({"nonce": "n", "at_hash": "h"}), JwtError::WrongKind);
    assert!(
        !okta
            .accepts(&json!({"scope": "admin"}))
            .scopes()
            .contains("admin")
    );
}

fn entra(version: &str) -> Product {
    let (iss, map, client) = match version {
        "1.0" => (
            "https://sts.windows.test/6babcaad/",
            ClaimMap::entra_v1(),
            "appid",
        ),
        _ => (
            "https://login.microsoftonline.test/6babcaad/v2.0",
            ClaimMap::entra_v2(),
            "azp",
        ),
    };
    let claims = json!({
        "ver": version, "tid": "6babcaad", "oid": "690222be", "sub": "HKZpfaHyWadeOouYlitjrI",
        "scp": "Documents.Read Documents.List", client: "ef1da9d4", "uti": "AAAA", "aio": "AAAA",
        "rh": "0.AAAA", "name": "Alice", "amr": ["pwd"],
    });
    product(iss, map, "api://ef1da9d4", &claims)
}

/// AT9
#[test]
fn entra_access_tokens_of_both_versions_are_read() {
    for version in ["1.0", "2.0"] {
        let entra = entra(version);
        let verified = entra.accepts(&json!({"roles": ["Clerk"]}));
        assert_eq!(list(verified.scopes().iter()), "Documents.Read Documents.List");
        assert_eq!(list(verified.roles().iter()), "Clerk");
        assert_eq!(
            (verified.client_id(), verified.is_client()),
            (Some("ef1da9d4"), false)
        );
        entra.refuses(&json!({"nonce": "n"}), JwtError::WrongKind);
        entra.refuses(&json!({"roles": {"Clerk": true}}), JwtError::Claims);
        entra.refuses(
            &json!({"iss": "https://sts.windows.test/other/"}),
            JwtError::Issuer,
        );
    }
}

/// AT10, BCP9: `idtyp` is optional in Entra's tokens; a token without `scp` has no person behind it.
#[test]
fn an_entra_application_is_a_client_whether_or_not_it_says_so() {
    for version in ["1.0", "2.0"] {
        let entra = entra(version);
        let mut application = entra.token.clone().without("scp").without("name").without("amr");
        application = application
            .claim("sub", "690222be")
            .claim("roles", json!(["Documents.Read.All"]));
        let verified = accepted(&entra.verifier, &application.build());
        assert!(verified.is_client(), "version {version}, without idtyp");
        let says_so = application.clone().claim("idtyp", "app").build();
        assert!(accepted(&entra.verifier, &says_so).is_client());
        let empty = application.claim("scp", "").build();
        assert!(
            accepted(&entra.verifier, &empty).is_client(),
            "an empty scp is none"
        );
        assert!(!entra.accepts(&json!({"idtyp": "user"})).is_client());
    }
}

/// BCP13, T4, AT10
#[test]
fn cognito_access_tokens_are_read_and_its_id_tokens_are_refused() {
    let iss = "https://cognito-idp.eu-central-1.amazonaws.test/eu-central-1_AbC";
    let issuer = TestIssuer::new(iss).clock(ManualClock::at(NOW));
    let trusted = TrustedIssuer::new(iss, published(&issuer))
        .algorithms(ASYMMETRIC)
        .claims(ClaimMap::cognito());
    let verifier = Verifier::builder()
        .issuer(trusted)
        .dangerous_without_audience()
        .require_claim("client_id", ["1example"])
        .clock(ManualClock::at(NOW));
    let claims = json!({
        "token_use": "access", "client_id": "1example", "username": "alice", "version": 2, "jti": "aaaa",
        "origin_jti": "bbbb", "event_id": "cccc", "auth_time": NOW - 9, "cognito:groups": ["clerks"],
        "scope": "aws.cognito.signin.user.admin documents/read",
    });
    let token = with(dress(&issuer, "").without("aud"), &claims);
    let cognito = Product {
        issuer,
        token,
        verifier: built(verifier),
    };
    let verified = cognito.accepts(&json!({}));
    assert!(verified.scopes().contains("documents/read") && verified.roles().contains("clerks"));
    assert!(!verified.is_client());
    assert!(cognito.accepts(&json!({"sub": "1example"})).is_client());
    cognito.refuses(&json!({"token_use": "id"}), JwtError::RequiredClaim);
    cognito.refuses(&json!({"token_use": "id", "aud": "1example"}), JwtError::Audience);
    cognito.refuses(&json!({"aud": "1example"}), JwtError::Audience);
    cognito.refuses(&json!({"client_id": "2example"}), JwtError::RequiredClaim);
    cognito.refuses(&json!({"client_id": ["2example", "1example"]}), JwtError::Claims);
    let expired = cognito.issuer.expired_token().without("aud");
    assert!(
        cognito
            .verifier
            .verify_now(&with(expired, &json!({"token_use": "access"})).build())
            .is_err()
    );
}

/// AT10, T3
#[test]
fn google_identity_tokens_of_services_are_read() {
    let aud = "https://service-abc.a.run.test";
    let google = product(
        "https://accounts.google.test",
        ClaimMap::google(),
        aud,
        &json!({
            "azp": "1097", "sub": "1097", "email": "robot@project.iam.gserviceaccount.test", "email_verified": true,
        }),
    );
    let verified = google.accepts(&json!({}));
    assert!(verified.is_client() && verified.scopes().is_empty() && verified.roles().is_empty());
    let posing = google.accepts(&json!({"scope": "admin", "roles": ["admin"]}));
    assert!(posing.scopes().is_empty() && posing.roles().is_empty());
    google.refuses(&json!({"aud": "https://other.a.run.test"}), JwtError::Audience);
    google.refuses(&json!({"nonce": "n"}), JwtError::WrongKind);
    google.refuses(&json!({"azp": ["1097"]}), JwtError::Claims);
    google.refuses(&json!({"exp": NOW - 3600, "iat": NOW - 7200}), JwtError::Expired);
}

/// AT9, T3
#[test]
fn firebase_tokens_are_read() {
    let firebase = product(
        "https://securetoken.google.test/my-project",
        ClaimMap::firebase(),
        "my-project",
        &json!({
            "auth_time": NOW - 9, "user_id": "alice", "roles": ["editor"], "email_verified": false,
            "firebase": {"identities": {"email": ["alice@example.test"]}, "sign_in_provider": "password"},
        }),
    );
    let verified = firebase.accepts(&json!({}));
    assert_eq!(list(verified.roles().iter()), "editor");
    assert!(!verified.is_client() && verified.scopes().is_empty() && verified.client_id().is_none());
    assert!(firebase.accepts(&json!({"scope": "admin"})).scopes().is_empty());
    firebase.refuses(&json!({"aud": "other-project"}), JwtError::Audience);
    firebase.refuses(
        &json!({"iss": "https://securetoken.google.test/other-project"}),
        JwtError::Issuer,
    );
    firebase.refuses(&json!({"roles": {"editor": true}}), JwtError::Claims);
    let unsigned = firebase.token.clone().alg("none").unsigned().build();
    assert_refused(
        &firebase.verifier,
        &unsigned,
        JwtError::NotCompact,
        "as its emulator signs",
    );
}

/// Keycloak before 25 puts `nonce` into access tokens; `typ: Bearer`, which the preset requires, already
/// tells them from ID tokens.
#[test]
fn an_access_token_of_an_older_keycloak_is_read() {
    let keycloak = product(
        "https://sso.example.test/realms/main",
        ClaimMap::keycloak(),
        "invoices",
        &json!({"typ": "Bearer", "azp": "web", "nonce": "n", "realm_access": {"roles": ["clerk"]}}),
    );
    assert!(keycloak.accepts(&json!({})).roles().contains("clerk"));
}
