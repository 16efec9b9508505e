//! Lineage: from which fields, tables and settings each written field gets its value.
//!
//! Takes a checked program, gives one row for each field line of each write, in the order of the text. A value that is
//! chosen comes from all its arms and their conditions; `let`, `ensure` and `define` are looked through; a table stands
//! for itself beside what it is asked with. Promises to look at each place of the program once a path, so that its time
//! grows with the program and not with the ways through it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    inspect::parts,
    typed::{
        Alternative, DefineId, Each, Ensure, Expr, ExprKind, Find, Let, Line, Program, RecordExpr, Search, Stmt, VarId,
        Write,
    },
};
use crate::{
    diagnostic::Span,
    schema::Field,
    syntax::tree::PolicyKind,
    value::{Action, EntityName},
};

/// A written field.
#[derive(Debug, Clone)]
pub struct Written {
    /// The write's name.
    pub write: Arc<str>,
    /// Made or changed.
    pub action: Action,
    /// Role and entity.
    pub entity: EntityName,
    /// The objects around the field and the field itself: `Lines.ItCd`.
    pub path: String,
    /// The field.
    pub field: Arc<Field>,
    /// Its policy.
    pub policy: Option<PolicyKind>,
    /// Where the value stands.
    pub value: Span,
    /// Where it comes from; empty for what the flow itself says.
    pub origins: BTreeSet<Origin>,
}

/// Something that a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A field of the record or of a found row: `jortt.invoices.invoice_date`.
    Field(String),
    /// The key that a write of the same record gives: `afas.FbSales.OrNu`.
    Key(String),
    /// A lookup table.
    Table(Arc<str>),
    /// A setting.
    Setting(Arc<str>),
    /// The day of the run.
    Today,
}

/// All written fields with their origins.
#[must_use]
pub fn lineage(program: &Program) -> Vec<Written> {
    let mut tracer = Tracer { program, places: HashMap::new(), traced: HashMap::new(), underway: HashSet::new() };
    for define in &program.defines {
        tracer.places.extend(define.params.iter().map(|param| (*param, Place::Param)));
    }
    if let Some(source) = &program.source {
        tracer.places.insert(source.var, Place::Row(source.name.to_string()));
    }
    for line in &program.constants {
        tracer.learn_let(line);
    }
    for define in &program.defines {
        tracer.learn_expr(&define.body);
    }
    let later = program.afters.iter().flat_map(|after| &after.body);
    for statement in program.body.iter().chain(later) {
        tracer.learn(statement);
    }
    // a write among the lines of another one stands there once for each target
    let mut seen = HashSet::new();
    let writes = program.writes().into_iter().filter(|write| seen.insert((&write.name, write.span)));
    let mut all = Vec::new();
    for write in writes {
        for target in &write.targets {
            let mut around = Around { write, entity: &target.name, path: Vec::new() };
            tracer.written(&target.lines, &mut around, &mut all);
        }
    }
    all
}

/// What a place holds.
#[derive(Clone)]
enum Place<'p> {
    /// A row of an entity, or rows of it.
    Row(String),
    /// What an expression gives, or the elements of the list that it gives.
    Value(&'p Expr),
    /// The key that one of the alternatives gives.
    Ensured(&'p Ensure),
    /// The key of a write, one for each target.
    Keys(Vec<String>),
    /// A parameter of a `define`: stands for the argument of each call.
    Param,
}

/// What a trace ends in: an origin, or a parameter with the fields that are asked of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Leaf {
    Origin(Origin),
    Param(VarId, Steps),
}

/// Names of fields, from the outside in.
type Steps = Vec<Arc<str>>;

/// What is traced once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    Var(VarId, Steps),
    Define(DefineId, Steps),
}

/// The write and the objects around a line.
struct Around<'p> {
    write: &'p Write,
    entity: &'p EntityName,
    path: Vec<Arc<str>>,
}

struct Tracer<'p> {
    program: &'p Program,
    places: HashMap<VarId, Place<'p>>,
    traced: HashMap<Asked, BTreeSet<Leaf>>,
    /// What is being traced: a circle, which the checker refuses, must not become an endless walk here.
    underway: HashSet<Asked>,
}

