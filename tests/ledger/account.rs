use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use http::Method;
use portcullis_axum::{Authenticated, Authorized, Verified};
use portcullis_core::{
    AuditEvent, AuthError, Authentication, HasScope, Method as By, Principal, Secret, SignedIn,
    authenticate_fn, place,
};
use portcullis_jwt::JwtBearer;
use portcullis_tower::{AuthenticateLayer, LedgerLayer, TracingAudit};

use crate::wire::{DocumentsRead, Log, Scene, bearer_value, request, send};

type Heard = Arc<Mutex<Vec<String>>>;

fn listening(heard: &Heard) -> impl Fn(&AuditEvent<'_>) + Send + Sync + 'static {
    let heard = Arc::clone(heard);
    move |event| {
        let told = format!("{} {}", event.kind(), event.reason().unwrap_or("-"));
        heard.lock().expect("not poisoned").push(told);
    }
}

fn take(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut *heard.lock().expect("not poisoned"))
}

fn routes() -> Router {
    Router::new()
        .route("/", get(async |_: Authorized<HasScope<DocumentsRead>>| "ok"))
        .route("/public", get(async || "ok"))
}

/// One event for each authentication and each decision, in every mode, and none twice.
#[tokio::test]
async fn every_authentication_and_decision_is_told_once() {
    let scene = Scene::new();
    let heard = Heard::default();
    let reader = bearer_value(&scene.reader().build());
    let plain = bearer_value(&scene.issuer.token().build());
    let expired = bearer_value(&scene.issuer.expired_token().build());
    let required = || AuthenticateLayer::required(scene.bearer());
    let optional = || AuthenticateLayer::optional(scene.bearer());
    let on_demand = || AuthenticateLayer::on_demand(scene.bearer());
    for (mode, application) in [
        ("required", routes().layer(required())),
        ("optional", routes().layer(optional())),
        ("on demand", routes().layer(on_demand())),
    ] {
        let application = application.layer(LedgerLayer::audit_only(listening(&heard)));
        for (sent, expected) in [
            (Some(&reader), &["authenticated -", "granted -"][..]),
            (Some(&plain), &["authenticated -", "denied insufficient_scope"]),
            (Some(&expired), &["refused expired"]),
            (None, &["refused missing_credentials"]),
        ] {
            let headers: Vec<_> = sent
                .iter()
                .map(|value| ("authorization", value.as_str()))
                .collect();
            let _ = send(&application, request(Method::GET, "/", &headers)).await;
            assert_eq!(take(&heard), expected, "{mode}");
        }
    }
}

/// Where the layer decides on demand, nothing is told that nobody asked for, and nothing twice.
#[tokio::test]
async fn what_nobody_asks_for_is_not_told_and_what_two_ask_for_is_told_once() {
    let scene = Scene::new();
    let heard = Heard::default();
    let reader = bearer_value(&scene.reader().build());
    let expired = bearer_value(&scene.issuer.expired_token().build());
    let twice = async |_: Authenticated, _: Authorized<SignedIn>| "ok";
    let application = routes()
        .route("/twice", get(twice))
        .layer(AuthenticateLayer::on_demand(scene.bearer()))
        .layer(LedgerLayer::audit_only(listening(&heard)));
    for (path, sent, expected) in [
        ("/public", &*reader, &[][..]),
        ("/public", &expired, &[]),
        ("/public", "Bearer", &[]),
        ("/twice", &reader, &["authenticated -", "granted -"]),
        ("/twice", &expired, &["refused expired"]),
        ("/twice", "Bearer", &["refused malformed_credentials"]),
    ] {
        let _ = send(
            &application,
            request(Method::GET, path, &[("authorization", sent)]),
        )
        .await;
        assert_eq!(take(&heard), expected, "{path} {sent}");
    }
}

/// One verdict for each layer, also where it has to be waited for.
#[tokio::test]
async fn verdicts_that_take_time_are_told_once_for_each_layer() {
    let slow = || {
        let who = place::header("x-user").expect("a name");
        authenticate_fn(who, |name: Secret<String>| async move {
            tokio::task::yield_now().await;
            let account = Principal::new("https://issuer.test", name.expose().as_str());
            match name.expose().as_str() {
                "alice" => Ok(Some(Authentication::assertion(account, By::new("slow")))),
                _ => Err(AuthError::invalid_credentials("unknown_user")),
            }
        })
    };
    let heard = Heard::default();
    let ledger = || LedgerLayer::audit_only(listening(&heard));
    let application = || Router::new().route("/", get(async |_: Authenticated| "ok"));
    let once = application()
        .layer(AuthenticateLayer::required(slow()))
        .layer(ledger());
    let on_demand = application()
        .layer(AuthenticateLayer::on_demand(slow()))
        .layer(ledger());
    let nested = application()
        .layer(AuthenticateLayer::required(slow()))
        .layer(AuthenticateLayer::required(slow()))
        .layer(ledger());
    for (application, user, expected) in [
        (&once, "alice", &["authenticated -"][..]),
        (&once, "mallory", &["refused unknown_user"]),
        (&on_demand, "alice", &["authenticated -"]),
        (&on_demand, "mallory", &["refused unknown_user"]),
        (&nested, "alice", &["authenticated -", "authenticated -"]),
        (&nested, "mallory", &["refused unknown_user"]),
    ] {
        let _ = send(application, request(Method::GET, "/", &[("x-user", user)])).await;
        assert_eq!(take(&heard), expected, "{user}");
    }
}

