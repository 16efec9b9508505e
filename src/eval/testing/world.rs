//! What a test gives, as rows that answer look-ups.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use serde_json::value::RawValue;

use super::{Failure, fail};
use crate::{
    check::typed::{Expr, Given, GivenField, GivenFields, Program},
    diagnostic::Span,
    eval::{Moment, NoValue, Reads, Seen, Step, watched_value},
    plan::Plan,
    schema::{Catalog, Entity, Kind, Object, Projection},
    value::{Ask, Decision, EntityName, Record, Shape, Value, same},
};

/// A look-up is answered from what is given; a decision that still wants reads after so many rounds is a mistake in
/// koppel, and told as one instead of running for ever.
const ROUNDS: usize = 100;

/// Works out a constant of a `given` line.
type Constant<'a> = dyn Fn(&Expr) -> Result<Value, Failure> + 'a;

/// The systems as a test gives them. Entities that are not given are empty.
#[derive(Clone)]
pub(in crate::eval) struct World<'a> {
    catalog: &'a Catalog,
    today: Date,
    rows: BTreeMap<EntityName, Vec<Record>>,
    /// The record in hand, whole.
    pub(super) record: Option<Record>,
}

impl<'a> World<'a> {
    /// Decides with the given rows: asks are answered until a decision comes out.
    ///
    /// # Errors
    /// A sentence: it asks without end.
    pub(in crate::eval) fn decide<T>(
        &self,
        reads: &mut Reads,
        step: impl Fn(&Reads) -> (Step, T),
    ) -> Result<(Decision, T), String> {
        for _ in 0..ROUNDS {
            match step(reads) {
                (Step::Decided(decision), seen) => return Ok((decision, seen)),
                (Step::Wants(asks), _) => {
                    for ask in asks {
                        let rows = self.rows(&ask);
                        reads.0.insert(ask, rows);
                    }
                }
            }
        }
        Err(format!("no decision after {ROUNDS} rounds of reading: a mistake in koppel, please report it"))
    }

    /// Applies the given lines in order: `from` and `is empty` replace an entity, `has` adds a row.
    pub(super) fn new(
        program: &Program,
        catalog: &'a Catalog,
        givens: &[Given],
        today: Date,
        constant: &Constant<'_>,
    ) -> Result<Self, Failure> {
        let mut world = Self { catalog, today, rows: BTreeMap::new(), record: None };
        for given in givens {
            match given {
                Given::Setting(..) | Given::Today(_) | Given::After { .. } => {}
                Given::Record { sample, fields, span } => {
                    let Some(source) = &program.source else { continue };
                    let base = match sample {
                        Some(text) => one(parse(text, *span)?, *span)?,
                        None => serde_json::Value::Object(serde_json::Map::new()),
                    };
                    world.record = Some(world.whole(&source.name, &base, fields, today, constant, *span)?);
                }
                Given::System { role, sample, span } => {
                    let serde_json::Value::Object(entities) = parse(sample, *span)? else {
                        return Err(fail(*span, "the sample of a system is an object: {\"Entity\": [rows]}"));
                    };
                    for (entity, rows) in entities {
                        let name = EntityName { role: role.clone(), entity: entity.as_str().into() };
                        world.replace(&name, rows, today, constant, *span)?;
                    }
                }
                Given::Entity { name, sample, span } => match sample {
                    Some(text) => world.replace(name, parse(text, *span)?, today, constant, *span)?,
                    None => {
                        world.rows.insert(name.clone(), Vec::new());
                    }
                },
                Given::Row { name, fields, span } => {
                    let empty = serde_json::Value::Object(serde_json::Map::new());
                    let row = world.whole(name, &empty, fields, today, constant, *span)?;
                    world.rows.entry(name.clone()).or_default().push(row);
                }
            }
        }
        Ok(world)
    }

    /// The rows of whole systems, each an object of entities with their rows.
    pub(in crate::eval) fn of_systems(
        program: &Program,
        catalog: &'a Catalog,
        systems: &BTreeMap<Arc<str>, Box<RawValue>>,
        today: Date,
    ) -> Result<Self, String> {
        let systems = systems.iter().map(|(role, rows)| (role.clone(), rows.get().into()));
        let systems: Vec<Given> =
            systems.map(|(role, sample)| Given::System { role, sample, span: Span::NONE }).collect();
        // Whole systems have no field of their own to be worked out.
        let constant = |_: &Expr| Ok(Value::Blank);
        Self::new(program, catalog, &systems, today, &constant).map_err(|failure| failure.text)
    }

    /// The rows that an ask finds, with the fields that it decodes.
    pub(in crate::eval) fn rows(&self, ask: &Ask) -> Arc<[Record]> {
        let Some(object) = self.entity(&ask.entity).and_then(|entity| Some(entity.read.as_ref()?.object.clone()))
        else {
            return Arc::new([]);
        };
        let projection = Projection::new(&object, &ask.fields);
        let rows = self.rows.get(&ask.entity).into_iter().flatten();
        rows.filter(|row| ask.filter.matches(row)).map(|row| project(row, &projection)).collect()
    }

