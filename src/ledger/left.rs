//! What koppel left in the fields of targets: one row for a field, whichever run wrote it last.
//!
//! Takes keyed hashes of what was sent, written with the confirm of a create or an update; gives them back to who
//! decides an update. Promises that no value is stored, and that what another run left since is never taken for an
//! edit by a person.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{
    LedgerError,
    key::Hash,
    row::{Hashes, RecordName, Row, RowId, Table, Wanted},
    state::{Command, Event, Finding, Standing, transition},
    store::{Answer, At, Wants, perhaps, rows, seen_word, shared, state_word},
};

/// Two runs that set a field to and fro within this time are held.
const FLIP: Duration = Duration::from_hours(24);

/// A record of a target system, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The connection.
    pub conn: Arc<str>,
    /// The written entity (`KnSalesRelationOrg`).
    pub entity: Arc<str>,
    /// Its key there.
    pub key: Arc<str>,
}

/// What koppel left in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftField {
    /// Short keyed hash of what it sent.
    pub hash: Arc<str>,
    /// Short keyed hash of how the target shows that; none as long as it was not read late enough.
    pub base: Option<Arc<str>>,
    /// When.
    pub at: Timestamp,
}

/// What koppel left in a record of a target, by written path.
pub type LeftAt = BTreeMap<Arc<str>, LeftField>;

/// What an update changes.
#[derive(Debug, Clone)]
pub struct Change {
    /// The key of the record at the target.
    pub key: Arc<str>,
    /// The entity that shows it, else itself: one change of a thing is under way at a time.
    pub thing: Arc<str>,
    /// How it is seen to have happened; none where no read shows what it changes.
    pub read_back: Option<ReadBack>,
    /// Until a write is shown by reads.
    pub lag: Duration,
}

/// How an update is seen to have happened: read the record by its key, compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// The entity that shows the record.
    pub entity: Arc<str>,
    /// Its field with the key.
    pub key: Arc<str>,
    /// Read fields and short keyed hashes of what they show afterwards, and did not show before.
    pub marks: Hashes,
}

/// Everything that is left in a record.
pub(super) fn left(c: &Connection, target: &Target) -> Answer<LeftAt> {
    let sentence =
        "SELECT field, hash, nullif(base, '-'), at FROM left WHERE conn = ?1 AND target_key = ?2 AND entity = ?3";
    let mut statement = c.prepare_cached(sentence)?;
    let fields = statement.query_map(params![&*target.conn, &*target.key, &*target.entity], |line| {
        let at = Timestamp::from_microsecond(line.get(3)?).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok((shared(line, 0)?, LeftField { hash: shared(line, 1)?, base: perhaps(line, 2)?, at }))
    })?;
    Ok(fields.collect::<Result<_, _>>()?)
}

/// Has anything been left in a record of this key since then?
pub(super) fn changed_since(c: &Connection, conn: &str, key: &str, since: Timestamp) -> Answer<bool> {
    let sentence = "SELECT EXISTS (SELECT 1 FROM left WHERE conn = ?1 AND target_key = ?2 AND at >= ?3)";
    let found = c.prepare_cached(sentence)?.query_row(params![conn, key, since.as_microsecond()], |line| line.get(0));
    Ok(found?)
}

/// Keeps how fields are shown, where they were left long enough ago and were not read since.
pub(super) fn set_bases(c: &Connection, shown: &[(Target, Hashes)], before: Timestamp) -> Answer<()> {
    let sentence = "UPDATE left SET base = ?5 WHERE conn = ?1 AND target_key = ?2 AND entity = ?3 AND field = ?4
        AND (base IS NULL OR base = '-') AND at <= ?6";
    let mut statement = c.prepare_cached(sentence)?;
    for (target, hashes) in shown {
        for (field, hash) in hashes {
            statement.execute(params![
                &*target.conn,
                &*target.key,
                &*target.entity,
                &**field,
                &**hash,
                before.as_microsecond()
            ])?;
        }
    }
    Ok(())
}

