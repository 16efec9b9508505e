//! Rows as boxes over the classes of their columns: which combinations no row takes, which rows meet, which are
//! never reached.
//!
//! Takes for each column the weights of its classes and for each row the classes that it takes, knows nothing of
//! values. Promises that what it reports is so; a search that would take too long says that it gave up.

use std::collections::{BTreeSet, HashMap};

use super::{boxes::Boxes, meeting::Meeting};

/// Classes as runs `from..to`, in order, not touching each other.
pub(super) type Set = Vec<(u32, u32)>;

/// How many steps a search may take.
const PATIENCE: u64 = 600_000;

/// A table cut into classes.
#[derive(Debug, Default)]
pub(super) struct Grid {
    columns: Vec<Column>,
    /// For each row the number of its set in each column.
    rows: Vec<Vec<u32>>,
}

#[derive(Debug)]
struct Column {
    /// How many values each class stands for.
    weights: Vec<u64>,
    /// The different sets of its cells.
    sets: Vec<Set>,
    ids: HashMap<Set, u32>,
}

/// What a search for open combinations found.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// A combination that no row takes, by class; none where the class does not matter.
    pub(super) witness: Option<Vec<Option<u32>>>,
    /// How many combinations are open; none when they are too many to be counted.
    pub(super) count: Option<u128>,
    /// Rows that are the first to take some combination, or of which that could not be seen in time (asked only of a
    /// search that looks for all).
    pub(super) reached: BTreeSet<u32>,
}

/// What a search looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The first open combination.
    One,
    /// All of them.
    All,
    /// All of them, and which rows come first somewhere.
    First,
}

impl Grid {
    /// A column more, with its cells from the top.
    pub(super) fn add(&mut self, weights: Vec<u64>, cells: Vec<Set>) {
        let mut column = Column { weights, sets: Vec::new(), ids: HashMap::new() };
        self.rows.resize_with(cells.len().max(self.rows.len()), Vec::new);
        for (row, set) in self.rows.iter_mut().zip(cells) {
            let next = u32::try_from(column.sets.len()).unwrap_or(u32::MAX);
            let id = *column.ids.entry(set).or_insert_with_key(|set| {
                column.sets.push(set.clone());
                next
            });
            row.push(id);
        }
        self.columns.push(column);
    }

    /// The classes that a row takes in a column.
    pub(super) fn set(&self, row: usize, column: usize) -> &[(u32, u32)] {
        let id = self.id(row, column);
        self.columns.get(column).and_then(|column| column.sets.get(id as usize)).map_or(&[], Vec::as_slice)
    }

    /// Equal for equal cells of a column.
    pub(super) fn id(&self, row: usize, column: usize) -> u32 {
        self.rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or(u32::MAX)
    }

    /// Does a row take everything in a column?
    pub(super) fn takes_all(&self, row: usize, column: usize) -> bool {
        let classes = self.classes(column);
        matches!(self.set(row, column), [(0, end)] if *end == classes)
    }

    /// How many columns there are.
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    fn classes(&self, column: usize) -> u32 {
        self.columns.get(column).map_or(0, |column| u32::try_from(column.weights.len()).unwrap_or(u32::MAX))
    }

    fn weight(&self, column: usize, from: u32, to: u32) -> u128 {
        let weights = self.columns.get(column).and_then(|column| column.weights.get(from as usize..to as usize));
        weights.unwrap_or_default().iter().map(|weight| u128::from(*weight)).sum()
    }

    /// How many combinations there are.
    pub(super) fn all(&self) -> u128 {
        let sizes = (0..self.columns.len()).map(|column| self.weight(column, 0, self.classes(column)));
        sizes.fold(1, u128::saturating_mul)
    }

