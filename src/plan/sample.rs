//! A small world for the tests of plan and eval: two systems with a handful of entities, and short ways to write
//! checked trees. Byte n of the one source file stands in its line n + 1, so a span says its place.

use std::{cell::Cell as Counter, collections::BTreeMap, sync::Arc};

use super::{Plan, PlanError, SettingValues, build};
use crate::{
    check::typed::*,
    diagnostic::{FileId, Sources, Span},
    function::function,
    schema::{Answer, Entity, Field, Kind, Object, OwnNumber, ReadFacts, Recognise, Ty, WriteClass, WriteFacts},
    syntax::tree::{BinaryOp, FindMode},
    value::{Action, Ask, EntityName, Record, Shape, Value, Verdict},
};

thread_local!(static LINE: Counter<usize> = const { Counter::new(0) });

/// The next place of the file.
pub(crate) fn span() -> Span {
    LINE.set(LINE.get() + 1);
    Span::new(FileId(0), LINE.get(), LINE.get())
}

pub(crate) fn ty(kind: Kind) -> Ty {
    Ty::new(kind)
}

pub(crate) fn opt(kind: Kind) -> Ty {
    Ty::new(kind).or_blank()
}

pub(crate) fn object(path: &str, fields: &[(&str, Ty)]) -> Arc<Object> {
    let field = |(name, ty): &(&str, Ty)| ((*name).into(), Arc::new(Field::plain((*name).into(), ty.clone())));
    Arc::new(Object { path: path.into(), label: "".into(), fields: fields.iter().map(field).collect() })
}

pub(crate) fn read_entity(name: &str, key: &str, fields: &[(&str, Ty)]) -> Arc<Entity> {
    let (system, own) = name.split_once('.').unwrap();
    let read = ReadFacts {
        object: object(name, fields),
        keys: vec![vec![key.into()]],
        single: false,
        stamp: None,
        blocked: None,
        filters: Vec::new(),
    };
    Arc::new(Entity { system: system.into(), name: own.into(), label: "".into(), read: Some(read), write: None })
}

pub(crate) fn write_entity(
    name: &str,
    label: &str,
    family: Option<(&str, &str)>,
    recognise: Recognise,
    shown_by: Option<&str>,
) -> Arc<Entity> {
    let (system, own) = name.split_once('.').unwrap();
    let write = WriteFacts {
        create: None,
        update: None,
        update_key: Vec::new(),
        answer: Answer::None,
        class: WriteClass::Document,
        family: family.map(|(family, path)| (family.into(), vec![path.into()])),
        recognise,
        shown_by: shown_by.map(Into::into),
        balance: None,
        replaces_lists: false,
        shows: BTreeMap::new(),
        through: None,
        root: own.into(),
    };
    Arc::new(Entity { system: system.into(), name: own.into(), label: label.into(), read: None, write: Some(write) })
}

pub(crate) fn line_items() -> Arc<Object> {
    object(
        "jortt.invoices.line_items",
        &[
            ("description", opt(Kind::Text)),
            ("code", opt(Kind::Text)),
            ("quantity", opt(Kind::Decimal)),
            ("amount", opt(Kind::Money)),
        ],
    )
}

pub(crate) fn invoices() -> Arc<Entity> {
    let words: Arc<[Arc<str>]> = Arc::from(["draft".into(), "sent".into(), "late".into(), "paid".into()]);
    read_entity(
        "jortt.invoices",
        "id",
        &[
            ("id", ty(Kind::Text)),
            ("number", opt(Kind::Text)),
            ("date", ty(Kind::Date)),
            ("total", ty(Kind::Money)),
            ("email", opt(Kind::Email)),
            ("coc", opt(Kind::Text)),
            ("name", opt(Kind::Text)),
            ("remarks", opt(Kind::Text)),
            ("list", ty(Kind::Words(words))),
            ("line_items", Ty::list(ty(Kind::Record(line_items())))),
        ],
    )
}

pub(crate) fn debtors() -> Arc<Entity> {
    read_entity(
        "afas.Profit_Debtor",
        "DebtorId",
        &[
            ("DebtorId", ty(Kind::Text)),
            ("Email", opt(Kind::Email)),
            ("ChOfCommNr", opt(Kind::Text)),
            ("BcCo", opt(Kind::Text)),
            ("Blocked", opt(Kind::Bool)),
            ("Limit", opt(Kind::Int)),
        ],
    )
}

