//! Where an issuer puts scopes, roles and the client: data, not code.

use std::borrow::Cow;

use portcullis_core::ConfigError;

/// Where the claims stand that authorization needs.
///
/// A path is a list of member names from the top of the payload: `["realm_access", "roles"]`. Its value
/// is a string or an array of strings; any other type refuses the token (no coercion). A scope string
/// is split at spaces; every other string is one value.
///
/// The presets are what the named products issue by default; each is a starting point that the
/// methods extend.
///
/// ```
/// use portcullis_jwt::ClaimMap;
///
/// let claims = ClaimMap::keycloak().roles_at(["resource_access", "invoices", "roles"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ClaimMap {
    scopes: Vec<Path>,
    roles: Vec<Path>,
    client_ids: Vec<Path>,
    client_marks: Vec<(Path, Mark)>,
    person_marks: Vec<Path>,
    required: Vec<(Path, Vec<Name>)>,
}

type Name = Cow<'static, str>;
type Path = Vec<Name>;

/// A value that says "a client acts for itself".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Equals(Name),
    StartsWith(Name),
    EndsWith(Name),
}

/// One preset.
struct Preset {
    scopes: &'static [&'static [&'static str]],
    roles: &'static [&'static [&'static str]],
    client_ids: &'static [&'static str],
    client_marks: &'static [(&'static str, Mark)],
    person_marks: &'static [&'static str],
    required: &'static [(&'static str, &'static [&'static str])],
}

const fn equals(value: &'static str) -> Mark {
    Mark::Equals(Cow::Borrowed(value))
}

/// RFC 9068 §2.2.3 and §2.2.3.1.
const STANDARD: Preset = Preset {
    scopes: &[&["scope"]],
    roles: &[&["roles"]],
    client_ids: &["client_id", "azp"],
    client_marks: &[],
    person_marks: &[],
    required: &[],
};

/// Keycloak: realm roles; the payload's `typ` tells access tokens from ID and refresh tokens.
const KEYCLOAK: Preset = Preset {
    roles: &[&["realm_access", "roles"]],
    client_marks: &[(
        "preferred_username",
        Mark::StartsWith(Cow::Borrowed("service-account-")),
    )],
    required: &[("typ", &["Bearer"])],
    ..STANDARD
};

/// Auth0: with RBAC on, granted permissions stand beside the scopes. Its dialect of RFC 9068 has no `gty`.
const AUTH0: Preset = Preset {
    scopes: &[&["scope"], &["permissions"]],
    roles: &[],
    client_ids: &["client_id", "azp"],
    client_marks: &[
        ("gty", equals("client-credentials")),
        ("sub", Mark::EndsWith(Cow::Borrowed("@clients"))),
    ],
    ..STANDARD
};

/// Okta custom authorization servers.
const OKTA: Preset = Preset {
    scopes: &[&["scp"]],
    roles: &[&["groups"]],
    client_ids: &["cid"],
    ..STANDARD
};

/// Microsoft Entra ID, v1.0 tokens (`https://sts.windows.net/{tenant}/`). Only a person's token has `scp`;
/// `idtyp` is optional.
const ENTRA_V1: Preset = Preset {
    scopes: &[&["scp"]],
    roles: &[&["roles"]],
    client_ids: &["appid"],
    client_marks: &[("idtyp", equals("app"))],
    person_marks: &["scp"],
    ..STANDARD
};

/// Microsoft Entra ID, v2.0 tokens (`https://login.microsoftonline.com/{tenant}/v2.0`).
const ENTRA_V2: Preset = Preset {
    client_ids: &["azp"],
    ..ENTRA_V1
};

/// Amazon Cognito access tokens. They have no `aud`.
const COGNITO: Preset = Preset {
    roles: &[&["cognito:groups"]],
    client_ids: &["client_id"],
    required: &[("token_use", &["access"])],
    ..STANDARD
};

/// Google identity tokens for service-to-service calls.
const GOOGLE: Preset = Preset {
    scopes: &[],
    roles: &[],
    client_ids: &["azp"],
    ..STANDARD
};

/// Firebase Authentication: roles are custom claims of the application's own.
const FIREBASE: Preset = Preset {
    scopes: &[],
    client_ids: &[],
    ..STANDARD
};

impl From<&'static Preset> for ClaimMap {
    fn from(preset: &'static Preset) -> Self {
        let path = |names: &&'static [&'static str]| names.iter().map(|name| Cow::Borrowed(*name)).collect();
        let single = |name: &&'static str| vec![Cow::Borrowed(*name)];
        Self {
            scopes: preset.scopes.iter().map(path).collect(),
            roles: preset.roles.iter().map(path).collect(),
            client_ids: preset.client_ids.iter().map(single).collect(),
            client_marks: preset
                .client_marks
                .iter()
                .map(|(name, mark)| (single(name), mark.clone()))
                .collect(),
            person_marks: preset.person_marks.iter().map(single).collect(),
            required: preset
                .required
                .iter()
                .map(|(name, values)| {
                    (
                        single(name),
                        values.iter().map(|value| Cow::Borrowed(*value)).collect(),
                    )
                })
                .collect(),
        }
    }
}

