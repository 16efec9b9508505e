//! From the checked tree to what runs: expressions, functions, tables, constants.
//!
//! Takes a [`Program`] with the values of its settings, gives [`Lowered`] and mistakes that only settings can show.
//! What follows of it:
//! - no setting, constant `let` or expression of constants is left: they are values;
//! - arms, guards, targets and lines that a setting closes are gone, and with them what they would read;
//! - tables and functions that nothing uses are not built.

mod body;
mod call;
mod ensure;
mod search;
mod table;

pub(crate) use body::stands;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, OnceLock},
};

use jiff::civil::Date;

use super::{
    PlanError, SettingValues,
    code::{
        Code, Definition, FieldRef, Form, Holds, Limit, Loop, Lowered, Message, Operator, Piece, Print, Privacy,
        ReadEntity, RecordCode,
    },
    compute::{Machine, Nothing, Stop},
    watch::{PointKind, Points},
};
use crate::{
    check::typed::{self, Convert, Expr, ExprKind, Line, MessagePart, Program, RecordExpr, TextPart, VarId},
    diagnostic::{Sources, Span},
    schema::{Entity, Field, Ty},
    syntax::tree::BinaryOp,
    value::{Action, EntityName, Shape, Value, Verdict},
};

/// Lowers one program.
pub(super) struct Lowering<'a> {
    pub(super) program: &'a Program,
    sources: &'a Sources,
    today: Option<Date>,
    /// By number; none = not set.
    settings: Vec<Option<Value>>,
    pub(super) lowered: Lowered,
    /// Constant `let`s, until they are lowered.
    constants: HashMap<VarId, &'a typed::Let>,
    /// Places declared since the loop, function or flow around began.
    own: Vec<Vec<VarId>>,
    /// Loops of statements around.
    depth: usize,
    /// The searched row, within what a `where` leaves over for the rows.
    row: Option<VarId>,
    /// What this program creates.
    pub(super) creates: BTreeSet<EntityName>,
    /// What it writes.
    pub(super) writes: BTreeSet<(EntityName, Action)>,
    pub(super) errors: Vec<PlanError>,
    /// What can be reached; only where it is watched.
    pub(super) points: Option<Points>,
}

impl<'a> Lowering<'a> {
    /// Ready to lower parts of a program. A setting without a value is blank when its type allows that.
    pub(super) fn new(program: &'a Program, sources: &'a Sources, values: &SettingValues, today: Option<Date>) -> Self {
        let value = |setting: &typed::Setting| {
            let given = values.get(&(setting.owner.clone(), setting.name.clone())).or(setting.default.as_ref());
            given.cloned().or_else(|| setting.ty.optional.then_some(Value::Blank))
        };
        let mut lowered = Lowered::default();
        lowered.definitions.resize_with(program.vars.len(), Definition::default);
        lowered.tables.resize_with(program.tables.len(), || None);
        lowered.defines.resize_with(program.defines.len(), || None);
        Self {
            program,
            sources,
            today,
            settings: program.settings.iter().map(value).collect(),
            lowered,
            constants: program.constants.iter().map(|constant| (constant.var, constant)).collect(),
            own: vec![Vec::new()],
            depth: 0,
            row: None,
            creates: BTreeSet::new(),
            writes: BTreeSet::new(),
            errors: Vec::new(),
            points: None,
        }
    }

    /// The same, to be watched.
    pub(super) fn watched(self) -> Self {
        Self { points: Some(Points::new()), ..self }
    }

    /// Tells of settings that must have a value and have none.
    pub(super) fn require_settings(&mut self) {
        for (setting, value) in self.program.settings.iter().zip(&self.settings) {
            if value.is_none() {
                let (owner, name) = (setting.owner.clone(), setting.name.clone());
                self.errors.push(PlanError::SettingUnset { owner, name, span: setting.span });
            }
        }
    }

