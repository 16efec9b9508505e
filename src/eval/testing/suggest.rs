//! A test for something that no test reaches: a test that is there, changed in one place until it gets there.
//!
//! Takes a point and the tests of the program, gives the text of a test block that parses and checks. A row of a table
//! is looked up by values that fit its cells. For everything else the changes are tried, the nearest first: another
//! value of a setting, of a field of the record, an entity without rows. What is expected is what then came out: the
//! reader says whether that is right. Where no change gets there the nearest test is given with what it comes to, and
//! says so.

use std::sync::Arc;

use jiff::civil::Date;
use regex::Regex;
use rust_decimal::Decimal;

use super::{
    Bench, TODAY, Trial,
    literal::{literal, quoted},
};
use crate::{
    check::typed::{
        Cell, Expect, ExpectKind, Expr, ExprKind, Given, GivenField, GivenFields, RowResult, SettingId, TableId, Test,
    },
    diagnostic::{FileId, Span},
    plan::{self, Point, PointKind},
    schema::{Entity, Kind, Ty},
    syntax::{
        self,
        format::{Vendor, format},
        tree::{self, Item},
    },
    value::{Action, EntityName, Fields, Node, Outcome, Value, Write},
};

/// A test that can be pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// The block.
    pub text: String,
    /// Does it get where it should?
    pub reaches: bool,
}

/// So many changes are tried at most: a suggestion is worth seconds, not minutes.
const TRIES: usize = 300;

/// So many tests are changed.
const BASES: usize = 4;

/// So many fields of a write are expected: enough to know it by.
const FIELDS: usize = 8;

/// So many values are tried for the cells of one row.
const WITNESSES: usize = 64;

/// What is different from the test that is changed.
enum Change {
    Setting(SettingId, Value),
    /// Of the record, or of the last row that is given of an entity.
    Field(Option<EntityName>, Arc<str>, Value, Ty),
    Empty(EntityName),
}

