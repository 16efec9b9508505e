//! The tree of what is right.

use super::{WHOLE, parse, slice, tree};
use crate::{
    diagnostic::FileId,
    syntax::tree::{
        Alternative, BinaryOp, CellItem, CellKind, DefineBody, Expr, ExprKind, FindMode, GivenKind, Item, LetValue,
        Line, Literal, PolicyKind, Statement, TextPart, TypeKind,
    },
    value::{Action, Verdict},
};

/// An expression with brackets around everything.
fn shape(expr: &Expr) -> String {
    let dotted = |path: &crate::syntax::tree::Path| {
        path.names.iter().map(|name| name.text.to_string()).collect::<Vec<_>>().join(".")
    };
    match &expr.kind {
        ExprKind::Literal(Literal::Number(number)) => number.to_string(),
        ExprKind::Literal(literal) => format!("{literal:?}"),
        ExprKind::Text(text) => {
            let parts = text.parts.iter().map(|part| match part {
                TextPart::Chars(chars) => chars.to_string(),
                TextPart::Hole(hole) => format!("{{{}}}", shape(hole)),
            });
            format!("\"{}\"", parts.collect::<String>())
        }
        ExprKind::Path(path) => dotted(path),
        ExprKind::Dot(path) => format!(".{}", dotted(path)),
        ExprKind::Call(call) => {
            let args: Vec<String> = call
                .args
                .iter()
                .map(|arg| {
                    let name = arg.name.as_ref().map_or(String::new(), |name| format!("{}: ", name.text));
                    format!("{name}{}", shape(&arg.value))
                })
                .collect();
            let field = call.field.as_ref().map_or(String::new(), |field| format!(".{}", dotted(field)));
            format!("{}({}){field}", call.name.text, args.join(", "))
        }
        ExprKind::List(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(", ")),
        ExprKind::Comprehension(parts) => {
            let when = parts.when.as_ref().map_or(String::new(), |when| format!(" when {}", shape(when)));
            format!("<{} for {} in {}{when}>", shape(&parts.item), parts.name.text, shape(&parts.list))
        }
        ExprKind::Negate(inner) => format!("(-{})", shape(inner)),
        ExprKind::Not(inner) => format!("(not {})", shape(inner)),
        ExprKind::Must(inner) => format!("({}!)", shape(inner)),
        ExprKind::Binary(op, left, right) => {
            let op = match op {
                BinaryOp::Or => "or",
                BinaryOp::And => "and",
                BinaryOp::Is => "is",
                BinaryOp::IsNot => "is not",
                BinaryOp::In => "in",
                BinaryOp::NotIn => "not in",
                BinaryOp::Compare(_) => "<",
                BinaryOp::Default => "??",
                BinaryOp::Add => "+",
                BinaryOp::Subtract => "-",
                BinaryOp::Multiply => "*",
                BinaryOp::Divide => "/",
            };
            format!("({} {op} {})", shape(left), shape(right))
        }
        ExprKind::Choose(arms, last) => {
            let arms: Vec<String> =
                arms.iter().map(|arm| format!("{} when {}", shape(&arm.value), shape(&arm.when))).collect();
            let last = last.as_ref().map_or(String::new(), |last| format!(" else {}", shape(last)));
            format!("({}{last})", arms.join(" else "))
        }
        ExprKind::Outcome(verdict, text) => format!("{verdict:?} {}", text.parts.len()),
        ExprKind::Todo(_) => "todo".to_owned(),
        ExprKind::Exists(entity, condition) => format!("exists {} where {}", dotted(entity), shape(condition)),
    }
}

/// The shape of one expression.
fn shaped(text: &str) -> String {
    let file = tree(&format!("let x = {text}\n"));
    let [Item::Statement(Statement::Let(found))] = file.items.as_slice() else { panic!("{file:?}") };
    let LetValue::Expr(expr) = &found.value else { panic!("{found:?}") };
    shape(expr)
}

