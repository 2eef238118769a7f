//! The evidence that somebody was checked.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::shared_str::shared_slice;
use crate::{
    Delivery, Factor, Method, Principal, ResponseEffects, Roles, Scheme, Scopes, SharedStr, Timestamp,
    Validity,
};

/// Evidence that a caller was authenticated: who, how, when, until when and with which rights.
///
/// Born in exactly one place, [`Authentication::assertion`]. Where that is called, somebody claims to
/// have checked; everything else only passes the evidence on.
///
/// `P` is the application's own principal type, [`Principal`](crate::Principal) by default. A clone copies
/// the principal and shares the rest; handlers share one `Authentication` in an [`Arc`].
#[derive(Clone)]
pub struct Authentication<P> {
    principal: P,
    evidence: Evidence,
}

/// Everything but the principal.
#[derive(Clone)]
struct Evidence {
    method: Method,
    scheme: Option<Scheme>,
    delivery: Delivery,
    is_client: bool,
    client_id: Option<SharedStr>,
    authenticated_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    checked_at: Option<Timestamp>,
    acr: Option<SharedStr>,
    factors: Option<Arc<[Factor]>>,
    scopes: Scopes,
    roles: Roles,
    // Boxed: most requests have none of it, and evidence is passed on by value.
    rare: Option<Box<Rare>>,
    effects: ResponseEffects,
    details: Option<Arc<dyn Any + Send + Sync>>,
    validity: Option<Arc<dyn Validity>>,
}

#[derive(Clone, Default)]
struct Rare {
    account: Option<Principal>,
    permissions: Roles,
}

impl Evidence {
    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

impl<P> Authentication<P> {
    /// States that the caller **was checked** and is `principal`.
    ///
    /// Starts with no scope, no role, no expiry, an explicit delivery and a person (not a client).
    #[must_use]
    pub fn assertion(principal: P, method: Method) -> Self {
        let evidence = Evidence {
            method,
            scheme: None,
            delivery: Delivery::Explicit,
            is_client: false,
            client_id: None,
            authenticated_at: None,
            expires_at: None,
            checked_at: None,
            acr: None,
            factors: None,
            scopes: Scopes::none(),
            roles: Roles::none(),
            rare: None,
            effects: ResponseEffects::none(),
            details: None,
            validity: None,
        };
        Self { principal, evidence }
    }

    /// Names the scheme whose challenge a later refusal (scope, step-up) belongs to.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.evidence.scheme = Some(scheme);
        self
    }

