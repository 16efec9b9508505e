//! Types as written: names of kinds, entities and their parts, references to columns (F104 for what is none).

use std::sync::Arc;

use super::{
    checker::Checker,
    entity::{inner, short},
    load::DeclKind,
    lookup::Found,
    suggest,
};
use crate::{
    diagnostic::Diagnostic,
    schema::{ColumnRef, Kind, Ty},
    syntax::tree::{Name, Path, TypeKind, TypeRef},
};

/// The kinds by name. A pattern is the type of a literal only.
const KINDS: &[(&str, Kind)] = &[
    ("text", Kind::Text),
    ("int", Kind::Int),
    ("decimal", Kind::Decimal),
    ("money", Kind::Money),
    ("percent", Kind::Percent),
    ("bool", Kind::Bool),
    ("date", Kind::Date),
    ("datetime", Kind::DateTime),
    ("duration", Kind::Duration),
    ("country", Kind::Country),
    ("currency", Kind::Currency),
    ("email", Kind::Email),
    ("iban", Kind::Iban),
    ("vat_number", Kind::VatNumber),
];

/// What people of other languages write for a kind.
const FOREIGN: &[(&str, &str)] = &[
    ("string", "text"),
    ("str", "text"),
    ("integer", "int"),
    ("number", "decimal"),
    ("float", "decimal"),
    ("double", "decimal"),
    ("boolean", "bool"),
    ("amount", "money"),
    ("percentage", "percent"),
];

impl Checker<'_> {
    /// The type that is written; [`Ty::any`] after a mistake.
    pub(super) fn ty(&mut self, written: &TypeRef) -> Ty {
        let ty = match &written.kind {
            TypeKind::Named(path, max) => self.of_name(path, *max),
            TypeKind::OneOf(words) => Ty::new(Kind::OneOf(words.iter().map(|word| word.text.clone()).collect())),
            TypeKind::List(of) => Ty::list(self.ty(of)),
        };
        if written.optional { ty.or_blank() } else { ty }
    }

    fn of_name(&mut self, path: &Path, max: Option<u32>) -> Ty {
        let Some(first) = path.names.first() else { return Ty::any() };
        if path.names.len() > 1 {
            return self.column(path).unwrap_or_else(Ty::any);
        }
        if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == &*first.text) {
            if max.is_some() && *kind != Kind::Text {
                let title = format!("only `text` has a length, `{}` has none", first.text);
                self.say(Diagnostic::new("F104", title, path.span).help(format!("`{}`", first.text)));
            }
            return Ty { max: max.filter(|_| *kind == Kind::Text), ..Ty::new(kind.clone()) };
        }
        let mut told = Diagnostic::new("F104", format!("there is no type `{}`", first.text), path.span);
        if &*first.text == "pattern" {
            "`pattern` is the type of a literal `/…/` only".clone_into(&mut told.title);
        }
        let foreign = FOREIGN.iter().find(|(name, _)| *name == first.text.to_lowercase());
        told.help = match foreign {
            Some((_, own)) => Some(format!("`{own}`")),
            None => suggest::quoted(&first.text, KINDS.iter().map(|(name, _)| *name)),
        };
        self.say(told);
        Ty::any()
    }

    /// A column of a table (`vat_duty.duty`), a field of an entity (`afas.Profit_Journals.JournalId`), an entity or a
    /// part of one.
    fn column(&mut self, path: &Path) -> Option<Ty> {
        let first = path.names.first()?;
        if let Some(unit) = self.here()
            && let Some(decl) = unit.names.get(&first.text)
            && matches!(decl.kind, DeclKind::Table(_) | DeclKind::Used(_))
        {
            return self.table_column(first, path);
        }
        if !self.project.roles.contains_key(&first.text) {
            let unit = self.here();
            if unit.is_some_and(|unit| unit.lost.contains(&*first.text)) {
                return None;
            }
            let tables = unit.into_iter().flat_map(|unit| unit.names.keys()).map(|name| &**name);
            let roles = self.project.roles.keys().map(|role| &**role);
            let title = format!("`{}` is neither a table nor a connection", first.text);
            let mut told = Diagnostic::new("F104", title, first.span);
            let near = suggest::quoted(&first.text, tables.chain(roles));
            told.help = self.in_library(&first.text).or(near);
            self.say(told);
            return None;
        }
        // a record: an entity or a part of one, as it is read
        if let Some(object) = self.object_of(&path.names, false) {
            return Some(Ty::new(Kind::Record(object)));
        }
        let (last, parents) = path.names.split_last()?;
        for written in [false, true] {
            let Some(object) = self.object_of(parents, written) else { continue };
            let Some(field) = object.field(&last.text) else { continue };
            if inner(&field.ty).is_some() {
                continue;
            }
            let role = first.text.clone();
            let of = format!("{role}.{}", short(&object)).into();
            let reference = Some(ColumnRef { of, column: field.name.clone() });
            return Some(Ty { reference, ..field.ty.clone().filled() });
        }
        self.unknown_path(path);
        None
    }

    fn table_column(&mut self, first: &Name, path: &Path) -> Option<Ty> {
        let Found::Table((unit, name), table) = self.lookup_declared(&first.text) else {
            // a name that `use` could not find was told; another kind of declaration has no columns
            let known = self.here().and_then(|unit| unit.names.get(&first.text));
            if known.is_some_and(|decl| !matches!(decl.kind, DeclKind::Used(None))) {
                let title = format!("`{}` is no table: only tables have columns", first.text);
                self.say(Diagnostic::new("F104", title, first.span));
            }
            return None;
        };
        let column = path.names.get(1)?;
        let all = || table.inputs.iter().chain(&table.results);
        let Some(param) = all().find(|param| param.name.text == column.text) else {
            let title = format!("table `{}` has no column `{}`", first.text, column.text);
            let mut told = Diagnostic::new("F104", title, column.span);
            told.help = suggest::quoted(&column.text, all().map(|param| &*param.name.text));
            self.say(told);
            return None;
        };
        // two tables whose columns are each other's types
        let key = (unit, Arc::from(format!("{name}.{}", column.text)));
        if self.including.contains(&key) {
            let title = format!("`{}.{}` is the type of itself, in a circle", first.text, column.text);
            let told = Diagnostic::new("F108", title, path.span).help("write the type of one of them out");
            self.say_circle(&key, told);
            return None;
        }
        self.including.push(key);
        let ty = self.within(unit, String::new(), |checker| checker.silently(|checker| checker.ty(&param.ty)));
        self.including.pop();
        let reference = Some(ColumnRef { of: name, column: column.text.clone() });
        Some(Ty { reference, ..ty.filled() })
    }
}

