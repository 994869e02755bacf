//! Locks: taken in one order, waited for, recognised by the IDs in the journal, released.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Handles;
use super::context::{Context, Progress};
use super::error::Cause;
use super::parallel;
use crate::backend::{BackendError, LockInfo, StandingLock, StateBackend, StateLock};
use crate::journal::{Migration, StateChange};
use crate::stack::StateId;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(16);

/// What this process knows about the locks.
#[derive(Debug, Default)]
pub(super) struct Locks {
    /// Locks that this process can write under.
    held: BTreeMap<StateId, StateLock>,
    /// Locks that were released, or were seen not to be ours.
    gone: BTreeSet<StateId>,
}

impl Locks {
    pub(super) fn proof(&self, id: &StateId) -> Option<&StateLock> {
        self.held.get(id)
    }

    /// Takes every wanted lock that is not held yet. What stands under an ID of the journal is taken over.
    ///
    /// First all at once without waiting: the home's alone, so that a run that cannot go on disturbs nobody, then the
    /// others in parallel. If somebody else holds one, what `yields` says is given back *before* the wait, and further
    /// attempts go one after another in the migration's order. So nobody waits for a lock of a run that waits itself (no
    /// deadlock), and of several runs in that order the one with the highest lock never meets another's (no livelock).
    /// Locks that do not yield protect what is half written; the runs they keep out give back and wait.
    pub(super) fn take(&mut self, taking: &Taking<'_>, wanted: &[&StateChange]) -> Result<(), Cause> {
        let missing = |locks: &Self| -> Vec<_> {
            let is_missing = |change: &&&StateChange| !locks.held.contains_key(&change.id);
            wanted.iter().filter(is_missing).copied().collect()
        };
        let mut tried = self.try_together(taking, &missing(self));
        let context = taking.context;
        let until = context
            .surroundings
            .now()
            .saturating_add(context.lock_timeout)
            .unwrap_or(jiff::Timestamp::MAX);
        let mut wait = FIRST_WAIT;
        while let Err(cause) = tried {
            let left = until.duration_since(context.surroundings.now());
            let left = Duration::try_from(left).unwrap_or_default();
            let Some((state, holder)) = held_by(&cause).filter(|_| !left.is_zero()) else {
                return Err(cause);
            };
            let (state, pause) = (state.clone(), wait.min(left));
            context.tell(&Progress::Waiting {
                state: state.clone(),
                holder: format!("{} ({})", holder.who, holder.operation),
                wait: pause,
            });
            // Another process that has taken the migration over holds locks of the same IDs.
            (taking.still_ours)()?;
            self.give_back(taking)?;
            if !context.wait(pause) {
                return Err(Cause::Interrupted);
            }
            (taking.still_ours)()?;
            wait = (wait * 2).min(LONGEST_WAIT);
            tried = match taking.still_held(&state) {
                Some(still) => Err(still),
                None => self.try_in_order(taking, &missing(self)),
            };
        }
        Ok(())
    }

