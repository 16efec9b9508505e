//! One file as a program: its declarations, its stage, its tests.
//!
//! Takes a loaded unit, gives its [`Program`] with the settings, tables and functions of all that it uses.

use std::sync::Arc;

use super::{
    Project,
    checker::{Checker, Key, expr},
    coerce::Need,
    load::{DeclKind, Loaded, Unit},
    typed::{After, Define, DefineId, Let, Program, Setting, SettingId, Stmt, VarId},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Ty},
    syntax::tree::{self, DefineBody, Item, Statement},
    value::Value,
};

use super::typed::{Convert, Expr, ExprKind};

/// Checks one unit.
pub(super) fn program(project: &Project<'_>, loaded: &Loaded, unit: usize) -> (Option<Program>, Vec<Diagnostic>) {
    let Some(file) = loaded.units.get(unit) else { return (None, Vec::new()) };
    let mut checker = Checker::new(project, loaded, unit);
    checker.scope.frames.push(Vec::new());
    let (source, body, afters) = checker.items(file);
    checker.prove_tables(file);
    checker.recognisable(&body, &afters);
    checker.balanced(&body, &afters);
    checker.rounded(&body, &afters);
    let tests = checker.tests(file);
    checker.unused(file);
    let flow = file.flow();
    let program = Program {
        name: file.name(),
        title: flow.and_then(|flow| flow.title.clone()),
        file: file.tree.id,
        vars: checker.vars,
        settings: checker.settings,
        tables: checker.tables,
        defines: checker.defines,
        constants: checker.constants,
        source,
        body,
        afters,
        tests,
    };
    (Some(program), checker.diagnostics)
}

impl<'a> Checker<'a> {
    fn items(&mut self, file: &'a Unit) -> (Option<super::typed::Source>, Vec<Stmt>, Vec<After>) {
        let (flow, library) = (file.flow(), file.library());
        let (mut source, mut body, mut afters) = (None, Vec::new(), Vec::new());
        for item in &file.tree.items {
            match item {
                Item::Flow(_) | Item::Test(_) => {}
                Item::Use(line) => {
                    // names that their file does not have were told
                    let there = |name: &&tree::Name| {
                        let decl = file.names.get(&name.text);
                        decl.is_some_and(|decl| !matches!(decl.kind, DeclKind::Used(None)))
                    };
                    line.names.iter().filter(there).for_each(|name| self.declare(name, "is brought in by `use`"));
                }
                Item::Setting(setting) => {
                    self.setting((self.unit, setting.name.text.clone()), setting);
                    self.declare_in_flow(&setting.name, "setting", flow);
                }
                Item::Define(define) => {
                    self.define((self.unit, define.name.text.clone()), define, define.name.span);
                    self.declare_in_flow(&define.name, "function", flow);
                }
                Item::Table(table) => {
                    self.table((self.unit, table.name.text.clone()), table);
                    self.declare_in_flow(&table.name, "table", flow);
                }
                Item::Fields(fields) => {
                    self.fields_block(fields);
                    self.declare_in_flow(&fields.name, "block of fields", flow);
                }
                Item::Statement(Statement::Ensure(ensure)) if ensure.params.is_some() => {
                    self.ensure_part(ensure);
                    self.declare_in_flow(&ensure.name, "`ensure`", flow);
                }
                Item::Statement(Statement::Let(line)) if library => {
                    self.constant((self.unit, line.name.text.clone()), line);
                }
                Item::Read(read) if source.is_some() => {
                    self.say(Diagnostic::new("F006", "a flow reads one source, this is a second one", read.head));
                }
                Item::Read(read) => {
                    if flow.is_none() && !file.tree.broken {
                        let told =
                            Diagnostic::new("F006", "a file that reads is a flow, and a flow has a name", read.head);
                        self.say(told.help("begin the file with  flow name \"title\""));
                    }
                    source = self.source(read);
                }
                Item::Statement(statement) if library => self.not_in_library(span_of(statement)),
                Item::Statement(statement) => body.extend(self.statement(statement)),
                Item::After(after) => {
                    let stage = self.after(after, &body, &afters);
                    afters.extend(stage);
                }
            }
        }
        if let Some(flow) = flow
            && !file.tree.items.iter().any(|item| matches!(item, Item::Read(_)))
            && !file.tree.broken
        {
            let told = Diagnostic::new("F309", format!("flow `{}` reads nothing", flow.name.text), flow.span);
            self.say(told.help("read row from system.entity {\n  since change\n  key .id\n}"));
        }
        (source, body, afters)
    }

