//! The texts that diagnostics point into: files, byte ranges, lines and columns.
//!
//! Takes texts by path, gives ids and places. [`Files`] is the only way in which pure rooms get at other files
//! (`use`, CSV tables, samples), so that they can be tested without a disk.

use std::sync::Arc;

/// A file within one [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// Byte behind the last.
    pub end: u32,
}

impl Span {
    /// The place of things that stand in no file.
    pub const NONE: Self = Self { file: FileId(u32::MAX), start: 0, end: 0 };

    /// A span of bytes `start..end` of `file`.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let cut = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: cut(start), end: cut(end) }
    }

    /// From the start of this one to the end of the other (same file).
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { end: other.end.max(self.end), ..self }
    }
}

/// A text with its path as a person would write it (relative to the project).
#[derive(Debug, Clone)]
pub struct Source {
    /// Relative to the project, with `/`; `std:countries` for what koppel brings along.
    pub path: String,
    /// The whole text.
    pub text: Arc<str>,
    line_starts: Vec<u32>,
}

impl Source {
    /// Line and column (both from 1, the column in characters) of a byte.
    #[must_use]
    pub fn line_column(&self, byte: u32) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= byte).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0) as usize;
        let end = (byte as usize).min(self.text.len());
        let column = self.text.get(start..end).map_or(0, |text| text.chars().count());
        (line, column + 1)
    }

    /// The text of a line (from 0) without its end.
    #[must_use]
    pub fn line(&self, line: usize) -> &str {
        let start = self.line_starts.get(line).copied().unwrap_or(u32::MAX) as usize;
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |next| *next as usize - 1);
        let text = self.text.get(start..end).unwrap_or("");
        text.strip_suffix('\r').unwrap_or(text)
    }
}

/// All texts of one check, in the order in which they were loaded.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a text and gives its id; a path that is there already keeps its id and gets the new text.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let (path, text) = (path.into(), text.into());
        let mut line_starts = vec![0];
        line_starts.extend(text.bytes().zip(1u32..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next));
        let source = Source { path, text, line_starts };
        let found = self.files.iter().position(|file| file.path == source.path);
        let index = found.unwrap_or(self.files.len());
        match self.files.get_mut(index) {
            Some(place) => *place = source,
            None => self.files.push(source),
        }
        FileId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The file of an id, if it is one of these.
    #[must_use]
    pub fn get(&self, file: FileId) -> Option<&Source> {
        self.files.get(file.0 as usize)
    }

    /// The characters of a span; empty where it points nowhere.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file).and_then(|file| file.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// All files, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        (0u32..).map(FileId).zip(self.files.iter())
    }
}

/// How pure rooms get at the other files of a project. Paths are relative to the project, with `/`, already
/// normalised (no `..` left); an implementation refuses what lies outside.
pub trait Files: Sync {
    /// The text of a file.
    ///
    /// # Errors
    /// A sentence for the reader: not there, not readable, not UTF-8, outside the project.
    fn read(&self, path: &str) -> Result<Arc<str>, String>;

    /// Paths of a kind (`flow`, `csv`) that are there, for suggestions.
    fn list(&self, ending: &str) -> Vec<String>;
}
