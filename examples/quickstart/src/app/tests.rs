//! Every route for every kind of caller, against a written table.

use axum::body::Body;
use axum::http::{Method, Request};
use portcullis::{Algorithm, ClaimMap, StaticKeySet, TrustedIssuer, Verifier};
use portcullis_test::{SigningKey, TestIssuer, assert_inventory};
use tower::ServiceExt;

use super::*;

mod credentials;
mod management;

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "https://api.test";
const PASSWORD: &str = "correct horse";

const ROUTES: [(Method, &str); 14] = [
    (Method::GET, "/healthz"),
    (Method::GET, "/whoami"),
    (Method::GET, "/me"),
    (Method::GET, "/documents"),
    (Method::GET, "/documents/1"),
    (Method::HEAD, "/documents/1"),
    (Method::GET, "/documents/2"),
    (Method::GET, "/documents/9"),
    (Method::DELETE, "/documents/1"),
    (Method::DELETE, "/documents/2"),
    (Method::DELETE, "/documents/9"),
    (Method::OPTIONS, "/documents/1"),
    (Method::PUT, "/documents/1"),
    (Method::GET, "/nowhere"),
];

/// Alice, to whom document 1 belongs, as: customer, role, scopes; and what she is answered, route by route.
const MATRIX: &str = "
                          healthz whoami me  list  read1 head1 read2 read9 del1 del2 del9 OPTIONS PUT nowhere
anonymous                 200     200    401 401   401   401   401   401   401  401  401  405     405 404
home  -       -           200     200    200 403   403   403   403   403   403  403  403  405     405 404
home  -       read        200     200    200 200   200   200   403   404   403  403  403  405     405 404
home  -       delete      200     200    200 403   403   403   403   403   204  403  404  405     405 404
home  -       read+delete 200     200    200 200   200   200   403   404   204  403  404  405     405 404
home  -       profile     200     200    200 403   403   403   403   403   403  403  403  405     405 404
home  admin   -           200     200    200 403   403   403   403   403   403  403  403  405     405 404
home  admin   read        200     200    200 200   200   200   200   404   403  403  403  405     405 404
home  admin   delete      200     200    200 403   403   403   403   403   204  204  404  405     405 404
home  admin   read+delete 200     200    200 200   200   200   200   404   204  204  404  405     405 404
home  admin   profile     200     200    200 403   403   403   403   403   403  403  403  405     405 404
home  auditor -           200     200    200 403   403   403   403   403   403  403  403  405     405 404
home  auditor read        200     200    200 200   200   200   403   404   403  403  403  405     405 404
home  auditor delete      200     200    200 403   403   403   403   403   204  403  404  405     405 404
home  auditor read+delete 200     200    200 200   200   200   403   404   204  403  404  405     405 404
home  auditor profile     200     200    200 403   403   403   403   403   403  403  403  405     405 404
other -       -           200     200    200 403   403   403   403   403   403  403  403  405     405 404
other -       read        200     200    200 200   403   403   403   404   403  403  403  405     405 404
other -       delete      200     200    200 403   403   403   403   403   403  403  404  405     405 404
other -       read+delete 200     200    200 200   403   403   403   404   403  403  404  405     405 404
other -       profile     200     200    200 403   403   403   403   403   403  403  403  405     405 404
other admin   -           200     200    200 403   403   403   403   403   403  403  403  405     405 404
other admin   read        200     200    200 200   403   403   403   404   403  403  403  405     405 404
other admin   delete      200     200    200 403   403   403   403   403   403  403  404  405     405 404
other admin   read+delete 200     200    200 200   403   403   403   404   403  403  404  405     405 404
other admin   profile     200     200    200 403   403   403   403   403   403  403  403  405     405 404
other auditor -           200     200    200 403   403   403   403   403   403  403  403  405     405 404
other auditor read        200     200    200 200   403   403   403   404   403  403  403  405     405 404
other auditor delete      200     200    200 403   403   403   403   403   403  403  404  405     405 404
other auditor read+delete 200     200    200 200   403   403   403   404   403  403  404  405     405 404
other auditor profile     200     200    200 403   403   403   403   403   403  403  403  405     405 404
";

struct Api {
    issuer: TestIssuer,
    passwords: Arc<Passwords>,
}

