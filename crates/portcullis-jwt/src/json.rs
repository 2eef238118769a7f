//! JSON read strictly: one object, no member twice at any depth, bounded nesting.
//!
//! RFC 7515 §4 lets a parser either refuse duplicate members or take the last; two parsers that differ
//! on this see two different tokens. We refuse, in headers, keys and claims alike.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// How deep objects and arrays may nest.
pub(crate) const MAX_DEPTH: usize = 16;

/// Takes the members of one object.
pub(crate) trait Object<'de> {
    /// Takes one member; must read its value from `map` exactly once.
    fn member<M: MapAccess<'de>>(&mut self, name: &str, map: &mut M) -> Result<(), M::Error>;
}

/// Reads `json`, which must be one object, into `object`.
pub(crate) fn read_object<'de>(
    json: &'de str,
    object: &mut impl Object<'de>,
) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    ObjectSeed(object).deserialize(&mut deserializer)?;
    deserializer.end()
}

struct ObjectSeed<'o, O>(&'o mut O);

impl<'de, O: Object<'de>> DeserializeSeed<'de> for ObjectSeed<'_, O> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, O: Object<'de>> Visitor<'de> for ObjectSeed<'_, O> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut names = Names::default();
        while let Some(name) = map.next_key_seed(Text)? {
            names
                .insert(&name)
                .map_err(|Duplicate| M::Error::custom("duplicate member"))?;
            self.0.member(&name, &mut map)?;
        }
        Ok(())
    }
}

/// How many names of one object are compared one by one.
const FIRST: usize = 24;

/// The names seen in one object. Most objects have few members and different names: a name with a mark that
/// none before had is new. The first ones are kept without allocating; a name with escapes, or one beyond
/// that, goes into a set.
struct Names<'de> {
    marks: u64,
    first: [&'de str; FIRST],
    count: usize,
    more: HashSet<String>,
}

struct Duplicate;

/// One of 64 bits, the same for the same name.
pub(crate) fn mark(name: &str) -> u64 {
    let (first, last) = match name.as_bytes() {
        [] => (0, 0),
        [only] => (*only, *only),
        [first, .., last] => (*first, *last),
    };
    let mixed = name.len().wrapping_mul(7) ^ usize::from(first).wrapping_mul(5) ^ usize::from(last);
    1 << (mixed % 64)
}

impl Default for Names<'_> {
    fn default() -> Self {
        Self {
            marks: 0,
            first: [""; FIRST],
            count: 0,
            more: HashSet::new(),
        }
    }
}

impl<'de> Names<'de> {
    #[allow(clippy::ptr_arg)] // Whether it is borrowed is the point.
    fn insert(&mut self, name: &Cow<'de, str>) -> Result<(), Duplicate> {
        let mark = mark(name);
        if self.marks & mark != 0 && self.holds(name) {
            return Err(Duplicate);
        }
        self.marks |= mark;
        match (name, self.first.get_mut(self.count)) {
            (Cow::Borrowed(name), Some(slot)) => {
                *slot = name;
                self.count += 1;
            }
            _ => {
                self.more.insert(name.as_ref().to_owned());
            }
        }
        Ok(())
    }

    fn holds(&self, name: &str) -> bool {
        let mut first = self.first.iter().take(self.count);
        first.any(|known| *known == name) || self.more.contains(name)
    }
}

/// Reads a string, borrowing it where it holds no escapes.
#[derive(Clone, Copy)]
pub(crate) struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value))
    }
}

/// Reads an array of strings, handing each to a function.
pub(crate) struct Texts<F>(pub(crate) F);

impl<'de, F: FnMut(Cow<'de, str>)> DeserializeSeed<'de> for Texts<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Cow<'de, str>)> Visitor<'de> for Texts<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut seq: S) -> Result<(), S::Error> {
        while let Some(text) = seq.next_element_seed(Text)? {
            (self.0)(text);
        }
        Ok(())
    }
}

/// Reads a value whose members interest the sink only if it is asked to look, and checks the rest.
///
/// The sink follows paths of member names: `enter` says which paths go on below a member, `leaf` takes
/// the strings found where a path ends.
pub(crate) trait Paths<'de> {
    /// The paths, as bits, that go on below `name` at `depth` (0 is the top level) out of `active`.
    fn enter(&self, active: u32, depth: usize, name: &str) -> u32;
    /// The paths out of `active` that end at a value whose depth is `depth`.
    fn ending(&self, active: u32, depth: usize) -> u32;
    /// Takes a string at the end of the paths `ended`; `in_array` when it was an array's element.
    fn leaf(&mut self, ended: u32, text: Cow<'de, str>, in_array: bool);
}

