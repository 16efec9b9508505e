//! Deciding a page: all records together, so that what they want is asked in a few calls.
//!
//! Takes records with what the ledger knows of them, gives their decisions and the rows these hang on. Sends nothing
//! and writes nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use indexmap::IndexSet;
use jiff::civil::Date;

use super::{
    EngineError, Run, Stop,
    left::{self, Memories, look},
    reads::{Hidden, Memory, Rows, widened, without},
};
use crate::{
    clock, crash,
    eval::{self, Moment, Reads, Step},
    ledger::{Hashes, Known, Ledger, RecordName, Row, State, not_yet},
    schema::home_day,
    value::{Ask, Decision, Outcome, Reason, Record, Value},
};

/// No flow asks so many times for one record; more is a mistake of ours and must not go round for ever.
const ROUNDS: usize = 200;

/// A record that is to be decided.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: RecordName,
    pub(super) record: Record,
    pub(super) known: Known,
    pub(super) hashes: Hashes,
    /// Keys of its writes and ensures that are confirmed, while it is not done.
    pub(super) confirmed: BTreeMap<Arc<str>, Value>,
    /// What it made itself, while it is not done.
    pub(super) hidden: Vec<Hidden>,
    /// What koppel left where it may write.
    pub(super) left: Memories,
}

impl Entry {
    /// A record for the flow itself.
    pub(super) fn new(
        run: &Run,
        ledger: &Ledger,
        name: RecordName,
        record: Record,
        known: Known,
        hashes: Hashes,
    ) -> Self {
        let left = Memories::new(ledger.hasher());
        let mut entry = Self { name, record, known, hashes, confirmed: BTreeMap::new(), hidden: Vec::new(), left };
        if !entry.sealed() {
            entry.own(run);
        }
        entry
    }

    /// A record for the stage behind a write, with what was made of it before: by the flow itself and earlier stages.
    pub(super) fn stage(
        run: &Run,
        ledger: &Ledger,
        name: RecordName,
        record: Record,
        known: Known,
        before: &[Row],
    ) -> Self {
        let mut entry = Self::new(run, ledger, name, record, known, Hashes::new());
        for (name, key) in confirmed(before) {
            entry.confirmed.entry(name.clone()).or_insert_with(|| Value::text(key));
        }
        entry
    }

    /// What it made and is not to find, and need not make again. An update is no such thing: it is compared afresh.
    fn own(&mut self, run: &Run) {
        let entry = self;
        for row in entry.known.rows.iter().filter(|row| !row.is_change()) {
            let (State::Confirmed, Some(key)) = (row.standing.state, &row.target_key) else { continue };
            entry.confirmed.insert(row.name.clone(), Value::text(key));
            for role in run.connections.iter().filter(|(_, own)| own.name() == &*row.conn).map(|(role, _)| role) {
                let made = crate::value::EntityName { role: role.clone(), entity: row.entity.clone() };
                let shown = run.write_facts(&made).and_then(|facts| facts.recognise.made());
                if let Some((entity, field)) = shown {
                    let entity = crate::value::EntityName { role: role.clone(), entity: entity.clone() };
                    entry.hidden.push(Hidden { entity, field: field.clone(), key: key.clone() });
                }
            }
        }
    }

    /// Was it done once?
    pub(super) fn sealed(&self) -> bool {
        self.known.record.as_ref().is_some_and(|record| record.sealed)
    }

    /// How it is called: `10023`, `10023 after sale`.
    pub(super) fn title(&self) -> Arc<str> {
        self.name.to_string().into()
    }

    /// Is it a stage that a person need not look at yet, because it began only a while ago?
    pub(super) fn waits(&self) -> bool {
        let began = self.known.record.as_ref().map(|record| record.begun);
        self.name.is_stage() && began.is_some_and(|began| not_yet(began, clock::now()))
    }

