//! A claim map made ready for the one pass over the payload.

use portcullis_core::ConfigError;

use super::map::{ClaimMap, Mark, Name, Path};
use super::read::FOREIGN;
use crate::json::mark;

/// The paths are numbered as bits of a `u32`.
const MAX_PATHS: usize = 32;

/// Claims that the verifier judges itself.
const JUDGED: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "cnf", "auth_time"];

impl ClaimMap {
    pub(crate) fn compile(&self) -> Result<CompiledClaimMap, ConfigError> {
        if self.required.iter().any(|(_, values)| values.is_empty()) {
            return Err(ConfigError::new(
                "a required claim needs at least one value to compare with",
            ));
        }
        let paths = self.paths();
        check_paths(&paths)?;
        let first_names = paths.iter().filter_map(|(path, _)| path.first());
        Ok(CompiledClaimMap {
            tops: first_names.fold(0, |marks, name| marks | mark(name)),
            paths,
            required: self.required.len(),
            marks_people: !self.person_marks.is_empty(),
            kind_is_marked: self.kind_is_marked,
        })
    }

    fn paths(&self) -> Vec<(Path, Target)> {
        let mut paths = Vec::new();
        let mut add = |path: &Path, target| paths.push((path.clone(), target));
        self.scopes.iter().for_each(|path| add(path, Target::Scope));
        self.roles.iter().for_each(|path| add(path, Target::Role));
        for (rank, path) in self.client_ids.iter().enumerate() {
            add(path, Target::ClientId(rank));
        }
        for (path, mark) in &self.client_marks {
            add(path, Target::ClientMark(mark.clone()));
        }
        for path in &self.person_marks {
            add(path, Target::PersonMark);
        }
        for (index, (path, values)) in self.required.iter().enumerate() {
            add(path, Target::Required(index, values.clone()));
        }
        paths
    }
}

/// Finds paths that no token could satisfy, or that would bypass a check.
fn check_paths(paths: &[(Path, Target)]) -> Result<(), ConfigError> {
    let begins_with = |names: &[&str]| {
        let first = |path: &Path| path.first().is_some_and(|first| names.contains(&first.as_ref()));
        paths.iter().any(|(path, _)| first(path))
    };
    let is_prefix = |short: &Path, long: &Path| short.len() < long.len() && long.starts_with(short);
    let excluded = |long: &Path| paths.iter().any(|(short, _)| is_prefix(short, long));
    let complaint = if paths.len() > MAX_PATHS {
        "a claim map has at most 32 paths"
    } else if paths.iter().any(|(path, _)| path.is_empty()) {
        "a claim path has at least one member name"
    } else if begins_with(&JUDGED) {
        "iss, aud, exp, nbf, iat, cnf and auth_time have checks of their own"
    } else if begins_with(&FOREIGN) {
        "a token with this claim is no access token: nothing can stand there"
    } else if paths.iter().any(|(long, _)| excluded(long)) {
        "a claim path that begins another would have to be text and object at once"
    } else {
        return Ok(());
    };
    Err(ConfigError::new(complaint))
}

/// What a path leads to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Scope,
    Role,
    /// The lower, the better.
    ClientId(usize),
    ClientMark(Mark),
    PersonMark,
    Required(usize, Vec<Name>),
}

/// A [`ClaimMap`] with every path numbered, as bits of a `u32`.
#[derive(Clone, Debug)]
pub(crate) struct CompiledClaimMap {
    pub(crate) paths: Vec<(Path, Target)>,
    /// The marks of all names that a path begins with: most claims are on none.
    tops: u64,
    pub(crate) required: usize,
    /// Whether a token without any mark of a person is a client's.
    pub(crate) marks_people: bool,
    /// Whether something required tells access tokens from ID tokens.
    pub(crate) kind_is_marked: bool,
}

impl Mark {
    pub(crate) fn fits(&self, value: &str) -> bool {
        match self {
            Self::Equals(expected) => value == expected.as_ref(),
            Self::StartsWith(prefix) => value.starts_with(prefix.as_ref()),
            Self::EndsWith(suffix) => value.ends_with(suffix.as_ref()),
        }
    }
}

impl CompiledClaimMap {
    /// All paths.
    pub(crate) const fn all(&self) -> u32 {
        match self.paths.len() {
            MAX_PATHS.. => u32::MAX,
            count => (1 << count) - 1,
        }
    }

    /// The paths that begin with `name`.
    pub(crate) fn enter_top(&self, name: &str) -> u32 {
        if self.tops & mark(name) == 0 {
            return 0;
        }
        self.enter(self.all(), 0, name)
    }

    /// The paths out of `active` whose name at `depth` is `name`.
    pub(crate) fn enter(&self, active: u32, depth: usize, name: &str) -> u32 {
        self.select(active, |path| {
            path.get(depth).is_some_and(|segment| segment == name)
        })
    }

    /// The paths out of `active` that are `depth` names long.
    pub(crate) fn ending(&self, active: u32, depth: usize) -> u32 {
        self.select(active, |path| path.len() == depth)
    }

    fn select(&self, active: u32, fits: impl Fn(&Path) -> bool) -> u32 {
        if active == 0 {
            return 0;
        }
        self.paths
            .iter()
            .enumerate()
            .filter(|(index, (path, _))| active & (1 << index) != 0 && fits(path))
            .fold(0, |bits, (index, _)| bits | 1 << index)
    }

    /// The targets of the paths `bits`.
    pub(crate) fn targets(&self, bits: u32) -> impl Iterator<Item = &Target> {
        self.paths
            .iter()
            .enumerate()
            .filter(move |(index, _)| bits & (1 << index) != 0)
            .map(|(_, (_, target))| target)
    }
}
