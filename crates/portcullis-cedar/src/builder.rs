//! What is settled before anything runs.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use cedar_policy::Authorizer;
use portcullis_core::Reason;

use crate::file::read;
use crate::policies::Shared;
use crate::schema::KnownSchema;
use crate::set::Loaded;
use crate::{CedarError, CedarErrorKind, CedarPolicies};

/// The most that a schema, or a set of policies, may have: one mebibyte each. Parsing and validating take time and memory
/// with the size, and a file that grew by mistake must not take the service with it.
///
/// Bounded as well are the brackets that are open at once, 32, and the operators (member accesses and `if`s among them) of
/// one policy, 500: Cedar goes down as deep as they do, and would overflow the stack.
pub const MOST_BYTES: usize = 1024 * 1024;

/// Builds [`CedarPolicies`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CedarBuilder {
    schema: Option<String>,
    policies: Option<String>,
    principal_type: Option<Cow<'static, str>>,
    client_type: Option<Cow<'static, str>>,
    role_type: Option<Cow<'static, str>>,
    reasons: Vec<Reason>,
}

impl CedarBuilder {
    /// The schema, in Cedar's own syntax. Required.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// The policies. Required.
    pub fn policies(mut self, policies: impl Into<String>) -> Self {
        self.policies = Some(policies.into());
        self
    }

    /// As [`schema`](Self::schema), from a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is larger than [`MOST_BYTES`], or is not UTF-8.
    pub fn schema_file(self, path: impl AsRef<Path>) -> Result<Self, CedarError> {
        Ok(self.schema(read(path.as_ref())?))
    }

    /// As [`policies`](Self::policies), from a file.
    ///
    /// # Errors
    ///
    /// As [`schema_file`](Self::schema_file).
    pub fn policies_file(self, path: impl AsRef<Path>) -> Result<Self, CedarError> {
        Ok(self.policies(read(path.as_ref())?))
    }

    /// The type of callers whose principal does not name one, as [`Principal`](portcullis_core::Principal): `User` unless
    /// said otherwise.
    pub fn principal_type(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.principal_type = Some(kind.into());
        self
    }

    /// The type of such callers where a client acts for itself. The same as of people unless said otherwise; with a type
    /// of its own a client can never be taken for the person whose name it has chosen, whatever a policy forgets.
    pub fn client_type(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.client_type = Some(kind.into());
        self
    }

    /// The type of roles: `Role` unless said otherwise. Where the schema lets the caller's type be `in` it, the caller is
    /// in each of their roles, and policies may say `principal in Role::"admin"`.
    pub fn role_type(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.role_type = Some(kind.into());
        self
    }

    /// Lets a `forbid` policy say why: `@reason("frozen")` denies with the reason of that code. Of several that hold, the
    /// one that was declared first is told; a code that nobody declared is logged when the policies are read, and denied
    /// as if it were not there.
    ///
    /// Do not declare one of a missing scope: a `forbid` does not know whether more scope alone would grant.
    pub fn reason(mut self, reason: Reason) -> Self {
        self.reasons.push(reason);
        self
    }

    /// Parses the schema and the policies, and validates these against it in strict mode.
    ///
    /// # Errors
    ///
    /// When there is no schema or no policy; when one is larger than [`MOST_BYTES`] or nested too deeply; when one does not
    /// parse; when a
    /// policy speaks of entities, actions or attributes that the schema does not know, or of known ones in a way that
    /// could fail; when there is a template; when a type that is named here is not in the schema.
    pub fn build(self) -> Result<CedarPolicies, CedarError> {
        let missing = |what: &str| CedarError::new(CedarErrorKind::Missing, what);
        let schema = self
            .schema
            .ok_or_else(|| missing("there is no schema, and policies are not taken unchecked"))?;
        let policies = self.policies.ok_or_else(|| missing("there are no policies"))?;
        bounded("schema", &schema)?;
        let role_type = self.role_type.clone().unwrap_or(Cow::Borrowed("Role"));
        let known = KnownSchema::parse(&schema, &role_type)?;
        for kind in [&self.principal_type, &self.client_type, &self.role_type] {
            declared(&known, kind.as_deref())?;
        }
        let loaded = loaded(&policies, &known, &self.reasons, 1)?;
        let shared = Shared {
            known,
            principal_type: self.principal_type.unwrap_or(Cow::Borrowed("User")),
            client_type: self.client_type,
            role_type,
            reasons: self.reasons,
            current: ArcSwap::from_pointee(loaded),
            exchange: Mutex::new(()),
            authorizer: Authorizer::new(),
        };
        Ok(CedarPolicies {
            shared: Arc::new(shared),
        })
    }
}

/// What was named is a slip of the pen where the schema does not have it. The defaults need not be used.
fn declared(known: &KnownSchema, kind: Option<&str>) -> Result<(), CedarError> {
    match kind {
        Some(kind) if !known.knows(kind) => Err(CedarError::new(
            CedarErrorKind::Schema,
            format!("schema: there is no entity type {kind:?}"),
        )),
        _ => Ok(()),
    }
}

pub(crate) fn loaded(
    policies: &str,
    known: &KnownSchema,
    reasons: &[Reason],
    generation: u64,
) -> Result<Loaded, CedarError> {
    bounded("policies", policies)?;
    Loaded::parse(policies, known, reasons, generation)
}

fn bounded(name: &str, text: &str) -> Result<(), CedarError> {
    if text.len() <= MOST_BYTES {
        return Ok(());
    }
    Err(too_large(name))
}

pub(crate) fn too_large(name: &str) -> CedarError {
    let message = format!("{name}: larger than {MOST_BYTES} bytes");
    CedarError::new(CedarErrorKind::TooLarge, message)
}
