//! What came of runs, for people: the table, and one line for each kind of trouble that says what to do.
//!
//! Takes summaries of the engine, gives text. Promises one line for a kind of hold or failure, whatever the number of
//! records, and that nothing in a record can steer the terminal.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};

use super::say::width;
use crate::{
    engine::{Summary, Trouble},
    ledger::Doubt,
    value::{Verdict, is_hidden, shown},
};

/// `{"summary":{…}}`
pub(super) fn json(summary: &Summary) -> String {
    serde_json::json!({ "summary": summary }).to_string()
}

/// Does a person have to look at something?
pub(super) fn troubled(summary: &Summary) -> bool {
    summary.held + summary.failed + summary.unsettled > 0 || !summary.in_doubt.is_empty()
}

/// The table: one line for each run, numbers to the right; a run that made more than one kind of thing has more lines.
pub(super) fn table(runs: &[Summary]) -> String {
    let mut rows = vec![
        ["flow", "read", "created", "updated", "skipped", "held", "failed", "requests", "seconds"]
            .map(ToOwned::to_owned)
            .to_vec(),
    ];
    for run in runs {
        let list = |counts: &BTreeMap<Arc<str>, u64>| -> Vec<String> {
            counts.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{n} {name}")).collect()
        };
        let (created, updated, requests) = (list(&run.created), list(&run.updated), list(&run.requests));
        let lines = created.len().max(updated.len()).max(requests.len()).max(1);
        for line in 0..lines {
            let first = |text: String| if line == 0 { text } else { String::new() };
            let or_dash = |all: &Vec<String>| all.get(line).cloned().unwrap_or_else(|| first("-".to_owned()));
            rows.push(vec![
                first(run.flow.to_string()),
                first(run.read.to_string()),
                or_dash(&created),
                or_dash(&updated),
                first(run.skipped.to_string()),
                first(run.held.to_string()),
                first(run.failed.to_string()),
                or_dash(&requests),
                first(format!("{:.1}", run.seconds)),
            ]);
        }
    }
    columns(&rows, &[1, 4, 5, 6, 8])
}

/// A line for each kind of trouble of all runs, the worst first. A kind is a place in a flow: reasons that differ only
/// by what was filled in are one line.
pub(super) fn troubles(runs: &[Summary]) -> Vec<String> {
    let doubts = runs.iter().flat_map(|run| doubts(&run.in_doubt));
    let mut kinds: Vec<(&Trouble, u64, bool)> = Vec::new();
    for trouble in runs.iter().flat_map(|run| &run.reasons) {
        let same = kinds.iter_mut().find(|(own, ..)| own.verdict == trouble.verdict && own.place == trouble.place);
        match same {
            Some((_, count, differ)) => {
                *count += trouble.count;
                *differ = true;
            }
            None => kinds.push((trouble, trouble.count, false)),
        }
    }
    let rank = |verdict: Verdict| match verdict {
        Verdict::Fail => 0,
        Verdict::Hold => 1,
        Verdict::Warn | Verdict::Skip => 2,
    };
    kinds.sort_by_key(|(trouble, ..)| rank(trouble.verdict));
    let waiting = runs.iter().filter(|run| run.waiting > 0).map(waiting);
    doubts
        .chain(kinds.into_iter().map(|(trouble, count, differ)| line(trouble, count, differ)))
        .chain(waiting)
        .collect()
}

/// Stages that wait: nobody has to look yet.
fn waiting(run: &Summary) -> String {
    let (records, they) = if run.waiting == 1 { ("record", "it is") } else { ("records", "they are") };
    plain(&format!(
        "waiting  {} {records} of {}: for what comes after a write; {they} looked at again at the next run",
        run.waiting, run.flow
    ))
}

fn line(trouble: &Trouble, count: u64, differ: bool) -> String {
    let Trouble { verdict, place, text, example, .. } = trouble;
    let (word, one, many) = match verdict {
        Verdict::Fail => (
            "failed  ",
            "change the record, then it is decided again",
            "change the records, then they are decided again",
        ),
        Verdict::Hold => {
            ("held    ", "koppel holds says what to do about it", "koppel holds says what to do about them")
        }
        Verdict::Warn | Verdict::Skip => ("warning ", "nothing has to be done", "nothing has to be done"),
    };
    let (records, way) =
        if count == 1 { (format!("record {example}"), one) } else { (format!("{count} records, as {example}"), many) };
    let others = if differ { ", and others alike" } else { "" };
    plain(&format!("{word} {records}: {}{others} ({place}); {way}", short(text)))
}

