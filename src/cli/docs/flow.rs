//! The page of one flow: what it reads, when a record is left out or waits, what it writes and from what.
//!
//! Takes the checked program and the texts, gives Markdown. Promises that conditions and reasons are those of the files,
//! to the letter, and that `##` comments stand where the thing is told that they are about.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use super::words::{code, head, message, prose, row, text_of, ty, value};
use crate::{
    check::{
        lineage::{Origin, Written, lineage},
        typed::{Alternative, Ensure, Find, Guard, Line, Program, Since, Stmt, Target, VarId, Write},
    },
    diagnostic::{Sources, Span},
    schema::Ty,
    syntax::{
        self,
        tree::{Item, PolicyKind},
    },
    value::{Action, Verdict},
};

/// The page.
pub(super) fn page(program: &Program, sources: &Sources) -> String {
    let docs = docs(sources);
    let path = sources.get(program.file).map_or("", |source| source.path.as_str());
    let mut page = Page { program, sources, docs, text: String::new() };
    page.line(&format!("# {}\n", prose(program.title.as_deref().unwrap_or(&program.name))));
    page.line(&format!("Flow `{}` in `{path}`.", program.name));
    if let Some(doc) = page.docs.get(&Span::new(program.file, 0, 0)).cloned() {
        page.line(&format!("\n{doc}"));
    }
    page.source();
    page.guards();
    page.writes();
    page.settings();
    page.tables();
    page.tests();
    page.text
}

/// `##` comments by the place of what they are about; a flow's by the start of its file.
type Docs = HashMap<Span, Arc<str>>;

fn docs(sources: &Sources) -> Docs {
    let mut docs = Docs::new();
    for (file, source) in sources.iter().filter(|(_, source)| is_flow(&source.path)) {
        for item in syntax::parse(file, &source.text).0.items {
            let (place, doc) = match item {
                Item::Flow(flow) => (Span::new(file, 0, 0), flow.doc),
                Item::Setting(setting) => (setting.name.span, setting.doc),
                Item::Table(table) => (table.head, table.doc),
                _ => continue,
            };
            docs.extend(doc.map(|doc| (place, doc)));
        }
    }
    docs
}

/// A flow or library, and no table and no `koppel.toml`; libraries that koppel brings along have no ending.
fn is_flow(path: &str) -> bool {
    path.rsplit_once('.').map_or(path.starts_with("std:"), |(_, ending)| ending == "flow")
}

struct Page<'a> {
    program: &'a Program,
    sources: &'a Sources,
    docs: Docs,
    text: String,
}

/// What a statement holds that the page tells, wherever it stands.
#[derive(Default)]
struct Told<'p> {
    finds: Vec<&'p Find>,
    guards: Vec<&'p Guard>,
    writes: Vec<(&'p Write, &'p Target)>,
}

impl<'p> Told<'p> {
    fn of(body: &'p [Stmt]) -> Self {
        let mut told = Self::default();
        for statement in body {
            told.statement(statement);
        }
        told
    }

    fn statement(&mut self, statement: &'p Stmt) {
        match statement {
            Stmt::Let(_) => {}
            Stmt::Find(find) => self.finds.push(find),
            Stmt::Guard(guard) => self.guards.push(guard),
            Stmt::Ensure(ensure) => self.ensure(ensure),
            Stmt::Write(write) => self.write(write),
            Stmt::Each(each) => {
                for statement in &each.body {
                    self.statement(statement);
                }
            }
        }
    }

    fn ensure(&mut self, ensure: &'p Ensure) {
        for alternative in &ensure.alternatives {
            match alternative {
                Alternative::Guard { guard, .. } => self.guards.push(guard),
                Alternative::Create(write) => self.write(write),
                Alternative::FindRow(find) => self.finds.push(find),
                Alternative::Include(inner) => self.ensure(inner),
                Alternative::Take(_)
                | Alternative::Find { .. }
                | Alternative::UpdateFound(..)
                | Alternative::Let(_) => {}
            }
        }
    }

