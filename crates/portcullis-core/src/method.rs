//! By which method somebody was authenticated.

use std::fmt;

/// How a caller was authenticated, for logs and decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method(&'static str);

impl Method {
    /// A JSON Web Token, verified here.
    pub const JWT: Self = Self("jwt");
    /// An opaque token, verified by its issuer (RFC 7662).
    pub const INTROSPECTION: Self = Self("introspection");
    /// An API key.
    pub const API_KEY: Self = Self("api_key");
    /// A server-side session.
    pub const SESSION: Self = Self("session");
    /// A client certificate.
    pub const MTLS: Self = Self("mtls");

    /// A method of the application's own.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