    /// Says how the credentials arrived.
    #[must_use]
    pub const fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.evidence.delivery = delivery;
        self
    }

    /// Names the OAuth client that obtained the credentials.
    #[must_use]
    pub fn with_client_id(mut self, client_id: impl Into<SharedStr>) -> Self {
        self.evidence.client_id = Some(client_id.into());
        self
    }

    /// Says that no person is behind the request: a client acts for itself (RFC 9068 §5).
    #[must_use]
    pub const fn acting_for_itself(mut self) -> Self {
        self.evidence.is_client = true;
        self
    }

    /// Names the account as the issuer does, for the audit, where the principal is of another type. A [`Principal`] is
    /// its own account, and stays it when it is [exchanged](Self::map).
    #[must_use]
    pub fn with_account(mut self, account: Principal) -> Self {
        self.evidence.rare_mut().account = Some(account);
        self
    }

    /// Says when the credentials of this request were checked, by the method's own clock. How old a sign-in is counts
    /// from here.
    #[must_use]
    pub const fn with_checked_at(mut self, at: Timestamp) -> Self {
        self.evidence.checked_at = Some(at);
        self
    }

    /// Says when the person last proved who they are (`auth_time`).
    #[must_use]
    pub const fn with_authenticated_at(mut self, at: Timestamp) -> Self {
        self.evidence.authenticated_at = Some(at);
        self
    }

    /// Says when the evidence ends.
    #[must_use]
    pub const fn with_expires_at(mut self, at: Timestamp) -> Self {
        self.evidence.expires_at = Some(at);
        self
    }

    /// Names the authentication context class (`acr`).
    #[must_use]
    pub fn with_acr(mut self, acr: impl Into<SharedStr>) -> Self {
        self.evidence.acr = Some(acr.into());
        self
    }

    /// Lists the proofs given.
    #[must_use]
    pub fn with_factors(mut self, factors: impl IntoIterator<Item = Factor>) -> Self {
        self.evidence.factors = shared_slice(factors);
        self
    }

    /// States the scopes.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.evidence.scopes = scopes;
        self
    }

    /// States the roles.
    #[must_use]
    pub fn with_roles(mut self, roles: Roles) -> Self {
        self.evidence.roles = roles;
        self
    }

    /// States permissions that the credentials carry by name, beside those that roles bring.
    #[must_use]
    pub fn with_permissions(mut self, permissions: Roles) -> Self {
        self.evidence.rare_mut().permissions = permissions;
        self
    }

    /// Adds what the verdict does to the response.
    #[must_use]
    pub fn with_effects(mut self, effects: &ResponseEffects) -> Self {
        self.evidence.effects.merge(effects);
        self
    }

    /// Attaches what the method knows beyond this type, such as verified claims.
    #[must_use]
    pub fn with_details<D: Any + Send + Sync>(mut self, details: Arc<D>) -> Self {
        self.evidence.details = Some(details);
        self
    }

    /// Attaches what can be asked later whether the evidence still holds.
    #[must_use]
    pub fn with_validity(mut self, validity: Arc<dyn Validity>) -> Self {
        self.evidence.validity = Some(validity);
        self
    }

    /// Who it is.
    #[must_use]
    pub const fn principal(&self) -> &P {
        &self.principal
    }

    /// How they were authenticated.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.evidence.method
    }

    /// The scheme they used, if the method has one.
    #[must_use]
    pub const fn scheme(&self) -> Option<&Scheme> {
        self.evidence.scheme.as_ref()
    }

    /// How the credentials arrived.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.evidence.delivery
    }

    /// Whether the user agent attached the credentials by itself.
    #[must_use]
    pub const fn is_ambient(&self) -> bool {
        matches!(self.evidence.delivery, Delivery::Ambient)
    }

    /// The OAuth client that obtained the credentials, whether for a person or for itself.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.evidence.client_id.as_deref()
    }

    /// Whether no person is behind the request.
    #[must_use]
    pub const fn is_client(&self) -> bool {
        self.evidence.is_client
    }

    /// When the credentials of this request were checked, if the method said.
    #[must_use]
    pub const fn checked_at(&self) -> Option<Timestamp> {
        self.evidence.checked_at
    }

    /// When the person last proved who they are, if known.
    #[must_use]
    pub const fn authenticated_at(&self) -> Option<Timestamp> {
        self.evidence.authenticated_at
    }

    /// When the evidence ends, if it does.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.evidence.expires_at
    }

    /// The authentication context class, if known.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.evidence.acr.as_deref()
    }

    /// The proofs given, as far as known.
    #[must_use]
    pub fn factors(&self) -> &[Factor] {
        self.evidence.factors.as_deref().unwrap_or_default()
    }

    /// The scopes.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.evidence.scopes
    }

    /// The roles.
    #[must_use]
    pub const fn roles(&self) -> &Roles {
        &self.evidence.roles
    }

    /// The permissions that the credentials carry by name; see [`with_permissions`](Self::with_permissions).
    #[must_use]
    pub fn permissions(&self) -> &Roles {
        const NONE: &Roles = &Roles::NONE;
        self.evidence.rare.as_ref().map_or(NONE, |rare| &rare.permissions)
    }

    /// What the verdict does to the response.
    #[must_use]
    pub const fn effects(&self) -> &ResponseEffects {
        &self.evidence.effects
    }

    /// What can be asked whether the evidence still holds, if the method attached it.
    #[must_use]
    pub const fn validity(&self) -> Option<&Arc<dyn Validity>> {
        self.evidence.validity.as_ref()
    }

    /// What the method attached, if it is of type `D`.
    #[must_use]
    pub fn details<D: Any + Send + Sync>(&self) -> Option<&D> {
        self.evidence.details.as_deref()?.downcast_ref()
    }
}

impl<P: 'static> Authentication<P> {
    /// Takes the principal out; [`map`](Self::map) puts another one into the evidence that remains.
    #[must_use]
    pub fn into_parts(self) -> (P, Authentication<()>) {
        let own = (&self.principal as &dyn Any).downcast_ref::<Principal>().cloned();
        let mut rest = Authentication {
            principal: (),
            evidence: self.evidence,
        };
        if let Some(own) = own {
            rest.evidence.rare_mut().account.get_or_insert(own);
        }
        (self.principal, rest)
    }

    /// Exchanges the principal, keeping the evidence: the application's own user in place of the
    /// issuer's name for them.
    #[must_use]
    pub fn map<Q>(self, exchange: impl FnOnce(P) -> Q) -> Authentication<Q> {
        let (principal, rest) = self.into_parts();
        Authentication {
            principal: exchange(principal),
            evidence: rest.evidence,
        }
    }

    /// The account as the issuer names it: the principal itself, or whom it was exchanged for.
    #[must_use]
    pub fn account(&self) -> Option<&Principal> {
        let own = || (&self.principal as &dyn Any).downcast_ref();
        let named = self.evidence.rare.as_ref().and_then(|rare| rare.account.as_ref());
        named.or_else(own)
    }
}

impl<P: fmt::Debug> fmt::Debug for Authentication<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication")
            .field("principal", &self.principal)
            .field("method", &self.evidence.method)
            .field("delivery", &self.evidence.delivery)
            .field("is_client", &self.evidence.is_client)
            .field("scopes", &self.evidence.scopes)
            .field("roles", &self.evidence.roles)
            .field("expires_at", &self.evidence.expires_at)
            .finish_non_exhaustive()
    }
}
