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

use super::{Moment, NothingLeft, Reads, Step, admits, step, testing::World};
use crate::{
    plan::{Plan, SourcePlan},
    schema::{Catalog, Projection},
    value::{Action, Outcome, Reason, Record, Value, Write},
};

/// As with tests: so many rounds of reading are a mistake in koppel.
const ROUNDS: usize = 100;

/// Gives the body of a write as its system gets it.
pub type Body = dyn Fn(&Write) -> Result<Json, String> + Send + Sync;

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
    body: Arc<Body>,
    today: Date,
    projection: Projection,
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
    pub fn new(plan: Arc<Plan>, given: Arc<Given>, body: Arc<Body>, today: Date) -> Option<Self> {
        let source = plan.source.as_ref()?;
        let projection = Projection::new(&source.entity.read.as_ref()?.object, &source.fields);
        Some(Self { plan, given, body, today, projection })
    }

    /// Adds a line to `out` for each line that is not blank. `first` is the place of the first one in the whole text,
    /// from 1; a line may end in CR LF, the last one in nothing.
    pub fn chunk(&mut self, first: u64, lines: &[u8], out: &mut Vec<u8>) -> Tally {
        let mut tally = Tally::default();
        for (place, line) in (first..).zip(lines.split(|byte| *byte == b'\n')) {
            let line = line.trim_ascii();
            if !line.is_empty() {
                self.line(place, line, out, &mut tally);
            }
        }
        tally
    }

    fn line(&self, place: u64, line: &[u8], out: &mut Vec<u8>, tally: &mut Tally) {
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
        let Some(decision) = self.decide(&record) else {
            tally.fail += 1;
            let text = format!("no decision after {ROUNDS} rounds of reading: a mistake in koppel, please report it");
            return tell(out, &told(key, None, "fail", Some(Why { place: None, text: &text })));
        };
        let warnings = decision.warnings.iter().map(Why::from).collect();
        let (count, outcome, reason, sent) = match &decision.outcome {
            Outcome::Skip(reason) => (&mut tally.skip, "skip", Some(reason), Ok(Vec::new())),
            Outcome::Hold(reason) => (&mut tally.hold, "hold", Some(reason), Ok(Vec::new())),
            Outcome::Fail(reason) => (&mut tally.fail, "fail", Some(reason), Ok(Vec::new())),
            Outcome::Writes(writes) if writes.is_empty() => (&mut tally.nothing, "nothing", None, Ok(Vec::new())),
            Outcome::Writes(writes) => match writes.iter().map(|write| self.sent(write)).collect() {
                Ok(sent) => (&mut tally.write, "write", None, Ok(sent)),
                Err(text) => (&mut tally.fail, "fail", None, Err::<_, String>(text)),
            },
        };
        *count += 1;
        let (reason, writes) = match &sent {
            Ok(_) => (reason.map(Why::from), sent.unwrap_or_default()),
            Err(text) => (Some(Why { place: None, text }), Vec::new()),
        };
        tell(out, &Told { warnings, writes, ..told(key, None, outcome, reason) });
    }

    fn record(&self, line: &[u8]) -> Result<Record, String> {
        let json: Json = serde_json::from_slice(line).map_err(|error| {
            // Each line is a text of its own to the parser.
            format!("this line is no JSON: {}", error.to_string().replace(" at line 1 column ", " at character "))
        })?;
        self.projection.decode(&json, self.today).map_err(|error| error.to_string())
    }

    fn decide(&self, record: &Record) -> Option<crate::value::Decision> {
        let confirmed = BTreeMap::<Arc<str>, Value>::new();
        let moment = Moment { today: self.today, confirmed: &confirmed, left: &NothingLeft };
        let mut reads = Reads::default();
        for _ in 0..ROUNDS {
            match step(&self.plan, record, &reads, moment) {
                Step::Decided(decision) => return Some(decision),
                Step::Wants(asks) => {
                    for ask in asks {
                        let rows = self.given.0.rows(&ask);
                        reads.0.insert(ask, rows);
                    }
                }
            }
        }
        None
    }

    fn sent<'w>(&self, write: &'w Write) -> Result<Sent<'w>, String> {
        let body = (self.body)(write).map_err(|text| format!("{}: {text}", write.name))?;
        Ok(Sent { name: &write.name, action: write.action, entity: write.entity.to_string(), body })
    }
}

fn key(source: &SourcePlan, record: &Record) -> String {
    let parts: Vec<String> = source.key.iter().map(|path| record.path(path).to_string()).collect();
    parts.join("/")
}

fn told<'a>(key: Option<String>, line: Option<u64>, outcome: &'static str, reason: Option<Why<'a>>) -> Told<'a> {
    Told { key, line, outcome, reason, warnings: Vec::new(), writes: Vec::new() }
}

fn tell(out: &mut Vec<u8>, told: &Told<'_>) {
    // Neither a vector nor these types can refuse.
    let _ = serde_json::to_writer(&mut *out, told);
    out.push(b'\n');
}
