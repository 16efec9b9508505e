//! Bodies of fields: assignments, sub-objects, lines, includes, policies.

use super::{Pair, Reader, parts};
use crate::{
    diagnostic::Span,
    syntax::{
        grammar::Rule,
        tree::{Assign, Include, Line, Nested, Policy, PolicyKind},
    },
};

impl Reader<'_> {
    /// The head of the statement that has this body, and its lines.
    pub(super) fn map_block(&mut self, statement: Span, pair: Pair<'_>) -> Option<(Span, Vec<Line>)> {
        let mut inner = parts(pair);
        let head = self.head(statement, &inner.maybe(Rule::open)?);
        let mut lines = Vec::new();
        while let Some(line) = inner.any() {
            if Self::is_broken(&line) {
                continue;
            }
            let place = self.span(&line);
            match self.line(line) {
                Some(line) => lines.push(line),
                None => self.missing(place),
            }
        }
        Some((head, lines))
    }

    fn line(&mut self, pair: Pair<'_>) -> Option<Line> {
        let span = self.span(&pair);
        Some(match pair.as_rule() {
            Rule::let_stmt => Line::Let(self.let_stmt(pair)?),
            Rule::find_stmt => Line::Find(self.find_stmt(pair)?),
            Rule::guard => Line::Guard(self.guard(pair)?),
            Rule::ensure => Line::Ensure(self.ensure(pair)?),
            Rule::include => Line::Include(self.include(pair)?),
            Rule::assign => Line::Assign(self.assign(pair)?),
            Rule::assign_each => {
                self.stands(span);
                let mut inner = parts(pair);
                let target = self.path(inner.maybe(Rule::target)?);
                Line::AssignEach(target, self.rows(inner.maybe(Rule::each_rows)?)?)
            }
            Rule::nested => {
                self.stands(span);
                let mut inner = parts(pair);
                let target = self.path(inner.maybe(Rule::target)?);
                let policy = inner.maybe(Rule::policy).and_then(|policy| self.policy(policy));
                let when = self.when_part(inner.maybe(Rule::when_part));
                let (head, lines) = self.map_block(span, inner.maybe(Rule::map_block)?)?;
                Line::Nested(Nested { target, policy, when, lines, head, span })
            }
            _ => return None,
        })
    }

    fn assign(&mut self, pair: Pair<'_>) -> Option<Assign> {
        let start = self.span(&pair);
        let mut inner = parts(pair);
        let target = self.path(inner.maybe(Rule::target)?);
        let value = self.expr(inner.maybe(Rule::expr)?);
        let policy = inner.maybe(Rule::policy).and_then(|policy| self.policy(policy));
        let end = policy.map_or(value.span.end, |policy| policy.span.end);
        let span = self.stands(Span { end, ..start });
        self.found.fields.push(span);
        Some(Assign { target, value, policy, span })
    }

    pub(super) fn include(&mut self, pair: Pair<'_>) -> Option<Include> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let call = self.call(inner.maybe(Rule::call)?)?;
        let policy = inner.maybe(Rule::policy).and_then(|policy| self.policy(policy));
        Some(Include { call, policy, span })
    }

    fn policy(&mut self, pair: Pair<'_>) -> Option<Policy> {
        let span = self.span(&pair);
        let kind = match pair.into_inner().next()?.as_rule() {
            Rule::on_create => PolicyKind::OnCreate,
            Rule::on_update => PolicyKind::OnUpdate,
            Rule::unless_filled => PolicyKind::UnlessFilled,
            Rule::unless_edited => PolicyKind::UnlessEdited,
            _ => return None,
        };
        Some(Policy { kind, span })
    }
}
