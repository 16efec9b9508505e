//! `koppel holds`: what is held, failed or in doubt, since when, why, and what to type about it.

use std::{collections::BTreeSet, fmt::Write as _, io::Write as _, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    args::{Args, HoldsArgs},
    named::Desk,
    report::{columns, local, minute, plain, quoted, time_of_day, typed, wrapped},
    say::{Ended, Form, Said, out_in},
    target,
};
use crate::{
    clock,
    engine::kind,
    ledger::{Doubted, State, Waiting, Wished},
};

/// What came of a wish is shown for so long.
const SHOWN: Duration = Duration::from_hours(24);

/// Lists what a person may have to look at; first what only a person can settle.
pub(super) fn holds(args: &Args, asked: &HoldsArgs) -> Said {
    let desk = Desk::open(args, &asked.of, "holds", &asked.runs)?;
    let runs: BTreeSet<Arc<str>> = asked.runs.iter().map(|run| desk.run(run)).collect::<Result<_, _>>()?;
    let wanted = |run: &Arc<str>| runs.is_empty() || runs.contains(run);
    let mut held = Held::default();
    for doubted in desk.view.doubts()?.into_iter().filter(|own| wanted(&own.row.record.run)) {
        let settle = target::settle(&desk.project, &doubted.row.conn, desk.sandbox);
        held.doubts.push(InDoubt::new(doubted, settle));
    }
    // What a person has to see to comes first.
    held.doubts.sort_by_key(|doubt| !doubt.person);
    let waiting = desk.view.status()?.waiting;
    held.waiting = waiting.into_iter().filter(|own| wanted(&own.run)).collect();
    let since = clock::now().saturating_sub(SHOWN).unwrap_or(Timestamp::MIN);
    let wishes = desk.view.wishes(since)?;
    held.wishes = wishes.into_iter().filter(|wished| wanted(&wished.wish.run)).collect();
    let mut out = out_in(Form::of(asked.json));
    if asked.json {
        for line in held.json() {
            writeln!(out, "{line}")?;
        }
    } else {
        write!(out, "{}", held.shown(&|words: &str| desk.command(words)))?;
    }
    out.flush()?;
    Ok(if held.doubts.is_empty() && held.waiting.is_empty() { Ended::Fine } else { Ended::Held })
}

/// Makes a command of the words behind `koppel`.
type Command<'a> = &'a dyn Fn(&str) -> String;

/// What is shown.
#[derive(Default)]
struct Held {
    doubts: Vec<InDoubt>,
    waiting: Vec<Waiting>,
    wishes: Vec<Wished>,
}

/// A write of which nobody knows yet whether it happened.
#[derive(Serialize)]
struct InDoubt {
    run: Arc<str>,
    key: Arc<str>,
    write: Arc<str>,
    connection: Arc<str>,
    entity: Arc<str>,
    state: State,
    number: Option<Arc<str>>,
    reference: Option<Arc<str>>,
    target_key: Option<Arc<str>>,
    since: Option<Timestamp>,
    /// From when on it may be said that it did not happen.
    until: Option<Timestamp>,
    /// Can only a person settle it?
    person: bool,
    /// Must the number be told under which it is there?
    needs_number: bool,
    reason: Option<Arc<str>>,
}

impl InDoubt {
    fn new(Doubted { row, reason }: Doubted, settle: Duration) -> Self {
        let state = row.standing.state;
        let needs_number = row.needs_number();
        let until = row.quiet_since.and_then(|since| since.checked_add(settle).ok()).filter(|_| state.in_doubt());
        Self {
            write: row.title(),
            run: row.record.run,
            key: row.record.key,
            connection: row.conn,
            entity: row.entity,
            state,
            number: row.own_number,
            reference: row.reference,
            target_key: row.target_key.filter(|key| !key.is_empty()),
            since: row.quiet_since,
            until,
            needs_number,
            person: reason.is_some() || matches!(state, State::Keyless | State::Unclear),
            reason,
        }
    }

    /// What is looked for in the target.
    fn marks(&self) -> String {
        let marks = [("number", &self.number), ("reference", &self.reference), ("key", &self.target_key)];
        let marks = marks.into_iter().filter_map(|(name, mark)| Some(format!("{name} {}", mark.as_ref()?)));
        let marks: Vec<String> = marks.collect();
        if marks.is_empty() { String::new() } else { format!(" with {}", marks.join(", ")) }
    }

