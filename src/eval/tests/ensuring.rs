//! `ensure`: the first alternative that gives a value, and what is noted of the choice.

use super::*;
use crate::{
    check::typed::*,
    plan::sample::*,
    schema::{Kind, Ty},
    syntax::tree::{BinaryOp, FindMode},
    value::{Chosen, Verdict},
};

/// The debtor of an e-mail: the default one, found by e-mail, by a contact, or made; and an order for it.
fn debtor_flow() -> Sample {
    let mut s = Sample::new();
    let (email, coc) = (s.invoice("email"), s.invoice("coc"));
    let default = s.invoice("remarks");
    let ensure = s.ensure("debtor", |s, found| {
        let mail = s.search(&contacts(), |row| is(field(var(row), "MailWork"), email.clone()));
        let contacts = s.var("contacts");
        let mine = |row| or(is(field(var(row), "ChOfCommNr"), coc.clone()), is(coc.clone(), blank()));
        let by_email = s.search(&debtors(), |row| and(is(field(var(row), "Email"), email.clone()), mine(row)));
        let numbers = field_of(var(contacts), "OrgNumber", Ty::list(opt(Kind::Text)));
        let by_contact =
            s.search(&debtors(), |row| and(binary(BinaryOp::In, field(var(row), "BcCo"), numbers), mine(row)));
        let blocked = guard(Verdict::Hold, Some(field_of(var(found), "Blocked", opt(Kind::Bool))), "blocked");
        let create = s.write(
            "KnSalesRelationOrg",
            "DbId",
            vec![target(
                &organisations(),
                None,
                vec![inside("KnOrganisation", vec![line("EmAd", email.clone()), line("Nm", text("x"))])],
            )],
        );
        vec![
            Alternative::Take(default),
            Alternative::Guard { guard: guard(Verdict::Hold, Some(is(email, blank())), "no e-mail"), of_found: false },
            Alternative::FindRow(Find { var: contacts, search: mail, mode: FindMode::All }),
            Alternative::Find { search: by_email, first: false, gives: "DebtorId".into() },
            Alternative::Find { search: by_contact, first: false, gives: "DebtorId".into() },
            Alternative::Guard { guard: blocked, of_found: true },
            Alternative::Create(create),
        ]
    });
    let debtor = ensure.var;
    s.stmt(Stmt::Ensure(ensure));
    let sale = s.write("sale", "OrNu", vec![target(&sales(), None, vec![line("DbId", var(debtor))])]);
    s.stmt(Stmt::Write(sale));
    s
}

fn invoice(email: &str, coc: &str) -> Record {
    record(&[("email", Value::text(email)), ("coc", Value::text(coc))])
}

fn known() -> Held {
    Held::default().with(
        "afas.Profit_Debtor",
        &[("DebtorId", Value::text("10")), ("Email", Value::text("a@b.nl")), ("BcCo", Value::text("5"))],
    )
}

#[test]
fn what_is_taken_ends_it_before_anything_is_asked() {
    let taken = record(&[("remarks", Value::text("77"))]);
    let (decision, rounds) = decide_in_rounds(&debtor_flow().plan(), &taken, &known(), &[]);
    assert!(rounds.is_empty());
    assert_eq!(decision.ensured[0].chosen, Chosen::Taken);
    assert_eq!(writes(&decision)[0].fields.value("DbId"), Some(&Value::text("77")));
}

#[test]
fn a_guard_between_the_alternatives_counts_until_one_gives_a_value() {
    assert_eq!(&*reason(&decide(&debtor_flow().plan(), &record(&[]), &known())).text, "no e-mail");
}

#[test]
fn a_found_row_is_the_value_and_the_searches_are_noted() {
    let (decision, rounds) = decide_in_rounds(&debtor_flow().plan(), &invoice("a@b.nl", ""), &known(), &[]);
    assert_eq!(asked(&rounds[0]), ["Profit_Debtor", "Profit_Contacts"], "the contacts in advance");
    assert_eq!(rounds.len(), 1);
    let [ensured] = decision.ensured.as_slice() else { panic!("one ensure") };
    assert_eq!(ensured.chosen, Chosen::Found(Value::text("10")));
    assert_eq!(asked(&ensured.asks), ["Profit_Debtor"], "what the choice hangs on");
    assert_eq!((&*ensured.role, &*ensured.family), ("afas", "debtor"));
    assert_eq!(writes(&decision).len(), 1);
}

#[test]
fn a_blocked_row_is_an_outcome_and_never_a_reason_to_make_another() {
    let held = Held::default().with(
        "afas.Profit_Debtor",
        &[("DebtorId", Value::text("10")), ("Email", Value::text("a@b.nl")), ("Blocked", Value::Bool(true))],
    );
    assert_eq!(&*reason(&decide(&debtor_flow().plan(), &invoice("a@b.nl", ""), &held)).text, "blocked");
}

