//! What each line of a text is: the first of a statement, one of its further lines, a closing brace, a comment, nothing.
//!
//! Takes a text, gives one [`Line`] for each of its lines. Promises that lines with mistakes, and whole statements whose
//! braces do not balance, are marked to be copied.

use crate::{
    diagnostic::FileId,
    syntax::{
        scan::{Kind, Token},
        segment::{self, Segment},
        words,
    },
};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Blank,
    Comment,
    /// The first line of a statement, or the line of a table.
    First,
    /// A further line of a statement: its indent goes along with that of the first.
    More,
    /// `}`
    Close,
    /// A line that is copied as it stands.
    Copied,
}

/// The blocks in which lines are read in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// Column 0.
    File,
    Read,
    Table,
    Other,
}

/// A line of a text.
#[derive(Debug)]
pub(super) struct Line<'t> {
    pub(super) what: What,
    /// In how many blocks it stands.
    pub(super) depth: usize,
    /// The innermost of them.
    pub(super) block: Block,
    /// The spaces that it gets.
    pub(super) indent: usize,
    /// Its text without indent and comment; a copied line has all of it here.
    pub(super) code: &'t str,
    /// Its comment, or nothing.
    pub(super) comment: &'t str,
    /// Where the comment stood, in characters.
    pub(super) column: usize,
    /// The tokens of its code, with places in the text.
    pub(super) tokens: Vec<Token>,
    /// Has the statement that begins here further lines?
    pub(super) goes_on: bool,
    /// Does the statement that begins here open a block?
    pub(super) opens: bool,
    /// Has the segment around it no mistake at all?
    pub(super) clean: bool,
    /// Does the statement that begins here open a block that is a declaration?
    pub(super) declares: bool,
    /// Its first byte.
    pub(super) start: usize,
    /// All of it.
    pub(super) raw: &'t str,
}

impl Line<'_> {
    /// Does a block begin behind it?
    pub(super) fn ends_in_brace(&self) -> bool {
        matches!(self.what, What::First | What::More) && self.code.ends_with('{')
    }

    fn copy(&mut self) {
        self.what = What::Copied;
        self.code = self.raw;
        (self.comment, self.indent, self.tokens) = ("", 0, Vec::new());
        (self.goes_on, self.opens, self.declares) = (false, false, false);
    }

    /// The spaces before it; a tab counts as one level.
    fn was_indented(&self) -> usize {
        self.raw.chars().take_while(|letter| letter.is_whitespace()).map(|c| if c == '\t' { 2 } else { 1 }).sum()
    }
}

/// The lines of a text.
pub(super) fn read(text: &str) -> Vec<Line<'_>> {
    let mut all: Vec<Line<'_>> = segment::lines(text).map(|line| plain(text, line.start, line.end)).collect();
    let segments = segment::segments(text);
    let (file, said) = crate::syntax::parse_segments(FileId(0), text, &segments);
    let told = said.iter().flat_map(|said| said.labels.iter().map(|label| label.span));
    let wrong: Vec<(usize, usize)> =
        told.chain(file.unread).map(|span| (span.start as usize, span.end as usize)).collect();
    let torn: Vec<usize> =
        said.iter().filter(|said| said.code == "F003").map(|said| said.span().start as usize).collect();
    for segment in segments {
        let first = all.partition_point(|line| line.start < segment.start);
        let end = all.partition_point(|line| line.start < segment.end);
        let Some(lines) = all.get_mut(first..end) else { continue };
        let inside = |at: usize| segment.start <= at && at < segment.end;
        let whole = segment.too_deep.is_none() && !torn.iter().any(|at| inside(*at));
        if whole && read_segment(text, &segment, lines) {
            let clean = !wrong.iter().any(|(start, _)| inside(*start));
            for line in &mut *lines {
                line.clean = clean;
            }
            copy_wrong(lines, &wrong);
        } else {
            copy_all(lines);
        }
    }
    for line in &mut all {
        let marked = |(start, end): &(usize, usize)| *start < line.start + line.raw.len().max(1) && *end > line.start;
        if line.what == What::Comment && wrong.iter().any(marked) {
            line.copy();
        }
    }
    indent(&mut all);
    all
}

