//! Cuts a text into tokens, line by line, without knowing the grammar.
//!
//! Takes a text and gives [`Token`]s with byte offsets into it. This is for what the grammar cannot do: finding where
//! statements begin, how deep brackets are, and which characters of a broken line are to blame. Promises one pass
//! over each line and no failure: what is no token is a symbol of one character.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word.
    Word,
    /// A name in back-ticks.
    Ticked,
    /// Digits with what hangs on them: `3.50`, `21%`, `2026-01-01`.
    Number,
    /// `"…"`; tokens of its holes follow it.
    Text,
    /// A text whose closing quote is missing, up to the end of the line.
    OpenText,
    /// A text with a `{` that is never closed.
    OpenHole,
    /// `'…'` and curly quotes.
    ForeignText,
    /// `/…/`
    Pattern,
    /// A pattern whose closing slash is missing, up to the end of the line.
    OpenPattern,
    /// `# …`
    Comment,
    /// An operator or one other character.
    Symbol,
}

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// What.
    pub(super) kind: Kind,
    /// First byte.
    pub(super) start: usize,
    /// Byte behind the last.
    pub(super) end: usize,
    /// In how many brackets it stands; an opening and a closing one stand outside their own pair.
    pub(super) depth: usize,
    /// Does it stand in a hole of a text?
    pub(super) hole: bool,
}

impl Token {
    /// Its characters.
    pub(super) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

/// What is open at some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Bracket,
    Block,
    /// A text, by the index of its token.
    Text(usize),
    Hole,
}

/// Symbols of more than one character, longest first.
const SYMBOLS: &[&str] = &["===", "!==", "==", "!=", "<>", "&&", "||", "->", "=>", "<=", ">=", "??", "..", ":=", "//"];

/// Words after which a value comes, so that `/` begins a pattern there.
const BEFORE_VALUE: &[&str] =
    &["is", "in", "not", "and", "or", "when", "else", "matches", "where", "take", "by", "key", "expect"];

/// Reads lines one after the other, keeping what is open between them.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    open: Vec<Open>,
    /// The tokens so far.
    pub(super) tokens: Vec<Token>,
    /// The place where more than `limit` things were open.
    pub(super) too_deep: Option<usize>,
}

/// So many brackets, blocks and texts may stand in each other.
pub(super) const DEEPEST: usize = 64;

impl Scanner {
    /// How many brackets (no blocks) are open.
    pub(super) fn in_brackets(&self) -> bool {
        self.open.contains(&Open::Bracket)
    }

    /// How many brackets and blocks are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Reads `start..end` of the text, which is one line without its line break. Nothing is read behind a place that is
    /// too deep.
    pub(super) fn line(&mut self, text: &str, start: usize, end: usize) {
        if self.too_deep.is_some() {
            return;
        }
        let (first, level) = (self.tokens.len(), self.open.clone());
        if !self.run(text, start, end, true) {
            // A hole is not closed on its line: read the line again with its texts as plain ones.
            self.tokens.truncate(first);
            self.open = level;
            self.run(text, start, end, false);
        }
        // A text ends with its line.
        self.open.retain(|open| matches!(open, Open::Bracket | Open::Block));
    }

    /// Reads a line; no = it ended in a hole.
    fn run(&mut self, text: &str, start: usize, end: usize, holes: bool) -> bool {
        let mut at = start;
        while at < end && self.too_deep.is_none() {
            let Some(rest) = text.get(at..end) else { return true };
            let Some(letter) = rest.chars().next() else { return true };
            if let Some(Open::Text(index)) = self.open.last().copied() {
                at = self.in_text(index, rest, letter, at, end);
            } else if letter.is_whitespace() || letter == '\u{feff}' {
                at += letter.len_utf8();
            } else {
                at = self.token(text, rest, letter, at, end, holes);
            }
        }
        let broken = holes && self.open.iter().any(|open| matches!(open, Open::Hole));
        for open in &self.open {
            if let Open::Text(index) = *open
                && let Some(token) = self.tokens.get_mut(index)
            {
                token.end = end;
                token.kind = Kind::OpenText;
            }
        }
        !broken
    }

    /// One step inside a text with holes.
    fn in_text(&mut self, index: usize, rest: &str, letter: char, at: usize, end: usize) -> usize {
        match letter {
            '\\' => return at + 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            '"' => {
                self.open.pop();
                if let Some(token) = self.tokens.get_mut(index) {
                    token.end = at + 1;
                }
            }
            '{' => self.enter(Open::Hole, at),
            _ => return (at + rest.find(['\\', '"', '{']).unwrap_or(rest.len())).min(end),
        }
        at + 1
    }

    fn enter(&mut self, open: Open, at: usize) {
        self.open.push(open);
        if self.open.len() > DEEPEST {
            self.too_deep.get_or_insert(at);
        }
    }

    fn push(&mut self, kind: Kind, start: usize, len: usize) -> usize {
        let hole = self.open.contains(&Open::Hole);
        let depth = self.open.iter().filter(|open| matches!(open, Open::Bracket | Open::Block | Open::Hole)).count();
        self.tokens.push(Token { kind, start, end: start + len, depth, hole });
        start + len
    }