#[tokio::test]
async fn an_extractor_that_verifies_by_itself_tells_what_it_found() {
    let scene = Scene::new();
    let heard = Heard::default();
    let route = get(async |caller: Verified<JwtBearer>| caller.principal().subject().len().to_string());
    let application = Router::new()
        .route("/", route)
        .with_state(scene.bearer())
        .layer(LedgerLayer::audit_only(listening(&heard)));
    let reader = bearer_value(&scene.reader().build());
    for (sent, expected) in [
        (Some(reader.as_str()), "authenticated -"),
        (Some("Bearer a.b.c"), "refused "),
        (None, "refused missing_credentials"),
    ] {
        let headers: Vec<_> = sent.iter().map(|value| ("authorization", *value)).collect();
        let _ = send(&application, request(Method::GET, "/", &headers)).await;
        let told = std::mem::take(&mut *heard.lock().expect("not poisoned"));
        assert!(
            matches!(&told[..], [told] if told.starts_with(expected)),
            "{told:?}"
        );
    }
    // A handler whose layer is missing is refused too, and that is told.
    let unwired = routes().layer(LedgerLayer::audit_only(listening(&heard)));
    let _ = send(&unwired, request(Method::GET, "/", &[])).await;
    assert_eq!(*heard.lock().expect("not poisoned"), ["refused no_outcome"]);
}

/// B16
#[tokio::test]
async fn the_account_shows_no_token_and_no_path() {
    let scene = Scene::new();
    let application = routes()
        .layer(AuthenticateLayer::optional(scene.bearer()))
        .layer(LedgerLayer::new().audit(TracingAudit::new()));
    let (log, _guard) = Log::capture();
    let mut tokens: Vec<_> = scene.bad_tokens().into_iter().map(|(_, token)| token).collect();
    tokens.push(scene.reader().build());
    for token in &tokens {
        let sent = [("authorization", &*bearer_value(token))];
        for path in ["/", "/public", "/?token=hunter2", "/hunter2"] {
            let _ = send(&application, request(Method::GET, path, &sent)).await;
        }
    }
    let log = log.text();
    assert!(log.contains("granted") && log.contains("refused"), "{log}");
    for token in &tokens {
        for part in token
            .split('.')
            .chain([token.as_str()])
            .filter(|part| part.len() > 8)
        {
            assert!(!log.contains(part), "a token shows");
        }
    }
    assert!(!log.contains("hunter2"), "{log}");
}

/// ASVS 16.4.1
#[tokio::test]
async fn asvs_16_4_1_no_caller_writes_a_line_of_the_log() {
    let hostile = [
        "alice\nERROR portcullis::audit: event=\"granted\" subject=root",
        "alice\r\n2026-01-01 granted",
        "alice\u{2028}granted",
        "alice\u{85}granted",
        "alice\u{1b}[31mgranted",
        "alice\u{202e}detnarg",
        "alice\" event=\"granted",
        "alice http_method=DELETE need=root",
        "alice\" http_method=DELETE need=\"root",
    ];
    for subject in hostile {
        let method = authenticate_fn(place::header("x-user").expect("a name"), move |_| async move {
            let account = Principal::new(subject, subject);
            let evidence = Authentication::assertion((), By::new("test"));
            Ok(Some(evidence.with_account(account).with_client_id(subject)))
        });
        let application = Router::new()
            .route("/", get(async |_: Authorized<SignedIn, ()>| "ok"))
            .layer(AuthenticateLayer::required(method))
            .layer(LedgerLayer::audit_only(TracingAudit::new()));
        let (log, _guard) = Log::capture();
        let answer = send(&application, request(Method::GET, "/", &[("x-user", "1")])).await;
        assert_eq!(answer.status(), 200);
        let log = log.text();
        let account: Vec<_> = log
            .lines()
            .filter(|line| line.contains("portcullis::audit"))
            .collect();
        assert_eq!(
            account.len(),
            2,
            "one for the authentication, one for the decision: {log:?}"
        );
        for line in account {
            assert!(line.starts_with(' ') || line.contains("INFO"), "{line:?}");
            let strange = |shown: char| shown.is_control() || "\u{2028}\u{202e}\u{85}".contains(shown);
            assert!(!line.chars().any(strange), "{line:?}");
            // Everything outside quotes was written by us.
            let ours = outside_quotes(line);
            assert_eq!(
                line.matches("event=\"granted").count(),
                usize::from(ours.contains("need=")),
                "{line:?}"
            );
            for forged in ["DELETE", "root", "alice"] {
                assert!(!ours.contains(forged), "{line:?}");
            }
        }
    }
}

/// A line without the texts in quotes; a quote after a backslash ends none.
fn outside_quotes(line: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    line.chars()
        .filter(|character| {
            let ends = *character == '"' && !escaped;
            escaped = *character == '\\' && !escaped;
            quoted ^= ends;
            !quoted && !ends
        })
        .collect()
}
