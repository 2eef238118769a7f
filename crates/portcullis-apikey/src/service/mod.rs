//! Issuing, listing, rotating, disabling and revoking keys.

mod builder;
mod change;
mod import;
mod issue;
mod leak;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{
    AuditEvent, AuditKind, AuditSink, AuthError, Authentication, Clock, Method, Principal, Timestamp,
};
use portcullis_seal::{Peppers, Randomness};
use portcullis_store::{RecordStore, StoreError};

pub use self::builder::ApiKeyServiceBuilder;
pub use self::import::ForeignKey;
pub use self::issue::{IssuedKey, NewKey};
pub use self::leak::Leak;
use crate::find::InStore;
use crate::forget::Caches;
use crate::id::{API_KEYS, FOREIGN_API_KEYS};
use crate::last_used::LastUsed;
use crate::record::{self, owner_of};
use crate::{ApiKey, ApiKeyFormat, ApiKeysBuilder, KeyId, KeysError};

/// Manages the keys in a store, for their owners. A clone is the same service.
///
/// # Decision rules
///
/// 1. Whoever calls with an API key is refused ([`Denied`](portcullis_core::AuthErrorKind::Denied)): a key that leaked must
///    not make others.
/// 2. A caller sees and changes keys of their own [account](Authentication::account) only. Another owner's key is not
///    found, as if there were none.
/// 3. A new key has no scope that the caller lacks
///    ([`InsufficientScope`](portcullis_core::AuthErrorKind::InsufficientScope)). Nor does a caller get a new secret of a key that
///    has one, or switch it on: a token of few scopes must not become a key of many. Switching off and revoking is free.
/// 4. A key ends when its expiry says so, and there is no default for that.
/// 5. What is changed here counts at once in every [method](Self::method) made from this service; elsewhere when
///    [its cache](crate::ApiKeysBuilder::max_age) has aged, or hears of it.
/// 6. Of two rotations at the same time, one is done and the other is [told](KeysError::Changed).
///
/// # What this does not check
///
/// Whether the application wants the caller to have keys at all, or to have signed in lately: that is a policy, to be
/// asked before.
#[derive(Clone)]
pub struct ApiKeyService(Arc<Inner>);

struct Inner {
    format: ApiKeyFormat,
    store: Arc<dyn RecordStore>,
    peppers: Peppers,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    audit: Option<Arc<dyn AuditSink>>,
    longest_life: Duration,
    may_last: bool,
    most_per_owner: usize,
    caches: Caches,
    last_used: LastUsed,
}

impl ApiKeyService {
    /// Manages keys of this form in `store`. Give it the store itself and no [`CachingStore`](portcullis_store::CachingStore):
    /// methods remember keys in a form that is ready for use.
    pub fn builder(format: ApiKeyFormat, store: impl RecordStore) -> ApiKeyServiceBuilder {
        ApiKeyServiceBuilder::new(format, Arc::new(store))
    }

    /// A method that authenticates requests by these keys, with the service's clock and peppers.
    pub fn method(&self) -> ApiKeysBuilder<Principal> {
        ApiKeysBuilder::new(
            self.0.format.clone(),
            Arc::new(InStore(Arc::clone(&self.0.store))),
        )
        .peppers(self.0.peppers.clone())
        .clock(Arc::clone(&self.0.clock))
        .of_service(self.0.last_used.clone(), self.0.caches.clone())
    }

    /// Which keys were used, to be written down in the background.
    #[must_use]
    pub fn last_used(&self) -> LastUsed {
        self.0.last_used.clone()
    }

    /// The form of the keys.
    pub fn format(&self) -> &ApiKeyFormat {
        &self.0.format
    }

    /// The caller's keys, the newest first. Expired ones are not among them.
    ///
    /// # Errors
    ///
    /// When the caller calls with a key, or the store does not answer.
    pub async fn list<P: 'static>(&self, caller: &Authentication<P>) -> Result<Vec<ApiKey>, KeysError> {
        self.list_of(owner(caller)?).await
    }

    async fn list_of(&self, owner: &Principal) -> Result<Vec<ApiKey>, KeysError> {
        let name = owner_of(owner)?;
        let now = self.now();
        let mut keys = Vec::new();
        for kind in [API_KEYS, FOREIGN_API_KEYS] {
            for found in self.0.store.list_owned_by(kind, &name).await? {
                let stored = record::read(&found).map_err(StoreError::from)?;
                let key = stored.key();
                if key.expires_at().is_none_or(|end| now < end) {
                    keys.push(ApiKey::clone(key));
                } else {
                    // A rotation gave it an earlier end than its record has, which would stay, uncounted.
                    self.0.store.delete(found.key()).await?;
                }
            }
        }
        keys.retain(|key| key.owner() == owner);
        keys.sort_by_key(|key| (std::cmp::Reverse(key.created_at()), key.id()));
        Ok(keys)
    }

    /// One of the caller's keys.
    ///
    /// # Errors
    ///
    /// [`NotFound`](KeysError::NotFound) when the caller has none of that id; when the caller calls with a key; when the
    /// store does not answer.
    pub async fn find<P: 'static>(
        &self,
        caller: &Authentication<P>,
        id: &KeyId,
    ) -> Result<ApiKey, KeysError> {
        let (_, stored) = self.load(owner(caller)?, id).await?;
        Ok(ApiKey::clone(stored.key()))
    }

    /// Whole milliseconds, which is what records keep.
    fn now(&self) -> Timestamp {
        let now = self.0.clock.now().since_epoch();
        let fraction = Duration::from_nanos(u64::from(now.subsec_nanos() % 1_000_000));
        Timestamp::from_unix(now.saturating_sub(fraction))
    }

    fn tell<P: 'static>(
        &self,
        kind: AuditKind,
        reason: &'static str,
        caller: &Authentication<P>,
        id: &KeyId,
    ) {
        if let Some(audit) = &self.0.audit {
            let id = id.to_string();
            let event = AuditEvent::new(kind).with_caller(caller);
            audit.record(&event.with_reason(Some(reason)).with_need(Some(&id)));
        }
    }

    fn tell_of(&self, kind: AuditKind, reason: &'static str, owner: &Principal, id: Option<&KeyId>) {
        if let Some(audit) = &self.0.audit {
            let id = id.map(ToString::to_string);
            let event = AuditEvent::new(kind).with_account(owner.issuer(), Some(owner.subject()));
            audit.record(&event.with_reason(Some(reason)).with_need(id.as_deref()));
        }
    }
}

/// Whose keys the caller may manage.
fn owner<P: 'static>(caller: &Authentication<P>) -> Result<&Principal, AuthError> {
    if caller.method() == Method::API_KEY {
        return Err(AuthError::denied("api_keys_do_not_manage_keys"));
    }
    // A principal of the application's own, without the account that it stands for: see `with_account`.
    caller
        .account()
        .ok_or_else(|| AuthError::misconfigured("caller_without_account"))
}

impl fmt::Debug for ApiKeyService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyService")
            .field("format", &self.0.format)
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}
