use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const ERROR: JwksFetchErrorKind = JwksFetchErrorKind::Status(500);

fn held(at: u64, max_age: Option<u64>) -> Cache<&'static str> {
    let mut cache = Cache::new();
    cache.start(s(at));
    cache.replace(s(at), "keys", None, max_age.map(s), 0.0);
    cache
}

/// Rule 1
#[test]
fn freshness_is_clamped_and_has_a_default() {
    for (said, fresh_for) in [
        (None, 600),
        (Some(0), 300),
        (Some(60), 300),
        (Some(300), 300),
        (Some(1000), 1000),
        (Some(3600), 3600),
        (Some(86_400), 3600),
    ] {
        let cache = held(0, said);
        assert_eq!(
            cache.state(s(fresh_for) - Duration::from_nanos(1)),
            KeyState::Due,
            "{said:?}"
        );
        assert_eq!(cache.state(s(fresh_for)), KeyState::Stale, "{said:?}");
    }
}

/// Rule 1
#[test]
fn a_set_goes_through_every_state_in_time() {
    let cache = held(100, None);
    for (at, state) in [
        (100, KeyState::Fresh),
        (579, KeyState::Fresh),
        (580, KeyState::Due),
        (699, KeyState::Due),
        (700, KeyState::Stale),
        (4299, KeyState::Stale),
        (4300, KeyState::Dead),
    ] {
        assert_eq!(cache.state(s(at)), state, "{at}");
        assert_eq!(cache.usable(s(at)).is_some(), state.is_ready(), "{at}");
        assert_eq!(cache.wants_refresh(s(at)), state != KeyState::Fresh, "{at}");
    }
    assert_eq!(Cache::<()>::new().state(s(0)), KeyState::Empty);
}

/// Rule 1
#[test]
fn jitter_makes_a_set_due_earlier_never_later() {
    for (jitter, due) in [
        (0.0, 480),
        (0.5, 450),
        (1.0, 420),
        (7.0, 420),
        (f64::NAN, 480),
        (-1.0, 480),
    ] {
        let mut cache = Cache::new();
        cache.replace(s(0), (), None, None, jitter);
        assert_eq!(cache.state(s(due)), KeyState::Due, "{jitter}");
        assert_eq!(
            cache.state(s(due) - Duration::from_millis(1)),
            KeyState::Fresh,
            "{jitter}"
        );
    }
}

/// Rule 4
#[test]
fn an_unknown_key_starts_an_attempt_thirty_seconds_after_the_last_one_started() {
    let mut cache = held(0, None);
    assert_eq!(cache.wish_for_newer(s(29)), Wish::Pointless);
    assert_eq!(cache.wish_for_newer(s(30)), Wish::Start);
    cache.start(s(30));
    assert_eq!(cache.wish_for_newer(s(31)), Wish::Join);
    cache.replace(s(34), "newer", None, None, 0.0);
    assert_eq!(
        cache.wish_for_newer(s(59)),
        Wish::Pointless,
        "counted from the start"
    );
    assert_eq!(cache.wish_for_newer(s(60)), Wish::Start);
}

/// Rule 4: a failed attempt counts too, and leaves the verdict open.
#[test]
fn after_a_failure_an_unknown_key_is_neither_known_nor_unknown() {
    let mut cache = held(0, None);
    cache.start(s(100));
    cache.fail(s(105), ERROR, None, 0.0);
    assert_eq!(cache.wish_for_newer(s(110)), Wish::Unavailable(s(20)));
    assert_eq!(cache.wish_for_newer(s(130)), Wish::Start);
    assert_eq!(cache.usable(s(110)), Some(&"keys"), "known keys go on");
}

/// Rules 3 and 8
#[test]
fn empty_and_dead_wait_for_an_attempt_unless_it_is_held_back() {
    for mut cache in [Cache::new(), held(0, None)] {
        let now = s(100_000);
        assert_eq!(cache.wish_for_any(now), Wish::Start);
        assert_eq!(cache.wish_for_newer(now), Wish::Start);
        cache.start(now);
        assert_eq!(cache.wish_for_any(now), Wish::Join);
        cache.fail(now, ERROR, Some(s(7)), 0.0);
        assert_eq!(cache.wish_for_any(now), Wish::Unavailable(s(7)));
        assert_eq!(cache.wish_for_newer(now), Wish::Unavailable(s(7)));
        assert_eq!(cache.wish_for_any(now + s(7)), Wish::Start);
    }
}