    /// Looks for combinations that no row takes, among all or within some classes of each column.
    pub(super) fn open(&self, look: Look, within: Option<&[Set]>) -> Open {
        let width = self.columns.len();
        // what is left of a row from a column on: equal rests have equal numbers, and some take everything
        let mut rests = vec![vec![0; self.rows.len()]; width + 1];
        let mut plain = vec![vec![true; self.rows.len()]; width + 1];
        for column in (0..width).rev() {
            let mut ids: HashMap<(u32, u32), u32> = HashMap::new();
            for row in 0..self.rows.len() {
                let behind = at(&rests, column + 1, row);
                let next = u32::try_from(ids.len()).unwrap_or(u32::MAX);
                let id = *ids.entry((self.id(row, column), behind)).or_insert(next);
                put(&mut rests, column, row, id);
                let all = at(&plain, column + 1, row) && self.takes_all(row, column);
                put(&mut plain, column, row, all);
            }
        }
        let memo = vec![HashMap::new(); width + 1];
        let mut walk = Walk {
            grid: self,
            look,
            within,
            rests,
            plain,
            memo,
            path: Vec::new(),
            left: PATIENCE,
            found: Open::default(),
        };
        let rows = (0..self.rows()).collect();
        walk.found.count = walk.visit(0, rows);
        let found = walk.found;
        if found.count.is_some() { found } else { self.open_by_boxes(look, within, found) }
    }

    /// The same for rows that overlap so much that their bounds multiply: without the number of what is open.
    fn open_by_boxes(&self, look: Look, within: Option<&[Set]>, mut found: Open) -> Open {
        let rows: Vec<u32> = (0..self.rows()).collect();
        let whole = || (0..self.columns.len()).map(|column| vec![(0, self.classes(column))]).collect();
        if found.witness.is_none() {
            let region = within.map_or_else(whole, <[Set]>::to_vec);
            match Boxes::new(self).open(region, &rows) {
                Ok(Some(region)) => {
                    let class = |(column, set): (usize, &Set)| match set.as_slice() {
                        [(0, end)] if *end == self.classes(column) => None,
                        set => set.first().map(|run| run.0),
                    };
                    found.witness = Some(region.iter().enumerate().map(class).collect());
                }
                Ok(None) => found.count = Some(0),
                Err(_) => {}
            }
        }
        if look == Look::First {
            let mut boxes = Boxes::new(self);
            for (place, row) in rows.iter().enumerate() {
                if found.reached.contains(row) {
                    continue;
                }
                let above = rows.get(..place).unwrap_or_default();
                if boxes.open(self.region(place), above) != Ok(None) {
                    found.reached.insert(*row);
                }
            }
        }
        found
    }

    /// What a row takes in each column.
    pub(super) fn region(&self, row: usize) -> Vec<Set> {
        (0..self.columns.len()).map(|column| self.set(row, column).to_vec()).collect()
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// Rows that take the same combination.
    pub(super) fn overlaps(&self) -> Meeting {
        Meeting::of(self)
    }

    /// Does a row take nothing at all in some column?
    pub(super) fn empty_column(&self, row: usize) -> Option<usize> {
        (0..self.columns.len()).find(|column| self.set(row, *column).is_empty())
    }

    /// Do two rows take the same combination?
    pub(super) fn meet(&self, a: usize, b: usize) -> bool {
        (0..self.columns.len()).all(|column| {
            let (x, y) = (self.set(a, column), self.set(b, column));
            if self.id(a, column) == self.id(b, column) { !x.is_empty() } else { meets(x, y).is_some() }
        })
    }
}

/// The first class that two sets share.
pub(super) fn meets(a: &[(u32, u32)], b: &[(u32, u32)]) -> Option<u32> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some((from, to)), Some((start, end))) = (a.peek(), b.peek()) {
        if from.max(start) < to.min(end) {
            return Some(*from.max(start));
        }
        if to <= end {
            a.next()
        } else {
            b.next()
        };
    }
    None
}

fn at<T: Copy + Default>(table: &[Vec<T>], column: usize, row: usize) -> T {
    table.get(column).and_then(|column| column.get(row)).copied().unwrap_or_default()
}

fn put<T>(table: &mut [Vec<T>], column: usize, row: usize, value: T) {
    if let Some(place) = table.get_mut(column).and_then(|column| column.get_mut(row)) {
        *place = value;
    }
}

