//! Caches that have to hear of changes.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use portcullis_core::Principal;

use crate::KeyId;

/// Something that remembers keys for a moment.
pub(crate) trait Forget: Send + Sync {
    fn forget(&self, id: &KeyId);
    fn forget_owned_by(&self, owner: &Principal);
    fn forget_all(&self);
}

/// The caches in front of one service. A clone is the same list.
#[derive(Clone, Default)]
pub(crate) struct Caches(Arc<Mutex<Vec<Weak<dyn Forget>>>>);

impl Caches {
    pub(crate) fn add(&self, cache: &Arc<dyn Forget>) {
        let mut caches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        caches.retain(|known| known.strong_count() > 0);
        caches.push(Arc::downgrade(cache));
    }

    fn each(&self, forget: impl Fn(&dyn Forget)) {
        let caches = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        caches
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|cache| forget(&*cache));
    }

    pub(crate) fn forget(&self, id: &KeyId) {
        self.each(|cache| cache.forget(id));
    }

    pub(crate) fn forget_owned_by(&self, owner: &Principal) {
        self.each(|cache| cache.forget_owned_by(owner));
    }
}

/// Runs when a change is over, however it ends: also when it fails or its future is dropped.
pub(crate) struct Over<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for Over<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
