//! The expressions of the slow twin: one arm for each kind, nothing kept, nothing prepared.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use koppel::{
    check::typed::{
        Cell, Convert, Expr, ExprKind, Line, MessagePart, RecordExpr, RowResult, SettingId, TableId, TextPart, VarId,
    },
    function::{Argument, Function, Takes},
    schema::{Kind, normalise},
    syntax::tree::BinaryOp,
    value::{Decimal, Money, Record, Shape, Value, Verdict, order, same},
};
use regex::Regex;

use super::interpreter::{Ended, Twin, holds_key, mentions, printed};

impl<'p> Twin<'p> {
    /// The value of an expression.
    pub(super) fn value(&mut self, expr: &'p Expr) -> Result<Value, Ended> {
        let value = self.plain_value(expr)?;
        // A list is never blank.
        let list = matches!(expr.ty.kind, Kind::List(_) | Kind::Words(_));
        Ok(if list && value.is_blank() { Value::List([].into()) } else { value })
    }

    fn plain_value(&mut self, expr: &'p Expr) -> Result<Value, Ended> {
        let fails = |twin: &Self| twin.own_words(Verdict::Fail, expr.span);
        Ok(match &expr.kind {
            ExprKind::Const(value) => value.clone(),
            ExprKind::Pattern(pattern) => Value::text(pattern.as_str()),
            ExprKind::Columns(_) => Value::Blank,
            ExprKind::Var(var) => self.var(*var)?,
            ExprKind::Setting(id) => self.setting(*id),
            ExprKind::Field(of, name) => {
                let value = self.value(of)?;
                match &of.kind {
                    // A table with one result gives the value itself.
                    ExprKind::Table(table, _) if self.program.tables[table.0 as usize].results.len() == 1 => value,
                    _ => field(&value, name),
                }
            }
            ExprKind::Text(parts) => {
                let (mut text, mut blank) = (String::new(), false);
                for part in parts {
                    match part {
                        TextPart::Chars(chars) => text.push_str(chars),
                        TextPart::Hole(hole) => {
                            let value = self.value(hole)?;
                            if holds_key(&value) {
                                return Err(fails(self));
                            }
                            blank |= value.is_blank();
                            text.push_str(&printed(&value, &hole.ty));
                        }
                    }
                }
                if blank { Value::Blank } else { Value::text(&text) }
            }
            ExprKind::List(items) => Value::List(self.values(items)?.into()),
            ExprKind::Comprehension { item, var, list, when } => {
                self.each(*var, list, when.as_deref(), |twin| twin.value(item))?
            }
            ExprKind::Rows { var, list, when, record } => {
                self.each(*var, list, when.as_ref().map(|when| &**when), |twin| twin.record(record))?
            }
            ExprKind::Record(record) => self.record(record)?,
            ExprKind::Negate(of) => match self.value(of)? {
                Value::Blank => Value::Blank,
                Value::Int(n) => Value::Int(n.checked_neg().ok_or_else(|| fails(self))?),
                Value::Decimal(n) => Value::Decimal(-n),
                Value::Money(money) => Value::Money(Money { amount: -money.amount, ..money }),
                _ => return Err(fails(self)),
            },
            ExprKind::Not(of) => Value::Bool(!self.holds(of)?),
            ExprKind::Must(of, _) => match self.value(of)? {
                Value::Blank => return Err(fails(self)),
                value => value,
            },
            ExprKind::Binary(op, a, b) => self.binary(expr, *op, a, b)?,
            ExprKind::Choose(arms, last) => {
                for (value, when) in arms {
                    if self.holds(when)? {
                        return self.value(value);
                    }
                }
                last.as_ref().map_or(Ok(Value::Blank), |last| self.value(last))?
            }
            ExprKind::Outcome(verdict, message) => return Err(self.ending(*verdict, message)?),
            ExprKind::Exists(search) => Value::Bool(!self.search(search)?.is_empty()),
            ExprKind::Table(table, args) => self.table(*table, args, expr)?,
            ExprKind::Function(function, args) => self.function(function, args, expr)?,
            ExprKind::Define(id, args) => {
                let define = &self.program.defines[id.0 as usize];
                let args = self.values(args)?;
                for (param, arg) in define.params.iter().zip(args) {
                    self.known.insert(*param, Ok(arg));
                }
                self.value(&define.body)?
            }
            ExprKind::Today => Value::Date(self.today),
            ExprKind::Convert(of, convert) => match (convert, self.value(of)?) {
                (Convert::ToMoney, value @ (Value::Int(_) | Value::Decimal(_))) => {
                    value.as_decimal().map_or(Value::Blank, Value::eur)
                }
                (Convert::ToDecimal, Value::Int(n)) => Value::Decimal(n.into()),
                (Convert::ToDate, Value::DateTime(moment)) => {
                    Value::Date(TimeZone::get("Europe/Amsterdam").unwrap().to_datetime(moment).date())
                }
                (Convert::Normalise, Value::Text(text)) => normalise(&expr.ty.kind, &text),
                (_, value) => value,
            },
            ExprKind::Todo => return Err(fails(self)),
        })
    }

