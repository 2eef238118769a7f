use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{AuditSink, Challenge, Challenges, Clock, ConfigError, SystemClock};
use portcullis_seal::{Peppers, Randomness, SystemRandomness};
use portcullis_store::RecordStore;
use portcullis_tower::csrf::OriginPolicy;

use super::{AtMost, ClearSiteData, Sessions, Settings};
use crate::cookie::SessionCookie;
use crate::timeouts::{Renewal, Timeouts};

/// Builds [`Sessions`]. Nothing is mandatory but the store.
#[must_use]
pub struct SessionsBuilder {
    store: Arc<dyn RecordStore>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    peppers: Peppers,
    timeouts: Timeouts,
    remembered: Timeouts,
    anonymous: Timeouts,
    renewal: Result<Option<Renewal>, ConfigError>,
    cookie: SessionCookie,
    origins: OriginPolicy,
    audit: Option<Arc<dyn AuditSink>>,
    at_most: Option<AtMost>,
    clear_site_data: ClearSiteData,
}

impl SessionsBuilder {
    pub(super) fn new(store: Arc<dyn RecordStore>) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock::new()),
            randomness: Arc::new(SystemRandomness::new()),
            peppers: Peppers::none(),
            timeouts: Timeouts::standard(),
            remembered: Timeouts::long(),
            anonymous: Timeouts::sensitive(),
            renewal: Ok(Some(Renewal::STANDARD)),
            cookie: SessionCookie::default(),
            origins: OriginPolicy::new(),
            audit: None,
            at_most: None,
            clear_site_data: ClearSiteData::CacheAndStorage,
        }
    }

    /// How long sessions of users last; [`standard`](Timeouts::standard) unless called.
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How long [remembered](crate::SignIn::remember) ones last; [`long`](Timeouts::long) unless called.
    pub const fn remembered(mut self, timeouts: Timeouts) -> Self {
        self.remembered = timeouts;
        self
    }

    /// How long sessions of nobody last; [`sensitive`](Timeouts::sensitive) unless called.
    pub const fn anonymous(mut self, timeouts: Timeouts) -> Self {
        self.anonymous = timeouts;
        self
    }

    /// Gives a session in use another id after `every`, and lets the old one live on for `grace`, for requests that are
    /// under way; 24 hours and 30 seconds unless called. Refused by [`build`](Self::build): less than a minute between,
    /// a grace below a second, above an hour or above `every`.
    pub fn renewal(mut self, every: Duration, grace: Duration) -> Self {
        self.renewal = Renewal::new(every, grace).map(Some);
        self
    }

    /// Never gives a session another id without being asked to: ids change at sign-in, step-up and
    /// [`rotate`](crate::Session::rotate) only.
    pub fn without_renewal(mut self) -> Self {
        self.renewal = Ok(None);
        self
    }

    /// Name and attributes of the cookie.
    pub fn cookie(mut self, cookie: SessionCookie) -> Self {
        self.cookie = cookie;
        self
    }

    /// Keeps digests of ids with a pepper; SHA-256 unless called. Ids stored with an old one are found as long as
    /// `peppers` has it, and get the current one when they are next exchanged.
    pub fn peppers(mut self, peppers: Peppers) -> Self {
        self.peppers = peppers;
        self
    }

    /// Says which origins the application's own pages come from.
    pub fn origins(mut self, origins: OriginPolicy) -> Self {
        self.origins = origins;
        self
    }

    /// Limits how many sessions a user has at a time; nothing does unless called.
    pub const fn at_most(mut self, limit: AtMost) -> Self {
        self.at_most = Some(limit);
        self
    }

    /// What browsers are told to forget at sign-out; cache and storage unless called.
    pub const fn clear_site_data(mut self, what: ClearSiteData) -> Self {
        self.clear_site_data = what;
        self
    }

    /// Tells `sink` who signed in and out, whose id was exchanged and whose sessions were revoked.
    pub fn audit(mut self, sink: impl AuditSink) -> Self {
        self.audit = Some(Arc::new(sink));
        self
    }

    /// Takes the time from `clock`; the system's unless called. The store has to use the same.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Takes randomness from elsewhere. For tests.
    pub fn randomness(mut self, randomness: impl Randomness) -> Self {
        self.randomness = Arc::new(randomness);
        self
    }

    /// The sessions.
    ///
    /// # Errors
    ///
    /// When the cookie's settings contradict each other, or the times of the renewal are out of bounds.
    pub fn build(self) -> Result<Sessions, ConfigError> {
        let cookie = self.cookie.compile()?;
        let challenges = Challenges::new([Challenge::cookie(cookie.name())?])?;
        Ok(Sessions(Arc::new(Settings {
            store: self.store,
            clock: self.clock,
            randomness: self.randomness,
            peppers: self.peppers,
            timeouts: self.timeouts,
            remembered: self.remembered,
            anonymous: self.anonymous,
            renewal: self.renewal?,
            cookie,
            origins: self.origins,
            audit: self.audit,
            at_most: self.at_most,
            clear_site_data: self.clear_site_data,
            challenges,
        })))
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder")
            .field("cookie", &self.cookie)
            .field("timeouts", &self.timeouts)
            .field("at_most", &self.at_most)
            .finish_non_exhaustive()
    }
}
