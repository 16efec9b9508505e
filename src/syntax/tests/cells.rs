//! Cells and results of CSV tables.

use rust_decimal::Decimal;

use super::slice;
use crate::{
    diagnostic::{FileId, Span},
    syntax::{
        parse_cell, parse_result,
        tree::{CellItem, CellKind, ExprKind, Literal},
    },
};

/// A line of a table with a cell in it, and the place of the cell.
fn cell_in(before: &str, cell: &str) -> (String, Span) {
    let span = Span::new(FileId(3), before.len(), before.len() + cell.len());
    (format!("{before}{cell},next"), span)
}

#[test]
fn a_cell_is_read_with_places_in_its_file() {
    let (line, span) = cell_in("blank,é,", "from 2019-01-01 until 2026-12-31");
    let cell = parse_cell("from 2019-01-01 until 2026-12-31", span).unwrap();
    assert_eq!(cell.span, span);
    let CellKind::Items { not: false, items } = cell.kind else { panic!("{cell:?}") };
    let [CellItem::Period(Some(from), Some(until), place)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!((from.to_string().as_str(), until.to_string().as_str()), ("2019-01-01", "2026-12-31"));
    assert_eq!(slice(&line, *place), "from 2019-01-01 until 2026-12-31");
}

#[test]
fn cells_are_what_the_rows_of_a_flow_have() {
    let items = |text: &str| match parse_cell(text, Span::new(FileId(0), 0, text.len())).unwrap().kind {
        CellKind::Any => panic!("any"),
        CellKind::Items { not, items } => (not, items),
    };
    let number = |text: &str| Literal::Number(text.parse::<Decimal>().unwrap());
    assert!(
        matches!(items("15..30").1.as_slice(), [CellItem::Range(a, b, _)] if *a == number("15") && *b == number("30"))
    );
    assert!(matches!(items("-5..0").1.as_slice(), [CellItem::Range(a, ..)] if *a == number("-5")));
    assert!(
        matches!(items("< 0").1.as_slice(), [CellItem::Bound(crate::value::Compare::Less, a, _)] if *a == number("0"))
    );
    assert!(
        matches!(items("21%").1.as_slice(), [CellItem::Literal(Literal::Percent(a), _)] if a.to_string() == "0.21")
    );
    assert!(matches!(items("until 2018-12-31").1.as_slice(), [CellItem::Period(None, Some(_), _)]));
    let (not, excluded) = items("not \"a\", EU, blank");
    assert!(not && matches!(excluded.as_slice(), [CellItem::Literal(..), CellItem::Name(_), CellItem::Literal(..)]));
    assert!(matches!(parse_cell("*", Span::new(FileId(0), 0, 1)).unwrap().kind, CellKind::Any));
}

#[test]
fn a_cell_that_cannot_be_read_says_so_at_its_place() {
    let (line, span) = cell_in("1,", "from 2026-02-30");
    let said = parse_cell("from 2026-02-30", span).unwrap_err();
    assert_eq!((said.code, slice(&line, said.span())), ("F008", "2026-02-30"));
    let (line, span) = cell_in("1,", "1..");
    let said = parse_cell("1..", span).unwrap_err();
    assert_eq!((said.code, slice(&line, said.span())), ("F406", "1.."));
}

#[test]
fn places_never_leave_the_cell_of_the_file() {
    // In the file the quotes are not doubled, so the text may be longer than its place.
    let span = Span::new(FileId(0), 10, 14);
    let cell = parse_cell("from 2019-01-01", span).unwrap();
    assert_eq!(cell.span, span);
}

#[test]
fn a_result_is_any_expression() {
    let (_, span) = cell_in("1,", "hold \"no code for {rate}\"");
    let result = parse_result("hold \"no code for {rate}\"", span).unwrap();
    assert!(matches!(result.kind, ExprKind::Outcome(crate::value::Verdict::Hold, _)));
    assert_eq!(result.span, span);
    assert_eq!(parse_result("1 2", span).unwrap_err().code, "F406");
    assert_eq!(parse_result(&"(".repeat(100), span).unwrap_err().code, "F004");
}
