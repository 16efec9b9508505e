//! `flow.lock`: what is kept, what a change of it says, and that nothing runs with a number that was changed.

use std::fs;

use crate::cli::Place;

const FLOW: &str = r#"flow quotes "Invoices become quotations"

read invoice from jortt.invoices {
  since change
  key .id
}

let number = invoice.invoice_number ?? invoice.id

create sale in afas.FbSalesQuotation gives .OrNu {
  OrNu = "J{number}"
  OrDa = invoice.invoice_date
  DbId = "10021"
  CuId = "EUR"
  Unit = 1
  VaQs = "Onderhanden"
}

test "a quotation" {
  given invoice {
    id = "a"
    invoice_date = 2026-01-15
  }
  expect create afas.FbSalesQuotation {
    OrNu = "Ja"
  }
}
"#;

fn place(flow: &str) -> Place {
    Place::new(&[("koppel.toml", ""), ("quotes.flow", flow)])
}

fn lock(place: &Place) -> String {
    fs::read_to_string(place.path().join("flow.lock")).unwrap()
}

fn edit(place: &Place, file: &str, old: &str, new: &str) {
    let path = place.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{old} in {text}");
    fs::write(path, text.replace(old, new)).unwrap();
}

#[test]
fn the_first_check_that_passes_writes_it_and_another_changes_nothing() {
    let place = place(FLOW);
    assert_eq!(place.koppel(&["check"]), "1 flow checked: no mistakes\nexit 0");
    insta::assert_snapshot!(lock(&place), @r#"
    # What the flows use of the systems, and how they number documents. Keep it with the flows, in version control.
    # `koppel check` adds what is new and tells what has changed; `koppel check --accept` takes a change over.
    version = 1

    [number.quotes]
    "afas.FbSalesQuotation" = { prefix = "J", formula = '"J{(invoice.invoice_number ?? invoice.id)}"' }

    [write."afas.FbSalesQuotation"]
    CuId = "currency"
    DbId = "text(16) required"
    OrDa = "date"
    OrNu = "text(12)"
    Unit = "int required"
    VaQs = { type = "text(20)", codes = ["0"] }

    [read."jortt.invoices"]
    id = "text"
    invoice_date = "date"
    invoice_number = "text?"
    "#);
    let path = place.path().join("flow.lock");
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(place.koppel(&["check"]), "1 flow checked: no mistakes\nexit 0");
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written, "it is not even touched");
}

#[test]
fn a_check_that_finds_mistakes_writes_nothing() {
    let place = place(&FLOW.replace("OrDa", "OrDx"));
    assert!(place.koppel(&["check"]).ends_with("exit 1"));
    assert!(!place.path().join("flow.lock").exists());
}

#[test]
fn what_is_new_is_added_and_what_nothing_uses_goes() {
    let place = place(FLOW);
    place.koppel(&["check"]);
    edit(&place, "quotes.flow", "  VaQs = \"Onderhanden\"\n", "  RfCs = number\n");
    assert!(place.koppel(&["check"]).ends_with("exit 0"));
    let lock = lock(&place);
    assert!(lock.contains("RfCs = ") && !lock.contains("VaQs"), "{lock}");
}

#[test]
fn a_name_or_a_space_is_no_other_number() {
    let place = place(FLOW);
    place.koppel(&["check"]);
    edit(&place, "quotes.flow", "let number =", "let which  =");
    edit(&place, "quotes.flow", "\"J{number}\"", "\"J{ which }\"");
    assert!(place.koppel(&["check"]).ends_with("exit 0"));
}

