//! The locks of what a decision creates and changes, and the decision that holds under them.
//!
//! A page is decided before anything of it is written. So who would create a thing takes its lock, reads again what
//! the decision hangs on, and decides again when a row differs: the second record of a page finds what the first made.
//! The locks of what is changed are taken with them, and a decision that another write has overtaken is made again.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Instant,
};

use super::{Answer, Applying, Entry, Halt, ended, known::Known};
use crate::{
    crash,
    engine::{
        decide::{again, read_now},
        reads::Rows,
    },
    ledger::{LockName, Locks, Thing},
    value::{Ask, Chosen, Decision, Ensured},
};

/// So often a decision may want other locks than it holds.
const TRIES: u32 = 3;

/// Things that the decision would create, and what was seen of them under their locks.
pub(super) struct Made {
    /// When the reads under the locks began.
    pub(super) asked: Instant,
    /// By name of the ensure.
    pub(super) things: BTreeMap<Arc<str>, Thing>,
    /// Keys of those that the ledger knows already, by name of the create.
    pub(super) keys: BTreeMap<Arc<str>, Arc<str>>,
    /// What was asked about those that were tried before, by name of the create.
    pub(super) judged: BTreeMap<Arc<str>, Answer>,
}

impl Applying<'_> {
    /// Takes the locks of all that would be created, and makes the decision hold under them.
    pub(super) async fn things(
        &self,
        entry: &Entry,
        decision: &mut Decision,
        rows: &mut Rows,
    ) -> Result<(Option<Locks>, Made), Halt> {
        let mut things = self.wanted(entry, decision)?;
        for _ in 0..TRIES {
            let held = self.locks(&things, decision)?;
            if held.is_empty() {
                let keys = self.made_before(entry, decision).await?;
                return Ok((None, Made { asked: Instant::now(), things, keys, judged: BTreeMap::new() }));
            }
            let locks = self.ledger.lock(held.clone()).await;
            crash::point("locked");
            let mut asked = Instant::now();
            if self.ending() {
                return Err(Halt::Later);
            }
            let mut fresh = HashSet::new();
            let outdated = self.outdated(decision).await?;
            if !outdated.is_empty() {
                rows.forget(&outdated);
                entry.left.forget();
                self.afresh(entry, decision, rows, &mut fresh).await?;
                things = self.wanted(entry, decision)?;
                if !self.locks(&things, decision)?.iter().all(|lock| held.contains(lock)) {
                    continue;
                }
            }
            loop {
                let asks = if things.is_empty() { Vec::new() } else { hanging_on(decision, &fresh) };
                if asks.is_empty() {
                    match self.known_to_the_ledger(entry, decision, &things, asked).await? {
                        Known::ReadAgain => {
                            asked = Instant::now();
                            fresh.clear();
                            continue;
                        }
                        Known::Keys(mut keys, judged) => {
                            keys.extend(self.made_before(entry, decision).await?);
                            return Ok((Some(locks), Made { asked, things, keys, judged }));
                        }
                    }
                }
                let answers = match read_now(self.run, self.ledger, self.stop, entry, asks).await? {
                    Ok(answers) => answers,
                    Err(refused) => return Err(ended(&refused.outcome).unwrap_or(Halt::Unsettled)),
                };
                let mut differs = false;
                for (ask, answer) in answers {
                    fresh.insert(ask.clone());
                    if rows.get(&ask) != Some(&answer) {
                        differs = true;
                        rows.put(ask, answer);
                    }
                }
                if !differs {
                    continue;
                }
                self.afresh(entry, decision, rows, &mut fresh).await?;
                things = self.wanted(entry, decision)?;
                if !self.locks(&things, decision)?.iter().all(|lock| held.contains(lock)) {
                    break;
                }
            }
        }
        Err(self.hold(None, "busy: what it hangs on kept changing while it was looked at"))
    }

    /// Decides again, with these rows.
    async fn afresh(
        &self,
        entry: &Entry,
        decision: &mut Decision,
        rows: &mut Rows,
        fresh: &mut HashSet<Ask>,
    ) -> Result<(), Halt> {
        *decision = again(self.run, self.ledger, self.stop, self.today, entry, rows, fresh).await?;
        ended(&decision.outcome).map_or(Ok(()), Err)
    }

    /// The locks of what would be created and of what would be changed.
    fn locks(&self, things: &BTreeMap<Arc<str>, Thing>, decision: &Decision) -> Result<Vec<LockName>, Halt> {
        let mut locks = self.changed(decision)?;
        locks.extend(things.values().map(|thing| thing.lock.clone()));
        Ok(locks)
    }

    /// The things that a decision would create and that are to be made; a record that was done makes none.
    fn wanted(&self, entry: &Entry, decision: &Decision) -> Result<BTreeMap<Arc<str>, Thing>, Halt> {
        if entry.sealed() { Ok(BTreeMap::new()) } else { self.created(decision) }
    }

    /// The things that a decision would create.
    pub(super) fn created(&self, decision: &Decision) -> Result<BTreeMap<Arc<str>, Thing>, Halt> {
        let mut things = BTreeMap::new();
        for ensured in creating(decision) {
            let conn: Arc<str> = self.run.connection(&ensured.role)?.name().into();
            let thing = self.ledger.thing(&ensured.name, &conn, &ensured.family, &ensured.key, &ensured.compared);
            things.insert(ensured.name.clone(), thing);
        }
        Ok(things)
    }
}

fn creating(decision: &Decision) -> impl Iterator<Item = &Ensured> {
    decision.ensured.iter().filter(|ensured| matches!(ensured.chosen, Chosen::Create(_)))
}

/// The reads that the choice to create hangs on and that were not made under the lock yet.
fn hanging_on(decision: &Decision, fresh: &HashSet<Ask>) -> Vec<Ask> {
    creating(decision).flat_map(|ensured| &ensured.asks).filter(|ask| !fresh.contains(ask)).cloned().collect()
}
