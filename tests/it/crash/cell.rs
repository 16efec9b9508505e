//! The cells of the matrix: where the process dies, at which write, what the target makes of it, what changes meanwhile.
//!
//! [`why_not`] says of each combination why it cannot occur, or that it can; [`all`] lists those that can.

use std::fmt;

use serde_json::{Value, json};

/// A write of the flow, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// Ensured, found by a field that is not kept.
    Debtor,
    /// With a number of its own, and a read that shows it.
    Sale,
    /// With a number of its own, and no read.
    Quote,
}

pub(super) const WRITES: [Write; 3] = [Write::Debtor, Write::Sale, Write::Quote];

impl Write {
    pub(super) fn entity(self) -> &'static str {
        match self {
            Self::Debtor => "KnSalesRelationOrg",
            Self::Sale => "FbSales",
            Self::Quote => "FbSalesQuotation",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Debtor => "debtor",
            Self::Sale => "sale",
            Self::Quote => "quote",
        }
    }
}

/// When a point is passed, for what can be met there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Once, before the first write; the target meets the second process.
    Early,
    /// At each write before it is sent, and nothing of it is on disk.
    Before,
    /// At each write before it is sent, on disk or about to be.
    Intended,
    /// The process dies while a request is under way, and hears of no answer.
    UnderWay(Under),
    /// At each answer.
    Answered,
    /// Where no clear answer came.
    GaveUp,
    /// Where what an answer confirmed is put on disk: at the writes with these places.
    Confirms(&'static [Write]),
    /// Once, when all of the page is done.
    Late,
    /// In the next process; the first one died with the request under way.
    Recovering,
}

/// How it stands with the request, and with the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Under {
    /// The target has the request.
    Sent,
    /// The target has half of it, and gets no more.
    HalfSent,
    /// Half of the answer has come.
    AnswerBegun,
    /// The target has the request, and the process was asked to stop and waits for the answer.
    Stopping,
    /// The target has the request of what was decided before the flow was edited.
    Swapped,
}

/// A point at which the process dies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) name: &'static str,
    pub(super) when: When,
}

const fn point(name: &'static str, when: When) -> Point {
    Point { name, when }
}

pub(super) const POINTS: &[Point] = &[
    point("read-page", When::Early),
    SOME_DECIDED,
    point("decided", When::Early),
    point("locked", When::Early),
    point("asked", When::Before),
    point("slot-taken", When::Before),
    point("intend-queued", When::Intended),
    point("intend-committed", When::Intended),
    point("half-sent", When::UnderWay(Under::HalfSent)),
    SENT,
    point("swap-between-decide-and-intend", When::UnderWay(Under::Swapped)),
    point("stop-at-20s", When::UnderWay(Under::Stopping)),
    point("answer-begun", When::UnderWay(Under::AnswerBegun)),
    point("answer-read", When::Answered),
    point("gave-up-before-unsettled", When::GaveUp),
    point("confirm+next-intend-committed", When::Confirms(&[Write::Debtor, Write::Sale])),
    point("confirm-queued", When::Confirms(&[Write::Quote])),
    point("last-confirm-committed", When::Confirms(&[Write::Quote])),
    point("sweep-half", When::Late),
    point("floor-committed", When::Late),
    point("restart:before-unsettled", When::Recovering),
    point("restart:unsettled-committed", When::Recovering),
    point("ask-sent", When::Recovering),
    point("ask-found-before-confirm", When::Recovering),
    point("ask-late-not-found-before-void", When::Recovering),
    point("void-committed", When::Recovering),
    QUARANTINE,
    WORD,
];

/// Of two records of a page one is decided.
pub(super) const SOME_DECIDED: Point = point("some-decided", When::Early);

/// Before the process that dies at it, the ledger is put back as it was before the first one; after it, its time is
/// waited out.
pub(super) const QUARANTINE: Point = point("quarantine", When::Recovering);

/// Before the process that dies at it, a person says that the write happened.
pub(super) const WORD: Point = point("settle-verb", When::Recovering);

/// The first process of those that recover dies here.
pub(super) const SENT: Point = point("sent", When::UnderWay(Under::Sent));

/// What an attempt comes to, for who hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Key,
    NoKey,
    Refusal,
    NumberExists,
    /// Not now: it is sent again at once.
    Later,
    /// No clear answer.
    Nothing,
}

/// What the target makes of the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) gives: Gives,
    /// Is there something of the write in the target in the end?
    pub(super) happens: bool,
}

const fn target(name: &'static str, gives: Gives, happens: bool) -> Target {
    Target { name, gives, happens }
}

pub(super) const TARGETS: &[Target] = &[
    target("not-arrived", Gives::Nothing, false),
    target("refused", Gives::Refusal, false),
    target("done", Gives::Key, true),
    target("answer-lost", Gives::Nothing, true),
    target("no-key", Gives::NoKey, true),
    target("runs-on", Gives::Nothing, true),
    target("number-ours", Gives::NumberExists, true),
    target("number-foreign", Gives::NumberExists, false),
    target("busy", Gives::Later, false),
    target("fault-done", Gives::Nothing, true),
    target("fault", Gives::Nothing, false),
];

