//! Rooms have layers and arrows point down: this test reads `src/` and fails on an arrow that points up.
//! Why it matters is explained in `docs/architecture.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const GROUND: &[&str] = &[
    "address",
    "diagnostic",
    "json",
    "parallel",
    "source_tree",
    "stack",
    "state",
];
const REASON: &[&str] = &[
    "config", "contract", "graph", "journal", "lint", "moves", "plan", "report", "rewrite",
];
const SIDE_WING: &[&str] = &["backend", "terraform", "workdir"];
const CONDUCT: &[&str] = &["execute", "verify"];
const SURFACE: &[&str] = &["cli", "error", "main", "ui"];

/// Tells whether `from` may use `to`.
fn allowed(from: &str, to: &str) -> bool {
    let is = |layer: &[&str], room: &str| layer.contains(&room);
    if from == to || is(GROUND, to) {
        return true;
    }
    if is(GROUND, from) {
        return false;
    }
    if is(REASON, from) {
        return is(REASON, to);
    }
    if is(SIDE_WING, from) {
        return is(SIDE_WING, to);
    }
    if is(CONDUCT, from) {
        return is(REASON, to) || is(SIDE_WING, to) || is(CONDUCT, to);
    }
    is(SURFACE, from)
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Names the room of a file: its first path component.
fn room_of(relative: &Path) -> String {
    let first = relative.components().next().unwrap();
    let first = Path::new(first.as_os_str()).with_extension("");
    first.to_string_lossy().into_owned()
}

/// Finds the rooms a text names as `crate::room` or inside `use crate::{…}`.
fn rooms_used(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_i32;
            let mut names = vec![String::new()];
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push(String::new()),
                    _ => names.last_mut().unwrap().push(c),
                }
            }
            used.extend(
                names
                    .iter()
                    .map(|n| n.trim().split("::").next().unwrap().to_owned()),
            );
        } else {
            let path: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':')
                .collect();
            used.insert(path.split("::").next().unwrap().to_owned());
        }
    }
    used.retain(|room| !room.is_empty());
    used
}

#[test]
fn arrows_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 5, "src/ was not read");
    let known: BTreeSet<&str> = [GROUND, REASON, SIDE_WING, CONDUCT, SURFACE]
        .concat()
        .into_iter()
        .collect();
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let from = room_of(relative);
        if from == "lib" {
            continue;
        }
        if !known.contains(from.as_str()) {
            wrong.push(format!("src/{}: room `{from}` has no layer", relative.display()));
            continue;
        }
        for to in rooms_used(&fs::read_to_string(&file).unwrap()) {
            if known.contains(to.as_str()) && !allowed(&from, &to) {
                wrong.push(format!("src/{}: `{from}` uses `{to}`", relative.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that point up (docs/architecture.md, section \"Layers\", says why that matters):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn an_arrow_that_points_up_is_seen() {
    let used =
        rooms_used("use crate::{address::X, execute};\nfn f() { crate::backend::g() }\n// crate::cli\n");
    assert_eq!(
        used.iter().map(String::as_str).collect::<Vec<_>>(),
        ["address", "backend", "execute"]
    );
    assert!(!allowed("plan", "backend") && !allowed("backend", "plan") && !allowed("state", "moves"));
    assert!(allowed("execute", "backend") && allowed("cli", "execute") && allowed("plan", "moves"));
}

/// What a pure room may not name: files, environment, network, processes, clocks, chance.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "getrandom",
    "thread::sleep",
];

/// Returns what a text names of that, outside of comments and of its unit tests.
fn impure(text: &str) -> Vec<&'static str> {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code = product
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    IMPURE
        .iter()
        .copied()
        .filter(|word| code.contains(word))
        .collect()
}

#[test]
fn pure_rooms_have_no_files_clocks_or_chance() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut looked_at = 0;
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let is_test = relative.to_string_lossy().contains("tests");
        let room = room_of(relative);
        if is_test || !(GROUND.contains(&room.as_str()) || REASON.contains(&room.as_str())) {
            continue;
        }
        let found = impure(&fs::read_to_string(&file).unwrap());
        assert!(found.is_empty(), "src/{}: {found:?}", relative.display());
        looked_at += 1;
    }
    assert!(looked_at > 100, "src/ was not read");
    assert_eq!(
        impure("use std::fs;\nlet now = Instant::now();"),
        ["std::fs", "Instant::now"]
    );
    assert!(impure("// std::fs\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}").is_empty());
}
