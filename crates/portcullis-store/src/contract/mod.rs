//! What every [`RecordStore`] has to hold.
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_core::Timestamp;
//! use portcullis_store::{RecordStore, contract};
//!
//! # async fn example<S: RecordStore + Clone>(store: S, clock: portcullis_test::ManualClock) {
//! // In a test of your own store, inside a multi-threaded tokio runtime.
//! #[derive(Debug)]
//! struct Mine<S>(S, portcullis_test::ManualClock);
//!
//! #[async_trait::async_trait]
//! impl<S: RecordStore + Clone> contract::Backend for Mine<S> {
//!     type Store = S;
//!
//!     async fn open(&self) -> S {
//!         self.0.clone()
//!     }
//!
//!     async fn now(&self) -> Timestamp {
//!         portcullis_core::Clock::now(&self.1)
//!     }
//!
//!     async fn pass(&self, duration: Duration) {
//!         self.1.advance(duration) // or sleeps, where the clock is a server's
//!     }
//! }
//!
//! let kept = contract::check(&Mine(store, clock)).await;
//! assert!(kept.is_ok(), "{kept:?}");
//! # }
//! ```
//!
//! # What this does not check
//!
//! Bounds, which are each store's own; what a crash in the middle of a write leaves behind; and who else can read
//! what is kept.

mod changes;
mod expiry;
mod faults;
mod log;
mod once;
mod owners;
mod violations;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::Timestamp;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

pub use self::violations::Violations;
use crate::changes::ChangeLog;
use crate::{
    Kind, NewRecord, Owner, Payload, Record, RecordKey, RecordStore, Replacement, StoreError, StoreErrorKind,
    Version,
};

const KIND: Kind = Kind::new("contract");
/// Longer than the whole run, however slow the store.
const LONG: Duration = Duration::from_secs(3_600);
/// What passes while a record expires. A store with a clock of its own sleeps for it.
const SHORT: Duration = Duration::from_millis(1_500);
const TOGETHER: usize = 64;

/// A store as the contract gets hold of it: how it is opened, how its time passes, and how it fails.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// What is tested.
    type Store: RecordStore;

    /// Another handle on one and the same store, which is empty at first: where several instances share a store,
    /// another connection to it.
    async fn open(&self) -> Self::Store;

    /// The time on the clock by which the store expires records.
    async fn now(&self) -> Timestamp;

    /// Lets so much time pass on that clock, or a little more.
    async fn pass(&self, duration: Duration);

    /// Ends the store and starts it again, as a deployment does, and returns whether it did. `false` for a store
    /// that does not promise to outlive its process.
    async fn restart(&self) -> bool {
        false
    }

    /// Makes the store unreachable for every handle, those that are open included, and returns whether it did.
    async fn disconnect(&self) -> bool {
        false
    }

    /// Makes it reachable again.
    async fn reconnect(&self) {}
}

/// Runs every rule against one store. With several threads, races are real ones. Where time is real, it takes
/// some ten seconds.
///
/// # Errors
///
/// The rules that were broken.
pub async fn check<B: Backend>(backend: &B) -> Result<(), Violations> {
    let mut run = Run::new(backend, "contract");
    if let Err(error) = run.all().await {
        run.expect("the store answers", false, error);
    }
    run.violations.into_result()
}

/// Runs every rule of a [log of changes](ChangeLog) against a store that keeps one. The store need not be empty.
///
/// # Errors
///
/// The rules that were broken.
pub async fn check_log<B>(backend: &B) -> Result<(), Violations>
where
    B: Backend,
    B::Store: ChangeLog,
{
    let mut run = Run::new(backend, "log");
    if let Err(error) = log::check(&mut run).await {
        run.expect("the log answers", false, error);
    }
    run.violations.into_result()
}

struct Run<'a, B> {
    backend: &'a B,
    violations: Violations,
    /// What the names of its keys and owners begin with.
    prefix: &'static str,
    names: AtomicU64,
}

/// A store that does not answer ends the run.
type Done = Result<(), StoreError>;

impl<'a, B: Backend> Run<'a, B> {
    fn new(backend: &'a B, prefix: &'static str) -> Self {
        Self {
            backend,
            violations: Violations::default(),
            prefix,
            names: AtomicU64::new(0),
        }
    }

    async fn all(&mut self) -> Done {
        once::check(self).await?;
        changes::check(self).await?;
        expiry::check(self).await?;
        owners::check(self).await?;
        faults::check(self).await
    }

    fn expect(&mut self, rule: &'static str, holds: bool, found: impl fmt::Debug) {
        self.violations.expect(rule, holds, found);
    }

    /// Whether `answer` is the refusal `kind`.
    fn refused<T: fmt::Debug>(
        &mut self,
        rule: &'static str,
        kind: StoreErrorKind,
        answer: Result<T, StoreError>,
    ) -> Done {
        match answer {
            Err(error) if error.kind() == kind => {}
            Err(error) if error.kind() == StoreErrorKind::Unavailable => return Err(error),
            other => self.expect(rule, false, other),
        }
        Ok(())
    }

    fn name(&self) -> String {
        format!("{}-{}", self.prefix, self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// A key that no rule used before, with bytes that are no text.
    fn key(&self) -> Result<RecordKey, StoreError> {
        RecordKey::new(KIND, [self.name().as_bytes(), b"\0\xff"].concat())
    }

    fn owner(&self) -> Result<Owner, StoreError> {
        Owner::new([self.name().as_bytes(), b"\0\xfe"].concat())
    }

    async fn after(&self, duration: Duration) -> Timestamp {
        self.backend.now().await.saturating_add(duration)
    }

    /// A record that outlives the run.
    async fn lasting(&self, key: &RecordKey) -> Result<NewRecord, StoreError> {
        let expires_at = self.after(LONG).await;
        Ok(NewRecord::new(key.clone(), payload(1)?, expires_at))
    }

    /// Creates a record of a new key.
    async fn created(&self) -> Result<(RecordKey, Version), StoreError> {
        let key = self.key()?;
        let record = self.lasting(&key).await?;
        let version = self.backend.open().await.create(record).await?;
        Ok((key, version))
    }

    /// Does something many times at once, each on a handle of its own; `act` knows which of them it is.
    async fn together<T, F>(&mut self, act: impl Fn(B::Store, usize) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let barrier = Arc::new(Barrier::new(TOGETHER));
        let mut tasks = JoinSet::new();
        for number in 0..TOGETHER {
            let (act, barrier) = (act(self.backend.open().await, number), Arc::clone(&barrier));
            tasks.spawn(async move {
                barrier.wait().await;
                act.await
            });
        }
        let mut answers = Vec::new();
        while let Some(finished) = tasks.join_next().await {
            match finished {
                Ok(answer) => answers.push(answer),
                Err(error) => self.expect("a call does not panic", false, error),
            }
        }
        answers
    }
}

/// Bytes that are no text, and different for each `mark`.
fn payload(mark: u8) -> Result<Payload, StoreError> {
    Payload::new(vec![mark, 0, 0xff, mark])
}

fn replacement(mark: u8) -> Result<Replacement, StoreError> {
    Ok(Replacement::new(payload(mark)?))
}

/// The greatest whole millisecond that is no later.
fn millis(time: Timestamp) -> Timestamp {
    crate::lifetime::whole_millis(time)
}

fn says(record: Option<&Record>, mark: u8) -> bool {
    payload(mark).is_ok_and(|payload| record.is_some_and(|record| *record.payload() == payload))
}
