//! Principals and resources as Cedar sees them.

use std::borrow::Cow;

use portcullis_core::Principal;

use crate::Record;

/// The name of an entity: its type and its id.
///
/// Types are written as in the schema, with their namespace: `User`, `Archive::Document`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityRef {
    /// `None` stands for the type of callers, which the builder knows.
    kind: Option<Cow<'static, str>>,
    id: String,
}

impl EntityRef {
    /// The entity of this type and id.
    #[must_use]
    pub fn new(kind: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        Self {
            kind: Some(kind.into()),
            id: id.into(),
        }
    }

    /// The entity of an account: the owner of a resource, for instance. It equals the principal of whoever signs in
    /// with that account.
    ///
    /// Its type is the builder's [`principal_type`](crate::CedarBuilder::principal_type), its id the issuer, `|` and the
    /// subject: `https://issuer.example|alice`. A `%` in the issuer is written `%25` and a `|` there `%7C`, so what stands
    /// before the first `|` is the issuer and nothing else; the subject stands as it is. Two accounts never share an id.
    #[must_use]
    pub fn account(account: &Principal) -> Self {
        let issuer = account.issuer().replace('%', "%25").replace('|', "%7C");
        Self::principal(format!("{issuer}|{}", account.subject()))
    }

    /// The entity of this id whose type is the builder's [`principal_type`](crate::CedarBuilder::principal_type).
    #[must_use]
    pub fn principal(id: impl Into<String>) -> Self {
        Self {
            kind: None,
            id: id.into(),
        }
    }

    /// The type; `None` for the builder's type of callers.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Something that policies speak of: implemented for the application's principal and its resources.
///
/// What is said here has to be what the schema declares: an attribute too many, one too few or one of another type makes
/// the decision unavailable, and the log says so.
///
/// ```
/// use portcullis_cedar::{CedarEntity, EntityRef, Record};
/// use portcullis_core::Principal;
///
/// struct Document {
///     id: u64,
///     owner: Principal,
///     folder: String,
/// }
///
/// impl CedarEntity for Document {
///     fn uid(&self) -> EntityRef {
///         EntityRef::new("Document", self.id.to_string())
///     }
///
///     fn attributes(&self) -> Record {
///         Record::new().with("owner", EntityRef::account(&self.owner))
///     }
///
///     fn parents(&self) -> Vec<EntityRef> {
///         vec![EntityRef::new("Folder", self.folder.as_str())]
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "Cedar policies do not know what `{Self}` is",
    note = "implement `CedarEntity` for `{Self}`: `fn uid(&self) -> EntityRef`, and the attributes that the schema declares"
)]
pub trait CedarEntity {
    /// The type and id. The id has to be unique within the type, and must not be handed out again.
    fn uid(&self) -> EntityRef;

    /// The attributes that the schema declares for the type; none by default.
    fn attributes(&self) -> Record {
        Record::new()
    }

    /// What it is `in`: **every** ancestor, not only the nearest, since nothing but the caller and the resource is known
    /// to the decision. None by default.
    fn parents(&self) -> Vec<EntityRef> {
        Vec::new()
    }
}

/// See [`EntityRef::account`] for the id. Without attributes: who needs some has a principal of their own.
impl CedarEntity for Principal {
    fn uid(&self) -> EntityRef {
        EntityRef::account(self)
    }
}

/// An entity of which nothing but the name matters.
impl CedarEntity for EntityRef {
    fn uid(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(issuer: &str, subject: &str) -> String {
        EntityRef::account(&Principal::new(issuer, subject))
            .id()
            .to_owned()
    }

    #[test]
    fn an_account_is_its_issuer_and_its_subject() {
        assert_eq!(id("https://a.example", "alice"), "https://a.example|alice");
        assert_eq!(id("https://a.example/%7C", "a|b"), "https://a.example/%257C|a|b");
    }

    #[test]
    fn no_two_accounts_share_an_id() {
        let parts = ["", "a", "|", "%", "%7C", "%25", "a|", "|a", "a|b", "%7Ca"];
        let pairs = || {
            parts
                .iter()
                .flat_map(|issuer| parts.iter().map(move |subject| (issuer, subject)))
        };
        for one in pairs() {
            for other in pairs() {
                assert_eq!(
                    id(one.0, one.1) == id(other.0, other.1),
                    one == other,
                    "{one:?} {other:?}"
                );
            }
        }
    }
}
