//! Whole commands, as a person runs them: what they print, how they end, what they leave behind.

mod bounds;
mod check;
mod hints;
mod json_errors;
mod refusals;
mod secrets;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::command;

/// A directory with a copy of the acme monolith and its plan file.
struct Desk {
    dir: tempfile::TempDir,
}

/// How a command ended: exit code, stdout, stderr.
struct Ended(i32, String, String);

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&root.join("testdata/acme"), &dir.path().join("testdata/acme"));
        fs::create_dir(dir.path().join("plans")).unwrap();
        fs::copy(root.join("plans/acme.hcl"), dir.path().join("plans/acme.hcl")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn ended(&self, args: &[&str]) -> command::Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_stackcut"))
            .args(args)
            .current_dir(self.dir.path())
            .env("NO_COLOR", "1")
            .env_remove("TF_WORKSPACE")
            .env_remove("TF_DATA_DIR")
            .output();
        output.unwrap().into()
    }

    fn run(&self, args: &[&str]) -> Ended {
        let command::Ended { code, stdout, stderr } = self.ended(args);
        Ended(code.unwrap(), stdout, stderr)
    }

    fn split(&self) -> Ended {
        self.run(&SPLIT)
    }

    /// Runs a command and shows it as a transcript.
    fn transcript(&self, args: &[&str]) -> String {
        self.ended(args).transcript()
    }

    /// Cuts with a state or plan file edited by `edit`, and returns how that was refused.
    fn refused(&self, file: &str, edit: impl Fn(String) -> Vec<u8>) -> String {
        let before = fs::read_to_string(self.path(file)).unwrap();
        fs::write(self.path(file), edit(before.clone())).unwrap();
        let Ended(code, stdout, stderr) = self.split();
        fs::write(self.path(file), before).unwrap();
        assert!(
            code != 0 && stdout.is_empty() && !self.path("out").exists(),
            "{code} {stdout}"
        );
        stderr
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Lists every file below a directory with its content.
fn content(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

const STATE: &str = "testdata/acme/terraform.tfstate";
const PLAN: &str = "plans/acme.hcl";
const SPLIT: [&str; 6] = ["split", "testdata/acme", "--plan", PLAN, "--out", "out"];

#[test]
fn split_cuts_acme_and_touches_nothing_else() {
    let desk = Desk::new();
    let before = content(&desk.path("testdata"));
    let Ended(code, stdout, stderr) = desk.split();
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.starts_with("acme: 227 instances moved into 10 stacks, environment prod\n"),
        "{stdout}"
    );
    assert!(
        stdout.contains("✓ nothing lost, doubled or altered: 239 objects in exactly one state each"),
        "{stdout}"
    );
    let mut states: Vec<String> = content(&desk.path("out/states"))
        .iter()
        .map(|(path, _)| path.file_name().unwrap().to_string_lossy().into())
        .collect();
    states.sort();
    assert_eq!(states.len(), 11, "{states:?}");
    assert_eq!(content(&desk.path("testdata")), before);
    let mut names: Vec<_> = fs::read_dir(desk.dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["out", "plans", "testdata"], "something was left behind");
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(desk.path("out/report.json")).unwrap()).unwrap();
    assert_eq!(report["version"], 1);
    let objects: u64 = report["states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["objects"].as_u64().unwrap())
        .sum();
    assert_eq!(objects, 239);
}

#[test]
#[cfg(unix)]
fn states_are_for_their_owner_alone_and_code_is_for_everyone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    assert_eq!(desk.split().0, 0);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&desk.path("out")), 0o700);
    for (path, _) in content(&desk.path("out")) {
        let is_code = ["stacks", "sources"]
            .iter()
            .any(|dir| path.starts_with(desk.path("out").join(dir)));
        let is_private = path.starts_with(desk.path("out/states")) || path.ends_with("report.json");
        // What the mask of whoever runs this takes away is not ours.
        match mode(&path) {
            0o600 => assert!(!is_code, "{}", path.display()),
            other => assert!(
                !is_private && other & 0o700 == 0o600,
                "{}: {other:o}",
                path.display()
            ),
        }
    }
}

#[test]
fn split_replaces_its_own_result_and_nothing_else() {
    let desk = Desk::new();
    assert_eq!(desk.split().0, 0);
    fs::write(desk.path("out/stale"), "").unwrap();
    assert_eq!(desk.split().0, 0);
    assert!(!desk.path("out/stale").exists());
    fs::create_dir(desk.path("mine")).unwrap();
    fs::write(desk.path("mine/precious"), "x").unwrap();
    let Ended(code, _, stderr) = desk.run(&["split", "testdata/acme", "--plan", PLAN, "--out", "mine"]);
    assert_eq!(
        (
            code,
            fs::read_to_string(desk.path("mine/precious")).unwrap().as_str()
        ),
        (64, "x")
    );
    assert!(
        stderr.contains("was not written by stackcut") && stderr.contains("nothing was written"),
        "{stderr}"
    );
}

