//! Ensured things: their locks, the reading under the locks, and what the ledger knows of them.
//!
//! A page is decided before anything of it is written. So who would create a thing takes its lock, reads again what
//! the decision hangs on, and decides again when a row differs: the second record of a page finds what the first made.
//! The locks of what is changed are taken with them, and a decision that another write has overtaken is made again.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Instant,
};

use super::{Answer, Applying, Entry, Halt, Making, ended};
use crate::{
    crash,
    engine::{
        EngineError,
        decide::{Decided, again, read_now},
        question::question,
        reads::{Rows, ask},
        settle::{Asking, late, tell},
    },
    ledger::{Command, Event, Finding, LockName, Locks, Question, Row, State, Thing},
    value::{Ask, Chosen, Decision, Ensured, EntityName, Fields, Filter, Node, Outcome, Value, Verdict, Write},
};

/// So often a decision may want other locks than it holds.
const TRIES: u32 = 3;

/// Things that the decision would create, and what was seen of them under their locks.
pub(super) struct Made {
    /// When the reads under the locks began.
    pub(super) asked: Instant,
    /// By name of the ensure.
    pub(super) things: BTreeMap<Arc<str>, Thing>,
    /// Keys of those that the ledger knows already, by name of the create.
    pub(super) keys: BTreeMap<Arc<str>, Arc<str>>,
    /// What was asked about those that were tried before, by name of the create.
    pub(super) judged: BTreeMap<Arc<str>, Answer>,
}

/// What the ledger knows of the things, looked up under their locks.
enum Known {
    Keys(BTreeMap<Arc<str>, Arc<str>>, BTreeMap<Arc<str>, Answer>),
    /// Something under the locks became void after the reads began: they may have missed it.
    ReadAgain,
}