impl Target {
    /// What the sandbox is told, for the record of this number; `held` ms it keeps the request first. None: as ever.
    fn fault(&self, write: Write, number: &str, held: u64) -> Option<Value> {
        let mut fault = match self.name {
            "not-arrived" => json!({"kind": "reset"}),
            "refused" => json!({"kind": "status", "message": "Not in this period."}),
            "done" if held == 0 => return None,
            "done" => json!({"kind": "delay"}),
            "answer-lost" => json!({"kind": "lost_answer"}),
            "no-key" => json!({"kind": "status", "status": 201, "done": true}),
            // Who is to die while it is under way must not hear that the line is cut.
            "runs-on" if held > 0 => json!({"kind": "delay", "ms": RUNS_ON}),
            "runs-on" => json!({"kind": "runs_on", "ms": RUNS_ON}),
            "number-ours" => json!({"kind": "done_before"}),
            "number-foreign" => json!({"kind": "delay", "records": {"afas": {"Profit_Salesorders": [
                {"OrderNumber": format!("J{number}"), "CustomerReference": "by phone"}
            ]}}}),
            "busy" if write == Write::Sale => json!({"kind": "throttled", "retry_after": 0}),
            "busy" => json!({"kind": "unavailable", "retry_after": 0}),
            "fault-done" => json!({"kind": "html", "done": true}),
            _ => json!({"kind": "html"}),
        };
        fault["system"] = json!("afas");
        fault["method"] = json!("POST");
        fault["path"] = json!(format!("connectors/{}", write.entity()));
        if held > 0 && fault.get("ms").is_none() {
            fault["ms"] = json!(held);
        }
        Some(fault)
    }
}

/// So long the target works on after the line was cut, in milliseconds.
const RUNS_ON: u64 = 400;
/// So long it keeps a request, until the process that sent it is dead.
const HELD: u64 = 150;
/// The same where the process is asked to stop first.
const HELD_AT_A_STOP: u64 = 600;

/// What changes between the kill and the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// Another number and other words for what is sent.
    Flow,
    /// Other words and quantities.
    Record,
    /// A second invoice of the same customer comes in.
    Another,
}

pub(super) const CHANGES: [Change; 4] = [Change::Nothing, Change::Flow, Change::Record, Change::Another];

/// The point at which the second process dies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Second {
    pub(super) point: &'static Point,
    pub(super) nth: u32,
    /// It must be passed, or it may be.
    pub(super) certain: bool,
    /// From its first passing of this point on, the clock of this process and the next is so many seconds ahead or
    /// behind.
    pub(super) clock: Option<(&'static Point, i64)>,
}

impl Second {
    /// As the program is told.
    pub(super) fn jump(&self) -> Option<String> {
        self.clock.map(|(point, seconds)| format!("{}:1:{seconds}", point.name))
    }
}

/// One trial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) point: &'static Point,
    pub(super) write: Write,
    pub(super) target: &'static Target,
    pub(super) change: Change,
    pub(super) second: Option<Second>,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { point, write, target, change, second } = self;
        let change = match change {
            Change::Nothing => "unchanged",
            Change::Flow => "flow",
            Change::Record => "record",
            Change::Another => "another",
        };
        write!(f, "{}/{}/{}/{change}", point.name, write.name(), target.name)?;
        match second {
            Some(second) => {
                write!(f, "+{}:{}", second.point.name, second.nth)?;
                second.jump().map_or(Ok(()), |jump| write!(f, "~{jump}"))
            }
            None => Ok(()),
        }
    }
}

impl Cell {
    /// The point that the cell is about.
    pub(super) fn about(&self) -> &'static Point {
        match &self.second {
            Some(second) if second.certain => second.point,
            _ => self.point,
        }
    }

    /// What the sandbox is told for the record of this number; none where it does as ever.
    pub(super) fn fault(&self, number: &str) -> Option<Value> {
        let held = match self.point.when {
            // The wire does the rest.
            When::UnderWay(Under::HalfSent) => return None,
            When::UnderWay(Under::Sent | Under::Swapped) => HELD,
            When::UnderWay(Under::Stopping) => HELD_AT_A_STOP,
            _ => 0,
        };
        self.target.fault(self.write, number, held)
    }

    /// After so many milliseconds what was sent counts as over. What is late comes before that, and who is to die in
    /// a wait is started before that, also on a slow machine.
    pub(super) fn settle(&self) -> u64 {
        match self.point.when {
            _ if *self.about() == QUARANTINE => 4000,
            When::UnderWay(_) => 1000,
            _ if self.target.name == "runs-on" => 1000,
            _ => 200,
        }
    }

    /// The how-manieth passing of the first point it is.
    pub(super) fn nth(&self) -> u32 {
        match self.point.when {
            When::Before | When::Intended | When::Answered => self.write as u32 + 1,
            When::Confirms(writes) => (1..).zip(writes).find(|(_, own)| **own == self.write).map_or(1, |(nth, _)| nth),
            _ => 1,
        }
    }
}

