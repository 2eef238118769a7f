//! Logged in, but is it hers?

use crate::{Authentication, Decision, Policy};

/// Something that belongs to somebody: implemented for the application's resources.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether it belongs to a `{P}`",
    note = "implement `Owned<{P}>` for `{Self}`: `fn is_owned_by(&self, principal: &{P}) -> bool`"
)]
pub trait Owned<P> {
    /// Whether it belongs to `principal`. Compare what identifies an account, (issuer, subject) or the application's own
    /// key for it, never a name or an e-mail address.
    fn is_owned_by(&self, principal: &P) -> bool;
}

/// The person to whom the resource belongs; denied with `not_the_owner`.
///
/// A client that acts for itself owns nothing: an authorization server may let it choose a client id that reads like
/// somebody's subject (RFC 9068 §5, RFC 9700 §4.15). It is denied with `client_is_not_a_user`.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs)] // Written out where it is used.
pub struct IsOwner;

impl<P, R: Owned<P> + ?Sized> Policy<P, R> for IsOwner {
    fn decide(&self, caller: &Authentication<P>, resource: &R) -> Decision {
        if caller.is_client() {
            return Decision::granted_if(false, "client_is_not_a_user");
        }
        Decision::granted_if(resource.is_owned_by(caller.principal()), "not_the_owner")
    }
}
