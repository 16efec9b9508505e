//! The ledger's sentences about writes and ensured things. All of them run inside the writer's transaction.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row as Line, params, types::Type};

use super::{
    LedgerError,
    key::Hash,
    left::{self, Sent},
    question::{Part, Question},
    records,
    row::{Kept, RecordName, RecordOutcome, Row, RowId, Table, Told, Wanted},
    state::{ATTEMPTS, Command, Event, Finding, Seen, Standing, State, Via, transition},
};

/// What all sentences need to know besides their arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) epoch: i64,
    pub(super) now: Timestamp,
}

pub(super) type Answer<T> = Result<T, LedgerError>;

// ---- words of the tables

macro_rules! words {
    ($ty:ident, $to:ident, $from:ident, $($variant:ident = $word:literal),+) => {
        pub(super) fn $to(value: $ty) -> &'static str {
            match value { $($ty::$variant => $word),+ }
        }
        pub(super) fn $from(word: &str) -> Option<$ty> {
            match word { $($word => Some($ty::$variant),)+ _ => None }
        }
    };
}
pub(super) use words;

words!(
    State,
    state_word,
    state_of,
    None = "none",
    Intended = "intended",
    Unsettled = "unsettled",
    Confirmed = "confirmed",
    Keyless = "keyless",
    Unclear = "unclear",
    Void = "void"
);
words!(Seen, seen_word, seen_of, Read = "read", Sign = "sign", Number = "number", Nothing = "nothing");
words!(
    RecordOutcome,
    outcome_word,
    outcome_of,
    Open = "open",
    Done = "done",
    Skipped = "skipped",
    Held = "held",
    Failed = "failed",
    Gone = "gone"
);

fn via_word(via: Via) -> &'static str {
    match via {
        Via::Answer => "answer",
        Via::Asked => "asked",
        Via::Number => "number",
        Via::Found => "found",
        Via::Person => "person",
    }
}

pub(super) fn verdict_word(verdict: crate::value::Verdict) -> &'static str {
    use crate::value::Verdict::{Fail, Hold, Skip, Warn};
    match verdict {
        Skip => "skip",
        Hold => "hold",
        Fail => "fail",
        Warn => "warn",
    }
}

/// Reads a column through a function; a text that it does not know is a fault of the file.
pub(super) fn word<T>(line: &Line<'_>, column: usize, read: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = line.get(column)?;
    read(&text).ok_or_else(|| rusqlite::Error::InvalidColumnType(column, text, Type::Text))
}

pub(super) fn shared(line: &Line<'_>, column: usize) -> rusqlite::Result<Arc<str>> {
    line.get::<_, String>(column).map(Into::into)
}

pub(super) fn perhaps(line: &Line<'_>, column: usize) -> rusqlite::Result<Option<Arc<str>>> {
    Ok(line.get::<_, Option<String>>(column)?.map(Into::into))
}

pub(super) fn moment(line: &Line<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(line.get::<_, Option<String>>(column)?.and_then(|text| text.parse().ok()))
}

// ---- rows

impl Table {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Ensure => "ensure",
            Self::Change => "change",
        }
    }

    /// The columns of [`row_of`], alike for all tables.
    fn columns(self) -> &'static str {
        match self {
            Self::Write => {
                "id, run, key, key_fields, name, conn, entity, state, attempt, seen, question, own_number, reference, \
                 target_key, quiet_since, NULL, stage, NULL"
            }
            Self::Ensure => {
                "id, run, key, '', name, conn, entity, state, attempt, seen, question, own_number, NULL, \
                 target_key, quiet_since, compared_hash, stage, NULL"
            }
            Self::Change => {
                "id, run, key, key_fields, name, conn, entity, state, attempt, seen, NULL, NULL, NULL, \
                 target_key, quiet_since, NULL, stage, read_back"
            }
        }
    }
}

fn row_of(table: Table, line: &Line<'_>) -> rusqlite::Result<Row> {
    let question: Option<String> = line.get(10)?;
    let read_back: Option<String> = line.get(17)?;
    Ok(Row {
        id: RowId { table, id: line.get(0)? },
        record: RecordName {
            run: shared(line, 1)?,
            key: shared(line, 2)?,
            key_fields: shared(line, 3)?,
            stage: shared(line, 16)?,
        },
        name: shared(line, 4)?,
        conn: shared(line, 5)?,
        entity: shared(line, 6)?,
        standing: Standing { state: word(line, 7, state_of)?, attempt: line.get(8)?, seen: word(line, 9, seen_of)? },
        question: question.as_deref().and_then(Question::read),
        own_number: perhaps(line, 11)?,
        reference: perhaps(line, 12)?,
        target_key: perhaps(line, 13)?,
        quiet_since: moment(line, 14)?,
        compared: line.get(15)?,
        read_back: read_back.and_then(|text| serde_json::from_str(&text).ok()),
    })
}

