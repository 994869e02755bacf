//! Effects on many states at once, each looked at again: nothing is believed before it was seen.

use super::context::Progress;
use super::error::Cause;
use super::lock::{failed, store};
use super::look::Seen;
use super::parallel;
use super::walk::Walk;
use crate::backend::{BackendError, Confirmed, StateBackend, StateLock};
use crate::journal::StateChange;
use crate::stack::StateId;
use crate::state::Fingerprint;

/// How often one state is written or unlocked in one run. A refused write is looked into first: the state may be as
/// wanted, or be as before, and only then is it written again.
const ATTEMPTS: u32 = 3;

impl Walk<'_> {
    /// Runs on states in parallel, each under its lock and with what was last seen of it, and looks at each again: once
    /// [noted](Self::note), that is what is known of it. What the store can tell without the content, it is asked for all states together
    /// in the end; the others are read back at once, while the next ones are on their way.
    ///
    /// What the store did not do because the state is not as it was, and what nobody knows to have been done, is no
    /// error yet: the state is looked at again, and that decides.
    pub(super) fn touch(
        &self,
        ids: &[StateId],
        progress: impl Fn(StateId) -> Progress + Sync,
        run: impl Fn(
            &Self,
            &StateChange,
            &dyn StateBackend,
            &StateLock,
            &Seen,
        ) -> Result<Option<Confirmable>, Cause>
        + Sync,
    ) -> Vec<Sight> {
        let journal = self.writer.journal();
        let migration = journal.migration();
        let wide = parallel::wide(self.context.parallelism, self.handles);
        let back = |change, told| {
            self.looks
                .back(&self.context, self.handles, journal, change, told)
        };
        let touched: Vec<Result<Touched<'_>, Cause>> = parallel::each(wide, ids, |id| {
            self.check_interrupt()?;
            let change = migration.state(id).ok_or_else(|| Cause::NoHandle(id.clone()))?;
            let store = store(self.handles, id)?;
            let lock = self.locks.proof(id).ok_or_else(|| Cause::NoHandle(id.clone()))?;
            let confirmable = run(self, change, store, lock, self.seen(id)?)?;
            self.context.tell(&progress(id.clone()));
            match confirmable {
                // What is alone is read as soon as confirmed.
                Some(confirmable) if ids.len() > 1 || confirmable.owes_digest() => Ok(Touched::Open(Open {
                    change,
                    store,
                    lock,
                    confirmable,
                })),
                _ => Ok(Touched::Seen(back(change, None))),
            }
        });
        let open: Vec<&Open<'_>> = touched.iter().flatten().filter_map(Touched::open).collect();
        let seen = parallel::each(wide, &open, |open| {
            self.still_ours()?;
            Ok(back(open.change, open.confirm()?))
        });
        let mut seen = seen.into_iter();
        let seen = touched.into_iter().map(|touched| match touched? {
            Touched::Seen(seen) => Ok(seen),
            Touched::Open(_) => seen.next().unwrap_or(Ok(None)),
        });
        seen.collect()
    }

    /// Notes what became of states that were touched.
    pub(super) fn note(&mut self, ids: &[StateId], sights: Vec<Sight>) -> Result<(), Cause> {
        let mut first = Ok(());
        for (id, seen) in ids.iter().zip(sights) {
            self.looks.forget(id);
            let may_try_again = self.may_try_again(id);
            match seen {
                Ok(Some(seen)) => self.looks.note(id, seen),
                Err(cause) if !may_try_again || !is_open(&cause) => first = first.and(Err(cause)),
                _ => {}
            }
        }
        first
    }

    /// Releases locks. What nobody knows to have been done is done once more, if the migration is still this process's own.
    pub(super) fn unlock(&mut self, ids: &[StateId]) -> Result<(), Cause> {
        self.still_ours()?;
        let migration = self.writer.journal().migration();
        let released = self.locks.release(&self.context, self.handles, migration, ids);
        let may_try_again = ids.iter().all(|id| self.may_try_again(id));
        match released {
            Err(cause) if may_try_again && is_open(&cause) => Ok(()),
            released => released,
        }
    }

    /// Counts an attempt, and tells whether another one may follow.
    fn may_try_again(&mut self, id: &StateId) -> bool {
        let attempts = self.attempts.entry(id.clone()).or_default();
        *attempts += 1;
        *attempts < ATTEMPTS
    }
}

/// What became of a state that was touched, if it could be seen.
pub(super) type Sight = Result<Option<Seen>, Cause>;

/// What the store can confirm of a state that was touched, without its content.
pub(super) enum Confirmable {
    /// That it is gone.
    Gone,
    /// That it is this.
    Content(Fingerprint),
    /// That it is this, whose digest is still to be written: of many new states all at once, whom nobody reads yet.
    WithoutDigest(Fingerprint),
}

impl Confirmable {
    fn owes_digest(&self) -> bool {
        matches!(self, Self::WithoutDigest(_))
    }
}

/// A state that was touched.
enum Touched<'a> {
    /// What was read of it since, if it could be.
    Seen(Option<Seen>),
    /// It is still to be confirmed, together with others.
    Open(Open<'a>),
}

impl<'a> Touched<'a> {
    fn open(&self) -> Option<&Open<'a>> {
        match self {
            Self::Open(open) => Some(open),
            Self::Seen(_) => None,
        }
    }
}

/// A state that is still to be confirmed.
struct Open<'a> {
    change: &'a StateChange,
    store: &'a dyn StateBackend,
    lock: &'a StateLock,
    confirmable: Confirmable,
}

impl Open<'_> {
    /// Writes the digest that is owed, and returns what the store confirms, and what it was asked for.
    fn confirm(&self) -> Result<Option<(Option<&Fingerprint>, Confirmed)>, Cause> {
        // Where a question alone fails, the state is read.
        let ask = |expected| self.store.confirm(expected).ok().flatten();
        let (expected, confirmed) = match &self.confirmable {
            Confirmable::Gone => (None, ask(None)),
            Confirmable::Content(print) => (Some(print), ask(Some(print))),
            Confirmable::WithoutDigest(print) => {
                let written = self.store.write_digest_and_confirm(self.lock, print);
                (
                    Some(print),
                    written.map_err(|source| failed(self.change, source))?,
                )
            }
        };
        Ok(confirmed.map(|confirmed| (expected, confirmed)))
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
