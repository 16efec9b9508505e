//! Spellings of other languages in lines that could not be parsed, and how they are written here.
//!
//! Takes the tokens of a broken line, gives [`Repair`]s: what is said, and the edit after which the segment is parsed
//! again. A repair that is not `sure` only counts when the line can be read with it. Lines that parse are never
//! looked at, so nothing that is right is ever "repaired".

mod rewrite;

use super::{
    broken::{Group, path_length, within},
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
    pub(super) fn diagnostic(&self, text: &str, all: &Edits, place: impl Fn(usize, usize) -> Span) -> Diagnostic {
        let said = Diagnostic::new("F001", self.title.clone(), place(self.start, self.end));
        let help = self.help.clone().unwrap_or_else(|| self.mended_line(text, all));
        let said = said.help(help);
        match &self.edit {
            Some(edit) => said.fix(place(edit.start, edit.end), edit.text.clone()),
            None => said,
        }
    }

    fn mended_line(&self, text: &str, all: &Edits) -> String {
        let (first, last) = self.edit.as_ref().map_or((self.start, self.end), |edit| (edit.start, edit.end));
        // Only near by: a line may be as long as the file.
        let (low, high) = (
            text.floor_char_boundary(first.saturating_sub(LONGEST_HELP)),
            text.floor_char_boundary(last + LONGEST_HELP),
        );
        let start = text.get(low..first).and_then(|before| before.rfind(['\n', '\r'])).map(|at| low + at + 1);
        let end = text.get(last..high).and_then(|after| after.find(['\n', '\r'])).map(|at| last + at);
        let start = start.or((low == 0).then_some(0));
        let end = end.or((high == text.len()).then_some(high));
        let Some((start, end)) = start.zip(end) else {
            return self.edit.as_ref().map_or(String::new(), |edit| edit.text.trim().to_owned());
        };
        all.apply_to(text, start, end).trim().to_owned()
    }
}

/// A line that goes on further than this to one side is not repeated in a message.
const LONGEST_HELP: usize = 300;

/// Symbols of other languages: theirs, ours.
const SYMBOLS: &[(&str, &str)] = &[
    ("==", "is"),
    ("===", "is"),
    ("!=", "is not"),
    ("!==", "is not"),
    ("<>", "is not"),
    ("&&", "and"),
    ("&", "and"),
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
    /// Which token is the first word of a condition.
    condition: usize,
    /// Which token is the first `=`.
    equals: usize,
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

    /// Does a token of the line stand first on its line of the text?
    fn leads(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return false };
        let end = self.before(at).map_or(0, |before| before.end);
        end == 0 || self.text.get(end..token.start).is_some_and(|between| between.contains(['\n', '\r']))
    }

    /// Does a token of the line stand last on its line of the text, comments left out?
    fn trails(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return false };
        self.all.get(self.first + at + 1).is_none_or(|next| {
            next.kind == Kind::Comment
                || self.text.get(token.end..next.start).is_some_and(|between| between.contains(['\n', '\r']))
        })
    }
}

/// All repairs of a broken line.
pub(super) fn find(text: &str, all: &[Token], group: &Group) -> Vec<Repair> {
    let first = all.partition_point(|token| token.start < group.start);
    let tokens = within(all, group.start, group.end);
    let first_of =
        |words: &[&str]| tokens.iter().position(|token| words.contains(&token.text(text))).unwrap_or(tokens.len());
    let condition = first_of(&["when", "where", "take", "expect", "if"]);
    let line = Line { text, all, first, tokens, group, condition, equals: first_of(&["="]) };
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
    let fields = line.group.place == Place::Fields;
    if fields && at == path_length(line.text, line.tokens) && matches!(theirs, "->" | "=>" | ":=" | ":" | "==") {
        return Some(replace(token, if theirs == ":" { " =" } else { "=" }, "a field is given with `=`", true));
    }
    let gives = matches!(line.word(0), "let" | "setting" | "given" | "define");
    if gives && theirs == "==" && at < line.equals {
        return Some(replace(token, "=", "a value is given with `=`", true));
    }
    if let Some((_, ours)) = SYMBOLS.iter().find(|(symbol, _)| *symbol == theirs) {
        let left = if before.is_some_and(|before| before.end == token.start) { " " } else { "" };
        let right = if next.is_some_and(|next| next.start == token.end) { " " } else { "" };
        return Some(replace(token, format!("{left}{ours}{right}"), title(ours), true));
    }
    let in_condition = line.condition < at;
    match theirs {
        "!" if !before.is_some_and(|before| line.ends_value(before)) => {
            Some(replace(token, "not ", "`!` before a condition is written `not`", true))
        }
        ";" if line.trails(at) => Some(replace(token, "", "a line ends without `;`", true)),
        "," if line.trails(at) && fields => Some(replace(token, "", "a line of fields ends without a comma", false)),
        "=" if in_condition => Some(replace(token, "is", "`=` in a condition is written `is`", true)),
        "|" if in_condition && line.group.place != Place::Table => Some(replace(token, "or", title("or"), true)),
        "=>" if in_condition && line.group.place != Place::Table => Some(replace(token, ">=", title(">="), false)),
        "%" if before.is_some_and(|before| before.kind == Kind::Number) => {
            let number = before?;
            let ours = format!("{}%", number.text(line.text));
            let whole = Token { start: number.start, ..*token };
            Some(replace(&whole, ours.clone(), format!("a percentage is written `{ours}`"), false))
        }
        "{" if line.leads(at) && line.trails(at) => brace(before?, token),
        "+" | "-" if line.leads(at) => sign(line, at, token, theirs),
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

/// A `{` on a line of its own.
fn brace(above: &Token, token: &Token) -> Option<Repair> {
    if above.kind == Kind::Comment {
        return None;
    }
    let edit = Edit { start: above.end, end: token.end, text: " {".to_owned() };
    let title = "the `{` of a block ends the line that opens it".to_owned();
    Some(Repair { start: token.start, end: token.end, title, help: None, edit: Some(edit), sure: false })
}

fn word(line: &Line<'_>, at: usize, token: &Token) -> Option<Repair> {
    let theirs = token.text(line.text);
    let lower = theirs.to_lowercase();
    let next = line.word(at + 1);
    if !theirs.is_ascii() {
        let title = format!("`{theirs}` has other letters than a to z: it stands in back-ticks");
        return Some(replace(token, format!("`{theirs}`"), title, false));
    }
    if at > 0 && line.word(at - 1) == "." || matches!(next, "." | ":" | "=") && next != "==" {
        return None;
    }
    let title = |ours: &str| format!("`{theirs}` is written `{ours}`");
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
