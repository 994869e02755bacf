//! Processes: several at once, and none that lives on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::stage::{Stage, assert_holds};
use crate::rewrite::lab::Lab;
use crate::rewrite::slices::{formatted, plan};
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
    let lab = Lab::new(
        tools().terraform(),
        &[("main.tf", &formatted(CODE))],
        &plan(STACKS),
    )
    .apply();
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