#[test]
fn what_is_not_found_is_made_with_its_lock_and_its_identity() {
    let decision = decide(&debtor_flow().plan(), &invoice("new@b.nl", "41"), &known());
    let [ensured] = decision.ensured.as_slice() else { panic!("one ensure") };
    assert_eq!(ensured.chosen, Chosen::Create("KnSalesRelationOrg".into()));
    assert_eq!(ensured.key, Value::text("new@b.nl"));
    let [create, sale] = writes(&decision) else { panic!("two writes") };
    assert_eq!(create.ensure.as_deref(), Some("debtor"));
    assert_eq!(sale.fields.value("DbId"), Some(&Value::Key("KnSalesRelationOrg".into())));
    assert_eq!(sale.needs, ["KnSalesRelationOrg".into()]);
    assert_eq!(asked(&ensured.asks), ["Profit_Debtor", "Profit_Contacts"]);
}

#[test]
fn a_contact_that_appears_does_not_change_what_the_thing_is() {
    let plan = debtor_flow().plan();
    let without = decide(&plan, &invoice("new@b.nl", "41"), &Held::default());
    let held = Held::default()
        .with("afas.Profit_Contacts", &[("OrgNumber", Value::text("6")), ("MailWork", Value::text("new@b.nl"))]);
    let with = decide(&plan, &invoice("new@b.nl", "41"), &held);
    assert_eq!(without.ensured[0].compared, with.ensured[0].compared);
    let other = decide(&plan, &invoice("new@b.nl", "42"), &held);
    assert_ne!(other.ensured[0].compared, with.ensured[0].compared, "another company with that e-mail");
    assert_eq!(other.ensured[0].key, with.ensured[0].key, "under the same lock");
}

#[test]
fn a_confirmed_ensure_is_passed_over_with_its_guards_and_asks() {
    let confirmed = [("debtor", Value::text("900"))];
    let (decision, rounds) = decide_in_rounds(&debtor_flow().plan(), &record(&[]), &known(), &confirmed);
    assert!(rounds.is_empty() && decision.ensured.is_empty());
    let [sale] = writes(&decision) else { panic!("the order only") };
    assert_eq!(sale.fields.value("DbId"), Some(&Value::text("900")));
}

#[test]
fn an_ensure_whose_create_is_confirmed_has_nothing_left_to_choose() {
    let confirmed = [("KnSalesRelationOrg", Value::text("900"))];
    let (decision, _) = decide_in_rounds(&debtor_flow().plan(), &invoice("new@b.nl", ""), &known(), &confirmed);
    assert!(decision.ensured.is_empty());
    let [sale] = writes(&decision) else { panic!("the order only") };
    assert_eq!(sale.fields.value("DbId"), Some(&Value::text("900")));
    assert!(sale.needs.is_empty());
}

/// An order whose lines make the items that are not there yet.
fn item_flow() -> Sample {
    let mut s = Sample::new();
    let element = s.var("line");
    let code = || field(var(element), "code");
    let ensure = s.ensure("item", |s, _| {
        let by_code = s.search(&articles(), |row| is(field(var(row), "ItemCode"), code()));
        let lines = vec![line("ItCd", code()), line("Ds", field(var(element), "description"))];
        let create = s.write("FbItemArticle", "ItCd", vec![target(&items(), None, lines)]);
        vec![Alternative::Find { search: by_code, first: false, gives: "ItemCode".into() }, Alternative::Create(create)]
    });
    let item = ensure.var;
    let lines = vec![Line::Ensure(ensure), line("ItCd", var(item))];
    let list = lines_of(s.record);
    let lines = vec![each_line("Lines", element, list, None, lines)];
    let write = s.write("sale", "OrNu", vec![target(&sales(), None, lines)]);
    s.stmt(Stmt::Write(write));
    s
}

fn lines(codes: &[&str]) -> Record {
    let rows = codes.iter().map(|code| {
        Value::Record(record(&[("code", Value::text(code)), ("description", Value::text(&format!("about {code}")))]))
    });
    record(&[("line_items", list(rows.collect()))])
}

