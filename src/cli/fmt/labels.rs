//! The vendor's label of each field that a flow writes.
//!
//! Takes the text of a flow and the catalog, gives the labels and the short names by the places of the fields. A field
//! that some of the targets lack says which have it: `Finished (delivery note only)`, `Transporter (not direct invoice)`.

use std::sync::Arc;

use crate::{
    diagnostic::FileId,
    schema::{Catalog, Field, Object},
    syntax::{
        self,
        format::Vendor,
        tree::{Alternative, Ensure, Expect, ExpectKind, Item, LetValue, Line, Name, Path, Rows, Statement, Write},
    },
    value::Action,
};

/// The system whose field names say what they are: its labels are sentences, for `koppel docs`.
const SPEAKING: &str = "jortt";

/// An object that a body writes, with what people call the document around it.
#[derive(Debug, Clone)]
struct Target {
    called: Arc<str>,
    object: Arc<Object>,
}

/// Reads a flow.
pub(super) fn of(text: &str, catalog: &Catalog) -> Vendor {
    let (file, _) = syntax::parse(FileId(0), text);
    let mut reader = Reader { catalog, found: Vendor::default(), labels: true };
    for item in &file.items {
        reader.item(item);
    }
    reader.found
}

struct Reader<'a> {
    catalog: &'a Catalog,
    found: Vendor,
    /// Do the fields get labels? Those of tests do not.
    labels: bool,
}

impl Reader<'_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Fields(fields) => {
                let targets: Vec<Target> = fields.targets.iter().filter_map(|path| self.part(path)).collect();
                self.lines(&fields.lines, &targets);
            }
            Item::After(after) => after.body.iter().for_each(|statement| self.statement(statement)),
            Item::Test(test) => {
                self.labels = false;
                test.expects.iter().for_each(|expect| self.expect(expect));
                self.labels = true;
            }
            Item::Statement(statement) => self.statement(statement),
            Item::Flow(_) | Item::Use(_) | Item::Setting(_) | Item::Read(_) | Item::Define(_) | Item::Table(_) => {}
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let(found) => self.let_value(&found.value),
            Statement::Ensure(ensure) => self.ensure(ensure),
            Statement::Write(write) => self.write(write),
            Statement::Each(each) => each.body.iter().for_each(|statement| self.statement(statement)),
            Statement::Find(_) | Statement::Guard(_) => {}
        }
    }

    fn ensure(&mut self, ensure: &Ensure) {
        for alternative in &ensure.alternatives {
            if let Alternative::Write(write) = alternative {
                self.write(write);
            }
        }
    }

    fn write(&mut self, write: &Write) {
        let targets: Vec<Target> =
            write.targets.iter().filter_map(|target| self.entity(&target.entity, write.action)).collect();
        self.lines(&write.lines, &targets);
    }

    fn expect(&mut self, expect: &Expect) {
        if let ExpectKind::Write { action, entity: Some(entity), lines, .. } = &expect.kind {
            let target = self.entity(entity, action.unwrap_or(Action::Create));
            self.lines(lines, &Vec::from_iter(target));
        }
    }

    /// Rows that a `let` makes have names of their own.
    fn let_value(&mut self, value: &LetValue) {
        if let LetValue::Rows(rows) = value {
            self.lines(&rows.lines, &[]);
        }
    }

    fn lines(&mut self, lines: &[Line], targets: &[Target]) {
        for line in lines {
            match line {
                Line::Assign(assign) => {
                    self.target(&assign.target, targets, true);
                }
                Line::AssignEach(path, Rows { lines, .. }) => {
                    let inner = self.target(path, targets, false);
                    self.lines(lines, &inner);
                }
                Line::Nested(nested) => {
                    let inner = self.target(&nested.target, targets, false);
                    self.lines(&nested.lines, &inner);
                }
                Line::Ensure(ensure) => self.ensure(ensure),
                Line::Let(found) => self.let_value(&found.value),
                Line::Find(_) | Line::Guard(_) | Line::Include(_) => {}
            }
        }
    }

    /// Notes what is known of a field, and gives the objects in it.
    fn target(&mut self, path: &Path, targets: &[Target], labelled: bool) -> Vec<Target> {
        let (Some((last, above)), Some(first)) = (path.names.split_last(), path.names.first()) else {
            return Vec::new();
        };
        let mut around = targets.to_vec();
        for name in above {
            around = self.inside(name, &around);
        }
        let inner = self.inside(last, &around);
        if labelled && self.labels {
            let fields: Vec<(&Target, Option<&Arc<Field>>)> =
                around.iter().map(|target| (target, target.object.field(&last.text))).collect();
            if let Some(label) = label(&fields) {
                self.found.labels.insert(first.span.start as usize, label);
            }
        }
        inner
    }

    /// The objects behind a name; a name as the vendor writes it on the wire gets its short one.
    fn inside(&mut self, name: &Name, around: &[Target]) -> Vec<Target> {
        let mut inner = Vec::new();
        for target in around {
            let known = target.object.field(&name.text);
            let by_wire = || target.object.fields.values().find(|field| field.wire == name.text);
            let Some(field) = known.or_else(by_wire) else { continue };
            let Some(object) = field.ty.object() else { continue };
            if known.is_none() {
                self.found.names.insert(name.span.start as usize, field.name.to_string());
            }
            inner.push(Target { called: target.called.clone(), object: object.clone() });
        }
        inner
    }

    fn entity(&self, path: &Path, action: Action) -> Option<Target> {
        let [system, name, ..] = path.names.as_slice() else { return None };
        let entity = self.catalog.entity(&system.text, &name.text)?;
        let facts = entity.write.as_ref()?;
        let object = match action {
            Action::Create => facts.create.as_ref(),
            Action::Update => facts.update.as_ref(),
        };
        Some(Target { called: entity.label.clone(), object: object?.clone() })
    }

    /// What `fields … for` names: an entity, a part of it, or an object with a name of its own.
    fn part(&self, path: &Path) -> Option<Target> {
        let [system, name, parts @ ..] = path.names.as_slice() else { return None };
        let whole = self.entity(path, Action::Create).or_else(|| self.entity(path, Action::Update)).or_else(|| {
            let object = self.catalog.systems.get(&system.text)?.objects.get(&name.text)?;
            Some(Target { called: object.label.clone(), object: object.clone() })
        })?;
        let mut object = whole.object;
        for part in parts {
            object = object.field(&part.text)?.ty.object()?.clone();
        }
        Some(Target { called: whole.called, object })
    }
}

/// The label of a field, with the targets that have it or lack it, whichever are fewer.
fn label(fields: &[(&Target, Option<&Arc<Field>>)]) -> Option<String> {
    let label = fields.iter().find_map(|(target, field)| {
        let known = field.filter(|field| target.object.system() != SPEAKING && !field.label.is_empty());
        known.map(|field| field.label.trim())
    })?;
    let called = |has: bool| -> Vec<&str> {
        fields.iter().filter(|(_, field)| field.is_some() == has).map(|(target, _)| &*target.called).collect()
    };
    let (having, lacking) = (called(true), called(false));
    Some(match () {
        () if lacking.is_empty() => label.to_owned(),
        () if having.len() <= lacking.len() => format!("{label} ({} only)", having.join(", ")),
        () => format!("{label} (not {})", lacking.join(", ")),
    })
}
