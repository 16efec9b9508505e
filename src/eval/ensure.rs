//! `ensure`: the first alternative that gives a value.
//!
//! After a find that gave a row only what depends on it still runs. While a find waits, later finds are asked for in
//! advance, but no create is looked into: it may never be made.

use std::sync::Arc;

use super::{
    decide::{Created, Decider, guard},
    search,
};
use crate::{
    plan::{
        code::{AlternativeCode, EnsureCode, TargetCode, WriteCode},
        compute::{Place, Stop},
    },
    value::{Chosen, Ensured, Value, Verdict, Write},
};

/// What the alternatives have come to.
struct Choice {
    value: Value,
    chosen: Chosen,
    role: Arc<str>,
    family: Arc<str>,
    key: Value,
}

/// The value of an ensure; it is noted with what its choice hangs on.
pub(super) fn ensure(machine: &mut Decider<'_, '_>, ensure: &EnsureCode) -> Result<Value, Stop> {
    let name = machine.world.name(&ensure.name, ensure.depth);
    if let Some(value) = machine.world.confirmed.get(&name) {
        return Ok(value.clone());
    }
    machine.world.asked.retain(|(row, _)| !ensure.searches.contains(row));
    let mut compared = Vec::new();
    let Some(choice) = choose(machine, ensure, &mut compared)? else { return Ok(Value::Blank) };
    let asked = machine.world.asked.iter().filter(|(row, _)| ensure.searches.contains(row));
    let asks = asked.map(|(_, ask)| ask.clone()).collect();
    let Choice { value, chosen, role, family, mut key } = choice;
    if key.is_blank() && matches!(chosen, Chosen::Create(_)) {
        // Nothing of its own recognises it: what was searched does.
        key = Value::List(compared.as_slice().into());
    }
    machine.world.ensured.push(Ensured { name, chosen, role, family, key, compared, asks });
    Ok(value)
}

fn choose(
    machine: &mut Decider<'_, '_>,
    ensure: &EnsureCode,
    compared: &mut Vec<Value>,
) -> Result<Option<Choice>, Stop> {
    let (role, family) = &ensure.family;
    let choice = |value, chosen| Choice {
        value,
        chosen,
        role: role.clone(),
        family: family.clone(),
        key: Value::Blank,
    };
    // Until a row is found, names that depend on it are those of lines that did not run.
    let names_of_found = |machine: &mut Decider<'_, '_>, place: &Place| {
        for name in &ensure.of_found {
            machine.put(*name, place.clone());
        }
    };
    machine.set(ensure.found, Value::Blank);
    names_of_found(machine, &Place::Value(Value::Blank));
    let mut given: Option<Choice> = None;
    let mut row_found = false;
    let mut waits = false;
    for alternative in &ensure.alternatives {
        let result = match alternative {
            AlternativeCode::Guard(code, of_found) => {
                let runs = if *of_found { row_found } else { given.is_none() };
                if runs { guard(machine, code).map(|()| None) } else { Ok(None) }
            }
            _ if given.is_some() => Ok(None),
            AlternativeCode::Take(code) => {
                machine.value(code).map(|value| (!value.is_blank()).then(|| choice(value, Chosen::Taken)))
            }
            AlternativeCode::Find { search, first, gives } => {
                let found = search::rows(machine, search, compared).and_then(|rows| match first {
                    true => Ok(rows.first().cloned()),
                    false => search::one(machine, search, &rows),
                });
                match found {
                    Ok(Some(row)) if waits => {
                        let _ = row;
                        return Err(Stop::Waits);
                    }
                    Ok(Some(row)) => {
                        let key = row.path(gives).clone();
                        if key.is_blank() {
                            return Err(search::without_key(machine, search, gives, search.span));
                        }
                        machine.set(ensure.found, Value::Record(row));
                        names_of_found(machine, &Place::Empty);
                        row_found = true;
                        Ok(Some(choice(key.clone(), Chosen::Found(key))))
                    }
                    Ok(None) => Ok(None),
                    Err(stop) => Err(stop),
                }
            }
            AlternativeCode::Create(_) if waits => return Err(Stop::Waits),
            AlternativeCode::Create(write) => create(machine, ensure, write),
            AlternativeCode::Include(inner) => {
                let result = choose(machine, inner, compared);
                let place = match &result {
                    Ok(choice) => Place::Value(choice.as_ref().map_or(Value::Blank, |choice| choice.value.clone())),
                    Err(stop) => Place::Stopped(stop.clone()),
                };
                machine.put(inner.var, place);
                result
            }
        };
        match result {
            Ok(None) => {}
            Ok(Some(_)) | Err(Stop::Ends(_)) if waits => return Err(Stop::Waits),
            Ok(Some(choice)) => given = Some(choice),
            Err(Stop::Waits) => {
                waits = true;
                machine.put(ensure.found, Place::Stopped(Stop::Waits));
                names_of_found(machine, &Place::Stopped(Stop::Waits));
            }
            Err(ends) => return Err(ends),
        }
    }
    if waits {
        return Err(Stop::Waits);
    }
    if let Some((choice, limit)) = given.as_ref().zip(ensure.limit.as_ref()) {
        machine.fits(&choice.value, limit)?;
    }
    Ok(given)
}

