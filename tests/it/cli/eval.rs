//! `koppel eval`: lines of JSON in, decisions out, on the real program.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Place, config, copy};

use crate::invoices::Invoices;

/// An order of a debtor that may have to be made.
const FLOW: &str = r#"flow orders "Orders"

read invoice from jortt.invoices {
  where .invoice_status is "sent"
  since change
  key   .id
}

skip when invoice.invoice_total is 0 because "nothing to order"
hold when invoice.customer_mail_to is blank because "no e-mail on {invoice.invoice_number}"
warn when invoice.reference is blank because "no reference"

ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is invoice.customer_mail_to gives .DebtorId
  create afas.KnSalesRelationOrg gives .DbId {
    IsDb = yes
    CuId = "EUR"
    ColA = "1300"
    PaCd = "30"
    KnOrganisation {
      PadAdr   = yes
      AutoNum  = yes
      MatchOga = "Altijd nieuw toevoegen"
      Nm       = "Nieuw"
      EmAd     = invoice.customer_mail_to
    }
  }
}

create sale in afas.FbSales gives .OrNu {
  OrNu = "J{invoice.invoice_number!}"
  DbId = debtor
  RfCs = invoice.reference
  CuId = "EUR"
  Unit = 1
  Lines = each line in invoice.line_items {
    VaIt = "Artikel"
    ItCd = "ADV"
    BiUn = "STK"
    QuUn = line.quantity
    Upri = line.amount
  }
}
"#;

/// An invoice as Jortt sends it, with some fields of its own.
fn invoice(id: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","invoice_status":"sent","customer_id":"c","invoice_date":"2026-03-14","invoice_number":"{id}","invoice_total":{{"amount":"10.00","currency":"EUR"}},"line_items":[{{"description":"Advies","quantity":"2.50","amount":{{"amount":"4.00","currency":"EUR"}},"vat":{{"value":"0.21","category":null}}}}]{more}}}"#
    )
}

fn place(more: &[(&str, &str)]) -> Place {
    let place = Place::new(&[("koppel.toml", &config("orders")), ("orders.flow", FLOW)]);
    for (path, text) in more {
        place.write(path, text);
    }
    place
}

/// The project of the bench, and invoices of its generator.
fn mapping(count: usize) -> (Place, Vec<u8>) {
    let place = Place::new(&[]);
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/mapping"), place.path());
    let (mut made, mut lines) = (Invoices::new(7), Vec::new());
    (0..count).for_each(|_| made.line(&mut lines));
    fs::write(place.path().join("in.ndjson"), &lines).unwrap();
    (place, lines)
}

