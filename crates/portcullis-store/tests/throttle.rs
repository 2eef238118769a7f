//! Whoever guesses has to wait, and nobody else.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::time::Duration;

use portcullis_core::AuthErrorKind;
use portcullis_store::{MemoryStore, SignInThrottle, SignInThrottleBuilder};

use crate::throttled::{DAY, MINUTE, ONE, Scene, TWO};

#[allow(dead_code)] // Each test file uses its part.
#[path = "support/gated.rs"]
mod gated;
#[path = "support/throttled.rs"]
mod throttled;

#[tokio::test]
async fn ten_attempts_from_an_address_pass_within_a_minute_and_the_eleventh_waits() {
    let scene = Scene::new();
    for account in 0..10 {
        scene.fails(ONE, &format!("user-{account}")).await;
        scene.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(scene.waits(ONE, "another").await, Duration::from_secs(50));
    scene.fails(TWO, "another").await;
    scene.clock.advance(Duration::from_secs(49));
    assert_eq!(scene.waits(ONE, "another").await, Duration::from_secs(1));
    scene.clock.advance(Duration::from_secs(1));
    scene.fails(ONE, "another").await;
    assert_eq!(scene.waits(ONE, "another").await, Duration::from_secs(1));
}

/// T-RATE-2
#[tokio::test]
async fn the_64_leading_bits_of_an_ipv6_address_are_one_source() {
    let scene = Scene::new();
    for number in 0..10 {
        scene
            .fails(&format!("2001:db8:0:1::{number}"), &format!("user-{number}"))
            .await;
    }
    scene.waits("2001:db8:0:1:ffff:ffff:ffff:ffff", "another").await;
    scene.fails("2001:db8:0:2::", "another").await;
}

/// T-RATE-2
#[tokio::test]
async fn fewer_bits_are_one_source_where_that_is_configured() {
    let scene = Scene::with(|builder| builder.ipv6_prefix(48));
    for number in 0..10 {
        scene
            .fails(&format!("2001:db8:0:{number}::"), &format!("user-{number}"))
            .await;
    }
    scene.waits("2001:db8:0:ffff::", "another").await;
    scene.fails("2001:db8:1::", "another").await;
}

/// T-RATE-2
#[tokio::test]
async fn an_ipv4_address_in_its_ipv6_form_is_the_same_source_and_others_are_not() {
    let scene = Scene::new();
    for number in 0..10 {
        scene.fails(ONE, &format!("user-{number}")).await;
    }
    scene.waits("::ffff:192.0.2.1", "another").await;
    scene.fails("::ffff:192.0.2.2", "another").await;
}

#[tokio::test]
async fn five_failures_pass_and_from_there_on_each_doubles_the_wait_up_to_an_hour() {
    let scene = Scene::new();
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    for minutes in [5, 10, 20, 40, 60, 60] {
        assert_eq!(scene.waits(ONE, "alice").await, MINUTE * minutes);
        scene.clock.advance(MINUTE * minutes - Duration::from_secs(1));
        assert_eq!(scene.waits(ONE, "alice").await, Duration::from_secs(1));
        scene.clock.advance(Duration::from_secs(1));
        scene.fails(ONE, "alice").await;
    }
}

#[tokio::test]
async fn another_source_and_another_account_do_not_wait() {
    let scene = Scene::new();
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    scene.waits(ONE, "alice").await;
    scene.fails(TWO, "alice").await;
    scene.fails(ONE, "bob").await;
}

#[tokio::test]
async fn few_failures_are_forgotten_after_five_minutes_and_many_after_a_day() {
    let scene = Scene::new();
    for _ in 0..3 {
        for _ in 0..4 {
            scene.fails(ONE, "alice").await;
        }
        scene.clock.advance(MINUTE * 5);
    }
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    scene.clock.advance(MINUTE * 5);
    scene.fails(ONE, "alice").await;
    assert_eq!(scene.waits(ONE, "alice").await, MINUTE * 10);
    scene.clock.advance(DAY);
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    assert_eq!(scene.waits(ONE, "alice").await, MINUTE * 5);
}

/// T-RATE-3
#[tokio::test]
async fn a_success_ends_the_row_of_that_account_and_of_no_other() {
    let scene = Scene::new();
    for _ in 0..4 {
        scene.fails(ONE, "alice").await;
    }
    scene.clock.advance(MINUTE);
    scene.succeeds(ONE, "mallory").await;
    scene.fails(ONE, "alice").await;
    scene.waits(ONE, "alice").await;

    let scene = Scene::new();
    for _ in 0..4 {
        scene.fails(ONE, "alice").await;
    }
    scene.succeeds(ONE, "alice").await;
    scene.clock.advance(MINUTE);
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    scene.waits(ONE, "alice").await;
}

/// T-RATE-3
#[tokio::test]
async fn successes_give_nothing_back_to_the_address() {
    let scene = Scene::new();
    for number in 0..5 {
        scene.fails(ONE, &format!("user-{number}")).await;
        scene.succeeds(ONE, "mallory").await;
    }
    assert_eq!(scene.waits(ONE, "mallory").await, MINUTE);
    assert_eq!(scene.waits(ONE, "alice").await, MINUTE);
}

#[tokio::test]
async fn after_a_hundred_failures_from_wherever_an_account_is_shut_for_a_day() {
    let scene = Scene::new();
    scene.fails_from_everywhere(100, "alice").await;
    assert_eq!(scene.waits(ONE, "alice").await, DAY);
    scene.fails(ONE, "bob").await;
    scene.clock.advance(DAY - MINUTE);
    scene.waits(ONE, "alice").await;
    scene.clock.advance(MINUTE);
    scene.fails(ONE, "alice").await;
}

#[tokio::test]
async fn a_shut_account_is_open_where_it_was_signed_in_to_before() {
    let scene = Scene::new();
    scene.succeeds(ONE, "alice").await;
    scene.succeeds(TWO, "bob").await;
    scene.fails_from_everywhere(100, "alice").await;
    scene.waits(TWO, "alice").await;
    scene.succeeds(ONE, "alice").await;
    scene.fails(TWO, "alice").await;
}

#[tokio::test]
async fn a_familiar_source_has_to_wait_as_any_other_and_is_strange_again_after_30_days() {
    let scene = Scene::new();
    scene.succeeds(ONE, "alice").await;
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    scene.waits(ONE, "alice").await;
    scene.clock.advance(DAY * 29);
    scene.fails_from_everywhere(100, "alice").await;
    scene.fails(ONE, "alice").await;
    scene.clock.advance(DAY - MINUTE);
    scene.fails(ONE, "alice").await;
    scene.clock.advance(MINUTE);
    scene.waits(ONE, "alice").await;
}

#[tokio::test]
async fn a_success_and_a_release_end_the_row_of_the_whole_account() {
    for release in [false, true] {
        let scene = Scene::new();
        scene.fails_from_everywhere(99, "alice").await;
        if release {
            scene.throttle.release("alice").await.expect("it answers");
        } else {
            scene.succeeds(TWO, "alice").await;
        }
        scene.fails(ONE, "alice").await;
        scene.fails("198.51.100.1", "alice").await;
    }
    let scene = Scene::new();
    scene.fails_from_everywhere(99, "alice").await;
    scene.fails(ONE, "alice").await;
    scene.waits("198.51.100.1", "alice").await;
    scene.throttle.release("bob").await.expect("it answers");
    scene.waits("198.51.100.1", "alice").await;
    scene.throttle.release("alice").await.expect("it answers");
    scene.fails("198.51.100.1", "alice").await;
}

#[tokio::test]
async fn names_out_of_bounds_are_invalid_requests_and_count_nothing() {
    let scene = Scene::new();
    for account in [String::new(), "x".repeat(257), "ü".repeat(129)] {
        let refused = scene.refusal(&account).await;
        assert_eq!(
            refused,
            (AuthErrorKind::InvalidRequest, "account_name_out_of_bounds")
        );
    }
    assert!(scene.store.memory().is_empty());
    let longest = "x".repeat(256);
    for _ in 0..5 {
        scene.fails("2001:db8::1", &longest).await;
    }
    scene.waits("2001:db8::1", &longest).await;
    scene.fails("2001:db8::1", &"x".repeat(255)).await;
}

/// A familiar source may go on at a shut account, but not for ever.
#[tokio::test]
async fn after_as_many_failures_an_account_is_shut_for_a_familiar_source_too() {
    let scene = Scene::with(|builder| builder.stop_after(6));
    scene.succeeds(ONE, "alice").await;
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    assert_eq!(scene.waits(ONE, "alice").await, MINUTE * 5);
    scene.clock.advance(MINUTE * 5);
    scene.fails(ONE, "alice").await;
    assert_eq!(scene.waits(ONE, "alice").await, DAY);
}

#[test]
fn settings_that_protect_nothing_are_mistakes() {
    type Configure = fn(SignInThrottleBuilder) -> SignInThrottleBuilder;
    let builder = || SignInThrottle::builder(MemoryStore::new());
    let sound: [Configure; 5] = [
        |b| b.attempts(1_000, DAY),
        |b| b.failures(1, MINUTE).longest_wait(MINUTE).remember(MINUTE),
        |b| b.failures(3, MINUTE).stop_after(3),
        |b| b.familiar_for(Duration::ZERO),
        |b| b.ipv6_prefix(32),
    ];
    for configure in sound {
        assert!(configure(builder()).build().is_ok());
    }
    let mistakes: [Configure; 14] = [
        |b| b.attempts(0, MINUTE),
        |b| b.attempts(1_001, MINUTE),
        |b| b.attempts(10, Duration::ZERO),
        |b| b.attempts(10, DAY * 367),
        |b| b.failures(0, MINUTE),
        |b| b.failures(5, Duration::ZERO),
        |b| b.failures(101, MINUTE),
        |b| b.failures(4, MINUTE).stop_after(3),
        |b| b.stop_after(101),
        |b| b.longest_wait(MINUTE),
        |b| b.remember(MINUTE * 59),
        |b| b.remember(DAY * 367),
        |b| b.familiar_for(DAY * 367),
        |b| b.ipv6_prefix(65),
    ];
    for (number, configure) in mistakes.into_iter().enumerate() {
        assert!(configure(builder()).build().is_err(), "{number}");
    }
}

/// An instance whose clock was a year ahead counted some failures. Nobody waits for that year.
#[tokio::test]
async fn failures_from_the_far_future_are_not_waited_for() {
    let scene = Scene::new();
    scene.clock.set_wall(1_000_000 + 365 * 86_400);
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    scene.fails_from_everywhere(95, "alice").await;
    scene.clock.set_wall(1_000_000);
    scene.fails(ONE, "alice").await;
    scene.fails(TWO, "alice").await;
}

/// The same by less than failures are remembered for: a clock that is set back by a little forgets nothing.
#[tokio::test]
async fn failures_from_the_near_future_count() {
    let scene = Scene::new();
    scene.clock.set_wall(1_000_000 + 60);
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    scene.clock.set_wall(1_000_000);
    scene.waits(ONE, "alice").await;
}
