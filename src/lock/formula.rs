//! How a value is made, as one text: names of the flow are followed to what they stand for, settings and tables among
//! them, so that the text changes when the value does, and not when a name or the spacing does.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::{
    check::typed::{
        Cell, Expr, ExprKind, Line, Program, RecordExpr, RowResult, SettingId, Stmt, Table, TextPart, VarId,
    },
    plan::SettingValues,
    value::Value,
};

/// Names go so deep at most; a program has no circle, so this is only for what nobody writes.
const DEEP: usize = 64;

/// Values of names.
pub(super) struct Formulas<'a> {
    program: &'a Program,
    settings: &'a SettingValues,
    lets: HashMap<VarId, &'a Expr>,
}

impl<'a> Formulas<'a> {
    /// Of a program, with the values of its settings.
    pub(super) fn new(program: &'a Program, settings: &'a SettingValues) -> Self {
        let lets = program.constants.iter().map(|line| (line.var, &line.value)).collect();
        let mut formulas = Self { program, settings, lets };
        formulas.stmts(&program.body);
        program.afters.iter().for_each(|after| formulas.stmts(&after.body));
        formulas
    }

    fn stmts(&mut self, stmts: &'a [Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Let(line) => drop(self.lets.insert(line.var, &line.value)),
                Stmt::Each(each) => self.stmts(&each.body),
                Stmt::Write(write) => write.targets.iter().for_each(|target| self.lines(&target.lines)),
                Stmt::Find(_) | Stmt::Guard(_) | Stmt::Ensure(_) => {}
            }
        }
    }

    fn lines(&mut self, lines: &'a [Line]) {
        for line in lines {
            match line {
                Line::Let(line) => drop(self.lets.insert(line.var, &line.value)),
                Line::Object { lines, .. } | Line::Each { lines, .. } => self.lines(lines),
                Line::Find(_) | Line::Guard(_) | Line::Ensure(_) | Line::Field(_) => {}
            }
        }
    }

    /// What a value begins with, whatever the record.
    pub(super) fn prefix(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Text(parts) => match parts.first() {
                Some(TextPart::Chars(chars)) => chars.to_string(),
                Some(TextPart::Hole(hole)) => self.prefix(hole),
                None => String::new(),
            },
            ExprKind::Const(Value::Text(text)) => text.to_string(),
            ExprKind::Var(var) => self.lets.get(var).map(|value| self.prefix(value)).unwrap_or_default(),
            ExprKind::Convert(of, _) | ExprKind::Must(of, _) => self.prefix(of),
            _ => String::new(),
        }
    }

    /// What a name stands for, through other names.
    pub(super) fn behind<'e>(&self, expr: &'e Expr) -> &'e Expr
    where
        'a: 'e,
    {
        match &expr.kind {
            ExprKind::Var(var) => self.lets.get(var).map_or(expr, |value| self.behind(value)),
            ExprKind::Convert(of, _) | ExprKind::Must(of, _) => self.behind(of),
            _ => expr,
        }
    }

    /// How a value is made.
    pub(super) fn of(&self, expr: &Expr) -> String {
        self.show(expr, 0)
    }

    fn show(&self, expr: &Expr, depth: usize) -> String {
        if depth > DEEP {
            return "…".to_owned();
        }
        let show = |expr: &Expr| self.show(expr, depth + 1);
        let all = |exprs: &[Expr]| exprs.iter().map(show).collect::<Vec<_>>().join(", ");
        let when = |when: Option<&Expr>| when.map(|when| format!(" when {}", show(when))).unwrap_or_default();
        match &expr.kind {
            ExprKind::Const(Value::Text(text)) => format!("\"{text}\""),
            ExprKind::Const(value) => value.to_string(),
            ExprKind::Pattern(pattern) => format!("/{pattern}/"),
            ExprKind::Var(var) => match self.lets.get(var) {
                Some(value) => show(value),
                None => self.program.vars.get(var.0 as usize).map_or_else(String::new, |var| var.name.to_string()),
            },
            ExprKind::Setting(id) => self.setting(*id),
            ExprKind::Field(of, name) => format!("{}.{name}", show(of)),
            ExprKind::Text(parts) => {
                let part = |part: &TextPart| match part {
                    TextPart::Chars(chars) => chars.to_string(),
                    TextPart::Hole(hole) => format!("{{{}}}", show(hole)),
                };
                format!("\"{}\"", parts.iter().map(part).collect::<String>())
            }
            ExprKind::List(items) => format!("[{}]", all(items)),
            ExprKind::Comprehension { item, list, when: filter, .. } => {
                format!("[{} for {}{}]", show(item), show(list), when(filter.as_deref()))
            }
            ExprKind::Rows { list, when: filter, record, .. } => {
                format!("each {}{} {}", show(list), when(filter.as_deref()), self.record(record, depth))
            }
            ExprKind::Record(record) => self.record(record, depth),
            ExprKind::Negate(of) => format!("-{}", show(of)),
            ExprKind::Not(of) => format!("not {}", show(of)),
            ExprKind::Must(of, _) => format!("{}!", show(of)),
            ExprKind::Binary(op, a, b) => format!("({} {} {})", show(a), op.word(), show(b)),
            ExprKind::Choose(arms, last) => {
                let arm = |(value, when): &(Expr, Expr)| format!("{} when {}", show(value), show(when));
                let arms = arms.iter().map(arm).chain(last.as_deref().map(show));
                format!("({})", arms.collect::<Vec<_>>().join(" else "))
            }
            ExprKind::Outcome(verdict, _) => verdict.word().to_owned(),
            ExprKind::Exists(search) => format!("exists {}", search.name),
            ExprKind::Table(id, args) => {
                let Some(table) = self.program.tables.get(id.0 as usize) else { return String::new() };
                format!("{}({}) with rows {}", table.name, all(args), self.rows(table, depth))
            }
            ExprKind::Function(function, args) => format!("{}({})", function.name, all(args)),
            // Its body is as much of the way as its arguments.
            ExprKind::Define(id, args) => match self.program.defines.get(id.0 as usize) {
                Some(define) => format!("{}({} → {})", define.name, all(args), show(&define.body)),
                None => String::new(),
            },
            ExprKind::Columns(columns) => format!(".{}", columns.join(", .")),
            ExprKind::Today => "today()".to_owned(),
            ExprKind::Convert(of, _) => show(of),
            ExprKind::Todo => "todo".to_owned(),
        }
    }

    /// A fingerprint of what a table says: its rows may be many.
    fn rows(&self, table: &Table, depth: usize) -> String {
        let result = |result: &RowResult| match result {
            RowResult::Values(values) => {
                values.iter().map(|value| self.show(value, depth + 1)).collect::<Vec<_>>().join(" | ")
            }
            RowResult::Outcome(verdict, _) => verdict.word().to_owned(),
        };
        let mut hasher = Sha256::new();
        for row in &table.rows {
            let cells: Vec<String> = row.cells.iter().map(|cell| self.cell(cell)).collect();
            hasher.update(format!("{} => {}\n", cells.join(" | "), result(&row.result)));
        }
        hasher.update(table.otherwise.as_ref().map(result).unwrap_or_default());
        let short = hasher.finalize().iter().take(4).fold(0_u32, |short, byte| (short << 8) | u32::from(*byte));
        format!("{short:08x}")
    }

    /// What a cell takes.
    fn cell(&self, cell: &Cell) -> String {
        let values = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        let cells = |cells: &[Cell]| cells.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>().join(", ");
        let end = |end: &Option<(Value, bool)>| {
            end.as_ref()
                .map_or_else(String::new, |(value, included)| format!("{value}{}", if *included { "" } else { "!" }))
        };
        match cell {
            Cell::Any => "*".to_owned(),
            Cell::In(all) => values(all),
            Cell::NotIn(all) => format!("not {}", values(all)),
            Cell::Range { from, to } => format!("{}..{}", end(from), end(to)),
            Cell::Contains(part) => format!("contains {part}"),
            Cell::Matches(pattern) => format!("/{pattern}/"),
            Cell::Setting(id) => self.setting(*id),
            Cell::AnyOf(all) => cells(all),
            Cell::NoneOf(all) => format!("not {}", cells(all)),
        }
    }

    /// A setting with what it holds.
    fn setting(&self, id: SettingId) -> String {
        let Some(setting) = self.program.settings.get(id.0 as usize) else { return String::new() };
        let given = self.settings.get(&(setting.owner.clone(), setting.name.clone()));
        let value = given.or(setting.default.as_ref());
        let value = value.map_or_else(String::new, |value| format!(" = {value}"));
        format!("setting {}{value}", setting.name)
    }

    fn record(&self, record: &RecordExpr, depth: usize) -> String {
        let fields = record.lines.iter().filter_map(|line| match line {
            Line::Field(line) => Some(format!("{} = {}", line.field.name, self.show(&line.value, depth + 1))),
            _ => None,
        });
        format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
    }
}
