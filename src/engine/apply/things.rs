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

use super::{Answer, Applying, Entry, Halt, ended};
use crate::{
    crash,
    engine::{
        decide::{again, read_now},
        question::question,
        reads::{Rows, ask},
        settle::{Asking, late, tell},
    },
    ledger::{Command, Event, LockName, Locks, Row, State, Thing},
    value::{Ask, Chosen, Decision, Ensured, EntityName, Filter, Outcome, Value, Write},
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
            let mut asked = Instant::now();
            if held.is_empty() {
                let keys = self.made_before(entry, decision).await?;
                return Ok((None, Made { asked, things, keys, judged: BTreeMap::new() }));
            }
            let locks = self.ledger.lock(held.clone()).await;
            crash::point("locked");
            asked = asked.max(Instant::now());
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
        let facts = self.run.write_facts(&write.entity);
        let system = self.run.systems.get(&write.entity.role);
        let asked = facts.zip(system).and_then(|(facts, system)| question(&self.run.catalog, system, facts, write).1);
        let Some(question) = asked else { return Ok(None) };
        let asking = Asking::new(self.ledger, &row.conn, &write.entity.role, &row.entity, question).await?;
        let answers = ask(self.run, self.stop, vec![asking.ask.clone()]).await?;
        Ok(Some(asking.judge(&answers)))
    }

    /// Asks for a thing in doubt with what only the record knows. Gives its key; none when it was not made, or when
    /// somebody else has settled it meanwhile.
    async fn settled(&self, entry: &Entry, write: &Write, thing: &Thing, row: &Row) -> Result<Option<Arc<str>>, Halt> {
        let connector = self.run.connection(&write.entity.role)?;
        let begun = Instant::now();
        let facts = self.run.write_facts(&write.entity);
        let system = self.run.systems.get(&write.entity.role);
        let asked = facts.zip(system).and_then(|(facts, system)| question(&self.run.catalog, system, facts, write).1);
        let elapsed = || late(self.ledger, &**connector, row.id, begun);
        let event = match asked {
            // Another thing under the same key is not told apart by this question: its time alone settles it.
            Some(question) if row.is(thing) => {
                let asking = Asking::new(self.ledger, &row.conn, &write.entity.role, &row.entity, question).await?;
                let answers = ask(self.run, self.stop, vec![asking.ask.clone()]).await?;
                crash::point("ask-sent");
                let judged = asking.judge(&answers).map_err(|text| {
                    let masked = "a thing in doubt could not be asked for";
                    let reason = self.run.reason(Some(&write.name), format!("{masked}: {text}"), masked);
                    Halt::Ends(Box::new((crate::value::Verdict::Hold, reason)))
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

    /// The key of a thing that was made and is not found by its marks: a person may have changed them, or the target
    /// does not show it yet. Gone is only what its own key does not bring back after the target's time.
    async fn still_there(&self, write: &Write, row: &Row) -> Result<Option<Arc<str>>, Halt> {
        let Some(key) = row.target_key.clone() else { return Ok(None) };
        let connector = self.run.connection(&write.entity.role)?;
        let recognise = self.run.write_facts(&write.entity).map(|facts| &facts.recognise);
        let shown = recognise.and_then(|recognise| recognise.entity.clone().zip(recognise.key.clone()));
        let Some((entity, field)) = shown else { return Ok(Some(key)) };
        let begun = Instant::now();
        if !late(self.ledger, &**connector, row.id, begun) {
            return Ok(Some(key));
        }
        // Where nothing else is known to exist, nobody can tell a thing that is gone from a read that shows nothing.
        let Some(control) = self.ledger.control(&row.conn, &row.entity, Some(&key)).await? else {
            return Ok(Some(key));
        };
        let is = |key: &Arc<str>| Filter::Is(field.clone(), Value::text(key));
        let by_key = Ask {
            entity: EntityName { role: write.entity.role.clone(), entity },
            filter: Filter::Or(vec![is(&key), is(&control)]),
            fields: [field.clone()].into(),
        };
        let answers = ask(self.run, self.stop, vec![by_key.clone()]).await?;
        let Some(Ok(rows)) = answers.get(&by_key) else { return Ok(Some(key)) };
        let shows = |key: &Arc<str>| rows.iter().any(|row| row.path(&field).to_string() == **key);
        if shows(&key) {
            return Ok(Some(key));
        }
        let gone = Event::Gone { control: shows(&control) };
        Ok(match tell(self.ledger, self.journal, row, gone, None, begun).await? {
            Command::UseKey(_) => Some(key),
            _ => None,
        })
    }
}

fn creating(decision: &Decision) -> impl Iterator<Item = &Ensured> {
    decision.ensured.iter().filter(|ensured| matches!(ensured.chosen, Chosen::Create(_)))
}

/// The reads that the choice to create hangs on and that were not made under the lock yet.
fn hanging_on(decision: &Decision, fresh: &HashSet<Ask>) -> Vec<Ask> {
    creating(decision).flat_map(|ensured| &ensured.asks).filter(|ask| !fresh.contains(ask)).cloned().collect()
}
