//! What an execution does, as a person watches it: a bar for each stage on a terminal, one line for each elsewhere.

use std::sync::Mutex;

use indicatif::ProgressBar;

use crate::execute::{Observer, Progress};
use crate::journal::{Migration, Phase, StateChange};
use crate::report::count;
use crate::stack::StateId;
use crate::ui::Ui;

/// The kinds of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Lock,
    Read,
    BackUp,
    Write,
    Verify,
    Restore,
    Digest,
    Unlock,
}

impl Stage {
    fn doing(self) -> &'static str {
        match self {
            Self::Lock => "locking",
            Self::Read => "reading",
            Self::BackUp => "backing up",
            Self::Write => "writing",
            Self::Verify => "verifying",
            Self::Restore => "restoring",
            Self::Digest => "digests",
            Self::Unlock => "unlocking",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Lock => "locked",
            Self::Read => "read",
            Self::BackUp => "backed up",
            Self::Write => "wrote",
            Self::Verify => "read back",
            Self::Restore => "gave back",
            Self::Digest => "repaired the digest of",
            Self::Unlock => "unlocked",
        }
    }
}

struct Running {
    stage: Stage,
    bar: ProgressBar,
    steps: usize,
    /// How many steps it will have.
    length: usize,
}

#[derive(Default)]
struct Now {
    phase: Option<Phase>,
    /// Whether something was written or restored: what is read after that is read back.
    wrote: bool,
    running: Option<Running>,
    /// States that were read back while others were still being written: they are told afterwards, in one line.
    read_back: usize,
    /// Originals that were copied meanwhile; told in the same way.
    copied: usize,
}

/// Shows the stages of one execution.
pub(super) struct Stages<'a> {
    ui: &'a Ui,
    migration: &'a Migration,
    now: Mutex<Now>,
}

impl<'a> Stages<'a> {
    pub(super) fn new(ui: &'a Ui, migration: &'a Migration) -> Self {
        Self {
            ui,
            migration,
            now: Mutex::default(),
        }
    }

    /// Ends the stage that is shown.
    pub(super) fn finish(&self) {
        self.close(&mut self.now.lock().expect("no holder panics"));
    }

    fn close(&self, now: &mut Now) {
        if let Some(running) = now.running.take() {
            running.bar.finish_and_clear();
            self.ui.done(&format!(
                "{} {}",
                running.stage.done(),
                count(running.steps, "state")
            ));
        }
        let copied = std::mem::take(&mut now.copied);
        if copied > 0 {
            self.ui
                .done(&format!("{} {}", Stage::BackUp.done(), count(copied, "state")));
        }
    }

    fn step(&self, stage: Stage, state: &StateId) {
        let mut now = self.now.lock().expect("no holder panics");
        now.wrote |= matches!(stage, Stage::Write | Stage::Restore);
        let is_writing = now.running.as_ref().is_some_and(|running| {
            matches!(running.stage, Stage::Write | Stage::Restore) && running.steps < running.length
        });
        match stage {
            Stage::Verify if is_writing => {
                now.read_back += 1;
                return;
            }
            Stage::BackUp if is_writing => {
                now.copied += 1;
                return;
            }
            _ => {}
        }
        if now.running.as_ref().is_none_or(|running| running.stage != stage) {
            self.close(&mut now);
            let length = self.expected(stage, now.phase, state);
            let steps = match stage {
                Stage::Verify => std::mem::take(&mut now.read_back),
                _ => 0,
            };
            let bar = self.ui.progress(length as u64, stage.doing());
            bar.inc(steps as u64);
            now.running = Some(Running {
                stage,
                bar,
                steps,
                length,
            });
        }
        if let Some(running) = &mut now.running {
            running.steps += 1;
            running.bar.set_message(state.name().to_string());
            running.bar.inc(1);
            running.bar.suspend(|| {
                self.ui
                    .detail(&format!("{} {}", running.stage.done(), state.name()));
            });
        }
    }

    /// Returns how many steps a stage will have.
    fn expected(&self, stage: Stage, phase: Option<Phase>, state: &StateId) -> usize {
        let count = |fits: &dyn Fn(&StateChange) -> bool| {
            self.migration.states().iter().filter(|state| fits(state)).count()
        };
        match (stage, phase) {
            (Stage::Lock | Stage::Read, _) => count(&|_| true),
            (Stage::BackUp, _) => count(&|state| !state.is_unchanged() && !state.is_new()),
            // One wave after another.
            (_, Some(Phase::Writing(_) | Phase::Undoing(_))) => {
                let wave = self.migration.state(state).map(|state| state.wave);
                count(&|state| !state.is_unchanged() && Some(state.wave) == wave)
            }
            (Stage::Unlock, Some(Phase::Releasing)) => count(&|state| !state.fence),
            (Stage::Unlock, _) => count(&|_| true),
            _ => count(&|state| !state.is_unchanged()),
        }
    }

    fn aside(&self, line: &str) {
        let now = self.now.lock().expect("no holder panics");
        match &now.running {
            Some(running) => running.bar.suspend(|| self.ui.say(line)),
            None => self.ui.say(line),
        }
    }
}

impl Observer for Stages<'_> {
    fn on(&self, progress: &Progress) {
        match progress {
            Progress::Phase(phase) => {
                self.now.lock().expect("no holder panics").phase = Some(*phase);
                self.ui.detail(&format!("the journal says: {phase}"));
            }
            Progress::Waiting { state, holder, wait } => self.aside(&format!(
                "waiting {} s for the lock of {state}, held by {holder}",
                wait.as_secs().max(1)
            )),
            Progress::Settling { wait } => self.aside(&format!(
                "waiting {} s for requests of the interrupted run to arrive or be lost",
                wait.as_secs().max(1)
            )),
            Progress::Locked(state) => self.step(Stage::Lock, state),
            Progress::Read(state) => {
                let wrote = self.now.lock().expect("no holder panics").wrote;
                let stage = if wrote { Stage::Verify } else { Stage::Read };
                self.step(stage, state);
            }
            Progress::BackedUp(state) => self.step(Stage::BackUp, state),
            Progress::Written(state) => self.step(Stage::Write, state),
            Progress::Restored(state) => self.step(Stage::Restore, state),
            Progress::DigestRepaired(state) => self.step(Stage::Digest, state),
            Progress::Unlocked(state) => self.step(Stage::Unlock, state),
        }
    }
}
