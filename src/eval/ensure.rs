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
        code::{AlternativeCode, Code, EnsureCode, Search, TargetCode, WriteCode},
        compute::{Place, Stop},
    },
    value::{Action, Chosen, Ensured, Record, Value, Verdict, Write},
};

/// What the alternatives have come to.
struct Choice {
    value: Value,
    chosen: Chosen,
    role: Arc<str>,
    family: Arc<str>,
    key: Value,
    /// A create that is confirmed: there is nothing left to choose.
    confirmed: bool,
}

impl Choice {
    /// A choice that creates nothing.
    fn of(ensure: &EnsureCode, value: Value, chosen: Chosen) -> Self {
        let (role, family) = ensure.family.clone();
        Self { value, chosen, role, family, key: Value::Blank, confirmed: false }
    }
}

/// The value of an ensure; it is noted with what its choice hangs on.
pub(super) fn ensure(machine: &mut Decider<'_, '_>, ensure: &EnsureCode) -> Result<Value, Stop> {
    let name = machine.world.name(&ensure.name, ensure.depth);
    if let Some(value) = machine.world.confirmed.get(&name) {
        pass_over(machine, ensure);
        machine.world.passed.insert(name);
        return Ok(value.clone());
    }
    machine.world.asked.retain(|(row, _)| !ensure.searches.contains(row));
    let Some(choice) = choose(machine, ensure, false)? else { return Ok(Value::Blank) };
    let asked = machine.world.asked.iter().filter(|(row, _)| ensure.searches.contains(row));
    let asks = asked.map(|(_, ask)| ask.clone()).collect();
    let Choice { value, chosen, role, family, mut key, confirmed } = choice;
    if confirmed {
        return Ok(value);
    }
    let mut compared = Vec::new();
    if chosen != Chosen::Taken {
        identity(machine, ensure, &mut compared)?;
    }
    if let Chosen::Create(create) = &chosen {
        if key.is_blank() {
            // Nothing of its own recognises it: what was searched does.
            key = Value::List(compared.as_slice().into());
        }
        // A create that two ensures share belongs to the first.
        if let Some(write) = machine.world.writes.iter_mut().find(|write| write.name == *create) {
            write.ensure.get_or_insert_with(|| name.clone());
        }
    }
    machine.world.ensured.push(Ensured { name, chosen, role, family, key, compared, asks });
    Ok(value)
}

/// The values that all finds compare, each once, whichever of them were tried: the thing is the same on whatever way
/// it is come by. One that cannot be worked out here did not matter, and counts as blank.
fn identity(machine: &mut Decider<'_, '_>, ensure: &EnsureCode, compared: &mut Vec<Value>) -> Result<(), Stop> {
    for alternative in &ensure.alternatives {
        match alternative {
            AlternativeCode::Find { search, .. } => {
                let mut codes = Vec::new();
                search.filter.each_identifying(&mut |code| codes.push(code));
                for code in codes {
                    let value = match machine.value(code) {
                        Ok(value) => value,
                        Err(Stop::Ends(_)) => Value::Blank,
                        Err(Stop::Waits) => return Err(Stop::Waits),
                    };
                    if !compared.contains(&value) {
                        compared.push(value);
                    }
                }
            }
            AlternativeCode::Include(inner) => identity(machine, inner, compared)?,
            AlternativeCode::Take(_)
            | AlternativeCode::Update(_)
            | AlternativeCode::Create(_)
            | AlternativeCode::Guard(..) => {}
        }
    }
    Ok(())
}

/// The creates of an ensure that is confirmed are as much in the decision as they were.
fn pass_over(machine: &mut Decider<'_, '_>, ensure: &EnsureCode) {
    for alternative in &ensure.alternatives {
        match alternative {
            AlternativeCode::Create(write) => {
                let name = machine.world.name(&write.name, write.depth);
                if machine.world.confirmed.contains_key(&name) {
                    machine.world.passed.insert(name);
                }
            }
            AlternativeCode::Include(inner) => pass_over(machine, inner),
            AlternativeCode::Take(_)
            | AlternativeCode::Update(_)
            | AlternativeCode::Find { .. }
            | AlternativeCode::Guard(..) => {}
        }
    }
}

