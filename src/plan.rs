//! From a checked program and its settings to what runs: slots instead of names, settings folded in, tables indexed,
//! the list of fields that are read.
//!
//! Takes a [`crate::check::typed::Program`] and setting values, gives a [`Plan`]. Promises that nothing is left to be
//! looked up by name while a record is decided. No IO.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    check::typed::{Program, Since},
    schema::Entity,
    value::{EntityName, Filter, Value},
};

/// Values of settings by (owner, name), as `koppel.toml` or a test gives them, already of the right type.
pub type SettingValues = BTreeMap<(Arc<str>, Arc<str>), Value>;

/// An executable flow. Made once per edit, shared by all records.
#[derive(Debug)]
pub struct Plan {
    /// The flow's name.
    pub name: Arc<str>,
    /// What is read.
    pub source: SourcePlan,
    /// Entities that any `create` of this plan makes, and the read entities that show them: their rows are asked
    /// per page and an absence is never remembered.
    pub creates: Vec<EntityName>,
    /// What it was made from, for names and places in messages.
    pub program: Arc<Program>,
}

/// What the engine needs to know to read the source.
#[derive(Debug)]
pub struct SourcePlan {
    /// Role and entity.
    pub name: EntityName,
    /// Its facts.
    pub entity: Arc<Entity>,
    /// The condition, settings filled in.
    pub filter: Filter,
    /// Paths that are decoded: everything that the flow or the filter looks at, and the key.
    pub fields: Arc<[Arc<str>]>,
    /// The identity.
    pub key: Vec<Arc<str>>,
    /// How changes are seen.
    pub since: Since,
}
