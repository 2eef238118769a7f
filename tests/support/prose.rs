//! Version numbers in prose: each must be one that the manifests state, or stand in a dated page.

use crate::graph::Workspace;

/// The version numbers that prose may name, because the manifests state them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stated {
    /// The family's own version.
    pub family: String,
    /// What the family asks of the compiler.
    pub rust: String,
    /// Package names with the requirements that the family states for them.
    pub requirements: Vec<(String, String)>,
}

impl Stated {
    /// What the manifests of `workspace` state.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Self {
        let core = workspace
            .members
            .iter()
            .find(|member| member.name == "portcullis-core");
        Self {
            family: core.map(|core| core.version.clone()).unwrap_or_default(),
            rust: core
                .and_then(|core| core.rust_version.clone())
                .unwrap_or_default(),
            requirements: workspace
                .members
                .iter()
                .flat_map(|member| &member.edges)
                .map(|edge| {
                    let version = edge.requirement.trim_start_matches(['^', '=', '~', '>', ' ']);
                    (edge.to.clone(), version.to_owned())
                })
                .collect(),
        }
    }

    fn knows(&self, word: &str) -> bool {
        ["rust", "rustc", "cargo", "version", "msrv"].contains(&word)
            || word.starts_with("portcullis")
            || self.requirements.iter().any(|(name, _)| name == word)
    }

    fn states(&self, word: &str, number: &str) -> bool {
        match word {
            "rust" | "rustc" | "cargo" | "msrv" => is_prefix(number, &self.rust),
            _ if word.starts_with("portcullis") || word == "version" => is_prefix(number, &self.family),
            _ => self
                .requirements
                .iter()
                .any(|(name, version)| name == word && is_prefix(number, version)),
        }
    }
}

/// Whether `number` is `version` or its beginning: `0.1` of `0.1.0`.
fn is_prefix(number: &str, version: &str) -> bool {
    version
        .strip_prefix(number)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Version numbers in the Markdown text `content` that no manifest states.
///
/// A number counts as a version when it has three parts, or two and the word in front of it names
/// something that has versions. Section signs, addresses and protocol versions do not.
#[must_use]
pub fn versions(path: &str, content: &str, stated: &Stated) -> Vec<String> {
    let mut violations = Vec::new();
    for (index, line) in content.lines().enumerate() {
        let mut before = String::new();
        for word in line.split([' ', '\t', '"', '`', '(', ')', ',', ';', '|', '*', '[', ']', '=']) {
            let bare = word.trim_end_matches(['.', ':', '!', '?', '\'', '’']);
            if bare.is_empty() {
                continue;
            }
            let number = bare.strip_prefix('v').unwrap_or(bare);
            let parts = number_parts(number);
            let named = stated.knows(&before);
            let is_version = parts == 3 || (parts == 2 && (named || bare.starts_with('v')));
            if is_version && !(named && stated.states(&before, number)) {
                violations.push(format!("{path}:{}: {bare} is stated by no manifest", index + 1));
            }
            before = bare.to_ascii_lowercase();
        }
    }
    violations
}

/// How many dotted numbers `text` consists of; zero when it is anything else.
fn number_parts(text: &str) -> usize {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.split('.').all(is_number) {
        text.split('.').count()
    } else {
        0
    }
}

/// The files that the Markdown text `content` links to: neither addresses nor places in the same page,
/// and nothing that stands in code.
#[must_use]
pub fn links(content: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_block = false;
    for line in content.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        for prose in line.split('`').step_by(2) {
            for (at, _) in prose.match_indices("](") {
                let target = prose.get(at + 2..).and_then(|rest| rest.split(')').next());
                let file = target.and_then(|target| target.split('#').next());
                links.extend(
                    file.filter(|file| !file.is_empty() && !file.contains(':'))
                        .map(str::to_owned),
                );
            }
        }
    }
    links
}