pub(crate) fn contacts() -> Arc<Entity> {
    read_entity(
        "afas.Profit_Contacts",
        "ContactId",
        &[("ContactId", ty(Kind::Int)), ("OrgNumber", opt(Kind::Text)), ("MailWork", opt(Kind::Email))],
    )
}

pub(crate) fn articles() -> Arc<Entity> {
    read_entity(
        "afas.Profit_Article",
        "ItemCode",
        &[("ItemCode", ty(Kind::Text)), ("UnitId", opt(Kind::Text)), ("Blocked", opt(Kind::Bool))],
    )
}

pub(crate) fn salesorders() -> Arc<Entity> {
    read_entity(
        "afas.Profit_Salesorders",
        "OrderNumber",
        &[("OrderNumber", ty(Kind::Text)), ("CustomerReference", opt(Kind::Text))],
    )
}

pub(crate) fn sales() -> Arc<Entity> {
    let recognise = Recognise {
        own_number: Some(OwnNumber { field: "OrNu".into(), read: None }),
        reference: Some("RfCs".into()),
        ..Recognise::default()
    };
    write_entity("afas.FbSales", "sales order", None, recognise, Some("Profit_Salesorders"))
}

pub(crate) fn organisations() -> Arc<Entity> {
    let family = Some(("debtor", "KnOrganisation.EmAd"));
    write_entity("afas.KnSalesRelationOrg", "debtor", family, Recognise::default(), Some("Profit_Debtor"))
}

pub(crate) fn items() -> Arc<Entity> {
    write_entity("afas.FbItemArticle", "item", Some(("item", "ItCd")), Recognise::default(), Some("Profit_Article"))
}

pub(crate) fn entity_name(entity: &Entity) -> EntityName {
    EntityName { role: entity.system.clone(), entity: entity.name.clone() }
}

// ---- expressions

pub(crate) fn expr(kind: ExprKind, ty: Ty) -> Expr {
    Expr { kind, ty, span: span() }
}

pub(crate) fn constant(value: Value) -> Expr {
    expr(ExprKind::Const(value), Ty::any())
}

pub(crate) fn text(text: &str) -> Expr {
    expr(ExprKind::Const(Value::text(text)), ty(Kind::Text))
}

pub(crate) fn yes(yes: bool) -> Expr {
    expr(ExprKind::Const(Value::Bool(yes)), ty(Kind::Bool))
}

pub(crate) fn int(n: i64) -> Expr {
    expr(ExprKind::Const(Value::Int(n)), ty(Kind::Int))
}

pub(crate) fn eur(amount: &str) -> Expr {
    expr(ExprKind::Const(Value::eur(amount.parse().unwrap())), ty(Kind::Money))
}

pub(crate) fn blank() -> Expr {
    expr(ExprKind::Const(Value::Blank), Ty::any())
}

pub(crate) fn var(var: VarId) -> Expr {
    expr(ExprKind::Var(var), Ty::any())
}

/// `of.name`, a text if nothing else is said.
pub(crate) fn field(of: Expr, name: &str) -> Expr {
    field_of(of, name, opt(Kind::Text))
}

pub(crate) fn field_of(of: Expr, name: &str, ty: Ty) -> Expr {
    expr(ExprKind::Field(Box::new(of), name.into()), ty)
}

pub(crate) fn lines_of(record: VarId) -> Expr {
    field_of(var(record), "line_items", Ty::list(ty(Kind::Record(line_items()))))
}

pub(crate) fn binary(op: BinaryOp, a: Expr, b: Expr) -> Expr {
    expr(ExprKind::Binary(op, Box::new(a), Box::new(b)), ty(Kind::Bool))
}

pub(crate) fn is(a: Expr, b: Expr) -> Expr {
    binary(BinaryOp::Is, a, b)
}

pub(crate) fn is_not(a: Expr, b: Expr) -> Expr {
    binary(BinaryOp::IsNot, a, b)
}

pub(crate) fn and(a: Expr, b: Expr) -> Expr {
    binary(BinaryOp::And, a, b)
}

