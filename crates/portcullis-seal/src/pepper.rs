//! Secrets that a copy of the store does not contain, with versions.

use std::fmt;

use portcullis_core::{ConfigError, Secret};
use zeroize::Zeroize;

use crate::digest::{Kind, SecretDigest, sha256};
use crate::mac::{MAC_LEN, derive, hmac_sha256};
use crate::material;

const LABEL: &str = "portcullis-seal 1: the pepper of digests";

/// A 256-bit secret that goes into digests and stands in no store, with the version that digests name.
///
/// A version means one secret for ever: given to another one, its digests match no longer. `Debug` shows the version
/// only.
#[derive(Clone)]
pub struct Pepper {
    version: u32,
    key: Secret<[u8; MAC_LEN]>,
}

impl Pepper {
    /// Takes a secret. It has to be random: a password is no pepper.
    ///
    /// # Errors
    ///
    /// When all bytes are the same, which is a placeholder.
    pub fn new(version: u32, secret: &Secret<[u8; MAC_LEN]>) -> Result<Self, ConfigError> {
        material::check(secret)?;
        Ok(Self {
            version,
            key: derive(secret, LABEL),
        })
    }

    /// Reads 32 bytes in hexadecimal or base64, as [`SealingKey::from_text`](crate::SealingKey::from_text).
    ///
    /// # Errors
    ///
    /// When the text is anything else.
    pub fn from_text(version: u32, text: &Secret<Vec<u8>>) -> Result<Self, ConfigError> {
        Self::new(version, &material::from_text(text.expose())?)
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    fn mac(&self, secret: &[u8]) -> Secret<[u8; MAC_LEN]> {
        hmac_sha256(self.key.expose(), secret)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Which digests are made, and which are believed.
///
/// # Decision rules
///
/// 1. Without peppers, digests are SHA-256, and only those match.
/// 2. With peppers, digests are made with the current one, and match under the version they name, if that is here.
/// 3. A digest of an unknown version matches nothing: it is not tried without a pepper, nor with another.
/// 4. With peppers, a digest without one matches nothing, unless the builder was told otherwise.
///
/// # Changing peppers
///
/// As with sealing keys: every instance knows the new one before any uses it. An old one can only go when the last
/// digest made with it is gone, for a digest is not made anew without its secret. When a secret is presented and
/// [`matches`](SecretDigest::matches), and its digest [is not current](Self::is_current), store a new one.
#[derive(Clone, Debug)]
pub struct Peppers {
    /// The first one makes digests.
    peppers: Vec<Pepper>,
    accepts_unpeppered: bool,
}

impl Peppers {
    /// No pepper: SHA-256. Enough for secrets with much randomness; a pepper adds that a copy of the store
    /// alone does not even tell whether a secret found elsewhere is one of its own.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            peppers: Vec::new(),
            accepts_unpeppered: true,
        }
    }

    /// Peppers of which one makes digests. It cannot be built without that one.
    pub const fn builder() -> PeppersBuilder {
        PeppersBuilder {
            current: Vec::new(),
            others: Vec::new(),
            accepts_unpeppered: false,
        }
    }

    /// The digest to be stored for a new secret.
    #[must_use]
    pub fn digest<T: Zeroize + AsRef<[u8]>>(&self, secret: &Secret<T>) -> SecretDigest {
        match self.peppers.first() {
            None => SecretDigest::sha256(secret),
            Some(current) => made_with(current, secret.expose().as_ref()),
        }
    }

    /// Every digest under which a secret may have been stored, the current first: for stores that look it up by
    /// its digest.
    pub fn digests<T: Zeroize + AsRef<[u8]>>(
        &self,
        secret: &Secret<T>,
    ) -> impl Iterator<Item = SecretDigest> {
        let peppered = self
            .peppers
            .iter()
            .map(|pepper| made_with(pepper, secret.expose().as_ref()));
        let plain = self.accepts_unpeppered.then(|| SecretDigest::sha256(secret));
        peppered.chain(plain)
    }

    /// Whether new digests are made like this one.
    #[must_use]
    pub fn is_current(&self, digest: &SecretDigest) -> bool {
        let current = self.peppers.first().map_or(Kind::Sha256, |current| Kind::Hmac {
            version: current.version,
        });
        digest.kind() == current
    }

    /// The digest of that kind, if that kind is believed here.
    pub(crate) fn compute(&self, kind: Kind, secret: &[u8]) -> Option<Secret<[u8; MAC_LEN]>> {
        match kind {
            Kind::Sha256 => self.accepts_unpeppered.then(|| sha256(secret)),
            Kind::Hmac { version } => self
                .peppers
                .iter()
                .find(|pepper| pepper.version == version)
                .map(|pepper| pepper.mac(secret)),
        }
    }
}

fn made_with(pepper: &Pepper, secret: &[u8]) -> SecretDigest {
    let version = pepper.version;
    SecretDigest::new(Kind::Hmac { version }, pepper.mac(secret))
}

/// Makes [`Peppers`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PeppersBuilder {
    current: Vec<Pepper>,
    others: Vec<Pepper>,
    accepts_unpeppered: bool,
}

impl PeppersBuilder {
    /// The pepper that digests are made with.
    pub fn current(mut self, pepper: Pepper) -> Self {
        self.current.push(pepper);
        self
    }

    /// The pepper that digests will be made with next: other instances may be ahead.
    pub fn publishing(mut self, pepper: Pepper) -> Self {
        self.others.push(pepper);
        self
    }

    /// A pepper that digests were made with before. To be called once for each.
    pub fn old(mut self, pepper: Pepper) -> Self {
        self.others.push(pepper);
        self
    }

    /// Believes digests without a pepper too, while a store moves from them to peppered ones.
    ///
    /// As long as this is on, whoever can write to the store can put the SHA-256 of any secret there, which peppers
    /// otherwise prevent.
    pub const fn dangerous_accept_unpeppered(mut self) -> Self {
        self.accepts_unpeppered = true;
        self
    }

    /// The peppers.
    ///
    /// # Errors
    ///
    /// When there is no current one, there are two, or two have one version.
    pub fn build(self) -> Result<Peppers, ConfigError> {
        if self.current.len() != 1 {
            return Err(ConfigError::new(
                "one pepper is current and makes digests; for none at all there is `Peppers::none`",
            ));
        }
        let peppers = [self.current, self.others].concat();
        let mut versions: Vec<u32> = peppers.iter().map(Pepper::version).collect();
        versions.sort_unstable();
        versions.dedup();
        if versions.len() != peppers.len() {
            return Err(ConfigError::new("two peppers have the same version"));
        }
        Ok(Peppers {
            peppers,
            accepts_unpeppered: self.accepts_unpeppered,
        })
    }
}
