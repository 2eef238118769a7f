//! The table of routes, and that it says what is served.

use axum::extract::MatchedPath;
use axum::{Router, routing};
use http::request::Parts;
use http::{Method, StatusCode};
use portcullis_axum::gate::{Gate, Need, any, delete, get, head, post, put};
use portcullis_core::policy::{All, Any};
use portcullis_core::{Authentication, Decision, HasRole, Principal, Role, SignedIn};
use portcullis_test::assert_inventory;
use serde_json::json;

use super::*;

struct Admin;

impl Role for Admin {
    const NAME: &str = "admin";
}

async fn done() {}

fn granted(_: &Authentication<Principal>, _: &Parts) -> Decision {
    Decision::Granted
}

fn gate() -> Gate {
    let admin = Gate::new()
        .guarded("/", get(done).needs::<HasRole<Admin>>())
        .guarded("/users/{id}", get(done).delete(done).needs::<HasRole<Admin>>())
        .fallback_guarded::<HasRole<Admin>, _>(done)
        .public_service("/help/", Router::new());
    Gate::<(), Principal>::new()
        .public("/healthz", get(done))
        .guarded(
            "/documents/{id}",
            get(done).needs::<SignedIn>().delete(done).needs::<Deletes>(),
        )
        .guarded(
            "/documents",
            post(done)
                .put(done)
                .needs::<All<(Reads, Any<(Deletes, HasRole<Admin>)>)>>(),
        )
        // In two parts; the second has HEAD for itself.
        .guarded("/split", get(done).needs::<Reads>())
        .guarded("/split", head(done).public())
        .guarded("/own", put(done).policy("own tenant", granted))
        .guarded("/all", any(done).needs::<Reads>().post(done).needs::<Deletes>())
        .any_public("/echo", done)
        .guarded_service::<SignedIn, _>("/legacy", Router::new())
        .nest("/admin", admin)
        .merge(Gate::new().public("/merged", delete(done)))
}

#[test]
fn every_route_and_every_answer_of_axums_own_is_listed() {
    assert_inventory(
        gate().inventory(),
        "
        ROUTE                  METHODS    NEED
        /admin                 GET, HEAD  role admin
        /admin                 *          public (405)
        /admin/help/{*rest}    *          public
        /admin/users/{id}      DELETE     role admin
        /admin/users/{id}      GET, HEAD  role admin
        /admin/users/{id}      *          public (405)
        /admin/{*rest}         *          role admin
        /all                   POST       scope documents:delete
        /all                   *          scope documents:read
        /documents             POST       scope documents:read and (scope documents:delete or role admin)
        /documents             PUT        scope documents:read and (scope documents:delete or role admin)
        /documents             *          public (405)
        /documents/{id}        DELETE     scope documents:delete
        /documents/{id}        GET, HEAD  signed in
        /documents/{id}        *          public (405)
        /echo                  *          public
        /healthz               GET, HEAD  public
        /healthz               *          public (405)
        /legacy/{*rest}        *          signed in
        /merged                DELETE     public
        /merged                *          public (405)
        /own                   PUT        own tenant
        /own                   *          public (405)
        /split                 GET        scope documents:read
        /split                 HEAD       public
        /split                 *          public (405)
        /{*rest}               *          public (404)
        ",
    );
}

#[test]
fn the_columns_are_aligned_and_no_line_ends_in_blanks() {
    let table = gate().inventory().to_string();
    let lines: Vec<_> = table.lines().collect();
    let column = lines[0].find("NEED").expect("a head");
    for line in &lines {
        assert_eq!(line.trim_end(), *line);
        assert_eq!(&line[column - 2..column], "  ");
        assert_ne!(&line[column..=column], " ");
    }
}

#[test]
fn a_fallback_stands_in_the_place_of_404() {
    let rest = |gate: Gate| gate.inventory().rows().last().expect("a row").need().clone();
    assert_eq!(rest(Gate::new()), Need::NotFound);
    assert_eq!(rest(Gate::new().fallback_public(done)), Need::Public);
    assert_eq!(rest(Gate::new().public_service("/", Router::new())), Need::Public);
    assert!(!rest(Gate::new().guarded_service::<SignedIn, _>("/", Router::new())).is_public());
    // A route of that shape leaves the root to 404.
    let own = Gate::<(), Principal>::new().guarded("/{*rest}", any(done).needs::<SignedIn>());
    assert_inventory(
        own.inventory(),
        "ROUTE METHODS NEED
        /{*rest} * signed in
        /{*rest} * public (404)",
    );
}

