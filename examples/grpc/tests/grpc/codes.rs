//! Each method, with and without the right to call it. Every refusal differs from the accepted call in one
//! thing.

use portcullis::core::MemoryRevocations;
use portcullis_test::Mode;
use tonic::{Code, Status};

use crate::calls::{Call, bearer, sign_out};
use crate::support::{Api, EVERY_SCOPE};

fn text<'s>(status: &'s Status, name: &str) -> Option<&'s str> {
    status.metadata().get(name)?.to_str().ok()
}

#[tokio::test]
async fn each_method_takes_the_scope_it_needs_and_no_other() {
    for call in Call::ALL {
        let api = Api::start().await;
        let others: Vec<_> = EVERY_SCOPE
            .split(' ')
            .filter(|scope| *scope != call.scope())
            .collect();
        let lacking = bearer(&api.token("alice", &others.join(" ")));
        let refused = call.send(&api.channel, &[&lacking]).await.expect_err("no scope");
        assert_eq!(refused.code(), Code::PermissionDenied, "{call:?}");
        let missing = format!(
            r#"Bearer realm="api", error="insufficient_scope", scope="{}""#,
            call.scope()
        );
        assert_eq!(text(&refused, "www-authenticate"), Some(&*missing), "{call:?}");

        let good = bearer(&api.token("alice", call.scope()));
        assert_eq!(call.code(&api.channel, &[&good]).await, Code::Ok, "{call:?}");
    }
}

