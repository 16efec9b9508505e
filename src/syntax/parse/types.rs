//! Types and parameters.

use super::{Pair, Reader, parts};
use crate::{
    diagnostic::{Diagnostic, Span},
    syntax::{
        grammar::Rule,
        scan::DEEPEST,
        tree::{Param, TypeKind, TypeRef},
    },
};

impl Reader<'_> {
    pub(super) fn params(&mut self, pair: Pair<'_>) -> Option<Vec<Param>> {
        parts(pair).many(Rule::param).into_iter().map(|param| self.param(param)).collect()
    }

    pub(super) fn param(&mut self, pair: Pair<'_>) -> Option<Param> {
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        Some(Param { name, ty: self.type_ref(inner.maybe(Rule::type_ref)?)? })
    }

    pub(super) fn type_ref(&mut self, pair: Pair<'_>) -> Option<TypeRef> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let lists = inner.many(Rule::list_of);
        if lists.len() > DEEPEST {
            self.say(Diagnostic::new("F004", format!("`list of` stands more than {DEEPEST} times in a row"), span));
            return None;
        }
        let place = inner.clone().any().map_or(span, |kind| Span { end: span.end, ..self.span(&kind) });
        let kind = match inner.maybe(Rule::one_of) {
            Some(words) => {
                let words = parts(words).many(Rule::string);
                TypeKind::OneOf(words.into_iter().map(|word| self.quoted_name(word)).collect())
            }
            None => self.type_name(inner.maybe(Rule::type_name)?)?,
        };
        let optional = inner.has(Rule::optional);
        let mut ty = TypeRef { kind, optional, span: place };
        for list in lists.iter().rev() {
            let span = Span { end: span.end, ..self.span(list) };
            ty = TypeRef { kind: TypeKind::List(Box::new(ty)), optional: false, span };
        }
        Some(ty)
    }

    fn type_name(&mut self, pair: Pair<'_>) -> Option<TypeKind> {
        let mut inner = parts(pair);
        let path = self.path(inner.maybe(Rule::path)?);
        let Some(size) = inner.maybe(Rule::size) else { return Some(TypeKind::Named(path, None)) };
        let number = size.as_str().parse().ok().filter(|number| *number > 0);
        if number.is_none() {
            let place = self.span(&size);
            self.say(
                Diagnostic::new("F008", "no text has this length", place)
                    .help("a whole number, for example `text(40)`"),
            );
        }
        Some(TypeKind::Named(path, number))
    }
}
