//! The world as one moment shows it: the target, the ledger on disk, and what the processes hold in memory.
//!
//! Two records share a new e-mail: each wants the debtor of it, once, and an order of its own. All values are small and
//! comparable, so that the explorer knows a scene that it has seen.

use koppel::ledger::{
    Finding, Reply, Seen, Why,
    state::{Standing, State},
};

/// So many records, and so many processes where the rule that there is one is taken out.
pub(super) const RECORDS: usize = 2;

/// What can be made: the debtor that both records want, or the order of a record under the name that a version of the
/// flow gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum What {
    Debtor,
    Order { version: usize },
}

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scene {
    pub(super) target: Target,
    pub(super) disk: Disk,
    /// An earlier copy of the ledger that a person may put back.
    pub(super) copy: Option<Disk>,
    pub(super) processes: [Option<Process>; 2],
    /// The flow that runs: the second one calls the order otherwise.
    pub(super) version: usize,
    /// The records are not any more as they were when they were decided.
    pub(super) changed: bool,
    pub(super) left: Left,
}

/// What may still go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Left {
    pub(super) faults: u8,
    pub(super) crashes: u8,
    pub(super) edits: u8,
    pub(super) changes: u8,
    pub(super) losses: u8,
    pub(super) copies: u8,
    pub(super) makes: u8,
    pub(super) deletes: u8,
    pub(super) jumps: u8,
    pub(super) words: u8,
}

/// The target, which alone knows what happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) debtors: Things,
    /// By record, and by the version of the flow that made them: it looks at its own only.
    pub(super) orders: [[Things; 2]; RECORDS],
    pub(super) flights: Vec<Flight>,
    /// A person took the debtor away.
    pub(super) deleted: bool,
    /// An order was made while there was no debtor.
    pub(super) orphan: bool,
}

/// Things of one kind that stand in the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Things {
    pub(super) live: u8,
    /// So many of them are shown by a read by now.
    pub(super) shown: u8,
}

impl Target {
    /// So many orders of a record stand there.
    pub(super) fn orders(&self, record: usize) -> u8 {
        self.orders[record].iter().map(|things| things.live).sum()
    }
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Flight {
    pub(super) what: What,
    pub(super) record: usize,
    pub(super) process: usize,
    /// Somebody still waits for its answer.
    pub(super) open: bool,
    /// What it came to; none while the target is at it.
    pub(super) came: Option<Came>,
}

/// What a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Came {
    Made,
    NumberExists,
}

/// The ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Disk {
    /// A row for each identity of a debtor; records with the same identity share the first.
    pub(super) debtors: [Row; RECORDS],
    pub(super) orders: [[Row; 2]; RECORDS],
    pub(super) outcomes: [Outcome; RECORDS],
    /// Older than the birth mark beside it says.
    pub(super) stale: bool,
}

/// A row of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) standing: Standing,
    /// By the clock of the process that holds the ledger, its time is over.
    pub(super) late: bool,
}

/// How a record ended, as far as it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    Open,
    Done,
    Held(Hold),
    Failed,
}

/// Why a record is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Hold {
    Row(Why),
    Quarantine,
    Sealed,
    HalfWay,
}

/// What a running process holds in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Process {
    pub(super) tasks: [Task; RECORDS],
    pub(super) lock: Option<usize>,
    pub(super) asking: Option<(usize, usize, Asked)>,
    pub(super) quarantine: bool,
}

/// A question whose answer is on its way: what was to be seen when it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) finding: Finding,
    pub(super) late: bool,
    pub(super) control: bool,
}

/// What the reads of a decision showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Reads {
    pub(super) debtor: bool,
    pub(super) order: Finding,
    /// Were debtor and order read in quarantine?
    pub(super) early: (bool, bool),
    /// The flow that decided.
    pub(super) version: usize,
}

/// What tells whether what was read under the lock is young enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Age {
    /// Another thing under the key was made so shortly before that reads need not show it yet.
    pub(super) before_others_show: bool,
    /// A row under the key became void since.
    pub(super) before_a_void: bool,
}

/// Where a record is on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Task {
    #[default]
    Idle,
    Decided(Reads),
    /// Holds the lock of the debtor, and has not read under it.
    Locked(Reads),
    /// Has read under the lock, and has not looked into the ledger.
    Reread(Reads, Age),
    /// Asks about a debtor in doubt, under the lock.
    Asking(Reads, Asked),
    /// The debtor is known, or is to be made.
    Ready {
        reads: Reads,
        key: bool,
    },
    /// On disk as intended.
    Meant(What, Reads),
    Waiting(What, Reads),
    Answered(What, Reads, Reply),
}

impl Row {
    pub(super) fn new(seen: Seen) -> Self {
        Self { standing: Standing::new(seen), late: false }
    }
}

