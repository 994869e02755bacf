//! One child process: its own group, bounded output, a limit in time, killed with its plugins on every early way out.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::{Stop, TerraformError};

/// How much of stderr is kept: its end, where the errors are.
const KEPT: usize = 16 * 1024;

/// How long a child may tidy up after it was asked to end.
const GRACE: Duration = Duration::from_secs(5);

/// What becomes of the standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stdout {
    /// It is returned.
    Kept,
    /// Nobody sees it: a plan for people shows values.
    Dropped,
}

/// One command.
pub(super) struct Job<'a> {
    pub program: &'a Path,
    pub args: &'a [OsString],
    pub dir: &'a Path,
    /// Changes to the inherited environment; none removes a variable.
    pub env: &'a [(OsString, Option<OsString>)],
    pub stdout: Stdout,
    pub timeout: Duration,
}

/// How the waiting ended.
enum Waited {
    Ended,
    Late,
    Stopped,
}

/// Runs a command to its end and returns its standard output.
pub(super) fn run(job: &Job<'_>, stop: Stop<'_>) -> Result<Vec<u8>, TerraformError> {
    let name = name(job);
    if stop() {
        return Err(TerraformError::Interrupted { command: name });
    }
    let mut command = Command::new(job.program);
    command
        .args(job.args)
        .current_dir(job.dir)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .stdout(match job.stdout {
            Stdout::Kept => Stdio::piped(),
            Stdout::Dropped => Stdio::null(),
        })
        // A group of its own: Ctrl-C on the terminal reaches us alone, and we end the child with all its plugins.
        .process_group(0);
    for (variable, value) in job.env {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    let mut child = command.spawn().map_err(|source| TerraformError::Start {
        program: job.program.to_owned(),
        source,
    })?;
    let stdout = child.stdout.take().map(|pipe| drain(pipe, usize::MAX));
    let stderr = child.stderr.take().map(|pipe| drain(pipe, KEPT));
    let waited = wait(&child, Instant::now() + job.timeout, stop);
    if !matches!(waited, Waited::Ended) {
        end(&child);
    }
    // Nothing of the group outlives its leader: a forgotten plugin would keep the pipes open. The leader is not reaped
    // yet, so the number is still its own.
    signal(&child, Signal::KILL);
    let status = child.wait().map_err(|source| TerraformError::Start {
        program: job.program.to_owned(),
        source,
    })?;
    let stdout = stdout.map(collect).unwrap_or_default();
    let stderr = stderr.map(collect).unwrap_or_default();
    match waited {
        Waited::Stopped => Err(TerraformError::Interrupted { command: name }),
        Waited::Late => Err(TerraformError::TimedOut {
            command: name,
            limit: job.timeout,
        }),
        Waited::Ended if status.success() => Ok(stdout),
        Waited::Ended => Err(TerraformError::Failed {
            command: name,
            code: status.code(),
            status: describe(status),
            stderr: String::from_utf8_lossy(&stderr).trim().to_owned(),
        }),
    }
}

/// Returns the executable's name and the subcommand: arguments hold paths that nobody knows.
fn name(job: &Job<'_>) -> String {
    let program = job.program.file_name().map_or_else(
        || job.program.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    match job.args.first() {
        Some(verb) => format!("{program} {}", verb.to_string_lossy()),
        None => program,
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}

fn pid(child: &Child) -> Pid {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    id.expect("process ids are positive")
}

/// Signals the whole group. It may have ended by itself a moment ago, which is as good.
fn signal(child: &Child, signal: Signal) {
    let _ = kill_process_group(pid(child), signal);
}

/// Waits until the child ends, without reaping it.
fn wait(child: &Child, deadline: Instant, stop: Stop<'_>) -> Waited {
    let mut pause = Duration::from_millis(1);
    loop {
        if has_ended(child) {
            return Waited::Ended;
        }
        if stop() {
            return Waited::Stopped;
        }
        if Instant::now() >= deadline {
            return Waited::Late;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // An error can only say that there is no such child any more.
    !matches!(waitid(WaitId::Pid(pid(child)), options), Ok(None))
}

/// Asks a child to end, gives it a moment, and leaves the rest to the kill that follows.
fn end(child: &Child) {
    signal(child, Signal::TERM);
    // Asked not to wait any longer, or too late anyway: the limit is the grace alone.
    wait(child, Instant::now() + GRACE, &|| false);
}

/// Reads a pipe to its end in a thread of its own and keeps the last bytes.
fn drain(mut pipe: impl Read + Send + 'static, kept: usize) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => bytes.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A broken pipe ends the text where it broke, which is all there is.
                Err(_) => break,
            }
            if bytes.len() / 2 > kept {
                bytes.drain(..bytes.len() - kept);
            }
        }
        if bytes.len() > kept {
            bytes.drain(..bytes.len() - kept);
        }
        bytes
    })
}

fn collect(reader: JoinHandle<Vec<u8>>) -> Vec<u8> {
    reader.join().expect("reading does not panic")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn job<'a>(script: &'a [OsString], timeout: u64) -> Job<'a> {
        Job {
            program: Path::new("/bin/sh"),
            args: script,
            dir: Path::new("/"),
            env: &[],
            stdout: Stdout::Kept,
            timeout: Duration::from_millis(timeout),
        }
    }

    fn script(text: &str) -> [OsString; 2] {
        ["-c".into(), text.into()]
    }

    #[test]
    fn the_end_of_stderr_is_kept() {
        let args = script(
            "echo out; i=0; while [ $i -lt 3000 ]; do echo 0123456789 >&2; i=$((i+1)); done; echo end >&2; exit 3",
        );
        let error = run(&job(&args, 60_000), &|| false).unwrap_err();
        let stderr = error.stderr().unwrap();
        assert!(
            stderr.len() <= KEPT && stderr.ends_with("end"),
            "{}",
            stderr.len()
        );
        assert_eq!(error.to_string(), "`sh -c` failed with exit code 3");
        let args = script("echo out");
        assert_eq!(run(&job(&args, 60_000), &|| false).unwrap(), b"out\n");
    }

    #[test]
    fn late_children_are_killed_with_their_children() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let args = script(&format!("sleep 600 & echo $! > {}; wait", file.display()));
        let started = Instant::now();
        let error = run(&job(&args, 300), &|| false).unwrap_err();
        assert!(matches!(error, TerraformError::TimedOut { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(60));
        assert_is_gone(&file);
    }

    #[test]
    fn a_wish_to_stop_ends_the_child() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        // It would not hear the polite signal.
        let args = script(&format!(
            "trap '' TERM; sleep 600 & echo $! > {}; wait; wait",
            file.display()
        ));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !file.exists() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                stop.store(true, Ordering::Relaxed);
            });
            let error = run(&job(&args, 600_000), &|| stop.load(Ordering::Relaxed)).unwrap_err();
            assert!(matches!(error, TerraformError::Interrupted { .. }), "{error}");
        });
        assert_is_gone(&file);
        let error = run(&job(&args, 600_000), &|| true).unwrap_err();
        assert!(
            matches!(error, TerraformError::Interrupted { .. }),
            "not even started"
        );
    }

    fn assert_is_gone(file: &Path) {
        let mut id = String::new();
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if id.trim().is_empty() {
                id = std::fs::read_to_string(file).unwrap_or_default();
            }
            let id = id.trim().parse().ok().and_then(Pid::from_raw);
            if id.is_some_and(|id| rustix::process::test_kill_process(id).is_err()) {
                return;
            }
            // A killed child is there until its adoptive parent has reaped it.
            let is_zombie = id.is_some_and(|id| {
                let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero()));
                stat.is_ok_and(|stat| stat.contains(") Z "))
            });
            if is_zombie {
                return;
            }
            assert!(Instant::now() < deadline, "a child of the child lives on");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
