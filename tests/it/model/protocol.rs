//! What can happen next: the steps of the engine around the table of moves, and everything the world may do to them.
//!
//! Every move of a row is made by `koppel::ledger::state::transition`, the function that the engine calls; what stands
//! here is the order of reads, locks, commits and sends around it.

mod engine;
mod may;

use koppel::ledger::{
    Command, Event, Finding, Reply, Seen, Why,
    state::{Move, State, transition},
};
use stateright::{Model, Property};

use super::{
    scene::{
        Age, Asked, Came, Disk, Flight, Hold, Outcome, Process, RECORDS, Reads, Row, Scene, Target, Task, Things, What,
    },
    world::{Rule, World},
};

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Action {
    Start(usize),
    Crash(usize),
    /// A record is read and decided, with the asks before its creates.
    Decide(usize, usize),
    Lock(usize, usize),
    ReadAgain(usize, usize),
    /// Looks into the ledger under the lock.
    Look(usize, usize),
    /// The answer about a debtor in doubt is told to the ledger.
    AskedUnderLock(usize, usize),
    /// Intends the next write, or finds it.
    Want(usize, usize),
    Send(usize, usize),
    /// What came of a write goes to disk.
    Tell(usize, usize),
    /// Asks about an order in doubt.
    Ask(usize, usize, usize),
    Told(usize),
    /// The time of a row that nothing can be asked about is over.
    ElapseOrder(usize, usize),
    ElapseDebtor(usize),
    /// The target carries a request out.
    Happen(usize),
    Answer(usize, Reply),
    /// The connection breaks.
    Lose(usize),
    ShowDebtor,
    ShowOrder(usize, usize),
    /// So long that nothing sent before can still take effect, or be hidden.
    TimePasses,
    EditFlow,
    ChangeRecords,
    PersonMakes,
    PersonDeletes,
    /// A person looks for an order in doubt, and says what there is.
    PersonSays(usize, usize),
    LoseLedger,
    CopyLedger,
    PutBack,
    ClockJumps,
}

/// The move cannot happen by the table.
pub(super) struct Impossible;

impl World {
    fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// Does a read show orders?
    fn reads(&self) -> bool {
        matches!(self.seen, Seen::Read | Seen::Sign)
    }

    /// The row of the debtor that a record wants.
    fn debtor(&self, record: usize) -> usize {
        if self.one_identity { 0 } else { record }
    }

    fn moved(&self, row: &mut Row, event: Event) -> Result<Command, Impossible> {
        let event = match event {
            Event::Asked { finding, late, control } => Event::Asked {
                finding,
                late: late || !self.has(Rule::WaitForItsTime),
                control: control || !self.has(Rule::Control),
            },
            Event::AskedFirst { finding, control } => {
                let open = self.has(Rule::OpenEyes) && self.has(Rule::Control);
                Event::AskedFirst { finding, control: control || !open }
            }
            Event::DidNotHappen { late } => Event::DidNotHappen { late: late || !self.has(Rule::DeniedLate) },
            Event::Answered(Reply::Unclear) if !self.has(Rule::UnclearIsNoRefusal) => Event::Answered(Reply::Refused),
            Event::Answered(Reply::NumberExists) if !self.has(Rule::NumberIsNoRefusal) => {
                Event::Answered(Reply::Refused)
            }
            other => other,
        };
        let before = row.standing.state;
        let mut from = row.standing;
        if event == Event::Answered(Reply::Refused) && !self.has(Rule::RefusedIsNotAbsent) {
            from.attempt = from.attempt.min(1);
        }
        let Move { mut to, then } = transition(from, event).ok_or(Impossible)?;
        match to.state {
            State::Keyless if !self.has(Rule::KeylessStays) => to.state = State::Void,
            State::Unclear if !self.has(Rule::UnclearStays) => to.state = State::Unsettled,
            State::Unsettled
                if event == Event::Started && before == State::Intended && !self.has(Rule::StartInDoubt) =>
            {
                to.state = State::Void;
            }
            _ => {}
        }
        let anew = event != Event::Started || self.has(Rule::WindowsStartAnew);
        if to.state != before && anew {
            row.late = false;
        }
        row.standing = to;
        Ok(then)
    }

    /// What the ask for the order of a record shows now.
    fn order(&self, scene: &Scene, record: usize, version: usize) -> Finding {
        if !self.reads() || self.blind {
            return Finding::Absent;
        }
        match scene.target.orders[record][version].shown {
            0 if self.foreign && record == 0 => {
                if self.has(Rule::ForeignIsForeign) {
                    Finding::Foreign
                } else {
                    Finding::Ours
                }
            }
            0 => Finding::Absent,
            1 => Finding::Ours,
            _ => Finding::Several,
        }
    }

    fn sees_debtor(&self, scene: &Scene) -> bool {
        !self.blind && scene.target.debtors.shown > 0
    }

    fn asked(&self, finding: Finding, row: &Row) -> Asked {
        Asked { finding, late: row.late, control: !self.blind }
    }

    fn happen(&self, scene: &mut Scene, index: usize) {
        let target = &mut scene.target;
        let flight = &mut target.flights[index];
        let came = match flight.what {
            What::Debtor => {
                target.debtors.live += 1;
                Came::Made
            }
            What::Order { version } if self.seen == Seen::Number && target.orders[flight.record][version].live > 0 => {
                Came::NumberExists
            }
            What::Order { version } => {
                target.orders[flight.record][version].live += 1;
                target.orphan |= target.debtors.live == 0 && !target.deleted;
                Came::Made
            }
        };
        if flight.open {
            flight.came = Some(came);
        } else {
            target.flights.remove(index);
        }
        target.flights.sort();
    }

