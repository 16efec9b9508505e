//! Decides records that stand as lines of JSON: for each one a line that says what would be sent, or why nothing.
//!
//! Takes a plan, rows that are given and a piece of text made of whole lines; gives as many lines of text. Pure, and
//! without a connection: a row that is not given is not there. Promises that the lines come out in the order in which
//! they went in, that a line that cannot be read costs no other one, and that nothing is kept from one piece of text to
//! the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::AddAssign,
    sync::Arc,
};

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value as Json, value::RawValue};

use super::{
    Moment, NothingLeft, Reads, admits,
    fast::{Decided, Driver, Lane, Session},
    output::Output,
    step,
    testing::World,
};
use crate::{
    plan::{Plan, SourcePlan},
    schema::{Catalog, Projection},
    value::{Action, Decision, EntityName, Outcome, Reason, Record, Value, Verdict, Write},
};

/// How systems get their writes.
pub trait Bodies: Send + Sync {
    /// The body of a write as its system gets it.
    ///
    /// # Errors
    /// A sentence: it cannot be sent as it is.
    fn body(&self, write: &Write) -> Result<Json, String>;

    /// Is the body of a create the envelope of AFAS around the fields of the flow, and nothing else?
    fn is_bare(&self, entity: &EntityName) -> bool;
}

/// The rows of both systems, by role and entity: `{"afas": {"Profit_Article": [{…}]}}`.
#[derive(Clone)]
pub struct Given(World<'static>);

impl Given {
    /// Reads the rows; what is not among them is empty.
    ///
    /// # Errors
    /// A sentence: it is no such JSON, a name that the flow or the system does not have, a row that does not fit.
    pub fn read(text: &str, plan: &Plan, catalog: &'static Catalog, today: Date) -> Result<Self, String> {
        let systems: BTreeMap<Arc<str>, Box<RawValue>> = serde_json::from_str(text).map_err(|error| {
            format!("is no object of systems, {{\"afas\": {{\"Profit_Debtor\": [{{…}}]}}}}: {error}")
        })?;
        let known: BTreeSet<&str> = plan.uses.iter().map(|(name, _)| &*name.role).collect();
        if let Some(other) = systems.keys().find(|role| !known.contains(&***role)) {
            let known: Vec<&str> = known.into_iter().collect();
            return Err(format!("the flow names no system `{other}`, but {}", known.join(", ")));
        }
        World::of_systems(&plan.program, catalog, &systems, today).map(Self)
    }
}

/// How many records came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Something would be sent.
    pub write: u64,
    /// Nothing is to be done.
    pub nothing: u64,
    /// Skipped.
    pub skip: u64,
    /// Held.
    pub hold: u64,
    /// Failed, or what would be sent cannot be.
    pub fail: u64,
    /// Left out by the `where` of the source.
    pub not_read: u64,
    /// Lines that are no such record.
    pub error: u64,
}

impl Tally {
    /// All counts with their words.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 7] {
        [
            ("write", self.write),
            ("nothing", self.nothing),
            ("skip", self.skip),
            ("hold", self.hold),
            ("fail", self.fail),
            ("not_read", self.not_read),
            ("error", self.error),
        ]
    }

    /// The count of an outcome by its word.
    fn of(&mut self, outcome: &str) -> &mut u64 {
        match outcome {
            "write" => &mut self.write,
            "nothing" => &mut self.nothing,
            "skip" => &mut self.skip,
            "hold" => &mut self.hold,
            "not_read" => &mut self.not_read,
            "error" => &mut self.error,
            _ => &mut self.fail,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.write += more.write;
        self.nothing += more.nothing;
        self.skip += more.skip;
        self.hold += more.hold;
        self.fail += more.fail;
        self.not_read += more.not_read;
        self.error += more.error;
    }
}

/// What one worker needs to decide lines.
pub struct Lines {
    plan: Arc<Plan>,
    given: Arc<Given>,
    bodies: Arc<dyn Bodies>,
    today: Date,
    projection: Projection,
}

/// Decides lines; where a flow looks at nothing but its record, most of them without making a tree of their JSON.
pub struct Decider<'l> {
    lines: &'l Lines,
    driver: Option<Driver<'l>>,
    quickly: u64,
}

/// A line of what comes out.
#[derive(Serialize)]
struct Told<'a> {
    /// The record, as `koppel plan` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Where it stands, when it cannot be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Why<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Why<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    writes: Vec<Sent<'a>>,
}

