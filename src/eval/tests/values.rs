//! Values: blanks, lengths, masks, tables, money.

use super::*;
use crate::{
    check::typed::*,
    plan::sample::*,
    schema::{Kind, Ty},
    syntax::tree::BinaryOp,
    value::{Currency, Money, Verdict},
};

/// The text and the masked text of a hold that prints a value.
fn told(make: impl FnOnce(&mut Sample) -> (Expr, bool), invoice: &Record) -> (String, String) {
    let mut s = Sample::new();
    let (value, private) = make(&mut s);
    let told = Message { parts: vec![MessagePart::Hole { value, private }], span: span() };
    s.stmt(Stmt::Guard(Guard { verdict: Verdict::Hold, when: None, message: told, settings_only: false }));
    let decision = decide(&s.plan(), invoice, &Held::default());
    (reason(&decision).text.to_string(), reason(&decision).masked.to_string())
}

#[test]
fn personal_values_are_masked_and_blanks_are_told() {
    let invoice = record(&[("name", Value::text("Jansen"))]);
    assert_eq!(told(|s| (s.invoice("name"), true), &invoice), ("Jansen".into(), "•••".into()));
    assert_eq!(told(|s| (s.invoice("name"), true), &record(&[])), ("(blank)".into(), "(blank)".into()));
}

#[test]
fn percentages_and_sets_of_words_print_by_their_type() {
    let fraction = Value::Decimal("0.210".parse().unwrap());
    assert_eq!(told(|_| (expr(ExprKind::Const(fraction), ty(Kind::Percent)), false), &record(&[])).0, "21%");
    let words = list(vec![Value::text("sent"), Value::text("late")]);
    let field = |s: &mut Sample| (field_of(var(s.record), "list", ty(Kind::Words(Arc::from([])))), false);
    assert_eq!(told(field, &record(&[("list", words)])).0, "late", "the narrowest");
}

#[test]
fn a_text_too_long_for_its_name_is_held_with_the_way_out() {
    let mut s = Sample::new();
    let value = s.invoice("name");
    let (name, mut stmt) = s.let_("name", value);
    if let Stmt::Let(line) = &mut stmt {
        line.max = Some(5);
    }
    s.stmt(stmt);
    s.guard(Verdict::Skip, Some(is(var(name), text("x"))), "x");
    let plan = s.plan();
    let decision = decide(&plan, &record(&[("name", Value::text("Bakkerij"))]), &Held::default());
    assert!(matches!(decision.outcome, Outcome::Hold(_)));
    assert_eq!(
        &*reason(&decision).text,
        "`name` takes 5 characters, and this value has 8: shorten it, for example with first_chars(…, 5)"
    );
    let decision = decide(&plan, &record(&[("name", Value::text("ëëëëë"))]), &Held::default());
    assert!(writes(&decision).is_empty(), "characters count, not bytes");
}

#[test]
fn amounts_of_different_currencies_fail_the_record_with_both() {
    let mut s = Sample::new();
    let total = field_of(var(s.record), "total", ty(Kind::Money));
    let sum = binary(BinaryOp::Add, total, eur("1.00"));
    s.guard(Verdict::Hold, Some(is(sum, eur("0"))), "zero");
    let dollars = Money { amount: "5".parse().unwrap(), currency: Currency::parse("USD").unwrap() };
    let decision = decide(&s.plan(), &record(&[("total", Value::Money(dollars))]), &Held::default());
    assert!(matches!(decision.outcome, Outcome::Fail(_)));
    assert_eq!(&*reason(&decision).text, "USD 5.00 and EUR 1.00 are amounts of different currencies");
}

#[test]
fn blanks_lift_and_count_as_no() {
    let mut s = Sample::new();
    let upper = call("upper", vec![s.invoice("name")], opt(Kind::Text));
    s.guard(Verdict::Hold, Some(is_not(upper, blank())), "lifted wrongly");
    let flag = || field_of(blank(), "Blocked", opt(Kind::Bool));
    s.guard(Verdict::Hold, Some(or(flag(), and(yes(true), flag()))), "blank is no yes");
    s.guard(Verdict::Skip, Some(not(flag())), "not blank is yes");
    assert_eq!(&*reason(&decide(&s.plan(), &record(&[]), &Held::default())).text, "not blank is yes");
}

fn rates(s: &mut Sample, rows: Vec<(Vec<Cell>, RowResult)>, otherwise: Option<RowResult>) -> TableId {
    let code = s.var("code");
    let rows = rows.into_iter().map(|(cells, result)| Row { cells, result, span: span() }).collect();
    s.table(Table {
        name: "rates".into(),
        first: false,
        inputs: vec![("code".into(), ty(Kind::Text))],
        results: vec![("unit".into(), ty(Kind::Text)), ("days".into(), ty(Kind::Int))],
        rows,
        otherwise,
        params: vec![code],
        span: span(),
    })
}

fn exact(code: &str) -> Vec<Cell> {
    vec![Cell::In(vec![Value::text(code)])]
}