    fn values(&mut self, exprs: &'p [Expr]) -> Result<Vec<Value>, Ended> {
        exprs.iter().map(|expr| self.value(expr)).collect()
    }

    fn each(
        &mut self,
        var: VarId,
        list: &'p Expr,
        when: Option<&'p Expr>,
        mut item: impl FnMut(&mut Self) -> Result<Value, Ended>,
    ) -> Result<Value, Ended> {
        let list = self.value(list)?;
        let mut items = Vec::new();
        for element in list.as_list() {
            self.known.insert(var, Ok(element.clone()));
            if self.applies(when)? {
                items.push(item(self)?);
            }
        }
        Ok(Value::List(items.into()))
    }

    fn record(&mut self, record: &'p RecordExpr) -> Result<Value, Ended> {
        self.record_lines(&record.lines)
    }

    fn record_lines(&mut self, lines: &'p [Line]) -> Result<Value, Ended> {
        self.begin_lines(lines);
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for line in lines {
            let (name, value) = match line {
                Line::Field(line) => {
                    let value = self.value(&line.value)?;
                    let length = value.as_text().map_or(0, |text| text.chars().count());
                    if line.max.is_some_and(|max| length > max as usize) {
                        return Err(self.own_words(Verdict::Hold, line.span));
                    }
                    (&line.field.name, value)
                }
                Line::Object { field, when, lines, .. } => {
                    let there = self.applies(when.as_ref())?;
                    (&field.name, if there { self.record_lines(lines)? } else { Value::Blank })
                }
                Line::Each { field, var, list, when, lines } => {
                    (&field.name, self.each(*var, list, when.as_ref(), |twin| twin.record_lines(lines))?)
                }
                Line::Let(_) | Line::Find(_) | Line::Guard(_) | Line::Ensure(_) => continue,
            };
            names.push(name.clone());
            values.push(value);
        }
        Ok(Value::Record(Record::new(Shape { names }.into(), values)))
    }

    fn binary(&mut self, expr: &'p Expr, op: BinaryOp, a: &'p Expr, b: &'p Expr) -> Result<Value, Ended> {
        let yes = |yes| Ok(Value::Bool(yes));
        match op {
            BinaryOp::Or => return yes(self.holds(a)? || self.holds(b)?),
            BinaryOp::And => return yes(self.holds(a)? && self.holds(b)?),
            BinaryOp::Default => {
                let value = self.value(a)?;
                return if value.is_blank() { self.value(b) } else { Ok(value) };
            }
            _ => {}
        }
        let (x, y) = (self.value(a)?, self.value(b)?);
        let literal = [a, b].iter().any(|side| matches!(side.kind, ExprKind::Const(Value::Blank)));
        let row: BTreeSet<VarId> = self.rows.last().copied().into_iter().collect();
        let of_row = mentions(a, &row) || mentions(b, &row);
        let never = of_row && !literal && (x.is_blank() || y.is_blank());
        match op {
            BinaryOp::Is => yes(!never && is(&x, &y)),
            BinaryOp::IsNot => yes(never || !is(&x, &y)),
            BinaryOp::In => yes(is_in(&x, &y)),
            BinaryOp::NotIn => yes(!is_in(&x, &y)),
            BinaryOp::Compare(compare) => {
                if !one_currency(&x, &y) {
                    return Err(self.own_words(Verdict::Fail, expr.span));
                }
                yes(compare.holds(&x, &y))
            }
            _ => arithmetic(op, &x, &y).ok_or_else(|| self.own_words(Verdict::Fail, expr.span)),
        }
    }

