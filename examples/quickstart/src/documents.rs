//! The documents, in memory. Nobody gets one without a decision.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use portcullis::{Granted, Guarded};
use serde::Serialize;

use crate::rules::CanDelete;
use crate::users::HOME;

/// One document and whose it is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Document {
    pub(crate) id: u32,
    pub(crate) owner: String,
    pub(crate) title: String,
    #[serde(skip)]
    pub(crate) tenant: &'static str,
}

/// All documents. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Documents(Arc<Mutex<BTreeMap<u32, Document>>>);

impl Documents {
    /// Document 1 belongs to alice, document 2 to bob.
    pub(crate) fn seeded() -> Self {
        let document = |id, owner: &str, title: &str| {
            let (owner, title) = (owner.to_owned(), title.to_owned());
            let tenant = HOME;
            (
                id,
                Document {
                    id,
                    owner,
                    title,
                    tenant,
                },
            )
        };
        let seeds = [
            document(1, "alice", "Alice's plan"),
            document(2, "bob", "Bob's plan"),
        ];
        Self(Arc::new(Mutex::new(seeds.into())))
    }

    pub(crate) fn all(&self) -> Guarded<Vec<Document>> {
        Guarded::new(self.lock().values().cloned().collect())
    }

    pub(crate) fn find(&self, id: u32) -> Option<Guarded<Document>> {
        self.lock().get(&id).cloned().map(Guarded::new)
    }

    /// Deletes what somebody may delete; there is no other way to call it.
    pub(crate) fn delete(&self, document: Granted<Document, CanDelete>) {
        self.lock().remove(&document.into_inner().id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Document>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
