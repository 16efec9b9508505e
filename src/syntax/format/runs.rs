//! Neighbouring lines of one kind in columns: `=` below `=`, policies below policies, labels below labels.
//!
//! Takes the lines, changes how they are shown. A run is a row of one-line statements of one kind and depth; comment
//! lines do not end it. A long line and a statement on several lines stay as they are; only the width of their name counts.

use std::borrow::Cow;

use super::{
    Shown, WIDEST, What,
    lines::{Block, Line},
    pad, wide,
};
use crate::syntax::scan::{Kind, Token};

/// The kinds of lines that stand in columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Setting,
    Let,
    Given,
    Define,
    Field,
}

/// The parts of such a line.
#[derive(Debug)]
struct Parts<'t> {
    sort: Sort,
    left: Cow<'t, str>,
    /// ` = ` or ` : `; nothing where the line has no place in the column (a `let` with a type).
    sign: Option<&'static str>,
    right: &'t str,
    policy: &'t str,
}

impl<'t> Parts<'t> {
    /// The parts of the first line of a statement.
    fn of(code: &'t str, line: &Line<'t>) -> Option<Self> {
        let tokens = &line.tokens;
        let base = tokens.first()?;
        // Places in the text to places in the code.
        let place = |at: usize| at.saturating_sub(base.start);
        let text = |token: &Token| code.get(place(token.start)..place(token.end)).unwrap_or("");
        let flat = |token: &&Token| token.depth == base.depth && !token.hole;
        let split = |sort, sign: &'static str, at: &Token| {
            let left = code.get(..place(at.start))?.trim_end();
            let right = code.get(place(at.end)..)?.trim_start();
            let left = if sort == Sort::Define { left.into() } else { single_spaced(left) };
            Some(Self { sort, left, sign: Some(sign), right, policy: "" })
        };
        let symbol =
            |sign: &str| tokens.iter().filter(flat).find(|token| token.kind == Kind::Symbol && text(token) == sign);
        let second = tokens.get(1);
        let named = second.is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Ticked));
        let third = tokens.get(2).map_or("", text);
        match (text(base), line.block) {
            ("setting", Block::File) if named && third == ":" => split(Sort::Setting, " : ", symbol(":")?),
            ("let", _) if named && third == "=" => split(Sort::Let, " = ", symbol("=")?),
            ("let", _) if named && third == ":" => {
                Some(Self { sort: Sort::Let, left: "".into(), sign: None, right: code, policy: "" })
            }
            ("given", Block::Other) if named => split(Sort::Given, " = ", symbol("=")?),
            ("define", Block::File) => split(Sort::Define, " = ", symbol("=")?),
            (_, Block::Other) => Self::field(code, line),
            _ => None,
        }
    }

    fn field(code: &'t str, line: &Line<'t>) -> Option<Self> {
        let start = line.tokens.first()?.start;
        let text = |token: &Token| code.get(token.start - start..token.end - start).unwrap_or("");
        let equals = super::rewrite::target(code, line)?;
        let sign = line.tokens.get(equals)?;
        let left = code.get(..sign.start - start)?.trim_end();
        let value = code.get(sign.end - start..)?.trim_start();
        let mut from_end = line.tokens.iter().rev();
        let (last, before) = (from_end.next(), from_end.next());
        let words = (before.map_or("", text), last.map_or("", text));
        let is_policy = matches!(words, ("on", "create" | "update") | ("unless", "filled" | "edited"))
            && before.zip(from_end.next()).is_some_and(|(before, value)| value.start > sign.start && !before.hole);
        let policy = before.filter(|_| is_policy && !line.goes_on).and_then(|token| code.get(token.start - start..));
        let policy = policy.unwrap_or("");
        let right = value.strip_suffix(policy).unwrap_or(value).trim_end();
        Some(Self { sort: Sort::Field, left: left.into(), sign: Some(" = "), right, policy })
    }

    /// Columns that the line takes when nothing is below anything.
    fn width(&self, indent: usize) -> usize {
        let policy = if self.policy.is_empty() { 0 } else { 1 + wide(self.policy) };
        indent + wide(&self.left) + 3 + wide(self.right) + policy
    }
}

/// Words with one space between them; back-ticks keep theirs.
fn single_spaced(words: &str) -> Cow<'_, str> {
    if words.contains('`') { words.into() } else { words.split_whitespace().collect::<Vec<_>>().join(" ").into() }
}

/// A run that is being read.
#[derive(Debug, Default)]
struct Run<'t> {
    key: Option<(Sort, usize)>,
    /// Lines that get their columns.
    members: Vec<(usize, Parts<'t>)>,
    /// Long lines, and statements on several lines: only their comments move.
    others: Vec<usize>,
    /// The widest name of those.
    named: usize,
}

/// Puts the lines of runs in columns.
pub(super) fn align<'t>(lines: &'t [Line<'t>], shown: &mut [Shown<'t>]) {
    let mut run = Run::default();
    for (index, line) in lines.iter().enumerate() {
        match line.what {
            What::Comment | What::More => continue,
            What::Blank if run.key.is_some_and(|(sort, _)| sort == Sort::Define) => continue,
            _ => {}
        }
        let parts = (line.what == What::First && !line.opens).then(|| Parts::of(line.code, line)).flatten();
        let key = parts.as_ref().map(|parts| (parts.sort, line.depth));
        if key != run.key {
            std::mem::take(&mut run).show(shown);
        }
        run.key = key;
        let Some(parts) = parts else { continue };
        let fits = parts.width(line.indent) <= WIDEST && parts.sign.is_some();
        if fits && !line.goes_on {
            run.members.push((index, parts));
        } else {
            run.named = run.named.max(wide(&parts.left));
            run.others.push(index);
        }
    }
    run.show(shown);
}

impl<'t> Run<'t> {
    fn show(self, shown: &mut [Shown<'t>]) {
        let Some((sort, _)) = self.key else { return };
        let left = self.members.iter().map(|(_, parts)| wide(&parts.left)).fold(self.named, usize::max);
        let with_policy = self.members.iter().filter(|(_, parts)| !parts.policy.is_empty());
        let right = with_policy.map(|(_, parts)| wide(parts.right)).max().unwrap_or(0);
        for (index, parts) in &self.members {
            let Some(shown) = shown.get_mut(*index) else { continue };
            let mut code = parts.left.to_string();
            pad(&mut code, left);
            code.push_str(parts.sign.unwrap_or_default());
            code.push_str(parts.right);
            if !parts.policy.is_empty() {
                pad(&mut code, left + 3 + right + 1);
                code.push_str(parts.policy);
            }
            shown.code = code;
        }
        if sort != Sort::Field {
            return;
        }
        let is_label = |shown: &&Shown<'_>| shown.comment.starts_with("#:");
        let members = || self.members.iter().map(|(index, _)| *index);
        let labelled = members().filter_map(|index| shown.get(index).filter(is_label));
        let column = labelled.map(|shown| shown.width() + 2).max().unwrap_or(0);
        for index in members().chain(self.others.iter().copied()) {
            if let Some(shown) = shown.get_mut(index)
                && (column > 0 || shown.comment.starts_with("#:"))
            {
                shown.column = column;
            }
        }
    }
}
