//! Expressions.

use std::fmt::Write as _;

use super::{
    Pair, Reader,
    literal::fixed_text,
    operators::{Node, tree},
    parts,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    syntax::{
        foreign,
        grammar::Rule,
        tree::{Arg, Arm, BinaryOp, Call, Comprehension, Expr, ExprKind, Literal, Text, TextPart},
    },
    value::Compare,
};

/// So many operands may stand in one expression: whoever walks through the tree does it by recursion.
const LONGEST: usize = 250;

/// How an expression is put together at its top, seen from the operator around it; brackets make it plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Plain,
    /// `a when b`, to which an `else` may come.
    Open,
    /// `a when b else c`
    Closed,
    And,
    Comparison,
    Default,
    /// `a + b`
    Sum,
    /// A text that was put together with `+`, and said so.
    Joined,
}

/// What was said about an expression already: one mistake, one message.
#[derive(Debug, Default)]
struct Said {
    mixed: bool,
}

impl Reader<'_> {
    /// The tree of an `expr` or `source` pair. What cannot be read is a `todo` in the tree, and has its message.
    pub(in crate::syntax) fn expr(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let lost = Expr { kind: ExprKind::Todo(None), span };
        if pair.clone().into_inner().count() > 2 * LONGEST {
            self.say(
                Diagnostic::new("F004", "this expression is too long", span)
                    .says(format!("more than {LONGEST} parts"))
                    .help("give parts of it a name with `let`"),
            );
            self.found.broken = true;
            return lost;
        }
        let Some(node) = tree(pair) else {
            self.missing(span);
            return lost;
        };
        self.node(node, &mut Said::default()).0
    }

    fn node(&mut self, node: Node<'_>, said: &mut Said) -> (Expr, Shape) {
        match node {
            Node::Operand(pair) => (self.operand(pair), Shape::Plain),
            Node::Before(operator, node) => {
                let start = self.span(&operator);
                let (inner, _) = self.node(*node, said);
                let span = start.to(inner.span);
                let kind = match operator.as_rule() {
                    Rule::op_neg => ExprKind::Negate(Box::new(inner)),
                    _ => ExprKind::Not(Box::new(inner)),
                };
                (Expr { kind, span }, Shape::Plain)
            }
            Node::Behind(node, operator) => {
                let (inner, _) = self.node(*node, said);
                let span = inner.span.to(self.span(&operator));
                (Expr { kind: ExprKind::Must(Box::new(inner)), span }, Shape::Plain)
            }
            Node::Between(left, operator, right) => {
                let place = self.span(&operator);
                let (left, left_shape) = self.node(*left, said);
                let (right, right_shape) = self.node(*right, said);
                self.between((left, left_shape), operator.as_rule(), place, (right, right_shape), said)
            }
        }
    }

    fn between(
        &mut self,
        (left, left_shape): (Expr, Shape),
        rule: Rule,
        place: Span,
        (right, right_shape): (Expr, Shape),
        said: &mut Said,
    ) -> (Expr, Shape) {
        let op = match rule {
            Rule::op_when => return self.when((left, left_shape), place, right),
            Rule::op_else => return self.otherwise_arm((left, left_shape), place, (right, right_shape)),
            Rule::op_or => {
                self.no_and_beside_or((&left, left_shape), place, (&right, right_shape), said);
                BinaryOp::Or
            }
            Rule::op_and => BinaryOp::And,
            Rule::op_default => BinaryOp::Default,
            Rule::op_add if self.is_text(&left) || self.is_text(&right) => {
                return (self.joined((left, left_shape), place, right), Shape::Joined);
            }
            Rule::op_add => BinaryOp::Add,
            Rule::op_sub => BinaryOp::Subtract,
            Rule::op_mul => BinaryOp::Multiply,
            Rule::op_div => BinaryOp::Divide,
            Rule::op_is => BinaryOp::Is,
            Rule::op_is_not => BinaryOp::IsNot,
            Rule::op_in => BinaryOp::In,
            Rule::op_not_in => BinaryOp::NotIn,
            Rule::op_lt => BinaryOp::Compare(Compare::Less),
            Rule::op_le => BinaryOp::Compare(Compare::AtMost),
            Rule::op_gt => BinaryOp::Compare(Compare::Greater),
            _ => BinaryOp::Compare(Compare::AtLeast),
        };
        let shape = match op {
            BinaryOp::And => Shape::And,
            BinaryOp::Default => Shape::Default,
            BinaryOp::Is | BinaryOp::IsNot | BinaryOp::In | BinaryOp::NotIn | BinaryOp::Compare(_) => Shape::Comparison,
            BinaryOp::Add => Shape::Sum,
            BinaryOp::Or | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => Shape::Plain,
        };
        if shape == Shape::Comparison && left_shape == Shape::Comparison {
            self.chained(&left, place, &right);
        }
        let span = left.span.to(right.span);
        (Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), span }, shape)
    }

    /// `value when condition`, the first or only arm of a choice.
    fn when(&mut self, (value, shape): (Expr, Shape), place: Span, when: Expr) -> (Expr, Shape) {
        if shape == Shape::Default {
            let brackets = format!("({})", self.written(value.span));
            self.say(
                Diagnostic::new("F009", "`??` before `when` needs brackets", value.span)
                    .says("is this one value?")
                    .help(format!("{brackets} when {}", self.written(when.span)))
                    .fix(value.span, brackets),
            );
        }
        let span = value.span.to(when.span);
        if matches!(shape, Shape::Open | Shape::Closed) {
            self.say(
                Diagnostic::new("F002", "a second `when` cannot follow the first one", place)
                    .help("join two conditions with `and`; begin the next arm with `else`"),
            );
            return (value, shape);
        }
        (Expr { kind: ExprKind::Choose(vec![Arm { value, when }], None), span }, Shape::Open)
    }

    /// `… else value`, or `… else value when condition`.
    fn otherwise_arm(
        &mut self,
        (left, shape): (Expr, Shape),
        place: Span,
        (right, next): (Expr, Shape),
    ) -> (Expr, Shape) {
        let span = left.span.to(right.span);
        let kind = left.kind;
        match (shape, kind) {
            (Shape::Open, ExprKind::Choose(mut arms, None)) => match (next, right.kind) {
                (Shape::Open, ExprKind::Choose(more, None)) => {
                    arms.extend(more);
                    (Expr { kind: ExprKind::Choose(arms, None), span }, Shape::Open)
                }
                (_, kind) => {
                    let last = Box::new(Expr { kind, span: right.span });
                    (Expr { kind: ExprKind::Choose(arms, Some(last)), span }, Shape::Closed)
                }
            },
            (Shape::Closed, kind) => {
                self.say(
                    Diagnostic::new("F114", "this `else` comes after the last value", place)
                        .says("the value before it has no `when`")
                        .help("give the value before it a condition:  … else value when condition else …"),
                );
                (Expr { kind, span }, Shape::Closed)
            }
            (_, kind) => {
                let help = format!("{} ?? {}", self.written(left.span), self.written(right.span));
                self.say(
                    Diagnostic::new("F114", "`else` without `when`; for a blank it is `??`", place)
                        .says("no `when` on its left")
                        .help(help)
                        .fix(place, "??"),
                );
                let left = Box::new(Expr { kind, span: left.span });
                let kind = ExprKind::Binary(BinaryOp::Default, left, Box::new(right));
                // More of the same chain is the same mistake, each with its own repair.
                (Expr { kind, span }, Shape::Plain)
            }
        }
    }

    fn no_and_beside_or(&mut self, left: (&Expr, Shape), place: Span, right: (&Expr, Shape), said: &mut Said) {
        let Some((side, _)) = [left, right].into_iter().find(|(_, shape)| *shape == Shape::And) else { return };
        if std::mem::replace(&mut said.mixed, true) {
            return;
        }
        let brackets = format!("({})", self.written(side.span));
        let help = if side.span == left.0.span {
            format!("{brackets} or {}", self.written(right.0.span))
        } else {
            format!("{} or {brackets}", self.written(left.0.span))
        };
        self.say(
            Diagnostic::new("F007", "`and` beside `or` needs brackets", place)
                .also(side.span, "is this one condition?")
                .help(help)
                .fix(side.span, brackets),
        );
    }

    fn chained(&mut self, left: &Expr, place: Span, right: &Expr) {
        let said = Diagnostic::new("F009", "comparisons cannot be chained", place);
        let ExprKind::Binary(_, _, middle) = &left.kind else { return };
        let (first, middle) = (self.written(left.span), self.written(middle.span));
        let text = format!("{first} and {middle} {} {}", self.written(place), self.written(right.span));
        self.say(said.says("a second comparison").help(text.clone()).fix(left.span.to(right.span), text));
    }

    /// Is it a text as written, with or without holes?
    fn is_text(&self, expr: &Expr) -> bool {
        matches!(expr.kind, ExprKind::Literal(Literal::Text(_)) | ExprKind::Text(_))
            && self.written(expr.span).starts_with('"')
            || matches!(&expr.kind, ExprKind::Text(text) if text.span != expr.span)
    }

    /// `"a" + b`, which is `"a{b}"`: said once for a whole chain.
    fn joined(&mut self, (left, shape): (Expr, Shape), place: Span, right: Expr) -> Expr {
        let span = left.span.to(right.span);
        let mut first = place;
        if shape == Shape::Joined
            && let Some(at) = self
                .found
                .diagnostics
                .iter()
                .rposition(|said| said.code == "F001" && said.fix.as_ref().is_some_and(|fix| fix.span == left.span))
        {
            first = self.found.diagnostics.remove(at).span();
        }
        let mut operands = Vec::new();
        summands(left, shape, &mut operands);
        operands.push(right);
        let mut text = String::from("\"");
        let mut parts = Vec::new();
        for operand in operands {
            let written = self.written(operand.span);
            match operand.kind {
                ExprKind::Literal(Literal::Text(chars)) => {
                    text.push_str(written.trim_matches('"'));
                    parts.push(TextPart::Chars(chars));
                }
                ExprKind::Text(inner) => {
                    for part in &inner.parts {
                        match part {
                            TextPart::Hole(hole) => {
                                let _ = write!(text, "{{{}}}", self.written(hole.span));
                            }
                            TextPart::Chars(chars) => text.push_str(&escaped(chars)),
                        }
                    }
                    parts.extend(inner.parts);
                }
                kind => {
                    let _ = write!(text, "{{{written}}}");
                    parts.push(TextPart::Hole(Expr { kind, span: operand.span }));
                }
            }
        }
        text.push('"');
        self.say(
            Diagnostic::new("F001", "texts are not added with `+`: a value stands in the text", first)
                .help(text.clone())
                .fix(span, text),
        );
        Expr { kind: ExprKind::Text(Text { parts, span: Span { end: span.start, ..span } }), span }
    }

    fn operand(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::string => {
                let text = self.text(pair);
                Some(fixed_text(&text).map_or(ExprKind::Text(text), |fixed| ExprKind::Literal(Literal::Text(fixed))))
            }
            Rule::path => Some(self.path_or_foreign(pair)),
            Rule::dot_path => Some(ExprKind::Dot(self.path(pair))),
            Rule::call => self.call(pair).map(ExprKind::Call),
            Rule::list => self.list(pair),
            Rule::paren => {
                // Brackets are not in the tree; the span keeps them, so that what is shown is what was written.
                let inner = parts(pair).maybe(Rule::expr).map(|expr| self.expr(expr));
                inner.map(|inner| inner.kind)
            }
            Rule::outcome => return self.outcome(pair).unwrap_or(Expr { kind: ExprKind::Todo(None), span }),
            Rule::todo => Some(ExprKind::Todo(parts(pair).maybe(Rule::string).map(|text| self.text(text)))),
            Rule::exists => {
                let mut inner = parts(pair);
                let entity = inner.maybe(Rule::entity).map(|entity| self.path(entity));
                let condition = inner.maybe(Rule::where_part).and_then(|part| self.condition(part));
                entity.zip(condition).map(|(entity, condition)| ExprKind::Exists(entity, Box::new(condition)))
            }
            _ => self.literal(&pair).map(ExprKind::Literal),
        };
        let kind = kind.unwrap_or_else(|| {
            self.missing(span);
            ExprKind::Todo(None)
        });
        Expr { kind, span }
    }

    /// A name, or what other languages call `yes`, `no` and `blank`.
    fn path_or_foreign(&mut self, pair: Pair<'_>) -> ExprKind {
        let path = self.path(pair);
        let [word] = path.names.as_slice() else { return ExprKind::Path(path) };
        let Some((ours, literal)) = foreign::literal(&word.text) else { return ExprKind::Path(path) };
        let text = self.original;
        let declared =
            self.found.declared.entry(word.text.clone()).or_insert_with(|| foreign::declares(text, &word.text));
        if *declared {
            return ExprKind::Path(path);
        }
        let title = format!("`{}` is written `{ours}`", word.text);
        self.say(Diagnostic::new("F001", title, word.span).help(ours).fix(word.span, ours));
        ExprKind::Literal(literal)
    }

    pub(super) fn outcome(&mut self, pair: Pair<'_>) -> Option<Expr> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let verdict = Self::verdict(inner.maybe(Rule::verdict)?)?;
        let text = self.text(inner.maybe(Rule::string)?);
        Some(Expr { kind: ExprKind::Outcome(verdict, text), span })
    }

    pub(super) fn call(&mut self, pair: Pair<'_>) -> Option<Call> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let mut args = Vec::new();
        for arg in inner.many(Rule::arg) {
            let mut inner = parts(arg);
            let name = inner.maybe(Rule::arg_name).map(|name| self.name(&name));
            let value = self.expr(inner.maybe(Rule::expr)?);
            let value = match inner.maybe(Rule::for_part) {
                Some(part) => self.comprehension(value, part)?,
                None => value,
            };
            args.push(Arg { name, value });
        }
        let field = inner.maybe(Rule::dot_path).map(|path| self.path(path));
        Some(Call { name, args, field, span })
    }

    fn list(&mut self, pair: Pair<'_>) -> Option<ExprKind> {
        let mut inner = parts(pair);
        let items: Vec<Expr> = inner.many(Rule::expr).into_iter().map(|item| self.expr(item)).collect();
        let Some(part) = inner.maybe(Rule::for_part) else { return Some(ExprKind::List(items)) };
        let item = items.into_iter().next()?;
        Some(self.comprehension(item, part)?.kind)
    }

    /// `item for x in list when c`.
    fn comprehension(&mut self, item: Expr, part: Pair<'_>) -> Option<Expr> {
        let span = item.span.to(self.span(&part));
        let mut inner = parts(part);
        let name = self.name(&inner.maybe(Rule::name)?);
        let list = self.expr(inner.maybe(Rule::source)?);
        let when = self.when_part(inner.maybe(Rule::when_part));
        Some(Expr { kind: ExprKind::Comprehension(Box::new(Comprehension { item, name, list, when })), span })
    }
}

/// The operands of `a + b + c`.
fn summands(expr: Expr, shape: Shape, into: &mut Vec<Expr>) {
    match expr.kind {
        ExprKind::Binary(BinaryOp::Add, left, right) if shape == Shape::Sum => {
            let next = if matches!(left.kind, ExprKind::Binary(BinaryOp::Add, ..)) { Shape::Sum } else { Shape::Plain };
            summands(*left, next, into);
            into.push(*right);
        }
        kind => into.push(Expr { kind, span: expr.span }),
    }
}

/// Characters as they are written in a text.
fn escaped(chars: &str) -> String {
    let mut text = String::with_capacity(chars.len());
    for letter in chars.chars() {
        match letter {
            '"' | '\\' | '{' => {
                text.push('\\');
                text.push(letter);
            }
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            other => text.push(other),
        }
    }
    text
}
