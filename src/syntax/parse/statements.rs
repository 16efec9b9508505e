//! Statements: heads of a file, sources, `let`, `find`, guards, `ensure`, writes, `each`, `after`.

use super::{Pair, Reader, parts};
use crate::{
    diagnostic::{Diagnostic, Span},
    syntax::{
        grammar::Rule,
        tree::{
            After, Alternative, Define, DefineBody, Each, Ensure, FieldsItem, Find, FindGives, FindMode, Flow, Guard,
            Let, LetValue, Read, Rows, Setting, Since, SortKey, Statement, Target, Use, Write,
        },
    },
    value::{Action, Verdict},
};

impl Reader<'_> {
    pub(super) fn flow(&mut self, pair: Pair<'_>) -> Option<Flow> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let title = inner.maybe(Rule::string).map(|title| self.plain_text(title));
        Some(Flow { name, title, doc: self.doc(span), span })
    }

    pub(super) fn use_item(&mut self, pair: Pair<'_>) -> Option<Use> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let names = inner.many(Rule::name).iter().map(|name| self.name(name)).collect();
        Some(Use { names, from: self.quoted_name(inner.maybe(Rule::string)?), span })
    }

    pub(super) fn setting(&mut self, pair: Pair<'_>) -> Option<Setting> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let ty = self.type_ref(inner.maybe(Rule::type_ref)?)?;
        let default = inner.maybe(Rule::expr).map(|expr| self.expr(expr));
        Some(Setting { name, ty, default, doc: self.doc(span), span })
    }

    pub(super) fn read_block(&mut self, pair: Pair<'_>) -> Option<Read> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let entity = self.path(inner.maybe(Rule::entity)?);
        let head = self.head(span, &inner.maybe(Rule::open)?);
        let mut read = Read { name, entity, wheres: Vec::new(), since: None, key: Vec::new(), span, head };
        while let Some(line) = inner.any() {
            let place = self.span(&line);
            match line.as_rule() {
                Rule::where_line => {
                    read.wheres.extend(parts(line).maybe(Rule::expr).map(|expr| self.expr(expr)));
                }
                Rule::since_line => {
                    let since = self.since(line);
                    if let Some(first) = &read.since {
                        self.say(
                            Diagnostic::new("F002", "a source has one `since`", place)
                                .also(first.span, "this is the first one")
                                .help("leave one of the two lines out"),
                        );
                    }
                    read.since = read.since.or(Some(since));
                }
                Rule::key_line => {
                    let keys = parts(line).many(Rule::expr);
                    read.key.extend(keys.into_iter().map(|expr| self.expr(expr)));
                }
                _ => {}
            }
        }
        Some(read)
    }

    fn since(&mut self, pair: Pair<'_>) -> Since {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let field = inner.maybe(Rule::dot_path).or_else(|| inner.maybe(Rule::path)).map(|path| self.path(path));
        let overlap = inner.maybe(Rule::duration).map(|duration| self.duration(&duration));
        Since { field, overlap, span }
    }

    /// From the start of a statement to before its brace.
    pub(super) fn head(&mut self, statement: Span, open: &Pair<'_>) -> Span {
        let brace = open.as_span().start();
        let head = self.up_to(statement, self.place(brace, brace + 1));
        self.found.fields.push(head);
        head
    }

    pub(super) fn let_stmt(&mut self, pair: Pair<'_>) -> Option<Let> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let ty = match inner.maybe(Rule::type_ref) {
            Some(ty) => Some(self.type_ref(ty)?),
            None => None,
        };
        let value = match inner.maybe(Rule::each_rows) {
            Some(rows) => LetValue::Rows(self.rows(rows)?),
            None => LetValue::Expr(self.expr(inner.maybe(Rule::expr)?)),
        };
        Some(Let { name, ty, value, doc: self.doc(span), span })
    }

    pub(super) fn rows(&mut self, pair: Pair<'_>) -> Option<Rows> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let list = self.expr(inner.maybe(Rule::source)?);
        let head = span.to(list.span);
        let head = Span { end: list.span.end, ..head };
        let when = self.when_part(inner.maybe(Rule::when_part));
        let (_, lines) = self.map_block(span, inner.maybe(Rule::map_block)?)?;
        Some(Rows { name, list, when, lines, head, span })
    }

    /// The condition of a `when`.
    pub(super) fn when_part(&mut self, pair: Option<Pair<'_>>) -> Option<crate::syntax::tree::Expr> {
        parts(pair?).maybe(Rule::expr).map(|expr| self.expr(expr))
    }

    pub(super) fn find_stmt(&mut self, pair: Pair<'_>) -> Option<Find> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let mode = if inner.has(Rule::kw_first) {
            FindMode::First
        } else if inner.has(Rule::kw_all) {
            FindMode::All
        } else {
            FindMode::One
        };
        let name = self.name(&inner.maybe(Rule::name)?);
        let entity = self.path(inner.maybe(Rule::entity)?);
        let condition = inner.maybe(Rule::where_part).and_then(|part| self.condition(part));
        let by = self.sort_keys(inner.maybe(Rule::by_part));
        Some(Find { name, mode, entity, condition, by, span })
    }

    /// The condition of a `where`.
    pub(super) fn condition(&mut self, pair: Pair<'_>) -> Option<crate::syntax::tree::Expr> {
        parts(pair).maybe(Rule::expr).map(|expr| self.expr(expr))
    }

    fn sort_keys(&mut self, pair: Option<Pair<'_>>) -> Vec<SortKey> {
        let keys = pair.map(|by| parts(by).many(Rule::sort_key)).unwrap_or_default();
        let keys = keys.into_iter().filter_map(|key| {
            let mut inner = parts(key);
            let descending = inner.has(Rule::descending);
            Some(SortKey { path: self.path(inner.maybe(Rule::dot_path)?), descending })
        });
        keys.collect()
    }

    /// `skip`, `hold`, `fail`.
    pub(super) fn verdict(pair: Pair<'_>) -> Option<Verdict> {
        match pair.into_inner().next()?.as_rule() {
            Rule::kw_skip => Some(Verdict::Skip),
            Rule::kw_hold => Some(Verdict::Hold),
            Rule::kw_fail => Some(Verdict::Fail),
            _ => None,
        }
    }

    pub(super) fn guard(&mut self, pair: Pair<'_>) -> Option<Guard> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let verdict = match inner.maybe(Rule::verdict) {
            Some(verdict) => Self::verdict(verdict)?,
            None => Verdict::Warn,
        };
        let when = self.when_part(inner.maybe(Rule::when_part));
        let because = parts(inner.maybe(Rule::because_part)?).maybe(Rule::string)?;
        Some(Guard { verdict, when, because: self.text(because), span })
    }

    pub(super) fn ensure(&mut self, pair: Pair<'_>) -> Option<Ensure> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let params = match inner.maybe(Rule::params) {
            Some(params) => Some(self.params(params)?),
            None => None,
        };
        let ty = self.type_ref(inner.maybe(Rule::type_ref)?)?;
        let head = self.head(span, &inner.maybe(Rule::open)?);
        let mut alternatives = Vec::new();
        while let Some(line) = inner.any() {
            if Self::is_broken(&line) {
                continue;
            }
            let place = self.span(&line);
            match self.alternative(line) {
                Some(alternative) => alternatives.push(alternative),
                None => self.missing(place),
            }
        }
        Some(Ensure { name, params, ty, alternatives, doc: self.doc(span), head, span })
    }

    fn alternative(&mut self, pair: Pair<'_>) -> Option<Alternative> {
        let span = self.span(&pair);
        Some(match pair.as_rule() {
            Rule::take_alt => Alternative::Take(self.expr(parts(pair).maybe(Rule::expr)?), self.stands(span)),
            Rule::find_alt => {
                let mut inner = parts(pair);
                let first = inner.has(Rule::kw_first);
                let entity = self.path(inner.maybe(Rule::entity)?);
                let condition = self.condition(inner.maybe(Rule::where_part)?)?;
                let by = self.sort_keys(inner.maybe(Rule::by_part));
                let gives = self.path(parts(inner.maybe(Rule::gives_part)?).maybe(Rule::dot_path)?);
                let span = self.stands(span);
                Alternative::Find(FindGives { first, entity, condition, by, gives, span })
            }
            Rule::update_alt => {
                let when = self.when_part(parts(pair).maybe(Rule::when_part));
                Alternative::UpdateFound(when, self.stands(span))
            }
            Rule::create => Alternative::Write(self.write(pair)?),
            Rule::guard => Alternative::Guard(self.guard(pair)?),
            Rule::include => Alternative::Include(self.include(pair)?),
            Rule::let_stmt => Alternative::Let(self.let_stmt(pair)?),
            Rule::find_stmt => Alternative::FindRow(self.find_stmt(pair)?),
            _ => return None,
        })
    }

    pub(super) fn write(&mut self, pair: Pair<'_>) -> Option<Write> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let action = if pair.as_rule() == Rule::create { Action::Create } else { Action::Update };
        let mut inner = parts(pair);
        let name = inner.maybe(Rule::name).map(|name| self.name(&name));
        let mut targets = Vec::new();
        for target in inner.many(Rule::one_target) {
            let mut inner = parts(target);
            let entity = self.path(inner.maybe(Rule::entity)?);
            targets.push(Target { entity, when: self.when_part(inner.maybe(Rule::when_part)) });
        }
        let gives = match inner.maybe(Rule::gives_part) {
            Some(gives) => Some(self.path(parts(gives).maybe(Rule::dot_path)?)),
            None => None,
        };
        let (head, lines) = self.map_block(span, inner.maybe(Rule::map_block)?)?;
        Some(Write { action, name, targets, gives, lines, head, span })
    }

    pub(super) fn each_block(&mut self, pair: Pair<'_>) -> Option<Each> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let list = self.expr(inner.maybe(Rule::source)?);
        let when = self.when_part(inner.maybe(Rule::when_part));
        let (head, body) = self.steps(span, inner.maybe(Rule::steps)?)?;
        Some(Each { name, list, when, body, head, span })
    }

    pub(super) fn after(&mut self, pair: Pair<'_>) -> Option<After> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let when = self.when_part(inner.maybe(Rule::when_part));
        let (_, body) = self.steps(span, inner.maybe(Rule::steps)?)?;
        Some(After { name, when, body, span })
    }

    /// The head and the statements of an `each` or `after`.
    fn steps(&mut self, statement: Span, pair: Pair<'_>) -> Option<(Span, Vec<Statement>)> {
        let mut inner = parts(pair);
        let head = self.head(statement, &inner.maybe(Rule::open)?);
        let mut body = Vec::new();
        while let Some(step) = inner.any() {
            if Self::is_broken(&step) {
                continue;
            }
            let place = self.span(&step);
            match self.statement(step) {
                Some(statement) => body.push(statement),
                None => self.missing(place),
            }
        }
        Some((head, body))
    }

    pub(super) fn fields_item(&mut self, pair: Pair<'_>) -> Option<FieldsItem> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let params = self.params(inner.maybe(Rule::params)?)?;
        let targets = inner.many(Rule::entity).into_iter().map(|entity| self.path(entity)).collect();
        let (head, lines) = self.map_block(span, inner.maybe(Rule::map_block)?)?;
        Some(FieldsItem { name, params, targets, lines, doc: self.doc(span), head, span })
    }

    pub(super) fn define(&mut self, pair: Pair<'_>) -> Option<Define> {
        let span = self.span(&pair);
        let span = self.stands(span);
        let mut inner = parts(pair);
        let name = self.name(&inner.maybe(Rule::name)?);
        let params = self.params(inner.maybe(Rule::params)?)?;
        let ty = self.type_ref(inner.maybe(Rule::type_ref)?)?;
        let body = match inner.maybe(Rule::map_block) {
            Some(block) => DefineBody::Record(self.map_block(span, block)?.1),
            None => DefineBody::Expr(self.expr(inner.maybe(Rule::expr)?)),
        };
        Some(Define { name, params, ty, body, doc: self.doc(span), span })
    }
}
