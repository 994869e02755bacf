//! Ctrl-C and SIGTERM.

use std::fs;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::desk::{Desk, PLAN, ended};

fn send(child: &Child, signal: Signal) {
    // One that is gone already has nothing to be told.
    let _ = kill_process(Pid::from_child(child), signal);
}

/// An apply that waits for a lock, so that it is in the middle for as long as is needed.
fn waiting(desk: &Desk) -> Child {
    desk.lock_by_kim("mono/terraform.tfstate");
    let apply = desk.start(&["apply", PLAN, "--auto-approve", "--lock-timeout", "1h"]);
    while desk.records() == 0 {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(100));
    apply
}

#[test]
fn a_signal_while_waiting_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let desk = Desk::local();
        let before = desk.states();
        let apply = waiting(&desk);
        send(&apply, signal);
        let ended = ended(apply).code(130);
        insta::allow_duplicates! {
            let stderr = ended.stderr.split_once("warning").unwrap().1;
            insta::assert_snapshot!(desk.stable(stderr), @r"
            : stopping at the next safe point
            error: migration ID: interrupted
              = note: nothing was written, and no lock of this migration is left
            hint: run the same command again when you are ready
            ");
        }
        fs::remove_dir_all(desk.path("mono/.terraform.tfstate.lock.info")).unwrap();
        assert_eq!(desk.states(), before);
        assert!(desk.leftovers().is_empty());
        desk.apply().code(0);
    }
}

/// Interrupted at many moments: always 130 (or it was faster), and what is left goes on.
#[test]
fn what_is_interrupted_can_be_resumed() {
    let mut interrupted = 0;
    for number in 0..24_u64 {
        let desk = Desk::local();
        let apply = desk.start(&["apply", PLAN, "--auto-approve"]);
        while desk.records() < usize::try_from(number % 8).unwrap() && !apply_is_over(&desk) {
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(number * 150));
        send(
            &apply,
            if number % 2 == 0 {
                Signal::INT
            } else {
                Signal::TERM
            },
        );
        let ended = ended(apply);
        if ended.code == Some(0) {
            continue;
        }
        if ended.code.is_none() && number % 8 == 0 {
            // Before the program listens, the system ends it.
            assert!(desk.migrations().is_empty() && desk.leftovers().is_empty());
            continue;
        }
        interrupted += 1;
        let ended = ended.code(130);
        assert!(ended.stderr.contains("interrupted"), "{ended}");
        match desk.migrations().first() {
            Some(found) if found["standing"] == "unfinished" => {
                let id = found["id"].as_str().unwrap();
                assert!(
                    ended
                        .stderr
                        .contains(&format!("run `stackcut resume {id}` to go on")),
                    "{ended}"
                );
                desk.on("resume", id, &[]).code(0);
            }
            _ => {
                assert!(desk.leftovers().is_empty(), "{ended}");
                desk.apply().code(0);
            }
        }
        assert!(desk.get("shop").unwrap().contains("\"serial\": 6"));
        assert_eq!(desk.leftovers().len(), 1, "the fence stands");
    }
    assert!(interrupted > 4, "{interrupted}");
}

fn apply_is_over(desk: &Desk) -> bool {
    desk.get("shop")
        .is_some_and(|state| state.contains("\"serial\": 6"))
}

#[test]
fn an_interrupted_split_leaves_nothing() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for number in 0..12 {
        let desk = Desk::local();
        let out = desk.path("out/split");
        let split = desk
            .command(&["split"])
            .arg(root.join("testdata/acme"))
            .arg("--plan")
            .arg(root.join("plans/acme.hcl"))
            .arg("--out")
            .arg(&out)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let scratch = || fs::read_dir(desk.path("out")).map_or(0, Iterator::count) > 0;
        for _ in 0..5000 {
            if scratch() {
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_millis(number));
        send(&split, Signal::INT);
        let ended = ended(split);
        assert!(matches!(ended.code, Some(0 | 130)), "{ended}");
        let left: Vec<_> = fs::read_dir(desk.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        let expected = if ended.code == Some(0) {
            vec!["split"]
        } else {
            vec![]
        };
        assert_eq!(left, expected, "{ended}");
    }
}
