//! The arrows between the rooms: `use crate::…` points only downwards.

use std::{fs, path::Path};

/// Each room with the rooms that it may know, as `ARCHITECTURE.md` draws them.
const ROOMS: &[(&str, &[&str])] = &[
    ("value", &[]),
    ("diagnostic", &["value"]),
    ("syntax", &["diagnostic", "value"]),
    ("schema", &["value"]),
    ("function", &["schema", "value"]),
    ("check", &["diagnostic", "value", "syntax", "schema", "function"]),
    ("plan", &["diagnostic", "value", "syntax", "schema", "function", "check"]),
    ("eval", &["diagnostic", "value", "syntax", "schema", "function", "check", "plan"]),
    ("lock", &["diagnostic", "value", "syntax", "schema", "check", "plan"]),
    ("clock", &[]),
    ("crash", &["clock"]),
    ("ledger", &["value", "clock", "crash"]),
    ("connector", &["value", "schema", "clock", "ledger"]),
    ("insight", &["value"]),
    (
        "engine",
        &["diagnostic", "value", "schema", "check", "plan", "eval", "clock", "crash", "ledger", "connector", "insight"],
    ),
    ("sandbox", &[]),
    ("project", &["diagnostic", "value", "syntax", "schema", "function", "check", "plan", "eval", "lock", "connector"]),
    (
        "cli",
        &[
            "diagnostic",
            "value",
            "syntax",
            "schema",
            "function",
            "check",
            "plan",
            "eval",
            "lock",
            "clock",
            "ledger",
            "connector",
            "insight",
            "engine",
            "sandbox",
            "project",
        ],
    ),
];

fn rust_files(place: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn rooms_know_only_the_rooms_below_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let word = regex::Regex::new(r"\bcrate::(?:\{([^;]*)\}|(\w+))").unwrap();
    let first = regex::Regex::new(r"(?:^|,)\s*(\w+)").unwrap();
    let mut wrong = Vec::new();
    for path in files {
        let own = path.strip_prefix(&source).unwrap();
        let room = own.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            assert!(["lib", "main"].contains(&room), "{room} is no room: add it to the table");
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        for hit in word.captures_iter(&text) {
            let names: Vec<String> = match (hit.get(1), hit.get(2)) {
                (Some(group), _) => {
                    let mut flat = String::new();
                    let mut depth = 0;
                    for letter in group.as_str().chars() {
                        match letter {
                            '{' => depth += 1,
                            '}' => depth -= 1,
                            other if depth == 0 => flat.push(other),
                            _ => {}
                        }
                    }
                    first.captures_iter(&flat).map(|name| name[1].to_owned()).collect()
                }
                (None, Some(name)) => vec![name.as_str().to_owned()],
                (None, None) => Vec::new(),
            };
            for name in names {
                let is_room = ROOMS.iter().any(|(room, _)| *room == name);
                if is_room && name != room && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{}: {room} may not know {name}", own.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
