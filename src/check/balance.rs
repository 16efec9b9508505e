//! Does an entry balance? F509: debit and credit that are not provably the same amount.
//!
//! Takes the checked stage, adds both sides of each entry up as formulas (never as numbers), and tells where the two
//! are not the same formula. Promises that an entry without a message balances to the cent for every record that is
//! decided: names and functions are written out, `spread` and `balance` give their total, a list is added up element
//! by element, `x when x > 0` beside `-x when x < 0` is one signed amount, and a guard that asks for two equal amounts
//! is believed. What a system computes, a division or a rounding is a name of its own.

mod condition;
mod poly;
mod symbol;

use std::{collections::HashMap, rc::Rc, sync::Arc};

use self::{
    poly::{Poly, Term},
    symbol::{Env, Item, List, Symbol, named},
};
use super::{
    checker::Checker,
    typed::{After, Alternative, Define, Expr, ExprKind, Guard, Line, Stmt, Target, VarId, Write},
};
use crate::{
    diagnostic::Diagnostic,
    schema::{Balance, Kind, Ty},
    syntax::tree::BinaryOp,
    value::{Decimal, Value, Verdict},
};

/// More work than any entry that a person writes: above it the entry is told as one that cannot be added up.
const STEPS: u32 = 50_000;

impl Checker<'_> {
    /// Adds up the entries of a flow.
    pub(super) fn balanced(&mut self, body: &[Stmt], afters: &[After]) {
        if !has_entries(body) && !afters.iter().any(|after| has_entries(&after.body)) {
            return;
        }
        let mut env = Env::new();
        let mut adding = Adding {
            checker: self,
            defines: &self.defines,
            conditions: HashMap::new(),
            equal: Vec::new(),
            lists: HashMap::new(),
            next: 0,
            left: STEPS,
            too_large: false,
            silent: false,
            told: Vec::new(),
        };
        for line in &self.constants {
            adding.name(line, &mut env);
        }
        adding.statements(body, &mut env);
        for after in afters {
            adding.statements(&after.body, &mut env.clone());
        }
        let told = adding.told;
        for told in told {
            self.say(told);
        }
    }
}

fn has_entries(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Write(write) => write.targets.iter().any(|target| entry(target).is_some()),
        Stmt::Each(each) => has_entries(&each.body),
        Stmt::Ensure(ensure) => ensure.alternatives.iter().any(|one| match one {
            Alternative::Create(write) => write.targets.iter().any(|target| entry(target).is_some()),
            _ => false,
        }),
        Stmt::Let(_) | Stmt::Find(_) | Stmt::Guard(_) => false,
    })
}

fn entry(target: &Target) -> Option<&Balance> {
    target.entity.write.as_ref()?.balance.as_ref()
}

/// A walk over the entries, with what the names above them stand for.
struct Adding<'c, 'e> {
    checker: &'e Checker<'c>,
    defines: &'e [Define],
    /// Names of conditions, written out where they are asked.
    conditions: HashMap<VarId, &'e Expr>,
    /// Amounts that are zero, because a guard lets no other pass.
    equal: Vec<Poly>,
    /// Short names of long lists.
    lists: HashMap<String, usize>,
    /// The next element of a list.
    next: u32,
    /// Steps that are left for the entry in hand.
    left: u32,
    too_large: bool,
    /// Something in it was told already.
    silent: bool,
    told: Vec<Diagnostic>,
}

/// Both sides of an entry.
#[derive(Default)]
struct Sides {
    debit: Poly,
    credit: Poly,
}