/// What the places of the program hold.
impl<'p> Tracer<'p> {
    fn learn(&mut self, statement: &'p Stmt) {
        match statement {
            Stmt::Let(line) => self.learn_let(line),
            Stmt::Find(find) => self.learn_find(find),
            Stmt::Guard(_) => {}
            Stmt::Ensure(ensure) => self.learn_ensure(ensure),
            Stmt::Write(write) => self.learn_write(write),
            Stmt::Each(Each { var, list, body, .. }) => {
                self.places.insert(*var, Place::Value(list));
                self.learn_expr(list);
                for statement in body {
                    self.learn(statement);
                }
            }
        }
    }

    fn learn_let(&mut self, line: &'p Let) {
        self.places.insert(line.var, Place::Value(&line.value));
        self.learn_expr(&line.value);
    }

    fn learn_find(&mut self, find: &'p Find) {
        self.places.insert(find.var, Place::Row(find.search.name.to_string()));
        self.learn_search(&find.search);
    }

    fn learn_search(&mut self, search: &'p Search) {
        self.places.insert(search.row, Place::Row(search.name.to_string()));
        if let Some(condition) = &search.condition {
            self.learn_expr(condition);
        }
    }

    fn learn_write(&mut self, write: &'p Write) {
        if let Some(gives) = &write.gives {
            let keys = write.targets.iter().map(|target| format!("{}.{gives}", target.name));
            self.places.insert(write.var, Place::Keys(keys.collect()));
        }
        for target in &write.targets {
            self.learn_lines(&target.lines);
        }
    }

    fn learn_ensure(&mut self, ensure: &'p Ensure) {
        self.places.insert(ensure.var, Place::Ensured(ensure));
        for alternative in &ensure.alternatives {
            match alternative {
                Alternative::Take(value) => self.learn_expr(value),
                Alternative::Find { search, .. } => {
                    self.learn_search(search);
                    self.places.insert(ensure.found, Place::Row(search.name.to_string()));
                }
                Alternative::Create(write) => self.learn_write(write),
                Alternative::Let(line) => self.learn_let(line),
                Alternative::FindRow(find) => self.learn_find(find),
                Alternative::Include(inner) => self.learn_ensure(inner),
                Alternative::UpdateFound(..) | Alternative::Guard { .. } => {}
            }
        }
    }

    fn learn_lines(&mut self, lines: &'p [Line]) {
        for line in lines {
            match line {
                Line::Let(line) => self.learn_let(line),
                Line::Find(find) => self.learn_find(find),
                Line::Ensure(ensure) => self.learn_ensure(ensure),
                Line::Field(line) => self.learn_expr(&line.value),
                Line::Object { lines, .. } => self.learn_lines(lines),
                Line::Each { var, list, lines, .. } => {
                    self.places.insert(*var, Place::Value(list));
                    self.learn_expr(list);
                    self.learn_lines(lines);
                }
                Line::Guard(_) => {}
            }
        }
    }

    /// The loop names and lines within an expression.
    fn learn_expr(&mut self, expr: &'p Expr) {
        match &expr.kind {
            ExprKind::Comprehension { var, list, .. } => {
                self.places.insert(*var, Place::Value(list));
            }
            ExprKind::Rows { var, list, record, .. } => {
                self.places.insert(*var, Place::Value(list));
                self.learn_lines(&record.lines);
            }
            ExprKind::Record(record) => self.learn_lines(&record.lines),
            ExprKind::Exists(search) => self.learn_search(search),
            _ => {}
        }
        for part in parts(expr) {
            self.learn_expr(part);
        }
    }
}

/// Tracing.
impl<'p> Tracer<'p> {
    fn written(&mut self, lines: &'p [Line], around: &mut Around<'p>, into: &mut Vec<Written>) {
        for line in lines {
            match line {
                Line::Field(line) => {
                    let mut leaves = BTreeSet::new();
                    self.trace(&line.value, &[], &mut leaves);
                    let steps: Vec<&str> = around.path.iter().chain([&line.field.name]).map(|name| &**name).collect();
                    into.push(Written {
                        write: around.write.name.clone(),
                        action: around.write.action,
                        entity: around.entity.clone(),
                        path: steps.join("."),
                        field: line.field.clone(),
                        policy: line.policy,
                        value: line.value.span,
                        origins: leaves.into_iter().filter_map(origin).collect(),
                    });
                }
                Line::Object { field, lines, .. } | Line::Each { field, lines, .. } => {
                    around.path.push(field.name.clone());
                    self.written(lines, around, into);
                    around.path.pop();
                }
                Line::Let(_) | Line::Find(_) | Line::Guard(_) | Line::Ensure(_) => {}
            }
        }
    }

