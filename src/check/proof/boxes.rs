//! What a few rows leave open of a box: the box less one row after the other.
//!
//! Takes a grid and a box of classes, gives a box that none of the rows takes, or none where there is no such. Where
//! the search of `grid` splits each column at every bound, this one cuts only along the row that takes most of what
//! is left, so that rows which overlap at random do not multiply. Promises to end: it gives up instead.

use super::grid::{Grid, Set};

/// How many cells a search may look at.
const PATIENCE: u64 = 4_000_000;

/// The search took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GaveUp;

/// A search, with what is left of its patience.
pub(super) struct Boxes<'g> {
    grid: &'g Grid,
    left: u64,
}

impl<'g> Boxes<'g> {
    pub(super) fn new(grid: &'g Grid) -> Self {
        Self { grid, left: PATIENCE }
    }

    /// A box within this one that none of the rows takes.
    pub(super) fn open(&mut self, region: Vec<Set>, rows: &[u32]) -> Result<Option<Vec<Set>>, GaveUp> {
        if region.iter().any(Vec::is_empty) {
            return Ok(None);
        }
        let mut inside = Vec::with_capacity(rows.len());
        let mut most: Option<(u128, u32)> = None;
        for row in rows {
            let Some((size, covers)) = self.shared(&region, *row)? else { continue };
            if covers {
                return Ok(None);
            }
            inside.push(*row);
            if most.is_none_or(|(other, _)| size > other) {
                most = Some((size, *row));
            }
        }
        let Some((_, row)) = most else { return Ok(Some(region)) };
        let mut region = region;
        for column in 0..region.len() {
            let own = self.grid.set(row as usize, column);
            let Some(here) = region.get(column) else { break };
            let (rest, shared) = (without(here, own), both(here, own));
            if !rest.is_empty() {
                let mut piece = region.clone();
                put(&mut piece, column, rest);
                if let Some(open) = self.open(piece, &inside)? {
                    return Ok(Some(open));
                }
            }
            put(&mut region, column, shared);
        }
        Ok(None)
    }

    /// How much a row takes of a box, and whether it takes all of it; none = nothing.
    fn shared(&mut self, region: &[Set], row: u32) -> Result<Option<(u128, bool)>, GaveUp> {
        let (mut size, mut covers) = (1_u128, true);
        for (column, here) in region.iter().enumerate() {
            self.left = self.left.checked_sub(1).ok_or(GaveUp)?;
            let (shared, whole) = overlap(here, self.grid.set(row as usize, column));
            if shared == 0 {
                return Ok(None);
            }
            covers &= shared == whole;
            size = size.saturating_mul(u128::from(shared));
        }
        Ok(Some((size, covers)))
    }
}

fn put(region: &mut [Set], column: usize, set: Set) {
    if let Some(place) = region.get_mut(column) {
        *place = set;
    }
}

/// How many classes two sets share, and how many the first one has.
fn overlap(a: &[(u32, u32)], b: &[(u32, u32)]) -> (u32, u32) {
    let mut shared = 0;
    let mut others = b.iter().peekable();
    for (from, to) in a {
        while let Some((start, end)) = others.peek() {
            shared += to.min(end).saturating_sub(*from.max(start));
            if end > to {
                break;
            }
            others.next();
        }
    }
    (shared, a.iter().map(|(from, to)| to - from).sum())
}

/// What two sets share.
fn both(a: &[(u32, u32)], b: &[(u32, u32)]) -> Set {
    let mut shared = Set::new();
    let mut others = b.iter().peekable();
    for (from, to) in a {
        while let Some((start, end)) = others.peek() {
            let (low, high) = (*from.max(start), *to.min(end));
            if low < high {
                shared.push((low, high));
            }
            if end > to {
                break;
            }
            others.next();
        }
    }
    shared
}

/// What one set has and the other has not.
fn without(a: &[(u32, u32)], b: &[(u32, u32)]) -> Set {
    let mut left = Set::new();
    let mut others = b.iter().peekable();
    for (from, to) in a {
        let mut start = *from;
        while let Some((low, high)) = others.peek().filter(|(low, _)| low < to) {
            if *low > start {
                left.push((start, *low));
            }
            start = start.max(*high);
            if high > to {
                break;
            }
            others.next();
        }
        if start < *to {
            left.push((start, *to));
        }
    }
    left
}
