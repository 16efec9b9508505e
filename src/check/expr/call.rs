//! Calls: standard functions, `define`s and tables; arguments by position and name (F105, F106).

use std::sync::Arc;

use indexmap::IndexMap;
use regex::Regex;

use super::super::{
    checker::{Checker, Key, expr},
    coerce::Need,
    join::is_literal,
    lookup::Found,
    suggest,
    typed::{Convert, Expr, ExprKind, TableId},
    types::say,
};
use super::dotted;
use crate::{
    diagnostic::{Diagnostic, Span},
    function::{Function, Takes, function},
    schema::{ColumnRef, Field, Kind, Object, Ty},
    syntax::tree::{self, Arg, Call, Literal},
    value::{self, Value},
};

impl Checker<'_> {
    pub(super) fn call(&mut self, call: &Call) -> Expr {
        let value = self.called(call);
        let Some(path) = &call.field else { return value };
        let value = self.steps(value, &path.names);
        Expr { span: call.span, ..value }
    }

    fn called(&mut self, call: &Call) -> Expr {
        match self.lookup_declared(&call.name.text) {
            Found::Table(key, table) => return self.table_call(call, &key, table),
            Found::Define(key, define) => return self.define_call(call, &key, define),
            Found::Fields(..) | Found::Part(..) => {
                let title = format!("`{}` is a block, not a value", call.name.text);
                let told = Diagnostic::new("F103", title, call.span);
                self.say(told.help(format!("on a line of its own:  include {}(…)", call.name.text)));
                self.look_at(call);
                return Self::poison(call.span);
            }
            Found::Poison => {
                self.look_at(call);
                return Self::poison(call.span);
            }
            Found::Local(_) | Found::Setting(_) | Found::Constant(_) | Found::Nothing => {}
        }
        if &*call.name.text == "today" {
            if let Some(arg) = call.args.first() {
                self.say(Diagnostic::new("F106", "`today()` takes nothing", arg.value.span));
            }
            return expr(ExprKind::Today, Ty::new(Kind::Date), call.span);
        }
        let Some(function) = function(&call.name.text) else {
            self.unknown_function(&call.name);
            self.look_at(call);
            return Self::poison(call.span);
        };
        self.function_call(call, function)
    }

    /// Looks at the arguments of a call that is wrong, so that the names in them count as used.
    pub(in crate::check) fn look_at(&mut self, call: &Call) {
        self.silently(|checker| call.args.iter().for_each(|arg| drop(checker.expr(&arg.value))));
    }

    /// The argument for each parameter; tells those that are too many, unknown, given twice or missing.
    pub(in crate::check) fn arguments<'t>(
        &mut self,
        call: &'t Call,
        params: &[(&str, bool)],
    ) -> Option<Vec<Option<&'t Arg>>> {
        let mut given: Vec<Option<&Arg>> = vec![None; params.len()];
        let of = &call.name.text;
        let names = || suggest::words(params.iter().map(|(name, _)| *name), '`', 8);
        for (position, arg) in call.args.iter().enumerate() {
            let place = match &arg.name {
                None => position,
                Some(name) => {
                    let Some(place) = params.iter().position(|(own, _)| *own == &*name.text) else {
                        let mut told = Diagnostic::new("F106", format!("`{of}` has no `{}`", name.text), name.span);
                        told.help = suggest::quoted(&name.text, params.iter().map(|(name, _)| *name))
                            .or_else(|| Some(format!("it takes {}", names())));
                        self.say(told);
                        return None;
                    };
                    place
                }
            };
            match given.get_mut(place) {
                None => {
                    let title = format!("`{of}` takes {}, this is one more", count(params.len()));
                    let help = if params.is_empty() { format!("{of}()") } else { format!("it takes {}", names()) };
                    self.say(Diagnostic::new("F106", title, arg.value.span).help(help));
                    return None;
                }
                Some(Some(_)) => {
                    let name = params.get(place).map_or("", |(name, _)| *name);
                    self.say(Diagnostic::new("F106", format!("`{name}` is given twice"), arg.value.span));
                    return None;
                }
                Some(free) => *free = Some(arg),
            }
        }
        let open = params.iter().zip(&given).find(|((_, optional), arg)| !optional && arg.is_none());
        if let Some(((name, _), _)) = open {
            let title = format!("`{of}` also needs `{name}`");
            let asked = params.iter().zip(&given).filter(|((_, optional), arg)| !optional || arg.is_some());
            let args: Vec<String> = asked
                .map(|((name, _), arg)| match arg {
                    Some(arg) => {
                        let named = arg.name.as_ref().map(|name| format!("{}: ", name.text)).unwrap_or_default();
                        format!("{named}{}", self.text_of(arg.value.span).unwrap_or("…"))
                    }
                    None => format!("{name}: …"),
                })
                .collect();
            let help = format!("{of}({})", args.join(", "));
            self.say(Diagnostic::new("F106", title, call.span).help(help));
            return None;
        }
        Some(given)
    }

    fn table_call(&mut self, call: &Call, key: &Key, table: &tree::Table) -> Expr {
        let id = self.table(key.clone(), table);
        let params: Vec<(&str, bool)> = table.inputs.iter().map(|param| (&*param.name.text, false)).collect();
        let Some(given) = self.arguments(call, &params) else {
            self.look_at(call);
            return Self::poison(call.span);
        };
        let inputs = self.table_inputs(key, table);
        let closed = table.otherwise.is_none() && !table.first;
        let mut args = Vec::new();
        for (arg, (name, want)) in given.into_iter().flatten().zip(&inputs) {
            let value = self.expr(&arg.value);
            let what = format!("`{name}` of table `{}`", key.1);
            self.outside_reference(&value, want, closed, &what);
            args.push(self.coerce(value, want, &Need { blank: want.optional, ..Need::filled(&what) }));
        }
        let Some(id) = id else { return Self::poison(call.span) };
        let ty = self.table_gives(id, key);
        expr(ExprKind::Table(id, args), ty, call.span)
    }

    /// A table without `otherwise` promises to cover a finite column: another value could be outside.
    fn outside_reference(&mut self, value: &Expr, want: &Ty, closed: bool, what: &str) {
        let Some(reference) = &want.reference else { return };
        if !closed || reference.of.contains('.') || value.ty.kind == Kind::Any || is_literal(value) {
            return;
        }
        let finite = matches!((&value.ty.kind, &want.kind), (Kind::OneOf(own), Kind::OneOf(all)) if own.iter().all(|word| all.contains(word)));
        if !finite && value.ty.reference.as_ref() != Some(reference) {
            let title = format!("{what} takes only what `{}` gives, and this is any {}", reference.of, say(&value.ty));
            let told = Diagnostic::new("F103", title, value.span);
            self.say(told.help(format!(
                "give it a value of `{}.{}`, or close the table with `otherwise`",
                reference.of, reference.column
            )));
        }
    }

    /// What a table gives: the type of its result, or a record of its results.
    fn table_gives(&self, id: TableId, key: &Key) -> Ty {
        let Some(table) = self.tables.get(id.0 as usize) else { return Ty::any() };
        let typed = |name: &Arc<str>, ty: &Ty| {
            let reference = Some(ColumnRef { of: key.1.clone(), column: name.clone() });
            if ty.kind == Kind::Any { Ty::any() } else { Ty { reference, ..ty.clone() } }
        };
        if let [(name, ty)] = table.results.as_slice() {
            return typed(name, ty);
        }
        let fields: IndexMap<Arc<str>, Arc<Field>> = table
            .results
            .iter()
            .map(|(name, ty)| (name.clone(), Arc::new(Field::plain(name.clone(), typed(name, ty)))))
            .collect();
        Ty::new(Kind::Record(Arc::new(Object { path: "".into(), label: "".into(), fields })))
    }

    fn define_call(&mut self, call: &Call, key: &Key, define: &tree::Define) -> Expr {
        let id = self.define(key.clone(), define, call.span);
        let params: Vec<(&str, bool)> = define.params.iter().map(|param| (&*param.name.text, false)).collect();
        let Some(given) = self.arguments(call, &params) else {
            self.look_at(call);
            return Self::poison(call.span);
        };
        let mut args = Vec::new();
        let mut lifted = false;
        let (types, gives) = self.define_types(key, define);
        for (arg, (name, want)) in given.into_iter().flatten().zip(&types) {
            let value = self.expr(&arg.value);
            lifted |= value.ty.optional && !want.optional && value.ty.kind != Kind::Any;
            let what = format!("`{name}` of `{}`", key.1);
            let value = self.coerce(value, want, &Need::fine(&what));
            self.proven(&value, want, &what);
            args.push(value);
        }
        let Some(id) = id else { return Self::poison(call.span) };
        expr(ExprKind::Define(id, args), if lifted { gives.or_blank() } else { gives }, call.span)
    }

    /// A length that is measured nowhere must be proven.
    pub(in crate::check) fn proven(&mut self, value: &Expr, want: &Ty, what: &str) {
        let Some(limit) = want.max else { return };
        if value.ty.kind == Kind::Any || is_literal(value) {
            return;
        }
        if super::super::join::max_chars(&value.ty).is_none_or(|max| max > limit) {
            let text = self.text_of(value.span).unwrap_or("…");
            let title = format!("{what} holds {limit} characters, and this may be longer");
            self.say(Diagnostic::new("F203", title, value.span).help(format!("first_chars({text}, {limit})")));
        }
    }

    fn function_call(&mut self, call: &Call, function: &'static Function) -> Expr {
        let params: Vec<(&str, bool)> = function.params.iter().map(|param| (param.name, param.optional)).collect();
        let Some(given) = self.arguments(call, &params) else {
            self.look_at(call);
            return Self::poison(call.span);
        };
        let mut args: Vec<Expr> = Vec::new();
        let mut types: Vec<Ty> = Vec::new();
        let (mut lifted, mut wrong) = (false, false);
        let mut records: Option<Arc<Object>> = None;
        for (param, arg) in function.params.iter().zip(given) {
            let Some(arg) = arg else {
                args.push(expr(ExprKind::Const(Value::Blank), Ty::any(), call.span));
                types.push(Ty::any());
                continue;
            };
            let what = format!("`{}` of `{}`", param.name, function.name);
            let value = match param.takes {
                Takes::Pattern => self.pattern(arg, &what),
                Takes::Column | Takes::Columns => self.columns(arg, param.takes, records.as_ref(), &what),
                takes => self.argument(arg, takes, &what, types.first()),
            };
            let Some(value) = value else {
                wrong = true;
                continue;
            };
            if param.takes != Takes::Anything {
                lifted |= value.ty.optional && value.ty.kind != Kind::Any;
            }
            if let Kind::List(of) = &value.ty.kind
                && let Kind::Record(object) = &of.kind
            {
                records = Some(object.clone());
            }
            wrong |= value.ty.kind == Kind::Any && value.ty.optional && param.takes != Takes::Anything;
            types.push(shown_type(&value));
            args.push(value);
        }
        if wrong {
            return Self::poison(call.span);
        }
        let plain: Vec<Ty> = function
            .params
            .iter()
            .zip(types)
            .map(|(param, ty)| if param.takes == Takes::Anything || ty.kind == Kind::Any { ty } else { ty.filled() })
            .collect();
        let gives = (function.gives)(&plain);
        let ty = if lifted { gives.or_blank() } else { gives };
        expr(ExprKind::Function(function, args), ty, call.span)
    }

    /// A pattern of the language, ready to match; one that cannot be read is told.
    pub(in crate::check) fn compiled(&mut self, pattern: &Arc<str>, span: Span) -> Option<Regex> {
        match value::pattern(pattern) {
            Ok(compiled) => Some(compiled),
            Err(trouble) => {
                let reason = trouble.to_string();
                let reason = reason.lines().last().unwrap_or("").trim_start_matches("error: ");
                self.say(Diagnostic::new("F008", format!("this pattern cannot be read: {reason}"), span));
                None
            }
        }
    }

    fn pattern(&mut self, arg: &Arg, what: &str) -> Option<Expr> {
        if let tree::ExprKind::Literal(Literal::Pattern(pattern)) = &arg.value.kind {
            let pattern = self.compiled(pattern, arg.value.span)?;
            return Some(expr(ExprKind::Pattern(pattern), Ty::new(Kind::Pattern), arg.value.span));
        }
        let title = format!("{what} takes a pattern, written between slashes");
        let help = match &arg.value.kind {
            tree::ExprKind::Literal(Literal::Text(text)) => format!("/{text}/"),
            _ => "/…/".to_owned(),
        };
        self.say(Diagnostic::new("F103", title, arg.value.span).help(help));
        None
    }

    /// `.n` or `[.a, .b]`: fields of the elements.
    fn columns(&mut self, arg: &Arg, takes: Takes, records: Option<&Arc<Object>>, what: &str) -> Option<Expr> {
        let span = arg.value.span;
        if self.scope.searching && self.scope.row.is_some() {
            let told = Diagnostic::new("F303", "in a `where` a leading dot is a field of the searched row", span);
            self.say(told.help("work the list out above:  let … = …"));
            return None;
        }
        let paths: Option<Vec<&tree::Path>> = match &arg.value.kind {
            tree::ExprKind::Dot(path) => Some(vec![path]),
            tree::ExprKind::List(items) if takes == Takes::Columns => items
                .iter()
                .map(|item| if let tree::ExprKind::Dot(path) = &item.kind { Some(path) } else { None })
                .collect(),
            _ => None,
        };
        let Some(paths) = paths else {
            let example = if takes == Takes::Columns { "[.a, .b]" } else { ".a" };
            let title = format!("{what} takes the name of a field, with a dot before it");
            self.say(Diagnostic::new("F103", title, span).help(example));
            return None;
        };
        let mut names = Vec::new();
        for path in paths {
            if let (Some(object), [name]) = (records, path.names.as_slice()) {
                if object.field(&name.text).is_none() {
                    let told = self.unknown_field(name, object);
                    self.say(told);
                    return None;
                }
                names.push(name.text.clone());
            } else if records.is_some() {
                let title = format!("`.{}` is a field of a field", dotted(path));
                self.say(
                    Diagnostic::new("F103", title, path.span).help("make a list of records with plain fields first"),
                );
                return None;
            } else {
                return None;
            }
        }
        let names: Arc<[Arc<str>]> = names.into();
        Some(expr(ExprKind::Columns(names.to_vec()), Ty::new(Kind::OneOf(names)), span))
    }

    /// An ordinary argument.
    fn argument(&mut self, arg: &Arg, takes: Takes, what: &str, first: Option<&Ty>) -> Option<Expr> {
        let value = self.expr(&arg.value);
        let (kind, span) = (value.ty.kind.clone(), value.span);
        if kind == Kind::Any {
            return Some(value);
        }
        let of_list = |fits: &dyn Fn(&Ty) -> bool| matches!(&kind, Kind::List(of) if of.kind == Kind::Any || fits(of));
        let wanted = match takes {
            Takes::Anything | Takes::Pattern | Takes::Column | Takes::Columns => return Some(value),
            Takes::Text if value.ty.is_texty() => return Some(value),
            Takes::Text => "text",
            Takes::Int if kind == Kind::Int => return Some(value),
            Takes::Int => "a whole number",
            Takes::Number if value.ty.is_number() => return Some(value),
            Takes::Number => "a number, an amount or a percentage",
            Takes::Money if kind == Kind::Money => return Some(value),
            Takes::Money if is_literal(&value) && value.ty.is_number() => {
                return Some(self.coerce(value, &Ty::new(Kind::Money), &Need::fine(what)));
            }
            Takes::Money => "an amount of money",
            Takes::Ordered => {
                let ordered = |ty: &Ty| ty.is_number() || matches!(ty.kind, Kind::Date | Kind::DateTime);
                if of_list(&ordered) {
                    return Some(value);
                }
                if ordered(&value.ty) {
                    // both sides of `max(a, b)` are of one kind
                    let Some(first) = first.filter(|first| ordered(first)) else { return Some(value) };
                    let first = Ty { max: None, ..first.clone() };
                    if first.kind == kind || (first.is_number() && is_literal(&value)) || numbers(&first.kind, &kind) {
                        let same = first.kind == kind || numbers(&first.kind, &kind);
                        return Some(if same { value } else { self.coerce(value, &first, &Need::fine(what)) });
                    }
                }
                "numbers or dates of one kind"
            }
            Takes::Date if kind == Kind::Date => return Some(value),
            Takes::Date if kind == Kind::DateTime => {
                let ty = Ty { optional: value.ty.optional, ..Ty::new(Kind::Date) };
                return Some(expr(ExprKind::Convert(Box::new(value), Convert::ToDate), ty, span));
            }
            Takes::Date => "a date",
            Takes::Bool if kind == Kind::Bool => return Some(value),
            Takes::Bool => "yes or no",
            Takes::List if of_list(&|_| true) => return Some(value),
            Takes::List => "a list",
            Takes::Texts if of_list(&|of| of.is_texty()) => return Some(value),
            Takes::Texts => "a list of texts",
            Takes::Numbers if of_list(&Ty::is_number) => return Some(value),
            Takes::Numbers => "a list of numbers",
            Takes::Records if of_list(&|of| matches!(of.kind, Kind::Record(_))) => return Some(value),
            Takes::Records => "a list of records",
        };
        let title = format!("{what} takes {wanted}, and this is {}", say(&value.ty));
        let mut told = Diagnostic::new("F103", title, span);
        let text = self.text_of(span).unwrap_or("…");
        told.help = match takes {
            Takes::Text if value.ty.is_number() || matches!(kind, Kind::Date | Kind::DateTime) => {
                Some(format!("to_text({text})"))
            }
            Takes::Number | Takes::Money if value.ty.is_texty() => Some(format!("to_decimal({text})")),
            Takes::Int if value.ty.is_texty() => Some(format!("to_int({text})")),
            Takes::Date if value.ty.is_texty() => Some(format!("to_date({text})")),
            _ => None,
        };
        self.say(told);
        None
    }
}

/// The type that a function hears of: a literal whole number rides along as `max`.
fn shown_type(value: &Expr) -> Ty {
    match &value.kind {
        ExprKind::Const(Value::Int(n)) if value.ty.kind == Kind::Int => {
            Ty { max: u32::try_from(*n).ok(), ..value.ty.clone() }
        }
        _ => value.ty.clone(),
    }
}

fn numbers(a: &Kind, b: &Kind) -> bool {
    matches!((a, b), (Kind::Int | Kind::Decimal, Kind::Int | Kind::Decimal))
}

fn count(n: usize) -> String {
    match n {
        0 => "nothing".to_owned(),
        1 => "one value".to_owned(),
        n => format!("{n} values"),
    }
}
