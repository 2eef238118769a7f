use std::sync::Mutex;

use super::*;

const ISSUER: &str = "https://issuer.example";

/// A clock that is set by hand.
#[derive(Clone, Debug, Default)]
struct Hand(Arc<Mutex<u64>>);

impl Hand {
    fn set(&self, seconds: u64) {
        *self.0.lock().expect("lock") = seconds;
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(*self.0.lock().expect("lock"))
    }

    fn monotonic(&self) -> Duration {
        self.now().since_epoch()
    }
}

const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn token<'a>(id: &'a str, subject: &'a str, issued_at: u64) -> TokenId<'a> {
    TokenId::new(ISSUER, id, Some(subject), at(issued_at))
}

/// T-REV-1
#[test]
fn a_token_is_revoked_by_issuer_and_id_and_no_other_is() {
    let list = MemoryRevocations::new();
    list.revoke(ISSUER, "a", at(100)).expect("room");
    assert_eq!(list.is_revoked(&token("a", "alice", 1)), Ok(true));
    for other in [
        token("b", "alice", 1),
        token("A", "alice", 1),
        token("alice", "a", 1),
        TokenId::new("https://other.example", "a", Some("alice"), at(1)),
    ] {
        assert_eq!(list.is_revoked(&other), Ok(false), "{other:?}");
    }
}

/// T-REV-1
#[test]
fn a_subject_is_revoked_up_to_an_instant_that_second_included() {
    let list = MemoryRevocations::new();
    list.revoke_before(ISSUER, "alice", at(100)).expect("room");
    for (issued_at, revoked) in [(99, true), (100, true), (101, false)] {
        assert_eq!(
            list.is_revoked(&token("a", "alice", issued_at)),
            Ok(revoked),
            "{issued_at}"
        );
        assert_eq!(list.is_revoked(&token("a", "bob", issued_at)), Ok(false));
    }
    assert_eq!(
        list.is_revoked(&TokenId::new(ISSUER, "alice", None, at(1))),
        Ok(false),
        "a token id is no subject"
    );
    list.revoke_before(ISSUER, "alice", at(50)).expect("known");
    assert_eq!(
        list.is_revoked(&token("a", "alice", 100)),
        Ok(true),
        "an earlier instant takes nothing back"
    );
}

#[test]
fn a_full_list_refuses_and_forgets_nothing_that_still_matters() {
    let clock = Hand::default();
    let list = MemoryRevocations::builder()
        .capacity(2)
        .clock(clock.clone())
        .build();
    list.revoke(ISSUER, "a", at(1_000)).expect("room");
    list.revoke_before(ISSUER, "alice", at(10)).expect("room");
    assert_eq!(list.revoke(ISSUER, "b", at(1_000)), Err(RevocationsFull));
    assert_eq!(list.is_revoked(&token("b", "bob", 1)), Ok(false));
    list.revoke(ISSUER, "a", at(2_000)).expect("known already");

    for (now, room) in [(2_000, false), (2_299, false), (2_300, true)] {
        clock.set(now);
        assert_eq!(list.revoke(ISSUER, "c", at(9_000)).is_ok(), room, "{now}");
    }
    assert_eq!(list.len(), 2);
    assert_eq!(
        list.is_revoked(&token("x", "alice", 10)),
        Ok(true),
        "subjects stay"
    );
}

#[test]
fn a_subject_goes_only_when_its_tokens_cannot_live_any_more() {
    let clock = Hand::default();
    let list = MemoryRevocations::builder()
        .capacity(1)
        .longest_token(Duration::from_secs(3_600))
        .clock(clock.clone())
        .build();
    list.revoke_before(ISSUER, "alice", at(100)).expect("room");
    clock.set(100 + 3_600 + 299);
    assert_eq!(list.revoke_before(ISSUER, "bob", at(1)), Err(RevocationsFull));
    clock.set(100 + 3_600 + 301);
    assert_eq!(list.revoke_before(ISSUER, "bob", at(1)), Ok(()));
}

/// T-REV-1: a copy that may lack a revocation does not say "not revoked".
#[test]
fn a_copy_that_is_too_old_is_undecided_except_for_what_it_knows() {
    let clock = Hand::default();
    let list = MemoryRevocations::builder()
        .max_lag(Duration::from_secs(5))
        .clock(clock.clone())
        .build();
    let fine = token("fine", "bob", 1);
    assert_eq!(
        list.is_revoked(&fine),
        Err(Unavailable::new(None)),
        "never confirmed"
    );
    list.revoke(ISSUER, "a", at(1_000)).expect("room");
    list.confirm(Duration::from_secs(0));
    for (now, known) in [(5, true), (6, false)] {
        clock.set(now);
        assert_eq!(list.is_revoked(&fine).is_ok(), known, "{now}");
        assert_eq!(list.is_revoked(&token("a", "bob", 1)), Ok(true), "{now}");
    }
    list.confirm(Duration::from_secs(4));
    assert_eq!(list.is_revoked(&fine), Ok(false));
    list.confirm(Duration::from_secs(0));
    assert_eq!(
        list.is_revoked(&fine),
        Ok(false),
        "an older confirmation changes nothing"
    );
}

#[test]
fn parallel_revocations_fill_the_list_exactly() {
    let list = MemoryRevocations::builder().capacity(100).build();
    let refused = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let list = list.clone();
                scope.spawn(move || {
                    let revoke = |n: i32| list.revoke(ISSUER, &format!("{thread}-{n}"), at(u64::MAX / 2));
                    (0..50).filter(|n| revoke(*n).is_err()).count()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .sum::<usize>()
    });
    assert_eq!((list.len(), refused), (100, 100));
}

/// Issuers are names like any other: those of revocations that were refused room take none.
#[test]
fn a_full_list_takes_up_no_names() {
    let clock = Hand::default();
    let list = MemoryRevocations::builder()
        .capacity(2)
        .clock(clock.clone())
        .build();
    let issuers = || -> usize {
        let shards = list.0.shards.iter();
        shards.map(|shard| shard.read().expect("no panic").len()).sum()
    };
    for number in 0..100 {
        let _ = list.revoke(&format!("https://{number}.example"), "a", at(0));
    }
    assert_eq!((list.len(), issuers()), (2, 2));
    clock.set(300);
    list.revoke(ISSUER, "a", at(600)).expect("room");
    assert_eq!((list.len(), issuers()), (1, 1), "nor do those of dropped ones");
}

#[test]
fn each_revocation_that_holds_is_told_and_none_that_was_refused() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let heard = Arc::clone(&heard);
        move |event: &AuditEvent<'_>| {
            let told = (event.kind(), event.reason(), event.subject().map(str::to_owned));
            heard.lock().expect("lock").push(told);
        }
    };
    let list = MemoryRevocations::builder().capacity(2).audit(sink).build();
    list.revoke(ISSUER, "a", at(u64::MAX)).expect("room");
    list.revoke_before(ISSUER, "alice", at(5)).expect("room");
    list.revoke(ISSUER, "b", at(u64::MAX)).expect_err("full");
    let revoked =
        |reason, subject: Option<&str>| (AuditKind::Revoked, Some(reason), subject.map(str::to_owned));
    assert_eq!(
        *heard.lock().expect("lock"),
        [
            revoked("token_revoked", None),
            revoked("subject_revoked", Some("alice"))
        ]
    );
}