    fn declare_in_flow(&mut self, name: &tree::Name, what: &'static str, flow: Option<&tree::Flow>) {
        if flow.is_some() {
            self.declare(name, what);
        }
    }

    fn not_in_library(&mut self, span: Span) {
        let told = Diagnostic::new("F006", "a library only declares; this needs the record of a flow", span);
        self.say(told.help("begin the file with  flow name \"title\"\nor move this line into a flow"));
    }

    /// A setting, once.
    pub(super) fn setting(&mut self, key: Key, tree: &tree::Setting) -> SettingId {
        if let Some(id) = self.setting_ids.get(&key) {
            return *id;
        }
        let owner = self.loaded.units.get(key.0).map_or_else(|| "".into(), Unit::name);
        let (ty, default) = self.within(key.0, format!("setting `{}`", key.1), |checker| {
            let ty = checker.ty(&tree.ty);
            let default = tree.default.as_ref().and_then(|default| checker.default(default, &ty, &tree.name));
            (ty, default)
        });
        let id = SettingId(u32::try_from(self.settings.len()).unwrap_or(u32::MAX));
        self.settings.push(Setting { name: tree.name.text.clone(), owner, ty, default, span: tree.name.span });
        self.setting_ids.insert(key, id);
        id
    }

    fn default(&mut self, default: &tree::Expr, ty: &Ty, name: &tree::Name) -> Option<Value> {
        let before = self.diagnostics.len();
        let value = self.expr(default);
        let what = format!("setting `{}`", name.text);
        let value = self.coerce(value, ty, &Need { blank: ty.optional, ..Need::fine(&what) });
        let constant = constant(&value);
        if constant.is_none() && value.ty.kind != Kind::Any && self.diagnostics.len() == before {
            let told = Diagnostic::new("F103", "a default is written out, it cannot be worked out", value.span);
            self.say(told.help("a number, a text, a date, `yes`, `no`, or a list of these"));
        }
        constant
    }

    /// A `let` of a library, once.
    pub(super) fn constant(&mut self, key: Key, line: &tree::Let) -> Option<VarId> {
        if let Some(var) = self.constant_vars.get(&key) {
            return *var;
        }
        self.constant_vars.insert(key.clone(), None);
        let value = self.within(key.0, "a `let` of a library".to_owned(), |checker| checker.let_line(line));
        let var = value.var;
        self.constants.push(value);
        self.constant_vars.insert(key, Some(var));
        Some(var)
    }

    /// The parameter and result types of a function; what is wrong with them is told at its declaration.
    pub(super) fn define_types(&mut self, key: &Key, define: &tree::Define) -> (Vec<(Arc<str>, Ty)>, Ty) {
        self.within(key.0, String::new(), |checker| {
            checker.silently(|checker| {
                let params = define.params.iter().map(|param| (param.name.text.clone(), checker.ty(&param.ty)));
                (params.collect(), checker.ty(&define.ty))
            })
        })
    }

    /// A `define`, once; none when it is in a circle.
    pub(super) fn define(&mut self, key: Key, define: &tree::Define, asked: Span) -> Option<DefineId> {
        match self.define_ids.get(&key) {
            Some(Some(id)) => return Some(*id),
            Some(None) => {
                let told = Diagnostic::new("F108", format!("`{}` uses itself, in a circle", key.1), asked);
                self.say(told.help("there is no recursion: write out what one of them needs"));
                return None;
            }
            None => {}
        }
        self.define_ids.insert(key.clone(), None);
        let (params, body, private) = self.within(key.0, format!("`define {}`", key.1), |checker| {
            let params = checker.params(&define.params);
            let ty = checker.ty(&define.ty);
            let body = checker.define_body(define, &ty);
            let private = checker.private(&body);
            (params, body, private)
        });
        let id = DefineId(u32::try_from(self.defines.len()).unwrap_or(u32::MAX));
        self.defines.push(Define { name: key.1.clone(), params, body });
        if private {
            self.private_defines.insert(id);
        }
        self.define_ids.insert(key, Some(id));
        Some(id)
    }