/// The create of an ensure. One that recognises the same thing as another of this record is that one.
fn create(machine: &mut Decider<'_, '_>, ensure: &EnsureCode, code: &WriteCode) -> Result<Option<Choice>, Stop> {
    let Some(made) = super::write::make(machine, code)? else { return Ok(None) };
    let role = made.target.name.role.clone();
    let facts = made.target.entity.write.as_ref().and_then(|write| write.family.as_ref());
    let family = facts.map_or(&made.target.name.entity, |(family, _)| family).clone();
    let Some(mut write) = made.write else {
        // Confirmed already.
        let chosen = Chosen::Create(made.name);
        return Ok(Some(Choice { value: made.value, chosen, role, family, key: Value::Blank }));
    };
    let paths = facts.map_or(&[][..], |(_, paths)| paths.as_slice());
    let key = recognition(paths, &write);
    if key.is_blank() && !paths.is_empty() {
        let label = &made.target.entity.label;
        let text = format!("a new {label} cannot be told from others: `{}` is blank", paths.join("` and `"));
        return Err(machine.ends(Verdict::Hold, code.span, text.clone(), text));
    }
    let same = |created: &&Created| created.role == role && created.family == family && created.key == key;
    let earlier = machine.world.created.iter().find(same).filter(|_| !key.is_blank());
    if let Some((name, value)) = earlier.map(|created| (created.name.clone(), created.value.clone())) {
        machine.set(code.var, value.clone());
        return Ok(Some(Choice { value, chosen: Chosen::Create(name), role, family, key }));
    }
    machine.set(code.var, made.value.clone());
    write.ensure = Some(machine.world.name(&ensure.name, ensure.depth));
    machine.world.writes.push(write);
    machine.world.created.push(Created {
        role: role.clone(),
        family: family.clone(),
        key: key.clone(),
        name: made.name.clone(),
        value: made.value.clone(),
    });
    Ok(Some(Choice { value: made.value, chosen: Chosen::Create(made.name), role, family, key }))
}

/// The first of the recognising fields that is filled.
fn recognition(paths: &[Arc<str>], write: &Write) -> Value {
    paths.iter().find_map(|path| write.fields.value(path)).cloned().unwrap_or_default()
}

/// A create as its lines make it.
pub(super) struct Made<'a> {
    /// Its name.
    pub(super) name: Arc<str>,
    /// The target that applies.
    pub(super) target: &'a TargetCode,
    /// Its key, or the promise of it.
    pub(super) value: Value,
    /// None: it is confirmed and not made again.
    pub(super) write: Option<Write>,
}