/// A search for open combinations: each column splits the rows that are left into those of each run of classes.
struct Walk<'a> {
    grid: &'a Grid,
    look: Look,
    within: Option<&'a [Set]>,
    rests: Vec<Vec<u32>>,
    plain: Vec<Vec<bool>>,
    /// What is open below a column for these rows.
    memo: Vec<HashMap<Vec<u32>, u128>>,
    path: Vec<Option<u32>>,
    left: u64,
    found: Open,
}

impl Walk<'_> {
    /// How many combinations of the columns from this one on none of the rows takes.
    fn visit(&mut self, column: usize, mut rows: Vec<u32>) -> Option<u128> {
        let mut seen = BTreeSet::new();
        rows.retain(|row| seen.insert(at(&self.rests, column, *row as usize)));
        let all = rows.iter().position(|row| at(&self.plain, column, *row as usize));
        match all {
            Some(place) if place == 0 || self.look != Look::First => {
                self.found.reached.extend(rows.get(place));
                return Some(0);
            }
            // what stands below a row that takes the rest is not reached here
            Some(place) => rows.truncate(place + 1),
            None => {}
        }
        if rows.is_empty() {
            let open = self.rest(column);
            if self.found.witness.is_none() && open > 0 {
                self.found.witness = Some(self.path.clone());
            }
            return Some(open);
        }
        if let Some(known) = self.memo.get(column).and_then(|memo| memo.get(&rows)) {
            return Some(*known);
        }
        let mut open = 0_u128;
        for (from, to, inside) in self.split(column, &rows)? {
            let whole = from == 0 && to == self.grid.classes(column);
            self.path.push((!whole).then_some(from));
            let below = self.visit(column + 1, inside);
            self.path.pop();
            open = open.saturating_add(self.grid.weight(column, from, to).saturating_mul(below?));
            if self.look == Look::One && self.found.witness.is_some() {
                return Some(open);
            }
        }
        if let Some(memo) = self.memo.get_mut(column) {
            memo.insert(rows, open);
        }
        Some(open)
    }

    /// All combinations from a column on.
    fn rest(&self, column: usize) -> u128 {
        let size = |column: usize| match self.within.and_then(|within| within.get(column)) {
            Some(set) => set.iter().map(|(from, to)| self.grid.weight(column, *from, *to)).sum(),
            None => self.grid.weight(column, 0, self.grid.classes(column)),
        };
        (column..self.grid.columns.len()).map(size).fold(1, u128::saturating_mul)
    }

    /// The runs of classes that the rows tell apart, each with its rows.
    fn split(&mut self, column: usize, rows: &[u32]) -> Option<Vec<(u32, u32, Vec<u32>)>> {
        let whole = [(0, self.grid.classes(column))];
        let within = self.within.and_then(|within| within.get(column)).map_or(whole.as_slice(), Vec::as_slice);
        let mut active = BTreeSet::new();
        let mut events: Vec<(u32, Option<u32>, bool)> = Vec::new();
        for (from, to) in within {
            events.extend([(*from, None, true), (*to, None, false)]);
        }
        for row in rows {
            if self.grid.takes_all(*row as usize, column) {
                active.insert(*row);
                continue;
            }
            for (from, to) in self.grid.set(*row as usize, column) {
                events.extend([(*from, Some(*row), true), (*to, Some(*row), false)]);
            }
        }
        events.sort_unstable_by_key(|event| event.0);
        let (mut runs, mut inside, mut start) = (Vec::new(), false, 0);
        for (place, row, begins) in events {
            if place > start && inside {
                self.left = self.left.checked_sub(1 + active.len() as u64)?;
                runs.push((start, place, active.iter().copied().collect()));
            }
            start = place;
            match row {
                None => inside = begins,
                Some(row) if begins => {
                    active.insert(row);
                }
                Some(row) => {
                    active.remove(&row);
                }
            }
        }
        Some(runs)
    }
}
