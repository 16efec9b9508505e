//! What an order comes to: AFAS's VAT by rate group and duty.

use rust_decimal::Decimal;

use super::{
    super::{
        json::{Fields, amount, cents, text, yes},
        totals::{Line, Totals, per_rate},
    },
    RATE_GROUPS,
};

/// The amounts that a sales document shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amounts {
    pub(super) gross: Decimal,
    pub(super) discount: Decimal,
    pub(super) totals: Totals,
    pub(super) quantity: Decimal,
}

/// The percentage of a rate group as a fraction.
fn rate(group: &str) -> Decimal {
    let found = RATE_GROUPS.iter().find(|(code, ..)| *code == group);
    let percentage: Decimal = found.and_then(|(_, _, percentage)| percentage.parse().ok()).unwrap_or_default();
    percentage / Decimal::ONE_HUNDRED
}

/// The price of one unit after the discount of its line.
pub(super) fn net_price(line: &Fields) -> Decimal {
    let price = amount(line, "Upri").unwrap_or_default();
    price * (Decimal::ONE - amount(line, "PRDc").unwrap_or_default() / Decimal::ONE_HUNDRED)
}

/// What a line comes to.
pub(super) fn line_total(line: &Fields) -> Decimal {
    amount(line, "QuUn").unwrap_or_default() * net_price(line) - amount(line, "ARDc").unwrap_or_default()
}

/// The amounts of a document. VAT is owed only under the duty of the home country.
pub(super) fn of(head: &Fields, lines: &[Fields]) -> Amounts {
    let owed = text(head, "VaDu") == "1";
    let percentage = amount(head, "InPc").unwrap_or_default() / Decimal::ONE_HUNDRED;
    let counted: Vec<Line> = lines
        .iter()
        .map(|line| {
            let group = text(line, "VaRc").to_owned();
            let rate = if owed { rate(&group) } else { Decimal::ZERO };
            Line { group, amount: line_total(line), rate }
        })
        .collect();
    let gross: Decimal = counted.iter().map(|line| line.amount).sum();
    Amounts {
        gross: cents(gross),
        discount: cents(gross * percentage),
        totals: per_rate(&counted, Decimal::ONE - percentage, yes(head, "InVa")),
        quantity: lines.iter().filter_map(|line| amount(line, "QuUn")).sum(),
    }
}
