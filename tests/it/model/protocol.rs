//! What can happen next: the steps of the engine around the table of moves, and everything the world may do to them.
//!
//! Every move of a row is made by `koppel::ledger::state::transition`, the function that the engine calls; what stands
//! here is the order of reads, locks, commits and sends around it.

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

    // ---- the steps of the engine

    fn start(&self, scene: &mut Scene, p: usize) -> Result<(), Impossible> {
        let disk = &mut scene.disk;
        let anew = self.has(Rule::WindowsStartAnew);
        for row in disk.debtors.iter_mut().chain(disk.orders.iter_mut().flatten()) {
            if row.standing.state.in_doubt() {
                self.moved(row, Event::Started)?;
            }
            row.late &= !anew;
        }
        for record in 0..RECORDS {
            if disk.orders[record].iter().any(|row| row.standing.state == State::Unclear) {
                disk.outcomes[record] = Outcome::Held(Hold::Row(Why::Unclear));
            }
        }
        let quarantine = disk.stale && self.has(Rule::Quarantine);
        scene.processes[p] = Some(Process { quarantine, ..Process::default() });
        Ok(())
    }

    fn decide(&self, scene: &mut Scene, p: usize, record: usize) {
        let version = scene.version;
        let is_made = |row: &Row| row.standing.state == State::Confirmed;
        let rows = &scene.disk.orders[record];
        let (own, other) = (is_made(&rows[version]), is_made(&rows[1 - version]));
        if scene.disk.outcomes[record] == Outcome::Done && self.has(Rule::Seal) {
            if !own {
                scene.disk.outcomes[record] = Outcome::Held(Hold::Sealed);
            }
            return;
        }
        if other && self.has(Rule::HalfWay) && scene.disk.outcomes[record] != Outcome::Done {
            scene.disk.outcomes[record] = Outcome::Held(Hold::HalfWay);
            return;
        }
        let early = scene.early(p);
        let (debtor, order) = (self.sees_debtor(scene), self.order(scene, record, version));
        let reads = Reads { debtor, order, early: (early, early), version };
        let task = if reads.debtor { Task::Ready { reads, key: true } } else { Task::Decided(reads) };
        scene.go(p, record, task);
    }

    fn look(&self, scene: &mut Scene, p: usize, record: usize, reads: Reads, age: Age) -> Result<(), Impossible> {
        if reads.debtor {
            scene.go(p, record, Task::Ready { reads, key: true });
            return Ok(());
        }
        let sees = self.sees_debtor(scene);
        let own = self.debtor(record);
        for index in 0..RECORDS {
            let row = scene.disk.debtors[index];
            let doubt = row.standing.state.in_doubt();
            if index != own {
                // Another thing under the same key: its time alone settles it.
                if doubt && row.late && row.standing.state == State::Unsettled {
                    self.moved(&mut scene.disk.debtors[index], Event::Elapsed)?;
                    scene.voided();
                    let young = Age { before_a_void: self.has(Rule::YoungerThanVoid), ..age };
                    if young.before_a_void {
                        scene.go(p, record, Task::Locked(reads));
                        return Ok(());
                    }
                    continue;
                }
                if doubt || (age.before_others_show && self.has(Rule::OthersAreShown)) {
                    scene.go(p, record, Task::Idle);
                    return Ok(());
                }
                continue;
            }
            match row.standing.state {
                State::Intended => {
                    scene.go(p, record, Task::Idle);
                    return Ok(());
                }
                State::Unsettled | State::Keyless | State::Unclear => {
                    let finding = if sees { Finding::Ours } else { Finding::Absent };
                    scene.go(p, record, Task::Asking(reads, self.asked(finding, &row)));
                    return Ok(());
                }
                State::Confirmed => {
                    let late = row.late || !self.has(Rule::GoneIsLate);
                    if !late || sees {
                        scene.go(p, record, Task::Ready { reads, key: true });
                        return Ok(());
                    }
                    let control = !self.blind || !self.has(Rule::GoneIsSeen);
                    if let Command::UseKey(_) = self.moved(&mut scene.disk.debtors[index], Event::Gone { control })? {
                        scene.go(p, record, Task::Ready { reads, key: true });
                        return Ok(());
                    }
                }
                State::None | State::Void => {}
            }
        }
        if age.before_a_void && self.has(Rule::YoungerThanVoid) {
            scene.go(p, record, Task::Locked(reads));
            return Ok(());
        }
        scene.go(p, record, Task::Ready { reads, key: false });
        Ok(())
    }

    fn asked_under_lock(
        &self,
        scene: &mut Scene,
        p: usize,
        record: usize,
        reads: Reads,
        asked: Asked,
    ) -> Result<(), Impossible> {
        let Asked { finding, late, control } = asked;
        let row = &mut scene.disk.debtors[self.debtor(record)];
        if !row.standing.state.in_doubt() {
            // Settled by another run meanwhile.
            scene.go(p, record, Task::Locked(reads));
            return Ok(());
        }
        match self.moved(row, Event::Asked { finding, late, control })? {
            Command::UseKey(_) => scene.go(p, record, Task::Ready { reads, key: true }),
            Command::DecideAgain => scene.go(p, record, Task::Ready { reads, key: false }),
            Command::Hold(why) => scene.end(p, record, Outcome::Held(Hold::Row(why))),
            _ => scene.go(p, record, Task::Idle),
        }
        Ok(())
    }

    fn want(&self, scene: &mut Scene, p: usize, record: usize, reads: Reads, key: bool) -> Result<(), Impossible> {
        let (what, finding) = if key || !self.has(Rule::DebtorFirst) {
            let asked = if self.has(Rule::AskFirst) { reads.order } else { Finding::Absent };
            (What::Order { version: reads.version }, asked)
        } else {
            (What::Debtor, Finding::Absent)
        };
        let (debtor, order) = reads.early;
        let read_early = if what == What::Debtor { debtor } else { order } && self.has(Rule::YoungerThanQuarantine);
        if (scene.early(p) || read_early) && finding == Finding::Absent {
            scene.end(p, record, Outcome::Held(Hold::Quarantine));
            return Ok(());
        }
        if what == What::Debtor {
            let own = self.debtor(record);
            let others = scene.disk.debtors.iter().enumerate().filter(|(index, _)| *index != own);
            if others.into_iter().any(|(_, row)| row.standing.state.in_doubt()) {
                scene.go(p, record, Task::Idle);
                return Ok(());
            }
        }
        let mut row = *self.row(scene, record, what);
        match self.moved(&mut row, Event::Wanted)? {
            Command::Ask => {}
            Command::UseKey(_) => {
                scene.made(p, record, what, reads);
                return Ok(());
            }
            Command::Hold(why) => {
                scene.end(p, record, Outcome::Held(Hold::Row(why)));
                return Ok(());
            }
            _ => {
                scene.go(p, record, Task::Idle);
                return Ok(());
            }
        }
        let then = self.moved(&mut row, Event::AskedFirst { finding, control: !self.blind })?;
        if then == Command::Commit && !self.has(Rule::CommitFirst) {
            scene.go(p, record, Task::Meant(what, reads));
            return Ok(());
        }
        *self.row_mut(scene, record, what) = row;
        match then {
            Command::Commit => {
                // In the same commit: something of it is on its way again.
                scene.disk.outcomes[record] = Outcome::Open;
                scene.go(p, record, Task::Meant(what, reads));
            }
            Command::UseKey(_) => scene.made(p, record, what, reads),
            Command::Hold(why) => scene.end(p, record, Outcome::Held(Hold::Row(why))),
            _ => scene.go(p, record, Task::Idle),
        }
        Ok(())
    }

    fn row<'a>(&self, scene: &'a Scene, record: usize, what: What) -> &'a Row {
        match what {
            What::Debtor => &scene.disk.debtors[self.debtor(record)],
            What::Order { version } => &scene.disk.orders[record][version],
        }
    }

    fn row_mut<'a>(&self, scene: &'a mut Scene, record: usize, what: What) -> &'a mut Row {
        match what {
            What::Debtor => &mut scene.disk.debtors[self.debtor(record)],
            What::Order { version } => &mut scene.disk.orders[record][version],
        }
    }

    fn send(&self, scene: &mut Scene, p: usize, record: usize, what: What, reads: Reads) -> Result<(), Impossible> {
        if self.has(Rule::CommitFirst) {
            let mut row = *self.row(scene, record, what);
            // What another process made of the row meanwhile does not call the request back.
            if row.standing.state == State::Intended && self.moved(&mut row, Event::Committed)? != Command::Send {
                return Err(Impossible);
            }
        }
        let flight = Flight { what, record, process: p, open: true, came: None };
        scene.target.flights.push(flight);
        scene.target.flights.sort();
        scene.go(p, record, Task::Waiting(what, reads));
        Ok(())
    }

    fn tell(
        &self,
        scene: &mut Scene,
        p: usize,
        record: usize,
        (what, reads, reply): (What, Reads, Reply),
    ) -> Result<(), Impossible> {
        let mut row = *self.row(scene, record, what);
        if !self.has(Rule::CommitFirst) {
            row.standing.state = State::Intended;
            row.standing.attempt += 1;
        }
        let one = self.has(Rule::OneProcess);
        let then = match self.moved(&mut row, Event::Answered(reply)) {
            Ok(then) => then,
            Err(impossible) if one => return Err(impossible),
            // Overtaken by the other process.
            Err(_) => {
                scene.go(p, record, Task::Idle);
                return Ok(());
            }
        };
        *self.row_mut(scene, record, what) = row;
        match then {
            Command::UseKey(_) => scene.made(p, record, what, reads),
            // Certainly not begun: the same decision wants it once more.
            Command::DecideAgain => scene.go(p, record, Task::Ready { reads, key: what != What::Debtor }),
            Command::Fail => scene.end(p, record, Outcome::Failed),
            Command::Hold(why) => scene.end(p, record, Outcome::Held(Hold::Row(why))),
            _ => scene.go(p, record, Task::Idle),
        }
        Ok(())
    }

    fn settled(&self, scene: &mut Scene, record: usize, version: usize, event: Event) -> Result<(), Impossible> {
        match self.moved(&mut scene.disk.orders[record][version], event)? {
            Command::Hold(why) => scene.disk.outcomes[record] = Outcome::Held(Hold::Row(why)),
            // Decided afresh at the next reading.
            Command::UseKey(_) | Command::DecideAgain => scene.disk.outcomes[record] = Outcome::Open,
            _ => {}
        }
        Ok(())
    }

    fn step(&self, scene: &mut Scene, p: usize, record: usize, action: Action) -> Result<(), Impossible> {
        let Some(task) = scene.processes[p].as_ref().map(|process| process.tasks[record]) else { return Ok(()) };
        match (action, task) {
            (Action::Lock(..), Task::Decided(reads)) => {
                if let (true, Some(process)) = (self.has(Rule::Lock), scene.processes[p].as_mut()) {
                    process.lock = Some(record);
                }
                scene.go(p, record, Task::Locked(reads));
                Ok(())
            }
            (Action::ReadAgain(..), Task::Locked(reads)) => {
                let debtor = if self.has(Rule::ReadUnderTheLock) { self.sees_debtor(scene) } else { reads.debtor };
                let early = (scene.early(p), reads.early.1);
                let others = scene.disk.debtors.iter().enumerate().filter(|(index, _)| *index != self.debtor(record));
                let before_others_show =
                    others.into_iter().any(|(_, row)| row.standing.state == State::Confirmed && !row.late);
                let age = Age { before_others_show, before_a_void: false };
                scene.go(p, record, Task::Reread(Reads { debtor, early, ..reads }, age));
                Ok(())
            }
            (Action::Look(..), Task::Reread(reads, age)) => self.look(scene, p, record, reads, age),
            (Action::AskedUnderLock(..), Task::Asking(reads, asked)) => {
                self.asked_under_lock(scene, p, record, reads, asked)
            }
            (Action::Want(..), Task::Ready { reads, key }) => self.want(scene, p, record, reads, key),
            (Action::Send(..), Task::Meant(what, reads)) => self.send(scene, p, record, what, reads),
            (Action::Tell(..), Task::Answered(what, reads, reply)) => self.tell(scene, p, record, (what, reads, reply)),
            _ => Ok(()),
        }
    }

    // ---- what the world does

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

    // ---- what may happen

    fn of_the_processes(&self, scene: &Scene, actions: &mut Vec<Action>) {
        for (p, process) in scene.processes.iter().enumerate() {
            let Some(process) = process else {
                if p == 0 || (!self.has(Rule::OneProcess) && scene.processes[0].is_some()) {
                    actions.push(Action::Start(p));
                }
                continue;
            };
            for record in 0..self.records {
                actions.extend(match process.tasks[record] {
                    Task::Idle => scene.may_decide(process, record).then_some(Action::Decide(p, record)),
                    Task::Decided(_) => process.lock.is_none().then_some(Action::Lock(p, record)),
                    Task::Locked(_) => Some(Action::ReadAgain(p, record)),
                    Task::Reread(..) => Some(Action::Look(p, record)),
                    Task::Asking(..) => Some(Action::AskedUnderLock(p, record)),
                    Task::Ready { .. } => Some(Action::Want(p, record)),
                    Task::Meant(..) => Some(Action::Send(p, record)),
                    Task::Waiting(..) => None,
                    Task::Answered(..) => Some(Action::Tell(p, record)),
                });
                for version in 0..2 {
                    let row = &scene.disk.orders[record][version];
                    let state = row.standing.state;
                    let asks = matches!(state, State::Unsettled | State::Keyless | State::Unclear);
                    if asks && self.reads() && process.asking.is_none() {
                        actions.push(Action::Ask(p, record, version));
                    }
                    if state == State::Unsettled && !self.reads() && row.late {
                        actions.push(Action::ElapseOrder(record, version));
                    }
                }
            }
            if process.asking.is_some() {
                actions.push(Action::Told(p));
            }
            for (index, row) in scene.disk.debtors.iter().enumerate() {
                if p == 0 && row.standing.state == State::Unsettled && row.late {
                    actions.push(Action::ElapseDebtor(index));
                }
            }
        }
    }

    fn of_the_world(&self, scene: &Scene, actions: &mut Vec<Action>) {
        let left = &scene.left;
        for (index, flight) in scene.target.flights.iter().enumerate() {
            if flight.came.is_none() {
                actions.push(Action::Happen(index));
            }
            if !flight.open {
                continue;
            }
            let (certain, faults): (&[Reply], &[Reply]) = match flight.came {
                None => (&[], &[Reply::Refused, Reply::NotArrived]),
                Some(Came::Made) => (&[Reply::Done], &[Reply::Keyless]),
                Some(Came::NumberExists) => (&[Reply::NumberExists], &[]),
            };
            actions.extend(certain.iter().map(|reply| Action::Answer(index, *reply)));
            if left.faults > 0 {
                actions.extend(faults.iter().map(|reply| Action::Answer(index, *reply)));
                actions.push(Action::Lose(index));
            }
        }
        let hidden = |things: &Things| things.shown < things.live;
        if hidden(&scene.target.debtors) {
            actions.push(Action::ShowDebtor);
        }
        for (record, orders) in scene.target.orders.iter().enumerate() {
            let orders = orders.iter().enumerate().filter(|(_, order)| hidden(order));
            actions.extend(orders.map(|(version, _)| Action::ShowOrder(record, version)));
        }
        let quarantine = scene.processes.iter().flatten().any(|process| process.quarantine);
        if scene.running() || quarantine || scene.target.flights.iter().any(|flight| !flight.open) {
            actions.push(Action::TimePasses);
        }
        for p in 0..2 {
            if left.crashes > 0 && scene.processes[p].is_some() {
                actions.push(Action::Crash(p));
            }
        }
        if left.words > 0 && scene.processes[0].is_some() {
            let unclear = |record: &usize| scene.disk.orders[*record][0].standing.state == State::Unclear;
            actions.extend((0..self.records).filter(unclear).map(|record| Action::PersonSays(record, 0)));
        }
        let down = scene.processes.iter().all(Option::is_none);
        let nobody = scene.nobody_at_the_debtor();
        let debtors = scene.target.debtors;
        let may = [
            (left.edits > 0, Action::EditFlow),
            (left.changes > 0, Action::ChangeRecords),
            (left.makes > 0 && debtors.live == 0 && nobody, Action::PersonMakes),
            (left.deletes > 0 && debtors.live > 0 && !hidden(&debtors) && nobody, Action::PersonDeletes),
            (left.losses > 0 && down, Action::LoseLedger),
            (left.copies > 0, Action::CopyLedger),
            (down && scene.copy.is_some(), Action::PutBack),
            (left.jumps > 0, Action::ClockJumps),
        ];
        actions.extend(may.into_iter().filter(|(may, _)| *may).map(|(_, action)| action));
    }

    // ---- what must hold

    /// If nothing more goes wrong from here, does every record end, with its order made once or with a reason?
    fn ends(&self, scene: &Scene) -> bool {
        let mut scene = scene.clone();
        for _ in 0..200 {
            let over = |record: usize| match scene.disk.outcomes[record] {
                Outcome::Open | Outcome::Held(Hold::Quarantine) => false,
                Outcome::Done => {
                    scene.target.orders(record) == 1 && !scene.disk.orders[record][0].standing.state.in_doubt()
                }
                Outcome::Held(_) | Outcome::Failed => true,
            };
            let busy =
                scene.processes.iter().flatten().any(|process| process.tasks.iter().any(|task| *task != Task::Idle));
            if !busy && (0..self.records).all(over) {
                return true;
            }
            let Some(action) = self.next_good(&scene) else { return false };
            if self.apply(&mut scene, action).is_err() {
                return false;
            }
        }
        false
    }

    /// The next step of a world in which nothing more goes wrong.
    fn next_good(&self, scene: &Scene) -> Option<Action> {
        let flights = || scene.target.flights.iter().enumerate().filter(|(_, flight)| flight.open);
        if let Some((index, flight)) = flights().next() {
            return Some(match flight.came {
                None => Action::Happen(index),
                Some(Came::Made) => Action::Answer(index, Reply::Done),
                Some(Came::NumberExists) => Action::Answer(index, Reply::NumberExists),
            });
        }
        let mut actions = Vec::new();
        self.of_the_processes(scene, &mut actions);
        let late_enough = |action: &Action| match action {
            Action::Ask(_, record, version) => scene.disk.orders[*record][*version].late,
            Action::Decide(_, record) => {
                !matches!(scene.disk.outcomes[*record], Outcome::Held(Hold::Row(_)) | Outcome::Done | Outcome::Failed)
            }
            _ => true,
        };
        // Time passes before anything is decided again, so that a record that must wait is not decided for ever.
        let step = actions.iter().find(|action| !matches!(action, Action::Decide(..)) && late_enough(action));
        let time = scene.running()
            || scene.processes.iter().flatten().any(|process| process.quarantine)
            || scene.target.flights.iter().any(|flight| !flight.open);
        step.copied().or_else(|| time.then_some(Action::TimePasses)).or_else(|| actions.into_iter().find(late_enough))
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
