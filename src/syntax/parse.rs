//! From pest's pairs to the syntax tree: one file below this for each family of rules.
//!
//! Takes the pairs of one segment and gives items; spans are those of the whole file as it was written, also where the
//! segment was mended before it was parsed. Promises that a part which cannot be read is missing from the tree and
//! has its diagnostic.

mod expr;
mod lines;
mod literal;
mod operators;
mod statements;
mod table;
mod test;
mod types;

use std::{collections::HashMap, sync::Arc};

use pest::iterators::Pairs;

use super::{
    comments,
    edit::Edits,
    grammar::{Rule, is_quiet},
    tree::{Item, Name, Path, Statement},
};
use crate::diagnostic::{Diagnostic, FileId, Span};

pub(super) type Pair<'i> = pest::iterators::Pair<'i, Rule>;

/// What is found while a file is read.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What is wrong.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Did a part not make it into the tree?
    pub(super) broken: bool,
    /// Lines that could not be read, those of one mistake together.
    pub(super) unread: Vec<Span>,
    /// Names that broken statements seem to declare.
    pub(super) lost: Vec<Name>,
    /// The places of all statements and field lines, for comments that belong to one.
    pub(super) statements: Vec<Span>,
    /// Heads and lines of fields, behind which a label may stand.
    pub(super) fields: Vec<Span>,
    /// Segments that could not be read as a whole: their labels belong to fields that are not in the tree.
    pub(super) torn: Vec<Span>,
    /// Words such as `None` that were looked up: does the file declare them?
    pub(super) declared: HashMap<Arc<str>, bool>,
}

impl Findings {
    /// Adds what was found further down.
    pub(super) fn extend(&mut self, below: Self) {
        self.diagnostics.extend(below.diagnostics);
        self.broken |= below.broken;
        self.unread.extend(below.unread);
        self.lost.extend(below.lost);
        self.statements.extend(below.statements);
        self.fields.extend(below.fields);
        self.torn.extend(below.torn);
    }
}

/// Reads the pairs of one segment.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    /// The file.
    pub(super) file: FileId,
    /// The whole file as written.
    pub(super) original: &'t str,
    /// Where the segment begins in it.
    pub(super) base: usize,
    /// How the parsed text differs from what was written.
    pub(super) edits: &'t Edits,
    /// The parsed text.
    pub(super) mended: &'t str,
    /// What is found.
    pub(super) found: &'t mut Findings,
    /// Do the braces of the segment not balance? Then nothing is said about indents.
    unbalanced: bool,
    /// Where the text stands, when it is a part of a file that is read by itself.
    within: Option<Span>,
}

/// The pairs inside a pair, taken one by one. Keywords are passed over unless they are asked for.
#[derive(Debug, Clone)]
pub(super) struct Parts<'i>(Pairs<'i, Rule>);

impl<'i> Parts<'i> {
    /// The next pair if it is of this rule.
    pub(super) fn maybe(&mut self, rule: Rule) -> Option<Pair<'i>> {
        let mut ahead = self.0.clone();
        let pair = ahead.find(|pair| pair.as_rule() == rule || !is_quiet(pair.as_rule()))?;
        (pair.as_rule() == rule).then(|| {
            self.0 = ahead;
            pair
        })
    }

    /// Is the next pair of this rule? It is taken then.
    pub(super) fn has(&mut self, rule: Rule) -> bool {
        self.maybe(rule).is_some()
    }

    /// The next pair that is no keyword.
    pub(super) fn any(&mut self) -> Option<Pair<'i>> {
        self.0.find(|pair| !is_quiet(pair.as_rule()))
    }

    /// All pairs of this rule that follow each other.
    pub(super) fn many(&mut self, rule: Rule) -> Vec<Pair<'i>> {
        std::iter::from_fn(|| self.maybe(rule)).collect()
    }
}

