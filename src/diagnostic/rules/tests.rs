//! Tests.

use super::{Rule, error, warning};

/// F7xx.
pub(super) const RULES: &[Rule] = &[
    warning("F701", "no-test", "a flow without a test")
        .why(
            "A test is an example of what should come out. It is run at every check of a running koppel: an edit \
             that breaks it never reaches the books.",
        )
        .wrong(
            r#"
flow example "Example"
read invoice from jortt.invoices {
  since change
  key .id
}
"#,
        )
        .right(
            r#"
flow example "Example"
read invoice from jortt.invoices {
  since change
  key .id
}
test "nothing is written" {
  given invoice {
    id = "7"
  }
  expect no write
}
"#,
        ),
    error("F702", "test-refers-to-nothing", "a test that gives or expects what the flow does not have")
        .why(
            "A test gives what the flow reads and expects what it declares; anything else would pass for the \
             wrong reason.",
        )
        .wrong(
            r#"
setting limit: money = 10.00
warn when invoice.invoice_total > limit because "large"
test "large" {
  given setting limt = 3.00
  given invoice {
    id            = "7"
    invoice_total = 5.00
  }
  expect warn "large"
}
"#,
        )
        .right(
            r#"
setting limit: money = 10.00
warn when invoice.invoice_total > limit because "large"
test "large" {
  given setting limit = 3.00
  given invoice {
    id            = "7"
    invoice_total = 5.00
  }
  expect warn "large"
}
"#,
        ),
    error("F703", "test-fails", "an `expect` that does not come true")
        .why("What the test expects is not what the flow does. One of the two is wrong; the message shows both.")
        .wrong(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
test "an invoice of nothing" {
  given invoice {
    id            = "7"
    invoice_total = 0.00
  }
  expect hold "nothing"
}
"#,
        )
        .right(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
test "an invoice of nothing" {
  given invoice {
    id            = "7"
    invoice_total = 0.00
  }
  expect skip "nothing"
}
"#,
        ),
];