    /// A machine that knows constants only.
    pub(super) fn machine(&self) -> Machine<'_, Nothing> {
        Machine::new(&self.lowered, self.sources, self.today, Nothing)
    }

    /// The value of an expression that hangs on nothing; none when it does, or ends the record.
    fn try_value(&self, code: &Code) -> Option<Value> {
        self.machine().value(code).ok()
    }

    /// The value in place of an expression of constants.
    fn folded(&self, code: Code) -> Code {
        if self.points.is_some() {
            return code;
        }
        let mut constant = true;
        code.each_child(&mut |child| constant &= child.constant().is_some());
        match constant.then(|| self.try_value(&code)).flatten() {
            Some(value) => Code::Const(value),
            None => code,
        }
    }

    /// How a place gets its value, belonging to the loop or function around.
    fn define(&mut self, var: VarId, definition: Definition) {
        self.declare(var);
        if let Some(place) = self.lowered.definitions.get_mut(var.0 as usize) {
            *place = definition;
        }
    }

    /// A place of the loop or function around.
    fn declare(&mut self, var: VarId) {
        if let Some(own) = self.own.last_mut() {
            own.push(var);
        }
    }

    /// Lowers something with places of its own, and gives them too.
    fn scope<T>(&mut self, lower: impl FnOnce(&mut Self) -> T) -> (T, Vec<VarId>) {
        self.own.push(Vec::new());
        let result = lower(self);
        (result, self.own.pop().unwrap_or_default())
    }

    /// A `let`: nothing to do until it is asked.
    fn let_line(&mut self, line: &typed::Let) {
        let value = self.expr(&line.value);
        let name = self.program.vars.get(line.var.0 as usize).map_or("this value", |var| &*var.name);
        let value = fitting(value, line.max, || format!("`{name}`").into(), line.span);
        self.define(line.var, Definition::Let(value));
    }

    /// An expression.
    pub(super) fn expr(&mut self, expr: &Expr) -> Code {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Const(value) => Code::Const(value.clone()),
            // Patterns and columns stand as arguments only; see `call`.
            ExprKind::Pattern(pattern) => Code::Const(Value::text(pattern.as_str())),
            ExprKind::Columns(_) => Code::Const(Value::Blank),
            ExprKind::Var(var) => self.var(*var),
            ExprKind::Setting(setting) => self.setting(setting.0 as usize, span),
            ExprKind::Field(of, name) => self.field(of, name, &expr.ty),
            ExprKind::Text(parts) => {
                let pieces = parts.iter().map(|part| match part {
                    TextPart::Chars(chars) => Piece::Chars(chars.clone()),
                    TextPart::Hole(hole) => Piece::Hole(self.expr(hole), Print::of(&hole.ty), Privacy::Plain),
                });
                let code = Code::Text(pieces.collect(), span);
                self.folded(code)
            }
            ExprKind::List(items) => {
                let code = Code::List(self.exprs(items));
                self.folded(code)
            }
            ExprKind::Comprehension { item, var, list, when } => {
                let list = self.expr(list);
                let ((when, item), own) = self.scope(|low| (low.filter(when.as_deref()), low.expr(item)));
                Code::Loop(Box::new(Loop { var: *var, list, when, item, own }))
            }
            ExprKind::Rows { var, list, when, record } => {
                let list = self.expr(list);
                let ((when, item), own) = self.scope(|low| (low.filter(when.as_deref()), low.record(record)));
                Code::Loop(Box::new(Loop { var: *var, list, when, item, own }))
            }
            ExprKind::Record(record) => self.record(record),
            ExprKind::Negate(of) => {
                let code = Code::Negate(Box::new(self.expr(of)), span);
                self.folded(code)
            }
            ExprKind::Not(of) => {
                let code = Code::Not(Box::new(self.expr(of)));
                self.folded(code)
            }
            ExprKind::Must(of, name) => {
                let code = Code::Must(Box::new(self.expr(of)), name.clone(), span);
                self.folded(code)
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, span),
            ExprKind::Choose(arms, last) => self.choose(arms, last.as_deref(), &expr.ty),
            ExprKind::Outcome(verdict, message) => {
                let code = Code::Outcome(*verdict, Box::new(self.message(message)));
                self.watch_value(PointKind::Outcome, span, || verdict.word().to_owned(), code)
            }
            ExprKind::Exists(search) => Code::Exists(Box::new(self.search(search))),
            ExprKind::Table(table, args) => self.table_call(*table, args, None, span),
            ExprKind::Function(function, args) => self.call(function, args, expr),
            ExprKind::Define(define, args) => {
                self.define_code(*define);
                let code = Code::Define(*define, self.exprs(args));
                self.folded(code)
            }
            ExprKind::Today => self.folded(Code::Today),
            ExprKind::Convert(of, convert) => self.convert(of, *convert, expr),
            ExprKind::Todo => {
                let pieces = vec![Piece::Chars("this part of the flow is still to be written".into())];
                Code::Outcome(Verdict::Fail, Box::new(Message { pieces, span }))
            }
        }
    }

    /// The condition of something in a value.
    fn filter(&mut self, when: Option<&Expr>) -> Option<Code> {
        let when = when?;
        let code = self.expr(when);
        Some(self.watch_when(when.span, code))
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Vec<Code> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    /// A name; one that turned out to be constant is its value.
    fn var(&mut self, var: VarId) -> Code {
        if let Some(constant) = self.constants.remove(&var) {
            let row = self.row.take();
            self.scope(|low| low.let_line(constant));
            self.row = row;
            // Loops and records of constants are seen to be constant only as a whole.
            if self.points.is_none()
                && let (Some(value), Some(place)) =
                    (self.try_value(&Code::Slot(var)), self.lowered.definitions.get_mut(var.0 as usize))
            {
                *place = Definition::Let(Code::Const(value));
            }
        }
        match self.lowered.definition(var) {
            Definition::Let(Code::Const(value)) => Code::Const(value.clone()),
            _ => Code::Slot(var),
        }
    }

    fn setting(&self, number: usize, span: Span) -> Code {
        if let Some(Some(value)) = self.settings.get(number) {
            return self.constant(value.clone());
        }
        let name = self.program.settings.get(number).map_or("", |setting| &*setting.name);
        let pieces = vec![Piece::Chars(format!("setting `{name}` has no value").into())];
        Code::Outcome(Verdict::Fail, Box::new(Message { pieces, span }))
    }

    fn field(&mut self, of: &Expr, name: &Arc<str>, ty: &Ty) -> Code {
        if let ExprKind::Table(table, args) = &of.kind {
            let results = self.program.tables.get(table.0 as usize).map_or(&[][..], |table| &table.results);
            let pick = results.iter().position(|(own, _)| own == name);
            return self.table_call(*table, args, pick, of.span);
        }
        let code = Code::Field(Box::new(self.expr(of)), FieldRef::new(name.clone(), Holds::of(ty)));
        self.folded(code)
    }

    fn binary(&mut self, op: BinaryOp, a: &Expr, b: &Expr, span: Span) -> Code {
        let literal_blank = [a, b].iter().any(|side| is_literal_blank(side));
        let pair = Box::new((self.expr(a), self.expr(b)));
        let operator = |operator| move |pair| Code::Arithmetic(operator, pair, span);
        let code = match op {
            BinaryOp::Or if pair.0.constant() == Some(&Value::Bool(true)) => return Code::Const(Value::Bool(true)),
            BinaryOp::And if pair.0.constant().is_some_and(|value| *value != Value::Bool(true)) => {
                return Code::Const(Value::Bool(false));
            }
            BinaryOp::Default if pair.0.constant().is_some() => {
                return if pair.0.constant().is_some_and(Value::is_blank) { pair.1 } else { pair.0 };
            }
            BinaryOp::Or => Code::Or(pair),
            BinaryOp::And => Code::And(pair),
            BinaryOp::Is if self.compares_row(&pair) && !literal_blank => Code::Matches(pair),
            BinaryOp::IsNot if self.compares_row(&pair) && !literal_blank => Code::Not(Box::new(Code::Matches(pair))),
            BinaryOp::Is => Code::Is(pair),
            BinaryOp::IsNot => self.not(Code::Is(pair)),
            BinaryOp::In => Code::In(pair),
            BinaryOp::NotIn => self.not(Code::In(pair)),
            BinaryOp::Compare(compare) => Code::Compare(compare, pair, span),
            BinaryOp::Default => Code::Default(pair),
            BinaryOp::Add => operator(Operator::Add)(pair),
            BinaryOp::Subtract => operator(Operator::Subtract)(pair),
            BinaryOp::Multiply => operator(Operator::Multiply)(pair),
            BinaryOp::Divide => operator(Operator::Divide)(pair),
        };
        self.folded(code)
    }

    fn not(&self, code: Code) -> Code {
        Code::Not(Box::new(self.folded(code)))
    }

    /// Is one side of the searched row, so that blank never matches?
    fn compares_row(&self, pair: &(Code, Code)) -> bool {
        self.row.is_some_and(|row| {
            let row = [row].into();
            self.lowered.mentions(&pair.0, &row) || self.lowered.mentions(&pair.1, &row)
        })
    }

    fn choose(&mut self, arms: &[(Expr, Expr)], last: Option<&Expr>, ty: &Ty) -> Code {
        let mut open = Vec::new();
        let mut rest = None;
        // As the flow says it: the value, then its condition.
        for (value, when) in arms {
            let when = self.expr(when);
            let when = self.watch_when(value.span, when);
            match when.constant() {
                Some(Value::Bool(true)) => {
                    rest = Some(self.expr(value));
                    break;
                }
                Some(_) => {}
                None => open.push((when, self.expr(value))),
            }
        }
        let last = rest.or_else(|| {
            let last = last?;
            let value = self.expr(last);
            Some(self.watch_value(PointKind::Arm, last.span, || "else".to_owned(), value))
        });
        match (open.is_empty(), last) {
            (true, Some(last)) => last,
            (_, last) => {
                let code = Code::Choose(open, last.map(Box::new), Holds::of(ty).is_list());
                self.folded(code)
            }
        }
    }

    fn convert(&mut self, of: &Expr, convert: Convert, expr: &Expr) -> Code {
        let form = match (convert, &expr.ty.kind) {
            (Convert::ToMoney, _) => Form::Money,
            (Convert::ToDecimal, _) => Form::Decimal,
            (Convert::ToDate, _) => Form::Date,
            (Convert::Normalise, kind) => Form::Normal(kind.clone()),
        };
        let code = Code::Convert(Box::new(self.expr(of)), form, expr.span);
        self.folded(code)
    }

    /// A record made of fields; its lets and finds are worked out when a field asks for them.
    fn record(&mut self, record: &RecordExpr) -> Code {
        let (names, values) = self.record_lines(&record.lines).into_iter().unzip();
        let code = Code::Record(Box::new(RecordCode { shape: Arc::new(Shape { names }), values }));
        self.folded(code)
    }

    fn record_lines(&mut self, lines: &[Line]) -> Vec<(Arc<str>, Code)> {
        let mut fields = Vec::new();
        for line in lines {
            match line {
                Line::Let(line) => self.let_line(line),
                Line::Find(find) => self.find_line(find),
                Line::Field(line) => {
                    let value = self.expr(&line.value);
                    let value = fitting(value, line.max, || field_name(&line.field), line.span);
                    fields.push((line.field.name.clone(), value));
                }
                Line::Object { field, when, lines, .. } => {
                    let (names, values) = self.record_lines(lines).into_iter().unzip();
                    let mut value = Code::Record(Box::new(RecordCode { shape: Arc::new(Shape { names }), values }));
                    if let Some(when) = self.filter(when.as_ref()) {
                        value = Code::Choose(vec![(when, value)], None, false);
                    }
                    fields.push((field.name.clone(), value));
                }
                Line::Each { field, var, list, when, lines } => {
                    let list = self.expr(list);
                    let ((when, item), own) = self.scope(|low| {
                        let when = low.filter(when.as_ref());
                        let (names, values) = low.record_lines(lines).into_iter().unzip();
                        (when, Code::Record(Box::new(RecordCode { shape: Arc::new(Shape { names }), values })))
                    });
                    fields.push((field.name.clone(), Code::Loop(Box::new(Loop { var: *var, list, when, item, own }))));
                }
                // The checker lets neither stand in a record.
                Line::Guard(_) | Line::Ensure(_) => {}
            }
        }
        fields
    }

    fn message(&mut self, message: &typed::Message) -> Message {
        let pieces = message.parts.iter().map(|part| match part {
            MessagePart::Chars(chars) => Piece::Chars(chars.clone()),
            MessagePart::Hole { value, private } => {
                let privacy = if *private { Privacy::Private } else { Privacy::Plain };
                Piece::Hole(self.expr(value), Print::of(&value.ty), privacy)
            }
        });
        Message { pieces: pieces.collect(), span: message.span }
    }

    /// The one row of an entity, shared by all its searches.
    fn read(&mut self, name: &EntityName, entity: &Arc<Entity>) -> Arc<ReadEntity> {
        if let Some(read) = self.lowered.reads.iter().find(|read| read.name == *name) {
            return read.clone();
        }
        let read = ReadEntity { name: name.clone(), entity: entity.clone(), fields: OnceLock::new() };
        let read = Arc::new(read);
        self.lowered.reads.push(read.clone());
        read
    }

    /// Why a constant has no value, as a sentence.
    pub(super) fn trouble(stop: &Stop) -> String {
        match stop {
            Stop::Waits => "this can only be known with a record in hand".to_owned(),
            Stop::Ends(ended) => ended.1.text.to_string(),
        }
    }
}

/// A value with a limit that its type does not prove.
fn fitting(code: Code, max: Option<u32>, what: impl FnOnce() -> Arc<str>, span: Span) -> Code {
    match (max, &code) {
        (None, _) => code,
        (Some(max), Code::Const(value)) if value.as_text().is_none_or(|text| text.chars().count() <= max as usize) => {
            code
        }
        (Some(max), _) => Code::Fits(Box::new(code), Limit { max, what: what(), span }),
    }
}

/// `Nm` (Name)
fn field_name(field: &Field) -> Arc<str> {
    if field.label.is_empty() || field.label == field.name {
        format!("`{}`", field.name).into()
    } else {
        format!("`{}` ({})", field.name, field.label).into()
    }
}

/// The literal `blank`, not a value that happens to be.
fn is_literal_blank(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Const(Value::Blank))
}
