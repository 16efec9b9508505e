//! The shorter way of `koppel eval` beside the plain one: on every line both write the same bytes, or the shorter one
//! steps aside. What is not JSON, not a record, twice, escaped, turned around or too large must not make a difference.

mod flows;

use std::{borrow::Cow, fmt::Write as _, fs, io::Write as _, panic::AssertUnwindSafe, path::Path, sync::Arc};

use jiff::civil::Date;
use koppel::{
    connector::Bodies,
    eval::{
        lines::{Given, Lines},
        output::Output,
    },
    project::Project,
    schema::Catalog,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Map, Value as Json, json};

use self::flows::Flows;
use crate::{cli::Place, invoices::Invoices};

const TODAY: Date = Date::constant(2026, 1, 15);

/// What decides with the flow of this folder of koppel itself.
fn lines(folder: &str) -> Lines {
    lines_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

/// What decides with the flow of this folder.
fn lines_of(folder: &Path) -> Lines {
    let catalog = Catalog::standard().unwrap();
    let project = Project::open(folder, "live", catalog, TODAY).unwrap();
    let errors: Vec<_> = project.diagnostics.iter().filter(|found| found.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let run = &project.runs[0];
    let systems = run.connections.iter().map(|(role, connection)| (role.clone(), project.system(connection)));
    let bodies = Bodies::new(systems, Arc::new(catalog.clone())).unwrap();
    let given = Given::read("{}", &run.plan, catalog, TODAY).unwrap();
    Lines::new(run.plan.clone(), Arc::new(given), Arc::new(bodies), TODAY).unwrap()
}

fn told(out: &[u8]) -> Vec<Cow<'_, str>> {
    out.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).collect()
}

/// Decides lines both ways and compares; gives how many took the shorter one.
fn compared(lines: &Lines, all: &[u8]) -> u64 {
    let lane = lines.lane().expect("this flow has a shorter way");
    let (mut short, mut plain) = (Output::default(), Output::default());
    let mut decider = lines.decider(Some(&lane));
    let tally = decider.chunk(1, all, &mut short);
    assert_eq!(lines.decider(None).chunk(1, all, &mut plain), tally);
    let (short, plain) = (short.written(), plain.written());
    for (number, (short, plain)) in told(short).into_iter().zip(told(plain)).enumerate() {
        let line = all.split(|byte| *byte == b'\n').nth(number).unwrap_or_default();
        assert_eq!(short, plain, "line {}: {}", number + 1, String::from_utf8_lossy(line));
    }
    assert_eq!(short, plain);
    decider.quickly()
}

#[test]
fn a_line_of_every_kind_is_told_alike_both_ways() {
    let mut all = Vec::new();
    let mut made = Invoices::new(11);
    (0..2_000).for_each(|_| made.line(&mut all));
    assert_eq!(compared(&lines("tests/bench/mapping"), &all), 2_000, "each of them takes the shorter way");
}

/// Values that somebody may put where another one is expected.
fn odd(dice: &mut StdRng) -> Json {
    let odd = [
        "null",
        "true",
        "false",
        "\"\"",
        "\" \"",
        "\"\u{a0}\"",
        "0",
        "-0",
        "0.0",
        "\"-0.00\"",
        "1",
        "\"1\"",
        "1.50",
        "\"1.50\"",
        "\" 1.5 \"",
        "1e2",
        "1E-2",
        "\"1e2\"",
        "12345678901234567890.5",
        "123456789012345678",
        "\"0.123456789012345678\"",
        "\"01\"",
        "\".5\"",
        "\"5.\"",
        "\"+5\"",
        "\"1_000\"",
        "\"2026-02-29\"",
        "\"2028-02-29\"",
        "\"2026-03-14T10:22:33Z\"",
        "\"2026-03-14Tx\"",
        "\"20260314\"",
        "\"0999-01-01\"",
        "\"sent\"",
        "\"draft\"",
        "\"NL\"",
        "\"nl\"",
        "\" be \"",
        "\"EUR\"",
        "\"eur\"",
        "\"USD\"",
        "\"EURO\"",
        "\"direct_debit\"",
        "\"exempt\"",
        "\"0.21\"",
        "\"0.210\"",
        "0.21",
        "\"a\\\"b\\\\c\\u00e9\\n\"",
        "\"\u{202e}\u{7f}\"",
        "\"\\u0001\"",
        "[]",
        "{}",
        "[null]",
        "[1,[2]]",
        "[{}]",
        "{\"amount\":\"1.00\"}",
        "{\"amount\":2,\"currency\":null}",
        "{\"amount\":\"1\",\"currency\":\"USD\"}",
        "{\"amount\":null,\"currency\":\"EUR\"}",
        "{\"currency\":\"EUR\"}",
        "[{\"percentage\":\"7.5\"}]",
        "[{\"percentage\":null},{\"percentage\":5}]",
    ];
    serde_json::from_str(odd[dice.random_range(0..odd.len())]).unwrap()
}

