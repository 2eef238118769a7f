//! Slowing down whoever guesses passwords.

mod attempt;
mod builder;
mod counter;
mod failures;
mod source;
mod window;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{AuthError, Timestamp};

pub use self::attempt::Attempt;
use self::builder::Settings;
pub use self::builder::SignInThrottleBuilder;
use self::counter::{Stop, change};
use self::failures::Failures;
use self::source::Source;
use self::window::Window;
use crate::{Kind, RecordKey, RecordStore};

const ADDRESS: Kind = Kind::new("throttle-address");
const ACCOUNT: Kind = Kind::new("throttle-account");

/// Slows down guessing at sign-in (OWASP ASVS 6.3.1, NIST SP 800-63B §3.2.2). Instances that share a
/// [store](RecordStore) share the counts. A clone is the same throttle.
///
/// Ask with [`attempt`](Self::attempt) *before* the password is checked, and tell it of a
/// [success](Attempt::succeeded): an attempt is a failure until then.
///
/// # Decision rules
///
/// A *source* is an IPv4 address or the first 64 bits of an IPv6 address. Each attempt has to pass, in this order:
///
/// 1. An account name that is empty or over [256 bytes](Self::MAX_ACCOUNT_LEN) is an invalid request. Nothing is
///    counted.
/// 2. From one source, whatever the account: 10 attempts within any minute. Nothing gives these back, a success
///    neither.
/// 3. From one source at one account: 5 failures in a row, forgotten 5 minutes after the last. From the fifth on
///    they are remembered for a day, and the next attempt has to wait for 5 minutes, then 10, 20, 40, and an hour
///    from there on.
/// 4. At one account, from wherever: 100 failures in a row, remembered until there was none for a day. Then the
///    account is shut for unfamiliar sources. A source is familiar for 30 days after a success at that
///    account: whoever guesses from elsewhere does not lock the owner out at home.
///
/// What is refused is not counted by the rule that refuses it, nor by those after it. Counting is a
/// compare-and-swap: of any number of attempts at once, as many pass as there is room for.
///
/// A [success](Attempt::succeeded) ends both rows of failures, of that account alone. After a password reset,
/// [`release`](Self::release) ends the row of rule 4.
///
/// # What a refused attempt receives
///
/// An [`AuthError`]: throttled (429, with the time to wait in `Retry-After`), invalid request (400), or unavailable
/// (503): the store did not answer, is full, or the counts changed too often meanwhile. **An outage lets nobody in**
/// unless [that was asked for](SignInThrottleBuilder::dangerous_allow_when_unavailable). Nobody learns whether an
/// account exists: the throttle does not know either, and counts them all alike.
///
/// # What this trusts
///
/// The address: behind a proxy it is the proxy's, until somebody who knows which proxies to believe finds the
/// client's. The clocks of all instances. That a name is written in one way: an account that is found as `Alice`
/// and as `alice` must be given as one of both, or it has two counts. That the store outlives an attack: counts
/// in memory are gone after a restart.
///
/// # What this does not check
///
/// Whether the password is right. Guesses from many sources at many accounts each: rule 2 alone slows down a
/// source, and whoever owns a whole IPv6 allocation has many
/// ([`ipv6_prefix`](SignInThrottleBuilder::ipv6_prefix)). Whoever is next to a familiar source, behind one
/// address with it, is familiar too.
///
/// # What is kept
///
/// Records that are nobody's, of the kinds `throttle-address` and `throttle-account`, with the address and the
/// account name in their keys, in clear: where that matters, give a digest for a name. They expire by themselves.
/// Strangers make them, up to three for each attempt: a [`MemoryStore`](crate::MemoryStore) that is filled this way
/// refuses the next, so that sign-in is unavailable until some expire; its last tenth stays with records that
/// have owners. To give up counts instead would be an invitation.
///
/// ```
/// use portcullis_core::AuthErrorKind;
/// use portcullis_store::{MemoryStore, SignInThrottle};
/// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// # fn wait<T>(f: impl Future<Output = T>) -> T {
/// #     match pin!(f).poll(&mut Context::from_waker(Waker::noop())) {
/// #         Poll::Ready(done) => done,
/// #         Poll::Pending => panic!("memory never waits"),
/// #     }
/// # }
/// # wait(async {
/// let throttle = SignInThrottle::builder(MemoryStore::new()).build()?;
/// let client = "192.0.2.7".parse()?;
///
/// // The password is right.
/// throttle.attempt(client, "alice").await?.succeeded().await?;
///
/// // It is wrong, five times.
/// for _ in 0..5 {
///     let _wrong = throttle.attempt(client, "alice").await?;
/// }
/// let refused = throttle.attempt(client, "alice").await.unwrap_err();
/// assert_eq!(refused.kind(), AuthErrorKind::Throttled);
/// assert!(throttle.attempt(client, "bob").await.is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct SignInThrottle(Arc<Settings>);

impl SignInThrottle {
    /// The longest account name, in bytes.
    pub const MAX_ACCOUNT_LEN: usize = 256;

    /// Starts a configuration that counts in `store`.
    pub fn builder(store: impl RecordStore) -> SignInThrottleBuilder {
        SignInThrottleBuilder::new(store)
    }

