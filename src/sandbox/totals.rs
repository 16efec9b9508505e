//! Totals of a document: what it costs without and with VAT. Both systems reckon by these rules here.
//!
//! `incl` is what Jortt calls `net_amounts`: the amounts of the lines hold the VAT already.

use indexmap::IndexMap;
use rust_decimal::Decimal;

use super::json::cents;

/// One line, as far as money goes.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The VAT group: lines of one group are rounded together.
    pub(super) group: String,
    /// Quantity times amount, not rounded.
    pub(super) amount: Decimal,
    /// The rate as a fraction.
    pub(super) rate: Decimal,
}

/// The totals without and with VAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Totals {
    pub(super) without: Decimal,
    pub(super) with: Decimal,
}

fn total(amount: Decimal, rate: Decimal, incl: bool) -> Totals {
    let amount = cents(amount);
    if incl {
        let vat = cents(amount * rate / (Decimal::ONE + rate));
        Totals { without: amount - vat, with: amount }
    } else {
        Totals { without: amount, with: amount + cents(amount * rate) }
    }
}

/// VAT rounded once for each group over the whole document; `left` is what a discount leaves of each amount.
pub(super) fn per_rate(lines: &[Line], left: Decimal, incl: bool) -> Totals {
    let mut groups: IndexMap<&str, (Decimal, Decimal)> = IndexMap::new();
    for line in lines {
        let group = groups.entry(&line.group).or_insert((Decimal::ZERO, line.rate));
        group.0 += line.amount * left;
    }
    sum(groups.values().map(|(amount, rate)| total(*amount, *rate, incl)))
}

/// VAT rounded for each line, as invoices of the older versions are made.
pub(super) fn per_line(lines: &[Line], left: Decimal, incl: bool) -> Totals {
    sum(lines.iter().map(|line| total(line.amount * left, line.rate, incl)))
}

fn sum(parts: impl Iterator<Item = Totals>) -> Totals {
    parts
        .fold(Totals::default(), |sum, part| Totals { without: sum.without + part.without, with: sum.with + part.with })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(group: &str, amount: &str, rate: &str) -> Line {
        Line { group: group.to_owned(), amount: amount.parse().unwrap(), rate: rate.parse().unwrap() }
    }

    #[test]
    fn vat_is_rounded_once_for_each_rate() {
        let lines = [line("high", "0.33", "0.21"), line("high", "0.33", "0.21")];
        assert_eq!(per_rate(&lines, Decimal::ONE, false).with.to_string(), "0.80");
        assert_eq!(per_line(&lines, Decimal::ONE, false).with.to_string(), "0.80");
        let lines = [line("high", "0.12", "0.21"), line("high", "0.12", "0.21")];
        assert_eq!(per_rate(&lines, Decimal::ONE, false).with.to_string(), "0.29");
        assert_eq!(per_line(&lines, Decimal::ONE, false).with.to_string(), "0.30");
    }

    #[test]
    fn prices_that_hold_vat_are_taken_apart_after_the_discounts() {
        let lines = [line("high", "242.00", "0.21"), line("low", "109.00", "0.09")];
        let totals = per_rate(&lines, "0.855".parse().unwrap(), true);
        assert_eq!((totals.without.to_string().as_str(), totals.with.to_string().as_str()), ("256.50", "300.11"));
    }
}