#[test]
fn operators_bind_as_the_language_says() {
    for (text, expected) in [
        ("not a is b and c", "((not (a is b)) and c)"),
        ("a ?? b + c * -d!", "(a ?? (b + (c * (-(d!)))))"),
        ("a ?? b is c", "((a ?? b) is c)"),
        ("a is not b", "(a is not b)"),
        ("a not in [b]", "(a not in [b])"),
        ("a - b - c", "((a - b) - c)"),
        ("a or b or c", "((a or b) or c)"),
        ("a when c else b when d else e", "(a when c else b when d else e)"),
        ("a when c or d", "(a when (c or d))"),
        ("a when c else b ?? e", "(a when c else (b ?? e))"),
        ("(a when c) ?? b", "((a when c) ?? b)"),
        ("f(x for y in z when w, or: 0).a.b", "f(<x for y in z when w>, or: 0).a.b"),
        ("[x.y for x in f(l)]", "<x.y for x in f(l)>"),
        ("sum(.n)", "sum(.n)"),
        ("[a, b,]", "[a, b]"),
        ("exists a.b where .c is d and .e", "exists a.b where ((.c is d) and .e)"),
    ] {
        assert_eq!(shaped(text), expected, "{text}");
    }
}

#[test]
fn a_line_goes_on_behind_and_before_operators() {
    assert_eq!(shaped("a +\n    b"), "(a + b)");
    assert_eq!(shaped("a\n  # a remark\n  when b\n\n  else c ??\n  d"), "(a when b else (c ?? d))");
}

