//! The body of a write as it leaves: wire names, the envelope of its system, without what stands in the address.
//!
//! Takes a manifest, the entities and a decided write, gives JSON. Needs no connection, so that what would be sent can
//! be shown without one. What a route repeats of the record as it is now is added by its connector.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value as Json;

use super::{
    ConnectorError, Manifest,
    address::fill,
    afas::envelope,
    manifest::{Protocol, WriteRoute},
};
use crate::{
    schema::{self, Catalog, Object, WriteFacts},
    value::{Action, Write},
};

/// Shows the bodies of writes to some systems.
#[derive(Debug)]
pub struct Bodies {
    /// By role.
    manifests: BTreeMap<Arc<str>, Manifest>,
    catalog: Arc<Catalog>,
}

impl Bodies {
    /// Those of the systems that koppel brings along, each with the role that it plays.
    ///
    /// # Errors
    /// There is no such system.
    pub fn new(
        systems: impl IntoIterator<Item = (Arc<str>, Arc<str>)>,
        catalog: Arc<Catalog>,
    ) -> Result<Self, ConnectorError> {
        let mut manifests = BTreeMap::new();
        for (role, system) in systems {
            manifests.insert(role, Manifest::standard(&system)?);
        }
        Ok(Self { manifests, catalog })
    }

    /// What would be sent; `(key of sale)` stands for a key that an earlier write will give.
    ///
    /// # Errors
    /// A sentence: the write cannot be sent as it is.
    pub fn body(&self, write: &Write) -> Result<Json, String> {
        let role = &write.entity.role;
        let manifest = self.manifests.get(role).ok_or_else(|| format!("no connection plays the role `{role}`"))?;
        let way = Way::of(manifest, &self.catalog, write)?;
        let body = schema::encode_decided(way.object, &write.fields).map_err(|error| error.to_string())?;
        Ok(way.wrapped(body))
    }
}

/// How an entity of a system is written.
pub(super) struct Way<'a> {
    pub(super) facts: &'a WriteFacts,
    pub(super) object: &'a Object,
    /// None = that of the protocol.
    pub(super) route: Option<&'a WriteRoute>,
    protocol: Protocol,
}

impl<'a> Way<'a> {
    /// The way of this write.
    pub(super) fn of(manifest: &'a Manifest, catalog: &'a Catalog, write: &Write) -> Result<Self, String> {
        let name = &write.entity.entity;
        let facts = catalog.entity(&manifest.system, name).and_then(|entity| entity.write.as_ref());
        let routes = manifest.entities.get(name);
        let (verb, object, route) = match write.action {
            Action::Create => ("made", facts.and_then(|facts| facts.create.as_ref()), routes.map(|all| &all.create)),
            Action::Update => ("changed", facts.and_then(|facts| facts.update.as_ref()), routes.map(|all| &all.update)),
        };
        let route = route.and_then(Option::as_ref);
        let reached = route.is_some() || manifest.protocol == Protocol::Afas;
        match facts.zip(object).filter(|_| reached) {
            Some((facts, object)) => Ok(Self { facts, object, route, protocol: manifest.protocol }),
            None => Err(format!("`{name}` of {} cannot be {verb}", manifest.title)),
        }
    }

    /// Plain fields in the form of the system.
    pub(super) fn wrapped(&self, mut body: Json) -> Json {
        match self.protocol {
            Protocol::Afas => {
                if let Some(route) = self.route {
                    envelope::add(&mut body, &route.adds);
                }
                envelope::envelope(&self.facts.root, body)
            }
            Protocol::Rest => {
                if let (Json::Object(fields), Some(route)) = (&mut body, self.route) {
                    // What the path takes is not filled in here: only its names matter.
                    fill(&route.path, |field| {
                        fields.shift_remove(field);
                        Some(field.to_owned())
                    });
                }
                body
            }
        }
    }
}
