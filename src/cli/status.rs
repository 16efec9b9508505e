//! `koppel status`: what became of the records, what is in doubt, when each run was last here.

use std::{collections::BTreeMap, io::Write as _, sync::Arc};

use jiff::Timestamp;

use super::{
    args::{Args, StatusArgs},
    named::NOTHING_YET,
    place,
    report::{columns, doubt, local, plain},
    runtime,
    say::{Ended, Form, Said, Stop, out_in},
    target,
};
use crate::{
    insight::{self, EventKind, Wanted},
    ledger::{self, Status, Waiting},
};

/// Reads the ledger, also while another koppel writes it.
pub(super) fn status(args: &Args, asked: &StatusArgs) -> Said {
    let project = place::project(args)?;
    let (places, log) = runtime()?.block_on(target::places_of(&project, asked.of.sandbox.as_deref()))?;
    let status = ledger::status(&places.ledger)?;
    let finished = last_runs(&log.0, &log.1)?;
    let mut out = out_in(Form::of(asked.json));
    if asked.json {
        for line in json(&status, &finished) {
            writeln!(out, "{line}")?;
        }
    } else {
        write!(out, "{}", shown(&status, &finished))?;
    }
    out.flush()?;
    let troubled = !status.doubts.is_empty() || !status.waiting.is_empty();
    Ok(if troubled { Ended::Held } else { Ended::Fine })
}

/// When each run last came to its end, as the log says.
fn last_runs(folder: &std::path::Path, name: &str) -> Result<BTreeMap<Arc<str>, Timestamp>, Stop> {
    let (events, _) = insight::read(folder, name, &Wanted::default())?;
    let ends = events.into_iter().filter(|event| event.kind == EventKind::Finished && event.key.is_none());
    Ok(ends.map(|event| (event.run, event.at)).collect())
}

fn json(status: &Status, finished: &BTreeMap<Arc<str>, Timestamp>) -> Vec<String> {
    let runs = status.records.keys().chain(finished.keys()).collect::<std::collections::BTreeSet<_>>();
    let mut lines: Vec<serde_json::Value> = runs
        .into_iter()
        .map(|run| serde_json::json!({ "run": run, "records": status.records.get(run), "last": finished.get(run) }))
        .collect();
    lines.extend(status.waiting.iter().map(|waiting| serde_json::json!({ "waiting": waiting })));
    lines.extend(status.doubts.iter().map(|doubt| serde_json::json!({ "in_doubt": doubt })));
    lines.iter().map(ToString::to_string).collect()
}

fn shown(status: &Status, finished: &BTreeMap<Arc<str>, Timestamp>) -> String {
    if status.records.is_empty() && finished.is_empty() {
        return format!("{NOTHING_YET}\n");
    }
    let outcomes = ["done", "skipped", "held", "failed", "open", "gone"];
    let head = ["run"].into_iter().chain(outcomes).chain(["last run"]).map(ToOwned::to_owned).collect();
    let mut rows: Vec<Vec<String>> = vec![head];
    let runs = status.records.keys().chain(finished.keys()).collect::<std::collections::BTreeSet<_>>();
    for run in runs {
        let count = |outcome: &str| {
            let found = status.records.get(run).and_then(|counts| counts.get(outcome));
            found.copied().unwrap_or(0).to_string()
        };
        let last = finished.get(run).map_or_else(|| "not ended yet".to_owned(), |at| local(*at));
        rows.push(std::iter::once(run.to_string()).chain(outcomes.map(count)).chain([last]).collect());
    }
    let mut text = columns(&rows, &[1, 2, 3, 4, 5, 6]);
    for line in status.doubts.iter().map(doubt).chain(status.waiting.iter().map(waiting)) {
        text.push('\n');
        text.push_str(&line);
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if !status.doubts.is_empty() || !status.waiting.is_empty() {
        text.push_str("\nwhat to type about these:  koppel holds\n");
    }
    text
}

fn waiting(waiting: &Waiting) -> String {
    let Waiting { run, key, outcome, reason, place, next_try, .. } = waiting;
    let reason = reason.as_deref().unwrap_or("no reason kept");
    let place = place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    let next = next_try.filter(|_| &**outcome == "held").map(|at| format!("; tried again {}", local(at)));
    plain(&format!("{outcome:8} {run} {key}: {reason}{place}{}", next.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Doubt;

    #[test]
    fn counts_doubts_and_waiting_records_are_shown_with_their_times() {
        let at = |text: &str| Some(text.parse().unwrap());
        let status = Status {
            records: [("orders".into(), [("done".into(), 38), ("held".into(), 1)].into())].into(),
            waiting: vec![Waiting {
                run: "orders".into(),
                key: "7".into(),
                record: "7".into(),
                outcome: "held".into(),
                place: Some("orders.flow:75".into()),
                reason: Some("no VAT code for 19%".into()),
                since: at("2026-03-14T08:00:00Z"),
                at: at("2026-03-14T09:00:00Z"),
                next_try: at("2026-03-14T09:05:00Z"),
            }],
            doubts: vec![Doubt {
                run: "orders".into(),
                key: "8".into(),
                write: "sale".into(),
                entity: "FbSales".into(),
                connection: "afas".into(),
                state: "unsettled",
                number: Some("J2026-0042".into()),
                since: at("2026-03-14T09:31:07Z"),
            }],
        };
        let finished = [("orders".into(), "2026-03-14T09:31:30Z".parse().unwrap())].into();
        insta::assert_snapshot!(shown(&status, &finished), @r#"
        run     done  skipped  held  failed  open  gone  last run
        orders    38        0     1       0     0     0  2026-03-14 10:31:30

        in doubt orders 8: sale (afas.FbSales J2026-0042) since 2026-03-14 10:31:07; asked about until it is certain, never sent twice
        held     orders 7: no VAT code for 19% (orders.flow:75); tried again 2026-03-14 10:05:00

        what to type about these:  koppel holds
        "#);
        insta::assert_snapshot!(json(&status, &finished).join("\n"), @r#"
        {"run":"orders","records":{"done":38,"held":1},"last":"2026-03-14T09:31:30Z"}
        {"waiting":{"run":"orders","key":"7","record":"7","outcome":"held","place":"orders.flow:75","reason":"no VAT code for 19%","since":"2026-03-14T08:00:00Z","at":"2026-03-14T09:00:00Z","next_try":"2026-03-14T09:05:00Z"}}
        {"in_doubt":{"run":"orders","key":"8","write":"sale","entity":"FbSales","connection":"afas","state":"unsettled","number":"J2026-0042","since":"2026-03-14T09:31:07Z"}}
        "#);
    }
}
