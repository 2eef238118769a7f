//! What handles and the task of a round have in common.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use portcullis_core::{Clock, Timestamp};
use portcullis_jwt::{KeyRing, RotationSchedule, SigningKey, SigningKeysUnavailable, SteadyTime};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::builder::SharedSigningKeysBuilder;
use super::snapshot::{Reading, Snapshot};
use super::{GRACE, LONGEST_ROUND, PATIENCE, RETRY};
use crate::signing::round::{Generate, Round, Versioned, Wish};
use crate::signing::{RingStore, SharedKeysError};

pub(super) struct Shared {
    store: Arc<dyn RingStore>,
    schedule: RotationSchedule,
    clock: Arc<dyn Clock>,
    generate: Generate,
    every: Duration,
    /// What is read without a lock.
    snapshot: ArcSwap<Snapshot>,
    state: Mutex<State>,
}

struct State {
    time: SteadyTime,
    /// How many steps of the wall clock were believed.
    steps: u64,
    /// The number of the latest round in the background: what an earlier one still brings is ignored.
    number: u64,
    /// When it started, while it is under way.
    under_way: Option<Duration>,
    last_start: Duration,
    task: Option<AbortHandle>,
    closed: bool,
}

impl Shared {
    pub(super) async fn open(builder: SharedSigningKeysBuilder) -> Result<Self, SharedKeysError> {
        let SharedSigningKeysBuilder {
            store,
            schedule,
            clock,
            generate,
            every,
        } = builder;
        let start = Reading::of(&*clock);
        let time = SteadyTime::start(&*clock, PATIENCE);
        let round = Round {
            store: &*store,
            schedule,
            generate: &generate,
            now: time.at(start.monotonic),
            former: None,
            rereads: false,
        };
        let Versioned { version, ring, bytes } = in_time(round.run(Wish::Nothing)).await?;
        let monotonic = clock.monotonic();
        let ring = Arc::new(ring);
        let snapshot = Snapshot {
            version,
            ring: Arc::clone(&ring),
            bytes,
            time,
            steps: 0,
            confirmed: start,
            adopted_at: monotonic,
            changes_at: Duration::MAX,
            due_at: start.monotonic.saturating_add(every),
        };
        Ok(Self {
            store,
            schedule,
            clock,
            generate,
            every,
            snapshot: ArcSwap::from_pointee(snapshot.with_ring(ring, monotonic)),
            state: Mutex::new(State {
                time,
                steps: 0,
                number: 0,
                under_way: None,
                last_start: start.monotonic,
                task: None,
                closed: false,
            }),
        })
    }

