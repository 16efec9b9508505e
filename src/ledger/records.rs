//! The ledger's sentences about records, connections and marks. All of them run inside the writer's transaction.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    LedgerError, left,
    row::{Ending, Hashes, Kept, Known, KnownRecord, Mark, RecordName, RecordOutcome, Table},
    store::{Answer, At, DOUBT, moment, outcome_of, outcome_word, perhaps, rows, shared, verdict_word, word},
};

/// First and longest time between two tries of a held record.
const FIRST_TRY: SignedDuration = SignedDuration::from_mins(5);
/// What a stage waits for comes mostly soon.
const FIRST_TRY_OF_A_STAGE: SignedDuration = SignedDuration::from_mins(1);
/// No held record waits longer than this for its next try.
pub const LAST_TRY: SignedDuration = SignedDuration::from_hours(6);

/// What is known of each of these records, in order.
pub(super) fn records(c: &Connection, run: &str, stage: &str, keys: &[Arc<str>]) -> Answer<Vec<Known>> {
    let mut all = Vec::with_capacity(keys.len());
    for key in keys {
        let record = c
            .prepare_cached(
                "SELECT outcome, hashes, plan_version, sealed, next_try, begun FROM record
                 WHERE run = ?1 AND key = ?2 AND stage = ?3",
            )?
            .query_row(params![run, &**key, stage], |line| {
                let hashes: String = line.get(1)?;
                Ok(KnownRecord {
                    outcome: word(line, 0, outcome_of)?,
                    hashes: serde_json::from_str::<Hashes>(&hashes).unwrap_or_default(),
                    plan_version: shared(line, 2)?,
                    sealed: line.get(3)?,
                    next_try: moment(line, 4)?,
                    begun: moment(line, 5)?.unwrap_or(Timestamp::UNIX_EPOCH),
                })
            })
            .optional()?;
        let mut own = Vec::new();
        for table in [Table::Write, Table::Ensure, Table::Change] {
            own.extend(rows(c, table, "run = ?1 AND key = ?2 AND stage = ?3", params![run, &**key, stage])?);
        }
        all.push(Known { record, rows: own });
    }
    Ok(all)
}