#[test]
fn a_number_that_is_made_in_another_way_is_an_error_until_it_is_meant() {
    let place = place(FLOW);
    place.koppel(&["check"]);
    let before = lock(&place);
    edit(&place, "quotes.flow", "?? invoice.id", "?? invoice.customer_id");
    insta::assert_snapshot!(place.koppel(&["check"]), @r#"
    F902  `quotes` numbers documents of afas.FbSalesQuotation in another way than
          before
        ╭─[quotes.flow:11:3]
     11 │   OrNu = "J{number}"
        ·   ─────────┬────────
        ·            ╰── makes other numbers
        ╰────
    help: it was  "J{(invoice.invoice_number ?? invoice.id)}"
          it is   "J{(invoice.invoice_number ?? invoice.customer_id)}"
          with a lost ledger, documents would be made twice: what was made is looked
          for by its number
          write it as it was, or say that this is meant:  koppel check --accept

    1 flow checked: 1 mistake
    exit 1
    "#);
    assert_eq!(lock(&place), before, "nothing is taken over without a word");
    for verb in [&["run", "--sandbox"][..], &["serve", "--sandbox"], &["plan", "--sandbox"]] {
        let shown = place.koppel(verb);
        assert!(shown.contains("F902") && shown.ends_with("exit 1"), "{verb:?}: {shown}");
    }
    assert_eq!(place.koppel(&["check", "--accept"]), "1 flow checked: no mistakes\nexit 0");
    assert!(lock(&place).contains("invoice.customer_id"));
    assert!(place.koppel(&["check"]).ends_with("exit 0"));
}

#[test]
fn a_flow_under_another_name_is_still_the_one_that_made_the_documents() {
    let place = place(FLOW);
    place.koppel(&["check"]);
    edit(&place, "quotes.flow", "flow quotes", "flow offers");
    edit(&place, "quotes.flow", "\"J{number}\"", "\"K{number}\"");
    let shown = place.koppel(&["check"]);
    assert!(shown.contains("F902") && shown.contains("\"J{(invoice.invoice_number ?? invoice.id)}\""), "{shown}");
}

#[test]
fn a_number_stays_although_no_flow_makes_it_for_a_while() {
    let place = place(FLOW);
    place.koppel(&["check"]);
    let gone = FLOW.split("create sale").next().unwrap().to_owned()
        + "warn because \"{number}\"\ntest \"t\" {\n  expect yes\n}\n";
    fs::write(place.path().join("quotes.flow"), gone).unwrap();
    assert!(place.koppel(&["check"]).ends_with("exit 0"));
    assert!(lock(&place).contains("[number.quotes]"));
    fs::write(place.path().join("quotes.flow"), FLOW.replace("\"J{number}\"", "\"K{number}\"")).unwrap();
    assert!(place.koppel(&["check"]).contains("F902"));
}

#[test]
fn a_changed_schema_says_which_lines_it_touches() {
    let place = place(FLOW);
    place.koppel(&["check"]);
    // As if an older schema had been there when it was written.
    edit(&place, "flow.lock", "invoice_date = \"date\"", "invoice_date = \"text\"");
    edit(&place, "flow.lock", "codes = [\"0\"]", "codes = [\"0\", \"gone\"]");
    let before = lock(&place);
    insta::assert_snapshot!(place.koppel(&["check"]), @r#"
    F901  `invoice_date` of jortt.invoices was text, and is date now         warning
        ╭─[quotes.flow:12:18]
     12 │   OrDa = invoice.invoice_date
        ·                  ──────┬─────
        ·                        ╰── used here
        ╰────
    help: look at what is done with it, then take the change over:
          koppel check --accept

    F901  `VaQs` of afas.FbSalesQuotation does not take the code "gone" any
          more                                                               warning
        ╭─[quotes.flow:16:3]
     16 │   VaQs = "Onderhanden"
        ·   ──┬─
        ·     ╰── used here
        ╰────
    help: look at what is done with it, then take the change over:
          koppel check --accept

    1 flow checked: no mistakes, 2 warnings
    exit 0
    "#);
    assert_eq!(lock(&place), before);
    assert!(place.koppel(&["test"]).contains("1 test: passed"), "the flow still runs");
    assert!(place.koppel(&["check", "--accept"]).ends_with("exit 0"));
    assert!(lock(&place).contains("invoice_date = \"date\""));
}

#[test]
fn a_field_that_is_gone_is_one_message_that_says_so() {
    let place = place(FLOW);
    place.koppel(&["check"]);
    // The flow names a field that the schema lacks today; the lock knows it.
    edit(&place, "quotes.flow", "  Unit = 1\n", "  Unit = 1\n  Oude = \"x\"\n");
    edit(&place, "flow.lock", "OrDa = ", "Oude = \"text(20)\"\nOrDa = ");
    insta::assert_snapshot!(place.koppel(&["check"]), @r#"
    F202  AFAS has no field `Oude` on a quotation
        ╭─[quotes.flow:16:3]
     16 │   Oude = "x"
        ·   ──┬─
        ·     ╰── not a field of FbSalesQuotation
        ╰────
    help: `OrDa` (Date) is close
          this comes of a change since flow.lock was written: afas.FbSalesQuotation
          has no `Oude` any more; it was text(20)

    1 flow checked: 1 mistake
    exit 1
    "#);
}

#[test]
fn one_that_cannot_be_read_stops_everything_until_it_is_there_again() {
    let place = place(FLOW);
    place.koppel(&["check"]);
    edit(&place, "flow.lock", "version = 1", "<<<<<<< mine\nversion = 1");
    let shown = place.koppel(&["check"]);
    assert!(shown.contains("F903") && shown.ends_with("exit 1"), "{shown}");
    assert!(place.koppel(&["run", "--sandbox"]).contains("F903"));
    assert!(place.koppel(&["check", "--accept"]).ends_with("exit 0"));
}

#[test]
fn the_example_of_the_reference_is_one() {
    let page = include_str!("../../grammar/language.md");
    let block = page.split("```").find(|block| block.starts_with("toml\nversion = 1")).unwrap();
    let lock = koppel::lock::read(block.trim_start_matches("toml\n")).unwrap();
    assert_eq!((lock.number.len(), lock.write.len(), lock.read.len()), (1, 1, 1));
}

#[test]
fn an_edited_setting_or_row_within_a_number_formula_is_told() {
    let flow = FLOW.replacen(
        "create ",
        "setting letters: text = \"J\"\ntable series first {\n  of: text  => mark: text\n  \"a\"       => \"X\"\n  \
         otherwise => \"Y\"\n}\ncreate ",
        1,
    );
    let flow = flow
        .replacen("  OrNu = \"J{", "  OrNu = \"J{letters}{series(invoice.id)}{", 1)
        .replace("OrNu = \"Ja\"", "OrNu = \"JJXa\"");
    let place = place(&flow);
    let first = place.koppel(&["check"]);
    assert!(lock(&place).contains("setting letters = J"), "{first}\n{}", lock(&place));
    edit(&place, "quotes.flow", "=> \"X\"", "=> \"Z\"");
    assert!(place.koppel(&["check"]).contains("F902"));
    edit(&place, "quotes.flow", "=> \"Z\"", "=> \"X\"");
    assert!(!place.koppel(&["check"]).contains("F902"));
    edit(&place, "koppel.toml", "", "[settings.quotes]\nletters = \"K\"\n");
    assert!(place.koppel(&["check"]).contains("F902"));
}

#[test]
fn what_a_setting_in_a_row_of_a_number_formula_holds_is_told_and_not_where_it_stands() {
    let flow = FLOW.replacen(
        "create ",
        "setting home: text = \"NL\"\ntable series first {\n  of: text  => mark: text\n  home      => \"X\"\n  \
         otherwise => \"Y\"\n}\ncreate ",
        1,
    );
    let flow = flow
        .replacen("  OrNu = \"J{", "  OrNu = \"J{series(invoice.id)}{", 1)
        .replace("OrNu = \"Ja\"", "OrNu = \"JYa\"");
    let place = place(&flow);
    assert!(place.koppel(&["check"]).ends_with("exit 0"));
    edit(&place, "quotes.flow", "setting home", "setting more: text = \"1\"\nsetting home");
    let shown = place.koppel(&["check"]);
    assert!(!shown.contains("F902"), "{shown}");
    edit(&place, "koppel.toml", "", "[settings.quotes]\nhome = \"BE\"\n");
    let shown = place.koppel(&["check"]);
    assert!(shown.contains("F902"), "{shown}");
}
