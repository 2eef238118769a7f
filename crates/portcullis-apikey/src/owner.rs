//! Whoever a key belongs to, as they are now.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use portcullis_core::{Principal, Roles, Scopes};

use crate::ApiKey;

/// The owner of a key as they are now: who that is to the application, and what they may do today.
///
/// A key never does more than its owner: its scopes count as far as the owner holds them too.
#[derive(Clone, Debug)]
#[must_use]
pub struct OwnerNow<P> {
    principal: P,
    /// `None`: every scope.
    scopes: Option<Scopes>,
    roles: Roles,
}

impl<P> OwnerNow<P> {
    /// An owner who holds these scopes, and no role that would go over to a key.
    pub fn new(principal: P, scopes: Scopes) -> Self {
        Self {
            principal,
            scopes: Some(scopes),
            roles: Roles::none(),
        }
    }

    /// An owner who holds every scope there is: where only keys have scopes and people do not.
    pub fn holding_every_scope(principal: P) -> Self {
        Self {
            principal,
            scopes: None,
            roles: Roles::none(),
        }
    }

    /// Roles that go over to the key. They are not limited by the key's scopes: leave out what a key should not be.
    pub fn with_roles(mut self, roles: Roles) -> Self {
        self.roles = roles;
        self
    }

    pub(crate) fn effective(self, key: &ApiKey) -> Effective<P> {
        let scopes = match &self.scopes {
            Some(held) => intersection(key.scopes(), held),
            None => key.scopes().clone(),
        };
        Effective {
            principal: self.principal,
            scopes,
            roles: self.roles,
        }
    }
}

/// Who calls with a key, and what they may do.
pub(crate) struct Effective<P> {
    pub(crate) principal: P,
    pub(crate) scopes: Scopes,
    pub(crate) roles: Roles,
}

/// What both hold.
pub(crate) fn intersection(of: &Scopes, held: &Scopes) -> Scopes {
    if of.iter().all(|scope| held.contains(scope)) {
        return of.clone();
    }
    let both: Vec<&str> = of.iter().filter(|scope| held.contains(scope)).collect();
    // INVARIANT: what was read from scopes is a list of scopes; nothing at all is the safe answer otherwise.
    Scopes::parse(both.join(" ")).unwrap_or_default()
}

type BoxError = Box<dyn Error + Send + Sync>;
type Answer<P> = Pin<Box<dyn Future<Output = Result<Option<OwnerNow<P>>, BoxError>> + Send>>;

type Ask<P> = dyn Fn(&Principal) -> Answer<P> + Send + Sync;

/// Asks for owners.
pub(crate) struct Owners<P>(Arc<Ask<P>>);

impl<P> Owners<P> {
    pub(crate) fn asking<F, L, E>(ask: F) -> Self
    where
        F: Fn(Principal) -> L + Send + Sync + 'static,
        L: Future<Output = Result<Option<OwnerNow<P>>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self(Arc::new(move |owner| {
            let answer = ask(owner.clone());
            Box::pin(async move { answer.await.map_err(Into::into) })
        }))
    }

    pub(crate) fn ask(&self, owner: &Principal) -> Answer<P> {
        (self.0)(owner)
    }
}

impl Owners<Principal> {
    /// Believes the record: the owner is still there, and still holds what the key has.
    pub(crate) fn unchecked() -> Self {
        Self(Arc::new(|owner| {
            let owner = OwnerNow::holding_every_scope(owner.clone());
            Box::pin(std::future::ready(Ok(Some(owner))))
        }))
    }
}

impl<P> Clone for Owners<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> fmt::Debug for Owners<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<fn>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_what_both_hold() {
        let scopes = |list: &str| Scopes::parse(list).expect("scopes");
        for (key, owner, both) in [
            ("a b", "a b c", "a b"),
            ("a b", "b c", "b"),
            ("a", "b", ""),
            ("", "a", ""),
            ("ab", "a b", ""),
        ] {
            assert_eq!(
                intersection(&scopes(key), &scopes(owner)),
                scopes(both),
                "{key} of {owner}"
            );
        }
    }
}
