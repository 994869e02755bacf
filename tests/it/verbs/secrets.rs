//! What a state holds reaches nothing but states and their backups.

use std::time::Duration;

use super::desk::{Desk, PLAN};
use super::shop::state;
use crate::support::command::Ended;

const SECRET: &str = "s3cr3t-of-the-shop";

/// Plants a secret into every value, and into fields that nobody knows.
fn planted() -> String {
    let novel = format!("\"novel\": {{ \"deep\": [\"{SECRET}\"] }},");
    state(SECRET)
        .replace(
            "\"schema_version\": 0",
            &format!("{novel}\n          \"schema_version\": 0"),
        )
        .replacen("\"check_results\"", &format!("{novel}\n  \"check_results\""), 1)
        .replace(
            "\"sensitive_attributes\": []",
            "\"sensitive_attributes\": [[{\"type\": \"get_attr\", \"value\": \"id\"}]]",
        )
}

fn check(desk: &Desk, said: &mut String) {
    for (name, bytes) in desk.kept() {
        let is_copy = name.contains("/backup/") || name.ends_with("main.tf");
        let text = String::from_utf8_lossy(&bytes);
        if !is_copy {
            assert!(!text.contains(SECRET), "{name}");
            said.push_str(&text);
        }
    }
}

fn leaks_nowhere(desk: &Desk) {
    desk.put("shop", &planted());
    assert!(planted().matches(SECRET).count() > 20);
    let mut said = String::new();
    let mut keep = |ended: Ended| {
        said.push_str(&ended.stdout);
        said.push_str(&ended.stderr);
    };
    keep(desk.run(&["plan", PLAN, "-v", "--out", "saved.json"]).code(2));
    keep(
        desk.run(&["apply", "saved.json", "-v", "--auto-approve", "--format", "json"])
            .code(0),
    );
    let id = desk.id();
    let mut kept = String::new();
    check(desk, &mut kept);
    keep(
        desk.on("undo", &id, &["-v", "--auto-approve", "--format", "json"])
            .code(0),
    );
    keep(desk.run(&["apply", PLAN, "-v", "--auto-approve"]).code(0));
    let second = desk.migrations()[0]["id"].as_str().unwrap().to_owned();
    for format in ["text", "json"] {
        keep(desk.run(&["status", "-v", "--format", format]).code(0));
        keep(desk.run(&["history", "-v", "--format", format]).code(0));
        keep(desk.on("resume", &second, &["-v", "--format", format]).code(0));
        keep(desk.on("release", &second, &["-v", "--format", format]).code(2));
    }
    // A refusal shows versions, and no content.
    let orders = desk.get("orders").unwrap();
    assert!(orders.contains(SECRET));
    desk.put("orders", &orders.replace("a.bs3", "b.bs3"));
    keep(desk.on("undo", &second, &["-v", "--auto-approve"]).code(4));
    desk.put("orders", &orders);
    // What stands in the middle of it.
    let mut apply = desk.start(&["undo", &second, "-v", "--auto-approve"]);
    std::thread::sleep(Duration::from_millis(30));
    apply.kill().unwrap();
    apply.wait().unwrap();
    check(desk, &mut kept);
    keep(desk.run(&["status", "-v"]).code(0));
    keep(desk.on("undo", &second, &["-v", "--auto-approve"]).code(0));
    check(desk, &mut kept);
    assert!(
        said.len() > 10_000 && kept.len() > 10_000,
        "{} {}",
        said.len(),
        kept.len()
    );
    assert!(!said.contains(SECRET), "{said}");
    assert_eq!(
        desk.get("shop").unwrap().matches(SECRET).count(),
        planted().matches(SECRET).count()
    );
}

#[test]
fn secrets_leak_nowhere_on_local_files() {
    leaks_nowhere(&Desk::local());
}

#[test]
fn secrets_leak_nowhere_in_a_bucket() {
    leaks_nowhere(&Desk::bucket());
}

/// Copies of states are their owner's alone.
#[test]
fn backups_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::local();
    desk.apply().code(0);
    let mut found = 0;
    for (name, _) in desk.kept() {
        if name.contains(".stackcut/") {
            let mode = std::fs::metadata(&name).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name}");
            found += usize::from(name.contains("/backup/"));
        }
    }
    assert_eq!(found, 1);
}
