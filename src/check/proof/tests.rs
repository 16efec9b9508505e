//! Proofs against trying everything.

use proptest::prelude::*;

use super::{
    Grid, Look,
    boxes::Boxes,
    domain::{Class, Domain},
};
use crate::{
    check::typed::Cell,
    schema::{Kind, Ty},
    value::{Value, order, same},
};

/// Values that a column of whole numbers may hold: as many as the cells below can tell apart, and more.
fn values() -> Vec<Value> {
    (-2..9).map(Value::Int).chain([Value::Blank]).collect()
}

fn int() -> Ty {
    Ty::new(Kind::Int).or_blank()
}

fn word() -> Ty {
    Ty::new(Kind::OneOf(["a", "b", "c"].map(Into::into).into()))
}

fn words() -> Vec<Value> {
    ["a", "b", "c"].map(Value::text).to_vec()
}

/// What the language says of a cell.
fn takes(cell: &Cell, value: &Value) -> bool {
    match cell {
        Cell::Any => true,
        Cell::In(values) => values.iter().any(|own| same(own, value)),
        Cell::NotIn(values) => !values.iter().any(|own| same(own, value)),
        Cell::Range { from, to } => {
            let above = |(bound, included): &(Value, bool)| {
                order(value, bound).is_some_and(|order| order.is_gt() || (*included && order.is_eq()))
            };
            let below = |(bound, included): &(Value, bool)| {
                order(value, bound).is_some_and(|order| order.is_lt() || (*included && order.is_eq()))
            };
            !value.is_blank() && from.as_ref().is_none_or(above) && to.as_ref().is_none_or(below)
        }
        Cell::AnyOf(cells) => cells.iter().any(|cell| takes(cell, value)),
        Cell::NoneOf(cells) => !cells.iter().any(|cell| takes(cell, value)),
        Cell::Contains(_) | Cell::Matches(_) | Cell::Setting(_) => unreachable!(),
    }
}

fn number_cell() -> impl Strategy<Value = Cell> {
    let value = || prop_oneof![6 => (0i64..7).prop_map(Value::Int), 1 => Just(Value::Blank)];
    let bound = || proptest::option::of(((0i64..7).prop_map(Value::Int), any::<bool>()));
    let range = move || (bound(), bound()).prop_map(|(from, to)| Cell::Range { from, to });
    prop_oneof![
        1 => Just(Cell::Any),
        3 => proptest::collection::vec(value(), 1..4).prop_map(Cell::In),
        1 => proptest::collection::vec(value(), 1..4).prop_map(Cell::NotIn),
        4 => range(),
        1 => (value(), range()).prop_map(|(value, range)| Cell::AnyOf(vec![Cell::In(vec![value]), range])),
        1 => (value(), range()).prop_map(|(value, range)| Cell::NoneOf(vec![Cell::In(vec![value]), range])),
    ]
}

