//! The state machine of a migration: which event may follow which.

use std::fmt;

use thiserror::Error;

use super::event::Event;

/// How far a migration got, as its journal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Locks may be held and backups may be there; nothing was written.
    Preparing,
    /// States of the waves up to this one may be written, each wave after the one before.
    Writing(u32),
    /// Everything is written and read back; locks may be gone.
    Releasing,
    /// Done but for the fence.
    Fenced,
    /// The fence may be gone.
    ReleasingFence,
    /// Done.
    Completed,
    /// Nothing was written; locks may be gone.
    Aborting,
    /// Nothing was written, nothing is held.
    Aborted,
    /// An undo takes its locks; nothing was restored.
    UndoLocking(UndoFrom),
    /// States of this wave may be restored, those of later waves are.
    Undoing(u32),
    /// Everything is as before; locks may be gone.
    UndoReleasing,
    /// All is as before.
    Undone,
    /// An undo was refused; the locks it took may be gone.
    UndoAborting(UndoFrom),
    /// The migration ended so; its backups may be gone.
    Discarding(Finished),
    /// The migration ended so; its backups are gone.
    Discarded(Finished),
}

/// From where an undo set out: where the migration stands again if the undo is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UndoFrom {
    /// From [`Phase::Writing`].
    Writing(u32),
    /// From [`Phase::Releasing`].
    Releasing,
    /// From [`Phase::Fenced`].
    Fenced,
    /// From [`Phase::ReleasingFence`].
    ReleasingFence,
    /// From [`Phase::Completed`].
    Completed,
}

impl UndoFrom {
    /// Returns the phase itself.
    pub fn phase(self) -> Phase {
        match self {
            Self::Writing(wave) => Phase::Writing(wave),
            Self::Releasing => Phase::Releasing,
            Self::Fenced => Phase::Fenced,
            Self::ReleasingFence => Phase::ReleasingFence,
            Self::Completed => Phase::Completed,
        }
    }

    /// Tells whether every write had been verified, so that others may have gone on since.
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Writing(_))
    }

    fn of(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Writing(wave) => Some(Self::Writing(wave)),
            Phase::Releasing => Some(Self::Releasing),
            Phase::Fenced => Some(Self::Fenced),
            Phase::ReleasingFence => Some(Self::ReleasingFence),
            Phase::Completed => Some(Self::Completed),
            _ => None,
        }
    }
}

/// The ways a migration can be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finished {
    /// Done, but the source stays locked.
    Fenced,
    /// Done.
    Completed,
    /// Given up before anything was written.
    Aborted,
    /// Walked back.
    Undone,
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fenced => "fenced",
            Self::Completed => "completed",
            Self::Aborted => "aborted",
            Self::Undone => "undone",
        })
    }
}

impl Phase {
    /// Returns how the migration ended, if it did.
    pub fn finished(self) -> Option<Finished> {
        match self {
            Self::Fenced => Some(Finished::Fenced),
            Self::Completed => Some(Finished::Completed),
            Self::Aborted => Some(Finished::Aborted),
            Self::Undone => Some(Finished::Undone),
            Self::Discarded(finished) => Some(finished),
            _ => None,
        }
    }

    /// Tells whether an undo is under way.
    pub fn is_undo(self) -> bool {
        matches!(
            self,
            Self::UndoLocking(_)
                | Self::Undoing(_)
                | Self::UndoReleasing
                | Self::UndoAborting(_)
                | Self::Undone
        )
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preparing => f.write_str("taking locks and copying originals"),
            Self::Writing(_) => f.write_str("writing states"),
            Self::Releasing => f.write_str("releasing locks"),
            Self::Fenced => write!(f, "{}", Finished::Fenced),
            Self::ReleasingFence => f.write_str("releasing the fence"),
            Self::Completed => write!(f, "{}", Finished::Completed),
            Self::Aborting => f.write_str("giving up"),
            Self::Aborted => write!(f, "{}", Finished::Aborted),
            Self::UndoLocking(_) => f.write_str("taking locks for undo"),
            Self::Undoing(wave) => write!(f, "undoing wave {wave}"),
            Self::UndoReleasing => f.write_str("releasing locks after undo"),
            Self::Undone => write!(f, "{}", Finished::Undone),
            Self::UndoAborting(_) => f.write_str("giving up the undo"),
            Self::Discarding(finished) => write!(f, "{finished}, deleting its backups"),
            Self::Discarded(finished) => write!(f, "{finished}, without backups"),
        }
    }
}

/// An event that cannot follow what the journal says so far.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("`{event}` cannot follow while the migration is {}", phase.map_or_else(|| "not started".to_owned(), |phase| phase.to_string()))]
pub struct IllegalEvent {
    /// Where the migration stands; `None` before the first record.
    pub phase: Option<Phase>,
    /// The event's name.
    pub event: &'static str,
}

