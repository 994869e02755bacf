//! The writes: backups, results, restored originals, digests. Each is safe to repeat; none is believed before it is
//! read back.

use std::collections::BTreeMap;

use super::backup;
use super::context::{Context, Progress};
use super::error::Cause;
use super::lock::store;
use super::look::{Looks, Now, Seen};
use super::parallel::{self, Turn};
use super::walk::Walk;
use super::{Handles, Recompute};
use crate::backend::{BackendError, Expect, StateBackend, StateLock};
use crate::journal::{Event, Image, Migration, Phase, Standing, StateChange};
use crate::stack::StateId;
use crate::state::{Fingerprint, Sha256Digest};

/// How often one state is written in one run. A refusal is looked into first: the state may be as wanted, or be as
/// before, and only then is it written again.
const ATTEMPTS: u32 = 3;

impl Walk<'_> {
    /// Copies the originals, and computes the results meanwhile.
    pub(super) fn back_up(&mut self) -> Result<(), Cause> {
        self.begun_backups = true;
        let (saved, computed) = std::thread::scope(|scope| {
            let computing = scope.spawn(|| self.sources().compute(self.writer.journal().migration()));
            (self.save_originals(), computing.join())
        });
        let computed = computed.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        self.results = Some(computed?);
        saved?;
        self.backed_up = true;
        Ok(())
    }

    fn save_originals(&self) -> Result<(), Cause> {
        let migration = self.writer.journal().migration();
        let changes: Vec<&StateChange> = backup::needed(migration).collect();
        let saved = parallel::each(self.context.parallelism, &changes, |change| {
            self.check_interrupt()?;
            let seen = self.seen(&change.id)?;
            let original = seen
                .original
                .as_deref()
                .ok_or_else(|| Cause::OtherResult(change.id.clone()))?;
            backup::save(store(self.handles, &change.id)?, change, &migration.id, original)?;
            self.context.tell(&Progress::BackedUp(change.id.clone()));
            Ok(())
        });
        saved.into_iter().collect()
    }

    /// Deletes the copies of originals that still stand, where this process made them and gives up. Whatever remains is
    /// deleted by a discard.
    pub(super) fn clear_backups(&self) {
        let migration = self.writer.journal().migration();
        let changes: Vec<&StateChange> = backup::needed(migration).collect();
        parallel::each(self.context.parallelism, &changes, |change| {
            store(self.handles, &change.id)
                .map(|store| store.delete_sidecar(&backup::name(&migration.id)))
                .is_ok()
        });
    }

    /// Deletes the copies of the originals.
    pub(super) fn discard(&mut self) -> Result<(), Cause> {
        let migration = self.writer.journal().migration();
        let changes: Vec<&StateChange> = backup::needed(migration).collect();
        let deleted = parallel::each(self.context.parallelism, &changes, |change| {
            store(self.handles, &change.id)?
                .delete_sidecar(&backup::name(&migration.id))
                .map_err(|source| failed(change, source))
        });
        deleted.into_iter().collect::<Result<(), Cause>>()?;
        self.discarded = true;
        Ok(())
    }

    fn compute(&mut self) -> Result<(), Cause> {
        if self.results.is_none() {
            let migration = self.writer.journal().migration();
            self.results = Some(self.sources().compute(migration)?);
        }
        Ok(())
    }

    fn sources(&self) -> Sources<'_> {
        Sources {
            context: &self.context,
            handles: self.handles,
            looks: &self.looks,
            recompute: self.recompute,
        }
    }

    /// Writes results.
    pub(super) fn write(&mut self, ids: &[StateId]) -> Result<(), Cause> {
        self.compute()?;
        self.on_each(ids, Progress::Written, |walk, change, store, lock, seen| {
            let results = walk.results.as_ref().map(|results| results.get(&change.id));
            let bytes = results
                .flatten()
                .ok_or_else(|| Cause::OtherResult(change.id.clone()))?;
            let turn = walk.turn()?;
            put((change, store, lock), bytes, &change.after, &seen.expect, turn)
        })
    }

    /// Gives existing states their originals back, and deletes new ones.
    pub(super) fn restore(&mut self, ids: &[StateId]) -> Result<(), Cause> {
        self.on_each(ids, Progress::Restored, |walk, change, store, lock, seen| {
            let failed = |source| failed(change, source);
            let turn = walk.turn()?;
            if change.is_new() {
                if let Expect::Version(version) = &seen.expect {
                    store.remove(lock, version).map_err(failed)?;
                }
                drop(turn);
                store.remove_digest(lock).map_err(failed)?;
                return Ok(Some(Now(None)));
            }
            let journal = walk.writer.journal();
            let original = backup::load(store, change, &journal.migration().id)?;
            let bytes = backup::restored(change, original)?;
            let image = journal
                .restored(&change.id)
                .filter(|image| image.sha256 == Sha256Digest::of(&bytes))
                .ok_or_else(|| Cause::OtherResult(change.id.clone()))?;
            put((change, store, lock), &bytes, image, &seen.expect, turn)
        })
    }

    /// Makes digest items say what the objects are.
    pub(super) fn repair_digests(&mut self, ids: &[StateId]) -> Result<(), Cause> {
        self.on_each(
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
                match digest {
                    Some(digest) => store.write_digest(lock, &digest),
                    None => store.remove_digest(lock),
                }
                .map_err(|source| failed(change, source))?;
                Ok(None)
            },
        )
    }

    /// Returns the record that begins an undo, or gives up what was never begun.
    pub(super) fn undo_event(&self) -> Result<Option<Event>, Cause> {
        let journal = self.writer.journal();
        match journal.phase() {
            Phase::Preparing => {
                return Ok(Some(Event::AbortIntended {
                    reason: "undone before anything was written".to_owned(),
                }));
            }
            Phase::Writing(_)
            | Phase::Releasing
            | Phase::Fenced
            | Phase::ReleasingFence
            | Phase::Completed => {}
            _ => return Ok(None),
        }
        let migration = journal.migration();
        let changes: Vec<&StateChange> = backup::needed(migration).collect();
        let images = parallel::each(self.context.parallelism, &changes, |change| {
            let original = backup::load(store(self.handles, &change.id)?, change, &migration.id)?;
            let bytes = backup::restored(change, original)?;
            Ok(Image {
                state: change.id.clone(),
                restored: backup::fingerprint(change, &bytes),
            })
        });
        let images = images.into_iter().collect::<Result<_, Cause>>()?;
        Ok(Some(Event::UndoStarted { images }))
    }

    /// Runs on states in parallel, each under its lock and with what was last seen of it, and looks at each again: that is
    /// what is known of it from then on. Where `run` says what the store can tell without the content, all are asked for
    /// together in the end; the others are read back at once, while the next ones are on their way.
    ///
    /// What the store did not do because the state is not as it was, and what nobody knows to have been done, is no
    /// error yet: the state is looked at again, and that decides.
    fn on_each(
        &mut self,
        ids: &[StateId],
        progress: impl Fn(StateId) -> Progress + Sync,
        run: impl Fn(&Self, &StateChange, &dyn StateBackend, &StateLock, &Seen) -> Result<Option<Now>, Cause>
        + Sync,
    ) -> Result<(), Cause> {
        let journal = self.writer.journal();
        let migration = journal.migration();
        let wide = parallel::wide(self.context.parallelism, self.handles);
        let touched: Vec<Result<Touched<'_>, Cause>> = parallel::each(wide, ids, |id| {
            self.check_interrupt()?;
            let change = migration.state(id).ok_or_else(|| Cause::NoHandle(id.clone()))?;
            let store = store(self.handles, id)?;
            let lock = self.locks.proof(id).ok_or_else(|| Cause::NoHandle(id.clone()))?;
            let told = run(self, change, store, lock, self.seen(id)?)?;
            self.context.tell(&progress(id.clone()));
            let read = || {
                self.looks
                    .back(&self.context, self.handles, journal, change, None)
            };
            Ok(told.map_or_else(|| Touched::Seen(read()), |now| Touched::Told(change, now)))
        });
        let told = touched.iter().flatten().filter_map(Touched::told);
        let told: Vec<(&StateChange, &Now)> = told.collect();
        let seen = parallel::each(wide, &told, |(change, now)| {
            self.looks
                .back(&self.context, self.handles, journal, change, Some(now))
        });
        let mut seen = seen.into_iter();
        let seen = touched.into_iter().map(|touched| match touched? {
            Touched::Seen(seen) => Ok(seen),
            Touched::Told(..) => Ok(seen.next().flatten()),
        });
        let seen = seen.collect();
        self.note(ids, seen)
    }

    /// Notes what became of states that were touched.
    fn note(&mut self, ids: &[StateId], seen: Vec<Result<Option<Seen>, Cause>>) -> Result<(), Cause> {
        let mut first = Ok(());
        for (id, seen) in ids.iter().zip(seen) {
            self.looks.forget(id);
            let attempts = self.attempts.entry(id.clone()).or_default();
            *attempts += 1;
            match seen {
                Ok(Some(seen)) => self.looks.note(id, seen),
                Err(cause) if *attempts >= ATTEMPTS || !is_open(&cause) => first = first.and(Err(cause)),
                _ => {}
            }
        }
        first
    }

    fn seen(&self, id: &StateId) -> Result<&Seen, Cause> {
        self.looks.get(id).ok_or_else(|| Cause::NoHandle(id.clone()))
    }

    /// Waits for a turn to write. Whoever waited may be too late.
    fn turn(&self) -> Result<Turn<'_>, Cause> {
        let turn = self.writes.take();
        self.check_interrupt()?;
        Ok(turn)
    }

    pub(super) fn check_interrupt(&self) -> Result<(), Cause> {
        if self.context.interrupt.is_raised() {
            Err(Cause::Interrupted)
        } else {
            Ok(())
        }
    }
}

