//! A REST/JSON system as its manifest describes it; Jortt is one. Not a line here knows an entity by name.
//!
//! Takes asks and writes, gives rows and answers. Promises that pages are counted and never followed, that every
//! condition is checked again here, and that nothing but keys and words of the manifest's filters enters an address.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, future::try_join_all};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    Answered, Connector, ConnectorError, Cursor, Page,
    address::{encode, fill},
    body::Way,
    line::{Line, ReadFailure},
    manifest::{EntityRoutes, WriteRoute},
    rows::{Sieve, by_entity, in_order, key_names, key_of, key_text, must_be},
    sent::answered,
};
use crate::{
    ledger::Intended,
    schema::{self, Catalog, Entity, Object, ReadFacts},
    value::{Ask, Filter, Record, Value, Write},
};

/// A connection to a REST system.
pub(super) struct Rest {
    line: Line,
    catalog: Arc<Catalog>,
}

/// Where the next page of a list begins.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    /// Which of the lists.
    list: usize,
    /// Its page, from 1.
    page: usize,
    /// Keys of the page before: a record made meanwhile moves the last ones onto this page.
    seen: Vec<String>,
    /// The print of the page before.
    last: Option<u64>,
}

/// One list of a source: unfiltered, or by one word of one field.
struct List {
    /// `invoice_status=sent`, or nothing.
    query: String,
    /// What was in an earlier list of this source already.
    without: Option<Filter>,
}

impl Rest {
    pub(super) fn new(line: Line, catalog: Arc<Catalog>) -> Self {
        Self { line, catalog }
    }

    fn entity(&self, name: &str) -> Result<(&Arc<Entity>, &EntityRoutes), ConnectorError> {
        let system = &self.line.manifest.system;
        let entity = self.catalog.entity(system, name);
        let routes = self.line.manifest.entities.get(name);
        entity.zip(routes).ok_or_else(|| {
            ConnectorError::Refused(format!("{} has no `{name}` that koppel can reach", self.line.manifest.title))
        })
    }

    fn readable(&self, name: &str) -> Result<(&ReadFacts, &EntityRoutes), ConnectorError> {
        let (entity, routes) = self.entity(name)?;
        let facts = entity.read.as_ref();
        facts
            .map(|facts| (facts, routes))
            .ok_or_else(|| ConnectorError::Refused(format!("{} does not show `{name}`", self.line.manifest.title)))
    }

    /// The lists that together hold every row that one of these filters can match.
    fn lists(routes: &EntityRoutes, facts: &ReadFacts, filters: &[&Filter]) -> Vec<List> {
        for (field, parameter) in &routes.filters {
            let each: Option<Vec<Vec<&Value>>> = filters.iter().map(|filter| must_be(filter, field)).collect();
            let Some(each) = each else { continue };
            let mut words: Vec<Arc<str>> = Vec::new();
            for word in each.into_iter().flatten().filter_map(Value::as_text) {
                if !words.iter().any(|known| &**known == word) {
                    words.push(word.into());
                }
            }
            let words = widest(&facts.object, field, words);
            return words
                .iter()
                .enumerate()
                .map(|(index, word)| List {
                    query: format!("{}={}", encode(parameter), encode(word)),
                    without: words.get(..index).filter(|before| !before.is_empty()).map(|before| {
                        let before: Vec<Value> = before.iter().map(|word| Value::Text(word.clone())).collect();
                        Filter::Not(Box::new(Filter::In(field.clone(), before.into())))
                    }),
                })
                .collect();
        }
        vec![List { query: String::new(), without: None }]
    }

    /// One page of a list: its answer, and whether there are more.
    async fn list_page(&self, routes: &EntityRoutes, query: &str, page: usize) -> Result<(Json, bool), ConnectorError> {
        let Some(path) = &routes.list else {
            return Err(ConnectorError::Refused(format!("{} has no list of these", self.line.manifest.title)));
        };
        let mut parameters: Vec<String> = Vec::new();
        if !query.is_empty() {
            parameters.push(query.to_owned());
        }
        if let Some(parameter) = &routes.page {
            parameters.push(format!("{}={page}", encode(parameter)));
        }
        let json = self.line.read(path, &parameters.join("&")).await?;
        let full = self.records(routes, &json)?.len() >= self.line.manifest.limits.page;
        let more = routes.page.is_some()
            && match routes.more.as_ref().and_then(|path| path.all(&json).first().copied()) {
                Some(next) => !next.is_null(),
                None => full,
            };
        Ok((json, more))
    }