#[test]
fn literals_have_their_values() {
    for (text, expected) in [
        ("1_000.50", "1000.50"),
        ("14.5%", "Percent(0.145)"),
        ("100%", "Percent(1)"),
        ("2026-02-28", "Date(2026-02-28)"),
        ("2026-07-01T10:00", "DateTime(2026-07-01T08:00:00Z)"),
        // This hour comes twice; the first of them counts.
        ("2026-10-25T02:30", "DateTime(2026-10-25T00:30:00Z)"),
        ("2 hours", "Duration(7200)"),
        ("1 month", "Duration(2592000)"),
        ("yes", "Bool(true)"),
        ("clear", "Clear"),
        ("blank", "Blank"),
        ("\"\"", "Text(\"\")"),
        (r#""a\"\\\{\}\n\t""#, r#"Text("a\"\\{}\n\t")"#),
        (r"/a\/b\d/", r#"Pattern("a/b\\d")"#),
        (r#""a{b}{c ?? "d"}e""#, r#""a{b}{(c ?? Text("d"))}e""#),
        ("`de rest`.`een veld`", "de rest.een veld"),
    ] {
        assert_eq!(shaped(text), expected, "{text}");
    }
}

#[test]
fn the_flow_with_everything_parses() {
    let file = tree(WHOLE);
    assert_eq!(file.items.len(), 35);
    let Some(Item::Flow(flow)) = file.items.first() else { panic!() };
    assert_eq!(
        flow.doc.as_deref(),
        Some("Deliveries of the shop become sales in the books.\nEvery construct of the language stands here once.")
    );
    assert_eq!(flow.title.as_deref(), Some("Deliveries become sales"));
    let [allow] = file.allows.as_slice() else { panic!("{:?}", file.allows) };
    assert_eq!(&*allow.code, "F601");
    assert!(slice(WHOLE, allow.line).starts_with("create sale") && slice(WHOLE, allow.line).ends_with('}'));
}

/// The item whose text begins like this.
fn item(beginning: &str) -> Item {
    let file = tree(WHOLE);
    let span = |item: &Item| match item {
        Item::Flow(it) => it.span,
        Item::Use(it) => it.span,
        Item::Setting(it) => it.span,
        Item::Read(it) => it.span,
        Item::Fields(it) => it.span,
        Item::Define(it) => it.span,
        Item::Table(it) => it.span,
        Item::After(it) => it.span,
        Item::Test(it) => it.span,
        Item::Statement(statement) => match statement {
            Statement::Let(it) => it.span,
            Statement::Find(it) => it.span,
            Statement::Guard(it) => it.span,
            Statement::Ensure(it) => it.span,
            Statement::Write(it) => it.span,
            Statement::Each(it) => it.span,
        },
    };
    file.items.into_iter().find(|item| slice(WHOLE, span(item)).starts_with(beginning)).unwrap()
}

#[test]
fn a_source_has_its_conditions_mark_and_key() {
    let Item::Read(read) = item("read delivery") else { panic!() };
    assert_eq!(slice(WHOLE, read.head), "read delivery from shop.deliveries");
    assert_eq!(
        read.wheres.iter().map(shape).collect::<Vec<_>>(),
        ["(.state in states)", "((.day < Date(2026-01-01)) and (not .archived))"]
    );
    let since = read.since.unwrap();
    assert_eq!((since.overlap, slice(WHOLE, since.span)), (Some(7200), "since .changed_at overlap 2 hours"));
    assert_eq!(read.key.iter().map(shape).collect::<Vec<_>>(), [".id", ".part"]);
}

#[test]
fn finds_say_how_many_and_in_which_order() {
    let Item::Statement(Statement::Find(find)) = item("find first period") else { panic!() };
    assert_eq!((find.mode, find.by.len()), (FindMode::First, 2));
    assert!(!find.by[0].descending && find.by[1].descending);
    let Item::Statement(Statement::Find(find)) = item("find all parcels") else { panic!() };
    assert_eq!(find.mode, FindMode::All);
}

#[test]
fn types_are_as_written() {
    let Item::Setting(setting) = item("setting states") else { panic!() };
    let TypeKind::List(inner) = &setting.ty.kind else { panic!("{:?}", setting.ty) };
    let TypeKind::OneOf(words) = &inner.kind else { panic!("{inner:?}") };
    assert_eq!(slice(WHOLE, inner.span), "one of \"open\", \"sent\"");
    assert_eq!(words.iter().map(|word| &*word.text).collect::<Vec<_>>(), ["open", "sent"]);
    let Item::Setting(setting) = item("setting fallback") else { panic!() };
    assert!(setting.ty.optional && setting.default.is_none());
    assert_eq!(slice(WHOLE, setting.ty.span), "afas.Profit_Debtor.DebtorId?");
}

#[test]
fn an_ensure_keeps_its_alternatives_in_order() {
    let Item::Statement(Statement::Ensure(ensure)) = item("ensure debtor") else { panic!() };
    assert_eq!(slice(WHOLE, ensure.head), "ensure debtor: text(16)");
    assert!(matches!(
        ensure.alternatives.as_slice(),
        [
            Alternative::Take(..),
            Alternative::Let(_),
            Alternative::FindRow(_),
            Alternative::Find(_),
            Alternative::Include(_),
            Alternative::Guard(_),
            Alternative::UpdateFound(Some(_), _),
            Alternative::Write(_),
            Alternative::Guard(_),
        ]
    ));
    let Alternative::Write(write) = &ensure.alternatives[7] else { panic!() };
    assert_eq!((write.action, write.targets.len(), write.name.is_none()), (Action::Create, 2, true));
}

#[test]
fn a_write_has_targets_fields_and_policies() {
    let Item::Statement(Statement::Write(write)) = item("create sale") else { panic!() };
    assert!(slice(WHOLE, write.head).ends_with("afas.FbDeliveryNote gives .OrNu"));
    assert!(write.targets[0].when.is_some() && write.targets[1].when.is_none());
    let policies: Vec<Option<PolicyKind>> = write
        .lines
        .iter()
        .filter_map(|line| match line {
            Line::Assign(assign) => Some(assign.policy.map(|policy| policy.kind)),
            _ => None,
        })
        .collect();
    assert_eq!(
        policies,
        [
            None,
            Some(PolicyKind::OnCreate),
            Some(PolicyKind::UnlessFilled),
            Some(PolicyKind::UnlessEdited),
            None,
            Some(PolicyKind::OnUpdate),
        ]
    );
    let Line::Assign(first) = &write.lines[0] else { panic!() };
    assert_eq!(slice(WHOLE, first.span), "OrNu = label");
    let Line::AssignEach(target, rows) = &write.lines[6] else { panic!("{:?}", write.lines[6]) };
    assert_eq!((slice(WHOLE, target.span), slice(WHOLE, rows.head)), ("Lines", "each line in delivery.lines"));
    let Line::Nested(nested) = &write.lines[7] else { panic!() };
    assert_eq!(slice(WHOLE, nested.head), "Contact on create when customer.attn is not blank");
}

#[test]
fn a_table_has_columns_rows_and_a_rest() {
    let Item::Table(table) = item("table rate_of") else { panic!() };
    assert_eq!((table.inputs.len(), table.results.len(), table.rows.len()), (3, 2, 3));
    let CellKind::Items { not: true, items } = &table.rows[1].cells[0].kind else { panic!() };
    assert!(matches!(items.as_slice(), [CellItem::Name(_), CellItem::Literal(..)]));
    assert!(matches!(table.rows[2].cells[0].kind, CellKind::Any));
    assert_eq!(table.otherwise.unwrap().results.len(), 2);
    let Item::Table(table) = item("table items") else { panic!() };
    assert_eq!(table.csv.unwrap().text.as_ref(), "tables/items.csv");
    let Item::Table(table) = item("table payment") else { panic!() };
    assert!(matches!(table.rows[0].results[0].kind, ExprKind::Outcome(Verdict::Fail, _)));
    let Item::Table(table) = item("table carrier") else { panic!() };
    assert!(table.first);
}

#[test]
fn a_definition_is_a_value_or_a_record() {
    let Item::Define(define) = item("define number_of") else { panic!() };
    assert!(matches!(define.body, DefineBody::Expr(_)) && define.doc.as_deref() == Some("The weight of a delivery."));
    let Item::Define(define) = item("define snapshot") else { panic!() };
    assert!(matches!(define.body, DefineBody::Record(lines) if lines.len() == 1));
}

#[test]
fn a_test_gives_and_expects() {
    let Item::Test(test) = item("test \"everything\"") else { panic!() };
    assert!(matches!(
        test.givens.iter().map(|given| &given.kind).collect::<Vec<_>>().as_slice(),
        [
            GivenKind::Value(..),
            GivenKind::Setting(..),
            GivenKind::From(_, _, Some(_)),
            GivenKind::Record(..),
            GivenKind::From(_, _, None),
            GivenKind::Empty(_),
            GivenKind::Has(..),
            GivenKind::After(..),
        ]
    ));
    assert_eq!(test.expects.len(), 8);
}

#[test]
fn places_are_bytes_of_the_text_as_it_stands() {
    let text = "\u{feff}## é\r\nlet x = \"e\u{301}{y}\"\r\nlet z = x == true\r\n";
    let (file, said) = parse(FileId(0), text);
    let [Item::Statement(Statement::Let(first)), Item::Statement(Statement::Let(_))] = file.items.as_slice() else {
        panic!("{file:?}")
    };
    assert_eq!(slice(text, first.span), "let x = \"e\u{301}{y}\"");
    assert_eq!(first.doc.as_deref(), Some("é"));
    assert_eq!(said.iter().map(|said| slice(text, said.span())).collect::<Vec<_>>(), ["==", "true"]);
}

#[test]
fn a_mended_line_is_in_the_tree_with_its_places() {
    let text = "let x = a && 'b' == c\nlet y = x\n";
    let (file, said) = parse(FileId(0), text);
    assert_eq!((said.len(), file.broken, file.items.len()), (3, false, 2));
    let Item::Statement(Statement::Let(first)) = &file.items[0] else { panic!() };
    let LetValue::Expr(expr) = &first.value else { panic!() };
    assert_eq!(shape(expr), "(a and (Text(\"b\") is c))");
    let ExprKind::Binary(_, _, right) = &expr.kind else { panic!() };
    assert_eq!(slice(text, right.span), "'b' == c");
    assert_eq!(slice(text, first.span), "let x = a && 'b' == c");
}

#[test]
fn names_of_broken_statements_are_remembered() {
    let (file, _) =
        parse(FileId(0), "lett total = 1\nuse a, b frm \"x\"\nfind all rows in a.b where\nlet fine = total\n");
    assert!(file.broken);
    assert_eq!(file.lost.iter().map(|name| &*name.text).collect::<Vec<_>>(), ["total", "a", "b", "frm", "rows"]);
}
