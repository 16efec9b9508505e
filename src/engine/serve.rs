//! Polling on a schedule, with the newest runs: an edited plan is taken over between two polls, never within one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::watch,
    time::{Instant, interval, sleep_until},
};

use super::{EngineError, Progress, Run, Stop, Summary, poll};
use crate::{insight::Journal, ledger::Ledger};

/// While something is in doubt, or a stage waits, a run is polled at least this often.
const ASK_AGAIN: Duration = Duration::from_mins(1);
/// Nothing to do: look again after this time.
const IDLE: Duration = Duration::from_hours(1);

/// How often it is looked for what a person typed.
const LOOK: Duration = Duration::from_secs(2);

/// A run and how often it is polled.
#[derive(Clone)]
pub struct ScheduledRun {
    /// What.
    pub run: Arc<Run>,
    /// From the end of one poll to the start of the next.
    pub every: Duration,
}

/// Polls all runs, each on its own schedule, until the wish to end; then waits for the records under way. A new list
/// of runs is taken over at once: an edited or new run is polled without delay, one that is no longer there is not
/// polled again. A run whose connection fails is told and tried again at its next time. What a person types about a run
/// is carried out within seconds, by a poll of it.
///
/// # Errors
/// A ledger that does not work ends all.
pub async fn serve(
    mut runs: watch::Receiver<Arc<Vec<ScheduledRun>>>,
    ledger: &Ledger,
    journal: &dyn Journal,
    progress: &dyn Progress,
    mut stop: Stop,
    mut report: impl FnMut(&str, Result<Summary, EngineError>),
) -> Result<(), EngineError> {
    type Polled = (Arc<str>, Arc<str>, Result<Summary, EngineError>);
    let mut current = runs.borrow_and_update().clone();
    // When a run is due, and the plan it was polled with.
    let mut due: HashMap<Arc<str>, (Instant, Option<Arc<str>>)> = HashMap::new();
    let mut under_way: HashSet<Arc<str>> = HashSet::new();
    // The last wish that was heard of, and the runs that are to carry out theirs.
    let mut heard = 0;
    let mut wished: HashSet<Arc<str>> = HashSet::new();
    let mut look = interval(LOOK);
    // Nobody can bring new runs any more: these go on.
    let mut fixed = false;
    let mut polls: FuturesUnordered<BoxFuture<'_, Polled>> = FuturesUnordered::new();
    let asked_to_stop = stop.clone();
    loop {
        let now = Instant::now();
        for scheduled in current.iter().filter(|_| !asked_to_stop.wished()) {
            let run = scheduled.run.clone();
            let (at, version) = due.get(&run.name).cloned().unwrap_or((now, None));
            let edited = version.is_some_and(|version| version != run.plan_version);
            let asked_for = wished.contains(&run.name);
            if (at <= now || edited || asked_for) && !under_way.contains(&run.name) {
                under_way.insert(run.name.clone());
                wished.remove(&run.name);
                let stop = asked_to_stop.clone();
                polls.push(Box::pin(async move {
                    let result = poll(&run, ledger, journal, progress, &stop).await;
                    (run.name.clone(), run.plan_version.clone(), result)
                }));
            }
        }
        if asked_to_stop.wished() && polls.is_empty() {
            return Ok(());
        }
        let next = current
            .iter()
            .filter(|scheduled| !under_way.contains(&scheduled.run.name))
            .filter_map(|scheduled| due.get(&scheduled.run.name).map(|(at, _)| *at))
            .min()
            .unwrap_or(now + IDLE);
        tokio::select! {
            () = stop.wait(), if !asked_to_stop.wished() => {}
            changed = runs.changed(), if !fixed => match changed {
                Ok(()) => current = runs.borrow_and_update().clone(),
                Err(_) => fixed = true,
            },
            Some((name, version, result)) = polls.next(), if !polls.is_empty() => {
                under_way.remove(&name);
                let every = current.iter().find(|scheduled| scheduled.run.name == name).map_or(IDLE, |own| own.every);
                let soon = result.as_ref().is_ok_and(|summary| summary.unsettled + summary.waiting > 0);
                let pause = if soon { every.min(ASK_AGAIN) } else { every };
                due.insert(name.clone(), (Instant::now() + pause, Some(version)));
                if let Err(EngineError::Ledger(error)) = result {
                    return Err(EngineError::Ledger(error));
                }
                report(&name, result);
            }
            () = sleep_until(next), if !asked_to_stop.wished() => {}
            _ = look.tick(), if !asked_to_stop.wished() => {
                for (id, run) in ledger.wished_after(heard).await? {
                    heard = id;
                    wished.insert(run);
                }
            }
        }
    }
}
