//! A booking as people write it is proven to balance, and what breaks it is seen.

use super::{HEAD, checked, messages};

/// An invoice against revenue and VAT: discounts and cents are shared out, a credit note swaps the sides by itself.
const BOOKING: &str = r#"
let incl  = invoice.net_amounts ?? no
let tax   = invoice.invoice_total_incl_vat - invoice.invoice_total
let paid  = invoice.invoice_total_incl_vat
define side(amount: money): money = amount
fields debit(amount: money) for afas.FiEntries.Lines {
  AmDe = amount  when amount > 0
  AmCr = -amount when amount < 0
}
fields credit(amount: money) for afas.FiEntries.Lines {
  AmCr = amount  when amount > 0
  AmDe = -amount when amount < 0
}
fields posting(account: text(16)) for afas.FiEntries.Lines {
  VaAs = "Grootboekrekening"
  AcNr = account
  EnDa = 2026-01-01
  BpDa = 2026-01-01
  InId = "1"
}
create booking in afas.FiEntries gives .EnNo {
  let lines = each line in invoice.line_items {
    let divisor = (1 + line.vat.value) when incl else 1
    rate    = line.vat.value
    account = line.ledger_account_id ?? "8000"
    net     = line.quantity * line.amount / divisor
  }
  let revenue = spread(invoice.invoice_total, over: group(lines, by: [.account, .rate], sum: .net), by: .net)
  let owed    = each part in group(revenue, by: [.rate], sum: .net) when part.rate > 0% {
    rate   = part.rate
    amount = round(part.net * part.rate, 2)
  }
  Year = 2026
  Peri = 1
  UnId = 1
  JoCo = "VERK"
  Lines {
    include posting("1300")
    include debit(side(paid))
  }
  Lines = each part in revenue when part.net is not 0 {
    include posting(part.account)
    include credit(part.net)
  }
  Lines = each part in balance(tax, over: owed, by: .amount) when part.amount is not 0 {
    include posting("1500")
    include credit(part.amount)
  }
}
"#;

/// The codes of what is told.
fn told(lines: &str) -> (Vec<&'static str>, String) {
    let checked = checked(&[("t.flow", &format!("{HEAD}{lines}"))]);
    let codes = checked.diagnostics.iter().map(|told| told.code).filter(|code| *code != "F801").collect();
    (codes, messages(&checked, 0))
}

#[test]
fn a_booking_with_discounts_cents_and_two_signs_is_proven() {
    let (codes, text) = told(BOOKING);
    assert_eq!(codes, [""; 0], "{text}");
}

#[test]
fn any_edit_that_changes_an_amount_is_refused() {
    let edits = [
        ("spread(invoice.invoice_total, over", "spread(invoice.invoice_total_incl_vat, over"),
        ("spread(invoice.invoice_total, over", "spread(round(invoice.invoice_total, 0), over"),
        ("balance(tax, over: owed", "balance(tax * 2, over: owed"),
        ("each part in balance(tax, over: owed, by: .amount) when part.amount is not 0", "each part in owed"),
        ("each part in revenue when part.net is not 0", "each part in revenue when part.net > 0"),
        ("each part in revenue when part.net is not 0", "each part in lines when part.net is not 0"),
        ("each part in revenue when part.net is not 0", "each part in revenue when part.rate > 0%"),
        ("  AmCr = -amount when amount < 0\n", ""),
        ("  AmCr = -amount when amount < 0", "  AmCr = -amount when amount < -1"),
        ("  AmCr = -amount when amount < 0", "  AmCr = amount when amount < 0"),
        ("include debit(side(paid))", "include credit(side(paid))"),
        ("include debit(side(paid))", "include debit(side(paid) + 0.01)"),
        ("include debit(side(paid))", "include debit(side(paid) * 1.01)"),
        ("money): money = amount", "money): money = round(amount, 1)"),
        ("let paid  = invoice.invoice_total_incl_vat", "let paid  = invoice.invoice_due_amount ?? 0"),
        (
            "let tax   = invoice.invoice_total_incl_vat - invoice.invoice_total",
            "let tax   = invoice.invoice_total_incl_vat",
        ),
        ("Lines {\n    include posting(\"1300\")", "Lines when incl {\n    include posting(\"1300\")"),
        ("by: .amount)", "by: .rate)"),
        (
            "include credit(part.amount)",
            "include credit(part.amount)\n    FiDimEntries {\n      DiC1 = \"A\"\n    }\n  }\n  Lines {\n    include posting(\"9\")\n    include credit(0.01)",
        ),
    ];
    for (from, to) in edits {
        assert!(BOOKING.contains(from), "{from}");
        let (codes, text) = told(&BOOKING.replace(from, to));
        assert!(codes.contains(&"F509"), "{from} -> {to}:\n{text}");
    }
}

#[test]
fn edits_that_change_no_amount_are_still_proven() {
    let edits = [
        ("include debit(side(paid))", "include debit(tax + invoice.invoice_total)"),
        ("include debit(side(paid))", "include debit(paid * 100% + 0.00)"),
        ("include debit(side(paid))", "include credit(-side(paid))"),
        ("include debit(side(paid))", "AmDe = sum(revenue.net) + tax"),
        (
            "include debit(side(paid))",
            "AmDe = (sum(part.net for part in revenue when part.rate > 0%) + sum(part.net for part in revenue when part.rate <= 0%)) + tax",
        ),
        ("each part in revenue when part.net is not 0", "each part in sort_by(revenue, by: .net)"),
        ("by: .amount) when part.amount is not 0", "by: .amount)"),
        (
            "Lines {\n    include posting(\"1300\")\n    include debit(side(paid))\n  }",
            "Lines when incl {\n    include posting(\"1300\")\n    include debit(side(paid))\n  }\n  Lines when not incl {\n    include posting(\"1301\")\n    include debit(paid)\n  }",
        ),
        ("when part.rate > 0% {\n    rate", "{\n    rate"),
    ];
    for (from, to) in edits {
        assert!(BOOKING.contains(from), "{from}");
        let (codes, text) = told(&BOOKING.replace(from, to));
        assert_eq!(codes, [""; 0], "{from} -> {to}:\n{text}");
    }
}
