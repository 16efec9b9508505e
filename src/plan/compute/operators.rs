//! Operators on values: exact, checked, and never a panic.
//!
//! Takes two values, gives one or a sentence for the record that fails. Amounts of different currencies are never
//! put together; a blank operand of arithmetic gives a blank.

use rust_decimal::Decimal;

use crate::{
    plan::code::Operator,
    value::{Money, Value, same},
};

/// `a is b`: equal; a list of words contains the word. Blank equals blank.
pub(crate) fn is(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(x), Value::List(y)) => x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| is(x, y)),
        (Value::List(words), word) | (word, Value::List(words)) => words.iter().any(|own| same(own, word)),
        _ => same(a, b),
    }
}

/// `a in list`; of a list of words, whether one of them is there. A blank is in no list.
pub(crate) fn contains(list: &Value, a: &Value) -> bool {
    let one = |a: &Value| !a.is_blank() && list.as_list().iter().any(|own| same(own, a));
    match a {
        Value::List(words) => words.iter().any(one),
        _ => one(a),
    }
}

/// Refuses two amounts of different currencies; 0 is 0 in every currency.
pub(crate) fn one_currency(a: &Value, b: &Value) -> Result<(), String> {
    match (a, b) {
        (Value::Money(x), Value::Money(y))
            if x.currency != y.currency && !x.amount.is_zero() && !y.amount.is_zero() =>
        {
            Err(format!("{} and {} are amounts of different currencies", told(x), told(y)))
        }
        _ => Ok(()),
    }
}

/// `-a`
pub(crate) fn negate(a: &Value) -> Result<Value, String> {
    Ok(match a {
        Value::Int(n) => Value::Int(n.checked_neg().ok_or_else(too_large)?),
        Value::Decimal(n) => Value::Decimal(-n),
        Value::Money(money) => Value::Money(Money { amount: -money.amount, ..*money }),
        Value::Blank => Value::Blank,
        other => return Err(format!("{} is no number", kind(other))),
    })
}

/// `a + b` and so on.
pub(crate) fn arithmetic(operator: Operator, a: &Value, b: &Value) -> Result<Value, String> {
    if a.is_blank() || b.is_blank() {
        return Ok(Value::Blank);
    }
    if let (Value::Int(x), Value::Int(y)) = (a, b) {
        let exact = match operator {
            Operator::Add => x.checked_add(*y),
            Operator::Subtract => x.checked_sub(*y),
            Operator::Multiply => x.checked_mul(*y),
            Operator::Divide => return Ok(Value::Decimal(decimal(operator, (*x).into(), (*y).into())?)),
        };
        return exact.map(Value::Int).ok_or_else(too_large);
    }
    let (Some(x), Some(y)) = (a.as_decimal(), b.as_decimal()) else {
        let odd = if a.as_decimal().is_none() { a } else { b };
        return Err(format!("{} is no number", kind(odd)));
    };
    one_currency(a, b)?;
    let number = decimal(operator, x, y)?;
    let currency = match (a, b) {
        (Value::Money(_), Value::Money(_)) if operator == Operator::Divide => None,
        (Value::Money(_), Value::Money(_)) if operator == Operator::Multiply => {
            return Err("an amount times an amount is no amount".to_owned());
        }
        // 0 takes the currency of the other side.
        (Value::Money(x), Value::Money(y)) => Some(if x.amount.is_zero() { y.currency } else { x.currency }),
        (Value::Money(money), _) => Some(money.currency),
        (_, Value::Money(_)) if operator == Operator::Divide => {
            return Err("a number divided by an amount is no amount".to_owned());
        }
        (_, Value::Money(money)) => Some(money.currency),
        _ => None,
    };
    Ok(match currency {
        Some(currency) => Value::Money(Money { amount: number, currency }),
        None => Value::Decimal(number),
    })
}

fn decimal(operator: Operator, x: Decimal, y: Decimal) -> Result<Decimal, String> {
    match operator {
        Operator::Add => x.checked_add(y),
        Operator::Subtract => x.checked_sub(y),
        Operator::Multiply => x.checked_mul(y),
        Operator::Divide if y.is_zero() => return Err(format!("{} cannot be divided by 0", x.normalize())),
        Operator::Divide => x.checked_div(y),
    }
    .ok_or_else(too_large)
}

fn too_large() -> String {
    "the number gets too large to be exact (28 digits)".to_owned()
}

