//! The tables of the ledger, as numbered migrations that are never edited.
//!
//! Nothing in them is a payload. Own numbers, references and keys of documents stand in plain, because a write must be
//! askable without its record; whatever may be personal is a keyed hash (HMAC-SHA-256) or is not there.

use rusqlite::Connection;

use super::LedgerError;

/// In order; the place in the list plus one is the version that `PRAGMA user_version` keeps.
const MIGRATIONS: &[&str] = &["
CREATE TABLE meta (
  one         INTEGER PRIMARY KEY CHECK (one = 1), -- there is one row
  ledger_id   TEXT    NOT NULL, -- made with the file; a birth mark outside the ledger names it
  hmac_key_id TEXT    NOT NULL, -- which key the hashes were made with; another key is refused at start
  epoch       INTEGER NOT NULL, -- one more at each start; every commit checks that it is still its own
  commits     INTEGER NOT NULL  -- commits that changed something, so that an older copy of the file is noticed
) STRICT;

CREATE TABLE conn (
  name     TEXT PRIMARY KEY, -- the connection's name in koppel.toml
  identity TEXT NOT NULL     -- who answered there first (AFAS environment, Jortt organisation); another is refused
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
  run          TEXT    NOT NULL, -- the name of the run
  key          TEXT    NOT NULL, -- the record's key, as the flow gives it
  key_fields   TEXT    NOT NULL, -- names of the fields that make the key, so that an edited key is told from another record
  hashes       TEXT    NOT NULL, -- JSON: field -> first 8 bytes of a keyed hash, in hexadecimal
  outcome      TEXT    NOT NULL, -- open, done, skipped, held, failed, gone
  verdict      TEXT,             -- the word of the guard: skip, hold, fail
  place        TEXT,             -- where the flow says so: orders.flow:75
  reason       TEXT,             -- why, personal data and free text as dots
  plan_version TEXT    NOT NULL, -- hash of the flow's texts and settings that decided
  sealed       INTEGER NOT NULL, -- 1: it was done once, so nothing more is created for it
  tries        INTEGER NOT NULL, -- how often in a row it was held
  next_try     TEXT,             -- when a held record is tried again by itself (UTC)
  at           TEXT    NOT NULL, -- when this row was written (UTC)
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE write (
  id           INTEGER PRIMARY KEY,
  run          TEXT    NOT NULL, -- the record it belongs to
  key          TEXT    NOT NULL, -- likewise
  key_fields   TEXT    NOT NULL, -- as in record
  name         TEXT    NOT NULL, -- its name in the flow
  conn         TEXT    NOT NULL, -- where it goes
  entity       TEXT    NOT NULL, -- what it makes: FbSales
  state        TEXT    NOT NULL, -- intended, unsettled, confirmed, keyless, unclear, void
  attempt      INTEGER NOT NULL, -- attempts since it last certainly was not there
  seen         TEXT    NOT NULL, -- read, sign, number, nothing: how the target shows it
  question     TEXT,             -- JSON: read entity, key field and marks by which it is asked for
  own_number   TEXT,             -- our own number, in plain
  rule         TEXT    NOT NULL, -- the read entity that shows the reference; empty if none does
  reference    TEXT,             -- the reference, in plain
  payload_hash BLOB,             -- keyed hash of what was sent last
  epoch        INTEGER NOT NULL, -- the start in which it was last intended
  quiet_since  TEXT,             -- when its doubt began (UTC), for people; windows run by the process's own clock
  target_key   TEXT,             -- its key at the target
  via          TEXT,             -- answer, asked, number, found: how it came to be confirmed
  at           TEXT    NOT NULL, -- when this row was written (UTC)
  UNIQUE (run, key, name)
) STRICT;
CREATE UNIQUE INDEX write_number    ON write (conn, entity, own_number)      WHERE own_number IS NOT NULL;
CREATE UNIQUE INDEX write_reference ON write (conn, entity, rule, reference) WHERE reference IS NOT NULL;
CREATE INDEX write_target ON write (conn, entity, target_key);
CREATE INDEX write_doubt  ON write (conn) WHERE state IN ('intended', 'unsettled', 'keyless', 'unclear');

CREATE TABLE ensure (
  id            INTEGER PRIMARY KEY,
  conn          TEXT    NOT NULL, -- where the thing is
  family        TEXT    NOT NULL, -- what it is: debtor, item
  key_hash      BLOB    NOT NULL, -- keyed hash of what recognises it (an e-mail); all rows of one are the lock
  compared_hash BLOB    NOT NULL, -- keyed hash of all that its finds compare: with the key hash its identity
  run           TEXT    NOT NULL, -- the record that wanted it first
  key           TEXT    NOT NULL, -- likewise
  name          TEXT    NOT NULL, -- the name of the ensure in that flow
  entity        TEXT    NOT NULL, -- what is made: KnSalesRelationOrg
  state         TEXT    NOT NULL, -- from here on as in write
  attempt       INTEGER NOT NULL,
  seen          TEXT    NOT NULL,
  question      TEXT,
  own_number    TEXT,
  payload_hash  BLOB,
  epoch         INTEGER NOT NULL,
  quiet_since   TEXT,
  target_key    TEXT,
  via           TEXT,
  at            TEXT    NOT NULL,
  UNIQUE (conn, family, key_hash, compared_hash)
) STRICT;
CREATE INDEX ensure_origin ON ensure (run, key);
CREATE INDEX ensure_target ON ensure (conn, entity, target_key);
CREATE INDEX ensure_doubt  ON ensure (conn) WHERE state IN ('intended', 'unsettled', 'keyless', 'unclear');

CREATE TABLE mark (
  run          TEXT NOT NULL, -- the run
  list         TEXT NOT NULL, -- what is read: jortt.invoices
  floor        TEXT,          -- the highest stamp of the last finished scan, as the source gave it
  plan_version TEXT NOT NULL, -- the plan that scanned; another one reads everything again
  swept_at     TEXT NOT NULL, -- when everything was last read (UTC)
  PRIMARY KEY (run, list)
) STRICT, WITHOUT ROWID;
", "
CREATE TABLE record_2 (
  run          TEXT    NOT NULL,
  key          TEXT    NOT NULL,
  stage        TEXT    NOT NULL, -- empty: the flow itself; else the write behind which an `after` is decided
  key_fields   TEXT    NOT NULL,
  hashes       TEXT    NOT NULL,
  outcome      TEXT    NOT NULL,
  verdict      TEXT,
  place        TEXT,
  reason       TEXT,
  plan_version TEXT    NOT NULL,
  sealed       INTEGER NOT NULL,
  tries        INTEGER NOT NULL,
  next_try     TEXT,
  begun        TEXT    NOT NULL, -- when this row was made (UTC): a stage may wait for a while before a person is told
  at           TEXT    NOT NULL,
  PRIMARY KEY (run, key, stage)
) STRICT, WITHOUT ROWID;
INSERT INTO record_2 SELECT run, key, '', key_fields, hashes, outcome, verdict, place, reason, plan_version, sealed,
  tries, next_try, at, at FROM record;
DROP TABLE record;
ALTER TABLE record_2 RENAME TO record;

CREATE TABLE write_2 (
  id           INTEGER PRIMARY KEY,
  run          TEXT    NOT NULL,
  key          TEXT    NOT NULL,
  stage        TEXT    NOT NULL, -- as in record
  key_fields   TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  conn         TEXT    NOT NULL,
  entity       TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  attempt      INTEGER NOT NULL,
  seen         TEXT    NOT NULL,
  question     TEXT,
  own_number   TEXT,
  rule         TEXT    NOT NULL,
  reference    TEXT,
  payload_hash BLOB,
  epoch        INTEGER NOT NULL,
  quiet_since  TEXT,
  target_key   TEXT,
  via          TEXT,
  leaves       TEXT,             -- JSON: field -> short keyed hash of what it leaves there; gone when it is in `left`
  followed     INTEGER NOT NULL, -- 1: a stage begins when it is confirmed
  watched      INTEGER NOT NULL, -- 1: what it leaves is read once more, so that an edit is told from it
  at           TEXT    NOT NULL,
  UNIQUE (run, key, stage, name)
) STRICT;
INSERT INTO write_2 SELECT id, run, key, '', key_fields, name, conn, entity, state, attempt, seen, question, own_number,
  rule, reference, payload_hash, epoch, quiet_since, target_key, via, NULL, 0, 0, at FROM write;
DROP TABLE write;
ALTER TABLE write_2 RENAME TO write;
CREATE UNIQUE INDEX write_number    ON write (conn, entity, own_number)      WHERE own_number IS NOT NULL;
CREATE UNIQUE INDEX write_reference ON write (conn, entity, rule, reference) WHERE reference IS NOT NULL;
CREATE INDEX write_target ON write (conn, entity, target_key);
CREATE INDEX write_doubt  ON write (conn) WHERE state IN ('intended', 'unsettled', 'keyless', 'unclear');

ALTER TABLE ensure ADD COLUMN stage    TEXT    NOT NULL DEFAULT '';
ALTER TABLE ensure ADD COLUMN leaves   TEXT;
ALTER TABLE ensure ADD COLUMN followed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ensure ADD COLUMN watched  INTEGER NOT NULL DEFAULT 0;

CREATE TABLE change (
  id           INTEGER PRIMARY KEY,
  run          TEXT    NOT NULL, -- the record that wants it
  key          TEXT    NOT NULL,
  stage        TEXT    NOT NULL,
  key_fields   TEXT    NOT NULL,
  name         TEXT    NOT NULL, -- its name in the flow
  conn         TEXT    NOT NULL, -- where it goes
  entity       TEXT    NOT NULL, -- what it changes: KnSalesRelationOrg
  thing        TEXT    NOT NULL, -- the entity that shows it: one change of a thing is under way at a time
  target_key   TEXT    NOT NULL, -- which one
  state        TEXT    NOT NULL, -- as in write; a confirmed one goes when its record is done
  attempt      INTEGER NOT NULL,
  seen         TEXT    NOT NULL,
  read_back    TEXT,             -- JSON: read entity, key field, and short keyed hashes that show that it happened
  payload_hash BLOB,
  epoch        INTEGER NOT NULL,
  quiet_since  TEXT,
  via          TEXT,
  leaves       TEXT,
  followed     INTEGER NOT NULL,
  watched      INTEGER NOT NULL,
  at           TEXT    NOT NULL,
  UNIQUE (run, key, stage, name)
) STRICT;
CREATE INDEX change_target ON change (conn, thing, target_key);
CREATE INDEX change_doubt  ON change (conn) WHERE state IN ('intended', 'unsettled', 'keyless', 'unclear');

CREATE TABLE left (
  conn       TEXT    NOT NULL, -- where
  target_key TEXT    NOT NULL, -- which record there
  entity     TEXT    NOT NULL, -- as it is written: KnSalesRelationOrg
  field      TEXT    NOT NULL, -- path of the written field
  hash       TEXT    NOT NULL, -- short keyed hash of what koppel last left there
  base       TEXT,             -- short keyed hash of how the target shows that; none until it was read late enough, - if it is not shown
  run        TEXT    NOT NULL, -- which run left it
  at         INTEGER NOT NULL, -- when, in microseconds
  before     TEXT,             -- what was left there before that, if it was something else
  before_run TEXT,
  before_at  INTEGER,
  PRIMARY KEY (conn, target_key, entity, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX left_unread ON left (conn, entity, at) WHERE base IS NULL;
", "
CREATE TABLE listed (
  run  TEXT NOT NULL, -- the run
  list TEXT NOT NULL, -- what is read: jortt.invoices
  id   TEXT NOT NULL, -- the key of a record that was in the list that records leave, when it was last read
  PRIMARY KEY (run, list, id)
) STRICT, WITHOUT ROWID;
", "
CREATE TABLE wish ( -- what a person typed; written by a verb, carried out by the process that has the lock
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  run        TEXT NOT NULL,
  key        TEXT,          -- the record; none = all of the run
  verb       TEXT NOT NULL, -- retry, retry-failed, redo, happened, did-not-happen
  write      TEXT,          -- which write, as `label` or `label after sale`; none = of the record as a whole
  target_key TEXT,          -- under which key it happened
  at         TEXT NOT NULL, -- when it was typed (UTC)
  ended      TEXT,          -- when it was carried out or refused (UTC)
  refused    TEXT           -- why it was not carried out
) STRICT;
CREATE INDEX wish_waiting ON wish (id) WHERE ended IS NULL;

ALTER TABLE record ADD COLUMN since TEXT; -- since when it is held, failed … (UTC), tries in between not counted
"];

/// The version of a file and the newest one; a file of a newer koppel is refused.
fn versions(connection: &Connection) -> Result<(u32, u32), LedgerError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known { Err(LedgerError::Newer { found, known }) } else { Ok((found, known)) }
}

/// Refuses a file that who only looks cannot read.
pub(super) fn newest(connection: &Connection) -> Result<(), LedgerError> {
    let (found, known) = versions(connection)?;
    if found < known { Err(LedgerError::Older { found, known }) } else { Ok(()) }
}

/// Brings the tables to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    let (found, _) = versions(connection)?;
    for (version, migration) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_of_the_first_version_is_brought_over_with_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO record VALUES ('r', '1', 'id', '{}', 'done', NULL, NULL, NULL, 'v', 1, 0, NULL, 'then');
                 INSERT INTO write (run, key, key_fields, name, conn, entity, state, attempt, seen, own_number, rule,
                    epoch, target_key, at)
                 VALUES ('r', '1', 'id', 'sale', 'afas', 'FbSales', 'confirmed', 1, 'read', 'J1', '', 1, 'J1', 'then');
                 PRAGMA user_version = 1;",
            )
            .unwrap();
        assert!(matches!(newest(&connection), Err(LedgerError::Older { found: 1, .. })));
        migrate(&mut connection).unwrap();
        newest(&connection).unwrap();
        let own = |sentence: &str| connection.query_row(sentence, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(own("SELECT outcome || stage || begun FROM record WHERE sealed = 1"), "donethen");
        assert_eq!(own("SELECT state || stage || own_number FROM write WHERE followed = 0"), "confirmedJ1");
    }
}
