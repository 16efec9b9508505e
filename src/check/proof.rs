//! Proofs over tables: no input is left over (F401), no two rows fit the same one (F402), every row is reached (F403),
//! dated rows follow each other (F404) and do not end soon (F405).
//!
//! Takes the checked tables of a file, tells what is wrong with a witness. Each column is cut into classes that its
//! cells do not tell apart; rows are then sets of classes, and the search goes column by column over the rows that are
//! left, never over all combinations. A table with a mistake of another kind is not looked at.

mod boxes;
mod domain;
mod grid;
mod meeting;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use self::{
    boxes::Boxes,
    domain::{Class, Cut, Domain, ends},
    grid::{Grid, Look, Open, Set, meets},
    words::Column,
};
use super::{
    checker::Checker,
    csv::cell_place,
    load::Unit,
    lookup::Found,
    program::constant,
    typed::{Cell, RowResult, Table},
};
use crate::{
    diagnostic::{Diagnostic, FileId, Sources, Span},
    schema::Kind,
    syntax::tree::{self, Item, TypeKind, TypeRef},
    value::Value,
};

/// Days around today in which an end is told.
const SOON: i64 = 60;

impl<'a> Checker<'a> {
    /// Proves the tables that a file declares.
    pub(super) fn prove_tables(&mut self, file: &'a Unit) {
        for item in &file.tree.items {
            let Item::Table(tree) = item else { continue };
            let Some(Some(id)) = self.table_ids.get(&(self.unit, tree.name.text.clone())).copied() else { continue };
            let csv = tree.csv.as_ref().and_then(|name| file.csv.get(&name.text).copied().flatten());
            if (tree.csv.is_some() && csv.is_none()) || self.troubled(tree.span, csv) {
                continue;
            }
            let known: Vec<Option<Vec<Value>>> = tree.inputs.iter().map(|param| self.values_of(&param.ty)).collect();
            let Some(table) = self.tables.get(id.0 as usize) else { continue };
            let sources = &self.loaded.sources;
            let Some(proof) = Proof::new(tree, table, known, csv.is_some(), sources) else { continue };
            let told = proof.tell(self.project.today);
            for told in told {
                self.say(told);
            }
        }
    }

    /// Was something told of this table already? Then a part of it may be missing.
    pub(super) fn troubled(&self, span: Span, csv: Option<FileId>) -> bool {
        self.loaded.diagnostics.iter().chain(&self.diagnostics).any(|told| {
            let place = told.span();
            told.is_error()
                && ((place.file == span.file && (span.start..span.end).contains(&place.start))
                    || csv == Some(place.file))
        })
    }

    /// The values of a type that is a column of a table, if they can be written down.
    fn values_of(&mut self, ty: &TypeRef) -> Option<Vec<Value>> {
        let TypeKind::Named(path, _) = &ty.kind else { return None };
        let [first, column] = path.names.as_slice() else { return None };
        let Found::Table(key, tree) = self.lookup_declared(&first.text) else { return None };
        let own = tree.span;
        if self.troubled(own, None) {
            return None;
        }
        let id = self.table(key, tree)?;
        let table = self.tables.get(id.0 as usize)?;
        let mut values = Vec::new();
        if let Some(place) = table.results.iter().position(|(name, _)| *name == column.text) {
            for result in table.rows.iter().map(|row| &row.result).chain(&table.otherwise) {
                if let RowResult::Values(results) = result {
                    values.push(constant(results.get(place)?)?);
                }
            }
        } else {
            let place = table.inputs.iter().position(|(name, _)| *name == column.text)?;
            for row in &table.rows {
                let Cell::In(own) = row.cells.get(place)? else { return None };
                values.extend(own.iter().cloned());
            }
        }
        let mut seen = std::collections::HashSet::new();
        values.retain(|value| !value.is_blank() && seen.insert(value.clone()));
        Some(values)
    }
}

