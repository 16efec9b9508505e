//! The ledger in trouble: no room, no permission, lost, put back, without its key, in two hands, or asleep.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use koppel::sandbox::Options;
use serde_json::json;

use super::{Started, Town};

const INVOICES: usize = 60;

async fn town() -> Town {
    Town::new(Options { size: INVOICES, limits: false, ..Options::default() }).await
}

/// A folder on a small disk of its own; none where this machine lets nobody mount one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(place: PathBuf) -> Option<Self> {
        fs::create_dir_all(&place).unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=16m", "koppel"];
        let mounted = Command::new("mount").args(mount).arg(&place).output().is_ok_and(|done| done.status.success());
        mounted.then_some(Self(place))
    }

    /// Takes all but so many bytes.
    fn fill(&self, left: usize) {
        let mut size = 16 << 20;
        while size > 0 && fs::write(self.0.join("ballast"), vec![0; size]).is_err() {
            size -= 4096;
        }
        fs::OpenOptions::new()
            .write(true)
            .open(self.0.join("ballast"))
            .unwrap()
            .set_len(size.saturating_sub(left) as u64)
            .unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What stays mounted goes with the machine.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A commit failed on the way: nothing more was sent.
async fn stopped(town: &Town, (code, text): (i32, String)) {
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("the ledger has stopped: a commit failed:"), "{text}");
    let made = town.orders().await;
    assert!(made < INVOICES as u64, "it stopped on the way");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(town.orders().await, made, "and nothing more was sent");
}

