//! What a request's `context` says of the caller.

use std::time::Duration;

use cedar_policy::{Context, RestrictedExpression};
use portcullis_core::Authentication;

use crate::undecidable::Undecidable;

/// The type of the `context`: `Portcullis::Caller`, as the schema of every action that is asked for has to declare it.
///
/// It is added to the schema of the application unless that declares the namespace `Portcullis` itself. Other tools, such
/// as Cedar's own command line, want it beside the application's schema: write it into a file for them.
///
/// | attribute | what it is |
/// |---|---|
/// | `roles` | the roles of the credentials |
/// | `scopes` | their scopes |
/// | `permissions` | the permissions they carry by name |
/// | `method` | how the caller was authenticated: `jwt`, `session`, … |
/// | `is_client` | a client acts for itself, and no person is behind the request |
/// | `acr` | the authentication context class; absent if unknown |
/// | `sign_in_age` | seconds from the sign-in to the check of these credentials; absent if either is unknown, or the sign-in lies more than five minutes in the future |
///
/// Nothing is no name: an empty role, scope or permission is left out, as everywhere.
pub const CALLER_SCHEMA: &str = "\
namespace Portcullis {
    type Caller = {
        roles: Set<String>,
        scopes: Set<String>,
        permissions: Set<String>,
        method: String,
        is_client: Bool,
        acr?: String,
        sign_in_age?: Long,
    };
}
";

/// The namespace of [`CALLER_SCHEMA`].
pub(crate) const NAMESPACE: &str = "Portcullis";

/// How far an issuer's clock may be ahead of ours before its times say nothing; as `FreshWithin` has it.
const AHEAD: Duration = Duration::from_secs(300);

/// What is said of a caller.
struct Facts<'c> {
    roles: RestrictedExpression,
    scopes: RestrictedExpression,
    permissions: RestrictedExpression,
    method: &'c str,
    is_client: bool,
    acr: Option<&'c str>,
    sign_in_age: Option<i64>,
}

pub(crate) fn of_caller<P>(caller: &Authentication<P>) -> Result<Context, Undecidable> {
    let facts = Facts {
        roles: names(caller.roles().iter()),
        scopes: names(caller.scopes().iter()),
        permissions: names(caller.permissions().iter()),
        method: caller.method().as_str(),
        is_client: caller.is_client(),
        acr: caller.acr(),
        sign_in_age: sign_in_age(caller),
    };
    facts.into_context()
}

/// The least and the most that is said of anybody: what the context of an action has to admit.
pub(crate) fn samples() -> [Result<Context, Undecidable>; 2] {
    [(None, None), (Some("acr"), Some(0))].map(|(acr, sign_in_age)| {
        let facts = Facts {
            roles: names(["role"].into_iter()),
            scopes: names(["scope"].into_iter()),
            permissions: names(["permission"].into_iter()),
            method: "method",
            is_client: false,
            acr,
            sign_in_age,
        };
        facts.into_context()
    })
}

impl Facts<'_> {
    fn into_context(self) -> Result<Context, Undecidable> {
        let required = [
            ("roles", self.roles),
            ("scopes", self.scopes),
            ("permissions", self.permissions),
            ("method", text(self.method)),
            ("is_client", RestrictedExpression::new_bool(self.is_client)),
        ];
        let age = self.sign_in_age.map(RestrictedExpression::new_long);
        let optional = [("acr", self.acr.map(text)), ("sign_in_age", age)];
        let known = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let pairs = required.into_iter().chain(known);
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
        Context::from_pairs(pairs).map_err(|error| Undecidable::new("context_not_valid", error))
    }
}

fn names<'n>(names: impl Iterator<Item = &'n str>) -> RestrictedExpression {
    RestrictedExpression::new_set(names.filter(|name| !name.is_empty()).map(text))
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn sign_in_age<P>(caller: &Authentication<P>) -> Option<i64> {
    let (proven, now) = (caller.authenticated_at()?, caller.checked_at()?);
    if proven > now.saturating_add(AHEAD) {
        return None;
    }
    Some(i64::try_from(now.saturating_since(proven).as_secs()).unwrap_or(i64::MAX))
}
