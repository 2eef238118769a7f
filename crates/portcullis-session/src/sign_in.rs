//! Who is to be signed in, and what is known of it.

use std::fmt;
use std::fmt::Write;

use http::HeaderMap;
use http::header::USER_AGENT;
use portcullis_core::{Escaped, Factor, Principal, Roles, Scopes, SharedStr, Timestamp};

use crate::payload::Account;

/// States that somebody **was authenticated**, for [`Session::sign_in`](crate::Session::sign_in). Nothing is checked there.
///
/// ```
/// use portcullis_core::{Principal, Scopes};
/// use portcullis_session::SignIn;
///
/// // The password was checked before this line.
/// let alice = SignIn::assertion(Principal::new("https://app.example", "alice"), "pwd")
///     .scopes(Scopes::parse("documents:read")?)
///     .remember(true)
///     .keep(["basket"]);
/// # let _ = alice;
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct SignIn {
    pub(crate) account: Account,
    pub(crate) authenticated_at: Option<Timestamp>,
    pub(crate) checked_at: Option<Timestamp>,
    pub(crate) first_factor: SharedStr,
    pub(crate) is_remembered: bool,
    pub(crate) kept: Vec<String>,
}

impl SignIn {
    /// States that `principal` proved who they are just now with `factor`, an `amr` value (RFC 8176) such as `pwd`.
    pub fn assertion(principal: Principal, factor: impl Into<SharedStr>) -> Self {
        Self {
            account: Account::new(principal, Timestamp::EPOCH),
            authenticated_at: None,
            checked_at: None,
            first_factor: factor.into(),
            is_remembered: false,
            kept: Vec::new(),
        }
    }

    /// Says when they proved it, where that was before: at an identity provider (`auth_time`).
    pub const fn authenticated_at(mut self, at: Timestamp) -> Self {
        self.authenticated_at = Some(at);
        self
    }

    /// Says when the proof was checked here, before work that takes time: whoever's sessions were
    /// [revoked](crate::Sessions::revoke_all) since is not signed in. The time of [`sign_in`](crate::Session::sign_in)
    /// unless called.
    pub const fn checked_at(mut self, at: Timestamp) -> Self {
        self.checked_at = Some(at);
        self
    }

    /// Adds a further proof.
    pub fn factor(mut self, factor: Factor) -> Self {
        self.account.factors.push(factor);
        self
    }

    /// Names the authentication context class.
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.account.acr = Some(acr.into());
        self
    }

    /// States what the session may do.
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.account.scopes = scopes;
        self
    }

    /// States the roles of this moment. They stay until the session is exchanged: where roles change, load them with the
    /// user instead.
    pub fn roles(mut self, roles: Roles) -> Self {
        self.account.roles = roles;
        self
    }

    /// Says on which device, in the user's list of sessions. Kept escaped, and cut after 200 characters.
    pub fn device(mut self, name: &str) -> Self {
        self.account.device = Some(escaped(name));
        self
    }

    /// Takes the device from `User-Agent`, as it was sent. Anyone can send anything.
    pub fn device_of(self, headers: &HeaderMap) -> Self {
        match headers.get(USER_AGENT) {
            Some(agent) => self.device(&String::from_utf8_lossy(agent.as_bytes())),
            None => self,
        }
    }

    /// Says from which address, in the user's list of sessions: the application knows which proxies to believe.
    pub fn address(mut self, address: &str) -> Self {
        self.account.address = Some(escaped(address));
        self
    }

    /// Keeps the session when the browser is closed, with the [remembered](crate::SessionsBuilder::remembered) timeouts. It is
    /// a long session and nothing else.
    pub const fn remember(mut self, remember: bool) -> Self {
        self.is_remembered = remember;
        self
    }

    /// Takes these values of the anonymous session along, or of an earlier one of the same user. Everything else of it is
    /// destroyed. Nothing is ever taken along from another user's.
    pub fn keep<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.kept.extend(names.into_iter().map(Into::into));
        self
    }

    pub(crate) fn account_at(&self, now: Timestamp) -> Account {
        let mut account = self.account.clone();
        account.authenticated_at = self.authenticated_at.unwrap_or(now);
        let first = Factor::new(self.first_factor.clone(), Some(account.authenticated_at));
        account.factors.insert(0, first);
        account
    }
}

fn escaped(text: &str) -> String {
    let mut shown = String::new();
    let _ = write!(shown, "{}", Escaped(text));
    shown
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("principal", &self.account.principal)
            .field("is_remembered", &self.is_remembered)
            .finish_non_exhaustive()
    }
}