/// The type in a reader's words: "text", "an amount", "yes or no".
pub(super) fn say(ty: &Ty) -> String {
    let words = match &ty.kind {
        Kind::Text => "text".to_owned(),
        Kind::Int => "a whole number".to_owned(),
        Kind::Decimal => "a number".to_owned(),
        Kind::Money => "an amount of money".to_owned(),
        Kind::Percent => "a percentage".to_owned(),
        Kind::Bool => "yes or no".to_owned(),
        Kind::Date => "a date".to_owned(),
        Kind::DateTime => "a date with a time".to_owned(),
        Kind::Duration => "a length of time".to_owned(),
        Kind::Country => "a country code".to_owned(),
        Kind::Currency => "a currency code".to_owned(),
        Kind::Email => "an e-mail address".to_owned(),
        Kind::Iban => "an IBAN".to_owned(),
        Kind::VatNumber => "a VAT number".to_owned(),
        Kind::Pattern => "a pattern".to_owned(),
        Kind::OneOf(words) if words.len() == 1 => "text".to_owned(),
        Kind::OneOf(words) | Kind::Words(words) => {
            format!("one of {}", suggest::words(words.iter().map(|word| &**word), '"', 6))
        }
        Kind::List(of) => format!("a list of {}", say_many(of)),
        Kind::Record(object) if object.path.is_empty() => "a record".to_owned(),
        Kind::Record(object) if object.label.is_empty() => format!("a record of {}", short(object)),
        Kind::Record(object) => suggest::with_article(&object.label),
        Kind::Any => "anything".to_owned(),
    };
    match (&ty.kind, ty.max) {
        (Kind::Text, Some(max)) => format!("{words} of at most {max} characters"),
        _ => words,
    }
}

fn say_many(ty: &Ty) -> String {
    match &ty.kind {
        Kind::Text | Kind::OneOf(_) => "texts".to_owned(),
        Kind::Int | Kind::Decimal => "numbers".to_owned(),
        Kind::Money => "amounts".to_owned(),
        Kind::Percent => "percentages".to_owned(),
        Kind::Record(_) => "records".to_owned(),
        Kind::Any => "anything".to_owned(),
        _ => say(ty),
    }
}
