//! What the handlers read out of the token.

use serde::Deserialize;

/// Nine texts, each with an allocation of its own.
#[derive(Clone, Debug, Deserialize)]
pub struct Owned {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub client_id: String,
    pub jti: String,
    pub scope: String,
    pub tenant: String,
    pub email: String,
    pub name: String,
}

/// The same nine, borrowed from the payload.
#[derive(Clone, Debug, Deserialize)]
pub struct Borrowed<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub aud: &'a str,
    pub client_id: &'a str,
    pub jti: &'a str,
    pub scope: &'a str,
    pub tenant: &'a str,
    pub email: &'a str,
    pub name: &'a str,
}
