//! Loops as values: `[f(x) for x in list when c]` and `each x in list when c { fields }`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::super::{
    checker::{Checker, expr},
    facts,
    typed::{Expr, ExprKind, FieldLine, Line, RecordExpr, VarId},
    types::say,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Field, Kind, Object, Privacy, Ty},
    syntax::tree::{self, Comprehension, Name, Rows},
};

impl Checker<'_> {
    /// The list of a loop and the type of its elements.
    pub(in crate::check) fn looped(&mut self, list: &tree::Expr) -> (Expr, Ty) {
        let list = self.expr(list);
        let of = match &list.ty.kind {
            Kind::List(of) => (**of).clone(),
            Kind::Any => Ty::any(),
            _ => {
                let named = self.named(list.span, "this");
                let title = format!("{named} is {}, and a loop needs a list", say(&list.ty));
                self.say(Diagnostic::new("F103", title, list.span));
                Ty::any()
            }
        };
        (list, of)
    }

    /// The loop name of a block that is open already.
    pub(in crate::check) fn loop_name(&mut self, name: &Name, of: Ty, private: bool) -> VarId {
        let var = self.var(&name.text, of, name.span, private);
        self.bind(name, var);
        var
    }

    pub(super) fn comprehension(&mut self, inner: &Comprehension, span: Span) -> Expr {
        let (list, of) = self.looped(&inner.list);
        let private = self.private(&list);
        self.block(|checker| {
            let var = checker.loop_name(&inner.name, of, private);
            let when = inner.when.as_ref().map(|when| checker.condition(when));
            checker.scope.known.extend(when.iter().flat_map(facts::when_true));
            let item = checker.expr(&inner.item);
            let ty = Ty::list(item.ty.clone());
            let (item, list, when) = (Box::new(item), Box::new(list), when.map(Box::new));
            expr(ExprKind::Comprehension { item, var, list, when }, ty, span)
        })
    }

    /// `each x in list when c { fields }`: records whose shape is what the lines say.
    pub(in crate::check) fn rows(&mut self, rows: &Rows) -> Expr {
        let (list, of) = self.looped(&rows.list);
        self.block(|checker| {
            let var = checker.loop_name(&rows.name, of, false);
            let when = rows.when.as_ref().map(|when| checker.condition(when));
            checker.scope.known.extend(when.iter().flat_map(facts::when_true));
            let record = checker.open_record(&rows.lines);
            let ty = Ty::list(Ty::new(Kind::Record(record.object.clone())));
            let (list, when, record) = (Box::new(list), when.map(Box::new), Box::new(record));
            expr(ExprKind::Rows { var, list, when, record }, ty, rows.span)
        })
    }

    /// A record whose fields are declared by giving them.
    fn open_record(&mut self, lines: &[tree::Line]) -> RecordExpr {
        let mut fields: IndexMap<Arc<str>, Arc<Field>> = IndexMap::new();
        let mut places: IndexMap<Arc<str>, Span> = IndexMap::new();
        let mut typed = Vec::new();
        for line in lines {
            let tree::Line::Assign(assign) = line else {
                match self.inner_line(line) {
                    Some(line) => typed.push(line),
                    None => self.misplaced_in_rows(line),
                }
                continue;
            };
            if let Some(policy) = &assign.policy {
                let told = Diagnostic::new("F006", "these are no fields of a target, nothing is sent", policy.span);
                self.say(told.help("leave it out, and put it behind the field that uses this"));
            }
            let value = self.expr(&assign.value);
            let [name] = assign.target.names.as_slice() else {
                let title = "a field of such a record is one word";
                self.say(Diagnostic::new("F006", title, assign.target.span));
                continue;
            };
            if let Some(first) = places.get(&name.text) {
                let told = Diagnostic::new("F205", format!("`{}` is given twice", name.text), name.span);
                self.say(told.also(*first, "given here first").help("leave one of them out"));
                continue;
            }
            let field = Arc::new(self.open_field(name, &value));
            places.insert(name.text.clone(), name.span);
            fields.insert(name.text.clone(), field.clone());
            typed.push(Line::Field(FieldLine { field, value, policy: None, max: None, span: assign.span }));
        }
        RecordExpr { lines: typed, object: Arc::new(Object { path: "".into(), label: "".into(), fields }) }
    }

    fn open_field(&self, name: &Name, value: &Expr) -> Field {
        let privacy = if self.private(value) { Privacy::Personal } else { Privacy::Plain };
        Field { privacy, ..Field::plain(name.text.clone(), value.ty.clone()) }
    }

    fn misplaced_in_rows(&mut self, line: &tree::Line) {
        let (what, span) = match line {
            tree::Line::Include(include) => ("an `include`", include.span),
            tree::Line::AssignEach(_, rows) => ("a list of records", rows.head),
            tree::Line::Nested(nested) => ("an object", nested.head),
            tree::Line::Let(_)
            | tree::Line::Find(_)
            | tree::Line::Guard(_)
            | tree::Line::Ensure(_)
            | tree::Line::Assign(_) => return,
        };
        let told = Diagnostic::new("F006", format!("{what} cannot stand in such a record"), span);
        self.say(told.help("these records have plain fields:  name = value"));
    }
}
