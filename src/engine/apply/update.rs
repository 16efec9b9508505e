//! Updates: what they change, the lock of it, and how it is seen that one has happened.
//!
//! One update of a thing is under way at a time, whichever flow or record wants it. Who waited for another one reads
//! again and decides afresh, so that it sends only what still differs.

use std::{collections::HashSet, sync::Arc};

use super::{Applying, Entry, Halt};
use crate::{
    engine::{question::typed, reads::Rows},
    ledger::{Change, LockName, ReadBack},
    schema::WriteFacts,
    value::{Action, Decision, EntityName, Node, Outcome, Record, Value, Write, same},
};

/// The updates of a decision.
fn updates(decision: &Decision) -> impl Iterator<Item = &Write> {
    let writes = match &decision.outcome {
        Outcome::Writes(writes) => writes.as_slice(),
        _ => &[],
    };
    writes.iter().filter(|write| write.action == Action::Update)
}

impl Applying<'_> {
    /// The locks of what a decision changes. A key that is still to come is of a record that nobody else knows.
    pub(super) fn changed(&self, decision: &Decision) -> Result<Vec<LockName>, Halt> {
        let mut locks = Vec::new();
        for write in updates(decision) {
            let Some((facts, key)) = self.known_key(write) else { continue };
            let conn: Arc<str> = self.run.connection(&write.entity.role)?.name().into();
            locks.push(self.ledger.change_lock(&conn, thing(facts, write), &key));
        }
        Ok(locks)
    }

    /// The entities whose rows this decision hangs on and that were written since the poll began; the decision may be
    /// out of date.
    pub(super) async fn outdated(&self, decision: &Decision) -> Result<HashSet<EntityName>, Halt> {
        let mut outdated = HashSet::new();
        for write in updates(decision) {
            let Some((facts, key)) = self.known_key(write) else { continue };
            let conn = self.run.connection(&write.entity.role)?.name();
            if self.ledger.changed_since(conn, &key, self.since).await? {
                let role = &write.entity.role;
                let readers = facts.readers().cloned();
                outdated.extend(readers.map(|entity| EntityName { role: role.clone(), entity }));
            }
        }
        Ok(outdated)
    }

    /// The facts and the key of an update whose key is known.
    fn known_key(&self, write: &Write) -> Option<(&WriteFacts, Arc<str>)> {
        let facts = self.run.write_facts(&write.entity)?;
        let key = facts.key_of(|path| write.fields.value(path).cloned().unwrap_or_default());
        (!matches!(key, Value::Key(_) | Value::Blank)).then(|| (facts, key.to_string().into()))
    }

    /// What an update changes; none where it has no key.
    pub(super) fn change(&self, entry: &Entry, write: &Write, rows: &Rows) -> Option<Change> {
        let (facts, key) = self.known_key(write)?;
        let lag = self.run.connection(&write.entity.role).ok()?.read_lag();
        let read_back = self.read_back(entry, facts, write, &key, rows);
        Some(Change { thing: thing(facts, write).into(), key, read_back, lag })
    }

    /// What the target will show when the update has happened, and does not show yet.
    fn read_back(
        &self,
        entry: &Entry,
        facts: &WriteFacts,
        write: &Write,
        key: &Arc<str>,
        rows: &Rows,
    ) -> Option<ReadBack> {
        let (name, key_field) = (shown(facts, write), facts.shown_key()?);
        let system = self.run.systems.get(&name.role)?;
        let read = self.run.catalog.entity(system, &name.entity)?.read.as_ref()?;
        let is_it = |row: &&Record| row.path(key_field).to_string() == **key;
        let source = self.run.plan.source.as_ref().filter(|source| source.name == name);
        let own = source.map(|_| &entry.record).filter(is_it);
        let row = own.or_else(|| rows.of(&name).find(is_it))?;
        let hasher = self.ledger.hasher();
        let mut marks = crate::ledger::Hashes::new();
        for (path, node) in write.fields.leaves() {
            let (Node::Value(value), Some(field)) = (node, facts.shows.get(path.as_str())) else { continue };
            let before = row.shape().index(field.split('.').next().unwrap_or(field)).map(|_| row.path(field));
            let after = if *value == Value::Clear { Value::Blank } else { typed(value, &read.object, field) };
            if before.is_some_and(|before| !same(before, &after)) {
                marks.insert(field.clone(), hasher.value(&after));
            }
        }
        (!marks.is_empty()).then(|| ReadBack { entity: name.entity, key: key_field.clone(), marks })
    }
}

/// The entity that shows what a write changes, else what it writes.
fn thing<'a>(facts: &'a WriteFacts, write: &'a Write) -> &'a str {
    facts.shown_by.as_ref().unwrap_or(&write.entity.entity)
}

fn shown(facts: &WriteFacts, write: &Write) -> EntityName {
    EntityName { role: write.entity.role.clone(), entity: thing(facts, write).into() }
}
