//! A handler behind its rule.

use std::marker::PhantomData;

use axum::extract::{MatchedPath, NestedPath};
use axum::handler::Handler;
use axum_core::body::Body;
use axum_core::extract::Request;
use axum_core::response::{IntoResponse, Response};
use http::Extensions;
use http::request::Parts;
use portcullis_core::{AuthError, Decide, Decided, Ledger, Outcome};
use portcullis_tower::authorize::judge;

use super::answer::Answer;
use super::rule::Rule;
use crate::AuthRejection;

/// A handler that runs when the rule grants. `UNDER_PREFIX`: it answers for everything under a prefix, and
/// not for one route.
pub(super) struct Ruled<H, P, R, const UNDER_PREFIX: bool = false> {
    handler: H,
    rule: R,
    principal: PhantomData<fn() -> P>,
}

impl<H, P, R, const UNDER_PREFIX: bool> Ruled<H, P, R, UNDER_PREFIX> {
    pub(super) const fn new(handler: H, rule: R) -> Self {
        Self {
            handler,
            rule,
            principal: PhantomData,
        }
    }
}

impl<H: Clone, P, R: Clone, const UNDER_PREFIX: bool> Clone for Ruled<H, P, R, UNDER_PREFIX> {
    fn clone(&self) -> Self {
        Self::new(self.handler.clone(), self.rule.clone())
    }
}

impl<H, T: 'static, S, P, R, const UNDER_PREFIX: bool> Handler<T, S> for Ruled<H, P, R, UNDER_PREFIX>
where
    H: Handler<T, S>,
    S: Send + 'static,
    P: Send + Sync + 'static,
    R: Rule<P>,
{
    type Future = Answer<H::Future>;

    fn call(self, request: Request, state: S) -> Self::Future {
        if let Some(ledger) = Ledger::of(request.extensions()) {
            name_route::<UNDER_PREFIX>(ledger, request.extensions());
            if R::IS_PUBLIC {
                ledger.declare_public();
            }
        }
        if R::IS_PUBLIC {
            return Answer::asked(self.handler.call(request, state));
        }
        let (parts, body) = request.into_parts();
        let outcome = match Outcome::<P>::of(&parts.extensions) {
            Ok(outcome) => outcome,
            Err(misconfigured) => {
                if let Some(ledger) = Ledger::of(&parts.extensions) {
                    ledger.refused(&misconfigured);
                }
                return Answer::refused(misconfigured);
            }
        };
        let Some(decided) = outcome.now() else {
            let decide = outcome.decide();
            return Answer::waiting(self.wait(decide, (parts, body), state));
        };
        match ask(&self.rule, &parts, outcome, decided) {
            Ok(()) => Answer::asked(self.handler.call(Request::from_parts(parts, body), state)),
            Err(refusal) => Answer::refused(refusal),
        }
    }
}

impl<H, P, R, const UNDER_PREFIX: bool> Ruled<H, P, R, UNDER_PREFIX>
where
    P: Send + Sync + 'static,
    R: Rule<P>,
{
    /// Runs the handler once the layer outside has decided, if the rule then grants.
    async fn wait<T, S>(self, decide: Decide<P>, (parts, body): (Parts, Body), state: S) -> Response
    where
        H: Handler<T, S>,
        S: Send + 'static,
    {
        let decided = decide.await;
        let judged =
            Outcome::<P>::of(&parts.extensions).and_then(|outcome| ask(&self.rule, &parts, outcome, decided));
        match judged {
            Ok(()) => {
                let request = Request::from_parts(parts, body);
                self.handler.call(request, state).await
            }
            Err(refusal) => AuthRejection::from(refusal).into_response(),
        }
    }
}

/// The refusal, if it comes to one.
fn ask<P: Send + Sync + 'static, R: Rule<P>>(
    rule: &R,
    parts: &Parts,
    outcome: &Outcome<P>,
    decided: Decided<P>,
) -> Result<(), AuthError> {
    judge(parts, outcome, decided, rule.need(), |caller| {
        rule.decide(caller, parts)
    })
}

/// Says which route answers, for whoever reads the ledger.
fn name_route<const UNDER_PREFIX: bool>(ledger: &Ledger, extensions: &Extensions) {
    if ledger.route().is_some() {
        return;
    }
    if UNDER_PREFIX {
        // What axum matched is its own parameter for the rest, or the prefix alone.
        let prefix = extensions.get::<NestedPath>().map_or("", NestedPath::as_str);
        ledger.name_route(format!("{}/{{*rest}}", prefix.trim_end_matches('/')));
    } else if let Some(route) = extensions.get::<MatchedPath>() {
        ledger.name_route(route.as_str());
    }
}
