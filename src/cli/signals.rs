//! Ctrl-C and SIGTERM: leave at once where nothing is under way, stop at the next safe point where something is.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, RwLock, RwLockReadGuard};
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::document;
use crate::error::{CommandError, Exit};
use crate::execute::Interrupt;
use crate::ui::Ui;

/// What this process is at; signals are the process's too.
#[derive(Default)]
struct AtWork {
    /// The execution that is under way, and how many signals it has had.
    execution: Mutex<Option<(Interrupt, u32)>>,
    /// Directories that must not be left behind.
    scratch: Mutex<BTreeSet<PathBuf>>,
    /// Held for reading while files are written that must be whole or gone.
    files: RwLock<()>,
}

static AT_WORK: LazyLock<AtWork> = LazyLock::new(AtWork::default);

/// Listens from here on.
pub(super) fn watch(ui: &Ui) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
        // Without a handler a signal ends the process at once, as a crash would; the journal survives that.
        return;
    };
    let ui = ui.clone();
    let terminal = std::io::stdin()
        .is_terminal()
        .then(|| tcgetattr(std::io::stdin()).ok())
        .flatten();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let mut execution = AT_WORK.execution.lock().expect("no holder panics");
            match &mut *execution {
                None => leave(&ui, terminal.as_ref()),
                Some((interrupt, count)) => {
                    interrupt.raise();
                    *count += 1;
                    match *count {
                        1 => ui.warn("stopping at the next safe point"),
                        2 => ui.warn(
                            "still finishing the current step; once more stops at once, as a crash would",
                        ),
                        // Cannot fail for these two.
                        _ => drop(signal_hook::low_level::emulate_default_handler(signal)),
                    }
                }
            }
        }
    });
}

/// Ends the process; nothing but scratch directories is there to clean up.
fn leave(ui: &Ui, terminal: Option<&Termios>) -> ! {
    let _files = AT_WORK.files.write().expect("no holder panics");
    for path in &*AT_WORK.scratch.lock().expect("no holder panics") {
        // What cannot be removed is named; it cannot be mended here.
        if let Err(error) = std::fs::remove_dir_all(path)
            && path.exists()
        {
            ui.warn(&format!("cannot remove {}: {error}", path.display()));
        }
    }
    if let Some(before) = terminal {
        // A question may have changed how the terminal reads. If it is gone, nobody reads there any more.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        ui.say("");
    }
    ui.error(&interrupted());
    document::instead(ui, &interrupted());
    std::process::exit(i32::from(Exit::Interrupted.code()));
}

/// Returns what a command that has changed nothing says when it is interrupted.
pub(super) fn interrupted() -> CommandError {
    CommandError::new("interrupted")
        .note("nothing was changed")
        .exit(Exit::Interrupted)
}

/// Lets the thread that listens end the process, after a question was interrupted.
pub(super) fn give_way() {
    std::thread::sleep(Duration::from_secs(2));
}

/// An execution under way: the first signals ask it to stop.
pub(super) struct Executing(());

/// Begins an execution.
pub(super) fn executing(interrupt: &Interrupt) -> Executing {
    *AT_WORK.execution.lock().expect("no holder panics") = Some((interrupt.clone(), 0));
    Executing(())
}

impl Drop for Executing {
    fn drop(&mut self) {
        *AT_WORK.execution.lock().expect("no holder panics") = None;
    }
}

/// A directory that a signal removes.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

/// Has a directory removed when the process is told to leave.
pub(super) fn scratch(path: &Path) -> Scratch {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut known = AT_WORK.scratch.lock().expect("no holder panics");
    known.insert(path.clone());
    Scratch(path)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        AT_WORK.scratch.lock().expect("no holder panics").remove(&self.0);
    }
}

/// Has a signal wait until the files that are being written are whole.
pub(super) fn writing_files() -> RwLockReadGuard<'static, ()> {
    AT_WORK.files.read().expect("no holder panics")
}