    /// Adds what the field `steps` of an expression comes from.
    fn trace(&mut self, expr: &'p Expr, steps: &[Arc<str>], into: &mut BTreeSet<Leaf>) {
        match &expr.kind {
            ExprKind::Var(var) => into.extend(self.var(*var, steps)),
            ExprKind::Setting(id) => {
                let setting = self.program.settings.get(id.0 as usize);
                into.extend(setting.map(|setting| Leaf::Origin(Origin::Setting(setting.name.clone()))));
            }
            ExprKind::Today => {
                into.insert(Leaf::Origin(Origin::Today));
            }
            ExprKind::Field(inner, path) => {
                let mut all: Steps = path.split('.').map(Arc::from).collect();
                all.extend(steps.iter().cloned());
                self.trace(inner, &all, into);
            }
            ExprKind::Record(record) => self.record(record, steps, into),
            ExprKind::Rows { record, when, .. } => {
                self.record(record, steps, into);
                self.trace_all(when.as_deref(), &[], into);
            }
            ExprKind::Comprehension { item, when, .. } => {
                self.trace(item, steps, into);
                self.trace_all(when.as_deref(), &[], into);
            }
            ExprKind::Table(id, args) => {
                let table = self.program.tables.get(id.0 as usize);
                into.extend(table.map(|table| Leaf::Origin(Origin::Table(table.name.clone()))));
                self.trace_all(args, &[], into);
            }
            ExprKind::Define(id, args) => self.define(*id, args, steps, into),
            ExprKind::Function(_, args) => self.function(args, steps, into),
            ExprKind::Choose(arms, last) => {
                for (value, when) in arms {
                    self.trace(value, steps, into);
                    self.trace(when, &[], into);
                }
                self.trace_all(last.as_deref(), steps, into);
            }
            ExprKind::Binary(_, a, b) => self.trace_all([&**a, &**b], steps, into),
            ExprKind::Exists(search) => self.trace_all(&search.condition, &[], into),
            ExprKind::Const(_)
            | ExprKind::Pattern(_)
            | ExprKind::Columns(_)
            | ExprKind::Outcome(..)
            | ExprKind::Todo
            | ExprKind::Text(_)
            | ExprKind::List(_)
            | ExprKind::Negate(_)
            | ExprKind::Not(_)
            | ExprKind::Must(..)
            | ExprKind::Convert(..) => self.trace_all(parts(expr), steps, into),
        }
    }

    fn trace_all(&mut self, all: impl IntoIterator<Item = &'p Expr>, steps: &[Arc<str>], into: &mut BTreeSet<Leaf>) {
        for expr in all {
            self.trace(expr, steps, into);
        }
    }

    /// A function on records keeps their fields and asks for some by `.n`; the other arguments count whole.
    fn function(&mut self, args: &'p [Expr], steps: &[Arc<str>], into: &mut BTreeSet<Leaf>) {
        let asked = args.iter().find_map(|arg| match &arg.kind {
            ExprKind::Columns(names) => Some(names),
            _ => None,
        });
        for arg in args {
            let records = arg.ty.object().is_some();
            match asked {
                Some(names) if records && steps.is_empty() => {
                    for name in names {
                        self.trace(arg, std::slice::from_ref(name), into);
                    }
                }
                _ => self.trace(arg, if records { steps } else { &[] }, into),
            }
        }
    }

