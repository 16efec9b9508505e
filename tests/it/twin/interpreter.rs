//! The slow twin: decides a record by reading the checked tree from the top, as a person would.
//!
//! Takes a program, settings, a record and a world of rows; gives a [`Verdicts`] decision. It has no plan and no slots,
//! folds nothing and asks for nothing in advance: a name is worked out when it is first used and kept in a map.
//! Sentences that koppel itself makes (a table without a row, a division by 0) are no part of the meaning of a flow:
//! where one ends a record, only verdict and place are given.

mod ensure;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use koppel::{
    check::typed::{
        Alternative, Each, Ensure, Expr, Find, Guard, Let, Line, Message, MessagePart, Program, Search, Stmt, Target,
        VarId, Write,
    },
    diagnostic::{Sources, Span},
    plan::SettingValues,
    schema::{Kind, Ty},
    syntax::tree::{FindMode, PolicyKind},
    value::{Action, EntityName, Fields, Node, Record, Value, Verdict, order},
};

use super::{expression::children, update::Now, world::World};

/// Why a record ended; no text where the sentence is koppel's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) verdict: Verdict,
    pub(super) place: String,
    pub(super) text: Option<String>,
}

/// A write as the twin sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) name: String,
    pub(super) entity: String,
    pub(super) action: Action,
    pub(super) fields: Fields,
    pub(super) ensure: Option<String>,
}

/// How an ensure came by its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    Taken,
    Found(Value),
    Create(String),
}

/// A decision in a form that both sides can be brought to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdicts {
    /// Is the record among those that the source is asked for? Else the place where its condition ended it.
    pub(super) read: Result<bool, String>,
    pub(super) outcome: Result<Vec<Made>, Ended>,
    pub(super) warnings: Vec<(String, String)>,
    pub(super) ensured: Vec<(String, Choice)>,
}

/// How a name gets its value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Definition<'p> {
    Let(&'p Let),
    Find(&'p Find),
    /// With the number of loops around it.
    Ensure(&'p Ensure, usize),
}

/// The twin while it reads.
pub(super) struct Twin<'p> {
    pub(super) program: &'p Program,
    pub(super) sources: &'p Sources,
    pub(super) settings: &'p SettingValues,
    pub(super) world: &'p World,
    pub(super) today: Date,
    pub(super) names: BTreeMap<VarId, Definition<'p>>,
    pub(super) known: BTreeMap<VarId, Result<Value, Ended>>,
    /// The searched rows of the `where`s around.
    pub(super) rows: Vec<VarId>,
    rounds: Vec<usize>,
    warnings: Vec<(String, String)>,
    writes: Vec<Made>,
    ensured: Vec<(String, Choice)>,
    /// Creates of ensures: role, family, recognition key, name, value.
    created: Vec<(String, String, Value, String, Value)>,
    /// Keys of the first stage, by name, while a second one is decided.
    keys: &'p BTreeMap<std::sync::Arc<str>, Value>,
}

/// A write with its value and its target; an update may have nothing to send.
type Written<'p> = (Option<Made>, Value, &'p Target);

/// What a create of an ensure gave.
type Given = Option<(Value, Choice)>;

/// Decides a record.
pub(super) fn decide(
    program: &Program,
    sources: &Sources,
    settings: &SettingValues,
    world: &World,
    record: &Record,
    today: Date,
) -> Verdicts {
    let nothing = BTreeMap::new();
    let mut twin = Twin::new(program, sources, settings, world, today, &nothing);
    let read = twin.reads(record).map_err(|ended| ended.place);
    let result = if read == Ok(true) { twin.flow() } else { Ok(()) };
    twin.verdicts(read, result)
}

