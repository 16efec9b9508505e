//! What a person wants of records: typed as a verb, kept on disk, carried out by the process that has the ledger.
//!
//! A process may hold the ledger for weeks. So a verb only writes its wish, through a connection of its own, in one
//! small transaction that touches no other table; who has the lock carries it out at its next poll, in one transaction
//! with the end of the wish. Promises that a wish is carried out once, that one that came too late or too early changes
//! nothing and says why, and that lateness is judged by the clock of the process that carries it out.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rusqlite::{Connection, params};
use serde::Serialize;

use super::{
    Ledger, LedgerError, records,
    row::{Row, Told},
    state::{Command, Event, Seen, State},
    store::{self, Answer, At, moment, perhaps, shared, word},
};

/// So long what came of a wish is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Decide again: a record, or all of a run that is held or failed.
    Retry,
    /// Decide again all of a run that is failed.
    RetryFailed,
    /// Lift the seal of a record.
    Redo,
    /// Decide a record that was done once more, under its seal.
    Again,
    /// A write in doubt happened.
    Happened,
    /// A write in doubt did not happen.
    DidNotHappen,
}

store::words!(
    Verb,
    verb_word,
    verb_of,
    Retry = "retry",
    RetryFailed = "retry-failed",
    Redo = "redo",
    Again = "again",
    Happened = "happened",
    DidNotHappen = "did-not-happen"
);

/// A wish of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// The run.
    pub run: Arc<str>,
    /// The record; none = all of the run.
    pub key: Option<Arc<str>>,
    /// What.
    pub verb: Verb,
    /// Which write, as [`Row::title`] calls it.
    pub write: Option<Arc<str>>,
    /// Under which key it happened.
    pub target_key: Option<Arc<str>>,
}

/// As it was typed: `koppel redo orders/10023`.
impl std::fmt::Display for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = match self.verb {
            Verb::Retry | Verb::RetryFailed => "retry",
            Verb::Redo => "redo",
            Verb::Again => "redo --changed",
            Verb::Happened | Verb::DidNotHappen => "settle",
        };
        write!(f, "koppel {verb} {}", self.run)?;
        if let Some(key) = &self.key {
            write!(f, "/{key}")?;
        }
        match self.verb {
            Verb::Retry | Verb::Redo | Verb::Again => {}
            Verb::RetryFailed => f.write_str(" --failed")?,
            Verb::Happened => f.write_str(" --happened")?,
            Verb::DidNotHappen => f.write_str(" --did-not-happen")?,
        }
        if let Some(key) = self.target_key.as_ref().filter(|key| !key.is_empty()) {
            write!(f, " {key}")?;
        }
        Ok(())
    }
}

/// A wish in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wished {
    /// Its number; later ones are higher.
    #[serde(skip)]
    pub id: i64,
    /// What.
    #[serde(flatten)]
    pub wish: Wish,
    /// When it was typed.
    pub at: Timestamp,
    /// When it was carried out or refused; none as long as it waits.
    pub ended: Option<Timestamp>,
    /// Why it was not carried out.
    pub refused: Option<Arc<str>>,
}

/// What came of a wish: what was done, or why nothing was.
pub type Came = Result<Arc<str>, Arc<str>>;

/// Writes wishes; part of the transaction of who calls.
pub(super) fn put(c: &Connection, now: Timestamp, wishes: &[Wish]) -> Answer<()> {
    let mut statement =
        c.prepare("INSERT INTO wish (run, key, verb, write, target_key, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for Wish { run, key, verb, write, target_key } in wishes {
        let (key, write, target_key) = (key.as_deref(), write.as_deref(), target_key.as_deref());
        statement.execute(params![&**run, key, verb_word(*verb), write, target_key, now.to_string()])?;
    }
    Ok(())
}

