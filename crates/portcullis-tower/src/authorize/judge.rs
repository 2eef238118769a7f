use http::request::Parts;
use portcullis_core::{AuthError, Authentication, Decided, Decision, Ledger, Outcome};

use crate::missing::missing;

/// Rules 2 and 3 of the [module docs](crate::authorize), for a guard of one's own: `decide` is asked about the caller, if
/// there is one, and the request's ledger is told. `need` says what is asked for, in the audit.
///
/// `decided` is the verdict of the `outcome` in these `parts`: [`now`](Outcome::now), or what
/// [`decide`](Outcome::decide) resolves to.
///
/// # Errors
///
/// The refusal, with the challenges of the place.
pub fn judge<P>(
    parts: &Parts,
    outcome: &Outcome<P>,
    decided: Decided<P>,
    need: &str,
    decide: impl FnOnce(&Authentication<P>) -> Decision,
) -> Result<(), AuthError>
where
    P: Send + Sync + 'static,
{
    let ledger = Ledger::of(&parts.extensions);
    let Some(caller) = decided? else {
        let refusal = missing(parts).or_challenges(outcome.challenges());
        if let Some(ledger) = ledger {
            ledger.refused(&refusal);
        }
        return Err(refusal);
    };
    let decision = decide(&caller);
    if let Some(ledger) = ledger {
        ledger.decided(&decision, &caller, Some(need));
    }
    match decision.refusal(&caller, outcome.challenges()) {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}
