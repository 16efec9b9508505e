//! The files of a check: flows, their tests, the libraries they use, their CSV tables, each read and parsed once.
//!
//! Takes paths and [`Files`](crate::diagnostic::Files), gives units with their declared names. Promises the order of
//! diagnostics: a flow, its tests, its libraries, their tables. Unreadable files are one F109 at the place that names
//! them, circles of `use` one F108.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, LazyLock},
};

use regex::Regex;

use super::{Project, suggest};
use crate::{
    diagnostic::{Diagnostic, FileId, Files, Sources, Span},
    syntax::{
        self,
        tree::{self, Item, Name, Statement},
    },
};

/// The libraries that koppel brings along, by the name behind `std:`.
const LIBRARIES: &[(&str, &str)] = &[
    ("addresses", include_str!("../../stdlib/addresses.flow")),
    ("countries", include_str!("../../stdlib/countries.flow")),
    ("names", include_str!("../../stdlib/names.flow")),
    ("payment", include_str!("../../stdlib/payment.flow")),
    ("vat", include_str!("../../stdlib/vat.flow")),
];

/// The tables of these libraries, by the path as they write it.
const TABLES: &[(&str, &str)] = &[
    ("afas_countries.csv", include_str!("../../stdlib/afas_countries.csv")),
    ("country_names.csv", include_str!("../../stdlib/country_names.csv")),
    ("country_of_name.csv", include_str!("../../stdlib/country_of_name.csv")),
];

/// What koppel brings along under a name; none = no such.
fn brought(all: &[(&str, &'static str)], name: &str) -> Option<Arc<str>> {
    all.iter().find(|(own, _)| *own == name).map(|(_, text)| Arc::from(*text))
}

/// Everything that was read.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) sources: Sources,
    pub(super) units: Vec<Unit>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// A flow or library with its names.
pub(super) struct Unit {
    /// Relative to the project.
    pub(super) path: String,
    pub(super) tree: Arc<tree::File>,
    /// `x.test.flow` beside `x.flow`, with its own path.
    pub(super) tests: Option<(String, Arc<tree::File>)>,
    /// What column 0 declares.
    pub(super) names: BTreeMap<Arc<str>, Decl>,
    /// The CSV tables, by path as written.
    pub(super) csv: HashMap<Arc<str>, Option<FileId>>,
    /// Names that broken lines seem to declare: uses of them stay silent.
    pub(super) lost: HashSet<String>,
}

/// What a name of column 0 stands for.
pub(super) struct Decl {
    pub(super) kind: DeclKind,
    /// Where the name is declared.
    pub(super) span: Span,
}

/// The kinds of declarations; the number is the place among the items of the tree.
#[derive(Clone, Copy)]
pub(super) enum DeclKind {
    Setting(usize),
    Table(usize),
    Define(usize),
    Fields(usize),
    /// An `ensure` with parameters.
    Part(usize),
    /// A `let`; in a library a constant.
    Let(usize),
    /// Belongs to a record: source, found row, ensured thing, named write.
    World,
    /// Comes from that unit; none when it is not there (told already).
    Used(Option<usize>),
}

impl Unit {
    /// The name under which `koppel.toml` knows its settings: that of the flow, or the stem of the library file.
    pub(super) fn name(&self) -> Arc<str> {
        self.flow().map_or_else(|| stem(&self.path).into(), |flow| flow.name.text.clone())
    }

    /// Is it a library? A file that reads is a flow whose head is missing or unreadable.
    pub(super) fn library(&self) -> bool {
        self.flow().is_none() && !self.tree.items.iter().any(|item| matches!(item, Item::Read(_)))
    }

    /// The head of a flow; none in a library.
    pub(super) fn flow(&self) -> Option<&tree::Flow> {
        self.tree.items.iter().find_map(|item| if let Item::Flow(flow) = item { Some(flow) } else { None })
    }

    /// Is a part of it unreadable?
    pub(super) fn broken(&self) -> bool {
        self.tree.broken || self.tests.as_ref().is_some_and(|(_, tree)| tree.broken)
    }
}

/// `shared/debtor.flow` → `debtor`.
fn stem(path: &str) -> &str {
    let file = path.rsplit(['/', ':']).next().unwrap_or(path);
    file.strip_suffix(".flow").unwrap_or(file)
}

/// A path as written in the file `from`, relative to the project; none when it leads outside.
pub(super) fn beside(from: &str, path: &str) -> Option<String> {
    let mut steps: Vec<&str> = from.split('/').collect();
    steps.pop();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop()?;
            }
            other => steps.push(other),
        }
    }
    Some(steps.join("/"))
}