#[test]
fn a_table_gives_one_of_its_results_and_holds_where_it_has_no_row_or_several() {
    let mut s = Sample::new();
    let row = |unit: &str, days| RowResult::Values(vec![text(unit), int(days)]);
    let rows = vec![(exact("A"), row("STK", 1)), (exact("B"), row("UUR", 2)), (exact("B"), row("DAG", 3))];
    let table = rates(&mut s, rows, None);
    let looked_up = expr(ExprKind::Table(table, vec![s.invoice("number")]), Ty::any());
    s.guard(Verdict::Skip, Some(is(field_of(looked_up, "days", ty(Kind::Int)), int(1))), "one day");
    let plan = s.plan();
    let with = |number: &str| decide(&plan, &record(&[("number", Value::text(number))]), &Held::default());
    assert_eq!(&*reason(&with("A")).text, "one day");
    assert_eq!(&*reason(&with("C")).text, "table `rates` has no row for code \"C\"");
    assert_eq!(&*reason(&with("C")).masked, "table `rates` has no row for code \"•••\"");
    assert!(reason(&with("B")).text.starts_with("2 rows of table `rates` fit code \"B\" (sample.flow:"));
}

#[test]
fn the_rest_of_a_table_may_name_its_inputs() {
    let mut s = Sample::new();
    let otherwise = |s: &Sample| {
        let value = var(VarId(u32::try_from(s.program.vars.len()).unwrap()));
        let parts = vec![MessagePart::Chars("no rate for ".into()), MessagePart::Hole { value, private: false }];
        RowResult::Outcome(Verdict::Hold, Message { parts, span: span() })
    };
    let otherwise = otherwise(&s);
    let table = rates(&mut s, vec![(exact("A"), RowResult::Values(vec![text("STK"), int(1)]))], Some(otherwise));
    let looked_up = expr(ExprKind::Table(table, vec![s.invoice("number")]), Ty::any());
    s.guard(Verdict::Skip, Some(is(field_of(looked_up, "unit", ty(Kind::Text)), text("STK"))), "stuk");
    let decision = decide(&s.plan(), &record(&[("number", Value::text("Z"))]), &Held::default());
    assert_eq!(&*reason(&decision).text, "no rate for Z");
}

#[test]
fn a_function_within_itself_keeps_its_parameters_apart() {
    let mut s = Sample::new();
    let param = s.var("x");
    let inner = s.var("half");
    let lines = vec![
        Line::Let(Let { var: inner, value: binary(BinaryOp::Add, var(param), int(1)), max: None, span: span() }),
        line("sum", binary(BinaryOp::Add, var(inner), var(param))),
    ];
    let body = expr(ExprKind::Record(Box::new(RecordExpr { lines, object: object("", &[]) })), Ty::any());
    let define = s.define(vec![param], body);
    let once = |arg| field_of(expr(ExprKind::Define(define, vec![arg]), Ty::any()), "sum", ty(Kind::Int));
    let limit = field_of(var(s.record), "limit", ty(Kind::Int));
    // f(x) = 2x + 1, so f(f(3)) is 15.
    s.guard(Verdict::Skip, Some(is(once(once(limit)), int(15))), "fifteen");
    assert_eq!(&*reason(&decide(&s.plan(), &record(&[("limit", Value::Int(3))]), &Held::default())).text, "fifteen");
}

#[test]
fn rounding_a_percentage_counts_its_points() {
    let mut s = Sample::new();
    let fraction = field_of(var(s.record), "limit", ty(Kind::Percent));
    let rounded = call("round", vec![fraction, int(0)], ty(Kind::Percent));
    let quarter = Value::Decimal("0.14".parse().unwrap());
    s.guard(Verdict::Skip, Some(is(rounded, expr(ExprKind::Const(quarter), ty(Kind::Percent)))), "14%");
    let invoice = record(&[("limit", Value::Decimal("0.1449".parse().unwrap()))]);
    assert_eq!(&*reason(&decide(&s.plan(), &invoice, &Held::default())).text, "14%");
}

#[test]
fn an_expect_sees_the_names_of_the_flow() {
    let mut s = Sample::new();
    let number = s.invoice("number");
    let (ours, stmt) = s.let_("ours", holes(vec![TextPart::Chars("J".into()), TextPart::Hole(number)]));
    s.stmt(stmt);
    let write = s.write("sale", "OrNu", vec![target(&sales(), None, vec![line("OrNu", var(ours))])]);
    let sale = write.var;
    s.stmt(Stmt::Write(write));
    let holds = is(var(sale), text("J7"));
    s.program.tests.push(Test {
        name: "t".into(),
        givens: Vec::new(),
        expects: vec![Expect { kind: ExpectKind::Holds(holds.clone()), span: span() }],
        span: span(),
    });
    let plan = s.plan();
    let (reads, confirmed) = (Reads::default(), BTreeMap::new());
    let moment = Moment { today: "2026-01-15".parse().unwrap(), confirmed: &confirmed, left: &NothingLeft };
    let invoice = record(&[("number", Value::text("7"))]);
    assert_eq!(super::super::evaluate(&plan, &holds, Some(&invoice), &reads, moment), Ok(Value::Bool(true)));
}

#[test]
fn the_content_of_a_record_is_what_the_plan_reads_without_the_stamp() {
    let mut s = Sample::new();
    let source = s.program.source.as_mut().unwrap();
    source.since = Since::Field { path: "date".into(), overlap: 0 };
    let count = call("count", vec![lines_of(s.record)], ty(Kind::Int));
    s.guard(Verdict::Hold, Some(is(count, int(3))), "three");
    let plan = s.plan();
    let lines = list(vec![Value::Int(1)]);
    let invoice = record(&[("id", Value::text("7")), ("date", Value::text("d")), ("line_items", lines.clone())]);
    let paths = plan.source.as_ref().unwrap().content();
    let content: Vec<_> = paths.into_iter().map(|path| (path.clone(), invoice.path(&path).clone())).collect();
    assert_eq!(content, [("id".into(), Value::text("7")), ("line_items".into(), lines)]);
}
