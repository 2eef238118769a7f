//! What roles allow.

use std::fmt;
use std::marker::PhantomData;

use crate::{Authentication, Decision, Description, Requirement};

/// A permission as a type, so that a misspelt one does not compile.
///
/// ```
/// use portcullis_core::policy::Permission;
///
/// /// Close the books of a month.
/// struct CloseBooks;
///
/// impl Permission for CloseBooks {
///     const NAME: &str = "books:close";
///     const GRANTED_TO: &[&str] = &["accountant", "admin"];
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a permission",
    note = "write `impl Permission for {Self} {{ const NAME: &str = \"books:close\"; const GRANTED_TO: &[&str] = &[\"accountant\"]; }}`"
)]
pub trait Permission: Send + Sync + 'static {
    /// The permission's name, as credentials may carry it.
    const NAME: &'static str;

    /// The roles that hold it.
    const GRANTED_TO: &'static [&'static str] = &[];
}

/// A caller who holds the permission `X`: credentials carry it
/// ([`with_permissions`](Authentication::with_permissions)), or one of the roles to which it is granted. Denied with
/// `permission_missing`.
pub struct HasPermission<X>(PhantomData<fn() -> X>);

impl<P, X: Permission> Requirement<P> for HasPermission<X> {
    fn decide(caller: &Authentication<P>) -> Decision {
        let by_role = || X::GRANTED_TO.iter().any(|role| caller.roles().contains(role));
        let held = caller.permissions().contains(X::NAME) || by_role();
        Decision::granted_if(held, "permission_missing")
    }

    fn describe() -> Description {
        Description::new(format!("permission {}", X::NAME))
    }
}

impl<X: Permission> fmt::Debug for HasPermission<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HasPermission").field(&X::NAME).finish()
    }
}
