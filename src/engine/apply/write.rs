//! One write: found, or intended, sent and told.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{Answer, Applying, Entry, Halt};
use crate::{
    connector::{Answered, Connector, ConnectorError},
    crash,
    engine::{
        EngineError,
        question::question,
        reads::{Rows, ask, pause},
        settle::Asking,
    },
    eval,
    insight::EventKind,
    ledger::{Command, Event, Finding, Intended, Intent, Reply, Seen, Thing, Told, Wanted},
    schema::WriteClass,
    value::{Action, Fields, Node, Value, Verdict, Write},
};

/// After so many writes in a row without a clear answer it is the system, and not the writes.
const UNCLEAR: u32 = 8;
/// How often a write goes to the target that was not begun there, because it was busy or somebody worked on it.
const ATTEMPTS: u32 = 3;

/// A record of which something is made.
#[derive(Clone, Copy)]
pub(super) struct Making<'a> {
    /// The record.
    pub(super) entry: &'a Entry,
    /// What it was decided with.
    pub(super) rows: &'a Rows,
    /// Keys of its earlier writes, by name.
    pub(super) keys: &'a BTreeMap<Arc<str>, Value>,
}

/// What the ask before a write showed.
#[derive(Clone, Copy)]
pub(super) struct Looked<'a> {
    /// When it began.
    pub(super) begun: Instant,
    /// What it found; none where nothing was asked, as for an update.
    pub(super) judged: Option<&'a Answer>,
}

/// What an answered attempt came to.
enum Came {
    /// It is there, under this key.
    Key(Arc<str>),
    /// Not begun: back to the ledger after a pause, and what ends it when that was the last time.
    Again(Duration, Halt),
}