    fn function(&mut self, function: &Function, typed: &'p [Expr], expr: &'p Expr) -> Result<Value, Ended> {
        let mut values = self.values(typed)?;
        for (param, value) in function.params.iter().zip(&values) {
            let lifts = !matches!(
                param.takes,
                Takes::Anything
                    | Takes::List
                    | Takes::Texts
                    | Takes::Numbers
                    | Takes::Records
                    | Takes::Pattern
                    | Takes::Column
                    | Takes::Columns
            );
            if lifts && !param.optional && value.is_blank() {
                return Ok(Value::Blank);
            }
        }
        if values.iter().any(holds_key) {
            return Err(self.own_words(Verdict::Fail, expr.span));
        }
        let rounds = ["round", "round_even", "floor", "ceil"].contains(&function.name);
        if rounds && typed[0].ty.kind == Kind::Percent {
            let places = values[1].as_decimal().unwrap_or_default() + Decimal::TWO;
            values[1] = Value::Int(places.try_into().unwrap());
        }
        let patterns: Vec<Option<Regex>> = typed
            .iter()
            .map(|arg| match &arg.kind {
                ExprKind::Pattern(pattern) => Some(pattern.clone()),
                _ => None,
            })
            .collect();
        let args: Vec<Argument<'_>> = typed
            .iter()
            .zip(&values)
            .zip(&patterns)
            .map(|((arg, value), pattern)| match (&arg.kind, pattern) {
                (ExprKind::Columns(columns), _) => Argument::Columns(columns),
                (_, Some(pattern)) => Argument::Pattern(pattern),
                _ => Argument::Value(value),
            })
            .collect();
        (function.call)(&args).map_err(|_| self.own_words(Verdict::Fail, expr.span))
    }

    fn setting(&self, id: SettingId) -> Value {
        let setting = &self.program.settings[id.0 as usize];
        let given = self.settings.get(&(setting.owner.clone(), setting.name.clone()));
        given.or(setting.default.as_ref()).cloned().unwrap_or_default()
    }

    fn table(&mut self, id: TableId, args: &'p [Expr], expr: &'p Expr) -> Result<Value, Ended> {
        let table = &self.program.tables[id.0 as usize];
        let args = self.values(args)?;
        if args.iter().any(holds_key) {
            return Err(self.own_words(Verdict::Fail, expr.span));
        }
        let fits =
            |cells: &[Cell]| cells.iter().zip(&args).all(|(cell, value)| takes(cell, value, &|id| self.setting(id)));
        let rows: Vec<_> = table.rows.iter().filter(|row| fits(&row.cells)).collect();
        let result = match rows.as_slice() {
            [] => table.otherwise.as_ref().ok_or_else(|| self.own_words(Verdict::Hold, expr.span))?,
            [_, _, ..] if !table.first => return Err(self.own_words(Verdict::Hold, expr.span)),
            [row, ..] => &row.result,
        };
        for (param, arg) in table.params.iter().zip(args) {
            self.known.insert(*param, Ok(arg));
        }
        match result {
            RowResult::Outcome(verdict, message) => Err(self.ending(*verdict, message)?),
            RowResult::Values(values) if values.len() == 1 => self.value(&values[0]),
            RowResult::Values(values) => {
                let names = table.results.iter().map(|(name, _)| name.clone()).collect();
                Ok(Value::Record(Record::new(Shape { names }.into(), self.values(values)?)))
            }
        }
    }

