//! The one loop behind every verb: observe, decide, do one step, observe again.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::context::{Context, Progress};
use super::error::{Cause, ExecuteError, Left};
use super::lock::{Locks, Taking};
use super::look::Looks;
use super::outcome::Outcome;
use super::parallel::Turns;
use super::store::Writer;
use super::write::Results;
use super::{Handles, Recompute};
use crate::journal::{
    Decision, Event, Finished, Misfit, Needs, Observed, Phase, Record, StateChange, Step, decide, gives_back,
    needs,
};
use crate::stack::StateId;

/// One process at work on one migration.
pub(super) struct Walk<'a> {
    pub(super) context: Context<'a>,
    pub(super) handles: &'a Handles,
    pub(super) recompute: &'a dyn Recompute,
    pub(super) writer: Writer<'a>,
    pub(super) locks: Locks,
    pub(super) looks: Looks,
    /// How many contents are written at once.
    pub(super) writes: Turns,
    pub(super) results: Option<Results>,
    /// Whether this process has begun to copy originals.
    pub(super) begun_backups: bool,
    /// Whether no process can have written anything: this one found nothing written, and has not begun to.
    is_untouched: bool,
    /// Whether this process has written all copies; they are still to be read back.
    pub(super) sent_backups: bool,
    pub(super) backed_up: bool,
    pub(super) discarded: bool,
    pub(super) attempts: BTreeMap<StateId, u32>,
    /// Whether another process stopped in the middle, perhaps in the middle of releasing a lock.
    pub(super) takes_over: bool,
    /// Why the work is being given up, while the locks are being released.
    given_up: Option<Cause>,
    /// Whether all locks were seen to stand after they were taken, where others may have had them as well.
    pub(super) locks_stand: bool,
    /// When the journal was last known to be this process's own.
    pub(super) owned_at: Mutex<jiff::Timestamp>,
    /// How another process ended the migration meanwhile.
    pub(super) ended: Option<Phase>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        context: Context<'a>,
        handles: &'a Handles,
        recompute: &'a dyn Recompute,
        writer: Writer<'a>,
    ) -> Self {
        Self {
            is_untouched: writer.journal().phase() == Phase::Preparing,
            context,
            handles,
            recompute,
            writer,
            locks: Locks::default(),
            looks: Looks::new(context.parallelism),
            writes: Turns::new(context.parallelism),
            results: None,
            begun_backups: false,
            sent_backups: false,
            backed_up: false,
            discarded: false,
            attempts: BTreeMap::new(),
            takes_over: false,
            given_up: None,
            locks_stand: false,
            owned_at: Mutex::new(context.surroundings.now()),
            ended: None,
        }
    }

    /// Walks to the end.
    pub(super) fn run(mut self) -> Result<Outcome, ExecuteError> {
        let ended = self.walk();
        // The first cause says more than what then went wrong on the way out.
        match (self.given_up.take(), ended) {
            (Some(cause), _) | (None, Err(cause)) => Err(self.stopped(cause)),
            (None, Ok(finished)) => Ok(self.outcome(finished)),
        }
    }

    fn walk(&mut self) -> Result<Finished, Cause> {
        loop {
            match self.step() {
                Ok(Some(finished)) => return Ok(finished),
                Ok(None) => {}
                Err(cause) => {
                    self.give_up(cause)?;
                    self.leave()?;
                }
            }
        }
    }

    /// Releases what was taken for nothing, and then stops.
    fn leave(&mut self) -> Result<(), Cause> {
        while matches!(self.phase(), Phase::Aborting | Phase::UndoAborting(_)) {
            self.step()?;
        }
        Err(Cause::Interrupted)
    }

    /// Lets an undo that was refused leave, so that the migration stands where it stood before it.
    pub(super) fn leave_undo(mut self) -> Result<Self, ExecuteError> {
        while matches!(self.phase(), Phase::UndoAborting(_)) {
            if let Err(cause) = self.step() {
                return Err(self.stopped(cause));
            }
        }
        Ok(self)
    }

    /// Does one step; tells how it ended, if it is over.
    fn step(&mut self) -> Result<Option<Finished>, Cause> {
        let observed = self.observe()?;
        match decide(self.writer.journal(), &observed) {
            Decision::Over(finished) => Ok(Some(finished)),
            Decision::Do(step) => self.perform(step).map(|()| None),
            Decision::Refuse(misfits) if self.phase().is_undo() => Err(self.moved_on(misfits)),
            Decision::Refuse(misfits) => Err(Cause::Changed(misfits)),
            Decision::Stuck(misfits) => Err(self.stuck(misfits)),
        }
    }

    fn observe(&mut self) -> Result<Observed, Cause> {
        let journal = self.writer.journal();
        let migration = journal.migration();
        let mut observed = Observed {
            backed_up: self.backed_up,
            copies_wait: self.handles.values().any(|handle| handle.is_remote()),
            discarded: self.discarded,
            ..Observed::default()
        };
        match needs(journal.phase()) {
            Needs::States => {
                self.check_interrupt()?;
                let undo = journal.phase().is_undo();
                let wanted: Vec<&StateChange> = migration
                    .states()
                    .iter()
                    .filter(|change| !undo || !change.is_unchanged())
                    .collect();
                let taking = Taking {
                    context: &self.context,
                    handles: self.handles,
                    migration,
                    operation: if undo { "stackcut-undo" } else { "stackcut-apply" },
                    yields: &|change| gives_back(journal.phase(), change),
                    still_ours: &|| self.writer.check(),
                };
                self.locks.take(&taking, &wanted)?;
                self.looks.complete(&self.context, self.handles, journal)?;
                observed.states = self.looks.sightings();
            }
            Needs::Locks if self.takes_over => observed.locks = self.locks.perhaps_ours(migration),
            Needs::Locks => observed.locks = self.locks.to_release(&self.context, self.handles, migration)?,
            Needs::Nothing => {}
        }
        Ok(observed)
    }

    fn perform(&mut self, step: Step) -> Result<(), Cause> {
        if needs(self.phase()) == Needs::States {
            self.check_interrupt()?;
        }
        self.is_untouched &= !matches!(step, Step::Write(_) | Step::WriteNew(_));
        match step {
            Step::Record(Event::WritesIntended { .. } | Event::UndoWaveIntended { .. })
                if !self.do_locks_stand()? =>
            {
                Ok(())
            }
            Step::Record(event @ Event::WritesIntended { .. }) => self.announce(event),
            Step::Record(event @ Event::Aborted) => {
                self.clear_backups();
                self.append(event)
            }
            Step::Record(event) => self.append(event),
            Step::BackUp => self.back_up(),
            Step::Write(ids) => self.write(&ids),
            Step::WriteNew(ids) => self.write_beside_copies(&ids),
            Step::Restore(ids) => self.restore(&ids),
            Step::RepairDigests(ids) => self.repair_digests(&ids),
            Step::Discard => self.discard(),
            Step::Unlock(ids) => self.unlock(&ids),
        }
    }

    /// Appends an event, and tells where the migration stands now.
    pub(super) fn append(&mut self, event: Event) -> Result<(), Cause> {
        let now = self.context.surroundings.now();
        if matches!(event, Event::UndoStarted { .. }) {
            // It makes more versions known.
            self.looks.forget_all();
        }
        let record = self.writer.write(event)?;
        self.appended(record, now)
    }

    /// Goes on from a record that was written. `now` is when that was begun.
    pub(super) fn appended(&mut self, record: Record, now: jiff::Timestamp) -> Result<(), Cause> {
        let before = self.phase();
        self.writer.note(record)?;
        self.owned_at = Mutex::new(now);
        self.attempts.clear();
        if self.phase() != before {
            self.context.tell(&Progress::Phase(self.phase()));
        }
        Ok(())
    }

    /// Where nothing was written yet, takes back what was taken; elsewhere the journal keeps the place.
    fn give_up(&mut self, cause: Cause) -> Result<(), Cause> {
        let reason = cause.to_string();
        let event = match (&cause, self.phase()) {
            // A journal that is another's by now is no place to note anything.
            (Cause::Journal(_), _) => return Err(cause),
            (Cause::Concurrent { .. }, _) => {
                self.leave_what_ended();
                return Err(cause);
            }
            // Results without a record that announced them: the locks are all that protects what is there.
            (Cause::Stuck(_), Phase::Preparing) => return Err(cause),
            (_, Phase::Preparing) => Event::AbortIntended { reason },
            // Writes were announced, and none was begun.
            (_, Phase::Writing(_)) if self.is_untouched && !matches!(cause, Cause::Stuck(_)) => {
                Event::AbortIntended { reason }
            }
            (_, Phase::UndoLocking(_)) => Event::UndoAbortIntended { reason },
            _ => return Err(cause),
        };
        let appended = self.append(event);
        // What the record met may be an earlier one of this process's own, whose answer was lost.
        if matches!(appended, Err(Cause::Concurrent { .. })) && !matches!(cause, Cause::JournalStore { .. }) {
            self.leave_what_ended();
            return appended;
        }
        self.given_up = Some(cause);
        appended
    }

    fn moved_on(&mut self, misfits: Vec<Misfit>) -> Cause {
        match self.phase() {
            // From the middle, the same sight means that somebody interfered.
            Phase::UndoLocking(from) if !from.is_settled() => Cause::Stuck(misfits),
            _ => Cause::MovedOn(misfits),
        }
    }

    /// Notes what was found, once.
    fn stuck(&mut self, misfits: Vec<Misfit>) -> Cause {
        let states: Vec<_> = misfits
            .iter()
            .map(|misfit| (misfit.change.id.clone(), misfit.found.sha256))
            .collect();
        let noted = self
            .writer
            .write(Event::FoundStuck { states })
            .and_then(|record| self.writer.note(record));
        match noted {
            // What was found is the other process's work.
            Err(cause @ Cause::Concurrent { .. }) => cause,
            // Being stuck is what must be said, even if it cannot be noted.
            _ => Cause::Stuck(misfits),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.writer.journal().phase()
    }

    fn outcome(&mut self, finished: Finished) -> Outcome {
        match finished {
            Finished::Completed => Outcome::Completed,
            Finished::Undone => Outcome::Undone,
            Finished::Aborted => Outcome::Aborted {
                reason: self.abort_reason(),
            },
            Finished::Fenced => {
                let journal = self.writer.journal();
                let ours = self
                    .locks
                    .ours(&self.context, self.handles, journal.migration())
                    // The fence was put up long before; that nobody can look at it now does not take it down.
                    .unwrap_or_else(|_| {
                        journal
                            .migration()
                            .fenced()
                            .map(|change| change.id.clone())
                            .collect()
                    });
                let fenced = journal.migration().fenced().map(|change| change.id.clone());
                let (held, lost) = fenced.partition(|id| ours.contains(id));
                Outcome::Fenced { held, lost }
            }
        }
    }

    fn abort_reason(&self) -> String {
        let reason = self
            .writer
            .journal()
            .records()
            .iter()
            .rev()
            .find_map(|record| match &record.event {
                Event::AbortIntended { reason } => Some(reason.clone()),
                _ => None,
            });
        reason.unwrap_or_default()
    }

    pub(super) fn stopped(&self, cause: Cause) -> ExecuteError {
        let journal = self.writer.journal();
        let phase = journal.phase();
        let left = match (&cause, self.ended) {
            (_, Some(ended)) => Left::Ended(ended),
            (Cause::Stuck(_), None) => Left::Unfinished(phase),
            (_, None) => Left::at(phase),
        };
        ExecuteError {
            migration: journal.migration().id.clone(),
            cause,
            left,
        }
    }
}
