//! Tests of the language: what they give and expect, against the entities and the names of their flow (F701, F702).

use std::sync::Arc;

use super::{
    body::{code_name, field_name},
    checker::Checker,
    coerce::Need,
    entity::inner,
    expr::dotted,
    load::{DeclKind, Unit, beside},
    suggest,
    typed::{Expect, ExpectField, ExpectFields, ExpectKind, Expr, Given, GivenField, GivenFields, SettingId, Test},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Object, Ty},
    syntax::tree::{self, GivenKind, Item, Line, Name, Path, Text, TextPart},
    value::{Action, EntityName},
};

impl<'a> Checker<'a> {
    /// The tests of a file, those beside it included.
    pub(super) fn tests(&mut self, file: &'a Unit) -> Vec<Test> {
        let mut tests = Vec::new();
        let beside = file.tests.as_ref().map(|(path, tree)| (path.as_str(), tree));
        let source = self.record_entity(file);
        for (path, tree) in [(file.path.as_str(), &file.tree)].into_iter().chain(beside) {
            for item in &tree.items {
                match item {
                    Item::Test(test) => tests.push(self.test(test, path, source.as_ref())),
                    // a test file declares nothing of its own
                    other if path != file.path => self.only_tests(other),
                    _ => {}
                }
            }
        }
        if let Some(flow) = file.flow()
            && tests.is_empty()
            && !file.broken()
        {
            let told = Diagnostic::new("F701", format!("flow `{}` has no test", flow.name.text), flow.span);
            self.say(told.help("test \"what should come out\" {\n  given … from \"samples/….json\"\n  expect …\n}"));
        }
        tests
    }

    fn only_tests(&mut self, item: &Item) {
        let span = match item {
            Item::Use(line) => line.span,
            Item::Statement(statement) => super::program::span_of(statement),
            Item::Flow(flow) => flow.span,
            Item::Setting(setting) => setting.span,
            Item::Read(read) => read.head,
            Item::Fields(fields) => fields.head,
            Item::Define(define) => define.span,
            Item::Table(table) => table.head,
            Item::After(after) => after.name.span,
            Item::Test(_) => return,
        };
        let told = Diagnostic::new("F006", "a file of tests holds tests only", span);
        self.say(told.help("it sees the names of the flow beside it"));
    }

    /// Name and fields of the record that the flow reads.
    fn record_entity(&mut self, file: &'a Unit) -> Option<(Name, Arc<Object>)> {
        let read =
            file.tree.items.iter().find_map(|item| if let Item::Read(read) = item { Some(read) } else { None })?;
        let (_, object) = self.silently(|checker| checker.readable(&read.entity))?;
        Some((read.name.clone(), object))
    }

    fn test(&mut self, test: &tree::Test, path: &str, source: Option<&(Name, Arc<Object>)>) -> Test {
        let givens = test.givens.iter().filter_map(|given| self.given(given, path, source)).collect();
        let expects = test.expects.iter().filter_map(|expect| self.expect(expect)).collect();
        Test { name: test.name.clone(), givens, expects, span: test.span }
    }