impl Default for ClaimMap {
    fn default() -> Self {
        Self::standard()
    }
}

macro_rules! presets {
    ($($(#[$doc:meta])* $name:ident = $preset:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name() -> Self {
                Self::from(&$preset)
            }
        )*
    };
}

impl ClaimMap {
    presets! {
        /// `scope` (a string), `roles` (an array), `client_id` or `azp` (RFC 9068). The default.
        standard = STANDARD;
        /// Keycloak: `scope`, realm roles at `realm_access.roles`, and `typ` must be `Bearer`. Service
        /// accounts are clients.
        keycloak = KEYCLOAK;
        /// Auth0: `scope` and, with RBAC, `permissions` as scopes; `gty` and a `sub` that
        /// ends with `@clients` mark clients.
        auth0 = AUTH0;
        /// Okta: `scp` (an array), `groups` as roles, `cid`.
        okta = OKTA;
        /// Microsoft Entra ID v1.0: `scp` (a string), `roles`, `appid`; a token without `scp`, or
        /// whose `idtyp` is `app`, is a client's.
        entra_v1 = ENTRA_V1;
        /// Microsoft Entra ID v2.0: `scp` (a string), `roles`, `azp`; a token without `scp`, or whose
        /// `idtyp` is `app`, is a client's. Entra's `sub` differs per application; the same person
        /// everywhere is `tid` with `oid`.
        entra_v2 = ENTRA_V2;
        /// Amazon Cognito: `scope`, `cognito:groups` as roles; `token_use` must be `access`. Its access
        /// tokens have no audience: use `dangerous_without_audience` and require `client_id`.
        cognito = COGNITO;
        /// Google: neither scopes nor roles; `azp`.
        google = GOOGLE;
        /// Firebase: no scopes; `roles` as a custom claim.
        firebase = FIREBASE;
    }

    /// No claim is read for scopes, roles or the client until a method says where they stand.
    pub const fn empty() -> Self {
        Self {
            scopes: Vec::new(),
            roles: Vec::new(),
            client_ids: Vec::new(),
            client_marks: Vec::new(),
            person_marks: Vec::new(),
            required: Vec::new(),
        }
    }

    /// Reads scopes at one more place.
    pub fn scopes_at<N: Into<Name>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.scopes.push(path.into_iter().map(Into::into).collect());
        self
    }

    /// Reads roles at one more place.
    pub fn roles_at<N: Into<Name>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.roles.push(path.into_iter().map(Into::into).collect());
        self
    }

    /// Reads the client's id, one text, at one more place; the first place that has one counts.
    pub fn client_id_at<N: Into<Name>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.client_ids.push(path.into_iter().map(Into::into).collect());
        self
    }

    /// Takes the caller for a client acting for itself when the claim at `path` equals `value`. Besides,
    /// a token whose `sub` is its client id, at any of the places, is always a client's.
    pub fn client_when<N: Into<Name>>(
        mut self,
        path: impl IntoIterator<Item = N>,
        value: impl Into<Name>,
    ) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        self.client_marks.push((path, Mark::Equals(value.into())));
        self
    }

    /// Takes the caller for a client acting for itself unless the claim at `path` is there and not empty:
    /// for issuers that mark people, not clients.
    pub fn client_unless<N: Into<Name>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.person_marks.push(path.into_iter().map(Into::into).collect());
        self
    }

    /// Refuses tokens unless the claim at `path` is one of `values`, or is an array that holds one of
    /// them.
    pub fn require<N: Into<Name>, V: Into<Name>>(
        mut self,
        path: impl IntoIterator<Item = N>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        self.required
            .push((path, values.into_iter().map(Into::into).collect()));
        self
    }

    pub(crate) fn compile(&self) -> Result<CompiledClaimMap, ConfigError> {
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
        self.person_marks
            .iter()
            .for_each(|path| add(path, Target::PersonMark));
        for (index, (path, values)) in self.required.iter().enumerate() {
            if values.is_empty() {
                return Err(ConfigError::new(
                    "a required claim needs at least one value to compare with",
                ));
            }
            add(path, Target::Required(index, values.clone()));
        }
        if paths.len() > 32 {
            return Err(ConfigError::new("a claim map has at most 32 paths"));
        }
        if paths.iter().any(|(path, _)| path.is_empty()) {
            return Err(ConfigError::new("a claim path has at least one member name"));
        }
        let own = ["iss", "aud", "exp", "nbf", "iat", "cnf", "auth_time"];
        if paths
            .iter()
            .any(|(path, _)| matches!(path.as_slice(), [first, ..] if own.contains(&first.as_ref())))
        {
            return Err(ConfigError::new(
                "iss, aud, exp, nbf, iat, cnf and auth_time have checks of their own",
            ));
        }
        Ok(CompiledClaimMap {
            paths,
            required: self.required.len(),
            marks_people: !self.person_marks.is_empty(),
        })
    }
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
    pub(crate) required: usize,
    /// Whether a token without any mark of a person is a client's.
    pub(crate) marks_people: bool,
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
            32.. => u32::MAX,
            count => (1 << count) - 1,
        }
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
