//! Cells of tables: literals, lists, named lists, ranges, periods, `*`, `not …`, parts of texts (F406, F409).

use std::sync::Arc;

use super::{
    checker::{Checker, expr},
    coerce::{Need, would_fit},
    expr::literal_value,
    load::DeclKind,
    lookup::Found,
    program::constant,
    typed::{Cell, ExprKind, SettingId},
    types::say,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Ty},
    syntax::tree::{self, CellItem, CellKind, Item, LetValue, Literal, Name, Statement},
    value::{Compare, Value, order},
};

impl<'a> Checker<'a> {
    /// A cell of a column; after a mistake `*`, so that nothing more is told of its row.
    pub(super) fn cell(&mut self, cell: &tree::Cell, column: &Arc<str>, ty: &Ty, first: bool) -> Cell {
        let CellKind::Items { not, items } = &cell.kind else { return Cell::Any };
        let before = self.diagnostics.len();
        let mut values = Vec::new();
        let mut others = Vec::new();
        let mut wrong = false;
        for item in items {
            match self.item(item, column, ty, first) {
                Some(Part::Values(more)) => values.extend(more),
                Some(Part::Cell(cell)) => others.push(cell),
                None => wrong = true,
            }
        }
        self.as_cell(before);
        if wrong {
            return Cell::Any;
        }
        match (others.is_empty(), *not) {
            (true, false) => Cell::In(values),
            (true, true) => Cell::NotIn(values),
            (false, not) => {
                if !values.is_empty() {
                    others.insert(0, Cell::In(values));
                }
                match (not, others.pop()) {
                    (false, Some(only)) if others.is_empty() => only,
                    (not, last) => {
                        others.extend(last);
                        if not { Cell::NoneOf(others) } else { Cell::AnyOf(others) }
                    }
                }
            }
        }
    }

    fn item(&mut self, item: &CellItem, column: &Arc<str>, ty: &Ty, first: bool) -> Option<Part> {
        match item {
            CellItem::Literal(Literal::Blank, span) => {
                if !ty.optional && ty.kind != Kind::Any {
                    let title = format!("column `{column}` is never blank");
                    let told = Diagnostic::new("F406", title, *span);
                    self.say(told.help(format!("take this out, or let it be blank:  {column}: {ty}?")));
                    return None;
                }
                Some(Part::Values(vec![Value::Blank]))
            }
            CellItem::Literal(literal, span) => Some(Part::Values(vec![self.cell_value(literal, *span, column, ty)?])),
            CellItem::Name(name) => match self.lookup_declared(&name.text) {
                Found::Setting(id) => self.setting_cell(id, name, column, ty, first).map(Part::Cell),
                _ => self.named_list(name, column, ty).map(Part::Values),
            },
            CellItem::Range(from, to, span) => {
                let from = self.cell_value(from, *span, column, ty)?;
                let to = self.cell_value(to, *span, column, ty)?;
                self.ordered(column, ty, *span)?;
                if order(&from, &to).is_some_and(std::cmp::Ordering::is_gt) {
                    let told = Diagnostic::new("F406", "this range is empty: its end lies before its start", *span);
                    self.say(told.help("the lower one stands first"));
                    return None;
                }
                Some(Part::Cell(Cell::Range { from: Some((from, true)), to: Some((to, true)) }))
            }
            CellItem::Bound(compare, literal, span) => {
                let value = self.cell_value(literal, *span, column, ty)?;
                self.ordered(column, ty, *span)?;
                Some(Part::Cell(Cell::bound(*compare, value)))
            }
            CellItem::Period(from, until, span) => {
                if !matches!(ty.kind, Kind::Date | Kind::Any) {
                    self.wrong_cell(column, ty, "a period", *span);
                    return None;
                }
                if from.zip(*until).is_some_and(|(from, until)| from > until) {
                    self.say(Diagnostic::new("F406", "this period ends before it begins", *span));
                    return None;
                }
                let end = |date: &jiff::civil::Date| (Value::Date(*date), true);
                Some(Part::Cell(Cell::Range { from: from.as_ref().map(end), to: until.as_ref().map(end) }))
            }
            CellItem::Contains(text, span) => {
                self.part_of_text(column, ty, first, *span)?;
                Some(Part::Cell(Cell::Contains(text.clone())))
            }
            CellItem::Matches(pattern, span) => {
                self.part_of_text(column, ty, first, *span)?;
                self.compiled(pattern, *span)?;
                Some(Part::Cell(Cell::Matches(pattern.clone())))
            }
        }
    }

    /// A literal as a value of the column.
    fn cell_value(&mut self, literal: &Literal, span: Span, column: &Arc<str>, ty: &Ty) -> Option<Value> {
        let Some((value, kind)) = literal_value(literal) else {
            self.say(Diagnostic::new("F406", "this cannot stand in a cell", span));
            return None;
        };
        let what = format!("column `{column}`");
        let literal = expr(ExprKind::Const(value), Ty::new(kind), span);
        let value = self.coerce(literal, &ty.clone().filled(), &Need::filled(&what));
        if ty.kind == Kind::Any { None } else { constant(&value) }
    }

