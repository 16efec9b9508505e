//! What the tests of a project reach: a line for each file, and what none of them reached.
//!
//! Files that koppel brings along are left out: nobody has to test those. A file that several flows use is counted
//! once, whichever flow's tests reached it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    sync::Arc,
};

use crate::{
    cli::report::{columns, plain},
    diagnostic::{FileId, Sources, Span},
    eval::testing::Coverage,
    plan::{Point, PointKind, Points},
};

/// So much of a line of a flow is shown.
const SHOWN: usize = 72;

/// So many rows of one table are listed; of more only the first, and how many others there are.
const ROWS: usize = 10;
const FIRST: usize = 3;

/// In the order in which they are told.
const KINDS: [PointKind; 4] = [PointKind::Guard, PointKind::Row, PointKind::Arm, PointKind::Outcome];

/// What all tests together reach.
#[derive(Debug, Default)]
pub(super) struct Reached {
    points: Points,
    reached: BTreeSet<Point>,
}

impl Reached {
    /// Takes what the tests of one program reach.
    pub(super) fn take(&mut self, coverage: Coverage) {
        for (point, what) in coverage.points {
            self.points.entry(point).or_insert(what);
        }
        self.reached.extend(coverage.reached);
    }

    /// What no test reached, in the order of the files, with a few words.
    pub(super) fn open<'a>(&'a self, sources: &'a Sources) -> impl Iterator<Item = (Point, &'a Arc<str>)> {
        let open = self.points.iter().filter(|(point, _)| !self.reached.contains(point));
        open.filter(|(point, _)| own_path(sources, point.span.file).is_some()).map(|(point, what)| (*point, what))
    }

    /// How much of each kind is reached, and how much there is, for each file in the order of the texts.
    fn counts(&self, sources: &Sources) -> BTreeMap<FileId, [(usize, usize); 4]> {
        let mut counts: BTreeMap<FileId, [(usize, usize); 4]> = BTreeMap::new();
        for point in self.points.keys().filter(|point| own_path(sources, point.span.file).is_some()) {
            let kind = KINDS.iter().position(|kind| *kind == point.kind).unwrap_or_default();
            if let Some((reached, all)) = counts.entry(point.span.file).or_default().get_mut(kind) {
                *all += 1;
                *reached += usize::from(self.reached.contains(point));
            }
        }
        counts
    }

    /// A line for each file: `orders.flow  guards 11/12  rows 40/44  arms 31/38  outcomes 9/9`.
    pub(super) fn table(&self, sources: &Sources) -> String {
        let row = |(file, counts): (FileId, [(usize, usize); 4])| {
            let cell = |((reached, all), kind): ((usize, usize), PointKind)| match all {
                0 => String::new(),
                _ => format!("{} {reached}/{all}", words(kind)),
            };
            let cells = counts.into_iter().zip(KINDS).map(cell);
            own_path(sources, file).map(ToOwned::to_owned).into_iter().chain(cells).collect::<Vec<_>>()
        };
        columns(&self.counts(sources).into_iter().map(row).collect::<Vec<_>>(), &[])
    }

    /// The same for programs, an object for each file.
    pub(super) fn json(&self, sources: &Sources) -> Vec<String> {
        let object = |(file, counts): (FileId, [(usize, usize); 4])| {
            let mut object = serde_json::Map::new();
            object.insert("coverage".to_owned(), own_path(sources, file).unwrap_or_default().into());
            for ((reached, all), kind) in counts.into_iter().zip(KINDS) {
                object.insert(words(kind).to_owned(), serde_json::json!({ "reached": reached, "all": all }));
            }
            serde_json::Value::Object(object).to_string()
        };
        self.counts(sources).into_iter().map(object).collect()
    }

    /// What no test reached, each with its place and what stands there.
    pub(super) fn list(&self, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let open: Vec<_> = self.open(sources).collect();
        let same = |(a, of_a): &(Point, &Arc<str>), (b, of_b): &(Point, &Arc<str>)| {
            a.kind == PointKind::Row && b.kind == PointKind::Row && a.span.file == b.span.file && of_a == of_b
        };
        for run in open.chunk_by(same) {
            let shown = if run.len() > ROWS { FIRST } else { ROWS };
            rows.extend(run.iter().take(shown).map(|(point, what)| {
                vec![place(sources, point.span), told(point.kind, what), line(sources, point.span)]
            }));
            if let Some(more) = run.len().checked_sub(shown).filter(|more| *more > 0) {
                rows.push(vec![String::new(), format!("and {more} more rows")]);
            }
        }
        if rows.is_empty() {
            return writeln!(out, "the tests reach everything");
        }
        writeln!(out, "not reached by any test:")?;
        write!(out, "{}", columns(&rows, &[]))
    }
}

/// The path of a file that is the project's own.
fn own_path(sources: &Sources, file: FileId) -> Option<&str> {
    sources.get(file).map(|source| &*source.path).filter(|path| !path.starts_with("std:"))
}

/// `guards`
fn words(kind: PointKind) -> &'static str {
    match kind {
        PointKind::Guard => "guards",
        PointKind::Row => "rows",
        PointKind::Arm => "arms",
        PointKind::Outcome => "outcomes",
    }
}

/// `row of vat_duty`
pub(super) fn told(kind: PointKind, what: &str) -> String {
    match kind {
        PointKind::Row => format!("row of {what}"),
        PointKind::Guard | PointKind::Arm | PointKind::Outcome => what.to_owned(),
    }
}

/// `orders.flow:75`
pub(super) fn place(sources: &Sources, span: Span) -> String {
    match sources.get(span.file) {
        Some(source) => format!("{}:{}", source.path, source.line_column(span.start).0),
        None => String::new(),
    }
}

/// The line of a place, cut to what a terminal shows.
pub(super) fn line(sources: &Sources, span: Span) -> String {
    let Some(source) = sources.get(span.file) else { return String::new() };
    let text = source.line(source.line_column(span.start).0.saturating_sub(1)).trim();
    let cut: String = text.chars().take(SHOWN).collect();
    plain(&if cut.len() < text.len() { format!("{}…", cut.trim_end()) } else { cut })
}
