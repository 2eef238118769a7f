//! Who a request is signed in as.

use portcullis_core::{
    Authentication, Challenge, Challenges, Delivery, Factor, Method, Principal, Roles, Scheme, Scopes,
    Timestamp,
};

/// Where callers come from unless a test says otherwise.
const ISSUER: &str = "https://issuer.test";

/// A caller for [`signed_in_as`](crate::TestRequest::signed_in_as): the principal that
/// `https://issuer.test` calls `subject`, a person without scopes or roles.
///
/// ```
/// use portcullis_test::caller;
///
/// let alice = caller("alice").scope("documents:read").role("editor").authentication();
/// assert_eq!(alice.principal().subject(), "alice");
/// assert!(alice.scopes().contains("documents:read") && alice.roles().contains("editor"));
/// ```
pub fn caller(subject: &str) -> TestCaller {
    TestCaller {
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        scopes: Vec::new(),
        roles: Vec::new(),
        permissions: Vec::new(),
        factors: Vec::new(),
        evidence: authenticated(()),
    }
}

/// Evidence about a user of the application's own type, without scopes or roles; add them with
/// [`Authentication`]'s own methods.
///
/// ```
/// use portcullis_core::Scopes;
/// use portcullis_test::{TestRequest, authenticated};
///
/// struct User {
///     id: u64,
/// }
///
/// let alice = authenticated(User { id: 7 }).with_scopes(Scopes::parse("documents:read")?);
/// let request = http::Request::new(()).signed_in_as(alice);
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[must_use]
pub fn authenticated<P>(user: P) -> Authentication<P> {
    Authentication::assertion(user, Method::new("test")).with_scheme(Scheme::BEARER)
}

/// What places under test ask for: `Bearer realm="test"`.
pub(crate) fn test_challenges() -> Challenges {
    let challenge = Challenge::new(Scheme::BEARER)
        .realm("test")
        .expect("a realm of letters");
    Challenges::new([challenge]).expect("one challenge with a parameter")
}

/// A caller in the making; see [`caller`]. Each method changes one thing.
#[derive(Clone, Debug)]
#[must_use]
pub struct TestCaller {
    issuer: String,
    subject: String,
    scopes: Vec<String>,
    roles: Vec<String>,
    permissions: Vec<String>,
    factors: Vec<Factor>,
    evidence: Authentication<()>,
}

impl TestCaller {
    /// Names another issuer.
    pub fn issuer(mut self, issuer: &str) -> Self {
        issuer.clone_into(&mut self.issuer);
        self
    }

    /// Adds a scope, or several, separated by spaces.
    ///
    /// # Panics
    ///
    /// When a character may not stand in a scope (RFC 6749 §3.3).
    #[track_caller]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scopes.push(scope.to_owned());
        let scopes = Scopes::parse(self.scopes.join(" ").as_str());
        let scopes = scopes.unwrap_or_else(|error| panic!("{scope:?}: {error}"));
        self.with(|evidence| evidence.with_scopes(scopes))
    }

    /// Adds a role.
    pub fn role(mut self, role: &str) -> Self {
        self.roles.push(role.to_owned());
        let roles = Roles::from_iter(self.roles.iter().map(String::as_str));
        self.with(|evidence| evidence.with_roles(roles))
    }

    /// Adds a permission that the credentials carry by name.
    pub fn permission(mut self, permission: &str) -> Self {
        self.permissions.push(permission.to_owned());
        let permissions = Roles::from_iter(self.permissions.iter().map(String::as_str));
        self.with(|evidence| evidence.with_permissions(permissions))
    }

    /// Makes it a client that acts for itself: no person is behind the request (RFC 9068 §5).
    pub fn client(self) -> Self {
        self.with(Authentication::acting_for_itself)
    }

    /// Names the client that obtained the credentials.
    pub fn client_id(self, client_id: &str) -> Self {
        self.with(|evidence| evidence.with_client_id(client_id))
    }

    /// Adds a proof that the person gave, an `amr` value (RFC 8176), and when.
    pub fn factor(mut self, name: &str, at: Option<Timestamp>) -> Self {
        self.factors.push(Factor::new(name, at));
        let factors = self.factors.clone();
        self.with(|evidence| evidence.with_factors(factors))
    }

    /// Names the authentication context class (`acr`).
    pub fn acr(self, acr: &str) -> Self {
        self.with(|evidence| evidence.with_acr(acr))
    }

    /// Says when the person last proved who they are.
    pub fn authenticated_at(self, at: Timestamp) -> Self {
        self.with(|evidence| evidence.with_authenticated_at(at))
    }

    /// Says when the credentials were checked, from where the age of a sign-in counts.
    pub fn checked_at(self, at: Timestamp) -> Self {
        self.with(|evidence| evidence.with_checked_at(at))
    }

    /// Says when the evidence ends. Nothing here compares it with a clock.
    pub fn expires_at(self, at: Timestamp) -> Self {
        self.with(|evidence| evidence.with_expires_at(at))
    }

    /// Says that the user agent attached the credentials by itself, as it does with cookies: such a
    /// request can be forged from another site.
    pub fn ambient(self) -> Self {
        self.with(|evidence| evidence.with_delivery(Delivery::Ambient))
    }

    /// The evidence, for an application whose users are of another type:
    /// `caller("alice").scope("a").authentication().map(|_| user)`.
    #[must_use]
    pub fn authentication(self) -> Authentication<Principal> {
        let principal = Principal::new(self.issuer, self.subject);
        self.evidence.with_account(principal.clone()).map(|()| principal)
    }

    fn with(mut self, change: impl FnOnce(Authentication<()>) -> Authentication<()>) -> Self {
        self.evidence = change(self.evidence);
        self
    }
}

impl From<TestCaller> for Authentication<Principal> {
    fn from(caller: TestCaller) -> Self {
        caller.authentication()
    }
}
