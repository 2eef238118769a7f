//! What handles, waiting requests and the fetching task have in common.

mod transfer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use portcullis_core::Clock;
use portcullis_fetch::{Fetch, FetchError, FetchErrorKind, Limits};
use portcullis_jwt::{JwksLimits, Keys, KeysUnavailable, RefreshReason, SkippedKeys};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::LONGEST_WAIT;
use super::builder::Jitter;
use super::report::Report;
use crate::cache::{Cache, Validator, Wish};
use crate::refresh::{Answer, Attempt, Discovered, Published, Source};
use crate::{JwksFetchError, JwksFetchErrorKind, Status};

/// How much later than promised an attempt may end before it is given up.
const GRACE: Duration = Duration::from_secs(1);

pub(super) struct Shared {
    name: Arc<str>,
    source: Source,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    jitter: Jitter,
    limits: Limits,
    key_limits: JwksLimits,
    /// What a request reads without a lock.
    view: ArcSwap<View>,
    state: Mutex<State>,
    /// Counts finished attempts.
    finished: watch::Sender<u64>,
}

/// A copy of what the cache holds, for the path that must not wait.
struct View {
    keys: Option<Arc<Keys>>,
    due_at: Duration,
    dead_at: Duration,
}

struct State {
    cache: Cache<Published>,
    discovered: Option<Discovered>,
    skipped: SkippedKeys,
    /// The number of the latest attempt: what an earlier one still brings is ignored.
    attempt: u64,
    task: Option<AbortHandle>,
    closed: bool,
}

/// What came of an attempt.
struct Outcome {
    at: Duration,
    answer: Result<Answer, JwksFetchError>,
    discovered: Option<Discovered>,
    jitter: f64,
}

impl Outcome {
    fn aborted(at: Duration) -> Self {
        Self {
            at,
            answer: Err(JwksFetchError::new(JwksFetchErrorKind::Aborted)),
            discovered: None,
            jitter: 1.0,
        }
    }
}

impl Shared {
    pub(super) fn new(
        name: Arc<str>,
        source: Source,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
        jitter: Jitter,
        limits: Limits,
        key_limits: JwksLimits,
    ) -> Self {
        let empty = View {
            keys: None,
            due_at: Duration::ZERO,
            dead_at: Duration::ZERO,
        };
        Self {
            name,
            source,
            fetch,
            clock,
            jitter,
            limits,
            key_limits,
            view: ArcSwap::from_pointee(empty),
            state: Mutex::new(State {
                cache: Cache::new(),
                discovered: None,
                skipped: SkippedKeys::default(),
                attempt: 0,
                task: None,
                closed: false,
            }),
            finished: watch::Sender::new(0),
        }
    }

