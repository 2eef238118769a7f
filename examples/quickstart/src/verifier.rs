//! Who is believed, and where their keys come from.

use std::error::Error;

use portcullis::jwt::KeySet;
use portcullis::{
    Algorithm, ClaimMap, Profile, RemoteKeySet, ReqwestFetch, StaticKeySet, TrustedIssuer, Verifier,
};

use crate::options::{Options, ProfileName};

pub(crate) fn build(options: &Options, issuer: &str) -> Result<Verifier, Box<dyn Error>> {
    match &options.jwks_file {
        Some(path) => {
            let complain = |error: &dyn Error| format!("cannot use --jwks-file {}: {error}", path.display());
            let json = std::fs::read(path).map_err(|error| complain(&error))?;
            let keys = StaticKeySet::from_jwks(&json).map_err(|error| complain(&error))?;
            verifier(options, issuer, keys)
        }
        None => verifier(options, issuer, remote_keys(options, issuer)?),
    }
}

fn verifier(options: &Options, issuer: &str, keys: impl KeySet) -> Result<Verifier, Box<dyn Error>> {
    let profile = match options.profile {
        ProfileName::Jwt => Profile::Jwt,
        ProfileName::Rfc9068 => Profile::AccessToken,
    };
    let trusted = TrustedIssuer::new(issuer, keys)
        .algorithms(Algorithm::RECOMMENDED)
        .claims(ClaimMap::standard());
    let verifier = Verifier::builder()
        .issuer(trusted)
        .audience(options.audience.as_str())
        .profile(profile)
        .build()?;
    Ok(verifier)
}

fn remote_keys(options: &Options, issuer: &str) -> Result<RemoteKeySet, Box<dyn Error>> {
    let mut keys = match &options.jwks_url {
        Some(url) => RemoteKeySet::at(url),
        None => RemoteKeySet::discover(issuer),
    };
    // The embedded issuer is always on this machine.
    if options.allow_http_loopback || options.issuer.is_none() {
        keys = keys.allow_http_loopback();
    }
    Ok(keys.fetch(ReqwestFetch::new()?).build()?)
}
