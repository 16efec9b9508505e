//! Updates: what a record would send, less what stands at the target already.
//!
//! Takes a body as its lines make it and the row that shows the target, gives the fields that are to be sent, or none.
//! A field that no read
//! shows, nor the one a step further, is compared with what koppel last left there. Promises that an object which goes whole
//! does, that what only accompanies never makes a difference by itself, and that nothing left is no write.

use std::{collections::BTreeMap, sync::Arc};

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
    /// Shows the rest of it, one step further.
    further: Option<Record>,
    left: &'a dyn Left,
    /// Is a field a difference that no read shows and that koppel never wrote? For an `update` of its own it is: the
    /// flow asks for it. What `update found` finds is left alone.
    never: bool,
}

impl Current<'_> {
    /// What a read shows of a written path; none when no read does.
    fn shown(&self, path: &str) -> Option<&Value> {
        let further = || in_row(self.further.as_ref()?, &self.facts.through.as_ref()?.shows, path);
        self.row.as_ref().and_then(|row| in_row(row, &self.facts.shows, path)).or_else(further)
    }

    /// What is shown of a path and all that is in it.
    fn all_shown(&self, path: &str) -> impl Iterator<Item = (&str, &Value)> {
        let within = format!("{path}.");
        let own = |written: &&Arc<str>| ***written == *path || written.starts_with(&within);
        let paths: Vec<&str> = self.facts.shown_paths().filter(own).map(|written| &**written).collect();
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

/// What a row shows of a written path.
fn in_row<'r>(row: &'r Record, shows: &BTreeMap<Arc<str>, Arc<str>>, path: &str) -> Option<&'r Value> {
    let read = shows.get(path)?;
    row.shape().index(read.split('.').next().unwrap_or(read)).map(|_| row.path(read))
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
    let Some(object) = &facts.update else { return Ok(None) };
    let key = match &facts.update_key[..] {
        [_] => key.clone(),
        _ => key_of(machine, &target.lines, facts)?,
    };
    let shows = facts.shown_by.as_ref() == Some(&read.entity) && target.name.role == read.role;
    let row = shows.then(|| row.clone());
    let current = Current {
        entity: &target.name,
        facts,
        key: key.clone(),
        further: further(machine, target, facts, row.as_ref())?,
        row,
        left: machine.world.left,
        never: false,
    };
    let mut fields = Fields::default();
    lines(machine, &target.lines, &Body::update(&current), &mut fields)?;
    if let [path] = &facts.update_key[..] {
        fields.0.retain(|(name, _)| name != path);
        fields.0.insert(0, (path.clone(), Node::Value(key)));
    }
    let sent = current.differing_but_key(object, &fields);
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
    let Some(object) = &facts.update else { return Ok(without) };
    let key = key_of(machine, &target.lines, facts)?;
    let row = match (&target.shown, facts.shown_key()) {
        (Some(read), Some(path)) if key_in(&key).is_none() && !key.is_blank() => row(machine, read, path, &key)?,
        _ => None,
    };
    let further = further(machine, target, facts, row.as_ref())?;
    let left = machine.world.left;
    let current = Current { entity: &target.name, facts, key: key.clone(), row, further, left, never: true };
    let mut fields = Fields::default();
    lines(machine, &target.lines, &Body::update(&current), &mut fields)?;
    let sent = current.differing_but_key(object, &fields);
    let write = sent.map(|fields| built(machine, name.clone(), target, Action::Update, code.gives.clone(), fields));
    Ok(Made { name, target, value: key, write })
}

impl Current<'_> {
    /// As [`Self::differing`]; the key says which record it is and is no difference.
    fn differing_but_key(&self, object: &Object, fields: &Fields) -> Option<Fields> {
        let is_key = |(name, _): &(Arc<str>, Node)| self.facts.update_key.contains(name);
        let (keys, others): (Vec<_>, Vec<_>) = fields.0.iter().cloned().partition(is_key);
        let (sent, differs) = self.differing(object, &Fields(others), "");
        differs.then(|| Fields(keys.into_iter().chain(sent.0).collect()))
    }
}

/// The key of an update, before the rest of it is looked at.
fn key_of(machine: &mut Decider<'_, '_>, lines: &[LineCode], facts: &WriteFacts) -> Result<Value, Stop> {
    let mut values = BTreeMap::new();
    for line in lines {
        if let LineCode::Field(name, code, _) = line
            && facts.update_key.contains(name)
            && !values.contains_key(name)
        {
            values.insert(name, machine.value(code)?);
        }
    }
    Ok(facts.key_of(|path| values.get(path).cloned().unwrap_or_default()))
}

/// The row one step further than the one that shows the target; none where the lines need none or nothing leads there.
fn further(
    machine: &mut Decider<'_, '_>,
    target: &TargetCode,
    facts: &WriteFacts,
    shown: Option<&Record>,
) -> Result<Option<Record>, Stop> {
    let (Some(read), Some(through), Some(shown)) = (&target.through, &facts.through, shown) else { return Ok(None) };
    let key = shown.path(&through.by).clone();
    if key.is_blank() { Ok(None) } else { row(machine, read, &through.key, &key) }
}

/// The row with this key: the record in hand, or one that is asked for.
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