/// Reads everything that is needed.
pub(super) fn load(project: &Project<'_>) -> Loaded {
    let loaded = Loaded::default();
    let mut loader = Loader { project, loaded, by_path: HashMap::new(), way: Vec::new() };
    for path in project.flows.iter().filter(|path| !path.ends_with(".test.flow")) {
        if let Err(trouble) = loader.unit(path) {
            let file = loader.loaded.sources.add(path.as_str(), "");
            let title = format!("{path} cannot be read: {trouble}");
            loader.loaded.diagnostics.push(Diagnostic::new("F109", title, Span::new(file, 0, 0)));
        }
        loader.tables();
    }
    loader.loaded
}

struct Loader<'p> {
    project: &'p Project<'p>,
    loaded: Loaded,
    by_path: HashMap<String, usize>,
    /// The units that are being loaded, with the `use` that is followed in each.
    way: Vec<(usize, Span)>,
}

impl Loader<'_> {
    fn unit(&mut self, path: &str) -> Result<usize, String> {
        if let Some(unit) = self.by_path.get(path) {
            return Ok(*unit);
        }
        let text = match path.strip_prefix("std:") {
            Some(name) => brought(LIBRARIES, name).ok_or_else(|| {
                let names = LIBRARIES.iter().map(|(own, _)| *own);
                format!("koppel brings no such library, it has {}", suggest::words(names, '"', 8))
            })?,
            None => self.project.files.read(path)?,
        };
        let mut tree = self.parse(path, &text);
        if path.starts_with("std:") && !self.way.is_empty() {
            // the tests of koppel's own libraries are no business of those who use them
            Arc::make_mut(&mut tree).items.retain(|item| !matches!(item, Item::Test(_)));
        }
        let tests = self.tests_of(path);
        let index = self.loaded.units.len();
        self.by_path.insert(path.to_owned(), index);
        let lost = if tree.broken { declared_in_text(&text) } else { HashSet::new() };
        let uses: Vec<tree::Use> = tree
            .items
            .iter()
            .filter_map(|item| if let Item::Use(line) = item { Some(line.clone()) } else { None })
            .collect();
        let unit = Unit { path: path.to_owned(), tree, tests, names: BTreeMap::new(), csv: HashMap::new(), lost };
        self.loaded.units.push(unit);
        let mut used = Vec::new();
        for line in &uses {
            let from = self.library(index, path, line);
            used.push(from);
        }
        self.declare(index, &uses, &used);
        Ok(index)
    }

    fn parse(&mut self, path: &str, text: &Arc<str>) -> Arc<tree::File> {
        let file = self.loaded.sources.add(path, text.clone());
        let (tree, told) = syntax::parse_once(file, text);
        self.loaded.diagnostics.extend(told.iter().cloned());
        tree
    }

    fn tests_of(&mut self, path: &str) -> Option<(String, Arc<tree::File>)> {
        let beside = format!("{}.test.flow", path.strip_suffix(".flow")?);
        let text = self.project.files.read(&beside).ok()?;
        let tree = self.parse(&beside, &text);
        Some((beside, tree))
    }

    /// The unit that a `use` names.
    fn library(&mut self, index: usize, path: &str, line: &tree::Use) -> Option<usize> {
        let written = &*line.from.text;
        let full = if written.starts_with("std:") { Some(written.to_owned()) } else { beside(path, written) };
        self.way.push((index, line.span));
        let found = match &full {
            Some(full) => self.unit(full),
            None => Err("it lies outside the project".to_owned()),
        };
        self.way.pop();
        match found {
            Ok(unit) => {
                self.circle(unit, index, line.span);
                Some(unit)
            }
            Err(trouble) => {
                self.loaded.diagnostics.push(unreadable(self.project.files, path, &line.from, "flow", &trouble));
                None
            }
        }
    }

    /// Tells a circle of `use` lines, at the `use` of the file that was reached first.
    fn circle(&mut self, unit: usize, last: usize, line: Span) {
        let Some(start) =
            self.way.iter().position(|(on_way, _)| *on_way == unit).or((unit == last).then_some(self.way.len()))
        else {
            return;
        };
        let mut round: Vec<(usize, Span)> = self.way.iter().skip(start).copied().collect();
        round.push((last, line));
        let units = &self.loaded.units;
        let path = |unit: usize| units.get(unit).map_or("", |unit| unit.path.as_str());
        let names: Vec<&str> = round.iter().map(|(unit, _)| path(*unit)).chain([path(unit)]).collect();
        let place = round.first().map_or(line, |(_, span)| *span);
        let title = format!("these files use each other in a circle: {}", names.join(" → "));
        let told =
            Diagnostic::new("F108", title, place).help("move what both need into a third file, and let both use that");
        self.loaded.diagnostics.push(told);
    }

    /// Collects the names of column 0 and tells those that stand twice.
    fn declare(&mut self, index: usize, uses: &[tree::Use], used: &[Option<usize>]) {
        let mut all: Vec<(Name, DeclKind)> = Vec::new();
        let mut meant = Vec::new();
        for (line, from) in uses.iter().zip(used) {
            for name in &line.names {
                let found = self.exported(*from, name, &line.from.text, &mut meant);
                all.push((name.clone(), DeclKind::Used(found)));
            }
        }
        let Some(unit) = self.loaded.units.get_mut(index) else { return };
        unit.lost.extend(meant);
        for (place, item) in unit.tree.items.iter().enumerate() {
            if let Some((name, kind)) = declaration(item, place) {
                all.push((name.clone(), kind));
            }
        }
        all.sort_by_key(|(name, _)| name.span.start);
        for (name, kind) in all {
            if let Some(first) = unit.names.get(&name.text) {
                let title = format!("`{}` is declared twice", name.text);
                let told = Diagnostic::new("F102", title, name.span).also(first.span, "declared here first");
                self.loaded.diagnostics.push(told.help("give one of them another name"));
            } else {
                unit.names.insert(name.text.clone(), Decl { kind, span: name.span });
            }
        }
    }

    /// The unit a used name comes from, if it declares it; tells when it does not, and adds the name that was meant.
    fn exported(&mut self, from: Option<usize>, name: &Name, written: &str, meant: &mut Vec<String>) -> Option<usize> {
        let index = from?;
        let unit = self.loaded.units.get(index)?;
        let shared = |kind: &DeclKind| !matches!(kind, DeclKind::World | DeclKind::Used(_));
        if unit.names.get(&name.text).is_some_and(|decl| shared(&decl.kind)) {
            return Some(index);
        }
        // a circle: its names are not known yet, and the circle is told already
        let unfinished = self.way.iter().any(|(on_way, _)| *on_way == index);
        if !unfinished && !unit.lost.contains(&*name.text) {
            let own = unit.names.iter().filter(|(_, decl)| shared(&decl.kind)).map(|(name, _)| &**name);
            let mut told = Diagnostic::new("F101", format!("\"{written}\" has no `{}`", name.text), name.span);
            let near = suggest::nearest(&name.text, own.clone());
            meant.extend(near.map(str::to_owned));
            told.help = near
                .map(|near| format!("`{near}`"))
                .or_else(|| Some(format!("it has {}", suggest::words(own, '`', 8))));
            self.loaded.diagnostics.push(told);
        }
        None
    }

    /// Reads the CSV files of the units that have none yet.
    fn tables(&mut self) {
        for index in 0..self.loaded.units.len() {
            let Some(unit) = self.loaded.units.get(index) else { return };
            let path = unit.path.clone();
            let asked: Vec<Name> = unit
                .tree
                .items
                .iter()
                .filter_map(|item| if let Item::Table(table) = item { table.csv.clone() } else { None })
                .filter(|name| !unit.csv.contains_key(&name.text))
                .collect();
            for name in asked {
                let own = path.starts_with("std:");
                let full = if own { Some(format!("std:{}", name.text)) } else { beside(&path, &name.text) };
                let text = match full.as_deref() {
                    Some(_) if own => brought(TABLES, &name.text).ok_or("koppel brings no such table".to_owned()),
                    Some(full) => self.project.files.read(full),
                    None => Err("it lies outside the project".to_owned()),
                };
                let found = match text {
                    Ok(text) => Some(self.loaded.sources.add(full.clone().unwrap_or_default(), text)),
                    Err(trouble) => {
                        let told = unreadable(self.project.files, &path, &name, "csv", &trouble);
                        self.loaded.diagnostics.push(told);
                        None
                    }
                };
                if let Some(unit) = self.loaded.units.get_mut(index) {
                    unit.csv.insert(name.text.clone(), found);
                }
            }
        }
    }
}

