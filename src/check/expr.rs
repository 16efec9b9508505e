//! Expressions: paths, texts, lists, choices, outcomes. Operators, calls and loops stand in files of their own.
//!
//! Takes a tree, gives a typed expression; after a mistake a poisoned one, about which nothing more is told.

mod call;
mod operator;
mod rows;
mod search;

pub(super) use search::row_path;

use std::sync::Arc;

use super::{
    checker::{Checker, expr},
    coerce::{Need, culprit},
    facts,
    join::max_chars,
    lookup::Found,
    suggest,
    typed::{Expr, ExprKind, Message, MessagePart, TextPart},
    types::say,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Ty},
    syntax::tree::{self, Arm, Literal, Name, Path, Text},
    value::{Value, Verdict},
};

/// Operators and brackets within each other; a chain `a + b + c` counts each operator.
const MOST_DEEP: u32 = 200;

impl Checker<'_> {
    /// An expression with its type.
    pub(super) fn expr(&mut self, tree: &tree::Expr) -> Expr {
        if self.depth >= MOST_DEEP {
            let told = Diagnostic::new("F004", "this is too much for one expression", tree.span);
            self.say(told.help("give parts of it a name:  let part = …"));
            return Self::poison(tree.span);
        }
        self.depth += 1;
        let value = self.any_expr(tree);
        self.depth -= 1;
        value
    }

    fn any_expr(&mut self, tree: &tree::Expr) -> Expr {
        let span = tree.span;
        match &tree.kind {
            tree::ExprKind::Literal(literal) => self.literal_expr(literal, span),
            tree::ExprKind::Text(text) => self.text(text),
            tree::ExprKind::Path(path) => self.path(path),
            tree::ExprKind::Dot(path) => self.dot(path),
            tree::ExprKind::Call(call) => self.call(call),
            tree::ExprKind::List(items) => self.list(items, span),
            tree::ExprKind::Comprehension(inner) => self.comprehension(inner, span),
            tree::ExprKind::Negate(inner) => self.negate(inner, span),
            tree::ExprKind::Not(inner) => {
                let inner = self.condition(inner);
                expr(ExprKind::Not(Box::new(inner)), Ty::new(Kind::Bool), span)
            }
            tree::ExprKind::Must(inner) => {
                let inner = self.expr(inner);
                let name: Arc<str> = self.text_of(inner.span).unwrap_or("a value").into();
                let ty = if inner.ty.kind == Kind::Any { Ty::any() } else { inner.ty.clone().filled() };
                expr(ExprKind::Must(Box::new(inner), name), ty, span)
            }
            tree::ExprKind::Binary(op, a, b) => self.binary(*op, a, b, span),
            tree::ExprKind::Choose(arms, last) => self.choose(arms, last.as_deref(), span),
            tree::ExprKind::Outcome(verdict, text) => self.outcome(*verdict, text, span),
            tree::ExprKind::Todo(text) => {
                let why = text.as_ref().map(|text| self.message(text, span));
                let why = why.map_or_else(String::new, |message| format!(": {}", plain_message(&message)));
                let told = Diagnostic::new("F802", format!("still to be written{why}"), span);
                self.say(told.help("`koppel run` refuses a flow with a `todo` in it"));
                expr(ExprKind::Todo, Ty::any(), span)
            }
            tree::ExprKind::Exists(entity, condition) => self.exists(entity, condition, span),
        }
    }

    /// A condition: yes or no, a blank counts as no.
    pub(super) fn condition(&mut self, tree: &tree::Expr) -> Expr {
        let value = self.expr(tree);
        if matches!(value.kind, ExprKind::Choose(..) | ExprKind::Const(_)) || value.ty.kind != Kind::Bool {
            return self.coerce(value, &Ty::new(Kind::Bool).or_blank(), &Need::fine("a condition"));
        }
        value
    }

    /// The literal `3`, `"x"`, `21%` …
    fn literal_expr(&mut self, literal: &Literal, span: Span) -> Expr {
        let constant = |value: Value, kind: Kind| expr(ExprKind::Const(value), Ty::new(kind), span);
        match literal {
            Literal::Text(text) => Self::text_constant(text, span),
            Literal::Blank => expr(ExprKind::Const(Value::Blank), Ty::any(), span),
            Literal::Clear => {
                if !self.clearing {
                    let told = Diagnostic::new("F103", "`clear` empties a field of the target, it is no value", span);
                    self.say(told.help("field = clear\nfor nothing at all:  blank"));
                    return Self::poison(span);
                }
                expr(ExprKind::Const(Value::Clear), Ty::any(), span)
            }
            Literal::Pattern(_) => {
                let title = "a pattern stands only as an argument of `part`, `matches` or `replace`";
                self.say(Diagnostic::new("F103", title, span));
                Self::poison(span)
            }
            other => match literal_value(other) {
                Some((value, kind)) => constant(value, kind),
                None => Self::poison(span),
            },
        }
    }

    /// A literal text: its type is "one of itself", so that words and codes can be judged also through names.
    pub(super) fn text_constant(text: &Arc<str>, span: Span) -> Expr {
        expr(ExprKind::Const(Value::Text(text.clone())), Ty::new(Kind::OneOf([text.clone()].into())), span)
    }

    /// `name.a.b`
    fn path(&mut self, path: &Path) -> Expr {
        let Some((first, rest)) = path.names.split_first() else { return Self::poison(path.span) };
        let known = self.scope.known.len();
        let base = self.name(first);
        if self.scope.known.len() > known
            && let Some(mut meant) = self.scope.known.last().cloned()
        {
            // a misspelt name: what a guard says of it, it says of the one that was meant
            meant.place.path = rest.iter().map(|name| &*name.text).collect::<Vec<_>>().join(".");
            self.scope.known.push(meant);
        }
        self.steps(base, rest)
    }

    /// A bare name.
    fn name(&mut self, name: &Name) -> Expr {
        let span = name.span;
        let what = match self.lookup(name) {
            Found::Local(bound) => {
                let value = expr(ExprKind::Var(bound.var), self.var_type(bound.var), span);
                return self.known(value);
            }
            Found::Constant(var) => return expr(ExprKind::Var(var), self.var_type(var), span),
            Found::Setting(id) => {
                let ty = self.settings.get(id.0 as usize).map_or_else(Ty::any, |setting| setting.ty.clone());
                return self.known(expr(ExprKind::Setting(id), ty, span));
            }
            Found::Table(..) => "a table",
            Found::Define(..) => "a function",
            Found::Fields(..) | Found::Part(..) => "a block",
            Found::Poison => return Self::poison(span),
            Found::Nothing => {
                self.unknown_name(name);
                return Self::poison(span);
            }
        };
        let title = format!("`{}` is {what}, not a value", name.text);
        let help =
            if what == "a block" { format!("include {}(…)", name.text) } else { format!("{}(…)", name.text) };
        self.say(Diagnostic::new("F103", title, span).help(help));
        Self::poison(span)
    }

    /// `.a.b`: a field of the row that a `where` speaks of.
    fn dot(&mut self, path: &Path) -> Expr {
        let Some((var, object)) = self.scope.row.clone() else {
            let title = format!("`.{}` belongs to no row here", dotted(path));
            let help = "a leading dot stands in `where`, `by`, `key`, `gives` and in list functions; elsewhere write \
                        the name before it:  row.field";
            self.say(Diagnostic::new("F006", title, path.span).help(help));
            return Self::poison(path.span);
        };
        let row = expr(ExprKind::Var(var), Ty::new(Kind::Record(object)), path.span);
        self.steps(row, &path.names)
    }

    /// Fields of a value, one after the other.
    pub(super) fn steps(&mut self, mut value: Expr, names: &[Name]) -> Expr {
        for name in names {
            value = self.step(value, name);
        }
        value
    }

    fn step(&mut self, base: Expr, name: &Name) -> Expr {
        let span = if base.span.start <= name.span.start { base.span.to(name.span) } else { name.span };
        let (object, list) = match &base.ty.kind {
            Kind::Any => return Self::poison(span),
            Kind::Record(object) => (object.clone(), false),
            Kind::List(of) => match &of.kind {
                Kind::Record(object) => (object.clone(), true),
                Kind::Any => return expr(ExprKind::Todo, Ty::list(Ty::any()), span),
                _ => return self.no_fields(&base, name, span),
            },
            _ => return self.no_fields(&base, name, span),
        };
        let Some(field) = object.field(&name.text).cloned() else {
            let told = self.unknown_field(name, &object);
            self.say(told);
            if let (Some(near), Some(place)) = (suggest::misspelt(&name.text, &object), facts::place(&base)) {
                let path =
                    if place.path.is_empty() { near.name.to_string() } else { format!("{}.{}", place.path, near.name) };
                self.scope.known.push(facts::Fact::filled(facts::Place { path, ..place }));
            }
            return Self::poison(span);
        };
        let mut ty = field.ty.clone();
        if list {
            ty = Ty::list(ty);
        } else if base.ty.optional {
            ty = ty.or_blank();
        }
        self.known(expr(ExprKind::Field(Box::new(base), field.name.clone()), ty, span))
    }

    fn no_fields(&mut self, base: &Expr, name: &Name, span: Span) -> Expr {
        let named = self.named(base.span, "this");
        let title = format!("{named} is {}, it has no `.{}`", say(&base.ty), name.text);
        self.say(Diagnostic::new("F103", title, name.span));
        Self::poison(span)
    }

    /// The same value, with what is known of it here: that it is filled, that it is not this word.
    fn known(&self, mut value: Expr) -> Expr {
        let words = matches!(value.ty.kind, Kind::OneOf(_));
        if value.ty.kind == Kind::Any || !(value.ty.optional || words) {
            return value;
        }
        let Some(place) = facts::place(&value) else { return value };
        let facts = || self.scope.known.iter().filter(|fact| fact.place == place && fact.unless.is_none());
        if facts().any(|fact| fact.not.is_none()) {
            value.ty.optional = false;
        }
        if let Kind::OneOf(all) = &value.ty.kind {
            let left: Vec<_> = all.iter().filter(|word| !facts().any(|fact| fact.not.as_ref() == Some(word))).collect();
            if !left.is_empty() && left.len() < all.len() {
                value.ty.kind = Kind::OneOf(left.into_iter().cloned().collect());
            }
        }
        value
    }

    /// A text with holes, none of them blank.
    fn text(&mut self, text: &Text) -> Expr {
        if let [tree::TextPart::Chars(only)] = text.parts.as_slice() {
            return Self::text_constant(only, text.span);
        }
        if text.parts.is_empty() {
            return Self::text_constant(&"".into(), text.span);
        }
        let mut parts = Vec::new();
        let mut max = Some(0u32);
        let mut add = |more: Option<u32>| max = max.zip(more).map(|(so_far, more)| so_far.saturating_add(more));
        for part in &text.parts {
            match part {
                tree::TextPart::Chars(chars) => {
                    add(u32::try_from(chars.chars().count()).ok());
                    parts.push(TextPart::Chars(chars.clone()));
                }
                tree::TextPart::Hole(hole) => {
                    let hole = self.expr(hole);
                    add(max_chars(&hole.ty));
                    if matches!(hole.ty.kind, Kind::List(_) | Kind::Record(_)) {
                        let title = format!("{} cannot stand in a text", say(&hole.ty));
                        let told = Diagnostic::new("F103", title, hole.span);
                        self.say(told.help("name one of its fields, or put a list together with `join(list, \", \")`"));
                    } else if hole.ty.optional && hole.ty.kind != Kind::Any {
                        let place = culprit(&hole);
                        let open = matches!(hole.kind, ExprKind::Choose(_, None)) && place == hole.span;
                        self.blank(place, open, "this text");
                    }
                    parts.push(TextPart::Hole(hole));
                }
            }
        }
        expr(ExprKind::Text(parts), Ty { max, ..Ty::new(Kind::Text) }, text.span)
    }

    /// A reason: its holes may be blank.
    pub(super) fn message(&mut self, text: &Text, span: Span) -> Message {
        let mut parts = Vec::new();
        for part in &text.parts {
            parts.push(match part {
                tree::TextPart::Chars(chars) => MessagePart::Chars(chars.clone()),
                tree::TextPart::Hole(hole) => {
                    let value = self.expr(hole);
                    if matches!(value.ty.kind, Kind::Record(_)) {
                        let title = format!("{} cannot stand in a text", say(&value.ty));
                        self.say(Diagnostic::new("F103", title, value.span).help("name one of its fields"));
                    }
                    let private = self.private(&value);
                    MessagePart::Hole { value, private }
                }
            });
        }
        Message { parts, span }
    }

    fn outcome(&mut self, verdict: Verdict, text: &Text, span: Span) -> Expr {
        let message = self.message(text, span);
        // it ends the record, so it is no value and never blank
        expr(ExprKind::Outcome(verdict, message), Ty::any().filled(), span)
    }

    /// `[a, b]`
    fn list(&mut self, items: &[tree::Expr], span: Span) -> Expr {
        let items: Vec<Expr> = items.iter().map(|item| self.expr(item)).collect();
        if items.is_empty() {
            return expr(ExprKind::List(items), Ty::list(Ty::any().filled()), span);
        }
        let (items, of) = self.join(items);
        expr(ExprKind::List(items), Ty::list(of), span)
    }

    /// `a when c else b when d else e`
    fn choose(&mut self, arms: &[Arm], last: Option<&tree::Expr>, span: Span) -> Expr {
        let known = self.scope.known.len();
        let mut values = Vec::new();
        let mut conditions = Vec::new();
        for arm in arms {
            let when = self.condition(&arm.when);
            let value = self.knowing(facts::when_true(&when), |checker| checker.expr(&arm.value));
            // the arms below are looked at only if this condition does not hold
            self.scope.known.extend(facts::when_false(&when));
            values.push(value);
            conditions.push(when);
        }
        if let Some(last) = last {
            values.push(self.expr(last));
        }
        self.scope.known.truncate(known);
        let (mut values, mut ty) = self.join(values);
        if last.is_none() {
            ty = ty.or_blank();
        }
        let last = last.and_then(|_| values.pop()).map(Box::new);
        expr(ExprKind::Choose(values.into_iter().zip(conditions).collect(), last), ty, span)
    }
}

