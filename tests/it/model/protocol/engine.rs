//! The steps of the engine: the order of reads, locks, commits and sends around the table of moves.

use super::*;

impl World {
    pub(super) fn start(&self, scene: &mut Scene, p: usize) -> Result<(), Impossible> {
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

    pub(super) fn decide(&self, scene: &mut Scene, p: usize, record: usize) {
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

    pub(super) fn look(
        &self,
        scene: &mut Scene,
        p: usize,
        record: usize,
        reads: Reads,
        age: Age,
    ) -> Result<(), Impossible> {
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

    pub(super) fn asked_under_lock(
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

    pub(super) fn want(
        &self,
        scene: &mut Scene,
        p: usize,
        record: usize,
        reads: Reads,
        key: bool,
    ) -> Result<(), Impossible> {
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

    pub(super) fn row<'a>(&self, scene: &'a Scene, record: usize, what: What) -> &'a Row {
        match what {
            What::Debtor => &scene.disk.debtors[self.debtor(record)],
            What::Order { version } => &scene.disk.orders[record][version],
        }
    }

    pub(super) fn row_mut<'a>(&self, scene: &'a mut Scene, record: usize, what: What) -> &'a mut Row {
        match what {
            What::Debtor => &mut scene.disk.debtors[self.debtor(record)],
            What::Order { version } => &mut scene.disk.orders[record][version],
        }
    }

    pub(super) fn send(
        &self,
        scene: &mut Scene,
        p: usize,
        record: usize,
        what: What,
        reads: Reads,
    ) -> Result<(), Impossible> {
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

    pub(super) fn tell(
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

    pub(super) fn settled(
        &self,
        scene: &mut Scene,
        record: usize,
        version: usize,
        event: Event,
    ) -> Result<(), Impossible> {
        match self.moved(&mut scene.disk.orders[record][version], event)? {
            Command::Hold(why) => scene.disk.outcomes[record] = Outcome::Held(Hold::Row(why)),
            // Decided afresh at the next reading.
            Command::UseKey(_) | Command::DecideAgain => scene.disk.outcomes[record] = Outcome::Open,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn step(&self, scene: &mut Scene, p: usize, record: usize, action: Action) -> Result<(), Impossible> {
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
}
