//! Waiting for the end of evidence.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::select;
use portcullis_core::{Authentication, Clock, Invalid, SystemClock, Timestamp, Validity};

/// However far the end is, whatever is announced, and however patient the evidence is, this often is asked again:
/// clocks are set, and not every list tells.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// However impatient it is, not more often.
const SHORTEST_SLEEP: Duration = Duration::from_millis(100);

/// Waits until the evidence no longer holds, and says why: it expired, was revoked, or it can no longer be
/// decided. For connections that outlive the request: WebSockets, server-sent events, streams.
///
/// Evidence without a [validity](Authentication::validity) ends when it [expires](Authentication::expires_at) by
/// the system's clock; without an expiry either, never.
///
/// A revocation list that announces changes ends the wait at once; one that does not, within a minute; what has to be
/// looked up in a store, as soon as it is [asked again](Validity::ask_every). Time is measured with the validity's own clock, which is asked again at least once a minute.
///
/// Needs a tokio runtime with time enabled. Dropping the future ends the wait.
pub async fn until_invalid<P>(authentication: &Authentication<P>) -> Invalid {
    let validity: Arc<dyn Validity> = match (authentication.validity(), authentication.expires_at()) {
        (Some(validity), _) => Arc::clone(validity),
        (None, Some(expires_at)) => Arc::new(Expiry(expires_at)),
        (None, None) => return pending().await,
    };
    loop {
        // Listening begins before asking, so that nothing can happen unnoticed in between.
        let changed = validity.changed();
        if let Err(why) = validity.ask().await {
            return why;
        }
        let patience = validity.ask_every().clamp(SHORTEST_SLEEP, LONGEST_SLEEP);
        let sleep = validity
            .remaining()
            .map_or(patience, |remaining| remaining.min(patience));
        // A clock that stands still must not make this spin.
        let sleep = tokio::time::sleep(sleep.max(Duration::from_millis(1)));
        select(changed, pin!(sleep)).await;
        let_others_run().await;
    }
}

/// A list that announces without end must not keep this thread to itself.
async fn let_others_run() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Evidence of which nothing is known but its expiry.
struct Expiry(Timestamp);

impl Validity for Expiry {
    fn check(&self) -> Result<(), Invalid> {
        match self.remaining() {
            Some(Duration::ZERO) => Err(Invalid::Expired),
            _ => Ok(()),
        }
    }

