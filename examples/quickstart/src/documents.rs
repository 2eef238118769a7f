//! The documents, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// One document and whose it is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Document {
    pub(crate) id: u32,
    pub(crate) owner: String,
    pub(crate) title: String,
}

/// All documents. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Documents(Arc<Mutex<BTreeMap<u32, Document>>>);

impl Documents {
    /// Document 1 belongs to alice, document 2 to bob.
    pub(crate) fn seeded() -> Self {
        let document = |id, owner: &str, title: &str| {
            let (owner, title) = (owner.to_owned(), title.to_owned());
            (id, Document { id, owner, title })
        };
        let seeds = [
            document(1, "alice", "Alice's plan"),
            document(2, "bob", "Bob's plan"),
        ];
        Self(Arc::new(Mutex::new(seeds.into())))
    }

    pub(crate) fn all(&self) -> Vec<Document> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn find(&self, id: u32) -> Option<Document> {
        self.lock().get(&id).cloned()
    }

    pub(crate) fn delete(&self, id: u32) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Document>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