#[derive(Serialize)]
struct Why<'a> {
    /// `orders.flow:75`; none where no line of the flow says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a str>,
    text: &'a str,
}

#[derive(Serialize)]
struct Sent<'a> {
    name: &'a str,
    action: Action,
    entity: String,
    body: Json,
}

impl<'a> From<&'a Reason> for Why<'a> {
    fn from(reason: &'a Reason) -> Self {
        Self { place: Some(&reason.place), text: &reason.text }
    }
}

impl Lines {
    /// A worker; none when the plan reads nothing.
    #[must_use]
    pub fn new(plan: Arc<Plan>, given: Arc<Given>, bodies: Arc<dyn Bodies>, today: Date) -> Option<Self> {
        let source = plan.source.as_ref()?;
        let projection = Projection::new(&source.entity.read.as_ref()?.object, &source.fields);
        Some(Self { plan, given, bodies, today, projection })
    }

    /// The shorter way of this plan, if it has one.
    #[must_use]
    pub fn lane(&self) -> Option<Lane<'_>> {
        Lane::new(&self.plan, &self.projection, self.today, &|entity| self.bodies.is_bare(entity))
    }

    /// Somebody who decides lines, by the shorter way where there is one.
    #[must_use]
    pub fn decider<'l>(&'l self, lane: Option<&'l Lane<'l>>) -> Decider<'l> {
        Decider { lines: self, driver: lane.map(Lane::driver), quickly: 0 }
    }

    fn line(&self, place: u64, line: &[u8], out: &mut Output, tally: &mut Tally) {
        let record = match self.record(line) {
            Ok(record) => record,
            Err(text) => {
                tally.error += 1;
                let reason = Some(Why { place: None, text: &text });
                return tell(out, &told(None, Some(place), "error", reason));
            }
        };
        let Some(source) = &self.plan.source else { return };
        let key = Some(key(source, &record));
        match admits(&self.plan, &record, self.today) {
            Ok(true) => {}
            Ok(false) => {
                tally.not_read += 1;
                return tell(out, &told(key, None, "not_read", None));
            }
            Err(reason) => {
                tally.fail += 1;
                return tell(out, &told(key, None, "fail", Some((&reason).into())));
            }
        }
        let decision = match self.decide(&record) {
            Ok(decision) => decision,
            Err(text) => {
                tally.fail += 1;
                return tell(out, &told(key, None, "fail", Some(Why { place: None, text: &text })));
            }
        };
        let warnings = decision.warnings.iter().map(Why::from).collect();
        let (outcome, reason, sent) = match &decision.outcome {
            Outcome::Skip(reason) => ("skip", Some(reason), Ok(Vec::new())),
            Outcome::Hold(reason) => ("hold", Some(reason), Ok(Vec::new())),
            Outcome::Fail(reason) => ("fail", Some(reason), Ok(Vec::new())),
            Outcome::Writes(writes) if writes.is_empty() => ("nothing", None, Ok(Vec::new())),
            Outcome::Writes(writes) => match writes.iter().map(|write| self.sent(write)).collect() {
                Ok(sent) => ("write", None, Ok(sent)),
                Err(text) => ("fail", None, Err::<_, String>(text)),
            },
        };
        *tally.of(outcome) += 1;
        let (reason, writes) = match &sent {
            Ok(_) => (reason.map(Why::from), sent.unwrap_or_default()),
            Err(text) => (Some(Why { place: None, text }), Vec::new()),
        };
        tell(out, &Told { warnings, writes, ..told(key, None, outcome, reason) });
    }

    fn record(&self, line: &[u8]) -> Result<Record, String> {
        let json: Json = serde_json::from_slice(line).map_err(|error| {
            if error.is_eof() {
                "this line ends in the middle of its JSON".to_owned()
            } else {
                format!("this line is no JSON, from byte {} on", error.column())
            }
        })?;
        self.projection.decode(&json, self.today).map_err(|error| error.to_string())
    }

    fn decide(&self, record: &Record) -> Result<Decision, String> {
        let confirmed = BTreeMap::<Arc<str>, Value>::new();
        let moment = Moment { today: self.today, confirmed: &confirmed, left: &NothingLeft };
        let step = |reads: &Reads| (step(&self.plan, record, reads, moment), ());
        self.given.0.decide(&mut Reads::default(), step).map(|(decision, ())| decision)
    }

    fn sent<'w>(&self, write: &'w Write) -> Result<Sent<'w>, String> {
        let body = self.bodies.body(write).map_err(|text| format!("{}: {text}", write.name))?;
        Ok(Sent { name: &write.name, action: write.action, entity: write.entity.to_string(), body })
    }
}

