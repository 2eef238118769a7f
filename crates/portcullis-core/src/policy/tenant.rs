//! One application, many customers, and nothing between them.

use crate::{Authentication, Decision, Policy};

/// Somebody or something that belongs to a tenant: implemented for the application's principal and for its resources.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which tenant it belongs to",
    note = "implement `Tenanted` for `{Self}`"
)]
pub trait Tenanted {
    /// What identifies a tenant: a number, a text.
    type Tenant: PartialEq + ?Sized;

    /// The tenant; `None` where it belongs to none, and so is nobody's.
    fn tenant(&self) -> Option<&Self::Tenant>;
}

/// Caller and resource belong to the same tenant; denied with `other_tenant`.
///
/// Put it first into an [`all`](super::all): a denial there outweighs every role, so that the admin of one tenant is a
/// stranger in the others. What belongs to no tenant is in nobody's.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs)] // Written out where it is used.
pub struct SameTenant;

impl<P, R> Policy<P, R> for SameTenant
where
    P: Tenanted,
    R: Tenanted<Tenant = P::Tenant> + ?Sized,
{
    fn decide(&self, caller: &Authentication<P>, resource: &R) -> Decision {
        let same = match (caller.principal().tenant(), resource.tenant()) {
            (Some(hers), Some(its)) => hers == its,
            _ => false,
        };
        Decision::granted_if(same, "other_tenant")
    }
}
