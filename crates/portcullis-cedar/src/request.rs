//! One question to Cedar: who, what with, and what is known of both.

use std::collections::HashSet;

use cedar_policy::{Entities, Entity, EntityUid, Request, RestrictedExpression};
use portcullis_core::Authentication;

use crate::policies::Shared;
use crate::undecidable::Undecidable;
use crate::{CedarEntity, EntityRef, Record, Value, context};

/// How deep sets and records may be nested.
const DEEPEST: usize = 16;

/// What Cedar is asked with.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) request: Request,
    pub(crate) entities: Entities,
}

impl Shared {
    /// Everything is checked against the schema: what does not fit is not asked.
    pub(crate) fn question<P: CedarEntity, R: CedarEntity + ?Sized>(
        &self,
        caller: &Authentication<P>,
        action: &EntityUid,
        resource: &R,
    ) -> Result<Question, Undecidable> {
        let principal = self.principal(caller)?;
        let resource = self.entity(resource)?;
        let (principal_uid, resource_uid) = (principal.uid.clone(), resource.uid.clone());
        let request = Request::new(
            principal_uid,
            action.clone(),
            resource_uid,
            context::of_caller(caller)?,
            Some(&self.known.schema),
        )
        .map_err(|error| Undecidable::new("request_not_in_schema", error))?;
        let entities = self.entities(principal, resource)?;
        Ok(Question { request, entities })
    }

    fn entities(&self, principal: Described, resource: Described) -> Result<Entities, Undecidable> {
        let described = if principal.uid == resource.uid {
            vec![principal.joined_with(resource)?]
        } else {
            vec![principal, resource]
        };
        let entities = described
            .into_iter()
            .map(|one| self.finished(one))
            .collect::<Result<Vec<_>, _>>()?;
        self.known
            .actions
            .clone()
            .add_entities(entities, Some(&self.known.schema))
            .map_err(|error| Undecidable::new("entities_not_in_schema", error))
    }

    /// The caller, who is in each of their roles where the schema lets them.
    fn principal<P: CedarEntity>(&self, caller: &Authentication<P>) -> Result<Described, Undecidable> {
        let uid = caller.principal().uid();
        let own = match &self.client_type {
            Some(client_type) if caller.is_client() => client_type,
            _ => &self.principal_type,
        };
        let uid = self.known.uid(uid.kind().unwrap_or(own), uid.id())?;
        let mut described = self.described(uid, caller.principal())?;
        if self.known.has_roles(&described.uid) {
            for role in caller.roles().iter().filter(|role| !role.is_empty()) {
                described.parents.insert(self.known.uid(&self.role_type, role)?);
            }
        }
        Ok(described)
    }

    fn entity<E: CedarEntity + ?Sized>(&self, entity: &E) -> Result<Described, Undecidable> {
        self.described(self.uid(&entity.uid())?, entity)
    }

    fn described<E: CedarEntity + ?Sized>(
        &self,
        uid: EntityUid,
        entity: &E,
    ) -> Result<Described, Undecidable> {
        let parents = entity.parents();
        let parents = parents
            .iter()
            .map(|parent| self.uid(parent))
            .collect::<Result<_, _>>()?;
        Ok(Described {
            uid,
            attributes: entity.attributes(),
            parents,
        })
    }

    fn uid(&self, name: &EntityRef) -> Result<EntityUid, Undecidable> {
        self.known
            .uid(name.kind().unwrap_or(&self.principal_type), name.id())
    }

    fn finished(&self, described: Described) -> Result<Entity, Undecidable> {
        let attributes = described
            .attributes
            .into_inner()
            .into_iter()
            .map(|(name, value)| Ok((name, self.expression(value, DEEPEST)?)))
            .collect::<Result<_, Undecidable>>()?;
        Entity::new(described.uid, attributes, described.parents)
            .map_err(|error| Undecidable::new("attributes_not_valid", error))
    }

    fn expression(&self, value: Value, deeper: usize) -> Result<RestrictedExpression, Undecidable> {
        let Some(deeper) = deeper.checked_sub(1) else {
            return Err(Undecidable::new("attributes_too_deep", DEEPEST));
        };
        Ok(match value {
            Value::Bool(value) => RestrictedExpression::new_bool(value),
            Value::Long(value) => RestrictedExpression::new_long(value),
            Value::String(value) => RestrictedExpression::new_string(value),
            Value::Entity(name) => RestrictedExpression::new_entity_uid(self.uid(&name)?),
            Value::Set(values) => {
                let values = values.into_iter().map(|value| self.expression(value, deeper));
                RestrictedExpression::new_set(values.collect::<Result<Vec<_>, _>>()?)
            }
            Value::Record(record) => self.record(record, deeper)?,
        })
    }

    fn record(&self, record: Record, deeper: usize) -> Result<RestrictedExpression, Undecidable> {
        let fields = record
            .into_inner()
            .into_iter()
            .map(|(name, value)| Ok((name, self.expression(value, deeper)?)))
            .collect::<Result<Vec<_>, Undecidable>>()?;
        RestrictedExpression::new_record(fields)
            .map_err(|error| Undecidable::new("attributes_not_valid", error))
    }
}

/// An entity that has not been checked.
#[derive(Debug)]
struct Described {
    uid: EntityUid,
    attributes: Record,
    parents: HashSet<EntityUid>,
}

impl Described {
    /// One entity, described as the caller and as the resource: somebody's own profile. The two may not contradict each
    /// other, since policies could not tell which to believe.
    fn joined_with(mut self, other: Self) -> Result<Self, Undecidable> {
        if self.attributes != other.attributes {
            return Err(Undecidable::new("two_descriptions", &self.uid));
        }
        self.parents.extend(other.parents);
        Ok(self)
    }
}
