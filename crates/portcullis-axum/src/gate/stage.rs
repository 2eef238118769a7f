//! How far the decisions about a route's methods have come.

use std::fmt;
use std::marker::PhantomData;

use axum::handler::Handler;
use axum::routing::{self, MethodFilter, MethodRouter};

use super::rule::Rule;
use super::ruled::Ruled;

/// Nothing is decided about any method. `L` lists the handlers.
pub struct Free<L>(pub(super) L);

/// Something is decided about some methods, nothing about the rest, whose handlers `L` lists.
pub struct Open<L>(pub(super) L);

/// Something is decided about every method.
pub struct Decided(pub(super) ());

/// Nothing is decided about a handler of all methods, nor about those of single ones after it. `L` lists them.
pub struct AnyMethod<L>(pub(super) L);

/// A handler of one method, about which nothing is decided.
pub struct On<H, T> {
    pub(super) filter: MethodFilter,
    pub(super) handler: H,
    pub(super) arguments: PhantomData<fn() -> T>,
}

/// A handler of all methods, about which nothing is decided.
pub struct Every<H, T> {
    pub(super) handler: H,
    pub(super) arguments: PhantomData<fn() -> T>,
}

mod sealed {
    use super::*;

    #[allow(unnameable_types)]
    pub trait Chain {
        type With<X>;
        fn with<X>(self, next: X) -> Self::With<X>;
    }

    #[allow(unnameable_types)]
    pub trait Settle<S, P> {
        /// Puts every handler behind `rule`, and into `router`.
        fn settle<R: Rule<P>>(self, router: MethodRouter<S>, rule: R) -> MethodRouter<S>;
    }

    #[allow(unnameable_types)]
    pub trait Sealed {}
}

pub(super) use self::sealed::{Chain, Settle};

/// Where a handler of one more method may follow: everywhere. Sealed.
pub trait Stage: Chain {}

/// Methods about which something is still to be decided. Sealed.
#[diagnostic::on_unimplemented(
    message = "every method of this route has been decided about",
    label = "there is no method left to decide about",
    note = "`.needs::<R>()`, `.policy(name, policy)` and `.public()` are about the methods before them, since the last decision"
)]
pub trait Undecided<S, P>: Settle<S, P> {}

/// Undecided methods that may be declared public, one by one. Sealed.
#[diagnostic::on_unimplemented(
    message = "these methods cannot be declared public here",
    label = "`any`, or decided already",
    note = "`any` is public by `Gate::any_public(path, handler)` alone"
)]
pub trait Listed: sealed::Sealed {}

/// Methods about which nothing is decided, which is all that [`Gate::public`](super::Gate::public) takes. Sealed.
#[diagnostic::on_unimplemented(
    message = "a public route takes methods about which nothing is decided, and no `any`",
    label = "`any`, or something is decided about a method",
    note = "`any` is public by `.any_public(path, handler)`; a route that is public in part is `.guarded(path, get(handler).public().post(…).needs::<R>())`"
)]
pub trait Untouched: sealed::Sealed {}

/// Every method is decided about, which is all that [`Gate::guarded`](super::Gate::guarded) takes. Sealed.
#[diagnostic::on_unimplemented(
    message = "a method of this route says nothing about who may call it",
    label = "something is decided about some of these methods at most",
    note = "add `.needs::<R>()`, `.policy(name, policy)` or `.public()` after it"
)]
pub trait Complete: sealed::Sealed {}

impl<L> Chain for Free<L> {
    type With<X> = Free<(L, X)>;

    fn with<X>(self, next: X) -> Free<(L, X)> {
        Free((self.0, next))
    }
}

impl<L> Chain for Open<L> {
    type With<X> = Open<(L, X)>;

    fn with<X>(self, next: X) -> Open<(L, X)> {
        Open((self.0, next))
    }
}

impl<L> Chain for AnyMethod<L> {
    type With<X> = AnyMethod<(L, X)>;

    fn with<X>(self, next: X) -> AnyMethod<(L, X)> {
        AnyMethod((self.0, next))
    }
}

impl Chain for Decided {
    type With<X> = Open<((), X)>;

    fn with<X>(self, next: X) -> Open<((), X)> {
        Open((self.0, next))
    }
}

impl<L> Stage for Free<L> {}
impl<L> Stage for Open<L> {}
impl<L> Stage for AnyMethod<L> {}
impl Stage for Decided {}

impl<S, P> Settle<S, P> for () {
    fn settle<R: Rule<P>>(self, router: MethodRouter<S>, _: R) -> MethodRouter<S> {
        router
    }
}

impl<L, H, T, S, P> Settle<S, P> for (L, On<H, T>)
where
    L: Settle<S, P>,
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
    P: Send + Sync + 'static,
{
    #[track_caller]
    fn settle<R: Rule<P>>(self, router: MethodRouter<S>, rule: R) -> MethodRouter<S> {
        let (before, last) = self;
        let router = before.settle(router, rule.clone());
        router.on(last.filter, Ruled::<H, P, R>::new(last.handler, rule))
    }
}

impl<L: Settle<S, P>, S, P> Settle<S, P> for Free<L> {
    #[track_caller]
    fn settle<R: Rule<P>>(self, router: MethodRouter<S>, rule: R) -> MethodRouter<S> {
        self.0.settle(router, rule)
    }
}

impl<L: Settle<S, P>, S, P> Settle<S, P> for Open<L> {
    #[track_caller]
    fn settle<R: Rule<P>>(self, router: MethodRouter<S>, rule: R) -> MethodRouter<S> {
        self.0.settle(router, rule)
    }
}

impl<L, H, T, S, P> Settle<S, P> for (L, Every<H, T>)
where
    L: Settle<S, P>,
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
    P: Send + Sync + 'static,
{
    #[track_caller]
    fn settle<R: Rule<P>>(self, router: MethodRouter<S>, rule: R) -> MethodRouter<S> {
        let (before, last) = self;
        let router = before.settle(router, rule.clone());
        router.merge(routing::any(Ruled::<H, P, R>::new(last.handler, rule)))
    }
}

impl<L: Settle<S, P>, S, P> Settle<S, P> for AnyMethod<L> {
    #[track_caller]
    fn settle<R: Rule<P>>(self, router: MethodRouter<S>, rule: R) -> MethodRouter<S> {
        self.0.settle(router, rule)
    }
}

impl<L: Settle<S, P>, S, P> Undecided<S, P> for Free<L> {}
impl<L: Settle<S, P>, S, P> Undecided<S, P> for Open<L> {}
impl<L: Settle<S, P>, S, P> Undecided<S, P> for AnyMethod<L> {}

impl<L> sealed::Sealed for Free<L> {}
impl<L> sealed::Sealed for Open<L> {}
impl sealed::Sealed for Decided {}

impl<L> Listed for Free<L> {}
impl<L> Listed for Open<L> {}
impl<L> Untouched for Free<L> {}
impl Complete for Decided {}

impl<L> fmt::Debug for Free<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Free")
    }
}

impl<L> fmt::Debug for Open<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Open")
    }
}

impl fmt::Debug for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decided")
    }
}

impl<L> fmt::Debug for AnyMethod<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyMethod")
    }
}

impl<H, T> fmt::Debug for Every<H, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Every")
    }
}

impl<H, T> fmt::Debug for On<H, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("On").field(&self.filter).finish()
    }
}
