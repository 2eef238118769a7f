//! What every [`RingStore`] has to hold.
//!
//! ```
//! use portcullis_jwks::contract;
//!
//! # async fn example<S: portcullis_jwks::RingStore>(open: impl Fn() -> S) {
//! // In a test of your own store, inside a multi-threaded tokio runtime. Each call of `open` makes another
//! // handle on one and the same store, which is empty at first.
//! let kept = contract::check(open).await;
//! assert!(kept.is_ok(), "{kept:?}");
//! # }
//! ```
//!
//! # What this does not check
//!
//! That an answer survives a crash, and that nobody else can read what is kept: both need more than a
//! handle.

use std::fmt;
use std::sync::Arc;

use portcullis_core::Secret;
use tokio::task::JoinSet;

use crate::{Replaced, RingStore, RingStoreError, RingVersion, StoredRing};

const WRITERS: u8 = 8;
const ROUNDS: usize = 16;

/// The rules that were broken, as sentences that were expected to be true.
#[derive(Debug)]
pub struct Violations(Vec<Violation>);

#[derive(Debug)]
struct Violation {
    rule: &'static str,
    found: String,
}

impl Violations {
    /// The rules that were broken.
    pub fn rules(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|violation| violation.rule)
    }

    fn expect(&mut self, rule: &'static str, holds: bool, found: impl fmt::Debug) {
        if !holds {
            let found = format!("{found:?}");
            self.0.push(Violation { rule, found });
        }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store breaks the contract")?;
        for violation in &self.0 {
            write!(f, "; {}, but: {}", violation.rule, violation.found)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// Runs every rule against one store, which is empty at first and of which each call of `open` makes a
/// handle. Runs inside a tokio runtime; with several threads, races are real ones.
///
/// # Errors
///
/// The rules that were broken.
pub async fn check<S: RingStore>(open: impl Fn() -> S) -> Result<(), Violations> {
    let mut violations = Violations(Vec::new());
    if let Err(error) = run(&open, &mut violations).await {
        violations.expect("the store answers", false, error);
    }
    if violations.0.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

async fn run<S: RingStore>(open: &impl Fn() -> S, violations: &mut Violations) -> Result<(), RingStoreError> {
    creation(open, violations).await?;
    succession(open, violations).await?;
    interleaving(open, violations).await?;
    for _ in 0..ROUNDS {
        race(open, violations).await?;
    }
    Ok(())
}

/// A value that tells a whole from a part: one byte, many times.
fn value(mark: u8) -> Secret<Vec<u8>> {
    Secret::new(vec![mark; 64 * 1024 + usize::from(mark)])
}

fn mark_of(stored: &StoredRing) -> Option<u8> {
    let bytes = stored.bytes().expose();
    let mark = *bytes.first()?;
    (*bytes == *value(mark).expose()).then_some(mark)
}

async fn creation<S: RingStore>(
    open: &impl Fn() -> S,
    violations: &mut Violations,
) -> Result<(), RingStoreError> {
    let (one, two) = (open(), open());
    let empty = one.load().await?;
    violations.expect("a new store is empty", empty.is_none(), &empty);
    let early = one.replace(Some(RingVersion::new(1)), value(9)).await?;
    let refused = early == Replaced::Conflict;
    violations.expect("nothing is replaced where nothing is", refused, early);
    let created = one.replace(None, value(1)).await?;
    let done = matches!(created, Replaced::Done(_));
    violations.expect("the first value is created", done, created);
    let again = two.replace(None, value(2)).await?;
    let refused = again == Replaced::Conflict;
    violations.expect("a value is created once", refused, again);
    found(&two, created, 1, violations).await
}

/// What was written is found, under the version that was returned.
async fn found<S: RingStore>(
    store: &S,
    written: Replaced,
    mark: u8,
    violations: &mut Violations,
) -> Result<(), RingStoreError> {
    let loaded = store.load().await?;
    let version = loaded.as_ref().map(StoredRing::version);
    let same = matches!(written, Replaced::Done(written) if Some(written) == version);
    violations.expect("a value is found under its version", same, (written, version));
    let whole = loaded.as_ref().and_then(mark_of) == Some(mark);
    violations.expect("what was written last is found whole", whole, version);
    Ok(())
}

async fn succession<S: RingStore>(
    open: &impl Fn() -> S,
    violations: &mut Violations,
) -> Result<(), RingStoreError> {
    let (one, two) = (open(), open());
    let Some(first) = one.load().await?.map(|stored| stored.version()) else {
        return Ok(());
    };
    let mut last = first;
    // More than a store keeps, so that it has tidied up.
    for mark in 10..20 {
        let next = one.replace(Some(last), value(mark)).await?;
        found(&two, next, mark, violations).await?;
        let Replaced::Done(next) = next else {
            violations.expect("the last version is replaced", false, last);
            return Ok(());
        };
        violations.expect("a later version is greater", next > last, (last, next));
        let stale = two.replace(Some(last), value(99)).await?;
        let refused = stale == Replaced::Conflict;
        violations.expect("a version is replaced once", refused, (last, stale));
        last = next;
    }
    for expected in [None, Some(first), Some(RingVersion::new(last.number() + 1))] {
        let stale = two.replace(expected, value(99)).await?;
        let refused = stale == Replaced::Conflict;
        violations.expect("only the last version is replaced", refused, (expected, stale));
    }
    found(&one, Replaced::Done(last), 19, violations).await
}

/// Two writers that have both seen the same value before either writes.
async fn interleaving<S: RingStore>(
    open: &impl Fn() -> S,
    violations: &mut Violations,
) -> Result<(), RingStoreError> {
    let (one, two) = (open(), open());
    let seen_by_one = one.load().await?.map(|stored| stored.version());
    let seen_by_two = two.load().await?.map(|stored| stored.version());
    let same = seen_by_one == seen_by_two;
    violations.expect("two readers see one version", same, (seen_by_one, seen_by_two));
    let first = two.replace(seen_by_two, value(31)).await?;
    let second = one.replace(seen_by_one, value(32)).await?;
    let one_won = matches!(first, Replaced::Done(_)) && second == Replaced::Conflict;
    violations.expect("of two writers exactly one is done", one_won, (first, second));
    found(&one, first, 31, violations).await
}

/// Many writers at once, and a reader that must never see a part.
async fn race<S: RingStore>(
    open: &impl Fn() -> S,
    violations: &mut Violations,
) -> Result<(), RingStoreError> {
    let reader = open();
    let seen = reader.load().await?.map(|stored| stored.version());
    let barrier = Arc::new(tokio::sync::Barrier::new(usize::from(WRITERS)));
    let mut writers = JoinSet::new();
    for mark in 40..40 + WRITERS {
        let (store, barrier) = (open(), Arc::clone(&barrier));
        writers.spawn(async move {
            barrier.wait().await;
            (mark, store.replace(seen, value(mark)).await)
        });
    }
    let mut winners = Vec::new();
    while let Some(finished) = writers.join_next().await {
        let stored = reader.load().await?;
        let whole = stored.as_ref().is_some_and(|stored| mark_of(stored).is_some());
        violations.expect("a value is never seen in part", whole, seen);
        match finished {
            Ok((mark, Ok(done @ Replaced::Done(_)))) => winners.push((mark, done)),
            Ok((_, Ok(Replaced::Conflict))) => {}
            Ok((_, Err(error))) => return Err(error),
            Err(error) => violations.expect("a writer does not panic", false, error),
        }
    }
    let exactly_one = winners.len() == 1;
    violations.expect("of many writers exactly one is done", exactly_one, &winners);
    if let Some((mark, done)) = winners.first() {
        found(&reader, *done, *mark, violations).await?;
    }
    Ok(())
}