    fn remaining(&self) -> Option<Duration> {
        Some(self.0.saturating_since(SystemClock::new().now()))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use portcullis_core::Method;
    use tokio::sync::watch;
    use tokio::time::{Instant, timeout};

    use super::*;

    /// Ends after some time, or when it is told to.
    struct Told {
        start: Instant,
        ends_after: Duration,
        invalid: Mutex<Option<Invalid>>,
        announced: watch::Sender<()>,
    }

    impl Told {
        fn new(ends_after: u64) -> Arc<Self> {
            Arc::new(Self {
                start: Instant::now(),
                ends_after: Duration::from_secs(ends_after),
                invalid: Mutex::new(None),
                announced: watch::Sender::new(()),
            })
        }

        fn end(&self, why: Invalid) {
            *self.invalid.lock().expect("lock") = Some(why);
        }
    }

    /// Whoever decides is far away, and is asked every five seconds.
    struct FarAway {
        start: Instant,
        revoked_after: Duration,
        asked: AtomicUsize,
    }

    impl Validity for FarAway {
        fn check(&self) -> Result<(), Invalid> {
            Ok(())
        }

        fn remaining(&self) -> Option<Duration> {
            None
        }

        fn ask(&self) -> Pin<Box<dyn Future<Output = Result<(), Invalid>> + Send + '_>> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            Box::pin(async {
                tokio::task::yield_now().await;
                match self.start.elapsed() < self.revoked_after {
                    true => Ok(()),
                    false => Err(Invalid::Revoked),
                }
            })
        }

        fn ask_every(&self) -> Duration {
            Duration::from_secs(5)
        }
    }

    /// T-REV-1
    #[tokio::test(start_paused = true)]
    async fn what_only_a_store_knows_is_asked_for_as_often_as_the_evidence_says() {
        let far_away = Arc::new(FarAway {
            start: Instant::now(),
            revoked_after: Duration::from_secs(12),
            asked: AtomicUsize::new(0),
        });
        let caller = Authentication::assertion((), Method::SESSION).with_validity(far_away.clone());
        assert_eq!(until_invalid(&caller).await, Invalid::Revoked);
        assert_eq!(far_away.start.elapsed(), Duration::from_secs(15));
        assert_eq!(far_away.asked.load(Ordering::SeqCst), 4);
    }

    impl Validity for Told {
        fn check(&self) -> Result<(), Invalid> {
            match *self.invalid.lock().expect("lock") {
                Some(why) => Err(why),
                None if self.start.elapsed() >= self.ends_after => Err(Invalid::Expired),
                None => Ok(()),
            }
        }

        fn remaining(&self) -> Option<Duration> {
            Some(self.ends_after.saturating_sub(self.start.elapsed()))
        }

        fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            let mut announced = self.announced.subscribe();
            Box::pin(async move {
                let _ = announced.changed().await;
            })
        }
    }

    fn evidence(validity: &Arc<Told>) -> Authentication<()> {
        let validity: Arc<dyn Validity> = validity.clone();
        Authentication::assertion((), Method::JWT).with_validity(validity)
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_the_evidence_expires_and_not_before() {
        for lifetime in [1, 59, 61, 3_600] {
            let start = Instant::now();
            assert_eq!(
                until_invalid(&evidence(&Told::new(lifetime))).await,
                Invalid::Expired
            );
            let elapsed = start.elapsed();
            assert!(elapsed >= Duration::from_secs(lifetime), "{elapsed:?}");
            assert!(elapsed < Duration::from_secs(lifetime + 1), "{elapsed:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_revocation_that_is_announced_ends_it_at_once_and_another_within_a_minute() {
        for (announce, at_most) in [(true, 1), (false, 60)] {
            let validity = Told::new(3_600);
            let waiting = tokio::spawn({
                let evidence = evidence(&validity);
                async move { until_invalid(&evidence).await }
            });
            tokio::time::sleep(Duration::from_secs(90)).await;
            assert!(!waiting.is_finished());
            let start = Instant::now();
            validity.end(Invalid::Revoked);
            if announce {
                validity.announced.send_replace(());
            }
            assert_eq!(waiting.await.expect("no panic"), Invalid::Revoked);
            assert!(start.elapsed() <= Duration::from_secs(at_most), "{announce}");
        }
    }

    /// The announcement comes after the check and before anybody waits: it is not missed.
    #[tokio::test(start_paused = true)]
    async fn a_revocation_in_the_middle_of_the_check_is_not_missed() {
        struct Sly(Arc<Told>);

        impl Validity for Sly {
            fn check(&self) -> Result<(), Invalid> {
                let verdict = self.0.check();
                self.0.end(Invalid::Revoked);
                self.0.announced.send_replace(());
                verdict
            }

            fn remaining(&self) -> Option<Duration> {
                None
            }

            fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
                self.0.changed()
            }
        }

        let validity = Arc::new(Sly(Told::new(3_600)));
        let evidence = Authentication::assertion((), Method::JWT).with_validity(validity);
        let start = Instant::now();
        assert_eq!(until_invalid(&evidence).await, Invalid::Revoked);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    /// A list that always says that something changed is asked again and again, and keeps nobody else waiting.
    #[tokio::test(start_paused = true)]
    async fn a_list_that_never_stops_announcing_lets_others_run() {
        struct Eager(Arc<Told>, AtomicUsize);

        impl Validity for Eager {
            fn check(&self) -> Result<(), Invalid> {
                // Far more often than any other task needs.
                let asked = self.1.fetch_add(1, Ordering::SeqCst);
                assert!(asked < 10_000, "nobody else runs");
                self.0.check()
            }

            fn remaining(&self) -> Option<Duration> {
                None
            }

            fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
                Box::pin(std::future::ready(()))
            }
        }

        let told = Told::new(3_600);
        let validity = Arc::new(Eager(Arc::clone(&told), AtomicUsize::new(0)));
        let evidence = Authentication::assertion((), Method::JWT).with_validity(validity);
        let waiting = tokio::spawn(async move { until_invalid(&evidence).await });
        tokio::task::yield_now().await;
        told.end(Invalid::Revoked);
        assert_eq!(waiting.await.expect("others run"), Invalid::Revoked);
    }

    #[tokio::test(start_paused = true)]
    async fn evidence_without_validity_ends_with_its_expiry_or_never() {
        let evidence = Authentication::assertion((), Method::JWT);
        let day = Duration::from_secs(24 * 3_600);
        assert!(timeout(day, until_invalid(&evidence)).await.is_err());
        let expired = evidence.with_expires_at(Timestamp::from_unix_seconds(1));
        assert_eq!(until_invalid(&expired).await, Invalid::Expired);
    }
}
