//! API keys on requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderName;
use http::request::Parts;
use portcullis_core::{
    AuthError, AuthenticateRequest, Challenge, Challenges, ConfigError, Delivery, Presence, Principal, Scheme,
};
use portcullis_store::changes::{Change, ChangeListener};
use portcullis_store::{Owner, RecordKey, StoreError};

use crate::check::{ApiKeyCheck, Verdict};
use crate::find::FindApiKey;
use crate::forget::Forget;
use crate::place::{Found, Place, hint_at_query};
use crate::verify::{Step, Verify};
use crate::{ApiKeyFormat, ApiKeysBuilder, FixedKey, KeyId};

/// Authenticates requests by an API key.
///
/// From the [service](crate::ApiKeyService::method) that manages them, from a [table of the application](Self::find),
/// or from a [constant set](Self::fixed). `P` is who callers are.
///
/// # Where the key stands
///
/// In `x-api-key` unless configured otherwise: in [another field](Self::in_header), in
/// [`Authorization: ApiKey …`](Self::in_authorization), or in [`Authorization: Bearer …`](Self::as_bearer) beside
/// tokens of other shapes. Never in the URL. A clone shares everything but the place, so keys in two places cost no
/// second cache: `any_of((keys.clone().as_bearer()?, keys))`.
///
/// # What it answers
///
/// The caller is the owner of the key, with what both the key and the owner may; the [`ApiKey`](crate::ApiKey) is among
/// the details. See the [decision rules](crate#decision-rules).
pub struct ApiKeys<P = Principal> {
    verify: Arc<Verify<P>>,
    place: Arc<Place>,
}

impl ApiKeys {
    /// Keys of a table that the application owns.
    pub fn find(format: ApiKeyFormat, finder: impl FindApiKey) -> ApiKeysBuilder<Principal> {
        ApiKeysBuilder::new(format, Arc::new(finder))
    }

    /// A constant set of keys, without a store and without owners to ask: for small services, whose configuration has the
    /// digests.
    ///
    /// # Errors
    ///
    /// When two have one digest, or there is none.
    pub fn fixed(
        format: ApiKeyFormat,
        keys: impl IntoIterator<Item = FixedKey>,
    ) -> Result<ApiKeysBuilder<Principal>, ConfigError> {
        let found = FixedKey::finder(keys)?;
        Ok(ApiKeysBuilder::new(format, Arc::new(found)).by_digest())
    }
}

impl<P> ApiKeys<P> {
    pub(crate) fn new(verify: Arc<Verify<P>>) -> Result<Self, ConfigError> {
        Ok(Self {
            verify,
            place: Arc::new(Place::header("x-api-key")?),
        })
    }

    fn at(self, place: Place) -> Self {
        Self {
            place: Arc::new(place),
            ..self
        }
    }

    /// Reads this header field. It occurs once and holds visible ASCII; anything else is malformed, 400. The challenge is
    /// `ApiKey realm="api", header="…"`.
    ///
    /// # Errors
    ///
    /// When `name` is no header field's name, or one that has rules of its own (`authorization`, `cookie`).
    pub fn in_header(self, name: &str) -> Result<Self, ConfigError> {
        Ok(self.at(Place::header(name)?))
    }

    /// Reads `Authorization: ApiKey …`. The challenge is `ApiKey realm="api"`.
    ///
    /// # Errors
    ///
    /// None today; a builder's signature for what is to come.
    pub fn in_authorization(self) -> Result<Self, ConfigError> {
        Ok(self.at(Place::authorization()?))
    }

    /// Reads `Authorization: Bearer …`, where what follows starts as a key does. Tokens of other shapes are left to
    /// other methods, and refused with 401 when there is none for them. The challenge is `Bearer realm="api"`.
    ///
    /// # Errors
    ///
    /// None today; a builder's signature for what is to come.
    pub fn as_bearer(self) -> Result<Self, ConfigError> {
        Ok(self.at(Place::bearer()?))
    }

    /// Sends this challenge. Call it last: places bring challenges of their own.
    ///
    /// # Errors
    ///
    /// When it has no parameter, or another scheme than the one that is read from `Authorization`.
    pub fn with_challenge(self, challenge: Challenge) -> Result<Self, ConfigError> {
        let place = Place::clone(&self.place).with_challenge(challenge)?;
        Ok(self.at(place))
    }
}