/// Wishes that fit a condition, in the order in which they were typed.
pub(super) fn wishes(c: &Connection, condition: &str, values: impl rusqlite::Params) -> Answer<Vec<Wished>> {
    let columns = "id, run, key, verb, write, target_key, at, ended, refused";
    let mut statement = c.prepare_cached(&format!("SELECT {columns} FROM wish WHERE {condition} ORDER BY id"))?;
    let found = statement.query_map(values, |line| {
        Ok(Wished {
            id: line.get(0)?,
            wish: Wish {
                run: shared(line, 1)?,
                key: perhaps(line, 2)?,
                verb: word(line, 3, verb_of)?,
                write: perhaps(line, 4)?,
                target_key: perhaps(line, 5)?,
            },
            at: moment(line, 6)?.unwrap_or(Timestamp::UNIX_EPOCH),
            ended: moment(line, 7)?,
            refused: perhaps(line, 8)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

impl Row {
    /// How a person calls it: `label`, or `label after sale` in the stage behind a write.
    #[must_use]
    pub fn title(&self) -> Arc<str> {
        if self.record.is_stage() {
            format!("{} after {}", self.name, self.record.stage).into()
        } else {
            self.name.clone()
        }
    }

    /// Must a person who says that it happened tell under which number? What follows it may need that.
    #[must_use]
    pub fn needs_number(&self) -> bool {
        !self.is_change() && self.own_number.is_none() && self.standing.seen == Seen::Read
    }

    /// May a person say whether it happened?
    #[must_use]
    pub fn can_be_settled(&self) -> bool {
        match self.standing.state {
            State::Intended | State::Unsettled | State::Keyless | State::Unclear => true,
            // Nobody saw what came of an attempt, or it was given up: what follows may wait for a person.
            State::Void => self.standing.attempt > 0,
            State::None | State::Confirmed => false,
        }
    }
}

impl Ledger {
    /// The wishes that a poll of a run is to carry out: those about its records, and every word about a write in doubt,
    /// since whoever asks about a row may settle it.
    pub async fn wishes(&self, run: &str) -> Result<Vec<Wished>, LedgerError> {
        let run = run.to_owned();
        let own = "ended IS NULL AND (run = ?1 OR verb IN ('happened', 'did-not-happen'))";
        self.writer.call(move |c| wishes(c, own, [run])).await
    }

    /// Numbers and runs of the wishes that came after that one and wait.
    pub async fn wished_after(&self, id: i64) -> Result<Vec<(i64, Arc<str>)>, LedgerError> {
        let new = self.writer.call(move |c| wishes(c, "ended IS NULL AND id > ?1", [id])).await?;
        Ok(new.into_iter().map(|wished| (wished.id, wished.wish.run)).collect())
    }

    /// Carries out a wish, and ends it in the same commit. `settle` is how long an attempt on each connection may still
    /// take effect. None where another poll has ended it, or where its connection is not among these.
    pub async fn carry_out(
        &self,
        wished: Wished,
        settle: HashMap<Arc<str>, Duration>,
    ) -> Result<Option<Came>, LedgerError> {
        let at = self.at();
        let moments = self.moments.clone();
        // A person looked before typing.
        let age = Duration::try_from(at.now.duration_since(wished.at)).unwrap_or_default();
        let looked = Instant::now().checked_sub(age);
        self.writer
            .call(move |c| {
                if wishes(c, "ended IS NULL AND id = ?1", [wished.id])?.is_empty() {
                    return Ok(None);
                }
                // Until when an attempt of a row may still take effect, and whether the person looked after that.
                let over = |row: &Row| moments.since(row.id).checked_add(*settle.get(&row.conn)?);
                let (came, moved) = match wished.wish.verb {
                    Verb::Retry | Verb::RetryFailed | Verb::Redo | Verb::Again => (of_record(c, &wished.wish)?, None),
                    Verb::Happened | Verb::DidNotHappen => {
                        let row = match settled(c, &wished.wish)? {
                            Ok(row) => row,
                            Err(why) => return end(c, at, &wished, Err(why)).map(Some),
                        };
                        let Some(over) = over(&row) else { return Ok(None) };
                        let (row, came) = settle_by_word(c, at, &wished.wish, row, over, looked)?;
                        let moved = came.is_ok().then_some(row);
                        (came, moved)
                    }
                };
                let came = end(c, at, &wished, came)?;
                if let Some(row) = moved {
                    moments.moved(row.id, row.standing.state);
                }
                Ok(Some(came))
            })
            .await
    }
}

fn of_record(c: &Connection, wish: &Wish) -> Answer<Came> {
    let Wish { run, key, verb, .. } = wish;
    let changed = match (verb, key) {
        (Verb::Redo, Some(key)) => records::unseal(c, run, key)?,
        (Verb::Again, Some(key)) => records::again(c, run, key)?,
        (Verb::Redo | Verb::Again, None) => 0,
        _ => records::retry(c, run, key.as_deref(), *verb == Verb::RetryFailed)?,
    };
    Ok(match (verb, changed) {
        (Verb::Redo, 0) => Err("it is not sealed any more".into()),
        (Verb::Redo, _) => Ok("its seal is lifted, it is decided again".into()),
        (Verb::Again, 0) => Err("it is not done any more".into()),
        (Verb::Again, _) => Ok("it is decided again under its seal".into()),
        (_, 0) => Err("nothing of it waits any more".into()),
        (_, 1) => Ok("1 record is decided again".into()),
        (_, records) => Ok(format!("{records} records are decided again").into()),
    })
}

/// The one row that a word is about.
fn settled(c: &Connection, wish: &Wish) -> Answer<Result<Row, Arc<str>>> {
    let rows = store::of_record(c, &wish.run, wish.key.as_deref().unwrap_or_default())?;
    let is_it = |row: &Row| row.can_be_settled() && Some(row.title()) == wish.write;
    Ok(rows.into_iter().find(is_it).ok_or_else(|| "it is not in doubt any more".into()))
}

/// Moves a row by the word of a person, who looked at that moment; gives it as it stands then.
fn settle_by_word(
    c: &Connection,
    at: At,
    wish: &Wish,
    row: Row,
    over: Instant,
    looked: Option<Instant>,
) -> Answer<(Row, Came)> {
    if row.standing.state == State::Intended {
        return Ok((row, Err("it is being sent at this moment: look again when that is over".into())));
    }
    let event = match wish.verb {
        Verb::Happened => Event::Happened,
        _ => Event::DidNotHappen { late: looked.is_some_and(|looked| looked >= over) },
    };
    let (row, command) = store::tell(c, at, &Told { row: row.id, event, key: wish.target_key.clone() })?;
    let came = match command {
        Command::UseKey(_) => Ok("it happened, by the word of a person: it is not sent again".into()),
        Command::DecideAgain => Ok("it did not happen, by the word of a person: it is decided again".into()),
        _ => {
            let left = over.saturating_duration_since(Instant::now());
            let until = at.now.checked_add(left).unwrap_or(at.now);
            let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
            let until = zone.to_datetime(until).strftime("%H:%M:%S").to_string();
            Err(format!(
                "by the clock of this process an attempt may still arrive until {until}: leave it running (koppel serve, \
                 or koppel run --wait), look in the target after that, and type it again"
            )
            .into())
        }
    };
    Ok((row, came))
}

fn end(c: &Connection, at: At, wished: &Wished, came: Came) -> Answer<Came> {
    let oldest = at.now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
    c.execute("DELETE FROM wish WHERE ended < ?1", [oldest.to_string()])?;
    let refused = came.as_ref().err().map(|why| &**why);
    c.execute(
        "UPDATE wish SET ended = ?2, refused = ?3 WHERE id = ?1",
        params![wished.id, at.now.to_string(), refused],
    )?;
    Ok(came)
}
