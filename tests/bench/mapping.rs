//! How fast records are mapped, beside the same mapping written by hand and beside parsing alone.
//!
//! `cargo bench --bench mapping` maps 100,000 invoices; `-- 20000 3` takes so many records and rounds. Every way reads
//! the same file and writes to nowhere, one after another in each round, so that a busy moment hits all of them alike.
//! Before anything is timed the lines of both mappings are compared, all of them, byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(clippy::cast_precision_loss, missing_docs)]

#[path = "mapping/baseline.rs"]
mod baseline;
#[path = "mapping/invoices.rs"]
mod invoices;

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::civil::Date;
use koppel::{
    connector::Bodies,
    engine,
    eval::lines::{Given, Lines},
    plan::Plan,
    project::Project,
    schema::Catalog,
};
use serde::de::IgnoredAny;

use invoices::Invoices;

const RECORDS: usize = 100_000;
const ROUNDS: usize = 5;

/// How often the memory test reads its file of 10,000 records.
const TIMES: [usize; 3] = [1, 10, 40];

const TODAY: Date = Date::constant(2026, 1, 15);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |place: usize, otherwise| args.get(place).map_or(otherwise, |arg| arg.parse().unwrap());
    if args.first().is_some_and(|arg| arg == "memory") {
        return memory(Path::new(&args[1]), number(2, 1), number(3, 1));
    }
    let (records, rounds) = (number(0, RECORDS), number(1, ROUNDS));
    let file = input(records);
    let mapping = Mapping::new();
    compare(&mapping, &file);
    tell_machine(&file, records);
    let ways: Vec<(&str, Way<'_>)> = vec![
        ("by hand, typed and borrowed", Box::new(|from| baseline::map(from, &mut io::sink()).unwrap())),
        ("koppel, 1 thread", Box::new(|from| mapping.map(from, &mut io::sink(), 1))),
        ("koppel, 2 threads", Box::new(|from| mapping.map(from, &mut io::sink(), 2))),
        ("serde_json, IgnoredAny", Box::new(|from| lines(from, |line| _ = parsed::<IgnoredAny>(line)))),
        ("serde_json, Value", Box::new(|from| lines(from, |line| _ = parsed::<serde_json::Value>(line)))),
    ];
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for ((_, way), times) in ways.iter().zip(&mut times) {
            let (from, begun, cpu) = (File::open(&file).unwrap(), Instant::now(), cpu_time());
            way(from);
            times.push((cpu_time().checked_sub(cpu).unwrap(), begun.elapsed()));
        }
    }
    let rows: Vec<Row> = ways.iter().zip(times).map(|((name, _), times)| Row::new(name, &times, records)).collect();
    table(&rows);
    println!("\npeak memory of koppel, MB     1 thread  2 threads");
    for times in TIMES {
        let peak = |jobs: usize| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            let file = input(10_000);
            command.args(["memory", file.to_str().unwrap(), &times.to_string(), &jobs.to_string()]);
            String::from_utf8(command.output().unwrap().stdout).unwrap().trim().parse::<f64>().unwrap() / 1024.0
        };
        println!("{:>9} records            {:>8.1}  {:>9.1}", times * 10_000, peak(1), peak(2));
    }
}

/// One way through a file.
type Way<'a> = Box<dyn Fn(File) + 'a>;

/// The flow, ready to map.
struct Mapping {
    plan: Arc<Plan>,
    given: Arc<Given>,
    bodies: Arc<Bodies>,
}

impl Mapping {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/mapping");
        let catalog = Catalog::standard().unwrap();
        let project = Project::open(&folder, "live", catalog, TODAY).unwrap();
        assert!(!project.has_errors(), "{:?}", project.diagnostics);
        let run = &project.runs[0];
        let systems = run.connections.iter().map(|(role, connection)| (role.clone(), project.system(connection)));
        let bodies = Bodies::new(systems, Arc::new(catalog.clone())).unwrap();
        let given = Given::read("{}", &run.plan, catalog, TODAY).unwrap();
        Self { plan: run.plan.clone(), given: Arc::new(given), bodies: Arc::new(bodies) }
    }

    fn map(&self, from: impl Read + Send + 'static, to: &mut dyn Write, jobs: usize) {
        let worker = |_| Lines::new(self.plan.clone(), self.given.clone(), self.bodies.clone(), TODAY).unwrap();
        engine::lines(from, to, (0..jobs).map(worker).collect()).unwrap();
    }
}