impl Bench<'_> {
    /// A test for a point of this program; none when the point is of another.
    #[must_use]
    pub fn suggest(&self, point: Point, title: &str) -> Option<Suggested> {
        if point.kind == PointKind::Row
            && let Some(suggested) = self.row(point, title)
        {
            return Some(suggested);
        }
        let points = plan::points(self.program, self.sources, self.settings);
        if !points.contains_key(&point) || self.program.source.is_none() {
            return None;
        }
        let mut bases: Vec<Test> = self.program.tests.iter().filter(|test| has_record(test)).cloned().collect();
        if bases.is_empty() {
            bases.push(self.bare());
        }
        bases.truncate(BASES);
        for change in self.changes(point).iter().take(TRIES / bases.len()) {
            for base in &bases {
                let Some(test) = self.changed(base, change) else { continue };
                let Ok(trial) = self.trial(&test, true) else { continue };
                if trial.reached.contains(&point) {
                    let text = self.block(title, base, Some(change), &trial, None);
                    return Some(Suggested { text, reaches: true });
                }
            }
        }
        let base = bases.first()?;
        let trial = self.trial(&Test { expects: Vec::new(), ..base.clone() }, false).unwrap_or_default();
        let hint = "# change what is given until it gets there, and what is expected with it";
        let text = self.block(title, base, None, &trial, Some(hint));
        Some(Suggested { text, reaches: false })
    }

    /// A lookup that takes one row, where its table stands in this file.
    fn row(&self, point: Point, title: &str) -> Option<Suggested> {
        let own = self.program.tables.iter().enumerate().filter(|(_, table)| table.span.file == self.program.file);
        let (number, table, row) = own
            .into_iter()
            .find_map(|(number, table)| Some((number, table, table.rows.iter().find(|row| row.span == point.span)?)))?;
        if matches!(row.result, RowResult::Outcome(..)) {
            return None;
        }
        let id = TableId(u32::try_from(number).ok()?);
        let types = table.inputs.iter().map(|(_, ty)| ty);
        for values in combinations(&row.cells, types) {
            let span = |place: usize| Span::new(FileId(u32::MAX - 1), place, place + 1);
            let args = values.iter().zip(&table.inputs).map(|(value, (_, ty))| known(value.clone(), ty));
            let call = Expr { kind: ExprKind::Table(id, args.collect()), ty: Ty::any(), span: span(0) };
            let (result, ty) = table.results.first()?;
            let value = match table.results.len() {
                1 => call,
                _ => Expr { kind: ExprKind::Field(Box::new(call), result.clone()), ty: ty.clone(), span: span(1) },
            };
            let expects = vec![Expect { kind: ExpectKind::Holds(value.clone()), span: span(2) }];
            let test = Test { name: title.into(), givens: Vec::new(), expects, span: span(3) };
            let program =
                Arc::new(crate::check::typed::Program { tests: vec![test.clone()], ..(**self.program).clone() });
            let bench = Bench { program: &program, ..*self };
            let Ok(trial) = bench.trial(&test, true) else { continue };
            if !trial.reached.contains(&point) {
                continue;
            }
            let got = plan::evaluate_constant(self.program, self.settings, TODAY, &value).ok()?;
            let args: Option<Vec<String>> =
                values.iter().zip(&table.inputs).map(|(value, (_, ty))| literal(value, ty)).collect();
            let column = if table.results.len() == 1 { String::new() } else { format!(".{result}") };
            let call = format!("{}({}){column}", table.name, args?.join(", "));
            let text = format!("test {} {{\n  expect {call} is {}\n}}\n", quoted(title), literal(&got, ty)?);
            return Some(Suggested { text, reaches: true });
        }
        None
    }

    /// The record with nothing but its key and what is always there.
    fn bare(&self) -> Test {
        let mut fields = Vec::new();
        let read = self.program.source.as_ref().and_then(|source| Some((source, source.entity.read.as_ref()?)));
        for (name, field) in read.iter().flat_map(|(_, read)| &read.object.fields) {
            let is_key = read.iter().any(|(source, _)| source.key.contains(name));
            let value = sample(&field.ty).filter(|_| is_key || !field.ty.optional);
            fields.extend(value.map(|value| GivenField::Value(vec![name.clone()], known(value, &field.ty))));
        }
        let given = Given::Record { sample: None, fields: GivenFields(fields), span: Span::NONE };
        Test { name: "".into(), givens: vec![given], expects: Vec::new(), span: Span::NONE }
    }

    /// What could be changed, the likeliest first: the words that stand at the point itself come before others.
    fn changes(&self, point: Point) -> Vec<Change> {
        let near = self.near(point.span);
        let mut likely = Vec::new();
        let mut others = Vec::new();
        for (number, setting) in self.program.settings.iter().enumerate() {
            let Ok(number) = u32::try_from(number) else { continue };
            for value in values(&setting.ty, &near.words) {
                let list = if near.text.contains(&*setting.name) { &mut likely } else { &mut others };
                list.push(Change::Setting(SettingId(number), value));
            }
        }
        let plan = plan::build_watched(self.program, self.sources, self.settings).ok();
        let source = plan.iter().filter_map(|plan| plan.source.as_ref());
        let mut read: Vec<_> = source.map(|source| (None, &source.entity, source.fields.clone())).collect();
        for rows in plan.iter().flat_map(|plan| &plan.lowered.reads) {
            read.push((Some(rows.name.clone()), &rows.entity, rows.fields.get().cloned().unwrap_or_default()));
            others.push(Change::Empty(rows.name.clone()));
        }
        for (of, entity, paths) in read {
            let Some(object) = entity.read.as_ref().map(|read| &read.object) else { continue };
            for path in paths.iter() {
                // Within line objects nothing is changed: a given block would replace the whole list.
                let first = path.split('.').next().and_then(|first| object.field(first));
                let through_list =
                    path.contains('.') && first.is_some_and(|first| matches!(first.ty.kind, Kind::List(_)));
                let Some(field) = object.at(path).filter(|_| !through_list) else { continue };
                let name = path.rsplit('.').next().unwrap_or(path);
                for value in values(&field.ty, &near.words) {
                    let list = if near.text.contains(name) { &mut likely } else { &mut others };
                    list.push(Change::Field(of.clone(), path.clone(), value, field.ty.clone()));
                }
            }
        }
        likely.extend(others);
        likely
    }

    /// The words of the statement at a place.
    fn near(&self, span: Span) -> Near {
        let text = self.sources.slice(span);
        let start = self.sources.get(span.file).map_or("", |source| {
            let line = source.line_column(span.start).0;
            source.line(line.saturating_sub(1))
        });
        let text = format!("{start}\n{text}");
        let quotes = Regex::new(r#""([^"\\{}]{1,60})""#).ok();
        let words = quotes.iter().flat_map(|quotes| quotes.captures_iter(&text)).filter_map(|found| found.get(1));
        let words = words.map(|word| Value::text(word.as_str())).collect();
        Near { text, words }
    }

    /// The base with a change; none when the base says that very thing itself.
    fn changed(&self, base: &Test, change: &Change) -> Option<Test> {
        let mut test = Test { expects: Vec::new(), ..base.clone() };
        match change {
            Change::Setting(id, value) => {
                let ty = &self.program.settings.get(id.0 as usize)?.ty;
                test.givens.push(Given::Setting(*id, known(value.clone(), ty)));
            }
            Change::Empty(name) => {
                test.givens.push(Given::Entity { name: name.clone(), sample: None, span: Span::NONE });
            }
            Change::Field(of, path, value, ty) => {
                let place = given_of(base, of.as_ref())?;
                let (Given::Record { fields, .. } | Given::Row { fields, .. }) = test.givens.get_mut(place)? else {
                    return None;
                };
                let path: Vec<Arc<str>> = path.split('.').map(Arc::from).collect();
                let first = path.first()?;
                let given = |field: &GivenField| match field {
                    GivenField::Value(own, _) => own.first() == Some(first),
                    GivenField::Object(name, _) => name == first,
                };
                if base.span == Span::NONE {
                    fields.0.retain(|field| !given(field));
                } else if fields.0.iter().any(given) {
                    return None;
                }
                fields.0.push(GivenField::Value(path, known(value.clone(), ty)));
            }
        }
        Some(test)
    }

    /// The text of a test: what the base gives, the change, and what came out.
    fn block(&self, title: &str, base: &Test, change: Option<&Change>, trial: &Trial, hint: Option<&str>) -> String {
        let mut lines: Vec<String> = hint.into_iter().map(ToOwned::to_owned).collect();
        lines.extend(self.givens(base, change));
        match change {
            Some(Change::Setting(id, value)) => {
                let setting = self.program.settings.get(id.0 as usize);
                lines.extend(setting.and_then(|setting| {
                    let alone = self.program.settings.iter().filter(|other| other.name == setting.name).count() == 1;
                    let owner = if alone { String::new() } else { format!("{}.", setting.owner) };
                    Some(format!("given setting {owner}{} = {}", setting.name, literal(value, &setting.ty)?))
                }));
            }
            Some(Change::Empty(name)) => lines.push(format!("given {name} is empty")),
            Some(Change::Field(..)) | None => {}
        }
        lines.extend(self.expected(trial));
        let text = format!("test {} {{\n{}\n}}\n", quoted(title), lines.join("\n"));
        format(&text, &Vendor::default())
    }

    /// The given lines of a test as they stand in its file, with a changed field among those that it is of.
    fn givens(&self, base: &Test, change: Option<&Change>) -> Vec<String> {
        let Some(source) = self.sources.get(base.span.file) else {
            let record = self.program.source.as_ref().and_then(|source| self.program.vars.get(source.var.0 as usize));
            let changed = change.and_then(|change| self.changed(base, change));
            let fields: Vec<String> = changed.as_ref().unwrap_or(base).givens.iter().flat_map(bare_lines).collect();
            return vec![format!("given {} {{\n{}\n}}", record.map_or("record", |var| &var.name), fields.join("\n"))];
        };
        let (place, field) = match change {
            Some(Change::Field(of, path, value, ty)) => {
                (given_of(base, of.as_ref()), literal(value, ty).map(|value| format!("{path} = {value}")))
            }
            _ => (None, None),
        };
        let (file, _) = syntax::parse(base.span.file, &source.text);
        let test = file.items.iter().find_map(|item| match item {
            Item::Test(test) if test.span == base.span => Some(test),
            _ => None,
        });
        let line = |(number, given): (usize, &tree::Given)| {
            let text = self.sources.slice(given.span).trim_end();
            match field.as_ref().filter(|_| Some(number) == place) {
                None => text.to_owned(),
                Some(field) => match text.strip_suffix('}') {
                    Some(open) => format!("{}\n{field}\n}}", open.trim_end()),
                    None => format!("{text} {{\n{field}\n}}"),
                },
            }
        };
        test.iter().flat_map(|test| &test.givens).enumerate().map(line).collect()
    }

    /// What came out, as lines that expect it.
    fn expected(&self, trial: &Trial) -> Vec<String> {
        let mut lines = Vec::new();
        for decision in &trial.decisions {
            match &decision.outcome {
                Outcome::Skip(reason) => lines.push(format!("expect skip {}", quoted(&reason.text))),
                Outcome::Hold(reason) => lines.push(format!("expect hold {}", quoted(&reason.text))),
                Outcome::Fail(reason) => lines.push(format!("expect fail {}", quoted(&reason.text))),
                Outcome::Writes(writes) => lines.extend(writes.iter().map(|write| self.expected_write(write))),
            }
            lines.extend(decision.warnings.iter().map(|reason| format!("expect warn {}", quoted(&reason.text))));
        }
        if lines.is_empty() {
            lines.push(if trial.decisions.is_empty() { "expect no read" } else { "expect no write" }.to_owned());
        }
        lines
    }

    fn expected_write(&self, write: &Write) -> String {
        let entity = super::world::entity(self.catalog, &write.entity);
        let fields = entity.map(|entity| leaves(entity, write)).unwrap_or_default();
        format!("expect {} {} {{\n{}\n}}", write.action.word(), write.entity, fields.join("\n"))
    }
}