/// The value and kind of a literal that needs no context.
pub(super) fn literal_value(literal: &Literal) -> Option<(Value, Kind)> {
    Some(match literal {
        Literal::Number(number) if number.scale() == 0 => {
            let whole = i64::try_from(*number).ok();
            whole.map_or((Value::Decimal(*number), Kind::Decimal), |whole| (Value::Int(whole), Kind::Int))
        }
        Literal::Number(number) => (Value::Decimal(*number), Kind::Decimal),
        Literal::Percent(fraction) => (Value::Decimal(*fraction), Kind::Percent),
        Literal::Date(date) => (Value::Date(*date), Kind::Date),
        Literal::DateTime(moment) => (Value::DateTime(*moment), Kind::DateTime),
        Literal::Duration(seconds) => (Value::Int(*seconds), Kind::Duration),
        Literal::Bool(yes) => (Value::Bool(*yes), Kind::Bool),
        Literal::Text(text) => (Value::Text(text.clone()), Kind::OneOf([text.clone()].into())),
        Literal::Blank | Literal::Clear | Literal::Pattern(_) => return None,
    })
}

/// `a.b` of a path.
pub(super) fn dotted(path: &Path) -> String {
    path.names.iter().map(|name| &*name.text).collect::<Vec<_>>().join(".")
}

/// The characters of a message, holes as `…`.
pub(super) fn plain_message(message: &Message) -> String {
    let part = |part: &MessagePart| match part {
        MessagePart::Chars(chars) => chars.to_string(),
        MessagePart::Hole { .. } => "…".to_owned(),
    };
    message.parts.iter().map(part).collect()
}
