//! Is every amount rounded where its field keeps only so many decimals? F503.
//!
//! Takes the checked stages, gives a message for each value that is worked out with more decimals than its field has:
//! by multiplying, by dividing, by an average. What a system or a setting gives is taken as it is, and measured when
//! the record is decided.

use std::collections::{HashMap, HashSet};

use super::{
    body::field_name,
    checker::Checker,
    typed::{After, Expr, ExprKind, FieldLine, Line, Stmt, VarId},
    walk::{Names, Walk},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Field, Kind, Ty},
    syntax::tree::BinaryOp,
    value::Decimal,
};

impl Checker<'_> {
    /// Looks at all fields that keep a number of decimals.
    pub(super) fn rounded(&mut self, body: &[Stmt], afters: &[After]) {
        let mut seen = Seen {
            checker: self,
            names: Names::of(&self.constants),
            known: HashMap::new(),
            places: HashSet::new(),
            told: Vec::new(),
        };
        seen.stages(body, afters);
        let told = seen.told;
        for told in told {
            self.say(told);
        }
    }
}

/// What was seen of the values that are written.
struct Seen<'c, 'e> {
    checker: &'e Checker<'c>,
    names: Names<'e>,
    /// Decimals of lets that were looked at.
    known: HashMap<VarId, Places>,
    /// Values that were told: one amount may go into several fields.
    places: HashSet<Span>,
    told: Vec<Diagnostic>,
}

impl<'e> Walk<'e> for Seen<'_, 'e> {
    fn names(&mut self) -> &mut Names<'e> {
        &mut self.names
    }

    fn field(&mut self, line: &'e FieldLine) {
        let Some(limit) = kept(&line.field) else { return };
        if line.value.ty.kind == Kind::Any || self.places(&line.value).made <= limit {
            return;
        }
        let at = self.culprit(&line.value, limit);
        if !self.places.insert(at.span) {
            return;
        }
        let percent = at.ty.kind == Kind::Percent;
        let places = if percent { limit.saturating_sub(2) } else { limit };
        let title = format!("{} keeps {}, and this may have more", field_name(&line.field), decimals(places));
        let text = self.checker.text_of(at.span).unwrap_or("…");
        let told = Diagnostic::new("F503", title, at.span).help(format!("round({text}, {places})"));
        let inside = at.span.file == line.span.file && (line.span.start..line.span.end).contains(&at.span.start);
        self.told.push(if inside { told } else { told.also(line.span, "goes in here") });
    }
}

