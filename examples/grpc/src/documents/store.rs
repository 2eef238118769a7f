//! The documents, in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::proto::Document;

/// How many changes a watcher may lag behind.
const BACKLOG: usize = 64;

#[derive(Debug)]
pub(super) struct Store {
    documents: Mutex<BTreeMap<u32, Document>>,
    changes: broadcast::Sender<Document>,
}

impl Store {
    pub(super) fn seeded() -> Self {
        let document = |id, owner: &str, title: &str| {
            let (owner, title) = (owner.to_owned(), title.to_owned());
            let deleted = false;
            (
                id,
                Document {
                    id,
                    owner,
                    title,
                    deleted,
                },
            )
        };
        let seeds = [
            document(1, "alice", "Alice's plan"),
            document(2, "bob", "Bob's plan"),
        ];
        Self {
            documents: Mutex::new(seeds.into()),
            changes: broadcast::Sender::new(BACKLOG),
        }
    }

    pub(super) fn find(&self, id: u32) -> Option<Document> {
        self.documents().get(&id).cloned()
    }

    pub(super) fn delete(&self, id: u32) {
        let mut documents = self.documents();
        if let Some(document) = documents.remove(&id) {
            // An error means that nobody watches.
            let _ = self.changes.send(Document {
                deleted: true,
                ..document
            });
        }
    }

    /// All documents now, and every change from now on.
    pub(super) fn watch(&self) -> (Vec<Document>, broadcast::Receiver<Document>) {
        let documents = self.documents();
        (documents.values().cloned().collect(), self.changes.subscribe())
    }

    fn documents(&self) -> MutexGuard<'_, BTreeMap<u32, Document>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