fn objects(lines: &[u8]) -> Vec<Value> {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn two_threads_give_the_lines_of_one_in_the_order_of_the_input() {
    let (place, given) = mapping(3_000);
    let eval = |jobs: &str| {
        let output = place.command(&["eval", "mapping", "--input", "in.ndjson", "--jobs", jobs]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let (one, two) = (eval("1"), eval("2"));
    assert!(given.len() > 20 * 256 * 1024, "{} bytes are too few to be shared out", given.len());
    let keys = |lines: &[Value], name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(keys(&objects(&one), "key"), keys(&objects(&given), "id"));
    assert!(one == two, "two threads give other lines than one");
    // The bench is about mapping: few of its records end before their write.
    let writes = objects(&one).iter().filter(|line| line["outcome"] == "write").count();
    assert!((2_850..2_970).contains(&writes), "{writes} writes");
}

#[test]
fn each_way_a_record_can_end_is_a_line() {
    let lines = [
        invoice("1", r#","customer_mail_to":"info@bakker.example","reference":"A""#),
        invoice("2", r#","customer_mail_to":"new@klant.example""#),
        invoice("3", ""),
        invoice("4", r#","customer_mail_to":"x@y.example""#).replace("10.00", "0"),
        invoice("5", "").replace("sent", "draft"),
        invoice("6", r#","customer_mail_to":"two@klant.example","reference":"A""#),
    ];
    let given = r#"{"afas": {"Profit_Debtor": [
        {"DebtorId": "10021", "Email": "info@bakker.example"},
        {"DebtorId": "7", "Email": "two@klant.example"}, {"DebtorId": "8", "Email": "two@klant.example"}]}}"#;
    let place = place(&[("in.ndjson", &lines.join("\n")), ("rows.json", given)]);
    insta::assert_snapshot!(place.koppel(&["eval", "orders", "--input", "in.ndjson", "--given", "rows.json"]));
}

#[test]
fn a_line_that_is_no_record_costs_no_other_one() {
    let mail = r#","customer_mail_to":"a@b.example","reference":"A""#;
    let wrong = invoice("3", mail).replace(r#""2.50""#, "[]");
    let lines = format!("\u{feff}{}\r\n\r\n  \n{{\"id\": \n[1]\n{wrong}\n{}", invoice("1", mail), invoice("2", mail));
    let place = place(&[("in.ndjson", &lines)]);
    let shown = place.koppel(&["eval", "orders.flow", "--input", "in.ndjson"]);
    let shown = regex::Regex::new(r#","writes":.*"#).unwrap().replace_all(&shown, " …").into_owned();
    insta::assert_snapshot!(shown, @r#"
    {"key":"1","outcome":"write" …
    {"line":4,"outcome":"error","reason":{"text":"this line ends in the middle of its JSON"}}
    {"line":5,"outcome":"error","reason":{"text":"the record should be an object, found a list"}}
    {"line":6,"outcome":"error","reason":{"text":"line_items[0].quantity should be a number, found a list"}}
    {"key":"2","outcome":"write" …
    --- stderr
    5 records: 2 write, 3 error; nothing was sent
    exit 2
    "#);
}

#[test]
fn what_turns_a_line_on_a_terminal_is_escaped_in_what_comes_out() {
    let lines = invoice("1", r#","customer_mail_to":"a@b.example","reference":"A\u202eB\u007f""#);
    let output = place(&[]).command(&["eval", "orders", "--input", "-"]).write_stdin(lines).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains(r#""RfCs":"A\u202eB\u007f""#), "{shown}");
}

#[test]
fn standard_input_is_read_and_a_long_line_is_taken_whole() {
    let long = format!(r#","customer_mail_to":"a@b.example","reference":"A","remarks":"{}""#, "x".repeat(1_500_000));
    let lines = [invoice("1", &long), invoice("2", &long.replace('x', "é"))].join("\n");
    let output = place(&[]).command(&["eval", "orders", "--input", "-"]).write_stdin(lines).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "2 records: 2 write; nothing was sent\n");
    assert_eq!(objects(&output.stdout).len(), 2);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly_while_there_may_be_more_input() {
    let (place, lines) = mapping(1_000);
    for jobs in ["1", "2"] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_koppel"));
        command.current_dir(place.path()).args(["eval", "mapping", "--input", "-", "--jobs", jobs]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let lines = lines.clone();
        // It is never told that this is all.
        let written = std::thread::spawn(move || {
            (0..4).map(|_| input.write_all(&lines)).all(|write| write.is_ok()).then_some(input)
        });
        let mut first = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.contains("\"outcome\":\"write\""), "{first}");
        let until = Instant::now() + Duration::from_secs(50);
        let code = loop {
            match child.try_wait().unwrap() {
                Some(code) => break code,
                None => assert!(Instant::now() < until, "it waits for more input"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(code.success());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(told, "");
        drop(written.join());
    }
}

#[test]
fn what_cannot_begin_is_told() {
    let place = place(&[("in.ndjson", ""), ("a.json", "[]"), ("b.json", r#"{"exact": {}}"#)]);
    place.write("c.json", r#"{"afas": {"Profit_Debtr": []}}"#);
    place.write("d.json", r#"{"afas": {"Profit_Debtor": [{"DebtorId": []}]}}"#);
    let mut all = String::new();
    for args in [
        &["order", "--input", "in.ndjson"][..],
        &["orders", "--input", "nowhere.ndjson"],
        &["orders", "--input", "in.ndjson", "--given", "a.json"],
        &["orders", "--input", "in.ndjson", "--given", "b.json"],
        &["orders", "--input", "in.ndjson", "--given", "c.json"],
        &["orders", "--input", "in.ndjson", "--given", "d.json"],
    ] {
        let shown = place.koppel(&[&["eval"], args].concat());
        write!(all, "{}\n{shown}\n\n", args.join(" ")).unwrap();
    }
    insta::assert_snapshot!(all);
    assert_eq!(
        place.koppel(&["eval", "orders", "--input", "in.ndjson"]),
        "--- stderr\n0 records; nothing was sent\nexit 0"
    );
    place.write("orders.flow", &FLOW.replace("invoice.reference", "invoice.refrence"));
    assert!(place.koppel(&["eval", "orders", "--input", "in.ndjson"]).ends_with("exit 1"));
}

#[test]
fn its_help_says_what_it_takes() {
    insta::assert_snapshot!(Place::new(&[]).koppel(&["eval", "--help"]));
}