/// Decides the stage behind a write, with the keys that the first one was given.
pub(super) fn decide_after(
    program: &Program,
    sources: &Sources,
    settings: &SettingValues,
    world: &World,
    record: &Record,
    today: Date,
    after: (&str, &BTreeMap<std::sync::Arc<str>, Value>),
) -> Verdicts {
    let (write, keys) = after;
    let mut twin = Twin::new(program, sources, settings, world, today, keys);
    let source = program.source.as_ref().expect("a flow reads something");
    twin.known.insert(source.var, Ok(Value::Record(record.clone())));
    twin.begin(&program.body);
    for stmt in &program.body {
        if let Stmt::Write(write) = stmt {
            twin.known.insert(write.var, Ok(keys.get(&write.name).cloned().unwrap_or_default()));
        }
    }
    let result = program.afters.iter().filter(|after| *after.name == *write).try_for_each(|after| {
        if !twin.applies(after.when.as_ref())? {
            return Ok(());
        }
        twin.begin(&after.body);
        after.body.iter().try_for_each(|stmt| twin.statement(stmt))
    });
    twin.verdicts(Ok(true), result)
}

impl<'p> Twin<'p> {
    fn new(
        program: &'p Program,
        sources: &'p Sources,
        settings: &'p SettingValues,
        world: &'p World,
        today: Date,
        keys: &'p BTreeMap<std::sync::Arc<str>, Value>,
    ) -> Self {
        let names = program.constants.iter().map(|line| (line.var, Definition::Let(line))).collect();
        Twin {
            program,
            sources,
            settings,
            world,
            today,
            names,
            known: BTreeMap::new(),
            rows: Vec::new(),
            rounds: Vec::new(),
            warnings: Vec::new(),
            writes: Vec::new(),
            ensured: Vec::new(),
            created: Vec::new(),
            keys,
        }
    }

    fn verdicts(self, read: Result<bool, String>, result: Result<(), Ended>) -> Verdicts {
        let Twin { warnings, writes, ensured, .. } = self;
        match result {
            Ok(()) => Verdicts { read, outcome: Ok(writes), warnings, ensured },
            Err(ended) => {
                let warnings = if ended.verdict == Verdict::Skip { Vec::new() } else { warnings };
                Verdicts { read, outcome: Err(ended), warnings, ensured: Vec::new() }
            }
        }
    }

    /// The record in hand, when it is of this entity.
    pub(super) fn in_hand(&self, entity: &EntityName) -> Option<Record> {
        let source = self.program.source.as_ref()?;
        let record = self.known.get(&source.var)?.as_ref().ok()?.as_record()?;
        (source.name == *entity).then(|| record.clone())
    }

    /// A name as it is here, with the positions in the loops around.
    pub(super) fn numbered_here(&self, name: &str) -> String {
        self.numbered(name, self.rounds.len())
    }

    /// Does the condition of the source let the record in?
    fn reads(&mut self, record: &Record) -> Result<bool, Ended> {
        let source = self.program.source.as_ref().expect("a flow reads something");
        self.known.insert(source.var, Ok(Value::Record(record.clone())));
        self.rows.push(source.var);
        let read = self.applies(source.condition.as_ref());
        self.rows.pop();
        read
    }

    fn flow(&mut self) -> Result<(), Ended> {
        let program = self.program;
        self.begin(&program.body);
        let settles = |stmt: &&Stmt| matches!(stmt, Stmt::Guard(_) | Stmt::Ensure(_));
        program.body.iter().filter(settles).try_for_each(|stmt| self.statement(stmt))?;
        program.body.iter().filter(|stmt| !settles(stmt)).try_for_each(|stmt| self.statement(stmt))
    }

    /// The names of a block are known from here on, and none of them is worked out.
    fn begin(&mut self, block: &'p [Stmt]) {
        for stmt in block {
            match stmt {
                Stmt::Let(line) => self.name(line.var, Definition::Let(line)),
                Stmt::Find(find) => self.name(find.var, Definition::Find(find)),
                Stmt::Ensure(ensure) => self.name(ensure.var, Definition::Ensure(ensure, self.rounds.len())),
                Stmt::Write(write) => {
                    self.known.remove(&write.var);
                }
                Stmt::Guard(_) | Stmt::Each(_) => {}
            }
        }
    }

