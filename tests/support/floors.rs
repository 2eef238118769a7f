//! The floors: which crate may depend on which, and what a crate must never reach.
//!
//! ```text
//! floor 4   the facade
//! floor 3   the framework: axum
//! floor 2   what waits for the network, a store or a timer
//! floor 1   what polls, verifies bytes, or opens a door to the outside
//! floor 0   the vocabulary
//! adapters  third parties with an opinion; they implement ports of floors 0 and 1
//! the kit   for tests only
//! ```

use crate::graph::{Edge, Kind, Member, Workspace};

/// Every crate that may exist, and its floor. A new crate is entered here first.
const FLOORS: [(u8, &[&str]); 5] = [
    (0, &["core"]),
    (1, &["tower", "jwt", "fetch", "store", "seal"]),
    (
        2,
        &[
            "jwks",
            "introspection",
            "dpop",
            "mtls",
            "apikey",
            "session",
            "oidc",
            "password",
            "passkey",
            "onetime",
        ],
    ),
    (3, &["axum"]),
    (4, &[""]),
];

/// Crates that bring a third party with an opinion.
const ADAPTERS: [&str; 3] = ["redis", "sqlx", "cedar"];

/// The only edges between crates of one floor.
const SIDEWAYS: [(&str, &str); 2] = [
    ("portcullis-oidc", "portcullis-jwks"),
    ("portcullis-oidc", "portcullis-session"),
];

/// The only crate that tests get and users do not.
const KIT: &str = "portcullis-test";

/// Where a package stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Floor(u8),
    Adapter,
    Kit,
    /// The package of these tests.
    Tests,
    Example,
}

fn place(member: &Member) -> Option<Place> {
    if member.folder.starts_with("examples/") {
        return Some(Place::Example);
    }
    match member.name.as_str() {
        KIT => return Some(Place::Kit),
        "portcullis-tests" => return Some(Place::Tests),
        _ => {}
    }
    let short = match member.name.strip_prefix("portcullis")? {
        "" => "",
        rest => rest.strip_prefix('-').filter(|short| !short.is_empty())?,
    };
    if member.folder != format!("crates/{}", member.name) {
        return None;
    }
    if ADAPTERS.contains(&short) {
        return Some(Place::Adapter);
    }
    FLOORS
        .iter()
        .find(|(_, names)| names.contains(&short))
        .map(|(floor, _)| Place::Floor(*floor))
}

/// Crates without a floor, and edges that point up or sideways.
#[must_use]
pub fn directions(workspace: &Workspace) -> Vec<String> {
    let mut violations = Vec::new();
    for member in &workspace.members {
        let Some(from) = place(member) else {
            violations.push(format!(
                "{} ({}) has no floor; enter it in tests/support/floors.rs",
                member.name, member.folder
            ));
            continue;
        };
        for edge in member.shipped() {
            let target = workspace.members.iter().find(|target| target.name == edge.to);
            let Some(to) = target.and_then(place) else {
                continue;
            };
            let sideways = SIDEWAYS.contains(&(member.name.as_str(), edge.to.as_str()));
            if !sideways && !points_down(from, to, edge) {
                violations.push(format!("{} -> {} points up or sideways", member.name, edge.to));
            }
        }
    }
    violations
}

fn points_down(from: Place, to: Place, edge: &Edge) -> bool {
    match (from, to) {
        // Examples and these tests stand outside the house, and nobody stands on them.
        (_, Place::Example | Place::Tests) => false,
        (Place::Example | Place::Tests, _) => true,
        // Who may have the kit is a rule of its own.
        (_, Place::Kit) => true,
        (Place::Floor(from), Place::Floor(to)) => to < from,
        // Re-exported behind a feature of its own name.
        (Place::Floor(4), Place::Adapter) => edge.optional,
        (Place::Adapter, Place::Floor(to)) => to <= 1,
        (Place::Kit, Place::Floor(to)) => to < 4,
        (Place::Floor(_) | Place::Adapter | Place::Kit, Place::Adapter) => false,
    }
}

/// Crates below floor 3 that name axum.
#[must_use]
pub fn frameworks(workspace: &Workspace) -> Vec<String> {
    let below = |member: &&Member| matches!(place(member), Some(Place::Floor(0..=2) | Place::Adapter));
    let mut violations = Vec::new();
    for member in workspace.members.iter().filter(below) {
        for edge in member.shipped() {
            if named(&edge.to, "axum") {
                violations.push(format!("{} names {}, only floor 3 may", member.name, edge.to));
            }
        }
    }
    violations
}