/// A file of so many invoices; made once.
fn input(records: usize) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("invoices-{records}.ndjson"));
    let (mut invoices, mut all) = (Invoices::new(1), Vec::new());
    (0..records).for_each(|_| invoices.line(&mut all));
    std::fs::write(&file, all).unwrap();
    file
}

/// Both mappings must write the same, or there is nothing to compare.
fn compare(mapping: &Mapping, file: &Path) {
    let (mut by_hand, mut one, mut two) = (Vec::new(), Vec::new(), Vec::new());
    baseline::map(File::open(file).unwrap(), &mut by_hand).unwrap();
    mapping.map(File::open(file).unwrap(), &mut one, 1);
    mapping.map(File::open(file).unwrap(), &mut two, 2);
    assert!(one == two, "two threads write other lines than one");
    for (own, other) in one.split(|byte| *byte == b'\n').zip(by_hand.split(|byte| *byte == b'\n')) {
        let text = String::from_utf8_lossy;
        assert!(own == other, "not the same:\nkoppel  {}\nby hand {}", text(own), text(other));
    }
    assert_eq!(one.len(), by_hand.len());
    let count = |word: &str| String::from_utf8_lossy(&one).matches(word).count();
    let outcome = |word: &str| count(&format!(",\"outcome\":\"{word}\""));
    println!(
        "the same {} lines, {:.2} kB each: {} write ({} with a warning), {} skip, {} hold, {} fail",
        count("\n"),
        one.len() as f64 / count("\n") as f64 / 1000.0,
        outcome("write"),
        count("\"outcome\":\"write\",\"warnings\""),
        outcome("skip"),
        outcome("hold"),
        outcome("fail"),
    );
}

fn lines(from: File, mut each: impl FnMut(&[u8])) {
    let mut from = BufReader::with_capacity(256 * 1024, from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).unwrap() > 0 {
        each(&line);
        line.clear();
    }
}

fn parsed<'a, T: serde::Deserialize<'a>>(line: &'a [u8]) -> T {
    serde_json::from_slice(line).unwrap()
}

/// What all threads have computed, also those that have ended.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn tell_machine(file: &Path, records: usize) {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, name)| name);
    let cores = std::thread::available_parallelism().unwrap();
    let load = read("/proc/loadavg");
    let size = file.metadata().unwrap().len() as f64 / records as f64 / 1000.0;
    println!("{records} records of {size:.2} kB; {cores} cores, {model}; load {}", load.get(..14).unwrap_or_default());
}

/// A way with its medians, in microseconds a record.
struct Row {
    name: String,
    cpu: f64,
    /// From the fastest to the slowest round.
    spread: (f64, f64),
    wall: f64,
}

impl Row {
    fn new(name: &str, times: &[(Duration, Duration)], records: usize) -> Self {
        let sorted = |of: fn(&(Duration, Duration)) -> Duration| {
            let mut all: Vec<f64> = times.iter().map(|time| of(time).as_secs_f64() * 1e6 / records as f64).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let (cpu, wall) = (sorted(|time| time.0), sorted(|time| time.1));
        let middle = times.len() / 2;
        Self { name: name.to_owned(), cpu: cpu[middle], spread: (cpu[0], cpu[cpu.len() - 1]), wall: wall[middle] }
    }
}

fn table(rows: &[Row]) {
    let [hand, _, _, ignored, _] = rows else { panic!("there is a row too few") };
    println!(
        "\n{:<28} {:>8}  {:>15} {:>8} {:>9} {:>9} {:>12}",
        "", "CPU µs", "spread", "wall µs", "rec/s", "by hand =", "IgnoredAny ="
    );
    for row in rows {
        println!(
            "{:<28} {:>8.2}  {:>6.2} … {:>6.2} {:>8.2} {:>9.0} {:>8.2}x {:>11.2}x",
            row.name,
            row.cpu,
            row.spread.0,
            row.spread.1,
            row.wall,
            1e6 / row.wall,
            hand.cpu / row.cpu,
            row.cpu / ignored.cpu,
        );
    }
    println!("two threads are {:.2} times as fast as one (wall)", rows[1].wall / rows[2].wall);
}

/// Maps a file several times over as one stream and tells the most memory that was held, in kB.
fn memory(file: &Path, times: usize, jobs: usize) {
    let files = std::iter::repeat_with(|| File::open(file).unwrap()).take(times);
    let stream = files.fold(Box::new(io::empty()) as Box<dyn Read + Send>, |all, file| Box::new(all.chain(file)));
    Mapping::new().map(stream, &mut io::sink(), jobs);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{}", peak.trim().trim_end_matches(" kB"));
}
