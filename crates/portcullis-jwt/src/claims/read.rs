//! One pass over the payload.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use portcullis_core::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::compiled::{CompiledClaimMap, Target};
use crate::JwtError;
use crate::json::{Object, Paths, Text, Texts, Walk, read_object, skip_value};

/// What the verifier expects of one issuer's tokens.
pub(crate) struct Expected<'c> {
    pub(crate) audiences: &'c [Box<str>],
    pub(crate) map: &'c CompiledClaimMap,
}

/// What `aud` said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Audience {
    #[default]
    Absent,
    /// One of ours is among them.
    Ours,
    /// None is.
    Others,
}

/// What was read, not yet judged.
#[derive(Default)]
pub(crate) struct Read<'a> {
    pub(crate) iss: Option<Cow<'a, str>>,
    pub(crate) sub: Option<Cow<'a, str>>,
    pub(crate) jti: Option<Cow<'a, str>>,
    pub(crate) acr: Option<Cow<'a, str>>,
    pub(crate) aud: Audience,
    pub(crate) exp: Option<Timestamp>,
    pub(crate) nbf: Option<Timestamp>,
    pub(crate) iat: Option<Timestamp>,
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) factors: Vec<Cow<'a, str>>,
    pub(crate) bound: bool,
    /// A claim that only other kinds of token have.
    pub(crate) foreign: bool,
    /// Whether `client_id` itself is there, wherever the map looks for the client.
    pub(crate) names_client: bool,
    pub(crate) found: Found<'a>,
}

/// What the configured paths led to.
#[derive(Default)]
pub(crate) struct Found<'a> {
    /// As the claim has them, where one string holds them all.
    pub(crate) scopes: Cow<'a, str>,
    pub(crate) roles: Vec<Cow<'a, str>>,
    pub(crate) client_id: Option<(usize, Cow<'a, str>)>,
    /// Those of lower rank.
    pub(crate) other_client_ids: Vec<Cow<'a, str>>,
    pub(crate) client_mark: bool,
    pub(crate) person_mark: bool,
    /// Required claims that were satisfied, as bits.
    pub(crate) satisfied: u32,
    /// A scope list's element that is not one scope, or a list of clients.
    pub(crate) broken: bool,
}

/// Claims that an ID, logout, DPoP, introspection or status list token has and an access token does not
/// (OpenID Connect Core §2 and §3.1.3.6, Back-Channel Logout §2.4, RFC 9449 §4.2, RFC 9701 §5).
pub(crate) const FOREIGN: [&str; 11] = [
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "events",
    "htm",
    "htu",
    "ath",
    "token_introspection",
    "status_list",
    "sub_jwk",
];

struct Members<'c, 'a> {
    expected: &'c Expected<'c>,
    read: Read<'a>,
}

/// Reads a payload against what is expected.
pub(crate) fn read_claims<'a>(json: &'a str, expected: &Expected<'_>) -> Result<Read<'a>, JwtError> {
    let mut members = Members {
        expected,
        read: Read::default(),
    };
    read_object(json, &mut members).map_err(|_| JwtError::Claims)?;
    if members.read.found.broken {
        return Err(JwtError::Claims);
    }
    Ok(members.read)
}

impl<'de> Members<'_, 'de> {
    /// A registered claim that is a string; configured paths may lead to it as well.
    fn text<M: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut M,
    ) -> Result<Option<Cow<'de, str>>, M::Error> {
        let text = map.next_value_seed(Text)?;
        let ending = self.ending(name);
        if ending != 0 {
            self.sink().leaf(ending, text.clone(), false);
        }
        Ok(Some(text))
    }

    /// `amr`, an array of strings; configured paths may lead to it as well.
    fn factors<M: MapAccess<'de>>(&mut self, map: &mut M) -> Result<(), M::Error> {
        let ending = self.ending("amr");
        let Read { factors, found, .. } = &mut self.read;
        let mut sink = Sink {
            map: self.expected.map,
            found,
        };
        map.next_value_seed(Texts(|name: Cow<'de, str>| {
            factors.push(name.clone());
            sink.leaf(ending, name, true);
        }))
    }

    /// The paths that lead to the top-level claim `name` and no further.
    fn ending(&self, name: &str) -> u32 {
        let map = self.expected.map;
        map.ending(map.enter_top(name), 1)
    }

    fn sink(&mut self) -> Sink<'_, 'de> {
        Sink {
            map: self.expected.map,
            found: &mut self.read.found,
        }
    }
}

impl<'de> Object<'de> for Members<'_, 'de> {
    fn member<M: MapAccess<'de>>(&mut self, name: &str, map: &mut M) -> Result<(), M::Error> {
        match name {
            "iss" => self.read.iss = Some(map.next_value_seed(Text)?),
            "sub" => self.read.sub = self.text(name, map)?,
            "jti" => self.read.jti = self.text(name, map)?,
            "acr" => self.read.acr = self.text(name, map)?,
            "aud" => self.read.aud = map.next_value_seed(AudienceSeed(self.expected.audiences))?,
            "exp" => self.read.exp = Some(map.next_value_seed(NumericDate)?),
            "nbf" => self.read.nbf = Some(map.next_value_seed(NumericDate)?),
            "iat" => self.read.iat = Some(map.next_value_seed(NumericDate)?),
            "auth_time" => self.read.auth_time = Some(map.next_value_seed(NumericDate)?),
            "amr" => self.factors(map)?,
            "client_id" => self.read.names_client = self.text(name, map)?.is_some_and(|id| !id.is_empty()),
            "cnf" => {
                self.read.bound = true;
                skip_value(map)?;
            }
            _ if FOREIGN.contains(&name) => {
                self.read.foreign |= name != "nonce" || !self.expected.map.kind_is_marked;
                skip_value(map)?;
            }
            _ => {
                let active = self.expected.map.enter_top(name);
                let paths = &mut self.sink();
                map.next_value_seed(Walk {
                    paths,
                    active,
                    depth: 1,
                    level: 1,
                    in_array: false,
                })?;
            }
        }
        Ok(())
    }
}