/// A line by itself.
fn plain(text: &str, start: usize, end: usize) -> Line<'_> {
    let start = if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { start };
    let raw = text.get(start..end).unwrap_or("");
    let comment = raw.trim_matches([' ', '\t']);
    let what = match comment.chars().next() {
        None => What::Blank,
        Some('#') => What::Comment,
        // Code, of which more is known later, or characters that nobody sees.
        Some(_) => What::Copied,
    };
    Line {
        what,
        depth: 0,
        block: Block::File,
        indent: 0,
        code: if what == What::Copied { raw } else { "" },
        comment: if what == What::Comment { comment.trim_end() } else { "" },
        column: 0,
        tokens: Vec::new(),
        goes_on: false,
        opens: false,
        clean: true,
        declares: false,
        start,
        raw,
    }
}

/// Reads the lines of a segment; no = its brackets do not balance.
fn read_segment<'t>(text: &'t str, segment: &Segment, lines: &mut [Line<'t>]) -> bool {
    let mut tokens = segment.tokens.iter().peekable();
    let mut blocks = vec![Block::File];
    let (mut brackets, mut open_end) = (0_usize, false);
    // The first line of the statement that is read, its first word, and the line of code before this one.
    let (mut first, mut head, mut above): (Option<usize>, &str, Option<usize>) = (None, "", None);
    for index in 0..lines.len() {
        let Some(line) = lines.get_mut(index) else { break };
        let end = line.start + line.raw.len();
        let mut own = Vec::new();
        let mut comment = None;
        while let Some(token) = tokens.next_if(|token| segment.start + token.start < end) {
            let (start, end) = (segment.start + token.start, segment.start + token.end);
            if token.kind == Kind::Comment {
                comment = Some(start);
            } else {
                own.push(Token { start, end, ..*token });
            }
        }
        let last = own.iter().rev().find(|token| !token.hole).copied();
        let (Some(begin), Some(last)) = (own.first().copied(), last) else { continue };
        let code_end = comment.unwrap_or(end);
        line.code = text.get(line.start..code_end).unwrap_or("").trim();
        line.comment = comment.and_then(|at| text.get(at..end)).unwrap_or("").trim_end();
        line.column = super::wide(text.get(line.start..code_end).unwrap_or(""));
        let block = blocks.last().copied().unwrap_or(Block::File);
        let closes = begin.text(text) == "}" && !begin.hole && brackets == 0;
        let more = !closes && first.is_some() && (brackets > 0 || open_end || joins(line.code, block));
        (line.depth, line.block) = (blocks.len() - 1, block);
        if closes {
            line.what = What::Close;
            line.depth = line.depth.saturating_sub(1);
            first = None;
        } else if more {
            line.what = What::More;
        } else {
            line.what = What::First;
            head = begin.text(text);
            first = Some(index);
        }
        for token in own.iter().filter(|token| !token.hole && token.kind == Kind::Symbol) {
            match token.text(text) {
                "(" | "[" => brackets += 1,
                ")" | "]" if brackets == 0 => return false,
                ")" | "]" => brackets -= 1,
                "{" if brackets == 0 => blocks.push(match head {
                    "read" if blocks.len() == 1 => Block::Read,
                    "table" if blocks.len() == 1 => Block::Table,
                    _ => Block::Other,
                }),
                "}" if brackets == 0 && blocks.len() > 1 => {
                    blocks.pop();
                }
                "{" | "}" => return false,
                _ => {}
            }
        }
        let opens = last.text(text) == "{";
        open_end = !opens && !closes && ends_open(text, &own);
        line.tokens = own;
        if more {
            let between = above.map_or(index, |above| above + 1)..index;
            for line in lines.get_mut(between).into_iter().flatten() {
                line.what = What::More;
            }
            if let Some(line) = first.and_then(|first| lines.get_mut(first)) {
                (line.goes_on, line.opens) = (true, opens);
                line.declares = opens && head != "let";
            }
        } else if let Some(line) = lines.get_mut(index) {
            (line.opens, line.declares) = (opens, opens && head != "let");
        }
        if opens {
            first = None;
        }
        above = Some(index);
    }
    blocks.len() == 1 && brackets == 0
}