/// A row with the ends of its period.
type Dated = (usize, Option<Cut>, Option<Cut>);

/// A table with its columns cut into classes.
struct Proof<'t> {
    tree: &'t tree::Table,
    table: &'t Table,
    domains: Vec<Domain>,
    grid: Grid,
    csv: bool,
    sources: &'t Sources,
}

impl<'t> Proof<'t> {
    fn new(
        tree: &'t tree::Table,
        table: &'t Table,
        known: Vec<Option<Vec<Value>>>,
        csv: bool,
        sources: &'t Sources,
    ) -> Option<Self> {
        let mut domains = Vec::new();
        let mut grid = Grid::default();
        for (column, ((_, ty), known)) in table.inputs.iter().zip(known).enumerate() {
            let cells: Vec<&Cell> = table.rows.iter().filter_map(|row| row.cells.get(column)).collect();
            let domain = Domain::new(ty, known, &cells)?;
            grid.add(domain.weights(), cells.iter().map(|cell| domain.set(cell)).collect());
            domains.push(domain);
        }
        Some(Self { tree, table, domains, grid, csv, sources })
    }

    fn tell(&self, today: Date) -> Vec<Diagnostic> {
        let mut told = Vec::new();
        if !self.table.first {
            let meeting = self.grid.overlaps();
            told.extend(meeting.found.into_iter().map(|(later, earlier)| self.overlap(later, earlier)));
            if meeting.gave_up && told.is_empty() {
                let name = &self.table.name;
                let title = format!("the rows of `{name}` are too many to see that no two of them fit the same");
                let told_of = Diagnostic::new("F402", title, self.table.span);
                told.push(told_of.help(format!("let the first that fits count:  table {name} first")));
            }
        }
        let closed = self.tree.otherwise.is_some();
        let look = match (self.table.first, closed) {
            (true, _) => Look::First,
            (false, true) => Look::One,
            (false, false) => Look::All,
        };
        let open = self.grid.open(look, None);
        for row in 0..self.table.rows.len() {
            told.extend(self.unreached(row, &open));
        }
        if let Some(otherwise) = self.tree.otherwise.as_ref().filter(|_| open.count == Some(0)) {
            let title = format!("`otherwise` of `{}` is never reached: the rows take everything", self.table.name);
            told.push(Diagnostic::new("F403", title, otherwise.span).help("leave it out"));
        }
        if !closed && open.count != Some(0) {
            // rows that are entangled because they overlap are told already
            if open.witness.is_some() || told.is_empty() {
                told.push(self.gap(&open));
            }
            return told;
        }
        let mut boxes = Boxes::new(&self.grid);
        for column in 0..self.domains.len() {
            self.dates(column, today, &mut boxes, &mut told);
        }
        told
    }