    fn define_body(&mut self, define: &tree::Define, ty: &Ty) -> Expr {
        match &define.body {
            DefineBody::Expr(body) => {
                let body = self.expr(body);
                let what = format!("`{}`", define.name.text);
                self.proven(&body, ty, &what);
                self.coerce(body, ty, &Need { blank: ty.optional, ..Need::fine(&what) })
            }
            DefineBody::Record(lines) => {
                let Kind::Record(object) = &ty.kind else {
                    if ty.kind != Kind::Any {
                        let title = format!("a body of fields gives a record, and `{}` is no record", define.name.text);
                        let told = Diagnostic::new("F103", title, define.ty.span);
                        self.say(told.help("name an entity as its type, or write  = value"));
                    }
                    return Self::poison(define.span);
                };
                let record = self.record(lines, object, define.name.span);
                expr(ExprKind::Record(Box::new(record)), ty.clone(), define.span)
            }
        }
    }

    /// Parameters: places of their types, in sight.
    pub(super) fn params(&mut self, params: &[tree::Param]) -> Vec<VarId> {
        let place = |param: &tree::Param| {
            let ty = self.ty(&param.ty);
            let var = self.var(&param.name.text, ty, param.name.span, false);
            self.bind_param(&param.name, var);
            var
        };
        params.iter().map(place).collect()
    }

    /// Warns of what is declared and never used. Not when a part of the file is unreadable: it may be used there.
    fn unused(&mut self, file: &Unit) {
        if file.broken() {
            return;
        }
        for (span, (name, what)) in std::mem::take(&mut self.declared) {
            if self.used.contains(&span) {
                continue;
            }
            let title = match what {
                "is brought in by `use`" => format!("`{name}` {what} and never used"),
                "" => format!("`{name}` is never used"),
                _ => format!("{what} `{name}` is never used"),
            };
            self.say(Diagnostic::new("F801", title, span).help("leave it out"));
        }
    }
}

/// The value of an expression that is a literal or a list of literals.
pub(super) fn constant(value: &Expr) -> Option<Value> {
    match &value.kind {
        ExprKind::Const(value) => Some(value.clone()),
        ExprKind::List(items) => Some(Value::List(items.iter().map(constant).collect::<Option<Vec<_>>>()?.into())),
        ExprKind::Convert(inner, Convert::ToMoney) => Some(Value::eur(constant(inner)?.as_decimal()?)),
        ExprKind::Convert(inner, Convert::ToDecimal) => Some(Value::Decimal(constant(inner)?.as_decimal()?)),
        _ => None,
    }
}

/// The place of a statement.
pub(super) fn span_of(statement: &Statement) -> Span {
    match statement {
        Statement::Let(line) => line.span,
        Statement::Find(find) => find.span,
        Statement::Guard(guard) => guard.span,
        Statement::Ensure(ensure) => ensure.head,
        Statement::Write(write) => write.head,
        Statement::Each(each) => each.head,
    }
}

impl Checker<'_> {
    /// Does a value go into a place of limited length without proof that it fits? Then this is the limit to measure.
    pub(super) fn to_measure(value: &Expr, want: &Ty) -> Option<u32> {
        let limit = want.max.filter(|_| want.is_texty())?;
        let codes = want.codes.as_ref().is_some_and(|codes| !codes.open);
        let fits = super::join::max_chars(&value.ty).is_some_and(|max| max <= limit);
        (!fits && !codes && value.ty.kind != Kind::Any).then_some(limit)
    }
}

/// Used by blocks that stand in for parameters: a place and the value that it gets.
pub(super) fn given(var: VarId, value: Expr, max: Option<u32>) -> Let {
    let span = value.span;
    Let { var, value, max, span }
}
