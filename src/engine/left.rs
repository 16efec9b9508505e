//! What koppel left at the targets, as decisions see it: whether a row was edited since, and what was last sent to
//! fields that no read shows.
//!
//! Takes rows as they are read, gives them with `.edited` filled in, and keeps how the target shows what was written.
//! Promises that only a read that began late enough after a write counts, so that a slow target is no edit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::{
    EngineError, Run, Stop,
    poll::Poll,
    question::typed,
    reads::{Answers, ask},
};
use crate::{
    clock,
    eval::{Left, Remembered},
    ledger::{Hasher, Hashes, Ledger, LeftAt, Target},
    schema::{WriteClass, WriteFacts},
    value::{Ask, EntityName, Filter, Node, Record, Value},
};

/// A record of a target: the written entity and its key.
type Place = (EntityName, Arc<str>);

/// What one record may ask about what koppel left. What it asked for and is not here yet is fetched before it is
/// decided.
#[derive(Debug)]
pub(super) struct Memories {
    hasher: Hasher,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    known: BTreeMap<Place, LeftAt>,
    missing: BTreeSet<Place>,
    adopted: BTreeMap<Place, Hashes>,
}

impl Memories {
    /// Empty.
    pub(super) fn new(hasher: Hasher) -> Self {
        Self { hasher, inner: Mutex::default() }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was asked for and is to be fetched.
    pub(super) fn missing(&self) -> Vec<Place> {
        self.with(|inner| inner.missing.iter().cloned().collect())
    }

    /// Takes what was fetched; says whether this record waited for any of it.
    pub(super) fn learn(&self, fetched: &BTreeMap<Place, LeftAt>) -> bool {
        self.with(|inner| {
            let waited = std::mem::take(&mut inner.missing);
            let any = !waited.is_empty();
            // Nothing is left where nothing can be written.
            let known =
                waited.into_iter().map(|place| (place.clone(), fetched.get(&place).cloned().unwrap_or_default()));
            inner.known.extend(known);
            any
        })
    }

    /// Another record has written meanwhile.
    pub(super) fn forget(&self) {
        self.with(|inner| *inner = Inner::default());
    }

    /// Fields that koppel never wrote and no read shows, with what it would leave there today.
    pub(super) fn adopted(&self, run: &Run) -> Vec<(Target, Hashes)> {
        let adopted = self.with(|inner| inner.adopted.clone());
        adopted.into_iter().filter_map(|(place, hashes)| Some((target(run, &place)?, hashes))).collect()
    }

    fn remembered(&self, entity: &EntityName, key: &Value, path: &str, node: &Node, shown: bool) -> Remembered {
        if matches!(key, Value::Key(_) | Value::Blank) {
            return Remembered::Never;
        }
        let place: Place = (entity.clone(), key.to_string().into());
        self.with(|inner| {
            let Some(left) = inner.known.get(&place) else {
                inner.missing.insert(place);
                return Remembered::Never;
            };
            let Some(field) = left.get(path) else {
                // What is still to come cannot be compared with what is sent another time.
                if !shown && !is_promised(node) {
                    inner.adopted.entry(place).or_default().insert(path.into(), self.hasher.leaf(node));
                }
                return Remembered::Never;
            };
            // As long as the target was not read late enough, what it shows is no edit.
            let own = if shown { field.base.as_ref() } else { Some(&field.hash) };
            match own {
                Some(own) if *own != self.hasher.leaf(node) => Remembered::Different,
                _ => Remembered::Same,
            }
        })
    }
}

impl Left for Memories {
    fn compare(&self, entity: &EntityName, key: &Value, path: &str, node: &Node) -> Remembered {
        self.remembered(entity, key, path, node, false)
    }