/// Does a line begin with a word that goes on with the line above it?
fn joins(code: &str, block: Block) -> bool {
    if code.starts_with("??") {
        return true;
    }
    let word: &str = code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next().unwrap_or("");
    let behind = code.get(word.len()..).unwrap_or("");
    let equals = behind.trim_start().strip_prefix('=').is_some_and(|rest| !rest.starts_with(['=', '>']));
    let known = match block {
        Block::Table => ["and", "or", "else", "when"].contains(&word),
        Block::Read => word != "where" && words::JOINERS.contains(&word),
        Block::File | Block::Other => words::JOINERS.contains(&word),
    };
    known && !equals && !behind.starts_with('.')
}

/// Does a line go on in the next one? A field may be called as an operator.
fn ends_open(text: &str, tokens: &[Token]) -> bool {
    let mut from_end = tokens.iter().rev().filter(|token| !token.hole);
    let (last, before) = (from_end.next(), from_end.next());
    let is_name = before.is_some_and(|token| token.text(text) == ".");
    !is_name && last.is_some_and(|last| segment::ends_open(text, std::slice::from_ref(last)))
}

/// Copies statements with a mistake, and those that stand where they may not.
fn copy_wrong(lines: &mut [Line<'_>], wrong: &[(usize, usize)]) {
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        let mut end = index + 1;
        if line.what == What::First {
            end += lines.iter().skip(end).take_while(|line| line.what == What::More).count();
        }
        let (from, to) = (line.start, lines.get(end - 1).map_or(line.start, |last| last.start + last.raw.len()));
        let marked = |(start, end): &(usize, usize)| *start < to && (*end > from || *start >= from);
        let astray = line.what == What::First && line.depth == 0 && (index > 0 || line.was_indented() > 0);
        let is_code = matches!(line.what, What::First | What::Close | What::More);
        if is_code && (astray || wrong.iter().any(marked)) {
            lines.get_mut(index..end).into_iter().flatten().for_each(Line::copy);
        }
        index = end;
    }
}

/// Copies all lines up to the last one with code.
fn copy_all(lines: &mut [Line<'_>]) {
    let is_code = |line: &Line<'_>| {
        let code = line.raw.trim_start();
        !code.is_empty() && !code.starts_with('#')
    };
    let last = lines.iter().rposition(is_code).map_or(0, |last| last + 1);
    lines.get_mut(..last).into_iter().flatten().for_each(Line::copy);
    for line in lines.iter_mut().skip(last) {
        let fresh = plain(line.raw, 0, line.raw.len());
        (line.what, line.code, line.comment, line.tokens) = (fresh.what, fresh.code, fresh.comment, Vec::new());
    }
}

/// Gives each line its indent: two spaces for each block, comments as the line below them.
fn indent(lines: &mut [Line<'_>]) {
    let (mut was, mut new) = (0, 0);
    for line in &mut *lines {
        match line.what {
            What::First | What::Close => {
                (was, new) = (line.was_indented(), line.depth * 2);
                line.indent = new;
            }
            What::More => {
                let least = if line.code.starts_with([')', ']']) { 0 } else { 2 };
                let behind = line.was_indented().saturating_sub(was).max(least);
                line.indent = new + behind;
            }
            What::Blank | What::Comment | What::Copied => {}
        }
    }
    let mut below = 0;
    for line in lines.iter_mut().rev() {
        match line.what {
            What::First => below = line.depth,
            // What stands before the end of a block stands in it.
            What::Close => below = line.depth + 1,
            What::Copied if !line.raw.trim().is_empty() => below = line.depth,
            What::Comment => (line.depth, line.indent) = (below, below * 2),
            What::Blank | What::More | What::Copied => {}
        }
    }
}
