//! Revoked tokens that every instance knows of.

mod entry;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::{MemoryRevocations, RevocationList, RevocationsFull, Timestamp, TokenId, Unavailable};

use self::entry::Entry;
use crate::changes::{Change, ChangeListener};
use crate::{
    Kind, NewRecord, Owner, Record, RecordKey, RecordStore, Replacement, StoreError, StoreErrorKind,
};

pub(crate) const KIND: Kind = Kind::new("revocation");
const OWNER: &str = "revocations";
/// How far an entry can be extended: some thousand years.
const LIMIT: Timestamp = Timestamp::from_unix_seconds(1 << 37);
/// How much longer than its token an entry is kept: the largest clock skew that a verifier tolerates.
const MARGIN: Duration = Duration::from_secs(300);
/// For how many others one revocation makes way.
const ATTEMPTS: usize = 16;

/// A [`RevocationList`] that is kept in a store and answers from a copy in memory.
///
/// # Decision rules
///
/// 1. A revocation is done when the store has it; this instance knows it at once.
/// 2. The other instances learn of it from the store's [log](crate::changes): give the list to a
///    [`Follower`](crate::changes::Follower) there.
/// 3. The copy decides. When it has not been up to date for longer than its
///    [`max_lag`](portcullis_core::MemoryRevocationsBuilder::max_lag), what is not known to be revoked is undecided: 503.
///    It is so until the first time that the follower has caught up.
/// 4. An entry is kept until its token has expired, 300 s of skew included.
///
/// ```no_run
/// # use std::{sync::Arc, time::Duration};
/// # use portcullis_core::{MemoryRevocations, Timestamp};
/// # use portcullis_store::{RecordStore, StoredRevocations, changes::{ChangeLog, Follower}};
/// # async fn example<S: RecordStore + ChangeLog + Clone>(store: S) -> Result<(), Box<dyn std::error::Error>> {
/// let copy = MemoryRevocations::builder().max_lag(Duration::from_secs(1)).build();
/// let hour = Duration::from_secs(3_600);
/// let list = StoredRevocations::new(store.clone(), copy, hour)?;
/// tokio::spawn(Follower::new(store).tell(Arc::new(list.clone())).run());
///
/// // Give a clone to the verifier. On any instance:
/// list.revoke("https://issuer.example", "token-1", Timestamp::from_unix_seconds(4_600)).await?;
/// # Ok(())
/// # }
/// ```
///
/// # What this trusts
///
/// The store and its log: an entry that a failover of the store loses is lost here as well.
#[derive(Clone)]
pub struct StoredRevocations {
    store: Arc<dyn RecordStore>,
    copy: MemoryRevocations,
    owner: Owner,
    longest_token: Duration,
}