    fn column(&self, column: usize) -> Option<Column<'_>> {
        let (name, ty) = self.table.inputs.get(column)?;
        Some(Column { name, ty, domain: self.domains.get(column)?, csv: self.csv })
    }

    fn cell(&self, row: usize, column: usize) -> Option<&Cell> {
        self.table.rows.get(row)?.cells.get(column)
    }

    fn row_place(&self, row: usize) -> Span {
        self.table.rows.get(row).map_or(self.table.span, |row| row.span)
    }

    fn cell_place(&self, row: usize, column: usize) -> Span {
        let place = self.row_place(row);
        if self.csv && place.file != self.tree.span.file {
            let text = self.sources.get(place.file).map_or("", |source| &source.text);
            return cell_place(text, place, column);
        }
        let own = self.tree.rows.iter().find(|own| own.span == place);
        own.and_then(|own| own.cells.get(column)).map_or(place, |cell| cell.span)
    }

    fn class(&self, column: usize, class: u32) -> Option<&Class> {
        self.domains.get(column)?.classes.get(class as usize)
    }

    /// The classes of a witness in words; those that do not matter are left out.
    fn words(&self, witness: &[Option<u32>]) -> String {
        let word =
            |(column, class): (usize, &Option<u32>)| Some(self.column(column)?.class(self.class(column, (*class)?)?));
        let words: Vec<String> = witness.iter().enumerate().filter_map(word).collect();
        if words.is_empty() { "any input".to_owned() } else { words.join(", ") }
    }

    fn gap(&self, open: &Open) -> Diagnostic {
        let name = &self.table.name;
        let closing = "close all gaps at once with   otherwise hold \"…\"";
        let Some(witness) = &open.witness else {
            let title = format!("the rows of `{name}` are too entangled to see that each input has one");
            return Diagnostic::new("F401", title, self.table.span).help(closing);
        };
        let title = format!("table `{name}` has no row for {}", self.words(witness));
        let mut told = Diagnostic::new("F401", title, self.table.span);
        if let Some(count) = open.count.filter(|_| self.table.inputs.len() > 1) {
            let is = if count == 1 { "is" } else { "are" };
            told = told.says(format!("{count} of {} combinations {is} open", self.grid.all()));
        }
        let cells: Vec<String> = (0..self.domains.len())
            .filter_map(|column| {
                let class = witness.get(column).copied().flatten().and_then(|class| self.class(column, class));
                let own = self.column(column)?;
                Some(class.map_or_else(|| "*".to_owned(), |class| own.cell_of(class)))
            })
            .collect();
        let row = if self.csv {
            let results = vec!["…"; self.table.results.len()];
            format!("{},{}", cells.join(","), results.join(","))
        } else {
            format!("{} => hold \"…\"", cells.join(" | "))
        };
        told.help(format!("add the row, for example\n  {row}\nor {closing}"))
    }

    fn overlap(&self, later: usize, earlier: usize) -> Diagnostic {
        let columns = 0..self.domains.len();
        let witness: Vec<Option<u32>> = columns
            .clone()
            .map(|column| {
                let all = self.grid.takes_all(later, column) && self.grid.takes_all(earlier, column);
                if all { None } else { meets(self.grid.set(later, column), self.grid.set(earlier, column)) }
            })
            .collect();
        let title = format!("two rows of `{}` fit {}", self.table.name, self.words(&witness));
        let differ: Vec<usize> =
            columns.filter(|column| self.grid.id(later, *column) != self.grid.id(earlier, *column)).collect();
        let everything = (0..self.domains.len()).all(|column| self.grid.takes_all(later, column));
        let help = match differ.as_slice() {
            [] if self.csv || self.table.rows.len() > 1 => "leave one of them out".to_owned(),
            _ if everything => "what no row fits is written  otherwise => …".to_owned(),
            [only] => self.repaired(later, earlier, *only).unwrap_or_else(|| self.narrow()),
            _ => self.narrow(),
        };
        let (mut place, mut first, mut says) = (self.row_place(later), self.row_place(earlier), String::new());
        if let [only] = differ.as_slice()
            && let Some(column) = self.column(*only)
            && let Some(class) = witness.get(*only).copied().flatten().and_then(|class| self.class(*only, class))
            && let Some(value) = class.example(column.ty, |_| true)
        {
            (place, first) = (self.cell_place(later, *only), self.cell_place(earlier, *only));
            says = format!("{} is in both", column.written(&value));
        }
        Diagnostic::new("F402", title, place).says(says).also(first, "the earlier row").help(help)
    }

    fn narrow(&self) -> String {
        format!("make one of them narrower, or let the first that fits count:  table {} first {{", self.table.name)
    }

    /// The later of two ranges without what the earlier one takes.
    fn repaired(&self, later: usize, earlier: usize, column: usize) -> Option<String> {
        let range = |row: usize| match self.cell(row, column)? {
            Cell::Range { from, to } => Some(ends(from.as_ref(), to.as_ref())),
            _ => None,
        };
        let ((low, high), (first_low, first_high)) = (range(later)?, range(earlier)?);
        let domain = self.domains.get(column)?;
        let whole = domain.between(&(low.clone(), high.clone()));
        let behind = domain.between(&(first_high.clone(), high.clone()));
        let before = domain.between(&(low.clone(), first_low.clone()));
        let own = self.column(column)?;
        match (first_high, first_low) {
            (Some(first), _) if !behind.is_empty() && behind != whole && starts_within(&whole, &behind) => {
                own.range(Some(&first), high.as_ref())
            }
            (_, Some(first)) if !before.is_empty() && before != whole => own.range(low.as_ref(), Some(&first)),
            _ => None,
        }
    }

    fn unreached(&self, row: usize, open: &Open) -> Option<Diagnostic> {
        let name = &self.table.name;
        if self.table.rows.get(row).is_some_and(|row| row.cells.iter().any(Cell::by_setting)) {
            return None;
        }
        if let Some(empty) = self.grid.empty_column(row) {
            let column = self.column(empty)?;
            let cell = self.cell(row, empty).and_then(|cell| column.cell(cell));
            let title = match cell {
                Some(cell) => format!("this row of `{name}` is never reached: {cell} never comes"),
                None => format!("this row of `{name}` is never reached: no {} fits this cell", column.name),
            };
            return Some(Diagnostic::new("F403", title, self.cell_place(row, empty)).help("leave the row out"));
        }
        let number = u32::try_from(row).ok()?;
        if !self.table.first || open.reached.contains(&number) {
            return None;
        }
        let title = format!("this row of `{name}` is never reached: rows above it take all that it fits");
        let mut told = Diagnostic::new("F403", title, self.row_place(row));
        let covers = |above: &usize| (0..self.domains.len()).all(|column| self.covers(*above, row, column));
        if let Some(above) = (0..row).find(covers) {
            told = told.also(self.row_place(above), "this one is taken first");
        }
        Some(told.help("move it up, or leave it out"))
    }

    /// Does one row take all that another one takes in a column?
    fn covers(&self, above: usize, row: usize, column: usize) -> bool {
        let own = self.grid.set(above, column);
        self.grid.set(row, column).iter().all(|(from, to)| own.iter().any(|(start, end)| start <= from && to <= end))
    }

    /// Holes between dated rows, and the end of the last one.
    fn dates(&self, column: usize, today: Date, boxes: &mut Boxes<'_>, told: &mut Vec<Diagnostic>) {
        if self.table.inputs.get(column).is_none_or(|(_, ty)| ty.kind != Kind::Date) {
            return;
        }
        let mut seen: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut groups: Vec<Vec<Dated>> = Vec::new();
        for row in 0..self.table.rows.len() {
            let (low, high) = match self.cell(row, column) {
                Some(Cell::Range { from, to }) => ends(from.as_ref(), to.as_ref()),
                Some(Cell::In(days)) if days.len() == 1 => {
                    let Some(day @ Value::Date(_)) = days.first() else { continue };
                    let bound = (day.clone(), true);
                    ends(Some(&bound), Some(&bound))
                }
                _ => continue,
            };
            let others = (0..self.domains.len()).filter(|other| *other != column);
            let place = *seen.entry(others.map(|other| self.grid.id(row, other)).collect()).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Vec::new());
            }
            if let Some(group) = groups.get_mut(place) {
                group.push((row, low, high));
            }
        }
        for mut group in groups {
            group.sort_by_key(|(_, low, _)| day(low.as_ref()));
            for pair in group.windows(2) {
                if let [(earlier, _, Some(end)), (later, Some(begin), _)] = pair {
                    told.extend(self.hole(column, (*earlier, end), (*later, begin), boxes));
                }
            }
            if group.iter().all(|(_, _, high)| high.is_some())
                && let Some((row, _, Some(end))) = group.iter().max_by_key(|(_, _, high)| day(high.as_ref()))
                // a list of single days ends nowhere
                && matches!(self.cell(*row, column), Some(Cell::Range { .. }))
            {
                told.extend(self.ends_soon(column, (*row, end), today, boxes));
            }
        }
    }

    fn hole(
        &self,
        column: usize,
        (earlier, end): (usize, &Cut),
        (later, begin): (usize, &Cut),
        boxes: &mut Boxes<'_>,
    ) -> Option<Diagnostic> {
        let classes = self.domains.get(column)?.between(&(Some(end.clone()), Some(begin.clone())));
        if classes.is_empty() || !self.is_open(earlier, column, &classes, boxes) {
            return None;
        }
        let days = self.column(column)?.range(Some(end), Some(begin))?;
        let of = self.others(earlier, column);
        let days_told = if days.starts_with("from") { days.clone() } else { format!("on {days}") };
        let title = format!("`{}` has no row{of} {days_told}", self.table.name);
        let told = Diagnostic::new("F404", title, self.cell_place(later, column)).says("begins here");
        let cell = if days.starts_with("from") { days } else { format!("from {days} until {days}") };
        Some(
            told.also(self.cell_place(earlier, column), "the row before ends here")
                .help(format!("let them touch, or add a row:  {cell}")),
        )
    }

    fn ends_soon(
        &self,
        column: usize,
        (row, end): (usize, &Cut),
        today: Date,
        boxes: &mut Boxes<'_>,
    ) -> Option<Diagnostic> {
        let Value::Date(next) = end.value else { return None };
        let last = next.yesterday().ok()?;
        let days = i64::from(today.until(last).ok()?.get_days());
        if !(-SOON..=SOON).contains(&days) {
            return None;
        }
        let begin = self.domains.get(column)?.between(&(Some(end.clone()), None)).first()?.0;
        if !self.is_open(row, column, &vec![(begin, begin + 1)], boxes) {
            return None;
        }
        let title = format!("`{}` has no row{} after {last}", self.table.name, self.others(row, column));
        let says = match days {
            0 => "ends today".to_owned(),
            1 => "ends tomorrow".to_owned(),
            -1 => "ended yesterday".to_owned(),
            2.. => format!("ends in {days} days"),
            _ => format!("ended {} days ago", -days),
        };
        let waits = match &self.table.otherwise {
            Some(RowResult::Outcome(..)) => "what is dated later will wait; add the row that follows",
            _ => "what is dated later gets the value of `otherwise`; add the row that follows",
        };
        let told = Diagnostic::new("F405", title, self.cell_place(row, column)).says(says);
        Some(told.help(format!("{waits}:  from {next}")))
    }

    /// Is there an input that no row fits, with these classes in one column and those of a row in the others?
    fn is_open(&self, row: usize, column: usize, classes: &Set, boxes: &mut Boxes<'_>) -> bool {
        let mut region = self.grid.region(row);
        if let Some(place) = region.get_mut(column) {
            place.clone_from(classes);
        }
        let rows: Vec<u32> = (0..self.grid.rows()).collect();
        matches!(boxes.open(region, &rows), Ok(Some(_)))
    }

    /// The other cells of a row, for a title: ` for rate 9%`.
    fn others(&self, row: usize, column: usize) -> String {
        let words = |other: usize| self.column(other)?.cell(self.cell(row, other)?);
        let columns: BTreeSet<usize> = (0..self.domains.len()).filter(|other| *other != column).collect();
        let words: Vec<String> = columns.into_iter().filter_map(words).collect();
        if words.is_empty() { String::new() } else { format!(" for {}", words.join(", ")) }
    }
}

fn day(cut: Option<&Cut>) -> Option<Date> {
    cut.and_then(|cut| if let Value::Date(day) = cut.value { Some(day) } else { None })
}

/// Does the rest stand at the end of the whole?
fn starts_within(whole: &Set, rest: &Set) -> bool {
    whole.last().map(|run| run.1) == rest.last().map(|run| run.1)
}
