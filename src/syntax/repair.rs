//! Spellings of other languages in lines that could not be parsed, and how they are written here.
//!
//! Takes the tokens of a broken line, gives [`Repair`]s: what is said, and the edit after which the segment is parsed
//! again. A repair that is not `sure` only counts when the line can be read with it. Lines that parse are never
//! looked at, so nothing that is right is ever "repaired".

mod rewrite;

use super::{
    broken::{Group, indent, within},
    edit::{Edit, Edits},
    foreign,
    scan::{Kind, Token},
    words::{self, Place},
};
use crate::diagnostic::{Diagnostic, Span};

/// A mistake with a known way out.
#[derive(Debug, Clone)]
pub(super) struct Repair {
    /// What is to blame.
    pub(super) start: usize,
    pub(super) end: usize,
    title: String,
    /// Instead of the repaired line.
    help: Option<String>,
    /// What mends it.
    pub(super) edit: Option<Edit>,
    /// Is it a mistake whatever else stands on the line?
    pub(super) sure: bool,
}

impl Repair {
    /// The message: its help is the whole line with all repairs in it.
    pub(super) fn diagnostic(&self, text: &str, all: &[Self], place: impl Fn(usize, usize) -> Span) -> Diagnostic {
        let said = Diagnostic::new("F001", self.title.clone(), place(self.start, self.end));
        let help = self.help.clone().unwrap_or_else(|| self.mended_line(text, all));
        let said = said.help(help);
        match &self.edit {
            Some(edit) => said.fix(place(edit.start, edit.end), edit.text.clone()),
            None => said,
        }
    }

    fn mended_line(&self, text: &str, all: &[Self]) -> String {
        let (first, last) = self.edit.as_ref().map_or((self.start, self.end), |edit| (edit.start, edit.end));
        let start = text.get(..first).and_then(|before| before.rfind(['\n', '\r'])).map_or(0, |at| at + 1);
        let end = text.get(last..).and_then(|after| after.find(['\n', '\r'])).map_or(text.len(), |at| last + at);
        let here = all.iter().filter_map(|repair| repair.edit.clone());
        let here = here.filter(|edit| start <= edit.start && edit.end <= end).map(|edit| Edit {
            start: edit.start - start,
            end: edit.end - start,
            ..edit
        });
        Edits::new(here.collect()).apply(text.get(start..end).unwrap_or("")).trim().to_owned()
    }
}

/// Symbols of other languages: theirs, ours.
const SYMBOLS: &[(&str, &str)] = &[
    ("==", "is"),
    ("===", "is"),
    ("!=", "is not"),
    ("!==", "is not"),
    ("<>", "is not"),
    ("&&", "and"),
    ("||", "or"),
    ("->", "=>"),
    (":=", "="),
];

/// The tokens of a broken line, and those around it.
pub(super) struct Line<'t> {
    text: &'t str,
    /// All tokens of the segment.
    all: &'t [Token],
    /// Where those of the line begin among them.
    first: usize,
    /// Those of the line.
    tokens: &'t [Token],
    group: &'t Group,
}

impl<'t> Line<'t> {
    fn word(&self, at: usize) -> &'t str {
        self.tokens.get(at).map_or("", |token| token.text(self.text))
    }

    /// The token before one of the line, in the segment.
    fn before(&self, at: usize) -> Option<&'t Token> {
        (self.first + at).checked_sub(1).and_then(|before| self.all.get(before))
    }

    /// Does a value end with this token?
    fn ends_value(&self, token: &Token) -> bool {
        let word = token.text(self.text);
        match token.kind {
            Kind::Word => {
                !words::LOWER.contains(&word.to_lowercase().as_str()) || matches!(word, "yes" | "no" | "blank")
            }
            Kind::Symbol => matches!(word, ")" | "]" | "!" | "%"),
            Kind::Comment | Kind::OpenText | Kind::OpenHole | Kind::OpenPattern => false,
            Kind::Ticked | Kind::Number | Kind::Text | Kind::ForeignText | Kind::Pattern => true,
        }
    }

    /// Does the token stand first on its line of the text?
    fn leads(&self, token: &Token) -> bool {
        let line = token.start - indent(self.text, token.start);
        self.text.get(line..token.start).unwrap_or("").trim().is_empty()
    }

    /// Does the token stand last on its line of the text, comments left out?
    fn trails(&self, token: &Token) -> bool {
        let rest = self.text.get(token.end..).unwrap_or("");
        let rest = rest.split(['\n', '\r']).next().unwrap_or("").trim_start();
        rest.is_empty() || rest.starts_with('#')
    }
}

/// All repairs of a broken line.
pub(super) fn find(text: &str, all: &[Token], group: &Group) -> Vec<Repair> {
    let first = all.partition_point(|token| token.start < group.start);
    let line = Line { text, all, first, tokens: within(all, group.start, group.end), group };
    let mut repairs = Vec::new();
    let mut remark = None;
    for (at, token) in line.tokens.iter().enumerate() {
        if remark.is_some_and(|end| token.start < end) || token.kind == Kind::Comment {
            continue;
        }
        if token.text(text) == "//" {
            let rest = text.get(token.start..).unwrap_or("");
            remark = Some(token.start + rest.find(['\n', '\r']).unwrap_or(rest.len()));
            repairs.push(replace(token, "#", "a remark begins with `#`", true));
            continue;
        }
        repairs.extend(spelling(&line, at, token));
    }
    repairs.extend(rewrite::find(&line));
    repairs.extend(spaces(&line));
    repairs
}