/// For whoever hears that something was changed elsewhere; a [`Follower`](portcullis_store::changes::Follower) does all of it. Changes through a [service](crate::ApiKeyService) of this process
/// need none of it.
impl<P: Send + Sync> ApiKeys<P> {
    /// Forgets one key, and what is being looked up of it.
    pub fn forget(&self, id: &KeyId) {
        self.verify.forget(id);
    }

    /// Forgets the key of a record, if it is one.
    pub fn forget_record(&self, key: &RecordKey) {
        if let Some(id) = KeyId::of_record(key) {
            self.forget(&id);
        }
    }

    /// Forgets an owner's keys and everything that is being looked up: also when the owner's scopes were changed, or the
    /// owner is locked out.
    pub fn forget_owned_by(&self, owner: &Principal) {
        self.verify.forget_owned_by(owner);
    }

    /// Forgets the keys of an owner as the store names them.
    pub fn forget_records_owned_by(&self, owner: &Owner) {
        self.verify.forget_records_owned_by(owner);
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        self.verify.forget_all();
    }

    /// Asks for every request, and remembers nothing, until told otherwise: while nobody can say what was changed elsewhere.
    pub fn bypass_cache(&self, bypassed: bool) {
        self.verify.cache.bypass(bypassed);
    }
}

/// Forgets what other instances changed.
#[async_trait]
impl<P: Send + Sync + 'static> ChangeListener for ApiKeys<P> {
    async fn changed(&self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            self.verify.forget_changed(change);
        }
        Ok(())
    }

    async fn lost(&self) -> Result<(), StoreError> {
        self.forget_all();
        Ok(())
    }

    fn monotonic(&self) -> Duration {
        self.verify.clock.monotonic()
    }

    fn caught_up(&self, as_of: Duration) {
        self.verify.cache.caught_up(as_of, self.verify.clock.monotonic());
    }
}

impl<P: Clone + Send + Sync + 'static> AuthenticateRequest for ApiKeys<P> {
    type Principal = P;
    type Future = ApiKeyCheck<P>;

    fn presence(&self, parts: &Parts) -> Presence {
        match self.place.find(parts, |text| self.verify.recognises(text)) {
            Found::Key(_) => Presence::Present(Delivery::Explicit),
            Found::Malformed => Presence::Malformed,
            Found::Absent => {
                hint_at_query(parts, &self.verify.format);
                Presence::Absent
            }
        }
    }

    fn authenticate_request(&self, parts: &Parts) -> ApiKeyCheck<P> {
        let Found::Key(text) = self.place.find(parts, |text| self.verify.recognises(text)) else {
            return ApiKeyCheck::ready(Ok(None));
        };
        let scheme = self.place.scheme();
        let refused = |error: AuthError, scheme: &Scheme| Err(error.with_scheme(scheme.clone()));
        match self.verify.begin(text, self.place.is_shared(), parts, scheme) {
            Ok(Step::Done(found)) => ApiKeyCheck::ready(Ok(Some(found))),
            Ok(Step::LookUp(presented, before)) => {
                let (verify, scheme) = (Arc::clone(&self.verify), scheme.clone());
                let wait = Box::pin(async move {
                    let found = verify.look_up(presented, before, &scheme).await;
                    found.map(Some).or_else(|error| refused(error, &scheme))
                });
                ApiKeyCheck::Waiting { wait }
            }
            Err(error) => ApiKeyCheck::ready(refused(error, scheme)),
        }
    }

    fn verdict_now(check: ApiKeyCheck<P>) -> Result<Verdict<P>, ApiKeyCheck<P>> {
        match check {
            ApiKeyCheck::Ready {
                verdict: Some(verdict),
            } => Ok(verdict),
            waiting => Err(waiting),
        }
    }

    fn challenges(&self) -> &Challenges {
        self.place.challenges()
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        self.place.inspected()
    }
}

impl<P> Clone for ApiKeys<P> {
    fn clone(&self) -> Self {
        Self {
            verify: Arc::clone(&self.verify),
            place: Arc::clone(&self.place),
        }
    }
}

impl<P> fmt::Debug for ApiKeys<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("verify", &self.verify)
            .field("place", &self.place)
            .finish()
    }
}