pub(super) fn rows(c: &Connection, table: Table, condition: &str, values: impl rusqlite::Params) -> Answer<Vec<Row>> {
    let sentence = format!("SELECT {} FROM {} WHERE {condition} ORDER BY id", table.columns(), table.name());
    let mut statement = c.prepare_cached(&sentence)?;
    let found = statement.query_map(values, |line| row_of(table, line))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The writes, things and updates of a record and of its stages, in any state.
pub(super) fn of_record(c: &Connection, run: &str, key: &str) -> Answer<Vec<Row>> {
    let mut all = Vec::new();
    for table in [Table::Write, Table::Ensure, Table::Change] {
        all.extend(rows(c, table, "run = ?1 AND key = ?2", params![run, key])?);
    }
    Ok(all)
}

fn perhaps_row(c: &Connection, id: RowId) -> Answer<Option<Row>> {
    Ok(rows(c, id.table, "id = ?1", [id.id])?.into_iter().next())
}

fn row(c: &Connection, id: RowId) -> Answer<Row> {
    perhaps_row(c, id)?.ok_or_else(|| LedgerError::Database("a row has gone".to_owned()))
}

/// What is in doubt, as a condition.
pub(super) const DOUBT: &str = "state IN ('intended', 'unsettled', 'keyless', 'unclear')";

/// All rows in doubt, of every run.
pub(super) fn doubts(c: &Connection) -> Answer<Vec<Row>> {
    let mut all = rows(c, Table::Write, DOUBT, [])?;
    all.extend(rows(c, Table::Ensure, DOUBT, [])?);
    all.extend(rows(c, Table::Change, DOUBT, [])?);
    Ok(all)
}

/// Rows that were sent as often as may be, and of which it is proven each time that they did not happen, as long as
/// their record waits.
pub(super) fn used_up(c: &Connection) -> Answer<Vec<Row>> {
    let mut all = Vec::new();
    for table in [Table::Write, Table::Ensure] {
        let name = table.name();
        let held = format!(
            "state = 'void' AND attempt >= ?1 AND EXISTS (SELECT 1 FROM record AS own WHERE own.run = {name}.run
                AND own.key = {name}.key AND own.stage = {name}.stage AND own.outcome = 'held')"
        );
        all.extend(rows(c, table, &held, [ATTEMPTS])?);
    }
    Ok(all)
}

/// The rows under a lock.
pub(super) fn under(c: &Connection, conn: &str, family: &str, key: &Hash) -> Answer<Vec<Row>> {
    rows(c, Table::Ensure, "conn = ?1 AND family = ?2 AND key_hash = ?3", params![conn, family, key])
}

/// A key that is known to exist where a question looks: the last confirmed one, but for the one that is asked about.
pub(super) fn control(c: &Connection, conn: &str, entity: &str, but: Option<&str>) -> Answer<Option<Arc<str>>> {
    let sentence = "SELECT target_key FROM (
            SELECT target_key, at, id FROM write WHERE conn = ?1 AND entity = ?2 AND state = 'confirmed'
            UNION ALL
            SELECT target_key, at, id FROM ensure WHERE conn = ?1 AND entity = ?2 AND state = 'confirmed'
        ) WHERE target_key <> '' AND target_key IS NOT ?3 ORDER BY at DESC, id DESC LIMIT 1";
    Ok(c.prepare_cached(sentence)?.query_row(params![conn, entity, but], |line| shared(line, 0)).optional()?)
}

/// Was this made by koppel, by key, own number or reference?
pub(super) fn made(c: &Connection, conn: &str, entity: &str, key: &str) -> Answer<bool> {
    let sentence = "SELECT EXISTS (SELECT 1 FROM write WHERE conn = ?1 AND entity = ?2
            AND (target_key = ?3 OR own_number = ?3 OR reference = ?3))
        OR EXISTS (SELECT 1 FROM ensure WHERE conn = ?1 AND entity = ?2 AND target_key = ?3)";
    Ok(c.prepare_cached(sentence)?.query_row(params![conn, entity, key], |line| line.get(0))?)
}

