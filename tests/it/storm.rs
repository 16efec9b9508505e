//! The real program in bad weather, against a sandbox in this process: killed, starved, locked out, stopped and started
//! again. Whatever happens, each invoice becomes its order once, and what a person has to do is said in a line.
#![cfg(unix)]

mod ledger;
mod random;
mod stop;

use std::{
    fs,
    io::{Read as _, Seek as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use koppel::{
    ledger::{Status, status},
    sandbox::{self, Options, Sandbox},
};
use serde_json::Value;

use crate::{cli::Place, engine::world::FLOW};

/// So long a condition is awaited before a test gives up.
const PATIENCE: Duration = Duration::from_mins(10);

/// Sent invoices become orders, and their customers debtors.
fn flow() -> String {
    FLOW.replacen("  since change", "  where .list is \"sent\"\n  since change", 1).replacen("\"STK\"", "\"UUR\"", 1)
}

/// A sandbox, and a project that runs against it: with `--sandbox=URL`, or as against real accounts.
struct Town {
    sandbox: Sandbox,
    place: Place,
    http: reqwest::Client,
}

impl Town {
    async fn new(options: Options) -> Self {
        let sandbox = sandbox::start(options).await.unwrap();
        let url = sandbox.url();
        let config = format!(
            "[connections.jortt]\nbase = \"{url}/jortt\"\nlogin = \"{url}/jortt/oauth-provider/oauth\"\n\
             client_id = {{ file = \"secret\" }}\nclient_secret = {{ file = \"secret\" }}\n\n\
             [connections.afas]\nbase = \"{url}/afas/ProfitRestServices\"\ntoken = {{ file = \"token\" }}\n\n\
             [runs.orders]\nflow = \"orders.flow\"\nevery = \"1s\"\n"
        );
        let token = "5A".repeat(32);
        let place =
            Place::new(&[("koppel.toml", &config), ("orders.flow", &flow()), ("secret", "sandbox"), ("token", &token)]);
        // A process of another person must get in.
        fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        // Another part of the process may have chosen a provider already; any will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, place, http }
    }

    /// `--sandbox=URL`
    fn against(&self) -> String {
        format!("--sandbox={}", self.sandbox.url())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_koppel"));
        command.current_dir(self.place.path()).env_clear().args(args);
        command
    }

    fn start(&self, args: &[&str]) -> Started {
        Started::of(self.command(args))
    }

    /// Runs to its end; exit code and all that was said.
    async fn run(&self, args: &[&str]) -> (i32, String) {
        self.start(args).ended().await
    }

    fn path(&self, path: &str) -> PathBuf {
        self.place.path().join(path)
    }

    async fn faults(&self, faults: &Value) {
        let url = format!("{}/_control/faults", self.sandbox.url());
        let answer = self.http.post(url).json(faults).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    async fn effects(&self) -> Value {
        let url = format!("{}/_control/effects", self.sandbox.url());
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// How many orders were made.
    async fn orders(&self) -> u64 {
        self.effects().await["afas"]["FbSales"]["count"].as_u64().unwrap()
    }

    async fn until_orders(&self, count: u64) {
        let end = Instant::now() + PATIENCE;
        while self.orders().await < count {
            assert!(Instant::now() < end, "there are no {count} orders in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a call to AFAS with this in its path has come in.
    async fn until_called(&self, part: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.http.get(format!("{}/_control/calls", self.sandbox.url())).send().await.unwrap();
            let calls: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            if calls["afas"].as_object().is_some_and(|paths| paths.keys().any(|path| path.contains(part))) {
                return;
            }
            assert!(Instant::now() < end, "nobody called {part} in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// All of them were made, nothing was made twice.
    #[track_caller]
    fn each_once(effects: &Value, orders: usize) {
        let afas = &effects["afas"];
        assert_eq!(afas["FbSales"]["count"], orders, "{}", afas["FbSales"]);
        for entity in ["FbSales", "KnSalesRelationOrg"] {
            assert_eq!(afas[entity]["duplicates"], serde_json::json!([]), "{entity} twice");
        }
    }

    /// The one ledger of the project.
    fn ledger(&self) -> PathBuf {
        let files = fs::read_dir(self.path(".koppel")).unwrap().map(|file| file.unwrap().path());
        let ledgers: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "sqlite")).collect();
        let [ledger] = ledgers.as_slice() else { panic!("one ledger: {ledgers:?}") };
        ledger.clone()
    }

    /// How everything stands in it.
    fn status(&self) -> Status {
        status(&self.ledger()).unwrap()
    }

    /// All records are done, and nothing is in doubt.
    #[track_caller]
    fn all_done(&self, records: u64) {
        let status = self.status();
        assert!(status.doubts.is_empty(), "{:?}", status.doubts);
        assert!(status.waiting.is_empty(), "{:?}", status.waiting);
        let by_outcome = &status.records["orders"];
        assert_eq!((by_outcome.len(), by_outcome.get("done")), (1, Some(&records)), "{by_outcome:?}");
    }
}

/// A `koppel` that goes on; it ends with the test.
struct Started {
    child: Child,
    said: fs::File,
}

impl Started {
    fn of(mut command: Command) -> Self {
        let said = tempfile::tempfile().unwrap();
        let pipe = || Stdio::from(said.try_clone().unwrap());
        let child = command.stdin(Stdio::null()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
        Self { child, said }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// SIGKILL, and the end of it.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn ended(mut self) -> (i32, String) {
        let end = Instant::now() + PATIENCE;
        while self.runs() {
            assert!(Instant::now() < end, "it does not end: {}", self.text());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let status = self.child.wait().unwrap();
        let text = self.text();
        (status.code().unwrap_or_else(|| panic!("{status}: {text}")), text)
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        self.said.rewind().unwrap();
        self.said.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
