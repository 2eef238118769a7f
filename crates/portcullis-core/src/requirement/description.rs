//! Requirements in words, for a table of routes.

use std::borrow::Cow;
use std::fmt;

use crate::policy::short_name;

/// What a requirement asks for: in words, and which scopes would do.
///
/// For tables of routes, API descriptions and the audit. Nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    text: Cow<'static, str>,
    scopes: Vec<Vec<&'static str>>,
    is_compound: bool,
}

impl Description {
    /// A need in words, such as `signed in`; no particular scope.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            text: text.into(),
            scopes: vec![Vec::new()],
            is_compound: false,
        }
    }

    /// The name of a type in place of words.
    #[must_use]
    pub fn of_type<T: ?Sized>() -> Self {
        Self::new(short_name(std::any::type_name::<T>()))
    }

    /// A need for a scope.
    #[must_use]
    pub fn of_scope(scope: &'static str) -> Self {
        Self {
            scopes: vec![vec![scope]],
            ..Self::new(format!("scope {scope}"))
        }
    }

    /// All of several needs.
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let parts: Vec<_> = parts.into_iter().collect();
        let scopes = parts
            .iter()
            .fold(vec![Vec::new()], |ways, part| beside(&ways, &part.scopes));
        Self::joined(&parts, " and ", scopes)
    }

    /// One of several needs.
    #[must_use]
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let parts: Vec<_> = parts.into_iter().collect();
        let scopes = parts
            .iter()
            .flat_map(|part| part.scopes.iter().cloned())
            .collect();
        Self::joined(&parts, " or ", scopes)
    }

    fn joined(parts: &[Self], word: &str, scopes: Vec<Vec<&'static str>>) -> Self {
        let text = |part: &Self| match part.is_compound {
            true => format!("({})", part.text),
            false => part.text.clone().into_owned(),
        };
        Self {
            text: parts.iter().map(text).collect::<Vec<_>>().join(word).into(),
            scopes,
            is_compound: parts.len() > 1,
        }
    }

    /// The need in words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which scopes would do: one of these sets, whole. An empty set is a way that needs none. This is what the
    /// `security` of an OpenAPI operation lists.
    #[must_use]
    pub fn scopes(&self) -> &[Vec<&'static str>] {
        &self.scopes
    }
}

/// Every way of the one together with every way of the other.
fn beside(ways: &[Vec<&'static str>], others: &[Vec<&'static str>]) -> Vec<Vec<&'static str>> {
    let mut together = Vec::with_capacity(ways.len() * others.len());
    for one in ways {
        for other in others {
            let new = other.iter().filter(|scope| !one.contains(scope));
            together.push(one.iter().chain(new).copied().collect());
        }
    }
    together
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_together_name_every_way_to_meet_them() {
        let [read, write, admin] = [
            Description::of_scope("read"),
            Description::of_scope("write"),
            Description::new("role admin"),
        ];
        let either = Description::any([write, admin]);
        assert_eq!(either.as_str(), "scope write or role admin");
        assert_eq!(either.scopes(), [vec!["write"], vec![]]);
        let both = Description::all([read.clone(), either, read]);
        assert_eq!(
            both.as_str(),
            "scope read and (scope write or role admin) and scope read"
        );
        assert_eq!(both.scopes(), [vec!["read", "write"], vec!["read"]]);
    }

    #[test]
    fn the_name_of_a_type_is_shown_without_its_modules() {
        struct Own<T>(T);
        assert_eq!(
            Description::of_type::<Own<Option<Vec<u8>>>>().as_str(),
            "Own<Option<Vec<u8>>>"
        );
        assert_eq!(
            Description::of_type::<(Own<u8>, &'static str)>().as_str(),
            "(Own<u8>, &str)"
        );
    }
}