fn told(money: &Money) -> String {
    format!("{} {}", money.currency.as_str(), Value::Money(*money))
}

/// What a value is, without showing it: it may be personal.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Blank => "a blank",
        Value::Bool(_) => "yes or no",
        Value::Int(_) | Value::Decimal(_) | Value::Money(_) => "a number",
        Value::Text(_) => "a text",
        Value::Date(_) | Value::DateTime(_) => "a date",
        Value::List(_) => "a list",
        Value::Record(_) => "a record",
        Value::Key(_) => "a key that is still to come",
        Value::Clear => "`clear`",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::Currency;

    fn number(text: &str) -> Value {
        Value::Decimal(text.parse().unwrap())
    }

    fn eur(text: &str) -> Value {
        Value::eur(text.parse().unwrap())
    }

    fn usd(text: &str) -> Value {
        Value::Money(Money { amount: text.parse().unwrap(), currency: Currency::parse("usd").unwrap() })
    }

    #[test]
    fn money_and_numbers_go_together_as_bookkeepers_do_it() {
        use Operator::{Add, Divide, Multiply, Subtract};
        assert_eq!(arithmetic(Multiply, &eur("90.00"), &Value::Int(2)), Ok(eur("180.00")));
        assert_eq!(arithmetic(Multiply, &number("0.21"), &eur("180.00")), Ok(eur("37.8000")));
        assert_eq!(arithmetic(Divide, &eur("121.00"), &number("1.21")), Ok(eur("100")));
        assert_eq!(arithmetic(Divide, &eur("10.00"), &eur("4.00")), Ok(number("2.5")));
        assert_eq!(arithmetic(Add, &Value::Int(1), &number("0.21")), Ok(number("1.21")));
        assert_eq!(arithmetic(Divide, &Value::Int(1), &Value::Int(8)), Ok(number("0.125")));
        assert_eq!(arithmetic(Subtract, &Value::Blank, &Value::Int(1)), Ok(Value::Blank));
    }

    #[test]
    fn different_currencies_are_told_with_both_amounts() {
        let told = arithmetic(Operator::Add, &eur("10"), &usd("5.5")).unwrap_err();
        assert_eq!(told, "EUR 10.00 and USD 5.50 are amounts of different currencies");
        assert_eq!(arithmetic(Operator::Add, &eur("0"), &usd("5.5")), Ok(usd("5.5")));
        assert!(is(&usd("0"), &eur("0.00")));
    }

    #[test]
    fn what_does_not_fit_is_a_sentence_and_no_panic() {
        assert!(arithmetic(Operator::Add, &Value::Int(i64::MAX), &Value::Int(1)).is_err());
        assert!(arithmetic(Operator::Divide, &eur("1"), &Value::Int(0)).is_err());
        assert!(arithmetic(Operator::Multiply, &eur("1"), &eur("1")).is_err());
        assert!(arithmetic(Operator::Multiply, &Value::Decimal(Decimal::MAX), &number("10")).is_err());
        assert!(negate(&Value::Int(i64::MIN)).is_err());
        assert_eq!(
            arithmetic(Operator::Add, &Value::text("Jansen"), &Value::Int(1)),
            Err("a text is no number".into())
        );
    }

    #[test]
    fn a_set_of_words_is_asked_for_membership() {
        let list = Value::List(Arc::from([Value::text("sent"), Value::text("late")]));
        assert!(is(&list, &Value::text("late")));
        assert!(!is(&list, &Value::text("paid")));
        assert!(contains(&Value::List(Arc::from([Value::text("paid"), Value::text("late")])), &list));
        assert!(!contains(&Value::List(Arc::from([Value::Blank])), &Value::Blank), "blank is in no list");
    }

    proptest! {
        #[test]
        fn arithmetic_never_panics(a in any::<i64>(), scale in 0u32..28, b in any::<i64>(), which in 0usize..4) {
            let operator =
                [Operator::Add, Operator::Subtract, Operator::Multiply, Operator::Divide][which];
            let x = Value::Decimal(Decimal::from_i128_with_scale(i128::from(a) << 20, scale));
            let _ = arithmetic(operator, &x, &Value::Int(b));
            let _ = arithmetic(operator, &Value::Int(a), &Value::Int(b));
            let _ = arithmetic(operator, &Value::Int(b), &x);
        }
    }

    use std::sync::Arc;
}