#[test]
fn ensures_of_lines_are_asked_together_and_equal_keys_make_one_create() {
    let held = Held::default().with("afas.Profit_Article", &[("ItemCode", Value::text("A"))]);
    let (decision, rounds) = decide_in_rounds(&item_flow().plan(), &lines(&["A", "B", "C", "B"]), &held, &[]);
    assert_eq!(rounds.len(), 1);
    assert_eq!(rounds[0].len(), 3, "one for each code, all at once");
    let names: Vec<&str> = writes(&decision).iter().map(|write| &*write.name).collect();
    assert_eq!(names, ["FbItemArticle#2", "FbItemArticle#3", "sale"]);
    let chosen: Vec<(&str, Chosen)> =
        decision.ensured.iter().map(|ensured| (&*ensured.name, ensured.chosen.clone())).collect();
    assert_eq!(
        chosen,
        [
            ("item#1", Chosen::Found(Value::text("A"))),
            ("item#2", Chosen::Create("FbItemArticle#2".into())),
            ("item#3", Chosen::Create("FbItemArticle#3".into())),
            ("item#4", Chosen::Create("FbItemArticle#2".into())),
        ]
    );
    let sale = &writes(&decision)[2];
    assert_eq!(sale.needs, ["FbItemArticle#2".into(), "FbItemArticle#3".into()], "known keys are needed as well");
    let Some(crate::value::Node::List(rows)) = sale.fields.get("Lines") else { panic!("lines") };
    let codes: Vec<_> = rows.iter().filter_map(|row| row.value("ItCd").and_then(Value::as_text)).collect();
    assert_eq!(codes, ["A", "B", "C", "B"], "a key that the body sets itself is known");
}

#[test]
fn a_create_that_nothing_recognises_holds_the_record() {
    let decision = decide(&item_flow().plan(), &lines(&[""]), &Held::default());
    assert_eq!(&*reason(&decision).text, "a new item cannot be told from others: `ItCd` is blank");
}

#[test]
fn an_included_ensure_has_a_found_of_its_own_and_ends_the_outer_one() {
    let mut s = Sample::new();
    let email = s.invoice("email");
    let inner = s.ensure("inner", |s, found| {
        let by_email = s.search(&debtors(), |row| is(field(var(row), "Email"), email));
        let blocked = guard(Verdict::Hold, Some(field_of(var(found), "Blocked", opt(Kind::Bool))), "inner blocked");
        vec![
            Alternative::Find { search: by_email, first: true, gives: "DebtorId".into() },
            Alternative::Guard { guard: blocked, of_found: true },
        ]
    });
    let outer = s.ensure("debtor", |_, found| {
        let of_found = guard(Verdict::Hold, Some(is(field(var(found), "BcCo"), blank())), "outer found");
        vec![
            Alternative::Include(Box::new(inner)),
            Alternative::Guard { guard: of_found, of_found: true },
            Alternative::Guard { guard: guard(Verdict::Hold, None, "nobody"), of_found: false },
        ]
    });
    s.stmt(Stmt::Ensure(outer));
    let plan = s.plan();
    let decision = decide(&plan, &record(&[("email", Value::text("a@b.nl"))]), &known());
    assert_eq!(decision.ensured.len(), 1);
    assert_eq!(
        (&*decision.ensured[0].name, &decision.ensured[0].chosen),
        ("debtor", &Chosen::Found(Value::text("10")))
    );
    let decision = decide(&plan, &record(&[("email", Value::text("other@b.nl"))]), &known());
    assert_eq!(&*reason(&decision).text, "nobody");
}

#[test]
fn a_name_that_depends_on_the_found_row_is_worked_out_only_with_it() {
    let mut s = Sample::new();
    let email = s.invoice("email");
    let ensure = s.ensure("debtor", |s, found| {
        let relation = s.var("relation");
        let by_number = s.search(&contacts(), |row| is(field(var(row), "OrgNumber"), field(var(found), "BcCo")));
        let by_email = s.search(&debtors(), |row| is(field(var(row), "Email"), email));
        let known = guard(Verdict::Hold, Some(is_not(var(relation), blank())), "has a contact");
        vec![
            Alternative::FindRow(Find { var: relation, search: by_number, mode: FindMode::One }),
            Alternative::Find { search: by_email, first: false, gives: "DebtorId".into() },
            Alternative::Guard { guard: known, of_found: true },
            Alternative::Take(choose(vec![(is(var(relation), blank()), text("none"))], None)),
        ]
    });
    s.stmt(Stmt::Ensure(ensure));
    let plan = s.plan();
    let held = known().with("afas.Profit_Contacts", &[("ContactId", Value::Int(1)), ("OrgNumber", Value::text("5"))]);
    let (decision, rounds) = decide_in_rounds(&plan, &invoice("a@b.nl", ""), &held, &[]);
    assert_eq!(&*reason(&decision).text, "has a contact");
    assert_eq!(rounds.len(), 2);
    let decision = decide(&plan, &invoice("x@b.nl", ""), &held);
    assert_eq!(decision.ensured[0].chosen, Chosen::Taken, "without a row its line did not run, and it is blank");
}