    fn given(&mut self, given: &tree::Given, path: &str, source: Option<&(Name, Arc<Object>)>) -> Option<Given> {
        let span = given.span;
        match &given.kind {
            GivenKind::Setting(name, value) => {
                let setting = self.test_setting(name);
                let value = self.expr(value);
                let id = setting?;
                let ty = self.settings.get(id.0 as usize).map_or_else(Ty::any, |setting| setting.ty.clone());
                let what = format!("setting `{}`", dotted(name));
                let value = self.coerce(value, &ty, &Need { blank: ty.optional, ..Need::fine(&what) });
                Some(Given::Setting(id, value))
            }
            GivenKind::After(entity, lines) => {
                let (target, object) = self.readable(entity)?;
                Some(Given::After { name: target.name, fields: self.given_fields(lines, &object), span })
            }
            GivenKind::Value(name, value) => {
                let value = self.expr(value);
                if dotted(name) != "today" {
                    let title = format!("`{}` cannot be given like this", dotted(name));
                    let told = Diagnostic::new("F702", title, name.span);
                    self.say(told.help("given today = 2026-01-15\nor  given setting name = value"));
                    return None;
                }
                let value = self.coerce(value, &Ty::new(Kind::Date), &Need::filled("`today`"));
                Some(Given::Today(value))
            }
            GivenKind::From(name, file, lines) => self.given_from(name, file, lines.as_deref(), path, source, span),
            GivenKind::Record(name, lines) => {
                let object = self.record_named(name, source)?;
                Some(Given::Record { sample: None, fields: self.given_fields(lines, &object), span })
            }
            GivenKind::Empty(entity) => {
                let (target, _) = self.readable(entity)?;
                Some(Given::Entity { name: target.name, sample: None, span })
            }
            GivenKind::Has(entity, lines) => {
                let (target, object) = self.readable(entity)?;
                Some(Given::Row { name: target.name, fields: self.given_fields(lines, &object), span })
            }
        }
    }

    /// The record of the flow by its name.
    fn record_named(&mut self, name: &Path, source: Option<&(Name, Arc<Object>)>) -> Option<Arc<Object>> {
        if let (Some((own, object)), [only]) = (source, name.names.as_slice())
            && own.text == only.text
        {
            return Some(object.clone());
        }
        // a source that could not be read was told already
        let unread = self.here().is_some_and(|unit| {
            unit.lost.contains(&*dotted(name))
                || unit.tree.items.iter().any(|item| matches!(item, Item::Read(_))) && source.is_none()
        });
        if !unread {
            let title = format!("`{}` is not what this flow reads", dotted(name));
            let mut told = Diagnostic::new("F702", title, name.span);
            told.help =
                source.map(|(own, _)| format!("`{}`, or an entity:  given system.entity has {{ … }}", own.text));
            self.say(told);
        }
        None
    }

    fn given_from(
        &mut self,
        name: &Path,
        file: &Name,
        lines: Option<&[Line]>,
        path: &str,
        source: Option<&(Name, Arc<Object>)>,
        span: Span,
    ) -> Option<Given> {
        let sample = self.sample(file, path);
        if let [role] = name.names.as_slice()
            && source.is_none_or(|(own, _)| own.text != role.text)
            && self.project.roles.contains_key(&role.text)
        {
            return Some(Given::System { role: role.text.clone(), sample: sample?, span });
        }
        if name.names.len() > 1 {
            let (target, _) = self.readable(name)?;
            if lines.is_some() {
                let told = Diagnostic::new("F702", "rows of a file cannot be changed here", name.span);
                self.say(told.help("add a row behind it:  given … has { … }"));
            }
            return Some(Given::Entity { name: target.name, sample: Some(sample?), span });
        }
        let object = self.record_named(name, source)?;
        let fields = self.given_fields(lines.unwrap_or(&[]), &object);
        Some(Given::Record { sample: Some(sample?), fields, span })
    }

    /// The text of a sample, which must be JSON.
    fn sample(&mut self, file: &Name, path: &str) -> Option<Arc<str>> {
        let read = beside(path, &file.text).ok_or_else(|| "it lies outside the project".to_owned());
        let trouble = match read.and_then(|full| self.project.files.read(&full)) {
            // A mark at the start is how some editors save a text, and no part of it.
            Ok(text) => match serde_json::from_str::<serde::de::IgnoredAny>(text.trim_start_matches('\u{feff}')) {
                Ok(_) => return Some(text.trim_start_matches('\u{feff}').into()),
                Err(trouble) => format!("it is no JSON: {trouble}"),
            },
            Err(trouble) => trouble,
        };
        let told = super::load::unreadable(self.project.files, path, file, "json", &trouble);
        self.say(told);
        None
    }