/// Keys of records of an entity in which something was left before that moment and not read since, at most so many.
pub(super) fn unread(c: &Connection, conn: &str, entity: &str, before: Timestamp, most: u32) -> Answer<Vec<Arc<str>>> {
    let mut statement = c.prepare_cached(
        "SELECT DISTINCT target_key FROM left WHERE conn = ?1 AND entity = ?2 AND base IS NULL AND at <= ?3 LIMIT ?4",
    )?;
    let keys = statement.query_map(params![conn, entity, before.as_microsecond(), most], |line| shared(line, 0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// These were read: what was not shown then is not waited for.
pub(super) fn were_read(c: &Connection, targets: &[Target], before: Timestamp) -> Answer<()> {
    let mut statement = c.prepare_cached(
        "UPDATE left SET base = '-' WHERE conn = ?1 AND target_key = ?2 AND entity = ?3 AND base IS NULL AND at <= ?4",
    )?;
    for target in targets {
        statement.execute(params![&*target.conn, &*target.key, &*target.entity, before.as_microsecond()])?;
    }
    Ok(())
}

/// A write was confirmed: what it sent is what is left there.
pub(super) fn confirmed(c: &Connection, at: At, row: &Row, key: &str) -> Answer<()> {
    let table = row.id.table.name();
    let (leaves, watched): (Option<String>, bool) = c
        .prepare_cached(&format!("SELECT leaves, watched FROM {table} WHERE id = ?1"))?
        .query_row([row.id.id], |line| Ok((line.get(0)?, line.get(1)?)))?;
    let base = (!watched).then_some("-");
    let Some(leaves) = leaves.filter(|_| !key.is_empty()) else { return Ok(()) };
    let leaves: Hashes = serde_json::from_str(&leaves).unwrap_or_default();
    let mut statement = c.prepare_cached(
        "INSERT INTO left (conn, target_key, entity, field, hash, run, at, base)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET
            before     = CASE WHEN hash <> ?5 THEN hash ELSE before END,
            before_run = CASE WHEN hash <> ?5 THEN run  ELSE before_run END,
            before_at  = CASE WHEN hash <> ?5 THEN at   ELSE before_at END,
            hash = ?5, base = ?8, run = ?6, at = ?7",
    )?;
    for (field, hash) in &leaves {
        let (run, now) = (&*row.record.run, at.now.as_microsecond());
        statement.execute(params![&*row.conn, key, &*row.entity, &**field, &**hash, run, now, base])?;
    }
    c.prepare_cached(&format!("UPDATE {table} SET leaves = NULL WHERE id = ?1"))?.execute([row.id.id])?;
    Ok(())
}

/// Takes what stands in fields today, that koppel never wrote, as what it left there.
pub(super) fn adopt(c: &Connection, at: At, run: &str, adopted: &[(Target, Hashes)]) -> Answer<()> {
    let mut statement = c.prepare_cached(
        "INSERT OR IGNORE INTO left (conn, target_key, entity, field, hash, run, at, base)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '-')",
    )?;
    for (target, hashes) in adopted {
        for (field, hash) in hashes {
            statement.execute(params![
                &*target.conn,
                &*target.key,
                &*target.entity,
                &**field,
                &**hash,
                run,
                at.now.as_microsecond()
            ])?;
        }
    }
    Ok(())
}

/// Puts a wanted update on disk as intended, or says what stands in its way. What the row knew before counts only while
/// it is in doubt: a confirmed update is wanted afresh whenever its record differs again.
pub(super) fn want(c: &Connection, at: At, wanted: &Wanted, change: &Change, sent: &Sent<'_>) -> Answer<Wants> {
    let record = &wanted.record;
    let own = rows(
        c,
        Table::Change,
        "run = ?1 AND key = ?2 AND stage = ?3 AND name = ?4",
        params![&*record.run, &*record.key, &*record.stage, &*wanted.write.name],
    )?;
    let own = own.into_iter().next();
    let under_way = rows(
        c,
        Table::Change,
        "conn = ?1 AND thing = ?2 AND target_key = ?3 AND state IN ('intended', 'unsettled', 'keyless', 'unclear')",
        params![&*wanted.conn, &*change.thing, &*change.key],
    )?;
    if !under_way.is_empty() || own.as_ref().is_some_and(|row| row.standing.state.in_doubt()) {
        return Ok(Wants::InDoubt);
    }
    let target =
        Target { conn: wanted.conn.clone(), entity: wanted.write.entity.entity.clone(), key: change.key.clone() };
    if let Some((field, run)) = flips(c, at, &target, sent.leaves, &record.run)? {
        return Ok(Wants::Flips { field, run });
    }
    if stands(c, at, &target, sent.leaves, change.lag)? {
        return Ok(Wants::Stands(change.key.clone()));
    }
    // Attempts are not counted: to send the same again does no harm.
    let standing = Standing::new(wanted.seen);
    let impossible = || LedgerError::Impossible(format!("{} is wanted twice at once", wanted.write.name));
    let went =
        transition(standing, Event::AskedFirst { finding: Finding::Absent, control: true }).ok_or_else(impossible)?;
    if went.then != Command::Commit {
        return Err(impossible());
    }
    super::records::open(c, at, record, &wanted.plan_version)?;
    let row = put(c, at, wanted, change, sent, went.to)?;
    Ok(Wants::Intended { row, attempt: went.to.attempt })
}

/// What is sent, as hashes.
pub(super) struct Sent<'a> {
    pub(super) payload: &'a Hash,
    pub(super) leaves: &'a Hashes,
}

/// Is all of this what koppel left there a moment ago? The target may not show it yet, so that it was decided again.
fn stands(c: &Connection, at: At, target: &Target, leaves: &Hashes, lag: Duration) -> Answer<bool> {
    let left = left(c, target)?;
    let fresh = |field: &LeftField| at.now.duration_since(field.at).unsigned_abs() < lag;
    let same = |(path, hash): (&Arc<str>, &Arc<str>)| left.get(path).is_some_and(|field| field.hash == *hash);
    Ok(leaves.iter().all(same) && leaves.keys().filter_map(|path| left.get(path)).any(fresh))
}

/// The field in which this would put back what another run has changed within a day, and that run.
fn flips(c: &Connection, at: At, target: &Target, leaves: &Hashes, run: &str) -> Answer<Option<(Arc<str>, Arc<str>)>> {
    let sentence = "SELECT run FROM left WHERE conn = ?1 AND target_key = ?2 AND entity = ?3 AND field = ?4
        AND hash <> ?5 AND before = ?5 AND run <> ?6 AND before_at >= ?7";
    let mut statement = c.prepare_cached(sentence)?;
    let since = at.now.checked_sub(FLIP).unwrap_or(Timestamp::UNIX_EPOCH).as_microsecond();
    for (field, hash) in leaves {
        let values = params![&*target.conn, &*target.key, &*target.entity, &**field, &**hash, run, since];
        if let Some(other) = statement.query_row(values, |line| shared(line, 0)).optional()? {
            return Ok(Some((field.clone(), other)));
        }
    }
    Ok(None)
}

fn put(c: &Connection, at: At, wanted: &Wanted, change: &Change, sent: &Sent<'_>, to: Standing) -> Answer<RowId> {
    let RecordName { run, key, key_fields, stage } = &wanted.record;
    let json = |error: serde_json::Error| LedgerError::Database(error.to_string());
    let read_back = change.read_back.as_ref().map(serde_json::to_string).transpose().map_err(json)?;
    let leaves = serde_json::to_string(sent.leaves).map_err(json)?;
    let id = c
        .prepare_cached(
            "INSERT INTO change (run, key, stage, key_fields, name, conn, entity, thing, target_key, state, attempt,
                seen, read_back, payload_hash, epoch, leaves, followed, at, watched)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
             ON CONFLICT DO UPDATE SET key_fields = ?4, conn = ?6, entity = ?7, thing = ?8, target_key = ?9,
                state = ?10, attempt = ?11, seen = ?12, read_back = ?13, payload_hash = ?14, epoch = ?15, leaves = ?16,
                followed = ?17, via = NULL, at = ?18, watched = ?19
             RETURNING id",
        )?
        .query_row(
            params![
                &**run,
                &**key,
                &**stage,
                &**key_fields,
                &*wanted.write.name,
                &*wanted.conn,
                &*wanted.write.entity.entity,
                &*change.thing,
                &*change.key,
                state_word(to.state),
                to.attempt,
                seen_word(to.seen),
                read_back,
                sent.payload,
                at.epoch,
                leaves,
                wanted.followed,
                at.now.to_string(),
                wanted.watched
            ],
            |line| line.get(0),
        )?;
    Ok(RowId { table: Table::Change, id })
}

/// Updates of a record that is done are over: what they left stands in `left`.
pub(super) fn over(c: &Connection, record: &RecordName) -> Answer<()> {
    c.prepare_cached(
        "DELETE FROM change WHERE run = ?1 AND key = ?2 AND stage = ?3 AND state IN ('confirmed', 'void')",
    )?
    .execute(params![&*record.run, &*record.key, &*record.stage])?;
    Ok(())
}
