//! What handles, waiting requests and the fetching task have in common.

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
use crate::cache::{Cache, Validator, Wish};
use crate::refresh::{Answer, Attempt, Discovered, Source};
use crate::{JwksFetchError, JwksFetchErrorKind, Status};

pub(super) struct Shared {
    name: Arc<str>,
    source: Source,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    jitter: Jitter,
    limits: Limits,
    key_limits: JwksLimits,
    /// What a request reads without a lock.
    snapshot: ArcSwap<Snapshot>,
    state: Mutex<State>,
    /// Counts finished attempts.
    finished: watch::Sender<u64>,
}

/// A copy of what the cache holds, for the path that must not wait.
struct Snapshot {
    keys: Option<Arc<Keys>>,
    due_at: Duration,
    dead_at: Duration,
}

struct State {
    cache: Cache<Arc<Keys>>,
    discovered: Option<Discovered>,
    skipped: SkippedKeys,
    task: Option<AbortHandle>,
    closed: bool,
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
        let empty = Snapshot {
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
            snapshot: ArcSwap::from_pointee(empty),
            state: Mutex::new(State {
                cache: Cache::new(),
                discovered: None,
                skipped: SkippedKeys::default(),
                task: None,
                closed: false,
            }),
            finished: watch::Sender::new(0),
        }
    }

    pub(super) const fn source(&self) -> &Source {
        &self.source
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing below the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys, if they may be used; starts a fetch in the background when they are due.
    pub(super) fn current(self: &Arc<Self>) -> Result<Arc<Keys>, KeysUnavailable> {
        let now = self.clock.monotonic();
        let snapshot = self.snapshot.load();
        match &snapshot.keys {
            Some(keys) if now < snapshot.due_at => Ok(Arc::clone(keys)),
            Some(keys) if now < snapshot.dead_at => {
                let mut state = self.state();
                if state.cache.wants_refresh(now) {
                    self.start(&mut state, now);
                }
                Ok(Arc::clone(keys))
            }
            // Whoever cannot wait for keys finds them the next time.
            _ => {
                let mut state = self.state();
                if state.cache.wants_refresh(now) {
                    self.start(&mut state, now);
                }
                Err(KeysUnavailable::new(Some(state.cache.held_back(now))))
            }
        }
    }

    /// What becomes of a request that would like newer keys; starts the attempt if it is to be started.
    ///
    /// Whoever is to wait subscribes while the lock is held: an attempt cannot finish in between.
    pub(super) fn wish(self: &Arc<Self>, reason: RefreshReason) -> (Wish, Waiting) {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let wish = match reason {
            RefreshReason::UnknownKey => state.cache.wish_for_newer(now),
            _ => state.cache.wish_for_any(now),
        };
        if wish == Wish::Start {
            self.start(&mut state, now);
        }
        let waiting = Waiting {
            finished: self.finished.subscribe(),
            shared: Arc::clone(self),
        };
        (wish, waiting)
    }

    /// Starts an attempt, single flight: the caller holds the lock and saw that none is under way.
    fn start(self: &Arc<Self>, state: &mut State, now: Duration) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if state.closed {
            return;
        }
        state.cache.start(now);
        let guard = Running {
            shared: Arc::clone(self),
            finished: false,
        };
        let validator = state.cache.validator().cloned();
        let discovered = state.discovered.take();
        let task = runtime.spawn(guard.run(now, validator, discovered));
        state.task = Some(task.abort_handle());
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

    /// Takes in what an attempt brought.
    fn finish(&self, answer: Result<Answer, JwksFetchError>, discovered: Option<Discovered>) {
        let now = self.clock.monotonic();
        let jitter = (self.jitter)();
        let mut state = self.state();
        state.discovered = discovered;
        state.task = None;
        let outcome = match answer {
            Ok(Answer::Replaced {
                keys,
                validator,
                max_age,
            }) => {
                self.note_skipped(&mut state, keys.skipped());
                state
                    .cache
                    .replace(now, Arc::new(keys), validator, max_age, jitter);
                "replaced"
            }
            Ok(Answer::NotModified { max_age }) => {
                state.cache.confirm(now, max_age, jitter);
                "not_modified"
            }
            Err(error) => {
                state.cache.fail(now, error.kind(), error.retry_after(), jitter);
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                if !state.closed {
                    tracing::warn!(
                        issuer = &*self.name,
                        error = error.kind().as_str(),
                        cause,
                        failures = state.cache.failures(),
                        "{error}: keys could not be fetched"
                    );
                }
                "failed"
            }
        };
        self.publish(&state.cache, now);
        self.finished.send_modify(|count| *count = count.wrapping_add(1));
        drop(state);
        metrics::counter!("portcullis_jwks_fetches_total", "issuer" => self.name.to_string(), "outcome" => outcome)
            .increment(1);
    }

    fn publish(&self, cache: &Cache<Arc<Keys>>, now: Duration) {
        let (due_at, dead_at) = cache.horizon().unwrap_or_default();
        let keys = cache.usable(now).cloned();
        let count = u32::try_from(keys.as_ref().map_or(0, |keys| keys.len())).unwrap_or(u32::MAX);
        metrics::gauge!("portcullis_jwks_keys", "issuer" => self.name.to_string()).set(count);
        self.snapshot.store(Arc::new(Snapshot {
            keys,
            due_at,
            dead_at,
        }));
    }

    /// One line when the keys left out change, not one per fetch.
    fn note_skipped(&self, state: &mut State, skipped: &SkippedKeys) {
        if state.skipped != *skipped && skipped.total() > 0 {
            tracing::warn!(
                issuer = &*self.name,
                ?skipped,
                "keys of the published set are not used"
            );
        }
        state.skipped = *skipped;
    }

    pub(super) fn count_unavailable(&self) {
        metrics::counter!("portcullis_jwks_unavailable_total", "issuer" => self.name.to_string())
            .increment(1);
    }

    pub(super) fn status(&self) -> Status {
        let now = self.clock.monotonic();
        let state = self.state();
        let cache = &state.cache;
        let held_back = cache.held_back(now);
        Status {
            state: cache.state(now),
            keys: cache.usable(now).map_or(0, |keys| keys.len()),
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
        self.finished = true;
        shared.finish(answer, discovered);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.finished {
            let aborted = JwksFetchError::new(JwksFetchErrorKind::Aborted);
            self.shared.finish(Err(aborted), None);
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
            Some(keys) if succeeded => Ok(Arc::clone(keys)),
            _ => {
                let wait = state.cache.held_back(now).max(Duration::from_secs(1));
                drop(state);
                self.shared.count_unavailable();
                Err(KeysUnavailable::new(Some(wait)))
            }
        }
    }
}
