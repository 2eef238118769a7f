//! Who is signed in, as bytes: fields of `tag (1) | length (2) | bytes`. Unknown tags are passed over.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Factor, Principal, Roles, Scopes, SharedStr, Timestamp};

use super::{Reader, Writer, millis};
use crate::error::{SessionError, SessionErrorKind};

const ISSUER: u8 = 1;
const SUBJECT: u8 = 2;
const AUTHENTICATED_AT: u8 = 3;
const ACR: u8 = 4;
const SCOPES: u8 = 5;
const ROLE: u8 = 6;
const FACTOR: u8 = 7;
const DEVICE: u8 = 8;
const ADDRESS: u8 = 9;

/// Names of factors that cost no allocation (RFC 8176 §2). Any other is as good.
const AMR: [&str; 7] = ["pwd", "otp", "mfa", "hwk", "swk", "sms", "pin"];

/// In place of the time of a factor of which none is known.
const UNKNOWN: u64 = u64::MAX;

#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) principal: Principal,
    pub(crate) authenticated_at: Timestamp,
    pub(crate) acr: Option<String>,
    pub(crate) scopes: Scopes,
    pub(crate) roles: Roles,
    pub(crate) factors: Vec<Factor>,
    pub(crate) device: Option<String>,
    pub(crate) address: Option<String>,
}

impl Account {
    pub(crate) fn new(principal: Principal, authenticated_at: Timestamp) -> Self {
        Self {
            principal,
            authenticated_at,
            acr: None,
            scopes: Scopes::none(),
            roles: Roles::none(),
            factors: Vec::new(),
            device: None,
            address: None,
        }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, SessionError> {
        let mut to = Writer::with_capacity(128);
        let mut put = |tag: u8, parts: [&[u8]; 2]| -> Result<(), SessionError> {
            let [first, second] = parts;
            to.u8(tag);
            to.u16(u16::try_from(first.len() + second.len()).map_err(|_| SessionErrorKind::TooLarge)?);
            to.bytes(first);
            to.bytes(second);
            Ok(())
        };
        put(ISSUER, [self.principal.issuer().as_bytes(), b""])?;
        put(SUBJECT, [self.principal.subject().as_bytes(), b""])?;
        put(AUTHENTICATED_AT, [&instant(Some(self.authenticated_at)), b""])?;
        let texts = [(ACR, &self.acr), (DEVICE, &self.device), (ADDRESS, &self.address)];
        for (tag, text) in texts {
            if let Some(text) = text {
                put(tag, [text.as_bytes(), b""])?;
            }
        }
        for scope in self.scopes.iter() {
            put(SCOPES, [scope.as_bytes(), b""])?;
        }
        for role in self.roles.iter() {
            put(ROLE, [role.as_bytes(), b""])?;
        }
        for factor in &self.factors {
            put(FACTOR, [&instant(factor.at()), factor.name().as_bytes()])?;
        }
        Ok(to.into_bytes())
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut issuer, mut subject) = (None, None);
        let mut scopes = String::new();
        let mut roles: Vec<&str> = Vec::new();
        // Nobody, until it is read: of what is shared already, so that it costs no allocation.
        let nobody = Principal::new(Arc::<str>::default(), SharedStr::default());
        let mut account = Self::new(nobody, Timestamp::EPOCH);
        let mut from = Reader::new(bytes);
        while !from.is_empty() {
            let tag = from.u8()?;
            let length = from.u16()?;
            let field = from.bytes(length.into())?;
            match tag {
                ISSUER => issuer = Some(text(field)?),
                SUBJECT => subject = Some(text(field)?),
                AUTHENTICATED_AT => account.authenticated_at = at(Reader::new(field).u64()?)?,
                ACR => account.acr = Some(text(field)?.to_owned()),
                DEVICE => account.device = Some(text(field)?.to_owned()),
                ADDRESS => account.address = Some(text(field)?.to_owned()),
                SCOPES => {
                    if !scopes.is_empty() {
                        scopes.push(' ');
                    }
                    scopes.push_str(text(field)?);
                }
                ROLE => roles.push(text(field)?),
                FACTOR => account.factors.push(factor(field)?),
                _ => {}
            }
        }
        account.principal = Principal::new(issuer?, subject?);
        if !scopes.is_empty() {
            account.scopes = Scopes::parse(scopes).ok()?;
        }
        account.roles = roles.into_iter().collect();
        Some(account)
    }
}

fn instant(time: Option<Timestamp>) -> [u8; 8] {
    time.map_or(UNKNOWN, |time| millis(time.since_epoch()))
        .to_le_bytes()
}

fn at(number: u64) -> Option<Timestamp> {
    (number != UNKNOWN).then(|| Timestamp::from_unix(Duration::from_millis(number)))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn factor(bytes: &[u8]) -> Option<Factor> {
    let mut from = Reader::new(bytes);
    let time = at(from.u64()?);
    let name = text(from.rest())?;
    let known = AMR.iter().find(|known| **known == name);
    let name = known.map_or_else(|| SharedStr::from(name), |known| SharedStr::from_static(known));
    Some(Factor::new(name, time))
}
