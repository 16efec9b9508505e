//! Lists that are read from their newest record down to a floor.
//!
//! A source that lists newest first, and whose list no record ever leaves, need not be read whole at each poll: from the
//! newest record down to the floor, the newest of the last finished scan, everything is new or seen. What changes below
//! the floor is noticed at once where it leaves a narrower list (an invoice that is paid leaves the unpaid ones), and
//! else at the daily sweep. Records that wait are read by their keys.

use std::{collections::HashSet, sync::Arc};

use super::{
    EngineError, Run,
    left::look,
    page::Carried,
    poll::Poll,
    source::{BATCH, Batch, Pages, by_key, source_ask, standing_due},
};
use crate::{
    check::typed::Since,
    plan::SourcePlan,
    schema::ListWord,
    value::{Ask, Filter, Record, Value, order},
};

/// How a source is read from its newest record down.
pub(super) struct Newest {
    /// The stamp that its order goes by.
    pub(super) stamp: Arc<str>,
    /// The field that tells in which lists a record is.
    list: Arc<str>,
    /// The narrower list that records leave, if it has one.
    leaving: Option<Filter>,
}

impl Newest {
    /// What a record of the narrower list satisfies.
    pub(super) fn leaving(&self) -> Option<&Filter> {
        self.leaving.as_ref()
    }

    /// The ask that also brings the stamp and the lists of a record.
    pub(super) fn widened(&self, ask: Ask) -> Ask {
        let mut fields: Vec<Arc<str>> = ask.fields.iter().chain([&self.stamp, &self.list]).cloned().collect();
        fields.sort();
        fields.dedup();
        Ask { fields: fields.into(), ..ask }
    }
}

/// Can this source be read down to a floor? Not where rows elsewhere belong to the content of its records: they would
/// change unnoticed below it.
pub(super) fn newest(run: &Run, source: &SourcePlan) -> Result<Option<Newest>, EngineError> {
    let connector = run.connection(&source.name.role)?;
    let stamp = connector.newest_first(&source.name.entity);
    // Records below the floor are read by their keys.
    let fits = run.plan.content.is_empty() && source.key.len() == 1;
    let (Some(stamp), Since::Change, true) = (stamp, &source.since, fits) else {
        return Ok(None);
    };
    let Some(read) = &source.entity.read else { return Ok(None) };
    for (name, field) in &read.object.fields {
        let Some(derived) = field.derived.as_ref().filter(|derived| !derived.words.is_empty()) else { continue };
        let Some(word) = only_word(&source.filter, name) else { continue };
        let Some(own) = derived.words.iter().find(|own| &*own.word == word) else { continue };
        if own.left {
            continue;
        }
        let narrower = |other: &&ListWord| {
            other.left && other.when.len() > own.when.len() && own.when.iter().all(|test| other.when.contains(test))
        };
        // Words stand from wide to narrow.
        let leaving = derived.words.iter().find(narrower).map(|other| replaced(&source.filter, name, &other.word));
        return Ok(Some(Newest { stamp: stamp.clone(), list: name.clone(), leaving }));
    }
    Ok(None)
}

/// The one word that a list field must have; none where it may have several, or any.
fn only_word<'f>(filter: &'f Filter, field: &str) -> Option<&'f str> {
    match filter {
        Filter::Is(path, value) if **path == *field => value.as_text(),
        Filter::In(path, values) if **path == *field => match &values[..] {
            [value] => value.as_text(),
            _ => None,
        },
        Filter::And(all) => all.iter().find_map(|filter| only_word(filter, field)),
        _ => None,
    }
}

/// The filter with another word for the list.
fn replaced(filter: &Filter, field: &Arc<str>, word: &Arc<str>) -> Filter {
    match filter {
        Filter::Is(path, _) | Filter::In(path, _) if path == field => {
            Filter::Is(field.clone(), Value::Text(word.clone()))
        }
        Filter::And(all) => Filter::And(all.iter().map(|filter| replaced(filter, field, word)).collect()),
        other => other.clone(),
    }
}

/// Is one of these records older than the floor?
pub(super) fn below(records: &[Record], stamp: &str, floor: &Value) -> bool {
    records.iter().any(|record| order(record.path(stamp), floor).is_some_and(std::cmp::Ordering::is_lt))
}

