//! Writes: the target that applies, its lines in order, and the fields that come of them.

use std::sync::Arc;

use super::{
    decide::{Created, Decider, ensure, guard, rounds},
    ensure::Made,
    update::Current,
};
use crate::{
    plan::{
        code::{LineCode, TargetCode, WriteCode},
        compute::{Place, Stop, Waiting, key_in},
        stands,
    },
    schema::WriteFacts,
    syntax::tree::PolicyKind,
    value::{Action, Fields, Node, Value, Write},
};

/// A write of column 0 or of a loop: it is among the writes, and its key in its place.
pub(super) fn write(machine: &mut Decider<'_, '_>, code: &WriteCode) -> Result<(), Stop> {
    match make(machine, code) {
        Ok(Some(made)) => {
            machine.set(code.var, made.value);
            machine.world.writes.extend(made.write);
            Ok(())
        }
        Ok(None) => {
            machine.set(code.var, Value::Blank);
            Ok(())
        }
        Err(stop) => {
            machine.put(code.var, Place::Stopped(stop.clone()));
            Err(stop)
        }
    }
}

/// Makes a write for the first target whose condition holds; none when none does.
pub(super) fn make<'c>(machine: &mut Decider<'_, '_>, code: &'c WriteCode) -> Result<Option<Made<'c>>, Stop> {
    let name = machine.world.name(&code.name, code.depth);
    if let Some(value) = machine.world.confirmed.get(&name).cloned() {
        machine.world.passed.insert(name.clone());
        return Ok(code.targets.first().map(|target| Made { name, target, value, write: None }));
    }
    let Some(target) = choose(machine, code)? else { return Ok(None) };
    if code.action == Action::Update {
        return super::update::own(machine, code, target, name).map(Some);
    }
    let mut fields = Fields::default();
    lines(machine, &target.lines, &Body::create(), &mut fields)?;
    let given = code.gives.as_ref().and_then(|path| fields.value(path)).filter(|value| key_in(value).is_none());
    let value = given.cloned().unwrap_or_else(|| Value::Key(name.clone()));
    let write = built(machine, name.clone(), target, Action::Create, code.gives.clone(), fields);
    Ok(Some(Made { name, target, value, write: Some(write) }))
}

/// A write of these fields.
pub(super) fn built(
    machine: &Decider<'_, '_>,
    name: Arc<str>,
    target: &TargetCode,
    action: Action,
    gives: Option<Arc<str>>,
    fields: Fields,
) -> Write {
    let facts = target.entity.write.as_ref().filter(|_| action == Action::Create);
    let mut needs = Vec::new();
    collect_needs(&fields, &machine.world.created, &mut needs);
    Write {
        name,
        entity: target.name.clone(),
        action,
        gives,
        own_number: facts.and_then(|facts| own_number(facts, &fields)),
        reference: facts.and_then(|facts| plain(&fields, facts.recognise.reference.as_ref()?)),
        needs,
        ensure: None,
        fields,
    }
}

/// What lines are worked out for.
pub(super) struct Body<'a> {
    action: Action,
    /// What stands at the target of an update.
    current: Option<&'a Current<'a>>,
    /// The object that the lines fill, as a path.
    path: String,
}

impl<'a> Body<'a> {
    fn create() -> Self {
        Self { action: Action::Create, current: None, path: String::new() }
    }

    /// The lines of an update.
    pub(super) fn update(current: &'a Current<'a>) -> Self {
        Self { action: Action::Update, current: Some(current), path: String::new() }
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn within(&self, name: &str) -> Self {
        Self { action: self.action, current: self.current, path: self.at(name) }
    }

    /// Is a line of this name and policy sent?
    fn sends(&self, name: &str, policy: Option<PolicyKind>) -> bool {
        let free = |current: &Current<'_>| match policy {
            Some(PolicyKind::UnlessFilled) => !current.is_filled(&self.at(name)),
            Some(PolicyKind::UnlessEdited) => !current.is_edited(&self.at(name)),
            _ => true,
        };
        stands(policy, self.action) && self.current.is_none_or(free)
    }
}

/// The first target whose condition holds.
pub(super) fn choose<'c>(machine: &mut Decider<'_, '_>, code: &'c WriteCode) -> Result<Option<&'c TargetCode>, Stop> {
    for target in &code.targets {
        if machine.applies(target.when.as_ref())? {
            return Ok(Some(target));
        }
    }
    Ok(None)
}

