//! Entities, parts of entities and their fields: F202, F210, F211 with the nearest right name, read or written.

use std::sync::Arc;

use super::{
    checker::{Checker, Lacking},
    suggest::{self, Near},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Entity, Field, Kind, Object, System, Ty},
    syntax::tree::{Name, Path},
    value::EntityName,
};

/// An entity as a flow names it.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) name: EntityName,
    pub(super) entity: Arc<Entity>,
}

impl<'a> Checker<'a> {
    /// The system that plays a role; F211 when none does.
    pub(super) fn role(&mut self, role: &Name) -> Option<&'a Arc<System>> {
        let project = self.project;
        if let Some(system) = project.roles.get(&role.text).and_then(|system| project.catalog.systems.get(system)) {
            return Some(system);
        }
        let mut told = Diagnostic::new("F211", format!("there is no connection `{}`", role.text), role.span);
        told.help = suggest::quoted(&role.text, project.roles.keys().map(|role| &**role)).or_else(|| {
            let all = suggest::words(project.roles.keys().map(|role| &**role), '`', 6);
            Some(format!("the connections are {all}; koppel.toml names them"))
        });
        self.say(told);
        None
    }

    /// `afas.FbSales`; tells what is wrong with it.
    pub(super) fn entity(&mut self, path: &Path) -> Option<Target> {
        let role = path.names.first()?;
        let system = self.role(role)?;
        let [_, name, ..] = path.names.as_slice() else {
            let title = format!("`{}` is a system; which of its entities?", role.text);
            let all = system.entities.keys().map(|name| &**name);
            let told = Diagnostic::new("F210", title, path.span).help(suggest::words(all, '`', 6));
            self.say(told);
            return None;
        };
        let Some(entity) = system.entities.get(&name.text) else {
            let mut told = Diagnostic::new("F210", format!("{} has no `{}`", system.title, name.text), name.span);
            let names = system.entities.keys().map(|name| &**name);
            let near = suggest::quoted(&name.text, names.clone());
            let by_label = || {
                let labelled = system.entities.values().find(|entity| entity.label.eq_ignore_ascii_case(&name.text));
                labelled.map(|entity| format!("`{}`", entity.name))
            };
            told.help = near.or_else(by_label).or_else(|| Some(format!("it has {}", suggest::words(names, '`', 8))));
            self.say(told);
            return None;
        };
        if let Some(more) = path.names.get(2) {
            let title = format!("`{}` is a part of {}, not an entity", more.text, entity.name);
            self.say(Diagnostic::new("F210", title, more.span).help(format!("{}.{}", role.text, entity.name)));
        }
        let name = EntityName { role: role.text.clone(), entity: entity.name.clone() };
        Some(Target { name, entity: entity.clone() })
    }

    /// An entity that can be read, with its fields.
    pub(super) fn readable(&mut self, path: &Path) -> Option<(Target, Arc<Object>)> {
        let target = self.entity(path)?;
        if let Some(facts) = &target.entity.read {
            let object = facts.object.clone();
            return Some((target, object));
        }
        let system = self.title_of(&target.entity.system);
        let title = format!("{system} does not show `{}`: it can only be written", target.entity.name);
        let mut told = Diagnostic::new("F303", title, path.span);
        let shown = target.entity.write.as_ref().and_then(|facts| facts.shown_by.clone());
        told.help = shown.map(|shown| format!("what was written is shown by `{}.{shown}`", target.name.role));
        self.say(told);
        None
    }

    /// `AFAS` for `afas`.
    pub(super) fn title_of(&self, system: &str) -> Arc<str> {
        self.project.catalog.systems.get(system).map_or_else(|| system.into(), |system| system.title.clone())
    }

    /// The object that a path behind `fields … for` or a type names, without telling: an entity as it is written (or
    /// read), a part of it, or an object that has a name of its own.
    pub(super) fn object_of(&self, path: &[Name], written: bool) -> Option<Arc<Object>> {
        let [role, name, parts @ ..] = path else { return None };
        let system = self.project.catalog.systems.get(self.project.roles.get(&role.text)?)?;
        let Some(entity) = system.entities.get(&name.text) else {
            let object = system.objects.get(&name.text)?;
            return part_of(object, parts);
        };
        let read = entity.read.as_ref().map(|facts| &facts.object);
        let write = entity.write.as_ref().and_then(|facts| facts.create.as_ref().or(facts.update.as_ref()));
        let (first, second) = if written { (write, read) } else { (read, write) };
        first.and_then(|object| part_of(object, parts)).or_else(|| part_of(second?, parts))
    }

    /// A field of an object. An unknown one is told once all targets have been looked at: only if none has it.
    pub(super) fn target_field(&mut self, name: &Name, object: &Arc<Object>) -> Option<Arc<Field>> {
        let found = object.field(&name.text).cloned();
        if found.is_none() {
            self.unknown_fields.push((name.clone(), Arc::clone(object)));
        }
        if self.quiet == 0 {
            let seen = self.lacking.entry(name.span).or_insert(Lacking { asked: 0, missing: 0, first: None });
            seen.asked += 1;
            if found.is_none() {
                seen.missing += 1;
                seen.first.get_or_insert_with(|| (name.clone(), Arc::clone(object)));
            }
        }
        found
    }

    /// Tells the fields that none of the targets has.
    pub(super) fn tell_lacking(&mut self) {
        if self.quiet == 0 {
            for (_, seen) in std::mem::take(&mut self.lacking) {
                if let (true, Some((name, object))) = (seen.asked == seen.missing, seen.first) {
                    let told = self.unknown_field(&name, &object);
                    self.diagnostics.push(told);
                }
            }
            self.meant_fields.clear();
            self.unknown_fields.clear();
        }
    }

    /// Does a line that gives an unknown field seem to mean this one? Then it is not missing as well.
    pub(super) fn is_meant(&self, object: &Object, field: &Field) -> bool {
        let misspelt = |(name, of): &(Name, Arc<Object>)| {
            of.path == object.path && suggest::misspelt(&name.text, of).is_some_and(|near| near.name == field.name)
        };
        self.meant_fields.contains(&(object.path.clone(), field.name.clone()))
            || self.unknown_fields.iter().any(misspelt)
    }

    /// The diagnostic about a field that does not exist.
    pub(super) fn unknown_field(&self, name: &Name, object: &Object) -> Diagnostic {
        if object.path.is_empty() {
            let all = object.fields.keys().map(|field| &**field);
            let mut told = Diagnostic::new("F202", format!("these rows have no field `{}`", name.text), name.span);
            told.help = suggest::quoted(&name.text, all.clone())
                .or_else(|| Some(format!("they have {}", suggest::words(all, '`', 8))));
            return told;
        }
        let system = self.title_of(object.path.split('.').next().unwrap_or(""));
        let of = short(object);
        let on = self.noun(object);
        let title = format!("{system} has no field `{}` on {on}", name.text);
        let mut told = Diagnostic::new("F202", title, name.span).says(format!("not a field of {of}"));
        told.help = Some(match suggest::nearest_field(&name.text, object) {
            Some(Near::Name(field)) if field.label.is_empty() => format!("`{}`", field.name),
            Some(Near::Name(field)) => format!("`{}` ({}) is close", field.name, suggest::label(&field.label)),
            Some(Near::Labels(fields)) => {
                let all = fields.iter().map(|field| format!("`{}` ({})", field.name, suggest::label(&field.label)));
                format!("{system} calls this {}", all.collect::<Vec<_>>().join(" or "))
            }
            None => format!("`koppel schema show {}` lists its fields", object.path),
        });
        told
    }

    /// What an object is called in a message: "a sales order", "a line of a sales order".
    pub(super) fn noun(&self, object: &Object) -> String {
        let mut words = object.path.split('.');
        let (system, entity) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let last = words.next_back();
        // a vendor's own name is no label
        if object.label.contains(' ') || (!object.label.is_empty() && last.is_none()) {
            return suggest::with_article(&object.label);
        }
        let entity = self.project.catalog.entity(system, entity);
        match (last, entity.filter(|entity| !entity.label.is_empty())) {
            (Some("Lines"), Some(entity)) => format!("a line of {}", suggest::with_article(&entity.label)),
            (Some(part), Some(entity)) => format!("`{part}` of {}", suggest::with_article(&entity.label)),
            _ => format!("`{}`", short(object)),
        }
    }

    /// The diagnostic about a role, entity or field in a path of a type that does not exist.
    pub(super) fn unknown_path(&mut self, path: &Path) {
        let [role, name, parts @ ..] = path.names.as_slice() else { return };
        let Some(system) = self.role(role) else { return };
        if let Some(object) = system.objects.get(&name.text) {
            return self.unknown_part(object.clone(), parts, path.span);
        }
        let pair = Path { names: vec![role.clone(), name.clone()], span: role.span.to(name.span) };
        let Some(target) = self.entity(&pair) else { return };
        let read = target.entity.read.as_ref().map(|facts| facts.object.clone());
        let write = target.entity.write.as_ref().and_then(|facts| facts.create.clone());
        if let Some(object) = write.or(read) {
            self.unknown_part(object, parts, path.span);
        }
    }

    fn unknown_part(&mut self, mut object: Arc<Object>, parts: &[Name], span: Span) {
        for name in parts {
            let Some(field) = object.field(&name.text) else {
                let told = self.unknown_field(name, &object);
                return self.say(told);
            };
            match inner(&field.ty) {
                Some(next) => object = next,
                None => break,
            }
        }
        self.say(Diagnostic::new("F104", "this names no field and no part of an entity", span));
    }
}

/// The last words of an object's path: `FbSales`, `FbSales.Lines`.
pub(super) fn short(object: &Object) -> &str {
    object.path.split_once('.').map_or(&*object.path, |(_, rest)| rest)
}

/// The object within a field's type, also of a list.
pub(super) fn inner(ty: &Ty) -> Option<Arc<Object>> {
    match &ty.kind {
        Kind::Record(object) => Some(object.clone()),
        Kind::List(of) => inner(of),
        _ => None,
    }
}

fn part_of(object: &Arc<Object>, parts: &[Name]) -> Option<Arc<Object>> {
    let mut object = object.clone();
    for name in parts {
        object = inner(&object.field(&name.text)?.ty)?;
    }
    Some(object)
}