    /// A setting by its bare name where that is unique, else with its owner: of the flow and of all that it uses.
    fn test_setting(&mut self, path: &Path) -> Option<SettingId> {
        let mut found = Vec::new();
        let mut names: Vec<Arc<str>> = Vec::new();
        let (owner, name) = match path.names.as_slice() {
            [name] => (None, name),
            [owner, name] => (Some(owner), name),
            _ => (None, path.names.first()?),
        };
        for unit in self.reach() {
            let Some(file) = self.loaded.units.get(unit) else { continue };
            let own = file.name();
            for (setting, decl) in &file.names {
                let DeclKind::Setting(at) = decl.kind else { continue };
                names.push(setting.clone());
                if *setting == name.text && owner.is_none_or(|owner| owner.text == own) {
                    found.push((unit, own.clone(), at, decl.span));
                }
            }
        }
        match found.as_slice() {
            [(unit, _, at, span)] => {
                self.used.insert(*span);
                if let Some(decl) = self.here().and_then(|unit| unit.names.get(&name.text)) {
                    self.used.insert(decl.span);
                }
                match self.loaded.units.get(*unit).and_then(|unit| unit.tree.items.get(*at)) {
                    Some(Item::Setting(setting)) => Some(self.setting((*unit, name.text.clone()), setting)),
                    _ => None,
                }
            }
            [] => {
                if !self.here().is_some_and(|unit| unit.lost.contains(&*name.text)) {
                    let mut told =
                        Diagnostic::new("F702", format!("there is no setting `{}`", dotted(path)), path.span);
                    told.help = suggest::quoted(&name.text, names.iter().map(|name| &**name));
                    self.say(told);
                }
                None
            }
            [first, ..] => {
                let title = format!("several files have a setting `{}`", name.text);
                self.say(Diagnostic::new("F702", title, path.span).help(format!("{}.{}", first.1, name.text)));
                None
            }
        }
    }

    /// This unit and all that it uses.
    fn reach(&self) -> Vec<usize> {
        let mut all = vec![self.unit];
        let mut next = 0;
        while let Some(unit) = all.get(next).copied() {
            next += 1;
            let names = self.loaded.units.get(unit).into_iter().flat_map(|unit| unit.names.values());
            for decl in names {
                if let DeclKind::Used(Some(from)) = decl.kind
                    && !all.contains(&from)
                {
                    all.push(from);
                }
            }
        }
        all
    }

    fn given_fields(&mut self, lines: &[Line], object: &Arc<Object>) -> GivenFields {
        let mut fields = Vec::new();
        for line in lines {
            match line {
                Line::Assign(assign) => {
                    let path: Vec<Arc<str>> = assign.target.names.iter().map(|name| name.text.clone()).collect();
                    if let Some(value) = self.test_value(&assign.target, &assign.value, object) {
                        fields.push(GivenField::Value(path, value));
                    }
                }
                Line::Nested(nested) => {
                    if let Some((name, part)) = self.test_part(&nested.target, object) {
                        fields.push(GivenField::Object(name, self.given_fields(&nested.lines, &part)));
                    }
                }
                other => self.not_in_test(other),
            }
        }
        GivenFields(fields)
    }

    /// A value of a field in a test, checked against the field's type.
    fn test_value(&mut self, target: &Path, value: &tree::Expr, object: &Arc<Object>) -> Option<Expr> {
        let value = self.expr(value);
        let field = self.field_at(target, object)?;
        let (what, label, system) = (field_name(&field), code_name(&field), self.system_of(object));
        let need = Need { what: &what, blank: true, code: Some((&label, &system)) };
        Some(self.coerce(value, &Ty { max: None, optional: true, ..field.ty.clone() }, &need))
    }

    fn test_part(&mut self, target: &Path, object: &Arc<Object>) -> Option<(Arc<str>, Arc<Object>)> {
        let field = self.field_at(target, object)?;
        let Some(part) = inner(&field.ty) else {
            let title = format!("`{}` is a plain field, nothing is in it", field.name);
            self.say(Diagnostic::new("F103", title, target.span).help(format!("{} = …", field.name)));
            return None;
        };
        Some((dotted(target).into(), part))
    }

