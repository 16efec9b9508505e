//! What an edited flow would do with records that an earlier version of it brought to an end.
//!
//! Takes a run and a ledger, gives for each record that would not come out the same what there is to do. Sends nothing,
//! and writes nothing but how targets show what was left there: the ledger may be a copy.

use std::sync::Arc;

use super::{
    EngineError, Run, Stop,
    apply::{half_way, known},
    decide::{self, Decided, Entry, today},
    left,
    reads::Memory,
    source::{Pages, faulty_name, faulty_reason, record_name, source_ask},
};
use crate::{
    clock,
    connector::{Faulty, Page},
    ledger::{Hashes, Known, KnownRecord, Ledger, RecordName, RecordOutcome},
    value::{Action, Outcome, Reason, Write},
};

/// What there is to do with a record that was done.
#[derive(Debug, Clone)]
pub enum Again {
    /// Under its seal: only updates are sent.
    Updates(Vec<Write>),
    /// Its seal has to be lifted: something is made that was not made yet.
    Makes(Vec<Write>),
    /// Nothing can be done about it: what was made would not be made, or it would be held or failed.
    Stays(Arc<str>),
}

/// Tells what would be done with the records of a run that ended under another version of its flow, as the source shows
/// them now; gives how many of them it looked at.
///
/// # Errors
/// A connection or the ledger does not work.
pub async fn changed(
    run: &Run,
    ledger: &Ledger,
    stop: &Stop,
    mut tell: impl FnMut(&Arc<str>, Again),
) -> Result<u64, EngineError> {
    let source = run.source()?;
    let mut memory = Memory::default();
    let ask = left::telling(run, &source_ask(source, source.filter.clone()));
    let mut pages = Pages::new(run, stop, ask)?;
    let mut looked = 0;
    let mut read = clock::now();
    while let Some(Page { mut records, faulty, .. }) = pages.next().await? {
        left::edited(run, ledger, stop, (&source.name, read), &mut records).await?;
        read = clock::now();
        let names: Vec<_> = records.iter().map(|record| record_name(run, source, record)).collect();
        let known = ledger.records(&run.name, "", names.iter().map(|name| name.key.clone()).collect()).await?;
        let all = names.into_iter().zip(records).zip(known);
        let was_done: Vec<_> = all.filter(|(_, known)| ended_otherwise(run, known)).collect();
        looked += was_done.len() as u64;
        let named = faulty.iter().filter_map(|faulty| Some((faulty_name(run, source, &faulty.record)?, faulty)));
        let (names, faulty): (Vec<RecordName>, Vec<&Faulty>) = named.unzip();
        let known = ledger.records(&run.name, "", names.iter().map(|name| name.key.clone()).collect()).await?;
        for ((name, faulty), _) in names.iter().zip(faulty).zip(known).filter(|(_, known)| ended_otherwise(run, known))
        {
            looked += 1;
            tell(&name.key, Again::Stays(faulty_reason(run, source, faulty).text));
        }
        // As if the seal was lifted: what the record made itself is not found, and not made again.
        let unsealed = was_done.iter().map(|((name, record), known)| {
            let known = Known { record: None, rows: known.rows.clone() };
            Entry::new(run, ledger, name.clone(), record.clone(), known, Hashes::new())
        });
        let unsealed = decide::page(run, ledger, stop, &mut memory, today(), unsealed.collect()).await?;
        let sealed = was_done
            .into_iter()
            .map(|((name, record), known)| Entry::new(run, ledger, name, record, known, Hashes::new()));
        let sealed = decide::page(run, ledger, stop, &mut memory, today(), sealed.collect()).await?;
        for (unsealed, sealed) in unsealed.iter().zip(&sealed) {
            if let Some(again) = compared(run, unsealed, sealed) {
                tell(&unsealed.entry.name.key, again);
            }
        }
        if stop.wished() {
            break;
        }
    }
    Ok(looked)
}

/// Was it done, by another version of the flow, and is nothing of it in doubt?
fn ended_otherwise(run: &Run, known: &Known) -> bool {
    let done = |own: &KnownRecord| match own.outcome {
        RecordOutcome::Done => own.plan_version != run.plan_version,
        // It was decided since, and waits for a person who lifts its seal.
        RecordOutcome::Held => true,
        _ => false,
    };
    let certain = known.rows.iter().all(|row| !row.standing.state.in_doubt());
    certain && known.record.as_ref().is_some_and(|own| own.sealed && done(own))
}

fn compared(run: &Run, unsealed: &Decided, sealed: &Decided) -> Option<Again> {
    let stays = |reason: &Reason| Some(Again::Stays(reason.text.clone()));
    let Decided { entry, decision, rows } = unsealed;
    if let Some(name) = half_way(run, entry, decision, rows, today()) {
        return Some(Again::Stays(format!("`{name}` was made and is not wanted any more").into()));
    }
    match &decision.outcome {
        Outcome::Writes(writes) if writes.iter().any(|write| write.action == Action::Create) => {
            return Some(Again::Makes(writes.clone()));
        }
        Outcome::Hold(reason) | Outcome::Fail(reason) => return stays(reason),
        Outcome::Writes(_) | Outcome::Skip(_) => {}
    }
    match &sealed.decision.outcome {
        Outcome::Skip(_) => None,
        Outcome::Hold(reason) | Outcome::Fail(reason) => stays(reason),
        Outcome::Writes(writes) => {
            let (updates, creates): (Vec<_>, Vec<_>) =
                writes.iter().cloned().partition(|write| write.action == Action::Update);
            match creates.iter().find(|write| !known(&sealed.entry, write)) {
                Some(write) => Some(Again::Stays(format!("`{}` was made and is not found", write.name).into())),
                None if updates.is_empty() => None,
                None => Some(Again::Updates(updates)),
            }
        }
    }
}
