//! Functions on numbers. All exact; an overflow fails the record and never wraps.

use rust_decimal::RoundingStrategy;

use super::{Argument, Function, Takes, Trouble, at, needed, optional, type_at};
use crate::{
    schema::{Kind, Ty},
    value::{Decimal, Money, Value, order},
};

/// The type of the first argument.
fn same(types: &[Ty]) -> Ty {
    let ty = type_at(types, 0);
    Ty { max: None, ..ty }
}

/// The type of the elements of the first argument, or of the argument itself.
fn element(types: &[Ty]) -> Ty {
    match type_at(types, 0).kind {
        Kind::List(of) => Ty { max: None, ..*of },
        kind => Ty::new(kind),
    }
}

/// Rounds half away from zero.
pub(super) const ROUND: Function = Function {
    name: "round",
    params: &[needed("number", Takes::Number), optional("places", Takes::Int)],
    gives: same,
    doc: "rounded to `places` decimals (0 when left out), half away from zero; of a percentage the points are counted",
    example: ("round(2.345, 2)", "2.35"),
    call: |args| rounded(args, RoundingStrategy::MidpointAwayFromZero),
};

/// Rounds half to even.
pub(super) const ROUND_EVEN: Function = Function {
    name: "round_even",
    params: &[needed("number", Takes::Number), optional("places", Takes::Int)],
    gives: same,
    doc: "rounded to `places` decimals (0 when left out), half to the even neighbour",
    example: ("round_even(2.345, 2)", "2.34"),
    call: |args| rounded(args, RoundingStrategy::MidpointNearestEven),
};

/// Rounds down.
pub(super) const FLOOR: Function = Function {
    name: "floor",
    params: &[needed("number", Takes::Number), optional("places", Takes::Int)],
    gives: same,
    doc: "rounded down to `places` decimals (0 when left out)",
    example: ("floor(2.9)", "2"),
    call: |args| rounded(args, RoundingStrategy::ToNegativeInfinity),
};

/// Rounds up.
pub(super) const CEIL: Function = Function {
    name: "ceil",
    params: &[needed("number", Takes::Number), optional("places", Takes::Int)],
    gives: same,
    doc: "rounded up to `places` decimals (0 when left out)",
    example: ("ceil(2.1)", "3"),
    call: |args| rounded(args, RoundingStrategy::ToPositiveInfinity),
};

/// Without its sign.
pub(super) const ABS: Function = Function {
    name: "abs",
    params: &[needed("number", Takes::Number)],
    gives: same,
    doc: "the number without its sign",
    example: ("abs(-3.50)", "3.5"),
    call: |args| map(at(args, 0).value(), |number| Some(number.abs())),
};

/// The lowest.
pub(super) const MIN: Function = Function {
    name: "min",
    params: &[needed("a", Takes::Ordered), optional("b", Takes::Ordered)],
    gives: |types| or_blank_for_lists(types, element(types)),
    doc: "the lower of two numbers or days, or the lowest of a list; blank for an empty list",
    example: ("min(3, 2)", "2"),
    call: |args| Ok(extreme(args, std::cmp::Ordering::Less)),
};

/// The highest.
pub(super) const MAX: Function = Function {
    name: "max",
    params: &[needed("a", Takes::Ordered), optional("b", Takes::Ordered)],
    gives: |types| or_blank_for_lists(types, element(types)),
    doc: "the higher of two numbers or days, or the highest of a list; blank for an empty list",
    example: ("max(2026-01-01, 2026-02-01)", "2026-02-01"),
    call: |args| Ok(extreme(args, std::cmp::Ordering::Greater)),
};

/// The sum.
pub(super) const SUM: Function = Function {
    name: "sum",
    params: &[needed("list", Takes::Numbers)],
    gives: |types| element(types).filled(),
    doc: "the sum of the elements, blank ones left out; 0 for an empty list",
    example: ("sum([1.10, 2.20])", "3.3"),
    call: |args| fold(at(args, 0).list(), Decimal::checked_add).map(|sum| sum.unwrap_or(Value::Int(0))),
};

