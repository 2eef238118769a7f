//! Who may: the scopes that routes ask for, and what may be done with a document.

use portcullis::core::policy::{IsOwner, Owned, SameTenant, Tenanted, all, any};
use portcullis::{Authentication, Decision, HasRole, Needs, Policy, Role, Scope};

use crate::documents::Document;
use crate::users::User;

pub(crate) struct DocumentsRead;

impl Scope for DocumentsRead {
    const NAME: &str = "documents:read";
}

pub(crate) struct DocumentsDelete;

impl Scope for DocumentsDelete {
    const NAME: &str = "documents:delete";
}

pub(crate) struct Admin;

impl Role for Admin {
    const NAME: &str = "admin";
}

impl Owned<User> for Document {
    fn is_owned_by(&self, user: &User) -> bool {
        // One issuer is believed here, so its subjects are unique.
        self.owner == user.principal.subject()
    }
}

impl Tenanted for Document {
    type Tenant = str;

    fn tenant(&self) -> Option<&str> {
        Some(self.tenant)
    }
}

/// One's own, or any of one's customer's for an admin. No role reaches into another customer's documents.
fn hers_or_an_admins(caller: &Authentication<User>, document: &Document) -> Decision {
    all((SameTenant, any((IsOwner, Needs::<HasRole<Admin>>::new())))).decide(caller, document)
}

/// To read a document.
pub(crate) struct CanRead;

impl Policy<User, Document> for CanRead {
    fn decide(&self, caller: &Authentication<User>, document: &Document) -> Decision {
        hers_or_an_admins(caller, document)
    }
}

/// To delete a document. The same rule today; another type, so that a grant to read deletes nothing.
pub(crate) struct CanDelete;

impl Policy<User, Document> for CanDelete {
    fn decide(&self, caller: &Authentication<User>, document: &Document) -> Decision {
        hers_or_an_admins(caller, document)
    }
}

#[cfg(test)]
mod tests;