/// What stands at a place.
struct Near {
    text: String,
    words: Vec<Value>,
}

fn has_record(test: &Test) -> bool {
    let no_read = test.expects.iter().any(|expect| matches!(expect.kind, ExpectKind::NoRead));
    !no_read && test.givens.iter().any(|given| matches!(given, Given::Record { .. }))
}

/// Where a test gives the record, or the last row of an entity. Its lines stand in the same order in the text: a
/// program that is run has no line that was not understood.
fn given_of(test: &Test, of: Option<&EntityName>) -> Option<usize> {
    test.givens.iter().rposition(|given| match (given, of) {
        (Given::Record { .. }, None) => true,
        (Given::Row { name, .. }, Some(of)) => name == of,
        _ => false,
    })
}

fn known(value: Value, ty: &Ty) -> Expr {
    Expr { kind: ExprKind::Const(value), ty: ty.clone(), span: Span::NONE }
}

fn bare_lines(given: &Given) -> Vec<String> {
    let Given::Record { fields, .. } = given else { return Vec::new() };
    let line = |field: &GivenField| match field {
        GivenField::Value(path, expr) => match &expr.kind {
            ExprKind::Const(value) => Some(format!("{} = {}", path.join("."), literal(value, &expr.ty)?)),
            _ => None,
        },
        GivenField::Object(..) => None,
    };
    fields.0.iter().filter_map(line).collect()
}

