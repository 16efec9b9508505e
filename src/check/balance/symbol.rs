//! What an expression stands for when amounts are added up: a formula, a list whose sum is known, or just a name.
//!
//! Takes typed expressions with what the names above them stand for; names are written out, functions of the flow too.
//! A name of something unknown is made of all that it hangs on, so that equal names are equal values.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
};

use super::{Adding, poly::Poly};
use crate::{
    check::typed::{Expr, ExprKind, Line, RecordExpr, Search, TextPart, VarId},
    schema::{Kind, Ty},
    syntax::tree::BinaryOp,
    value::{Compare, Decimal, Value},
};

/// What names stand for.
pub(super) type Env<'e> = HashMap<VarId, Symbol<'e>>;

/// What an expression stands for.
#[derive(Debug, Clone)]
pub(super) enum Symbol<'e> {
    /// A number; a blank one counts as zero.
    Number(Poly),
    /// A text, a day, a record of a system: its name.
    Other(Arc<str>),
    /// A record whose fields are known.
    Record(Rc<BTreeMap<Arc<str>, Symbol<'e>>>),
    /// A list.
    List(Rc<List<'e>>),
}

/// What a list is made of.
#[derive(Debug)]
pub(super) enum List<'e> {
    /// A name, and the type of the elements.
    Named(Arc<str>, Ty),
    /// Written out.
    Items(Vec<Symbol<'e>>),
    /// `each x in list when c …`, `[… for x in list when c]`
    Each { var: VarId, list: Rc<List<'e>>, when: Option<&'e Expr>, item: Item<'e>, env: Rc<Env<'e>> },
    /// The field of each element.
    Field(Rc<List<'e>>, Arc<str>, Ty),
    /// `spread` and `balance`: the sum of this field is the total.
    Shared { total: Poly, over: Rc<List<'e>>, by: Arc<str>, function: &'static str },
    /// `group`: the sum of this field is that of the list.
    Group { list: Rc<List<'e>>, by: Vec<Arc<str>>, sum: Arc<str> },
    /// The first whose condition holds, or the last.
    Choice(Vec<(&'e Expr, Rc<List<'e>>)>, Rc<List<'e>>, Rc<Env<'e>>),
}

/// What each element becomes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'e> {
    Value(&'e Expr),
    Record(&'e RecordExpr),
}

impl<'e> Adding<'_, 'e> {
    /// The number that an expression stands for.
    pub(super) fn number(&mut self, expr: &'e Expr, env: &Env<'e>) -> Poly {
        match self.symbol(expr, env) {
            Symbol::Number(number) => number,
            other => {
                let key = self.key(&other);
                Poly::atom(key)
            }
        }
    }

    /// What an expression stands for.
    pub(super) fn symbol(&mut self, expr: &'e Expr, env: &Env<'e>) -> Symbol<'e> {
        if !self.steps() {
            return Symbol::Other("…".into());
        }
        match &expr.kind {
            ExprKind::Const(value) => constant(value, &expr.ty),
            ExprKind::Var(var) => env.get(var).cloned().unwrap_or_else(|| self.unknown(*var, &expr.ty)),
            ExprKind::Setting(id) => {
                let name = self.checker.settings.get(id.0 as usize).map_or("setting", |setting| &*setting.name);
                named(format!("{name}\u{1}0{}", id.0).into(), &expr.ty)
            }
            ExprKind::Field(base, name) => {
                let base = self.symbol(base, env);
                Self::field(&base, name, &expr.ty)
            }
            ExprKind::Must(inner, _) | ExprKind::Convert(inner, _) => self.symbol(inner, env),
            ExprKind::Negate(inner) => Symbol::Number(self.number(inner, env).scaled(Decimal::NEGATIVE_ONE)),
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, expr, env),
            ExprKind::Choose(arms, last) => self.choose(arms, last.as_deref(), expr, env),
            ExprKind::Function(function, args) => self.function(function.name, args, expr, env),
            ExprKind::Define(id, args) => {
                let args: Vec<Symbol<'e>> = args.iter().map(|arg| self.symbol(arg, env)).collect();
                let defines: &'e [_] = self.defines;
                match defines.get(id.0 as usize) {
                    Some(define) => {
                        let inside = define.params.iter().copied().zip(args).collect();
                        self.symbol(&define.body, &inside)
                    }
                    None => Symbol::Other("…".into()),
                }
            }
            ExprKind::Table(id, args) => {
                let name = self.checker.tables.get(id.0 as usize).map_or("table", |table| &*table.name).to_owned();
                let args = self.keys(args, env);
                named(format!("{name}({args})").into(), &expr.ty)
            }
            ExprKind::List(items) => {
                let items = items.iter().map(|item| self.symbol(item, env)).collect();
                Symbol::List(Rc::new(List::Items(items)))
            }
            ExprKind::Comprehension { item, var, list, when } => {
                self.each(*var, list, when.as_deref(), Item::Value(item), env)
            }
            ExprKind::Rows { var, list, when, record } => {
                self.each(*var, list, when.as_deref(), Item::Record(record), env)
            }
            ExprKind::Record(record) => self.record(record, env),
            ExprKind::Text(parts) => {
                let mut text = String::from("\"");
                for part in parts {
                    match part {
                        TextPart::Chars(chars) => text.push_str(chars),
                        TextPart::Hole(hole) => {
                            let hole = self.symbol(hole, env);
                            text.extend(["{", &self.key(&hole), "}"]);
                        }
                    }
                }
                Symbol::Other((text + "\"").into())
            }
            ExprKind::Not(inner) => {
                let inner = self.symbol(inner, env);
                Symbol::Other(format!("not ({})", self.key(&inner)).into())
            }
            ExprKind::Exists(search) => {
                let search = self.search(search, env);
                Symbol::Other(format!("exists {search}").into())
            }
            ExprKind::Columns(names) => Symbol::Other(names.join(", ").into()),
            ExprKind::Pattern(text) => Symbol::Other(format!("/{text}/").into()),
            ExprKind::Today => Symbol::Other("today()".into()),
            // what is wrong was told, and what is still to be written is unknown
            ExprKind::Todo => {
                self.silent = true;
                Symbol::Other("…".into())
            }
            ExprKind::Outcome(..) => Symbol::Number(Poly::default()),
        }
    }

    /// A name of which nothing more is known.
    fn unknown(&self, var: VarId, ty: &Ty) -> Symbol<'e> {
        let name = self.checker.vars.get(var.0 as usize).map_or("value", |var| &*var.name);
        named(format!("{name}\u{1}{}", var.0).into(), ty)
    }

    fn search(&mut self, search: &'e Search, env: &Env<'e>) -> String {
        let condition = search.condition.as_ref().map(|condition| self.symbol(condition, env));
        let condition = condition.map_or_else(String::new, |condition| self.key(&condition).to_string());
        format!("{} where {condition}", search.name.entity)
    }

    fn each(
        &mut self,
        var: VarId,
        list: &'e Expr,
        when: Option<&'e Expr>,
        item: Item<'e>,
        env: &Env<'e>,
    ) -> Symbol<'e> {
        let list = self.list(list, env);
        Symbol::List(Rc::new(List::Each { var, list, when, item, env: Rc::new(env.clone()) }))
    }

    /// The list that an expression stands for.
    pub(super) fn list(&mut self, expr: &'e Expr, env: &Env<'e>) -> Rc<List<'e>> {
        match self.symbol(expr, env) {
            Symbol::List(list) => list,
            other => {
                let key = self.key(&other);
                Rc::new(List::Named(key, element_type(&expr.ty)))
            }
        }
    }

    pub(super) fn record(&mut self, record: &'e RecordExpr, env: &Env<'e>) -> Symbol<'e> {
        let mut env = env.clone();
        let mut fields = BTreeMap::new();
        for line in &record.lines {
            match line {
                Line::Let(line) => {
                    let value = self.symbol(&line.value, &env);
                    env.insert(line.var, value);
                }
                Line::Find(find) => self.found(find, &mut env),
                Line::Field(line) => {
                    let value = self.symbol(&line.value, &env);
                    fields.insert(line.field.name.clone(), value);
                }
                Line::Guard(_) | Line::Ensure(_) | Line::Object { .. } | Line::Each { .. } => {}
            }
        }
        Symbol::Record(Rc::new(fields))
    }

    /// A row that is looked up: known by what it is looked up by.
    pub(super) fn found(&mut self, find: &'e crate::check::typed::Find, env: &mut Env<'e>) {
        let (name, ty) = self
            .checker
            .vars
            .get(find.var.0 as usize)
            .map_or_else(|| ("row".into(), Ty::any()), |var| (var.name.clone(), var.ty.clone()));
        let search = self.search(&find.search, env);
        env.insert(find.var, named(format!("{name}\u{4}{search}\u{5}").into(), &ty));
    }

    /// A field of a record, or of each record of a list.
    pub(super) fn field(base: &Symbol<'e>, name: &Arc<str>, ty: &Ty) -> Symbol<'e> {
        match base {
            Symbol::Record(fields) => fields.get(name).cloned().unwrap_or_else(|| named("blank".into(), ty)),
            Symbol::List(list) => Symbol::List(Rc::new(List::Field(list.clone(), name.clone(), element_type(ty)))),
            Symbol::Other(key) => named(format!("{key}.{name}").into(), ty),
            Symbol::Number(_) => Symbol::Other("…".into()),
        }
    }

    fn binary(&mut self, op: BinaryOp, a: &'e Expr, b: &'e Expr, whole: &'e Expr, env: &Env<'e>) -> Symbol<'e> {
        let linear = !a.ty.optional && !b.ty.optional;
        match op {
            BinaryOp::Add if linear && whole.ty.is_number() => {
                Symbol::Number(self.number(a, env).plus(&self.number(b, env), Decimal::ONE))
            }
            BinaryOp::Subtract if linear && whole.ty.is_number() => {
                Symbol::Number(self.number(a, env).minus(&self.number(b, env)))
            }
            BinaryOp::Multiply if whole.ty.is_number() => {
                let (a, b) = (self.number(a, env), self.number(b, env));
                Symbol::Number(self.product(&a, &b))
            }
            BinaryOp::Divide if whole.ty.is_number() => {
                let (a, b) = (self.number(a, env), self.number(b, env));
                let number = b.as_number().and_then(|number| Decimal::ONE.checked_div(number));
                let by = if let Some(number) = number {
                    Poly::number(number)
                } else {
                    let (unit, number) = b.unit();
                    let inverse = Poly::atom(format!("1/({})", unit.key()).into());
                    inverse.scaled(Decimal::ONE.checked_div(number).unwrap_or_default())
                };
                Symbol::Number(self.product(&a, &by))
            }
            BinaryOp::Default => {
                let ends = matches!(b.kind, ExprKind::Outcome(..));
                let first = self.symbol(a, env);
                if ends || !a.ty.optional {
                    return first;
                }
                match (first, self.symbol(b, env)) {
                    (Symbol::Number(first), Symbol::Number(second)) if second.is_zero() => Symbol::Number(first),
                    (Symbol::Number(first), Symbol::Number(second)) => {
                        let blank = format!("{} is blank", first.key()).into();
                        let blank = Poly::cond(super::poly::Cond { subject: blank, word: None });
                        let second = self.product(&second, &blank);
                        Symbol::Number(first.plus(&second, Decimal::ONE))
                    }
                    (first, second) => {
                        let (first, second) = (self.key(&first), self.key(&second));
                        named(format!("({first} ?? {second})").into(), &whole.ty)
                    }
                }
            }
            _ => {
                let (a, b) = (self.symbol(a, env), self.symbol(b, env));
                let (a, b) = (self.key(&a), self.key(&b));
                named(format!("({a} {} {b})", word(op)).into(), &whole.ty)
            }
        }
    }

    pub(super) fn product(&mut self, a: &Poly, b: &Poly) -> Poly {
        let product = a.times(b);
        self.too_large |= product.is_none();
        product.unwrap_or_default()
    }

    /// The arms that give a value: one that ends the record leaves nothing to add up.
    fn choose(
        &mut self,
        arms: &'e [(Expr, Expr)],
        last: Option<&'e Expr>,
        whole: &'e Expr,
        env: &Env<'e>,
    ) -> Symbol<'e> {
        let ends = |value: &Expr| matches!(value.kind, ExprKind::Outcome(..));
        let mut open: Vec<&'e (Expr, Expr)> = arms.iter().filter(|(value, _)| !ends(value)).collect();
        let mut last = last;
        if last.is_some_and(ends) {
            // what is not chosen before ends the record
            last = open.pop().map(|(value, _)| value);
        }
        if open.is_empty()
            && let Some(last) = last
        {
            return self.symbol(last, env);
        }
        if whole.ty.is_number() {
            let mut sum = last.map_or_else(Poly::default, |last| self.number(last, env));
            for (value, when) in open.into_iter().rev() {
                // this one where its condition holds, else what stands below it
                let own = self.number(value, env).minus(&sum);
                let own = self.restrict(when, own, env);
                sum = sum.plus(&own, Decimal::ONE);
            }
            return Symbol::Number(sum);
        }
        if matches!(whole.ty.kind, Kind::List(_)) {
            let arms = open.into_iter().map(|(value, when)| (when, self.list(value, env))).collect();
            let last = last.map_or_else(|| Rc::new(List::Items(Vec::new())), |last| self.list(last, env));
            return Symbol::List(Rc::new(List::Choice(arms, last, Rc::new(env.clone()))));
        }
        let mut text = String::from("(");
        for (value, when) in open {
            let (value, when) = (self.symbol(value, env), self.symbol(when, env));
            text.extend([&*self.key(&value), " when ", &self.key(&when), " else "]);
        }
        let last = last.map(|last| self.symbol(last, env));
        text.push_str(&last.map_or_else(|| "blank".into(), |last| self.key(&last)));
        named((text + ")").into(), &whole.ty)
    }

    fn function(&mut self, name: &'static str, args: &'e [Expr], whole: &'e Expr, env: &Env<'e>) -> Symbol<'e> {
        match (name, args) {
            ("sum", [list]) => {
                let list = self.list(list, env);
                Symbol::Number(self.total(&list, &mut |adding, item| adding.as_number(&item)))
            }
            ("count", [list]) => {
                let list = self.list(list, env);
                Symbol::Number(self.total(&list, &mut |_, _| Poly::number(Decimal::ONE)))
            }
            ("sort_by", [list, ..]) => Symbol::List(self.list(list, env)),
            ("spread" | "balance", [total, over, by]) => {
                let (total, over) = (self.number(total, env), self.list(over, env));
                let by = columns(by).first().cloned().unwrap_or_default();
                Symbol::List(Rc::new(List::Shared { total, over, by, function: name }))
            }
            ("group", [list, by, sum]) => {
                let list = self.list(list, env);
                let (by, sum) = (columns(by).to_vec(), columns(sum).first().cloned().unwrap_or_default());
                Symbol::List(Rc::new(List::Group { list, by, sum }))
            }
            ("round", [of, places]) => {
                let (of, places) = (self.number(of, env), self.symbol(places, env));
                // half away from zero: the same on both sides of it
                let sign = if of.0.values().next().is_some_and(Decimal::is_sign_negative) {
                    Decimal::NEGATIVE_ONE
                } else {
                    Decimal::ONE
                };
                let key = format!("round({}, {})", of.scaled(sign).key(), self.key(&places));
                if of.is_zero() { Symbol::Number(of) } else { Symbol::Number(Poly::atom(key.into()).scaled(sign)) }
            }
            ("to_decimal" | "to_percent", [of]) if of.ty.is_number() => self.symbol(of, env),
            _ => {
                let args = self.keys(args, env);
                named(format!("{name}({args})").into(), &whole.ty)
            }
        }
    }

    fn keys(&mut self, args: &'e [Expr], env: &Env<'e>) -> String {
        let mut keys = Vec::new();
        for arg in args {
            let symbol = self.symbol(arg, env);
            keys.push(self.key(&symbol).to_string());
        }
        keys.join(", ")
    }

    pub(super) fn as_number(&mut self, symbol: &Symbol<'e>) -> Poly {
        match symbol {
            Symbol::Number(number) => number.clone(),
            other => Poly::atom(self.key(other)),
        }
    }

    /// The name of what something stands for.
    pub(super) fn key(&mut self, symbol: &Symbol<'e>) -> Arc<str> {
        match symbol {
            Symbol::Number(number) => number.key().into(),
            Symbol::Other(key) => key.clone(),
            Symbol::Record(fields) => {
                let mut text = String::from("{");
                for (name, value) in &**fields {
                    text.extend([name, ": ", &self.key(value), ", "]);
                }
                (text + "}").into()
            }
            Symbol::List(list) => self.list_key(list),
        }
    }
}

