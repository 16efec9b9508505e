//! Updates as a person would work them out: what the lines say, beside what the target shows, beside what koppel left.

use std::sync::Arc;

use koppel::{
    check::typed::{Alternative, Ensure, Expr, Line, Target, Write},
    schema::{Object, WriteFacts},
    syntax::tree::PolicyKind,
    value::{Action, EntityName, Fields, Node, Record, Value, same},
};

use super::interpreter::{Ended, Made, Twin, holds_key, stands};

/// The target of an update as it is known.
pub(super) struct Now<'a> {
    name: &'a EntityName,
    facts: &'a WriteFacts,
    key: Value,
    row: Option<Record>,
    /// The row that the first one leads to.
    next: Option<Record>,
    /// Is a field that koppel never wrote and nothing shows a difference?
    never: bool,
}

impl<'p> Twin<'p> {
    /// What `update found` sends to the found row.
    pub(super) fn update_found(
        &mut self,
        ensure: &'p Ensure,
        row: &Record,
        key: &Value,
    ) -> Result<Option<Made>, Ended> {
        let mut create = None;
        let mut read = None;
        for alternative in &ensure.alternatives {
            match alternative {
                Alternative::Create(write) if create.is_none() => create = Some(write),
                Alternative::Find { search, .. } if read.is_none() => read = Some(&search.name),
                _ => {}
            }
        }
        let (Some(create), Some(read)) = (create, read) else { return Ok(None) };
        let Some(target) = self.target(create)? else { return Ok(None) };
        let facts = target.entity.write.as_ref().expect("it is written");
        let Some(object) = &facts.update else { return Ok(None) };
        let [key_name] = &facts.update_key[..] else { panic!("what is found has one key") };
        let is_shown = facts.shown_by.as_ref() == Some(&read.entity) && read.role == target.name.role;
        let row = is_shown.then(|| row.clone());
        let next = self.next_row(target, row.as_ref());
        let now = Now { name: &target.name, facts, key: key.clone(), row, next, never: false };
        let mut fields = Fields::default();
        self.lines(&target.lines, Action::Update, Some((&now, "")), &mut fields)?;
        fields.0.retain(|(name, _)| name != key_name);
        let name = format!("{}.update", self.numbered_here(&create.name));
        Ok(self.sent(&now, object, fields, key_name, Some(key.clone()), name))
    }

    /// An `update` of its own, with the key of what it changes.
    pub(super) fn update(&mut self, write: &'p Write, target: &'p Target) -> Result<(Option<Made>, Value), Ended> {
        let facts = target.entity.write.as_ref().expect("it is written");
        let Some(object) = &facts.update else { return Ok((None, Value::Blank)) };
        let [key_name] = &facts.update_key[..] else { panic!("the flows of the twin update by one key") };
        self.begin_lines(&target.lines);
        let key = match target.lines.iter().find_map(|line| key_line(line, key_name)) {
            Some(value) => self.value(value)?,
            None => Value::Blank,
        };
        let row = match (&target.shown_by, facts.shown_key()) {
            (Some(shown), Some(path)) if !key.is_blank() && !holds_key(&key) => {
                let name = EntityName { role: target.name.role.clone(), entity: shown.name.clone() };
                let in_hand = self.in_hand(&name).filter(|record| same(record.path(path), &key));
                in_hand.or_else(|| self.world.rows(&name).iter().find(|row| same(row.path(path), &key)).cloned())
            }
            _ => None,
        };
        let next = self.next_row(target, row.as_ref());
        let now = Now { name: &target.name, facts, key: key.clone(), row, next, never: true };
        let mut fields = Fields::default();
        self.lines(&target.lines, Action::Update, Some((&now, "")), &mut fields)?;
        let named = fields.0.iter().position(|(name, _)| name == key_name).map(|at| fields.0.remove(at).1);
        let named = named.and_then(|node| if let Node::Value(value) = node { Some(value) } else { None });
        let name = self.numbered_here(&write.name);
        Ok((self.sent(&now, object, fields, key_name, named, name), key))
    }

