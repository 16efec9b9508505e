//! The process is killed at each point of the protocol, whatever the target does: nothing is lost, nothing is doubled.
//!
//! Each cell is a run of the real program, killed by SIGKILL, what changes meanwhile, and a run to the end.
//! `tests/README.md` tells the figures and how to try one cell.

mod cell;
mod wire;
mod world;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use cell::{CHANGES, Cell, LEFT_OUT, POINTS, SAME, Second, TARGETS, WRITES, When, why_not};
use world::{Came, Tried, World};

/// So many cells are tried at once: they wait most of the time.
const AT_ONCE: usize = 6;
/// So many pairs of kills are drawn.
const PAIRS: usize = 200;
/// In half of them the clock of who recovers jumps, by twenty years, forward or back.
const JUMP: i64 = 20 * 365 * 24 * 60 * 60;

/// One of the tests at a time: each of them uses the whole machine.
static TURN: Mutex<()> = Mutex::new(());

/// Tries cells, those of `KOPPEL_CELL` only if it is set; tells how many seconds it took.
fn tried(mut cells: Vec<Cell>) -> (Vec<(Cell, Tried)>, u64) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let began = Instant::now();
    if let Ok(part) = std::env::var("KOPPEL_CELL") {
        cells.retain(|cell| cell.to_string().contains(&part));
    }
    cells.reverse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (left, done) = (Mutex::new(cells), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(left.lock().unwrap().len()) {
            scope.spawn(|| {
                let mut world = World::new(runtime.handle().clone());
                loop {
                    let next = left.lock().unwrap().pop();
                    let Some(cell) = next else { break };
                    let tried = world.cell(&cell);
                    done.lock().unwrap().push((cell, tried));
                }
            });
        }
    });
    (done.into_inner().unwrap(), began.elapsed().as_secs())
}

fn letter(came: Came) -> char {
    match came {
        Came::Done => '.',
        Came::Held => 'h',
        Came::Failed => 'f',
        Came::Lost => 'L',
        Came::Doubled => 'D',
        Came::Broken => '!',
    }
}

fn told(tried: &[(Cell, Tried)], seconds: u64) -> String {
    let count = |came: Came| tried.iter().filter(|(_, tried)| tried.came == came).count();
    let (losses, doubles, broken) = (count(Came::Lost), count(Came::Doubled), count(Came::Broken));
    format!("cells tried {}, losses {losses}, doubles {doubles}, not tried {broken}; {seconds} s", tried.len())
}

/// Points down, targets across; of each the flow and record unchanged, the flow edited, the record changed.
fn matrix(tried: &[(Cell, Tried)]) -> String {
    let mut came = BTreeMap::new();
    for (cell, tried) in tried {
        came.insert((cell.about().name, cell.write as u8, cell.target.name, cell.change as u8), tried.came);
    }
    let mut text = format!("{:38}", "");
    for target in TARGETS {
        let _ = write!(text, "{:15}", target.name);
    }
    for point in POINTS {
        for write in WRITES {
            let mut line = format!("\n{:31}{:7}", point.name, format!("{write:?}").to_lowercase());
            for target in TARGETS {
                let letters: String = CHANGES
                    .iter()
                    .map(|change| {
                        let key = (point.name, write as u8, target.name, *change as u8);
                        came.get(&key).map_or(' ', |came| letter(*came))
                    })
                    .collect();
                let _ = write!(line, "{letters:15}");
            }
            text.push_str(line.trim_end());
        }
    }
    text
}

/// Fails with what went wrong, one line a cell.
#[track_caller]
fn sound(tried: &[(Cell, Tried)]) {
    let wrong: Vec<&str> = tried
        .iter()
        .filter(|(_, tried)| matches!(tried.came, Came::Lost | Came::Doubled | Came::Broken))
        .map(|(_, tried)| &*tried.text)
        .collect();
    assert!(wrong.is_empty(), "{} cells went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_kill_at_any_point_loses_nothing_and_doubles_nothing_whatever_the_target_does() {
    let (tried, seconds) = tried(cell::all());
    assert!(!tried.is_empty(), "no cell has that in its name");
    println!("{}\n{}", matrix(&tried), told(&tried, seconds));
    sound(&tried);
}

#[test]
fn a_second_kill_during_the_recovery_loses_nothing_and_doubles_nothing() {
    let seed = std::env::var("KOPPEL_SEED")
        .map_or_else(|_| uuid::Uuid::new_v4().as_u64_pair().0, |seed| seed.parse().unwrap());
    println!("KOPPEL_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let first: Vec<Cell> = cell::all().into_iter().filter(|cell| cell.second.is_none()).collect();
    let points: Vec<_> = POINTS.iter().filter(|point| !matches!(point.when, When::UnderWay(_))).collect();
    let pairs = (0..PAIRS).map(|_| {
        let cell = first[dice.random_range(0..first.len())];
        let point = points[dice.random_range(0..points.len())];
        let nth = dice.random_range(1..=3);
        let jump = if dice.random_bool(0.5) { JUMP } else { -JUMP };
        let clock = dice.random_bool(0.5).then(|| (points[dice.random_range(0..points.len())], jump));
        Cell { second: Some(Second { point, nth, certain: false, clock }), ..cell }
    });
    let (tried, seconds) = tried(pairs.collect());
    let twice = tried.iter().filter(|(_, tried)| tried.second).count();
    println!("{}, killed twice {twice}", told(&tried, seconds));
    sound(&tried);
}

#[test]
fn every_point_and_target_is_tried_and_what_is_not_has_its_reason() {
    let all = cell::all();
    for point in POINTS {
        assert!(all.iter().any(|cell| cell.about() == point), "{}", point.name);
    }
    for target in TARGETS {
        assert!(all.iter().any(|cell| cell.target == target), "{}", target.name);
    }
    assert!(SAME.iter().all(|(_, other)| TARGETS.iter().any(|target| target.name == *other)));
    assert!(LEFT_OUT.iter().all(|(name, why)| POINTS.iter().all(|point| point.name != *name) && !why.is_empty()));
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for point in POINTS {
        for write in WRITES {
            for target in TARGETS {
                for change in CHANGES {
                    *reasons.entry(why_not(point, write, target, change).unwrap_or("tried")).or_default() += 1;
                }
            }
        }
    }
    insta::assert_debug_snapshot!(reasons);
}
