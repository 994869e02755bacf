//! Processes: several at once, and none that lives on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use stackcut::verify::VerifyError;

use super::stage::{Stage, assert_holds, root};
use crate::rewrite::lab::Lab;
use crate::rewrite::small::{formatted, plan};
use crate::support::tools::tools;

const CODE: &str = r#"
resource "terraform_data" "a" {
  input = "a"
}

resource "terraform_data" "b" {
  input = "b"
}

resource "terraform_data" "c" {
  input = [terraform_data.a.output, terraform_data.b.output]
}
"#;

const STACKS: &str = r#"
  stack "a" { take = ["terraform_data.a"] }
  stack "b" { take = ["terraform_data.b"] }
  stack "c" { take = ["terraform_data.c"] }
"#;

fn applied() -> Lab {
    let files = [("main.tf", &*formatted(CODE))];
    Lab::new(tools().terraform(), &files, &plan(STACKS)).apply()
}

/// A wrapper that does something before each `plan`, and writes down which plans began and ended, in order.
pub fn wrapper(dir: &Path, before_plan: &str) -> PathBuf {
    let path = dir.join("terraform");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" != plan ]; then exec {real} \"$@\"; fi\n\
         echo \"begin $(basename \"$PWD\")\" >> {log}\n{before_plan}\n{real} \"$@\"\ncode=$?\n\
         echo \"end $(basename \"$PWD\")\" >> {log}\nexit $code\n",
        real = tools().terraform().path.display(),
        log = dir.join("log").display(),
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn independent_stacks_are_planned_at_once_and_producers_first() {
    let lab = applied();
    let cut = lab.cut();
    let dir = tempfile::tempdir().unwrap();
    // The plans of `a` and `b` each wait for the other to begin; one after the other they would wait in vain.
    let meet = format!(
        "case $(basename \"$PWD\") in a|b) touch {0}/at-$(basename \"$PWD\"); n=0\n\
         while [ ! -e {0}/at-a ] || [ ! -e {0}/at-b ]; do n=$((n+1)); [ $n -lt 600 ] || exit 7; sleep 0.1; done;; esac",
        dir.path().display()
    );
    let mut stage = Stage::new(&lab);
    stage.program = wrapper(dir.path(), &meet);
    stage.parallelism = 3;
    assert_holds(&stage.run(&cut));
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    let place = |line: &str| {
        log.lines()
            .position(|found| found == line)
            .unwrap_or_else(|| panic!("{line} in\n{log}"))
    };
    assert!(
        place("begin c") > place("end a") && place("begin c") > place("end b"),
        "{log}"
    );

    // With a bound of one nothing overlaps.
    fs::remove_file(dir.path().join("log")).unwrap();
    stage.parallelism = 1;
    assert_holds(&stage.run(&cut));
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    for pair in lines.chunks(2) {
        assert_eq!(pair[0].replace("begin", "end"), pair[1], "{log}");
    }
}

/// An interruption kills what is at work and leaves no scratch directory.
#[test]
fn an_interruption_leaves_nothing() {
    let lab = applied();
    let cut = lab.cut();
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().display();
    let sleep = format!("echo \"$PWD\" >> {here}/places; sleep 600 & echo $! >> {here}/pids; wait");
    let mut stage = Stage::new(&lab);
    stage.program = wrapper(dir.path(), &sleep);
    let pids = dir.path().join("pids");
    let count = || fs::read_to_string(&pids).map_or(0, |text| text.lines().count());
    let outcome = stage.try_run(&cut, &|| count() >= 2);
    assert!(matches!(outcome, Err(VerifyError::Interrupted)), "{outcome:?}");
    let places = fs::read_to_string(dir.path().join("places")).unwrap();
    for place in places.lines() {
        let scratch = Path::new(place).ancestors().find(|dir| {
            let name = dir.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with(".stackcut-")
        });
        let scratch = scratch.expect("it worked in a scratch directory");
        assert!(!scratch.exists(), "{} is left", scratch.display());
    }
    for pid in fs::read_to_string(&pids).unwrap().lines() {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while is_alive(pid) {
            assert!(std::time::Instant::now() < deadline, "process {pid} lives on");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// Tells whether a process is there and not merely waiting to be reaped.
pub fn is_alive(pid: &str) -> bool {
    let id = pid
        .trim()
        .parse()
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .expect("a process id");
    let is_zombie = fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    rustix::process::test_kill_process(id).is_ok() && !is_zombie
}

/// What people have in TF_CLI_ARGS_plan reaches the plan, and does no harm.
#[test]
fn arguments_from_the_environment() {
    let lab = applied();
    let mut cut = lab.cut();
    super::stage::edit(&mut cut, "a", "main.tf", "\"a\"\n}", "\"z\"\n}");
    let mut stage = Stage::new(&lab);
    for (name, value) in [
        ("TF_CLI_ARGS_plan", "-detailed-exitcode"),
        ("TF_CLI_ARGS_init", "-backend-config=bucket=nobody-has-this"),
        ("TF_LOG", "trace"),
        ("TF_WORKSPACE", "elsewhere"),
        ("TF_DATA_DIR", "/nowhere"),
    ] {
        stage.env.push((name.into(), value.into()));
    }
    let proof = stage.run(&cut);
    let found = &root(&proof, "a").judgement.findings;
    assert_eq!(found.len(), 1, "{}", proof.text());
    assert_eq!(found[0].line(), "terraform_data.a: update (input, output)");
    // A plan of a part proves nothing.
    stage
        .env
        .push(("TF_CLI_ARGS_plan".into(), "-target=terraform_data.none".into()));
    let proof = stage.run(&cut);
    assert_eq!(
        root(&proof, "a").verdict,
        stackcut::verify::Verdict::Unproven,
        "{}",
        proof.text()
    );
}