/// Changes something in a tree: a value for another, a field that goes, comes or changes its place.
fn change(tree: &mut Json, dice: &mut StdRng) {
    match tree {
        Json::Object(fields) if !fields.is_empty() => {
            let at = dice.random_range(0..fields.len());
            let name = fields.keys().nth(at).unwrap().clone();
            match dice.random_range(0..8) {
                0 => _ = fields.shift_remove(&name),
                1 => _ = fields.insert(format!("{name}_too"), odd(dice)),
                2 => {
                    let mut turned: Vec<(String, Json)> = std::mem::take(fields).into_iter().collect();
                    for place in (1..turned.len()).rev() {
                        turned.swap(place, dice.random_range(0..=place));
                    }
                    *fields = turned.into_iter().collect::<Map<_, _>>();
                }
                3 | 4 => _ = fields.insert(name, odd(dice)),
                _ => change(&mut fields[&name], dice),
            }
        }
        Json::Array(items) if !items.is_empty() => {
            let at = dice.random_range(0..items.len());
            match dice.random_range(0..6) {
                0 => _ = items.remove(at),
                1 => items.push(items[at].clone()),
                _ => change(&mut items[at], dice),
            }
        }
        other => *other = odd(dice),
    }
}

/// JSON in one of the ways in which it may be written: with spaces, with escapes that nobody needs.
fn written(tree: &Json, dice: &mut StdRng, out: &mut String) {
    let spaced = dice.random_range(0..6) == 0;
    let mut space = |out: &mut String| out.push_str(if spaced { [" ", "\t", ""][dice.random_range(0..3)] } else { "" });
    match tree {
        Json::Object(fields) => {
            out.push('{');
            for (place, (name, value)) in fields.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                space(out);
                out.push_str(&json!(name).to_string());
                space(out);
                out.push(':');
                space(out);
                written(value, &mut StdRng::seed_from_u64(place as u64 ^ u64::from(spaced)), out);
                space(out);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (place, value) in items.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                space(out);
                written(value, &mut StdRng::seed_from_u64(place as u64 + 7), out);
                space(out);
            }
            out.push(']');
        }
        Json::String(text) if dice.random_range(0..8) == 0 => {
            out.push('"');
            for unit in text.encode_utf16() {
                write!(out, "\\u{unit:04x}").unwrap();
            }
            out.push('"');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// Damages the bytes of a line: another byte, a piece that goes, comes twice or comes from elsewhere.
fn damage(line: &mut Vec<u8>, dice: &mut StdRng) {
    const PIECES: &[&[u8]] = &[
        b"null",
        b"{\"a\":1}",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b"\"",
        b"\\",
        b"\\u00e9",
        b"\\ud800",
        b"\\ud83d\\ude00",
        b"\\x",
        b"1e400",
        b"-",
        b"00",
        b".",
        b" ",
        b"\t",
        b"\r",
        b"\0",
        b"\x1f",
        b"\xff",
        b"\xc3\xa9",
        b"\xe2\x80",
        b"true",
        b"\"id\":\"2\",",
        b"\"invoice_date\":\"2026-01-01\",",
        b"\"invoice_total\":{},",
        b"\"line_items\":[],",
        b"\"vat\":{\"value\":\"0.09\"},",
        b"\"amount\":{\"amount\":\"9.99\",\"currency\":\"EUR\"},",
    ];
    let at = dice.random_range(0..line.len());
    match dice.random_range(0..5) {
        0 => line[at] = PIECES[dice.random_range(0..PIECES.len())][0],
        1 => line[at] = dice.random(),
        2 => _ = line.splice(at..at, PIECES[dice.random_range(0..PIECES.len())].iter().copied()),
        way => {
            let to = (at + dice.random_range(1..40)).min(line.len());
            let piece = line[at..to].to_vec();
            let with = if way == 3 { Vec::new() } else { piece.repeat(2) };
            _ = line.splice(at..to, with);
        }
    }
    line.retain(|byte| *byte != b'\n');
}

/// A number from the environment.
fn wanted(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// `KOPPEL_SEED=7 KOPPEL_LINES=100000` tries others, and more.
#[test]
fn a_line_that_is_damaged_is_told_alike_both_ways() {
    let (seed, count) = (wanted("KOPPEL_SEED", 1), wanted("KOPPEL_LINES", 6_000));
    let mut dice = StdRng::seed_from_u64(seed);
    let mut made = Invoices::new(seed);
    let (mut all, mut whole) = (Vec::new(), 0);
    for number in 0..count {
        let mut line = Vec::new();
        made.line(&mut line);
        line.pop();
        match number % 3 {
            // As they come: what was learned of odd ones must not spoil them.
            0 => whole += 1,
            1 => {
                let mut tree: Json = serde_json::from_slice(&line).unwrap();
                (0..dice.random_range(1..4)).for_each(|_| change(&mut tree, &mut dice));
                let mut text = String::new();
                written(&tree, &mut dice, &mut text);
                line = text.into_bytes();
            }
            _ => (0..dice.random_range(1..3)).for_each(|_| damage(&mut line, &mut dice)),
        }
        line.retain(|byte| *byte != b'\n');
        all.extend_from_slice(&line);
        all.push(b'\n');
    }
    let lines = lines("tests/bench/mapping");
    // Pieces of many lines and of one: a line that is no text sends its whole piece to be read line by line.
    let mut quickly = 0;
    for piece in all.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>().chunks(50) {
        quickly += compared(&lines, &piece.concat());
    }
    println!("seed {seed}: {count} lines, {whole} of them whole, {quickly} by the shorter way");
    assert!(quickly > whole, "the shorter way is hardly tried");
}

/// `KOPPEL_SEED=7 KOPPEL_FLOWS=1000` makes others, and more.
#[test]
fn a_flow_that_is_made_up_is_decided_alike_both_ways() {
    let (seed, count) = (wanted("KOPPEL_SEED", 1), wanted("KOPPEL_FLOWS", 60));
    let config = fs::read_to_string("tests/bench/mapping/koppel.toml").unwrap();
    let (mut quickly, mut told) = (0, 0);
    for number in 0..count {
        let mut dice = StdRng::seed_from_u64(seed * 1_000_000 + number);
        let flow = Flows::new(&mut dice).flow();
        let place = Place::new(&[("koppel.toml", &config), ("mapping.flow", &flow)]);
        let lines = lines_of(place.path());
        let mut made = Invoices::new(seed + number);
        let mut all = Vec::new();
        for _ in 0..40 {
            let mut line = Vec::new();
            made.line(&mut line);
            let mut tree: Json = serde_json::from_slice(&line).unwrap();
            if dice.random_range(0..3) == 0 {
                change(&mut tree, &mut dice);
            }
            writeln!(all, "{tree}").unwrap();
        }
        assert!(lines.lane().is_some(), "no shorter way: {flow}");
        let one = std::panic::catch_unwind(AssertUnwindSafe(|| compared(&lines, &all)));
        quickly += one.unwrap_or_else(|panic| {
            println!("seed {seed}, flow {number}:\n{flow}");
            std::panic::resume_unwind(panic)
        });
        told += 40;
    }
    println!("{quickly} of {told} lines by the shorter way");
    assert!(quickly * 2 > told, "the shorter way is hardly tried");
}

#[test]
fn a_flow_that_searches_has_no_shorter_way() {
    assert!(lines("flows").lane().is_none());
}
