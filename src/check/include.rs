//! `fields` blocks: checked once for each object that they are for, and written out where they are included.

use std::sync::Arc;

use super::{
    body::{Body, Filled},
    checker::Checker,
    coerce::Need,
    entity::short,
    join::same_object,
    load::DeclKind,
    lookup::Found,
    program,
    required::Purpose,
    suggest,
    typed::{Let, Line},
};
use crate::{
    diagnostic::Diagnostic,
    schema::{Object, Ty},
    syntax::tree::{Call, FieldsItem, Include, Param},
};

impl<'a> Checker<'a> {
    /// Checks a block at its declaration, for all objects that it is for.
    pub(super) fn fields_block(&mut self, fields: &FieldsItem) {
        let mut objects = Vec::new();
        for path in &fields.targets {
            match self.object_of(&path.names, true) {
                Some(object) => objects.push(object),
                None => self.unknown_path(path),
            }
        }
        self.within(self.unit, format!("`fields {}`", fields.name.text), |checker| {
            if objects.is_empty() {
                checker.block(|checker| {
                    checker.params(&fields.params);
                    checker.body(&fields.lines, Filled { object: None, policy: None, purpose: Purpose::Write });
                });
            }
            for (place, object) in objects.iter().enumerate() {
                checker.target_system = checker.system_of(object);
                checker.block(|checker| {
                    // parameters are told once
                    let again = u32::from(place > 0);
                    checker.quiet += again;
                    checker.params(&fields.params);
                    checker.quiet -= again;
                    let filled = Filled { object: Some(object), policy: None, purpose: Purpose::Write };
                    checker.body(&fields.lines, filled);
                });
            }
            checker.tell_lacking();
        });
    }

    /// "AFAS" for an object of AFAS.
    pub(super) fn system_of(&self, object: &Object) -> String {
        self.title_of(object.path.split('.').next().unwrap_or("")).to_string()
    }

    /// `include f(x)` in a body.
    pub(super) fn include(&mut self, include: &Include, filled: Filled<'_>) -> Body {
        let policy = self.policy(include.policy.as_ref(), filled);
        let call = &include.call;
        let (key, fields) = match self.lookup_declared(&call.name.text) {
            Found::Fields(key, fields) => (key, fields),
            other => {
                self.no_block(call, &other, true);
                return Body::default();
            }
        };
        let Some(lets) = self.bind_arguments(call, key.0, &fields.params) else { return Body::default() };
        let mut body =
            Body { lines: lets.iter().map(|(line, _)| Line::Let(line.clone())).collect(), ..Body::default() };
        let Some(object) = filled.object else { return body };
        if self.including.contains(&key) {
            self.circle(call);
            return body;
        }
        let fits = fields.targets.iter().any(|path| {
            self.within(key.0, String::new(), |checker| checker.object_of(&path.names, true))
                .is_some_and(|own| same_object(&own, object) || same_part(&own, object))
        });
        if !fits {
            let all = suggest::words(
                fields.targets.iter().map(|path| path.names.last().map_or("", |name| &name.text)),
                '`',
                6,
            );
            let title = format!("`{}` gives fields of {all}, and this is {}", key.1, short(object));
            let told = Diagnostic::new("F103", title, call.name.span).also(fields.head, "declared here");
            self.say(told.help(format!("add it there:  for …, {}", object.path)));
            return body;
        }
        self.including.push(key.clone());
        let params = &fields.params;
        let written = self.within(key.0, format!("`fields {}`", key.1), |checker| {
            checker.silently(|checker| {
                checker.put_params(params, &lets);
                checker.body(&fields.lines, Filled { policy, ..filled })
            })
        });
        self.including.pop();
        body.lines.extend(written.lines);
        body.given.extend(written.given);
        body
    }

    /// Brings parameters in sight, as the places that hold the arguments.
    pub(super) fn put_params(&mut self, params: &[Param], lets: &[(Let, Ty)]) {
        for (param, (line, _)) in params.iter().zip(lets) {
            self.bind_param(&param.name, line.var);
        }
    }

