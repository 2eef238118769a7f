//! The schema, and what is looked up in it with every request.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{Entities, EntityId, EntityTypeName, EntityUid, Schema, SchemaFragment};
use miette::Diagnostic;

use crate::context::{CALLER_SCHEMA, NAMESPACE};
use crate::depth::{self, Depth};
use crate::undecidable::Undecidable;
use crate::{CedarError, CedarErrorKind};

/// A schema that was taken.
#[derive(Debug)]
pub(crate) struct KnownSchema {
    pub(crate) schema: Schema,
    /// The actions and what they are in, which every decision needs.
    pub(crate) actions: Entities,
    types: HashMap<String, EntityTypeName>,
    /// The types whose entities may be `in` a role.
    with_roles: HashSet<EntityTypeName>,
}

impl KnownSchema {
    pub(crate) fn parse(text: &str, role_type: &str) -> Result<Self, CedarError> {
        Depth::of(text).bounded("schema")?;
        let schema = depth::read(|| parse(text))?;
        let actions = schema
            .action_entities()
            .map_err(|error| CedarError::new(CedarErrorKind::Schema, error.to_string()))?;
        let types: HashMap<_, _> = schema
            .entity_types()
            .map(|kind| (kind.to_string(), kind.clone()))
            .collect();
        let with_roles = types
            .values()
            .filter(|kind| is_in(&schema, kind, types.get(role_type)))
            .cloned()
            .collect();
        Ok(Self {
            schema,
            actions,
            types,
            with_roles,
        })
    }

    pub(crate) fn uid(&self, kind: &str, id: &str) -> Result<EntityUid, Undecidable> {
        let name = self.types.get(kind);
        let name = name.ok_or_else(|| Undecidable::new("type_not_in_schema", kind))?;
        Ok(EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id)))
    }

    pub(crate) fn knows(&self, kind: &str) -> bool {
        self.types.contains_key(kind)
    }

    /// Whether roles may be parents of an entity.
    pub(crate) fn has_roles(&self, entity: &EntityUid) -> bool {
        self.with_roles.contains(entity.type_name())
    }

    /// The action of this name: its id where one namespace alone has it, or the whole name, `Archive::Action::"read"`.
    pub(crate) fn action(&self, name: &str) -> Result<EntityUid, CedarError> {
        let whole = EntityUid::from_str(name).ok();
        let mut called = self
            .schema
            .actions()
            .filter(|action| whole.as_ref() == Some(action) || action.id().unescaped() == name);
        match (called.next(), called.next()) {
            (Some(action), None) => Ok(action.clone()),
            (None, _) => Err(unbound(name, "is not in the schema")),
            (Some(_), Some(_)) => Err(unbound(
                name,
                "is in several namespaces: write it with its namespace",
            )),
        }
    }
}

pub(crate) fn unbound(action: &str, what: &str) -> CedarError {
    CedarError::new(CedarErrorKind::Action, format!("action {action:?} {what}"))
}

fn parse(text: &str) -> Result<Schema, CedarError> {
    let wrong =
        |error: &dyn Diagnostic| CedarError::findings(CedarErrorKind::Schema, "schema", text, [error]);
    let (ours, warnings) = SchemaFragment::from_cedarschema_str(text).map_err(|error| wrong(&error))?;
    for warning in warnings {
        tracing::warn!(%warning, "Cedar has doubts about the schema");
    }
    let declared = ours
        .namespaces()
        .flatten()
        .any(|name| name.to_string() == NAMESPACE);
    let mut fragments = vec![ours];
    if !declared {
        let (caller, _) =
            SchemaFragment::from_cedarschema_str(CALLER_SCHEMA).map_err(|error| wrong(&error))?;
        fragments.push(caller);
    }
    Schema::from_schema_fragments(fragments).map_err(|error| wrong(&error))
}

fn is_in(schema: &Schema, kind: &EntityTypeName, ancestor: Option<&EntityTypeName>) -> bool {
    let Some(ancestor) = ancestor else {
        return false;
    };
    schema
        .ancestors(kind)
        .is_some_and(|mut ancestors| ancestors.any(|one| one == ancestor))
}