impl Applying<'_> {
    /// Takes the locks of all that would be created, and makes the decision hold under them.
    pub(super) async fn things(
        &self,
        entry: &Entry,
        decision: &mut Decision,
        rows: &mut Rows,
    ) -> Result<(Option<Locks>, Made), Halt> {
        let mut things = self.wanted(entry, decision)?;
        for _ in 0..TRIES {
            let held = self.locks(&things, decision)?;
            if held.is_empty() {
                let keys = self.made_before(entry, decision).await?;
                return Ok((None, Made { asked: Instant::now(), things, keys, judged: BTreeMap::new() }));
            }
            let locks = self.ledger.lock(held.clone()).await;
            crash::point("locked");
            let mut asked = Instant::now();
            if self.ending() {
                return Err(Halt::Later);
            }
            let mut fresh = HashSet::new();
            let outdated = self.outdated(decision).await?;
            if !outdated.is_empty() {
                rows.forget(&outdated);
                entry.left.forget();
                self.afresh(entry, decision, rows, &mut fresh).await?;
                things = self.wanted(entry, decision)?;
                if !self.locks(&things, decision)?.iter().all(|lock| held.contains(lock)) {
                    continue;
                }
            }
            loop {
                let asks = if things.is_empty() { Vec::new() } else { hanging_on(decision, &fresh) };
                if asks.is_empty() {
                    match self.known_to_the_ledger(entry, decision, &things, asked).await? {
                        Known::ReadAgain => {
                            asked = Instant::now();
                            fresh.clear();
                            continue;
                        }
                        Known::Keys(mut keys, judged) => {
                            keys.extend(self.made_before(entry, decision).await?);
                            return Ok((Some(locks), Made { asked, things, keys, judged }));
                        }
                    }
                }
                let answers = match read_now(self.run, self.ledger, self.stop, entry, asks).await? {
                    Ok(answers) => answers,
                    Err(refused) => return Err(ended(&refused.outcome).unwrap_or(Halt::Unsettled)),
                };
                let mut differs = false;
                for (ask, answer) in answers {
                    fresh.insert(ask.clone());
                    if rows.get(&ask) != Some(&answer) {
                        differs = true;
                        rows.put(ask, answer);
                    }
                }
                if !differs {
                    continue;
                }
                self.afresh(entry, decision, rows, &mut fresh).await?;
                things = self.wanted(entry, decision)?;
                if !self.locks(&things, decision)?.iter().all(|lock| held.contains(lock)) {
                    break;
                }
            }
        }
        Err(self.hold(None, "busy: what it hangs on kept changing while it was looked at"))
    }

    /// What one record finds of a thing that is in doubt settles it for all: nobody else can ask for it, since only its
    /// hashes are kept.
    pub(super) async fn found_in_doubt(&self, decided: &[Decided]) -> Result<(), EngineError> {
        let doubts = self.ledger.doubts().await?;
        let doubts: Vec<Row> = doubts.into_iter().filter(Row::is_thing).collect();
        if doubts.is_empty() {
            return Ok(());
        }
        for ensured in decided.iter().flat_map(|decided| &decided.decision.ensured) {
            let Chosen::Found(key) = &ensured.chosen else { continue };
            let conn: Arc<str> = self.run.connection(&ensured.role)?.name().into();
            // The key that it was made with is not part of what was found; mostly it is one of what was compared.
            let things = ensured
                .compared
                .iter()
                .map(|own| self.ledger.thing(&ensured.name, &conn, &ensured.family, own, &ensured.compared));
            let Some(thing) = things.into_iter().find(|thing| doubts.iter().any(|row| row.is(thing))) else { continue };
            let _lock = self.ledger.lock(vec![thing.lock.clone()]).await;
            let begun = Instant::now();
            for row in self.ledger.under(&thing.lock).await? {
                if row.is(&thing) && matches!(row.standing.state, State::Unsettled | State::Keyless | State::Unclear) {
                    let event = Event::Asked { finding: Finding::Ours, late: false, control: true };
                    tell(self.ledger, self.journal, &row, event, Some(key.to_string().into()), begun).await?;
                }
            }
        }
        Ok(())
    }

    /// Decides again, with these rows.
    async fn afresh(
        &self,
        entry: &Entry,
        decision: &mut Decision,
        rows: &mut Rows,
        fresh: &mut HashSet<Ask>,
    ) -> Result<(), Halt> {
        *decision = again(self.run, self.ledger, self.stop, self.today, entry, rows, fresh).await?;
        ended(&decision.outcome).map_or(Ok(()), Err)
    }

    /// The locks of what would be created and of what would be changed.
    fn locks(&self, things: &BTreeMap<Arc<str>, Thing>, decision: &Decision) -> Result<Vec<LockName>, Halt> {
        let mut locks = self.changed(decision)?;
        locks.extend(things.values().map(|thing| thing.lock.clone()));
        Ok(locks)
    }

    /// The keys of what a record that was done would create, where the ledger has confirmed that: it is not made again,
    /// whichever record made it.
    async fn made_before(&self, entry: &Entry, decision: &Decision) -> Result<BTreeMap<Arc<str>, Arc<str>>, Halt> {
        let mut keys = BTreeMap::new();
        let Outcome::Writes(writes) = &decision.outcome else { return Ok(keys) };
        if !entry.sealed() {
            return Ok(keys);
        }
        let things = self.created(decision)?;
        for write in writes {
            let Some(thing) = write.ensure.as_ref().and_then(|name| things.get(name)) else { continue };
            let rows = self.ledger.under(&thing.lock).await?;
            let made = rows.into_iter().find(|row| row.is(thing) && row.standing.state == State::Confirmed);
            if let Some(key) = made.and_then(|row| row.target_key) {
                keys.insert(write.name.clone(), key);
            }
        }
        Ok(keys)
    }

    /// The things that a decision would create and that are to be made; a record that was done makes none.
    fn wanted(&self, entry: &Entry, decision: &Decision) -> Result<BTreeMap<Arc<str>, Thing>, Halt> {
        if entry.sealed() { Ok(BTreeMap::new()) } else { self.created(decision) }
    }

    /// The things that a decision would create.
    fn created(&self, decision: &Decision) -> Result<BTreeMap<Arc<str>, Thing>, Halt> {
        let mut things = BTreeMap::new();
        for ensured in creating(decision) {
            let conn: Arc<str> = self.run.connection(&ensured.role)?.name().into();
            let thing = self.ledger.thing(&ensured.name, &conn, &ensured.family, &ensured.key, &ensured.compared);
            things.insert(ensured.name.clone(), thing);
        }
        Ok(things)
    }

    /// Looks up, under the locks, what the ledger knows of the things: in doubt, it is asked for; made before and not
    /// found by its marks, its key is used as long as the thing is there; tried before, it is asked for with a key that
    /// certainly exists. `asked` is when the reads began that found nothing.
    async fn known_to_the_ledger(
        &self,
        entry: &Entry,
        decision: &Decision,
        things: &BTreeMap<Arc<str>, Thing>,
        asked: Instant,
    ) -> Result<Known, Halt> {
        let mut keys = BTreeMap::new();
        let mut judged = BTreeMap::new();
        let Outcome::Writes(writes) = &decision.outcome else { return Ok(Known::Keys(keys, judged)) };
        for write in writes {
            let Some(thing) = write.ensure.as_ref().and_then(|name| things.get(name)) else { continue };
            for row in self.ledger.under(&thing.lock).await? {
                match row.standing.state {
                    // Another flow ended here without telling what came of it: the next start asks.
                    State::Intended => return Err(Halt::Unsettled),
                    State::Unsettled | State::Keyless | State::Unclear => {
                        match self.settled(entry, write, thing, &row).await? {
                            Some(key) => {
                                keys.insert(write.name.clone(), key);
                            }
                            None => return Ok(Known::ReadAgain),
                        }
                    }
                    State::Confirmed if row.is(thing) => match self.still_there(write, &row).await? {
                        Some(key) => {
                            keys.insert(write.name.clone(), key);
                        }
                        None => return Ok(Known::ReadAgain),
                    },
                    // Another thing under the same key, just made: it may be the one, and not be shown yet.
                    State::Confirmed => {
                        let lag = self.run.connection(&write.entity.role)?.read_lag();
                        if self.ledger.since(row.id).checked_add(lag).is_none_or(|shown| asked < shown) {
                            return Err(Halt::Unsettled);
                        }
                    }
                    State::Void if self.ledger.since(row.id) >= asked => return Ok(Known::ReadAgain),
                    State::Void if row.is(thing) && row.standing.attempt > 0 => {
                        if let Some(answer) = self.asked_with_control(write, &row).await? {
                            judged.insert(write.name.clone(), answer);
                        }
                    }
                    State::None | State::Void => {}
                }
            }
        }
        Ok(Known::Keys(keys, judged))
    }

    /// Asks for a thing that was tried before by the marks of its create, together with a key that certainly exists.
    async fn asked_with_control(&self, write: &Write, row: &Row) -> Result<Option<Answer>, Halt> {
        let Some(question) = self.marks(write) else { return Ok(None) };
        let asking = Asking::new(self.ledger, &row.conn, &write.entity.role, &row.entity, question).await?;
        let answers = ask(self.run, self.stop, vec![asking.ask.clone()]).await?;
        Ok(Some(asking.judge(&answers)))
    }

    /// The question for a create by its marks; none where no read shows them.
    fn marks(&self, write: &Write) -> Option<Question> {
        let facts = self.run.write_facts(&write.entity)?;
        question(&self.run.catalog, self.run.systems.get(&write.entity.role)?, facts, write).1
    }

    /// Asks for a thing in doubt with what only the record knows. Gives its key; none when it was not made, or when
    /// somebody else has settled it meanwhile.
    async fn settled(&self, entry: &Entry, write: &Write, thing: &Thing, row: &Row) -> Result<Option<Arc<str>>, Halt> {
        let connector = self.run.connection(&write.entity.role)?;
        let begun = Instant::now();
        let elapsed = || late(self.ledger, &**connector, row.id, begun);
        let event = match self.marks(write) {
            // Another thing under the same key is not told apart by this question: its time alone settles it.
            Some(question) if row.is(thing) => {
                let asking = Asking::new(self.ledger, &row.conn, &write.entity.role, &row.entity, question).await?;
                let answers = ask(self.run, self.stop, vec![asking.ask.clone()]).await?;
                crash::point("ask-sent");
                let judged = asking.judge(&answers).map_err(|text| {
                    let masked = "a thing in doubt could not be asked for";
                    let reason = self.run.reason(Some(&write.name), format!("{masked}: {text}"), masked);
                    Halt::Ends(Box::new((Verdict::Hold, reason)))
                })?;
                let event = Event::Asked { finding: judged.finding, late: elapsed(), control: judged.control };
                Some((event, judged.key))
            }
            _ if elapsed() && row.standing.state == State::Unsettled => Some((Event::Elapsed, None)),
            _ => None,
        };
        let Some((event, key)) = event else { return Err(Halt::Unsettled) };
        match tell(self.ledger, self.journal, row, event, key.clone(), begun).await? {
            Command::UseKey(_) if row.is(thing) => Ok(key.or_else(|| row.target_key.clone())),
            Command::UseKey(_) | Command::DecideAgain | Command::Rest => Ok(None),
            Command::Hold(why) if row.record != entry.name => Err(self.hold(Some(&write.name), why.to_string())),
            _ => Err(Halt::Unsettled),
        }
    }

    /// A halt of a write; another one where the target refused it and does not show any more what koppel had made for
    /// it. A thing that is gone is made again by whoever wants it next, a document never.
    pub(super) async fn unless_gone(
        &self,
        making: Making<'_>,
        made: &Made,
        write: &Write,
        halt: Halt,
    ) -> Result<Halt, Halt> {
        // In a write only the target's refusal fails the record.
        if !matches!(&halt, Halt::Ends(ending) if ending.0 == Verdict::Fail) {
            return Ok(halt);
        }
        let conn: Arc<str> = self.run.connection(&write.entity.role)?.name().into();
        let mut rows = making.entry.known.rows.clone();
        for thing in made.things.values() {
            rows.extend(self.ledger.under(&thing.lock).await?);
        }
        for row in rows.iter().filter(|row| row.standing.state == State::Confirmed && !row.is_change()) {
            let Some(key) = row.target_key.as_ref().filter(|_| row.conn == conn) else { continue };
            if !carries(&write.fields, key, making.keys) {
                continue;
            }
            let begun = Instant::now();
            if !matches!(self.gone(&write.entity.role, row, key).await?, Some(Event::Gone { control: true })) {
                continue;
            }
            let what = format!("{conn} refused the {} and does not show {} {key}", write.entity.entity, row.name);
            if !row.is_thing() {
                let text = format!("{what} any more, which koppel made: `koppel redo {}`", making.entry.name.key);
                return Ok(self.hold(Some(&write.name), text));
            }
            let connector = self.run.connection(&write.entity.role)?;
            if !late(self.ledger, &**connector, row.id, begun) {
                return Ok(self.hold(Some(&write.name), format!("{what} yet or any more")));
            }
            tell(self.ledger, self.journal, row, Event::Gone { control: true }, None, begun).await?;
            return Ok(self.hold(Some(&write.name), format!("{what} any more: it is made again")));
        }
        Ok(halt)
    }

    /// The key of a thing that was made and is not found by its marks: a person may have changed them, or the target
    /// does not show it yet. Gone is only what its own key does not bring back after the target's time.
    async fn still_there(&self, write: &Write, row: &Row) -> Result<Option<Arc<str>>, Halt> {
        let Some(key) = row.target_key.clone() else { return Ok(None) };
        let connector = self.run.connection(&write.entity.role)?;
        let begun = Instant::now();
        if !late(self.ledger, &**connector, row.id, begun) {
            return Ok(Some(key));
        }
        let Some(gone) = self.gone(&write.entity.role, row, &key).await? else { return Ok(Some(key)) };
        Ok(match tell(self.ledger, self.journal, row, gone, None, begun).await? {
            Command::UseKey(_) => Some(key),
            _ => None,
        })
    }

    /// Asks for what a row made by its own key: not shown, and whether a key that certainly exists was. None where it is
    /// shown, or where nobody can tell.
    async fn gone(&self, role: &Arc<str>, row: &Row, key: &Arc<str>) -> Result<Option<Event>, Halt> {
        let written = EntityName { role: role.clone(), entity: row.entity.clone() };
        let recognise = self.run.write_facts(&written).map(|facts| &facts.recognise);
        let shown = recognise.and_then(|recognise| recognise.entity.clone().zip(recognise.key.clone()));
        let Some((entity, field)) = shown else { return Ok(None) };
        // Where nothing else is known to exist, nobody can tell a thing that is gone from a read that shows nothing.
        let Some(control) = self.ledger.control(&row.conn, &row.entity, Some(key)).await? else {
            return Ok(None);
        };
        let is = |key: &Arc<str>| Filter::Is(field.clone(), Value::text(key));
        let by_key = Ask {
            entity: EntityName { role: role.clone(), entity },
            filter: Filter::Or(vec![is(key), is(&control)]),
            fields: [field.clone()].into(),
        };
        let answers = ask(self.run, self.stop, vec![by_key.clone()]).await?;
        let Some(Ok(rows)) = answers.get(&by_key) else { return Ok(None) };
        let shows = |key: &Arc<str>| rows.iter().any(|row| row.path(&field).to_string() == **key);
        Ok((!shows(key)).then(|| Event::Gone { control: shows(&control) }))
    }
}

/// Does a write carry this key, filled in or still to come from an earlier write?
fn carries(fields: &Fields, key: &str, keys: &BTreeMap<Arc<str>, Value>) -> bool {
    let is_it = |value: &Value| match value {
        Value::Key(name) => keys.get(name).is_some_and(|own| own.to_string() == key),
        value => value.to_string() == key,
    };
    fields.0.iter().any(|(_, node)| match node {
        Node::Value(value) => is_it(value),
        Node::Object(fields) => carries(fields, key, keys),
        Node::List(list) => list.iter().any(|fields| carries(fields, key, keys)),
    })
}

fn creating(decision: &Decision) -> impl Iterator<Item = &Ensured> {
    decision.ensured.iter().filter(|ensured| matches!(ensured.chosen, Chosen::Create(_)))
}

/// The reads that the choice to create hangs on and that were not made under the lock yet.
fn hanging_on(decision: &Decision, fresh: &HashSet<Ask>) -> Vec<Ask> {
    creating(decision).flat_map(|ensured| &ensured.asks).filter(|ask| !fresh.contains(ask)).cloned().collect()
}
