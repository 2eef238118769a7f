use super::*;
use crate::ManualClock;

fn kids(issuer: &TestIssuer) -> Vec<String> {
    let jwks: Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter()
        .map(|jwk| jwk["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_clone_is_the_same_issuer() {
    let issuer = TestIssuer::new("https://issuer.test");
    let clone = issuer.clone();
    clone.rotate();
    assert_eq!(kids(&issuer), ["key-1", "key-2"]);
    assert_eq!(issuer.signing_key().kid(), "key-2");
}

#[test]
fn rotation_makes_a_key_of_the_same_algorithm_and_retires_the_old_one_when_asked() {
    for alg in ["RS256", "PS384", "ES512", "EdDSA"] {
        let old = SigningKey::generate(alg, "old");
        let issuer = TestIssuer::new("https://issuer.test").with_key(&old);
        let new = issuer.rotate();
        assert_eq!(new.alg(), alg);
        assert_ne!(new.public_der(), old.public_der(), "{alg}");
        assert_eq!(kids(&issuer), ["old", "key-2"]);
        issuer.rotate_and_retire();
        assert_eq!(kids(&issuer), ["old", "key-3"]);
    }
}

#[test]
fn a_shared_secret_is_published_only_on_purpose() {
    let secret = SigningKey::hs256("secret");
    let issuer = TestIssuer::new("https://issuer.test").with_key(&secret);
    assert!(kids(&issuer).is_empty());
    issuer.publish_jwk(secret.secret_jwk());
    assert_eq!(kids(&issuer), ["secret"]);
    issuer.remove_key("secret");
    assert!(kids(&issuer).is_empty());
}

#[test]
fn the_ready_made_wrong_tokens_differ_in_what_they_say() {
    let issuer = TestIssuer::new("https://issuer.test").clock(ManualClock::at(10_000));
    assert_eq!(issuer.expired_token().claims()["exp"], 6_400);
    assert_eq!(
        issuer.wrong_audience_token().claims()["aud"],
        "https://other.example.test"
    );
    assert_eq!(
        issuer.wrong_issuer_token().claims()["iss"],
        "https://other-issuer.test"
    );
    for alg in ["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256"] {
        let issuer = issuer.clone().with_key(&SigningKey::generate(alg, "key"));
        let token = format!("{:?}", issuer.wrong_algorithm_token());
        assert!(!token.contains(&format!("String(\"{alg}\")")), "{token}");
    }
}

#[test]
fn the_metadata_is_found_under_both_forms_of_the_path_and_nothing_else_is() {
    let issuer = TestIssuer::new("https://issuer.test/tenant");
    let get = |path: &str| {
        let request = http::Request::get(format!("https://issuer.test{path}"))
            .body(())
            .unwrap();
        issuer.respond(&request)
    };
    for path in [
        "/tenant/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/tenant",
    ] {
        assert_eq!(get(path).body(), issuer.discovery_document().as_bytes(), "{path}");
    }
    assert_eq!(get("/tenant/jwks").body(), issuer.jwks().as_bytes());
    for path in ["/", "/jwks", "/.well-known/openid-configuration", "/tenant/jwks/"] {
        assert_eq!(get(path).status(), 404, "{path}");
    }
    let metadata: Value = serde_json::from_str(&issuer.discovery_document()).unwrap();
    assert_eq!(metadata["issuer"], "https://issuer.test/tenant");
    assert_eq!(metadata["jwks_uri"], "https://issuer.test/tenant/jwks");
}

#[test]
fn an_unchanged_document_is_answered_with_304_and_a_changed_one_with_200() {
    let issuer = TestIssuer::new("https://issuer.test");
    issuer.set_cache_control("max-age=600");
    let first = issuer.respond(&http::Request::get("https://issuer.test/jwks").body(()).unwrap());
    assert_eq!(first.headers()["cache-control"], "max-age=600");
    let again = http::Request::get("https://issuer.test/jwks")
        .header("if-none-match", &first.headers()["etag"])
        .body(())
        .unwrap();
    assert_eq!(issuer.respond(&again).status(), 304);
    assert!(issuer.respond(&again).body().is_empty());
    issuer.rotate();
    assert_eq!(issuer.respond(&again).status(), 200);
}