impl<'e> Adding<'_, 'e> {
    /// One step more; no = there have been too many.
    fn steps(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.too_large |= self.left == 0;
        self.left > 0
    }

    fn name(&mut self, line: &'e super::typed::Let, env: &mut Env<'e>) {
        if line.value.ty.kind == Kind::Bool {
            self.conditions.insert(line.var, &line.value);
        }
        let value = self.symbol(&line.value, env);
        env.insert(line.var, value);
    }

    fn statements(&mut self, body: &'e [Stmt], env: &mut Env<'e>) {
        for stmt in body {
            match stmt {
                Stmt::Let(line) => self.name(line, env),
                Stmt::Find(find) => self.found(find, env),
                Stmt::Guard(guard) => self.guard(guard, env),
                Stmt::Write(write) => self.write(write, env),
                Stmt::Each(each) => self.statements(&each.body, &mut env.clone()),
                Stmt::Ensure(ensure) => {
                    for one in &ensure.alternatives {
                        match one {
                            Alternative::Create(write) => self.write(write, env),
                            Alternative::Let(line) => self.name(line, env),
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    /// `hold when a is not b`: below it they are equal.
    fn guard(&mut self, guard: &'e Guard, env: &Env<'e>) {
        if let Some(when) = guard.when.as_ref().filter(|_| guard.verdict != Verdict::Warn) {
            self.excluded(when, env);
        }
    }

    fn excluded(&mut self, when: &'e Expr, env: &Env<'e>) {
        match &when.kind {
            ExprKind::Binary(BinaryOp::Or, a, b) => {
                self.excluded(a, env);
                self.excluded(b, env);
            }
            ExprKind::Binary(BinaryOp::IsNot, a, b) if a.ty.is_number() && b.ty.is_number() => {
                let difference = self.number(a, env).minus(&self.number(b, env));
                self.equal.push(difference);
            }
            _ => {}
        }
    }

    fn write(&mut self, write: &'e Write, env: &Env<'e>) {
        for target in &write.targets {
            let Some(facts) = entry(target) else { continue };
            (self.left, self.too_large, self.silent) = (STEPS, false, false);
            let mut sides = Sides::default();
            self.entry(&target.lines, facts, &mut env.clone(), &mut sides);
            let mut left = sides.debit.clone().minus(&sides.credit);
            for zero in &self.equal {
                left = left.given_zero(zero);
            }
            if !self.silent && (self.too_large || !left.is_zero()) {
                let told = self.message(write, facts, &sides, &left);
                self.told.push(told);
            }
        }
    }

    /// Adds up the line objects of an entry.
    fn entry(&mut self, lines: &'e [Line], facts: &Balance, env: &mut Env<'e>, sides: &mut Sides) {
        for line in lines {
            match line {
                Line::Let(line) => self.name(line, env),
                Line::Find(find) => self.found(find, env),
                Line::Guard(guard) => self.guard(guard, env),
                Line::Object { field, when, lines, .. } if field.name == facts.lines => {
                    let mut own = self.amounts(lines, facts, &mut env.clone());
                    if let Some(when) = when {
                        own.debit = self.restrict(when, own.debit, env);
                        own.credit = self.restrict(when, own.credit, env);
                    }
                    sides.add(&own);
                }
                Line::Each { field, var, list, when, lines } if field.name == facts.lines => {
                    let list = self.list(list, env);
                    let (mut env, facts) = (env.clone(), facts.clone());
                    let mut side = |adding: &mut Self, of: fn(Sides) -> Poly| {
                        adding.total(&list, &mut |adding, item| {
                            env.insert(*var, item);
                            let own = of(adding.amounts(lines, &facts, &mut env.clone()));
                            match when {
                                Some(when) => adding.restrict(when, own, &env),
                                None => own,
                            }
                        })
                    };
                    let debit = side(self, |own| own.debit);
                    let credit = side(self, |own| own.credit);
                    sides.add(&Sides { debit, credit });
                }
                Line::Object { .. } | Line::Each { .. } | Line::Ensure(_) | Line::Field(_) => {}
            }
        }
    }

    /// The amounts of one line object.
    fn amounts(&mut self, lines: &'e [Line], facts: &Balance, env: &mut Env<'e>) -> Sides {
        let mut sides = Sides::default();
        for line in lines {
            match line {
                Line::Let(line) => self.name(line, env),
                Line::Find(find) => self.found(find, env),
                Line::Field(line) if line.field.name == facts.debit => {
                    sides.debit = sides.debit.plus(&self.number(&line.value, env), Decimal::ONE);
                }
                Line::Field(line) if line.field.name == facts.credit => {
                    sides.credit = sides.credit.plus(&self.number(&line.value, env), Decimal::ONE);
                }
                _ => {}
            }
        }
        sides
    }

    /// The sum over a list of what each element comes to.
    fn total(&mut self, list: &List<'e>, of: &mut dyn FnMut(&mut Self, Symbol<'e>) -> Poly) -> Poly {
        if !self.steps() {
            return Poly::default();
        }
        match list {
            List::Items(items) => items.iter().fold(Poly::default(), |sum, item| {
                let own = of(self, item.clone());
                sum.plus(&own, Decimal::ONE)
            }),
            List::Each { var, list, when, item, env } => {
                let (var, when, item, env) = (*var, *when, *item, env.clone());
                self.total(list, &mut |adding, element| {
                    let mut env = (*env).clone();
                    env.insert(var, element);
                    let own = adding.item(item, &env);
                    let own = of(adding, own);
                    match when {
                        Some(when) => adding.restrict(when, own, &env),
                        None => own,
                    }
                })
            }
            List::Field(list, name, ty) => self.total(list, &mut |adding, element| {
                let own = Self::field(&element, name, ty);
                of(adding, own)
            }),
            List::Choice(arms, last, env) => {
                let mut sum = self.total(last, of);
                for (when, list) in arms.iter().rev() {
                    let own = self.total(list, of).minus(&sum);
                    let own = self.restrict(when, own, env);
                    sum = sum.plus(&own, Decimal::ONE);
                }
                sum
            }
            List::Named(_, ty) => self.named_elements(list, ty, None, of),
            List::Shared { total, by, .. } => self.named_elements(list, &Ty::any(), Some((by, total)), of),
            List::Group { list: over, sum, .. } => {
                let total = self.total(over, &mut |adding, element| {
                    let own = Self::field(&element, sum, &Ty::new(Kind::Decimal));
                    adding.as_number(&own)
                });
                self.named_elements(list, &Ty::any(), Some((sum, &total)), of)
            }
        }
    }

    fn item(&mut self, item: Item<'e>, env: &Env<'e>) -> Symbol<'e> {
        match item {
            Item::Value(value) => self.symbol(value, env),
            Item::Record(record) => self.record(record, env),
        }
    }

    /// The sum over a list of which the elements are only names; that of one field may be known.
    fn named_elements(
        &mut self,
        list: &List<'e>,
        ty: &Ty,
        known: Option<(&Arc<str>, &Poly)>,
        of: &mut dyn FnMut(&mut Self, Symbol<'e>) -> Poly,
    ) -> Poly {
        let mark = self.mark();
        let own = of(self, named(mark.clone().into(), ty));
        let key = self.list_key(list);
        let mut sum = Poly::default();
        for (term, number) in own.0 {
            let mine = |text: &str| text.contains(&mark);
            let (inner, outer) = term.factors.into_iter().partition(|factor| mine(factor));
            let (conds, outer_conds) = term.conds.into_iter().partition(|cond| mine(&cond.subject));
            let (inner, outer) = (Term { conds, factors: inner }, Term { conds: outer_conds, factors: outer });
            let added = match &known {
                Some((by, total))
                    if inner.conds.is_empty()
                        && matches!(inner.factors.as_slice(), [one] if **one == *format!("{mark}.{by}")) =>
                {
                    (*total).clone()
                }
                _ => {
                    let mut one = Poly::default();
                    one.add(inner, Decimal::ONE);
                    let text = closed(&one.key(), &mark);
                    Poly::atom(format!("the sum of \u{4}{key}\u{5}{text}").into())
                }
            };
            let mut outside = Poly::default();
            outside.add(outer, number);
            sum = sum.plus(&self.product(&added, &outside), Decimal::ONE);
        }
        sum
    }

    /// A name for an element of a list.
    fn mark(&mut self) -> String {
        self.next += 1;
        format!("\u{2}{}\u{3}", self.next)
    }

    /// The name of a list: equal lists have one name.
    fn list_key(&mut self, list: &List<'e>) -> Arc<str> {
        let text = match list {
            List::Named(key, _) => return key.clone(),
            List::Items(items) => {
                let items: Vec<Arc<str>> = items.iter().map(|item| self.key(item)).collect();
                format!("[{}]", items.join(", "))
            }
            List::Each { var, list, when, item, env } => {
                let (mark, ty) = (self.mark(), element_of(list));
                let mut inside = (**env).clone();
                inside.insert(*var, named(mark.clone().into(), &ty));
                let own = self.item(*item, &inside);
                let own = self.key(&own);
                let when = when.map(|when| self.symbol(when, &inside));
                let when = when.map_or_else(|| "".into(), |when| self.key(&when));
                let over = self.list_key(list);
                format!("{} in {over}", closed(&format!("{own} when {when}"), &mark))
            }
            List::Field(list, name, _) => format!("{}.{name}", self.list_key(list)),
            List::Shared { total, over, by, function } => {
                format!("{function}({}, {}, .{by})", total.key(), self.list_key(over))
            }
            List::Group { list, by, sum } => {
                format!("group({}, [{}], .{sum})", self.list_key(list), by.join(", "))
            }
            List::Choice(arms, last, env) => {
                let mut text = String::from("(");
                for (when, list) in arms {
                    let when = self.symbol(when, env);
                    text.extend([&*self.list_key(list), " when ", &self.key(&when), " else "]);
                }
                text + &self.list_key(last) + ")"
            }
        };
        // a long name that hangs on no element around it gets a short one
        let free = text.match_indices('\u{2}').any(|(at, _)| !text.get(at + 1..).is_some_and(|on| on.starts_with('@')));
        if free || text.len() < 60 {
            return text.into();
        }
        let next = self.lists.len();
        let number = *self.lists.entry(text).or_insert(next);
        format!("list {number}").into()
    }

    /// What is said of an entry that is not proven.
    fn message(&self, write: &Write, facts: &Balance, sides: &Sides, left: &Poly) -> Diagnostic {
        if self.too_large {
            let title = "this booking is too large to prove that debit and credit are the same amount";
            return Diagnostic::new("F509", title, write.span)
                .help("name its parts and share a total out over them:  spread(total, over: list, by: .amount)");
        }
        let (debit, credit) = sides.plain();
        let rounded = left
            .0
            .keys()
            .flat_map(|term| &term.factors)
            .any(|factor| factor.starts_with("the sum of") && factor.contains("round("));
        let (more, less, other) = if left.0.values().all(Decimal::is_sign_negative) {
            ("credit", left.scaled(Decimal::NEGATIVE_ONE), &facts.debit)
        } else {
            ("debit", left.clone(), &facts.credit)
        };
        let (debit, credit, less) = (debit.words(), credit.words(), less.words());
        let sides = format!("debit   {debit}\ncredit  {credit}\n{more} is more by {less}");
        let title = "debit and credit of this booking are not the same amount";
        Diagnostic::new("F509", title, write.span).says(sides).help(if rounded {
            "rounding each part leaves cents over; let `balance` put them on the largest line:\n  \
             each part in balance(total, over: list, by: .amount)"
                .to_owned()
        } else {
            format!("book the rest on the other side:\n  Lines {{\n    {other} = …\n  }}")
        })
    }
}

impl Sides {
    fn add(&mut self, other: &Self) {
        self.debit = std::mem::take(&mut self.debit).plus(&other.debit, Decimal::ONE);
        self.credit = std::mem::take(&mut self.credit).plus(&other.credit, Decimal::ONE);
    }

    /// Both sides as people think of them: a signed amount stands on the side that it is written for.
    fn plain(&self) -> (Poly, Poly) {
        let (mut debit, mut credit) = (self.debit.clone(), self.credit.clone());
        for (term, number) in &self.debit.0 {
            if !term.conds.is_empty() && self.credit.0.get(term) == Some(number) {
                debit.0.remove(term);
                credit.0.remove(term);
            }
        }
        (debit, credit)
    }
}

/// A literal as a name.
fn literal(value: &Value) -> Arc<str> {
    match value {
        Value::Text(text) => format!("\"{text}\"").into(),
        other => other.to_string().into(),
    }
}

fn element_of(list: &Rc<List<'_>>) -> Ty {
    match &**list {
        List::Named(_, ty) | List::Field(_, _, ty) => ty.clone(),
        List::Items(items) if matches!(items.first(), Some(Symbol::Number(_))) => Ty::new(Kind::Decimal),
        _ => Ty::any(),
    }
}

/// A formula in which the element of a list no longer has a name of its own: the same for all loops over that list.
fn closed(text: &str, mark: &str) -> String {
    let depth = |part: &str| part.split_once('\u{3}').and_then(|(number, _)| number.parse::<u32>().ok());
    let deepest = text.split("\u{2}@").skip(1).filter_map(depth).max().unwrap_or(0);
    text.replace(mark, &format!("\u{2}@{}\u{3}", deepest + 1))
}
