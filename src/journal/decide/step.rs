//! What a decision is made of: what must be seen, what was, and what can be done.

use std::collections::{BTreeMap, BTreeSet};

use crate::journal::event::Event;
use crate::journal::phase::Finished;
use crate::journal::standing::{Misfit, Sighting};
use crate::stack::StateId;

/// What the current phase must know about the world before the next step can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// All states, seen while all locks are ours.
    States,
    /// Which locks are ours.
    Locks,
    /// Nothing: as far as states go, the migration is over.
    Nothing,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Every state (for [`Needs::States`]).
    pub states: BTreeMap<StateId, Sighting>,
    /// Whether every original that is still to be overwritten was read back from its backup.
    pub backed_up: bool,
    /// Whether originals need no copy before the first of them is overwritten, because new states can be written meanwhile.
    pub copies_wait: bool,
    /// Whether no backup is left.
    pub discarded: bool,
    /// The states whose lock is ours (for [`Needs::Locks`]).
    pub locks: BTreeSet<StateId>,
}

/// One step. Each can be repeated; after each the world is observed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Append this event; every effect before it was confirmed by observation.
    Record(Event),
    /// Copy the originals that stand; compute the results as well, where that was not done.
    BackUp,
    /// Write these states' *after*, object then digest.
    Write(Vec<StateId>),
    /// The same of new states, while originals may be copied.
    WriteNew(Vec<StateId>),
    /// Give these states their originals back, or delete them where they were new.
    Restore(Vec<StateId>),
    /// Make these states' digest items say what their objects are.
    RepairDigests(Vec<StateId>),
    /// Release these locks of ours.
    Unlock(Vec<StateId>),
    /// Delete the backups.
    Discard,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Do this, then observe again.
    Do(Step),
    /// The migration is over.
    Over(Finished),
    /// States changed since the plan; nothing was written by us, and nothing must be. Give up cleanly.
    Refuse(Vec<Misfit>),
    /// States are at versions nobody announced, in the middle of the work. Touch nothing.
    Stuck(Vec<Misfit>),
}
