//! What a journal can say.

use super::migration::Migration;
use crate::stack::StateId;
use crate::state::{Fingerprint, Sha256Digest};

/// One write that a record announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writing {
    /// Which state.
    pub state: StateId,
    /// The content that must be there; `None` for none.
    pub before: Option<Sha256Digest>,
    /// The content that will be there; `None` where the state is deleted.
    pub after: Option<Sha256Digest>,
}

/// The content that an undo gives a state back: the original under a higher serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Which state.
    pub state: StateId,
    /// What will be there.
    pub restored: Fingerprint,
}

/// The original of a state, as its store names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Which state.
    pub state: StateId,
    /// The version ID in a bucket that keeps versions: a second way back, besides the backup.
    pub version_id: String,
}

/// One record's content. "Intended" records are durable before the first of their effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The migration begins: its locks may be taken, and once all are held and every state equals the plan, the originals
    /// may be copied; at the latest when the first of them is to be overwritten.
    Started(Box<Migration>),
    /// Of format 1 only: all locks are held and every state equals the plan; the originals may be copied.
    BackupsIntended {
        /// Originals that the stores keep themselves.
        originals: Vec<Original>,
    },
    /// Of formats 1 and 2 only: all backups are durable and earlier waves were read back; the states of this wave may be
    /// written.
    WaveIntended {
        /// Which wave.
        wave: u32,
        /// Originals that the stores keep themselves; told with the first wave.
        originals: Vec<Original>,
        /// What will be written.
        writes: Vec<Writing>,
    },
    /// The states may be written, one wave after another: each when the earlier ones were read back, and those that exist
    /// when all backups were, too. Which wave was come to, the states say.
    WritesIntended {
        /// Originals that the stores keep themselves.
        originals: Vec<Original>,
        /// What will be written, in the order of the waves.
        writes: Vec<Writing>,
    },
    /// Every state was read back at its *after*; locks may be released, but for the fence.
    ReleaseIntended,
    /// The fence stands; everything else is done.
    Fenced,
    /// The code no longer declares what left; the fence may be released.
    FenceReleaseIntended,
    /// All done, no lock of ours is left.
    Completed,
    /// Nothing was written and nothing will be; locks may be released.
    AbortIntended {
        /// Why, in one line without any content of a state.
        reason: String,
    },
    /// Nothing was written, no lock of ours is left.
    Aborted,
    /// An undo begins: locks may be taken, in order.
    UndoStarted {
        /// The contents that existing states get back.
        images: Vec<Image>,
    },
    /// Later waves were read back; the states of this wave may be restored or deleted.
    UndoWaveIntended {
        /// Which wave.
        wave: u32,
        /// What will be written.
        writes: Vec<Writing>,
    },
    /// Every state was read back as it was; all locks may be released.
    UndoReleaseIntended,
    /// All is as before, no lock of ours is left.
    Undone,
    /// The undo is refused before its first write; the locks it took may be released.
    UndoAbortIntended {
        /// Why, in one line without any content of a state.
        reason: String,
    },
    /// The undo left no trace; the migration stands where it stood.
    UndoAborted,
    /// The migration is over and the backups of its originals may be deleted: there is no way back from here.
    DiscardIntended,
    /// No backup is left. The journal stays, as history.
    Discarded,
    /// Another process goes on from here. The one before cannot append any more.
    Resumed,
    /// States were found that are neither as before nor as after; nothing was touched.
    FoundStuck {
        /// Which, and the hash that was found (`None`: no state).
        states: Vec<(StateId, Option<Sha256Digest>)>,
    },
}

impl Event {
    /// Returns the event's name as the format spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started(_) => "started",
            Self::BackupsIntended { .. } => "backups_intended",
            Self::WaveIntended { .. } => "wave_intended",
            Self::WritesIntended { .. } => "writes_intended",
            Self::ReleaseIntended => "release_intended",
            Self::Fenced => "fenced",
            Self::FenceReleaseIntended => "fence_release_intended",
            Self::Completed => "completed",
            Self::AbortIntended { .. } => "abort_intended",
            Self::Aborted => "aborted",
            Self::UndoStarted { .. } => "undo_started",
            Self::UndoWaveIntended { .. } => "undo_wave_intended",
            Self::UndoReleaseIntended => "undo_release_intended",
            Self::Undone => "undone",
            Self::UndoAbortIntended { .. } => "undo_abort_intended",
            Self::UndoAborted => "undo_aborted",
            Self::DiscardIntended => "discard_intended",
            Self::Discarded => "discarded",
            Self::Resumed => "resumed",
            Self::FoundStuck { .. } => "found_stuck",
        }
    }

    /// Tells whether the event only notes something and leaves the phase as it is.
    pub fn is_note(&self) -> bool {
        matches!(self, Self::Resumed | Self::FoundStuck { .. })
    }
}