pub(crate) fn or(a: Expr, b: Expr) -> Expr {
    binary(BinaryOp::Or, a, b)
}

pub(crate) fn not(of: Expr) -> Expr {
    expr(ExprKind::Not(Box::new(of)), ty(Kind::Bool))
}

pub(crate) fn must(of: Expr, name: &str) -> Expr {
    expr(ExprKind::Must(Box::new(of), name.into()), ty(Kind::Text))
}

/// The first value whose condition, here in front of it, holds.
pub(crate) fn choose(arms: Vec<(Expr, Expr)>, last: Option<Expr>) -> Expr {
    let arms = arms.into_iter().map(|(when, value)| (value, when)).collect();
    expr(ExprKind::Choose(arms, last.map(Box::new)), opt(Kind::Text))
}

pub(crate) fn call(name: &str, args: Vec<Expr>, ty: Ty) -> Expr {
    expr(ExprKind::Function(function(name).unwrap(), args), ty)
}

pub(crate) fn holes(parts: Vec<TextPart>) -> Expr {
    expr(ExprKind::Text(parts), ty(Kind::Text))
}

pub(crate) fn ends(verdict: Verdict, because: &str) -> Expr {
    expr(ExprKind::Outcome(verdict, message(because)), Ty::any())
}

pub(crate) fn exists(search: Search) -> Expr {
    expr(ExprKind::Exists(Box::new(search)), ty(Kind::Bool))
}

pub(crate) fn message(chars: &str) -> Message {
    Message { parts: vec![MessagePart::Chars(chars.into())], span: span() }
}

// ---- statements

pub(crate) fn guard(verdict: Verdict, when: Option<Expr>, because: &str) -> Guard {
    Guard { verdict, when, message: message(because), settings_only: false }
}

pub(crate) fn line(name: &str, value: Expr) -> Line {
    let object = object("", &[(name, ty(Kind::Text))]);
    let field = object.field(name).unwrap().clone();
    Line::Field(FieldLine { field, value, policy: None, max: None, span: span() })
}

pub(crate) fn inside(name: &str, lines: Vec<Line>) -> Line {
    let object = object("", &[(name, ty(Kind::Record(object("", &[]))))]);
    Line::Object { field: object.field(name).unwrap().clone(), policy: None, when: None, lines }
}

pub(crate) fn each_line(name: &str, var: VarId, list: Expr, when: Option<Expr>, lines: Vec<Line>) -> Line {
    let object = object("", &[(name, Ty::list(ty(Kind::Record(object("", &[])))))]);
    Line::Each { field: object.field(name).unwrap().clone(), var, list, when, lines }
}

pub(crate) fn target(entity: &Arc<Entity>, when: Option<Expr>, lines: Vec<Line>) -> Target {
    Target { name: entity_name(entity), entity: entity.clone(), shown_by: None, through: None, when, lines }
}

/// A program that reads invoices.
pub(crate) struct Sample {
    pub(crate) program: Program,
    pub(crate) record: VarId,
    pub(crate) values: SettingValues,
}

impl Sample {
    pub(crate) fn new() -> Self {
        LINE.set(0);
        let invoices = invoices();
        let source = Source {
            var: VarId(0),
            name: entity_name(&invoices),
            entity: invoices,
            condition: None,
            since: Since::Change,
            key: vec!["id".into()],
            span: span(),
        };
        let program = Program {
            name: "sample".into(),
            title: None,
            file: FileId(0),
            vars: Vec::new(),
            settings: Vec::new(),
            tables: Vec::new(),
            defines: Vec::new(),
            constants: Vec::new(),
            source: Some(source),
            body: Vec::new(),
            afters: Vec::new(),
            tests: Vec::new(),
        };
        let mut sample = Self { program, record: VarId(0), values: SettingValues::new() };
        sample.record = sample.var("invoice");
        sample
    }

    pub(crate) fn var(&mut self, name: &str) -> VarId {
        let id = VarId(u32::try_from(self.program.vars.len()).unwrap());
        self.program.vars.push(Var { name: name.into(), ty: Ty::any(), span: span(), private: false });
        id
    }

    /// `invoice.name`
    pub(crate) fn invoice(&self, name: &str) -> Expr {
        field(var(self.record), name)
    }

