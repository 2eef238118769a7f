//! How deep a text may be nested, so that reading it and deciding by it take a stack of a known size.
//!
//! Cedar's parser goes down as deep as a text is nested and has no bound of its own: some forty brackets overflow two
//! mebibytes in a debug build, which ends the process. Its validator stops where the stack is nearly used up, and lets
//! what it did not reach pass. Its evaluator stops there too, with an error. So texts are bounded here, before Cedar sees
//! them, and Cedar gets the stack that such a text can need.

use crate::{CedarError, CedarErrorKind};

/// The most brackets that may be open at once.
const MOST_NESTED: usize = 32;

/// The most operators, member accesses and `if`s in one policy: a chain of them is as deep as it is long.
const MOST_LINKS: usize = 500;

/// What parsing and validating the deepest text takes, several times over.
const PARSER_STACK: usize = 64 * 1024 * 1024;

/// What one level of an expression takes when it is evaluated, with room to spare.
const LEVEL_STACK: usize = if cfg!(debug_assertions) {
    64 * 1024
} else {
    8 * 1024
};

/// What evaluation takes at any rate, together with what Cedar wants to be left.
const LEAST_STACK: usize = 384 * 1024;

/// How deep the deepest statement of a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Depth {
    nested: usize,
    links: usize,
}

impl Depth {
    pub(crate) fn of(text: &str) -> Self {
        let mut most = Self::default();
        let mut now = Self::default();
        let mut open = 0_usize;
        for token in Tokens(text) {
            match token {
                "(" | "{" | "<" => open += 1,
                "[" => {
                    open += 1;
                    now.links += 1;
                }
                ")" | "]" | "}" | ">" => open = open.saturating_sub(1),
                // The end of a policy, or of a declaration.
                ";" => now = Self::default(),
                "||" | "&&" | "." | "!" | "+" | "-" | "*" | "if" => now.links += 1,
                _ => {}
            }
            now.nested = now.nested.max(open);
            most.nested = most.nested.max(now.nested);
            most.links = most.links.max(now.links);
        }
        most
    }

    /// # Errors
    ///
    /// When it is too deep for Cedar.
    pub(crate) fn bounded(self, name: &str) -> Result<Self, CedarError> {
        let what = if self.nested > MOST_NESTED {
            format!("more than {MOST_NESTED} brackets are open at once")
        } else if self.links > MOST_LINKS {
            format!("more than {MOST_LINKS} operators in one policy")
        } else {
            return Ok(self);
        };
        Err(CedarError::new(
            CedarErrorKind::TooLarge,
            format!("{name}: {what}"),
        ))
    }

    /// Decides, with a stack on which Cedar does not run into its limit. One is made where too little is left, which a
    /// usual policy on a usual thread does not need.
    pub(crate) fn evaluate<T>(self, decide: impl FnOnce() -> T) -> T {
        let levels = self.links.saturating_add(self.nested.saturating_mul(2));
        let needed = levels.saturating_mul(LEVEL_STACK).saturating_add(LEAST_STACK);
        stacker::maybe_grow(needed, needed.saturating_mul(2), decide)
    }
}

/// Reads or validates a bounded text.
pub(crate) fn read<T>(read: impl FnOnce() -> T) -> T {
    stacker::grow(PARSER_STACK, read)
}

/// The words and signs of a text in Cedar's syntax, without literal texts and comments; `||` and `&&` are one.
struct Tokens<'t>(&'t str);

impl<'t> Tokens<'t> {
    fn take(&mut self, length: usize) -> &'t str {
        // Lengths come from searches in this very text; should one be wrong, the rest is one token.
        let (token, rest) = self.0.split_at_checked(length).unwrap_or((self.0, ""));
        self.0 = rest;
        token
    }

    fn length(&self) -> Option<usize> {
        let text = self.0;
        let first = text.chars().next()?;
        let length = if text.starts_with("//") {
            text.find('\n').unwrap_or(text.len())
        } else if text.starts_with("||") || text.starts_with("&&") {
            2
        } else if first == '"' {
            literal(text)
        } else if first.is_alphanumeric() || first == '_' {
            text.find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(text.len())
        } else {
            first.len_utf8()
        };
        Some(length)
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let length = self.length()?;
        Some(self.take(length))
    }
}

/// The length of the literal that a text begins with.
fn literal(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(text: &str) -> (usize, usize) {
        let Depth { nested, links } = Depth::of(text);
        (nested, links)
    }

    #[test]
    fn brackets_and_operators_are_counted_for_each_statement() {
        assert_eq!(depth("permit (principal, action, resource);"), (1, 0));
        assert_eq!(depth("a || b && !c.d + 1 - 2 * 3"), (0, 7));
        assert_eq!(depth("if a then b else if c then d else e"), (0, 2));
        assert_eq!(depth("a || b; c || d || e; f"), (0, 2));
        assert_eq!(depth("{([<>])}"), (4, 1));
        assert_eq!(depth("))))(("), (2, 0));
    }

    #[test]
    fn what_stands_in_a_literal_or_a_comment_is_not_counted() {
        assert_eq!(depth(r#""((||.;" == "\"((""#), (0, 0));
        assert_eq!(depth(r#""\\" (("#), (2, 0));
        assert_eq!(depth("// ((|| \" \n ("), (1, 0));
        assert_eq!(depth("\"((("), (0, 0));
        assert_eq!(depth("iffy elif é(é"), (1, 0));
    }

    #[test]
    fn a_text_at_the_bound_is_taken_and_one_beyond_is_not() {
        let taken = |text: String| Depth::of(&text).bounded("policies").is_ok();
        assert!(taken("(".repeat(MOST_NESTED)) && !taken("(".repeat(MOST_NESTED + 1)));
        assert!(taken(".".repeat(MOST_LINKS)) && !taken(".".repeat(MOST_LINKS + 1)));
    }
}
