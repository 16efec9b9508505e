//! What koppel made and the target does not show any more.
//!
//! A thing that is gone is made again by whoever wants it next, a document never. Gone is only what its own key does not
//! bring back while a key that certainly exists comes back with the same question.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::{Applying, Halt, Making, locks::Made};
use crate::{
    engine::{
        reads::ask,
        settle::{late, tell},
    },
    ledger::{Command, Event, Row, State},
    value::{Ask, EntityName, Fields, Filter, Node, Value, Verdict, Write},
};

impl Applying<'_> {
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
                let text = format!(
                    "{what} any more, which koppel made and makes no second time: put it back there under that key, or \
                     finish the record by hand"
                );
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
    pub(super) async fn still_there(&self, write: &Write, row: &Row) -> Result<Option<Arc<str>>, Halt> {
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