    /// A setting, or a list of them: what it holds may stand in another row too, so the first that fits counts.
    fn setting_cell(&mut self, id: SettingId, name: &Name, column: &Arc<str>, ty: &Ty, first: bool) -> Option<Cell> {
        let held = self.settings.get(id.0 as usize).map_or_else(Ty::any, |setting| setting.ty.clone());
        let of = if let Kind::List(of) = &held.kind { (**of).clone() } else { held.clone().filled() };
        if of.kind != Kind::Any && ty.kind != Kind::Any && !would_fit(&of, &ty.clone().filled()) {
            let title = format!("`{}` is {}, and column `{column}` is {}", name.text, say(&held), say(ty));
            self.say(Diagnostic::new("F406", title, name.span));
            return None;
        }
        if !first {
            let title =
                format!("what `{}` holds may stand in another row too, so the table must take the first", name.text);
            self.say(Diagnostic::new("F409", title, name.span).help("table … first {"));
            return None;
        }
        Some(Cell::Setting(id))
    }

    /// The values of a named list: a `let` whose value is a list of literals.
    fn named_list(&mut self, name: &Name, column: &Arc<str>, ty: &Ty) -> Option<Vec<Value>> {
        let Some((unit, line)) = self.let_of(name) else {
            if self.here().is_some_and(|unit| unit.lost.contains(&*name.text)) {
                return None;
            }
            if self.here().is_some_and(|unit| unit.names.contains_key(&name.text)) {
                let title = format!("`{}` is no list of values", name.text);
                self.say(Diagnostic::new("F406", title, name.span).help(format!("let {} = [\"…\", \"…\"]", name.text)));
            } else {
                let told =
                    Diagnostic::new("F406", format!("`{0}` is no value of column `{column}`", name.text), name.span);
                self.say(told.help(format!("\"{}\"", name.text)));
            }
            return None;
        };
        let LetValue::Expr(tree) = &line.value else { return None };
        let list = self.within(unit, String::new(), |checker| checker.silently(|checker| checker.expr(tree)));
        let ExprKind::List(items) = list.kind else {
            let title = format!("`{}` is {}, and a cell takes a list of literals", name.text, say(&list.ty));
            self.say(Diagnostic::new("F406", title, name.span));
            return None;
        };
        let what = format!("column `{column}`");
        let values = items.into_iter().map(|mut item| {
            item.span = name.span;
            let value = self.coerce(item, &ty.clone().filled(), &Need::filled(&what));
            constant(&value)
        });
        values.collect()
    }

    /// The `let` that a name of column 0 stands for, here or in the library that it comes from.
    fn let_of(&mut self, name: &Name) -> Option<(usize, &'a tree::Let)> {
        let unit = self.here()?;
        let decl = unit.names.get(&name.text)?;
        self.used.insert(decl.span);
        let (from, kind) = match decl.kind {
            DeclKind::Used(from) => {
                let from = from?;
                (from, self.loaded.units.get(from)?.names.get(&name.text)?.kind)
            }
            kind => (self.at, kind),
        };
        let DeclKind::Let(at) = kind else { return None };
        match self.loaded.units.get(from)?.tree.items.get(at)? {
            Item::Statement(Statement::Let(line)) => Some((from, line)),
            _ => None,
        }
    }

    fn ordered(&mut self, column: &Arc<str>, ty: &Ty, span: Span) -> Option<()> {
        if ty.is_number() || matches!(ty.kind, Kind::Date | Kind::DateTime | Kind::Duration) {
            return Some(());
        }
        self.wrong_cell(column, ty, "a range", span);
        None
    }

    fn part_of_text(&mut self, column: &Arc<str>, ty: &Ty, first: bool, span: Span) -> Option<()> {
        if !ty.is_texty() {
            self.wrong_cell(column, ty, "a part of a text", span);
            return None;
        }
        if !first {
            let title = "two rows can match one text here, so the table must take the first";
            self.say(Diagnostic::new("F409", title, span).help("table … first {"));
            return None;
        }
        Some(())
    }

    fn wrong_cell(&mut self, column: &Arc<str>, ty: &Ty, what: &str, span: Span) {
        if ty.kind != Kind::Any {
            let title = format!("column `{column}` is {}, {what} does not fit it", say(ty));
            self.say(Diagnostic::new("F406", title, span));
        }
    }
}

/// What an item of a cell says.
enum Part {
    Values(Vec<Value>),
    Cell(Cell),
}

/// Bounds in cells are the language's own relations.
pub(super) const BOUNDS: &[(&str, Compare)] =
    &[("<=", Compare::AtMost), (">=", Compare::AtLeast), ("<", Compare::Less), (">", Compare::Greater)];
