//! The manual: a page for each task. Every example on it is compiled and run.
//!
//! | page | the task |
//! |---|---|
//! | [`first_steps`] | an axum route that answers 401, 403 and 200 with tokens of an issuer |
//! | [`modes`] | public, optional and guarded routes; a route without any layer |
//! | [`methods`] | cookies, keys and tokens side by side, and which of them decides |
//! | [`users`] | the application's own user, and claims of one's own |
//! | [`requirements`] | scopes, roles, "is this her invoice?", stronger authentication |
//! | [`gate`] | authorization that cannot be forgotten: routes, objects, answers |
//! | [`policies`] | owners, tenants, plans, permissions, facts to be loaded; engines |
//! | [`audit`] | an account of who was let do what |
//! | [`refusals`] | what refused clients see; a sign-in page; a style of one's own |
//! | [`placing`] | where the layers stand among others |
//! | [`grpc`] | tonic and other gRPC services |
//! | [`connections`] | WebSockets and server-sent events |
//! | [`issuing`] | tokens of one's own, and [their keys](issuing::keys) |
//! | [`revoking`] | taking tokens back before they expire |
//! | [`token_cache`] | checking a signature once |
//! | [`sessions`] | signing in and out, values, outages; [devices, factors, passwords](sessions::devices) |
//! | [`csrf`] | requests that other sites provoke; forms, WebSockets, old browsers |
//! | [`api_keys`] | issuing, rotating and accepting keys, and [keys in other places](api_keys::elsewhere) |
//! | [`stores`] | which store for what; several instances; a store of one's own |
//! | [`testing`] | an application's own tests |
//! | [`own_method`] | credentials that portcullis does not know |
//! | [`from_jwt_authorizer`] | coming from the crate `jwt-authorizer` |
//! | [`from_axum_login`] | coming from the crate `axum-login` |
//! | [`from_tower_sessions`] | coming from the crate `tower-sessions` |

/// From nothing to a route that answers 401, 403 and 200.
#[doc = include_str!("manual/first_steps.md")]
pub mod first_steps {}

/// Required, optional, on demand, or without a layer.
#[doc = include_str!("manual/modes.md")]
pub mod modes {}

/// Several kinds of credentials, and the places where they stand.
#[doc = include_str!("manual/methods.md")]
pub mod methods {}

/// The application's own user type, and claims of one's own.
#[doc = include_str!("manual/users.md")]
pub mod users {}

/// Scopes, roles, policies, loaded objects, stronger authentication.
#[doc = include_str!("manual/requirements.md")]
pub mod requirements {}

/// Authorization that cannot be forgotten.
#[doc = include_str!("manual/gate.md")]
pub mod gate {}

/// Rules about objects, people and circumstances.
#[doc = include_str!("manual/policies.md")]
pub mod policies {}

/// An account of who was let do what: logs, counters, a trail of one's own.
#[doc = include_str!("manual/audit.md")]
pub mod audit {}

/// What refused clients see, and how to show it differently.
#[doc = include_str!("manual/refusals.md")]
pub mod refusals {}

/// Where the layers stand among others, what they cost there, 401 or 404.
#[doc = include_str!("manual/placing.md")]
pub mod placing {}

/// tonic and other gRPC services: refusals as statuses, needs per method, streams.
#[doc = include_str!("manual/grpc.md")]
pub mod grpc {}

/// WebSockets and server-sent events: decided once, ended when the evidence does.
#[doc = include_str!("manual/connections.md")]
pub mod connections {}

/// Signing tokens of one's own, with keys that take turns and are published.
#[doc = include_str!("manual/issuing.md")]
pub mod issuing {
    /// Where the keys are, one instance or several, how they take turns, how to withdraw one.
    #[doc = include_str!("manual/issuing/keys.md")]
    pub mod keys {}
}

/// Taking tokens back before they expire, in one instance and in several.
#[doc = include_str!("manual/revoking.md")]
pub mod revoking {}

/// Checking a signature once: what is remembered, and what is checked all the same.
#[doc = include_str!("manual/token_cache.md")]
pub mod token_cache {}

/// Server-side sessions: from nothing to sign-in, a guarded route, and signing out.
#[doc = include_str!("manual/sessions.md")]
pub mod sessions {
    /// After a change of the password, with a second factor; a user's devices.
    #[doc = include_str!("manual/sessions/devices.md")]
    pub mod devices {}
}

/// Requests that another site may have provoked: what is looked at, and when.
#[doc = include_str!("manual/csrf.md")]
pub mod csrf {}

/// API keys: what they look like, who manages them, what they may.
#[doc = include_str!("manual/api_keys.md")]
pub mod api_keys {
    /// Keys in the configuration, in a table of one's own, of another system; keys that leaked.
    #[doc = include_str!("manual/api_keys/elsewhere.md")]
    pub mod elsewhere {}
}

/// Where records are kept, and how several instances learn what one of them changed.
#[doc = include_str!("manual/stores.md")]
pub mod stores {}

/// Testing an application: the first five minutes with `portcullis-test`.
#[doc = include_str!("manual/testing.md")]
pub mod testing {}

/// Credentials that portcullis does not know: `authenticate_fn`, and the whole trait.
#[doc = include_str!("manual/own_method.md")]
pub mod own_method {}

/// Moving from the crate `jwt-authorizer` 0.15.
#[doc = include_str!("manual/from_jwt_authorizer.md")]
pub mod from_jwt_authorizer {}

/// Moving from the crate `axum-login` 0.18.
#[doc = include_str!("manual/from_axum_login.md")]
pub mod from_axum_login {}

/// Moving from the crate `tower-sessions` 0.15.
#[doc = include_str!("manual/from_tower_sessions.md")]
pub mod from_tower_sessions {}
