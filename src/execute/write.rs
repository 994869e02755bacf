//! The writes: backups, results, restored originals, digests. Each is safe to repeat; none is believed before it is
//! read back.

use std::collections::BTreeMap;

use super::backup;
use super::context::{Context, Progress};
use super::error::Cause;
use super::lock::{failed, store};
use super::look::{Looks, Seen};
use super::parallel::{self, Turn};
use super::touch::{Confirmable, Sight};
use super::walk::Walk;
use super::{Handles, Recompute};
use crate::backend::{Expect, StateBackend, StateLock};
use crate::journal::{Migration, Standing, StateChange};
use crate::stack::StateId;
use crate::state::{Fingerprint, Sha256Digest};

impl Walk<'_> {
    pub(super) fn compute(&mut self) -> Result<(), Cause> {
        self.results = self.computed()?.or(self.results.take());
        Ok(())
    }

    /// Computes the results, if they were not yet.
    pub(super) fn computed(&self) -> Result<Option<Results>, Cause> {
        if self.results.is_some() {
            return Ok(None);
        }
        let sources = Sources {
            context: &self.context,
            handles: self.handles,
            looks: &self.looks,
            recompute: self.recompute,
        };
        sources.compute(self.writer.journal().migration()).map(Some)
    }

    /// Writes results.
    pub(super) fn write(&mut self, ids: &[StateId]) -> Result<(), Cause> {
        self.compute()?;
        let sights = self.write_each(ids);
        self.note(ids, sights)
    }

    pub(super) fn write_each(&self, ids: &[StateId]) -> Vec<Sight> {
        self.touch(ids, Progress::Written, |walk, change, store, lock, seen| {
            let results = walk.results.as_ref().map(|results| results.get(&change.id));
            let bytes = results
                .flatten()
                .ok_or_else(|| Cause::OtherResult(change.id.clone()))?;
            let turn = walk.turn()?;
            walk.put((change, store, lock), bytes, &change.after, &seen.expect, turn)
        })
    }

    /// Gives existing states their originals back, and deletes new ones.
    pub(super) fn restore(&mut self, ids: &[StateId]) -> Result<(), Cause> {
        let sights = self.touch(ids, Progress::Restored, |walk, change, store, lock, seen| {
            let failed = |source| failed(change, source);
            let turn = walk.turn()?;
            if change.is_new() {
                if let Expect::Version(version) = &seen.expect {
                    store.remove(lock, version).map_err(failed)?;
                }
                drop(turn);
                walk.still_ours()?;
                store.remove_digest(lock).map_err(failed)?;
                return Ok(Some(Confirmable::Gone));
            }
            let journal = walk.writer.journal();
            let original = backup::load(store, change, &journal.migration().id)?;
            let bytes = backup::restored(change, original)?;
            let image = journal
                .restored(&change.id)
                .filter(|image| image.sha256 == Sha256Digest::of(&bytes))
                .ok_or_else(|| Cause::OtherResult(change.id.clone()))?;
            walk.put((change, store, lock), &bytes, image, &seen.expect, turn)
        });
        self.note(ids, sights)
    }

    /// Makes digest items say what the objects are.
    pub(super) fn repair_digests(&mut self, ids: &[StateId]) -> Result<(), Cause> {
        let sights = self.touch(
            ids,
            Progress::DigestRepaired,
            |walk, change, store, lock, seen| {
                let digest = match seen.standing {
                    Standing::After => Some(change.after.md5),
                    Standing::Restored => walk
                        .writer
                        .journal()
                        .restored(&change.id)
                        .map(|restored| restored.md5),
                    // Deleted by us, so its digest goes as well.
                    Standing::Before if change.is_new() => None,
                    Standing::Before | Standing::Neither => {
                        return Err(Cause::OtherResult(change.id.clone()));
                    }
                };
                walk.still_ours()?;
                match digest {
                    Some(digest) => store.write_digest(lock, &digest),
                    None => store.remove_digest(lock),
                }
                .map_err(|source| failed(change, source))?;
                Ok(None)
            },
        );
        self.note(ids, sights)
    }

    pub(super) fn seen(&self, id: &StateId) -> Result<&Seen, Cause> {
        self.looks.get(id).ok_or_else(|| Cause::NoHandle(id.clone()))
    }

    /// Waits for a turn to write. Whoever waited may be too late.
    pub(super) fn turn(&self) -> Result<Turn<'_>, Cause> {
        let turn = self.writes.take();
        self.check_interrupt()?;
        self.still_ours()?;
        Ok(turn)
    }

    /// Writes an object, which is what the turn is for, and its digest: right after it, unless the state is new and the
    /// store can tell of it together with others.
    fn put(
        &self,
        (change, store, lock): (&StateChange, &dyn StateBackend, &StateLock),
        bytes: &[u8],
        print: &Fingerprint,
        expect: &Expect,
        turn: Turn<'_>,
    ) -> Result<Option<Confirmable>, Cause> {
        let failed = |source| failed(change, source);
        let written = store.write(lock, bytes, expect).map_err(failed)?;
        drop(turn);
        let can_tell = written.version.is_md5(&print.md5);
        if can_tell && change.is_new() {
            return Ok(Some(Confirmable::WithoutDigest(print.clone())));
        }
        self.still_ours()?;
        store.write_digest(lock, &print.md5).map_err(failed)?;
        Ok(can_tell.then(|| Confirmable::Content(print.clone())))
    }

    pub(super) fn check_interrupt(&self) -> Result<(), Cause> {
        if self.context.interrupt.is_raised() {
            Err(Cause::Interrupted)
        } else {
            Ok(())
        }
    }
}

/// What is written to each state.
pub(super) type Results = BTreeMap<StateId, Vec<u8>>;

/// What results are computed from.
struct Sources<'a> {
    context: &'a Context<'a>,
    handles: &'a Handles,
    looks: &'a Looks,
    recompute: &'a dyn Recompute,
}

impl Sources<'_> {
    /// Computes what is written, from originals that stand or from their backups, and checks it against the journal.
    fn compute(&self, migration: &Migration) -> Result<Results, Cause> {
        let mut loaded: BTreeMap<StateId, Vec<u8>> = BTreeMap::new();
        for change in migration.states() {
            let stands = self
                .looks
                .get(&change.id)
                .is_some_and(|seen| seen.standing == Standing::Before);
            if !stands && !change.is_new() {
                let bytes = backup::load(store(self.handles, &change.id)?, change, &migration.id)?;
                loaded.insert(change.id.clone(), bytes);
            }
        }
        let original = |change: &StateChange| {
            let standing = self
                .looks
                .get(&change.id)
                .and_then(|seen| seen.original.as_deref());
            let copied = loaded.get(&change.id).map(Vec::as_slice);
            (change.id.clone(), copied.or(standing))
        };
        let originals = migration.states().iter().map(original).collect();
        let results = self
            .recompute
            .results(&migration.plan, &originals)
            .map_err(|error| Cause::Recompute(error.0))?;
        let changes: Vec<&StateChange> = migration
            .states()
            .iter()
            .filter(|change| !change.is_unchanged())
            .collect();
        let checked = parallel::each(self.context.parallelism, &changes, |change| {
            let fits = results
                .get(&change.id)
                .is_some_and(|bytes| change.after.is_of(bytes));
            fits.then_some(())
                .ok_or_else(|| Cause::OtherResult(change.id.clone()))
        });
        checked.into_iter().collect::<Result<(), Cause>>()?;
        Ok(results)
    }
}