#[test]
fn every_fault_of_a_plan_file_is_shown_with_its_place() {
    let desk = Desk::new();
    let stderr = desk.refused(PLAN, |plan| {
        plan.replace("\"aws_eip.nat\",", "\"aws_eip.nta\",\n      \"aws_subnet.nope\",")
            .into()
    });
    for expected in ["aws_eip.nta", "aws_subnet.nope", "plans/acme.hcl:"] {
        assert!(stderr.contains(expected), "{stderr}");
    }
    let stderr = desk.refused(PLAN, |plan| {
        plan.replace(
            "\"aws_iam_policy.*\",",
            "\"aws_iam_policy.*\",\n      \"aws_vpc.main\",",
        )
        .into()
    });
    assert!(
        stderr.contains("network") && stderr.contains("base") && stderr.contains("aws_vpc.main"),
        "{stderr}"
    );
    let stderr = desk.refused(PLAN, |plan| {
        plan.replacen("layer = \"network\"", "layre = \"network\"", 1)
            .into()
    });
    assert!(stderr.contains("layre") && stderr.contains("layer"), "{stderr}");
}

#[test]
fn graph_and_inspect_print_what_can_be_piped() {
    let desk = Desk::new();
    let Ended(code, dot, stderr) = desk.run(&["graph", "testdata/acme"]);
    assert!(code == 0 && stderr.is_empty(), "{stderr}");
    assert!(
        dot.starts_with("digraph stackcut {") && dot.contains("\"aws_subnet.private\" -> \"aws_vpc.main\"")
    );
    let Ended(_, mermaid, _) = desk.run(&["graph", "testdata/acme", "--plan", PLAN, "--format", "mermaid"]);
    assert!(mermaid.starts_with("flowchart RL\n") && mermaid.contains("linkStyle"));
    let Ended(_, json, _) = desk.run(&["graph", "testdata/acme", "--format", "json"]);
    let graph: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(graph["version"] == 1 && graph["nodes"].as_array().unwrap().len() > 100);
    let Ended(code, text, _) = desk.run(&["inspect", "testdata/acme"]);
    assert!(
        code == 0 && text.contains("215 objects of 160 managed resources"),
        "{text}"
    );
}

#[test]
fn wrong_usage_ends_with_64_and_help_with_0() {
    let desk = Desk::new();
    for args in [
        &["splitt"][..],
        &["split"],
        &["graph", "testdata/acme", "--format", "svg"],
    ] {
        assert_eq!(desk.run(args).0, 64, "{args:?}");
    }
    for args in [
        &["--help"][..],
        &["split", "--help"],
        &["--version"],
        &["completions", "bash"],
    ] {
        let Ended(code, stdout, _) = desk.run(args);
        assert!(code == 0 && !stdout.is_empty(), "{args:?}");
    }
    let Ended(code, _, stderr) = desk.run(&[&SPLIT[..], &["--env", "nope"]].concat());
    assert!(code == 64 && stderr.contains("it has: prod"), "{stderr}");
}

#[test]
fn plan_of_local_states_changes_nothing_and_says_2() {
    let desk = Desk::new();
    fs::remove_file(desk.path("testdata/acme/backend.tf")).unwrap();
    let plan = fs::read_to_string(desk.path(PLAN)).unwrap();
    let plan = plan
        .replace("backend \"s3\" {", "backend \"local\" {")
        .replace("key = \"acme/", "path = \"acme/");
    fs::write(desk.path(PLAN), plan).unwrap();
    let before = content(desk.dir.path());
    let Ended(code, stdout, stderr) = desk.run(&["plan", PLAN]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stdout.contains("227 instances moved into 10 stacks"), "{stdout}");
    assert_eq!(content(desk.dir.path()), before);
    assert_eq!(desk.run(&["plan", PLAN, "--out", "saved.json"]).0, 2);
    let saved = fs::read_to_string(desk.path("saved.json")).unwrap();
    let saved = stackcut::plan::format_v1::read(&saved).unwrap();
    let (mut originals, source) = (std::collections::BTreeMap::new(), saved.states.last().unwrap());
    let state = stackcut::state::Snapshot::read(fs::read(desk.path(STATE)).unwrap())
        .unwrap()
        .unwrap();
    originals.insert(source.id.clone(), state);
    assert_eq!(saved.replay(&originals).unwrap().len(), 11);
}