/// Keys of records that wait: open or held.
pub(super) fn waiting(c: &Connection, run: &str) -> Answer<Vec<Arc<str>>> {
    let mut statement = c.prepare_cached(
        "SELECT key FROM record WHERE run = ?1 AND stage = '' AND outcome IN ('open', 'held') ORDER BY key",
    )?;
    let keys = statement.query_map([run], |line| shared(line, 0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Writes how a record ended: outcome, hashes and seal together.
pub(super) fn finish(c: &Connection, at: At, record: &RecordName, ending: &Ending) -> Answer<()> {
    let held = ending.outcome == RecordOutcome::Held;
    let before: u32 = c
        .prepare_cached("SELECT tries FROM record WHERE run = ?1 AND key = ?2 AND stage = ?3 AND outcome = 'held'")?
        .query_row(params![&*record.run, &*record.key, &*record.stage], |line| line.get(0))
        .optional()?
        .unwrap_or(0);
    let first = if record.is_stage() { FIRST_TRY_OF_A_STAGE } else { FIRST_TRY };
    let pause = 1_i32.checked_shl(before.min(16)).and_then(|times| first.checked_mul(times)).unwrap_or(LAST_TRY);
    let next_try = held.then(|| at.now.checked_add(pause.min(LAST_TRY)).ok()).flatten();
    let tries = if held { before + 1 } else { 0 };
    let hashes = serde_json::to_string(&ending.hashes).map_err(|error| LedgerError::Database(error.to_string()))?;
    let reason = ending.reason.as_ref();
    c.prepare_cached(
        "INSERT INTO record (run, key, key_fields, hashes, outcome, verdict, place, reason, plan_version, sealed,
            tries, next_try, at, begun, stage, since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14, ?13)
         ON CONFLICT (run, key, stage) DO UPDATE SET key_fields = ?3, hashes = ?4, outcome = ?5, verdict = ?6, place = ?7,
            reason = ?8, plan_version = ?9, sealed = max(sealed, ?10), tries = ?11, next_try = ?12, at = ?13,
            since = CASE WHEN outcome IN ('open', ?5) THEN coalesce(since, at) ELSE ?13 END",
    )?
    .execute(params![
        &*record.run,
        &*record.key,
        &*record.key_fields,
        hashes,
        outcome_word(ending.outcome),
        reason.map(|reason| verdict_word(reason.verdict)),
        reason.map(|reason| &*reason.place),
        reason.map(|reason| &*reason.masked),
        &*ending.plan_version,
        ending.sealed,
        tries,
        next_try.map(|next| next.to_string()),
        at.now.to_string(),
        &*record.stage
    ])?;
    if ending.outcome == RecordOutcome::Done {
        left::over(c, record)?;
        left::adopt(c, at, &record.run, &ending.adopted)?;
        // What stood behind its writes is looked at again with the record as it is now.
        c.prepare_cached(
            "UPDATE record SET outcome = 'open' WHERE run = ?1 AND key = ?2 AND stage <> ?3
                AND stage <> '' AND ?3 = '' AND outcome IN ('skipped', 'failed')",
        )?
        .execute(params![&*record.run, &*record.key, &*record.stage])?;
    }
    Ok(())
}

/// A stage that is to be decided: its write was confirmed.
pub(super) fn begin(c: &Connection, at: At, stage: &RecordName) -> Answer<()> {
    c.prepare_cached(
        "INSERT OR IGNORE INTO record (run, key, stage, key_fields, hashes, outcome, plan_version, sealed, tries, begun,
            at, since)
         VALUES (?1, ?2, ?3, ?4, '{}', 'open', '', 0, 0, ?5, ?5, ?5)",
    )?
    .execute(params![&*stage.run, &*stage.key, &*stage.stage, &*stage.key_fields, at.now.to_string()])?;
    Ok(())
}

/// The stages of a run that are not over.
pub(super) fn stages(c: &Connection, run: &str) -> Answer<Vec<RecordName>> {
    let mut statement = c.prepare_cached(
        "SELECT key, key_fields, stage FROM record WHERE run = ?1 AND stage <> '' AND outcome NOT IN ('done', 'gone')
         ORDER BY stage, begun, key",
    )?;
    let stages = statement.query_map([run], |line| {
        Ok(RecordName { run: run.into(), key: shared(line, 0)?, key_fields: shared(line, 1)?, stage: shared(line, 2)? })
    })?;
    Ok(stages.collect::<Result<_, _>>()?)
}

/// Adds hashes of fields that an edited plan reads for the first time.
pub(super) fn fill_in(c: &Connection, record: &RecordName, hashes: &Hashes) -> Answer<()> {
    let hashes = serde_json::to_string(hashes).map_err(|error| LedgerError::Database(error.to_string()))?;
    c.prepare_cached("UPDATE record SET hashes = ?3 WHERE run = ?1 AND key = ?2 AND stage = ?4")?.execute(params![
        &*record.run,
        &*record.key,
        hashes,
        &*record.stage
    ])?;
    Ok(())
}

/// Notes a record of which something is on its way.
pub(super) fn open(c: &Connection, at: At, record: &RecordName, plan_version: &str) -> Answer<()> {
    c.prepare_cached(
        "INSERT INTO record (run, key, key_fields, hashes, outcome, plan_version, sealed, tries, at, begun, stage, since)
         VALUES (?1, ?2, ?3, '{}', 'open', ?4, 0, 0, ?5, ?5, ?6, ?5)
         ON CONFLICT (run, key, stage) DO UPDATE SET outcome = 'open', verdict = NULL, place = NULL, reason = NULL,
            plan_version = ?4, at = ?5, since = CASE WHEN outcome IN ('open', 'held', 'failed') THEN since ELSE ?5 END",
    )?
    .execute(params![
        &*record.run,
        &*record.key,
        &*record.key_fields,
        plan_version,
        at.now.to_string(),
        &*record.stage
    ])?;
    Ok(())
}

/// What a settled row belongs to is decided afresh.
pub(super) fn reopen(c: &Connection, record: &RecordName) -> Answer<()> {
    c.prepare_cached(
        "UPDATE record SET outcome = 'open' WHERE run = ?1 AND key = ?2 AND stage = ?3 AND outcome = 'held'",
    )?
    .execute(params![&*record.run, &*record.key, &*record.stage])?;
    Ok(())
}

/// What a retry decides again: of a run what is held or failed, of a named record also what is skipped or open. What is
/// in doubt is not: it waits for certainty.
pub(super) fn retried(key: Option<&str>, failed_only: bool) -> String {
    let outcomes = match (key, failed_only) {
        (Some(_), _) => "'held', 'failed', 'skipped', 'open'",
        (None, true) => "'failed'",
        (None, false) => "'held', 'failed'",
    };
    let certain = [Table::Write, Table::Ensure, Table::Change].map(|table| {
        let name = table.name();
        format!(
            "NOT EXISTS (SELECT 1 FROM {name} AS own WHERE own.run = record.run AND own.key = record.key
                AND own.stage = record.stage AND own.{DOUBT})"
        )
    });
    format!("run = ?1 AND (?2 IS NULL OR key = ?2) AND outcome IN ({outcomes}) AND {}", certain.join(" AND "))
}

/// Lets records be decided at the next poll; gives how many.
pub(super) fn retry(c: &Connection, run: &str, key: Option<&str>, failed_only: bool) -> Answer<usize> {
    let sentence = format!("UPDATE record SET outcome = 'open' WHERE {}", retried(key, failed_only));
    Ok(c.execute(&sentence, params![run, key])?)
}

/// Lifts the seal of a record and of its stages, so that they are decided at the next poll; gives how many seals.
pub(super) fn unseal(c: &Connection, run: &str, key: &str) -> Answer<usize> {
    let sentence = "UPDATE record SET outcome = 'open', sealed = 0 WHERE run = ?1 AND key = ?2 AND sealed = 1";
    Ok(c.execute(sentence, params![run, key])?)
}

