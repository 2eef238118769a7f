use http::Request;
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

/// CS1–CS3, CS7, CS17
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
