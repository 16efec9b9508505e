//! Functions on lists of anything.

use super::{Function, Takes, at, needed, type_at};
use crate::{
    schema::{Kind, Ty},
    value::{Value, same},
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