/// Where a row stands; none where it has gone.
pub(super) fn state_at(c: &Connection, id: RowId) -> Answer<Option<State>> {
    Ok(perhaps_row(c, id)?.map(|row| row.standing.state))
}

/// Moves a row, writes what became known with it, and puts its record where the move says.
pub(super) fn tell(c: &Connection, at: At, told: &Told) -> Answer<(Row, Command)> {
    let mut row = row(c, told.row)?;
    let Some(went) = transition(row.standing, told.event) else {
        return Err(LedgerError::Impossible(format!(
            "{} is {} at {:?}",
            row.name,
            state_word(row.standing.state),
            told.event
        )));
    };
    // The doubt of a row begins once, whatever it is called meanwhile.
    let quiet = |state| matches!(state, State::Unsettled | State::Keyless | State::Unclear);
    let quiet = quiet(went.to.state) && !quiet(row.standing.state);
    let via = match went.then {
        Command::UseKey(via) if row.standing.state != State::Confirmed => Some(via_word(via)),
        _ => None,
    };
    let sentence = format!(
        "UPDATE {} SET state = ?2, attempt = ?3, target_key = coalesce(?4, target_key), via = coalesce(?5, via),
            quiet_since = CASE WHEN ?6 THEN ?7 ELSE quiet_since END, at = ?7 WHERE id = ?1",
        told.row.table.name()
    );
    c.prepare_cached(&sentence)?.execute(params![
        told.row.id,
        state_word(went.to.state),
        went.to.attempt,
        told.key.as_deref(),
        via,
        quiet,
        at.now.to_string()
    ])?;
    if went.to.state == State::Confirmed && row.standing.state != State::Confirmed {
        let key = told.key.as_deref().or(row.target_key.as_deref()).unwrap_or_default();
        if matches!(went.then, Command::UseKey(Via::Answer | Via::Asked)) {
            left::confirmed(c, at, &row, key)?;
        }
        follow(c, at, &row)?;
    }
    match went.then {
        Command::Hold(why) => {
            let reason = Kept {
                verdict: crate::value::Verdict::Hold,
                place: Arc::clone(&row.name),
                masked: why.to_string().into(),
            };
            records::set_outcome(c, at, &row.record, RecordOutcome::Held, Some(&reason))?;
        }
        // What a settled row belongs to is decided afresh at the next reading.
        Command::UseKey(_) | Command::DecideAgain => records::reopen(c, &row.record)?,
        _ => {}
    }
    row.standing = went.to;
    row.target_key = told.key.clone().or(row.target_key);
    Ok((row, went.then))
}

/// Begins the stage behind a write that is confirmed now.
fn follow(c: &Connection, at: At, row: &Row) -> Answer<()> {
    let sentence = format!("SELECT followed FROM {} WHERE id = ?1", row.id.table.name());
    let followed: bool = c.prepare_cached(&sentence)?.query_row([row.id.id], |line| line.get(0))?;
    if followed { records::begin(c, at, &row.record.after(&row.name)) } else { Ok(()) }
}

// ---- wanting a write

/// What came of wanting, before the commit.
pub(super) enum Wants {
    Intended {
        row: RowId,
        attempt: u32,
    },
    UseKey(Row),
    InDoubt,
    Held(super::Why),
    Other(RecordName),
    /// An update that koppel has just sent: the target may not show it yet.
    Stands(Arc<str>),
    Flips {
        field: Arc<str>,
        run: Arc<str>,
    },
}

