//! Handlers that ask for a caller in every way, and the routes that lead to them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use http::request::Parts;
use portcullis_axum::{AuthRejection, Authenticated, Authorized, Claims, Verified};
use portcullis_core::{HasScope, SignedIn};
use portcullis_jwt::JwtBearer;
use portcullis_tower::AuthenticateLayer;
use serde::Deserialize;

use crate::support::{Reached, Scene};
use crate::wire::DocumentsRead;

pub(crate) type Bearer = AuthenticateLayer<JwtBearer>;

#[derive(Clone)]
pub(crate) struct State {
    pub(crate) method: Arc<JwtBearer>,
    pub(crate) reached: Reached,
}

impl FromRef<State> for Arc<JwtBearer> {
    fn from_ref(state: &State) -> Self {
        Self::clone(&state.method)
    }
}

#[derive(Deserialize)]
pub(crate) struct Subject {
    sub: String,
}

/// Whatever a handler asks for; who it was.
pub(crate) trait Caller: FromRequestParts<State, Rejection: IntoResponse> + Send + 'static {
    fn name(&self) -> String;
}

macro_rules! callers {
    ($($caller:ty: $self:ident => $name:expr;)*) => {$(
        impl Caller for $caller {
            fn name(&$self) -> String {
                $name
            }
        }
    )*};
}

callers! {
    Authenticated: self => self.principal().subject().to_owned();
    Authorized<SignedIn>: self => self.principal().subject().to_owned();
    Authorized<HasScope<DocumentsRead>>: self => self.principal().subject().to_owned();
    Claims<Subject>: self => self.sub.clone();
    Verified<Arc<JwtBearer>>: self => self.principal().subject().to_owned();
    Anyone: self => "anyone".to_owned();
    Perhaps: self => self.0.as_ref().map_or("nobody", |caller| caller.principal().subject()).to_owned();
}

/// Nothing is asked for.
pub(crate) struct Anyone;

impl FromRequestParts<State> for Anyone {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, _: &State) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

/// `Option<Authenticated>`, as an extractor with a name.
pub(crate) struct Perhaps(Option<Authenticated>);

impl FromRequestParts<State> for Perhaps {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, AuthRejection> {
        Option::<Authenticated>::from_request_parts(parts, state)
            .await
            .map(Self)
    }
}

/// The routes of every position: one of all methods, and two that lack some.
pub(crate) struct Routes {
    all: MethodRouter<State>,
    only_get: MethodRouter<State>,
    only_post: MethodRouter<State>,
    state: State,
}

impl Routes {
    pub(crate) fn asking<C: Caller>(state: &State) -> Self {
        async fn handler<C: Caller>(
            axum::extract::State(state): axum::extract::State<State>,
            caller: C,
        ) -> String {
            state.reached.count();
            caller.name()
        }
        Self {
            all: get(handler::<C>).post(handler::<C>).options(handler::<C>),
            only_get: get(handler::<C>),
            only_post: post(handler::<C>),
            state: state.clone(),
        }
    }

    /// What `layer` does to each route.
    pub(crate) fn map(self, layer: impl Fn(MethodRouter<State>) -> MethodRouter<State>) -> Self {
        Self {
            all: layer(self.all),
            only_get: layer(self.only_get),
            only_post: layer(self.only_post),
            state: self.state,
        }
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/all", self.all)
            .route("/only-get", self.only_get)
            .route("/only-post", self.only_post)
            .with_state(self.state)
    }
}

impl State {
    pub(crate) fn new(scene: &Scene) -> Self {
        Self {
            method: Arc::new(scene.bearer()),
            reached: scene.reached.clone(),
        }
    }
}
