//! What an application says about its entities, in types of our own.

use std::collections::BTreeMap;

use crate::EntityRef;

/// A value of an attribute.
///
/// Cedar's `ipaddr`, `decimal`, `datetime` and `duration` are no kinds of their own here: declare a `String` and let
/// the policy say `ip(resource.address)`. An argument that does not parse makes the decision unavailable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// `Bool`.
    Bool(bool),
    /// `Long`.
    Long(i64),
    /// `String`.
    String(String),
    /// `Set<…>`: neither order nor repetition counts.
    Set(Vec<Self>),
    /// A record.
    Record(Record),
    /// Another entity.
    Entity(EntityRef),
}

impl Value {
    /// A set of values of one type.
    #[must_use]
    pub fn set<V: Into<Self>>(values: impl IntoIterator<Item = V>) -> Self {
        Self::Set(values.into_iter().map(Into::into).collect())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<Record> for Value {
    fn from(value: Record) -> Self {
        Self::Record(value)
    }
}

impl From<EntityRef> for Value {
    fn from(value: EntityRef) -> Self {
        Self::Entity(value)
    }
}

/// Attributes by name: of an entity, or of a record within.
///
/// ```
/// use portcullis_cedar::{EntityRef, Record, Value};
///
/// let attributes = Record::new()
///     .with("owner", EntityRef::new("User", "alice"))
///     .with("tags", Value::set(["draft", "internal"]))
///     .with("size", 1_024);
/// # let _ = attributes;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record(BTreeMap<String, Value>);

impl Record {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds an attribute, or puts another value in its place.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The attributes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_inner(self) -> BTreeMap<String, Value> {
        self.0
    }
}
