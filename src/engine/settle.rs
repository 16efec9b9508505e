//! Settling what is in doubt: asking for it, from its row alone, until its absence is proven or it is found.
//!
//! Also carries out what people typed about records and rows. Nothing here sends a write. An ask counts as proof of
//! absence only when it began after the row's quiet time plus the time that the system may still need, and when a key
//! that is known to exist came back with it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{EngineError, Run, poll::Poll, question::typed, reads::ask};
use crate::{
    clock,
    connector::Connector,
    crash,
    insight::{Event as Told, EventKind, Journal},
    ledger::{
        self, Came, Command, Event, Finding, Hasher, Judged, Known, Ledger, Question, ReadBack, RecordOutcome, Row,
        State, Wished,
    },
    value::{Ask, EntityName, Filter, Record, Value},
};

/// An ask for a write, ready to be judged.
pub(super) struct Asking {
    by: By,
    control: Option<Arc<str>>,
    pub(super) ask: Ask,
}

/// How an answer is judged.
enum By {
    /// A create, by its marks.
    Marks(Question),
    /// An update, by what the record shows now.
    Shown(ReadBack, Hasher),
}

impl Asking {
    /// With the known key in the same question.
    pub(super) async fn new(
        ledger: &Ledger,
        conn: &str,
        role: &Arc<str>,
        written: &str,
        question: Question,
    ) -> Result<Self, EngineError> {
        let control = ledger.control(conn, written, None).await?;
        let entity = EntityName { role: role.clone(), entity: question.entity.clone() };
        let ask = Ask { entity, filter: question.filter(control.as_deref()), fields: question.fields() };
        Ok(Self { by: By::Marks(question), control, ask })
    }

    /// Before a first create nothing is in doubt: the question alone, without what is known not to be there.
    pub(super) fn first(role: &Arc<str>, question: Question, absent: &HashSet<(&EntityName, &Filter)>) -> Self {
        let entity = EntityName { role: role.clone(), entity: question.entity.clone() };
        let known = |filter: &Filter| absent.contains(&(&entity, filter));
        let filter = match question.filter(None) {
            Filter::Or(any) => Filter::Or(any.into_iter().filter(|filter| !known(filter)).collect()),
            one if known(&one) => Filter::Never,
            one => one,
        };
        let ask = Ask { entity, filter, fields: question.fields() };
        Self { by: By::Marks(question), control: None, ask }
    }

    /// For an update: the record that it changes.
    fn changed(run: &Run, ledger: &Ledger, role: &Arc<str>, key: &str, read_back: ReadBack) -> Self {
        let entity = EntityName { role: role.clone(), entity: read_back.entity.clone() };
        let known = run.systems.get(role).and_then(|system| run.catalog.entity(system, &entity.entity));
        let object = known.and_then(|entity| entity.read.as_ref()).map(|read| &read.object);
        let text = Value::text(key);
        let value = object.map_or_else(|| text.clone(), |object| typed(&text, object, &read_back.key));
        let mut fields: Vec<Arc<str>> = read_back.marks.keys().cloned().chain([read_back.key.clone()]).collect();
        fields.sort();
        fields.dedup();
        let ask = Ask { entity, filter: Filter::Is(read_back.key.clone(), value), fields: fields.into() };
        Self { by: By::Shown(read_back, ledger.hasher()), control: None, ask }
    }

    pub(super) fn judge(&self, answers: &super::reads::Answers) -> Result<Judged, Arc<str>> {
        match answers.get(&self.ask) {
            Some(Ok(rows)) => Ok(match &self.by {
                By::Marks(question) => question.judge(rows, self.control.as_deref()),
                By::Shown(read_back, hasher) => {
                    let shows = |row: &Record| {
                        read_back.marks.iter().all(|(field, hash)| hasher.value(row.path(field)) == *hash)
                    };
                    let finding = if rows.iter().any(shows) { Finding::Ours } else { Finding::Absent };
                    // To send it again is no harm, so that its absence needs no proof.
                    Judged { finding, key: None, control: true }
                }
            }),
            Some(Err(text)) => Err(text.clone()),
            None => Err("no answer".into()),
        }
    }
}

/// Is every attempt of a row, quiet since then, over by now?
pub(super) fn late(ledger: &Ledger, connector: &dyn Connector, row: ledger::RowId, begun: Instant) -> bool {
    ledger.since(row).checked_add(connector.settle()).is_some_and(|over| begun >= over)
}

