//! Money and dates.

use super::{Rule, error};

/// F5xx.
pub(super) const RULES: &[Rule] = &[
    error("F502", "date-with-datetime", "a day compared with a moment")
        .why(
            "An invoice made on 1 January at 00:30 in Amsterdam was made in December by the clock of the server. \
             `date(…)` takes the Amsterdam day of a moment.",
        )
        .wrong(
            r#"
skip when invoice.created_at is 2026-01-01 because "New Year"
"#,
        )
        .right(
            r#"
skip when date(invoice.created_at) is 2026-01-01 because "New Year"
"#,
        ),
    error("F503", "amount-not-rounded", "an amount that may have more decimals than its field keeps")
        .why(
            "A field that keeps two decimals takes 12.34 and refuses 12.345. A multiplication, a division or an average \
             makes more of them, so it is rounded before it is written: `round(…, 2)` for one amount, `spread` where \
             the parts must come to a total.",
        )
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
  InPc = first(invoice.discounts.percentage) * 33%
}
"#,
        )
        .right(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
  InPc = round(first(invoice.discounts.percentage) * 33%, 2)
}
"#,
        ),
    error("F509", "entry-not-balanced", "debit and credit that are not provably equal")
        .why(
            "AFAS refuses a booking whose sides differ, and a wrong one that it takes is found at the end of the year. \
             So both sides are added up when the flow is checked, as formulas: `spread` and `balance` promise their \
             total, and an amount that is computed twice in the same way is the same amount.",
        )
        .wrong(
            r#"
create booking in afas.FiEntries gives .EnNo {
  Year = 2026
  Peri = 1
  UnId = 1
  JoCo = "VERK"
  Lines {
    VaAs = "Grootboekrekening"
    AcNr = "1300"
    EnDa = 2026-01-01
    BpDa = 2026-01-01
    InId = first_chars(invoice.id, 12)
    AmDe = invoice.invoice_total_incl_vat
  }
  Lines {
    VaAs = "Grootboekrekening"
    AcNr = "8000"
    EnDa = 2026-01-01
    BpDa = 2026-01-01
    InId = first_chars(invoice.id, 12)
    AmCr = invoice.invoice_total
  }
  Lines {
    VaAs = "Grootboekrekening"
    AcNr = "1500"
    EnDa = 2026-01-01
    BpDa = 2026-01-01
    InId = first_chars(invoice.id, 12)
    AmCr = round(invoice.invoice_total * 21%, 2)
  }
}
"#,
        )
        .right(
            r#"
create booking in afas.FiEntries gives .EnNo {
  Year = 2026
  Peri = 1
  UnId = 1
  JoCo = "VERK"
  Lines {
    VaAs = "Grootboekrekening"
    AcNr = "1300"
    EnDa = 2026-01-01
    BpDa = 2026-01-01
    InId = first_chars(invoice.id, 12)
    AmDe = invoice.invoice_total_incl_vat
  }
  Lines {
    VaAs = "Grootboekrekening"
    AcNr = "8000"
    EnDa = 2026-01-01
    BpDa = 2026-01-01
    InId = first_chars(invoice.id, 12)
    AmCr = invoice.invoice_total
  }
  Lines {
    VaAs = "Grootboekrekening"
    AcNr = "1500"
    EnDa = 2026-01-01
    BpDa = 2026-01-01
    InId = first_chars(invoice.id, 12)
    AmCr = invoice.invoice_total_incl_vat - invoice.invoice_total
  }
}
"#,
        ),
];