    /// Tries to take locks at once; says why the first of them cannot be had.
    fn try_together(&mut self, taking: &Taking<'_>, missing: &[&StateChange]) -> Result<(), Cause> {
        let (home, others): (Vec<&StateChange>, Vec<&StateChange>) = missing
            .iter()
            .copied()
            .partition(|change| change.id == *taking.migration.home());
        for group in [home, others] {
            let wide = parallel::wide(taking.context.parallelism, taking.handles);
            let results = parallel::each(wide, &group, |change| taking.try_one(change));
            let mut first: Option<Cause> = None;
            for (change, result) in group.iter().zip(results) {
                match (result, &first) {
                    (Ok(lock), _) => self.keep(taking, change, lock),
                    // What no wait can mend says more.
                    (Err(cause), Some(known)) if held_by(known).is_none() || held_by(&cause).is_some() => {}
                    (Err(cause), _) => first = Some(cause),
                }
            }
            first.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    fn try_in_order(&mut self, taking: &Taking<'_>, missing: &[&StateChange]) -> Result<(), Cause> {
        for change in missing {
            let lock = taking.try_one(change)?;
            self.keep(taking, change, lock);
        }
        Ok(())
    }

    fn keep(&mut self, taking: &Taking<'_>, change: &StateChange, lock: StateLock) {
        self.gone.remove(&change.id);
        self.held.insert(change.id.clone(), lock);
        taking.context.tell(&Progress::Locked(change.id.clone()));
    }

    fn give_back(&mut self, taking: &Taking<'_>) -> Result<(), Cause> {
        let yielded: Vec<StateId> = taking
            .migration
            .states()
            .iter()
            .filter(|change| (taking.yields)(change) && self.held.contains_key(&change.id))
            .map(|change| change.id.clone())
            .collect();
        self.release(taking.context, taking.handles, taking.migration, &yielded)
    }

    /// Returns the states whose lock this process has not given back: those it holds, and those it knows nothing of.
    ///
    /// Releasing one that is gone, or another's by now, does nothing, but for what an interrupted release left behind.
    pub(super) fn perhaps_ours(&self, migration: &Migration) -> BTreeSet<StateId> {
        let all = migration.states().iter().map(|change| change.id.clone());
        all.filter(|id| !self.gone.contains(id)).collect()
    }

    /// Forgets the held locks that do not stand any more, and returns whose they were.
    ///
    /// A process that was overtaken while it waited for a lock may just have been giving back others, of the same IDs.
    pub(super) fn forget_fallen(
        &mut self,
        context: &Context<'_>,
        handles: &Handles,
        migration: &Migration,
    ) -> Result<Vec<StateId>, Cause> {
        let held = std::mem::take(&mut self.held);
        let standing = self.ours(context, handles, migration);
        self.held = held;
        let standing = standing?;
        let fallen: Vec<StateId> = self
            .held
            .keys()
            .filter(|id| !standing.contains(*id))
            .cloned()
            .collect();
        for id in &fallen {
            self.held.remove(id);
        }
        Ok(fallen)
    }

    /// Returns the states whose lock is ours. Asks for those that this process has not touched.
    pub(super) fn ours(
        &self,
        context: &Context<'_>,
        handles: &Handles,
        migration: &Migration,
    ) -> Result<BTreeSet<StateId>, Cause> {
        self.standing(context, handles, migration, |standing, change| {
            standing.is(&change.lock)
        })
    }

    /// Returns the states of which a lock may still have to be released: those where any stands. Of two parts one may be
    /// another's by now, and the other still ours; a release leaves alone what is not.
    pub(super) fn to_release(
        &self,
        context: &Context<'_>,
        handles: &Handles,
        migration: &Migration,
    ) -> Result<BTreeSet<StateId>, Cause> {
        self.standing(context, handles, migration, |_, _| true)
    }

    /// Returns the states whose lock this process holds, or where one stands that fits.
    fn standing(
        &self,
        context: &Context<'_>,
        handles: &Handles,
        migration: &Migration,
        fits: impl Fn(&StandingLock, &StateChange) -> bool + Sync,
    ) -> Result<BTreeSet<StateId>, Cause> {
        let unknown: Vec<&StateChange> = migration
            .states()
            .iter()
            .filter(|change| !self.held.contains_key(&change.id) && !self.gone.contains(&change.id))
            .collect();
        let asked: Vec<Result<_, Cause>> =
            parallel::each(parallel::wide(context.parallelism, handles), &unknown, |change| {
                let standing = store(handles, &change.id)?
                    .standing_lock()
                    .map_err(|source| failed(change, source))?;
                Ok(standing
                    .is_some_and(|standing| fits(&standing, change))
                    .then(|| change.id.clone()))
            });
        let mut ours: BTreeSet<StateId> = self.held.keys().cloned().collect();
        for answer in asked {
            ours.extend(answer?);
        }
        Ok(ours)
    }

    /// Releases locks of ours; one that is another's by now is left alone.
    pub(super) fn release(
        &mut self,
        context: &Context<'_>,
        handles: &Handles,
        migration: &Migration,
        ids: &[StateId],
    ) -> Result<(), Cause> {
        let released = parallel::each(parallel::wide(context.parallelism, handles), ids, |id| {
            let change = migration.state(id).ok_or_else(|| Cause::NoHandle(id.clone()))?;
            match store(handles, id)?.unlock(&change.lock) {
                Ok(()) => {
                    context.tell(&Progress::Unlocked(id.clone()));
                    Ok(())
                }
                // Freed by force, and taken by somebody else since.
                Err(BackendError::Locked { .. } | BackendError::LockUnreadable { .. }) => Ok(()),
                Err(source) => Err(failed(change, source)),
            }
        });
        let mut first = Ok(());
        for (id, released) in ids.iter().zip(released) {
            match released {
                Ok(()) => {
                    self.held.remove(id);
                    self.gone.insert(id.clone());
                }
                Err(cause) => first = first.and(Err(cause)),
            }
        }
        first
    }
}

/// What a taking of locks is about.
pub(super) struct Taking<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) handles: &'a Handles,
    pub(super) migration: &'a Migration,
    /// Shown to whoever meets the locks.
    pub(super) operation: &'a str,
    /// Whether a lock may be given back while another is waited for.
    pub(super) yields: &'a (dyn Fn(&StateChange) -> bool + Sync),
    /// Whether the migration is still this process's own.
    pub(super) still_ours: &'a (dyn Fn() -> Result<(), Cause> + Sync),
}

