//! Questions, on a real terminal.

use std::process::{Command, Stdio};

use super::desk::{Desk, PLAN};
use crate::support::command::Ended;
use crate::support::tools::tools;

/// Gives the command a terminal: types when a text appears, and passes everything on.
const TERMINAL: &str = r"
import os, pty, sys
awaited, answer, command = sys.argv[1].encode(), sys.argv[2].encode().decode('unicode_escape').encode(), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
seen, typed = b'', False
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    seen += part
    if not typed and awaited in seen:
        os.write(terminal, answer)
        typed = True
sys.stdout.buffer.write(seen)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// Runs a command on a terminal, and answers when it asks.
fn asked(desk: &Desk, args: &[&str], awaited: &str, answer: &str) -> Ended {
    let plain = desk.command(args);
    let mut command = Command::new(tools().python());
    command
        .args(["-c", TERMINAL, awaited, answer])
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(desk.dir())
        .env_clear()
        .env("TERM", "xterm")
        .stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let output = command.output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

const YES: &str = "Only `yes` is accepted";

#[test]
fn only_yes_is_a_yes() {
    let desk = Desk::local();
    let before = desk.states();
    for answer in ["y\\r", "\\r", "YES\\r", "no\\r"] {
        let refused = asked(&desk, &["apply", PLAN], YES, answer).code(1);
        assert!(refused.stdout.contains("not approved"), "{refused}");
        assert_eq!(desk.states(), before);
    }
    let done = asked(&desk, &["apply", PLAN], YES, "yes\\r").code(0);
    assert!(
        done.stdout.contains("Move 6 instances now, and write 6 states?"),
        "{done}"
    );
    let id = desk.id();
    asked(&desk, &["undo", &id], YES, "no\\r").code(1);
    asked(&desk, &["undo", &id], YES, "yes\\r").code(0);
    asked(&desk, &["discard", &id], YES, "yes\\r").code(0);
}

#[test]
fn doubts_are_asked_about() {
    let desk = Desk::local();
    desk.apply().code(0);
    let id = desk.id();
    desk.put_file(
        "mono/main.tf",
        "resource \"terraform_data\" \"queue\" {\n  for_each = var.queues\n}\n",
    );
    let refused = asked(&desk, &["release", &id], YES, "no\\r").code(1);
    assert!(refused.stdout.contains("is not known before a plan"), "{refused}");
    assert_eq!(desk.leftovers().len(), 1);
    asked(&desk, &["release", &id], YES, "yes\\r").code(0);
    assert!(desk.leftovers().is_empty());
}

#[test]
fn ctrl_c_at_a_question_changes_nothing() {
    let desk = Desk::local();
    let before = desk.states();
    let ended = asked(&desk, &["apply", PLAN], YES, "\\x03").code(130);
    assert!(ended.stdout.contains("interrupted"), "{ended}");
    assert!(ended.stdout.contains("nothing was changed"), "{ended}");
    assert_eq!(desk.states(), before);
    assert!(desk.migrations().is_empty() && desk.leftovers().is_empty());
}

/// A bar while it works, and a line when it is done.
#[test]
fn a_terminal_sees_bars() {
    let desk = Desk::local();
    let done = asked(&desk, &["apply", PLAN], YES, "yes\\r").code(0);
    assert!(done.stdout.contains("✓ wrote 5 states"), "{done}");
    assert!(
        done.stdout.contains("  writing ") && done.stdout.contains("/5 "),
        "{done}"
    );
    let quiet = asked(&desk, &["undo", &desk.id(), "-q"], YES, "yes\\r").code(0);
    assert!(!quiet.stdout.contains('✓'), "{quiet}");
}