/// Lines in order. While one waits, the later ones are looked at for what they want.
pub(super) fn lines(
    machine: &mut Decider<'_, '_>,
    lines: &[LineCode],
    body: &Body<'_>,
    fields: &mut Fields,
) -> Result<(), Stop> {
    let mut waiting = Waiting::default();
    for line in lines {
        waiting.take(self::line(machine, line, body, fields))?;
    }
    waiting.done()
}

fn line(machine: &mut Decider<'_, '_>, line: &LineCode, body: &Body<'_>, fields: &mut Fields) -> Result<(), Stop> {
    match line {
        LineCode::Guard(code) => guard(machine, code),
        LineCode::Ensure(number) => ensure(machine, *number),
        LineCode::Field(name, code, policy) => {
            if !body.sends(name, *policy) {
                return Ok(());
            }
            let value = machine.value(code)?;
            let left_out = value.is_blank() || (value == Value::Clear && body.action == Action::Create);
            if !left_out {
                put(fields, name, Node::Value(value));
            }
            Ok(())
        }
        LineCode::Object { name, repeats, policy, when, lines } => {
            if !body.sends(name, *policy) || !machine.applies(when.as_ref())? {
                return Ok(());
            }
            let mut inner = Fields::default();
            self::lines(machine, lines, &body.within(name), &mut inner)?;
            if !inner.0.is_empty() {
                put(fields, name, if *repeats { Node::List(vec![inner]) } else { Node::Object(inner) });
            }
            Ok(())
        }
        LineCode::Each(name, each) => {
            let mut waiting = Waiting::default();
            let mut rows = Vec::new();
            rounds(machine, each, &mut waiting, |machine, waiting| {
                let mut row = Fields::default();
                let done = waiting.take(self::lines(machine, &each.body, &body.within(name), &mut row))?;
                if done.is_some() && !row.0.is_empty() {
                    rows.push(row);
                }
                Ok(())
            })?;
            waiting.done()?;
            if !rows.is_empty() {
                put(fields, name, Node::List(rows));
            }
            Ok(())
        }
    }
}

/// Adds what stands at a name: objects of one name are one object, line objects add up in order.
fn put(fields: &mut Fields, name: &Arc<str>, node: Node) {
    match (fields.0.iter_mut().find(|(own, _)| own == name).map(|(_, node)| node), node) {
        (Some(Node::Object(own)), Node::Object(more)) => {
            for (name, node) in more.0 {
                put(own, &name, node);
            }
        }
        (Some(Node::List(own)), Node::List(more)) => own.extend(more),
        // `[]` adds nothing.
        (Some(Node::List(_)), Node::Value(Value::List(items))) if items.is_empty() => {}
        (Some(place), node) => *place = node,
        (None, node) => fields.0.push((name.clone(), node)),
    }
}

fn own_number(facts: &WriteFacts, fields: &Fields) -> Option<Arc<str>> {
    plain(fields, &facts.recognise.own_number.as_ref()?.field)
}

/// A value as a text that can be asked about; a key that is still to come is none.
fn plain(fields: &Fields, path: &str) -> Option<Arc<str>> {
    let value = fields.value(path)?;
    key_in(value).is_none().then(|| value.to_string().into())
}

/// The writes whose keys are in these fields: promised ones, and known ones that an ensure of this record makes true.
fn collect_needs(fields: &Fields, created: &[Created], needs: &mut Vec<Arc<str>>) {
    for (_, node) in &fields.0 {
        match node {
            Node::Value(Value::List(items)) => items.iter().for_each(|item| need(item, created, needs)),
            Node::Value(value) => need(value, created, needs),
            Node::Object(inner) => collect_needs(inner, created, needs),
            Node::List(rows) => rows.iter().for_each(|row| collect_needs(row, created, needs)),
        }
    }
}

fn need(value: &Value, created: &[Created], needs: &mut Vec<Arc<str>>) {
    let made = || created.iter().find(|created| created.value == *value).map(|created| created.name.clone());
    if let Some(name) = key_in(value).or_else(made)
        && !needs.contains(&name)
    {
        needs.push(name);
    }
}
