//! Locks of others, and how long we wait for them.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::desk::{Desk, PLAN, ended};
use crate::support::terraform::Terraform;
use crate::support::tools::tools;

const SHOP: &str = "mono/terraform.tfstate";

#[test]
fn a_held_lock_is_reported_and_left_alone() {
    let desk = Desk::local();
    let lock = desk.lock_by_kim(SHOP);
    let before = desk.states();
    let info = fs::read(lock.join("lock.json")).unwrap();
    let refused = desk.apply().code(3);
    insta::assert_snapshot!(desk.stable(&refused.stderr), @r"
    ✓ computed plans/shop.hcl, environment default
    error: migration ID: state `shop`: /home/mono/terraform.tfstate is locked by kim@desk since 2026-11-25 08:00:00 UTC (stackcut-apply, lock ID 9db590f1-b6fe-c5f2-2678-8804f089deba)
      = note: its holder says: migration m-1
      = note: nothing was written, and no lock of this migration is left
    hint: wait (--lock-timeout), or end that migration as its lock says; only where its journal is gone: rm -r '/home/mono/.terraform.tfstate.lock.info'
    ");
    assert_eq!(desk.states(), before);
    assert_eq!(fs::read(lock.join("lock.json")).unwrap(), info);
    // Nothing is left of it but a note in the journal.
    fs::remove_dir_all(lock).unwrap();
    assert!(desk.leftovers().is_empty());
    assert_eq!(desk.migrations()[0]["phase"], "aborted");
    desk.apply().code(0);
}

/// A real apply that waits for its own yes.
#[test]
fn real_terraform_at_work_is_respected() {
    for bin in tools().terraforms() {
        let desk = Desk::local();
        Terraform::new(bin, desk.path("mono")).init();
        let mut apply = Command::new(&bin.path)
            .args(["apply", "-no-color"])
            .current_dir(desk.path("mono"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lock = desk.path("mono/.terraform.tfstate.lock.info");
        while fs::read(&lock).map_or(0, |text| text.len()) == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let refused = desk.apply().code(3);
        assert!(refused.stderr.contains("OperationTypeApply"), "{refused}");
        assert!(refused.stderr.contains("wait (--lock-timeout)"), "{refused}");
        let waiting = desk.start(&["apply", PLAN, "--auto-approve", "--lock-timeout", "1m"]);
        std::thread::sleep(Duration::from_millis(300));
        apply.stdin.take().unwrap().write_all(b"no\n").unwrap();
        apply.wait().unwrap();
        let ended = ended(waiting).code(0);
        assert!(
            ended.stderr.contains("waiting 1 s for the lock of shop"),
            "{ended}"
        );
    }
}

#[test]
fn a_lock_is_waited_for() {
    let desk = Desk::local();
    let lock = desk.lock_by_kim(SHOP);
    let apply = desk.start(&["apply", PLAN, "--auto-approve", "--lock-timeout", "1m"]);
    std::thread::sleep(Duration::from_millis(500));
    fs::remove_dir_all(lock).unwrap();
    let ended = ended(apply).code(0);
    assert!(
        ended
            .stderr
            .contains("waiting 1 s for the lock of shop, held by kim@desk (stackcut-apply)"),
        "{ended}"
    );
}

/// While one process waits, another ends its migration: the first finds the journal written on, and is told apart from
/// an error. A script does the same as with a held lock: it waits, and tries again.
#[test]
fn a_migration_that_another_process_works_on_is_left_to_it() {
    for format in ["text", "json"] {
        let desk = Desk::local();
        let lock = desk.lock_by_kim(SHOP);
        let first = desk.start(&[
            "apply",
            PLAN,
            "--auto-approve",
            "--lock-timeout",
            "1m",
            "--format",
            format,
        ]);
        while desk.records() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = desk.id();
        // Nobody who comes now is told that it stopped.
        let third = desk.run(&["plan", PLAN, "--format", "json"]).code(3);
        let error = &third.json()["error"];
        assert_eq!(error["exit"], 3);
        assert!(error["notes"][0].as_str().unwrap().contains("by jo@"), "{third}");
        assert!(
            error["hint"].as_str().unwrap().starts_with("wait for it"),
            "{third}"
        );
        desk.on("undo", &id, &["--auto-approve"]).code(0);
        fs::remove_dir_all(lock).unwrap();
        let first = ended(first).code(3);
        let stderr = desk.stable(&first.stderr);
        assert!(
            stderr.contains("migration ID: another process works on this migration"),
            "{stderr}"
        );
        assert!(
            stderr.contains(
                "the other process has ended it: the migration is aborted, and this one holds no lock"
            ),
            "{stderr}"
        );
        if format == "json" {
            let json = first.json();
            assert_eq!(json["runs"][0]["error"]["exit"], 3);
            assert_eq!(json["error"], json["runs"][0]["error"]);
        }
        // What it had waited for and got in the end, it gave back.
        assert_eq!(desk.leftovers(), [""; 0]);
        assert!(desk.states()[1..].iter().all(|(_, state)| state.is_none()));
    }
}

#[test]
fn waiting_ends() {
    let desk = Desk::local();
    desk.lock_by_kim(SHOP);
    let began = Instant::now();
    desk.run(&["apply", PLAN, "--auto-approve", "--lock-timeout", "1500ms"])
        .code(3);
    assert!(began.elapsed() >= Duration::from_millis(1500));
    let refused = desk
        .run(&["apply", PLAN, "--auto-approve", "--lock-timeout", "soon"])
        .code(64);
    assert!(
        refused.stderr.contains("write it like 30s, 5m or 1m30s"),
        "{refused}"
    );
}
