use std::future::ready;
use std::sync::Arc;

use http::request::Parts;
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Decided, Delivery, Examination, Ledger, Outcome, examine,
};

use super::layer::{Mode, Shared};
use crate::missing::missing;

/// What is to become of a request.
pub(super) enum Decision<P, F> {
    Forward {
        outcome: Outcome<P>,
        // How the credentials arrived, if any did.
        delivery: Option<Delivery>,
    },
    Check {
        check: F,
        delivery: Delivery,
    },
    Refuse {
        error: AuthError,
        // Ambient: where the request comes from was looked at as well.
        delivery: Option<Delivery>,
    },
}

/// What needs no check, or that one is needed.
enum Sorted {
    Anonymous,
    Refused(AuthError),
    Present(Delivery),
    Forged(AuthError),
}

impl<A: AuthenticateRequest> Shared<A> {
    /// Rules 1 to 3 of the module docs; what is decided at once is told to the request's ledger.
    pub(super) fn decide(&self, parts: &Parts) -> Decision<A::Principal, A::Future> {
        let decision = self.judge(parts);
        if let Some(ledger) = Ledger::of(&parts.extensions) {
            match &decision {
                Decision::Refuse { error, .. } => ledger.refused(error),
                Decision::Forward { outcome, .. } => {
                    if let Some(verdict) = outcome.now() {
                        tell(Some(ledger), &verdict);
                    }
                }
                Decision::Check { .. } => {}
            }
        }
        decision
    }

    fn judge(&self, parts: &Parts) -> Decision<A::Principal, A::Future> {
        let sorted = self.sort(parts);
        if self.mode == Mode::OnDemand {
            return self.on_demand(sorted, parts);
        }
        match sorted {
            Sorted::Anonymous if self.mode == Mode::Optional => Decision::Forward {
                outcome: Outcome::anonymous(self.method.challenges().clone()),
                delivery: None,
            },
            Sorted::Anonymous => Decision::Refuse {
                error: missing(parts).or_challenges(self.method.challenges()),
                delivery: None,
            },
            Sorted::Refused(error) => Decision::Refuse {
                error,
                delivery: None,
            },
            Sorted::Forged(error) => Decision::Refuse {
                error,
                delivery: Some(Delivery::Ambient),
            },
            Sorted::Present(delivery) => {
                let check = self.method.authenticate_request(parts);
                match A::verdict_now(check) {
                    Ok(verdict) => self.decided(verdict, delivery),
                    Err(check) => Decision::Check { check, delivery },
                }
            }
        }
    }

    /// Nothing has to be waited for.
    fn decided(
        &self,
        verdict: Result<Option<Authentication<A::Principal>>, AuthError>,
        delivery: Delivery,
    ) -> Decision<A::Principal, A::Future> {
        let verdict = self.conclude(verdict, delivery);
        let delivery = Some(delivery);
        match verdict {
            Ok(authentication) => Decision::Forward {
                outcome: self.outcome(authentication),
                delivery,
            },
            Err(error) => Decision::Refuse { error, delivery },
        }
    }

    fn sort(&self, parts: &Parts) -> Sorted {
        match examine(&*self.method, parts) {
            Examination::Anonymous => Sorted::Anonymous,
            Examination::Refused(error) => Sorted::Refused(error),
            Examination::Present(Delivery::Explicit) => Sorted::Present(Delivery::Explicit),
            Examination::Present(Delivery::Ambient) => match self.origins.check(parts) {
                Ok(()) => Sorted::Present(Delivery::Ambient),
                Err(forged) => {
                    let error = AuthError::denied("cross_site_request").with_source(forged);
                    Sorted::Forged(error.or_challenges(self.method.challenges()))
                }
            },
        }
    }

    /// How to decide once somebody asks, about the request as it is now.
    fn on_demand(&self, sorted: Sorted, parts: &Parts) -> Decision<A::Principal, A::Future> {
        let challenges = self.method.challenges().clone();
        let delivery = match &sorted {
            Sorted::Present(delivery) => Some(*delivery),
            Sorted::Forged(_) => Some(Delivery::Ambient),
            Sorted::Anonymous | Sorted::Refused(_) => None,
        };
        let ledger = Ledger::of(&parts.extensions).cloned();
        let outcome = match sorted {
            Sorted::Anonymous => Outcome::on_demand(ready(Ok(None)), challenges),
            Sorted::Refused(error) | Sorted::Forged(error) => {
                let verdict = async move {
                    let refused = Err(error);
                    tell(ledger.as_ref(), &refused);
                    refused
                };
                Outcome::on_demand(verdict, challenges)
            }
            Sorted::Present(delivery) => {
                let (method, head) = (Arc::clone(&self.method), parts.clone());
                let check = async move {
                    let check = method.authenticate_request(&head);
                    drop(head);
                    let verdict = conclude(&*method, check.await, delivery);
                    tell(ledger.as_ref(), &verdict);
                    verdict
                };
                Outcome::on_demand(check, challenges)
            }
        };
        Decision::Forward { outcome, delivery }
    }

    /// Rules 4 and 5 of the module docs.
    pub(super) fn conclude(
        &self,
        verdict: Result<Option<Authentication<A::Principal>>, AuthError>,
        delivery: Delivery,
    ) -> Decided<A::Principal> {
        match conclude(&*self.method, verdict, delivery) {
            Ok(None) if self.mode == Mode::Required => {
                Err(AuthError::missing_credentials().or_challenges(self.method.challenges()))
            }
            verdict => verdict,
        }
    }
}

/// Tells the request's ledger of a verdict. An anonymous caller is nobody's news; whoever needs one refuses.
pub(super) fn tell<P: 'static>(ledger: Option<&Ledger>, verdict: &Decided<P>) {
    match (ledger, verdict) {
        (Some(ledger), Ok(Some(caller))) => ledger.authenticated(caller),
        (Some(ledger), Err(refusal)) => ledger.refused(refusal),
        (None, _) | (_, Ok(None)) => {}
    }
}

/// What a check came to, whoever asked for it.
fn conclude<A: AuthenticateRequest>(
    method: &A,
    verdict: Result<Option<Authentication<A::Principal>>, AuthError>,
    delivery: Delivery,
) -> Decided<A::Principal> {
    match verdict {
        // How they arrived is what the layer saw, whatever the method says.
        Ok(Some(authentication)) => Ok(Some(Arc::new(authentication.with_delivery(delivery)))),
        Ok(None) if delivery == Delivery::Ambient => Ok(None),
        // A method must say why it refuses; one that does not is not taken for "nothing was sent".
        Ok(None) => {
            let error = AuthError::invalid_credentials("unrecognised_credentials");
            Err(error.or_challenges(method.challenges()))
        }
        Err(error) => Err(error.or_challenges(method.challenges())),
    }
}