    fn shown(&self, entity: &EntityName, key: &Value, path: &str, value: &Value) -> Remembered {
        self.remembered(entity, key, path, &Node::Value(value.clone()), true)
    }
}

/// Does it hold the key of a write that is still to be made?
fn is_promised(node: &Node) -> bool {
    match node {
        Node::Value(Value::List(items)) => items.iter().any(|item| matches!(item, Value::Key(_))),
        Node::Value(value) => matches!(value, Value::Key(_)),
        Node::Object(fields) => fields.0.iter().any(|(_, node)| is_promised(node)),
        Node::List(rows) => rows.iter().flat_map(|row| &row.0).any(|(_, node)| is_promised(node)),
    }
}

fn target(run: &Run, (entity, key): &Place) -> Option<Target> {
    let conn = run.connection(&entity.role).ok()?.name().into();
    Some(Target { conn, entity: entity.entity.clone(), key: key.clone() })
}

/// Fetches what is left at these places.
pub(super) async fn fetch(
    run: &Run,
    ledger: &Ledger,
    places: BTreeSet<Place>,
) -> Result<BTreeMap<Place, LeftAt>, EngineError> {
    let targets = places.into_iter().filter_map(|place| Some((target(run, &place)?, place)));
    let (targets, places): (Vec<_>, Vec<_>) = targets.unzip();
    let left = ledger.left(targets).await?;
    Ok(places.into_iter().zip(left).collect())
}

/// An entity whose writes are shown by a read entity.
struct Writer<'a> {
    name: &'a Arc<str>,
    facts: &'a WriteFacts,
    key: &'a Arc<str>,
}

fn writers<'a>(run: &'a Run, shown_by: &EntityName) -> Vec<Writer<'a>> {
    let system = run.systems.get(&shown_by.role).and_then(|system| run.catalog.systems.get(system));
    let written = system.into_iter().flat_map(|system| &system.entities).filter_map(|(name, entity)| {
        let facts = entity.write.as_ref().filter(|facts| facts.shown_by.as_ref() == Some(&shown_by.entity))?;
        Some(Writer { name, facts, key: facts.shown_key()? })
    });
    written.collect()
}

/// The ask with all fields that show what koppel writes, where it wants to know about edits.
pub(super) fn telling(run: &Run, ask: &Ask) -> Ask {
    let wants = ask.fields.iter().any(|field| matches!(&**field, "edited" | "conflict"));
    if wants { showing(run, ask) } else { ask.clone() }
}

/// The ask with all fields that show what koppel writes.
pub(super) fn showing(run: &Run, ask: &Ask) -> Ask {
    let writers = writers(run, &ask.entity);
    let shown = writers.iter().flat_map(|writer| {
        let step = writer.facts.through.as_ref().map(|through| &through.by);
        writer.facts.shows.values().chain([writer.key]).chain(step)
    });
    let mut fields: Vec<Arc<str>> = ask.fields.iter().chain(shown).cloned().collect();
    fields.sort();
    fields.dedup();
    // A path to an object means all of it.
    let around = |path: &str| {
        path.match_indices('.')
            .any(|(end, _)| path.get(..end).is_some_and(|own| fields.iter().any(|field| **field == *own)))
    };
    let fields: Vec<Arc<str>> = fields.iter().filter(|path| !around(path)).cloned().collect();
    Ask { fields: fields.into(), ..ask.clone() }
}

type Answered = (Ask, Arc<[Record]>);

/// Asks all of these; rows of what koppel writes say whether they were edited since.
pub(super) async fn look(run: &Run, ledger: &Ledger, stop: &Stop, asks: Vec<Ask>) -> Result<Answers, EngineError> {
    let begun = clock::now();
    let wide: Vec<(Ask, Ask)> = asks.into_iter().map(|own| (telling(run, &own), own)).collect();
    let answers = ask(run, stop, wide.iter().map(|(wide, _)| wide.clone()).collect()).await?;
    let mut own = Answers::with_capacity(wide.len());
    let mut rows: BTreeMap<EntityName, Vec<Answered>> = BTreeMap::new();
    for (wide, ask) in wide {
        match answers.get(&wide) {
            Some(Ok(found)) if !found.is_empty() && !own.contains_key(&ask) => {
                rows.entry(ask.entity.clone()).or_default().push((ask.clone(), found.clone()));
                own.insert(ask, Ok(found.clone()));
            }
            Some(answer) => {
                own.entry(ask).or_insert_with(|| answer.clone());
            }
            None => {}
        }
    }
    for (entity, found) in rows {
        let mut all: Vec<Record> = found.iter().flat_map(|(_, rows)| rows.iter().cloned()).collect();
        if edited(run, ledger, stop, (&entity, begun), &mut all).await?.is_none() {
            continue;
        }
        let mut all = all.into_iter();
        for (ask, rows) in found {
            own.insert(ask, Ok(all.by_ref().take(rows.len()).collect()));
        }
    }
    Ok(own)
}