#[test]
fn it_is_serialized_for_tools() {
    let gate: Gate = Gate::new().guarded(
        "/a",
        get(done).needs::<Any<(Reads, SignedIn)>>().post(done).public(),
    );
    let serialized = serde_json::to_value(gate.inventory()).expect("json");
    let row = |methods: &[&str], route: &str, need: &str, public: bool, scopes: serde_json::Value| json!({"route": route, "methods": methods, "need": need, "public": public, "scopes": scopes});
    let scopes = json!([["documents:read"], []]);
    let need = "scope documents:read or signed in";
    let expected = json!([
        row(&["GET", "HEAD"], "/a", need, false, scopes),
        row(&["POST"], "/a", "public", true, json!([])),
        row(&["*"], "/a", "public (405)", true, json!([])),
        row(&["*"], "/{*rest}", "public (404)", true, json!([])),
    ]);
    assert_eq!(serialized, expected);
    let security = serde_json::to_value(gate.inventory().open_api_security("oauth")).expect("json");
    let expected = json!([
        {"route": "/a", "methods": ["GET", "HEAD"], "security": [{"oauth": ["documents:read"]}, {"oauth": []}]},
        {"route": "/a", "methods": ["POST"], "security": []},
    ]);
    assert_eq!(security, expected);
}

#[tokio::test]
async fn nested_routes_are_listed_as_axum_matches_them() {
    let matched = async |path: MatchedPath| path.as_str().to_owned();
    let inner = || {
        Gate::<(), Principal>::new()
            .public("/", get(matched))
            .public("/x", get(matched))
            .public("/x/", get(matched))
            .public("/{name}/y", get(matched))
    };
    let mut seen = Vec::new();
    for prefix in ["/a", "/a/", "/a/b", "/{tenant}", "/{tenant}/"] {
        for outer in [None, Some("/o"), Some("/o/")] {
            let gate = Gate::new().nest(prefix, inner());
            let gate = match outer {
                Some(outer) => Gate::new().nest(outer, gate),
                None => gate,
            };
            let inventory = gate.inventory();
            let app = gate.into_router();
            for row in inventory.rows().iter().filter(|row| !row.need().is_unhandled()) {
                let path = row.route().replace("{tenant}", "t").replace("{name}", "n");
                let answer = ask(&app, Method::GET, &path, None).await;
                assert_eq!(answer.status(), StatusCode::OK, "{path}");
                assert_eq!(text(answer).await, row.route());
                seen.push(row.route().to_owned());
            }
        }
    }
    assert_eq!(seen.len(), 5 * 3 * 4);
    assert!(seen.iter().any(|route| route == "/a") && seen.iter().any(|route| route == "/a/"));
}

/// What the table says about a method holds for whoever sends it: the rows are asked one by one.
#[tokio::test]
async fn each_row_is_what_nobody_in_particular_gets() {
    let gate = gate();
    let inventory = gate.inventory();
    let app = gate.into_router();
    for row in inventory.rows() {
        let path = row.route().replace("{id}", "1").replace("{*rest}", "none/of/it");
        for method in row.methods() {
            // No row has it for itself.
            let method = method.replace('*', "LINK");
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let status = ask(&app, method.clone(), &path, None).await.status();
            let expected: &[u16] = match row.need() {
                // What is foreign may not have it.
                Need::Public => &[200, 404],
                Need::MethodNotAllowed => &[405],
                Need::NotFound => &[404],
                _ => &[401],
            };
            assert!(expected.contains(&status.as_u16()), "{method} {path}: {status}");
        }
    }
}

#[test]
fn a_route_with_a_foreign_service_is_one_row() {
    let foreign = Router::new().route("/page", routing::get(done));
    let gate: Gate = Gate::new().public_service("/a", foreign);
    let inventory = gate.inventory();
    let routes: Vec<_> = inventory.rows().iter().map(|row| row.route()).collect();
    assert_eq!(routes, ["/a/{*rest}", "/{*rest}"]);
}