    fn not_in_test(&mut self, line: &Line) {
        let span = match line {
            Line::Let(line) => line.span,
            Line::Find(find) => find.span,
            Line::Guard(guard) => guard.span,
            Line::Ensure(ensure) => ensure.head,
            Line::Include(include) => include.span,
            Line::AssignEach(path, _) => path.span,
            Line::Assign(assign) => assign.span,
            Line::Nested(nested) => nested.head,
        };
        let told = Diagnostic::new("F702", "a test holds plain fields only", span);
        self.say(told.help("field = value, or  field { … }  for each element of a list"));
    }

    fn expect(&mut self, expect: &tree::Expect) -> Option<Expect> {
        let kind = match &expect.kind {
            tree::ExpectKind::Write { no, action, entity, lines } => {
                self.expect_write(*no, *action, entity.as_ref(), lines, expect.span)?
            }
            tree::ExpectKind::Outcome { no: false, verdict, text } => {
                ExpectKind::Outcome(*verdict, self.part_of_message(text.as_ref()))
            }
            tree::ExpectKind::Outcome { no: true, verdict, text } => {
                ExpectKind::NoOutcome(*verdict, self.part_of_message(text.as_ref()))
            }
            tree::ExpectKind::NoRead => ExpectKind::NoRead,
            tree::ExpectKind::Expr(value) => ExpectKind::Holds(self.condition(value)),
        };
        Some(Expect { kind, span: expect.span })
    }

    fn part_of_message(&mut self, text: Option<&Text>) -> Option<Arc<str>> {
        let text = text?;
        let mut whole = String::new();
        for part in &text.parts {
            match part {
                TextPart::Chars(chars) => whole.push_str(chars),
                TextPart::Hole(hole) => {
                    let told = Diagnostic::new("F702", "write the words out as they come out", hole.span);
                    self.say(told.help("the text with its holes filled in, or a part of it"));
                    return None;
                }
            }
        }
        Some(whole.into())
    }

    fn expect_write(
        &mut self,
        no: bool,
        action: Option<Action>,
        entity: Option<&Path>,
        lines: &[Line],
        span: Span,
    ) -> Option<ExpectKind> {
        let target = match entity {
            Some(path) => Some(self.entity(path)?),
            None => None,
        };
        let name: Option<EntityName> = target.as_ref().map(|target| target.name.clone());
        if no {
            return Some(ExpectKind::NoWrite(action, name));
        }
        let (Some(target), Some(name), Some(action)) = (target, name, action) else {
            let told = Diagnostic::new("F702", "which write is expected?", span);
            self.say(told.help("expect create system.entity { … }"));
            return None;
        };
        let facts = target.entity.write.as_ref();
        let object = facts.and_then(|facts| match action {
            Action::Create => facts.create.clone(),
            Action::Update => facts.update.clone(),
        });
        let Some(object) = object else {
            let title = format!("`{}` can never be written like this", name.entity);
            self.say(Diagnostic::new("F702", title, span));
            return None;
        };
        Some(ExpectKind::Write(action, name, self.expect_fields(lines, &object)))
    }

    fn expect_fields(&mut self, lines: &[Line], object: &Arc<Object>) -> ExpectFields {
        let mut fields = Vec::new();
        for line in lines {
            match line {
                Line::Assign(assign) => {
                    let path: Vec<Arc<str>> = assign.target.names.iter().map(|name| name.text.clone()).collect();
                    if let Some(value) = self.test_value(&assign.target, &assign.value, object) {
                        fields.push(ExpectField::Value(path, value, assign.span));
                    }
                }
                Line::Nested(nested) => {
                    if let Some((name, part)) = self.test_part(&nested.target, object) {
                        let inside = self.expect_fields(&nested.lines, &part);
                        fields.push(ExpectField::Object(name, inside, nested.span));
                    }
                }
                other => self.not_in_test(other),
            }
        }
        ExpectFields(fields)
    }
}