    /// A value of the flow after the decision; reads that only the test asks for are answered likewise.
    pub(super) fn value_of(
        &self,
        plan: &Plan,
        expr: &Expr,
        record: &Record,
        reads: &mut Reads,
        moment: Moment<'_>,
    ) -> Result<(Value, Seen), NoValue> {
        loop {
            match watched_value(plan, expr, Some(record), reads, moment) {
                Err(NoValue::Wants(asks)) if asks.iter().any(|ask| !reads.0.contains_key(ask)) => {
                    for ask in asks {
                        let rows = self.rows(&ask);
                        reads.0.insert(ask, rows);
                    }
                }
                other => return other,
            }
        }
    }

    /// An entity by its name.
    pub(super) fn entity_of(&self, name: &EntityName) -> Option<Arc<Entity>> {
        self.entity(name).cloned()
    }

    /// A new row of these values; where it stands.
    pub(super) fn add(&mut self, name: &EntityName, values: &[(Arc<str>, Value)]) -> Option<usize> {
        let object = self.entity(name)?.read.as_ref()?.object.clone();
        let row = derive(&changed(&blank_record(&object), values), &object, self.today, &[]);
        let rows = self.rows.entry(name.clone()).or_default();
        rows.push(row);
        rows.len().checked_sub(1)
    }

    /// Other values in the rows with this key, and in the record in hand where it is one of them.
    pub(super) fn change(
        &mut self,
        name: &EntityName,
        source: bool,
        path: &str,
        key: &Value,
        values: &[(Arc<str>, Value)],
    ) {
        let rows = self.rows.get_mut(name).into_iter().flatten();
        let record = self.record.iter_mut().filter(|_| source);
        for row in rows.chain(record).filter(|row| same(row.path(path), key)) {
            *row = changed(row, values);
        }
    }

    /// What the rows with this key hold in a field.
    pub(super) fn values(&self, name: &EntityName, path: &str, key: &Value, field: &str) -> Vec<Value> {
        let rows = self.rows.get(name).into_iter().flatten().chain(&self.record);
        let of_key = rows.filter(|row| same(row.path(path), key));
        of_key.map(|row| row.path(field).clone()).filter(|value| !value.is_blank()).collect()
    }

    /// Puts what the target computes into a row that was made.
    pub(super) fn compute(
        &mut self,
        name: &EntityName,
        at: usize,
        fields: &GivenFields,
        constant: &Constant<'_>,
    ) -> Result<(), Failure> {
        let Some(object) = self.entity(name).and_then(|entity| Some(entity.read.as_ref()?.object.clone())) else {
            return Ok(());
        };
        if let Some(row) = self.rows.get_mut(name).and_then(|rows| rows.get_mut(at)) {
            *row = replace_fields(row, &object, fields, constant)?;
        }
        Ok(())
    }

    fn entity(&self, name: &EntityName) -> Option<&Arc<Entity>> {
        entity(self.catalog, name)
    }

    fn replace(
        &mut self,
        name: &EntityName,
        json: serde_json::Value,
        today: Date,
        constant: &Constant<'_>,
        span: Span,
    ) -> Result<(), Failure> {
        let rows = match json {
            serde_json::Value::Array(rows) => rows,
            row => vec![row],
        };
        if self.entity(name).is_none() {
            return Err(fail(span, format!("{name} is not known")));
        }
        let nothing = GivenFields::default();
        let rows = rows.iter().map(|row| self.whole(name, row, &nothing, today, constant, span));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        self.rows.insert(name.clone(), rows);
        Ok(())
    }

    /// A record with all its fields: decoded from JSON, then some replaced, then what is derived from them.
    fn whole(
        &self,
        name: &EntityName,
        json: &serde_json::Value,
        fields: &GivenFields,
        today: Date,
        constant: &Constant<'_>,
        span: Span,
    ) -> Result<Record, Failure> {
        let Some(entity) = self.entity(name) else { return Err(fail(span, format!("{name} is not known"))) };
        let Some(read) = &entity.read else { return Err(fail(span, format!("{name} cannot be read"))) };
        let record = Projection::whole(&read.object).decode(json, today);
        let record = record.map_err(|why| fail(span, format!("{name}: {why}")))?;
        let replaced = replace_fields(&record, &read.object, fields, constant)?;
        let given: Vec<&str> = fields.0.iter().map(GivenField::name).collect();
        Ok(derive(&replaced, &read.object, today, &given))
    }
}

impl GivenField {
    fn name(&self) -> &str {
        match self {
            Self::Value(path, _) => path.first().map_or("", |name| name),
            Self::Object(name, _) => name,
        }
    }
}

