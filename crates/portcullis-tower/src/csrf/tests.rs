use http::Request;
use http::request::Parts;
use portcullis_core::AuthError;
use tower::{ServiceExt, service_fn};

use super::*;

fn parts(method: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder = Request::builder().method(method).uri("/transfer");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).expect("request").into_parts().0
}

const OWN: (&str, &str) = ("origin", "https://app.example");
const OTHER: (&str, &str) = ("origin", "https://evil.example");
const HOST_OWN: (&str, &str) = ("host", "app.example");

fn site(value: &'static str) -> (&'static str, &'static str) {
    ("sec-fetch-site", value)
}

/// CS1–CS3, CS7, CS17, T-CSRF-4, T-CSRF-5
#[test]
fn the_decision_rules_are_what_the_documentation_says() {
    let policy = OriginPolicy::new();
    let external = OriginPolicy::new()
        .external_origin("https://app.example")
        .and_then(|policy| policy.trust_origin("https://partner.example"))
        .expect("origins");
    let partner = ("origin", "https://partner.example");
    type Row<'t> = (&'t OriginPolicy, &'t str, &'t [(&'t str, &'t str)], bool);
    let table: [Row<'_>; 27] = [
        (&policy, "GET", &[site("cross-site")], true),
        (&policy, "HEAD", &[], true),
        (&policy, "OPTIONS", &[OTHER], true),
        (&policy, "POST", &[site("same-origin")], true),
        (&policy, "POST", &[site("none")], true),
        (&policy, "POST", &[site("same-site")], false),
        (&policy, "POST", &[site("cross-site")], false),
        (&policy, "POST", &[site("SAME-ORIGIN")], false),
        (&policy, "POST", &[site("whatever")], false),
        (&policy, "TRACE", &[site("cross-site")], false),
        (&policy, "post", &[site("cross-site")], false),
        (&policy, "POST", &[OWN, HOST_OWN], true),
        (&policy, "POST", &[OTHER, HOST_OWN], false),
        (&policy, "POST", &[("origin", "null"), HOST_OWN], false),
        (&policy, "POST", &[OWN], false),
        (
            &policy,
            "POST",
            &[("origin", "https://app.example:8443"), HOST_OWN],
            false,
        ),
        (&policy, "POST", &[HOST_OWN], false),
        (&policy, "POST", &[OWN, OTHER, HOST_OWN], false),
        (&policy, "POST", &[site("same-origin"), site("cross-site")], false),
        // Upgrades are GETs that cross sites.
        (
            &policy,
            "GET",
            &[("upgrade", "websocket"), OTHER, HOST_OWN],
            false,
        ),
        (&policy, "GET", &[("upgrade", "websocket"), OWN, HOST_OWN], true),
        (&policy, "GET", &[("upgrade", "websocket")], false),
        // The external origin counts, whatever the proxy makes of Host.
        (&external, "POST", &[OWN, ("host", "10.0.0.7")], true),
        (
            &external,
            "POST",
            &[("origin", "https://10.0.0.7"), ("host", "10.0.0.7")],
            false,
        ),
        (
            &external,
            "POST",
            &[("origin", "http://app.example"), HOST_OWN],
            false,
        ),
        (&external, "POST", &[site("cross-site"), partner], true),
        (
            &external,
            "POST",
            &[site("cross-site"), ("origin", "https://partner.example.evil")],
            false,
        ),
    ];
    for (policy, method, headers, passes) in table {
        let decided = policy.check(&parts(method, headers)).is_ok();
        assert_eq!(decided, passes, "{method} {headers:?}");
    }
}

/// CS5
#[test]
fn origins_are_checked_when_they_are_configured() {
    for bad in [
        "",
        "null",
        "app.example",
        "https://",
        "https://app.example/",
        "https://app.example/x",
        "https://app.example?x",
        "https://u@app.example",
        "ftp://app.example",
        "https://App.example",
        "https://*.example",
    ] {
        let refused = OriginPolicy::new().trust_origin(bad);
        assert!(refused.is_err(), "{bad}");
    }
}

