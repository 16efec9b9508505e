//! The wish to end, by a person and by the system; and what stops for whom when a system refuses or is busy.

use std::time::{Duration, Instant};

use koppel::sandbox::Options;
use serde_json::json;

use super::{Town, flow};

const INVOICES: usize = 120;

async fn town() -> Town {
    Town::new(Options { size: INVOICES, limits: false, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_asked_to_stop_ends_soon_and_the_next_one_goes_on_from_there() {
    for signal in ["INT", "TERM"] {
        let town = town().await;
        let against = town.against();
        let run = town.start(&["run", &against]);
        town.until_orders(20).await;
        let asked = Instant::now();
        run.signal(signal);
        let (code, text) = run.ended().await;
        assert_eq!(code, 2, "{signal}: {text}");
        assert!(asked.elapsed() < Duration::from_secs(20), "{signal}: {:?}", asked.elapsed());
        assert!(text.contains("stopped before the end; the next run goes on from here"), "{text}");
        let made = town.orders().await;
        assert!(made < INVOICES as u64, "{signal}: it did not stop on the way");
        assert!(town.status().doubts.is_empty(), "{signal}: what was under way came to its end");
        let (code, text) = town.run(&["run", &against]).await;
        assert_eq!(code, 0, "{signal}: {text}");
        Town::each_once(&town.effects().await, INVOICES);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_hangs_keeps_nobody_from_stopping_and_is_asked_about_afterwards() {
    // The order is made, and its answer is far away; or the log-in itself hangs.
    let hangs = [("SIGTERM", "TERM", "FbSales"), ("SIGINT", "INT", "FbSales"), ("a read", "TERM", "Profit_Debtor")];
    let stops = hangs.map(|(what, signal, path)| async move {
        let town = town().await;
        let against = town.against();
        let fault = json!({"system": "afas", "kind": "slow", "path": path, "ms": 60_000});
        town.faults(&json!([fault])).await;
        let run = town.start(&["run", &against]);
        town.until_called(path).await;
        let asked = Instant::now();
        run.signal(signal);
        let (code, text) = run.ended().await;
        let took = asked.elapsed();
        assert_eq!(code, 2, "{what}: {text}");
        assert!(took > Duration::from_secs(5) && took < Duration::from_secs(20), "{what}: it took {took:?}");
        let (code, text) = town.run(&["run", &against, "--wait"]).await;
        assert_eq!(code, 0, "{what}: {text}");
        Town::each_once(&town.effects().await, INVOICES);
        town.all_done(INVOICES as u64);
    });
    futures_util::future::join_all(stops).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn serving_ends_in_time_too_while_a_request_hangs() {
    let town = town().await;
    let against = town.against();
    town.faults(&json!([{"system": "afas", "kind": "slow", "path": "FbSales", "ms": 60_000}])).await;
    let serve = town.start(&["serve", &against]);
    town.until_orders(1).await;
    let asked = Instant::now();
    serve.signal("TERM");
    let (code, text) = serve.ended().await;
    assert_eq!(code, 0, "{text}");
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    let (code, text) = town.run(&["run", &against, "--wait"]).await;
    assert_eq!(code, 0, "{text}");
    Town::each_once(&town.effects().await, INVOICES);
}

/// A flow that needs Jortt alone.
const LABELS: &str = r#"flow names "Customers are looked at"

read customer from jortt.customers {
  since change
  key   .id
}

skip when customer.customer_name is not blank because "nothing to do"

create tag in jortt.labels {
  description = "nameless"
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_told_once_marks_no_record_and_stops_only_who_needs_it() {
    let town = town().await;
    std::fs::write(town.path("names.flow"), LABELS).unwrap();
    std::fs::write(town.path("again.flow"), flow().replace("flow orders", "flow again").replace("\"J{", "\"K{"))
        .unwrap();
    let config = std::fs::read_to_string(town.path("koppel.toml")).unwrap();
    let runs =
        "[runs.again]\nflow = \"again.flow\"\nevery = \"1h\"\n\n[runs.names]\nflow = \"names.flow\"\nevery = \"1h\"\n";
    std::fs::write(town.path("koppel.toml"), format!("{config}\n{runs}")).unwrap();
    let against = town.against();
    for (kind, words) in [("forbidden", "IP restrictions"), ("token_expired", "log-in refused")] {
        let fault =
            json!({"system": "afas", "kind": kind, "method": "POST", "path": "FbSales", "nth": 5, "times": 999});
        town.faults(&json!([fault])).await;
        let before = town.orders().await;
        let (code, text) = town.run(&["run", &against]).await;
        assert_eq!(code, 3, "{text}");
        assert_eq!(text.matches(words).count(), 1, "once: {text}");
        assert!(text.contains("not run: again, which needs connection afas"), "{text}");
        assert!(text.lines().any(|line| line.starts_with("names ")), "the other connection goes on: {text}");
        let status = town.status();
        let made = town.orders().await - before;
        assert!(made <= 4, "{made}");
        let of = |outcome: &str| status.records["orders"].get(outcome).copied().unwrap_or(0);
        assert_eq!((of("failed"), of("held")), (0, 0), "{:?}", status.records);
        assert!(status.doubts.is_empty() && status.waiting.is_empty(), "{status:?}");
        town.http.delete(format!("{}/_control/faults", town.sandbox.url())).send().await.unwrap();
    }
    let (code, text) = town.run(&["run", "orders", "names", &against]).await;
    assert_eq!(code, 0, "{text}");
    Town::each_once(&town.effects().await, INVOICES);
}
