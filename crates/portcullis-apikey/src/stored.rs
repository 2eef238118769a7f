//! A key as it is stored: what is known about it, and digests of its secrets.

use std::fmt;
use std::sync::Arc;

use portcullis_core::{Principal, Scopes, Secret, SharedStr, Timestamp};
use portcullis_seal::{Peppers, SecretDigest};
use zeroize::Zeroize;

use crate::format::MAX_LEN;
use crate::{ApiKey, KeyId, Networks};

/// A key as it is stored: what is known about it, and the digest of its whole text. During a rotation, two digests.
///
/// Applications that own the table make one in their [`FindApiKey`](crate::FindApiKey). `Debug` shows no digest.
///
/// ```
/// use portcullis_apikey::{KeyId, StoredKey};
/// use portcullis_core::{Principal, Scopes, Timestamp};
///
/// # let (id, digest): (KeyId, _) = ("0123456789abcdEF".parse()?, "sha256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
/// let owner = Principal::new("https://login.example.com", "alice");
/// let key = StoredKey::new(id, digest.parse()?, owner)
///     .name("deploy")
///     .scopes(Scopes::parse("documents:read")?)
///     .expires_at(Timestamp::from_unix_seconds(1_900_000_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct StoredKey {
    pub(crate) key: Arc<ApiKey>,
    pub(crate) digest: SecretDigest,
    pub(crate) previous: Option<Previous>,
}

/// The secret from before a rotation.
#[derive(Clone)]
pub(crate) struct Previous {
    pub(crate) digest: SecretDigest,
    pub(crate) ends_at: Timestamp,
}

impl StoredKey {
    /// A key of `owner` without scopes, expiry and limits. `digest` is that of the whole key: of
    /// [`Peppers::digest`], or `SecretDigest::sha256`.
    pub fn new(id: KeyId, digest: SecretDigest, owner: Principal) -> Self {
        let key = ApiKey {
            id,
            prefix: SharedStr::default(),
            last_four: SharedStr::default(),
            name: SharedStr::default(),
            owner,
            scopes: Scopes::none(),
            environment: None,
            networks: Networks::any(),
            created_at: Timestamp::EPOCH,
            expires_at: None,
            disabled: false,
            rotation_ends_at: None,
            last_used_at: None,
        };
        Self {
            key: Arc::new(key),
            digest,
            previous: None,
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut ApiKey)) -> Self {
        change(Arc::make_mut(&mut self.key));
        self
    }

    /// What its owner calls it.
    pub fn name(self, name: &str) -> Self {
        self.with(|key| key.name = name.into())
    }

    /// What it may do.
    pub fn scopes(self, scopes: Scopes) -> Self {
        self.with(|key| key.scopes = scopes)
    }

    /// Where it may be used from.
    pub fn networks(self, networks: impl IntoIterator<Item = crate::Network>) -> Self {
        self.with(|key| key.networks = networks.into_iter().collect())
    }

    /// For which environment it is.
    pub fn environment(self, environment: &str) -> Self {
        self.with(|key| key.environment = Some(environment.into()))
    }

    /// When it was issued.
    pub fn created_at(self, time: Timestamp) -> Self {
        self.with(|key| key.created_at = time)
    }

    /// The first instant at which it is not accepted any more.
    pub fn expires_at(self, end: Timestamp) -> Self {
        self.with(|key| key.expires_at = Some(end))
    }

    /// Switched off.
    pub fn disabled(self, disabled: bool) -> Self {
        self.with(|key| key.disabled = disabled)
    }

    /// The secret from before a rotation, accepted up to `ends_at`.
    pub fn previous(mut self, digest: SecretDigest, ends_at: Timestamp) -> Self {
        self.previous = Some(Previous { digest, ends_at });
        self.with(|key| key.rotation_ends_at = Some(ends_at))
    }

    /// What may be told about it.
    #[must_use]
    pub fn key(&self) -> &ApiKey {
        &self.key
    }

    /// Whether this is the key's text, at `now`, and which. Both secrets are compared, whether or not the first fits.
    pub(crate) fn matches<T: Zeroize + AsRef<[u8]>>(
        &self,
        text: &Secret<T>,
        peppers: &Peppers,
        now: Timestamp,
    ) -> Option<Fit> {
        let current = compare(&self.digest, text, peppers);
        let previous = self.previous.as_ref().filter(|previous| now < previous.ends_at);
        let former = previous.filter(|previous| compare(&previous.digest, text, peppers));
        match former {
            _ if current => Some(Fit::Current),
            Some(previous) => Some(Fit::Former(previous.ends_at)),
            None => None,
        }
    }
}

/// Which secret of a key a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Current,
    /// That from before the rotation, and when it ends.
    Former(Timestamp),
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Does what [`StoredKey::matches`] does where there is no key.
pub(crate) fn match_nothing(nothing: &SecretDigest, text: &KeyText, peppers: &Peppers) {
    std::hint::black_box(compare(nothing, text, peppers));
}

fn compare<T: Zeroize + AsRef<[u8]>>(digest: &SecretDigest, text: &Secret<T>, peppers: &Peppers) -> bool {
    #[cfg(test)]
    counted::COMPARISONS.set(counted::COMPARISONS.get() + 1);
    digest.matches(text, peppers)
}

/// The longest text that is taken for an imported key.
pub(crate) const LONGEST: usize = 512;

/// A presented key in custody. Without an allocation where it has our form.
pub(crate) type KeyText = Secret<Text>;

pub(crate) enum Text {
    Short { bytes: [u8; MAX_LEN], len: usize },
    Long(Vec<u8>),
}

impl Text {
    pub(crate) fn custody(text: &[u8]) -> KeyText {
        let mut bytes = [0; MAX_LEN];
        let Some(place) = bytes.get_mut(..text.len()) else {
            return Secret::new(Self::Long(text.to_vec()));
        };
        place.copy_from_slice(text);
        let taken = Secret::new(Self::Short {
            bytes,
            len: text.len(),
        });
        bytes.zeroize();
        taken
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Short { bytes, len } => bytes.get(..*len).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

impl Zeroize for Text {
    fn zeroize(&mut self) {
        match self {
            Self::Short { bytes, .. } => bytes.zeroize(),
            Self::Long(bytes) => bytes.zeroize(),
        }
    }
}

/// A presented key that still stands in its request: for decisions that do not wait.
pub(crate) struct Borrowed<'r>(&'r [u8]);

impl<'r> Borrowed<'r> {
    pub(crate) fn custody(text: &'r [u8]) -> Secret<Self> {
        Secret::new(Self(text))
    }
}

impl AsRef<[u8]> for Borrowed<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

impl Zeroize for Borrowed<'_> {
    /// There is no copy to be wiped.
    fn zeroize(&mut self) {
        self.0 = &[];
    }
}

/// How often digests were compared on this thread.
#[cfg(test)]
pub(crate) mod counted {
    use std::cell::Cell;

    thread_local! {
        pub(crate) static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }
}
