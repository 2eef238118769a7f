//! Headers that were read before.
//!
//! An issuer signs all of its tokens with a handful of headers. One that stood over a good signature is
//! remembered as it was encoded, so that the next token with the very same text is not decoded and parsed
//! again. What a header may say (its kind, its algorithm, its key) is decided anew for each token.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::Algorithm;
use crate::header::Header;

/// How many are remembered. When there is no room, all are forgotten: they come back by themselves.
const MOST: usize = 64;

/// What a header says, still in the buffer it was decoded to, or remembered.
pub(super) enum ReadHeader<'t> {
    New(Header<'t>),
    Known(Arc<KnownHeader>),
}

pub(super) struct KnownHeader {
    segment: Box<[u8]>,
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    typ: Option<Box<str>>,
}

impl ReadHeader<'_> {
    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::New(header) => header.algorithm,
            Self::Known(header) => header.algorithm,
        }
    }

    pub(super) fn kid(&self) -> Option<&str> {
        match self {
            Self::New(header) => header.kid.as_deref(),
            Self::Known(header) => header.kid.as_deref(),
        }
    }

    pub(super) fn typ(&self) -> Option<&str> {
        match self {
            Self::New(header) => header.typ.as_deref(),
            Self::Known(header) => header.typ.as_deref(),
        }
    }
}

#[derive(Default)]
pub(super) struct KnownHeaders(ArcSwap<Vec<Arc<KnownHeader>>>);

impl KnownHeaders {
    pub(super) fn find(&self, segment: &[u8]) -> Option<Arc<KnownHeader>> {
        let known = self.0.load();
        known.iter().find(|header| *header.segment == *segment).cloned()
    }

    /// Remembers a header that stood over a good signature: strangers cannot fill this.
    pub(super) fn remember(&self, segment: &[u8], header: &Header<'_>) {
        let new = Arc::new(KnownHeader {
            segment: segment.into(),
            algorithm: header.algorithm,
            kid: header.kid.as_deref().map(Into::into),
            typ: header.typ.as_deref().map(Into::into),
        });
        self.0.rcu(|known| {
            let mut all = Vec::clone(known);
            if all.iter().all(|header| header.segment != new.segment) {
                if all.len() >= MOST {
                    all.clear();
                }
                all.push(Arc::clone(&new));
            }
            all
        });
    }
}

impl fmt::Debug for KnownHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownHeaders({})", self.0.load().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kid: &str) -> String {
        format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"at+jwt"}}"#)
    }

    #[test]
    fn a_header_is_found_by_its_very_text() {
        let known = KnownHeaders::default();
        let json = header("a");
        let parsed = Header::parse(json.as_bytes()).expect("a header");
        known.remember(b"segment", &parsed);
        known.remember(b"segment", &parsed);
        assert_eq!(known.0.load().len(), 1);
        for other in ["", "Segment", "segment ", "segmen"] {
            assert!(known.find(other.as_bytes()).is_none(), "{other}");
        }
        let found = ReadHeader::Known(known.find(b"segment").expect("known"));
        assert_eq!(
            (found.algorithm(), found.kid(), found.typ()),
            (Algorithm::Es256, Some("a"), Some("at+jwt"))
        );
    }

    #[test]
    fn the_number_is_bounded() {
        let known = KnownHeaders::default();
        for number in 0..1_000 {
            let json = header(&number.to_string());
            let parsed = Header::parse(json.as_bytes()).expect("a header");
            known.remember(json.as_bytes(), &parsed);
            assert!(known.0.load().len() <= MOST);
            assert!(known.find(json.as_bytes()).is_some());
        }
    }
}