    /// The same for lines of a body.
    pub(super) fn begin_lines(&mut self, lines: &'p [Line]) {
        for line in lines {
            match line {
                Line::Let(line) => self.name(line.var, Definition::Let(line)),
                Line::Find(find) => self.name(find.var, Definition::Find(find)),
                Line::Ensure(ensure) => self.name(ensure.var, Definition::Ensure(ensure, self.rounds.len())),
                _ => {}
            }
        }
    }

    fn name(&mut self, var: VarId, definition: Definition<'p>) {
        self.known.remove(&var);
        self.names.insert(var, definition);
    }

    fn statement(&mut self, stmt: &'p Stmt) -> Result<(), Ended> {
        match stmt {
            Stmt::Let(_) | Stmt::Find(_) => Ok(()),
            Stmt::Guard(guard) => self.guard(guard),
            Stmt::Ensure(ensure) => self.var(ensure.var).map(|_| ()),
            Stmt::Write(write) => {
                let made = self.write(write)?;
                let value = made.map_or(Value::Blank, |(made, value, _)| {
                    self.writes.extend(made);
                    value
                });
                self.known.insert(write.var, Ok(value));
                Ok(())
            }
            Stmt::Each(Each { var, list, when, body }) => self.rounds(*var, list, when.as_ref(), |twin| {
                twin.begin(body);
                body.iter().try_for_each(|stmt| twin.statement(stmt))
            }),
        }
    }

    fn rounds(
        &mut self,
        var: VarId,
        list: &'p Expr,
        when: Option<&'p Expr>,
        mut body: impl FnMut(&mut Self) -> Result<(), Ended>,
    ) -> Result<(), Ended> {
        let list = self.value(list)?;
        for (index, element) in list.as_list().iter().enumerate() {
            self.known.insert(var, Ok(element.clone()));
            self.rounds.push(index + 1);
            let result = match self.applies(when) {
                Ok(true) => body(self),
                Ok(false) => Ok(()),
                Err(ended) => Err(ended),
            };
            self.rounds.pop();
            result?;
        }
        Ok(())
    }

    pub(super) fn applies(&mut self, when: Option<&'p Expr>) -> Result<bool, Ended> {
        when.map_or(Ok(true), |when| self.holds(when))
    }

    pub(super) fn holds(&mut self, condition: &'p Expr) -> Result<bool, Ended> {
        Ok(self.value(condition)? == Value::Bool(true))
    }

    fn guard(&mut self, guard: &'p Guard) -> Result<(), Ended> {
        if !self.applies(guard.when.as_ref())? {
            return Ok(());
        }
        let ended = self.ending(guard.verdict, &guard.message)?;
        if guard.verdict == Verdict::Warn {
            self.warnings.push((ended.place, ended.text.unwrap_or_default()));
            return Ok(());
        }
        Err(ended)
    }

    /// The end of a record in the words of the flow.
    pub(super) fn ending(&mut self, verdict: Verdict, message: &'p Message) -> Result<Ended, Ended> {
        let mut text = String::new();
        for part in &message.parts {
            match part {
                MessagePart::Chars(chars) => text.push_str(chars),
                MessagePart::Hole { value, .. } => text.push_str(&printed(&self.value(value)?, &value.ty)),
            }
        }
        Ok(Ended { verdict, place: self.place(message.span), text: Some(text) })
    }

    /// The end of a record in koppel's own words.
    pub(super) fn own_words(&self, verdict: Verdict, span: Span) -> Ended {
        Ended { verdict, place: self.place(span), text: None }
    }

    fn place(&self, span: Span) -> String {
        let source = self.sources.get(span.file).expect("a place in a file");
        format!("{}:{}", source.path, source.line_column(span.start).0)
    }

    /// The value of a name.
    pub(super) fn var(&mut self, var: VarId) -> Result<Value, Ended> {
        if let Some(value) = self.known.get(&var) {
            return value.clone();
        }
        let value = match self.names.get(&var).copied() {
            None => return Ok(Value::Blank),
            Some(Definition::Let(line)) => {
                self.value(&line.value).and_then(|value| self.fits(value, line.max, line.span))
            }
            Some(Definition::Find(find)) => self.find(find),
            Some(Definition::Ensure(ensure, depth)) => self.ensure(ensure, depth),
        };
        self.known.insert(var, value.clone());
        value
    }