    /// The text for one; `alone` says that it is the only one of its record.
    fn shown(&self, alone: bool, command: Command<'_>) -> String {
        let Self { run, key, write, connection, entity, .. } = self;
        let of = self.since.map(|since| format!(", sent {}", local(since))).unwrap_or_default();
        let mut text = wrapped(&format!("in doubt  {run}/{key}: {write}"), 0);
        let late = self.until.filter(|until| *until > clock::now());
        if !self.person {
            let until = late.map(|until| format!(", mostly by {}", time_of_day(until))).unwrap_or_default();
            let line = format!(
                "{connection}.{entity}{}{of}; asked about until it is certain{until}; nothing has to be done",
                self.marks()
            );
            text.push_str(&wrapped(&line, INDENT));
            return text;
        }
        let told = (self.state == State::Keyless).then_some("it was made, its number is still to be read back");
        if let Some(reason) = self.reason.as_deref().or(told) {
            text.push_str(&wrapped(reason, INDENT));
        }
        text.push_str(&wrapped(&format!("look in {connection} for {entity}{}{of}", self.marks()), INDENT));
        let which = if alone { String::new() } else { format!(" --write {}", quoted(write)) };
        let number = if self.needs_number { " NUMBER" } else { "" };
        let record = typed(run, key);
        let late = late.map(|until| format!(" (to be said after {})", time_of_day(until))).unwrap_or_default();
        // Writing into a text cannot fail.
        let _ = write!(
            text,
            "      it is there:\n        {}\n      it is not there{late}:\n        {}\n",
            command(&format!("settle {record} --happened{number}{which}")),
            command(&format!("settle {record} --did-not-happen{which}"))
        );
        text
    }
}

/// Of what stands under a head.
const INDENT: usize = 6;

impl Held {
    fn json(&self) -> Vec<String> {
        let doubts = self.doubts.iter().map(|doubt| serde_json::json!({ "in_doubt": doubt }));
        let waiting = self.waiting.iter().map(|waiting| serde_json::json!({ "waiting": waiting }));
        let wishes = self.wishes.iter().map(|wished| serde_json::json!({ "wish": wished }));
        doubts.chain(waiting).chain(wishes).map(|line| line.to_string()).collect()
    }

    fn shown(&self, command: Command<'_>) -> String {
        let mut parts: Vec<String> = Vec::new();
        for doubt in &self.doubts {
            let same = self.doubts.iter().filter(|own| (&own.run, &own.key) == (&doubt.run, &doubt.key)).count();
            parts.push(doubt.shown(same == 1, command));
        }
        parts.extend(self.kinds().iter().map(|kind| group(kind, command)));
        if parts.is_empty() {
            parts.push("nothing is held, failed or in doubt\n".to_owned());
        }
        let alike = self.wishes.chunk_by(|one, next| like(one) == like(next));
        let wishes: Vec<String> = alike.map(typed_alike).collect();
        if !wishes.is_empty() {
            parts.push(wishes.concat());
        }
        parts.join("\n")
    }

    /// What waits, by kind of reason; without what stands among the doubts already.
    fn kinds(&self) -> Vec<Vec<&Waiting>> {
        let mut kinds: Vec<Vec<&Waiting>> = Vec::new();
        let told = |own: &Waiting| {
            self.doubts
                .iter()
                .any(|doubt| doubt.run == own.run && doubt.key == own.record && doubt.reason == own.reason)
        };
        let of =
            |own: &Waiting| (own.run.clone(), own.outcome.clone(), own.place.clone(), own.reason.as_deref().map(kind));
        for own in self.waiting.iter().filter(|own| !told(own)) {
            match kinds.iter_mut().find(|kind| kind.first().is_some_and(|first| of(first) == of(own))) {
                Some(kind) => kind.push(own),
                None => kinds.push(vec![own]),
            }
        }
        // What nothing but a person moves comes first.
        kinds.sort_by_key(|kind| kind.first().is_some_and(|first| &*first.outcome == "held"));
        kinds
    }
}

/// The records of one kind of reason.
fn group(kind: &[&Waiting], command: Command<'_>) -> String {
    let Some(first) = kind.first() else { return String::new() };
    let Waiting { run, outcome, place, reason, .. } = first;
    let held = &**outcome == "held";
    let records = if kind.len() == 1 { "1 record".to_owned() } else { format!("{} records", kind.len()) };
    let place = place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    let mut text = wrapped(&format!("{outcome:8}  {run}, {records}{place}"), 0);
    let alike = if kind.iter().any(|own| own.reason != *reason) { ", and others alike" } else { "" };
    text.push_str(&wrapped(&format!("{}{alike}", reason.as_deref().unwrap_or("no reason kept")), INDENT));
    let mut rows = vec![["record", "since", if held { "tried again" } else { "" }].map(ToOwned::to_owned).to_vec()];
    rows.extend(kind.iter().map(|own| {
        let again = own.next_try.filter(|_| held);
        vec![plain(&own.key), own.since.map(minute).unwrap_or_default(), again.map(minute).unwrap_or_default()]
    }));
    let (way, commands) = way(kind, held);
    text.extend(columns(&rows, &[]).lines().map(|line| format!("      {line}\n")));
    text.push_str(&wrapped(way, INDENT));
    text.extend(commands.iter().map(|words| format!("        {}\n", command(words))));
    text
}

