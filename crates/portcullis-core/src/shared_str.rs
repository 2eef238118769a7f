//! Strings that are cheap to clone, alone or as a part of a larger one.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A string that is cheap to clone: static, shared, or a part of a text that others share.
///
/// What a token says about its caller stands in the token's payload already. A subject or a list of scopes
/// that is a part of it costs no allocation.
///
/// ```
/// use std::sync::Arc;
/// use portcullis_core::SharedStr;
///
/// let payload: Arc<String> = Arc::new(r#"{"sub":"alice"}"#.to_owned());
/// let subject = SharedStr::part_of(payload, 8..13);
/// assert_eq!(subject.as_deref(), Some("alice"));
/// assert_eq!(SharedStr::part_of(Arc::new("é".to_owned()), 0..1), None, "not a whole character");
/// ```
#[derive(Clone)]
pub struct SharedStr(Repr);

/// A text that lends its parts.
type Owner = dyn AsRef<str> + Send + Sync;

#[derive(Clone)]
enum Repr {
    Static(&'static str),
    Whole(Arc<str>),
    /// The range was checked when it was made, and the owner is never changed.
    Part(Arc<Owner>, u32, u32),
}

impl SharedStr {
    /// A string known at compile time.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Repr::Static(text))
    }

    /// The bytes `range` of `owner`, which must always hand out the same text. `None` when they are out of
    /// its bounds or cut a character.
    #[must_use]
    pub fn part_of(owner: Arc<Owner>, range: Range<usize>) -> Option<Self> {
        (*owner).as_ref().get(range.clone())?;
        let (start, end) = (u32::try_from(range.start).ok()?, u32::try_from(range.end).ok()?);
        Some(Self(Repr::Part(owner, start, end)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Static(text) => text,
            Repr::Whole(text) => text,
            Repr::Part(owner, start, end) => (**owner)
                .as_ref()
                .get(*start as usize..*end as usize)
                .unwrap_or_default(),
        }
    }
}

impl Default for SharedStr {
    fn default() -> Self {
        Self::from_static("")
    }
}

impl Deref for SharedStr {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for SharedStr {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for SharedStr {
    fn from(text: &str) -> Self {
        Self(Repr::Whole(text.into()))
    }
}

impl From<&String> for SharedStr {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for SharedStr {
    fn from(text: String) -> Self {
        Self(Repr::Whole(text.into()))
    }
}

impl From<Box<str>> for SharedStr {
    fn from(text: Box<str>) -> Self {
        Self(Repr::Whole(text.into()))
    }
}

impl From<Arc<str>> for SharedStr {
    fn from(text: Arc<str>) -> Self {
        Self(Repr::Whole(text))
    }
}

impl PartialEq for SharedStr {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for SharedStr {}

impl Hash for SharedStr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

/// A shared slice of the items; nothing is allocated for none.
pub(crate) fn shared_slice<T>(items: impl IntoIterator<Item = T>) -> Option<Arc<[T]>> {
    let mut items = items.into_iter().peekable();
    items.peek()?;
    Some(items.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wherever_a_text_stands_it_is_the_same_text() {
        let owner = Arc::new("xalicex".to_owned());
        let part = SharedStr::part_of(owner, 1..6).expect("in bounds");
        let forms = [
            SharedStr::from_static("alice"),
            SharedStr::from("alice"),
            SharedStr::from("alice".to_owned()),
            part.clone(),
        ];
        for form in &forms {
            assert_eq!(form, &part);
            assert_eq!(format!("{form} {form:?}"), "alice \"alice\"");
        }
        assert_ne!(part, SharedStr::from("alic"));
    }

    #[test]
    fn a_range_that_is_no_text_is_none() {
        let owner: Arc<Owner> = Arc::new("aé".to_owned());
        for good in [0..0, 0..1, 1..3, 3..3] {
            assert!(SharedStr::part_of(Arc::clone(&owner), good).is_some());
        }
        #[allow(clippy::reversed_empty_ranges)] // That is one of the mistakes.
        for bad in [0..2, 2..3, 0..4, 4..4, 2..1, usize::MAX..usize::MAX] {
            assert_eq!(
                SharedStr::part_of(Arc::clone(&owner), bad.clone()),
                None,
                "{bad:?}"
            );
        }
    }
}
