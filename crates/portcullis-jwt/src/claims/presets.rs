//! What the named products issue by default.

use std::borrow::Cow;

use super::map::{ClaimMap, Mark};

/// One preset.
struct Preset {
    scopes: &'static [&'static [&'static str]],
    roles: &'static [&'static [&'static str]],
    client_ids: &'static [&'static str],
    client_marks: &'static [(&'static str, Mark)],
    person_marks: &'static [&'static str],
    required: &'static [(&'static str, &'static [&'static str])],
    kind_is_marked: bool,
}

const fn equals(value: &'static str) -> Mark {
    Mark::Equals(Cow::Borrowed(value))
}

/// RFC 9068 §2.2.3 and §2.2.3.1.
const STANDARD: Preset = Preset {
    scopes: &[&["scope"]],
    roles: &[&["roles"]],
    client_ids: &["client_id", "azp"],
    client_marks: &[],
    person_marks: &[],
    required: &[],
    kind_is_marked: false,
};

/// Keycloak: realm roles; the payload's `typ` tells access tokens from ID and refresh tokens.
const KEYCLOAK: Preset = Preset {
    roles: &[&["realm_access", "roles"]],
    client_marks: &[(
        "preferred_username",
        Mark::StartsWith(Cow::Borrowed("service-account-")),
    )],
    required: &[("typ", &["Bearer"])],
    // Versions before 25 put `nonce` into access tokens too.
    kind_is_marked: true,
    ..STANDARD
};

/// Auth0: with RBAC on, granted permissions stand beside the scopes. Its dialect of RFC 9068 has no `gty`.
const AUTH0: Preset = Preset {
    scopes: &[&["scope"], &["permissions"]],
    roles: &[],
    client_ids: &["client_id", "azp"],
    client_marks: &[
        ("gty", equals("client-credentials")),
        ("sub", Mark::EndsWith(Cow::Borrowed("@clients"))),
    ],
    ..STANDARD
};

/// Okta custom authorization servers.
const OKTA: Preset = Preset {
    scopes: &[&["scp"]],
    roles: &[&["groups"]],
    client_ids: &["cid"],
    ..STANDARD
};

/// Microsoft Entra ID, v1.0 tokens (`https://sts.windows.net/{tenant}/`). Only a person's token has `scp`;
/// `idtyp` is optional.
const ENTRA_V1: Preset = Preset {
    scopes: &[&["scp"]],
    roles: &[&["roles"]],
    client_ids: &["appid"],
    client_marks: &[("idtyp", equals("app"))],
    person_marks: &["scp"],
    ..STANDARD
};

/// Microsoft Entra ID, v2.0 tokens (`https://login.microsoftonline.com/{tenant}/v2.0`).
const ENTRA_V2: Preset = Preset {
    client_ids: &["azp"],
    ..ENTRA_V1
};

/// Amazon Cognito access tokens. They have no `aud`.
const COGNITO: Preset = Preset {
    roles: &[&["cognito:groups"]],
    client_ids: &["client_id"],
    required: &[("token_use", &["access"])],
    ..STANDARD
};

/// Google identity tokens for service-to-service calls.
const GOOGLE: Preset = Preset {
    scopes: &[],
    roles: &[],
    client_ids: &["azp"],
    ..STANDARD
};

/// Firebase Authentication: roles are custom claims of the application's own.
const FIREBASE: Preset = Preset {
    scopes: &[],
    client_ids: &[],
    ..STANDARD
};

impl From<&'static Preset> for ClaimMap {
    fn from(preset: &'static Preset) -> Self {
        let path = |names: &&'static [&'static str]| names.iter().map(|name| Cow::Borrowed(*name)).collect();
        let single = |name: &&'static str| vec![Cow::Borrowed(*name)];
        Self {
            scopes: preset.scopes.iter().map(path).collect(),
            roles: preset.roles.iter().map(path).collect(),
            client_ids: preset.client_ids.iter().map(single).collect(),
            client_marks: preset
                .client_marks
                .iter()
                .map(|(name, mark)| (single(name), mark.clone()))
                .collect(),
            person_marks: preset.person_marks.iter().map(single).collect(),
            required: preset
                .required
                .iter()
                .map(|(name, values)| {
                    (
                        single(name),
                        values.iter().map(|value| Cow::Borrowed(*value)).collect(),
                    )
                })
                .collect(),
            kind_is_marked: preset.kind_is_marked,
        }
    }
}

macro_rules! presets {
    ($($(#[$doc:meta])* $name:ident = $preset:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name() -> Self {
                Self::from(&$preset)
            }
        )*
    };
}

impl ClaimMap {
    presets! {
        /// `scope` (a string), `roles` (an array), `client_id` or `azp` (RFC 9068). The default.
        standard = STANDARD;
        /// Keycloak: `scope`, realm roles at `realm_access.roles`, and `typ` must be `Bearer`. Service
        /// accounts are clients.
        keycloak = KEYCLOAK;
        /// Auth0: `scope` and, with RBAC, `permissions` as scopes; `gty` and a `sub` that
        /// ends with `@clients` mark clients.
        auth0 = AUTH0;
        /// Okta: `scp` (an array), `groups` as roles, `cid`.
        okta = OKTA;
        /// Microsoft Entra ID v1.0: `scp` (a string), `roles`, `appid`; a token without `scp`, or
        /// whose `idtyp` is `app`, is a client's.
        entra_v1 = ENTRA_V1;
        /// Microsoft Entra ID v2.0: `scp` (a string), `roles`, `azp`; a token without `scp`, or whose
        /// `idtyp` is `app`, is a client's. Entra's `sub` differs per application; the same person
        /// everywhere is `tid` with `oid`.
        entra_v2 = ENTRA_V2;
        /// Amazon Cognito: `scope`, `cognito:groups` as roles; `token_use` must be `access`. Its access
        /// tokens have no audience: use `dangerous_without_audience` and require `client_id`.
        cognito = COGNITO;
        /// Google: neither scopes nor roles; `azp`.
        google = GOOGLE;
        /// Firebase: no scopes; `roles` as a custom claim.
        firebase = FIREBASE;
    }
}
