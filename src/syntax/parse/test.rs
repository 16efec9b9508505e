//! Tests: what is given and what is expected.

use super::{Pair, Parts, Reader, parts};
use crate::{
    diagnostic::Span,
    syntax::{
        grammar::Rule,
        tree::{Expect, ExpectKind, Given, GivenKind, Line, Test},
    },
    value::{Action, Verdict},
};

impl Reader<'_> {
    pub(super) fn test(&mut self, pair: Pair<'_>) -> Option<Test> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.plain_text(inner.maybe(Rule::string)?);
        self.head(span, &inner.maybe(Rule::open)?);
        let mut test = Test { name, givens: Vec::new(), expects: Vec::new(), span };
        while let Some(line) = inner.any() {
            if Self::is_broken(&line) {
                continue;
            }
            let (place, rule) = (self.span(&line), line.as_rule());
            let place = self.stands(place);
            let Some(kind) = line.into_inner().find(|pair| !crate::syntax::grammar::is_quiet(pair.as_rule())) else {
                continue;
            };
            let read = if rule == Rule::given {
                let kind = self.given(kind, place);
                kind.map(|kind| test.givens.push(Given { kind, span: place }))
            } else {
                let kind = self.expect(kind, place);
                kind.map(|kind| test.expects.push(Expect { kind, span: place }))
            };
            if read.is_none() {
                self.missing(place);
            }
        }
        Some(test)
    }

    fn given(&mut self, pair: Pair<'_>, line: Span) -> Option<GivenKind> {
        let rule = pair.as_rule();
        let mut inner = parts(pair);
        let path = inner.maybe(Rule::path).or_else(|| inner.maybe(Rule::entity)).map(|path| self.path(path))?;
        Some(match rule {
            Rule::given_setting => GivenKind::Setting(path, self.expr(inner.maybe(Rule::expr)?)),
            Rule::given_value => GivenKind::Value(path, self.expr(inner.maybe(Rule::expr)?)),
            Rule::given_after => GivenKind::After(path, self.fields(&mut inner, line)?),
            Rule::given_empty => GivenKind::Empty(path),
            Rule::given_has => GivenKind::Has(path, self.fields(&mut inner, line)?),
            Rule::given_record => GivenKind::Record(path, self.fields(&mut inner, line)?),
            Rule::given_from => {
                let from = self.quoted_name(inner.maybe(Rule::string)?);
                GivenKind::From(path, from, self.fields(&mut inner, line))
            }
            _ => return None,
        })
    }

    fn fields(&mut self, inner: &mut Parts<'_>, line: Span) -> Option<Vec<Line>> {
        Some(self.map_block(line, inner.maybe(Rule::map_block)?)?.1)
    }

    fn expect(&mut self, pair: Pair<'_>, line: Span) -> Option<ExpectKind> {
        let rule = pair.as_rule();
        if rule == Rule::expr {
            return Some(ExpectKind::Expr(self.expr(pair)));
        }
        let mut inner = parts(pair);
        let no = inner.has(Rule::kw_no);
        Some(match rule {
            Rule::expect_write => {
                let action = if inner.has(Rule::kw_create) {
                    Some(Action::Create)
                } else if inner.has(Rule::kw_update) {
                    Some(Action::Update)
                } else {
                    None
                };
                let entity = inner.maybe(Rule::entity).map(|entity| self.path(entity));
                ExpectKind::Write { no, action, entity, lines: self.fields(&mut inner, line).unwrap_or_default() }
            }
            Rule::expect_read => ExpectKind::NoRead,
            Rule::expect_outcome => {
                let verdict = match inner.maybe(Rule::verdict) {
                    Some(verdict) => Self::verdict(verdict)?,
                    None => Verdict::Warn,
                };
                ExpectKind::Outcome { no, verdict, text: inner.maybe(Rule::string).map(|text| self.text(text)) }
            }
            _ => return None,
        })
    }
}
