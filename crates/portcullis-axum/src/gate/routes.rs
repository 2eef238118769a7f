//! The methods of one route.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use http::request::Parts;
use portcullis_core::{Description, Needs, Policy, Principal, Requirement};

use super::inventory::{Need, Reach};
use super::rule::{Everybody, Named, Rule};
use super::stage::{AnyMethod, Decided, Every, Free, Listed, On, Stage, Undecided};

/// The methods of one route, their handlers, and what is demanded of their callers.
///
/// Begins with [`get`](fn@get) or one of its neighbours. [`needs`](Self::needs), [`policy`](Self::policy) and
/// [`public`](Self::public) are about every method before them, since the last decision:
///
/// ```
/// use portcullis_axum::gate::{Gate, get};
/// use portcullis_core::{HasScope, Scope, SignedIn};
///
/// struct DocumentsWrite;
///
/// impl Scope for DocumentsWrite {
///     const NAME: &str = "documents:write";
/// }
///
/// # async fn read() {}
/// # async fn change() {}
/// # async fn remove() {}
/// let documents = get(read).needs::<SignedIn>().put(change).delete(remove).needs::<HasScope<DocumentsWrite>>();
/// let gate: Gate = Gate::new().guarded("/documents/{id}", documents);
/// # let _ = gate;
/// ```
///
/// `G` is how far the decisions have come: [`Free`], [`Open`](super::Open), [`Decided`] or [`AnyMethod`].
#[must_use = "methods answer nothing until a gate has them"]
pub struct MethodRoutes<S = (), P = Principal, G = Decided> {
    pub(super) router: MethodRouter<S>,
    pub(super) decided: Vec<(Reach, Need)>,
    undecided: Vec<Reach>,
    stage: G,
    principal: PhantomData<fn() -> P>,
}

/// The methods of a route that has one, undecided.
type First<S, P, H, T> = MethodRoutes<S, P, Free<((), On<H, T>)>>;

/// The methods of a route that has them all, undecided.
type Whole<S, P, H, T> = MethodRoutes<S, P, AnyMethod<((), Every<H, T>)>>;

macro_rules! methods {
    ($($name:ident $filter:ident)+) => {
        $(
            #[doc = concat!("Answers `", stringify!($filter), "` with `handler`, once it is said who may call it.")]
            ///
            /// See [`MethodRoutes`].
            pub fn $name<H, T, S, P>(handler: H) -> First<S, P, H, T>
            where
                H: Handler<T, S>,
                S: Clone,
            {
                MethodRoutes::begin(Free(())).$name(handler)
            }
        )+

        impl<S, P, G> MethodRoutes<S, P, G> {
            $(
                #[doc = concat!("Answers `", stringify!($filter), "` with `handler` as well.")]
                ///
                /// # Panics
                ///
                /// Once a gate takes the route, or a decision is made: when the method has a handler already, as
                /// axum does.
                pub fn $name<H, T>(self, handler: H) -> MethodRoutes<S, P, G::With<On<H, T>>>
                where
                    H: Handler<T, S>,
                    G: Stage,
                {
                    self.on(MethodFilter::$filter, Reach::$filter, handler)
                }
            )+
        }
    };
}

methods! {
    delete DELETE
    get GET
    head HEAD
    options OPTIONS
    patch PATCH
    post POST
    put PUT
}

/// Answers every method with `handler`, once it is said who may call it: a [`guarded`](super::Gate::guarded)
/// route, or [`Gate::any_public`](super::Gate::any_public), which does without this.
///
/// Methods that are added to it have their own handlers, as in axum. `OPTIONS` is among the methods, and so are
/// preflights: put CORS outside the gate.
pub fn any<H, T, S, P>(handler: H) -> Whole<S, P, H, T>
where
    H: Handler<T, S>,
    S: Clone,
{
    let every = Every {
        handler,
        arguments: PhantomData,
    };
    let mut routes = MethodRoutes::begin(AnyMethod(((), every)));
    routes.undecided.push(Reach::Any);
    routes
}

impl<S: Clone, P, G> MethodRoutes<S, P, G> {
    fn begin(stage: G) -> Self {
        Self {
            router: MethodRouter::new(),
            decided: Vec::new(),
            undecided: Vec::new(),
            stage,
            principal: PhantomData,
        }
    }
}

impl<S, P, G: Stage> MethodRoutes<S, P, G> {
    fn on<H, T>(
        mut self,
        filter: MethodFilter,
        reach: Reach,
        handler: H,
    ) -> MethodRoutes<S, P, G::With<On<H, T>>> {
        self.undecided.push(reach);
        MethodRoutes {
            router: self.router,
            decided: self.decided,
            undecided: self.undecided,
            stage: self.stage.with(On {
                filter,
                handler,
                arguments: PhantomData,
            }),
            principal: PhantomData,
        }
    }
}

impl<S, P, G> MethodRoutes<S, P, G> {
    /// Demands of callers of these methods that they meet the requirement `R`: of every method since the last
    /// decision.
    ///
    /// `HEAD` is answered by the handler of `GET`, and needs what that needs, unless it has a handler of its own.
    #[track_caller]
    pub fn needs<R>(self) -> MethodRoutes<S, P>
    where
        R: Requirement<P>,
        G: Undecided<S, P>,
    {
        self.settle(Needs::<R>::new(), &Need::Needs(R::describe()))
    }

    /// Demands of callers of these methods what `policy` says of them and of the head of the request: of every
    /// method since the last decision. `name` stands in the inventory and in the audit.
    ///
    /// ```
    /// use http::request::Parts;
    /// use portcullis_axum::gate::{Gate, put};
    /// use portcullis_core::{Authentication, Decision, Principal};
    ///
    /// # async fn publish() {}
    /// let by_the_form = |_: &Authentication<Principal>, request: &Parts| {
    ///     Decision::granted_if(request.headers.contains_key("x-form-version"), "form_missing")
    /// };
    /// let gate: Gate = Gate::new().guarded("/posts", put(publish).policy("by the form", by_the_form));
    /// assert!(gate.inventory().to_string().contains("by the form"));
    /// ```
    ///
    /// A policy that compares the path compares what a caller wrote, in one of its many spellings; the route is
    /// known already.
    #[track_caller]
    pub fn policy<L>(self, name: impl Into<Cow<'static, str>>, policy: L) -> MethodRoutes<S, P>
    where
        L: Policy<P, Parts>,
        G: Undecided<S, P>,
    {
        let name = name.into();
        let need = Need::Needs(Description::new(name.clone()));
        self.settle(Named::new(name, policy), &need)
    }

    /// Declares these methods public: every method since the last decision. Not for [`any`].
    #[track_caller]
    pub fn public(self) -> MethodRoutes<S, P>
    where
        G: Listed + Undecided<S, P>,
    {
        self.settle(Everybody, &Need::Public)
    }

    #[track_caller]
    pub(super) fn settle<R: Rule<P>>(mut self, rule: R, need: &Need) -> MethodRoutes<S, P>
    where
        G: Undecided<S, P>,
    {
        let settled = self.undecided.into_iter().map(|reach| (reach, need.clone()));
        self.decided.extend(settled);
        MethodRoutes {
            router: self.stage.settle(self.router, rule),
            decided: self.decided,
            undecided: Vec::new(),
            stage: Decided(()),
            principal: PhantomData,
        }
    }
}

impl<S, P, G: fmt::Debug> fmt::Debug for MethodRoutes<S, P, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodRoutes")
            .field("decided", &self.decided)
            .field("undecided", &self.undecided)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}
