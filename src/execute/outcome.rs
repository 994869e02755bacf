//! How an execution ended well, and how migrations stand.

use crate::journal::{MigrationId, Phase};
use crate::stack::StateId;

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is written and no lock of ours is left.
    Completed,
    /// Everything is written; these sources stay locked until `release`.
    Fenced {
        /// The sources that are locked.
        held: Vec<StateId>,
        /// Those whose lock is gone although it should have stayed: somebody freed it by force.
        lost: Vec<StateId>,
    },
    /// It was given up before anything was written.
    Aborted {
        /// Why.
        reason: String,
    },
    /// Everything is as before.
    Undone,
}

/// A copy of an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Of which state.
    pub state: StateId,
    /// Where the state is.
    pub place: String,
    /// The object beside the state.
    pub name: String,
    /// The version ID of the original in a bucket that keeps versions.
    pub version_id: Option<String>,
}

/// How a migration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which one.
    pub id: MigrationId,
    /// When it was started, as RFC 3339.
    pub started: String,
    /// When its last record was written.
    pub last: String,
    /// How far it got.
    pub phase: Phase,
    /// Whether it waits for a person.
    pub stuck: bool,
    /// Its states: which, where.
    pub states: Vec<(StateId, String)>,
    /// The originals that were copied and not discarded.
    pub backups: Vec<Backup>,
}

impl Summary {
    /// Returns the command that goes on, if something is left to do.
    pub fn next(&self) -> Option<String> {
        match self.phase {
            Phase::Completed | Phase::Aborted | Phase::Undone | Phase::Discarded(_) => None,
            Phase::Fenced => Some(format!("stackcut release {}", self.id)),
            _ => Some(format!("stackcut resume {}", self.id)),
        }
    }
}