/// So many writes in doubt of one run are shown, the others counted: `koppel status` lists them all.
const DOUBTS_SHOWN: usize = 3;

/// What is in doubt in one run, and how it gets certain.
fn doubts(all: &[Doubt]) -> Vec<String> {
    let mut lines: Vec<String> = all.iter().take(DOUBTS_SHOWN).map(doubt).collect();
    if let (Some(first), Some(more)) = (all.first(), all.len().checked_sub(DOUBTS_SHOWN + 1)) {
        lines.push(plain(&format!("in doubt {}: {} more; all of them:  koppel status", first.run, more + 1)));
    }
    if all.iter().any(|doubt| doubt.state != "unclear") {
        lines.push(
            "         koppel run --wait stays until that is certain, koppel serve sees to it by itself".to_owned(),
        );
    }
    lines
}

/// A write of which nobody knows yet whether it happened.
pub(super) fn doubt(doubt: &Doubt) -> String {
    let number = doubt.number.as_ref().map(|number| format!(" {number}")).unwrap_or_default();
    let since = doubt.since.map(|since| format!(" since {}", local(since))).unwrap_or_default();
    let Doubt { run, key, write, entity, connection, state, .. } = doubt;
    let what = match *state {
        "keyless" => "it happened, its key is still to be read back",
        "unclear" => "nothing can tell whether it happened: look it up, and type what koppel holds shows",
        _ => "asked about until it is certain, never sent twice",
    };
    plain(&format!("in doubt {run} {key}: {write} ({connection}.{entity}{number}){since}; {what}"))
}

/// Amsterdam time.
pub(super) fn local(at: Timestamp) -> String {
    amsterdam(at, "%Y-%m-%d %H:%M:%S")
}

/// Amsterdam time to the minute.
pub(super) fn minute(at: Timestamp) -> String {
    amsterdam(at, "%Y-%m-%d %H:%M")
}

/// Amsterdam time of the day.
pub(super) fn time_of_day(at: Timestamp) -> String {
    amsterdam(at, "%H:%M:%S")
}

fn amsterdam(at: Timestamp, form: &str) -> String {
    let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
    zone.to_datetime(at).strftime(form).to_string()
}

/// So much of a reason is shown: what a record holds may be longer than anybody reads.
const REASON: usize = 300;

/// A reason, cut where it is too long.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(REASON) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)).into(),
        None => text.into(),
    }
}

/// A record as it is typed behind a verb: `orders/10023`.
pub(super) fn typed(run: &str, key: &str) -> String {
    quoted(&format!("{run}/{key}"))
}

/// A word as it is typed, in quotes where a shell would take it apart.
pub(super) fn quoted(word: &str) -> String {
    let bare = |c: char| c.is_alphanumeric() || "-_./:@%+,=#".contains(c);
    if word.chars().all(bare) {
        word.to_owned()
    } else if word.chars().any(is_hidden) {
        // What nobody sees cannot be copied: a shell makes it out of its bytes.
        let form = |c: char| match c {
            '\'' | '\\' => format!("\\{c}"),
            c if is_hidden(c) => {
                c.encode_utf8(&mut [0; 4]).bytes().fold(String::new(), |all, byte| format!("{all}\\x{byte:02x}"))
            }
            c => c.to_string(),
        };
        format!("$'{}'", word.chars().map(form).collect::<String>())
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A text in lines that fit the screen, indented; what is too long for a line stands on one of its own.
pub(super) fn wrapped(text: &str, indent: usize) -> String {
    let (width, start) = (width(), " ".repeat(indent));
    let mut lines = vec![start.clone()];
    for word in plain(text).split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() == indent => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{start}{word}")),
        }
    }
    lines.join("\n") + "\n"
}

/// One line without what steers a terminal.
pub(super) fn plain(text: &str) -> String {
    shown(text).into_owned()
}