    /// The issuer, or the address without its query.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Nothing foreign runs while the lock is held, neither a client nor a clock, a runtime, a log or a
    /// recorder of metrics: each of them may look at this set, wait, or panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`state`](Self::state), with an attempt given up that should have ended long ago: its task is
    /// in a runtime that nobody drives.
    fn state_at(&self, now: Duration) -> MutexGuard<'_, State> {
        let longest = self.limits.total_timeout().saturating_add(GRACE);
        let mut state = self.state();
        let Some(lost) = state.cache.lost_at(longest).filter(|lost| now >= *lost) else {
            return state;
        };
        let task = state.task.take();
        let report = self.take_in(&mut state, Outcome::aborted(lost));
        drop(state);
        if let Some(task) = task {
            task.abort();
        }
        report.record(&self.name);
        self.state()
    }

    /// The keys, if they may be used; starts a fetch in the background when they are due.
    pub(super) fn current(self: &Arc<Self>) -> Result<Arc<Keys>, KeysUnavailable> {
        let now = self.clock.monotonic();
        let view = self.view.load();
        let keys = view.keys.as_ref().filter(|_| now < view.dead_at);
        if let (Some(keys), true) = (keys, now < view.due_at) {
            return Ok(Arc::clone(keys));
        }
        let state = self.state_at(now);
        let Some(keys) = keys else {
            // Nothing is started here: whoever holds a token worth it asks for a refresh.
            return Err(KeysUnavailable::new(Some(state.cache.held_back(now))));
        };
        if state.cache.wants_refresh(now) {
            self.start(state, now);
        }
        Ok(Arc::clone(keys))
    }

    /// What becomes of a request that would like newer keys; starts the attempt if it is to be started.
    ///
    /// Whoever is to wait subscribes while the lock is held: an attempt cannot finish in between.
    pub(super) fn wish(self: &Arc<Self>, reason: RefreshReason) -> (Wish, Waiting) {
        let now = self.clock.monotonic();
        let state = self.state_at(now);
        let wish = match reason {
            RefreshReason::UnknownKey => state.cache.wish_for_newer(now),
            _ => state.cache.wish_for_any(now),
        };
        let waiting = Waiting {
            finished: self.finished.subscribe(),
            shared: Arc::clone(self),
        };
        if wish == Wish::Start {
            self.start(state, now);
        }
        (wish, waiting)
    }

    /// Starts an attempt, single flight: the caller holds the lock and saw that none is under way.
    ///
    /// The task is spawned without the lock: a runtime that is shutting down drops it at once, and its
    /// end takes the lock.
    fn start(self: &Arc<Self>, mut state: MutexGuard<'_, State>, now: Duration) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if state.closed {
            return;
        }
        state.cache.start(now);
        state.attempt += 1;
        let attempt = state.attempt;
        let validator = state.cache.validator().cloned();
        let discovered = state.discovered.take();
        drop(state);
        let guard = Running {
            shared: Arc::clone(self),
            attempt,
            finished: false,
        };
        let task = runtime.spawn(guard.run(now, validator, discovered));
        let mut state = self.state();
        if state.attempt == attempt && state.cache.is_in_flight() {
            state.task = Some(task.abort_handle());
        }
    }

    /// The last handle is gone.
    pub(super) fn abort(&self) {
        let mut state = self.state();
        state.closed = true;
        if let Some(task) = state.task.take() {
            drop(state);
            task.abort();
        }
    }

    /// Takes in what an attempt brought, unless it was given up.
    fn finish(&self, attempt: u64, outcome: Outcome) {
        let mut state = self.state();
        if state.attempt != attempt || !state.cache.is_in_flight() {
            return;
        }
        state.task = None;
        let report = self.take_in(&mut state, outcome);
        drop(state);
        report.record(&self.name);
    }

    fn take_in(&self, state: &mut State, outcome: Outcome) -> Report {
        let Outcome {
            at,
            answer,
            discovered,
            jitter,
        } = outcome;
        state.discovered = discovered;
        let mut report = match answer {
            Ok(Answer::Replaced {
                published,
                validator,
                max_age,
            }) => {
                let skipped = *published.keys.skipped();
                let report = Report::replaced(skipped, skipped != state.skipped);
                state.skipped = skipped;
                state.cache.replace(at, published, validator, max_age, jitter);
                report
            }
            Ok(Answer::NotModified { max_age }) => {
                state.cache.confirm(at, max_age, jitter);
                Report::not_modified()
            }
            Err(error) => {
                state.cache.fail(at, error.kind(), error.retry_after(), jitter);
                Report::failed(error, state.cache.failures(), state.closed)
            }
        };
        report.keys = self.publish(state, at);
        self.finished.send_modify(|count| *count = count.wrapping_add(1));
        report
    }

    /// Copies what the cache holds to where requests look, and says how many keys that is.
    fn publish(&self, state: &State, now: Duration) -> usize {
        let (due_at, dead_at) = state.cache.horizon().unwrap_or_default();
        let keys = state
            .cache
            .usable(now)
            .map(|published| Arc::clone(&published.keys));
        let count = keys.as_ref().map_or(0, |keys| keys.len());
        self.view.store(Arc::new(View {
            keys,
            due_at,
            dead_at,
        }));
        count
    }

    pub(super) fn count_unavailable(&self) {
        metrics::counter!("portcullis_jwks_unavailable_total", "issuer" => self.name.to_string())
            .increment(1);
    }

    pub(super) fn status(&self) -> Status {
        let now = self.clock.monotonic();
        let state = self.state_at(now);
        let cache = &state.cache;
        let held_back = cache.held_back(now);
        Status {
            state: cache.state(now),
            keys: cache.usable(now).map_or(0, |published| published.keys.len()),
            skipped: state.skipped,
            age: cache.age(now),
            failures: cache.failures(),
            last_error: cache.last_error(),
            next_attempt_in: (!held_back.is_zero()).then_some(held_back),
            fetching: cache.is_in_flight(),
        }
    }
}

/// An attempt under way. Dropped before its end (a panic in the client, a runtime that shut down), it
/// counts as failed, so that the next request may try again.
struct Running {
    shared: Arc<Shared>,
    attempt: u64,
    finished: bool,
}

impl Running {
    async fn run(mut self, now: Duration, validator: Option<Validator>, mut discovered: Option<Discovered>) {
        let shared = Arc::clone(&self.shared);
        let attempt = Attempt {
            fetch: &*shared.fetch,
            source: &shared.source,
            limits: &shared.limits,
            key_limits: &shared.key_limits,
            validator,
            now,
        };
        let whole = tokio::time::timeout(shared.limits.total_timeout(), attempt.run(&mut discovered));
        let answer = whole.await.unwrap_or_else(|_| {
            let error = FetchError::new(FetchErrorKind::Timeout, "the attempt took too long");
            Err(error.into())
        });
        let outcome = Outcome {
            at: shared.clock.monotonic(),
            jitter: (shared.jitter)(),
            answer,
            discovered,
        };
        self.finished = true;
        shared.finish(self.attempt, outcome);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.finished {
            let aborted = Outcome::aborted(self.shared.clock.monotonic());
            self.shared.finish(self.attempt, aborted);
        }
    }
}

/// A request that waits for an attempt.
pub(super) struct Waiting {
    shared: Arc<Shared>,
    finished: watch::Receiver<u64>,
}

impl Waiting {
    /// The keys after the attempt, or why there are none. Dropping this cancels nothing.
    pub(super) async fn keys(mut self) -> Result<Arc<Keys>, KeysUnavailable> {
        let changed = tokio::time::timeout(LONGEST_WAIT, self.finished.changed());
        let in_time = matches!(changed.await, Ok(Ok(())));
        let now = self.shared.clock.monotonic();
        let state = self.shared.state();
        let succeeded = in_time && state.cache.failures() == 0;
        match state.cache.usable(now) {
            Some(published) if succeeded => Ok(Arc::clone(&published.keys)),
            _ => {
                let wait = state.cache.held_back(now).max(Duration::from_secs(1));
                drop(state);
                self.shared.count_unavailable();
                Err(KeysUnavailable::new(Some(wait)))
            }
        }
    }
}
