//! The outcome is that of reading the file downwards.

use super::*;
use crate::{
    check::typed::*,
    plan::sample::*,
    schema::{Kind, Ty},
    syntax::tree::{BinaryOp, FindMode},
    value::Verdict,
};

#[test]
fn the_first_outcome_that_is_reached_counts_and_warnings_before_it_are_kept() {
    let mut s = Sample::new();
    s.guard(Verdict::Warn, None, "first a word");
    let email = s.invoice("email");
    s.guard(Verdict::Hold, Some(is(email, blank())), "no e-mail");
    s.guard(Verdict::Fail, None, "never reached");
    let plan = s.plan();
    let decision = decide(&plan, &record(&[]), &Held::default());
    assert!(matches!(decision.outcome, Outcome::Hold(_)));
    assert_eq!(&*reason(&decision).text, "no e-mail");
    assert_eq!(decision.warnings.len(), 1);
    let decision = decide(&plan, &record(&[("email", Value::text("a@b.nl"))]), &Held::default());
    assert_eq!(&*reason(&decision).text, "never reached");
}

#[test]
fn a_skip_takes_its_warnings_with_it() {
    let mut s = Sample::new();
    s.guard(Verdict::Warn, None, "a word");
    s.guard(Verdict::Skip, None, "nothing to do");
    let decision = decide(&s.plan(), &record(&[]), &Held::default());
    assert!(matches!(decision.outcome, Outcome::Skip(_)) && decision.warnings.is_empty());
}

#[test]
fn a_let_that_nobody_uses_does_no_harm_and_one_that_is_used_ends_the_record_there() {
    let mut s = Sample::new();
    let email = s.invoice("email");
    let (email, stmt) = s.let_("email", must(email, "email"));
    s.stmt(stmt);
    let number = s.invoice("number");
    s.guard(Verdict::Skip, Some(is(number, text("2"))), "number 2");
    s.guard(Verdict::Hold, Some(is(var(email), text("x"))), "x");
    let plan = s.plan();
    let decision = decide(&plan, &record(&[("number", Value::text("2"))]), &Held::default());
    assert_eq!(&*reason(&decision).text, "number 2");
    let decision = decide(&plan, &record(&[]), &Held::default());
    assert!(matches!(decision.outcome, Outcome::Fail(_)));
    assert_eq!(&*reason(&decision).text, "`email` is blank, and it is needed here");
    assert!(reason(&decision).place.starts_with("sample.flow:"));
}

#[test]
fn guards_of_column_0_come_before_writes_that_stand_above_them() {
    let mut s = Sample::new();
    let failing = line("OrNu", ends(Verdict::Fail, "in the write"));
    let write = s.write("sale", "OrNu", vec![target(&sales(), None, vec![failing])]);
    s.stmt(Stmt::Write(write));
    s.guard(Verdict::Hold, None, "below");
    assert_eq!(&*reason(&decide(&s.plan(), &record(&[]), &Held::default())).text, "below");
}

#[test]
fn two_reads_that_hang_on_nothing_are_asked_together_and_one_behind_an_open_when_is_not() {
    let mut s = Sample::new();
    let number = s.invoice("number");
    let there = s.search(&salesorders(), |row| is(field(var(row), "CustomerReference"), number));
    s.guard(Verdict::Skip, Some(exists(there)), "already there");
    let email = s.invoice("email");
    let by_email = s.search(&debtors(), |row| is(field(var(row), "Email"), email));
    let (debtor, stmt) = s.find("debtor", by_email, FindMode::One);
    s.stmt(stmt);
    let code = s.invoice("remarks");
    let behind = s.search(&articles(), |row| is(field(var(row), "ItemCode"), code));
    let blocked = field_of(var(debtor), "Blocked", opt(Kind::Bool));
    s.guard(Verdict::Hold, Some(and(blocked, exists(behind))), "blocked");
    let plan = s.plan();
    let invoice =
        record(&[("number", Value::text("1")), ("email", Value::text("a@b.nl")), ("remarks", Value::text("ADV"))]);
    let (decision, rounds) = decide_in_rounds(&plan, &invoice, &Held::default(), &[]);
    assert_eq!(rounds.len(), 1);
    assert_eq!(asked(&rounds[0]), ["Profit_Salesorders", "Profit_Debtor"]);
    assert!(writes(&decision).is_empty());
    let held = Held::default().with(
        "afas.Profit_Debtor",
        &[("DebtorId", Value::text("1")), ("Email", Value::text("a@b.nl")), ("Blocked", Value::Bool(true))],
    );
    let (_, rounds) = decide_in_rounds(&plan, &invoice, &held, &[]);
    assert_eq!(asked(&rounds[1]), ["Profit_Article"]);
}