    /// The targets share their body: guards are told once.
    fn write(&mut self, write: &'p Write) {
        for (place, target) in write.targets.iter().enumerate() {
            if place == 0 {
                self.lines(&target.lines);
            }
            self.writes.push((write, target));
        }
    }

    fn lines(&mut self, lines: &'p [Line]) {
        for line in lines {
            match line {
                Line::Find(find) => self.finds.push(find),
                Line::Guard(guard) => self.guards.push(guard),
                Line::Ensure(ensure) => self.ensure(ensure),
                Line::Object { lines, .. } | Line::Each { lines, .. } => self.lines(lines),
                Line::Let(_) | Line::Field(_) => {}
            }
        }
    }
}

impl<'a> Page<'a> {
    fn line(&mut self, line: &str) {
        // Writing into a String never fails.
        let _ = writeln!(self.text, "{line}");
    }

    /// The flow itself, then the stages behind its writes, each with the words that say so.
    fn stages(&self) -> Vec<(String, Told<'a>)> {
        let itself = (String::new(), Told::of(&self.program.body));
        let later = self.program.afters.iter().map(|after| {
            let when = after.when.as_ref().map(|when| self.code(when.span));
            let when = when.map_or_else(String::new, |when| format!(" when {when}"));
            (format!(" after `{}`{when}", after.name), Told::of(&after.body))
        });
        std::iter::once(itself).chain(later).collect()
    }

    fn source(&mut self) {
        let Some(source) = &self.program.source else { return };
        self.line("\n## What is read\n");
        let record = self.name(source.var);
        let condition = source.condition.as_ref().map(|condition| self.code(condition.span));
        let where_ = condition.map_or_else(String::new, |condition| format!(" where {condition}"));
        self.line(&format!("Each `{record}` of `{}`{where_}.", source.name));
        let since = match &source.since {
            Since::Change => "It is looked at again when its content changes".to_owned(),
            Since::Field { path, .. } => format!("It is looked at again when its `{path}` is new"),
        };
        self.line(&format!("{since}; it is told apart from others by `{}`.", source.key.join("`, `")));
        let finds: Vec<_> = self.stages().into_iter().flat_map(|(_, told)| told.finds).collect();
        if !finds.is_empty() {
            self.line("");
        }
        for find in finds {
            let found = self.name(find.var);
            let condition = find.search.condition.as_ref().map(|condition| self.code(condition.span));
            let where_ = condition.map_or_else(String::new, |condition| format!(" where {condition}"));
            let place = self.elsewhere(find.search.span);
            self.line(&format!("- `{found}` is looked up in `{}`{where_}{place}", find.search.name));
        }
    }

    fn guards(&mut self) {
        for (after, Told { guards, .. }) in self.stages() {
            if !guards.is_empty() {
                self.line(&format!("\n## What keeps a record back{after}\n"));
                self.line("In this order; the first that holds is the outcome.\n");
            }
            self.guards_of(guards);
        }
    }

    fn guards_of(&mut self, guards: Vec<&Guard>) {
        for guard in guards {
            let what = match guard.verdict {
                Verdict::Skip => "Left out",
                Verdict::Hold => "Waits for a person",
                Verdict::Fail => "Refused",
                Verdict::Warn => "Goes on, with a remark",
            };
            let when = guard.when.as_ref().map(|when| self.code(when.span));
            let when = when.map_or_else(|| "otherwise".to_owned(), |when| format!("when {when}"));
            let reason = prose(&message(&guard.message, self.sources));
            let place = self.elsewhere(guard.message.span);
            self.line(&format!("- {what} {when}: \"{reason}\"{place}"));
        }
    }