/// The pairs inside a pair.
pub(super) fn parts(pair: Pair<'_>) -> Parts<'_> {
    Parts(pair.into_inner())
}

impl<'t> Reader<'t> {
    /// Reads a segment that begins at byte `base` of `original` and was mended by `edits`.
    pub(super) fn new(
        file: FileId,
        original: &'t str,
        base: usize,
        (edits, mended): (&'t Edits, &'t str),
        found: &'t mut Findings,
        unbalanced: bool,
    ) -> Self {
        Self { file, original, base, edits, mended, found, unbalanced, within: None }
    }

    /// Gives places inside this span, of which the text is the content.
    pub(super) fn within(mut self, span: Span) -> Self {
        self.within = Some(span);
        self
    }

    /// The characters of a place, mended.
    pub(super) fn written(&self, span: Span) -> &'t str {
        let shift = self.within.map_or(self.base, |within| within.start as usize);
        let at = |place: u32| self.edits.mended((place as usize).saturating_sub(shift));
        self.mended.get(at(span.start)..at(span.end)).unwrap_or("")
    }

    /// The items of a `file` pair.
    pub(super) fn items(&mut self, file: Pair<'_>) -> Vec<Item> {
        let mut items = Vec::new();
        for pair in file.into_inner() {
            let (rule, span) = (pair.as_rule(), self.span(&pair));
            let item = match rule {
                Rule::flow_head => self.flow(pair).map(Item::Flow),
                Rule::use_item => self.use_item(pair).map(Item::Use),
                Rule::setting => self.setting(pair).map(Item::Setting),
                Rule::read_block => self.read_block(pair).map(Item::Read),
                Rule::fields_item => self.fields_item(pair).map(Item::Fields),
                Rule::define => self.define(pair).map(Item::Define),
                Rule::table => self.table(pair).map(Item::Table),
                Rule::after => self.after(pair).map(Item::After),
                Rule::test_item => self.test(pair).map(Item::Test),
                Rule::let_stmt
                | Rule::find_stmt
                | Rule::guard
                | Rule::ensure
                | Rule::create
                | Rule::update
                | Rule::each_block => self.statement(pair).map(Item::Statement),
                _ => continue,
            };
            if item.is_none() {
                self.missing(span);
            }
            if item.is_some() {
                self.column_zero(span);
            }
            items.extend(item);
        }
        items
    }

    /// Says so when a statement of the file is indented.
    fn column_zero(&mut self, span: Span) {
        let before = self.original.get(..span.start as usize).unwrap_or("");
        let line = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let indent = before.get(line..).unwrap_or("").trim_start_matches('\u{feff}');
        if indent.is_empty() || self.unbalanced {
            return;
        }
        let word: String = self.written(span).chars().take_while(char::is_ascii_alphabetic).collect();
        let place = Span { end: span.start + u32::try_from(word.len()).unwrap_or(0), ..span };
        let space = Span { start: span.start - u32::try_from(indent.len()).unwrap_or(0), end: span.start, ..span };
        self.say(
            Diagnostic::new("F006", format!("`{word}` stands at the start of its line"), place)
                .says("only lines of a block are indented")
                .help("take the spaces before it away")
                .fix(space, ""),
        );
    }

    /// A statement of a file or of a block of statements.
    pub(super) fn statement(&mut self, pair: Pair<'_>) -> Option<Statement> {
        match pair.as_rule() {
            Rule::let_stmt => self.let_stmt(pair).map(Statement::Let),
            Rule::find_stmt => self.find_stmt(pair).map(Statement::Find),
            Rule::guard => self.guard(pair).map(Statement::Guard),
            Rule::ensure => self.ensure(pair).map(Statement::Ensure),
            Rule::create | Rule::update => self.write(pair).map(Statement::Write),
            Rule::each_block => self.each_block(pair).map(Statement::Each),
            _ => None,
        }
    }

    /// Is this pair only there to be reported?
    pub(super) fn is_broken(pair: &Pair<'_>) -> bool {
        matches!(
            pair.as_rule(),
            Rule::bad_line | Rule::bad_block | Rule::bad_head | Rule::unclosed | Rule::junk | Rule::stray
        )
    }

    /// Notes that a part is not in the tree; says so unless something was said about it.
    pub(super) fn missing(&mut self, span: Span) {
        self.found.broken = true;
        let inside = |said: &Diagnostic| span.start <= said.span().start && said.span().end <= span.end;
        // What was said last is looked at first: a broken part has its message by now.
        if !self.found.diagnostics.iter().rev().any(inside) {
            self.say(Diagnostic::new("F002", "this cannot be read", span));
        }
    }

    /// Adds a diagnostic.
    pub(super) fn say(&mut self, diagnostic: Diagnostic) {
        self.found.diagnostics.push(diagnostic);
    }

    /// The place of a pair without the spaces behind it.
    pub(super) fn span(&self, pair: &Pair<'_>) -> Span {
        let start = pair.as_span().start();
        self.place(start, start + pair.as_str().trim_end().len())
    }

    /// The place of bytes of the parsed text.
    pub(super) fn place(&self, start: usize, end: usize) -> Span {
        let (start, end) = self.edits.written(start, end);
        let (start, end) = (self.base + start, self.base + end);
        let Some(within) = self.within else { return Span::new(self.file, start, end) };
        // A cell of a CSV file may be shorter in the text than on its line (doubled quotes), never longer.
        let place = Span::new(self.file, within.start as usize + start, within.start as usize + end);
        Span { start: place.start.min(within.end), end: place.end.min(within.end), ..place }
    }

    /// From the start of one place to just before another, without the spaces between.
    pub(super) fn up_to(&self, start: Span, end: Span) -> Span {
        let text = self.original.get(start.start as usize..end.start as usize).unwrap_or("");
        Span { end: start.start + u32::try_from(text.trim_end().len()).unwrap_or(0), ..start }
    }

    /// Notes the place of a statement, so that comments above it can name it.
    pub(super) fn stands(&mut self, span: Span) -> Span {
        self.found.statements.push(span);
        span
    }

    /// The `##` lines above a statement.
    pub(super) fn doc(&self, span: Span) -> Option<Arc<str>> {
        comments::doc_above(self.original, span.start as usize)
    }

    /// A name, without its back-ticks.
    pub(super) fn name(&self, pair: &Pair<'_>) -> Name {
        let word = pair.as_str().trim();
        let inner = word.strip_prefix('`').and_then(|word| word.strip_suffix('`'));
        Name { text: inner.unwrap_or(word).into(), span: self.span(pair) }
    }

    /// The names of a path, dot path, entity or target.
    pub(super) fn path(&self, pair: Pair<'_>) -> Path {
        let span = self.span(&pair);
        Path { names: pair.into_inner().map(|name| self.name(&name)).collect(), span }
    }
}