/// Walks one value with a [`Paths`] sink. `depth` is the number of members above the value.
pub(crate) struct Walk<'p, P> {
    pub(crate) paths: &'p mut P,
    pub(crate) active: u32,
    pub(crate) depth: usize,
    /// Nesting of any kind, arrays included.
    pub(crate) level: usize,
    pub(crate) in_array: bool,
}

impl<P> Walk<'_, P> {
    fn ended<'de>(&self) -> u32
    where
        P: Paths<'de>,
    {
        if self.in_array {
            self.active
        } else {
            self.paths.ending(self.active, self.depth)
        }
    }

    fn scalar<'de, E: serde::de::Error>(&self) -> Result<(), E>
    where
        P: Paths<'de>,
    {
        if self.ended() == 0 {
            Ok(())
        } else {
            Err(E::custom("a configured claim has another type than string"))
        }
    }

    fn text<'de>(self, text: Cow<'de, str>)
    where
        P: Paths<'de>,
    {
        let ended = self.ended();
        if ended != 0 {
            self.paths.leaf(ended, text, self.in_array);
        }
    }

    fn descend<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.level >= MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(self.level + 1)
    }
}

impl<'de, P: Paths<'de>> DeserializeSeed<'de> for Walk<'_, P> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, P: Paths<'de>> Visitor<'de> for Walk<'_, P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.scalar()
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<(), E> {
        self.text(Cow::Borrowed(value));
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.text(Cow::Owned(value.to_owned()));
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        let level = self.descend()?;
        if self.in_array {
            self.scalar()?;
        }
        let ended = self.ended();
        loop {
            let element = Walk {
                paths: &mut *self.paths,
                active: ended,
                depth: self.depth,
                level,
                in_array: ended != 0,
            };
            if seq.next_element_seed(element)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let level = self.descend()?;
        self.scalar()?;
        let mut names = Names::default();
        while let Some(name) = map.next_key_seed(Text)? {
            names
                .insert(&name)
                .map_err(|Duplicate| M::Error::custom("duplicate member"))?;
            let active = if self.active == 0 {
                0
            } else {
                self.paths.enter(self.active, self.depth, &name)
            };
            map.next_value_seed(Walk {
                paths: &mut *self.paths,
                active,
                depth: self.depth + 1,
                level,
                in_array: false,
            })?;
        }
        Ok(())
    }
}

/// Follows no path: only the strictness remains.
pub(crate) struct NoPaths;

impl<'de> Paths<'de> for NoPaths {
    fn enter(&self, _: u32, _: usize, _: &str) -> u32 {
        0
    }

    fn ending(&self, _: u32, _: usize) -> u32 {
        0
    }

    fn leaf(&mut self, _: u32, _: Cow<'de, str>, _: bool) {}
}

/// Reads and checks a member's value that nobody asked for.
pub(crate) fn skip_value<'de, M: MapAccess<'de>>(map: &mut M) -> Result<(), M::Error> {
    map.next_value_seed(Walk {
        paths: &mut NoPaths,
        active: 0,
        depth: 1,
        level: 1,
        in_array: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl<'de> Object<'de> for Nothing {
        fn member<M: MapAccess<'de>>(&mut self, _: &str, map: &mut M) -> Result<(), M::Error> {
            skip_value(map)
        }
    }

    fn reads(json: &str) -> bool {
        read_object(json, &mut Nothing).is_ok()
    }

    #[test]
    fn j3_duplicate_members_are_refused_at_every_depth() {
        assert!(reads(r#"{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}"#));
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"\u0061":1,"a":2}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"x":[[{"a":1,"a":2}]]}"#,
        ] {
            assert!(!reads(json), "{json}");
        }
    }

    #[test]
    fn j3_duplicates_are_found_among_many_members() {
        let many: Vec<_> = (0..100).map(|index| format!("\"m{index}\":{index}")).collect();
        assert!(reads(&format!("{{{}}}", many.join(","))));
        for repeated in [0, 23, 24, 99] {
            let json = format!("{{{},\"m{repeated}\":1}}", many.join(","));
            assert!(!reads(&json), "m{repeated}");
        }
    }

    #[test]
    fn t1_anything_but_one_object_is_refused() {
        for json in [
            "",
            "null",
            "[]",
            "1",
            "\"a\"",
            "{} {}",
            "{}x",
            "{",
            "{\"a\":}",
            "{a:1}",
            "\u{feff}{}",
        ] {
            assert!(!reads(json), "{json:?}");
        }
        assert!(reads(" {\"a\" : null}\n"));
    }

    #[test]
    fn j9_nesting_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(reads(&nested(MAX_DEPTH - 1)));
        assert!(!reads(&nested(MAX_DEPTH)));
        assert!(!reads(&nested(100_000)));
    }
}