/// Asks for everything in doubt on the connections of a run, whichever flow sent it.
pub(super) async fn settle(poll: &Poll<'_>) -> Result<(), EngineError> {
    let Poll { run, ledger, journal, stop, .. } = *poll;
    let mut asked: Vec<(Row, Arc<dyn Connector>, Asking)> = Vec::new();
    for row in ledger.doubts().await? {
        // Under way at this moment, in another task.
        if row.standing.state == State::Intended {
            continue;
        }
        let Some(role) = run.role(&row.conn) else { continue };
        let connector = run.connection(role)?.clone();
        if let (Some(read_back), Some(key)) = (row.read_back.clone(), row.target_key.clone()) {
            let asking = Asking::changed(run, ledger, role, &key, read_back);
            asked.push((row, connector, asking));
            continue;
        }
        if let Some(question) = row.question.clone() {
            let asking = Asking::new(ledger, &row.conn, role, &row.entity, question).await?;
            asked.push((row, connector, asking));
            continue;
        }
        let now = Instant::now();
        if row.standing.state == State::Unsettled && late(ledger, &*connector, row.id, now) {
            tell(ledger, journal, &row, Event::Elapsed, None, now).await?;
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    poll.acquainted().await?;
    let begun = Instant::now();
    let answers = ask(run, stop, asked.iter().map(|(_, _, asking)| asking.ask.clone()).collect()).await?;
    crash::point("ask-sent");
    for (row, connector, asking) in asked {
        // Not asked this time: the row stays in doubt and is asked about at the next poll.
        let Ok(judged) = asking.judge(&answers) else { continue };
        let event = Event::Asked {
            finding: judged.finding,
            late: late(ledger, &*connector, row.id, begun),
            control: judged.control,
        };
        tell(ledger, journal, &row, event, judged.key, begun).await?;
    }
    Ok(())
}

/// Tells what an ask that began then found out about a row in doubt, to ledger and journal.
pub(super) async fn tell(
    ledger: &Ledger,
    journal: &dyn Journal,
    row: &Row,
    event: Event,
    key: Option<Arc<str>>,
    begun: Instant,
) -> Result<Command, EngineError> {
    // Only a thing that counts as ours gives its key.
    let key = key.filter(|_| {
        !matches!(event, Event::Asked { finding: Finding::Foreign, .. } | Event::AskedNumber(Finding::Foreign))
    });
    match event {
        Event::Asked { finding: Finding::Ours, .. } => crash::point("ask-found-before-confirm"),
        Event::Asked { late: true, .. } | Event::Elapsed => crash::point("ask-late-not-found-before-void"),
        _ => {}
    }
    let command = ledger.answer(ledger::Told { row: row.id, event, key: key.clone() }, begun).await?;
    if command == Command::DecideAgain {
        crash::point("void-committed");
    }
    let (kind, reason) = match command {
        Command::UseKey(_) => (EventKind::Confirmed, None),
        Command::DecideAgain => (EventKind::Voided, None),
        Command::Hold(why) => (EventKind::Held, Some(why.to_string().into())),
        _ => return Ok(command),
    };
    journal.record(&Told {
        at: clock::now(),
        run: row.record.run.clone(),
        key: Some(row.record.key.clone()),
        kind,
        write: Some(row.name.clone()),
        entity: Some(row.entity.clone()),
        target_key: key,
        reason,
        place: None,
        fields: Vec::new(),
    });
    Ok(command)
}

/// Carries out what people typed since the last poll, and tells what came of it.
pub(super) async fn carry_out(run: &Run, ledger: &Ledger, journal: &dyn Journal) -> Result<(), EngineError> {
    let settle: HashMap<Arc<str>, Duration> =
        run.connections.values().map(|connector| (connector.name().into(), connector.settle())).collect();
    for wished in ledger.wishes(&run.name).await? {
        hear(ledger, journal, wished, settle.clone()).await?;
    }
    Ok(())
}

/// Carries out one wish, and tells what came of it; none where it is not for whoever has these connections. `settle` is
/// how long an attempt on each of them may still take effect.
///
/// # Errors
/// The ledger does not work.
pub async fn hear(
    ledger: &Ledger,
    journal: &dyn Journal,
    wished: Wished,
    settle: impl IntoIterator<Item = (Arc<str>, Duration)>,
) -> Result<Option<Came>, EngineError> {
    let wish = wished.wish.clone();
    let Some(came) = ledger.carry_out(wished, settle.into_iter().collect()).await? else { return Ok(None) };
    crash::point("settle-verb");
    let reason = match &came {
        Ok(done) => format!("{wish}: {done}"),
        Err(why) => format!("{wish}: refused, {why}"),
    };
    journal.record(&Told {
        at: clock::now(),
        run: wish.run,
        key: wish.key,
        kind: EventKind::Wished,
        write: wish.write,
        entity: None,
        target_key: wish.target_key.filter(|key| !key.is_empty()),
        reason: Some(reason.into()),
        place: None,
        fields: Vec::new(),
    });
    Ok(Some(came))
}

/// What is in doubt of a run.
#[derive(Debug, Default)]
pub(super) struct InDoubt {
    pub(super) all: Vec<ledger::Doubt>,
    /// The records that it is of.
    pub(super) records: BTreeSet<Arc<str>>,
    /// Those of them that go on by themselves; the others are held until a person has looked.
    pub(super) awaited: BTreeSet<Arc<str>>,
}

/// What is in doubt of a run, in the order of the records.
pub(super) async fn in_doubt(run: &Run, ledger: &Ledger) -> Result<InDoubt, EngineError> {
    let mut rows = ledger.doubts().await?;
    rows.retain(|row| row.record.run == run.name);
    rows.sort_by_cached_key(|row| row.record.to_string());
    let mut stages: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    for row in &rows {
        stages.entry(row.record.stage.clone()).or_default().push(row.record.key.clone());
    }
    let mut held = BTreeSet::new();
    for (stage, keys) in stages {
        let known = ledger.records(&run.name, &stage, keys.clone()).await?;
        let waits = |known: &Known| known.record.as_ref().is_some_and(|own| own.outcome == RecordOutcome::Held);
        let waiting = keys.into_iter().zip(known).filter(|(_, known)| waits(known));
        held.extend(waiting.map(|(key, _)| (stage.clone(), key)));
    }
    let mut doubt = InDoubt::default();
    for row in rows {
        let title: Arc<str> = row.record.to_string().into();
        if !held.contains(&(row.record.stage.clone(), row.record.key.clone())) {
            doubt.awaited.insert(title.clone());
        }
        doubt.records.insert(title);
        doubt.all.push(row.into());
    }
    Ok(doubt)
}
