//! The decision about one presented key.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use http::request::Parts;
use portcullis_core::{AuthError, Authentication, Clock, Principal, Scheme, Secret, Timestamp};
use portcullis_seal::{Peppers, SecretDigest};
use portcullis_store::changes::Change;
use portcullis_store::{Owner, RecordKey};
use zeroize::Zeroize;

use crate::cache::{Cache, Found, Generation};
use crate::find::FindApiKey;
use crate::foreign::ForeignKeys;
use crate::forget::Forget;
use crate::id::{API_KEYS, FOREIGN_API_KEYS};
use crate::known::Known;
use crate::last_used::LastUsed;
use crate::network::FindPeer;
use crate::owner::Owners;
#[cfg(feature = "rate-limit")]
use crate::rate_limit::Limiter;
use crate::record::owner_of;
use crate::stored::{Borrowed, Fit, KeyText, LONGEST, StoredKey, Text, match_nothing};
use crate::{ApiKeyFormat, KeyId, ParseKeyError, PeerAddress};

/// Everything that decides, shared by all clones and places.
pub(crate) struct Verify<P> {
    pub(crate) format: ApiKeyFormat,
    pub(crate) by_digest: bool,
    pub(crate) foreign: Option<ForeignKeys>,
    pub(crate) finder: Arc<dyn FindApiKey>,
    pub(crate) owners: Owners<P>,
    /// For keys that were issued here.
    pub(crate) issued: Comparison,
    /// For imported ones: their digests are of another system, which had no peppers of ours.
    pub(crate) imported: Comparison,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) peer: Option<FindPeer>,
    pub(crate) cache: Cache<Known<P>>,
    pub(crate) last_used: Option<LastUsed>,
    #[cfg(feature = "rate-limit")]
    pub(crate) limiter: Option<Limiter>,
}

/// How texts are compared with digests.
pub(crate) struct Comparison {
    peppers: Peppers,
    /// What is compared where there is no key.
    nothing: SecretDigest,
}

impl Comparison {
    pub(crate) fn new(peppers: Peppers) -> Self {
        Self {
            nothing: peppers.digest(&Secret::new([0_u8; 1])),
            peppers,
        }
    }

    /// As long as a comparison takes.
    fn with_nothing(&self, text: &KeyText) {
        match_nothing(&self.nothing, text, &self.peppers);
    }
}

/// What was presented.
pub(crate) struct Presented<T: Zeroize = Text> {
    id: KeyId,
    text: Secret<T>,
    peer: Option<IpAddr>,
}

/// How far a check came without waiting.
pub(crate) enum Step<P> {
    Done(Authentication<P>),
    LookUp(Presented, Generation),
}

impl<P> Verify<P> {
    /// Whether a text starts as a key does, for places that are shared.
    pub(crate) fn recognises(&self, text: &[u8]) -> bool {
        let foreign = || {
            self.foreign
                .as_ref()
                .is_some_and(|foreign| foreign.has_prefix_of(text))
        };
        self.format.recognises(text) || foreign()
    }

    /// The id to look up, without asking anybody.
    fn id_of(&self, text: &[u8], shared: bool) -> Result<KeyId, AuthError> {
        let id = match self.format.parse(text) {
            Ok(_) if self.by_digest => return Ok(foreign_id(text)),
            Ok(parsed) => return Ok(parsed.id()),
            Err(ParseKeyError::Checksum) => return Err(AuthError::invalid_credentials("wrong_checksum")),
            Err(_) => self
                .foreign
                .as_ref()
                .filter(|foreign| foreign.accept(text, shared)),
        };
        if id.is_none() || text.len() > LONGEST {
            return Err(AuthError::invalid_credentials("malformed_key"));
        }
        Ok(foreign_id(text))
    }

    fn peer(&self, parts: &Parts) -> Option<IpAddr> {
        match &self.peer {
            Some(peer) => peer(parts),
            None => parts.extensions.get::<PeerAddress>().map(|peer| peer.0),
        }
    }

    fn comparison(&self, id: &KeyId) -> &Comparison {
        if id.is_foreign() {
            &self.imported
        } else {
            &self.issued
        }
    }
}

fn foreign_id(text: &[u8]) -> KeyId {
    KeyId::foreign(sha256(text))
}

pub(crate) fn sha256(text: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let digest = digest(&SHA256, text);
    for (place, byte) in bytes.iter_mut().zip(digest.as_ref()) {
        *place = *byte;
    }
    bytes
}

