//! Migrations as people and programs read them: what a saved plan does, how a run ended, how migrations stand.

mod render;
mod status;

use serde::Serialize;

pub use self::status::{Shown, to_seconds};

use super::REPORT_VERSION;
use super::split::Finding;
use crate::journal::Migration;
use crate::plan::MigrationPlan;
use crate::plan::backend::describe;
use crate::plan::migration::{After, Before};
use crate::stack::StateId;

/// One state of a migration.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct StateLine {
    /// Name of the source or stack.
    pub name: String,
    /// Where it lives.
    pub location: String,
    /// Serial before; none for a new state.
    pub serial_before: Option<u64>,
    /// Serial after; none where it is not written.
    pub serial_after: Option<u64>,
    /// How many instances come here.
    pub arriving: usize,
    /// How many instances leave.
    pub leaving: usize,
}

/// What a plan does, as far as a plan without states tells it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct PlanReport {
    /// Version of this JSON.
    pub version: u32,
    /// Name of the split.
    pub split: String,
    /// Name of the environment.
    pub environment: String,
    /// How many instances change their state.
    pub moves: usize,
    /// How many root outputs change their state.
    pub outputs: usize,
    /// The states, in the order of writing.
    pub states: Vec<StateLine>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

impl PlanReport {
    /// Describes a plan.
    pub fn new(plan: &MigrationPlan) -> Self {
        let moved = || plan.moves.iter().filter(|found| found.giver != found.taker);
        let states = plan
            .states
            .iter()
            .map(|state| StateLine {
                name: state.id.to_string(),
                location: describe(&state.location),
                serial_before: match &state.before {
                    Before::Absent => None,
                    Before::Exists(print) => Some(print.serial.0),
                },
                serial_after: match &state.after {
                    After::Unchanged => None,
                    After::Written(print) => Some(print.serial.0),
                },
                arriving: moved().filter(|found| found.taker == state.id).count(),
                leaving: moved().filter(|found| found.giver == state.id).count(),
            })
            .collect();
        Self {
            version: REPORT_VERSION,
            split: plan.name.to_string(),
            environment: plan.environment.clone(),
            moves: moved().count(),
            outputs: plan.outputs.len(),
            states,
            warnings: plan.warnings.clone(),
        }
    }
}

/// How a run on one migration ended.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Everything is where the plan says already.
    NothingToDo,
    /// Everything is written, no lock is left.
    Completed,
    /// Everything is written; sources stay locked until `release`.
    Fenced,
    /// Given up before anything was written.
    Aborted,
    /// Everything is as before.
    Undone,
    /// Its backups are deleted.
    Discarded,
    /// It stopped: see `error`.
    Failed,
    /// An earlier one failed, so it was not begun.
    NotStarted,
}

/// Why a run, or a command, stopped.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: u8,
    /// What happened.
    pub message: String,
    /// What is unchanged.
    pub notes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Everything that was found, each by itself and with its place.
    pub findings: Vec<Finding>,
}

/// A run on one migration.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct RunReport {
    /// The plan file or saved plan.
    pub file: String,
    /// Name of the split.
    pub split: String,
    /// Name of the environment.
    pub environment: String,
    /// The migration; none where none was begun.
    pub migration: Option<String>,
    /// How it ended.
    pub ending: Ending,
    /// What it does; none where the command does not plan.
    pub plan: Option<PlanReport>,
    /// The sources that are locked until `release`.
    pub fence: Vec<String>,
    /// The sources whose lock should have stayed, and is gone.
    pub fence_lost: Vec<String>,
    /// Why it was given up.
    pub reason: Option<String>,
    /// Why it stopped.
    pub error: Option<Failure>,
    /// The command that comes next.
    pub next: Option<String>,
}

/// What a command did.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct CommandReport {
    /// Version of this JSON.
    pub version: u32,
    /// The command.
    pub command: &'static str,
    /// Its runs, in order.
    pub runs: Vec<RunReport>,
    /// Why it stopped, if it did.
    pub error: Option<Failure>,
}

