//! The next step of a migration, from its journal and from what was observed. Nothing else chooses one.

mod look;
mod step;

use super::event::{Event, Original, Writing};
use super::migration::StateChange;
use super::phase::{Finished, Phase, UndoFrom};
use super::replay::Journal;
use super::standing::{DigestSight, Misfit, Sighting, Standing, standing};
use crate::stack::StateId;
use look::Look;
pub use step::{Decision, Needs, Observed, Step};

/// Returns what must be observed in a phase.
pub fn needs(phase: Phase) -> Needs {
    match phase {
        Phase::Preparing | Phase::Writing(_) | Phase::UndoLocking(_) | Phase::Undoing(_) => Needs::States,
        Phase::Releasing
        | Phase::ReleasingFence
        | Phase::Aborting
        | Phase::UndoReleasing
        | Phase::UndoAborting(_) => Needs::Locks,
        Phase::Fenced
        | Phase::Completed
        | Phase::Aborted
        | Phase::Undone
        | Phase::Discarding(_)
        | Phase::Discarded(_) => Needs::Nothing,
    }
}

/// Chooses the next step.
pub fn decide(journal: &Journal, observed: &Observed) -> Decision {
    let phase = journal.phase();
    let view = View::new(journal, observed);
    match phase {
        Phase::Preparing => view.before_writing(),
        Phase::Writing(wave) => view.writing(wave),
        Phase::UndoLocking(from) => view.undo_locking(from),
        Phase::Undoing(wave) => view.undoing(wave),
        Phase::Releasing if journal.migration().fenced().next().is_some() => {
            view.release(|change| !change.fence, Event::Fenced)
        }
        Phase::Releasing | Phase::ReleasingFence => view.release(|_| true, Event::Completed),
        Phase::Aborting => view.release(|_| true, Event::Aborted),
        Phase::UndoReleasing => view.release(|_| true, Event::Undone),
        Phase::UndoAborting(from) => view.release(|change| undo_gives_back(from, change), Event::UndoAborted),
        Phase::Fenced => Decision::Over(Finished::Fenced),
        Phase::Completed => Decision::Over(Finished::Completed),
        Phase::Aborted => Decision::Over(Finished::Aborted),
        Phase::Undone => Decision::Over(Finished::Undone),
        Phase::Discarding(_) if observed.discarded => record(Event::Discarded),
        Phase::Discarding(_) => Decision::Do(Step::Discard),
        Phase::Discarded(finished) => Decision::Over(finished),
    }
}

/// Tells whether a state's lock may be given back while the lock of another state is waited for: as long as nothing was
/// written and the lock was free before. What is half written is never left without its lock.
pub fn gives_back(phase: Phase, change: &StateChange) -> bool {
    match phase {
        Phase::Preparing => true,
        Phase::UndoLocking(from) => undo_gives_back(from, change),
        _ => false,
    }
}

/// Tells whether a refused undo releases a state's lock: only those that were free before it.
fn undo_gives_back(from: UndoFrom, change: &StateChange) -> bool {
    match from {
        UndoFrom::Writing(_) | UndoFrom::Releasing => false,
        UndoFrom::Fenced | UndoFrom::ReleasingFence => !change.fence,
        UndoFrom::Completed => true,
    }
}

struct View<'a> {
    journal: &'a Journal,
    observed: &'a Observed,
    looks: Vec<Look<'a>>,
}

use Standing::{After, Before, Restored};