impl<'e> Seen<'_, 'e> {
    /// The part of a value that makes the decimals.
    fn culprit(&mut self, value: &'e Expr, limit: u32) -> &'e Expr {
        let inner: Vec<&'e Expr> = match &value.kind {
            ExprKind::Var(var) => self.names.lets.get(var).copied().into_iter().collect(),
            ExprKind::Must(inner, _) | ExprKind::Convert(inner, _) | ExprKind::Negate(inner) => vec![inner],
            ExprKind::Choose(arms, last) => arms.iter().map(|(value, _)| value).chain(last.as_deref()).collect(),
            ExprKind::Binary(BinaryOp::Default | BinaryOp::Add | BinaryOp::Subtract, a, b) => vec![a, b],
            _ => Vec::new(),
        };
        for part in inner {
            if self.places(part).made > limit {
                return self.culprit(part, limit);
            }
        }
        value
    }

    /// The decimals that a value can have.
    fn places(&mut self, value: &'e Expr) -> Places {
        if value.ty.kind == Kind::Int {
            return Places::default();
        }
        match &value.kind {
            ExprKind::Const(number) => {
                Places::given(number.as_decimal().map_or(0, |number| number.normalize().scale()))
            }
            ExprKind::Var(var) => self.named(*var, &value.ty),
            ExprKind::Field(base, name) => match &base.kind {
                ExprKind::Var(var) => match self.names.loops.get(var).copied() {
                    Some(list) => self.element(list, name, &value.ty),
                    None => as_given(field_of(&base.ty, name), &value.ty),
                },
                _ => as_given(field_of(&base.ty, name), &value.ty),
            },
            ExprKind::Must(inner, _) | ExprKind::Convert(inner, _) | ExprKind::Negate(inner) => self.places(inner),
            ExprKind::Binary(BinaryOp::Multiply, a, b) => self.places(a).times(self.places(b)),
            ExprKind::Binary(BinaryOp::Divide, a, b) => {
                // a division by a number that is written out ends where that number divides evenly
                let by = if let ExprKind::Const(by) = &inside(b).kind { by.as_decimal() } else { None };
                let one = by.and_then(|by| Some((Decimal::ONE.checked_div(by)?, by)));
                match one.filter(|(one, by)| one.checked_mul(*by) == Some(Decimal::ONE)) {
                    Some((one, _)) => self.places(a).times(Places::given(one.normalize().scale())),
                    None => Places::ENDLESS,
                }
            }
            ExprKind::Binary(BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Default, a, b) => self.most([&**a, b]),
            ExprKind::Choose(arms, last) => self.most(arms.iter().map(|(value, _)| value).chain(last.as_deref())),
            ExprKind::Outcome(..) => Places::default(),
            ExprKind::Function(function, args) => self.call(function.name, args, &value.ty),
            ExprKind::Define(id, args) => {
                let checker = self.checker;
                let Some(define) = checker.defines.get(id.0 as usize) else { return as_given(None, &value.ty) };
                let params = || define.params.iter().copied();
                let around: Vec<_> =
                    params().zip(args).map(|(param, arg)| (param, self.names.lets.insert(param, arg))).collect();
                params().for_each(|param| _ = self.known.remove(&param));
                let places = self.places(&define.body);
                params().for_each(|param| _ = self.known.remove(&param));
                for (param, before) in around {
                    match before {
                        Some(before) => self.names.lets.insert(param, before),
                        None => self.names.lets.remove(&param),
                    };
                }
                places
            }
            _ => as_given(None, &value.ty),
        }
    }

    fn most(&mut self, values: impl IntoIterator<Item = &'e Expr>) -> Places {
        values.into_iter().fold(Places::default(), |most, value| most.or(self.places(value)))
    }

    fn named(&mut self, var: VarId, ty: &Ty) -> Places {
        if let Some(known) = self.known.get(&var) {
            return *known;
        }
        let Some(value) = self.names.lets.get(&var).copied() else { return as_given(None, ty) };
        // a name within its own value was told; it is looked at once
        self.known.insert(var, Places::default());
        let places = self.places(value);
        self.known.insert(var, places);
        places
    }

    fn call(&mut self, name: &str, args: &'e [Expr], ty: &Ty) -> Places {
        match (name, args) {
            ("round" | "round_even" | "floor" | "ceil", [_, places]) => {
                let ExprKind::Const(places) = &inside(places).kind else { return as_given(None, ty) };
                let points = if ty.kind == Kind::Percent { 2 } else { 0 };
                let places = u32::try_from(places.as_decimal().unwrap_or_default().trunc().mantissa()).unwrap_or(0);
                Places { given: places.saturating_add(points), made: places.saturating_add(points) }
            }
            ("average", _) => Places::ENDLESS,
            ("sum", [list]) => match &list.kind {
                ExprKind::Field(of, name) => self.element(of, name, ty),
                ExprKind::Comprehension { item, var, list, .. } => {
                    self.names.loops.insert(*var, list);
                    self.places(item)
                }
                ExprKind::List(items) => self.most(items),
                _ => as_given(None, ty),
            },
            ("abs", [of]) => self.places(of),
            _ => as_given(None, ty),
        }
    }

    /// The decimals of a field of the elements of a list.
    fn element(&mut self, list: &'e Expr, name: &str, ty: &Ty) -> Places {
        let column =
            |expr: &Expr| matches!(&expr.kind, ExprKind::Columns(names) if names.iter().any(|own| **own == *name));
        match &list.kind {
            ExprKind::Var(var) if self.names.lets.contains_key(var) => match self.names.lets.get(var).copied() {
                Some(list) => self.element(list, name, ty),
                None => as_given(None, ty),
            },
            ExprKind::Rows { var, list, record, .. } => {
                self.names.loops.insert(*var, list);
                let mut value = None;
                for line in &record.lines {
                    match line {
                        Line::Let(line) => self.name(line),
                        Line::Field(line) if *line.field.name == *name => value = Some(&line.value),
                        _ => {}
                    }
                }
                value.map_or(Places::default(), |value| self.places(value))
            }
            ExprKind::Function(function, args) => match (function.name, args.as_slice()) {
                ("spread", [total, _, by]) if column(by) => self.places(total).or(Places { given: 2, made: 2 }),
                ("balance", [total, over, by]) if column(by) => {
                    let total = self.places(total);
                    self.element(over, name, ty).or(total)
                }
                ("spread" | "balance", [_, list, _]) | ("group" | "sort_by", [list, ..]) => {
                    self.element(list, name, ty)
                }
                _ => as_given(field_of(&list.ty, name), ty),
            },
            ExprKind::Choose(arms, last) => {
                let lists = arms.iter().map(|(list, _)| list).chain(last.as_deref());
                lists.fold(Places::default(), |most, list| most.or(self.element(list, name, ty)))
            }
            _ => as_given(field_of(&list.ty, name), ty),
        }
    }
}

/// The decimals of a value; a percentage is its fraction.
#[derive(Debug, Clone, Copy, Default)]
struct Places {
    /// As many as it has, as far as is known: what it makes of others by multiplying.
    given: u32,
    /// As many as working it out can make; what is only taken over makes none.
    made: u32,
}

impl Places {
    const ENDLESS: Self = Self { given: 28, made: 28 };

    fn or(self, other: Self) -> Self {
        Self { given: self.given.max(other.given), made: self.made.max(other.made) }
    }

    fn times(self, other: Self) -> Self {
        if self.given == 0 || other.given == 0 {
            return self.or(other);
        }
        let given = self.given.saturating_add(other.given).min(28);
        Self { given, made: given }
    }

    fn given(given: u32) -> Self {
        Self { given, made: 0 }
    }
}

/// A literal is looked at as it was written.
fn inside(expr: &Expr) -> &Expr {
    if let ExprKind::Convert(inner, _) = &expr.kind { inside(inner) } else { expr }
}

fn field_of<'t>(ty: &'t Ty, name: &str) -> Option<&'t Field> {
    ty.object().and_then(|object| object.field(name)).map(|field| &**field)
}

/// The decimals that a field keeps, of a percentage as a fraction.
fn kept(field: &Field) -> Option<u32> {
    let points = if field.ty.kind == Kind::Percent { 2 } else { 0 };
    field.decimals.map(|places| places + points)
}

/// The decimals of what is given from outside: those of its field, else as many as such numbers have.
fn as_given(field: Option<&Field>, ty: &Ty) -> Places {
    let usual = match ty.kind {
        Kind::Percent => 4,
        Kind::Int => 0,
        _ => 2,
    };
    Places::given(field.and_then(kept).unwrap_or(usual))
}

fn decimals(places: u32) -> String {
    match places {
        0 => "no decimals".to_owned(),
        1 => "one decimal".to_owned(),
        2 => "two decimals".to_owned(),
        more => format!("{more} decimals"),
    }
}