/// The newest stamp of these records.
pub(super) fn highest(records: &[Record], stamp: &str) -> Option<Value> {
    let stamps = records.iter().map(|record| record.path(stamp)).filter(|value| !value.is_blank());
    stamps.cloned().reduce(|a, b| if order(&b, &a).is_some_and(std::cmp::Ordering::is_gt) { b } else { a })
}

impl Poll<'_> {
    /// Reads the narrower list whole; what was in it at the last poll and is not any more is read by its keys. `swept`:
    /// all was read a moment ago, and told what is in it.
    pub(super) async fn leaving(
        &self,
        source: &SourcePlan,
        newest: &Newest,
        carried: &mut Carried,
        swept: bool,
    ) -> Result<(), EngineError> {
        let Some(filter) = &newest.leaving else { return Ok(()) };
        let list = source.name.to_string();
        if !swept {
            let ask = newest.widened(self.source_ask(source, filter.clone()).await?);
            carried.listing = Some(filter.clone());
            self.through(source, carried, Pages::new(self.run, self.stop, ask)?, |_| false).await?;
        }
        carried.listing = None;
        if self.stop.wished() {
            return Ok(());
        }
        if !swept {
            let left = self.ledger.left_list(&self.run.name, &list).await?;
            let left: Vec<Arc<str>> = left.into_iter().filter(|key| !carried.seen.contains(key)).collect();
            // What could not be asked for is asked for again.
            let unknown = self.by_keys(source, carried, &left).await?;
            self.ledger.list(&self.run.name, &list, unknown.into_iter().collect()).await?;
        }
        if !self.stop.wished() {
            self.ledger.end_list(&self.run.name, &list).await?;
        }
        Ok(())
    }

    /// Reads the records that wait and lie below the floor; gives those that are not there any more.
    pub(super) async fn below_the_floor(
        &self,
        source: &SourcePlan,
        carried: &mut Carried,
        waiting: Vec<Arc<str>>,
    ) -> Result<(), EngineError> {
        let left: Vec<Arc<str>> = waiting.into_iter().filter(|key| !carried.seen.contains(key)).collect();
        let known = self.ledger.records(&self.run.name, "", left.clone()).await?;
        let due = left.into_iter().zip(known).filter(|(_, known)| standing_due(self.run, known));
        let mut due: Vec<Arc<str>> = due.map(|(key, _)| key).collect();
        let unknown = self.by_keys(source, carried, &due).await?;
        due.retain(|key| !unknown.contains(key));
        if self.stop.wished() { Ok(()) } else { self.gone(source, due, &carried.seen).await }
    }

    /// Reads records by their keys and decides them; a record that is not of the source any more does not come. Gives
    /// those that could not be asked for.
    async fn by_keys(
        &self,
        source: &SourcePlan,
        carried: &mut Carried,
        keys: &[Arc<str>],
    ) -> Result<HashSet<Arc<str>>, EngineError> {
        let mut unknown = HashSet::new();
        for keys in keys.chunks(BATCH) {
            if self.stop.wished() {
                break;
            }
            let ask = |own| source_ask(source, Filter::And(vec![source.filter.clone(), own]));
            let asks: Vec<(&Arc<str>, Option<Ask>)> =
                keys.iter().map(|key| (key, by_key(source, key).map(ask))).collect();
            let mut batch = Batch::begun();
            let all = asks.iter().filter_map(|(_, ask)| ask.clone()).collect();
            let answers = look(self.run, self.ledger, self.stop, all).await?;
            for (key, ask) in asks {
                match ask.and_then(|ask| answers.get(&ask)) {
                    Some(Ok(rows)) => batch.records.extend(rows.first().cloned()),
                    _ => {
                        unknown.insert(key.clone());
                    }
                }
            }
            self.batch(source, carried, batch).await?;
        }
        Ok(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(field: &str, word: &str) -> Filter {
        Filter::Is(field.into(), Value::text(word))
    }

    #[test]
    fn a_list_is_one_word_and_another_word_takes_its_place() {
        let sent = Filter::And(vec![is("list", "sent"), is("reference", "x")]);
        assert_eq!(only_word(&sent, "list"), Some("sent"));
        assert_eq!(only_word(&Filter::In("list".into(), [Value::text("a"), Value::text("b")].into()), "list"), None);
        assert_eq!(only_word(&Filter::All, "list"), None);
        let unpaid = replaced(&sent, &"list".into(), &"unpaid".into());
        assert_eq!(unpaid, Filter::And(vec![is("list", "unpaid"), is("reference", "x")]));
    }
}
