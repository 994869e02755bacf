//! What a person can ask for: apply, resume, undo, release, discard.

use super::context::{Context, Progress};
use super::error::{Cause, ExecuteError, Left, not_now};
use super::lock::store;
use super::outcome::Outcome;
use super::store::{FoundJournal, Writer};
use super::walk::Walk;
use super::{Handles, PlannedResults, Recompute};
use crate::journal::{Event, Finished, Migration, Phase};

/// Carries a migration out, from its first record on.
///
/// # Errors
///
/// Refused (locked, changed): nothing was written and no lock is left. Failed or interrupted in the middle: the journal
/// knows, and [`resume`] or [`undo`] go on. [`ExecuteError::left`] says which.
pub fn apply(
    context: Context<'_>,
    handles: &Handles,
    migration: Migration,
    recompute: &dyn Recompute,
) -> Result<Outcome, ExecuteError> {
    let id = migration.id.clone();
    let untouched = |cause| ExecuteError {
        migration: id.clone(),
        cause,
        left: Left::Untouched,
    };
    check_places(handles, &migration).map_err(untouched)?;
    if context.interrupt.is_raised() {
        return Err(untouched(Cause::Interrupted));
    }
    let writer = Writer::start(context, handles, migration).map_err(|cause| match cause {
        // The record may have been written although its answer was lost.
        Cause::JournalStore { ref source, .. } if source.is_ambiguous() => ExecuteError {
            migration: id.clone(),
            cause,
            left: Left::LocksLeft,
        },
        cause => untouched(cause),
    })?;
    context.tell(&Progress::Phase(Phase::Preparing));
    Walk::new(context, handles, recompute, writer).run()
}

/// Goes on with a migration, or with its undo, from wherever it stopped, on whatever machine.
///
/// # Errors
///
/// As [`apply`].
pub fn resume(
    context: Context<'_>,
    handles: &Handles,
    found: FoundJournal,
    recompute: &dyn Recompute,
) -> Result<Outcome, ExecuteError> {
    let mut walk = take_over(context, handles, found, recompute)?;
    if walk.phase().finished().is_some()
        && let Err(cause) = walk.free_late_locks()
    {
        return Err(walk.stopped(cause));
    }
    walk.run()
}

/// Walks a migration back: sources get their objects back first, then the targets lose them.
///
/// Also long after it was completed, as long as every state is exactly as the migration left it.
///
/// # Errors
///
/// As [`apply`]. [`Cause::MovedOn`] where states changed since; [`Cause::Discarded`] where the originals are gone.
pub fn undo(
    context: Context<'_>,
    handles: &Handles,
    found: FoundJournal,
    recompute: &dyn Recompute,
) -> Result<Outcome, ExecuteError> {
    let phase = found.journal.phase();
    if let Phase::Discarding(Finished::Completed) | Phase::Discarded(Finished::Completed) = phase {
        return Err(ExecuteError {
            migration: found.journal.migration().id.clone(),
            cause: Cause::Discarded,
            left: Left::at(phase),
        });
    }
    let waits = settle_time(&context, &found);
    let mut walk = take_over(context, handles, found, recompute)?;
    if let Phase::UndoAborting(_) = walk.phase() {
        // The undo before this one was refused; it leaves first.
        walk = walk.leave_undo()?;
    }
    if !waits.is_zero() {
        context.tell(&Progress::Settling { wait: waits });
        if !context.wait(waits) {
            return Err(walk.stopped(Cause::Interrupted));
        }
    }
    match walk.undo_event() {
        Ok(Some(event)) => {
            if let Err(cause) = walk.append(event) {
                return Err(walk.stopped(cause));
            }
        }
        Ok(None) => {}
        Err(cause) => return Err(walk.stopped(cause)),
    }
    walk.run()
}

