//! Several processes at one migration: how each learns whose it is, and what the one that was overtaken leaves behind.

use std::time::Duration;

use super::error::Cause;
use super::lock::{Locks, store};
use super::store::{Writer, find};
use super::walk::Walk;
use crate::journal::{Event, Phase, StateChange};
use crate::stack::StateId;

/// How long a process trusts that its journal is its own, and for which part of the time that an undo waits for others it
/// does so at most.
pub(crate) const FRESH: Duration = Duration::from_secs(5);
const FRESH_PART: u32 = 9;

impl Walk<'_> {
    /// Tells whether all locks that were taken still stand; those that do not are taken again.
    ///
    /// Asked before the first write, by whoever went on with a migration or its undo: another process may have been at it
    /// until then, with the same locks.
    pub(super) fn do_locks_stand(&mut self) -> Result<bool, Cause> {
        let may_be_shared = match self.phase() {
            Phase::Preparing => self.takes_over,
            Phase::UndoLocking(_) => true,
            _ => false,
        };
        if !may_be_shared || self.locks_stand {
            return Ok(true);
        }
        let migration = self.writer.journal().migration();
        let fallen = self.locks.forget_fallen(&self.context, self.handles, migration)?;
        for id in &fallen {
            self.looks.forget(id);
        }
        self.locks_stand = fallen.is_empty();
        Ok(self.locks_stand)
    }

    /// Makes sure that the migration is still this process's own, if that was last known some time ago: a process can
    /// sleep between two effects for as long as it likes, and a wave can take long.
    ///
    /// An undo waits for longer than this before it touches anything.
    pub(super) fn still_ours(&self) -> Result<(), Cause> {
        let fresh = FRESH.min(self.context.settle / FRESH_PART);
        if fresh.is_zero() {
            // Here a lock is the process's own.
            return Ok(());
        }
        let mut owned_at = self.owned_at.lock().expect("no holder panics");
        let now = self.context.surroundings.now();
        let age = Duration::try_from(now.duration_since(*owned_at));
        if age.is_ok_and(|age| age < fresh) {
            return Ok(());
        }
        self.writer.check()?;
        *owned_at = now;
        Ok(())
    }

    /// Gives back what was taken for a migration that another process has ended meanwhile, copies included: nobody else would.
    ///
    /// As long as the other one is at work, the same locks are his.
    pub(super) fn leave_what_ended(&mut self) {
        let migration = self.writer.journal().migration();
        let home =
            store(self.handles, migration.home()).map(|home| find(migration.home(), home, &migration.id));
        let Ok(Ok(found)) = home else { return };
        let phase = found.journal.phase();
        let Ok(writer) = Writer::open(self.context, self.handles, found) else {
            return;
        };
        self.writer = writer;
        // What this process knew of locks, the other one may have undone.
        self.locks = Locks::default();
        self.clear_backups();
        if self.free_late_locks().is_ok() && phase.finished().is_some() {
            self.ended = Some(phase);
        }
    }

    /// Releases the locks that a process took for a migration after another had ended it, or was about to.
    pub(super) fn free_late_locks(&mut self) -> Result<(), Cause> {
        let phase = self.phase();
        let is_late = |change: &StateChange| match phase {
            Phase::Fenced => !change.fence,
            // Here they protect nothing any more, and nobody takes them again.
            Phase::Aborting | Phase::UndoReleasing => true,
            _ => phase.finished().is_some(),
        };
        let migration = self.writer.journal().migration().clone();
        let changes = migration.states().iter().filter(|change| is_late(change));
        let changes: Vec<&StateChange> = changes.collect();
        if changes.is_empty() {
            return Ok(());
        }
        let ours = self.locks.ours(&self.context, self.handles, &migration)?;
        let late = changes.into_iter().map(|change| &change.id);
        let late: Vec<StateId> = late.filter(|id| ours.contains(*id)).cloned().collect();
        if late.is_empty() {
            return Ok(());
        }
        if matches!(phase, Phase::Fenced | Phase::Completed) {
            // From here an undo can set out, with the same locks: one that has begun is met here, one that begins now sees
            // this record and waits.
            self.append(Event::Resumed)?;
        }
        self.locks.release(&self.context, self.handles, &migration, &late)
    }
}
