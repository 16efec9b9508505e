//! Lookup tables: headers, rows and cells.

use super::{Pair, Reader, parts};
use crate::{
    diagnostic::{Diagnostic, Span},
    syntax::{
        grammar::Rule,
        tree::{Cell, CellItem, CellKind, Expr, ExprKind, Literal, Otherwise, Param, Row, Table},
    },
    value::Compare,
};

impl Reader<'_> {
    pub(super) fn table(&mut self, pair: Pair<'_>) -> Option<Table> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let first = inner.has(Rule::kw_first);
        let csv = inner.maybe(Rule::table_csv).and_then(|csv| parts(csv).maybe(Rule::string));
        let csv = csv.map(|csv| self.quoted_name(csv));
        let head = self.head(span, &inner.maybe(Rule::open)?);
        let (inputs, results) = match inner.maybe(Rule::t_header) {
            Some(header) => {
                let mut sides = parts(header);
                let inputs = self.columns(sides.maybe(Rule::t_inputs)?)?;
                (inputs, self.columns(sides.maybe(Rule::t_outputs)?)?)
            }
            None => (Vec::new(), Vec::new()),
        };
        let mut table = Table {
            name,
            first,
            csv,
            inputs,
            results,
            rows: Vec::new(),
            otherwise: None,
            doc: self.doc(span),
            head,
            span,
        };
        let mut header_is_broken = false;
        while let Some(line) = inner.any() {
            let place = self.span(&line);
            match line.as_rule() {
                Rule::t_row => match self.row(line, &table) {
                    Some(row) => table.rows.push(row),
                    None => self.missing(place),
                },
                Rule::t_other => self.otherwise(line, &mut table),
                _ => header_is_broken |= table.rows.is_empty() && Self::is_broken(&line),
            }
        }
        if table.inputs.is_empty() {
            self.found.lost.push(table.name.clone());
            if !header_is_broken {
                self.say(
                    Diagnostic::new(
                        "F002",
                        format!("table `{}` does not say what its columns are", table.name.text),
                        head,
                    )
                    .says("its first line names them, with their types")
                    .help("country: country | on: date => code: text"),
                );
            }
            self.found.broken = true;
            return None;
        }
        Some(table)
    }

    fn columns(&mut self, pair: Pair<'_>) -> Option<Vec<Param>> {
        parts(pair).many(Rule::param).into_iter().map(|param| self.param(param)).collect()
    }

    fn row(&mut self, pair: Pair<'_>, table: &Table) -> Option<Row> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let cells: Option<Vec<Cell>> = inner.many(Rule::cell).into_iter().map(|cell| self.cell(cell)).collect();
        let results = self.results(inner.maybe(Rule::results)?);
        let cells = cells?;
        if table.inputs.is_empty() {
            return Some(Row { cells, results, span });
        }
        if cells.len() != table.inputs.len() {
            let (has, needs) = (count(cells.len(), "cell"), count(table.inputs.len(), "column"));
            let place = cells.iter().map(|cell| cell.span).reduce(Span::to).unwrap_or(span);
            self.say(
                Diagnostic::new("F406", format!("this row has {has} before `=>`, the table has {needs}"), place)
                    .help("`*` fits every value, `blank` only a missing one"),
            );
            return None;
        }
        self.results_fit(&results, table).then_some(Row { cells, results, span })
    }

    /// As many results as result columns, or one outcome.
    fn results_fit(&mut self, results: &[Expr], table: &Table) -> bool {
        let outcome = matches!(results, [Expr { kind: ExprKind::Outcome(..), .. }]);
        if outcome || results.len() == table.results.len() {
            return true;
        }
        let (has, needs) = (count(results.len(), "value"), count(table.results.len(), "column"));
        let place = results.iter().map(|result| result.span).reduce(Span::to).unwrap_or(table.span);
        let message = format!("this row has {has} behind `=>`, the table has {needs} there");
        self.say(Diagnostic::new("F406", message, place).help("`blank` is a value too"));
        false
    }

    fn results(&mut self, pair: Pair<'_>) -> Vec<Expr> {
        parts(pair).many(Rule::expr).into_iter().map(|expr| self.expr(expr)).collect()
    }

    fn otherwise(&mut self, pair: Pair<'_>, table: &mut Table) {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let results = match inner.maybe(Rule::results) {
            Some(results) => self.results(results),
            None => inner.maybe(Rule::outcome).and_then(|outcome| self.outcome(outcome)).into_iter().collect(),
        };
        if let Some(first) = &table.otherwise {
            self.say(
                Diagnostic::new("F002", "a table has one `otherwise`", span).also(first.span, "this is the first one"),
            );
        } else if table.results.is_empty() || self.results_fit(&results, table) {
            table.otherwise = Some(Otherwise { results, span });
        } else {
            self.found.broken = true;
        }
    }

    pub(in crate::syntax) fn cell(&mut self, pair: Pair<'_>) -> Option<Cell> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        if inner.has(Rule::any) {
            return Some(Cell { kind: CellKind::Any, span });
        }
        let not = inner.has(Rule::kw_not);
        let items: Option<Vec<CellItem>> =
            inner.many(Rule::cell_item).into_iter().map(|item| self.cell_item(item)).collect();
        Some(Cell { kind: CellKind::Items { not, items: items? }, span })
    }

    fn cell_item(&mut self, pair: Pair<'_>) -> Option<CellItem> {
        let span = self.span(&pair);
        let item = pair.into_inner().next()?;
        Some(match item.as_rule() {
            Rule::period => {
                let until = item.as_str().starts_with("until");
                let mut days = parts(item);
                let mut dates = Vec::new();
                while let Some(day) = days.any() {
                    dates.push(self.date(&day));
                }
                match dates.as_slice() {
                    [from, to] => CellItem::Period(Some(*from), Some(*to), span),
                    [to] if until => CellItem::Period(None, Some(*to), span),
                    [from] => CellItem::Period(Some(*from), None, span),
                    _ => return None,
                }
            }
            Rule::range => {
                let mut ends = parts(item);
                CellItem::Range(self.literal(&ends.any()?)?, self.literal(&ends.any()?)?, span)
            }
            Rule::bound => {
                let mut inner = item.into_inner();
                let compare = match inner.next()?.as_rule() {
                    Rule::op_lt => Compare::Less,
                    Rule::op_le => Compare::AtMost,
                    Rule::op_gt => Compare::Greater,
                    _ => Compare::AtLeast,
                };
                CellItem::Bound(compare, self.literal(&inner.next()?)?, span)
            }
            Rule::like => {
                let mut inner = parts(item);
                match inner.maybe(Rule::string) {
                    Some(text) => CellItem::Contains(self.plain_text(text), span),
                    None => CellItem::Matches(Self::pattern(&inner.maybe(Rule::pattern)?), span),
                }
            }
            Rule::name => CellItem::Name(self.name(&item)),
            Rule::pattern => {
                self.say(
                    Diagnostic::new("F406", "a pattern in a cell needs `matches`", span)
                        .help(format!("matches {}", item.as_str()))
                        .fix(span, format!("matches {}", item.as_str())),
                );
                CellItem::Matches(Self::pattern(&item), span)
            }
            Rule::string => CellItem::Literal(Literal::Text(self.plain_text(item)), span),
            _ => CellItem::Literal(self.literal(&item)?, span),
        })
    }
}

/// `1 cell`, `2 cells`.
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