impl<'a> View<'a> {
    fn new(journal: &'a Journal, observed: &'a Observed) -> Self {
        let look = |change: &'a StateChange| {
            let found = observed
                .states
                .get(&change.id)
                .cloned()
                .unwrap_or_else(Sighting::absent);
            let standing = standing(change, journal.restored(&change.id), &found);
            Look {
                change,
                found,
                standing,
            }
        };
        Self {
            journal,
            observed,
            looks: journal.migration().states().iter().map(look).collect(),
        }
    }

    fn before_writing(&self) -> Decision {
        let misfits = self.misfits(|look| !look.is(&[Before]) || look.digest_differs());
        if self.looks.iter().any(|look| look.is(&[After])) {
            // Results are there that no record announced: the journal is not whole. Giving up would release the locks.
            return Decision::Stuck(misfits);
        }
        if !misfits.is_empty() {
            return Decision::Refuse(misfits);
        }
        let begins_with_new = |&wave: &u32| {
            let mut looks = self.looks.iter();
            looks.any(|look| look.is_written_in(wave) && look.change.is_new())
        };
        let first = self.journal.waves().first();
        let copies_wait = self.observed.copies_wait && first.is_some_and(begins_with_new);
        match first {
            _ if !copies_wait && !self.observed.backed_up => Decision::Do(Step::BackUp),
            Some(_) => record(self.writes_intended(self.originals())),
            None => record(Event::ReleaseIntended),
        }
    }

    /// Goes on with the writes, of which those up to a wave were announced.
    fn writing(&self, announced: u32) -> Decision {
        let in_wave = |wave| self.looks.iter().filter(move |look| look.is_written_in(wave));
        let is_whole = |look: &Look<'_>| look.is(&[After]) && look.found.digest == DigestSight::Fits;
        let is_announced_to_the_end = self.journal.waves().last() == Some(&announced);
        let is_gone_back = |look: &Look<'_>| {
            look.change.wave < announced && !look.change.is_unchanged() && look.is(&[Before])
        };
        if is_announced_to_the_end && in_wave(announced).all(is_whole) && !self.looks.iter().any(is_gone_back)
        {
            // Everything was durable and read back once; what others have made of earlier waves since is theirs.
            return record(Event::ReleaseIntended);
        }
        let reached = self.reached(announced);
        let misfits = self.misfits(|look| {
            let expected: &[Standing] = match look.change.wave.cmp(&reached) {
                _ if look.change.is_unchanged() => &[Before],
                std::cmp::Ordering::Less => &[After],
                std::cmp::Ordering::Equal => &[Before, After],
                std::cmp::Ordering::Greater => &[Before],
            };
            // Between an object and its digest our own crash may lie; before the object it cannot.
            !look.is(expected) || look.has_foreign_digest() || (look.is(&[Before]) && look.digest_differs())
        });
        if !misfits.is_empty() {
            return Decision::Stuck(misfits);
        }
        let torn = ids(self
            .looks
            .iter()
            .filter(|look| look.is(&[After]) && look.found.digest != DigestSight::Fits));
        if !torn.is_empty() {
            return Decision::Do(Step::RepairDigests(torn));
        }
        let waves = self.journal.waves().iter().copied();
        let open = waves
            .filter(|&wave| wave <= announced)
            .map(|wave| {
                in_wave(wave)
                    .filter(|look| look.is(&[Before]))
                    .collect::<Vec<_>>()
            })
            .find(|open| !open.is_empty());
        match open {
            Some(open) => Decision::Do(self.write(&open)),
            None => record(self.writes_intended(Vec::new())),
        }
    }

    /// Returns the highest of the announced waves in which something was written, or else the first.
    fn reached(&self, announced: u32) -> u32 {
        let is_begun = |&&wave: &&u32| {
            let mut looks = self.looks.iter();
            wave <= announced && looks.any(|look| look.is_written_in(wave) && look.is(&[After]))
        };
        let waves = self.journal.waves();
        let begun = waves.iter().rev().find(is_begun);
        begun.or(waves.first()).copied().unwrap_or_default()
    }

    /// Writes states of one wave: those that exist when all originals were copied, and new ones before.
    ///
    /// That some state was overwritten already does not tell that all were copied: a person may have written it.
    fn write(&self, open: &[&Look<'_>]) -> Step {
        let all = open.iter().copied();
        if self.observed.backed_up {
            return Step::Write(ids(all));
        }
        let new = ids(all.filter(|look| look.change.is_new()));
        if new.is_empty() {
            Step::BackUp
        } else {
            Step::WriteNew(new)
        }
    }

    fn undo_locking(&self, from: UndoFrom) -> Decision {
        let may_be_torn = |look: &Look<'_>| match from {
            UndoFrom::Writing(wave) => look.is(&[After]) && look.change.wave <= wave,
            _ => false,
        };
        let misfits = self.misfits(|look| {
            let is_odd = !look.is(&[Before, After])
                || look.has_foreign_digest()
                || (look.digest_differs() && !may_be_torn(look));
            !look.change.is_unchanged() && is_odd
        });
        if !misfits.is_empty() {
            return Decision::Refuse(misfits);
        }
        self.next_undo_wave(u32::MAX)
    }

    fn undoing(&self, wave: u32) -> Decision {
        let back = &[Before, Restored];
        let in_wave = || self.looks.iter().filter(|look| look.is_written_in(wave));
        let misfits = self.misfits(|look| {
            if look.change.is_unchanged() {
                return false;
            }
            let expected: &[Standing] = match look.change.wave.cmp(&wave) {
                std::cmp::Ordering::Less => &[Before, After],
                std::cmp::Ordering::Equal => &[Before, Restored, After],
                std::cmp::Ordering::Greater => back,
            };
            !look.is(expected) || look.has_foreign_digest()
        });
        let nothing_left = self
            .looks
            .iter()
            .all(|look| look.change.wave > wave || look.is(back));
        if !misfits.is_empty() && !nothing_left {
            return Decision::Stuck(misfits);
        }
        let torn = ids(in_wave().filter(|look| {
            look.is_taken_back() && look.found.digest != DigestSight::Fits && !look.has_foreign_digest()
        }));
        if !torn.is_empty() {
            return Decision::Do(Step::RepairDigests(torn));
        }
        let open = ids(in_wave().filter(|look| look.is(&[After])));
        if !open.is_empty() {
            return Decision::Do(Step::Restore(open));
        }
        self.next_undo_wave(wave)
    }

    /// Goes on with the highest wave below the given one in which something is still to be taken back.
    fn next_undo_wave(&self, below: u32) -> Decision {
        let open = |wave: u32| {
            self.looks
                .iter()
                .any(|look| look.is_written_in(wave) && look.is(&[After]))
        };
        let next = self
            .journal
            .waves()
            .iter()
            .rev()
            .find(|&&wave| wave < below && open(wave));
        match next {
            Some(&wave) => record(Event::UndoWaveIntended {
                wave,
                writes: self.writes(wave, |change| Writing {
                    state: change.id.clone(),
                    before: Some(change.after.sha256),
                    after: self.journal.restored(&change.id).map(|restored| restored.sha256),
                }),
            }),
            None => record(Event::UndoReleaseIntended),
        }
    }

    fn release(&self, goes: impl Fn(&StateChange) -> bool, then: Event) -> Decision {
        let held: Vec<StateId> = self
            .looks
            .iter()
            .filter(|look| goes(look.change) && self.observed.locks.contains(&look.change.id))
            .map(|look| look.change.id.clone())
            .collect();
        if held.is_empty() {
            record(then)
        } else {
            Decision::Do(Step::Unlock(held))
        }
    }

    fn originals(&self) -> Vec<Original> {
        let original = |look: &Look<'_>| {
            Some(Original {
                state: look.change.id.clone(),
                version_id: look.found.version_id.clone()?,
            })
        };
        self.looks.iter().filter_map(original).collect()
    }

    fn writes_intended(&self, originals: Vec<Original>) -> Event {
        let write = |change: &StateChange| Writing {
            state: change.id.clone(),
            before: change.before.as_ref().map(|before| before.sha256),
            after: Some(change.after.sha256),
        };
        let waves = self.journal.waves().iter();
        Event::WritesIntended {
            originals,
            writes: waves.flat_map(|&wave| self.writes(wave, write)).collect(),
        }
    }

    fn writes(&self, wave: u32, make: impl Fn(&StateChange) -> Writing) -> Vec<Writing> {
        self.looks
            .iter()
            .filter(|look| look.is_written_in(wave))
            .map(|look| make(look.change))
            .collect()
    }

    fn misfits(&self, is_one: impl Fn(&Look<'_>) -> bool) -> Vec<Misfit> {
        self.looks
            .iter()
            .filter(|look| is_one(look))
            .map(Look::misfit)
            .collect()
    }
}

fn record(event: Event) -> Decision {
    Decision::Do(Step::Record(event))
}

fn ids<'a>(looks: impl Iterator<Item = &'a Look<'a>>) -> Vec<StateId> {
    looks.map(|look| look.change.id.clone()).collect()
}

#[cfg(test)]
mod crashes;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