    pub(super) fn moment(&self, today: Date) -> Moment<'_> {
        Moment { today, confirmed: &self.confirmed, left: &self.left }
    }

    fn step(&self, run: &Run, reads: &Reads, today: Date) -> Step {
        let moment = self.moment(today);
        if self.name.is_stage() {
            eval::step_after(&run.plan, &self.name.stage, &self.record, reads, moment)
        } else {
            eval::step(&run.plan, &self.record, reads, moment)
        }
    }
}

/// Names and keys of what is confirmed.
fn confirmed(rows: &[Row]) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
    let confirmed = rows.iter().filter(|row| row.standing.state == State::Confirmed && !row.is_change());
    confirmed.filter_map(|row| Some((&row.name, row.target_key.as_ref()?)))
}

/// A step of each of these. What they ask about what koppel left is fetched, and the step made again.
async fn steps(
    run: &Run,
    ledger: &Ledger,
    today: Date,
    entries: &[(&Entry, &Reads)],
) -> Result<Vec<Step>, EngineError> {
    let mut steps: Vec<Step> = Vec::with_capacity(entries.len());
    for (entry, reads) in entries {
        steps.push(entry.step(run, reads, today));
        // A batch takes its time to decide: what is being applied meanwhile goes on between two of its records.
        tokio::task::yield_now().await;
    }
    loop {
        let missing: BTreeSet<_> = entries.iter().flat_map(|(entry, _)| entry.left.missing()).collect();
        if missing.is_empty() {
            break;
        }
        let fetched = left::fetch(run, ledger, missing).await?;
        for ((entry, reads), step) in entries.iter().zip(&mut steps) {
            if entry.left.learn(&fetched) {
                *step = entry.step(run, reads, today);
            }
        }
    }
    Ok(steps)
}

/// A record with its decision.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) entry: Entry,
    pub(super) decision: Decision,
    pub(super) rows: Rows,
}

/// Today in Amsterdam, where both systems live.
pub(super) fn today() -> Date {
    home_day(clock::now())
}

/// Decides all of them.
pub(super) async fn page(
    run: &Run,
    ledger: &Ledger,
    stop: &Stop,
    memory: &mut Memory,
    today: Date,
    entries: Vec<Entry>,
) -> Result<Vec<Decided>, EngineError> {
    let mut page = Reads::default();
    let mut refused: HashMap<Ask, Arc<str>> = HashMap::new();
    // Those that must not see their own rows read by themselves.
    let mut own: BTreeMap<usize, Reads> = (0..)
        .zip(&entries)
        .filter(|(_, entry)| !entry.hidden.is_empty())
        .map(|(at, _)| (at, Reads::default()))
        .collect();
    let mut decisions: Vec<Option<Decision>> = entries.iter().map(|_| None).collect();
    for round in 0.. {
        let mut wants: IndexSet<Ask> = IndexSet::new();
        let mut own_wants: Vec<(usize, Vec<Ask>)> = Vec::new();
        let open: Vec<usize> = (0..).zip(&decisions).filter(|(_, own)| own.is_none()).map(|(at, _)| at).collect();
        let of_open = open.iter().filter_map(|at| Some((entries.get(*at)?, own.get(at).unwrap_or(&page))));
        let of_open: Vec<(&Entry, &Reads)> = of_open.collect();
        let steps = steps(run, ledger, today, &of_open).await?;
        for (at, step) in open.into_iter().zip(steps) {
            let (Some(entry), Some(decision)) = (entries.get(at), decisions.get_mut(at)) else { continue };
            match step {
                Step::Decided(decided) => {
                    *decision = Some(decided);
                    crash::point("some-decided");
                }
                Step::Wants(asks) => {
                    let wide = asks.iter().map(|ask| widened(ask, &entry.hidden));
                    if let Some(text) = wide.clone().find_map(|ask| refused.get(&ask).cloned()) {
                        *decision = Some(question_refused(run, &asks, &text));
                    } else if round >= ROUNDS {
                        *decision = Some(endless(run));
                    } else {
                        wants.extend(wide);
                        if own.contains_key(&at) {
                            own_wants.push((at, asks));
                        }
                    }
                }
            }
        }
        if wants.is_empty() {
            break;
        }
        let mut missing = Vec::new();
        for want in wants {
            match memory.get(&want) {
                _ if page.0.contains_key(&want) => {}
                Some(rows) => {
                    page.0.insert(want, rows.clone());
                }
                None => missing.push(want),
            }
        }
        let answers = look(run, ledger, stop, missing).await?;
        memory.keep(&answers);
        for (ask, rows) in answers {
            match rows {
                Ok(rows) => {
                    page.0.insert(ask, rows);
                }
                Err(text) => {
                    refused.insert(ask, text);
                }
            }
        }
        for (at, asks) in own_wants {
            let (Some(entry), Some(reads)) = (entries.get(at), own.get_mut(&at)) else { continue };
            for ask in asks {
                if let Some(rows) = page.0.get(&widened(&ask, &entry.hidden)) {
                    let rows = without(rows, &ask.entity, &entry.hidden);
                    reads.0.insert(ask, rows);
                }
            }
        }
    }
    let page = Arc::new(page);
    let decided = entries.into_iter().zip(decisions).enumerate().filter_map(|(at, (entry, decision))| {
        let rows = Rows(own.remove(&at).map_or_else(|| page.clone(), Arc::new));
        decision.map(|decision| Decided { entry, decision, rows })
    });
    Ok(decided.collect())
}