impl Decider<'_> {
    /// How many lines took the shorter way.
    #[must_use]
    pub fn quickly(&self) -> u64 {
        self.quickly
    }

    /// Adds a line to `out` for each line that is not blank. `first` is the place of the first one in the whole text,
    /// from 1; a line may end in CR LF, the last one in nothing. Gives what became of them, and the place behind them.
    pub fn chunk(&mut self, first: u64, lines: &[u8], out: &mut Output) -> (Tally, u64) {
        let mut tally = Tally::default();
        let mut session = self.driver.as_mut().and_then(Driver::session);
        // One look at all of it; where something is no text, each line is looked at for itself.
        let text = session.as_ref().and_then(|_| simdutf8::basic::from_utf8(lines).ok());
        let (mut from, mut place) = (0, first);
        while from < lines.len() {
            let quickly = session.as_mut().zip(text).and_then(|(session, text)| quick(session, text, from, out));
            let (outcome, end) = if let Some((outcome, end)) = quickly {
                (Some(outcome), end)
            } else {
                let rest = lines.get(from..).unwrap_or_default();
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let line = rest.get(..length).unwrap_or_default().trim_ascii();
                let alone = if text.is_none() { std::str::from_utf8(line).ok() } else { None };
                let quickly = session.as_mut().zip(alone).and_then(|(session, line)| quick(session, line, 0, out));
                if quickly.is_none() && !line.is_empty() {
                    self.lines.line(place, line, out, &mut tally);
                }
                (quickly.map(|(outcome, _)| outcome), from + length)
            };
            if let Some(outcome) = outcome {
                *tally.of(outcome) += 1;
                self.quickly += 1;
            }
            (from, place) = (end + 1, place + 1);
        }
        (tally, place)
    }
}

/// Decides the line that begins here in a text by the shorter way, and tells it as [`Lines::line`] does. Gives the
/// outcome, and where the line ends. None: it is to be decided plainly.
fn quick<'s>(
    session: &mut Session<'s>,
    text: &'s str,
    begin: usize,
    out: &mut Output,
) -> Option<(&'static str, usize)> {
    let (decided, end) = session.line(text, begin)?;
    let start = out.len();
    let (outcome, reason, writes) = match &decided {
        Decided::Ends(verdict, reason) => (verdict.word(), Some(reason), 0),
        Decided::Writes if session.writes() == 0 => ("nothing", None, 0),
        Decided::Writes => ("write", None, session.writes()),
    };
    out.word(b"{\"key\":");
    let mut told = session.key(out);
    out.word(b",\"outcome\":\"");
    out.bytes(outcome.as_bytes());
    out.push(b'"');
    if let Some(reason) = reason {
        out.word(b",\"reason\":");
        told = told.and_then(|()| serde_json::to_writer(&mut *out, &Why::from(reason)).ok());
    }
    // A record that is skipped is told nothing else of.
    if !session.warnings().is_empty() && outcome != Verdict::Skip.word() {
        let warnings: Vec<Why<'_>> = session.warnings().iter().map(Why::from).collect();
        out.word(b",\"warnings\":");
        told = told.and_then(|()| serde_json::to_writer(&mut *out, &warnings).ok());
    }
    for number in 0..writes {
        out.bytes(if number == 0 { b",\"writes\":[" } else { b"," });
        told = told.and_then(|()| session.write(number, out));
    }
    if writes > 0 {
        out.push(b']');
    }
    out.word(b"}\n");
    if told.is_none() {
        out.truncate(start);
    }
    told.map(|()| (outcome, end))
}

fn key(source: &SourcePlan, record: &Record) -> String {
    let parts: Vec<String> = source.key.iter().map(|path| record.path(path).to_string()).collect();
    parts.join("/")
}

fn told<'a>(key: Option<String>, line: Option<u64>, outcome: &'static str, reason: Option<Why<'a>>) -> Told<'a> {
    Told { key, line, outcome, reason, warnings: Vec::new(), writes: Vec::new() }
}

fn tell(out: &mut Output, told: &Told<'_>) {
    // Neither a vector nor these types can refuse.
    let _ = serde_json::to_writer(&mut *out, told);
    out.push(b'\n');
}