    /// What a `where` says before any row is seen: the values that rows are compared with are worked out in the order
    /// of the text, and a blank one matches nothing. None = the rows decide.
    pub(super) fn without_rows(&mut self, expr: &'p Expr, row: VarId) -> Result<Option<bool>, Ended> {
        let set = BTreeSet::from([row]);
        if !mentions(expr, &set) {
            return Ok(Some(self.holds(expr)?));
        }
        Ok(match &expr.kind {
            ExprKind::Not(of) => self.without_rows(of, row)?.map(|known| !known),
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), a, b) => {
                let settles = *op == BinaryOp::Or;
                let first = self.without_rows(a, row)?;
                if first == Some(settles) {
                    return Ok(first);
                }
                match (first, self.without_rows(b, row)?) {
                    (_, Some(second)) if second == settles => Some(settles),
                    (None, _) => None,
                    (Some(_), second) => second,
                }
            }
            ExprKind::Binary(op, a, b) => {
                let operand = match (mentions(a, &set), mentions(b, &set)) {
                    (true, false) if is_path(a) => b,
                    (false, true) if is_path(b) => a,
                    _ => return Ok(None),
                };
                if matches!(operand.kind, ExprKind::Const(Value::Blank)) {
                    return Ok(None);
                }
                let value = self.value(operand)?;
                let nothing = value.is_blank()
                    || matches!(op, BinaryOp::In | BinaryOp::NotIn)
                        && std::ptr::eq(operand, b)
                        && value.as_list().iter().all(Value::is_blank);
                match op {
                    _ if !nothing => None,
                    BinaryOp::IsNot | BinaryOp::NotIn => Some(true),
                    BinaryOp::Is | BinaryOp::In | BinaryOp::Compare(_) => Some(false),
                    _ => None,
                }
            }
            _ => None,
        })
    }
}

/// `.A.b` of a row.
fn is_path(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Field(of, _) => {
            matches!(of.kind, ExprKind::Var(_)) || matches!(of.ty.kind, Kind::Record(_)) && is_path(of)
        }
        ExprKind::Convert(of, Convert::ToDecimal) => is_path(of),
        _ => false,
    }
}

/// The parts of an expression.
pub(super) fn children(expr: &Expr) -> Vec<&Expr> {
    fn of_lines<'e>(lines: &'e [Line], all: &mut Vec<&'e Expr>) {
        for line in lines {
            match line {
                Line::Let(line) => all.push(&line.value),
                Line::Find(find) => all.extend(&find.search.condition),
                Line::Field(line) => all.push(&line.value),
                Line::Object { when, lines, .. } => {
                    all.extend(when);
                    of_lines(lines, all);
                }
                Line::Each { list, when, lines, .. } => {
                    all.push(list);
                    all.extend(when);
                    of_lines(lines, all);
                }
                Line::Guard(_) | Line::Ensure(_) => {}
            }
        }
    }
    let mut all = Vec::new();
    match &expr.kind {
        ExprKind::Const(_)
        | ExprKind::Pattern(_)
        | ExprKind::Var(_)
        | ExprKind::Setting(_)
        | ExprKind::Columns(_)
        | ExprKind::Today
        | ExprKind::Todo => {}
        ExprKind::Field(of, _)
        | ExprKind::Negate(of)
        | ExprKind::Not(of)
        | ExprKind::Must(of, _)
        | ExprKind::Convert(of, _) => all.push(&**of),
        ExprKind::Text(parts) => all.extend(parts.iter().filter_map(|part| match part {
            TextPart::Hole(hole) => Some(hole),
            TextPart::Chars(_) => None,
        })),
        ExprKind::List(items)
        | ExprKind::Table(_, items)
        | ExprKind::Function(_, items)
        | ExprKind::Define(_, items) => all.extend(items),
        ExprKind::Comprehension { item, list, when, .. } => {
            all.extend([&**item, &**list]);
            all.extend(when.as_deref());
        }
        ExprKind::Rows { list, when, record, .. } => {
            all.push(list);
            all.extend(when.as_deref());
            of_lines(&record.lines, &mut all);
        }
        ExprKind::Record(record) => of_lines(&record.lines, &mut all),
        ExprKind::Binary(_, a, b) => all.extend([&**a, &**b]),
        ExprKind::Choose(arms, last) => {
            all.extend(arms.iter().flat_map(|(value, when)| [value, when]));
            all.extend(last.as_deref());
        }
        ExprKind::Outcome(_, message) => all.extend(message.parts.iter().filter_map(|part| match part {
            MessagePart::Hole { value, .. } => Some(value),
            MessagePart::Chars(_) => None,
        })),
        ExprKind::Exists(search) => all.extend(&search.condition),
    }
    all
}

