//! What a route demands, in a form that a handler carries.

use std::any::type_name;
use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;
use portcullis_core::{Authentication, Decision, Needs, Policy, Requirement};

/// What is asked before a handler runs. A requirement takes no space in the handler, so that axum, which clones
/// handlers for each request, has nothing to allocate for it.
#[allow(unnameable_types)] // Sealed on purpose.
pub trait Rule<P>: Clone + Send + Sync + 'static {
    /// Whether nothing is asked, of nobody.
    const IS_PUBLIC: bool = false;

    /// Whether the caller may.
    fn decide(&self, caller: &Authentication<P>, parts: &Parts) -> Decision;

    /// What is asked for, as the audit names it.
    fn need(&self) -> &str;
}

impl<P, R: Requirement<P>> Rule<P> for Needs<R> {
    fn decide(&self, caller: &Authentication<P>, _: &Parts) -> Decision {
        R::decide(caller)
    }

    fn need(&self) -> &str {
        type_name::<R>()
    }
}

/// The word of the author that everybody may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Everybody;

impl<P> Rule<P> for Everybody {
    const IS_PUBLIC: bool = true;

    fn decide(&self, _: &Authentication<P>, _: &Parts) -> Decision {
        Decision::Granted
    }

    fn need(&self) -> &str {
        "public"
    }
}

/// A policy about the head of the request, and its name.
#[derive(Debug)]
pub(super) struct Named<L>(Arc<(Cow<'static, str>, L)>);

impl<L> Named<L> {
    pub(super) fn new(name: Cow<'static, str>, policy: L) -> Self {
        Self(Arc::new((name, policy)))
    }
}

impl<L> Clone for Named<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P, L: Policy<P, Parts>> Rule<P> for Named<L> {
    fn decide(&self, caller: &Authentication<P>, parts: &Parts) -> Decision {
        self.0.1.decide(caller, parts)
    }

    fn need(&self) -> &str {
        &self.0.0
    }
}
