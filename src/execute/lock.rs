//! Locks: taken in one order, waited for, recognised by the IDs in the journal, released.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Handles;
use super::context::{Context, Progress};
use super::error::Cause;
use super::parallel;
use crate::backend::{BackendError, LockId, LockInfo, StateBackend, StateLock};
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

    /// Takes every lock that is not held yet, in the migration's order.
    ///
    /// What stands under an ID of the journal is taken over. For the locks of others it waits as long as it may.
    pub(super) fn take(
        &mut self,
        context: &Context<'_>,
        handles: &Handles,
        migration: &Migration,
        wanted: impl Fn(&StateChange) -> bool,
        operation: &str,
    ) -> Result<(), Cause> {
        let until = context
            .surroundings
            .now()
            .saturating_add(context.lock_timeout)
            .unwrap_or(jiff::Timestamp::MAX);
        for change in migration.states().iter().filter(|change| wanted(change)) {
            if self.held.contains_key(&change.id) {
                continue;
            }
            let store = store(handles, &change.id)?;
            let lock = take_one(context, store, migration, change, operation, until)?;
            self.gone.remove(&change.id);
            self.held.insert(change.id.clone(), lock);
            context.tell(&Progress::Locked(change.id.clone()));
        }
        Ok(())
    }

    /// Returns the states whose lock is ours. Asks for those that this process has not touched.
    pub(super) fn ours(
        &self,
        context: &Context<'_>,
        handles: &Handles,
        migration: &Migration,
    ) -> Result<BTreeSet<StateId>, Cause> {
        let unknown: Vec<&StateChange> = migration
            .states()
            .iter()
            .filter(|change| !self.held.contains_key(&change.id) && !self.gone.contains(&change.id))
            .collect();
        let asked: Vec<Result<_, Cause>> = parallel::each(context.parallelism, &unknown, |change| {
            let standing = store(handles, &change.id)?
                .standing_lock()
                .map_err(|source| failed(change, source))?;
            let id = lock_id(change)?;
            Ok(standing
                .is_some_and(|standing| standing.is(&id))
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
        let released = parallel::each(context.parallelism, ids, |id| {
            let change = migration.state(id).ok_or_else(|| Cause::NoHandle(id.clone()))?;
            match store(handles, id)?.unlock(&lock_id(change)?) {
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

/// Takes one lock; tries again with growing pauses while somebody else holds it and there is time.
fn take_one(
    context: &Context<'_>,
    store: &dyn StateBackend,
    migration: &Migration,
    change: &StateChange,
    operation: &str,
    until: jiff::Timestamp,
) -> Result<StateLock, Cause> {
    let mut wait = FIRST_WAIT;
    loop {
        if context.interrupt.is_raised() {
            return Err(Cause::Interrupted);
        }
        let info = info(context, migration, change, operation)?;
        let error = match store.lock(&info) {
            Ok(lock) => return Ok(lock),
            Err(error) => error,
        };
        let BackendError::Locked { holder, .. } = &error else {
            return Err(failed(change, error));
        };
        let left = until.duration_since(context.surroundings.now());
        let Ok(left) = Duration::try_from(left) else {
            return Err(failed(change, error));
        };
        if left.is_zero() {
            return Err(failed(change, error));
        }
        let pause = wait.min(left);
        context.tell(&Progress::Waiting {
            state: change.id.clone(),
            holder: format!("{} ({})", holder.who, holder.operation),
            wait: pause,
        });
        if !context.wait(pause) {
            return Err(Cause::Interrupted);
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Says to everybody who meets the lock whose it is and what frees it.
fn info(
    context: &Context<'_>,
    migration: &Migration,
    change: &StateChange,
    operation: &str,
) -> Result<LockInfo, Cause> {
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
    Ok(LockInfo {
        id: lock_id(change)?,
        operation: operation.to_owned(),
        info,
        who: context.who.to_owned(),
        version: context.version.to_owned(),
        created: context.surroundings.now(),
        path: change.place.clone(),
    })
}

fn lock_id(change: &StateChange) -> Result<LockId, Cause> {
    change
        .lock
        .as_str()
        .parse()
        .map_err(|_| Cause::Invalid(crate::journal::InvalidMigration::LockId(change.lock.clone())))
}

fn failed(change: &StateChange, source: BackendError) -> Cause {
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