    fn writes(&mut self) {
        let rows = lineage(self.program);
        let stages = self.stages().into_iter();
        let writes = stages.flat_map(|(after, told)| told.writes.into_iter().map(move |write| (after.clone(), write)));
        for (after, (write, target)) in writes {
            let verb = match write.action {
                Action::Create => "Creates",
                Action::Update => "Updates",
            };
            self.line(&format!("\n## {verb} {} in {}{after}\n", target.entity.label, target.name.role));
            let when = target.when.as_ref().map(|when| self.code(when.span));
            let when = when.map_or_else(String::new, |when| format!(" when {when}"));
            let gives = write.gives.as_ref().map_or_else(String::new, |gives| format!("; its key is `{gives}`"));
            self.line(&format!("`{}`{when}{gives}.\n", target.name));
            self.text.push_str(&head(&["field", "is", "comes from", "by table, setting"]));
            for line in rows.iter().filter(|row| row.write == write.name && row.entity == target.name) {
                let told = self.field(line);
                self.text.push_str(&told);
            }
        }
    }

    /// A field: from what it comes, or what it always is.
    fn field(&self, line: &Written) -> String {
        let (mut from, mut by) = (Vec::new(), Vec::new());
        for origin in &line.origins {
            match origin {
                Origin::Field(path) => from.push(format!("`{path}`")),
                Origin::Key(path) => from.push(format!("key `{path}`")),
                Origin::Today => from.push("the day of the run".to_owned()),
                Origin::Table(name) => by.push(format!("table `{name}`")),
                Origin::Setting(name) => by.push(format!("setting `{name}`")),
            }
        }
        if line.origins.is_empty() {
            from.push(format!("always {}", self.code(line.value)));
        }
        let policy = match line.policy {
            Some(PolicyKind::OnCreate) => " (on create)",
            Some(PolicyKind::OnUpdate) => " (on update)",
            Some(PolicyKind::UnlessFilled) => " (unless filled)",
            Some(PolicyKind::UnlessEdited) => " (unless edited)",
            None => "",
        };
        row(&[format!("`{}`{policy}", line.path), line.field.label.to_string(), from.join(", "), by.join(", ")])
    }

    fn settings(&mut self) {
        let program = self.program;
        if program.settings.is_empty() {
            return;
        }
        self.line("\n## Settings\n");
        self.text.push_str(&head(&["setting", "in koppel.toml under", "type", "without a line there", "what it says"]));
        for setting in &program.settings {
            let default = match &setting.default {
                Some(default) => format!("`{}`", value(&setting.ty, default)),
                None if setting.ty.optional => "blank".to_owned(),
                None => "must be set".to_owned(),
            };
            let doc = self.docs.get(&setting.span).map_or("", |doc| doc).to_owned();
            let owner = format!("`[settings.{}]`", setting.owner);
            let cells = [format!("`{}`", setting.name), owner, format!("`{}`", ty(&setting.ty)), default, doc];
            self.text.push_str(&row(&cells));
        }
    }

    fn tables(&mut self) {
        let program = self.program;
        if program.tables.is_empty() {
            return;
        }
        self.line("\n## Tables\n");
        self.text.push_str(&head(&["table", "from", "to", "rows", "what it says"]));
        let names = |columns: &[(Arc<str>, Ty)]| {
            columns.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        for table in &program.tables {
            let doc = self.docs.get(&table.span).map_or("", |doc| doc).to_owned();
            let rows = table.rows.len().to_string();
            let cells = [format!("`{}`", table.name), names(&table.inputs), names(&table.results), rows, doc];
            self.text.push_str(&row(&cells));
        }
    }

    fn tests(&mut self) {
        let program = self.program;
        if program.tests.is_empty() {
            return;
        }
        self.line("\n## Tests\n");
        for test in &program.tests {
            self.line(&format!("- {}", prose(&test.name)));
        }
    }

    /// The name of a place.
    fn name(&self, var: VarId) -> Arc<str> {
        self.program.vars.get(var.0 as usize).map_or_else(|| "".into(), |var| var.name.clone())
    }

    /// Names the library that a block was taken from: its names are not those of the flow.
    fn elsewhere(&self, span: Span) -> String {
        let library = self.sources.get(span.file).filter(|_| span.file != self.program.file);
        library.map_or_else(String::new, |source| format!(" (in `{}`)", source.path))
    }

    /// The text of a place as code.
    fn code(&self, span: Span) -> String {
        code(&text_of(self.sources, span))
    }
}