    fn token(&mut self, text: &str, rest: &str, letter: char, at: usize, end: usize, holes: bool) -> usize {
        match letter {
            '#' if self.open.last() != Some(&Open::Hole) => self.push(Kind::Comment, at, end - at),
            '"' if holes => {
                let index = self.tokens.len();
                self.push(Kind::Text, at, 1);
                self.enter(Open::Text(index), at);
                at + 1
            }
            '"' => {
                let (len, kind) = plain_text(rest);
                self.push(kind, at, len)
            }
            '`' => match rest.get(1..).and_then(|inner| inner.find('`')) {
                Some(len) if len > 0 => self.push(Kind::Ticked, at, len + 2),
                _ => self.push(Kind::Symbol, at, 1),
            },
            '\'' | '“' | '”' | '‘' | '’' | '«' => {
                let len = foreign_text(rest, letter);
                self.push(if len > 0 { Kind::ForeignText } else { Kind::Symbol }, at, len.max(letter.len_utf8()))
            }
            '/' if !rest.starts_with("//") && self.value_follows(text) => {
                let (len, closed) = pattern(rest);
                self.push(if closed { Kind::Pattern } else { Kind::OpenPattern }, at, len)
            }
            _ if letter.is_ascii_digit() => self.push(Kind::Number, at, number(rest)),
            _ if letter.is_alphabetic() || letter == '_' || letter == '@' => {
                let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '@')).unwrap_or(rest.len());
                self.push(Kind::Word, at, len)
            }
            _ => self.symbol(rest, letter, at),
        }
    }

    fn symbol(&mut self, rest: &str, letter: char, at: usize) -> usize {
        match letter {
            '(' | '[' | '{' => {
                let next = self.push(Kind::Symbol, at, 1);
                self.enter(if letter == '{' { Open::Block } else { Open::Bracket }, at);
                next
            }
            ')' | ']' => {
                if self.open.last() == Some(&Open::Bracket) {
                    self.open.pop();
                }
                self.push(Kind::Symbol, at, 1)
            }
            '}' => match self.open.last() {
                // The brace that ends a hole belongs to the text.
                Some(Open::Hole) => {
                    self.open.pop();
                    at + 1
                }
                Some(Open::Text(_)) | None => self.push(Kind::Symbol, at, 1),
                Some(Open::Bracket | Open::Block) => {
                    // A bracket that was left open ends with its block; inside a hole only its own ones do.
                    let from = self.open.iter().rposition(|open| *open == Open::Hole).map_or(0, |hole| hole + 1);
                    let block = self.open.iter().rposition(|open| *open == Open::Block).filter(|block| *block >= from);
                    match block {
                        Some(block) => self.open.truncate(block),
                        None if from > 0 => {
                            self.open.truncate(from - 1);
                            return at + 1;
                        }
                        None => {}
                    }
                    self.push(Kind::Symbol, at, 1)
                }
            },
            _ => {
                let len =
                    SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)).map_or(letter.len_utf8(), |s| s.len());
                self.push(Kind::Symbol, at, len)
            }
        }
    }

    /// Does a value come next, so that a `/` begins a pattern?
    fn value_follows(&self, text: &str) -> bool {
        let Some(last) = self.tokens.last() else { return true };
        match last.kind {
            Kind::Word => BEFORE_VALUE.contains(&last.text(text)),
            Kind::Symbol => !matches!(last.text(text), ")" | "]" | "}" | "!"),
            Kind::Comment | Kind::OpenText | Kind::OpenPattern => true,
            Kind::Text | Kind::OpenHole => last.hole != self.open.contains(&Open::Hole),
            Kind::Ticked | Kind::Number | Kind::ForeignText | Kind::Pattern => false,
        }
    }
}

/// Length of a text that is read without its holes, and whether it is whole.
fn plain_text(rest: &str) -> (usize, Kind) {
    let mut letters = rest.char_indices().skip(1);
    let mut kind = Kind::Text;
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '{' => kind = Kind::OpenHole,
            '}' => kind = Kind::Text,
            '"' => return (at + 1, kind),
            _ => {}
        }
    }
    (rest.len(), Kind::OpenText)
}

/// Length of `'…'`, `“…”` and the like; 0 when it is not closed.
fn foreign_text(rest: &str, letter: char) -> usize {
    let closing: &[char] = match letter {
        '\'' => &['\''],
        '“' | '”' => &['”', '“'],
        '«' => &['»'],
        _ => &['’', '‘'],
    };
    let inner = rest.get(letter.len_utf8()..).unwrap_or("");
    let end = inner.char_indices().find(|(_, c)| closing.contains(c));
    end.map_or(0, |(at, c)| letter.len_utf8() + at + c.len_utf8())
}

/// Length of a pattern, and whether it is closed.
fn pattern(rest: &str) -> (usize, bool) {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '/' => return (at + 1, true),
            _ => {}
        }
    }
    (rest.trim_end().len(), false)
}

/// Length of a number, percentage, date or moment.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' | b'_' => {}
            b'.' | b'-' | b':' if digit(at + 1) && (*byte == b'.' || dated(rest, at)) => {}
            b'T' if digit(at + 1) && at >= 8 => {}
            b'%' => return at + 1,
            _ => break,
        }
        at += 1;
    }
    at.max(1)
}

/// Is the `-` or `:` at this place part of a date or time, not an operator or a name before a colon?
fn dated(rest: &str, at: usize) -> bool {
    let before = rest.get(..at).unwrap_or("");
    before.len() <= 4 || before.contains('-')
}

/// All tokens of a text that is one segment.
pub(super) fn scan(text: &str) -> Vec<Token> {
    let mut scanner = Scanner::default();
    for line in super::segment::lines(text) {
        scanner.line(text, line.start, line.end);
    }
    scanner.tokens
}