/// Puts a wanted write on disk as intended or found, or says what stands in its way.
pub(super) fn want(
    c: &Connection,
    at: At,
    wanted: &Wanted,
    sent: &Sent<'_>,
    finding: Finding,
    key: Option<&str>,
) -> Answer<Wants> {
    if let Some(change) = &wanted.change {
        return left::want(c, at, wanted, change, sent);
    }
    if let Some(in_the_way) = clear_way(c, wanted)? {
        return Ok(in_the_way);
    }
    let own = own_row(c, wanted)?;
    if own.as_ref().is_some_and(|row| renumbered(row, wanted)) {
        return Ok(Wants::Held(super::Why::Renumbered));
    }
    let standing =
        own.as_ref().map_or(Standing::new(wanted.seen), |row| Standing { seen: wanted.seen, ..row.standing });
    let impossible = || LedgerError::Impossible(format!("{} is wanted twice at once", wanted.write.name));
    let asked = transition(standing, Event::Wanted).ok_or_else(impossible)?;
    match (asked.then, own) {
        (Command::UseKey(_), Some(row)) => return Ok(Wants::UseKey(row)),
        (Command::Wait, _) => return Ok(Wants::InDoubt),
        (Command::Hold(why), _) => return Ok(Wants::Held(why)),
        _ => {}
    }
    let went = transition(asked.to, Event::AskedFirst { finding, control: wanted.control }).ok_or_else(impossible)?;
    let via = match went.then {
        Command::Hold(why) => return Ok(Wants::Held(why)),
        Command::UseKey(via) => Some(via),
        _ => None,
    };
    records::open(c, at, &wanted.record, &wanted.plan_version)?;
    let row = put(c, at, wanted, went.to, sent, key, via)?;
    if via.is_some() {
        follow(c, at, &self::row(c, row)?)?;
        return Ok(Wants::UseKey(self::row(c, row)?));
    }
    Ok(Wants::Intended { row, attempt: went.to.attempt })
}

/// Was it sent before, so that only its number can tell whether it happened, and would it get another one now?
fn renumbered(row: &Row, wanted: &Wanted) -> bool {
    let Standing { state, attempt, seen } = row.standing;
    let write = &wanted.write;
    let same = row.own_number == write.own_number && row.entity == write.entity.entity && row.conn == wanted.conn;
    state == State::Void && attempt > 0 && seen == Seen::Number && !same
}

fn own_row(c: &Connection, wanted: &Wanted) -> Answer<Option<Row>> {
    let found = match &wanted.thing {
        None => {
            let record = &wanted.record;
            let name = &*wanted.write.name;
            let own = "run = ?1 AND key = ?2 AND stage = ?3 AND name = ?4";
            rows(c, Table::Write, own, params![&*record.run, &*record.key, &*record.stage, name])?
        }
        Some(thing) => under(c, &thing.lock.conn, &thing.lock.family, &thing.lock.key)?
            .into_iter()
            .filter(|row| row.compared == Some(thing.compared))
            .collect(),
    };
    Ok(found.into_iter().next())
}

/// Looks for rows that carry the number or the reference under another name. One that never happened gives way; one
/// of the same record under an earlier identity (renamed run, edited key) is taken over; any other stands in the way.
fn clear_way(c: &Connection, wanted: &Wanted) -> Answer<Option<Wants>> {
    if let Some(thing) = &wanted.thing {
        let doubtful = under(c, &thing.lock.conn, &thing.lock.family, &thing.lock.key)?
            .into_iter()
            .any(|row| row.compared != Some(thing.compared) && row.standing.state.in_doubt());
        return Ok(doubtful.then_some(Wants::InDoubt));
    }
    let write = &wanted.write;
    let rule = wanted.question.as_ref().map_or("", |question| &*question.entity);
    let others = rows(
        c,
        Table::Write,
        "conn = ?1 AND entity = ?2 AND (own_number = ?3 OR (rule = ?4 AND reference = ?5))",
        params![&*wanted.conn, &*write.entity.entity, write.own_number.as_deref(), rule, write.reference.as_deref()],
    )?;
    let own = &wanted.record;
    for other in others {
        let theirs = &other.record;
        let same_record = theirs.run == own.run && theirs.key == own.key && theirs.stage == own.stage;
        if same_record && other.name == write.name {
            continue;
        }
        if matches!(other.standing.state, State::Void | State::None) {
            c.execute("DELETE FROM write WHERE id = ?1", [other.id.id])?;
            continue;
        }
        // Another key of the same making is another record; another name within the record is a changed flow.
        let same_stage = theirs.stage == own.stage;
        let renamed_run = theirs.run != own.run && theirs.key == own.key && same_stage;
        let other_key = theirs.run == own.run && theirs.key != own.key && theirs.key_fields != own.key_fields;
        let edited_key = other_key && same_stage;
        if !(renamed_run || edited_key) {
            return Ok(Some(Wants::Other(theirs.clone())));
        }
        if other.standing.state.in_doubt() {
            return Ok(Some(Wants::InDoubt));
        }
        c.execute(
            "DELETE FROM write WHERE run = ?1 AND key = ?2 AND stage = ?3 AND name = ?4",
            params![&*own.run, &*own.key, &*own.stage, &*write.name],
        )?;
        c.execute(
            "UPDATE write SET run = ?2, key = ?3, key_fields = ?4, name = ?5 WHERE id = ?1",
            params![other.id.id, &*own.run, &*own.key, &*own.key_fields, &*write.name],
        )?;
    }
    Ok(None)
}