/// What stands in the place of a report that there is none of: why the command stopped.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct RefusalReport {
    /// Version of this JSON.
    pub version: u32,
    /// The command.
    pub command: String,
    /// Why it stopped.
    pub error: Failure,
}

impl RefusalReport {
    /// Puts a reason in the place of a report.
    pub fn new(command: impl Into<String>, error: Failure) -> Self {
        Self {
            version: REPORT_VERSION,
            command: command.into(),
            error,
        }
    }

    /// Returns the JSON, indented, with a final newline.
    pub fn json(&self) -> String {
        json(self)
    }
}

impl CommandReport {
    /// Puts runs together.
    pub fn new(command: &'static str, runs: Vec<RunReport>) -> Self {
        Self {
            version: REPORT_VERSION,
            command,
            error: runs.iter().find_map(|run| run.error.clone()),
            runs,
        }
    }

    /// Returns the JSON, indented, with a final newline.
    pub fn json(&self) -> String {
        json(self)
    }
}

/// How one migration stands.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct MigrationLine {
    /// Its ID.
    pub id: String,
    /// Name of the split.
    pub split: String,
    /// Name of the environment.
    pub environment: String,
    /// The plan file or saved plan beside whose source it was found.
    pub file: String,
    /// `unfinished`, `fenced`, `finished`.
    pub standing: Standing,
    /// How far it got, in words.
    pub phase: String,
    /// Whether a person must look.
    pub stuck: bool,
    /// Whether it was given up before anything was written.
    pub changed_nothing: bool,
    /// When it was begun, RFC 3339.
    pub started: String,
    /// Who began it.
    pub started_by: String,
    /// When it last went on.
    pub last: String,
    /// Who last went on with it.
    pub last_by: String,
    /// The states whose lock should stand until `release`, and is gone.
    pub fence_lost: Vec<String>,
    /// Its states.
    pub states: Vec<Place>,
    /// Copies of originals that are kept.
    pub backups: Vec<BackupLine>,
    /// The commands that may come next, best first.
    pub next: Vec<String>,
    /// What to do before that.
    pub advice: Option<String>,
}

/// How a migration stands, in one word.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In the middle.
    Unfinished,
    /// Done but for the fence.
    Fenced,
    /// Over.
    Finished,
}

/// Where a state of a migration is.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Place {
    /// Name of the source or stack.
    pub name: String,
    /// Where it lives.
    pub location: String,
    /// Whether something moves out of it; a stack otherwise.
    pub source: bool,
}

/// A copy of an original.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct BackupLine {
    /// Name of the source or stack.
    pub state: String,
    /// The object beside the state.
    pub name: String,
    /// The version ID of the original in a bucket that keeps versions.
    pub version_id: Option<String>,
}

/// Returns the places of a migration's states, by name.
pub fn places(migration: &Migration) -> Vec<Place> {
    let mut places: Vec<Place> = migration
        .states()
        .iter()
        .map(|state| Place {
            name: state.id.to_string(),
            location: state.place.clone(),
            source: matches!(state.id, StateId::Source(_)),
        })
        .collect();
    places.sort_by(|a, b| a.name.cmp(&b.name));
    places
}

/// What `status` and `history` say.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct StatusReport {
    /// Version of this JSON.
    pub version: u32,
    /// The migrations: unfinished ones first in `status`, oldest first in `history`.
    pub migrations: Vec<MigrationLine>,
    /// What could not be looked at, and why.
    pub problems: Vec<String>,
}

impl StatusReport {
    /// Puts migrations together.
    pub fn new(migrations: Vec<MigrationLine>, problems: Vec<String>) -> Self {
        Self {
            version: REPORT_VERSION,
            migrations,
            problems,
        }
    }

    /// Returns the JSON, indented, with a final newline.
    pub fn json(&self) -> String {
        json(self)
    }
}

fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("strings and numbers always serialise");
    text.push('\n');
    text
}
