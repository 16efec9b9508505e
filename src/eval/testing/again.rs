//! What a test leaves behind: the target as its reads show what was written, and what koppel remembers of it.
//!
//! Takes the writes of a decision, changes the given world. So a test can run a second time on what the first run
//! left, and that must write nothing.

use std::{collections::BTreeMap, sync::Arc};

use super::{Failure, compare, fail, world::World};
use crate::{
    diagnostic::Span,
    eval::{Left, Remembered},
    plan::Plan,
    schema::WriteFacts,
    value::{Action, EntityName, Fields, Node, Value, Write, same},
};

/// Keys of writes by name.
type Keys = BTreeMap<Arc<str>, Value>;

/// What the writes of a test left in the fields of their targets.
#[derive(Debug, Default)]
pub(super) struct Memory(BTreeMap<(EntityName, String, String), Node>);

impl Left for Memory {
    fn compare(&self, entity: &EntityName, key: &Value, path: &str, node: &Node) -> Remembered {
        match self.0.get(&(entity.clone(), key.to_string(), path.to_owned())) {
            None => Remembered::Never,
            Some(left) if equal(left, node) => Remembered::Same,
            Some(_) => Remembered::Different,
        }
    }
}

fn equal(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Value(a), Node::Value(b)) => same(a, b),
        _ => a == b,
    }
}

/// The rows that creates made, by entity.
pub(super) type Made = Vec<(EntityName, usize)>;

/// Puts writes into the world, as the reads of the target show them.
pub(super) fn apply(world: &mut World<'_>, plan: &Plan, writes: &[Write], keys: &Keys, memory: &mut Memory) -> Made {
    let mut made = Vec::new();
    for write in writes {
        let entity = world.entity_of(&write.entity);
        let Some(facts) = entity.as_ref().and_then(|entity| entity.write.as_ref()) else { continue };
        let fields = resolved(&write.fields, keys);
        let key = match write.action {
            Action::Create => keys.get(&write.name).cloned(),
            Action::Update => Some(facts.key_of(|path| fields.value(path).cloned().unwrap_or_default())),
        };
        let key = key.unwrap_or_default();
        for (path, node) in fields.leaves() {
            memory.0.insert((write.entity.clone(), key.to_string(), path), node.clone());
        }
        let Some(shown_by) = &facts.shown_by else { continue };
        let shown = EntityName { role: write.entity.role.clone(), entity: shown_by.clone() };
        let mut values = recognised_values(facts, &fields);
        values.extend(shown_values(&facts.shows, &fields));
        match (write.action, facts.shown_key()) {
            (Action::Create, path) => {
                values.extend(path.map(|path| (path.clone(), key)));
                made.extend(world.add(&shown, &values).map(|at| (shown.clone(), at)));
            }
            (Action::Update, Some(path)) => {
                let is_source = |name: &EntityName| plan.source.as_ref().is_some_and(|source| source.name == *name);
                if let Some(through) = &facts.through {
                    let further = EntityName { role: write.entity.role.clone(), entity: through.read.clone() };
                    let values = shown_values(&through.shows, &fields);
                    for key in world.values(&shown, path, &key, &through.by) {
                        world.change(&further, is_source(&further), &through.key, &key, &values);
                    }
                }
                world.change(&shown, is_source(&shown), path, &key, &values);
            }
            (Action::Update, None) => {}
        }
    }
    made
}

/// What the read that recognises a create shows of it, where it shows the rest too.
fn recognised_values(facts: &WriteFacts, fields: &Fields) -> Vec<(Arc<str>, Value)> {
    let recognised = facts.recognise.compare.iter().chain(&facts.recognise.also);
    let recognised = recognised.filter(|_| facts.recognise.entity == facts.shown_by);
    shown_values(recognised.map(|(written, read)| (written, read)), fields)
}

/// What a read shows of written fields, of line objects the first.
fn shown_values<'a>(
    pairs: impl IntoIterator<Item = (&'a Arc<str>, &'a Arc<str>)>,
    fields: &Fields,
) -> Vec<(Arc<str>, Value)> {
    let value = |(written, read): (&Arc<str>, &Arc<str>)| {
        let value = first(fields, written)?;
        Some((read.clone(), if *value == Value::Clear { Value::Blank } else { value.clone() }))
    };
    pairs.into_iter().filter_map(value).collect()
}

/// The value at a path; a step through line objects takes the first that has it.
fn first<'f>(fields: &'f Fields, path: &str) -> Option<&'f Value> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    match (fields.get(name)?, rest) {
        (Node::Value(value), None) => Some(value),
        (Node::Object(inner), Some(rest)) => first(inner, rest),
        (Node::List(rows), Some(rest)) => rows.iter().find_map(|row| first(row, rest)),
        _ => None,
    }
}

/// The fields with the keys that earlier writes gave.
fn resolved(fields: &Fields, keys: &Keys) -> Fields {
    let node = |node: &Node| match node {
        Node::Value(own) => Node::Value(compare::resolved(own, keys)),
        Node::Object(inner) => Node::Object(resolved(inner, keys)),
        Node::List(rows) => Node::List(rows.iter().map(|row| resolved(row, keys)).collect()),
    };
    Fields(fields.0.iter().map(|(name, own)| (name.clone(), node(own))).collect())
}

/// What the second run would write once more; nothing when all is well. A create that its target recognises is asked
/// about before it is sent, and found; one that nothing recognises is left out of this rule.
pub(super) fn once_more(
    world: &World<'_>,
    first: &[Write],
    keys: &Keys,
    second: &[Write],
    span: Span,
) -> Option<Failure> {
    let again = second.iter().filter(|write| {
        let entity = world.entity_of(&write.entity);
        match (write.action, entity.as_ref().and_then(|entity| entity.write.as_ref())) {
            (Action::Create, Some(facts)) => {
                !facts.recognise.nothing && !first.iter().any(|made| recognises(facts, made, write, keys))
            }
            _ => true,
        }
    });
    let told: Vec<String> = again
        .map(|write| {
            let paths: Vec<String> = write.fields.leaves().into_iter().map(|(path, _)| path).collect();
            match write.action {
                Action::Create => format!("create {}", write.entity),
                Action::Update => format!("update {} ({})", write.entity, paths.join(", ")),
            }
        })
        .collect();
    (!told.is_empty()).then(|| {
        let text = "a second run, on what the first one left at the target, must write nothing; it would";
        fail(span, format!("{text} {}", told.join(" and ")))
    })
}

/// Is it the same thing that was made already?
fn recognises(facts: &WriteFacts, made: &Write, write: &Write, keys: &Keys) -> bool {
    if made.action != Action::Create || made.entity != write.entity {
        return false;
    }
    let (made, write) = (resolved(&made.fields, keys), resolved(&write.fields, keys));
    let equal = |path: &str| matches!((first(&made, path), first(&write, path)), (Some(a), Some(b)) if same(a, b));
    let family = facts.family.iter().flat_map(|(_, paths)| paths).map(|path| &**path);
    let own_number = facts.recognise.own_number.as_ref().map(|number| &*number.field);
    let reference = facts.recognise.reference.as_deref();
    let compared = facts.recognise.compare.iter().map(|(written, _)| &**written);
    let mut paths = family.chain(own_number).chain(reference).chain(compared);
    paths.any(equal) && facts.recognise.also.iter().all(|(written, _)| equal(written))
}