/// Takes the fence down, once the code no longer declares what moved. `still_declared` are the addresses that it does.
///
/// # Errors
///
/// [`Cause::StillDeclared`]; [`Cause::NotNow`] where there is no fence (yet).
pub fn release(
    context: Context<'_>,
    handles: &Handles,
    found: FoundJournal,
    still_declared: &[String],
    recompute: &dyn Recompute,
) -> Result<Outcome, ExecuteError> {
    let phase = found.journal.phase();
    let id = found.journal.migration().id.clone();
    match phase {
        Phase::Completed | Phase::Discarded(Finished::Completed) => return Ok(Outcome::Completed),
        Phase::Fenced | Phase::ReleasingFence => {}
        other => return Err(not_now(&id, other)),
    }
    if !still_declared.is_empty() {
        return Err(ExecuteError {
            migration: id,
            cause: Cause::StillDeclared(still_declared.to_vec()),
            left: Left::AsItWas(phase),
        });
    }
    let mut walk = take_over(context, handles, found, recompute)?;
    if walk.phase() == Phase::Fenced
        && let Err(cause) = walk.append(Event::FenceReleaseIntended)
    {
        return Err(walk.stopped(cause));
    }
    walk.run()
}

/// Deletes the backups of a migration that is over. There is no way back afterwards; its journal stays, as history.
///
/// # Errors
///
/// [`Cause::NotNow`] for a migration that is not over, or fenced.
pub fn discard(context: Context<'_>, handles: &Handles, found: FoundJournal) -> Result<(), ExecuteError> {
    let phase = found.journal.phase();
    match phase {
        Phase::Discarded(_) => return Ok(()),
        Phase::Completed | Phase::Aborted | Phase::Undone | Phase::Discarding(_) => {}
        other => return Err(not_now(&found.journal.migration().id, other)),
    }
    // No result is computed on this way.
    let mut walk = take_over(context, handles, found, &PlannedResults)?;
    if !matches!(phase, Phase::Discarding(_))
        && let Err(cause) = walk.append(Event::DiscardIntended)
    {
        return Err(walk.stopped(cause));
    }
    walk.run().map(drop)
}

/// Opens a journal and makes it this process's own: from the next record on, no other process can append.
fn take_over<'a>(
    context: Context<'a>,
    handles: &'a Handles,
    found: FoundJournal,
    recompute: &'a dyn Recompute,
) -> Result<Walk<'a>, ExecuteError> {
    let id = found.journal.migration().id.clone();
    let phase = found.journal.phase();
    let as_it_was = |cause| ExecuteError {
        migration: id.clone(),
        cause,
        left: Left::at(phase),
    };
    check_places(handles, found.journal.migration()).map_err(as_it_was)?;
    let writer = Writer::open(context, handles, found).map_err(as_it_was)?;
    let mut walk = Walk::new(context, handles, recompute, writer);
    walk.takes_over = phase.finished().is_none();
    if walk.takes_over
        && let Err(cause) = walk.append(Event::Resumed)
    {
        return Err(walk.stopped(cause));
    }
    Ok(walk)
}

/// Returns how long an undo must wait for requests of another process that may still be under way.
///
/// A late write of a result would land after the undo has looked; a late release of a lock would take the undo's. Such a
/// process may be alive, and sees only some time after the undo's first record that the migration is no longer its own
/// ([`Walk::still_ours`]). Going on (a resume) need not fear it: it writes the same bytes under the same condition.
fn settle_time(context: &Context<'_>, found: &FoundJournal) -> std::time::Duration {
    let records = found.journal.records();
    let mut others = records
        .iter()
        .rev()
        .filter(|record| record.session != context.session);
    match found.journal.phase() {
        Phase::Writing(_) | Phase::Releasing | Phase::ReleasingFence | Phase::UndoAborting(_)
            if others.next().is_some() =>
        {
            context.settle
        }
        // Locks that came too late are being given back, unless that was long ago.
        Phase::Fenced | Phase::Completed => match records.last() {
            Some(last) if last.session != context.session && last.event == Event::Resumed => {
                let age = last.at.parse::<jiff::Timestamp>().map(|at| {
                    // A record from the future means that clocks differ: then the whole time is waited.
                    let age = context.surroundings.now().duration_since(at);
                    std::time::Duration::try_from(age).unwrap_or_default()
                });
                context.settle.saturating_sub(age.unwrap_or_default())
            }
            _ => std::time::Duration::ZERO,
        },
        _ => std::time::Duration::ZERO,
    }
}

/// Refuses stores that are not the places the migration is about.
fn check_places(handles: &Handles, migration: &Migration) -> Result<(), Cause> {
    for change in migration.states() {
        let configured = store(handles, &change.id)?.lock_key();
        if configured != change.place {
            return Err(Cause::OtherPlace {
                state: change.id.clone(),
                journaled: change.place.clone(),
                configured: configured.to_owned(),
            });
        }
    }
    Ok(())
}