    pub(super) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.snapshot.load().ring)
    }

    /// Nothing foreign runs while the lock is held, neither a store nor a clock, a runtime or a log.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ring, if it may be used; starts a round in the background when one is due.
    pub(super) fn current(self: &Arc<Self>) -> Result<Arc<KeyRing>, SigningKeysUnavailable> {
        let now = Reading::of(&*self.clock);
        let snapshot = self.snapshot.load();
        let lost = now.since(snapshot.confirmed) >= self.schedule.publish_ahead() / 2;
        if lost || now.monotonic >= snapshot.due_at {
            self.start(now.monotonic, lost);
        }
        if lost {
            return Err(SigningKeysUnavailable::new(Some(RETRY)));
        }
        let ring = if now.monotonic >= snapshot.changes_at {
            self.pass_time(now.monotonic)
        } else {
            Arc::clone(&snapshot.ring)
        };
        // As the clock is now: a short sleep is noticed before the next round.
        match snapshot.time.doubtful_lead(now.wall, now.monotonic) {
            Some(lead) if !is_same_turn(&ring, snapshot.time.at(now.monotonic), lead) => {
                Err(SigningKeysUnavailable::new(Some(self.every)))
            }
            _ => Ok(ring),
        }
    }

    /// The ring changes by itself: somebody's turn begins or ends.
    fn pass_time(&self, monotonic: Duration) -> Arc<KeyRing> {
        let state = self.state();
        let snapshot = self.snapshot.load_full();
        if monotonic < snapshot.changes_at {
            return Arc::clone(&snapshot.ring);
        }
        let mut ring = (*snapshot.ring).clone();
        ring.advance_to(snapshot.time.at(monotonic));
        let next = Arc::new((*snapshot).clone().with_ring(Arc::new(ring), monotonic));
        self.snapshot.store(Arc::clone(&next));
        drop(state);
        Arc::clone(&next.ring)
    }

    /// Starts a round in the background, single flight. The task is spawned without the lock: a runtime
    /// that is shutting down drops it at once, and its end takes the lock.
    fn start(self: &Arc<Self>, now: Duration, lost: bool) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let mut state = self.state();
        let given_up = state
            .under_way
            .filter(|started| now >= started.saturating_add(LONGEST_ROUND + GRACE));
        let due = lost || now >= self.snapshot.load().due_at;
        let too_early = now < state.last_start.saturating_add(RETRY);
        if state.closed || !due || too_early || (state.under_way.is_some() && given_up.is_none()) {
            return;
        }
        state.number += 1;
        state.under_way = Some(now);
        state.last_start = now;
        let number = state.number;
        let former = state.task.take();
        drop(state);
        if let Some(former) = former {
            former.abort();
        }
        let running = Running {
            shared: Arc::clone(self),
            number,
            finished: false,
        };
        let task = runtime.spawn(running.run());
        let mut state = self.state();
        if state.number == number && state.under_way.is_some() {
            state.task = Some(task.abort_handle());
        }
    }

    /// The last handle is gone.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        if let Some(task) = state.task.take() {
            drop(state);
            task.abort();
        }
    }

    /// One round, awaited, and what it brought taken in.
    pub(super) async fn round(&self, wish: Wish<'_>) -> Result<(), SharedKeysError> {
        let outcome = self.look(wish).await;
        record(outcome.as_ref().err());
        self.take_in(outcome?);
        Ok(())
    }

    async fn look(&self, wish: Wish<'_>) -> Result<Found, SharedKeysError> {
        let start = Reading::of(&*self.clock);
        let (time, steps) = {
            let mut state = self.state();
            if state.time.follow(start.wall, start.monotonic) {
                state.steps = state.steps.wrapping_add(1);
            }
            (state.time, state.steps)
        };
        let snapshot = self.snapshot.load_full();
        let round = Round {
            store: &*self.store,
            schedule: self.schedule,
            generate: &self.generate,
            now: time.at(start.monotonic),
            former: Some(snapshot.known()),
            // A ring that ran ahead with a clock which was wrong is read anew.
            rereads: steps != snapshot.steps,
        };
        let versioned = in_time(round.run(wish)).await?;
        Ok(Found {
            versioned,
            time,
            steps,
            start,
        })
    }

    /// Takes in what a round found, unless a later one found more.
    fn take_in(&self, found: Found) {
        let monotonic = self.clock.monotonic();
        let state = self.state();
        let snapshot = self.snapshot.load_full();
        let Found {
            versioned:
                Versioned {
                    version,
                    mut ring,
                    bytes,
                },
            time,
            steps,
            start,
        } = found;
        // A version that goes back was restored by an operator, or read before another round replaced it.
        let outdated = version < snapshot.version && start.monotonic <= snapshot.adopted_at;
        if outdated {
            return;
        }
        let confirmed = if start.monotonic >= snapshot.confirmed.monotonic {
            start
        } else {
            snapshot.confirmed
        };
        let is_known = version == snapshot.version && bytes.is(&snapshot.bytes) && steps == snapshot.steps;
        let next = Snapshot {
            version,
            ring: Arc::clone(&snapshot.ring),
            bytes,
            time,
            steps,
            confirmed,
            adopted_at: monotonic,
            changes_at: snapshot.changes_at,
            due_at: confirmed.monotonic.saturating_add(self.every),
        };
        // The same `Arc` says that nothing changed.
        let ring = if is_known {
            Arc::clone(&snapshot.ring)
        } else {
            ring.advance_to(time.at(monotonic));
            Arc::new(ring)
        };
        let next = next.with_ring(ring, monotonic);
        self.snapshot.store(Arc::new(next));
        drop(state);
    }

    /// Takes in what a round in the background brought, unless it was given up.
    fn finish(&self, number: u64, outcome: Result<Found, SharedKeysError>) {
        let mut state = self.state();
        if state.number != number || state.under_way.is_none() {
            return;
        }
        state.under_way = None;
        state.task = None;
        let (closed, last_start) = (state.closed, state.last_start);
        if outcome.is_err() {
            let snapshot = self.snapshot.load_full();
            self.snapshot.store(Arc::new(Snapshot {
                due_at: last_start.saturating_add(RETRY),
                ..(*snapshot).clone()
            }));
        }
        drop(state);
        match outcome {
            Ok(found) => {
                record(None);
                self.take_in(found);
            }
            // Nobody is interested in the failures of keys whose last handle is gone.
            Err(error) if !closed => record(Some(&error)),
            Err(_) => {}
        }
    }
}

/// Whether the same key signs now and at a time which may be the right one.
fn is_same_turn(ring: &KeyRing, now: Timestamp, lead: Duration) -> bool {
    let mut later = ring.clone();
    later.advance_to(now.saturating_add(lead));
    let [here, there] = [ring, &later].map(|ring| ring.signing_key().map(SigningKey::kid));
    here == there
}

/// What a round found.
struct Found {
    versioned: Versioned,
    time: SteadyTime,
    /// How many steps of the wall clock had been believed.
    steps: u64,
    start: Reading,
}

async fn in_time(
    round: impl Future<Output = Result<Versioned, SharedKeysError>>,
) -> Result<Versioned, SharedKeysError> {
    let whole = tokio::time::timeout(LONGEST_ROUND, round);
    whole.await.unwrap_or(Err(SharedKeysError::Aborted))
}

fn record(failure: Option<&SharedKeysError>) {
    let outcome = failure.map_or("done", SharedKeysError::as_str);
    if let Some(error) = failure {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(
            error = outcome,
            cause,
            "{error}: the signing keys could not be looked after"
        );
    }
    metrics::counter!("portcullis_signing_rounds_total", "outcome" => outcome).increment(1);
}

/// A round under way in the background. Dropped before its end (a panic in the store, a runtime that shut
/// down), it counts as failed, so that the next request may start another.
struct Running {
    shared: Arc<Shared>,
    number: u64,
    finished: bool,
}

impl Running {
    async fn run(mut self) {
        let outcome = self.shared.look(Wish::Nothing).await;
        self.finished = true;
        self.shared.finish(self.number, outcome);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.finished {
            self.shared.finish(self.number, Err(SharedKeysError::Aborted));
        }
    }
}