/// What can be done about a kind, and what is to be typed for it.
fn way(kind: &[&Waiting], held: bool) -> (&'static str, Vec<String>) {
    // A reason that names a command says what to type for its record.
    let named =
        |own: &Waiting| own.reason.as_deref()?.split('`').find_map(|part| part.strip_prefix("koppel ")).map(plain);
    let named: Vec<String> = kind.iter().filter_map(|own| named(own)).collect();
    match (kind, held) {
        _ if !named.is_empty() => ("if that is meant:", named),
        ([one], true) => (
            "when that is mended it goes through by itself; at once:",
            vec![format!("retry {}", typed(&one.run, &one.record))],
        ),
        ([one], false) => (
            "change the record, then it is decided again; as it is:",
            vec![format!("retry {}", typed(&one.run, &one.record))],
        ),
        (all, true) => (
            "when that is mended they go through by themselves; at once:",
            all.first().map(|own| format!("retry {}", own.run)).into_iter().collect(),
        ),
        (all, false) => (
            "change the records, then they are decided again; as they are:",
            all.first().map(|own| format!("retry {} --failed", own.run)).into_iter().collect(),
        ),
    }
}

/// What wishes have in common that were typed in one go and came out alike.
fn like(Wished { wish, at, ended, refused, .. }: &Wished) -> impl PartialEq {
    (wish.run.clone(), wish.verb, *at, ended.is_some(), refused.clone())
}

