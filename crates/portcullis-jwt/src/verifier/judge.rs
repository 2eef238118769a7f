//! Rule 7: claims against what was configured, and what then is asserted.

use std::sync::Arc;

use portcullis_core::{Factor, Roles, Scopes};

use super::Origin;
use super::settings::{IssuerRules, Settings};
use crate::claims::{Audience, Caller, Place, Places, Read, Times};
use crate::{JwtError, VerifiedClaims, VerifiedToken};

impl Settings {
    /// Judges the claims.
    pub(super) fn check(&self, rules: &IssuerRules, read: &Read<'_>) -> Result<Times, JwtError> {
        if read.iss.as_deref().ok_or(JwtError::MissingClaim("iss"))? != &*rules.name {
            return Err(JwtError::Issuer);
        }
        match read.aud {
            Audience::Ours => {}
            Audience::Absent if rules.audience_optional => {}
            Audience::Absent => return Err(JwtError::MissingClaim("aud")),
            Audience::Others => return Err(JwtError::Audience),
        }
        let times = self.check_times(read)?;
        if read.bound {
            return Err(JwtError::Bound);
        }
        self.profile.check_claims(read)?;
        if read.found.satisfied.count_ones() as usize != rules.map.required {
            return Err(JwtError::RequiredClaim);
        }
        if read.sub.as_deref() == Some("") || read.jti.as_deref() == Some("") {
            return Err(JwtError::Claims);
        }
        Ok(times)
    }
}

/// States what was verified: the claims, and what they say about the caller.
pub(super) fn assert(
    json: &str,
    read: Read<'_>,
    times: Times,
    origin: Origin,
    rules: &IssuerRules,
) -> Result<VerifiedToken, JwtError> {
    let places = Places {
        token_id: read.jti.as_deref().map(|text| Place::of(text, json)),
        subject: read.sub.as_deref().map(|text| Place::of(text, json)),
    };
    let claims = Arc::new(VerifiedClaims::assertion(json, places, times, origin));
    let share = |text: &str| Place::of(text, json).share(&claims);
    let found = read.found;
    let acts_as_client = read
        .sub
        .as_deref()
        .is_some_and(|subject| found.is_client_id(subject));
    let caller = Caller {
        subject: read.sub.as_deref().map(share),
        client_id: found.client_id.as_ref().map(|(_, id)| share(id)),
        is_client: found.client_mark || (rules.map.marks_people && !found.person_mark) || acts_as_client,
        scopes: Scopes::parse(share(&found.scopes)).map_err(|_| JwtError::Claims)?,
        roles: found.roles.iter().map(|role| share(role)).collect::<Roles>(),
        authenticated_at: read.auth_time,
        acr: read.acr.as_deref().map(share),
        factors: read
            .factors
            .iter()
            .map(|name| Factor::new(share(name), None))
            .collect(),
    };
    Ok(VerifiedToken { claims, caller })
}