impl<P: Clone + Send + Sync + 'static> Verify<P> {
    /// Decides at once, if the key is known.
    pub(crate) fn begin(
        &self,
        text: &[u8],
        shared: bool,
        parts: &Parts,
        scheme: &Scheme,
    ) -> Result<Step<P>, AuthError> {
        let id = self.id_of(text, shared)?;
        let peer = self.peer(parts);
        match self.cache.find(&id, self.clock.monotonic()) {
            Found::Hit(known) => {
                let text = Borrowed::custody(text);
                let presented = Presented { id, text, peer };
                self.judge_known(&known, &presented, scheme).map(Step::Done)
            }
            Found::Miss(generation) => {
                let text = Text::custody(text);
                Ok(Step::LookUp(Presented { id, text, peer }, generation))
            }
        }
    }

    /// Looks the key up. Nothing is remembered of one whose secret was not right.
    pub(crate) async fn look_up(
        self: &Arc<Self>,
        presented: Presented,
        before: Generation,
        scheme: &Scheme,
    ) -> Result<Authentication<P>, AuthError> {
        let asked_at = self.clock.monotonic();
        let unavailable = |error| AuthError::unavailable("api_keys_unavailable").with_source(error);
        let found = self
            .finder
            .find_api_key(presented.id)
            .await
            .map_err(unavailable)?;
        let Some(stored) = found.filter(|stored| stored.key().id() == presented.id) else {
            self.comparison(&presented.id).with_nothing(&presented.text);
            return Err(AuthError::invalid_credentials("unknown_key"));
        };
        self.judge(&stored, &presented)?;
        let unavailable = |error| AuthError::unavailable("owners_unavailable").with_source(error);
        let owner = self.owners.ask(stored.key().owner()).await.map_err(unavailable)?;
        let Some(owner) = owner else {
            return Err(AuthError::invalid_credentials("unknown_owner"));
        };
        let known = Arc::new(Known::new(
            stored.clone(),
            owner.effective(stored.key()),
            Arc::downgrade(self),
        ));
        self.cache.fill(presented.id, before, &known, asked_at);
        // Again, for time has passed.
        self.judge_known(&known, &presented, scheme)
    }

    fn judge_known<T: Zeroize + AsRef<[u8]>>(
        &self,
        known: &Known<P>,
        presented: &Presented<T>,
        scheme: &Scheme,
    ) -> Result<Authentication<P>, AuthError> {
        let (now, fit) = self.judge(known.stored(), presented)?;
        #[cfg(feature = "rate-limit")]
        if let Some(limiter) = &self.limiter {
            limiter.check(&presented.id)?;
        }
        if let Some(last_used) = &self.last_used {
            known.note_use(last_used, now);
        }
        Ok(known.authentication(now, fit, scheme))
    }

    /// The secret first: about a key whose secret somebody does not know, they learn nothing.
    fn judge<T: Zeroize + AsRef<[u8]>>(
        &self,
        stored: &StoredKey,
        presented: &Presented<T>,
    ) -> Result<(Timestamp, Fit), AuthError> {
        let now = self.clock.now();
        let key = stored.key();
        let peppers = &self.comparison(&presented.id).peppers;
        let Some(fit) = stored.matches(&presented.text, peppers, now) else {
            return Err(AuthError::invalid_credentials("wrong_secret"));
        };
        let refused = if key.is_disabled() {
            "disabled"
        } else if key.expires_at().is_some_and(|end| now >= end) {
            "expired"
        } else if !key.networks().allow(presented.peer) {
            "wrong_network"
        } else {
            return Ok((now, fit));
        };
        Err(AuthError::invalid_credentials(refused))
    }
}

impl<P: Send + Sync> Forget for Verify<P> {
    fn forget(&self, id: &KeyId) {
        self.cache.forget(id);
    }

    fn forget_owned_by(&self, owner: &Principal) {
        self.cache
            .forget_where(|known| known.stored().key().owner() == owner);
    }

    fn forget_all(&self) {
        self.cache.forget_where(|_| true);
    }
}

impl<P> Verify<P> {
    /// What a store's log says was changed.
    pub(crate) fn forget_changed(&self, change: &Change) {
        let Some(kind) = [API_KEYS, FOREIGN_API_KEYS]
            .into_iter()
            .find(|kind| kind.as_str() == change.kind())
        else {
            return;
        };
        match change {
            Change::Record { id, .. } => {
                let key = RecordKey::new(kind, id).ok();
                if let Some(id) = key.and_then(|key| KeyId::of_record(&key)) {
                    self.cache.forget(&id);
                }
            }
            Change::Owner { owner, .. } => match Owner::new(owner) {
                Ok(owner) => self.forget_records_owned_by(&owner),
                Err(_) => self.cache.forget_where(|_| true),
            },
            _ => self.cache.forget_where(|_| true),
        }
    }

    pub(crate) fn forget_records_owned_by(&self, owner: &Owner) {
        self.cache
            .forget_where(|known| owner_of(known.stored().key().owner()).is_ok_and(|known| known == *owner));
    }
}

impl<P> fmt::Debug for Verify<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verify")
            .field("format", &self.format)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