    /// Where the row leads.
    fn next_row(&self, target: &Target, row: Option<&Record>) -> Option<Record> {
        let (shown, through) = (target.through.as_ref()?, target.entity.write.as_ref()?.through.as_ref()?);
        let key = row?.path(&through.by);
        let name = EntityName { role: target.name.role.clone(), entity: shown.name.clone() };
        let is_it = |row: &&Record| !key.is_blank() && same(row.path(&through.key), key);
        let in_hand = self.in_hand(&name).filter(|record| is_it(&record));
        in_hand.or_else(|| self.world.rows(&name).iter().find(is_it).cloned())
    }

    /// The write, when anything of it differs.
    fn sent(
        &self,
        now: &Now<'_>,
        object: &Object,
        fields: Fields,
        key_name: &Arc<str>,
        key: Option<Value>,
        name: String,
    ) -> Option<Made> {
        let mut differs = false;
        let sent = self.differing(now, object, fields, "", &mut differs);
        let key = key.map(|key| (key_name.clone(), Node::Value(key)));
        let fields = Fields(key.into_iter().chain(sent.0).collect());
        let entity = now.name.to_string();
        differs.then_some(Made { name, entity, action: Action::Update, fields, ensure: None })
    }

    fn differing(&self, now: &Now<'_>, object: &Object, fields: Fields, above: &str, differs: &mut bool) -> Fields {
        let mut sent = Fields::default();
        for (name, node) in fields.0 {
            let Some(field) = object.field(&name) else { continue };
            let path = format!("{above}{name}");
            let mut own = false;
            let node = match (node, field.ty.object()) {
                (Node::Object(inner), Some(of)) => {
                    let parts = self.differing(now, of, inner.clone(), &format!("{path}."), &mut own);
                    Node::Object(if own && field.unit { inner } else { parts })
                }
                (node, _) => {
                    own = !field.accompanies && self.other(now, &path, &node);
                    node
                }
            };
            *differs |= own;
            if own || field.accompanies || field.required {
                sent.0.push((name, node));
            }
        }
        sent
    }

    /// Does the target hold something else?
    fn other(&self, now: &Now<'_>, path: &str, node: &Node) -> bool {
        if let (Some(shown), Node::Value(value)) = (shown(now, path), node) {
            let number_as_text =
                matches!((value, shown), (Value::Text(_), Value::Int(_)) | (Value::Int(_), Value::Text(_)))
                    && value.to_string().trim() == shown.to_string().trim();
            let emptied = *value == Value::Clear && shown.is_blank();
            return !(same(value, shown) || number_as_text || emptied);
        }
        match self.world.left(now.name, &now.key, path) {
            Some(left) => left != node,
            None => now.never,
        }
    }

    /// Is a line sent, its policy looked at?
    pub(super) fn is_sent(
        &self,
        policy: Option<PolicyKind>,
        action: Action,
        now: Option<&Now<'_>>,
        path: &str,
    ) -> bool {
        let Some(now) = now else { return stands(policy, action) };
        let shown: Vec<(&str, &Value)> = now
            .facts
            .shown_paths()
            .filter(|written| ***written == *path || written.starts_with(&format!("{path}.")))
            .filter_map(|written| Some((&**written, shown(now, written)?)))
            .collect();
        match policy {
            Some(PolicyKind::UnlessFilled) => !shown.is_empty() && shown.iter().all(|(_, value)| value.is_blank()),
            Some(PolicyKind::UnlessEdited) => {
                let as_left = |(written, value): &(&str, &Value)| {
                    self.world.left(now.name, &now.key, written) == Some(&Node::Value((*value).clone()))
                };
                !shown.is_empty() && shown.iter().all(as_left)
            }
            _ => stands(policy, action),
        }
    }
}

/// What a read shows of a written path.
fn shown<'a>(now: &'a Now<'_>, path: &str) -> Option<&'a Value> {
    let further = || Some((now.next.as_ref()?, now.facts.through.as_ref()?.shows.get(path)?));
    let (row, read) = match (&now.row, now.facts.shows.get(path)) {
        (Some(row), Some(read)) => (row, read),
        _ => further()?,
    };
    let first = read.split('.').next().unwrap_or(read);
    row.shape().index(first).map(|_| row.path(read))
}

fn key_line<'p>(line: &'p Line, key: &str) -> Option<&'p Expr> {
    match line {
        Line::Field(line) if *line.field.name == *key => Some(&line.value),
        _ => None,
    }
}
