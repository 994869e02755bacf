//! When originals are copied, and what is done beside it.
//!
//! Copies are written, at the latest, while the writes are announced, and read back before the first state that exists is
//! overwritten. Where calls travel, new states are written between the two.

use super::backup;
use super::context::Progress;
use super::error::Cause;
use super::lock::{failed, store};
use super::parallel;
use super::walk::Walk;
use crate::backend::StateBackend;
use crate::journal::{Event, MigrationId, Phase, StateChange};
use crate::parallel::both;
use crate::stack::StateId;

impl Walk<'_> {
    /// Copies the originals, and computes the results meanwhile, if that was not done.
    pub(super) fn back_up(&mut self) -> Result<(), Cause> {
        self.begun_backups = true;
        let (computed, copied) = both(|| self.computed(), || self.copy_originals());
        self.results = computed?.or(self.results.take());
        copied?;
        self.backed_up = true;
        Ok(())
    }

    /// Announces the writes, and computes what is written meanwhile, if that was not done.
    ///
    /// Originals that are not copied by then are on their way as well when this returns; what went wrong with one of them
    /// is met before the first write.
    pub(super) fn announce(&mut self, event: Event) -> Result<(), Cause> {
        let now = self.context.surroundings.now();
        let sends = self.phase() == Phase::Preparing && !self.backed_up;
        let beside = sends && self.context.parallelism.get() > 1;
        self.begun_backups |= sends;
        let send = || if beside { self.send_originals() } else { Ok(()) };
        let ((computed, sent), written) =
            both(|| both(|| self.computed(), send), || self.writer.write(event));
        self.appended(written?, now)?;
        self.results = computed?.or(self.results.take());
        sent?;
        if sends && !beside {
            self.send_originals()?;
        }
        self.sent_backups = sends;
        Ok(())
    }

    /// Writes results of new states, and copies the originals meanwhile, if more than one thing may be done at once.
    pub(super) fn write_beside_copies(&mut self, ids: &[StateId]) -> Result<(), Cause> {
        if self.context.parallelism.get() == 1 {
            return self.write(ids);
        }
        self.compute()?;
        let (copied, sights) = both(|| self.copy_originals(), || self.write_each(ids));
        // Where it failed, it is done once more before the first overwrite, and then that is met.
        self.backed_up = copied.is_ok();
        self.sent_backups &= self.backed_up;
        self.note(ids, sights)
    }

    /// Copies the originals, and reads the copies back.
    fn copy_originals(&self) -> Result<(), Cause> {
        if !self.sent_backups {
            self.send_originals()?;
        }
        self.on_originals(|store, change, id, original| {
            backup::verify(store, change, id, original)?;
            self.context.tell(&Progress::BackedUp(change.id.clone()));
            Ok(())
        })
    }

    fn send_originals(&self) -> Result<(), Cause> {
        self.on_originals(|store, change, id, original| {
            let _turn = self.turn()?;
            backup::send(store, change, id, original)
        })
    }

    /// Runs on the originals that stand.
    fn on_originals(
        &self,
        run: impl Fn(&dyn StateBackend, &StateChange, &MigrationId, &[u8]) -> Result<(), Cause> + Sync,
    ) -> Result<(), Cause> {
        let migration = self.writer.journal().migration();
        let changes: Vec<&StateChange> = backup::needed(migration).collect();
        let done = parallel::each(self.context.parallelism, &changes, |change| {
            self.check_interrupt()?;
            match self.seen(&change.id)?.original.as_deref() {
                Some(original) => run(store(self.handles, &change.id)?, change, &migration.id, original),
                // Overwritten before this process came; to compute the results, its copy is read.
                None => Ok(()),
            }
        });
        done.into_iter().collect()
    }

    /// Deletes copies that nobody needs any more and no discard may come to: those of a migration that is given up, and those
    /// that this process sent too late. Whatever cannot be deleted is left to a discard.
    pub(super) fn clear_backups(&self) {
        let may_be_there = match self.phase() {
            Phase::Aborting => self.begun_backups || self.takes_over,
            Phase::Aborted | Phase::Discarding(_) | Phase::Discarded(_) => self.begun_backups,
            _ => false,
        };
        if may_be_there {
            let _ = self.delete_backups();
        }
    }

    /// Deletes the copies of the originals.
    pub(super) fn discard(&mut self) -> Result<(), Cause> {
        self.delete_backups()?;
        self.discarded = true;
        Ok(())
    }

    fn delete_backups(&self) -> Result<(), Cause> {
        let migration = self.writer.journal().migration();
        let changes: Vec<&StateChange> = backup::needed(migration).collect();
        let deleted = parallel::each(self.context.parallelism, &changes, |change| {
            store(self.handles, &change.id)?
                .delete_sidecar(&backup::name(&migration.id))
                .map_err(|source| failed(change, source))
        });
        deleted.into_iter().collect()
    }
}