    pub(crate) fn setting(&mut self, name: &str, value: Option<Value>) -> Expr {
        let id = SettingId(u32::try_from(self.program.settings.len()).unwrap());
        let (name, owner): (Arc<str>, Arc<str>) = (name.into(), "sample".into());
        if let Some(value) = value {
            self.values.insert((owner.clone(), name.clone()), value);
        }
        self.program.settings.push(Setting { name, owner, ty: ty(Kind::Text), default: None, span: span() });
        expr(ExprKind::Setting(id), ty(Kind::Text))
    }

    pub(crate) fn define(&mut self, params: Vec<VarId>, body: Expr) -> DefineId {
        let id = DefineId(u32::try_from(self.program.defines.len()).unwrap());
        self.program.defines.push(Define { name: "define".into(), params, body });
        id
    }

    pub(crate) fn table(&mut self, table: Table) -> TableId {
        let id = TableId(u32::try_from(self.program.tables.len()).unwrap());
        self.program.tables.push(table);
        id
    }

    /// A search whose condition is made from its row.
    pub(crate) fn search(&mut self, entity: &Arc<Entity>, condition: impl FnOnce(VarId) -> Expr) -> Search {
        let row = self.var("row");
        let condition = Some(condition(row));
        let name = entity_name(entity);
        Search { name, entity: entity.clone(), row, condition, by: Vec::new(), span: span() }
    }

    pub(crate) fn find(&mut self, name: &str, search: Search, mode: FindMode) -> (VarId, Stmt) {
        let var = self.var(name);
        (var, Stmt::Find(Find { var, search, mode }))
    }

    pub(crate) fn let_(&mut self, name: &str, value: Expr) -> (VarId, Stmt) {
        let var = self.var(name);
        (var, Stmt::Let(Let { var, value, max: None, span: span() }))
    }

    pub(crate) fn write(&mut self, name: &str, gives: &str, targets: Vec<Target>) -> Write {
        let var = self.var(name);
        let (action, gives) = (Action::Create, Some(gives.into()));
        Write { var, name: name.into(), named: true, action, targets, gives, span: span() }
    }

    pub(crate) fn ensure(
        &mut self,
        name: &str,
        alternatives: impl FnOnce(&mut Self, VarId) -> Vec<Alternative>,
    ) -> Ensure {
        let (var, found) = (self.var(name), self.var("found"));
        let alternatives = alternatives(self, found);
        Ensure { var, name: name.into(), found, alternatives, max: None, span: span() }
    }

    pub(crate) fn guard(&mut self, verdict: Verdict, when: Option<Expr>, because: &str) {
        self.program.body.push(Stmt::Guard(guard(verdict, when, because)));
    }

    pub(crate) fn stmt(&mut self, stmt: Stmt) {
        self.program.body.push(stmt);
    }

    pub(crate) fn try_plan(&self) -> Result<Plan, Vec<PlanError>> {
        let mut sources = Sources::default();
        sources.add("sample.flow", "\n".repeat(2000));
        build(Arc::new(self.program.clone()), &sources, &self.values)
    }

    pub(crate) fn plan(&self) -> Plan {
        self.try_plan().unwrap()
    }
}

/// A record of these fields.
pub(crate) fn record(fields: &[(&str, Value)]) -> Record {
    let names = fields.iter().map(|(name, _)| (*name).into()).collect();
    Record::new(Arc::new(Shape { names }), fields.iter().map(|(_, value)| value.clone()).collect())
}

pub(crate) fn list(items: Vec<Value>) -> Value {
    Value::List(items.into())
}

/// What the two systems hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held(pub(crate) BTreeMap<String, Vec<Record>>);

impl Held {
    pub(crate) fn with(mut self, entity: &str, fields: &[(&str, Value)]) -> Self {
        self.0.entry(entity.to_owned()).or_default().push(record(fields));
        self
    }

    pub(crate) fn answer(&self, ask: &Ask) -> Arc<[Record]> {
        let rows = self.0.get(&ask.entity.to_string()).map_or(&[][..], Vec::as_slice);
        rows.iter().filter(|row| ask.filter.matches(row)).cloned().collect()
    }
}