/// What was typed in one go, and what came of it.
fn typed_alike(all: &[Wished]) -> String {
    let Some(first) = all.first() else { return String::new() };
    let came = match (&first.refused, all.iter().filter_map(|own| own.ended).max()) {
        (Some(why), _) => format!("refused: {why}"),
        (None, Some(ended)) => format!("carried out at {}", time_of_day(ended)),
        (None, None) => "waits for the next poll of its run".to_owned(),
    };
    let more = match all.len() {
        1 => String::new(),
        more => format!(", and {} more of {}", more - 1, first.wish.run),
    };
    let typed = plain(&format!("{}{more}", first.wish));
    format!("typed {}:  {typed}\n{}", minute(first.at), wrapped(&came, INDENT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Verb, Wish};

    fn at(text: &str) -> Timestamp {
        format!("2026-03-14T{text}Z").parse().unwrap()
    }

    fn doubt(key: &str, write: &str, state: State) -> InDoubt {
        InDoubt {
            run: "orders".into(),
            key: key.into(),
            write: write.into(),
            connection: "afas".into(),
            entity: "FbSales".into(),
            state,
            number: Some("J2026-0042".into()),
            reference: Some("2026-0042".into()),
            target_key: None,
            since: Some(at("09:31:07")),
            until: Some(at("09:49:07")),
            person: state != State::Unsettled,
            needs_number: false,
            reason: (state != State::Unsettled).then(|| "it was made, and no read shows under which key".into()),
        }
    }

    fn waiting(key: &str, outcome: &str, reason: &str) -> Waiting {
        Waiting {
            run: "orders".into(),
            key: key.into(),
            record: key.trim_end_matches(" after sale").into(),
            outcome: outcome.into(),
            place: Some("orders.flow:75".into()),
            reason: Some(reason.into()),
            since: Some(at("08:00:00")),
            at: Some(at("09:00:00")),
            next_try: (outcome == "held").then(|| at("09:05:00")),
        }
    }

    fn wished(verb: Verb, ended: Option<Timestamp>, refused: Option<&str>) -> Wished {
        let wish = Wish { run: "orders".into(), key: Some("7".into()), verb, write: None, target_key: None };
        Wished { id: 1, wish, at: at("09:00:00"), ended, refused: refused.map(Into::into) }
    }

    #[test]
    fn what_waits_is_shown_by_kind_with_what_to_type() {
        let doubts = vec![
            InDoubt { number: None, needs_number: true, ..doubt("8", "debtor", State::Keyless) },
            doubt("8", "sale after stock", State::Unclear),
            InDoubt { until: Some("2126-03-14T09:49:07Z".parse().unwrap()), ..doubt("9", "sale", State::Unsettled) },
        ];
        let waiting = vec![
            waiting("8", "held", "it was made, and no read shows under which key"),
            waiting("10", "held", "no VAT code for duty 1, 19% on 2009-05-01; the table of VAT codes lacks that row"),
            waiting("11", "held", "no VAT code for duty 1, 6% on 2009-05-01; the table of VAT codes lacks that row"),
            waiting("it's 12", "failed", "afas refused the FbSales"),
            waiting("13 after sale", "held", "nothing is delivered yet"),
            waiting("14", "held", "would make label again: `koppel redo orders/14`"),
        ];
        let wishes = vec![
            wished(Verb::Retry, None, None),
            wished(Verb::Redo, Some(at("09:00:02")), None),
            wished(Verb::DidNotHappen, Some(at("09:00:02")), Some("it is not in doubt any more")),
        ];
        let held = Held { doubts, waiting, wishes };
        insta::assert_snapshot!(held.shown(&|words: &str| format!("koppel {words} --env=test")), @r#"
        in doubt  orders/8: debtor
              it was made, and no read shows under which key
              look in afas for FbSales with reference 2026-0042, sent 2026-03-14
              10:31:07
              it is there:
                koppel settle orders/8 --happened NUMBER --write debtor --env=test
              it is not there:
                koppel settle orders/8 --did-not-happen --write debtor --env=test

        in doubt  orders/8: sale after stock
              it was made, and no read shows under which key
              look in afas for FbSales with number J2026-0042, reference 2026-0042, sent
              2026-03-14 10:31:07
              it is there:
                koppel settle orders/8 --happened --write 'sale after stock' --env=test
              it is not there:
                koppel settle orders/8 --did-not-happen --write 'sale after stock' --env=test

        in doubt  orders/9: sale
              afas.FbSales with number J2026-0042, reference 2026-0042, sent 2026-03-14
              10:31:07; asked about until it is certain, mostly by 10:49:07; nothing has
              to be done

        failed    orders, 1 record (orders.flow:75)
              afas refused the FbSales
              record   since
              it's 12  2026-03-14 09:00
              change the record, then it is decided again; as it is:
                koppel retry 'orders/it'\''s 12' --env=test

        held      orders, 2 records (orders.flow:75)
              no VAT code for duty 1, 19% on 2009-05-01; the table of VAT codes lacks
              that row, and others alike
              record  since             tried again
              10      2026-03-14 09:00  2026-03-14 10:05
              11      2026-03-14 09:00  2026-03-14 10:05
              when that is mended they go through by themselves; at once:
                koppel retry orders --env=test

        held      orders, 1 record (orders.flow:75)
              nothing is delivered yet
              record         since             tried again
              13 after sale  2026-03-14 09:00  2026-03-14 10:05
              when that is mended it goes through by itself; at once:
                koppel retry orders/13 --env=test

        held      orders, 1 record (orders.flow:75)
              would make label again: `koppel redo orders/14`
              record  since             tried again
              14      2026-03-14 09:00  2026-03-14 10:05
              if that is meant:
                koppel redo orders/14 --env=test

        typed 2026-03-14 10:00:  koppel retry orders/7
              waits for the next poll of its run
        typed 2026-03-14 10:00:  koppel redo orders/7
              carried out at 10:00:02
        typed 2026-03-14 10:00:  koppel settle orders/7 --did-not-happen
              refused: it is not in doubt any more
        "#);
    }

    #[test]
    fn programs_get_one_object_a_line() {
        let held = Held {
            doubts: vec![doubt("9", "sale", State::Unsettled)],
            waiting: vec![waiting("12", "failed", "afas refused the FbSales")],
            wishes: vec![wished(Verb::DidNotHappen, Some(at("09:00:02")), Some("it is not in doubt any more"))],
        };
        insta::assert_snapshot!(held.json().join("\n"), @r#"
        {"in_doubt":{"run":"orders","key":"9","write":"sale","connection":"afas","entity":"FbSales","state":"unsettled","number":"J2026-0042","reference":"2026-0042","target_key":null,"since":"2026-03-14T09:31:07Z","until":"2026-03-14T09:49:07Z","person":false,"needs_number":false,"reason":null}}
        {"waiting":{"run":"orders","key":"12","record":"12","outcome":"failed","place":"orders.flow:75","reason":"afas refused the FbSales","since":"2026-03-14T08:00:00Z","at":"2026-03-14T09:00:00Z","next_try":null}}
        {"wish":{"run":"orders","key":"7","verb":"did-not-happen","write":null,"target_key":null,"at":"2026-03-14T09:00:00Z","ended":"2026-03-14T09:00:02Z","refused":"it is not in doubt any more"}}
        "#);
    }
}