    fn apply(&self, scene: &mut Scene, action: Action) -> Result<(), Impossible> {
        let left = &mut scene.left;
        match action {
            Action::Start(p) => self.start(scene, p)?,
            Action::Crash(p) => {
                left.crashes -= 1;
                scene.crash(p);
            }
            Action::Decide(p, record) => self.decide(scene, p, record),
            Action::Lock(p, record)
            | Action::ReadAgain(p, record)
            | Action::Look(p, record)
            | Action::AskedUnderLock(p, record)
            | Action::Want(p, record)
            | Action::Send(p, record)
            | Action::Tell(p, record) => self.step(scene, p, record, action)?,
            Action::Ask(p, record, version) => {
                let asked = self.asked(self.order(scene, record, version), &scene.disk.orders[record][version]);
                if let Some(process) = scene.processes[p].as_mut() {
                    process.asking = Some((record, version, asked));
                }
            }
            Action::Told(p) => {
                let asking = scene.processes[p].as_mut().and_then(|process| process.asking.take());
                if let Some((record, version, Asked { finding, late, control })) = asking
                    && (self.has(Rule::OneProcess) || scene.disk.orders[record][version].standing.state.in_doubt())
                {
                    self.settled(scene, record, version, Event::Asked { finding, late, control })?;
                }
            }
            Action::ElapseOrder(record, version) => self.settled(scene, record, version, Event::Elapsed)?,
            Action::ElapseDebtor(index) => {
                self.moved(&mut scene.disk.debtors[index], Event::Elapsed)?;
                scene.voided();
            }
            Action::PersonSays(record, version) => {
                left.words -= 1;
                let late = scene.disk.orders[record][version].late;
                let event = match scene.target.orders(record) {
                    0 => Event::DidNotHappen { late },
                    _ => Event::Happened,
                };
                self.settled(scene, record, version, event)?;
            }
            Action::Happen(index) => self.happen(scene, index),
            Action::Answer(index, reply) => {
                if !matches!(reply, Reply::Done | Reply::NumberExists) {
                    left.faults -= 1;
                }
                scene.answered(index, reply);
            }
            Action::Lose(index) => {
                left.faults -= 1;
                scene.answered(index, Reply::Unclear);
            }
            Action::ShowDebtor => scene.target.debtors.shown += 1,
            Action::ShowOrder(record, version) => scene.target.orders[record][version].shown += 1,
            Action::TimePasses => scene.time_passes(),
            Action::EditFlow => {
                left.edits -= 1;
                scene.version = 1;
            }
            Action::ChangeRecords => {
                left.changes -= 1;
                scene.changed = true;
            }
            Action::PersonMakes => {
                left.makes -= 1;
                scene.target.debtors = Things { live: 1, shown: 1 };
            }
            Action::PersonDeletes => {
                left.deletes -= 1;
                scene.target.debtors = Things::default();
                scene.target.deleted = true;
            }
            Action::LoseLedger => {
                left.losses -= 1;
                scene.disk = Disk { stale: true, ..Disk::new(self.seen) };
            }
            Action::CopyLedger => {
                left.copies -= 1;
                scene.copy = Some(scene.disk.clone());
            }
            Action::PutBack => {
                if let Some(copy) = scene.copy.take() {
                    scene.disk = Disk { stale: true, ..copy };
                }
            }
            Action::ClockJumps => {
                left.jumps -= 1;
                if !self.has(Rule::SteadyClock) {
                    scene.disk.all_late();
                }
            }
        }
        Ok(())
    }
}

impl Model for World {
    type State = Result<Scene, Action>;
    type Action = Action;

    fn init_states(&self) -> Vec<Self::State> {
        let things = Things::default();
        let target = Target {
            debtors: things,
            orders: [[things; 2]; RECORDS],
            flights: Vec::new(),
            deleted: false,
            orphan: false,
        };
        vec![Ok(Scene {
            target,
            disk: Disk::new(self.seen),
            copy: None,
            processes: [None, None],
            version: 0,
            changed: false,
            left: self.left,
        })]
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        if let Ok(scene) = state {
            self.of_the_processes(scene, actions);
            self.of_the_world(scene, actions);
        }
    }

    fn next_state(&self, last: &Self::State, action: Self::Action) -> Option<Self::State> {
        let mut scene = last.as_ref().ok()?.clone();
        match self.apply(&mut scene, action) {
            Ok(()) => Some(Ok(scene)),
            Err(Impossible) => Some(Err(action)),
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(super::ONCE, |world: &World, state: &Self::State| {
                state.as_ref().is_ok_and(|scene| {
                    scene.target.debtors.live <= 1 && (0..world.records).all(|record| scene.target.orders(record) <= 1)
                }) || state.is_err()
            }),
            Property::always(super::LOST, |world: &World, state: &Self::State| {
                let Ok(scene) = state else { return true };
                let debtor = scene.target.debtors.live > 0 || scene.target.deleted;
                (0..world.records).all(|record| {
                    scene.disk.outcomes[record] != Outcome::Done || (scene.target.orders(record) > 0 && debtor)
                })
            }),
            Property::always(super::ORPHAN, |_: &World, state: &Self::State| {
                state.as_ref().map_or(true, |scene| !scene.target.orphan)
            }),
            Property::always(super::TRUE, |world: &World, state: &Self::State| {
                let Ok(scene) = state else { return true };
                (0..world.records)
                    .all(|record| scene.disk.outcomes[record] != Outcome::Failed || scene.target.orders(record) == 0)
            }),
            Property::always(super::POSSIBLE, |_: &World, state: &Self::State| state.is_ok()),
            Property::always(super::ENDS, |world: &World, state: &Self::State| {
                state.as_ref().map_or(true, |scene| world.without.is_some() || world.ends(scene))
            }),
        ]
    }
}