#[tokio::test]
async fn no_method_takes_a_call_without_good_credentials() {
    let challenge = |error: Option<&str>| match error {
        None => r#"Bearer realm="api""#.to_owned(),
        Some(error) => format!(r#"Bearer realm="api", error="{error}""#),
    };
    for call in Call::ALL {
        let api = Api::start().await;
        let token = || api.issuer.issuer().token().scope(EVERY_SCOPE);
        let good = bearer(&token().build());
        let expired = bearer(&token().lifetime(-60).build());
        let forged = bearer(&token().tampered_payload().build());
        let elsewhere = bearer(&token().audience("https://other.test").build());
        for (credentials, error, message) in [
            (&[][..], None, "no credentials were sent"),
            (
                &[&*expired],
                Some("invalid_token"),
                "the credentials are not valid",
            ),
            (&[&forged], Some("invalid_token"), "the credentials are not valid"),
            (
                &[&elsewhere],
                Some("invalid_token"),
                "the credentials are not valid",
            ),
            (
                &[&good, &good],
                Some("invalid_request"),
                "the credentials cannot be read",
            ),
            (
                &["Bearer"],
                Some("invalid_request"),
                "the credentials cannot be read",
            ),
        ] {
            let refused = call.send(&api.channel, credentials).await.expect_err(message);
            assert_eq!(
                (refused.code(), refused.message()),
                (Code::Unauthenticated, message),
                "{call:?}"
            );
            assert_eq!(
                text(&refused, "www-authenticate"),
                Some(&*challenge(error)),
                "{call:?}"
            );
            assert_eq!(text(&refused, "cache-control"), Some("no-store"), "{call:?}");
        }
        assert_eq!(call.code(&api.channel, &[&good]).await, Code::Ok, "{call:?}");
    }
}

/// An outage is no reason to throw a good token away: 14, not 16, and the time to wait.
#[tokio::test]
async fn while_the_issuer_is_down_nothing_is_decided_and_nobody_let_in() {
    for call in Call::ALL {
        let api = Api::start_without_issuer().await;
        let good = bearer(&api.token("alice", EVERY_SCOPE));
        let refused = call.send(&api.channel, &[&good]).await.expect_err("no keys");
        assert_eq!(refused.code(), Code::Unavailable, "{call:?}");
        let wait = text(&refused, "grpc-retry-pushback-ms").map(str::parse::<u64>);
        assert!(matches!(wait, Some(Ok(1..))), "{call:?}: {wait:?}");
        assert_eq!(text(&refused, "www-authenticate"), None, "{call:?}");
        let anonymous = call.code(&api.channel, &[]).await;
        assert_eq!(anonymous, Code::Unauthenticated, "{call:?}");
    }
}

#[tokio::test]
async fn keys_that_are_known_outlive_their_issuer() {
    let api = Api::start().await;
    let good = bearer(&api.token("alice", EVERY_SCOPE));
    assert_eq!(Call::Get.code(&api.channel, &[&good]).await, Code::Ok);
    api.issuer.set_mode(Mode::Refused).await;
    assert_eq!(Call::Get.code(&api.channel, &[&good]).await, Code::Ok);
}

#[tokio::test]
async fn a_document_is_its_owners_and_the_admins() {
    let api = Api::start().await;
    let bob = bearer(&api.token("bob", EVERY_SCOPE));
    let token = api.issuer.issuer().token().subject("carol").scope(EVERY_SCOPE);
    let admin = bearer(&token.roles(["admin"]).build());
    let alice = bearer(&api.token("alice", EVERY_SCOPE));
    for call in [Call::Get, Call::Delete] {
        let refused = call.send(&api.channel, &[&bob]).await.expect_err("not his");
        assert_eq!(refused.code(), Code::PermissionDenied, "{call:?}");
        assert_eq!(text(&refused, "www-authenticate"), None, "no scope would help");
    }
    for caller in [&alice, &admin] {
        assert_eq!(Call::Get.code(&api.channel, &[caller]).await, Code::Ok);
    }
    assert_eq!(Call::Delete.code(&api.channel, &[&admin]).await, Code::Ok);
    assert_eq!(Call::Get.code(&api.channel, &[&alice]).await, Code::NotFound);
}

/// What a handler refuses looks like what the layer refuses: same fields, same form.
#[tokio::test]
async fn a_refusal_of_a_handler_carries_what_one_of_the_layer_carries() {
    let api = Api::start().await;
    let lacking = bearer(&api.token("alice", "profile"));
    let mut seen = Vec::new();
    for call in [Call::Get, Call::SignOut] {
        let refused = call.send(&api.channel, &[&lacking]).await.expect_err("no scope");
        let metadata = refused.metadata().clone().into_headers();
        let mut names: Vec<_> = metadata
            .iter()
            .map(|(name, _)| name.as_str().to_owned())
            .collect();
        names.sort();
        seen.push((refused.code(), refused.message().to_owned(), names));
    }
    assert_eq!(seen[0], seen[1]);
    let (_, _, names) = &seen[0];
    for name in ["cache-control", "vary", "www-authenticate"] {
        assert!(names.iter().any(|seen| seen == name), "{name}: {names:?}");
    }
}

#[tokio::test]
async fn whoever_signs_out_takes_their_own_tokens_back_and_nobody_elses() {
    let api = Api::start().await;
    let alice = bearer(&api.token("alice", EVERY_SCOPE));
    let token = api.issuer.issuer().token().subject("carol").scope(EVERY_SCOPE);
    let carol = bearer(&token.roles(["admin"]).build());
    sign_out(&api.channel, &[&alice]).await.expect("she may");
    assert_eq!(
        Call::Get.code(&api.channel, &[&alice]).await,
        Code::Unauthenticated
    );
    assert_eq!(Call::Get.code(&api.channel, &[&carol]).await, Code::Ok);
}

/// What was not revoked must not look as if it were.
#[tokio::test]
async fn a_sign_out_that_finds_no_room_says_so() {
    let full = MemoryRevocations::builder().capacity(0).build();
    let api = Api::with_revocations(full).await;
    let alice = bearer(&api.token("alice", EVERY_SCOPE));
    let refused = sign_out(&api.channel, &[&alice]).await.expect_err("no room");
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(Call::Get.code(&api.channel, &[&alice]).await, Code::Ok);
}
