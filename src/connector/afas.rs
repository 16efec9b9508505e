//! AFAS Profit: `GetConnectors` with skip and take, filters split by the length of a query, `UpdateConnectors` in their
//! envelope.
//!
//! Takes asks and writes, gives rows and answers. Promises that a paged read is always ordered, that asks of one
//! entity are put into as few calls as the query allows, and that a condition AFAS does otherwise is decided here.

pub(super) mod envelope;
mod filter;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, future::try_join_all};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, value::RawValue};

use super::{
    Answered, Connector, ConnectorError, Cursor, Page,
    address::encode,
    body::Way,
    line::{Line, ReadFailure},
    rows::{Sieve, by_entity, in_order, key_names},
    sent::answered,
};
use crate::{
    ledger::Intended,
    schema::{self, Catalog, ReadFacts},
    value::{Action, Ask, Record, Write},
};

/// `skip` gets too slow beyond this; its digits are what the length of a query is measured with.
const FAR: usize = 9_999_999;

/// A connection to AFAS Profit.
pub(super) struct Afas {
    line: Line,
    catalog: Arc<Catalog>,
}

/// Where the next page of a source begins.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    skip: usize,
    take: usize,
    pages: usize,
    last: Option<u64>,
}

/// The answer of a `GetConnector`.
#[derive(Deserialize)]
struct Rows {
    rows: Vec<Box<RawValue>>,
}

/// One question, page by page.
struct Question<'a> {
    entity: &'a str,
    order: String,
    /// `filterjson=…`, or nothing.
    filter: String,
    skip: usize,
    take: usize,
    /// Is each row another one?
    keyed: bool,
    /// How many pages were read, and the print of the last one.
    pages: usize,
    last: Option<u64>,
}

impl Question<'_> {
    fn paging(&self) -> String {
        format!("skip={}&take={}&orderbyfieldids={}", self.skip, self.take, self.order)
    }
}

impl Afas {
    pub(super) fn new(line: Line, catalog: Arc<Catalog>) -> Self {
        Self { line, catalog }
    }

    fn readable(&self, name: &str) -> Result<&ReadFacts, ConnectorError> {
        let entity = self.catalog.entity(&self.line.manifest.system, name);
        entity
            .and_then(|entity| entity.read.as_ref())
            .ok_or_else(|| ConnectorError::Refused(format!("{} does not show `{name}`", self.line.manifest.title)))
    }

    fn question<'a>(&self, entity: &'a str, facts: &ReadFacts) -> Question<'a> {
        let mut key = key_names(facts);
        let keyed = !key.is_empty();
        if !keyed {
            // Without an order rows are lost or doubled between pages; any order is better than none.
            key.extend(facts.object.fields.values().next().map(|field| field.wire.clone()));
        }
        let order: Vec<String> = key.iter().map(|name| filter::field_id(name)).collect();
        let limits = &self.line.manifest.limits;
        // Environments add columns, so half of what the known ones allow.
        let columns = facts.object.fields.len().max(1).saturating_mul(2);
        let take = limits.cells.map_or(limits.page, |cells| limits.page.min(cells.checked_div(columns).unwrap_or(1)));
        let (order, filter) = (encode(&order.join(",")), String::new());
        Question { entity, order, filter, skip: 0, take: take.max(1), keyed, pages: 0, last: None }
    }

    /// The rows at the question's place, and whether there may be more; moves its place on.
    async fn next_rows(&self, question: &mut Question<'_>) -> Result<(Vec<Box<RawValue>>, bool), ConnectorError> {
        loop {
            let mut query = question.paging();
            if !question.filter.is_empty() {
                query = format!("{query}&{}", question.filter);
            }
            let path = format!("/connectors/{}", encode(question.entity));
            let answer: Box<RawValue> = match self.line.read_as(&path, &query).await {
                Ok(answer) => answer,
                Err(ReadFailure::TooMuch(_)) if question.take > 1 => {
                    question.take = question.take.div_ceil(2);
                    continue;
                }
                Err(failure) => return Err(failure.into()),
            };
            let Ok(Rows { rows }) = serde_json::from_str(answer.get()) else {
                let title = &self.line.manifest.title;
                return Err(self.line.unexpected(&format!("{title} answered {} without rows", question.entity)));
            };
            question.pages = question.pages.saturating_add(1);
            if question.keyed {
                self.line.moved_on(&mut question.last, question.pages, &rows)?;
            }
            question.skip = question.skip.saturating_add(rows.len());
            let more = rows.len() >= question.take;
            return Ok((rows, more));
        }
    }

    /// The rows of asks of one entity.
    async fn find_in(&self, entity: &str, asks: Vec<&Ask>) -> Result<Vec<Vec<Record>>, ConnectorError> {
        let facts = self.readable(entity)?;
        let mut alternatives: Vec<filter::All> = Vec::new();
        let mut known = std::collections::HashSet::new();
        for all in asks.iter().flat_map(|ask| filter::weaken(&ask.filter, &facts.object)) {
            if known.insert(all.clone()) {
                alternatives.push(all);
            }
        }
        let mut sieve = Sieve::new(facts, asks);
        let longest = Question { skip: FAR, ..self.question(entity, facts) }.paging();
        let packed =
            |alternatives: &[filter::All]| filter::queries(alternatives, &longest, self.line.manifest.limits.query);
        let Some(exact) = packed(&alternatives) else {
            // Everything, page by page: only what the asks want is kept.
            self.all_rows(&mut sieve, self.question(entity, facts)).await?;
            return sieve.into_found().map_err(|text| self.line.wrong_rows(entity, &text));
        };
        let fewer = packed(&filter::gathered(&alternatives)).filter(|fewer| fewer.len() < exact.len());
        let queries = fewer.unwrap_or(exact);
        let first = queries.into_iter().map(|query| async move {
            let mut question = Question { filter: query.text.clone(), ..self.question(entity, facts) };
            let (rows, more) = self.next_rows(&mut question).await?;
            Ok::<_, ConnectorError>((query, question, rows, more))
        });
        // In their order, so that equal asks have equal answers.
        let mut answers = futures_util::stream::iter(first).buffered(self.line.manifest.limits.parallel.max(1));
        while let Some((query, question, rows, more)) = answers.try_next().await? {
            offer(&mut sieve, &rows);
            if more && query.is_wider() {
                // Too many others are among them: what is wanted is asked for by itself.
                let own: Vec<filter::All> = alternatives.iter().filter(|all| query.covers(all)).cloned().collect();
                for query in packed(&own).unwrap_or_default() {
                    let question = Question { filter: query.text, ..self.question(entity, facts) };
                    self.all_rows(&mut sieve, question).await?;
                }
            } else if more {
                self.all_rows(&mut sieve, question).await?;
            }
        }
        drop(answers);
        sieve.into_found().map_err(|text| self.line.wrong_rows(entity, &text))
    }

    /// Offers the rows from the question's place on.
    async fn all_rows(&self, sieve: &mut Sieve<'_>, mut question: Question<'_>) -> Result<(), ConnectorError> {
        loop {
            let (rows, more) = self.next_rows(&mut question).await?;
            offer(sieve, &rows);
            if !more {
                return Ok(());
            }
        }
    }

    async fn send(&self, write: &Write) -> Answered {
        let way = match Way::of(&self.line.manifest, &self.catalog, write) {
            Ok(way) => way,
            Err(text) => return Answered::Refused(text),
        };
        let body = match schema::encode(way.object, &write.fields) {
            Ok(body) => way.wrapped(body),
            Err(error) => return Answered::Refused(error.to_string()),
        };
        let (method, path) = match way.route {
            Some(route) => (&*route.method, route.path.clone()),
            None => (
                if write.action == Action::Create { "POST" } else { "PUT" },
                format!("/connectors/{}", encode(&write.entity.entity)),
            ),
        };
        answered(way.facts, write, self.line.write(method, &path, &body).await)
    }
}