impl Applying<'_> {
    /// Makes one write; gives its key. `last` is what became known of the write before it and is not on disk yet.
    pub(super) async fn write(
        &self,
        making: Making<'_>,
        write: &Write,
        thing: Option<&Thing>,
        looked: Looked<'_>,
        last: &mut Option<Told>,
    ) -> Result<Arc<str>, Halt> {
        let connector = self.run.connection(&write.entity.role)?.clone();
        let entry = making.entry;
        let judged = match looked.judged {
            Some(Ok(judged)) => Some(judged),
            Some(Err(text)) => {
                let masked = format!("could not ask whether {} is there already", write.name);
                let reason = self.run.reason(Some(&write.name), format!("{masked}: {text}"), masked);
                return Err(Halt::Ends(Box::new((Verdict::Hold, reason))));
            }
            None => None,
        };
        let control = judged.is_some_and(|judged| judged.control);
        let wanted = self.wanted_write(making, write, thing, control)?;
        if let Some(judged) = judged.filter(|judged| judged.finding != Finding::Absent) {
            let before = last.take();
            let intent = self.ledger.found(wanted, judged.finding, judged.key.clone(), before).await?;
            return match intent {
                Intent::UseKey(key) => {
                    self.told(entry, EventKind::Found, Some((write, Some(&key))), None);
                    Ok(key)
                }
                other => Err(self.stands_in_the_way(write, other)),
            };
        }
        if self.ledger.quarantined(connector.settle(), looked.begun) {
            crash::point("quarantine");
            let minutes = connector.settle().as_secs().div_ceil(60);
            let time = if minutes == 1 { "a minute".to_owned() } else { format!("{minutes} minutes") };
            let text = format!(
                "the ledger was lost or put back: nothing is made until it has run for {time}, so that what it forgot is \
                 seen; `koppel run --wait` stays for so long"
            );
            return Err(self.hold(Some(&write.name), text));
        }
        crash::point("asked");
        let mut tries = ATTEMPTS;
        loop {
            let slot = self.ledger.slot(&wanted.conn).await?;
            crash::point("slot-taken");
            if self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some() {
                // What is known is written, nothing more begins.
                if let Some(told) = last.take() {
                    self.ledger.tell(told).await?;
                }
                return Err(Halt::Later);
            }
            let intended = match self.ledger.intend(&slot, wanted.clone(), last.take()).await? {
                Intent::Send(intended) => intended,
                Intent::UseKey(key) => return Ok(key),
                other => return Err(self.stands_in_the_way(write, other)),
            };
            self.told(entry, EventKind::Intended, Some((write, None)), None);
            let answered = connector.write(&intended).await;
            crash::point("answer-read");
            let came = self.answered(entry, &wanted, &intended, answered, &*connector, last).await?;
            // Others may write during the pause.
            drop(slot);
            let (after, halt) = match came {
                Came::Key(key) => {
                    self.told(entry, EventKind::Confirmed, Some((write, Some(&key))), None);
                    return Ok(key);
                }
                Came::Again(after, halt) => (after, halt),
            };
            tries -= 1;
            if tries == 0 {
                return Err(halt);
            }
            pause(self.stop, after).await;
            if self.ending() {
                return Err(Halt::Later);
            }
        }
    }

    fn wanted_write(
        &self,
        making: Making<'_>,
        write: &Write,
        thing: Option<&Thing>,
        control: bool,
    ) -> Result<Wanted, Halt> {
        let Making { entry, rows, keys } = making;
        let mut write = write.clone();
        if let Err(missing) = fill(&mut write.fields, keys) {
            let text = format!("{} needs the key of {missing}, and there is none", write.name);
            return Err(self.hold(Some(&write.name), text));
        }
        let conn: Arc<str> = self.run.connection(&write.entity.role)?.name().into();
        let facts = self.run.write_facts(&write.entity).zip(self.run.systems.get(&write.entity.role));
        let Some((facts, system)) = facts else {
            let text = format!("nothing is known of {}", write.entity);
            return Err(self.hold(Some(&write.name), text));
        };
        // What stands behind the create of an ensure is called as the ensure.
        let called = thing.map_or(&write.name, |thing| &thing.name);
        let followed = eval::followed(&self.run.plan, &entry.name.stage, called);
        let (seen, question, change) = match write.action {
            Action::Create => {
                let (seen, question) = question(&self.run.catalog, system, facts, &write);
                (seen, question, None)
            }
            Action::Update => {
                let change = self.change(entry, &write, rows).ok_or_else(|| {
                    let text =
                        format!("{} has no key: nobody can tell which {} is to change", write.name, write.entity);
                    self.hold(Some(&write.name), text)
                })?;
                // To be sent twice is no harm to it: it can always be settled by its time.
                (Seen::Read, None, Some(change))
            }
        };
        Ok(Wanted {
            record: entry.name.clone(),
            plan_version: self.run.plan_version.clone(),
            write,
            conn,
            seen,
            question,
            thing: thing.cloned(),
            control,
            change,
            followed,
            watched: facts.class == WriteClass::Master,
        })
    }

    /// Says what the ledger says to a wanted write that is not to be sent.
    fn stands_in_the_way(&self, write: &Write, intent: Intent) -> Halt {
        match intent {
            Intent::Held(why) => self.hold(Some(&write.name), why.to_string()),
            Intent::Other(other) => self.hold(
                Some(&write.name),
                format!("its number or reference was used by record {} of {}", other.key, other.run),
            ),
            Intent::Flips { field, run } => self.hold(
                Some(&write.name),
                format!(
                    "`{field}` of {} goes to and fro: run {run} changed it within a day to another value than run {} \
                     gives it; let one of the two flows leave it out, or write `on create` behind it",
                    write.entity.entity, self.run.name
                ),
            ),
            Intent::InDoubt | Intent::Send(_) | Intent::UseKey(_) => Halt::Unsettled,
        }
    }

    async fn answered(
        &self,
        entry: &Entry,
        wanted: &Wanted,
        intended: &Intended,
        answered: Answered,
        connector: &dyn Connector,
        last: &mut Option<Told>,
    ) -> Result<Came, Halt> {
        let write = &wanted.write;
        let row = intended.row();
        let told = |reply, key: Option<&Arc<str>>| Told { row, event: Event::Answered(reply), key: key.cloned() };
        // What is changed keeps the key that it had.
        let own = wanted.change.as_ref().map(|change| change.key.clone());
        if !matches!(answered, Answered::Unclear(_)) {
            self.unclear.store(0, Ordering::Relaxed);
        }
        match answered {
            Answered::Done(key) => {
                self.tally.wrote(write);
                let key = own.unwrap_or(key);
                *last = Some(told(Reply::Done, Some(&key)));
                Ok(Came::Key(key))
            }
            Answered::DoneWithoutKey => {
                self.tally.wrote(write);
                let key = own.unwrap_or_else(|| Arc::from(""));
                *last = Some(told(Reply::DoneWithoutKey, Some(&key)));
                Ok(Came::Key(key))
            }
            Answered::Keyless => {
                self.tally.wrote(write);
                let number = write.own_number.as_ref().filter(|_| wanted.seen == Seen::Number);
                let command = self.ledger.tell(told(Reply::Keyless, number)).await?;
                self.told(entry, EventKind::Unsettled, Some((write, None)), None);
                let back = |finding| Event::Asked { finding, late: false, control: true };
                self.follow(wanted, intended, command, back).await
            }
            Answered::NumberExists(_) => {
                let number = write.own_number.as_ref().filter(|_| wanted.seen == Seen::Number);
                let command = self.ledger.tell(told(Reply::NumberExists, number)).await?;
                self.follow(wanted, intended, command, Event::AskedNumber).await
            }
            Answered::Unclear(text) => {
                crash::point("gave-up-before-unsettled");
                let unclear = self.unclear.fetch_add(1, Ordering::Relaxed) + 1;
                let command = self.ledger.tell(told(Reply::Unclear, None)).await?;
                self.told(entry, EventKind::Unsettled, Some((write, None)), None);
                match command {
                    Command::Hold(why) => Err(self.hold(Some(&write.name), why.to_string())),
                    _ if unclear >= UNCLEAR => {
                        let text = format!("{unclear} writes in a row had no clear answer, the last one: {text}");
                        Err(Halt::All(EngineError::connection(connector, text)))
                    }
                    _ => Err(Halt::Unsettled),
                }
            }
            Answered::Refused(text) => {
                // This attempt was refused, and nobody knows of the one before it.
                if let Command::Hold(why) = self.ledger.tell(told(Reply::Refused, None)).await? {
                    return Err(self.hold(Some(&write.name), why.to_string()));
                }
                self.told(entry, EventKind::Voided, Some((write, None)), None);
                Err(self.refused(write, connector, &text))
            }
            Answered::NotArrived(error) => {
                self.ledger.tell(told(Reply::NotArrived, None)).await?;
                self.told(entry, EventKind::Voided, Some((write, None)), None);
                match error {
                    ConnectorError::Refused(text) | ConnectorError::Unexpected(text) => {
                        Err(self.refused(write, connector, &text))
                    }
                    ConnectorError::Busy { after, text } => {
                        Ok(Came::Again(after, Halt::All(EngineError::connection(connector, text))))
                    }
                    // One record, and not the others: it is tried again by itself.
                    ConnectorError::Locked { after, text } => {
                        let masked = format!("{} works on what {} needs", connector.name(), write.entity.entity);
                        let reason = self.run.reason(Some(&write.name), format!("{masked}: {text}"), masked);
                        Ok(Came::Again(after, Halt::Ends(Box::new((Verdict::Hold, reason)))))
                    }
                    error => Err(Halt::All(EngineError::connection(connector, error.to_string()))),
                }
            }
        }
    }

    /// The record fails with the target's words; at rest only that it refused, since they may repeat what was sent.
    fn refused(&self, write: &Write, connector: &dyn Connector, text: &str) -> Halt {
        let masked = format!("{} refused the {}", connector.name(), write.entity.entity);
        let reason = self.run.reason(Some(&write.name), format!("{masked}: {text}"), masked);
        Halt::Ends(Box::new((Verdict::Fail, reason)))
    }

    /// Does what the row's move says, asking at once where it says so.
    async fn follow(
        &self,
        wanted: &Wanted,
        intended: &Intended,
        command: Command,
        event: impl Fn(Finding) -> Event,
    ) -> Result<Came, Halt> {
        let write = &wanted.write;
        let (command, key) = match (command, &wanted.question) {
            (Command::Ask | Command::AskAgain, Some(question)) => {
                let role = &write.entity.role;
                let entity = &write.entity.entity;
                let asking = Asking::new(self.ledger, &wanted.conn, role, entity, question.clone()).await?;
                let answers = ask(self.run, self.stop, vec![asking.ask.clone()]).await?;
                let Ok(judged) = asking.judge(&answers) else { return Err(Halt::Unsettled) };
                let key = judged.key.filter(|_| judged.finding == Finding::Ours);
                let told = Told { row: intended.row(), event: event(judged.finding), key: key.clone() };
                (self.ledger.tell(told).await?, key)
            }
            (command, _) => (command, write.own_number.clone()),
        };
        match command {
            Command::UseKey(_) => Ok(Came::Key(key.unwrap_or_default())),
            Command::Hold(why) => Err(self.hold(Some(&write.name), why.to_string())),
            _ => Err(Halt::Unsettled),
        }
    }
}

/// Puts the keys of earlier writes in their places; the name of one that has none is the error.
fn fill(fields: &mut Fields, keys: &BTreeMap<Arc<str>, Value>) -> Result<(), Arc<str>> {
    for (_, node) in &mut fields.0 {
        match node {
            Node::Value(value) => fill_value(value, keys)?,
            Node::Object(fields) => fill(fields, keys)?,
            Node::List(list) => list.iter_mut().try_for_each(|fields| fill(fields, keys))?,
        }
    }
    Ok(())
}

fn fill_value(value: &mut Value, keys: &BTreeMap<Arc<str>, Value>) -> Result<(), Arc<str>> {
    match value {
        Value::Key(name) => {
            let key = keys.get(name).filter(|key| !key.is_blank()).cloned().ok_or_else(|| name.clone())?;
            *value = key;
        }
        Value::List(items) => {
            let mut filled = items.to_vec();
            filled.iter_mut().try_for_each(|item| fill_value(item, keys))?;
            *items = filled.into();
        }
        _ => {}
    }
    Ok(())
}
