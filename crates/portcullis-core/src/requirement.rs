//! Needs stated in a type.

mod description;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

pub use self::description::Description;
use crate::{Authentication, Decision, Reason, Role, Scope, is_scope_token};

/// A need that a route states in its signature: `Authorized<HasScope<DocumentsRead>>`.
///
/// Decided after authentication, from what the credentials say and nothing else; a need that has to
/// look at a loaded object is a policy. Several together are `All<(A, B)>`, `Any<(A, B)>` and `Not<A>` of
/// [`policy`](crate::policy), which has more to build from.
///
/// ```
/// use portcullis_core::{Authentication, Decision, Principal, Requirement};
///
/// /// People on the support team.
/// struct Support;
///
/// impl Requirement<Principal> for Support {
///     fn decide(caller: &Authentication<Principal>) -> Decision {
///         let granted = !caller.is_client() && caller.roles().contains("support");
///         Decision::granted_if(granted, "not_support")
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a requirement on callers of type `{P}`",
    note = "use `SignedIn`, `SignedInUser`, `HasScope<S>` or `HasRole<R>`, or implement `Requirement<{P}>` for `{Self}`"
)]
pub trait Requirement<P>: Send + Sync + 'static {
    /// Whether the caller meets the need.
    fn decide(caller: &Authentication<P>) -> Decision;

    /// The need in words, for tables of routes: the type's name unless overridden.
    #[must_use]
    fn describe() -> Description {
        Description::of_type::<Self>()
    }
}

/// Anyone who authenticated: people and clients.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignedIn;

impl<P> Requirement<P> for SignedIn {
    fn decide(_: &Authentication<P>) -> Decision {
        Decision::Granted
    }

    fn describe() -> Description {
        Description::new("signed in")
    }
}

/// A person who authenticated; a client that acts for itself (client credentials) is denied
/// (RFC 9068 §5, RFC 9700 §4.15).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignedInUser;

impl<P> Requirement<P> for SignedInUser {
    fn decide(caller: &Authentication<P>) -> Decision {
        Decision::granted_if(!caller.is_client(), "client_is_not_a_user")
    }

    fn describe() -> Description {
        Description::new("signed-in user")
    }
}

/// A caller whose credentials carry scope `S`, or one that implies it.
///
/// A scope whose name is no scope token does not build where it is asked for. (`cargo check` does not
/// notice: the name is looked at when code is generated.)
pub struct HasScope<S>(PhantomData<fn() -> S>);

impl<P, S: Scope> Requirement<P> for HasScope<S> {
    fn decide(caller: &Authentication<P>) -> Decision {
        const {
            assert!(
                is_scope_token(S::NAME),
                "Scope::NAME is not a scope token (RFC 6749 §3.3)"
            )
        };
        let held = caller.scopes();
        if held.contains(S::NAME) || S::IMPLIED_BY.iter().any(|scope| held.contains(scope)) {
            Decision::Granted
        } else {
            Decision::Denied(Reason::insufficient_scope(Cow::Borrowed(S::NAME)))
        }
    }

    fn describe() -> Description {
        Description::of_scope(S::NAME)
    }
}

impl<S: Scope> fmt::Debug for HasScope<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HasScope").field(&S::NAME).finish()
    }
}

/// A caller whose credentials carry role `R`, or one that implies it.
pub struct HasRole<R>(PhantomData<fn() -> R>);

impl<P, R: Role> Requirement<P> for HasRole<R> {
    fn decide(caller: &Authentication<P>) -> Decision {
        let held = caller.roles();
        let granted = held.contains(R::NAME) || R::IMPLIED_BY.iter().any(|role| held.contains(role));
        Decision::granted_if(granted, "role_missing")
    }

    fn describe() -> Description {
        Description::new(format!("role {}", R::NAME))
    }
}

impl<R: Role> fmt::Debug for HasRole<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HasRole").field(&R::NAME).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Method, Roles, Scopes};

    struct Read;
    impl Scope for Read {
        const NAME: &str = "documents:read";
        const IMPLIED_BY: &[&str] = &["documents:write"];
    }

    struct Admin;
    impl Role for Admin {
        const NAME: &str = "admin";
        const IMPLIED_BY: &[&str] = &["root"];
    }

    fn caller(scopes: &str, roles: &[&str]) -> Authentication<()> {
        Authentication::assertion((), Method::JWT)
            .with_scopes(Scopes::parse(scopes).expect("scopes"))
            .with_roles(roles.iter().copied().collect::<Roles>())
    }

    #[test]
    fn a_scope_or_one_that_implies_it_grants_and_anything_else_names_what_is_missing() {
        for scopes in ["documents:read", "documents:write", "x documents:read"] {
            assert_eq!(HasScope::<Read>::decide(&caller(scopes, &[])), Decision::Granted);
        }
        let denied = Decision::Denied(Reason::insufficient_scope("documents:read".into()));
        for scopes in ["", "documents", "documents:readall", "DOCUMENTS:READ"] {
            assert_eq!(HasScope::<Read>::decide(&caller(scopes, &["admin"])), denied);
        }
    }

    #[test]
    fn a_role_or_one_that_implies_it_grants_and_scopes_are_no_roles() {
        for role in ["admin", "root"] {
            assert_eq!(HasRole::<Admin>::decide(&caller("", &[role])), Decision::Granted);
        }
        for caller in [caller("admin", &[]), caller("", &["Admin", "administrator"])] {
            let denied = Decision::Denied(Reason::new("role_missing"));
            assert_eq!(HasRole::<Admin>::decide(&caller), denied);
        }
    }

    #[test]
    fn at10_signed_in_takes_clients_and_signed_in_user_does_not() {
        let person = caller("", &[]);
        let client = caller("", &[]).with_client_id("batch-job").acting_for_itself();
        assert_eq!(SignedIn::decide(&person), Decision::Granted);
        assert_eq!(SignedIn::decide(&client), Decision::Granted);
        assert_eq!(SignedInUser::decide(&person), Decision::Granted);
        assert!(matches!(SignedInUser::decide(&client), Decision::Denied(_)));
    }
}