/// The way from a row to the one that shows the rest of it: the entity, its key field, and the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    entity: EntityName,
    field: Arc<str>,
    key: Arc<str>,
}

impl Step {
    /// None where nothing leads further.
    fn of(writer: &Writer<'_>, role: &Arc<str>, row: &Record) -> Option<Self> {
        let through = writer.facts.through.as_ref()?;
        let key = row.path(&through.by);
        let entity = EntityName { role: role.clone(), entity: through.read.clone() };
        (!key.is_blank()).then(|| Self { entity, field: through.key.clone(), key: key.to_string().into() })
    }
}

/// Does it take the row one step further to tell what is asked of this one, or to keep for the first time how it shows
/// what was left?
fn looks_further(writer: &Writer<'_>, row: &Record, left: &LeftAt, before: Timestamp) -> bool {
    let Some(through) = &writer.facts.through else { return false };
    let tells = row.shape().index("edited").is_some();
    left.iter().filter(|(path, _)| through.shows.contains_key(*path)).any(|(_, field)| match &field.base {
        Some(_) => tells,
        None => field.at <= before,
    })
}

/// The rows to which these steps lead, asked for in one go.
async fn further(
    run: &Run,
    stop: &Stop,
    writers: &[Writer<'_>],
    steps: Vec<Step>,
) -> Result<BTreeMap<Step, Record>, EngineError> {
    let mut keys: BTreeMap<(EntityName, Arc<str>), BTreeSet<Arc<str>>> = BTreeMap::new();
    for step in steps {
        keys.entry((step.entity, step.field)).or_default().insert(step.key);
    }
    let mut out = BTreeMap::new();
    for ((entity, field), keys) in keys {
        let system = run.systems.get(&entity.role);
        let read = system.and_then(|system| run.catalog.entity(system, &entity.entity)?.read.as_ref());
        let Some(read) = read else { continue };
        let of_keys = keys.iter().map(|key| typed(&Value::text(key), &read.object, &field)).collect();
        let ways = writers.iter().filter_map(|writer| writer.facts.through.as_ref());
        let shown = ways.filter(|through| through.read == entity.entity).flat_map(|through| through.shows.values());
        let fields: BTreeSet<Arc<str>> = shown.chain([&field]).cloned().collect();
        let filter = Filter::In(field.clone(), of_keys);
        let own = Ask { entity: entity.clone(), filter, fields: fields.into_iter().collect() };
        let mut answers = ask(run, stop, vec![own.clone()]).await?;
        // What cannot be read tells of no edit.
        let Some(Ok(rows)) = answers.remove(&own) else { continue };
        for row in rows.iter() {
            let key = row.path(&field).to_string().into();
            out.insert(Step { entity: entity.clone(), field: field.clone(), key }, row.clone());
        }
    }
    Ok(out)
}

/// Which of these rows, read since then, a person has edited after koppel wrote them; `.edited` is filled in. None
/// where koppel writes nothing that this entity shows.
pub(super) async fn edited(
    run: &Run,
    ledger: &Ledger,
    stop: &Stop,
    (entity, begun): (&EntityName, Timestamp),
    rows: &mut [Record],
) -> Result<Option<Vec<bool>>, EngineError> {
    let writers = writers(run, entity);
    let connector = run.connection(&entity.role)?;
    let (conn, hasher): (Arc<str>, _) = (connector.name().into(), ledger.hasher());
    let has = |row: &Record, path: &str| row.shape().index(path.split('.').next().unwrap_or(path)).is_some();
    let mut targets: BTreeMap<Target, Vec<(usize, &Writer<'_>)>> = BTreeMap::new();
    for writer in &writers {
        for (at, row) in rows.iter().enumerate().filter(|(_, row)| has(row, writer.key)) {
            let key = row.path(writer.key).to_string().into();
            let target = Target { conn: conn.clone(), entity: writer.name.clone(), key };
            targets.entry(target).or_default().push((at, writer));
        }
    }
    if targets.is_empty() {
        return Ok(None);
    }
    let left = ledger.left(targets.keys().cloned().collect()).await?;
    let before = begun.checked_sub(connector.read_lag()).unwrap_or(Timestamp::UNIX_EPOCH);
    let all_left = targets.values().zip(&left).flat_map(|(shown, left)| shown.iter().map(move |shown| (shown, left)));
    let mut steps = Vec::new();
    for ((at, writer), left) in all_left {
        let Some(row) = rows.get(*at).filter(|row| looks_further(writer, row, left, before)) else { continue };
        steps.extend(Step::of(writer, &entity.role, row));
    }
    let further = further(run, stop, &writers, steps).await?;
    let mut bases: Vec<(Target, Hashes)> = Vec::new();
    let mut all = vec![false; rows.len()];
    for ((target, shown), left) in targets.into_iter().zip(left) {
        let mut first = Hashes::new();
        for (at, writer) in shown {
            let Some(row) = rows.get(at) else { continue };
            let behind = Step::of(writer, &entity.role, row).and_then(|step| further.get(&step));
            for (path, field) in &left {
                let in_row = writer.facts.shows.get(path).filter(|read| has(row, read)).map(|read| row.path(read));
                let in_behind = || Some(behind?.path(writer.facts.through.as_ref()?.shows.get(path)?));
                let Some(now) = in_row.or_else(in_behind) else { continue };
                let now = hasher.value(now);
                match &field.base {
                    Some(base) => {
                        if let Some(edited) = all.get_mut(at) {
                            *edited |= *base != now;
                        }
                    }
                    None if field.at <= before => {
                        first.insert(path.clone(), now);
                    }
                    None => {}
                }
            }
        }
        if !first.is_empty() {
            bases.push((target, first));
        }
    }
    if !bases.is_empty() {
        ledger.set_bases(bases, before).await?;
    }
    for (row, edited) in rows.iter_mut().zip(&all) {
        if let Some(place) = row.shape().index("edited") {
            let mut values: Vec<Value> = row.iter().map(|(_, value)| value.clone()).collect();
            if let Some(value) = values.get_mut(place) {
                *value = Value::Bool(*edited);
            }
            *row = Record::new(row.shape().clone(), values);
        }
    }
    Ok(Some(all))
}

/// Reads what was written to master records once more, late enough that the target shows it: from then on another value
/// is an edit by a person. Asked for in few calls, and once for each write.
pub(super) async fn keep_bases(poll: &Poll<'_>) -> Result<(), EngineError> {
    let Poll { run, ledger, stop, .. } = *poll;
    for (role, connector) in &run.connections {
        let system = run.systems.get(role).and_then(|system| run.catalog.systems.get(system));
        for (name, entity) in system.into_iter().flat_map(|system| &system.entities) {
            let Some(facts) = entity.write.as_ref().filter(|facts| facts.class == WriteClass::Master) else { continue };
            let (Some(shown_by), Some(key)) = (&facts.shown_by, facts.shown_key()) else { continue };
            let begun = clock::now();
            let before = begun.checked_sub(connector.read_lag()).unwrap_or(Timestamp::UNIX_EPOCH);
            let keys = ledger.unread((connector.name(), name), before).await?;
            let shown_by = EntityName { role: role.clone(), entity: shown_by.clone() };
            let read = run.systems.get(role).and_then(|system| run.catalog.entity(system, &shown_by.entity));
            let (false, Some(read)) = (keys.is_empty(), read.and_then(|entity| entity.read.as_ref())) else { continue };
            poll.acquainted().await?;
            let of_keys = keys.iter().map(|own| typed(&Value::text(own), &read.object, key)).collect();
            let own = Ask { entity: shown_by.clone(), filter: Filter::In(key.clone(), of_keys), fields: [].into() };
            let own = showing(run, &own);
            // Nothing hangs on it now: it is asked again at the next poll, and who needs the connection tells its trouble.
            let Ok(mut answers) = ask(run, stop, vec![own.clone()]).await else { continue };
            let Some(Ok(rows)) = answers.remove(&own) else { continue };
            match edited(run, ledger, stop, (&shown_by, begun), &mut rows.to_vec()).await {
                // Nor on the rows one step further.
                Err(EngineError::Connection { .. }) => continue,
                told => told?,
            };
            let conn: Arc<str> = connector.name().into();
            let read = keys.into_iter().map(|key| Target { conn: conn.clone(), entity: name.clone(), key }).collect();
            ledger.were_read(read, before).await?;
        }
    }
    Ok(())
}
