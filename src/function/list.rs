//! Functions on lists of anything.

use std::cmp::Ordering;

use super::{Function, Takes, at, needed, optional, type_at};
use crate::{
    schema::{Kind, Ty},
    value::{Value, order, same},
};

fn element(types: &[Ty]) -> Ty {
    match type_at(types, 0).kind {
        Kind::List(of) => of.or_blank(),
        _ => Ty::any(),
    }
}

fn bool(_: &[Ty]) -> Ty {
    Ty::new(Kind::Bool)
}

/// The first element.
pub(super) const FIRST: Function = Function {
    name: "first",
    params: &[needed("list", Takes::List)],
    gives: element,
    doc: "the first element; blank for an empty list",
    example: ("first([3, 4])", "3"),
    call: |args| Ok(at(args, 0).list().first().cloned().unwrap_or_default()),
};

/// The last element.
pub(super) const LAST: Function = Function {
    name: "last",
    params: &[needed("list", Takes::List)],
    gives: element,
    doc: "the last element; blank for an empty list",
    example: ("last([3, 4])", "4"),
    call: |args| Ok(at(args, 0).list().last().cloned().unwrap_or_default()),
};

/// How many.
pub(super) const COUNT: Function = Function {
    name: "count",
    params: &[needed("list", Takes::List)],
    gives: |_| Ty::new(Kind::Int),
    doc: "the number of elements, blank ones left out",
    example: ("count([\"a\", blank, \"b\"])", "2"),
    call: |args| {
        let count = at(args, 0).list().iter().filter(|value| !value.is_blank()).count();
        Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
    },
};

/// Each once.
pub(super) const DISTINCT: Function = Function {
    name: "distinct",
    params: &[needed("list", Takes::List)],
    gives: |types| type_at(types, 0),
    doc: "each value once, in the order of first appearance",
    example: ("join(distinct([\"a\", \"b\", \"a\"]), \" \")", "a b"),
    call: |args| {
        let mut kept: Vec<Value> = Vec::new();
        for value in at(args, 0).list() {
            if !kept.iter().any(|known| same(known, value)) {
                kept.push(value.clone());
            }
        }
        Ok(Value::List(kept.into()))
    },
};

/// In order.
pub(super) const SORT_BY: Function = Function {
    name: "sort_by",
    params: &[needed("list", Takes::Records), needed("by", Takes::Columns), optional("highest_first", Takes::Bool)],
    gives: |types| type_at(types, 0),
    doc: "the records in order of the `by` fields, lowest first unless `highest_first: yes`; blank ones last, equals as they stood",
    example: (
        "let parts = each net in [2.00, 3.00, 1.00] {\n  net = net\n}\nfirst(sort_by(parts, by: .net, highest_first: yes)).net",
        "3",
    ),
    call: |args| {
        let columns = at(args, 1).columns();
        let down = *at(args, 2).value() == Value::Bool(true);
        let mut sorted = at(args, 0).list().to_vec();
        sorted.sort_by(|a, b| {
            let (Some(a), Some(b)) = (a.as_record(), b.as_record()) else { return Ordering::Equal };
            let steps = columns.iter().map(|column| in_order(a.get(column), b.get(column), down));
            steps.fold(Ordering::Equal, Ordering::then)
        });
        Ok(Value::List(sorted.into()))
    },
};

/// The order of two values of one column, blank ones last. Amounts are ordered by currency first: a sort needs an order
/// between any two values.
fn in_order(a: &Value, b: &Value, down: bool) -> Ordering {
    let filled = match (a, b) {
        (Value::Money(a), Value::Money(b)) => a.currency.cmp(&b.currency).then(a.amount.cmp(&b.amount)),
        _ => order(a, b).unwrap_or(Ordering::Equal),
    };
    let filled = if down { filled.reverse() } else { filled };
    a.is_blank().cmp(&b.is_blank()).then(filled)
}

/// One of them?
pub(super) const ANY: Function = Function {
    name: "any",
    params: &[needed("list", Takes::List)],
    gives: bool,
    doc: "is one of the elements yes?",
    example: ("any(x > 2 for x in [1, 3])", "yes"),
    call: |args| Ok(Value::Bool(at(args, 0).list().contains(&Value::Bool(true)))),
};

/// All of them?
pub(super) const ALL: Function = Function {
    name: "all",
    params: &[needed("list", Takes::List)],
    gives: bool,
    doc: "are all elements yes? Yes for an empty list",
    example: ("all(x > 2 for x in [1, 3])", "no"),
    call: |args| Ok(Value::Bool(at(args, 0).list().iter().all(|value| *value == Value::Bool(true)))),
};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        function::Argument,
        value::{Decimal, Record, Shape},
    };

    fn sorted(rows: &[(&str, Option<i64>)], by: &[&str], down: bool) -> Vec<String> {
        let shape = Arc::new(Shape { names: vec!["name".into(), "net".into()] });
        let row = |(name, cents): &(&str, Option<i64>)| {
            let net = cents.map_or(Value::Blank, |cents| Value::eur(Decimal::new(cents, 2)));
            Value::Record(Record::new(shape.clone(), vec![Value::text(name), net]))
        };
        let (list, down) = (Value::List(rows.iter().map(row).collect()), Value::Bool(down));
        let by: Vec<Arc<str>> = by.iter().map(|name| (*name).into()).collect();
        let args = [Argument::Value(&list), Argument::Columns(&by), Argument::Value(&down)];
        let sorted = (SORT_BY.call)(&args).unwrap();
        sorted.as_list().iter().map(|row| row.as_record().unwrap().get("name").to_string()).collect()
    }

    #[test]
    fn sort_by_puts_blank_last_in_both_directions_and_keeps_equals_as_they_stood() {
        let rows = [("a", None), ("b", Some(300)), ("c", Some(100)), ("d", Some(300))];
        assert_eq!(sorted(&rows, &["net"], false), ["c", "b", "d", "a"]);
        assert_eq!(sorted(&rows, &["net"], true), ["b", "d", "c", "a"]);
    }

    #[test]
    fn a_second_field_decides_between_equals() {
        let rows = [("d", Some(300)), ("b", Some(300)), ("c", Some(100))];
        assert_eq!(sorted(&rows, &["net", "name"], false), ["c", "b", "d"]);
    }
}
