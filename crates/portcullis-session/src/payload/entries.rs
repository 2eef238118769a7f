//! What the application keeps in a session.

use portcullis_store::Payload;

use super::{Reader, Writer};
use crate::error::{SessionError, SessionErrorKind};

/// What an entry is for. The two never meet under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Data,
    /// Read once.
    Flash,
}

impl EntryKind {
    const fn number(self) -> u8 {
        match self {
            Self::Data => 0,
            Self::Flash => 1,
        }
    }
}

type Entry<'e> = (u8, &'e [u8], &'e [u8]);

/// Entries in the order in which they were first written: `kind (1) | length (2) | name | length (4) | JSON`.
#[derive(Default)]
pub(crate) struct Entries<'e>(Vec<Entry<'e>>);

impl<'e> Entries<'e> {
    pub(crate) fn read(bytes: &'e [u8]) -> Result<Self, SessionError> {
        let mut from = Reader::new(bytes);
        let mut entries = Vec::new();
        while !from.is_empty() {
            entries.push(next(&mut from).ok_or(SessionErrorKind::Unreadable)?);
        }
        Ok(Self(entries))
    }

    /// One entry, without looking into the others.
    pub(crate) fn find(
        bytes: &'e [u8],
        kind: EntryKind,
        name: &str,
    ) -> Result<Option<&'e [u8]>, SessionError> {
        let mut from = Reader::new(bytes);
        while !from.is_empty() {
            let (of, named, value) = next(&mut from).ok_or(SessionErrorKind::Unreadable)?;
            if of == kind.number() && named == name.as_bytes() {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    pub(crate) fn set(&mut self, kind: EntryKind, name: &'e str, value: &'e [u8]) {
        let same = |(of, named, _): &&mut Entry<'e>| *of == kind.number() && *named == name.as_bytes();
        match self.0.iter_mut().find(same) {
            Some((_, _, old)) => *old = value,
            None => self.0.push((kind.number(), name.as_bytes(), value)),
        }
    }

    pub(crate) fn remove(&mut self, kind: EntryKind, name: &str) {
        self.0
            .retain(|(of, named, _)| *of != kind.number() || *named != name.as_bytes());
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn keep(&mut self, names: &[String]) {
        self.0
            .retain(|(_, named, _)| names.iter().any(|name| name.as_bytes() == *named));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0
            .iter()
            .map(|(_, name, value)| 7 + name.len() + value.len())
            .sum()
    }

    pub(crate) fn write(&self, to: &mut Writer) -> Result<(), SessionError> {
        for (kind, name, value) in &self.0 {
            to.u8(*kind);
            to.u16(u16::try_from(name.len()).map_err(|_| SessionErrorKind::TooLarge)?);
            to.bytes(name);
            to.u32(u32::try_from(value.len()).map_err(|_| SessionErrorKind::TooLarge)?);
            to.bytes(value);
        }
        Ok(())
    }
}

fn next<'e>(from: &mut Reader<'e>) -> Option<Entry<'e>> {
    let kind = from.u8()?;
    let length = from.u16()?;
    let name = from.bytes(length.into())?;
    let length = usize::try_from(from.u32()?).ok()?;
    Some((kind, name, from.bytes(length)?))
}

/// Whether an entry could ever be kept.
pub(crate) fn fits(name: &str, value: &[u8]) -> bool {
    name.len() <= usize::from(u8::MAX) && value.len() < Payload::MAX_LEN
}
