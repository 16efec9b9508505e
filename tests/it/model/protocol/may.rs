//! What may happen next: to the processes, and by the world.

use super::*;

impl World {
    pub(super) fn of_the_processes(&self, scene: &Scene, actions: &mut Vec<Action>) {
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

    pub(super) fn of_the_world(&self, scene: &Scene, actions: &mut Vec<Action>) {
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
    pub(super) fn ends(&self, scene: &Scene) -> bool {
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
    pub(super) fn next_good(&self, scene: &Scene) -> Option<Action> {
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
