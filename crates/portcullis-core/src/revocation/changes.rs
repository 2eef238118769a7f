//! Waking whoever waits for a change, without a runtime.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Counts changes and wakes those who wait for the next one. A clone is the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(Arc<Mutex<Waiters>>);

#[derive(Debug, Default)]
struct Waiters {
    changes: u64,
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Changes {
    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes everybody. Wakers run without the lock: they may do anything.
    pub(super) fn announce(&self) {
        let mut waiters = self.waiters();
        waiters.changes = waiters.changes.wrapping_add(1);
        let wakers = std::mem::take(&mut waiters.wakers);
        drop(waiters);
        wakers.into_values().for_each(Waker::wake);
    }

    /// Resolves with the first change after this call.
    pub(super) fn next(&self) -> NextChange {
        let mut waiters = self.waiters();
        let id = waiters.next;
        waiters.next = waiters.next.wrapping_add(1);
        NextChange {
            seen: waiters.changes,
            changes: self.clone(),
            id,
        }
    }
}

pub(super) struct NextChange {
    changes: Changes,
    seen: u64,
    id: u64,
}

impl Future for NextChange {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloning and dropping a waker runs foreign code as well.
        let waker = cx.waker().clone();
        let mut waiters = self.changes.waiters();
        let changed = waiters.changes != self.seen;
        let old = if changed {
            waiters.wakers.remove(&self.id)
        } else {
            waiters.wakers.insert(self.id, waker)
        };
        drop(waiters);
        drop(old);
        if changed { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A connection that went away is not woken any more.
impl Drop for NextChange {
    fn drop(&mut self) {
        let old = self.changes.waiters().wakers.remove(&self.id);
        drop(old);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_change_between_asking_and_waiting_is_not_missed() {
        let changes = Changes::default();
        changes.announce();
        let mut next = pin!(changes.next());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(
            next.as_mut().poll(&mut cx).is_pending(),
            "what came before does not count"
        );
        let mut second = pin!(changes.next());
        changes.announce();
        assert!(second.as_mut().poll(&mut cx).is_ready());
        assert!(next.as_mut().poll(&mut cx).is_ready());
    }

    #[test]
    fn everybody_who_waits_is_woken_once_and_who_went_away_is_forgotten() {
        let changes = Changes::default();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let mut first = Box::pin(changes.next());
        let mut second = Box::pin(changes.next());
        for _ in 0..3 {
            assert!(first.as_mut().poll(&mut cx).is_pending());
            assert!(second.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(changes.waiters().wakers.len(), 2);
        drop(second);
        assert_eq!(changes.waiters().wakers.len(), 1);
        changes.announce();
        changes.announce();
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert!(first.as_mut().poll(&mut cx).is_ready());
        assert!(changes.waiters().wakers.is_empty());
    }
}
