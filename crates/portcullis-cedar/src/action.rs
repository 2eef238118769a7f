//! An action, as a policy.

use std::fmt;

use cedar_policy::EntityUid;
use portcullis_core::{Authentication, Decision, Policy};

use crate::{CedarEntity, CedarPolicies};

/// An action that the schema knows, as a [`Policy`]: whether the caller may do it with the resource is what the Cedar
/// policies in force say.
///
/// | Cedar says | the decision |
/// |---|---|
/// | allow, and every policy could be evaluated | granted |
/// | deny: no policy permits | denied, `cedar_denied` |
/// | deny: a policy forbids | denied, `cedar_forbidden`, or the [reason](crate::CedarBuilder::reason) it names |
/// | a policy could not be evaluated, whatever the others say | unavailable |
/// | the caller, the resource or the context is not as the schema has it | unavailable |
///
/// A policy that fails is one that Cedar goes on without. If it was a `forbid`, that would let somebody in.
///
/// A type of the application's own says at compile time which action was granted:
///
/// ```
/// use portcullis_cedar::{CedarAction, CedarEntity};
/// use portcullis_core::{Authentication, Decision, Granted, Policy, Principal};
///
/// #[derive(Clone)]
/// struct CanDelete(CedarAction);
///
/// impl<R: CedarEntity> Policy<Principal, R> for CanDelete {
///     fn decide(&self, caller: &Authentication<Principal>, resource: &R) -> Decision {
///         self.0.decide(caller, resource)
///     }
/// }
///
/// struct Document;
///
/// /// There is no way to call this with a document of which only reading was granted.
/// fn delete(document: Granted<Document, CanDelete>) {}
/// ```
#[derive(Clone)]
pub struct CedarAction {
    policies: CedarPolicies,
    action: EntityUid,
}

impl CedarAction {
    pub(crate) const fn new(policies: CedarPolicies, action: EntityUid) -> Self {
        Self { policies, action }
    }

    /// The action's whole name: `Action::"delete"`.
    #[must_use]
    pub fn name(&self) -> String {
        self.action.to_string()
    }

    /// A policy about this action with one entity, whatever it is asked about: for layers and routes that have no object
    /// at hand, such as a list.
    pub const fn on<E: CedarEntity>(self, entity: E) -> OnEntity<E> {
        OnEntity { action: self, entity }
    }
}

impl<P: CedarEntity, R: CedarEntity + ?Sized> Policy<P, R> for CedarAction {
    fn decide(&self, caller: &Authentication<P>, resource: &R) -> Decision {
        self.policies.shared.decide(caller, &self.action, resource)
    }
}

impl fmt::Debug for CedarAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CedarAction").field(&self.name()).finish()
    }
}

/// An action with one entity; see [`CedarAction::on`].
#[derive(Clone, Debug)]
#[must_use]
pub struct OnEntity<E> {
    action: CedarAction,
    entity: E,
}

impl<P: CedarEntity, X: ?Sized, E: CedarEntity + Send + Sync + 'static> Policy<P, X> for OnEntity<E> {
    fn decide(&self, caller: &Authentication<P>, _: &X) -> Decision {
        self.action.decide(caller, &self.entity)
    }
}