fn put(
    c: &Connection,
    at: At,
    wanted: &Wanted,
    to: Standing,
    sent: &Sent<'_>,
    key: Option<&str>,
    via: Option<Via>,
) -> Answer<RowId> {
    let Wanted { record, write, .. } = wanted;
    let stored = wanted.question.as_ref().and_then(Question::stored);
    let rule = wanted.question.as_ref().map_or("", |question| &*question.entity);
    let now = at.now.to_string();
    // A personal number would be found under a thing's key only, as a hash.
    let private = |part| {
        wanted.question.as_ref().is_some_and(|asked| asked.marks.iter().any(|mark| mark.part == part && mark.private))
    };
    let own_number = write.own_number.as_deref().filter(|_| !private(Part::Number));
    let reference = write.reference.as_deref().filter(|_| !private(Part::Reference));
    let (table, sentence) = match &wanted.thing {
        None => (
            Table::Write,
            "INSERT INTO write (run, key, key_fields, name, conn, entity, state, attempt, seen, question, own_number,
                rule, reference, payload_hash, epoch, target_key, via, at, stage, leaves, followed,
                watched)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                ?22)
             ON CONFLICT (run, key, stage, name) DO UPDATE SET key_fields = ?3, conn = ?5, entity = ?6, state = ?7,
                attempt = ?8, seen = ?9, question = ?10, own_number = ?11, rule = ?12, reference = ?13,
                payload_hash = ?14, epoch = ?15, target_key = ?16, via = ?17, at = ?18, leaves = ?20, followed = ?21,
                watched = ?22
             RETURNING id",
        ),
        Some(_) => (
            Table::Ensure,
            "INSERT INTO ensure (run, key, name, conn, entity, state, attempt, seen, question, own_number, family,
                key_hash, compared_hash, payload_hash, epoch, target_key, via, at, stage, leaves, followed,
                watched)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                ?22)
             ON CONFLICT (conn, family, key_hash, compared_hash) DO UPDATE SET run = ?1, key = ?2, name = ?3,
                entity = ?5, state = ?6, attempt = ?7, seen = ?8, question = ?9, own_number = ?10,
                payload_hash = ?14, epoch = ?15, target_key = ?16, via = ?17, at = ?18, stage = ?19, leaves = ?20,
                followed = ?21, watched = ?22
             RETURNING id",
        ),
    };
    // What was there already is not what koppel left.
    let leaves = match via {
        None => Some(serde_json::to_string(sent.leaves).map_err(|error| LedgerError::Database(error.to_string()))?),
        Some(_) => None,
    };
    let via = via.map(via_word);
    let mut statement = c.prepare_cached(sentence)?;
    let state = state_word(to.state);
    let seen = seen_word(to.seen);
    let (conn, entity) = (&*wanted.conn, &*write.entity.entity);
    let id = match &wanted.thing {
        None => statement.query_row(
            params![
                &*record.run,
                &*record.key,
                &*record.key_fields,
                &*write.name,
                conn,
                entity,
                state,
                to.attempt,
                seen,
                stored,
                own_number,
                rule,
                reference,
                sent.payload,
                at.epoch,
                key,
                via,
                now,
                &*record.stage,
                leaves,
                wanted.followed,
                wanted.watched
            ],
            |line| line.get(0),
        )?,
        Some(thing) => statement.query_row(
            params![
                &*record.run,
                &*record.key,
                &*thing.name,
                conn,
                entity,
                state,
                to.attempt,
                seen,
                stored,
                own_number,
                &*thing.lock.family,
                thing.lock.key,
                thing.compared,
                sent.payload,
                at.epoch,
                key,
                via,
                now,
                &*record.stage,
                leaves,
                wanted.followed,
                wanted.watched
            ],
            |line| line.get(0),
        )?,
    };
    Ok(RowId { table, id })
}

/// At the start of a process: whatever was on its way is in doubt, before anything else runs.
pub(super) fn started(c: &Connection, at: At) -> Answer<()> {
    for row in doubts(c)? {
        tell(c, at, &Told { row: row.id, event: Event::Started, key: None })?;
    }
    Ok(())
}
