//! Lookup tables: columns, rows, results, `otherwise` (F406, F408).
//!
//! Takes a table as written or its CSV file, gives the typed table. That no input is left over and no two rows fit the
//! same one is for the proofs; here each cell and result must be of its column.

use std::sync::Arc;

use super::{
    checker::{Checker, Key},
    coerce::Need,
    csv::CsvRow,
    typed::{Cell, ExprKind, Row, RowResult, Table, TableId, VarId},
};
use crate::{
    diagnostic::{Diagnostic, FileId, Span},
    schema::{Kind, Ty},
    syntax::tree::{self, Param},
};

/// Columns with their types.
pub(super) type Columns = Vec<(Arc<str>, Ty)>;

impl Checker<'_> {
    /// The input columns of a table; what is wrong with them is told at its declaration.
    pub(super) fn table_inputs(&mut self, key: &Key, table: &tree::Table) -> Columns {
        if let Some(Some(id)) = self.table_ids.get(key)
            && let Some(table) = self.tables.get(id.0 as usize)
        {
            return table.inputs.clone();
        }
        self.within(key.0, String::new(), |checker| checker.silently(|checker| checker.columns_of(&table.inputs)))
    }

    fn columns_of(&mut self, params: &[Param]) -> Columns {
        params.iter().map(|param| (param.name.text.clone(), self.ty(&param.ty))).collect()
    }

    /// A table, once; none when it is in a circle.
    pub(super) fn table(&mut self, key: Key, table: &tree::Table) -> Option<TableId> {
        match self.table_ids.get(&key) {
            Some(Some(id)) => return Some(*id),
            Some(None) => {
                let title = format!("table `{}` uses itself, in a circle", key.1);
                self.say(Diagnostic::new("F108", title, table.name.span));
                return None;
            }
            None => {}
        }
        self.table_ids.insert(key.clone(), None);
        let unit = self.loaded.units.get(key.0);
        let csv = table.csv.as_ref().and_then(|name| unit.and_then(|unit| unit.csv.get(&name.text).copied().flatten()));
        let typed = self.within(key.0, format!("table `{}`", key.1), |checker| checker.typed_table(table, csv));
        let id = TableId(u32::try_from(self.tables.len()).unwrap_or(u32::MAX));
        self.tables.push(typed);
        self.table_ids.insert(key, Some(id));
        Some(id)
    }

    fn typed_table(&mut self, table: &tree::Table, csv: Option<FileId>) -> Table {
        let inputs = self.columns_of(&table.inputs);
        let results = self.columns_of(&table.results);
        self.columns_twice(table);
        let params: Vec<VarId> = table
            .inputs
            .iter()
            .zip(&inputs)
            .map(|(param, (name, ty))| {
                let var = self.var(name, ty.clone(), param.name.span, false);
                self.bind_param(&param.name, var);
                var
            })
            .collect();
        let mut rows = Vec::new();
        for row in &table.rows {
            rows.extend(self.row(table, &inputs, &results, &row.cells, &row.results, row.span));
        }
        if let Some(file) = csv {
            for CsvRow { cells, results: values, span } in self.csv_rows(file, table, &inputs, &results) {
                rows.extend(self.row(table, &inputs, &results, &cells, &values, span));
            }
        }
        let otherwise =
            table.otherwise.as_ref().map(|otherwise| self.results(table, &results, &otherwise.results, otherwise.span));
        let unread = table.csv.is_some() && csv.is_none();
        if table.otherwise.is_none() && !unread {
            self.needs_otherwise(table, &inputs, &rows);
        }
        Table {
            name: table.name.text.clone(),
            first: table.first,
            inputs,
            results,
            rows,
            otherwise: otherwise.flatten(),
            params,
            span: table.head,
        }
    }

    fn columns_twice(&mut self, table: &tree::Table) {
        let all: Vec<&Param> = table.inputs.iter().chain(&table.results).collect();
        for (place, param) in all.iter().enumerate() {
            if let Some(first) = all.iter().take(place).find(|other| other.name.text == param.name.text) {
                let title = format!("column `{}` stands twice", param.name.text);
                let told = Diagnostic::new("F102", title, param.name.span).also(first.name.span, "here first");
                self.say(told.help("give one of them another name"));
            }
        }
    }

    fn row(
        &mut self,
        table: &tree::Table,
        inputs: &Columns,
        results: &Columns,
        cells: &[tree::Cell],
        values: &[tree::Expr],
        span: Span,
    ) -> Option<Row> {
        if cells.len() != inputs.len() {
            let title = format!(
                "this row has {} before `=>`, the table has {}",
                many(cells.len(), "cell"),
                many(inputs.len(), "column")
            );
            self.say(Diagnostic::new("F406", title, span).help("`*` stands for any value"));
            return None;
        }
        let mut typed: Vec<Cell> = Vec::new();
        for (cell, (name, ty)) in cells.iter().zip(inputs) {
            typed.push(self.cell(cell, name, ty, table.first));
        }
        let result = self.results(table, results, values, span)?;
        Some(Row { cells: typed, result, span })
    }

    /// What a row gives: one value for each result, or one outcome.
    fn results(
        &mut self,
        table: &tree::Table,
        results: &Columns,
        values: &[tree::Expr],
        span: Span,
    ) -> Option<RowResult> {
        let mut typed: Vec<_> = values.iter().map(|value| self.expr(value)).collect();
        if let [only] = typed.as_slice()
            && let ExprKind::Outcome(verdict, message) = &only.kind
        {
            return Some(RowResult::Outcome(*verdict, message.clone()));
        }
        if typed.len() != results.len() {
            let title = format!(
                "this row gives {}, the table has {}",
                many(typed.len(), "value"),
                many(results.len(), "result")
            );
            self.say(Diagnostic::new("F406", title, span));
            return None;
        }
        let before = self.diagnostics.len();
        typed = typed
            .into_iter()
            .zip(results)
            .map(|(value, (name, ty))| {
                let what = format!("`{name}` of table `{}`", table.name.text);
                self.proven(&value, ty, &what);
                self.coerce(value, ty, &Need { blank: ty.optional, ..Need::fine(&what) })
            })
            .collect();
        self.as_cell(before);
        Some(RowResult::Values(typed))
    }

    /// What was told since is about cells.
    pub(super) fn as_cell(&mut self, before: usize) {
        for told in self.diagnostics.iter_mut().skip(before) {
            if matches!(told.code, "F103" | "F301" | "F110") {
                told.code = "F406";
            }
        }
    }

    /// A column of texts that no rows can exhaust needs `otherwise`.
    fn needs_otherwise(&mut self, table: &tree::Table, inputs: &Columns, rows: &[Row]) {
        // a line of it that could not be read may be the one that closes it
        let unread = |told: &Diagnostic| {
            let (place, whole) = (told.span(), table.span);
            place.file == whole.file && (whole.start..whole.end).contains(&place.start)
        };
        if rows.iter().any(|row| row.cells.iter().all(|cell| *cell == Cell::Any))
            || rows.len() < table.rows.len()
            || self.loaded.diagnostics.iter().any(unread)
        {
            return;
        }
        for (column, (name, ty)) in inputs.iter().enumerate() {
            let cells: Vec<&Cell> = rows.iter().filter_map(|row| row.cells.get(column)).collect();
            let closed = cells.iter().all(|cell| **cell == Cell::Any)
                || cells.iter().any(|cell| matches!(cell, Cell::NotIn(_) | Cell::NoneOf(_)) && !cell.by_setting());
            if finite(ty) || closed {
                continue;
            }
            let title = format!("no rows can cover all values of `{name}`");
            let place = table.inputs.get(column).map_or(table.head, |param| param.name.span);
            let told = Diagnostic::new("F408", title, place).says("any text can come");
            self.say(told.help(format!("close the table:  otherwise hold \"no row for {{{name}}}\"")));
            return;
        }
    }
}

/// Is the number of values known, or is it no text?
fn finite(ty: &Ty) -> bool {
    let closed = ty.codes.as_ref().is_some_and(|codes| !codes.open);
    let table = ty.reference.as_ref().is_some_and(|reference| !reference.of.contains('.'));
    !ty.is_texty() || closed || table || matches!(ty.kind, Kind::OneOf(_) | Kind::Any)
}

fn many(n: usize, noun: &str) -> String {
    if n == 1 { format!("one {noun}") } else { format!("{n} {noun}s") }
}
