//! Policies that are in force, and can be exchanged.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use cedar_policy::{Authorizer, EntityUid, PolicyId};
use portcullis_core::{Authentication, Decision, Reason};

use crate::schema::{KnownSchema, unbound};
use crate::set::Loaded;
use crate::undecidable::Undecidable;
use crate::{CedarAction, CedarBuilder, CedarEntity, CedarError, context};

/// Cedar policies and the schema they were validated against.
///
/// A clone is the same policies: what one reloads all of them decide by.
#[derive(Clone)]
pub struct CedarPolicies {
    pub(crate) shared: Arc<Shared>,
}

/// What every action decides by.
pub(crate) struct Shared {
    pub(crate) known: KnownSchema,
    pub(crate) principal_type: Cow<'static, str>,
    pub(crate) client_type: Option<Cow<'static, str>>,
    pub(crate) role_type: Cow<'static, str>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) current: ArcSwap<Loaded>,
    /// Held while a set is exchanged, so that generations follow each other.
    pub(crate) exchange: Mutex<()>,
    pub(crate) authorizer: Authorizer,
}

impl CedarPolicies {
    /// Starts from nothing: a schema and policies have to be given.
    pub fn builder() -> CedarBuilder {
        CedarBuilder::default()
    }

    /// Reads a schema and policies from files, with the defaults of the builder.
    ///
    /// # Errors
    ///
    /// As [`CedarBuilder::build`], and when a file cannot be read.
    pub fn from_files(schema: impl AsRef<Path>, policies: impl AsRef<Path>) -> Result<Self, CedarError> {
        Self::builder()
            .schema_file(schema)?
            .policies_file(policies)?
            .build()
    }

    /// Binds an action: `policies.action("delete")?`. Do so at start-up.
    ///
    /// The name is the id of the action where one namespace alone has it, or the whole of it,
    /// `Archive::Action::"delete"`.
    ///
    /// # Errors
    ///
    /// When the schema has no such action, when it applies to nothing, or when its context is not
    /// [`Portcullis::Caller`](crate::CALLER_SCHEMA).
    pub fn action(&self, name: &str) -> Result<CedarAction, CedarError> {
        let known = &self.shared.known;
        let action = known.action(name)?;
        let applies = known.schema.principals_for_action(&action);
        if applies.is_none_or(|mut principals| principals.next().is_none()) {
            return Err(unbound(name, "applies to nothing"));
        }
        for sample in context::samples() {
            let fits = sample.is_ok_and(|context| context.validate(&known.schema, &action).is_ok());
            if !fits {
                return Err(unbound(name, "has another context than `Portcullis::Caller`"));
            }
        }
        Ok(CedarAction::new(self.clone(), action))
    }

    /// Puts other policies in the place of these, for every clone and every action: whoever is being decided about is
    /// decided by the ones or by the others, never by both. The schema stays.
    ///
    /// Returns the new [`generation`](Self::generation).
    ///
    /// # Errors
    ///
    /// As [`CedarBuilder::build`], with a line in the log. The policies stay as they were.
    pub fn reload(&self, policies: &str) -> Result<u64, CedarError> {
        let shared = &self.shared;
        let _one_at_a_time = shared.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.generation().saturating_add(1);
        match crate::builder::loaded(policies, &shared.known, &shared.reasons, generation) {
            Ok(loaded) => {
                shared.current.store(Arc::new(loaded));
                tracing::info!(generation, "the Cedar policies were reloaded");
                Ok(generation)
            }
            Err(error) => {
                tracing::error!(%error, "Cedar policies are not taken; the ones before stay in force");
                Err(error)
            }
        }
    }

    /// How many sets of policies have been in force, this one included: 1 at first, and one more with each reload.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.current.load().generation
    }
}

/// Shows no policies.
impl fmt::Debug for CedarPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CedarPolicies")
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn decide<P: CedarEntity, R: CedarEntity + ?Sized>(
        &self,
        caller: &Authentication<P>,
        action: &EntityUid,
        resource: &R,
    ) -> Decision {
        // One set, whatever is reloaded meanwhile.
        let loaded = self.current.load();
        let decided = loaded
            .depth
            .evaluate(|| self.ask(&loaded, caller, action, resource));
        decided.unwrap_or_else(|Undecidable { code, detail }| {
            tracing::warn!(code, %action, "Cedar policies cannot decide");
            tracing::debug!(code, detail, "why Cedar policies cannot decide");
            Decision::Unavailable
        })
    }

    fn ask<P: CedarEntity, R: CedarEntity + ?Sized>(
        &self,
        loaded: &Loaded,
        caller: &Authentication<P>,
        action: &EntityUid,
        resource: &R,
    ) -> Result<Decision, Undecidable> {
        let question = self.question(caller, action, resource)?;
        let response = self
            .authorizer
            .is_authorized(&question.request, &loaded.policies, &question.entities);
        let mut errors = response.diagnostics().errors().peekable();
        if errors.peek().is_some() {
            // Cedar goes on without the policies that fail; if one was a `forbid`, that would let somebody in.
            let failed: Vec<_> = errors.map(ToString::to_string).collect();
            return Err(Undecidable::new("policy_failed", failed.join("; ")));
        }
        let decision = loaded.meaning(&response, &self.reasons);
        if let Decision::Denied(reason) = &decision {
            let policies: Vec<_> = response.diagnostics().reason().map(PolicyId::to_string).collect();
            let (code, generation) = (reason.code(), loaded.generation);
            tracing::debug!(code, %action, ?policies, generation, "Cedar policies deny");
        }
        Ok(decision)
    }
}