/// Lets a record that was done be decided at the next poll, under its seal; gives how many.
pub(super) fn again(c: &Connection, run: &str, key: &str) -> Answer<usize> {
    let sentence = "UPDATE record SET outcome = 'open'
        WHERE run = ?1 AND key = ?2 AND stage = '' AND sealed = 1 AND outcome IN ('done', 'held')";
    Ok(c.execute(sentence, params![run, key])?)
}

/// Puts a known record where a row or the source says it is; its hashes stay.
pub(super) fn set_outcome(
    c: &Connection,
    at: At,
    record: &RecordName,
    outcome: RecordOutcome,
    reason: Option<&Kept>,
) -> Answer<()> {
    c.prepare_cached(
        "UPDATE record SET outcome = ?3, verdict = ?4, place = ?5, reason = ?6, at = ?7,
            since = CASE WHEN outcome IN ('open', ?3) THEN coalesce(since, at) ELSE ?7 END
         WHERE run = ?1 AND key = ?2 AND stage = ?8",
    )?
    .execute(params![
        &*record.run,
        &*record.key,
        outcome_word(outcome),
        reason.map(|reason| verdict_word(reason.verdict)),
        reason.map(|reason| &*reason.place),
        reason.map(|reason| &*reason.masked),
        at.now.to_string(),
        &*record.stage
    ])?;
    Ok(())
}

/// Remembers who answers on a connection, or says who answered before.
pub(super) fn connect(c: &Connection, name: &str, identity: &str) -> Answer<Option<String>> {
    let known: Option<String> =
        c.query_row("SELECT identity FROM conn WHERE name = ?1", [name], |line| line.get(0)).optional()?;
    match known {
        Some(known) if known != identity => Ok(Some(known)),
        Some(_) => Ok(None),
        None => {
            c.execute("INSERT INTO conn (name, identity) VALUES (?1, ?2)", params![name, identity])?;
            Ok(None)
        }
    }
}

pub(super) fn mark(c: &Connection, run: &str, list: &str) -> Answer<Option<Mark>> {
    let sentence = "SELECT floor, plan_version, swept_at FROM mark WHERE run = ?1 AND list = ?2";
    let found = c.query_row(sentence, params![run, list], |line| {
        Ok(Mark {
            floor: perhaps(line, 0)?,
            plan_version: shared(line, 1)?,
            swept_at: moment(line, 2)?.unwrap_or(Timestamp::UNIX_EPOCH),
        })
    });
    Ok(found.optional()?)
}

pub(super) fn set_mark(c: &Connection, run: &str, list: &str, mark: &Mark) -> Answer<()> {
    c.execute(
        "INSERT INTO mark (run, list, floor, plan_version, swept_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (run, list) DO UPDATE SET floor = ?3, plan_version = ?4, swept_at = ?5",
        params![run, list, mark.floor.as_deref(), &*mark.plan_version, mark.swept_at.to_string()],
    )?;
    Ok(())
}

/// The list as it is being read, beside the one that was read before it.
fn being_read(list: &str) -> String {
    format!("{list}+")
}

pub(super) fn begin_list(c: &Connection, run: &str, list: &str) -> Answer<()> {
    c.prepare_cached("DELETE FROM listed WHERE run = ?1 AND list = ?2")?.execute(params![run, being_read(list)])?;
    Ok(())
}

pub(super) fn list(c: &Connection, run: &str, list: &str, keys: &[Arc<str>]) -> Answer<()> {
    let mut statement = c.prepare_cached("INSERT OR IGNORE INTO listed (run, list, id) VALUES (?1, ?2, ?3)")?;
    let list = being_read(list);
    for key in keys {
        statement.execute(params![run, list, &**key])?;
    }
    Ok(())
}

pub(super) fn left_list(c: &Connection, run: &str, list: &str) -> Answer<Vec<Arc<str>>> {
    let mut statement = c.prepare_cached(
        "SELECT id FROM listed AS old WHERE run = ?1 AND list = ?2 AND NOT EXISTS
           (SELECT 1 FROM listed WHERE run = old.run AND list = ?3 AND id = old.id)",
    )?;
    let keys = statement.query_map(params![run, list, being_read(list)], |line| shared(line, 0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

pub(super) fn end_list(c: &Connection, run: &str, list: &str) -> Answer<()> {
    c.prepare_cached("DELETE FROM listed WHERE run = ?1 AND list = ?2")?.execute(params![run, list])?;
    let mut rename = c.prepare_cached("UPDATE listed SET list = ?2 WHERE run = ?1 AND list = ?3")?;
    rename.execute(params![run, list, being_read(list)])?;
    Ok(())
}

/// Notes a record that could not be brought to an end, so that it is looked at again wherever its source is read from.
/// What a hold says stays.
pub(super) fn wait(c: &Connection, at: At, record: &RecordName, plan_version: &str) -> Answer<()> {
    let known: Option<String> = c
        .prepare_cached("SELECT outcome FROM record WHERE run = ?1 AND key = ?2 AND stage = ?3")?
        .query_row(params![&*record.run, &*record.key, &*record.stage], |line| line.get(0))
        .optional()?;
    match known.as_deref() {
        Some("open" | "held") => Ok(()),
        _ => open(c, at, record, plan_version),
    }
}
