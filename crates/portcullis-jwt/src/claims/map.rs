//! Where an issuer puts scopes, roles and the client: data, not code.

use std::borrow::Cow;

/// Where the claims stand that authorization needs.
///
/// A path is a list of member names from the top of the payload: `["realm_access", "roles"]`. Its value
/// is a string or an array of strings; any other type refuses the token (no coercion). A scope string
/// is split at spaces; every other string is one value.
///
/// The presets are what the named products issue by default; each is a starting point that the
/// methods extend.
///
/// ```
/// use portcullis_jwt::ClaimMap;
///
/// let claims = ClaimMap::keycloak().roles_at(["resource_access", "invoices", "roles"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ClaimMap {
    pub(super) scopes: Vec<Path>,
    pub(super) roles: Vec<Path>,
    pub(super) client_ids: Vec<Path>,
    pub(super) client_marks: Vec<(Path, Mark)>,
    pub(super) person_marks: Vec<Path>,
    pub(super) required: Vec<(Path, Vec<Name>)>,
    /// Something required tells access tokens from ID tokens, so that `nonce` need not.
    pub(super) kind_is_marked: bool,
}

pub(super) type Name = Cow<'static, str>;
pub(super) type Path = Vec<Name>;

/// A value that says "a client acts for itself".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Equals(Name),
    StartsWith(Name),
    EndsWith(Name),
}

impl Default for ClaimMap {
    fn default() -> Self {
        Self::standard()
    }
}

impl ClaimMap {
    /// No claim is read for scopes, roles or the client until a method says where they stand.
    pub const fn empty() -> Self {
        Self {
            scopes: Vec::new(),
            roles: Vec::new(),
            client_ids: Vec::new(),
            client_marks: Vec::new(),
            person_marks: Vec::new(),
            required: Vec::new(),
            kind_is_marked: false,
        }
    }

    /// Reads scopes at one more place.
    pub fn scopes_at<N: Into<Name>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.scopes.push(path.into_iter().map(Into::into).collect());
        self
    }

    /// Reads roles at one more place.
    pub fn roles_at<N: Into<Name>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.roles.push(path.into_iter().map(Into::into).collect());
        self
    }

    /// Reads the client's id, one text, at one more place; the first place that has one counts.
    pub fn client_id_at<N: Into<Name>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.client_ids.push(path.into_iter().map(Into::into).collect());
        self
    }

    /// Takes the caller for a client acting for itself when the claim at `path` equals `value`. Besides,
    /// a token whose `sub` is its client id, at any of the places, is always a client's.
    pub fn client_when<N: Into<Name>>(
        mut self,
        path: impl IntoIterator<Item = N>,
        value: impl Into<Name>,
    ) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        self.client_marks.push((path, Mark::Equals(value.into())));
        self
    }

    /// Takes the caller for a client acting for itself unless the claim at `path` is there and not empty:
    /// for issuers that mark people, not clients.
    pub fn client_unless<N: Into<Name>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.person_marks.push(path.into_iter().map(Into::into).collect());
        self
    }

    /// Refuses tokens unless the claim at `path` is one of `values`, or is an array that holds one of
    /// them.
    pub fn require<N: Into<Name>, V: Into<Name>>(
        mut self,
        path: impl IntoIterator<Item = N>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        self.required
            .push((path, values.into_iter().map(Into::into).collect()));
        self
    }
}