/// A state that was touched.
enum Touched<'a> {
    /// What was read of it since, if it could be.
    Seen(Option<Seen>),
    /// What the store can tell of it.
    Told(&'a StateChange, Now),
}

impl<'a> Touched<'a> {
    fn told(&self) -> Option<(&'a StateChange, &Now)> {
        match self {
            Self::Told(change, now) => Some((change, now)),
            Self::Seen(_) => None,
        }
    }
}

/// What results are computed from.
struct Sources<'a> {
    context: &'a Context<'a>,
    handles: &'a Handles,
    looks: &'a Looks,
    recompute: &'a dyn Recompute,
}

impl Sources<'_> {
    /// Computes what is written, from originals that stand or from their backups, and checks it against the journal.
    fn compute(&self, migration: &Migration) -> Result<BTreeMap<StateId, Vec<u8>>, Cause> {
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

/// Writes an object, which is what the turn is for, and right after it its digest. Returns what the store can tell of it
/// from now on without its content.
fn put(
    (change, store, lock): (&StateChange, &dyn StateBackend, &StateLock),
    bytes: &[u8],
    print: &Fingerprint,
    expect: &Expect,
    turn: Turn<'_>,
) -> Result<Option<Now>, Cause> {
    let failed = |source| failed(change, source);
    let written = store.write(lock, bytes, expect).map_err(failed)?;
    drop(turn);
    store.write_digest(lock, &print.md5).map_err(failed)?;
    Ok(written
        .version
        .is_md5(&print.md5)
        .then(|| Now(Some(print.clone()))))
}

fn failed(change: &StateChange, source: BackendError) -> Cause {
    Cause::Backend {
        state: change.id.clone(),
        source,
    }
}

/// Tells whether only a look can say what became of the effect.
fn is_open(cause: &Cause) -> bool {
    match cause {
        Cause::Backend { source, .. } => {
            source.is_ambiguous() || matches!(source, BackendError::PreconditionFailed { .. })
        }
        _ => false,
    }
}