/// With room again all is made.
async fn goes_on(town: &Town) {
    let (code, text) = town.run(&["run", &town.against(), "--wait"]).await;
    assert_eq!(code, 0, "{text}");
    Town::each_once(&town.effects().await, INVOICES);
    town.all_done(INVOICES as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_all_sending_and_once_there_is_room_the_run_goes_on() {
    let town = town().await;
    // Who may mount none has the test below.
    let Some(disk) = SmallDisk::new(town.path(".koppel")) else { return };
    let against = town.against();
    // A ledger of some records first, so that it is a commit that fails and not the start.
    let mut run = town.start(&["run", &against]);
    while run.runs() && town.orders().await < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    run.kill();
    disk.fill(40 << 10);
    stopped(&town, town.run(&["run", &against]).await).await;
    fs::remove_file(disk.0.join("ballast")).unwrap();
    goes_on(&town).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_may_not_grow_stops_all_sending_and_once_it_may_the_run_goes_on() {
    let town = town().await;
    // So many blocks and no more; who tries gets an error and not a signal.
    let line = format!("trap '' XFSZ; ulimit -f 300; exec {} run {}", env!("CARGO_BIN_EXE_koppel"), town.against());
    let mut bash = Command::new("bash");
    bash.current_dir(town.place.path()).args(["-c", &line]);
    stopped(&town, Started::of(bash).ended().await).await;
    goes_on(&town).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_named_and_nothing_is_sent() {
    let town = town().await;
    let against = town.against();
    let run = || {
        let mut command = town.command(&["run", &against]);
        // Root may write everywhere.
        let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        if root {
            command.uid(65_534).gid(65_534);
        }
        Started::of(command).ended()
    };
    let writable = |mode| fs::set_permissions(town.place.path(), std::os::unix::fs::PermissionsExt::from_mode(mode));
    writable(0o555).unwrap();
    let (code, text) = run().await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains(".koppel") && text.contains("Permission denied"), "{text}");
    assert_eq!(town.orders().await, 0);
    writable(0o777).unwrap();
    let (code, text) = run().await;
    assert_eq!(code, 0, "{text}");
    Town::each_once(&town.effects().await, INVOICES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_names_the_one_that_has_the_ledger_also_when_that_one_sleeps() {
    let town = town().await;
    let against = town.against();
    town.faults(&json!([
        {"system": "afas", "method": "POST", "path": "FbSales", "kind": "slow", "ms": 1_500, "nth": 10, "times": 8},
        {"system": "afas", "method": "POST", "path": "FbSales", "kind": "delay", "ms": 1_500, "nth": 20, "times": 8}
    ]))
    .await;
    let first = town.start(&["run", &against, "--wait"]);
    town.until_orders(12).await;
    // Longer than anything that it sent can take effect.
    first.signal("STOP");
    let (code, text) = town.run(&["run", &against]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains(&format!("in use by process {}", first.pid())), "{text}");
    tokio::time::sleep(Duration::from_secs(7)).await;
    let (code, _) = town.run(&["run", &against]).await;
    assert_eq!(code, 3, "a process that sleeps keeps its ledger");
    first.signal("CONT");
    let (code, text) = first.ended().await;
    assert_eq!(code, 0, "{text}");
    Town::each_once(&town.effects().await, INVOICES);
    town.all_done(INVOICES as u64);
}

/// Runs as against real accounts until some orders are made, and is killed.
async fn half_way(town: &Town) {
    let run = town.start(&["run"]);
    town.until_orders(20).await;
    run.kill();
    let status = town.status();
    assert!(status.records["orders"].get("done").is_some_and(|done| *done < INVOICES as u64));
}

const QUARANTINE: &str = "the ledger was lost or put back: nothing is made until it has run for 18 minutes";

/// The wait after a loss is on, and makes nothing; the ledger that was lost comes back in its place and all is done.
async fn mended(town: &Town, mend: impl FnOnce()) {
    let made = town.effects().await;
    let (code, text) = town.run(&["run"]).await;
    assert_eq!(code, 2, "{text}");
    assert!(text.contains(QUARANTINE), "{text}");
    let (code, text) = town.run(&["run"]).await;
    assert_eq!(code, 2, "a second start does not end the wait: {text}");
    assert_eq!(town.effects().await, made, "what is there was found, and nothing was made");
    mend();
    // What was under way at the kill has 18 minutes of its own where it is not found.
    let (code, text) = town.run(&["run"]).await;
    assert!(code == 0 || (code == 2 && !text.contains(QUARANTINE)), "{text}");
    let status = town.status();
    let effects = town.effects().await;
    Town::each_once(&effects, INVOICES - status.doubts.len());
}

fn ledger_files(town: &Town) -> Vec<(PathBuf, PathBuf)> {
    let aside = town.path("aside");
    fs::create_dir_all(&aside).unwrap();
    let names = ["live.sqlite", "live.sqlite-wal", "live.sqlite-shm"];
    names.iter().map(|name| (town.path(".koppel").join(name), aside.join(name))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_ledger_is_noticed_and_nothing_is_made_until_what_it_forgot_is_over() {
    let town = town().await;
    half_way(&town).await;
    let files = ledger_files(&town);
    let to = |back: bool| {
        for (place, aside) in &files {
            let (from, to) = if back { (aside, place) } else { (place, aside) };
            // A ledger that was closed well has one file.
            let _ = fs::remove_file(to);
            let _ = fs::rename(from, to);
        }
    };
    to(false);
    mended(&town, || to(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_makes_nothing_before_the_time_after_a_loss_is_over_and_then_the_rest() {
    // As long as a request to the sandbox may still take effect.
    let settle = Duration::from_secs(5);
    let town = town().await;
    let against = town.against();
    let run = town.start(&["run", &against]);
    town.until_orders(20).await;
    run.kill();
    let ledger = town.ledger();
    for ending in ["", "-wal", "-shm"] {
        // A ledger that was closed well has one file.
        let _ = fs::remove_file(format!("{}{ending}", ledger.display()));
    }
    // What was under way arrives meanwhile.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let made = town.orders().await;
    assert!(made < INVOICES as u64, "it stopped on the way");

    let (code, text) = town.run(&["run", &against]).await;
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("`koppel run --wait` stays for so long"), "{text}");

    let begun = Instant::now();
    let mut run = town.start(&["run", &against, "--wait"]);
    while begun.elapsed() < settle {
        assert_eq!(town.orders().await, made, "something was made {:?} after the start", begun.elapsed());
        assert!(run.runs(), "{}", run.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (code, text) = run.ended().await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("the ledger was lost or put back: nothing is made until"), "{text}");
    Town::each_once(&town.effects().await, INVOICES);
    town.all_done(INVOICES as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_ledger_is_noticed_and_makes_nothing_again() {
    let town = town().await;
    half_way(&town).await;
    let files = ledger_files(&town);
    for (place, aside) in files.iter().filter(|(place, _)| place.exists()) {
        fs::copy(place, aside).unwrap();
    }
    // It goes on, and what it makes is not in the copy.
    let run = town.start(&["run"]);
    town.until_orders(town.orders().await + 10).await;
    run.kill();
    let real = town.path("real");
    fs::create_dir_all(&real).unwrap();
    let swap = |back: bool| {
        for (place, aside) in &files {
            let kept = real.join(place.file_name().unwrap());
            if back {
                let _ = fs::remove_file(place);
                let _ = fs::rename(&kept, place);
            } else {
                let _ = fs::rename(place, &kept);
                let _ = fs::copy(aside, place);
            }
        }
    };
    swap(false);
    mended(&town, || swap(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_key_or_with_another_one_the_ledger_is_not_opened() {
    let town = town().await;
    half_way(&town).await;
    let made = town.effects().await;
    let key = town.path(".koppel/key");
    let own = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let (code, text) = town.run(&["run"]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains(".koppel/key: it is not there, and the ledger was made with it: put it back"), "{text}");
    assert!(!key.exists(), "no other one takes its place");
    fs::write(&key, [7; 32]).unwrap();
    let (code, text) = town.run(&["run"]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("is not the key that the ledger was made with"), "{text}");
    assert_eq!(town.effects().await, made);
    fs::write(&key, own).unwrap();
    let (code, text) = town.run(&["run"]).await;
    assert!(code == 0 || code == 2, "{text}");
    Town::each_once(&town.effects().await, INVOICES - town.status().doubts.len());
}

/// Moves every time that stands in the ledger, which is to the next process what a jump of the clock is.
fn years_ago(town: &Town) {
    let ledger = rusqlite::Connection::open(town.ledger()).unwrap();
    let changed = ledger
        .execute("UPDATE write SET quiet_since = '2001-01-01T00:00:00Z', at = '2001-01-01T00:00:00Z'", [])
        .unwrap();
    assert!(changed > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_ahead_shortens_no_wait() {
    let town = town().await;
    // One request is cut off and takes effect in a minute, which the ledger cannot know: it waits for eighteen.
    town.faults(&json!([{"system": "afas", "method": "POST", "path": "FbSales", "kind": "delay", "ms": 60_000}])).await;
    let run = town.start(&["run"]);
    // All others have arrived: one that the kill kept from leaving would be waited for as long.
    town.until_orders(INVOICES as u64 - 1).await;
    run.kill();
    assert!(!town.status().doubts.is_empty());
    years_ago(&town);
    let (code, text) = town.run(&["run"]).await;
    assert!(code == 2 && text.contains("in doubt"), "it is asked about, and not sent again: {code}, {text}");
    town.until_orders(INVOICES as u64).await;
    let (code, text) = town.run(&["run"]).await;
    assert_eq!(code, 0, "{text}");
    Town::each_once(&town.effects().await, INVOICES);
    town.all_done(INVOICES as u64);
}

/// The clock is ten years ahead as soon as an answer is lost, and ten years behind after the second ask.
const JUMPS: &str = "gave-up-before-unsettled:1:315576000,ask-sent:2:-631152000";

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_for_years_while_writes_are_in_doubt_sends_nothing_early() {
    let town = town().await;
    // Neither is refused a second time: what is sent early is made twice.
    let late = |path: &str, nth: u32| json!({"system": "afas", "method": "POST", "path": path, "kind": "runs_on", "ms": 3_000, "nth": nth});
    town.faults(&json!([late("KnSalesRelationOrg", 1), late("KnSalesRelationOrg", 4), late("FbSales", 7)])).await;
    let mut run = town.command(&["run", &town.against(), "--wait"]);
    run.env("KOPPEL_CLOCK", JUMPS);
    let (code, text) = Started::of(run).ended().await;
    assert_eq!(code, 0, "{text}");
    Town::each_once(&town.effects().await, INVOICES);
    town.all_done(INVOICES as u64);

    let ledger = rusqlite::Connection::open(town.ledger()).unwrap();
    let years = "SELECT min(substr(at, 1, 4)), max(substr(at, 1, 4)) FROM record";
    let (first, last): (String, String) = ledger.query_row(years, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let (first, last): (i16, i16) = (first.parse().unwrap(), last.parse().unwrap());
    assert!(last - first > 18, "the clock did not jump: {first} to {last}");
}
