//! What a run costs in calls, time and memory: `cargo bench --bench calls` runs the program against a sandbox as far away
//! as the vendors are and prints a table; `-- known memory` chooses scenarios.
//!
//! The calls are counted by the sandbox, which lives in this process, so that its memory is not that of the program. The
//! bound is what the calls take at eight of AFAS at a time or ten of Jortt a second, whichever is more; there is none
//! where the systems are near.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::print_stdout, reason = "it prints a table")]
#![allow(clippy::cast_precision_loss, reason = "nobody makes so many calls")]

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use koppel::sandbox::{self, Latency, Options, Sandbox};
use serde_json::Value;

/// How far away the vendors are.
const FAR: Latency = Latency { jortt: Duration::from_millis(80), afas: Duration::from_millis(150) };
const NEAR: Latency = Latency { jortt: Duration::ZERO, afas: Duration::ZERO };
/// So many calls of AFAS are under way at once.
const AT_ONCE: f64 = 8.0;
/// So many calls Jortt takes in a second.
const A_SECOND: f64 = 10.0;

fn main() {
    // `cargo bench` adds `--bench` to what was typed.
    let chosen: Vec<String> = std::env::args().skip(1).filter(|typed| !typed.starts_with("--")).collect();
    let scenarios: [(&str, fn()); 4] = [("known", known), ("own", own), ("unchanged", unchanged), ("memory", memory)];
    println!(
        "{:<34} {:>7} {:>6} {:>6} {:>7} {:>6} {:>7} {:>7} {:>6} {:>6} {:>5}",
        "scenario", "orders", "reads", "writes", "a order", "jortt", "bound s", "wall s", "ratio", "MB", "load"
    );
    for (name, scenario) in scenarios {
        if chosen.is_empty() || chosen.iter().any(|typed| name == typed) {
            scenario();
        }
    }
}

/// 2,000 orders of 200 customers that are debtors; at most 1.06 calls of AFAS an order.
fn known() {
    let house = House::new(&Options { size: 2_000, customers: Some(200), known: true, latency: FAR, ..usual() });
    house.measured("2,000 orders of 200 customers");
}

/// 2,000 orders, each of its own customer; at most 1.10 calls of AFAS an order.
fn own() {
    let house = House::new(&Options { size: 2_000, customers: Some(2_000), known: true, latency: FAR, ..usual() });
    house.measured("2,000 orders of 2,000 customers");
}

/// A second run, in which nothing has changed: at most the pages of Jortt, and no call of AFAS.
fn unchanged() {
    let latency = Latency { jortt: FAR.jortt, ..NEAR };
    let house = House::new(&Options { size: 10_000, customers: Some(1_000), known: true, latency, ..usual() });
    house.measured("10,000 invoices, the first run");
    house.measured("10,000 invoices, nothing changed");
}

/// The same memory for few and for many.
fn memory() {
    for size in [1_000, 10_000, 100_000] {
        let options = Options { size, customers: Some(200), known: true, latency: NEAR, limits: false, ..usual() };
        let house = House::new(&options);
        house.measured(&format!("{size} invoices, limits off"));
        house.measured(&format!("{size} invoices, once more"));
    }
}

fn usual() -> Options {
    Options::default()
}

/// A sandbox, and the flows of this repository in a folder of their own.
struct House {
    sandbox: Sandbox,
    latency: Latency,
    folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl House {
    fn new(options: &Options) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sandbox = runtime.block_on(sandbox::start(options.clone())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"), folder.path());
        Self { sandbox, latency: options.latency, folder, _runtime: runtime }
    }

    fn told(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(self.sandbox.address).unwrap();
        write!(stream, "GET /_control/{path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// How often each path of a system was called.
    fn calls(&self, system: &str) -> BTreeMap<String, u64> {
        serde_json::from_value(self.told("calls")[system].clone()).unwrap()
    }

    fn orders(&self) -> u64 {
        let of = &self.told("effects")["afas"]["FbSales"];
        assert!(of["duplicates"].as_array().is_none_or(Vec::is_empty), "{of}");
        of["count"].as_u64().unwrap_or(0)
    }

    /// Runs the orders once and prints a line.
    fn measured(&self, scenario: &str) {
        let before = (self.orders(), self.calls("afas"), self.calls("jortt"));
        let began = Instant::now();
        let peak = self.run();
        let wall = began.elapsed().as_secs_f64();
        let orders = self.orders() - before.0;
        let (afas, jortt) = (grown(&before.1, &self.calls("afas")), grown(&before.2, &self.calls("jortt")));
        let (reads, writes): (BTreeMap<_, _>, BTreeMap<_, _>) =
            afas.iter().partition(|(what, _)| what.starts_with("GET"));
        let (reads, writes): (u64, u64) = (reads.values().copied().sum(), writes.values().copied().sum());
        let asked: u64 = jortt.values().sum();
        let far = self.latency.afas.as_secs_f64();
        let bound = ((reads + writes) as f64 * far / AT_ONCE).max(asked as f64 / A_SECOND);
        let (bound, ratio) = if self.latency.jortt.is_zero() {
            ("-".to_owned(), "-".to_owned())
        } else {
            (format!("{bound:.1}"), format!("{:.2}", wall / bound))
        };
        let each = if orders == 0 { 0.0 } else { (reads + writes) as f64 / orders as f64 };
        println!(
            "{scenario:<34} {orders:>7} {reads:>6} {writes:>6} {each:>7.3} {asked:>6} {bound:>7} {wall:>7.1} \
             {ratio:>6} {:>6.1} {:>5}",
            peak as f64 / 1024.0,
            load(),
        );
        for (what, count) in afas.iter().chain(&jortt) {
            println!("    {count:>6}  {what}");
        }
    }

    /// Runs the orders once; gives the most memory that the program took, in kB.
    fn run(&self) -> u64 {
        let log = self.folder.path().join("told");
        let mut command = Command::new(env!("CARGO_BIN_EXE_koppel"));
        command.current_dir(self.folder.path()).env_clear();
        command.args(["run", "jortt_orders", &format!("--sandbox={}", self.sandbox.url())]);
        let mut child = command.stdout(std::fs::File::create(&log).unwrap()).stderr(Stdio::inherit()).spawn().unwrap();
        let peak = watched(&mut child);
        let code = child.wait().unwrap().code();
        assert_eq!(code, Some(0), "{}", std::fs::read_to_string(&log).unwrap());
        peak
    }
}

/// What was called since then.
fn grown(before: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let more = now.iter().map(|(what, count)| (what.clone(), count - before.get(what).copied().unwrap_or(0)));
    more.filter(|(_, count)| *count > 0).collect()
}

/// Waits for a process; gives the most memory that it took, in kB.
fn watched(child: &mut Child) -> u64 {
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|text| text.trim().parse().ok());
        peak = now.unwrap_or(peak).max(peak);
        std::thread::sleep(Duration::from_millis(20));
    }
    peak
}

/// How much else this machine does.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("").to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if !entry.path().is_dir() {
            std::fs::copy(entry.path(), target).unwrap();
        } else if entry.file_name() != ".koppel" {
            copy(&entry.path(), &target);
        }
    }
}
