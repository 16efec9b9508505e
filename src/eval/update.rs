//! Updates: what a record would send, less what stands at the target already.
//!
//! Takes a body as its lines make it and the row that shows the target, gives the fields that are to be sent, or none.
//! A field that no read shows is compared with what koppel last left there. Promises that an object which goes whole
//! does, that what only accompanies never makes a difference by itself, and that nothing left is no write.

use std::sync::Arc;

use super::{
    Left, Remembered,
    decide::Decider,
    ensure::Made,
    write::{Body, built, choose, lines},
};
use crate::{
    plan::{
        code::{AlternativeCode, EnsureCode, LineCode, ReadEntity, TargetCode, WriteCode},
        compute::{Stop, key_in},
    },
    schema::{Object, WriteFacts},
    value::{Action, Ask, EntityName, Fields, Filter, Node, Record, Value, Write, same},
};

/// What stands at the target of an update, as far as it is known.
pub(super) struct Current<'a> {
    entity: &'a EntityName,
    facts: &'a WriteFacts,
    key: Value,
    /// Shows the target.
    row: Option<Record>,
    left: &'a dyn Left,
    /// Is a field a difference that no read shows and that koppel never wrote? For an `update` of its own it is: the
    /// flow asks for it. What `update found` finds is left alone.
    never: bool,
}

impl Current<'_> {
    /// What a read shows of a written path; none when no read does.
    fn shown(&self, path: &str) -> Option<&Value> {
        let row = self.row.as_ref()?;
        let read = self.facts.shows.get(path)?;
        row.shape().index(read.split('.').next().unwrap_or(read)).map(|_| row.path(read))
    }

    /// What is shown of a path and all that is in it.
    fn all_shown(&self, path: &str) -> impl Iterator<Item = (&str, &Value)> {
        let within = format!("{path}.");
        let own = move |(written, _): &(&Arc<str>, &Arc<str>)| ***written == *path || written.starts_with(&within);
        let paths: Vec<&str> = self.facts.shows.iter().filter(own).map(|(written, _)| &**written).collect();
        paths.into_iter().filter_map(|path| self.shown(path).map(|value| (path, value)))
    }

    /// Has the target something there? What no read shows counts as filled: it is left alone.
    pub(super) fn is_filled(&self, path: &str) -> bool {
        let mut shown = self.all_shown(path).peekable();
        shown.peek().is_none() || shown.any(|(_, value)| !value.is_blank())
    }

    /// Does the target hold something else than what koppel left there? What it never wrote counts as edited.
    pub(super) fn is_edited(&self, path: &str) -> bool {
        let mut shown = self.all_shown(path).peekable();
        let edited =
            |(path, value): (&str, &Value)| self.left.shown(self.entity, &self.key, path, value) != Remembered::Same;
        shown.peek().is_none() || shown.any(edited)
    }

    fn differs(&self, path: &str, node: &Node) -> bool {
        if let (Node::Value(value), Some(shown)) = (node, self.shown(path)) {
            return !stands(value, shown);
        }
        match self.left.compare(self.entity, &self.key, path, node) {
            Remembered::Same => false,
            Remembered::Different => true,
            Remembered::Never => self.never,
        }
    }

    /// The fields to send, and whether any of them differs: those that do, with what must go along.
    fn differing(&self, object: &Object, fields: &Fields, above: &str) -> (Fields, bool) {
        let mut sent = Vec::new();
        let mut differs = false;
        for (name, node) in &fields.0 {
            // What the update of this target lacks was meant for the create.
            let Some(field) = object.field(name) else { continue };
            let path = if above.is_empty() { name.to_string() } else { format!("{above}.{name}") };
            let (node, changed) = match (node, field.ty.object()) {
                (Node::Object(inner), Some(of)) => match self.differing(of, inner, &path) {
                    (_, true) if field.unit => (node.clone(), true),
                    (inner, changed) => (Node::Object(inner), changed),
                },
                _ => (node.clone(), !field.accompanies && self.differs(&path, node)),
            };
            differs |= changed;
            if changed || field.accompanies || field.required {
                sent.push((name.clone(), node));
            }
        }
        (Fields(sent), differs)
    }
}

/// Is a value what the target shows? A number that is written as text is the same number.
fn stands(value: &Value, shown: &Value) -> bool {
    match (value, shown) {
        (Value::Clear, shown) => shown.is_blank(),
        (Value::Text(text), Value::Int(number)) | (Value::Int(number), Value::Text(text)) => {
            *text.trim() == number.to_string()
        }
        _ => same(value, shown),
    }
}

