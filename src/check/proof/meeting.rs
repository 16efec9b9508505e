//! Which rows of a table take the same combination.
//!
//! Takes a grid, gives each later row with the earliest one that it meets. Each column parts the rows into those that
//! share classes there; rows that no column parts are gone through along the column in which the fewest of them stand
//! side by side. Promises to end: it says when it gave up.

use std::collections::{BTreeMap, BTreeSet};

use super::grid::Grid;

/// Up to so many rows are compared pair by pair.
const FEW: usize = 16;

/// How many pairs are compared at most.
const PATIENCE: u64 = 20_000_000;

/// Rows that meet.
#[derive(Debug, Default)]
pub(super) struct Meeting {
    /// Each later row with the earliest one that it meets.
    pub(super) found: BTreeMap<usize, usize>,
    /// There were too many pairs: there may be more that meet.
    pub(super) gave_up: bool,
}

impl Meeting {
    /// Those of a grid.
    pub(super) fn of(grid: &Grid) -> Self {
        let mut search = Search { grid, meeting: Self::default(), left: PATIENCE };
        let rows: Vec<usize> = (0..grid.rows() as usize).collect();
        search.pairs(&rows, 0);
        search.meeting
    }
}

/// An end of a run of classes: the place, whether the run begins there, its row, and whose row it is.
type Event = (u32, bool, usize, bool);

struct Search<'a> {
    grid: &'a Grid,
    meeting: Meeting,
    left: u64,
}

impl Search<'_> {
    fn pairs(&mut self, rows: &[usize], column: usize) {
        if rows.len() <= FEW || column >= self.grid.width() {
            let (cost, best) = self.side_by_side(rows, &[]);
            if rows.len() > FEW && cost < rows.len() * rows.len() / 8 {
                return self.sweep(best, rows, &[]);
            }
            // the rows stand in order: the first one that a row meets is the earliest
            for (place, later) in rows.iter().enumerate() {
                if let Some(earlier) = rows.iter().take(place).find(|earlier| self.meet(**earlier, *later)) {
                    self.note(*earlier, *later);
                }
            }
            return;
        }
        let (all, some): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| self.grid.takes_all(**row, column));
        match self.parts(column, &some, &[]) {
            Some(parts) => {
                for (part, _) in parts {
                    self.pairs(&part, column + 1);
                }
                self.cross(&some, &all, column + 1);
                self.pairs(&all, column + 1);
            }
            None => self.pairs(rows, column + 1),
        }
    }

    fn cross(&mut self, these: &[usize], those: &[usize], column: usize) {
        let all = these.len() * those.len();
        if all <= FEW * FEW || column >= self.grid.width() {
            let (cost, best) = self.side_by_side(these, those);
            if all > FEW * FEW && cost < all / 8 {
                return self.sweep(best, these, those);
            }
            for row in these {
                for other in those {
                    if self.meet(*row, *other) {
                        self.note(*row, *other);
                    }
                }
            }
            return;
        }
        let part = |rows: &[usize]| -> (Vec<usize>, Vec<usize>) {
            rows.iter().partition(|row| self.grid.takes_all(**row, column))
        };
        let ((all, some), (their_all, their_some)) = (part(these), part(those));
        match self.parts(column, &some, &their_some) {
            Some(parts) => {
                for (part, other) in parts {
                    self.cross(&part, &other, column + 1);
                }
                self.cross(&some, &their_all, column + 1);
                self.cross(&all, those, column + 1);
            }
            None => self.cross(these, those, column + 1),
        }
    }

    fn note(&mut self, row: usize, other: usize) {
        let (earlier, later) = (row.min(other), row.max(other));
        let found = self.meeting.found.entry(later).or_insert(earlier);
        *found = earlier.min(*found);
    }

    fn meet(&mut self, row: usize, other: usize) -> bool {
        self.left = self.left.saturating_sub(1);
        self.meeting.gave_up |= self.left == 0;
        !self.meeting.gave_up && self.grid.meet(row, other)
    }

    /// The column in which the fewest pairs of rows stand side by side, and how many those are.
    fn side_by_side(&self, these: &[usize], those: &[usize]) -> (usize, usize) {
        if these.len() <= FEW && those.len() <= FEW {
            return (usize::MAX, 0);
        }
        let cost = |column: usize| {
            let (mut a, mut b, mut pairs) = (0_usize, 0_usize, 0_usize);
            for (_, begins, _, first) in self.events(column, these, those) {
                match (begins, first) {
                    (true, true) => {
                        pairs = pairs.saturating_add(if those.is_empty() { a } else { b });
                        a += 1;
                    }
                    (true, false) => {
                        pairs = pairs.saturating_add(a);
                        b += 1;
                    }
                    (false, true) => a = a.saturating_sub(1),
                    (false, false) => b = b.saturating_sub(1),
                }
            }
            pairs
        };
        (0..self.grid.width()).map(|column| (cost(column), column)).min().unwrap_or((0, 0))
    }

    /// Compares the pairs that stand side by side in a column.
    fn sweep(&mut self, column: usize, these: &[usize], those: &[usize]) {
        let (mut ours, mut theirs) = (BTreeSet::new(), BTreeSet::new());
        for (_, begins, row, first) in self.events(column, these, those) {
            if self.meeting.gave_up {
                return;
            }
            if begins {
                let others = if first && !those.is_empty() { &theirs } else { &ours };
                for other in others.iter().copied().filter(|other| *other != row) {
                    if self.meet(row, other) {
                        self.note(row, other);
                    }
                }
            }
            let side = if first { &mut ours } else { &mut theirs };
            if begins {
                side.insert(row)
            } else {
                side.remove(&row)
            };
        }
    }

    /// Where the runs of these rows begin and end in a column, in order; those that end first.
    fn events(&self, column: usize, these: &[usize], those: &[usize]) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        for (rows, first) in [(these, true), (those, false)] {
            for row in rows {
                for (from, to) in self.grid.set(*row, column) {
                    events.extend([(*from, true, *row, first), (*to, false, *row, first)]);
                }
            }
        }
        events.sort_unstable_by_key(|event| (event.0, event.1));
        events
    }

    /// The rows of each run of classes; none when this column hardly parts them.
    fn parts(&self, column: usize, these: &[usize], those: &[usize]) -> Option<Vec<(Vec<usize>, Vec<usize>)>> {
        let events = self.events(column, these, those);
        let whole = if those.is_empty() { these.len() * these.len() } else { these.len() * those.len() };
        let (mut a, mut b, mut cost, mut start) = (0_usize, 0_usize, 0_usize, 0);
        for (place, begins, _, first) in &events {
            if *place > start {
                cost = cost.saturating_add(if those.is_empty() { a * a } else { a * b });
                start = *place;
            }
            let side = if *first { &mut a } else { &mut b };
            *side = if *begins { *side + 1 } else { side.saturating_sub(1) };
        }
        if cost.saturating_mul(2) > whole {
            return None;
        }
        let (mut ours, mut theirs, mut start) = (BTreeSet::new(), BTreeSet::new(), 0);
        let mut parts = Vec::new();
        for (place, begins, row, first) in events {
            let useful = if those.is_empty() { ours.len() > 1 } else { !ours.is_empty() && !theirs.is_empty() };
            if place > start && useful {
                parts.push((ours.iter().copied().collect(), theirs.iter().copied().collect()));
            }
            start = place;
            let side = if first { &mut ours } else { &mut theirs };
            if begins {
                side.insert(row)
            } else {
                side.remove(&row)
            };
        }
        Some(parts)
    }
}
