//! What the application keeps in its session.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state::{Change, State};
use super::{Session, SessionError, SessionErrorKind};
use crate::payload::{Entries, EntryKind, View, fits};

impl Session {
    /// A value, if there is one of that name.
    ///
    /// # Errors
    ///
    /// [`Value`](SessionErrorKind::Value) when it is of another type; when the store cannot say.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        let state = self.loaded().await?;
        state.read(EntryKind::Data, name)
    }

    /// Keeps a value, as JSON, in place of an earlier one of that name.
    ///
    /// # Errors
    ///
    /// [`Value`](SessionErrorKind::Value) when it cannot be written as JSON; [`TooLarge`](SessionErrorKind::TooLarge) when it is
    /// too long for a session by itself, or its name is longer than 255 bytes. That all values together are too long shows
    /// when they are saved.
    pub async fn insert<T: Serialize + Sync + ?Sized>(
        &self,
        name: &str,
        value: &T,
    ) -> Result<(), SessionError> {
        self.put(EntryKind::Data, name, value).await
    }

    /// Forgets a value.
    ///
    /// # Errors
    ///
    /// None today; what is to be forgotten is written later.
    pub async fn remove(&self, name: &str) -> Result<(), SessionError> {
        self.change(Change::Remove(EntryKind::Data, name.to_owned()))
            .await;
        Ok(())
    }

    /// Forgets every value; who is signed in stays so.
    ///
    /// # Errors
    ///
    /// None today; what is to be forgotten is written later.
    pub async fn clear(&self) -> Result<(), SessionError> {
        self.change(Change::Clear).await;
        Ok(())
    }

    /// Keeps a value until it is [taken](Self::take_flash): a message for the page after a redirect.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub async fn flash<T: Serialize + Sync + ?Sized>(
        &self,
        name: &str,
        value: &T,
    ) -> Result<(), SessionError> {
        self.put(EntryKind::Flash, name, value).await
    }

    /// Takes what was kept with [`flash`](Self::flash). Two requests at the same time may both see it: it is for messages, not
    /// for what must be used once.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn take_flash<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        let mut state = self.loaded().await?;
        let value = state.read(EntryKind::Flash, name)?;
        if value.is_some() {
            state
                .changes
                .push(Change::Remove(EntryKind::Flash, name.to_owned()));
        }
        Ok(value)
    }

    async fn put<T: Serialize + Sync + ?Sized>(
        &self,
        kind: EntryKind,
        name: &str,
        value: &T,
    ) -> Result<(), SessionError> {
        let value = serde_json::to_vec(value)
            .map_err(|error| SessionError::caused(SessionErrorKind::Value, NotThis(error.classify())))?;
        if !fits(name, &value) {
            return Err(SessionErrorKind::TooLarge.into());
        }
        self.change(Change::Set(kind, name.to_owned(), value)).await;
        Ok(())
    }

    async fn change(&self, change: Change) {
        self.locked().await.changes.push(change);
    }
}

impl State {
    fn read<T: DeserializeOwned>(&self, kind: EntryKind, name: &str) -> Result<Option<T>, SessionError> {
        let changed = self
            .changes
            .iter()
            .rev()
            .find_map(|change| change.about(kind, name));
        let raw = match (changed, self.live()) {
            (Some(raw), _) => raw,
            (None, Some(live)) => {
                let view = View::of(live.record().payload())?;
                Entries::find(view.raw_entries(), kind, name)?
            }
            (None, None) => None,
        };
        let read = |raw| {
            serde_json::from_slice(raw)
                .map_err(|error| SessionError::caused(SessionErrorKind::Value, NotThis(error.classify())))
        };
        raw.map(read).transpose()
    }
}

/// What serde says may quote the value.
#[derive(Debug)]
struct NotThis(serde_json::error::Category);

impl std::fmt::Display for NotThis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            serde_json::error::Category::Data => "the value is of another type",
            _ => "the value is no JSON",
        })
    }
}

impl std::error::Error for NotThis {}
