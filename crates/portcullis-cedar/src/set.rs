//! One set of policies, validated.

use std::collections::HashMap;
use std::str::FromStr;

use cedar_policy::{Decision as Verdict, Effect, PolicyId, PolicySet, Response, ValidationMode, Validator};
use miette::Diagnostic;
use portcullis_core::{Decision, Reason};

use crate::depth::{self, Depth};
use crate::schema::KnownSchema;
use crate::{CedarError, CedarErrorKind};

/// The annotation of a `forbid` that names the reason it is refused with.
const REASON: &str = "reason";

/// One set of policies, as decisions use it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// As it was read, to notice whether a file says something else.
    pub(crate) text: String,
    pub(crate) policies: PolicySet,
    pub(crate) generation: u64,
    pub(crate) depth: Depth,
    /// Which of the application's reasons a policy names.
    reasons: HashMap<PolicyId, usize>,
}

impl Loaded {
    pub(crate) fn parse(
        text: &str,
        known: &KnownSchema,
        reasons: &[Reason],
        generation: u64,
    ) -> Result<Self, CedarError> {
        let depth = Depth::of(text).bounded("policies")?;
        let policies = depth::read(|| parse(text, known))?;
        Ok(Self {
            reasons: named_reasons(&policies, reasons),
            text: text.to_owned(),
            policies,
            generation,
            depth,
        })
    }

    /// What Cedar's answer means, when every policy could be evaluated.
    pub(crate) fn meaning(&self, response: &Response, reasons: &[Reason]) -> Decision {
        if response.decision() == Verdict::Allow {
            return Decision::Granted;
        }
        // What determines a denial are the forbids that hold, in no order: the reason declared first is told.
        let mut forbids = response.diagnostics().reason().peekable();
        if forbids.peek().is_none() {
            return Decision::Denied(Reason::new("cedar_denied"));
        }
        let named = forbids.filter_map(|policy| self.reasons.get(policy)).min();
        let reason = named.and_then(|at| reasons.get(*at)).cloned();
        Decision::Denied(reason.unwrap_or(Reason::new("cedar_forbidden")))
    }
}

fn parse(text: &str, known: &KnownSchema) -> Result<PolicySet, CedarError> {
    let policies = PolicySet::from_str(text).map_err(|errors| {
        let found = errors.iter().map(|error| error as &dyn Diagnostic);
        CedarError::findings(CedarErrorKind::Syntax, "policies", text, found)
    })?;
    refuse_templates(&policies)?;
    validate(text, &policies, known)?;
    Ok(policies)
}

/// A template that nobody links never applies, a `forbid` among them.
fn refuse_templates(policies: &PolicySet) -> Result<(), CedarError> {
    let message = match (policies.templates().next(), policies.is_empty()) {
        (Some(template), _) => format!("policies: {} is a template, and nothing links it", template.id()),
        (None, true) => "policies: there is none, so nobody could do anything".to_owned(),
        (None, false) => return Ok(()),
    };
    Err(CedarError::new(CedarErrorKind::Missing, message))
}

fn validate(text: &str, policies: &PolicySet, known: &KnownSchema) -> Result<(), CedarError> {
    let validated = Validator::new(known.schema.clone()).validate(policies, ValidationMode::Strict);
    if !validated.validation_passed() {
        let found = validated
            .validation_errors()
            .map(|error| error as &dyn Diagnostic);
        return Err(CedarError::findings(
            CedarErrorKind::Validation,
            "policies",
            text,
            found,
        ));
    }
    for warning in validated.validation_warnings() {
        tracing::warn!(%warning, "Cedar has doubts about a policy");
    }
    Ok(())
}

fn named_reasons(policies: &PolicySet, reasons: &[Reason]) -> HashMap<PolicyId, usize> {
    let mut named = HashMap::new();
    for policy in policies
        .policies()
        .filter(|policy| policy.effect() == Effect::Forbid)
    {
        let Some(code) = policy.annotation(REASON) else {
            continue;
        };
        match reasons.iter().position(|reason| reason.code() == code) {
            Some(at) => {
                named.insert(policy.id().clone(), at);
            }
            None => {
                tracing::warn!(policy = %policy.id(), reason = code, "a policy names a reason that was not declared")
            }
        }
    }
    named
}