    fn fits(&self, value: Value, max: Option<u32>, span: Span) -> Result<Value, Ended> {
        let length = value.as_text().map_or(0, |text| text.chars().count());
        if max.is_some_and(|max| length > max as usize) {
            return Err(self.own_words(Verdict::Hold, span));
        }
        Ok(value)
    }

    fn find(&mut self, find: &'p Find) -> Result<Value, Ended> {
        let rows = self.search(&find.search)?;
        let first = || rows.first().cloned().map_or(Value::Blank, Value::Record);
        match find.mode {
            FindMode::All => Ok(Value::List(rows.iter().cloned().map(Value::Record).collect())),
            FindMode::One if rows.len() > 1 => Err(self.own_words(Verdict::Hold, find.search.span)),
            FindMode::First | FindMode::One => Ok(first()),
        }
    }

    /// The rows of a search, in its order.
    pub(super) fn search(&mut self, search: &'p Search) -> Result<Vec<Record>, Ended> {
        if let Some(condition) = &search.condition
            && self.without_rows(condition, search.row)? == Some(false)
        {
            return Ok(Vec::new());
        }
        let world = self.world;
        let mut rows = Vec::new();
        self.rows.push(search.row);
        for row in world.rows(&search.name) {
            self.known.insert(search.row, Ok(Value::Record(row.clone())));
            match self.applies(search.condition.as_ref()) {
                Ok(true) => rows.push(row.clone()),
                Ok(false) => {}
                Err(ended) => {
                    self.rows.pop();
                    return Err(ended);
                }
            }
        }
        self.rows.pop();
        // Least important key first: each sort keeps the order of equals.
        for (path, descending) in search.by.iter().rev() {
            rows.sort_by(|a, b| {
                let (a, b) = (a.path(path), b.path(path));
                match (a.is_blank(), b.is_blank()) {
                    (false, false) => {
                        let order = order(a, b).unwrap_or(std::cmp::Ordering::Equal);
                        if *descending { order.reverse() } else { order }
                    }
                    (a, b) => a.cmp(&b),
                }
            });
        }
        Ok(rows)
    }