/// Returns the phase after an event. `waves` are the waves that write something, in order.
///
/// # Errors
///
/// An event that may not stand here. Never panics.
pub fn next_phase(phase: Option<Phase>, event: &Event, waves: &[u32]) -> Result<Phase, IllegalEvent> {
    let illegal = IllegalEvent {
        phase,
        event: event.name(),
    };
    let Some(now) = phase else {
        return match event {
            Event::Started(_) => Ok(Phase::Preparing),
            _ => Err(illegal),
        };
    };
    if event.is_note() {
        return Ok(now);
    }
    let next_wave = |wave: Option<u32>| match wave {
        None => waves.first().copied(),
        Some(wave) => waves.iter().copied().find(|&next| next > wave),
    };
    let next = match (now, event) {
        (Phase::Preparing, Event::BackupsIntended { .. }) => Phase::Preparing,
        (Phase::Preparing, Event::AbortIntended { .. }) => Phase::Aborting,
        // By whom had announced writes, and begun none.
        (Phase::Writing(_), Event::AbortIntended { .. }) => Phase::Aborting,
        (Phase::Aborting, Event::Aborted) => Phase::Aborted,
        (Phase::Preparing, Event::WaveIntended { wave, .. }) if next_wave(None) == Some(*wave) => {
            Phase::Writing(*wave)
        }
        (Phase::Writing(done), Event::WaveIntended { wave, .. }) if next_wave(Some(done)) == Some(*wave) => {
            Phase::Writing(*wave)
        }
        (Phase::Preparing | Phase::Writing(_), Event::WritesIntended { .. }) => match waves.last() {
            Some(&last) if now != Phase::Writing(last) => Phase::Writing(last),
            _ => return Err(illegal),
        },
        (Phase::Preparing, Event::ReleaseIntended) if waves.is_empty() => Phase::Releasing,
        (Phase::Writing(done), Event::ReleaseIntended) if next_wave(Some(done)).is_none() => Phase::Releasing,
        (Phase::Releasing, Event::Fenced) => Phase::Fenced,
        (Phase::Releasing | Phase::ReleasingFence, Event::Completed) => Phase::Completed,
        (Phase::Fenced, Event::FenceReleaseIntended) => Phase::ReleasingFence,
        (from, Event::UndoStarted { .. }) => match UndoFrom::of(from) {
            Some(from) => Phase::UndoLocking(from),
            None => return Err(illegal),
        },
        (Phase::UndoLocking(_), Event::UndoWaveIntended { wave, .. }) if waves.contains(wave) => {
            Phase::Undoing(*wave)
        }
        (Phase::Undoing(done), Event::UndoWaveIntended { wave, .. })
            if waves.contains(wave) && *wave < done =>
        {
            Phase::Undoing(*wave)
        }
        (Phase::UndoLocking(_) | Phase::Undoing(_), Event::UndoReleaseIntended) => Phase::UndoReleasing,
        (Phase::UndoReleasing, Event::Undone) => Phase::Undone,
        (Phase::UndoLocking(from), Event::UndoAbortIntended { .. }) => Phase::UndoAborting(from),
        (Phase::UndoAborting(from), Event::UndoAborted) => from.phase(),
        (Phase::Completed, Event::DiscardIntended) => Phase::Discarding(Finished::Completed),
        (Phase::Aborted, Event::DiscardIntended) => Phase::Discarding(Finished::Aborted),
        (Phase::Undone, Event::DiscardIntended) => Phase::Discarding(Finished::Undone),
        (Phase::Discarding(finished), Event::Discarded) => Phase::Discarded(finished),
        _ => return Err(illegal),
    };
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::decide::testing::migration;

    const WAVES: [u32; 2] = [0, 1];

    fn events() -> Vec<Event> {
        let reason = || String::from("why");
        let wave = |wave| Event::WaveIntended {
            wave,
            originals: vec![],
            writes: vec![],
        };
        let undo_wave = |wave| Event::UndoWaveIntended { wave, writes: vec![] };
        vec![
            Event::Started(Box::new(migration())),
            Event::BackupsIntended { originals: vec![] },
            wave(0),
            wave(1),
            wave(7),
            Event::WritesIntended {
                originals: vec![],
                writes: vec![],
            },
            Event::ReleaseIntended,
            Event::Fenced,
            Event::FenceReleaseIntended,
            Event::Completed,
            Event::AbortIntended { reason: reason() },
            Event::Aborted,
            Event::UndoStarted { images: vec![] },
            undo_wave(0),
            undo_wave(1),
            undo_wave(7),
            Event::UndoReleaseIntended,
            Event::Undone,
            Event::UndoAbortIntended { reason: reason() },
            Event::UndoAborted,
            Event::DiscardIntended,
            Event::Discarded,
            Event::Resumed,
            Event::FoundStuck { states: vec![] },
        ]
    }

    /// Every legal transition, as one table; the rest is illegal.
    #[test]
    fn the_whole_machine() {
        let mut seen = vec![None];
        let mut lines = Vec::new();
        let mut at = 0;
        while at < seen.len() {
            let phase: Option<Phase> = seen[at];
            at += 1;
            let mut legal = Vec::new();
            for event in events() {
                let Ok(next) = next_phase(phase, &event, &WAVES) else {
                    continue;
                };
                if event.is_note() {
                    assert_eq!(Some(next), phase);
                    continue;
                }
                if !seen.contains(&Some(next)) {
                    seen.push(Some(next));
                }
                let name = match &event {
                    Event::WaveIntended { wave, .. } | Event::UndoWaveIntended { wave, .. } => {
                        format!("{}({wave})", event.name())
                    }
                    _ => event.name().to_owned(),
                };
                legal.push(format!("{name} -> {next:?}"));
            }
            let phase = phase.map_or("none".to_owned(), |phase| format!("{phase:?}"));
            lines.push(format!("{phase}: {}", legal.join(", ")).trim_end().to_owned());
        }
        lines.sort();
        insta::assert_snapshot!(lines.join("\n"), @r"
        Aborted: discard_intended -> Discarding(Aborted)
        Aborting: aborted -> Aborted
        Completed: undo_started -> UndoLocking(Completed), discard_intended -> Discarding(Completed)
        Discarded(Aborted):
        Discarded(Completed):
        Discarded(Undone):
        Discarding(Aborted): discarded -> Discarded(Aborted)
        Discarding(Completed): discarded -> Discarded(Completed)
        Discarding(Undone): discarded -> Discarded(Undone)
        Fenced: fence_release_intended -> ReleasingFence, undo_started -> UndoLocking(Fenced)
        Preparing: backups_intended -> Preparing, wave_intended(0) -> Writing(0), writes_intended -> Writing(1), abort_intended -> Aborting
        Releasing: fenced -> Fenced, completed -> Completed, undo_started -> UndoLocking(Releasing)
        ReleasingFence: completed -> Completed, undo_started -> UndoLocking(ReleasingFence)
        UndoAborting(Completed): undo_aborted -> Completed
        UndoAborting(Fenced): undo_aborted -> Fenced
        UndoAborting(Releasing): undo_aborted -> Releasing
        UndoAborting(ReleasingFence): undo_aborted -> ReleasingFence
        UndoAborting(Writing(0)): undo_aborted -> Writing(0)
        UndoAborting(Writing(1)): undo_aborted -> Writing(1)
        UndoLocking(Completed): undo_wave_intended(0) -> Undoing(0), undo_wave_intended(1) -> Undoing(1), undo_release_intended -> UndoReleasing, undo_abort_intended -> UndoAborting(Completed)
        UndoLocking(Fenced): undo_wave_intended(0) -> Undoing(0), undo_wave_intended(1) -> Undoing(1), undo_release_intended -> UndoReleasing, undo_abort_intended -> UndoAborting(Fenced)
        UndoLocking(Releasing): undo_wave_intended(0) -> Undoing(0), undo_wave_intended(1) -> Undoing(1), undo_release_intended -> UndoReleasing, undo_abort_intended -> UndoAborting(Releasing)
        UndoLocking(ReleasingFence): undo_wave_intended(0) -> Undoing(0), undo_wave_intended(1) -> Undoing(1), undo_release_intended -> UndoReleasing, undo_abort_intended -> UndoAborting(ReleasingFence)
        UndoLocking(Writing(0)): undo_wave_intended(0) -> Undoing(0), undo_wave_intended(1) -> Undoing(1), undo_release_intended -> UndoReleasing, undo_abort_intended -> UndoAborting(Writing(0))
        UndoLocking(Writing(1)): undo_wave_intended(0) -> Undoing(0), undo_wave_intended(1) -> Undoing(1), undo_release_intended -> UndoReleasing, undo_abort_intended -> UndoAborting(Writing(1))
        UndoReleasing: undone -> Undone
        Undoing(0): undo_release_intended -> UndoReleasing
        Undoing(1): undo_wave_intended(0) -> Undoing(0), undo_release_intended -> UndoReleasing
        Undone: discard_intended -> Discarding(Undone)
        Writing(0): wave_intended(1) -> Writing(1), writes_intended -> Writing(1), abort_intended -> Aborting, undo_started -> UndoLocking(Writing(0))
        Writing(1): release_intended -> Releasing, abort_intended -> Aborting, undo_started -> UndoLocking(Writing(1))
        none: started -> Preparing
        ");
    }

    #[test]
    fn a_migration_without_writes_goes_straight_to_release() {
        assert_eq!(
            next_phase(Some(Phase::Preparing), &Event::ReleaseIntended, &[]),
            Ok(Phase::Releasing)
        );
        let refused = next_phase(Some(Phase::Preparing), &Event::ReleaseIntended, &WAVES).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`release_intended` cannot follow while the migration is taking locks and copying originals"
        );
        assert_eq!(
            next_phase(None, &Event::Resumed, &WAVES).unwrap_err().to_string(),
            "`resumed` cannot follow while the migration is not started"
        );
    }
}