/// The first plain fields of a write.
fn leaves(entity: &Entity, write: &Write) -> Vec<String> {
    fn into(fields: &Fields, above: &str, ty: &dyn Fn(&str) -> Option<Ty>, lines: &mut Vec<String>) {
        for (name, node) in &fields.0 {
            let path = if above.is_empty() { name.to_string() } else { format!("{above}.{name}") };
            match node {
                Node::Value(value) => {
                    lines.extend(ty(&path).and_then(|ty| Some(format!("{path} = {}", literal(value, &ty)?))));
                }
                Node::Object(inner) => into(inner, &path, ty, lines),
                Node::List(_) => {}
            }
        }
    }
    let object = entity.write.as_ref().and_then(|facts| match write.action {
        Action::Create => facts.create.as_ref(),
        Action::Update => facts.update.as_ref(),
    });
    let Some(object) = object else { return Vec::new() };
    let mut lines = Vec::new();
    into(&write.fields, "", &|path| object.at(path).map(|field| field.ty.clone()), &mut lines);
    lines.truncate(FIELDS);
    lines
}

/// Values to try for a type: the words at hand that it can have, then what is often at an edge.
fn values(ty: &Ty, words: &[Value]) -> Vec<Value> {
    let mut values = Vec::new();
    match &ty.kind {
        Kind::OneOf(own) => values.extend(own.iter().map(|word| Value::text(word))),
        Kind::Words(own) => values.extend(own.iter().map(|word| Value::List([Value::text(word)].into()))),
        Kind::Text | Kind::Email | Kind::Country | Kind::Currency => {
            let fits = |word: &&Value| ty.max.is_none_or(|max| word.to_string().chars().count() <= max as usize);
            let written = |word: &&Value| match ty.kind {
                Kind::Country => word.to_string().len() == 2,
                Kind::Currency => word.to_string().len() == 3,
                Kind::Email => word.to_string().contains('@'),
                _ => true,
            };
            values.extend(words.iter().filter(fits).filter(written).cloned());
            values.extend(sample(ty));
            if ty.kind == Kind::Country {
                values.extend(["NL", "BE", "US"].map(Value::text));
            }
        }
        Kind::Bool => values.extend([true, false].map(Value::Bool)),
        Kind::Int => values.extend([0, 1, -1, 1000].map(Value::Int)),
        Kind::Decimal | Kind::Percent => values.extend([0, 1, -1].map(|n| Value::Decimal(n.into()))),
        Kind::Money => values.extend([0, 1, -100, 100_000].map(|n: i64| Value::eur(n.into()))),
        Kind::Date => values.extend([TODAY, Date::constant(2020, 1, 1), Date::constant(2030, 1, 1)].map(Value::Date)),
        _ => {}
    }
    if ty.optional {
        values.insert(0, Value::Blank);
    }
    values
}