/// Rows as columns, two spaces apart; the columns of `right` keep their numbers to the right.
pub(super) fn columns(rows: &[Vec<String>], right: &[usize]) -> String {
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column)).map(|cell| cell.chars().count());
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(|column| cells(column).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let padded: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                let width = *width;
                if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:width$}") }
            })
            .collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(verdict: Verdict, text: &str, count: u64) -> Trouble {
        let (place, reason) = ("orders.flow:75".into(), "masked".into());
        Trouble { verdict, place, reason, text: text.into(), count, example: "10023".into() }
    }

    fn summary() -> Summary {
        let count = |all: &[(&str, u64)]| all.iter().map(|(name, n)| (Arc::from(*name), *n)).collect();
        Summary {
            flow: "jortt_orders".into(),
            read: 40,
            created: count(&[("FbSales", 38), ("KnSalesRelationOrg", 6)]),
            skipped: 1,
            held: 1,
            requests: count(&[("afas", 51), ("jortt", 3)]),
            seconds: 1.234,
            reasons: vec![
                trouble(Verdict::Warn, "no e-mail", 3),
                trouble(Verdict::Hold, "no VAT code for 19%\u{1b}[2J", 12),
                trouble(Verdict::Fail, "AFAS refused it", 1),
                trouble(Verdict::Hold, "no VAT code for 6%", 2),
            ],
            ..Summary::default()
        }
    }

    #[test]
    fn a_table_for_people() {
        let empty = Summary { flow: "jortt_customers".into(), ..Summary::default() };
        insta::assert_snapshot!(table(&[summary(), empty]), @r#"
        flow             read  created               updated  skipped  held  failed  requests  seconds
        jortt_orders       40  38 FbSales            -              1     1       0  51 afas       1.2
                               6 KnSalesRelationOrg                                  3 jortt
        jortt_customers     0  -                     -              0     0       0  -             0.0
        "#);
    }

    #[test]
    fn each_kind_of_trouble_is_one_line_with_what_to_do() {
        insta::assert_snapshot!(troubles(&[summary()]).join("\n"), @r#"
        failed   record 10023: AFAS refused it (orders.flow:75); change the record, then it is decided again
        held     14 records, as 10023: no VAT code for 19%\u{1b}[2J, and others alike (orders.flow:75); koppel holds says what to do about them
        warning  3 records, as 10023: no e-mail (orders.flow:75); nothing has to be done
        "#);
    }

    #[test]
    fn a_reason_without_end_is_cut() {
        let told = troubles(&[Summary { reasons: vec![trouble(Verdict::Hold, &"é".repeat(10_000), 1)], ..summary() }]);
        assert!(told.concat().chars().count() < 450 && told.concat().contains("é…"), "{told:?}");
        assert_eq!(short("short"), "short");
    }

    #[test]
    fn a_word_is_typed_so_that_a_shell_gives_it_back() {
        assert_eq!(typed("orders", "10023"), "orders/10023");
        assert_eq!(typed("orders", "it's; $(x)"), r"'orders/it'\''s; $(x)'");
        assert_eq!(typed("orders", "a'\u{1b}\u{202e}1"), r"$'orders/a\'\x1b\xe2\x80\xae1'");
    }

    #[test]
    fn what_waits_for_a_while_is_told_last_and_is_no_trouble() {
        let run = Summary { flow: "jortt_orders".into(), waiting: 2, ..Summary::default() };
        insta::assert_snapshot!(troubles(std::slice::from_ref(&run)).join("\n"), @"waiting  2 records of jortt_orders: for what comes after a write; they are looked at again at the next run");
        assert!(!troubled(&run));
    }

    #[test]
    fn a_line_for_programs_holds_no_live_text() {
        insta::assert_snapshot!(json(&summary()), @r#"{"summary":{"flow":"jortt_orders","read":40,"created":{"FbSales":38,"KnSalesRelationOrg":6},"updated":{},"skipped":1,"held":1,"failed":0,"unsettled":0,"requests":{"afas":51,"jortt":3},"seconds":1.234,"reasons":[{"verdict":"warn","place":"orders.flow:75","reason":"masked","count":3,"example":"10023"},{"verdict":"hold","place":"orders.flow:75","reason":"masked","count":12,"example":"10023"},{"verdict":"fail","place":"orders.flow:75","reason":"masked","count":1,"example":"10023"},{"verdict":"hold","place":"orders.flow:75","reason":"masked","count":2,"example":"10023"}]}}"#);
    }
}