/// Why a cell cannot occur; none where it can.
pub(super) fn why_not(point: &Point, write: Write, target: &Target, change: Change) -> Option<&'static str> {
    match (target.gives, write) {
        (Gives::NumberExists, Write::Debtor) => return Some("a debtor has no number of ours"),
        (Gives::NumberExists, Write::Quote) if !target.happens => {
            return Some("a number with our prefix that no read shows is ours: nobody else makes them");
        }
        _ => {}
    }
    if change == Change::Another && write != Write::Debtor {
        return Some("only what is ensured is shared with another record");
    }
    let renumbered = (point.name, write, change) == ("intend-committed", Write::Quote, Change::Flow);
    if renumbered && target.name != "done" {
        return Some("under another number it is held, and the target never asked: the same as `done`");
    }
    let unheard = || {
        let heard = matches!(target.name, "refused" | "answer-lost" | "no-key" | "busy" | "fault-done" | "fault");
        heard.then_some("nobody hears the answer: the same as `done` or `not-arrived`")
    };
    let unchanged = || {
        (change != Change::Nothing)
            .then_some("nothing of the write is on disk or at the target, so that no edit meets it")
    };
    match point.when {
        When::Early if *point == SOME_DECIDED => (change != Change::Another)
            .then_some("one record has no others: only with another invoice of the same customer there are some"),
        When::Early if point.name == "locked" && write != Write::Debtor => {
            Some("only what is ensured has a lock: the same as `decided`")
        }
        When::Early | When::Before => unchanged(),
        When::Intended | When::Answered | When::Late => None,
        When::UnderWay(under) => unheard().or_else(|| not_under_way(under, target, change)),
        When::GaveUp => (target.gives != Gives::Nothing).then_some("the answer is clear"),
        When::Confirms(writes) => {
            if !writes.contains(&write) {
                Some("another point confirms this write")
            } else if !matches!(target.gives, Gives::Key | Gives::Later) {
                Some("the answer confirms nothing")
            } else {
                None
            }
        }
        When::Recovering => unheard().or_else(|| not_recovering(point, write, target, change)),
    }
}

/// What cannot be under way so.
fn not_under_way(under: Under, target: &Target, change: Change) -> Option<&'static str> {
    match under {
        Under::HalfSent if target.name != "not-arrived" => {
            Some("with half a request nothing is done: the same as `not-arrived`")
        }
        Under::AnswerBegun if !matches!(target.gives, Gives::Key | Gives::NumberExists) => {
            Some("there is no answer that could begin")
        }
        Under::Swapped if change != Change::Flow => Some("the swap is the edit of the flow"),
        _ => None,
    }
}

/// What the second process does with a request that was under way.
fn not_recovering(point: &Point, write: Write, target: &Target, change: Change) -> Option<&'static str> {
    match point.name {
        "ask-sent" if change == Change::Another && !target.happens => None,
        "ask-sent" | "ask-found-before-confirm" if write == Write::Quote => Some("no read shows it: nothing is asked"),
        "ask-sent" | "ask-found-before-confirm" if write == Write::Debtor => {
            Some("its e-mail is not kept: its time is over before its own record asks again")
        }
        "ask-found-before-confirm" if !target.happens => Some("there is nothing to find"),
        "ask-late-not-found-before-void" | "void-committed" if target.happens && write != Write::Quote => {
            Some("it is found")
        }
        "void-committed" if target.name == "number-foreign" => Some("it is held, not decided again"),
        "quarantine" if target.name == "number-foreign" => Some("it is held, and nothing is to be made"),
        "quarantine" if write == Write::Quote && target.happens && change == Change::Flow => {
            Some("another number for what no read shows and a ledger lost at once: `flow.lock` refuses that edit first")
        }
        "settle-verb" if write == Write::Debtor => Some("a person would have to know under which number it is there"),
        "settle-verb" if !target.happens => Some("a person says what is so"),
        _ => None,
    }
}

/// Points of the design that this matrix does not have, and why.
pub(super) const LEFT_OUT: &[(&str, &str)] = &[("in-place-intended", "there is no sending in place")];

/// Targets of the design that are the same as another one for all but the target itself.
pub(super) const SAME: &[(&str, &str)] =
    &[("refused, answer lost", "not-arrived"), ("runs on, will fail", "not-arrived")];

/// All cells that can occur.
pub(super) fn all() -> Vec<Cell> {
    let mut all = Vec::new();
    for point in POINTS {
        for write in WRITES {
            for target in TARGETS {
                for change in CHANGES {
                    if why_not(point, write, target, change).is_none() {
                        let recovering = point.when == When::Recovering;
                        let second = recovering.then_some(Second { point, nth: 1, certain: true, clock: None });
                        let first = if recovering { &SENT } else { point };
                        all.push(Cell { point: first, write, target, change, second });
                    }
                }
            }
        }
    }
    all
}