/// What the create of an ensure would send to the row that was found; none when nothing of it differs.
pub(super) fn found(
    machine: &mut Decider<'_, '_>,
    ensure: &EnsureCode,
    read: &EntityName,
    row: &Record,
    key: &Value,
) -> Result<Option<Write>, Stop> {
    let create = ensure.alternatives.iter().find_map(|one| match one {
        AlternativeCode::Create(create) => Some(create),
        _ => None,
    });
    let Some(create) = create else { return Ok(None) };
    let name: Arc<str> = format!("{}.update", machine.world.name(&create.name, create.depth)).into();
    if machine.world.confirmed.contains_key(&name) {
        machine.world.passed.insert(name);
        return Ok(None);
    }
    let Some(target) = choose(machine, create)? else { return Ok(None) };
    let Some(facts) = target.entity.write.as_ref() else { return Ok(None) };
    let (Some(object), Some(key_path)) = (&facts.update, facts.update_key()) else { return Ok(None) };
    let shows = facts.shown_by.as_ref() == Some(&read.entity) && target.name.role == read.role;
    let current = Current {
        entity: &target.name,
        facts,
        key: key.clone(),
        row: shows.then(|| row.clone()),
        left: machine.world.left,
        never: false,
    };
    let mut fields = Fields::default();
    lines(machine, &target.lines, &Body::update(&current), &mut fields)?;
    fields.0.retain(|(name, _)| name != key_path);
    fields.0.insert(0, (key_path.clone(), Node::Value(key.clone())));
    let sent = current.differing_but(object, &fields, key_path);
    Ok(sent.map(|fields| built(machine, name, target, Action::Update, None, fields)))
}

/// An `update` of its own. It waits for the row that shows its target, where there is one.
pub(super) fn own<'c>(
    machine: &mut Decider<'_, '_>,
    code: &'c WriteCode,
    target: &'c TargetCode,
    name: Arc<str>,
) -> Result<Made<'c>, Stop> {
    let without = Made { name: name.clone(), target, value: Value::Blank, write: None };
    let Some(facts) = target.entity.write.as_ref() else { return Ok(without) };
    let (Some(object), Some(key_path)) = (&facts.update, facts.update_key()) else { return Ok(without) };
    let key = key_of(machine, &target.lines, key_path)?;
    let row = match (&target.shown, facts.shown_key()) {
        (Some(read), Some(path)) if key_in(&key).is_none() && !key.is_blank() => row(machine, read, path, &key)?,
        _ => None,
    };
    let left = machine.world.left;
    let current = Current { entity: &target.name, facts, key: key.clone(), row, left, never: true };
    let mut fields = Fields::default();
    lines(machine, &target.lines, &Body::update(&current), &mut fields)?;
    let sent = current.differing_but(object, &fields, key_path);
    let write = sent.map(|fields| built(machine, name.clone(), target, Action::Update, code.gives.clone(), fields));
    Ok(Made { name, target, value: key, write })
}

impl Current<'_> {
    /// As [`Self::differing`]; the key says which record it is and is no difference.
    fn differing_but(&self, object: &Object, fields: &Fields, key: &Arc<str>) -> Option<Fields> {
        let (keys, others): (Vec<_>, Vec<_>) = fields.0.iter().cloned().partition(|(name, _)| name == key);
        let (sent, differs) = self.differing(object, &Fields(others), "");
        differs.then(|| Fields(keys.into_iter().chain(sent.0).collect()))
    }
}

/// The key of an update, before the rest of it is looked at.
fn key_of(machine: &mut Decider<'_, '_>, lines: &[LineCode], key: &str) -> Result<Value, Stop> {
    for line in lines {
        if let LineCode::Field(name, code, _) = line
            && **name == *key
        {
            return machine.value(code);
        }
    }
    Ok(Value::Blank)
}

/// The row that shows the target: the record in hand, or one that is asked for.
fn row(
    machine: &mut Decider<'_, '_>,
    read: &Arc<ReadEntity>,
    path: &Arc<str>,
    key: &Value,
) -> Result<Option<Record>, Stop> {
    let own =
        machine.world.record.as_ref().filter(|(name, record)| **name == read.name && same(record.path(path), key));
    if let Some((_, record)) = own {
        return Ok(Some(record.clone()));
    }
    let fields = read.fields.get().cloned().unwrap_or_else(|| Arc::from([]));
    let ask = Ask { entity: read.name.clone(), filter: Filter::Is(path.clone(), key.clone()), fields };
    let Some(rows) = machine.world.reads.0.get(&ask).cloned() else {
        machine.world.wants.insert(ask);
        return Err(Stop::Waits);
    };
    Ok(rows.first().cloned())
}