/// What must never be reached, by however many steps, from the crates that promise it.
const OUT_OF_REACH: [(&str, &[&str]); 2] = [
    (
        "portcullis-core",
        &[
            "tower",
            "tokio",
            "hyper",
            "axum",
            "reqwest",
            "aws-lc-rs",
            "aws-lc-sys",
            "ring",
            "rustls",
            "openssl",
            "rsa",
            "sha2",
            "jsonwebtoken",
        ],
    ),
    (
        "portcullis-jwt",
        &[
            "tokio",
            "async-std",
            "smol",
            "mio",
            "hyper",
            "reqwest",
            "axum",
            "tower",
            "openssl",
            "rsa",
        ],
    ),
];

/// The vocabulary reaches no runtime and no cryptography; verification reaches no runtime and no
/// network.
#[must_use]
pub fn reach(workspace: &Workspace) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, forbidden) in OUT_OF_REACH {
        let Some(member) = workspace.members.iter().find(|member| member.name == name) else {
            continue;
        };
        let declared = member.shipped().map(|edge| &edge.to);
        for reached in declared.chain(&member.reaches) {
            if forbidden.iter().any(|forbidden| named(reached, forbidden)) {
                violations.push(format!("{name} reaches {reached}"));
            }
        }
    }
    violations.sort();
    violations.dedup();
    violations
}

/// Whether `package` is `family` or one of its `family-…` crates.
fn named(package: &str, family: &str) -> bool {
    package
        .strip_prefix(family)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

/// Features of `jsonwebtoken` that choose its process-wide cryptography.
const CRYPTO_FEATURES: [&str; 2] = ["aws_lc_rs", "rust_crypto"];

/// Crates of ours that turn on a cryptographic backend of `jsonwebtoken`: in a program where another
/// crate turns on the other one, the application's own calls would panic (R14).
#[must_use]
pub fn jsonwebtoken_backends(workspace: &Workspace) -> Vec<String> {
    let ours = |member: &&Member| member.folder.starts_with("crates/");
    let mut violations = Vec::new();
    for member in workspace.members.iter().filter(ours) {
        for edge in member.edges.iter().filter(|edge| edge.to == "jsonwebtoken") {
            // The defaults of another version may hold a backend.
            if edge.default_features {
                violations.push(format!("{} takes jsonwebtoken's default features", member.name));
            }
            for feature in &edge.features {
                if CRYPTO_FEATURES.contains(&feature.as_str()) {
                    violations.push(format!("{} enables jsonwebtoken/{feature}", member.name));
                }
            }
        }
        for (name, on) in &member.features {
            for enabled in on {
                if forwards_crypto(enabled) {
                    violations.push(format!("{}'s feature {name} enables {enabled}", member.name));
                }
            }
        }
    }
    violations
}

fn forwards_crypto(enabled: &str) -> bool {
    enabled.split_once('/').is_some_and(|(package, feature)| {
        package.trim_end_matches('?') == "jsonwebtoken" && CRYPTO_FEATURES.contains(&feature)
    })
}

/// Crates that ship the test kit to their users. Examples may: they run against its issuer.
#[must_use]
pub fn test_kit(workspace: &Workspace) -> Vec<String> {
    let bound = |member: &&Member| place(member) != Some(Place::Example);
    workspace
        .members
        .iter()
        .filter(bound)
        .filter(|member| {
            member
                .edges
                .iter()
                .any(|edge| edge.to == KIT && edge.kind != Kind::Dev)
        })
        .map(|member| format!("{} ships {KIT} to its users", member.name))
        .collect()
}

/// What must not be in the tree at all, as in `deny.toml`.
const BANNED: [&str; 5] = ["jsonwebtoken", "native-tls", "openssl", "openssl-sys", "rsa"];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Packages that are banned, or come from anywhere but crates.io.
#[must_use]
pub fn bans(workspace: &Workspace) -> Vec<String> {
    let mut violations = Vec::new();
    for package in &workspace.packages {
        if BANNED.contains(&package.name.as_str()) {
            violations.push(format!("{} is banned", package.name));
        }
        match &package.source {
            Some(source) if source != CRATES_IO => {
                violations.push(format!("{} comes from {source}", package.name));
            }
            _ => {}
        }
    }
    violations
}

/// Every rule about the graph.
#[must_use]
pub fn all(workspace: &Workspace) -> Vec<String> {
    [
        directions,
        frameworks,
        reach,
        jsonwebtoken_backends,
        test_kit,
        bans,
    ]
    .iter()
    .flat_map(|rule| rule(workspace))
    .collect()
}