/// Reads one row after the other: as JSON they take many times their text.
fn offer(sieve: &mut Sieve<'_>, rows: &[Box<RawValue>]) {
    for row in rows {
        match serde_json::from_str::<Json>(row.get()) {
            Ok(json) => sieve.offer(&json),
            Err(error) => sieve.unreadable(&error.to_string()),
        }
    }
}

#[async_trait]
impl Connector for Afas {
    fn name(&self) -> &str {
        &self.line.name
    }

    async fn identity(&self) -> Result<String, ConnectorError> {
        self.line.identity().await
    }

    async fn page(&self, source: &Ask, cursor: Option<&Cursor>) -> Result<Page, ConnectorError> {
        let entity = &*source.entity.entity;
        let facts = self.readable(entity)?;
        let mut question = self.question(entity, facts);
        let alternatives = filter::weaken(&source.filter, &facts.object);
        if alternatives.is_empty() {
            return Ok(Page::default());
        }
        let longest = Question { skip: FAR, ..self.question(entity, facts) }.paging();
        // A source is one list: a filter that does not fit into one query is left out, and decided here.
        if let Some([one]) = filter::queries(&alternatives, &longest, self.line.manifest.limits.query).as_deref() {
            question.filter.clone_from(&one.text);
        }
        if let Some(cursor) = cursor {
            let place: Place = serde_json::from_str(&cursor.0)
                .map_err(|_| self.line.unexpected(&format!("`{}` is no place in a list", cursor.0)))?;
            Place { skip: question.skip, take: question.take, pages: question.pages, last: question.last } = place;
        }
        let (rows, more) = self.next_rows(&mut question).await?;
        let mut sieve = Sieve::new(facts, vec![source]);
        offer(&mut sieve, &rows);
        let Question { skip, take, pages, last, .. } = question;
        let next = more.then(|| serde_json::to_string(&Place { skip, take, pages, last }).ok().map(Cursor)).flatten();
        sieve.into_page(next).map_err(|text| self.line.wrong_rows(entity, &text))
    }

    async fn find(&self, asks: &[Ask]) -> Result<Vec<Arc<[Record]>>, ConnectorError> {
        let groups = by_entity(asks);
        let found = try_join_all(groups.iter().map(|group| self.find_in(group.entity, group.asks.clone()))).await?;
        Ok(in_order(asks.len(), &groups, found))
    }

    async fn write(&self, intended: &Intended) -> Answered {
        self.send(intended.write()).await
    }

    fn newest_first(&self, _: &str) -> Option<&Arc<str>> {
        None
    }

    fn requests(&self) -> u64 {
        self.line.requests()
    }

    fn settle(&self) -> std::time::Duration {
        self.line.settle
    }

    fn read_lag(&self) -> std::time::Duration {
        self.line.read_lag
    }
}

#[cfg(test)]
mod tests;
