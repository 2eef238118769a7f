use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Change, ChangeLog, LogPosition};
use crate::StoreError;

/// How long a wake-up may be missed.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(250);

/// Wants to know what other instances changed.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be told of changes",
    note = "use a `CachingStore` or `StoredRevocations`, or implement `ChangeListener`"
)]
pub trait ChangeListener: fmt::Debug + Send + Sync + 'static {
    /// Takes note of changes, in order. May hear of one more than once.
    ///
    /// # Errors
    ///
    /// When it could not. It is told again.
    async fn changed(&self, changes: &[Change]) -> Result<(), StoreError>;

    /// Takes note that anything may have changed.
    ///
    /// # Errors
    ///
    /// When it could not. It is told again.
    async fn lost(&self) -> Result<(), StoreError>;

    /// A [monotonic](portcullis_core::Clock::monotonic) reading of the listener's own clock.
    fn monotonic(&self) -> Duration;

    /// Takes note that everything changed anywhere before `as_of`, a reading of [`monotonic`](Self::monotonic), was
    /// told.
    fn caught_up(&self, as_of: Duration);
}

/// Reads a [log](ChangeLog) and tells listeners. One per process is enough.
///
/// ```no_run
/// # use std::{sync::Arc, time::Duration};
/// # use portcullis_store::{CachingStore, RecordStore, changes::{ChangeLog, Follower}};
/// # async fn example<S: RecordStore + ChangeLog + Clone>(store: S) {
/// let cached = Arc::new(CachingStore::new(store.clone()).followed_within(Duration::from_secs(1)));
/// tokio::spawn(Follower::new(store).tell(cached.clone()).run());
/// # }
/// ```
#[must_use]
pub struct Follower {
    log: Arc<dyn ChangeLog>,
    listeners: Vec<Arc<dyn ChangeListener>>,
    position: Option<LogPosition>,
    interval: Duration,
}

impl Follower {
    /// Reads `log` from its end, and tells nobody yet. What was changed before counts as lost: listeners start anew.
    pub fn new(log: impl ChangeLog) -> Self {
        Self {
            log: Arc::new(log),
            listeners: Vec::new(),
            position: None,
            interval: DEFAULT_INTERVAL,
        }
    }

    /// Tells `listener` as well. A failing listener holds up those after it.
    pub fn tell(mut self, listener: Arc<impl ChangeListener>) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Reads at least so often, woken or not; every 250 ms unless called. Less than what listeners
    /// allow, or they are out of date in between.
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Follows until it is dropped. What fails is tried again; listeners are out of date meanwhile.
    #[allow(clippy::infinite_loop)] // It says so.
    pub async fn run(mut self) -> Infallible {
        loop {
            if !matches!(self.step().await, Ok(true)) {
                self.log.wait(self.interval).await;
            }
        }
    }

    /// Reads once, tells everybody, and returns whether there is more to read.
    ///
    /// # Errors
    ///
    /// When the log could not be read or a listener could not take note. The next step does it again.
    pub async fn step(&mut self) -> Result<bool, StoreError> {
        // Before the log is read: what happens meanwhile may be in it or not.
        let readings: Vec<_> = self
            .listeners
            .iter()
            .map(|listener| listener.monotonic())
            .collect();
        let more = match self.position.clone() {
            None => self.start().await?,
            Some(position) => self.go_on(&position).await?,
        };
        if !more {
            for (listener, as_of) in self.listeners.iter().zip(readings) {
                listener.caught_up(as_of);
            }
        }
        Ok(more)
    }

    async fn start(&mut self) -> Result<bool, StoreError> {
        let end = self.log.end().await?;
        for listener in &self.listeners {
            listener.lost().await?;
        }
        self.position = Some(end);
        Ok(false)
    }

    async fn go_on(&mut self, after: &LogPosition) -> Result<bool, StoreError> {
        let Some(batch) = self.log.read(after).await? else {
            self.position = None;
            // At once, and not up to date until then.
            return Ok(true);
        };
        if !batch.changes().is_empty() {
            for listener in &self.listeners {
                listener.changed(batch.changes()).await?;
            }
        }
        self.position = Some(batch.position().clone());
        Ok(batch.more())
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower")
            .field("log", &self.log)
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}