impl Taking<'_> {
    fn try_one(&self, change: &StateChange) -> Result<StateLock, Cause> {
        if self.context.interrupt.is_raised() {
            return Err(Cause::Interrupted);
        }
        let info = info(self.context, self.migration, change, self.operation);
        store(self.handles, &change.id)?
            .lock(&info)
            .map_err(|source| failed(change, source))
    }

    /// Looks, without taking anything, whether somebody else still holds a lock.
    fn still_held(&self, id: &StateId) -> Option<Cause> {
        let change = self.migration.state(id)?;
        let store = store(self.handles, id).ok()?;
        // A look that fails says nothing; the attempt that follows will.
        let standing = store.standing_lock().ok()??;
        let is_ours = standing.is(&change.lock);
        (!is_ours).then(|| failed(change, standing.refusal(&store.describe())))
    }
}

/// Returns which state is held by whom, if that is why a lock could not be taken.
fn held_by(cause: &Cause) -> Option<(&StateId, &LockInfo)> {
    match cause {
        Cause::Backend {
            state,
            source: BackendError::Locked { holder, .. },
        } => Some((state, holder)),
        _ => None,
    }
}

/// Says to everybody who meets the lock whose it is and what frees it.
fn info(context: &Context<'_>, migration: &Migration, change: &StateChange, operation: &str) -> LockInfo {
    let id = &migration.id;
    let info = if change.fence {
        format!(
            "migration {id} moves resources out of this state; once the code no longer declares them, `stackcut \
             release {id}` frees it (if it was interrupted: `stackcut resume {id}`)"
        )
    } else {
        format!(
            "migration {id}; if it was interrupted, `stackcut resume {id}` or `stackcut undo {id}` frees it"
        )
    };
    LockInfo {
        id: change.lock.clone(),
        operation: operation.to_owned(),
        info,
        who: context.who.to_owned(),
        version: context.version.to_owned(),
        created: context.surroundings.now(),
        path: change.place.clone(),
    }
}

/// Says in which state a call on a store failed.
pub(super) fn failed(change: &StateChange, source: BackendError) -> Cause {
    Cause::Backend {
        state: change.id.clone(),
        source,
    }
}

pub(super) fn store<'a>(handles: &'a Handles, id: &StateId) -> Result<&'a dyn StateBackend, Cause> {
    handles
        .get(id)
        .map(|handle| &**handle)
        .ok_or_else(|| Cause::NoHandle(id.clone()))
}
