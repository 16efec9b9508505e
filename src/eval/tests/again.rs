//! The second run of a test, and the stages behind its writes.

use super::updating::{passes, run};

#[test]
fn what_would_be_written_again_by_a_second_run_fails_the_test() {
    let outcomes = run("flow f \"F\"
read customer from jortt.customers {
  since change
  key .id
}
update jortt.customers {
  id = customer.id
  attn = \"{customer.attn ?? \"\"}x\"
}
test \"grows\" {
  given customer {
    id = \"c\"
    attn = \"a\"
  }
  expect update jortt.customers {
    attn = \"ax\"
  }
}
");
    let failures = &outcomes[0].1;
    assert_eq!(
        failures,
        &["a second run, on what the first one left at the target, must write nothing; it would update \
           jortt.customers (id, attn)"]
    );
}

#[test]
fn what_no_read_shows_is_known_by_what_the_first_run_left() {
    passes(
        "flow f \"F\"
read invoice from jortt.invoices {
  since change
  key .id
}
update jortt.invoice_labels {
  id = invoice.id
  label_ids = [\"l\"]
}
test \"once\" {
  given invoice {
    id = \"i\"
  }
  expect update jortt.invoice_labels {
    id = \"i\"
  }
}
",
    );
}

const AFTER: &str = "flow f \"F\"
read invoice from jortt.invoices {
  since change
  key .id
}
let number: text(11) = invoice.invoice_number!
skip when exists afas.Profit_Salesorders where .CustomerReference is number because \"there\"
create sale in afas.FbSales gives .OrNu {
  OrNu = \"J{number}\"
  RfCs = number
  DbId = \"10021\"
  Unit = 1
}
after sale when number is not \"2\" {
  find order in afas.Profit_Salesorders where .OrderNumber is sale
  hold when order is blank because \"not shown yet\"
  warn when order.InvoiceTotal is not blank because \"{sale} is {order.InvoiceTotal}\"
  hold when order.InvoiceTotal is 5.00 because \"five\"
}
test \"told\" {
  given invoice {
    id = \"i\"
    invoice_number = \"1\"
  }
  given after afas.Profit_Salesorders {
    InvoiceTotal = 5.00
  }
  expect create afas.FbSales
  expect warn \"J1 is 5.00\"
  expect hold \"five\"
}
test \"nothing computed\" {
  given invoice {
    id = \"i\"
    invoice_number = \"1\"
  }
  expect create afas.FbSales
  expect no warn
  expect no hold
}
test \"not for this one\" {
  given invoice {
    id = \"i\"
    invoice_number = \"2\"
  }
  given after afas.Profit_Salesorders {
    InvoiceTotal = 5.00
  }
  expect no warn
  expect no hold
}
";

#[test]
fn a_stage_behind_a_write_sees_its_key_and_what_the_target_makes_of_it() {
    passes(AFTER);
}

#[test]
fn what_the_target_computes_needs_a_write_that_makes_the_row() {
    let outcomes = run("flow f \"F\"
read invoice from jortt.invoices {
  since change
  key .id
}
test \"none\" {
  given invoice {
    id = \"i\"
  }
  given after afas.Profit_Salesorders {
    InvoiceTotal = 5.00
  }
  expect no write
}
");
    assert_eq!(outcomes[0].1, ["no write of this test makes a row of afas.Profit_Salesorders"]);
}

#[test]
fn a_stage_may_stand_behind_the_create_of_an_ensure() {
    passes(
        "flow f \"F\"
read invoice from jortt.invoices {
  since change
  key .id
}
ensure label: text {
  find jortt.labels where .description is \"paid\" gives .id
  create jortt.labels gives .id {
    description = \"paid\"
  }
}
update jortt.invoice_labels {
  id        = invoice.id
  label_ids = [label]
}
after label {
  find made in jortt.labels where .id is label
  hold when made is blank because \"not there yet\"
  warn because \"{made.description} is there as {label}\"
}
test \"made\" {
  given invoice {
    id = \"i\"
  }
  expect update jortt.invoice_labels {
    label_ids = [\"new-1\"]
  }
  expect warn \"paid is there as new-1\"
  expect no hold
}
test \"found\" {
  given invoice {
    id = \"i\"
  }
  given jortt.labels has {
    id          = \"l\"
    description = \"paid\"
  }
  expect update jortt.invoice_labels {
    label_ids = [\"l\"]
  }
  expect no warn
}
",
    );
}
