//! Rules about the sources: who may assert, who may name a status, how long a file may be.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::scrub::scrub;

/// One source file that ships.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Source {
    /// Its path from the root of the workspace, with `/` as separator.
    pub path: String,
    /// Its code, without comments, literals and tests.
    pub code: String,
    /// How many of its lines ship, documentation included.
    pub lines: usize,
}

impl Source {
    /// A file of this content.
    #[must_use]
    pub fn new(path: &str, content: &str) -> Self {
        let scrubbed = scrub(content);
        let tests: usize = scrubbed
            .test_lines
            .iter()
            .map(|(first, last)| last - first + 1)
            .sum();
        Self {
            path: path.to_owned(),
            code: scrubbed.code,
            lines: content.lines().count().saturating_sub(tests),
        }
    }
}

/// Every source file of the crates, tests left out.
///
/// # Errors
///
/// When a folder or file cannot be read.
pub fn shipped(root: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in folders(&root.join("crates"))? {
        let mut files = Vec::new();
        collect(&folder.join("src"), &mut files)?;
        let contents = files
            .into_iter()
            .map(|file| Ok((relative(root, &file), fs::read_to_string(&file)?)))
            .collect::<io::Result<Vec<_>>>()?;
        let tests: Vec<String> = contents
            .iter()
            .flat_map(|(path, content)| test_files(path, &scrub(content).test_modules))
            .collect();
        for (path, content) in &contents {
            let is_test = |test: &String| path == test || path.starts_with(&format!("{test}/"));
            if !tests.iter().any(is_test) {
                sources.push(Source::new(path, content));
            }
        }
    }
    Ok(sources)
}

/// Where modules declared by the file `path` may live: `a/tests.rs` and the folder `a/tests`.
fn test_files(path: &str, modules: &[String]) -> Vec<String> {
    let folder = path
        .strip_suffix("/mod.rs")
        .or_else(|| path.strip_suffix("/lib.rs"))
        .or_else(|| path.strip_suffix("/main.rs"))
        .or_else(|| path.strip_suffix(".rs"))
        .unwrap_or(path);
    modules
        .iter()
        .flat_map(|module| [format!("{folder}/{module}.rs"), format!("{folder}/{module}")])
        .collect()
}

fn folders(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Every `.rs` file below `folder`; none when there is no such folder.
///
/// # Errors
///
/// When a folder cannot be read.
pub fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// `file` as seen from `root`.
#[must_use]
pub fn relative(root: &Path, file: &Path) -> String {
    let path = file.strip_prefix(root).unwrap_or(file);
    path.to_string_lossy().replace('\\', "/")
}

/// A place where something rare is allowed, and why.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Allowed {
    /// The file, or the folder when it ends with `/`.
    pub path: &'static str,
    /// Why it is allowed there.
    pub because: &'static str,
}

impl Allowed {
    /// Allows it in `path`, because of `because`.
    #[must_use]
    pub const fn new(path: &'static str, because: &'static str) -> Self {
        Self { path, because }
    }

    fn covers(&self, path: &str) -> bool {
        if self.path.ends_with('/') {
            path.starts_with(self.path)
        } else {
            path == self.path
        }
    }
}

/// Files that do something outside the places where it is allowed, and places where it is allowed
/// although nobody does it there (a list that has gone stale protects nothing).
fn only_in(sources: &[Source], allowed: &[Allowed], what: &str, does: fn(&str) -> bool) -> Vec<String> {
    let mut violations = Vec::new();
    let doing: Vec<&Source> = sources.iter().filter(|source| does(&source.code)).collect();
    for source in &doing {
        if !allowed.iter().any(|place| place.covers(&source.path)) {
            violations.push(format!("{} {what}", source.path));
        }
    }
    for place in allowed {
        if !doing.iter().any(|source| place.covers(&source.path)) {
            violations.push(format!("{} no longer {what}; strike it off the list", place.path));
        }
    }
    violations
}

/// Calls of `Authentication::assertion` or `VerifiedClaims::assertion` ("this was checked") outside
/// the listed places.
#[must_use]
pub fn assertions(sources: &[Source], allowed: &[Allowed]) -> Vec<String> {
    only_in(sources, allowed, "asserts that something was checked", asserts)
}

fn asserts(code: &str) -> bool {
    let compact: String = code.split_whitespace().collect();
    occurrences(&compact, "::assertion").any(|after| !after.starts_with(is_name))
}

/// Status codes named outside the listed places.
#[must_use]
pub fn statuses(sources: &[Source], allowed: &[Allowed]) -> Vec<String> {
    only_in(sources, allowed, "names a status code", names_a_status)
}

fn names_a_status(code: &str) -> bool {
    let compact: String = code.split_whitespace().collect();
    let by_number =
        occurrences(&compact, ".status(").any(|after| after.starts_with(|c: char| c.is_ascii_digit()));
    compact.contains("StatusCode::") || by_number
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// What follows each occurrence of `wanted`.
fn occurrences<'a>(code: &'a str, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(wanted)
        .filter_map(move |(at, _)| code.get(at + wanted.len()..))
}

/// Sources of the family that name the test kit; only `tests/` folders may.
#[must_use]
pub fn test_kit(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| !source.path.starts_with("crates/portcullis-test/"))
        .filter(|source| source.code.contains("portcullis_test"))
        .map(|source| format!("{} names the test kit", source.path))
        .collect()
}

/// The longest a file may be.
pub const MOST_LINES: usize = 600;

/// Files with more lines that ship than [`MOST_LINES`].
#[must_use]
pub fn lengths(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.lines > MOST_LINES)
        .map(|source| format!("{} has {} lines, {MOST_LINES} at most", source.path, source.lines))
        .collect()
}

/// Every Markdown page of the repository with its content, in folders that are not generated.
///
/// # Errors
///
/// When a folder or file cannot be read.
pub fn pages(root: &Path) -> io::Result<Vec<(String, String)>> {
    let mut pages = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "corpus"].contains(&name.as_str()) {
                    open.push(path);
                }
            } else if name.ends_with(".md") {
                let content = fs::read_to_string(&path)?;
                pages.push((relative(root, &path), content));
            }
        }
    }
    pages.sort();
    Ok(pages)
}
