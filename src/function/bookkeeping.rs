//! The three functions that carry the bookkeeping: they share amounts out and promise that the sum stays the total.

use std::sync::Arc;

use rust_decimal::RoundingStrategy;

use super::{Argument, Function, Takes, Trouble, at, needed, type_at};
use crate::{
    schema::{Kind, Object, Ty},
    value::{Decimal, Money, Record, Shape, Value, same},
};

/// One record per combination.
pub(super) const GROUP: Function = Function {
    name: "group",
    params: &[needed("list", Takes::Records), needed("by", Takes::Columns), needed("sum", Takes::Column)],
    gives: grouped_type,
    doc: "one record for each combination of the `by` fields, with the sum of the `sum` field, in order of appearance",
    example: (
        "let parts = each net in [1.00, 2.00, 3.00] {\n  code = \"A\" when net < 3 else \"B\"\n  net  = net\n}\nlast(group(parts, by: [.code], sum: .net)).net",
        "3",
    ),
    call: group,
};

/// In proportion.
pub(super) const SPREAD: Function = Function {
    name: "spread",
    params: &[needed("total", Takes::Money), needed("over", Takes::Records), needed("by", Takes::Column)],
    gives: |types| type_at(types, 1),
    doc: "the same records with the `by` field in proportion to it, in cents, the rest on the largest; the sum is the total",
    example: (
        "let parts = each net in [1.00, 2.00, 3.00] {\n  code = \"A\" when net < 3 else \"B\"\n  net  = net\n}\nlast(spread(10.00, over: parts, by: .net)).net",
        "5.00",
    ),
    call: |args| share(args, true),
};

/// Only the difference.
pub(super) const BALANCE: Function = Function {
    name: "balance",
    params: &[needed("total", Takes::Money), needed("over", Takes::Records), needed("by", Takes::Column)],
    gives: |types| type_at(types, 1),
    doc: "the same records with the difference to the total added to the largest `by` field; the sum is the total",
    example: (
        "let parts = each net in [1.00, 2.00, 3.00] {\n  code = \"A\" when net < 3 else \"B\"\n  net  = net\n}\nlast(balance(6.01, over: parts, by: .net)).net",
        "3.01",
    ),
    call: |args| share(args, false),
};

/// A record of the `by` fields and the `sum` field, with the types that they have in the list.
fn grouped_type(types: &[Ty]) -> Ty {
    let Kind::List(of) = type_at(types, 0).kind else { return Ty::list(Ty::any()) };
    let Kind::Record(object) = &of.kind else { return Ty::list(Ty::any()) };
    let names = [type_at(types, 1), type_at(types, 2)].into_iter().flat_map(|ty| match ty.kind {
        Kind::OneOf(names) => names.to_vec(),
        _ => Vec::new(),
    });
    let fields = names.filter_map(|name| Some((name.clone(), object.field(&name)?.clone()))).collect();
    Ty::list(Ty::new(Kind::Record(Arc::new(Object { path: "".into(), label: "group".into(), fields }))))
}