#[test]
fn trouble_of_a_later_statement_counts_only_when_reading_comes_to_it() {
    let mut s = Sample::new();
    let number = s.invoice("number");
    let there = s.search(&salesorders(), |row| is(field(var(row), "CustomerReference"), number));
    s.guard(Verdict::Skip, Some(exists(there)), "already there");
    let email = s.invoice("email");
    let by_email = s.search(&debtors(), |row| is(field(var(row), "Email"), email));
    let (debtor, stmt) = s.find("debtor", by_email, FindMode::One);
    s.stmt(stmt);
    s.guard(Verdict::Hold, Some(is(field(var(debtor), "BcCo"), text("x"))), "x");
    let invoice = record(&[("number", Value::text("1")), ("email", Value::text("a@b.nl"))]);
    let twice = Held::default()
        .with("afas.Profit_Debtor", &[("DebtorId", Value::text("1")), ("Email", Value::text("a@b.nl"))])
        .with("afas.Profit_Debtor", &[("DebtorId", Value::text("2")), ("Email", Value::text("a@b.nl"))]);
    let plan = s.plan();
    let decision = decide(&plan, &invoice, &twice);
    assert_eq!(&*reason(&decision).text, "2 rows of Profit_Debtor match Email: 1, 2");
    assert!(!reason(&decision).text.contains("a@b.nl"), "never the searched value");
    let there = twice.with("afas.Profit_Salesorders", &[("CustomerReference", Value::text("1"))]);
    assert_eq!(&*reason(&decide(&plan, &invoice, &there)).text, "already there");
}

#[test]
fn a_blank_never_matches_and_asks_nothing() {
    let mut s = Sample::new();
    let email = s.invoice("email");
    let by_email = s.search(&debtors(), |row| is(field(var(row), "Email"), email));
    s.guard(Verdict::Hold, Some(exists(by_email)), "there");
    let empty =
        s.search(&debtors(), |row| and(is(field(var(row), "Email"), blank()), is(field(var(row), "BcCo"), text("7"))));
    s.guard(Verdict::Hold, Some(exists(empty)), "one without e-mail");
    let plan = s.plan();
    let held =
        Held::default().with("afas.Profit_Debtor", &[("DebtorId", Value::text("1")), ("BcCo", Value::text("7"))]);
    let (decision, rounds) = decide_in_rounds(&plan, &record(&[]), &held, &[]);
    assert_eq!(rounds.len(), 1, "only the second search asks");
    assert_eq!(&*reason(&decision).text, "one without e-mail");
}

#[test]
fn what_no_filter_can_say_is_applied_to_the_rows() {
    let mut s = Sample::new();
    let email = s.invoice("email");
    let search = s.search(&debtors(), |row| {
        let same = is(field(var(row), "BcCo"), field(var(row), "ChOfCommNr"));
        and(is(field(var(row), "Email"), email), same)
    });
    let mut search = search;
    search.by = vec![("Limit".into(), true)];
    let (debtor, stmt) = s.find("debtor", search, FindMode::First);
    s.stmt(stmt);
    let told = Message {
        parts: vec![MessagePart::Hole { value: field(var(debtor), "DebtorId"), private: false }],
        span: span(),
    };
    s.stmt(Stmt::Guard(Guard { verdict: Verdict::Hold, when: None, message: told, settings_only: false }));
    let row = |id: &str, own: Value, limit: i64| {
        [
            ("DebtorId", Value::text(id)),
            ("Email", Value::text("a@b.nl")),
            ("BcCo", own),
            ("ChOfCommNr", Value::text("9")),
            ("Limit", Value::Int(limit)),
        ]
    };
    let held = Held::default()
        .with("afas.Profit_Debtor", &row("other", Value::text("8"), 9))
        .with("afas.Profit_Debtor", &row("low", Value::text("9"), 1))
        .with("afas.Profit_Debtor", &row("high", Value::text("9"), 2));
    let decision = decide(&s.plan(), &record(&[("email", Value::text("a@b.nl"))]), &held);
    assert_eq!(&*reason(&decision).text, "high");
}

#[test]
fn find_all_gives_a_list_that_later_searches_use() {
    let mut s = Sample::new();
    let email = s.invoice("email");
    let mail = s.search(&contacts(), |row| is(field(var(row), "MailWork"), email));
    let (contacts, stmt) = s.find("contacts", mail, FindMode::All);
    s.stmt(stmt);
    let numbers = field_of(var(contacts), "OrgNumber", Ty::list(opt(Kind::Text)));
    let by_contact = s.search(&debtors(), |row| binary(BinaryOp::In, field(var(row), "BcCo"), numbers));
    s.guard(Verdict::Hold, Some(exists(by_contact)), "by contact");
    let plan = s.plan();
    let invoice = record(&[("email", Value::text("a@b.nl"))]);
    let (decision, rounds) = decide_in_rounds(&plan, &invoice, &Held::default(), &[]);
    assert_eq!(rounds.len(), 1, "no contact: nothing to ask");
    assert!(writes(&decision).is_empty());
    let held = Held::default()
        .with("afas.Profit_Contacts", &[("OrgNumber", Value::text("5")), ("MailWork", Value::text("a@b.nl"))])
        .with("afas.Profit_Debtor", &[("DebtorId", Value::text("1")), ("BcCo", Value::text("5"))]);
    assert_eq!(&*reason(&decide(&plan, &invoice, &held)).text, "by contact");
}

#[test]
fn a_record_that_the_source_would_not_have_read_is_skipped() {
    let mut s = Sample::new();
    let same = is(field(var(s.record), "name"), field(var(s.record), "number"));
    s.program.source.as_mut().unwrap().condition = Some(same);
    let plan = s.plan();
    let today = "2026-01-15".parse().unwrap();
    let out = record(&[("name", Value::text("a")), ("number", Value::text("b"))]);
    assert_eq!(super::super::admits(&plan, &out, today), Ok(false));
    assert!(matches!(decide(&plan, &out, &Held::default()).outcome, Outcome::Skip(_)));
    let read = record(&[("name", Value::text("a")), ("number", Value::text("a"))]);
    assert_eq!(super::super::admits(&plan, &read, today), Ok(true));
}
