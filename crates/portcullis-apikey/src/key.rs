//! What is known about a key, besides its secret.

use std::fmt;

use portcullis_core::{Principal, Scopes, SharedStr, Timestamp};

use crate::{KeyId, Networks};

/// What may be told about a key, to its owner and to handlers: all but its secret.
///
/// Handlers find it as the details of the caller:
///
/// ```
/// use portcullis_apikey::ApiKey;
/// use portcullis_core::Authentication;
///
/// fn name_of<P>(caller: &Authentication<P>) -> Option<&str> {
///     caller.details::<ApiKey>().map(ApiKey::name)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub(crate) id: KeyId,
    pub(crate) prefix: SharedStr,
    pub(crate) last_four: SharedStr,
    pub(crate) name: SharedStr,
    pub(crate) owner: Principal,
    pub(crate) scopes: Scopes,
    pub(crate) environment: Option<SharedStr>,
    pub(crate) networks: Networks,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) disabled: bool,
    pub(crate) rotation_ends_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
}

impl ApiKey {
    /// What it is called.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What it starts with. Empty where that is not known.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Its last four characters, by which people know it. They belong to the checksum; empty where they are not
    /// known.
    #[must_use]
    pub fn last_four(&self) -> &str {
        &self.last_four
    }

    /// What its owner calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose it is.
    #[must_use]
    pub const fn owner(&self) -> &Principal {
        &self.owner
    }

    /// What it was issued for. What it may do now is no more than what its owner may.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// For which environment, if there are several.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// Where it may be used from.
    #[must_use]
    pub const fn networks(&self) -> &Networks {
        &self.networks
    }

    /// When it was issued.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The first instant at which it is not accepted any more, if there is one.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether it is switched off.
    #[must_use]
    pub const fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// The first instant at which the secret from before the last rotation is not accepted any more, if there is one.
    #[must_use]
    pub const fn rotation_ends_at(&self) -> Option<Timestamp> {
        self.rotation_ends_at
    }

    /// When it was used, to the minute; the newest uses may not be written down yet.
    #[must_use]
    pub const fn last_used_at(&self) -> Option<Timestamp> {
        self.last_used_at
    }
}

/// As `sk_live_…3jZR (deploy)`.
impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = portcullis_core::Escaped(&self.name);
        write!(f, "{}_…{} ({name})", self.prefix, self.last_four)
    }
}