    /// The first target whose condition holds.
    pub(super) fn target(&mut self, write: &'p Write) -> Result<Option<&'p Target>, Ended> {
        for target in &write.targets {
            if self.applies(target.when.as_ref())? {
                return Ok(Some(target));
            }
        }
        Ok(None)
    }

    /// A write with its value: the key that its body sets, or the promise of one. An update may have nothing to send.
    fn write(&mut self, write: &'p Write) -> Result<Option<Written<'p>>, Ended> {
        let name = self.numbered(&write.name, self.rounds.len());
        let Some(target) = self.target(write)? else { return Ok(None) };
        if write.action == Action::Update {
            let (made, key) = self.update(write, target)?;
            return Ok(Some((made, key, target)));
        }
        let mut fields = Fields::default();
        self.lines(&target.lines, write.action, None, &mut fields)?;
        let set = write.gives.as_ref().and_then(|gives| fields.value(gives)).filter(|value| !holds_key(value));
        let value = set.cloned().unwrap_or_else(|| Value::Key(name.as_str().into()));
        let entity = target.name.to_string();
        let made = Made { name, entity, action: write.action, fields, ensure: None };
        Ok(Some((Some(made), value, target)))
    }

    /// The lines of a body; `at`: the target of an update, and the object around with its dot.
    pub(super) fn lines(
        &mut self,
        lines: &'p [Line],
        action: Action,
        at: Option<(&Now<'_>, &str)>,
        fields: &mut Fields,
    ) -> Result<(), Ended> {
        let now = at.map(|(now, _)| now);
        let path = |name: &str| format!("{}{name}", at.map_or("", |(_, above)| above));
        self.begin_lines(lines);
        for line in lines {
            match line {
                Line::Let(_) | Line::Find(_) => {}
                Line::Guard(guard) => self.guard(guard)?,
                Line::Ensure(ensure) => {
                    self.var(ensure.var)?;
                }
                Line::Field(field) => {
                    if !self.is_sent(field.policy, action, now, &path(&field.field.name)) {
                        continue;
                    }
                    let value = self.value(&field.value)?;
                    let needed = field.field.required || !field.field.needed.is_empty();
                    if needed && !field.value.ty.optional && value.is_blank() {
                        return Err(self.own_words(Verdict::Fail, field.value.span));
                    }
                    let value = self.fits(value, field.max, field.span)?;
                    let left_out = value.is_blank() || value == Value::Clear && action == Action::Create;
                    if !left_out {
                        put(fields, &field.field.name, Node::Value(value));
                    }
                }
                Line::Object { field, policy, when, lines } => {
                    if !self.is_sent(*policy, action, now, &path(&field.name)) || !self.applies(when.as_ref())? {
                        continue;
                    }
                    let mut inner = Fields::default();
                    let above = path(&field.name) + ".";
                    self.lines(lines, action, now.map(|now| (now, &*above)), &mut inner)?;
                    let repeats = matches!(field.ty.kind, Kind::List(_));
                    if !inner.0.is_empty() {
                        put(fields, &field.name, if repeats { Node::List(vec![inner]) } else { Node::Object(inner) });
                    }
                }
                Line::Each { field, var, list, when, lines } => {
                    let mut rows = Vec::new();
                    let above = path(&field.name) + ".";
                    self.rounds(*var, list, when.as_ref(), |twin| {
                        let mut row = Fields::default();
                        twin.lines(lines, action, now.map(|now| (now, &*above)), &mut row)?;
                        rows.extend((!row.0.is_empty()).then_some(row));
                        Ok(())
                    })?;
                    if !rows.is_empty() {
                        put(fields, &field.name, Node::List(rows));
                    }
                }
            }
        }
        Ok(())
    }

    fn numbered(&self, name: &str, depth: usize) -> String {
        self.rounds.iter().take(depth).fold(name.to_owned(), |name, round| format!("{name}#{round}"))
    }
}

pub(super) fn stands(policy: Option<PolicyKind>, action: Action) -> bool {
    match policy {
        Some(PolicyKind::OnCreate) => action == Action::Create,
        Some(PolicyKind::OnUpdate) => action == Action::Update,
        Some(PolicyKind::UnlessFilled | PolicyKind::UnlessEdited) | None => true,
    }
}

/// A name stands once: objects become one, line objects add up, of two values the later counts.
fn put(fields: &mut Fields, name: &std::sync::Arc<str>, node: Node) {
    let Some((_, own)) = fields.0.iter_mut().find(|(own, _)| own == name) else {
        return fields.0.push((name.clone(), node));
    };
    match (own, node) {
        (Node::Object(own), Node::Object(more)) => {
            more.0.into_iter().for_each(|(name, node)| put(own, &name, node));
        }
        (Node::List(own), Node::List(more)) => own.extend(more),
        (own, node) => *own = node,
    }
}

pub(super) fn holds_key(value: &Value) -> bool {
    matches!(value, Value::Key(_)) || value.as_list().iter().any(holds_key)
}

pub(super) fn mentions(expr: &Expr, vars: &BTreeSet<VarId>) -> bool {
    matches!(&expr.kind, koppel::check::typed::ExprKind::Var(var) if vars.contains(var))
        || children(expr).into_iter().any(|child| mentions(child, vars))
}

/// How a value stands in a text, by its type.
pub(super) fn printed(value: &Value, ty: &Ty) -> String {
    let hundred = koppel::value::Decimal::ONE_HUNDRED;
    match (&ty.kind, value) {
        (Kind::Percent, Value::Int(_) | Value::Decimal(_)) => {
            value.as_decimal().map_or_else(String::new, |n| format!("{}%", (n * hundred).normalize()))
        }
        (Kind::List(of), Value::List(items)) if of.kind == Kind::Percent => {
            items.iter().map(|item| printed(item, of)).collect::<Vec<_>>().join(", ")
        }
        (Kind::Words(_), Value::List(words)) => words.last().unwrap_or(&Value::Blank).to_string(),
        _ => value.to_string(),
    }
}