/// Puts given fields into a record. Several blocks of one name make a list; the first replaces what was there.
fn replace_fields(
    record: &Record,
    object: &Object,
    fields: &GivenFields,
    constant: &Constant<'_>,
) -> Result<Record, Failure> {
    let mut values: BTreeMap<Arc<str>, Value> =
        record.iter().map(|(name, value)| (name.into(), value.clone())).collect();
    let mut begun: Vec<&Arc<str>> = Vec::new();
    for field in &fields.0 {
        match field {
            GivenField::Value(path, expr) => {
                let value = constant(expr)?;
                set(&mut values, path, value);
            }
            GivenField::Object(name, inner) => {
                let Some(field) = object.field(name) else { continue };
                let (element, is_list) = match &field.ty.kind {
                    Kind::Record(element) => (element, false),
                    Kind::List(of) => match &of.kind {
                        Kind::Record(element) => (element, true),
                        _ => continue,
                    },
                    _ => continue,
                };
                let before = values.get(name).cloned().unwrap_or_default();
                let base = match &before {
                    Value::Record(record) if !is_list => record.clone(),
                    _ => blank_record(element),
                };
                let made = Value::Record(replace_fields(&base, element, inner, constant)?);
                let value = if is_list {
                    let kept = if begun.contains(&name) { before.as_list().to_vec() } else { Vec::new() };
                    begun.push(name);
                    Value::List(kept.into_iter().chain([made]).collect())
                } else {
                    made
                };
                values.insert(name.clone(), value);
            }
        }
    }
    Ok(rebuilt(values))
}

/// The record with other values at some paths.
fn changed(record: &Record, fields: &[(Arc<str>, Value)]) -> Record {
    let mut values: BTreeMap<Arc<str>, Value> =
        record.iter().map(|(name, value)| (name.into(), value.clone())).collect();
    for (path, value) in fields {
        let path: Vec<Arc<str>> = path.split('.').map(Into::into).collect();
        set(&mut values, &path, value.clone());
    }
    rebuilt(values)
}

/// Sets a value at a path, making the sub-records that are missing.
fn set(values: &mut BTreeMap<Arc<str>, Value>, path: &[Arc<str>], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    let value = if rest.is_empty() {
        value
    } else {
        let mut inner: BTreeMap<Arc<str>, Value> = match values.get(first) {
            Some(Value::Record(record)) => record.iter().map(|(name, value)| (name.into(), value.clone())).collect(),
            _ => BTreeMap::new(),
        };
        set(&mut inner, rest, value);
        Value::Record(rebuilt(inner))
    };
    values.insert(first.clone(), value);
}

fn rebuilt(values: BTreeMap<Arc<str>, Value>) -> Record {
    let (names, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    Record::new(Arc::new(Shape { names }), values)
}

/// Works the derived fields out again, since what they look at may have been replaced; a given one stays as given.
fn derive(record: &Record, object: &Object, today: Date, given: &[&str]) -> Record {
    let value = |(name, value): (&str, &Value)| match object.field(name).and_then(|field| field.derived.as_ref()) {
        Some(derived) if !derived.words.is_empty() && !given.contains(&name) => {
            derived.words(today, |other| record.get(other).clone())
        }
        _ => value.clone(),
    };
    Record::new(record.shape().clone(), record.iter().map(value).collect())
}

fn blank_record(object: &Object) -> Record {
    let blank = |kind: &Kind| if matches!(kind, Kind::List(_)) { Value::List([].into()) } else { Value::Blank };
    let values = object.fields.values().map(|field| blank(&field.ty.kind)).collect();
    Record::new(Arc::new(Shape { names: object.fields.keys().cloned().collect() }), values)
}

/// The same record with the shape of a projection: what a real read would have decoded.
pub(super) fn project(record: &Record, projection: &Projection) -> Record {
    let inner = |name: &Arc<str>| {
        let value = record.get(name);
        match projection.child(name) {
            Some(child) => match value {
                Value::Record(record) => Value::Record(project(record, child)),
                Value::List(list) => {
                    let element = |value: &Value| match value {
                        Value::Record(record) => Value::Record(project(record, child)),
                        other => other.clone(),
                    };
                    Value::List(list.iter().map(element).collect())
                }
                other => other.clone(),
            },
            None => value.clone(),
        }
    };
    let values = projection.shape().names.iter().map(inner).collect();
    Record::new(projection.shape().clone(), values)
}

fn parse(text: &str, span: Span) -> Result<serde_json::Value, Failure> {
    serde_json::from_str(text).map_err(|why| fail(span, format!("the sample is no JSON: {why}")))
}

fn one(json: serde_json::Value, span: Span) -> Result<serde_json::Value, Failure> {
    match json {
        serde_json::Value::Array(rows) => {
            let count = rows.len();
            let mut rows = rows.into_iter();
            match (rows.next(), count) {
                (Some(row), 1) => Ok(row),
                _ => Err(fail(span, format!("the sample holds {count} records; a test is about one"))),
            }
        }
        row => Ok(row),
    }
}

/// An entity by its name. The role is a name of its own; its entity is looked up in every system, first in that of the
/// same name.
pub(super) fn entity<'a>(catalog: &'a Catalog, name: &EntityName) -> Option<&'a Arc<Entity>> {
    let own = catalog.entity(&name.role, &name.entity);
    own.or_else(|| catalog.systems.values().find_map(|system| system.entities.get(&name.entity)))
}
