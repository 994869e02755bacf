//! Migrations, carried out: the one place where effects happen, in one order, with a record before each.
//!
//! [`apply`], [`resume`], [`undo`] and [`release`] are one loop (`walk`): observe the world, let
//! [`journal::decide`](crate::journal::decide) choose the next step, perform it, observe again. A result is verified by
//! observing it, so that going on after a crash is the same as going on. [`find`] and [`list`] read journals.
//!
//! Order of an apply: first record (with the IDs of all locks) → all locks → read all → compare with the plan → record of
//! all writes, results computed meanwhile → wave by wave: write in parallel, digest, read back → release what is no fence.
//! All originals are copied, and the copies read back, before the first of them is overwritten: on files before the record
//! of the writes; where calls travel, they are sent beside that record and read back beside new states.
//!
//! The clock, the names of process and person, and the wish to stop come in with the [`Context`]. Nothing is printed:
//! an [`Observer`] is told. Content of states is in memory only, and in backups beside the states.

mod backup;
mod context;
mod copies;
mod error;
mod images;
mod lock;
mod look;
mod outcome;
mod overtaken;
mod parallel;
mod planned;
mod store;
#[cfg(test)]
mod tests;
mod touch;
mod verbs;
mod walk;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use context::{Context, Interrupt, Observer, Progress, Surroundings, SystemSurroundings};
pub use error::{Cause, ExecuteError, Kind, Left};
pub use outcome::{Backup, Outcome, Summary};
#[cfg(test)]
pub(crate) use overtaken::FRESH;
pub use planned::{LockIds, PlannedResults, migration};
pub use store::{FoundJournal, find, list};
pub use verbs::{apply, discard, release, resume, undo};

use crate::backend::StateBackend;
use crate::stack::StateId;

/// The stores of a migration's states, by state.
pub type Handles = BTreeMap<StateId, Arc<dyn StateBackend>>;

/// The originals of a migration's states; `None` where there was no state.
pub type Originals<'a> = BTreeMap<StateId, Option<&'a [u8]>>;

/// Why results could not be computed; in words that hold no content of a state.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct RecomputeError(pub String);

/// Computes what a migration writes: a pure function of the plan in the journal and of the originals.
///
/// So no result needs to be kept anywhere, and another machine can finish the work.
pub trait Recompute: Sync {
    /// Returns the bytes of every state that is written. They are checked against the journal's hashes before use.
    fn results(
        &self,
        plan: &str,
        originals: &Originals<'_>,
    ) -> Result<BTreeMap<StateId, Vec<u8>>, RecomputeError>;
}