impl Disk {
    pub(super) fn new(seen: Seen) -> Self {
        Self {
            debtors: [Row::new(Seen::Read); RECORDS],
            orders: [[Row::new(seen); 2]; RECORDS],
            outcomes: [Outcome::Open; RECORDS],
            stale: false,
        }
    }

    pub(super) fn all_late(&mut self) {
        for row in &mut self.debtors {
            row.late |= row.standing.state.in_doubt() || row.standing.state == State::Confirmed;
        }
        for row in self.orders.iter_mut().flatten() {
            row.late |= row.standing.state.in_doubt();
        }
    }
}

impl Scene {
    pub(super) fn may_decide(&self, process: &Process, record: usize) -> bool {
        let doubt = self.disk.orders[record].iter().any(|row| row.standing.state.in_doubt());
        let open = match self.disk.outcomes[record] {
            Outcome::Open | Outcome::Held(Hold::Row(_)) => true,
            Outcome::Held(Hold::Quarantine) => !process.quarantine,
            // An edited flow or a changed record.
            Outcome::Done => self.version > 0 || self.changed,
            Outcome::Failed => self.changed,
            Outcome::Held(Hold::Sealed | Hold::HalfWay) => false,
        };
        process.tasks[record] == Task::Idle && open && !doubt
    }

    pub(super) fn early(&self, p: usize) -> bool {
        self.processes[p].as_ref().is_some_and(|process| process.quarantine)
    }

    /// A row of a debtor became void: what was read before that is too old.
    pub(super) fn voided(&mut self) {
        for task in self.processes.iter_mut().flatten().flat_map(|process| &mut process.tasks) {
            if let Task::Reread(_, age) = task {
                age.before_a_void = true;
            }
        }
    }

    /// A task goes on; one that is over frees its lock.
    pub(super) fn go(&mut self, p: usize, record: usize, task: Task) {
        let Some(process) = self.processes[p].as_mut() else { return };
        if task == Task::Idle && process.lock == Some(record) {
            process.lock = None;
        }
        process.tasks[record] = task;
    }

    /// Rows whose time matters, and is not over.
    pub(super) fn running(&self) -> bool {
        let doubt = |row: &&Row| row.standing.state.in_doubt() && !row.late;
        let made = |row: &&Row| row.standing.state == State::Confirmed && !row.late;
        let mut orders = self.disk.orders.iter().flatten();
        orders.any(|row| doubt(&row)) || self.disk.debtors.iter().any(|row| doubt(&row) || made(&row))
    }

    pub(super) fn time_passes(&mut self) {
        self.target.flights.retain(|flight| flight.open);
        let things = self.target.orders.iter_mut().flatten().chain([&mut self.target.debtors]);
        things.for_each(|things: &mut Things| things.shown = things.live);
        if self.processes.iter().any(Option::is_some) {
            self.disk.all_late();
        }
        for process in self.processes.iter_mut().flatten() {
            if process.quarantine {
                process.quarantine = false;
                self.disk.stale = false;
            }
        }
    }

    /// Nobody at the debtor: a person who acts inside the window of a create is beyond the protocol.
    pub(super) fn nobody_at_the_debtor(&self) -> bool {
        let flying = self.target.flights.iter().any(|flight| flight.what == What::Debtor);
        let doubt = self.disk.debtors.iter().any(|row| row.standing.state.in_doubt());
        let locked = self.processes.iter().flatten().any(|process| process.lock.is_some());
        !flying && !doubt && !locked
    }

    pub(super) fn crash(&mut self, p: usize) {
        self.processes[p] = None;
        let flights = &mut self.target.flights;
        flights.retain(|flight| flight.process != p || flight.came.is_none());
        flights.iter_mut().filter(|flight| flight.process == p).for_each(|flight| flight.open = false);
        flights.sort();
    }

    pub(super) fn end(&mut self, p: usize, record: usize, outcome: Outcome) {
        self.disk.outcomes[record] = outcome;
        self.go(p, record, Task::Idle);
    }

    pub(super) fn answered(&mut self, index: usize, reply: Reply) {
        let flight = self.target.flights[index].clone();
        // Broken off before it was carried out, it may still be.
        if reply == Reply::Unclear && flight.came.is_none() {
            self.target.flights[index].open = false;
        } else {
            self.target.flights.remove(index);
        }
        self.target.flights.sort();
        let task = self.processes[flight.process].as_ref().map(|process| process.tasks[flight.record]);
        if let Some(Task::Waiting(what, reads)) = task {
            self.go(flight.process, flight.record, Task::Answered(what, reads, reply));
        }
    }

    /// Its key is known: on to the order, or the record is done and sealed in the same commit.
    pub(super) fn made(&mut self, p: usize, record: usize, what: What, reads: Reads) {
        match what {
            What::Debtor => self.go(p, record, Task::Ready { reads, key: true }),
            What::Order { .. } => self.end(p, record, Outcome::Done),
        }
    }
}