    fn records<'a>(&self, routes: &EntityRoutes, json: &'a Json) -> Result<&'a [Json], ConnectorError> {
        let list = routes.records.as_ref().and_then(|path| path.first(json)).and_then(Json::as_array);
        list.map(Vec::as_slice).ok_or_else(|| {
            self.line.unexpected(&format!("{} answered without the list that was asked for", self.line.manifest.title))
        })
    }

    /// One record; none = it does not exist.
    async fn one(&self, routes: &EntityRoutes, path: &str) -> Result<Option<Json>, ConnectorError> {
        match self.line.read(path, "").await {
            Ok(json) => {
                let record =
                    routes.record.as_ref().and_then(|path| path.first(&json)).filter(|record| record.is_object());
                record.cloned().map(Some).ok_or_else(|| {
                    let title = &self.line.manifest.title;
                    self.line.unexpected(&format!("{title} answered without the record that was asked for"))
                })
            }
            Err(ReadFailure::Gone) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The rows of asks of one entity.
    async fn find_in(&self, entity: &str, asks: Vec<&Ask>) -> Result<Vec<Vec<Record>>, ConnectorError> {
        let (facts, routes) = self.readable(entity)?;
        let mut sieve = Sieve::new(facts, asks.clone());
        if facts.single {
            let path = routes.one.as_deref().unwrap_or_default();
            if let Some(record) = self.one(routes, path).await? {
                sieve.offer(&record);
            }
            return sieve.into_found().map_err(|text| self.line.wrong_rows(entity, &text));
        }
        let mut ids: BTreeSet<String> = BTreeSet::new();
        let mut others: Vec<&Filter> = Vec::new();
        let key = match facts.keys.first().map(Vec::as_slice) {
            Some([key]) if routes.one.is_some() => Some(key),
            _ => None,
        };
        for ask in asks {
            match key.and_then(|key| must_be(&ask.filter, key)) {
                Some(values) => ids.extend(values.into_iter().filter_map(key_text)),
                None => others.push(&ask.filter),
            }
        }
        if others.is_empty() && routes.list.is_some() {
            // A list holds a hundred records where one id costs a request: many ids are first looked for there, as
            // long as that cannot cost much more than asking for each of them.
            self.look_through(&mut sieve, routes, "", Some((&ids, ids.len() / 4))).await?;
        } else if !others.is_empty() {
            for list in Self::lists(routes, facts, &others) {
                self.look_through(&mut sieve, routes, &list.query, None).await?;
            }
        }
        ids.retain(|id| !sieve.seen().contains(id));
        let one = routes.one.as_deref().unwrap_or_default();
        let paths = ids.into_iter().filter_map(|id| Some((fill(one, |_| Some(id.clone()))?, id)));
        let records = paths.map(|(path, id)| async move {
            match self.one(routes, &path).await {
                // What stood in the address is the key of what came, also where the record does not repeat it.
                Ok(Some(Json::Object(mut record))) => {
                    if let Some(key) = key {
                        record.entry(key.to_string()).or_insert_with(|| id.into());
                    }
                    Ok(Some(Json::Object(record)))
                }
                // An id that cannot be one is refused instead of not found: it is nobody's either way.
                Err(ConnectorError::Refused(_)) => Ok(None),
                other => other,
            }
        });
        // Hundreds that wait at the line would keep every other flow behind them.
        let mut records = futures_util::stream::iter(records).buffered(self.line.manifest.limits.parallel.max(1));
        while let Some(record) = records.try_next().await? {
            sieve.offer_all(&record);
        }
        drop(records);
        sieve.into_found().map_err(|text| self.line.wrong_rows(entity, &text))
    }

    /// Reads a list page by page: all of it, or until these ids were seen, at most so many pages.
    async fn look_through(
        &self,
        sieve: &mut Sieve<'_>,
        routes: &EntityRoutes,
        query: &str,
        only: Option<(&BTreeSet<String>, usize)>,
    ) -> Result<(), ConnectorError> {
        let mut last = None;
        for page in 1.. {
            if only.is_some_and(|(ids, pages)| page > pages || ids.iter().all(|id| sieve.seen().contains(id))) {
                break;
            }
            let (json, more) = self.list_page(routes, query, page).await?;
            let records = self.records(routes, &json)?;
            self.line.moved_on(&mut last, page, records)?;
            sieve.offer_all(records);
            if !more {
                break;
            }
        }
        Ok(())
    }

    async fn send(&self, write: &Write) -> Answered {
        let refused = |text: String| Answered::Refused(text);
        let name = &write.entity.entity;
        let way = match Way::of(&self.line.manifest, &self.catalog, write) {
            Ok(way) => way,
            Err(text) => return refused(text),
        };
        let Some((routes, route)) = self.line.manifest.entities.get(name).zip(way.route) else {
            return refused(format!("{} has no `{name}` that koppel can reach", self.line.manifest.title));
        };
        let body = match schema::encode(way.object, &write.fields) {
            Ok(body) => body,
            Err(error) => return refused(error.to_string()),
        };
        let mut in_path = Vec::new();
        let path = fill(&route.path, |field| {
            in_path.push(field.to_owned());
            write.fields.value(field).and_then(key_text)
        });
        let Some(path) = path else {
            return refused(format!("`{name}`: {} must be given", in_path.join(" and ")));
        };
        let body = match self.whole(write, body, way.object, routes, route).await {
            Ok(body) => way.wrapped(body),
            Err(answer) => return answer,
        };
        let answered = answered(way.facts, write, self.line.write(&route.method, &path, &body).await);
        // Where the answer gives no key, what stood in the address is it.
        let addressed = in_path.first().and_then(|field| write.fields.value(field)).and_then(key_text);
        match (answered, addressed) {
            (Answered::DoneWithoutKey, Some(key)) => Answered::Done(key.into()),
            (answered, _) => answered,
        }
    }

    /// The fields laid over the record as it is now, where the route empties what a body does not name.
    async fn whole(
        &self,
        write: &Write,
        mut body: Json,
        object: &Object,
        routes: &EntityRoutes,
        route: &WriteRoute,
    ) -> Result<Json, Answered> {
        if let (true, Json::Object(fields)) = (route.whole, &mut body) {
            let one = routes.one.as_deref().unwrap_or_default();
            let now = match fill(one, |field| write.fields.value(field).and_then(key_text)) {
                Some(path) => self.one(routes, &path).await.map_err(Answered::NotArrived)?,
                None => None,
            };
            let now = now.ok_or_else(|| Answered::Refused("the record is not there any more".to_owned()))?;
            for field in object.fields.values() {
                if let Some(value) = now.get(&*field.wire).filter(|value| !value.is_null()) {
                    fields.entry(field.wire.to_string()).or_insert_with(|| value.clone());
                }
            }
        }
        Ok(body)
    }
}

/// Leaves out the words whose records are all in the list of another word: one word's tests are among the other's.
fn widest(object: &Object, field: &str, words: Vec<Arc<str>>) -> Vec<Arc<str>> {
    let Some(derived) = object.field(field).and_then(|field| field.derived.as_ref()) else { return words };
    let tests = |word: &str| derived.words.iter().find(|own| &*own.word == word).map(|own| own.when.as_slice());
    let wider = |a: &str, b: &str| match (tests(a), tests(b)) {
        (Some(a), Some(b)) => a.len() < b.len() && a.iter().all(|test| b.contains(test)),
        _ => false,
    };
    words.iter().filter(|word| !words.iter().any(|other| wider(other, word))).cloned().collect()
}

#[async_trait]
impl Connector for Rest {
    fn name(&self) -> &str {
        &self.line.name
    }

    async fn identity(&self) -> Result<String, ConnectorError> {
        self.line.identity().await
    }

    async fn page(&self, source: &Ask, cursor: Option<&Cursor>) -> Result<Page, ConnectorError> {
        let entity = &source.entity.entity;
        let (facts, routes) = self.readable(entity)?;
        let place: Place = match cursor {
            Some(cursor) => serde_json::from_str(&cursor.0)
                .map_err(|_| self.line.unexpected(&format!("`{}` is no place in a list", cursor.0)))?,
            None => Place { page: 1, ..Place::default() },
        };
        if facts.single {
            let found = self.find_in(entity, vec![source]).await?;
            return Ok(Page { records: found.into_iter().flatten().collect(), ..Page::default() });
        }
        let lists = Self::lists(routes, facts, &[&source.filter]);
        let Some(list) = lists.get(place.list) else { return Ok(Page::default()) };
        let mut ask = source.clone();
        if let Some(without) = &list.without {
            ask.filter = Filter::And(vec![ask.filter, without.clone()]);
        }
        let mut sieve = Sieve::new(facts, vec![&ask]);
        sieve.skip(place.seen);
        let (json, more) = self.list_page(routes, &list.query, place.page).await?;
        let records = self.records(routes, &json)?;
        let mut last = place.last;
        self.line.moved_on(&mut last, place.page, records)?;
        sieve.offer_all(records);
        let next = if more {
            let key = key_names(facts);
            let seen = records.iter().map(|raw| key_of(&key, raw)).collect();
            Some(Place { list: place.list, page: place.page.saturating_add(1), seen, last })
        } else if place.list.saturating_add(1) < lists.len() {
            Some(Place { list: place.list.saturating_add(1), page: 1, ..Place::default() })
        } else {
            None
        };
        let next = next.and_then(|place| serde_json::to_string(&place).ok()).map(Cursor);
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

    fn newest_first(&self, entity: &str) -> Option<&Arc<str>> {
        self.line.manifest.entities.get(entity)?.newest_first.as_ref()
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