fn group(args: &[Argument<'_>]) -> Result<Value, Trouble> {
    let (list, by) = (at(args, 0).list(), at(args, 1).columns());
    let Some(sum) = at(args, 2).columns().first() else { return Ok(Value::List([].into())) };
    let shape = Arc::new(Shape { names: by.iter().chain([sum]).cloned().collect() });
    let mut groups: Vec<(Vec<Value>, Value)> = Vec::new();
    for record in list.iter().filter_map(Value::as_record) {
        let combination: Vec<Value> = by.iter().map(|name| record.get(name).clone()).collect();
        let amount = record.get(sum);
        let known = groups.iter_mut().find(|(known, _)| known.iter().zip(&combination).all(|(a, b)| same(a, b)));
        match known {
            Some((_, so_far)) => *so_far = plus(so_far, amount)?,
            None => groups.push((combination, amount.clone())),
        }
    }
    let record = |(mut values, sum): (Vec<Value>, Value)| {
        values.push(sum);
        Value::Record(Record::new(shape.clone(), values))
    };
    Ok(Value::List(groups.into_iter().map(record).collect()))
}

fn too_large() -> Trouble {
    Trouble("an amount gets too large to be exact".to_owned())
}

fn plus(a: &Value, b: &Value) -> Result<Value, Trouble> {
    match (a, b) {
        (Value::Blank, other) | (other, Value::Blank) => Ok(other.clone()),
        (Value::Money(x), Value::Money(y)) if x.currency != y.currency => {
            let (x, y) = (x.currency.as_str(), y.currency.as_str());
            Err(Trouble(format!("amounts in {x} and {y} cannot be added up")))
        }
        _ => {
            let sum = a.as_decimal().unwrap_or_default().checked_add(b.as_decimal().unwrap_or_default());
            Ok(with(if matches!(a, Value::Money(_)) { a } else { b }, sum.ok_or_else(too_large)?))
        }
    }
}

/// The same kind of value with another number.
fn with(kind: &Value, number: Decimal) -> Value {
    match kind {
        Value::Money(money) => Value::Money(Money { amount: number, currency: money.currency }),
        _ => Value::Decimal(number),
    }
}

fn share(args: &[Argument<'_>], in_proportion: bool) -> Result<Value, Trouble> {
    let total_value = at(args, 0).value();
    let (Some(total), Some(column)) = (total_value.as_decimal(), at(args, 2).columns().first()) else {
        return Ok(Value::Blank);
    };
    let records: Vec<&Record> = at(args, 1).list().iter().filter_map(Value::as_record).collect();
    let weights: Vec<Decimal> =
        records.iter().map(|record| record.get(column).as_decimal().unwrap_or_default()).collect();
    let weight_sum =
        weights.iter().try_fold(Decimal::ZERO, |sum, weight| sum.checked_add(*weight)).ok_or_else(too_large)?;
    if records.is_empty() || (in_proportion && weight_sum.is_zero()) {
        return if total.is_zero() {
            Ok(at(args, 1).value().clone())
        } else {
            Err(Trouble(format!("nothing to spread {total_value} over")))
        };
    }
    let mut shares = weights.clone();
    if in_proportion {
        for share in &mut shares {
            let exact = total.checked_mul(*share).and_then(|product| product.checked_div(weight_sum));
            *share = exact.ok_or_else(too_large)?.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        }
    }
    let given = shares.iter().try_fold(Decimal::ZERO, |sum, share| sum.checked_add(*share)).ok_or_else(too_large)?;
    // The largest by absolute value, the first of equals, takes the rest.
    let largest = weights.iter().enumerate().rev().max_by_key(|(_, weight)| weight.abs()).map(|(index, _)| index);
    if let Some(share) = largest.and_then(|index| shares.get_mut(index)) {
        *share = total.checked_sub(given).and_then(|rest| share.checked_add(rest)).ok_or_else(too_large)?;
    }
    let replaced = records.iter().zip(&shares).map(|(record, share)| {
        let values = record
            .iter()
            .map(|(name, value)| if *name == **column { with(total_value, *share) } else { value.clone() });
        Value::Record(Record::new(record.shape().clone(), values.collect()))
    });
    Ok(Value::List(replaced.collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amounts(list: &[i64]) -> Value {
        let shape = Arc::new(Shape { names: vec!["rate".into(), "net".into()] });
        let record = |(index, cents): (usize, &i64)| {
            let rate = Value::Int(i64::try_from(index % 2).unwrap());
            Value::Record(Record::new(shape.clone(), vec![rate, Value::eur(Decimal::new(*cents, 2))]))
        };
        Value::List(list.iter().enumerate().map(record).collect())
    }

    fn total_of(list: &Value) -> Decimal {
        let net = |value: &Value| value.as_record().unwrap().get("net").as_decimal().unwrap();
        list.as_list().iter().map(net).sum()
    }

    fn shared(function: &Function, total: i64, list: &Value) -> Result<Value, Trouble> {
        let (total, columns) = (Value::eur(Decimal::new(total, 2)), ["net".into()]);
        (function.call)(&[Argument::Value(&total), Argument::Value(list), Argument::Columns(&columns)])
    }

    proptest! {
        #[test]
        fn spread_and_balance_always_add_up_to_the_total(
            total in -1_000_000i64..1_000_000,
            list in prop::collection::vec(-100_000i64..100_000, 1..12),
        ) {
            let list = amounts(&list);
            prop_assert_eq!(total_of(&shared(&BALANCE, total, &list).unwrap()), Decimal::new(total, 2));
            if !total_of(&list).is_zero() {
                prop_assert_eq!(total_of(&shared(&SPREAD, total, &list).unwrap()), Decimal::new(total, 2));
            }
        }
    }

    #[test]
    fn the_first_of_equally_large_records_takes_the_rest() {
        let shared = shared(&SPREAD, 1000, &amounts(&[100, 100, 100])).unwrap();
        let nets: Vec<String> =
            shared.as_list().iter().map(|r| r.as_record().unwrap().get("net").to_string()).collect();
        assert_eq!(nets, ["3.34", "3.33", "3.33"]);
    }

    #[test]
    fn nothing_to_spread_over_fails_unless_the_total_is_zero() {
        let empty = Value::List([].into());
        assert_eq!(shared(&SPREAD, 2, &empty).unwrap_err().0, "nothing to spread 0.02 over");
        assert_eq!(shared(&SPREAD, 0, &empty).unwrap(), empty);
    }

    #[test]
    fn group_keeps_the_order_of_first_appearance() {
        let (by, sum) = (["rate".into()], ["net".into()]);
        let list = amounts(&[100, 250, 50]);
        let grouped = group(&[Argument::Value(&list), Argument::Columns(&by), Argument::Columns(&sum)]).unwrap();
        let rows: Vec<String> =
            grouped.as_list().iter().map(|r| r.as_record().unwrap().get("net").to_string()).collect();
        assert_eq!(rows, ["1.50", "2.50"]);
    }
}
