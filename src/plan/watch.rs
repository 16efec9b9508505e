//! What of a flow a test can reach: guards, rows of tables, `when`s and outcomes, each with its place.
//!
//! A plan that is made to be watched notes at each of them that it was come by. It closes nothing by settings and
//! works nothing out beforehand, so that all of them are there; it decides what the plan of a run decides. The plan
//! of a run has none of it.

use std::{collections::BTreeMap, sync::Arc};

use super::{code::Code, lower::Lowering};
use crate::{diagnostic::Span, value::Value};

/// Something of a flow that a test reaches or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Its place.
    pub span: Span,
    /// What stands there.
    pub kind: PointKind,
}

/// What a test can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointKind {
    /// A `skip`, `hold`, `fail` or `warn` line: reached when it applies.
    Guard,
    /// A row of a table, or its `otherwise`: reached when a lookup takes it.
    Row,
    /// What stands behind a `when`, or the last `else` of a choice: reached when it is chosen.
    Arm,
    /// Where a record may come to: a write of one target, a line of an `ensure` that gives its value, and `skip`,
    /// `hold` or `fail` in the place of a value.
    Outcome,
}

/// All points of a flow, each in a few words.
pub type Points = BTreeMap<Point, Arc<str>>;

impl Lowering<'_> {
    /// The condition under which something is reached: the same, and noted when it holds.
    pub(super) fn watch(
        &mut self,
        kind: PointKind,
        span: Span,
        what: impl FnOnce() -> String,
        when: Option<Code>,
    ) -> Option<Code> {
        let Some(points) = &mut self.points else { return when };
        let point = Point { span, kind };
        points.entry(point).or_insert_with(|| what().into());
        Some(match when {
            Some(when) => Code::And(Box::new((when, Code::Seen(point)))),
            None => Code::Seen(point),
        })
    }

    /// The same for what always has a condition: a `when`.
    pub(super) fn watch_when(&mut self, span: Span, when: Code) -> Code {
        let Some(points) = &mut self.points else { return when };
        let point = Point { span, kind: PointKind::Arm };
        points.entry(point).or_insert_with(|| "when".into());
        Code::And(Box::new((when, Code::Seen(point))))
    }

    /// A value that is noted when it is worked out.
    pub(super) fn watch_value(
        &mut self,
        kind: PointKind,
        span: Span,
        what: impl FnOnce() -> String,
        value: Code,
    ) -> Code {
        match self.watch(kind, span, what, None) {
            Some(seen) => Code::Choose(vec![(seen, value)], None, false),
            None => value,
        }
    }

    /// A constant; what is watched must not be worked out before it runs.
    pub(super) fn constant(&self, value: Value) -> Code {
        let value = Code::Const(value);
        if self.points.is_some() { Code::Choose(Vec::new(), Some(Box::new(value)), false) } else { value }
    }
}