/// Some value of a type.
fn sample(ty: &Ty) -> Option<Value> {
    Some(match &ty.kind {
        Kind::Text => Value::text("1"),
        Kind::Email => Value::text("info@example.nl"),
        Kind::Country => Value::text("DE"),
        Kind::Currency => Value::text("USD"),
        Kind::Bool => Value::Bool(false),
        Kind::Int => Value::Int(1),
        Kind::Decimal | Kind::Percent => Value::Decimal(Decimal::ONE),
        Kind::Money => Value::eur(Decimal::ONE_HUNDRED),
        Kind::Date => Value::Date(TODAY),
        Kind::OneOf(words) => Value::Text(words.first()?.clone()),
        Kind::Words(words) => Value::List([Value::Text(words.first()?.clone())].into()),
        _ => return None,
    })
}

/// Values that fit the cells of a row: some of each cell, in all combinations.
fn combinations<'a>(cells: &[Cell], types: impl Iterator<Item = &'a Ty>) -> Vec<Vec<Value>> {
    let mut all = vec![Vec::new()];
    for (cell, ty) in cells.iter().zip(types) {
        let values = witnesses(cell, ty);
        all = all
            .iter()
            .flat_map(|row: &Vec<Value>| {
                values.iter().map(|value| [row.as_slice(), std::slice::from_ref(value)].concat())
            })
            .take(WITNESSES)
            .collect();
    }
    all
}

/// Some values that a cell takes; which of them it does is shown when they are looked up.
fn witnesses(cell: &Cell, ty: &Ty) -> Vec<Value> {
    match cell {
        Cell::In(values) => values.iter().take(4).cloned().collect(),
        Cell::Range { from, to } => {
            from.iter().chain(to).map(|(value, _)| value.clone()).chain(values(ty, &[])).collect()
        }
        Cell::Contains(part) | Cell::Matches(part) => vec![Value::Text(part.clone())],
        Cell::AnyOf(cells) => cells.iter().flat_map(|cell| witnesses(cell, ty)).collect(),
        Cell::Any | Cell::NotIn(_) | Cell::NoneOf(_) | Cell::Setting(_) => values(ty, &[]),
    }
}
