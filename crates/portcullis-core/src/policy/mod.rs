//! Policies and requirements to build others of.
//!
//! | the question | look at |
//! |---|---|
//! | several at once | [`all`], [`any`], [`not`]; as types [`All`], [`Any`], [`Not`] |
//! | is it hers? | [`IsOwner`] of something [`Owned`] |
//! | is it her tenant's? | [`SameTenant`] of something [`Tenanted`] |
//! | does her role allow it? | [`HasPermission`] of a [`Permission`] |
//! | does her plan include it? | [`PlanIncludes`] a [`Feature`] |
//! | did she sign in lately, strongly? | [`FreshWithin`], [`HasFactor`], [`HasAcr`] |
//! | what does the request say, what time is it? | [`of_request`], [`at_time`] |
//! | facts that have to be loaded | [`LoadPolicy`] |
//! | roles that contain others | [`Hierarchy`] |
//!
//! # The algebra
//!
//! Four answers, so three tables; the strongest of the parts is the answer of the whole, whatever their order:
//!
//! | | strongest first |
//! |---|---|
//! | **all** | denied, unavailable, step-up, granted |
//! | **any** | granted, step-up, unavailable, denied |
//! | **not** | granted and denied change places, the others stay |
//!
//! So an outage never grants, not even in a `not`, and never hides that somebody may not. A denial says
//! `insufficient_scope` only where more scope alone would grant: `all` of two missing scopes names both, a missing
//! scope beside any other objection is an ordinary denial.
//!
//! ```
//! use portcullis_core::policy::{All, Any, IsOwner, SameTenant, all, any};
//! use portcullis_core::{HasRole, Needs, Role, SignedInUser};
//!
//! struct Admin;
//! impl Role for Admin {
//!     const NAME: &str = "admin";
//! }
//!
//! /// As a type, for `Authorized<Staff>` or a route's `needs::<Staff>()`.
//! type Staff = All<(SignedInUser, HasRole<Admin>)>;
//!
//! /// As a value: crossing tenants is a denial even for an admin.
//! let may_read = all((SameTenant, any((IsOwner, Needs::<HasRole<Admin>>::new()))));
//! # let _ = may_read;
//! ```

mod algebra;
mod attributes;
mod combine;
mod hierarchy;
mod load;
mod ownership;
mod permission;
mod plan;
mod step_up;
mod tenant;

pub use self::attributes::{AtTime, OfRequest, at_time, of_request};
pub use self::combine::{All, Any, Not, all, any, not};
pub use self::hierarchy::Hierarchy;
pub use self::load::{DEFAULT_BUDGET, LoadPolicy, load_and_decide};
pub use self::ownership::{IsOwner, Owned};
pub use self::permission::{HasPermission, Permission};
pub use self::plan::{Feature, PlanIncludes, Subscriber};
pub use self::step_up::{Acr, AuthenticationFactor, FreshWithin, HasAcr, HasFactor};
pub use self::tenant::{SameTenant, Tenanted};

/// What a type is called, without the paths of its modules: `HasScope<DocumentsRead>`.
pub(crate) fn short_name(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    let mut word = String::new();
    for character in path.chars() {
        match character {
            // A path so far; only its last part is the name.
            ':' => word.clear(),
            '_' => word.push('_'),
            other if other.is_alphanumeric() => word.push(other),
            other => {
                name.push_str(&word);
                word.clear();
                name.push(other);
            }
        }
    }
    name + &word
}

/// As the compiler names a type: for the audit, where nothing may be allocated.
pub(crate) fn type_label<T: ?Sized>() -> &'static str {
    std::any::type_name::<T>()
}

#[cfg(test)]
mod tests;
