//! `create` and `update`: the targets, the body once for each of them, the key that comes back.
//!
//! Tells F206 (cannot be written so), F207 (a policy that never applies), F602 (two writes of one name), F603 (a list in
//! an update that would only grow), F208 (`unless …` on a field that no read shows) and, through the body, F201 to F205.

use std::sync::Arc;

use super::{
    body::{Filled, field_name},
    checker::Checker,
    facts,
    required::{Block, Given, Purpose, Way},
    typed::{Target, Write},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Answer, Entity, Kind, Object, Ty, WriteFacts},
    syntax::tree::{self, Path, PolicyKind},
    value::Action,
};

/// What else is known of a write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// The body sets the key itself: it is known before the write.
    Own,
    /// The answer gives it.
    Answer,
}

/// The `update found` beside a create.
#[derive(Clone)]
pub(super) struct Updating {
    /// Its line.
    pub(super) span: Span,
    /// What its rows are of (`afas.Profit_Debtor`); none where the search is wrong.
    pub(super) found: Option<Arc<str>>,
}

/// What is shown of the target of an update.
struct Seen<'a> {
    facts: &'a WriteFacts,
    /// The body of the update.
    object: &'a Object,
    system: &'a str,
    /// What shows the target, and what the rows in hand are of instead.
    elsewhere: Option<(&'a str, &'a str)>,
}