/// Every combination of the headers' interesting values: ours and tower-http's agree, except where the
/// module documentation says that they do not.
#[tokio::test]
async fn we_agree_with_tower_http_wherever_we_do_not_differ_on_purpose() {
    let policy = OriginPolicy::new();
    let sites = [
        None,
        Some("same-origin"),
        Some("none"),
        Some("same-site"),
        Some("cross-site"),
        Some("odd"),
    ];
    let origins = [
        None,
        Some("https://app.example"),
        Some("https://evil.example"),
        Some("null"),
        Some("garbage"),
    ];
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE"] {
        for site in sites {
            for origin in origins {
                let mut headers = vec![HOST_OWN];
                headers.extend(site.map(|site| ("sec-fetch-site", site)));
                headers.extend(origin.map(|origin| ("origin", origin)));
                let parts = parts(method, &headers);
                let ours = policy.check(&parts).is_ok();
                let service = tower_layer::Layer::layer(
                    &tower_http::csrf::CsrfLayer::new(),
                    service_fn(|_: Request<()>| async {
                        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
                    }),
                );
                let theirs = service
                    .oneshot(Request::from_parts(parts, ()))
                    .await
                    .map(|response| response.status().is_success())
                    .unwrap_or(false);
                let neither =
                    site.is_none() && origin.is_none() && !matches!(method, "GET" | "HEAD" | "OPTIONS");
                if neither {
                    assert!(theirs && !ours, "rule 4");
                } else {
                    assert_eq!(ours, theirs, "{method} {site:?} {origin:?}");
                }
            }
        }
    }
}

/// CS8, T-CSRF-3: a sign-in form has no credential yet, and is protected all the same.
#[test]
fn a_request_that_creates_a_credential_passes_without_headers_only_where_there_is_no_cookie() {
    let policy = OriginPolicy::new();
    let cookie = ("cookie", "theme=dark");
    for (headers, creating, decided) in [
        (&[HOST_OWN][..], true, false),
        (&[HOST_OWN, cookie], false, false),
        (&[HOST_OWN, site("cross-site")], false, false),
        (&[HOST_OWN, site("same-site")], false, false),
        (&[HOST_OWN, ("origin", "null")], false, false),
        (&[HOST_OWN, OTHER], false, false),
        (&[HOST_OWN, OWN], true, true),
        (&[HOST_OWN, site("same-origin"), cookie], true, true),
    ] {
        let parts = parts("POST", headers);
        assert_eq!(policy.check_creating(&parts).is_ok(), creating, "{headers:?}");
        assert_eq!(policy.check(&parts).is_ok(), decided, "{headers:?}");
    }
}

/// CS13, T-CSRF-2: a token settles what no header says, and nothing else.
#[test]
fn a_verified_token_stands_in_for_absent_headers_and_for_nothing_else() {
    let policy = OriginPolicy::new();
    for (headers, passes) in [
        (&[HOST_OWN][..], true),
        (&[HOST_OWN, OTHER], false),
        (&[HOST_OWN, site("cross-site")], false),
        (&[HOST_OWN, ("origin", "null")], false),
        (&[HOST_OWN, OWN, OWN], false),
    ] {
        let mut parts = parts("POST", headers);
        let unattested = policy.check(&parts).is_err_and(|refusal| refusal.is_unattested());
        assert_eq!(unattested, passes, "{headers:?}");
        parts.extensions.insert(TokenVerified::assertion());
        assert_eq!(policy.check(&parts).is_ok(), passes, "{headers:?}");
    }
}

async fn answer(layer: &CsrfLayer, method: &str, headers: &[(&str, &str)]) -> http::Response<bytes::Bytes> {
    let service = tower_layer::Layer::layer(
        layer,
        service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(bytes::Bytes::new()))
        }),
    );
    let request = Request::from_parts(parts(method, headers), ());
    service
        .oneshot(request)
        .await
        .unwrap_or_else(|never| match never {})
}

/// CS4, CS10, T-CSRF-1
#[tokio::test]
async fn the_layer_refuses_with_403_and_says_what_it_looked_at() {
    let layer = CsrfLayer::new(OriginPolicy::new());
    let passed = answer(&layer, "POST", &[HOST_OWN, site("same-origin")]).await;
    assert!(passed.status().is_success());
    assert_eq!(passed.headers()["vary"], "origin, sec-fetch-site");
    let refused = answer(&layer, "POST", &[HOST_OWN, site("cross-site")]).await;
    let error = refused
        .extensions()
        .get::<AuthError>()
        .expect("a refusal says so");
    assert_eq!(
        (error.kind(), error.reason()),
        (portcullis_core::AuthErrorKind::Denied, "cross_site_request")
    );
    assert_eq!(refused.status(), error.status());
    assert_eq!(refused.headers()["vary"], "origin, sec-fetch-site");
    let read = answer(&layer, "GET", &[HOST_OWN, site("cross-site")]).await;
    assert!(read.status().is_success() && !read.headers().contains_key("vary"));
    // CS9: what a form claims about its method is no matter here.
    let claimed = answer(&layer, "POST", &[OTHER, ("x-http-method-override", "GET")]).await;
    assert!(!claimed.status().is_success());
}

/// CS15
#[tokio::test]
async fn a_layer_that_only_reports_refuses_nothing() {
    let layer = CsrfLayer::new(OriginPolicy::new()).dangerous_report_only();
    let passed = answer(&layer, "POST", &[HOST_OWN, site("cross-site")]).await;
    assert!(passed.status().is_success());
}