impl Api {
    fn new() -> Self {
        let key = SigningKey::es256("key-1");
        let (passwords, _) = Passwords::new(Some(PASSWORD)).expect("hashes");
        Self {
            issuer: TestIssuer::new(ISSUER).with_key(&key),
            passwords: Arc::new(passwords),
        }
    }

    /// A fresh application, so that what one caller deletes is there for the next.
    fn router(&self) -> Router {
        self.router_on(&Store::memory()).1
    }

    fn router_on(&self, store: &Store) -> (App, Router) {
        let keys = StaticKeySet::from_jwks(self.issuer.jwks().as_bytes()).expect("keys");
        let issuer = TrustedIssuer::new(ISSUER, keys)
            .algorithms(Algorithm::RECOMMENDED)
            .claims(ClaimMap::standard());
        let verifier = Verifier::builder().issuer(issuer).audience(AUDIENCE).build();
        let app = App::new(store, Arc::clone(&self.passwords)).expect("an app");
        let router = router(verifier.expect("a verifier"), &app).expect("a router");
        (app, router)
    }

    fn token(&self, tenant: &str, role: &str, scopes: &str) -> String {
        let scopes = scopes
            .replace("read", "documents:read")
            .replace("delete", "documents:delete");
        let token = self.issuer.token().subject("alice").audience(AUDIENCE);
        let token = token.scope(scopes.replace('+', " ").trim_start_matches('-'));
        let token = token.roles(Some(role).filter(|role| *role != "-"));
        match tenant {
            "home" => token.build(),
            other => token.claim("tenant", other).build(),
        }
    }

    async fn status(&self, method: &Method, path: &str, token: Option<&str>) -> u16 {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).expect("a request");
        let answer = self.router().oneshot(request).await.expect("infallible");
        answer.status().as_u16()
    }
}

/// The rows of the table: the caller's token, and the statuses.
fn rows(api: &Api) -> Vec<(String, Option<String>, Vec<u16>)> {
    let lines = MATRIX.lines().skip(2);
    let row = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let (who, statuses) = words.split_at(words.len() - ROUTES.len());
        let token = match who {
            ["anonymous"] => None,
            [tenant, role, scopes] => Some(api.token(tenant, role, scopes)),
            _ => panic!("{line:?}"),
        };
        let statuses = statuses.iter().map(|status| status.parse().expect("a status"));
        (who.join(" "), token, statuses.collect())
    };
    lines.map(row).collect()
}

#[tokio::test]
async fn asvs_8_2_1_every_caller_gets_what_the_table_says_on_every_route() {
    let api = Api::new();
    let rows = rows(&api);
    assert_eq!(
        rows.len(),
        1 + 2 * 3 * 5,
        "nobody, and customers × roles × scopes"
    );
    let mut wrong = Vec::new();
    for (who, token, statuses) in rows {
        for ((method, path), expected) in ROUTES.iter().zip(statuses) {
            let status = api.status(method, path, token.as_deref()).await;
            if status != expected {
                wrong.push(format!("{who}: {method} {path}: {status}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn asvs_8_1_1_the_routes_and_their_needs_are_those_written_down() {
    assert_inventory(
        inventory(),
        "
        ROUTE            METHODS    NEED
        /documents       GET, HEAD  scope documents:read
        /documents       *          public (405)
        /documents/{id}  DELETE     scope documents:delete
        /documents/{id}  GET, HEAD  scope documents:read
        /documents/{id}  *          public (405)
        /healthz         GET, HEAD  public
        /healthz         *          public (405)
        /keys            GET, HEAD  in a session
        /keys            POST       in a session
        /keys            *          public (405)
        /keys/{id}       DELETE     in a session
        /keys/{id}       *          public (405)
        /keys/{id}/rotate POST      in a session
        /keys/{id}/rotate *         public (405)
        /login           POST       public
        /login           *          public (405)
        /logout          POST       public
        /logout          *          public (405)
        /me              GET, HEAD  signed in
        /me              *          public (405)
        /sessions        DELETE     in a session
        /sessions        GET, HEAD  in a session
        /sessions        *          public (405)
        /sessions/{id}   DELETE     in a session
        /sessions/{id}   *          public (405)
        /whoami          GET, HEAD  public
        /whoami          *          public (405)
        /{*rest}         *          public (404)
        ",
    );
}