impl Checker<'_> {
    /// A write; none when no target is right.
    pub(super) fn write(&mut self, write: &tree::Write) -> (Option<Write>, Key) {
        let mut targets = Vec::new();
        let mut key = Key::Own;
        let mut ty = None;
        let known = self.scope.known.len();
        let updating = self.updating.take();
        self.policies(&write.lines, write.action, updating.is_some());
        for (place, tree) in write.targets.iter().enumerate() {
            if place + 1 < write.targets.len() && tree.when.is_none() {
                let told = Diagnostic::new(
                    "F006",
                    "the targets behind this one are never reached: it has no `when`",
                    tree.entity.span,
                );
                self.say(told.help("give it a `when`, or put it last"));
            }
            let when = tree.when.as_ref().map(|when| self.condition(when));
            let target = self.writable(&tree.entity, write.action);
            let object = target.as_ref().map(|(_, _, object)| object);
            self.target_system = object.map_or_else(String::new, |object| self.system_of(object));
            let filled = Filled { object, policy: None, purpose: Purpose::Write };
            let here = when.iter().flat_map(facts::when_true).collect();
            let body = self.knowing(here, |checker| checker.body(&write.lines, filled));
            self.scope.known.extend(when.iter().flat_map(facts::when_false));
            let Some((target, answer, object)) = target else { continue };
            let given: Vec<&Given> = body.given.iter().collect();
            let purpose = if write.action == Action::Update { Purpose::Update } else { Purpose::Write };
            self.required(Block { object: &object, given: &given, head: write.head, purpose });
            self.updates(&target.entity, &given, write, updating.as_ref());
            let gives = self.gives(write.gives.as_ref(), &target.entity, &answer, &object);
            let own = gives.as_ref().is_some_and(|(name, _)| {
                let full = |one: &&Given| one.field.name == *name && matches!(one.way, Way::Value { blank: None, .. });
                body.given.iter().any(|one| full(&one))
            });
            if !own && write.action == Action::Create {
                key = Key::Answer;
            }
            ty = ty.or(gives.map(|(_, ty)| ty));
            let facts = target.entity.write.as_ref();
            let shown_by = facts.and_then(|facts| self.reader(&target.entity, facts.shown_by.as_ref()?));
            let through = facts.and_then(|facts| self.reader(&target.entity, &facts.through.as_ref()?.read));
            let (name, entity) = (target.name, target.entity);
            targets.push(Target { name, entity, shown_by, through, when, lines: body.lines });
        }
        self.scope.known.truncate(known);
        let ty = ty.unwrap_or_else(Ty::any);
        let named = write.name.is_some();
        let first = targets.first().map(|target| target.name.entity.clone());
        let name = write.name.as_ref().map(|name| name.text.clone()).or(first);
        let name = name.map_or_else(|| "write".into(), |name| self.write_name(name, write));
        let span = write.name.as_ref().map_or(write.head, |name| name.span);
        let var = self.var(&name, ty, span, false);
        if let Some(own) = &write.name {
            self.bind(own, var);
        }
        if key == Key::Answer {
            self.pending.insert(var);
        }
        if targets.is_empty() {
            return (None, key);
        }
        let gives = write.gives.as_ref().and_then(|path| path.names.last()).map(|name| name.text.clone());
        (Some(Write { var, name, named, action: write.action, targets, gives, span: write.head }), key)
    }

    /// What a change of a record asks for, by an `update` of its own or by the `update found` beside a create.
    fn updates(&mut self, entity: &Entity, given: &[&Given], write: &tree::Write, updating: Option<&Updating>) {
        let Some(facts) = entity.write.as_ref().filter(|_| updating.is_some() || write.action == Action::Update) else {
            return;
        };
        let Some(object) = facts.update.clone() else {
            if let Some(Updating { span, .. }) = updating {
                let system = self.title_of(&entity.system);
                let title = format!("`{}` cannot be updated in {system}", entity.name);
                let told = Diagnostic::new("F206", title, *span).also(write.head, "this is what would be changed");
                self.say(told.help("leave this line out"));
            }
            return;
        };
        if updating.is_some() {
            // The found row has one key; of several fields that are it together the lines give each.
            let key = if let [key] = &facts.update_key[..] { Some(&**key) } else { None };
            self.required_to_update(Block { object: &object, given, head: write.head, purpose: Purpose::Update }, key);
        }
        if !facts.replaces_lists {
            self.lists(entity, &object, given);
        }
        let found = updating.and_then(|updating| updating.found.as_deref());
        let reader = facts.shown_by.as_ref().map(|reader| format!("{}.{reader}", entity.system));
        let elsewhere = reader.as_deref().zip(found).filter(|(reader, found)| reader != found);
        self.unseen(&Seen { facts, object: &object, system: &entity.system, elsewhere }, given, "");
    }

    /// Tells `unless …` on fields of an update that no read shows: whether they apply could never be told.
    fn unseen(&mut self, seen: &Seen<'_>, given: &[&Given], above: &str) {
        for one in given {
            let path = format!("{above}{}", one.field.name);
            if seen.object.at(&path).is_none() {
                continue;
            }
            let within = format!("{path}.");
            let shown = seen.facts.shown_paths().any(|shown| **shown == *path || shown.starts_with(&within));
            let word = match one.policy {
                Some(PolicyKind::UnlessFilled) => "filled",
                Some(PolicyKind::UnlessEdited) => "edited",
                Some(PolicyKind::OnCreate | PolicyKind::OnUpdate) | None => "",
            };
            let elsewhere = seen.elsewhere.filter(|_| shown);
            if !word.is_empty() && (!shown || elsewhere.is_some()) {
                let told = self.not_shown(seen.system, elsewhere, one, word);
                self.say(told);
            }
            if let Way::Object { given, .. } | Way::Each { given, .. } = &one.way {
                let given: Vec<&Given> = given.iter().collect();
                self.unseen(seen, &given, &within);
            }
        }
    }

    fn not_shown(&self, system: &str, elsewhere: Option<(&str, &str)>, one: &Given, word: &str) -> Diagnostic {
        let name = field_name(&one.field);
        if let Some((reader, found)) = elsewhere {
            let title = format!("`{found}` does not show {name}, so nobody can tell whether it was {word}");
            let help = format!("search where it is shown:  find {reader} where …");
            return Diagnostic::new("F208", title, one.span).help(help);
        }
        let system = self.title_of(system);
        let title = format!("no read of {system} shows {name}, so nobody can tell whether it was {word}");
        let text = self.text_of(one.span).unwrap_or(&one.field.name);
        let rest = "it is sent when it differs from what koppel left there";
        let help = format!("only when it is made:  {text} … on create\nor leave `unless {word}` out: {rest}");
        Diagnostic::new("F208", title, one.span).help(help)
    }

    /// Tells lists in an update that would not be put in place of the old ones.
    fn lists(&mut self, entity: &Entity, object: &Object, given: &[&Given]) {
        for one in given.iter().filter(|one| one.policy != Some(PolicyKind::OnCreate)) {
            let Some(field) = object.field(&one.field.name) else { continue };
            match (&field.ty.kind, &one.way) {
                (Kind::List(_), _) => {
                    let system = self.title_of(&entity.system);
                    let name = field_name(field);
                    let title = format!("an update adds to {name} in {system}, it does not replace what is there");
                    let told = Diagnostic::new("F603", title, one.span);
                    let text = self.text_of(one.span).unwrap_or(&field.name);
                    self.say(told.help(format!("only when it is made:  {text} … on create")));
                }
                (Kind::Record(inner), Way::Object { given, .. }) => {
                    let given: Vec<&Given> = given.iter().collect();
                    self.lists(entity, &inner.clone(), &given);
                }
                _ => {}
            }
        }
    }

    /// Tells policies that never apply to a write.
    fn policies(&mut self, lines: &[tree::Line], action: Action, updates: bool) {
        for line in lines {
            let (policy, lines) = match line {
                tree::Line::Assign(line) => (line.policy.as_ref(), None),
                tree::Line::Include(line) => (line.policy.as_ref(), None),
                tree::Line::Nested(line) => (line.policy.as_ref(), Some(&line.lines)),
                tree::Line::AssignEach(_, rows) => (None, Some(&rows.lines)),
                tree::Line::Let(_) | tree::Line::Find(_) | tree::Line::Guard(_) | tree::Line::Ensure(_) => continue,
            };
            match (policy.map(|policy| policy.kind), action) {
                (Some(PolicyKind::OnUpdate), Action::Create) if !updates => {
                    let title = "this is never sent: nothing updates what this `create` makes";
                    let told = Diagnostic::new("F207", title, policy.map_or(Span::NONE, |policy| policy.span));
                    self.say(told.help("put the `create` in an `ensure` with  update found\nor leave `on update` out"));
                }
                (Some(PolicyKind::OnCreate), Action::Update) => {
                    let title = "this is never sent: an `update` makes nothing";
                    let told = Diagnostic::new("F207", title, policy.map_or(Span::NONE, |policy| policy.span));
                    self.say(told.help("leave `on create` out, or the line"));
                }
                _ => {}
            }
            self.policies(lines.map_or(&[], Vec::as_slice), action, updates);
        }
    }

    /// Remembers the name of a write of this stage; two of one name are F602.
    fn write_name(&mut self, name: Arc<str>, write: &tree::Write) -> Arc<str> {
        let span = write.name.as_ref().map_or(write.head, |name| name.span);
        let Some(first) = self.write_names.get(&name).copied() else {
            self.write_names.insert(name.clone(), span);
            return name;
        };
        if first == span {
            // the same write, looked at for another target of the write around it
            return name;
        }
        if let Some(ensure) = self.ensuring.last().filter(|_| self.quiet > 0 && write.name.is_none()) {
            // one ensure included twice: its writes are told apart by the ensures that they belong to
            let name: Arc<str> = format!("{ensure}.{name}").into();
            self.write_names.insert(name.clone(), span);
            return name;
        }
        if write.name.is_none() {
            let title =
                format!("there are two writes called `{name}`, and after a crash each must be known by its name");
            let told = Diagnostic::new("F602", title, span).also(first, "this is the first");
            self.say(told.help(format!("give this one a name:  {} other in …", word(write.action))));
        }
        name
    }

    /// An entity that can be created or updated, with its body.
    fn writable(&mut self, path: &Path, action: Action) -> Option<(super::entity::Target, Answer, Arc<Object>)> {
        let target = self.entity(path)?;
        let facts = target.entity.write.as_ref();
        let object = facts.and_then(|facts| match action {
            Action::Create => facts.create.clone(),
            Action::Update => facts.update.clone(),
        });
        if let (Some(facts), Some(object)) = (facts, object) {
            let answer = facts.answer.clone();
            return Some((target, answer, object));
        }
        let system = self.title_of(&target.entity.system);
        let cannot = match action {
            Action::Create => "cannot be created",
            Action::Update => "cannot be updated",
        };
        let title = format!("`{}` {cannot} in {system}", target.entity.name);
        let mut told = Diagnostic::new("F206", title, path.span);
        told.help =
            self.shown_by(&target.entity).map(|own| format!("it shows what `{}.{own}` writes", target.name.role));
        self.say(told);
        None
    }

    /// The entity whose writes this one shows.
    fn shown_by(&self, entity: &Entity) -> Option<Arc<str>> {
        let system = self.project.catalog.systems.get(&entity.system)?;
        let shows = |facts: &WriteFacts| facts.shown_by.as_ref() == Some(&entity.name) && facts.create.is_some();
        system.entities.values().find(|other| other.write.as_ref().is_some_and(shows)).map(|other| other.name.clone())
    }

    /// An entity that shows what is written to this one.
    fn reader(&self, entity: &Entity, reader: &str) -> Option<Arc<Entity>> {
        self.project.catalog.entity(&entity.system, reader).cloned()
    }

    /// The key that comes back, and its type.
    fn gives(
        &mut self,
        path: Option<&Path>,
        entity: &Entity,
        answer: &Answer,
        object: &Object,
    ) -> Option<(Arc<str>, Ty)> {
        let text = || Ty { max: None, ..Ty::new(crate::schema::Kind::Text) };
        let typed = |name: &Arc<str>| object.field(name).map_or_else(text, |field| field.ty.clone().filled());
        let Some(path) = path else {
            return match answer {
                Answer::Key(key) => Some((key.clone(), typed(key))),
                Answer::None => None,
            };
        };
        let name = path.names.last()?;
        match answer {
            Answer::Key(key) if *key == name.text => Some((key.clone(), typed(key))),
            // a number of our own is known without the answer
            _ if object.field(&name.text).is_some() => Some((name.text.clone(), typed(&name.text))),
            Answer::Key(key) => {
                let title = format!("the answer holds no `{}`", name.text);
                self.say(Diagnostic::new("F206", title, path.span).help(format!("gives .{key}")));
                None
            }
            Answer::None => {
                let system = self.title_of(&entity.system);
                let title = format!("{system} gives no key back for `{}`", entity.name);
                self.say(Diagnostic::new("F206", title, path.span).help("leave out `gives`"));
                None
            }
        }
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
    }
}