/// Reads for one record now, past every memory.
pub(super) async fn read_now(
    run: &Run,
    ledger: &Ledger,
    stop: &Stop,
    entry: &Entry,
    asks: Vec<Ask>,
) -> Result<Result<Vec<(Ask, Arc<[Record]>)>, Decision>, EngineError> {
    let wide = asks.iter().map(|ask| widened(ask, &entry.hidden)).collect();
    let answers = look(run, ledger, stop, wide).await?;
    let mut all = Vec::with_capacity(asks.len());
    for ask in asks {
        match answers.get(&widened(&ask, &entry.hidden)) {
            Some(Ok(rows)) => {
                let rows = without(rows, &ask.entity, &entry.hidden);
                all.push((ask, rows));
            }
            Some(Err(text)) => return Ok(Err(question_refused(run, std::slice::from_ref(&ask), text))),
            None => {}
        }
    }
    Ok(Ok(all))
}

/// Decides one record again, with rows of its own; what it reads now is noted as fresh.
pub(super) async fn again(
    run: &Run,
    ledger: &Ledger,
    stop: &Stop,
    today: Date,
    entry: &Entry,
    rows: &mut Rows,
    fresh: &mut HashSet<Ask>,
) -> Result<Decision, EngineError> {
    for _ in 0..ROUNDS {
        let step = steps(run, ledger, today, &[(entry, &*rows.0)]).await?.into_iter().next();
        let Some(step) = step else { break };
        match step {
            Step::Decided(decision) => return Ok(decision),
            Step::Wants(asks) => match read_now(run, ledger, stop, entry, asks).await? {
                Err(refused) => return Ok(refused),
                Ok(answers) => {
                    for (ask, answer) in answers {
                        fresh.insert(ask.clone());
                        rows.put(ask, answer);
                    }
                }
            },
        }
    }
    Ok(endless(run))
}

fn question_refused(run: &Run, asks: &[Ask], text: &str) -> Decision {
    let about: Vec<String> = asks.iter().map(|ask| ask.entity.to_string()).collect();
    let about = about.first().map_or("", String::as_str);
    // The system's words may repeat what was asked for.
    let reason = run.reason(
        None,
        format!("a question about {about} was refused: {text}"),
        format!("a question about {about} was refused"),
    );
    failed(reason)
}

fn endless(run: &Run) -> Decision {
    let text = "it wants the same rows again and again; this is a mistake in koppel, please report it";
    failed(run.reason(None, text, text))
}

fn failed(reason: Reason) -> Decision {
    Outcome::Fail(reason).into()
}