    fn define(&mut self, id: DefineId, args: &'p [Expr], steps: &[Arc<str>], into: &mut BTreeSet<Leaf>) {
        let Some(define) = self.program.defines.get(id.0 as usize) else { return };
        let leaves = self.once(Asked::Define(id, steps.to_vec()), |tracer, leaves| {
            tracer.trace(&define.body, steps, leaves);
        });
        for leaf in leaves {
            let param = match &leaf {
                Leaf::Param(var, steps) => {
                    define.params.iter().position(|param| param == var).map(|place| (place, steps.clone()))
                }
                Leaf::Origin(_) => None,
            };
            match param.and_then(|(place, steps)| Some((args.get(place)?, steps))) {
                Some((arg, steps)) => self.trace(arg, &steps, into),
                None => {
                    into.insert(leaf);
                }
            }
        }
    }

    fn var(&mut self, var: VarId, steps: &[Arc<str>]) -> BTreeSet<Leaf> {
        let Some(place) = self.places.get(&var).cloned() else { return BTreeSet::new() };
        match place {
            Place::Row(entity) => {
                let path: Vec<&str> = std::iter::once(&*entity).chain(steps.iter().map(|step| &**step)).collect();
                BTreeSet::from([Leaf::Origin(Origin::Field(path.join(".")))])
            }
            Place::Keys(keys) => keys.into_iter().map(|key| Leaf::Origin(Origin::Key(key))).collect(),
            Place::Param => BTreeSet::from([Leaf::Param(var, steps.to_vec())]),
            Place::Value(value) => self.once(Asked::Var(var, steps.to_vec()), |tracer, leaves| {
                tracer.trace(value, steps, leaves);
            }),
            Place::Ensured(ensure) => self.once(Asked::Var(var, Vec::new()), |tracer, leaves| {
                tracer.ensured(ensure, leaves);
            }),
        }
    }

    fn ensured(&mut self, ensure: &'p Ensure, into: &mut BTreeSet<Leaf>) {
        for alternative in &ensure.alternatives {
            match alternative {
                Alternative::Take(value) => self.trace(value, &[], into),
                Alternative::Find { search, gives, .. } => {
                    into.insert(Leaf::Origin(Origin::Field(format!("{}.{gives}", search.name))));
                }
                Alternative::Create(write) => into.extend(self.var(write.var, &[])),
                Alternative::Include(inner) => into.extend(self.var(inner.var, &[])),
                Alternative::UpdateFound(..)
                | Alternative::Guard { .. }
                | Alternative::Let(_)
                | Alternative::FindRow(_) => {}
            }
        }
    }

    /// A field of a record that the flow makes; without a step all of them.
    fn record(&mut self, record: &'p RecordExpr, steps: &[Arc<str>], into: &mut BTreeSet<Leaf>) {
        self.record_lines(&record.lines, steps, into);
    }

    fn record_lines(&mut self, lines: &'p [Line], steps: &[Arc<str>], into: &mut BTreeSet<Leaf>) {
        let (first, rest) = steps.split_first().map_or((None, steps), |(first, rest)| (Some(first), rest));
        for line in lines {
            match line {
                Line::Field(line) if first.is_none_or(|first| *first == line.field.name) => {
                    self.trace(&line.value, rest, into);
                }
                Line::Object { field, lines, .. } | Line::Each { field, lines, .. }
                    if first.is_none_or(|first| *first == field.name) =>
                {
                    self.record_lines(lines, rest, into);
                }
                Line::Field(_)
                | Line::Object { .. }
                | Line::Each { .. }
                | Line::Let(_)
                | Line::Find(_)
                | Line::Guard(_)
                | Line::Ensure(_) => {}
            }
        }
    }

    /// Traces each question once.
    fn once(&mut self, asked: Asked, trace: impl FnOnce(&mut Self, &mut BTreeSet<Leaf>)) -> BTreeSet<Leaf> {
        if let Some(known) = self.traced.get(&asked) {
            return known.clone();
        }
        let mut leaves = BTreeSet::new();
        if self.underway.insert(asked.clone()) {
            trace(self, &mut leaves);
            self.underway.remove(&asked);
            self.traced.insert(asked, leaves.clone());
        }
        leaves
    }
}

/// A parameter that no call fills stands for nothing.
fn origin(leaf: Leaf) -> Option<Origin> {
    match leaf {
        Leaf::Origin(origin) => Some(origin),
        Leaf::Param(..) => None,
    }
}
