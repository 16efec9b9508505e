//! What the ledger knows of ensured things: made before, in doubt, or tried before.
//!
//! Looked up under their locks. A thing in doubt is asked for with what only a record that wants it knows, since its
//! hashes alone are kept; what one record finds of it settles it for all.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::{Answer, Applying, Entry, Halt};
use crate::{
    crash,
    engine::{
        EngineError,
        decide::Decided,
        question::question,
        reads::ask,
        settle::{Asking, late, tell},
    },
    ledger::{Command, Event, Finding, Question, Row, State, Thing},
    value::{Chosen, Decision, Outcome, Verdict, Write},
};

/// What the ledger knows of the things, looked up under their locks.
pub(super) enum Known {
    Keys(BTreeMap<Arc<str>, Arc<str>>, BTreeMap<Arc<str>, Answer>),
    /// Something under the locks became void after the reads began: they may have missed it.
    ReadAgain,
}

impl Applying<'_> {
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

    /// The keys of what a record that was done would create, where the ledger has confirmed that: it is not made again,
    /// whichever record made it.
    pub(super) async fn made_before(
        &self,
        entry: &Entry,
        decision: &Decision,
    ) -> Result<BTreeMap<Arc<str>, Arc<str>>, Halt> {
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

    /// Looks up, under the locks, what the ledger knows of the things: in doubt, it is asked for; made before and not
    /// found by its marks, its key is used as long as the thing is there; tried before, it is asked for with a key that
    /// certainly exists. `asked` is when the reads began that found nothing.
    pub(super) async fn known_to_the_ledger(
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
}
