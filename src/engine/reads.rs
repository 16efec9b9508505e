//! Asking the systems: many asks in few calls, the wait when a system asks for one, the one bad question told apart.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::{BoxFuture, try_join_all};

use super::{EngineError, Run, Stop};
use crate::{
    connector::{Connector, ConnectorError},
    eval::Reads,
    value::{Ask, EntityName, Filter, Record},
};

/// How often a busy system is waited for, and how long at most.
const PATIENCE: u32 = 3;
const LONGEST: Duration = Duration::from_mins(1);
/// So many answers are remembered for a run.
const REMEMBERED: usize = 5_000;

/// Answers to asks; a question that the system refused has its words instead.
pub(super) type Answers = HashMap<Ask, Answer>;
type Answer = Result<Arc<[Record]>, Arc<str>>;

/// Rows that were found in this run. An absence is never among them: another record may make the row.
#[derive(Debug, Default)]
pub(super) struct Memory {
    rows: HashMap<Ask, Arc<[Record]>>,
}

impl Memory {
    pub(super) fn get(&self, ask: &Ask) -> Option<&Arc<[Record]>> {
        self.rows.get(ask)
    }

    /// Rows of these entities have changed.
    pub(super) fn forget(&mut self, changed: &HashSet<EntityName>) {
        self.rows.retain(|ask, _| !changed.contains(&ask.entity));
    }

    pub(super) fn keep(&mut self, answers: &Answers) {
        if self.rows.len() > REMEMBERED {
            self.rows.clear();
        }
        for (ask, rows) in answers {
            if let Ok(rows) = rows
                && !rows.is_empty()
            {
                self.rows.insert(ask.clone(), rows.clone());
            }
        }
    }
}

/// Asks all of these, in one go for each role.
pub(super) async fn ask(run: &Run, stop: &Stop, asks: Vec<Ask>) -> Result<Answers, EngineError> {
    let mut by_role: BTreeMap<Arc<str>, Vec<Ask>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for ask in asks {
        if seen.insert(ask.clone()) {
            by_role.entry(ask.entity.role.clone()).or_default().push(ask);
        }
    }
    let mut calls = Vec::new();
    for (role, asks) in by_role {
        let connector = run.connection(&role)?;
        calls.push(async move { find(&**connector, stop, &asks).await });
    }
    Ok(try_join_all(calls).await?.into_iter().flatten().collect())
}

fn find<'a>(
    connector: &'a dyn Connector,
    stop: &'a Stop,
    asks: &'a [Ask],
) -> BoxFuture<'a, Result<Vec<(Ask, Answer)>, EngineError>> {
    Box::pin(async move {
        match with_patience(stop, || connector.find(asks)).await {
            Ok(rows) if rows.len() == asks.len() => Ok(asks.iter().cloned().zip(rows.into_iter().map(Ok)).collect()),
            Ok(rows) => Err(EngineError::connection(
                connector,
                format!("{} answers came to {} questions; this is a mistake in koppel", rows.len(), asks.len()),
            )),
            // One question is at fault: halve until it stands alone, so that the other records go on.
            Err(ConnectorError::Refused(text) | ConnectorError::Unexpected(text)) => match asks {
                [] => Ok(Vec::new()),
                [ask] => Ok(vec![(ask.clone(), Err(text.into()))]),
                asks => {
                    let (left, right) = asks.split_at(asks.len() / 2);
                    let mut answers = find(connector, stop, left).await?;
                    answers.extend(find(connector, stop, right).await?);
                    Ok(answers)
                }
            },
            Err(error) => Err(EngineError::connection(connector, error.to_string())),
        }
    })
}

/// Calls again after the wait that a busy system asks for.
pub(super) async fn with_patience<T, F>(stop: &Stop, mut call: impl FnMut() -> F) -> Result<T, ConnectorError>
where
    F: Future<Output = Result<T, ConnectorError>>,
{
    let mut patience = PATIENCE;
    loop {
        match call().await {
            Err(ConnectorError::Busy { after, .. }) if patience > 0 && !stop.wished() => {
                patience -= 1;
                pause(stop, after).await;
            }
            other => return other,
        }
    }
}

/// Waits as asked, but not for ever, and not against the wish to end.
pub(super) async fn pause(stop: &Stop, after: Duration) {
    let mut stop = stop.clone();
    tokio::select! {
        () = tokio::time::sleep(after.min(LONGEST)) => {}
        () = stop.wait() => {}
    }
}

/// A row that a record made itself and must not find while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hidden {
    /// The entity that shows it.
    pub(super) entity: EntityName,
    /// The field with its key …
    pub(super) field: Arc<str>,
    /// … and the key.
    pub(super) key: Arc<str>,
}

/// The ask that also brings the fields by which hidden rows are told; the same ask where nothing is hidden.
pub(super) fn widened(ask: &Ask, hidden: &[Hidden]) -> Ask {
    let mut more =
        hidden.iter().filter(|hidden| hidden.entity == ask.entity).map(|hidden| hidden.field.clone()).peekable();
    if more.peek().is_none() {
        return ask.clone();
    }
    let mut fields: Vec<Arc<str>> = ask.fields.iter().cloned().chain(more).collect();
    fields.sort();
    fields.dedup();
    Ask { fields: fields.into(), ..ask.clone() }
}

/// The rows without the hidden ones.
pub(super) fn without(rows: &Arc<[Record]>, entity: &EntityName, hidden: &[Hidden]) -> Arc<[Record]> {
    let hides = |row: &Record| {
        hidden.iter().any(|hidden| hidden.entity == *entity && row.path(&hidden.field).to_string() == *hidden.key)
    };
    if rows.iter().any(hides) { rows.iter().filter(|row| !hides(row)).cloned().collect() } else { rows.clone() }
}

/// Reads of one record: those of its page, and its own where it must not see what it made, or read again.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows(pub(super) Arc<Reads>);

impl Rows {
    pub(super) fn get(&self, ask: &Ask) -> Option<&Arc<[Record]>> {
        self.0.0.get(ask)
    }

    /// What was asked for and is not there.
    pub(super) fn without_answer(&self) -> impl Iterator<Item = (&EntityName, &Filter)> {
        self.0.0.iter().filter(|(_, rows)| rows.is_empty()).map(|(ask, _)| (&ask.entity, &ask.filter))
    }

    /// All rows of an entity.
    pub(super) fn of(&self, entity: &EntityName) -> impl Iterator<Item = &Record> {
        self.0.0.iter().filter(move |(ask, _)| ask.entity == *entity).flat_map(|(_, rows)| rows.iter())
    }

    /// Rows of these entities are read again.
    pub(super) fn forget(&mut self, changed: &HashSet<EntityName>) {
        Arc::make_mut(&mut self.0).0.retain(|ask, _| !changed.contains(&ask.entity));
    }

    pub(super) fn put(&mut self, ask: Ask, rows: Arc<[Record]>) {
        Arc::make_mut(&mut self.0).0.insert(ask, rows);
    }
}