/// The first alternative that gives a value. `in_advance`: something before it is undecided, so it is only looked at
/// for what it wants.
fn choose(machine: &mut Decider<'_, '_>, ensure: &EnsureCode, in_advance: bool) -> Result<Option<Choice>, Stop> {
    set_found(machine, ensure, Place::Value(Value::Blank), &Place::Value(Value::Blank));
    let mut given: Option<Choice> = None;
    let mut row_found = false;
    let mut waits = in_advance;
    for alternative in &ensure.alternatives {
        let result = match alternative {
            AlternativeCode::Guard(code, of_found) => {
                let runs = if *of_found { row_found } else { given.is_none() };
                if runs { guard(machine, code).map(|()| None) } else { Ok(None) }
            }
            AlternativeCode::Update(when) => match (row_found, given.as_ref()) {
                (true, Some(choice)) => {
                    let key = choice.value.clone();
                    update(machine, ensure, when.as_ref(), &key).map(|()| None)
                }
                _ => Ok(None),
            },
            _ if given.is_some() => Ok(None),
            AlternativeCode::Take(code) => {
                machine.value(code).map(|value| (!value.is_blank()).then(|| Choice::of(ensure, value, Chosen::Taken)))
            }
            AlternativeCode::Find { search, first, gives } => {
                let found = find(machine, ensure, search, *first, gives);
                row_found = matches!(found, Ok(Some(_)));
                found
            }
            AlternativeCode::Create(_) if waits => return Err(Stop::Waits),
            AlternativeCode::Create(write) => create(machine, write),
            AlternativeCode::Include(inner) => {
                let result = choose(machine, inner, waits);
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
            // Below it nothing is reached, whatever comes of what waits.
            Ok(Some(_)) | Err(Stop::Ends(_)) if waits => return Err(Stop::Waits),
            Ok(Some(choice)) => given = Some(choice),
            Err(Stop::Waits) => {
                waits = true;
                if given.is_none() {
                    set_found(machine, ensure, Place::Stopped(Stop::Waits), &Place::Stopped(Stop::Waits));
                }
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

/// Puts the found row in its place, and what is to be known of the names that depend on it: until there is one they
/// are names of lines that did not run.
fn set_found(machine: &mut Decider<'_, '_>, ensure: &EnsureCode, found: Place, names: &Place) {
    machine.put(ensure.found, found);
    for name in &ensure.of_found {
        machine.put(*name, names.clone());
    }
}

/// `find … gives`
fn find(
    machine: &mut Decider<'_, '_>,
    ensure: &EnsureCode,
    search: &Search,
    first: bool,
    gives: &str,
) -> Result<Option<Choice>, Stop> {
    let rows = search::rows(machine, search)?;
    let row = if first { rows.first().cloned() } else { search::one(machine, search, &rows)? };
    let Some(row) = row else { return Ok(None) };
    let key = row.path(gives).clone();
    if key.is_blank() {
        let text = format!("the row of {} has no `{gives}`", search.read.name.entity);
        return Err(machine.fails(search.span, text));
    }
    set_found(machine, ensure, Place::Value(Value::Record(row.clone())), &Place::Empty);
    conflict(machine, ensure, &row, &key)?;
    Ok(Some(Choice::of(ensure, key.clone(), Chosen::Found(key))))
}

/// `update found`: among the writes, unless this record already changes the same thing.
fn update(machine: &mut Decider<'_, '_>, ensure: &EnsureCode, when: Option<&Code>, key: &Value) -> Result<(), Stop> {
    if !machine.applies(when)? {
        return Ok(());
    }
    let Some(write) = found_update(machine, ensure, key)? else { return Ok(()) };
    let same = |other: &&Write| {
        other.action == Action::Update
            && other.entity == write.entity
            && other.fields.0.first() == write.fields.0.first()
    };
    if !machine.world.writes.iter().any(|other| same(&other)) {
        machine.world.writes.push(write);
    }
    Ok(())
}

/// What `update found` would send.
fn found_update(machine: &mut Decider<'_, '_>, ensure: &EnsureCode, key: &Value) -> Result<Option<Write>, Stop> {
    let Place::Value(Value::Record(row)) = machine.place(ensure.found).clone() else { return Ok(None) };
    let read = ensure.alternatives.iter().find_map(|one| match one {
        AlternativeCode::Find { search, .. } => Some(&search.read.name),
        _ => None,
    });
    match read {
        Some(read) => super::update::found(machine, ensure, read, &row, key),
        None => Ok(None),
    }
}

/// Whether a row that a person edited is in conflict: this ensure would have something to send to it, its own `when`
/// left out of account. A row that says it itself is believed.
fn conflict(machine: &mut Decider<'_, '_>, ensure: &EnsureCode, row: &Record, key: &Value) -> Result<(), Stop> {
    let shape = row.shape();
    let asked = shape.index("conflict").filter(|place| row.at(*place).is_blank());
    let (Some(place), Value::Bool(true)) = (asked, row.get("edited")) else { return Ok(()) };
    let warnings = machine.world.warnings.len();
    let something = match found_update(machine, ensure, key) {
        Ok(write) => write.is_some(),
        // What ends the update ends it where it stands.
        Err(Stop::Ends(_)) => false,
        Err(Stop::Waits) => return Err(Stop::Waits),
    };
    machine.world.warnings.truncate(warnings);
    let mut values: Vec<Value> = row.iter().map(|(_, value)| value.clone()).collect();
    if let Some(value) = values.get_mut(place) {
        *value = Value::Bool(something);
    }
    machine.set(ensure.found, Value::Record(Record::new(shape.clone(), values)));
    Ok(())
}

/// The create of an ensure. One that recognises the same thing as another of this record is that one.
fn create(machine: &mut Decider<'_, '_>, code: &WriteCode) -> Result<Option<Choice>, Stop> {
    let Some(made) = super::write::make(machine, code)? else { return Ok(None) };
    let role = made.target.name.role.clone();
    let facts = made.target.entity.write.as_ref().and_then(|write| write.family.as_ref());
    let family = facts.map_or(&made.target.name.entity, |(family, _)| family).clone();
    let Some(write) = made.write else {
        // Confirmed already.
        let chosen = Chosen::Create(made.name);
        return Ok(Some(Choice { value: made.value, chosen, role, family, key: Value::Blank, confirmed: true }));
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
        return Ok(Some(Choice { value, chosen: Chosen::Create(name), role, family, key, confirmed: false }));
    }
    machine.set(code.var, made.value.clone());
    machine.world.writes.push(write);
    machine.world.created.push(Created {
        role: role.clone(),
        family: family.clone(),
        key: key.clone(),
        name: made.name.clone(),
        value: made.value.clone(),
    });
    Ok(Some(Choice { value: made.value, chosen: Chosen::Create(made.name), role, family, key, confirmed: false }))
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