/// The product.
pub(super) const PRODUCT: Function = Function {
    name: "product",
    params: &[needed("list", Takes::Numbers)],
    gives: |_| Ty::new(Kind::Decimal),
    doc: "the product of the elements, blank ones left out; 1 for an empty list",
    example: ("product([0.90, 0.95])", "0.855"),
    call: |args| fold(at(args, 0).list(), Decimal::checked_mul).map(|product| product.unwrap_or(Value::Int(1))),
};

/// The average.
pub(super) const AVERAGE: Function = Function {
    name: "average",
    params: &[needed("list", Takes::Numbers)],
    gives: |types| {
        let of = element(types);
        let kind = if of.kind == Kind::Int { Kind::Decimal } else { of.kind };
        Ty::new(kind).or_blank()
    },
    doc: "the average of the elements, blank ones left out; blank for an empty list",
    example: ("average([1, 2])", "1.5"),
    call: |args| {
        let list = at(args, 0).list();
        let count = Decimal::from(list.iter().filter(|value| !value.is_blank()).count());
        match fold(list, Decimal::checked_add)? {
            Some(sum) => map(&sum, |sum| sum.checked_div(count)),
            None => Ok(Value::Blank),
        }
    },
};

fn too_large() -> Trouble {
    Trouble("a number gets too large to be exact (28 digits)".to_owned())
}

/// Changes the number inside a value and keeps its kind; a whole number that stays whole stays one.
fn map(value: &Value, change: impl Fn(Decimal) -> Option<Decimal>) -> Result<Value, Trouble> {
    let Some(number) = value.as_decimal() else { return Ok(Value::Blank) };
    let changed = change(number).ok_or_else(too_large)?;
    Ok(match value {
        Value::Money(money) => Value::Money(Money { amount: changed, currency: money.currency }),
        Value::Int(_) if changed.is_integer() => i64::try_from(changed).map_or(Value::Decimal(changed), Value::Int),
        _ => Value::Decimal(changed),
    })
}

fn rounded(args: &[Argument<'_>], strategy: RoundingStrategy) -> Result<Value, Trouble> {
    let places = at(args, 1).int().unwrap_or(0);
    let places = u32::try_from(places)
        .map_err(|_| Trouble(format!("{places} decimals: a number can only be rounded to 0 decimals or more")))?;
    map(at(args, 0).value(), |number| Some(number.round_dp_with_strategy(places, strategy)))
}

/// A list may be empty: then the lowest is blank.
fn or_blank_for_lists(types: &[Ty], ty: Ty) -> Ty {
    if matches!(type_at(types, 0).kind, Kind::List(_)) { ty.or_blank() } else { ty }
}

fn extreme(args: &[Argument<'_>], wanted: std::cmp::Ordering) -> Value {
    let (a, b) = (at(args, 0).value(), at(args, 1).value());
    let all = if let Value::List(list) = a { list.iter().collect::<Vec<_>>() } else { vec![a, b] };
    let mut best = &Value::Blank;
    for value in all {
        if best.is_blank() || order(value, best) == Some(wanted) {
            best = if value.is_blank() { best } else { value };
        }
    }
    best.clone()
}

/// Folds the filled elements; amounts stay amounts, of one currency.
fn fold(list: &[Value], step: impl Fn(Decimal, Decimal) -> Option<Decimal>) -> Result<Option<Value>, Trouble> {
    let mut so_far: Option<Value> = None;
    for value in list.iter().filter(|value| !value.is_blank()) {
        so_far = Some(match so_far {
            None => value.clone(),
            Some(before) => {
                if let (Value::Money(a), Value::Money(b)) = (&before, value)
                    && a.currency != b.currency
                {
                    let (a, b) = (a.currency.as_str(), b.currency.as_str());
                    return Err(Trouble(format!("amounts in {a} and {b} cannot be added up")));
                }
                let other = value.as_decimal().unwrap_or_default();
                let kind = if matches!(value, Value::Int(_)) { &before } else { value };
                let sum = before.as_decimal().and_then(|number| step(number, other)).ok_or_else(too_large)?;
                map(kind, |_| Some(sum))?
            }
        });
    }
    Ok(so_far)
}
