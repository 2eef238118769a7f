use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, ConfigError, SystemClock};

use super::SignInThrottle;
use super::failures::Row;
use super::window::Rate;
use crate::RecordStore;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The most attempts of one source that are counted: their times are one record.
const MOST_ATTEMPTS: u16 = 1_000;

/// The most failures of an account before it is shut, for NIST SP 800-63B §3.2.2.
const MOST_FAILURES: u32 = 100;

/// What a throttle runs with.
pub(super) struct Settings {
    pub(super) store: Arc<dyn RecordStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) address: Rate,
    /// An account from one source.
    pub(super) pair: Row,
    /// An account from wherever.
    pub(super) whole: Row,
    pub(super) familiar_for: Duration,
    pub(super) ipv6_prefix: u8,
    pub(super) allow_when_unavailable: bool,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address)
            .field("pair", &self.pair)
            .field("whole", &self.whole)
            .field("familiar_for", &self.familiar_for)
            .field("ipv6_prefix", &self.ipv6_prefix)
            .field("allow_when_unavailable", &self.allow_when_unavailable)
            .finish_non_exhaustive()
    }
}

/// Builds a [`SignInThrottle`]. Nothing is mandatory.
#[derive(Debug)]
#[must_use]
pub struct SignInThrottleBuilder(Settings);

impl SignInThrottleBuilder {
    pub(super) fn new(store: impl RecordStore) -> Self {
        let pair = Row {
            free: 5,
            forgotten_after: 5 * MINUTE,
            longest_wait: HOUR,
            stop: MOST_FAILURES,
            remembered_for: DAY,
        };
        Self(Settings {
            store: Arc::new(store),
            clock: Arc::new(SystemClock::new()),
            address: Rate {
                limit: 10,
                within: MINUTE,
            },
            pair,
            whole: pair,
            familiar_for: 30 * DAY,
            ipv6_prefix: 64,
            allow_when_unavailable: false,
        })
    }

    /// Lets so many attempts from one source pass within any time of that length, up to 1,000; 10 within a minute
    /// unless called.
    pub const fn attempts(mut self, limit: u16, within: Duration) -> Self {
        self.0.address = Rate { limit, within };
        self
    }

    /// Lets so many failures in a row, from one source at one account, pass without a wait. Fewer are forgotten so
    /// long after the last, and that is the first wait; 5 and five minutes unless called.
    pub const fn failures(mut self, free: u32, forgotten_after: Duration) -> Self {
        self.0.pair.free = free;
        self.0.pair.forgotten_after = forgotten_after;
        self
    }

    /// Doubles the wait up to this; an hour unless called.
    pub const fn longest_wait(mut self, wait: Duration) -> Self {
        self.0.pair.longest_wait = wait;
        self
    }

    /// Shuts an account after so many failures in a row, up to 100 (NIST SP 800-63B §3.2.2); 100 unless called.
    pub const fn stop_after(mut self, failures: u32) -> Self {
        self.0.pair.stop = failures;
        self
    }

    /// Remembers rows of failures for so long after the last; a day unless called. A shut account opens then. To
    /// hold NIST's 100 against whoever comes back each day, remember for longer, in a store that is durable, and
    /// [release](SignInThrottle::release) accounts that are recovered.
    pub const fn remember(mut self, duration: Duration) -> Self {
        self.0.pair.remembered_for = duration;
        self
    }

    /// Keeps an account open to a source for so long after a success, whatever comes from elsewhere; 30 days
    /// unless called. With zero, a stranger with enough addresses can lock everybody out of any account.
    pub const fn familiar_for(mut self, duration: Duration) -> Self {
        self.0.familiar_for = duration;
        self
    }

    /// Takes IPv6 addresses for one source by so many leading bits, from 32 to 64; 64 unless called. Fewer slow down
    /// whoever owns many networks, and his neighbours with him.
    pub const fn ipv6_prefix(mut self, bits: u8) -> Self {
        self.0.ipv6_prefix = bits;
        self
    }

    /// Takes the time from `clock`; the system's unless called. Give it the clock of the store.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.0.clock = Arc::new(clock);
        self
    }

    /// Lets attempts pass uncounted while the store does not answer: whoever can keep it from answering
    /// guesses as fast as he likes. A store that is full refuses all the same.
    pub const fn dangerous_allow_when_unavailable(mut self) -> Self {
        self.0.allow_when_unavailable = true;
        self
    }

    /// The throttle.
    ///
    /// # Errors
    ///
    /// When a limit or a time is zero, a limit is over its bound, or times do not grow from the first wait over the
    /// longest to what is remembered.
    pub fn build(self) -> Result<SignInThrottle, ConfigError> {
        let mut settings = self.0;
        check(&settings).map_err(ConfigError::new)?;
        settings.whole = Row {
            free: settings.pair.stop,
            forgotten_after: settings.pair.remembered_for,
            ..settings.pair
        };
        Ok(SignInThrottle(Arc::new(settings)))
    }
}

fn check(settings: &Settings) -> Result<(), &'static str> {
    let (address, pair) = (settings.address, settings.pair);
    if address.limit == 0 || address.limit > MOST_ATTEMPTS || address.within.is_zero() {
        return Err("a throttle needs 1 to 1000 attempts, within some time");
    }
    if pair.free == 0 || pair.free > pair.stop {
        return Err("a throttle needs a free failure, and no more of them than shut an account");
    }
    if pair.stop > MOST_FAILURES {
        return Err("a throttle has to shut an account after 100 failures or fewer");
    }
    if pair.forgotten_after.is_zero() || pair.longest_wait < pair.forgotten_after {
        return Err("a throttle needs a first wait, and a longest that is no shorter");
    }
    if pair.remembered_for < pair.longest_wait || pair.remembered_for > LONGEST_MEMORY {
        return Err("a throttle has to remember failures for the longest wait, and for a year at most");
    }
    if address.within > LONGEST_MEMORY || settings.familiar_for > LONGEST_MEMORY {
        return Err("a throttle remembers attempts and sources for a year at most");
    }
    if !(32..=64).contains(&settings.ipv6_prefix) {
        return Err("a throttle needs an IPv6 prefix of 32 to 64 bits");
    }
    Ok(())
}

/// Records live on from change to change; none needs more at once.
const LONGEST_MEMORY: Duration = Duration::from_secs(366 * 86_400);
