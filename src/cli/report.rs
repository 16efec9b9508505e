//! What came of runs: the table for people and the summary line for programs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Serialize;

/// One run that has ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Ran {
    /// The run.
    pub(super) flow: Arc<str>,
    /// Records that the source gave.
    pub(super) read: u64,
    /// By entity.
    pub(super) created: BTreeMap<Arc<str>, u64>,
    /// By entity.
    pub(super) updated: BTreeMap<Arc<str>, u64>,
    /// Nothing to do.
    pub(super) skipped: u64,
    /// Waiting.
    pub(super) held: u64,
    /// Wrong.
    pub(super) failed: u64,
    /// Writes of which nobody knows yet.
    pub(super) in_doubt: u64,
    /// HTTP requests by connection.
    pub(super) requests: BTreeMap<Arc<str>, u64>,
    /// How long it took.
    pub(super) took: Duration,
}

#[derive(Serialize)]
struct Summary<'a> {
    flow: &'a str,
    read: u64,
    created: &'a BTreeMap<Arc<str>, u64>,
    updated: &'a BTreeMap<Arc<str>, u64>,
    skipped: u64,
    held: u64,
    failed: u64,
    in_doubt: u64,
    requests: &'a BTreeMap<Arc<str>, u64>,
    seconds: f64,
}

impl Ran {
    /// Does a person have to look at something?
    pub(super) fn troubled(&self) -> bool {
        self.held + self.failed + self.in_doubt > 0
    }

    /// `{"summary":{…}}`
    pub(super) fn json(&self) -> String {
        let Self { flow, read, created, updated, skipped, held, failed, in_doubt, requests, took } = self;
        let seconds = f64::from(u32::try_from(took.as_millis()).unwrap_or(u32::MAX)) / 1000.0;
        let summary = Summary {
            flow,
            read: *read,
            created,
            updated,
            skipped: *skipped,
            held: *held,
            failed: *failed,
            in_doubt: *in_doubt,
            requests,
            seconds,
        };
        serde_json::json!({ "summary": serde_json::to_value(summary).unwrap_or_default() }).to_string()
    }
}

/// The table: one line for each run, numbers to the right; a run that made more than one kind of thing has more lines.
pub(super) fn table(runs: &[Ran]) -> String {
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
                first(format!("{:.1}", run.took.as_secs_f64())),
            ]);
        }
    }
    columns(&rows, &[1, 4, 5, 6, 8])
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

    fn ran() -> Ran {
        let count = |all: &[(&str, u64)]| all.iter().map(|(name, n)| (Arc::from(*name), *n)).collect();
        Ran {
            flow: "jortt_orders".into(),
            read: 40,
            created: count(&[("FbSales", 38), ("KnSalesRelationOrg", 6)]),
            skipped: 1,
            held: 1,
            requests: count(&[("afas", 51), ("jortt", 3)]),
            took: Duration::from_millis(1_234),
            ..Ran::default()
        }
    }

    #[test]
    fn a_table_for_people() {
        let empty = Ran { flow: "jortt_customers".into(), ..Ran::default() };
        insta::assert_snapshot!(table(&[ran(), empty]), @r#"
        flow             read  created               updated  skipped  held  failed  requests  seconds
        jortt_orders       40  38 FbSales            -              1     1       0  51 afas       1.2
                               6 KnSalesRelationOrg                                  3 jortt
        jortt_customers     0  -                     -              0     0       0  -             0.0
        "#);
    }

    #[test]
    fn a_line_for_programs() {
        insta::assert_snapshot!(ran().json(), @r#"{"summary":{"flow":"jortt_orders","read":40,"created":{"FbSales":38,"KnSalesRelationOrg":6},"updated":{},"skipped":1,"held":1,"failed":0,"in_doubt":0,"requests":{"afas":51,"jortt":3},"seconds":1.234}}"#);
    }
}
