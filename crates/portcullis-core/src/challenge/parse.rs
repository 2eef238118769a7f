//! Reading `WWW-Authenticate`: what a client, and our own tests, make of a challenge.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

use super::Challenge;
use crate::Scheme;
use crate::scheme::{is_token_byte, is_token68, is_token68_byte};

/// A `WWW-Authenticate` field that does not follow RFC 9110 §11.6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidChallenge;

impl fmt::Display for InvalidChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a challenge does not follow RFC 9110")
    }
}

impl std::error::Error for InvalidChallenge {}

impl Challenge {
    /// Reads every `WWW-Authenticate` field line, in order.
    ///
    /// # Errors
    ///
    /// When one of them is not a list of challenges.
    pub fn parse_all(headers: &HeaderMap) -> Result<Vec<Self>, InvalidChallenge> {
        let mut challenges = Vec::new();
        for value in headers.get_all(WWW_AUTHENTICATE) {
            challenges.extend(Self::parse(value.as_bytes())?);
        }
        Ok(challenges)
    }

    /// Reads one field value: a comma-separated list of challenges, empty list elements allowed.
    ///
    /// A comma separates both challenges and parameters; a name followed by `=` is a parameter, a
    /// name followed by a space or the end is a scheme (RFC 9110 §11.6.1).
    ///
    /// # Errors
    ///
    /// When the value is not such a list, a parameter stands before any scheme, or one challenge
    /// names a parameter twice.
    pub fn parse(value: &[u8]) -> Result<Vec<Self>, InvalidChallenge> {
        let mut input = Cursor { rest: value };
        let mut challenges = Vec::<Self>::new();
        loop {
            input.skip_separators();
            if input.rest.is_empty() {
                return Ok(challenges);
            }
            let name = input.token().ok_or(InvalidChallenge)?;
            if let Some(value) = input.parameter_value()? {
                let current = challenges.last_mut().ok_or(InvalidChallenge)?;
                current.add_parsed(name, value)?;
            } else {
                let scheme = Scheme::new(name).map_err(|_| InvalidChallenge)?;
                let mut challenge = Self::new(scheme);
                challenge.token68 = input.scheme_token68().map(str::to_owned);
                if input.after_scheme()? {
                    let name = input.token().ok_or(InvalidChallenge)?;
                    let value = input.parameter_value()?.ok_or(InvalidChallenge)?;
                    challenge.add_parsed(name, value)?;
                }
                challenges.push(challenge);
            }
            input.end_of_element()?;
        }
    }

    fn add_parsed(&mut self, name: &str, value: String) -> Result<(), InvalidChallenge> {
        if self.token68.is_some() || self.get(name).is_some() {
            return Err(InvalidChallenge);
        }
        self.params.push((Cow::Owned(name.to_owned()), Cow::Owned(value)));
        Ok(())
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn skip(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let count = self.rest.iter().take_while(|byte| wanted(**byte)).count();
        let (skipped, rest) = self.rest.split_at(count);
        self.rest = rest;
        skipped
    }

    fn skip_spaces(&mut self) -> bool {
        !self.skip(|byte| matches!(byte, b' ' | b'\t')).is_empty()
    }

    fn skip_separators(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b','));
    }

    fn eat(&mut self, wanted: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn token(&mut self) -> Option<&'a str> {
        let token = self.skip(is_token_byte);
        (!token.is_empty())
            .then(|| std::str::from_utf8(token).ok())
            .flatten()
    }

    /// What follows a name: `BWS "=" BWS ( token / quoted-string )`, or nothing of the kind. The
    /// cursor stays put when the name was a scheme.
    fn parameter_value(&mut self) -> Result<Option<String>, InvalidChallenge> {
        let before = self.rest;
        self.skip_spaces();
        if !self.eat(b'=') {
            self.rest = before;
            return Ok(None);
        }
        self.skip_spaces();
        if self.eat(b'"') {
            return self.quoted().map(Some);
        }
        let token = self.token().ok_or(InvalidChallenge)?;
        Ok(Some(token.to_owned()))
    }

    /// The rest of a quoted-string (RFC 9110 §5.6.4), restricted to ASCII without controls.
    fn quoted(&mut self) -> Result<String, InvalidChallenge> {
        let mut value = String::new();
        loop {
            let (byte, rest) = match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Ok(value);
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => (*byte, rest),
                [] => return Err(InvalidChallenge),
            };
            if !matches!(byte, b'\t' | b' '..=b'~') {
                return Err(InvalidChallenge);
            }
            value.push(char::from(byte));
            self.rest = rest;
        }
    }

    /// `1*SP token68`, when that is all up to the next comma and not the start of a parameter.
    fn scheme_token68(&mut self) -> Option<&'a str> {
        let before = self.rest;
        if self.skip_spaces() {
            let candidate = self.skip(|byte| is_token68_byte(byte) || byte == b'=');
            let after = self.rest;
            self.skip_spaces();
            let whole = matches!(self.rest, [] | [b',', ..]);
            // "a=b" is a parameter; "ab" and "ab==" are not.
            if whole && is_token68(candidate) {
                self.rest = after;
                return std::str::from_utf8(candidate).ok();
            }
        }
        self.rest = before;
        None
    }

    /// Whether parameters of the scheme follow at once (no comma in between).
    fn after_scheme(&mut self) -> Result<bool, InvalidChallenge> {
        let spaced = self.skip_spaces();
        match self.rest {
            [] | [b',', ..] => Ok(false),
            _ if spaced => Ok(true),
            _ => Err(InvalidChallenge),
        }
    }

    fn end_of_element(&mut self) -> Result<(), InvalidChallenge> {
        self.skip_spaces();
        match self.rest {
            [] | [b',', ..] => Ok(()),
            _ => Err(InvalidChallenge),
        }
    }
}
