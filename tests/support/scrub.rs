//! From a source file to the code in it that ships: comments, text and tests blanked out.
//!
//! A small lexer, not a parser: it knows where comments and literals begin and end, and which item an
//! attribute belongs to. Lines stay where they are.

/// A source file without what does not ship.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scrubbed {
    /// The code. Comments, literals and `#[cfg(test)]` items are blanks; line breaks are kept.
    pub code: String,
    /// Modules declared for tests only, in files of their own.
    pub test_modules: Vec<String>,
    /// The first and the last line of every `#[cfg(test)]` item, counted from zero.
    pub test_lines: Vec<(usize, usize)>,
}

/// Blanks out comments, literals and `#[cfg(test)]` items.
#[must_use]
pub fn scrub(source: &str) -> Scrubbed {
    without_tests(blank_text(source))
}

/// Blanks out comments and the contents of literals; each becomes as many spaces as it has bytes.
fn blank_text(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (length, is_code) = match skipped(rest, code.chars().next_back()) {
            Some(length) => (length, false),
            None => (first.len_utf8(), true),
        };
        let (taken, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if is_code {
            code.push_str(taken);
        } else {
            code.extend(taken.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        }
        rest = left;
    }
    code
}

/// The length of the comment or literal at the start of `rest`, if one begins there.
fn skipped(rest: &str, before: Option<char>) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if rest.starts_with('"') {
        return Some(1 + quoted(rest.get(1..)?, '"'));
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    let inside_name = before.is_some_and(|before| before.is_alphanumeric() || before == '_');
    if inside_name { None } else { raw_string(rest) }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(tail) = rest.get(at..) {
        if tail.is_empty() {
            break;
        }
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The bytes up to and including the closing quote, escapes skipped.
fn quoted(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in body.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    body.len()
}

/// A character literal; `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let body = rest.get(1..)?;
    let first = body.chars().next()?;
    if first == '\\' {
        return Some(1 + quoted(body, '\''));
    }
    let after = body.get(first.len_utf8()..)?;
    after.starts_with('\'').then(|| 2 + first.len_utf8())
}

/// `r"…"`, `r#"…"#`, also with `b` or `c` in front.
fn raw_string(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix(['b', 'c']).unwrap_or(rest).strip_prefix('r')?;
    let hashes = body.bytes().take_while(|byte| *byte == b'#').count();
    let text = body.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let prefix = rest.len() - text.len();
    Some(
        text.find(&end)
            .map_or(rest.len(), |found| prefix + found + end.len()),
    )
}

const CFG_TEST: &str = "#[cfg(test)]";

/// Blanks out every item that `#[cfg(test)]` stands in front of.
fn without_tests(code: String) -> Scrubbed {
    let mut scrubbed = Scrubbed {
        code,
        ..Scrubbed::default()
    };
    while let Some(start) = scrubbed.code.find(CFG_TEST) {
        let Some(item) = scrubbed.code.get(start..) else {
            break;
        };
        let length = item_length(item);
        let item = item.get(..length).unwrap_or(item).to_owned();
        if let Some(name) = declared_module(&item) {
            scrubbed.test_modules.push(name);
        }
        let first = scrubbed
            .code
            .get(..start)
            .map_or(0, |before| before.matches('\n').count());
        let last = first + item.matches('\n').count();
        scrubbed.test_lines.push((first, last));
        let blank: String = item
            .bytes()
            .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
            .collect();
        scrubbed.code.replace_range(start..start + length, &blank);
    }
    scrubbed
}

/// Up to the `;` or the closing brace of the item, whichever comes first on the outside.
fn item_length(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in item.bytes().enumerate() {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && byte == b'}' {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

/// The name in `mod name;`.
fn declared_module(item: &str) -> Option<String> {
    let words = item.strip_suffix(';')?;
    let (_, name) = words
        .rsplit_once(" mod ")
        .or_else(|| words.rsplit_once("\nmod "))?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_lines_stay() {
        let source = "a(\"b // c\\\" d\"); // e\n/* f /* g\n*/ h */ i('\"', '\\'', b'j', \"k\");\n";
        let code = scrub(source).code;
        assert_eq!(code.matches('\n').count(), source.matches('\n').count());
        assert_eq!(
            code.split_whitespace().collect::<Vec<_>>(),
            ["a(", ");", "i(", ",", ",", "b", ",", ");"]
        );
    }

    #[test]
    fn raw_text_ends_where_its_hashes_do() {
        let code = scrub("let a = r#\"StatusCode::OK \" \\\"#; let b = br\"x\"; for_\"y\"").code;
        assert!(!code.contains("StatusCode"), "{code}");
        assert!(!code.contains('x') && !code.contains('y'), "{code}");
        assert!(code.contains("let b"), "{code}");
    }

    #[test]
    fn lifetimes_are_code() {
        assert_eq!(scrub("fn a<'a>(b: &'a str) {}").code, "fn a<'a>(b: &'a str) {}");
    }

    #[test]
    fn items_for_tests_do_not_ship() {
        let source = "one();\n#[cfg(test)]\nmod tests {\n    two(\"}\");\n}\nthree();\n";
        let scrubbed = scrub(source);
        let words: Vec<_> = scrubbed.code.split_whitespace().collect();
        assert_eq!(words, ["one();", "three();"]);
        assert_eq!(scrubbed.test_lines, [(1, 4)]);
    }

    #[test]
    fn modules_for_tests_in_files_of_their_own_are_named() {
        let scrubbed =
            scrub("mod a;\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\n#[path = \"x.rs\"]\nmod more;\n");
        assert_eq!(scrubbed.test_modules, ["tests", "more"]);
        assert!(scrubbed.code.contains("mod a;"));
        assert!(!scrubbed.code.contains("tests"));
    }

    #[test]
    fn code_that_is_not_only_for_tests_ships() {
        let code = scrub("#[cfg(any(test, fuzzing))]\npub fn a() {}\n#[cfg(not(test))]\nfn b() {}").code;
        assert!(code.contains("pub fn a()") && code.contains("fn b()"));
    }
}
