//! The router builder.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodRouter, Route};
use axum_core::extract::Request;
use axum_core::response::IntoResponse;
use portcullis_core::{Needs, Principal, Requirement};
use tower_layer::Layer;
use tower_service::Service;

use super::foreign::Foreign;
use super::inventory::{Entry, Inventory, Need, Reach, nested};
use super::routes::MethodRoutes;
use super::rule::{Everybody, Rule};
use super::ruled::Ruled;
use super::stage::{Complete, Undecided, Untouched};

const ROOT: &str = "/";

/// Builds a router of routes about each of which is said who may call it. See the [module docs](crate::gate).
///
/// `S` is the state that handlers still miss, as in [`Router`]; `P` the principal type of callers.
///
/// # Panics
///
/// Paths that overlap, methods with two handlers, and two fallbacks are found when the gate is built, as axum
/// finds them: at the start of the process, with axum's words.
#[must_use = "a gate answers nothing until it is made into a router"]
pub struct Gate<S = (), P = Principal> {
    router: Router<S>,
    entries: Vec<Entry>,
    /// Where each fallback stands, and a router of nothing else.
    fallbacks: Vec<(String, Router<S>)>,
    principal: PhantomData<fn() -> P>,
}

impl<S, P> Gate<S, P>
where
    S: Clone + Send + Sync + 'static,
    P: Send + Sync + 'static,
{
    /// A gate without routes.
    pub fn new() -> Self {
        Self {
            router: Router::new(),
            entries: Vec::new(),
            fallbacks: Vec::new(),
            principal: PhantomData,
        }
    }

    /// Adds a route whose methods are decided about, each by `.needs::<R>()`, `.policy(name, policy)` or
    /// `.public()`.
    #[track_caller]
    pub fn guarded<G: Complete>(self, path: &str, methods: MethodRoutes<S, P, G>) -> Self {
        self.with(path, methods.router, methods.decided)
    }

    /// Adds a route that everybody may call, with every method it has.
    #[track_caller]
    pub fn public<G>(self, path: &str, methods: MethodRoutes<S, P, G>) -> Self
    where
        G: Untouched + Undecided<S, P>,
    {
        self.guarded(path, methods.settle(Everybody, &Need::Public))
    }

    /// Adds a route that everybody may call, with every method there is.
    #[track_caller]
    pub fn any_public<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let methods = routing::any(Ruled::<H, P, _>::new(handler, Everybody));
        self.with(path, methods, [(Reach::Any, Need::Public)])
    }

    /// Hands everything under `path` to a service, a foreign router for instance, that everybody may call. At `/` it
    /// answers what no route does.
    #[track_caller]
    pub fn public_service<T>(self, path: &str, service: T) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        self.under(path, service, Everybody, Need::Public)
    }

    /// Hands everything under `path` to a service whose callers meet the requirement `R`:
    /// `.guarded_service::<SignedIn, _>("/legacy", router)`. At `/` it answers what no route does.
    ///
    /// What methods and paths the service has is its own affair: strangers get 401 for all of them.
    #[track_caller]
    pub fn guarded_service<R, T>(self, path: &str, service: T) -> Self
    where
        R: Requirement<P>,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        self.under(path, service, Needs::<R>::new(), Need::Needs(R::describe()))
    }

    #[track_caller]
    fn under<T, R>(mut self, path: &str, service: T, rule: R, need: Need) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
        R: Rule<P>,
    {
        let service = Handler::<_, ()>::with_state(Ruled::<_, P, _, true>::new(Foreign(service), rule), ());
        if path == ROOT {
            self = self.falls_back(Router::new().fallback_service(service), need);
        } else {
            self.router = self.router.nest_service(path, service);
            self.entries.push(Entry::under(path, need));
        }
        self
    }

    /// Answers what no route does with `handler`, in place of 404: everybody may call it.
    #[track_caller]
    pub fn fallback_public<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.otherwise(handler, Everybody, Need::Public)
    }

    /// Answers what no route does with `handler`, for callers who meet the requirement `R`:
    /// `.fallback_guarded::<SignedIn, _>(handler)`. Others get 401 or 403 in place of 404.
    #[track_caller]
    pub fn fallback_guarded<R, T>(self, handler: impl Handler<T, S>) -> Self
    where
        R: Requirement<P>,
        T: 'static,
    {
        self.otherwise(handler, Needs::<R>::new(), Need::Needs(R::describe()))
    }

    #[track_caller]
    fn otherwise<H, T, R>(self, handler: H, rule: R, need: Need) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
        R: Rule<P>,
    {
        let fallback = Ruled::<H, P, R, true>::new(handler, rule);
        self.falls_back(Router::new().fallback(fallback), need)
    }

    #[track_caller]
    fn falls_back(mut self, fallback: Router<S>, need: Need) -> Self {
        // Merged, since axum finds a second fallback there only.
        self.router = self.router.merge(fallback.clone());
        self.fallbacks.push((ROOT.to_owned(), fallback));
        self.entries.push(Entry::otherwise(need));
        self
    }

    #[track_caller]
    fn with(
        mut self,
        path: &str,
        methods: MethodRouter<S>,
        decided: impl IntoIterator<Item = (Reach, Need)>,
    ) -> Self {
        self.router = self.router.route(path, methods);
        let entries = decided
            .into_iter()
            .map(|(reach, need)| Entry::new(path, reach, need));
        self.entries.extend(entries);
        self
    }

    /// Adds the routes of another gate under a prefix, and its fallback for what is under that prefix; as
    /// [`Router::nest`].
    #[track_caller]
    pub fn nest(mut self, prefix: &str, other: Self) -> Self {
        self.router = self.router.nest(prefix, other.router);
        let keeps_all = other.fallbacks.iter().any(|(path, _)| path == ROOT);
        for (path, fallback) in other.fallbacks {
            let path = nested(prefix, &path);
            if !keeps_all {
                // axum drops the fallbacks nested in a router that has none of its own.
                self.router = self.router.nest(&path, fallback.clone());
            }
            self.fallbacks.push((path, fallback));
        }
        let nested = other.entries.into_iter().map(|entry| entry.nested(prefix));
        self.entries.extend(nested);
        self
    }

    /// Adds the routes of another gate; as [`Router::merge`].
    #[track_caller]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.entries.extend(other.entries);
        self.fallbacks.extend(other.fallbacks);
        self
    }

    /// Gives handlers their state; as [`Router::with_state`].
    pub fn with_state<S2>(self, state: S) -> Gate<S2, P> {
        let stated = |(path, fallback): (_, Router<S>)| (path, fallback.with_state(state.clone()));
        Gate {
            fallbacks: self.fallbacks.into_iter().map(stated).collect(),
            router: self.router.with_state(state),
            entries: self.entries,
            principal: PhantomData,
        }
    }

    /// Puts a layer around every route and fallback there is by now; as [`Router::layer`].
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let layered = |(path, fallback): (_, Router<S>)| (path, fallback.layer(layer.clone()));
        self.fallbacks = self.fallbacks.into_iter().map(layered).collect();
        self.router = self.router.layer(layer);
        self
    }

    /// The router. Routes that are added to it afterwards are no longer this gate's affair.
    pub fn into_router(self) -> Router<S> {
        self.router
    }
}

impl<S, P> Gate<S, P> {
    /// The table of routes, and of what each demands, as it is by now.
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        Inventory::of(&self.entries)
    }
}

impl<S, P> Default for Gate<S, P>
where
    S: Clone + Send + Sync + 'static,
    P: Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<S, P> Clone for Gate<S, P> {
    fn clone(&self) -> Self {
        Self {
            router: self.router.clone(),
            entries: self.entries.clone(),
            fallbacks: self.fallbacks.clone(),
            principal: PhantomData,
        }
    }
}

impl<S, P> fmt::Debug for Gate<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}