/// Rule 6
#[test]
fn back_off_doubles_to_a_minute_with_full_jitter() {
    let mut cache = Cache::<()>::new();
    for (failures, ceiling) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        let mut low = Cache::<()> {
            failures: cache.failures,
            ..Cache::new()
        };
        low.fail(s(0), ERROR, None, 0.0);
        assert_eq!(low.held_back(s(0)), s(1), "never at once");
        cache.fail(s(0), ERROR, None, 1.0);
        assert_eq!(cache.held_back(s(0)), s(ceiling), "failure {failures}");
        assert!(!cache.may_attempt(s(ceiling) - Duration::from_nanos(1)));
        assert!(cache.may_attempt(s(ceiling)));
    }
    cache.failures = u32::MAX;
    cache.fail(s(0), ERROR, None, 1.0);
    assert_eq!(cache.held_back(s(0)), s(60));
}

/// Rule 6
#[test]
fn retry_after_is_honoured_up_to_five_minutes() {
    for (asked, waits) in [(0, 1), (90, 90), (300, 300), (86_400, 300)] {
        let mut cache = Cache::<()>::new();
        cache.fail(s(0), ERROR, Some(s(asked)), 0.0);
        assert_eq!(cache.held_back(s(0)), s(waits));
    }
}

/// Rule 7
#[test]
fn success_replaces_everything_and_forgets_failures() {
    let mut cache = held(0, None);
    cache.fail(s(500), ERROR, Some(s(300)), 0.0);
    assert_eq!((cache.failures(), cache.last_error()), (1, Some(ERROR)));
    cache.start(s(800));
    let validator = Validator {
        address: Uri::from_static("https://issuer.example/jwks"),
        etag: HeaderValue::from_static("\"e\""),
    };
    cache.replace(s(801), "other", Some(validator), None, 0.0);
    assert_eq!(cache.usable(s(801)), Some(&"other"));
    assert_eq!(
        (cache.failures(), cache.last_error(), cache.held_back(s(801))),
        (0, None, s(0))
    );
    assert!(cache.validator().is_some() && !cache.is_in_flight());
    assert_eq!(cache.age(s(811)), Some(s(10)));
}

#[test]
fn a_confirmation_renews_the_time_of_the_same_value() {
    let mut cache = held(0, None);
    cache.start(s(590));
    cache.confirm(s(590), Some(s(900)), 0.0);
    assert_eq!(cache.state(s(1300)), KeyState::Fresh);
    let mut empty = Cache::<()>::new();
    empty.start(s(0));
    empty.confirm(s(0), None, 0.0);
    assert_eq!(empty.state(s(0)), KeyState::Empty);
    assert!(!empty.is_in_flight());
}

/// Rule 9
#[test]
fn an_imported_value_is_stale_and_dies_when_it_would_have_died_elsewhere() {
    for (age, fresh_for, left) in [
        (0, 600, 4200),
        (599, 600, 3601),
        (4199, 600, 1),
        (0, 86_400, 7200),
    ] {
        let mut cache = Cache::new();
        assert!(cache.import(s(50), "keys", s(age), s(fresh_for)));
        assert_eq!(cache.state(s(50)), KeyState::Stale);
        assert!(cache.wants_refresh(s(50)), "at once");
        assert_eq!(cache.validator(), None);
        assert_eq!(cache.age(s(60)), Some(s(age + 10)));
        let last = s(50 + left) - Duration::from_nanos(1);
        assert_eq!(cache.usable(last), Some(&"keys"), "{age} {fresh_for}");
        assert_eq!(cache.usable(s(50 + left)), None, "{age} {fresh_for}");
        assert_eq!(cache.export(last).is_some(), cache.usable(last).is_some());
        assert_eq!(cache.export(s(50 + left)), None);
    }
}

/// Rule 9
#[test]
fn a_value_that_is_dead_is_not_imported() {
    for (age, fresh_for) in [
        (s(4200), s(600)),
        (s(7200), Duration::MAX),
        (Duration::MAX, Duration::MAX),
    ] {
        let mut cache = Cache::new();
        assert!(!cache.import(s(50), "keys", age, fresh_for));
        assert_eq!(cache.state(s(50)), KeyState::Empty);
    }
}

/// Rules 7 and 9
#[test]
fn a_success_replaces_what_was_imported_and_its_age() {
    let mut cache = Cache::new();
    assert!(cache.import(s(50), "old", s(4000), s(600)));
    cache.start(s(50));
    cache.replace(s(51), "new", None, Some(s(1000)), 0.0);
    assert_eq!(cache.export(s(60)), Some((&"new", s(9), s(1000))));
    assert_eq!(cache.state(s(51)), KeyState::Fresh);
}