/// Puts the strings at the end of configured paths where they belong.
struct Sink<'s, 'de> {
    map: &'s CompiledClaimMap,
    found: &'s mut Found<'de>,
}

impl<'de> Paths<'de> for Sink<'_, 'de> {
    fn enter(&self, active: u32, depth: usize, name: &str) -> u32 {
        self.map.enter(active, depth, name)
    }

    fn ending(&self, active: u32, depth: usize) -> u32 {
        self.map.ending(active, depth)
    }

    fn leaf(&mut self, ended: u32, text: Cow<'de, str>, in_array: bool) {
        for target in self.map.targets(ended) {
            match target {
                Target::Scope => {
                    self.found.broken |= in_array && text.contains(' ');
                    self.found.add_scopes(text.clone());
                }
                Target::Role => self.found.roles.push(text.clone()),
                Target::ClientId(rank) => {
                    self.found.broken |= in_array;
                    self.found.add_client_id(*rank, text.clone());
                }
                Target::ClientMark(mark) => self.found.client_mark |= mark.fits(&text),
                Target::PersonMark => self.found.person_mark |= !text.trim().is_empty(),
                Target::Required(index, values) => {
                    if values.contains(&text) {
                        self.found.satisfied |= 1 << index;
                    }
                }
            }
        }
    }
}

impl<'a> Found<'a> {
    fn add_scopes(&mut self, more: Cow<'a, str>) {
        if self.scopes.is_empty() {
            self.scopes = more;
        } else {
            let scopes = self.scopes.to_mut();
            scopes.push(' ');
            scopes.push_str(&more);
        }
    }

    /// Keeps the id of the best rank in front.
    fn add_client_id(&mut self, rank: usize, id: Cow<'a, str>) {
        if id.is_empty() {
            return;
        }
        let worse = match &mut self.client_id {
            Some((known, first)) if rank < *known => {
                *known = rank;
                std::mem::replace(first, id)
            }
            Some(_) => id,
            None => {
                self.client_id = Some((rank, id));
                return;
            }
        };
        self.other_client_ids.push(worse);
    }

    /// Whether `subject` is a client, by any of its ids.
    pub(crate) fn is_client_id(&self, subject: &str) -> bool {
        let first = self.client_id.as_ref().map(|(_, id)| id);
        first
            .into_iter()
            .chain(&self.other_client_ids)
            .any(|id| id == subject)
    }
}

/// The issuer a token claims to be from, before anything about it is believed: it only chooses whose
/// keys and rules the token is held against. The rest is skipped as fast as can be; a second `iss`, and
/// whatever else is wrong with the claims, is found once the signature holds.
pub(crate) fn peek_issuer(json: &str) -> Result<Cow<'_, str>, JwtError> {
    struct Peek;

    impl<'de> Visitor<'de> for Peek {
        type Value = Option<Cow<'de, str>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut issuer = None;
            while let Some(name) = map.next_key_seed(Text)? {
                if name == "iss" {
                    issuer = Some(map.next_value_seed(Text)?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(issuer)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(json);
    let issuer = deserializer.deserialize_map(Peek).map_err(|_| JwtError::Claims)?;
    issuer.ok_or(JwtError::MissingClaim("iss"))
}

/// A `NumericDate` (RFC 7519 §2): a JSON number, integer or fractional, not negative.
struct NumericDate;

/// Seconds beyond this are refused rather than reckoned with: the year 292 billion.
const LATEST: u64 = i64::MAX as u64;

impl<'de> DeserializeSeed<'de> for NumericDate {
    type Value = Timestamp;

    // Asking for an `f64` keeps this right when another crate turns on serde_json's
    // `arbitrary_precision`, which shows other numbers as maps.
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Timestamp, D::Error> {
        deserializer.deserialize_f64(self)
    }
}

impl Visitor<'_> for NumericDate {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds since the epoch")
    }

    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
        if seconds > LATEST {
            return Err(E::custom("a date out of range"));
        }
        Ok(Timestamp::from_unix_seconds(seconds))
    }

    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
        let seconds = u64::try_from(seconds).map_err(|_| E::custom("a date before the epoch"))?;
        self.visit_u64(seconds)
    }

    fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|since_epoch| since_epoch.as_secs() <= LATEST)
            .map(Timestamp::from_unix)
            .ok_or_else(|| E::custom("a date out of range"))
    }
}

/// `aud` (RFC 7519 §4.1.3): a string or an array of strings, compared byte for byte.
struct AudienceSeed<'c>(&'c [Box<str>]);

impl AudienceSeed<'_> {
    fn judge(&self, audience: &str) -> Audience {
        if self.0.iter().any(|ours| **ours == *audience) {
            Audience::Ours
        } else {
            Audience::Others
        }
    }
}

impl<'de> DeserializeSeed<'de> for AudienceSeed<'_> {
    type Value = Audience;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Audience, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AudienceSeed<'_> {
    type Value = Audience;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: serde::de::Error>(self, audience: &str) -> Result<Audience, E> {
        Ok(self.judge(audience))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Audience, S::Error> {
        let mut verdict = Audience::Others;
        while let Some(audience) = seq.next_element_seed(Text)? {
            if self.judge(&audience) == Audience::Ours {
                verdict = Audience::Ours;
            }
        }
        Ok(verdict)
    }
}
