//! Reads the compact schemas of `stdlib/<system>/schema/`, as `koppel schema import` writes them.
//!
//! Takes a text, gives its fields as the vendor has them, borrowed from the text. Corrects nothing: facts are laid over
//! it by `schema::load`.

use super::SchemaError;

/// The parts of one entity's schema.
#[derive(Debug, Default)]
pub(super) struct Raw<'a> {
    /// What reading gives.
    pub(super) read: Option<Vec<RawField<'a>>>,
    /// What can be written.
    pub(super) write: Option<Vec<RawField<'a>>>,
    /// The name of the body's root on the wire, where it is not the entity's.
    pub(super) root: Option<&'a str>,
}

/// A field of a body.
#[derive(Debug)]
pub(super) struct RawField<'a> {
    pub(super) name: &'a str,
    pub(super) ty: &'a str,
    /// Greatest length of a text, decimals of a number.
    pub(super) size: Option<u32>,
    pub(super) label: &'a str,
    pub(super) create: Presence,
    pub(super) update: Presence,
    /// Code and label.
    pub(super) codes: Vec<(&'a str, &'a str)>,
    pub(super) fields: Vec<RawField<'a>>,
}

/// Is a field in a body?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Absent,
    Optional,
    Required,
}

/// A line that is not empty and no comment, with its depth.
struct Line<'a> {
    number: usize,
    depth: usize,
    text: &'a str,
}

/// Reads a schema; `file` is for messages.
pub(super) fn parse<'a>(file: &str, text: &'a str) -> Result<Raw<'a>, SchemaError> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let bare = line.trim_start_matches(' ');
            Line { number: index + 1, depth: (line.len() - bare.len()) / 2, text: bare.trim_end() }
        })
        .filter(|line| !line.text.is_empty() && !line.text.starts_with('#'))
        .peekable();
    let mut raw = Raw::default();
    while let Some(line) = lines.next() {
        let (head, root) = line.text.split_once(' ').map_or((line.text, None), |(head, root)| (head, Some(root)));
        let part = match (head, line.depth) {
            ("read", 0) => &mut raw.read,
            ("write", 0) => {
                raw.root = root;
                &mut raw.write
            }
            _ => return Err(wrong(file, &line, "`read` or `write`")),
        };
        *part = Some(fields(file, &mut lines, 1)?);
    }
    Ok(raw)
}

fn fields<'a>(
    file: &str,
    lines: &mut std::iter::Peekable<impl Iterator<Item = Line<'a>>>,
    depth: usize,
) -> Result<Vec<RawField<'a>>, SchemaError> {
    let mut out: Vec<RawField<'a>> = Vec::new();
    while let Some(line) = lines.next_if(|line| line.depth == depth) {
        let mut field = field(file, &line)?;
        while let Some(code) = lines.next_if(|line| line.depth == depth + 1 && line.text.starts_with("= ")) {
            let code = code.text.trim_start_matches("= ");
            field.codes.push(code.split_once(' ').unwrap_or((code, code)));
        }
        field.fields = fields(file, lines, depth + 1)?;
        out.push(field);
    }
    match lines.peek() {
        Some(line) if line.depth > depth => Err(wrong(file, line, "less indent")),
        _ => Ok(out),
    }
}

fn field<'a>(file: &str, line: &Line<'a>) -> Result<RawField<'a>, SchemaError> {
    let (head, label) = line.text.split_once(": ").unwrap_or((line.text, ""));
    let mut words = head.split(' ');
    let (Some(name), Some(ty)) = (words.next(), words.next()) else {
        return Err(wrong(file, line, "`name type marks: label`"));
    };
    let (ty, size) = match ty.strip_suffix(')').and_then(|ty| ty.split_once('(')) {
        Some((ty, size)) => (ty, Some(size.parse().map_err(|_| wrong(file, line, "a number between the brackets"))?)),
        None => (ty, None),
    };
    let (mut create, mut update) = (Presence::Optional, Presence::Optional);
    for mark in words {
        match mark {
            "create" => update = Presence::Absent,
            "update" => create = Presence::Absent,
            "create!" => create = Presence::Required,
            "update!" => update = Presence::Required,
            "!" => {
                for presence in [&mut create, &mut update] {
                    if *presence == Presence::Optional {
                        *presence = Presence::Required;
                    }
                }
            }
            _ => return Err(wrong(file, line, "the marks `!`, `create`, `create!`, `update`, `update!`")),
        }
    }
    Ok(RawField { name, ty, size, label, create, update, codes: Vec::new(), fields: Vec::new() })
}

fn wrong(file: &str, line: &Line<'_>, expected: &str) -> SchemaError {
    SchemaError(format!("{file}, line {}: \"{}\" where {expected} should stand", line.number, line.text))
}