fn columns(expr: &Expr) -> &[Arc<str>] {
    if let ExprKind::Columns(names) = &expr.kind { names } else { &[] }
}

fn constant<'e>(value: &Value, ty: &Ty) -> Symbol<'e> {
    match value.as_decimal() {
        Some(number) => Symbol::Number(Poly::number(number)),
        None if value.is_blank() && ty.is_number() => Symbol::Number(Poly::default()),
        None => Symbol::Other(super::literal(value)),
    }
}

/// Something of which only the name is known.
pub(super) fn named<'e>(key: Arc<str>, ty: &Ty) -> Symbol<'e> {
    match &ty.kind {
        _ if ty.is_number() => Symbol::Number(Poly::atom(key)),
        Kind::List(of) => Symbol::List(Rc::new(List::Named(key, (**of).clone()))),
        _ => Symbol::Other(key),
    }
}

fn element_type(ty: &Ty) -> Ty {
    if let Kind::List(of) = &ty.kind { (**of).clone() } else { Ty::any() }
}

fn word(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Is => "is",
        BinaryOp::IsNot => "is not",
        BinaryOp::In => "in",
        BinaryOp::NotIn => "not in",
        BinaryOp::Compare(Compare::Less) => "<",
        BinaryOp::Compare(Compare::AtMost) => "<=",
        BinaryOp::Compare(Compare::Greater) => ">",
        BinaryOp::Compare(Compare::AtLeast) => ">=",
        BinaryOp::Default => "??",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
    }
}
