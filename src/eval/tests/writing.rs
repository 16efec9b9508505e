//! Writes: targets, fields, keys, names.

use super::*;
use crate::{
    check::typed::*,
    plan::sample::*,
    schema::{Kind, Ty},
    syntax::tree::PolicyKind,
    value::{Fields, Node, Verdict},
};

fn fields(of: &[(&str, Node)]) -> Fields {
    Fields(of.iter().map(|(name, node)| ((*name).into(), node.clone())).collect())
}

fn value(text: &str) -> Node {
    Node::Value(Value::text(text))
}

#[test]
fn blanks_are_left_out_objects_of_one_name_are_one_and_line_objects_add_up() {
    let mut s = Sample::new();
    let (a, b) = (s.var("a"), s.var("b"));
    let number = s.invoice("number");
    let code = |of| field(var(of), "code");
    let lines = vec![
        line("OrNu", number),
        line("War", blank()),
        inside("Adr", vec![line("Street", text("Dam"))]),
        each_line("Lines", a, lines_of(s.record), None, vec![line("ItCd", code(a))]),
        inside("Adr", vec![line("City", text("Amsterdam"))]),
        inside("Empty", vec![line("Nothing", blank())]),
        each_line("Lines", b, lines_of(s.record), Some(is(code(b), text("B"))), vec![line("ItCd", text("again"))]),
    ];
    let write = s.write("sale", "OrNu", vec![target(&sales(), None, lines)]);
    s.stmt(Stmt::Write(write));
    let rows = ["A", "", "B"].map(|code| Value::Record(record(&[("code", Value::text(code))])));
    let invoice = record(&[("number", Value::text("J1")), ("line_items", list(rows.to_vec()))]);
    let decision = decide(&s.plan(), &invoice, &Held::default());
    let [write] = writes(&decision) else { panic!("one write") };
    let address = fields(&[("Street", value("Dam")), ("City", value("Amsterdam"))]);
    let items = ["A", "B", "again"].map(|code| fields(&[("ItCd", value(code))]));
    assert_eq!(
        write.fields,
        fields(&[("OrNu", value("J1")), ("Adr", Node::Object(address)), ("Lines", Node::List(items.to_vec()))])
    );
    assert_eq!((write.own_number.as_deref(), &*write.name), (Some("J1"), "sale"));
}

#[test]
fn the_first_target_that_applies_is_written_and_policies_keep_their_lines() {
    let mut s = Sample::new();
    let private = s.invoice("name");
    let mut on_update = line("Only", text("update"));
    if let Line::Field(line) = &mut on_update {
        line.policy = Some(PolicyKind::OnUpdate);
    }
    let mut on_create = line("Both", text("create"));
    if let Line::Field(line) = &mut on_create {
        line.policy = Some(PolicyKind::OnCreate);
    }
    let first = target(&organisations(), Some(is(private, blank())), vec![]);
    let write = s.write("w", "DbId", vec![first, target(&sales(), None, vec![on_update, on_create])]);
    s.stmt(Stmt::Write(write));
    let decision = decide(&s.plan(), &record(&[("name", Value::text("x"))]), &Held::default());
    let [write] = writes(&decision) else { panic!("one write") };
    assert_eq!(&*write.entity.entity, "FbSales");
    assert_eq!(write.fields, fields(&[("Both", value("create"))]));
}

#[test]
fn a_key_that_is_still_to_come_is_a_promise_that_a_later_write_needs() {
    let mut s = Sample::new();
    let customer = s.write("customer", "DbId", vec![target(&organisations(), None, vec![line("Nm", text("x"))])]);
    let key = customer.var;
    s.stmt(Stmt::Write(customer));
    let sale =
        s.write("sale", "OrNu", vec![target(&sales(), None, vec![line("DbId", var(key)), line("RfCs", text("7"))])]);
    s.stmt(Stmt::Write(sale));
    let plan = s.plan();
    let decision = decide(&plan, &record(&[]), &Held::default());
    let [_, sale] = writes(&decision) else { panic!("two writes") };
    assert_eq!(sale.fields.value("DbId"), Some(&Value::Key("customer".into())));
    assert_eq!(sale.needs, ["customer".into()]);
    assert_eq!(sale.reference.as_deref(), Some("7"));
    // Confirmed: it is passed over, and its key is known.
    let (decision, _) = decide_in_rounds(&plan, &record(&[]), &Held::default(), &[("customer", Value::text("10"))]);
    let [sale] = writes(&decision) else { panic!("one write") };
    assert_eq!(sale.fields.value("DbId"), Some(&Value::text("10")));
    assert!(sale.needs.is_empty());
}

#[test]
fn confirmed_names_that_the_flow_still_comes_to_are_told_apart_from_others() {
    let mut s = Sample::new();
    let write = s.write("sale", "OrNu", vec![target(&sales(), None, vec![line("OrNu", text("1"))])]);
    s.stmt(Stmt::Write(write));
    let confirmed = BTreeMap::from([("sale".into(), Value::text("1")), ("old_name".into(), Value::text("2"))]);
    let moment = Moment { today: "2026-01-15".parse().unwrap(), confirmed: &confirmed, left: &NothingLeft };
    let passed = super::super::passed_over(&s.plan(), "", &record(&[]), &Reads::default(), moment);
    assert_eq!(passed.into_iter().collect::<Vec<_>>(), ["sale".into()]);
}