fn replace(token: &Token, ours: impl Into<String>, title: impl Into<String>, sure: bool) -> Repair {
    let edit = Edit { start: token.start, end: token.end, text: ours.into() };
    Repair { start: token.start, end: token.end, title: title.into(), help: None, edit: Some(edit), sure }
}

/// The repair of one token by itself.
fn spelling(line: &Line<'_>, at: usize, token: &Token) -> Option<Repair> {
    let theirs = token.text(line.text);
    match token.kind {
        Kind::ForeignText => Some(replace(token, quoted(theirs), "a text stands between straight double quotes", true)),
        Kind::Word => word(line, at, token),
        Kind::Symbol => symbol(line, at, token),
        _ => None,
    }
}

/// `'text'` in our quotes.
fn quoted(theirs: &str) -> String {
    let mut letters = theirs.chars();
    letters.next();
    letters.next_back();
    let inner = letters.as_str().replace("\\'", "'").replace('"', "\\\"").replace('{', "\\{");
    format!("\"{inner}\"")
}

fn symbol(line: &Line<'_>, at: usize, token: &Token) -> Option<Repair> {
    let theirs = token.text(line.text);
    let (before, next) = (line.before(at), line.tokens.get(at + 1));
    let title = |ours: &str| format!("`{theirs}` is written `{ours}`");
    if let Some((_, ours)) = SYMBOLS.iter().find(|(symbol, _)| *symbol == theirs) {
        let left = if before.is_some_and(|before| before.end == token.start) { " " } else { "" };
        let right = if next.is_some_and(|next| next.start == token.end) { " " } else { "" };
        return Some(replace(token, format!("{left}{ours}{right}"), title(ours), true));
    }
    let in_condition = || {
        let words = line.tokens.get(..at).unwrap_or(&[]);
        words.iter().any(|token| matches!(token.text(line.text), "when" | "where" | "take" | "expect" | "if"))
    };
    match theirs {
        "!" if !before.is_some_and(|before| line.ends_value(before)) => {
            Some(replace(token, "not ", "`!` before a condition is written `not`", true))
        }
        ";" if line.trails(token) => Some(replace(token, "", "a line ends without `;`", true)),
        "," if line.trails(token) && line.group.place == Place::Fields => {
            Some(replace(token, "", "a line of fields ends without a comma", false))
        }
        "=" if in_condition() => Some(replace(token, "is", "`=` in a condition is written `is`", true)),
        "=>" if in_condition() && line.group.place != Place::Table => Some(replace(token, ">=", title(">="), false)),
        "%" if before.is_some_and(|before| before.kind == Kind::Number) => {
            let number = before?;
            let ours = format!("{}%", number.text(line.text));
            let whole = Token { start: number.start, ..*token };
            Some(replace(&whole, ours.clone(), format!("a percentage is written `{ours}`"), false))
        }
        "+" | "-" if line.leads(token) => sign(line, at, token, theirs),
        _ => None,
    }
}

/// A line that begins with `+` or `-`: the sign goes to the end of the line above.
fn sign(line: &Line<'_>, at: usize, token: &Token, sign: &str) -> Option<Repair> {
    let above = line.all.get(..line.first + at)?.iter().rev().find(|token| token.kind != Kind::Comment)?;
    if !line.ends_value(above) {
        return None;
    }
    let next = line.tokens.get(at + 1).map_or(token.end, |next| next.start);
    let between = line.text.get(above.end..token.start)?;
    let edit = Edit { start: above.end, end: next, text: format!(" {sign}{between}") };
    let title = format!("a line cannot begin with `{sign}`: it ends the line above");
    Some(Repair { start: token.start, end: token.end, title, help: None, edit: Some(edit), sure: false })
}

fn word(line: &Line<'_>, at: usize, token: &Token) -> Option<Repair> {
    let theirs = token.text(line.text);
    let lower = theirs.to_lowercase();
    let next = line.word(at + 1);
    if at > 0 && line.word(at - 1) == "." || matches!(next, "." | ":" | "=") && next != "==" {
        return None;
    }
    let title = |ours: &str| format!("`{theirs}` is written `{ours}`");
    if !theirs.is_ascii() {
        let title = format!("`{theirs}` has other letters than a to z: it stands in back-ticks");
        return Some(replace(token, format!("`{theirs}`"), title, false));
    }
    if next == "(" {
        return None;
    }
    if let Some((ours, _)) = foreign::literal(theirs).filter(|(ours, _)| *ours != theirs) {
        return Some(replace(token, ours, title(ours), false));
    }
    let ours = words::LOWER.iter().copied().find(|word| *word == lower);
    let first = || words::statement(&lower).filter(|_| at == 0).map(|row| row.word);
    let ours = ours.or_else(first).filter(|ours| *ours != theirs)?;
    Some(replace(token, ours, title(ours), false))
}

/// Spaces that are no spaces, as word processors make them.
fn spaces(line: &Line<'_>) -> Vec<Repair> {
    let (mut at, mut repairs) = (line.group.start, Vec::new());
    let ends = line.tokens.iter().filter(|token| !token.hole).map(|token| (token.start, token.end));
    for (start, end) in ends.chain([(line.group.end, line.group.end)]) {
        for (offset, letter) in line.text.get(at..start).unwrap_or("").char_indices() {
            if letter.is_whitespace() && !matches!(letter, ' ' | '\t' | '\n' | '\r') {
                let token = Token {
                    kind: Kind::Symbol,
                    start: at + offset,
                    end: at + offset + letter.len_utf8(),
                    depth: 0,
                    hole: false,
                };
                repairs.push(replace(&token, " ", "this is no ordinary space", true));
            }
        }
        at = end.max(at);
    }
    repairs
}