    /// Counts an attempt to sign in to `account` from `address`, as a failure until it
    /// [succeeds](Attempt::succeeded). Call it before the password is looked at, and for accounts that do not
    /// exist as well.
    ///
    /// `account` is what was typed, in the one form in which accounts are found. One-time codes of an account get a
    /// row of their own with a name that **no account can have**, such as `"\0code:alice"` where names hold no control
    /// characters, and these are refused before this is asked. Otherwise whoever calls his account `code:alice` ends
    /// her row by signing in.
    ///
    /// # Errors
    ///
    /// Throttled, invalid request or unavailable, as described [above](Self).
    pub async fn attempt(&self, address: IpAddr, account: &str) -> Result<Attempt, AuthError> {
        let source = Source::new(address, self.0.ipv6_prefix);
        let (pair, whole) = (pair_key(&source, account)?, whole_key(account)?);
        let now = self.0.clock.now();
        self.tolerate(self.count_address(&source, now).await)?;
        let familiar = self.tolerate(self.count_pair(&pair, now).await)?;
        self.tolerate(self.count_whole(&whole, now, familiar).await)?;
        Ok(Attempt::new(self.clone(), pair, whole))
    }

    /// Ends the row of failures at `account` of rule 4, after a password reset. What single sources have to
    /// wait for stays.
    ///
    /// # Errors
    ///
    /// Invalid request as for an attempt; unavailable when nobody knows whether it was ended.
    pub async fn release(&self, account: &str) -> Result<(), AuthError> {
        let key = whole_key(account)?;
        let deleted = self.0.store.delete(&key).await;
        deleted.map(|_| ()).map_err(|error| Stop::from(error).into())
    }

    async fn count_address(&self, source: &Source, now: Timestamp) -> Result<(), Stop> {
        let key = RecordKey::new(ADDRESS, source.as_bytes())?;
        let rule = self.0.address;
        change(&*self.0.store, &key, rule.tries(), now, |bytes| {
            let mut window = Window::read(bytes, rule, now).ok_or(Stop::Unreadable)?;
            refuse_for(window.wait(now), "too many attempts from this address")?;
            Ok((window.count(now), ()))
        })
        .await
    }

    /// Whether the source is familiar with the account.
    async fn count_pair(&self, key: &RecordKey, now: Timestamp) -> Result<bool, Stop> {
        let rule = self.0.pair;
        change(&*self.0.store, key, rule.tries(), now, |bytes| {
            let failures = Failures::read(bytes).ok_or(Stop::Unreadable)?;
            let wait = failures.wait(&rule, now);
            refuse_for(wait, "too many failures at this account from this address")?;
            let next = failures.failed(&rule, now).next(&rule);
            Ok((next, failures.is_familiar(now)))
        })
        .await
    }

    async fn count_whole(&self, key: &RecordKey, now: Timestamp, familiar: bool) -> Result<(), Stop> {
        let rule = self.0.whole;
        change(&*self.0.store, key, rule.tries(), now, |bytes| {
            let failures = Failures::read(bytes).ok_or(Stop::Unreadable)?;
            if !familiar {
                refuse_for(failures.wait(&rule, now), "too many failures at this account")?;
            }
            Ok((failures.failed(&rule, now).next(&rule), ()))
        })
        .await
    }

    /// Ends the row of the pair and makes the source familiar.
    async fn reset_pair(&self, key: &RecordKey) -> Result<(), AuthError> {
        let (now, rule) = (self.0.clock.now(), self.0.pair);
        let reset = change(&*self.0.store, key, rule.tries(), now, |bytes| {
            let failures = Failures::read(bytes).ok_or(Stop::Unreadable)?;
            Ok((failures.succeeded(now, self.0.familiar_for).next(&rule), ()))
        });
        self.tolerate(reset.await)
    }

    async fn forget(&self, whole: &RecordKey) -> Result<(), AuthError> {
        let deleted = self.0.store.delete(whole).await;
        self.tolerate(deleted.map(|_| ()).map_err(Stop::from))
    }

    /// What an outage answers. Only silence is ever passed over: a full store is what an attacker makes of it.
    fn tolerate<T: Default>(&self, answer: Result<T, Stop>) -> Result<T, AuthError> {
        match answer {
            Err(stop) if self.0.allow_when_unavailable && stop.is_silence() => Ok(T::default()),
            answer => answer.map_err(AuthError::from),
        }
    }
}

fn refuse_for(wait: Duration, why: &'static str) -> Result<(), Stop> {
    if wait.is_zero() {
        return Ok(());
    }
    Err(Stop::Throttled(wait, why))
}

/// A source says itself where it ends, so no two pairs have one key.
fn pair_key(source: &Source, account: &str) -> Result<RecordKey, AuthError> {
    account_key(&[b"s", source.as_bytes()].concat(), account)
}

fn whole_key(account: &str) -> Result<RecordKey, AuthError> {
    account_key(b"*", account)
}

fn account_key(prefix: &[u8], account: &str) -> Result<RecordKey, AuthError> {
    if account.is_empty() || account.len() > SignInThrottle::MAX_ACCOUNT_LEN {
        return Err(AuthError::invalid_request("account_name_out_of_bounds"));
    }
    RecordKey::new(ACCOUNT, [prefix, account.as_bytes()].concat()).map_err(|error| Stop::from(error).into())
}