fn word_cell() -> impl Strategy<Value = Cell> {
    let word = || prop::sample::select(words());
    prop_oneof![
        1 => Just(Cell::Any),
        3 => proptest::collection::vec(word(), 1..3).prop_map(Cell::In),
        1 => proptest::collection::vec(word(), 1..3).prop_map(Cell::NotIn),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Vec<Cell>>> {
    let row = (number_cell(), word_cell(), number_cell()).prop_map(|(a, b, c)| vec![a, b, c]);
    proptest::collection::vec(row, 0..24)
}

fn cut(rows: &[Vec<Cell>]) -> (Grid, Vec<Domain>) {
    let mut grid = Grid::default();
    let mut domains = Vec::new();
    for (column, ty) in [int(), word(), int()].iter().enumerate() {
        let cells: Vec<&Cell> = rows.iter().map(|row| &row[column]).collect();
        let domain = Domain::new(ty, None, &cells).unwrap();
        grid.add(domain.weights(), cells.iter().map(|cell| domain.set(cell)).collect());
        domains.push(domain);
    }
    (grid, domains)
}

/// A value of each class; a class that does not matter may be any value.
fn example(domains: &[Domain], witness: &[Option<u32>]) -> Vec<Value> {
    let types = [int(), word(), int()];
    let value = |column: usize| {
        let class = witness.get(column).copied().flatten().map(|class| &domains[column].classes[class as usize]);
        let class = class.unwrap_or(&domains[column].classes[0]);
        class.example(&types[column], |_| false).unwrap_or(Value::Int(0))
    };
    (0..3).map(value).collect()
}

fn everything() -> impl Iterator<Item = Vec<Value>> {
    let pairs = values().into_iter().flat_map(|a| words().into_iter().map(move |b| (a.clone(), b)));
    pairs.flat_map(|(a, b)| values().into_iter().map(move |c| vec![a.clone(), b.clone(), c]))
}

fn fits(row: &[Cell], input: &[Value]) -> bool {
    row.iter().zip(input).all(|(cell, value)| takes(cell, value))
}

proptest! {
    #[test]
    fn a_gap_is_found_when_there_is_one_and_its_witness_is_real(rows in rows()) {
        let (grid, domains) = cut(&rows);
        let real = everything().any(|input| !rows.iter().any(|row| fits(row, &input)));
        for look in [Look::One, Look::All, Look::First] {
            let open = grid.open(look, None);
            prop_assert_eq!(open.witness.is_some(), real);
            prop_assert_eq!(open.count != Some(0), real);
            if let Some(witness) = open.witness {
                let input = example(&domains, &witness);
                prop_assert!(!rows.iter().any(|row| fits(row, &input)), "{:?}", input);
            }
        }
    }

    #[test]
    fn each_later_row_is_told_with_the_first_row_that_it_meets(rows in rows()) {
        let (grid, _) = cut(&rows);
        let inputs: Vec<Vec<Value>> = everything().collect();
        let mut real = std::collections::BTreeMap::new();
        for (later, row) in rows.iter().enumerate() {
            let meets = |other: &Vec<Cell>| inputs.iter().any(|input| fits(row, input) && fits(other, input));
            if let Some(earlier) = rows.iter().take(later).position(meets) {
                real.insert(later, earlier);
            }
        }
        prop_assert_eq!(grid.overlaps().found, real);
    }

    #[test]
    fn a_row_is_reached_when_it_is_the_first_that_fits_something(rows in rows()) {
        let (grid, _) = cut(&rows);
        let mut real = std::collections::BTreeSet::new();
        for input in everything() {
            real.extend(rows.iter().position(|row| fits(row, &input)).map(|row| u32::try_from(row).unwrap()));
        }
        prop_assert_eq!(grid.open(Look::First, None).reached, real);
    }

    #[test]
    fn what_is_open_within_some_classes_is_found(rows in rows(), place in 0_usize..24) {
        let (grid, _) = cut(&rows);
        let Some(row) = rows.get(place) else { return Ok(()) };
        let others: Vec<&Vec<Cell>> = rows.iter().filter(|other| *other != row).collect();
        let without: Vec<Vec<Cell>> = others.iter().map(|row| (*row).clone()).collect();
        let within: Vec<_> = (0..3).map(|column| grid.set(place, column).to_vec()).collect();
        prop_assert!(grid.open(Look::One, Some(&within)).witness.is_none());
        let (_, domains) = cut(&rows);
        let mut fewer = Grid::default();
        for (column, domain) in domains.iter().enumerate() {
            fewer.add(domain.weights(), without.iter().map(|row| domain.set(&row[column])).collect());
        }
        let real = everything().any(|input| fits(row, &input) && !without.iter().any(|other| fits(other, &input)));
        prop_assert_eq!(fewer.open(Look::One, Some(&within)).witness.is_some(), real);
    }
}

proptest! {
    #[test]
    fn boxes_find_what_trying_everything_finds(rows in rows(), place in 0_usize..24) {
        let (grid, domains) = cut(&rows);
        let all: Vec<u32> = (0..grid.rows()).collect();
        let whole = domains.iter().map(|domain| vec![(0, u32::try_from(domain.classes.len()).unwrap())]).collect();
        let real = everything().any(|input| !rows.iter().any(|row| fits(row, &input)));
        let open = Boxes::new(&grid).open(whole, &all).unwrap();
        prop_assert_eq!(open.is_some(), real);
        if let Some(region) = open {
            let witness: Vec<Option<u32>> = region.iter().map(|set| set.first().map(|run| run.0)).collect();
            let input = example(&domains, &witness);
            prop_assert!(!rows.iter().any(|row| fits(row, &input)), "{:?}", input);
        }
        if place < rows.len() {
            let first = everything().any(|input| rows.iter().position(|row| fits(row, &input)) == Some(place));
            let open = Boxes::new(&grid).open(grid.region(place), &all[..place]).unwrap();
            prop_assert_eq!(open.is_some(), first);
        }
    }
}

/// Rows of random ranges over 2,000 classes in each of four columns, the last one of them everything.
fn entangled(rows: usize, mut seed: u64, last: bool) -> Grid {
    let mut next = |most: u32| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        u32::try_from(seed >> 33).unwrap() % most
    };
    let mut grid = Grid::default();
    for _ in 0..4 {
        let mut cells: Vec<_> = (0..rows).map(|_| (next(2_000), next(2_000))).collect();
        if last {
            cells.push((0, 1_999));
        }
        let sets = cells.into_iter().map(|(a, b)| vec![(a.min(b), a.max(b) + 1)]).collect();
        grid.add(vec![1; 2_000], sets);
    }
    grid
}

#[test]
fn rows_that_no_column_parts_are_compared_side_by_side() {
    let mut grid = Grid::default();
    for column in 0..3_u32 {
        // short runs, each beside others in every column
        let start = |row: u32| row * [7, 8, 9][column as usize] % 990;
        grid.add(vec![1; 1_000], (0..900_u32).map(|row| vec![(start(row), start(row) + 10)]).collect());
    }
    let mut real = std::collections::BTreeMap::new();
    for later in 0..900 {
        if let Some(earlier) = (0..later).find(|earlier| grid.meet(*earlier, later)) {
            real.insert(later, earlier);
        }
    }
    let meeting = grid.overlaps();
    assert!(!meeting.gave_up && !real.is_empty());
    assert_eq!(meeting.found, real);
}

#[test]
fn a_thousand_rows_that_overlap_at_random_are_proven() {
    let open = entangled(1_000, 7, false).open(Look::All, None);
    assert!(open.witness.is_some());
    let grid = entangled(1_000, 8, true);
    let open = grid.open(Look::First, None);
    assert_eq!((open.count, open.witness), (Some(0), None));
    // what the short way sees to be covered by a single row above is not among those that are reached
    let covered = |row: usize| {
        (0..row).any(|above| {
            (0..4).all(|column| {
                let (a, b) = (grid.set(above, column)[0], grid.set(row, column)[0]);
                a.0 <= b.0 && b.1 <= a.1
            })
        })
    };
    let hidden: Vec<u32> = (0..1_001).filter(|row| covered(*row)).map(|row| u32::try_from(row).unwrap()).collect();
    assert!(hidden.len() > 100, "{}", hidden.len());
    assert!(hidden.iter().all(|row| !open.reached.contains(row)));
    assert!(open.reached.contains(&1_000));
}

#[test]
fn numbers_between_two_bounds_are_a_class_of_their_own() {
    let percent = |points: i64| Value::Decimal(crate::value::Decimal::new(points, 2));
    let cells = [
        Cell::Range { from: None, to: Some((percent(6), false)) },
        Cell::Range { from: Some((percent(6), false)), to: Some((percent(9), true)) },
        Cell::Range { from: Some((percent(9), false)), to: None },
    ];
    let ty = Ty::new(Kind::Percent);
    let domain = Domain::new(&ty, None, &cells.iter().collect::<Vec<_>>()).unwrap();
    let examples: Vec<_> = domain.classes.iter().map(|class| class.example(&ty, |_| false).unwrap()).collect();
    assert_eq!(examples, [percent(5), percent(6), percent(7), percent(10)]);
    assert!(matches!(domain.classes[1], Class::Between(..)));
    assert_eq!(domain.set(&cells[1]), [(2, 3)]);
}

#[test]
fn many_rows_of_several_columns_are_proven() {
    let value = |n: usize| Cell::In(vec![Value::text(&format!("v{n}"))]);
    let text = Ty::new(Kind::Text);
    let mut rows = Vec::new();
    for n in 0..10_000 {
        rows.push([value(n % 10), value(n / 10 % 10), value(n / 100 % 10), value(n / 1_000)]);
    }
    let mut grid = Grid::default();
    for column in 0..4 {
        let cells: Vec<&Cell> = rows.iter().map(|row| &row[column]).collect();
        let domain = Domain::new(&text, None, &cells).unwrap();
        grid.add(domain.weights(), cells.iter().map(|cell| domain.set(cell)).collect());
    }
    assert!(grid.overlaps().found.is_empty());
    let open = grid.open(Look::All, None);
    assert_eq!(open.count, Some(11 * 11 * 11 * 11 - 10_000));
}
