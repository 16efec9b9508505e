//! What a plan holds: fields that are read, filters, what settings close.

use std::sync::Arc;

use super::{sample::*, *};
use crate::{
    check::typed::*,
    schema::{Kind, Ty},
    syntax::tree::{BinaryOp, FindMode},
    value::{Compare, Verdict},
};

fn fields_of(plan: &Plan, entity: &str) -> Vec<String> {
    let read = plan.lowered.reads.iter().find(|read| &*read.name.entity == entity).unwrap();
    read.fields.get().unwrap().iter().map(ToString::to_string).collect()
}

fn source_fields(plan: &Plan) -> Vec<&str> {
    plan.source.as_ref().unwrap().fields.iter().map(|path| &**path).collect()
}

#[test]
fn only_fields_that_the_flow_looks_at_are_read() {
    let mut s = Sample::new();
    // A record given whole to a function is followed into it.
    let param = s.var("customer");
    let body = field(var(param), "name");
    let define = s.define(vec![param], body);
    let name = expr(ExprKind::Define(define, vec![var(s.record)]), Ty::any());
    s.guard(Verdict::Hold, Some(is(name, text("x"))), "by name");
    let of_email = s.invoice("email");
    let search = s.search(&debtors(), |row| is(field(var(row), "Email"), of_email));
    let (debtor, find) = s.find("debtor", search, FindMode::One);
    s.stmt(find);
    s.guard(Verdict::Hold, Some(field_of(var(debtor), "Blocked", opt(Kind::Bool))), "blocked");
    // Never used, so never read.
    let unused = s.invoice("remarks");
    let (_, unused) = s.let_("unused", unused);
    s.stmt(unused);
    let plan = s.plan();
    assert_eq!(source_fields(&plan), ["email", "id", "name"]);
    assert_eq!(fields_of(&plan, "Profit_Debtor"), ["Blocked", "DebtorId", "Email"], "the key tells rows apart");
}

#[test]
fn a_list_is_read_by_the_fields_of_its_elements() {
    let mut s = Sample::new();
    let element = s.var("line");
    let comprehension = expr(
        ExprKind::Comprehension {
            item: Box::new(field_of(var(element), "amount", opt(Kind::Money))),
            var: element,
            list: Box::new(lines_of(s.record)),
            when: None,
        },
        Ty::list(opt(Kind::Money)),
    );
    let total = call("sum", vec![comprehension], ty(Kind::Money));
    s.guard(Verdict::Hold, Some(is(total, eur("0"))), "nothing");
    let through = field_of(lines_of(s.record), "code", Ty::list(opt(Kind::Text)));
    let codes = call("count", vec![through], ty(Kind::Int));
    s.guard(Verdict::Hold, Some(is(codes, int(0))), "none");
    assert_eq!(source_fields(&s.plan()), ["id", "line_items.amount", "line_items.code"]);
}

#[test]
fn a_list_that_is_only_counted_is_read_whole_unless_a_field_of_it_is_read_anyway() {
    let mut s = Sample::new();
    let count = call("count", vec![lines_of(s.record)], ty(Kind::Int));
    s.guard(Verdict::Hold, Some(is(count, int(0))), "none");
    assert_eq!(source_fields(&s.plan()), ["id", "line_items"]);
}

#[test]
fn what_a_setting_closes_reads_nothing() {
    let mut s = Sample::new();
    let document = s.setting("document", Some(Value::text("order")));
    let looks = s.invoice("name");
    s.guard(Verdict::Hold, Some(and(is(document.clone(), text("entry")), is(looks, text("x")))), "never");
    let element = s.invoice("remarks");
    let chosen = choose(vec![(is(document, text("order")), s.invoice("number"))], Some(element));
    s.guard(Verdict::Hold, Some(is(chosen, blank())), "no number");
    let plan = s.plan();
    assert_eq!(source_fields(&plan), ["id", "number"]);
    assert_eq!(plan.lowered.guards.len(), 1);
}

#[test]
fn the_source_is_asked_with_settings_filled_in_and_the_rest_is_left_to_the_record() {
    let mut s = Sample::new();
    let statuses = s.setting("statuses", Some(list(vec![Value::text("sent"), Value::text("paid")])));
    let words = |row| field_of(var(row), "list", ty(Kind::Words(Arc::from([]))));
    let amount = |row| field_of(var(row), "total", ty(Kind::Money));
    let first = binary(BinaryOp::In, words(s.record), statuses);
    let second = binary(BinaryOp::Compare(Compare::Greater), eur("5.00"), amount(s.record));
    let both = is(field(var(s.record), "name"), field(var(s.record), "number"));
    s.program.source.as_mut().unwrap().condition = Some(and(and(first, second), both));
    let plan = s.plan();
    let source = plan.source.as_ref().unwrap();
    let sent = Filter::In("list".into(), [Value::text("sent"), Value::text("paid")].into());
    let below = Filter::Compares("total".into(), Compare::Less, Value::eur("5.00".parse().unwrap()));
    assert_eq!(source.filter, Filter::And(vec![sent, below]));
    assert!(plan.lowered.source_residual.is_some());
    assert_eq!(source_fields(&plan), ["id", "list", "name", "number", "total"]);
}

#[test]
fn a_setting_without_a_value_is_told_by_its_owner_and_name() {
    let mut s = Sample::new();
    s.setting("start", None);
    let errors = s.try_plan().unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].to_string(), "setting `start` of `sample` has no value");
    assert_eq!(errors[0].diagnostic().code, "F111");
}

#[test]
fn a_fail_of_settings_only_is_told_when_the_plan_is_made() {
    let mut s = Sample::new();
    let stock = s.setting("stock", Some(Value::text("deliver")));
    let mut stop = guard(Verdict::Fail, Some(is(stock, text("deliver"))), "this needs another document");
    stop.settings_only = true;
    s.stmt(Stmt::Guard(stop));
    let errors = s.try_plan().unwrap_err();
    assert_eq!(errors[0].to_string(), "this needs another document");
    assert_eq!(errors[0].diagnostic().code, "F116");
}

#[test]
fn what_a_plan_creates_is_listed_with_what_shows_it() {
    let mut s = Sample::new();
    let number = s.invoice("number");
    let write = s.write("sale", "OrNu", vec![target(&sales(), None, vec![line("RfCs", number)])]);
    s.stmt(Stmt::Write(write));
    let names: Vec<String> = s.plan().creates.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["afas.FbSales", "afas.Profit_Salesorders"]);
}

#[test]
fn constants_are_worked_out_for_tests_and_libraries() {
    let mut s = Sample::new();
    let param = s.var("x");
    let doubled = binary(BinaryOp::Add, var(param), var(param));
    let define = s.define(vec![param], doubled);
    let four = expr(ExprKind::Define(define, vec![int(2)]), ty(Kind::Int));
    let today = "2026-01-15".parse().unwrap();
    assert_eq!(evaluate_constant(&s.program, &s.values, today, &four), Ok(Value::Int(4)));
    let needs_record = s.invoice("number");
    assert!(evaluate_constant(&s.program, &s.values, today, &needs_record).is_err());
    let over = binary(BinaryOp::Divide, int(1), int(0));
    assert_eq!(evaluate_constant(&s.program, &s.values, today, &over), Err("1 cannot be divided by 0".to_owned()));
}