    /// The arguments of a block as `let`s, with the types of the parameters. Blocks never lift: a possible blank into
    /// a plain parameter is a mistake.
    pub(super) fn bind_arguments(&mut self, call: &Call, unit: usize, params: &[Param]) -> Option<Vec<(Let, Ty)>> {
        let names: Vec<(&str, bool)> = params.iter().map(|param| (&*param.name.text, false)).collect();
        let Some(given) = self.arguments(call, &names) else {
            self.look_at(call);
            return None;
        };
        let types: Vec<Ty> = self.within(unit, String::new(), |checker| {
            checker.silently(|checker| params.iter().map(|param| checker.ty(&param.ty)).collect())
        });
        let mut lets = Vec::new();
        for ((arg, param), ty) in given.into_iter().flatten().zip(params).zip(types) {
            let value = self.expr(&arg.value);
            let max = Self::to_measure(&value, &ty);
            let what = format!("`{}` of `{}`", param.name.text, call.name.text);
            let value = self.coerce(value, &ty, &Need { blank: ty.optional, ..Need::fine(&what) });
            let private = self.private(&value);
            let var = self.var(&param.name.text, ty.clone(), param.name.span, private);
            lets.push((program::given(var, value, max), ty));
        }
        Some(lets)
    }

    /// Tells an `include` of something that is no block.
    pub(super) fn no_block(&mut self, call: &Call, found: &Found<'a>, of_fields: bool) {
        self.look_at(call);
        let name = &call.name;
        let (what, help) = match found {
            Found::Poison => return,
            Found::Nothing | Found::Local(_) | Found::Setting(_) | Found::Constant(_) => {
                let wanted = |kind: &DeclKind| match kind {
                    DeclKind::Fields(_) => of_fields,
                    DeclKind::Part(_) => !of_fields,
                    DeclKind::Used(_) => true,
                    _ => false,
                };
                let unit = self.here();
                if unit.is_some_and(|unit| unit.lost.contains(&*name.text)) {
                    return;
                }
                let names = unit.into_iter().flat_map(|unit| unit.names.iter()).filter(|(_, decl)| wanted(&decl.kind));
                let near = suggest::nearest(&name.text, names.map(|(own, _)| &**own));
                if let Some(near) = near {
                    self.meant(near);
                }
                let near = near.map(|near| format!("`{near}`"));
                let kind = if of_fields { "fields" } else { "ensure" };
                let title = format!("there is no block `{}`", name.text);
                let mut told = Diagnostic::new("F101", title, name.span);
                told.help = self
                    .in_library(&name.text)
                    .or(near)
                    .or_else(|| Some(format!("declare it:  {kind} {}(…) …", name.text)));
                return self.say(told);
            }
            Found::Fields(..) => ("a block of fields", "it is included in the body of a `create`"),
            Found::Part(..) => ("an `ensure`", "it is included in another `ensure`"),
            Found::Table(..) => ("a table", "a table gives a value:  Field = table(…)"),
            Found::Define(..) => ("a function", "a function gives a value:  Field = function(…)"),
        };
        self.say(Diagnostic::new("F103", format!("`{}` is {what}", name.text), name.span).help(help));
    }

    /// Tells a block that includes itself.
    pub(super) fn circle(&mut self, call: &Call) {
        let title = format!("`{}` includes itself, in a circle", call.name.text);
        self.say(Diagnostic::new("F108", title, call.name.span).help("write out what one of them needs"));
    }
}

/// A part that stands in several entities is known by its last name: `KnBasicAddressAdr`.
fn same_part(named: &Arc<Object>, own: &Arc<Object>) -> bool {
    let last = |object: &Object| object.path.rsplit('.').next().unwrap_or("").to_owned();
    let system = |object: &Object| object.path.split('.').next().unwrap_or("").to_owned();
    // only an object that is named without an entity around it: system and name
    named.path.matches('.').count() == 1 && system(named) == system(own) && last(named) == last(own)
}