#[test]
fn a_promised_key_in_a_text_fails_the_record_and_never_reaches_a_target() {
    let mut s = Sample::new();
    let customer = s.write("customer", "DbId", vec![target(&organisations(), None, vec![line("Nm", text("x"))])]);
    let key = customer.var;
    s.stmt(Stmt::Write(customer));
    let inside = holes(vec![TextPart::Chars("debtor ".into()), TextPart::Hole(var(key))]);
    let sale = s.write("sale", "OrNu", vec![target(&sales(), None, vec![line("RfCs", inside)])]);
    s.stmt(Stmt::Write(sale));
    let decision = decide(&s.plan(), &record(&[]), &Held::default());
    assert!(matches!(&decision.outcome, Outcome::Fail(reason) if reason.text.contains("key of customer")));
}

#[test]
fn writes_of_a_loop_are_named_by_the_position_in_the_whole_list() {
    let mut s = Sample::new();
    let element = s.var("line");
    let code = field(var(element), "code");
    let (kept, stmt) = s.let_("kept", code.clone());
    let write = s.write("move", "OrNu", vec![target(&sales(), None, vec![line("RfCs", var(kept))])]);
    let each = Each {
        var: element,
        list: lines_of(s.record),
        when: Some(is_not(code, text("B"))),
        body: vec![stmt, Stmt::Write(write)],
    };
    s.stmt(Stmt::Each(each));
    let rows = ["A", "B", "C"].map(|code| Value::Record(record(&[("code", Value::text(code))])));
    let decision = decide(&s.plan(), &record(&[("line_items", list(rows.to_vec()))]), &Held::default());
    let names: Vec<(&str, Option<&str>)> =
        writes(&decision).iter().map(|write| (&*write.name, write.reference.as_deref())).collect();
    assert_eq!(names, [("move#1", Some("A")), ("move#3", Some("C"))]);
}

#[test]
fn a_guard_in_a_block_counts_only_when_the_block_applies() {
    let mut s = Sample::new();
    let stop = Line::Guard(guard(Verdict::Hold, None, "inside"));
    let name = s.invoice("name");
    let write = s.write("sale", "OrNu", vec![target(&sales(), Some(is(name, text("x"))), vec![stop])]);
    s.stmt(Stmt::Write(write));
    let plan = s.plan();
    assert!(writes(&decide(&plan, &record(&[]), &Held::default())).is_empty());
    let decision = decide(&plan, &record(&[("name", Value::text("x"))]), &Held::default());
    assert_eq!(&*reason(&decision).text, "inside");
}

#[test]
fn a_value_too_long_for_its_field_is_held_by_field_and_length() {
    let mut s = Sample::new();
    let name = s.invoice("name");
    let mut long = line("Nm", name);
    if let Line::Field(line) = &mut long {
        line.max = Some(3);
    }
    let write = s.write("sale", "OrNu", vec![target(&sales(), None, vec![long])]);
    s.stmt(Stmt::Write(write));
    let decision = decide(&s.plan(), &record(&[("name", Value::text("Jansen"))]), &Held::default());
    assert!(matches!(&decision.outcome, Outcome::Hold(reason) if reason.text.contains("`Nm` takes 3 characters")));
    assert!(!reason(&decision).text.contains("Jansen"));
}

#[test]
fn a_list_of_records_becomes_lines() {
    let mut s = Sample::new();
    let (element, part) = (s.var("line"), s.var("part"));
    let made = RecordExpr { lines: vec![line("account", field(var(element), "code"))], object: object("", &[]) };
    let rows = expr(
        ExprKind::Rows { var: element, list: Box::new(lines_of(s.record)), when: None, record: Box::new(made) },
        Ty::list(ty(Kind::Record(object("", &[])))),
    );
    let (rows, stmt) = s.let_("rows", rows);
    s.stmt(stmt);
    let lines = vec![each_line("Lines", part, var(rows), None, vec![line("AcNr", field(var(part), "account"))])];
    let write = s.write("entry", "OrNu", vec![target(&sales(), None, lines)]);
    s.stmt(Stmt::Write(write));
    let rows = ["8000", "8010"].map(|code| Value::Record(record(&[("code", Value::text(code))])));
    let plan = s.plan();
    assert_eq!(plan.source.as_ref().unwrap().fields.to_vec(), ["id".into(), "line_items.code".into()]);
    let decision = decide(&plan, &record(&[("line_items", list(rows.to_vec()))]), &Held::default());
    let [write] = writes(&decision) else { panic!("one write") };
    let expected = ["8000", "8010"].map(|account| fields(&[("AcNr", value(account))]));
    assert_eq!(write.fields, fields(&[("Lines", Node::List(expected.to_vec()))]));
}