impl StoredRevocations {
    /// Keeps revocations in `store` and the copy in `copy`; without a
    /// [`max_lag`](portcullis_core::MemoryRevocationsBuilder::max_lag) a copy never admits that it is old.
    /// `longest_token` is the lifetime of the longest-lived token: a subject's entry is kept so long. Make the
    /// verifier refuse longer ones (`max_lifetime`).
    ///
    /// # Errors
    ///
    /// None today; a constructor's signature for what is to come.
    pub fn new(
        store: impl RecordStore,
        copy: MemoryRevocations,
        longest_token: Duration,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            store: Arc::new(store),
            copy,
            owner: Owner::new(OWNER)?,
            longest_token,
        })
    }

    /// Revokes one token, by its issuer and id. `expires_at` is its `exp`; of one that has passed nothing is kept.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](StoreErrorKind::Unavailable): nobody knows whether it is revoked; say it again.
    /// [`Full`](StoreErrorKind::Full): it may be, but not here.
    /// [`Malformed`](StoreErrorKind::Malformed): the id is empty, or longer together with the issuer than a
    /// [key](RecordKey::MAX_LEN) less 9 bytes. It is not revoked.
    pub async fn revoke(&self, issuer: &str, id: &str, expires_at: Timestamp) -> Result<(), StoreError> {
        let entry = Entry::Token { issuer, id };
        self.keep(&entry, expires_at.saturating_add(MARGIN)).await?;
        self.copy.revoke(issuer, id, expires_at).map_err(full)
    }

    /// Revokes every token of `subject` that was issued up to `instant`, as
    /// [`MemoryRevocations::revoke_before`] does. An earlier instant than one revoked before changes nothing.
    ///
    /// # Errors
    ///
    /// As [`revoke`](Self::revoke).
    pub async fn revoke_before(
        &self,
        issuer: &str,
        subject: &str,
        instant: Timestamp,
    ) -> Result<(), StoreError> {
        let up_to = instant.as_unix_seconds();
        let entry = Entry::Subject {
            issuer,
            subject,
            up_to,
        };
        // A token of that second may have been issued at the end of it.
        let life = self.longest_token.saturating_add(MARGIN + Duration::from_secs(1));
        self.keep(&entry, instant.saturating_add(life)).await?;
        self.copy.revoke_before(issuer, subject, instant).map_err(full)
    }

    /// The copy in this process.
    #[must_use]
    pub const fn copy(&self) -> &MemoryRevocations {
        &self.copy
    }

    /// Creates the entry, or extends the one that is there.
    async fn keep(&self, entry: &Entry<'_>, until: Timestamp) -> Result<(), StoreError> {
        let key = RecordKey::new(KIND, entry.key()?)?;
        for _ in 0..ATTEMPTS {
            let new = NewRecord::new(key.clone(), entry.payload()?, until).limit(LIMIT);
            match self.store.create(new.owned_by(self.owner.clone())).await {
                Err(error) if error.kind() == StoreErrorKind::Present => {}
                // What it is about has expired.
                Err(error) if error.kind() == StoreErrorKind::Expired => return Ok(()),
                other => return other.map(|_| ()),
            }
            match self.extend(&key, entry, until).await {
                Err(error) if matches!(error.kind(), StoreErrorKind::Conflict | StoreErrorKind::NotFound) => {
                }
                other => return other,
            }
        }
        let message = "a revocation was changed by others over and over";
        Err(StoreError::new(StoreErrorKind::Unavailable, message))
    }

    /// What was said before holds as well.
    async fn extend(&self, key: &RecordKey, entry: &Entry<'_>, until: Timestamp) -> Result<(), StoreError> {
        let known = self.store.load(key).await?.ok_or(StoreErrorKind::NotFound)?;
        let payload = entry.with(&Entry::read(known.payload())?).payload()?;
        let with = Replacement::new(payload).extend_to(until);
        self.store.replace(key, known.version(), with).await.map(|_| ())
    }

    /// Takes an entry of the store into the copy.
    fn learn(&self, record: &Record) -> Result<(), StoreError> {
        let until = record.lifetime().expires_at();
        match Entry::read(record.payload())? {
            Entry::Token { issuer, id } => self.copy.revoke(issuer, id, until.saturating_sub(MARGIN)),
            Entry::Subject {
                issuer,
                subject,
                up_to,
            } => {
                let instant = Timestamp::from_unix_seconds(up_to);
                self.copy.revoke_before(issuer, subject, instant)
            }
        }
        .map_err(full)
    }

    async fn learn_all(&self) -> Result<(), StoreError> {
        let entries = self.store.list_owned_by(KIND, &self.owner).await?;
        entries.iter().try_for_each(|entry| self.learn(entry))
    }
}

fn full(full: RevocationsFull) -> StoreError {
    let message = "the copy of the revocations is full";
    StoreError::new(StoreErrorKind::Full, message).with_source(full)
}

impl RevocationList for StoredRevocations {
    fn is_revoked(&self, token: &TokenId<'_>) -> Result<bool, Unavailable> {
        self.copy.is_revoked(token)
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        RevocationList::changed(&self.copy)
    }
}

#[async_trait]
impl ChangeListener for StoredRevocations {
    async fn changed(&self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes.iter().filter(|change| change.kind() == KIND.as_str()) {
            match change {
                Change::Record { id, .. } => {
                    // Gone: it has expired. Nothing that was revoked is taken back.
                    if let Some(record) = self.store.load(&RecordKey::new(KIND, id)?).await? {
                        self.learn(&record)?;
                    }
                }
                Change::Owner { .. } => self.learn_all().await?,
            }
        }
        Ok(())
    }

    async fn lost(&self) -> Result<(), StoreError> {
        self.learn_all().await
    }

    fn monotonic(&self) -> Duration {
        self.copy.monotonic()
    }

    fn caught_up(&self, as_of: Duration) {
        self.copy.confirm(as_of);
    }
}

impl fmt::Debug for StoredRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRevocations")
            .field("store", &self.store)
            .field("copy", &self.copy)
            .finish_non_exhaustive()
    }
}