/// The field of a record; of a list the fields of its records, lists among them laid end to end.
fn field(of: &Value, name: &str) -> Value {
    match of {
        Value::Record(record) => record.get(name).clone(),
        Value::List(rows) => {
            let fields = rows.iter().flat_map(|row| match field(row, name) {
                Value::List(inner) => inner.to_vec(),
                other => vec![other],
            });
            Value::List(fields.collect())
        }
        _ => Value::Blank,
    }
}

/// `a is b`; a set of words is asked whether it holds the word.
fn is(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is(a, b)),
        (Value::List(words), word) | (word, Value::List(words)) => words.iter().any(|own| same(own, word)),
        _ => same(a, b),
    }
}

/// `a in list`: never for a blank.
fn is_in(a: &Value, list: &Value) -> bool {
    match a {
        Value::List(words) => words.iter().any(|word| is_in(word, list)),
        _ => !a.is_blank() && list.as_list().iter().any(|own| same(own, a)),
    }
}

fn one_currency(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Money(a), Value::Money(b)) => a.currency == b.currency || a.amount.is_zero() || b.amount.is_zero(),
        _ => true,
    }
}

/// None where there is no such amount.
fn arithmetic(op: BinaryOp, a: &Value, b: &Value) -> Option<Value> {
    if a.is_blank() || b.is_blank() {
        return Some(Value::Blank);
    }
    if let (Value::Int(x), Value::Int(y)) = (a, b) {
        match op {
            BinaryOp::Add => return x.checked_add(*y).map(Value::Int),
            BinaryOp::Subtract => return x.checked_sub(*y).map(Value::Int),
            BinaryOp::Multiply => return x.checked_mul(*y).map(Value::Int),
            _ => {}
        }
    }
    let (x, y) = (a.as_decimal()?, b.as_decimal()?);
    let number = match op {
        BinaryOp::Add => x.checked_add(y)?,
        BinaryOp::Subtract => x.checked_sub(y)?,
        BinaryOp::Multiply => x.checked_mul(y)?,
        BinaryOp::Divide => x.checked_div(y)?,
        other => panic!("{other:?} is no arithmetic"),
    };
    let money = |of: &Value| match of {
        Value::Money(money) => Some(*money),
        _ => None,
    };
    let currency = match (money(a), money(b), op) {
        _ if !one_currency(a, b) => return None,
        (None, None, _) | (Some(_), Some(_), BinaryOp::Divide) => None,
        (Some(_), Some(_), BinaryOp::Multiply) | (None, Some(_), BinaryOp::Divide) => return None,
        (Some(a), Some(b), _) => Some(if a.amount.is_zero() { b.currency } else { a.currency }),
        (Some(one), None, _) | (None, Some(one), _) => Some(one.currency),
    };
    Some(match currency {
        Some(currency) => Value::Money(Money { amount: number, currency }),
        None => Value::Decimal(number),
    })
}

/// Does a cell take a value?
fn takes(cell: &Cell, value: &Value, setting: &dyn Fn(SettingId) -> Value) -> bool {
    match cell {
        Cell::Any => true,
        Cell::In(values) => values.iter().any(|own| same(own, value)),
        Cell::NotIn(values) => !values.iter().any(|own| same(own, value)),
        Cell::Range { from, to } => {
            let reaches = |low: &Value, high: &Value, included: bool| {
                order(low, high).is_some_and(|order| order.is_lt() || included && order.is_eq())
            };
            !value.is_blank()
                && from.as_ref().is_none_or(|(from, included)| reaches(from, value, *included))
                && to.as_ref().is_none_or(|(to, included)| reaches(value, to, *included))
        }
        Cell::Contains(part) => value.as_text().is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase())),
        Cell::Matches(pattern) => value.as_text().is_some_and(|text| Regex::new(pattern).unwrap().is_match(text)),
        Cell::Setting(id) => match setting(*id) {
            Value::List(held) => held.iter().any(|own| same(own, value)),
            held => same(&held, value),
        },
        Cell::AnyOf(cells) => cells.iter().any(|cell| takes(cell, value, setting)),
        Cell::NoneOf(cells) => !cells.iter().any(|cell| takes(cell, value, setting)),
    }
}
