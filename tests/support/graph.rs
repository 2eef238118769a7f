//! The dependency graph of the workspace, as `cargo metadata` tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The packages of the workspace.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Workspace {
    /// The members, in no particular order.
    pub members: Vec<Member>,
    /// Every package that any of them leads to, for whatever purpose, the members included.
    pub packages: Vec<Package>,
}

/// A package of the workspace or from elsewhere.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Where it comes from; `None` for the workspace's own.
    pub source: Option<String>,
}

impl Package {
    /// A package.
    #[must_use]
    pub fn new(name: &str, source: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            source: source.map(str::to_owned),
        }
    }
}

/// One package of the workspace.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Member {
    /// The package name.
    pub name: String,
    /// Its folder relative to the root of the workspace, with `/` as separator.
    pub folder: String,
    /// The version.
    pub version: String,
    /// What it asks of the compiler.
    pub rust_version: Option<String>,
    /// The dependencies it declares.
    pub edges: Vec<Edge>,
    /// The features it declares, with what each turns on.
    pub features: BTreeMap<String, Vec<String>>,
    /// Every package that its normal and build dependencies lead to, with all features.
    pub reaches: BTreeSet<String>,
}

/// One declared dependency.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Edge {
    /// The package depended on, by its real name.
    pub to: String,
    /// What it is needed for.
    pub kind: Kind,
    /// The version requirement.
    pub requirement: String,
    /// The features asked for.
    pub features: Vec<String>,
    /// Whether the default features are asked for.
    pub default_features: bool,
    /// Whether it is there only behind a feature.
    pub optional: bool,
}

/// What a dependency is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // Cargo knows three.
pub enum Kind {
    /// Building the crate itself.
    Normal,
    /// Its build script.
    Build,
    /// Its tests, benchmarks and examples.
    Dev,
}

impl Member {
    /// A package without dependencies.
    #[must_use]
    pub fn new(name: &str, folder: &str) -> Self {
        Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            ..Self::default()
        }
    }

    /// Adds a dependency.
    #[must_use]
    pub fn on(mut self, to: &str, kind: Kind) -> Self {
        self.edges.push(Edge {
            to: to.to_owned(),
            kind,
            requirement: "*".to_owned(),
            features: Vec::new(),
            default_features: true,
            optional: false,
        });
        self
    }

    /// Adds packages to what it reaches.
    #[must_use]
    pub fn reaching(mut self, names: &[&str]) -> Self {
        self.reaches.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// The dependencies a user of the crate gets: normal and build.
    pub fn shipped(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(|edge| edge.kind != Kind::Dev)
    }
}

impl Workspace {
    /// A workspace of these members.
    #[must_use]
    pub const fn new(members: Vec<Member>) -> Self {
        Self {
            members,
            packages: Vec::new(),
        }
    }

    /// The workspace these tests belong to, by asking the cargo that runs them.
    ///
    /// # Errors
    ///
    /// When cargo cannot be run, or tells something that is not its metadata.
    pub fn load() -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args([
                "metadata",
                "--format-version",
                "1",
                "--all-features",
                "--manifest-path",
            ])
            .arg(root().join("Cargo.toml"))
            .output()
            .map_err(|error| format!("cargo metadata cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cargo metadata is not JSON: {error}"))?;
        Self::parse(&metadata)
    }

    /// Reads the answer of `cargo metadata --format-version 1`.
    ///
    /// # Errors
    ///
    /// When a part that is needed is missing.
    pub fn parse(metadata: &Value) -> Result<Self, String> {
        let root = text(metadata, "workspace_root")?;
        let packages = list(metadata, "packages")?;
        let nodes = resolve_nodes(metadata)?;
        let names = packages
            .iter()
            .map(|package| Ok((text(package, "id")?, text(package, "name")?)))
            .collect::<Result<BTreeMap<_, _>, String>>()?;
        let members = list(metadata, "workspace_members")?
            .iter()
            .filter_map(Value::as_str)
            .map(|id| {
                let package = packages
                    .iter()
                    .find(|package| package.get("id").and_then(Value::as_str) == Some(id))
                    .ok_or_else(|| format!("{id} is no package"))?;
                let reaches = reach(id, &nodes)
                    .iter()
                    .filter_map(|id| names.get(id))
                    .map(|name| (*name).to_owned())
                    .collect();
                member(package, root, reaches)
            })
            .collect::<Result<Vec<_>, String>>()?;
        let packages = packages
            .iter()
            .map(|package| Ok(Package::new(text(package, "name")?, text(package, "source").ok())))
            .collect::<Result<Vec<_>, String>>()?;
        Ok(Self { members, packages })
    }
}

/// The folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("no text `{key}` in cargo's metadata"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| format!("no list `{key}` in cargo's metadata"))
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn kind(value: Option<&Value>) -> Kind {
    match value.and_then(Value::as_str) {
        Some("dev") => Kind::Dev,
        Some("build") => Kind::Build,
        _ => Kind::Normal,
    }
}

fn member(package: &Value, root: &str, reaches: BTreeSet<String>) -> Result<Member, String> {
    let manifest = text(package, "manifest_path")?.replace('\\', "/");
    let root = root.replace('\\', "/");
    let folder = manifest
        .strip_prefix(&root)
        .and_then(|path| path.strip_suffix("/Cargo.toml"))
        .ok_or_else(|| format!("{manifest} does not lie below {root}"))?
        .trim_start_matches('/');
    let edges = list(package, "dependencies")?
        .iter()
        .map(edge)
        .collect::<Result<Vec<_>, String>>()?;
    let features = package
        .get("features")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, on)| (name.clone(), strings(on)))
        .collect();
    Ok(Member {
        name: text(package, "name")?.to_owned(),
        folder: folder.to_owned(),
        version: text(package, "version")?.to_owned(),
        rust_version: text(package, "rust_version").ok().map(str::to_owned),
        edges,
        features,
        reaches,
    })
}

fn edge(dependency: &Value) -> Result<Edge, String> {
    let flag = |key: &str| dependency.get(key).and_then(Value::as_bool).unwrap_or_default();
    Ok(Edge {
        to: text(dependency, "name")?.to_owned(),
        kind: kind(dependency.get("kind")),
        requirement: text(dependency, "req")?.to_owned(),
        features: strings(dependency.get("features").unwrap_or(&Value::Null)),
        default_features: flag("uses_default_features"),
        optional: flag("optional"),
    })
}

/// From package id to the ids of its normal and build dependencies.
type Nodes<'a> = BTreeMap<&'a str, Vec<&'a str>>;

fn resolve_nodes(metadata: &Value) -> Result<Nodes<'_>, String> {
    let resolve = metadata
        .get("resolve")
        .ok_or("no `resolve` in cargo's metadata")?;
    list(resolve, "nodes")?
        .iter()
        .map(|node| {
            let targets = list(node, "deps")?
                .iter()
                .filter(|dep| ships(dep))
                .map(|dep| text(dep, "pkg"))
                .collect::<Result<Vec<_>, String>>()?;
            Ok((text(node, "id")?, targets))
        })
        .collect()
}

/// Whether a resolved dependency is more than a dev-dependency.
fn ships(dep: &Value) -> bool {
    list(dep, "dep_kinds").map_or(true, |kinds| {
        kinds.iter().any(|entry| kind(entry.get("kind")) != Kind::Dev)
    })
}

fn reach<'a>(from: &'a str, nodes: &Nodes<'a>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        for &next in nodes.get(id).map(Vec::as_slice).unwrap_or_default() {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen
}
