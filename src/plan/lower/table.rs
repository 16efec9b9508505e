//! Tables: their index, and what each row gives.

use std::sync::Arc;

use super::Lowering;
use crate::{
    check::typed::{self, Expr, RowResult, SettingId, TableId},
    diagnostic::Span,
    plan::{
        PlanError,
        code::{Code, Print, Privacy, TableCall},
        table::{Index, Input, RowCode, TableCode},
        watch::PointKind,
    },
    schema::{Kind, Ty},
    value::{Record, Shape, Value},
};

impl Lowering<'_> {
    /// A call of a table, which is built when it is first called.
    pub(super) fn table_call(&mut self, id: TableId, args: &[Expr], pick: Option<usize>, span: Span) -> Code {
        let number = id.0 as usize;
        let program = self.program;
        if let Some(table) = program.tables.get(number)
            && self.lowered.tables.get(number).is_some_and(Option::is_none)
        {
            let code = self.table(table);
            if let Some(place) = self.lowered.tables.get_mut(number) {
                *place = Some(code);
            }
        }
        let code = Code::Table(Box::new(TableCall { table: id, args: self.exprs(args), pick, span }));
        self.folded(code)
    }

    fn table(&mut self, table: &typed::Table) -> TableCode {
        let row = self.row.take();
        let shape = (table.results.len() > 1)
            .then(|| Arc::new(Shape { names: table.results.iter().map(|(name, _)| name.clone()).collect() }));
        let inputs = table.inputs.iter().enumerate().map(|(number, (name, ty))| {
            let var = table.params.get(number).copied();
            let declared = var.and_then(|var| self.program.vars.get(var.0 as usize)).is_some_and(|var| var.private);
            let privacy = if declared || may_be_personal(ty) { Privacy::Private } else { Privacy::Plain };
            Input { name: name.clone(), var, print: Print::of(ty), privacy }
        });
        let inputs = inputs.collect();
        let cells = table.rows.iter().map(|row| row.cells.as_slice());
        let index = Index::new(cells, &|id| self.held(id)).unwrap_or_else(|text| {
            self.errors.push(PlanError::Pattern { text, span: table.span });
            Index::default()
        });
        let results = table.rows.iter().map(|row| (self.row(table, &row.result, row.span, shape.as_ref()), row.span));
        let results = results.collect();
        let otherwise = table.otherwise.as_ref().map(|result| {
            let span = match result {
                RowResult::Outcome(_, message) => message.span,
                RowResult::Values(values) => values.first().map_or(table.span, |value| value.span),
            };
            self.row(table, result, span, shape.as_ref())
        });
        self.row = row;
        TableCode { name: table.name.clone(), first: table.first, inputs, index, results, otherwise, shape }
    }

    /// The values that a cell takes which names a setting.
    fn held(&self, id: SettingId) -> Vec<Value> {
        match self.settings.get(id.0 as usize) {
            Some(Some(Value::List(values))) => values.to_vec(),
            Some(Some(value)) => vec![value.clone()],
            _ => Vec::new(),
        }
    }

    /// What a row gives. One that is watched is noted by each of its values.
    fn row(&mut self, table: &typed::Table, result: &RowResult, span: Span, shape: Option<&Arc<Shape>>) -> RowCode {
        if self.points.is_none() {
            return self.row_result(result, shape);
        }
        let codes: Vec<Code> = match result {
            RowResult::Values(values) => self.exprs(values),
            RowResult::Outcome(verdict, message) => {
                let outcome = |_| Code::Outcome(*verdict, Box::new(self.message(message)));
                table.results.iter().map(outcome).collect()
            }
        };
        let what = || table.name.to_string();
        RowCode::Codes(codes.into_iter().map(|code| self.watch_value(PointKind::Row, span, what, code)).collect())
    }

    fn row_result(&mut self, result: &RowResult, shape: Option<&Arc<Shape>>) -> RowCode {
        match result {
            RowResult::Outcome(verdict, message) => RowCode::Outcome(*verdict, self.message(message)),
            RowResult::Values(values) => {
                let codes = self.exprs(values);
                let constants: Option<Vec<Value>> = codes.iter().map(|code| code.constant().cloned()).collect();
                match (constants, shape) {
                    (None, _) => RowCode::Codes(codes),
                    (Some(values), Some(shape)) => RowCode::Value(Value::Record(Record::new(shape.clone(), values))),
                    (Some(values), None) => RowCode::Value(values.into_iter().next().unwrap_or_default()),
                }
            }
        }
    }
}

/// A text of which nothing says that it is a code or a number of a document.
fn may_be_personal(ty: &Ty) -> bool {
    match ty.kind {
        Kind::Text => ty.codes.is_none() && ty.reference.is_none(),
        Kind::Email | Kind::Iban | Kind::VatNumber | Kind::Any => true,
        _ => false,
    }
}
