//! Roles and scopes that contain others.

use std::collections::{BTreeMap, BTreeSet};

use crate::{ConfigError, Roles, Scopes};

/// Which names contain which others: `admin > editor > viewer`.
///
/// A hierarchy of configuration, for names that the application does not know when it is compiled. One that it does
/// know stands better in [`Scope::IMPLIED_BY`](crate::Scope::IMPLIED_BY) and
/// [`Role::IMPLIED_BY`](crate::Role::IMPLIED_BY). Applied where a method's answer is
/// [mapped](crate::AuthenticateRequest::map), once per request, so that requirements, policies and audit see the same set.
///
/// ```
/// use portcullis_core::Roles;
/// use portcullis_core::policy::Hierarchy;
///
/// let hierarchy = Hierarchy::parse("admin > editor > viewer\nauditor > viewer")?;
/// let held = hierarchy.expand(&Roles::from_iter(["editor"]));
/// assert!(held.contains("viewer") && !held.contains("admin") && !held.contains("auditor"));
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Hierarchy {
    /// Each name and everything it contains, however far down.
    contained: BTreeMap<String, BTreeSet<String>>,
}

impl Hierarchy {
    /// Reads lines of names, each of which contains those to the right of its `>`. Empty lines are skipped.
    ///
    /// # Errors
    ///
    /// An empty name, or a circle: where `a` contains `b` and `b` contains `a` somebody was mistaken.
    pub fn parse(lines: &str) -> Result<Self, ConfigError> {
        let mut direct = BTreeMap::<&str, BTreeSet<&str>>::new();
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let mut above = None;
            for name in line.split('>').map(str::trim) {
                if name.is_empty() || name.contains(char::is_whitespace) {
                    return Err(ConfigError::new("a hierarchy needs one name on each side of `>`"));
                }
                direct.entry(name).or_default();
                if let Some(above) = above.replace(name) {
                    direct.entry(above).or_default().insert(name);
                }
            }
        }
        let mut contained = BTreeMap::new();
        for name in direct.keys() {
            let below = below(name, &direct);
            if below.contains(*name) {
                return Err(ConfigError::new("a hierarchy must not go round in a circle"));
            }
            contained.insert((*name).to_owned(), below.into_iter().map(str::to_owned).collect());
        }
        Ok(Self { contained })
    }

    /// The roles held and all that they contain.
    #[must_use]
    pub fn expand(&self, held: &Roles) -> Roles {
        self.all(held.iter()).into_iter().collect()
    }

    /// The scopes held and all that they contain.
    ///
    /// # Errors
    ///
    /// When a name of the hierarchy is no scope token.
    pub fn expand_scopes(&self, held: &Scopes) -> Result<Scopes, ConfigError> {
        let all: Vec<_> = self.all(held.iter()).into_iter().collect();
        Scopes::parse(all.join(" "))
    }

    fn all<'h>(&'h self, held: impl Iterator<Item = &'h str>) -> BTreeSet<&'h str> {
        let mut all = BTreeSet::new();
        for name in held {
            all.insert(name);
            all.extend(self.contained.get(name).into_iter().flatten().map(String::as_str));
        }
        all
    }
}

/// Everything below a name; the name itself only where it stands below itself.
fn below<'l>(name: &'l str, direct: &BTreeMap<&'l str, BTreeSet<&'l str>>) -> BTreeSet<&'l str> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<_> = direct.get(name).into_iter().flatten().copied().collect();
    while let Some(next) = waiting.pop() {
        if found.insert(next) {
            waiting.extend(direct.get(next).into_iter().flatten().copied());
        }
    }
    found
}