/// Says that a file which `from` names cannot be read. Where it is not there, a file of a near name is the way out; one
/// that is there is not misspelt.
pub(super) fn unreadable(files: &dyn Files, from: &str, named: &Name, ending: &str, trouble: &str) -> Diagnostic {
    let told = Diagnostic::new("F109", format!("\"{}\" cannot be read: {trouble}", named.text), named.span);
    let all: Vec<String> = files.list(ending).iter().map(|own| seen_from(from, own)).collect();
    if all.iter().any(|own| **own == *named.text) {
        return told;
    }
    match suggest::nearest(&named.text, all.iter().map(String::as_str)) {
        Some(near) => told.help(format!("\"{near}\"")),
        None => told,
    }
}

/// A path of the project as a file would write it.
pub(super) fn seen_from(from: &str, path: &str) -> String {
    let mut own: Vec<&str> = from.split('/').collect();
    own.pop();
    let steps: Vec<&str> = path.split('/').collect();
    let common = own.iter().zip(&steps).take_while(|(a, b)| a == b).count();
    let mut way = vec![".."; own.len() - common];
    way.extend(steps.iter().skip(common));
    way.join("/")
}

/// The name that an item declares.
fn declaration(item: &Item, place: usize) -> Option<(&Name, DeclKind)> {
    Some(match item {
        Item::Setting(setting) => (&setting.name, DeclKind::Setting(place)),
        Item::Table(table) => (&table.name, DeclKind::Table(place)),
        Item::Define(define) => (&define.name, DeclKind::Define(place)),
        Item::Fields(fields) => (&fields.name, DeclKind::Fields(place)),
        Item::Read(read) => (&read.name, DeclKind::World),
        Item::Statement(Statement::Let(line)) => (&line.name, DeclKind::Let(place)),
        Item::Statement(Statement::Find(find)) => (&find.name, DeclKind::World),
        Item::Statement(Statement::Ensure(ensure)) if ensure.params.is_some() => (&ensure.name, DeclKind::Part(place)),
        Item::Statement(Statement::Ensure(ensure)) => (&ensure.name, DeclKind::World),
        Item::Statement(Statement::Write(write)) => (write.name.as_ref()?, DeclKind::World),
        Item::Statement(Statement::Guard(_) | Statement::Each(_))
        | Item::Flow(_)
        | Item::Use(_)
        | Item::After(_)
        | Item::Test(_) => return None,
    })
}

/// Names that the text seems to declare, whether or not the line could be read: the words behind the first word of a
/// line (`letx total = …` was meant to declare `total`).
fn declared_in_text(text: &str) -> HashSet<String> {
    static LINE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^\s*[A-Za-z_]\w*\s+(?:first\s+|all\s+)?([A-Za-z_]\w*(?:\s*,\s*\w+)*)").ok());
    let hits = LINE.iter().flat_map(|line| line.captures_iter(text)).filter_map(|hit| hit.get(1));
    let names = hits.flat_map(|names| names.as_str().split(','));
    names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}
