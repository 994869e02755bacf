//! One state in a decision: what was seen of it, where that is, and what our own writes explain of it.

use crate::journal::StateChange;
use crate::journal::standing::{DigestSight, Misfit, Sighting, Standing};

use Standing::{After, Before, Neither, Restored};

/// A state, what was seen of it, and where that is.
pub(super) struct Look<'a> {
    pub(super) change: &'a StateChange,
    pub(super) found: Sighting,
    pub(super) standing: Standing,
}

impl Look<'_> {
    pub(super) fn misfit(&self) -> Misfit {
        Misfit {
            change: self.change.clone(),
            found: self.found.clone(),
            standing: self.standing,
        }
    }

    pub(super) fn is(&self, standings: &[Standing]) -> bool {
        standings.contains(&self.standing)
    }

    /// Tells whether the digest is that of other bytes.
    pub(super) fn digest_differs(&self) -> bool {
        matches!(self.found.digest, DigestSight::Differs(_))
    }

    /// Tells whether the digest is that of other bytes, and not of those that stood before a write of ours that was cut
    /// off before its digest. Only what such a write explains may be repaired.
    pub(super) fn has_foreign_digest(&self) -> bool {
        let DigestSight::Differs(stored) = self.found.digest else {
            return false;
        };
        let before = self.change.before.as_ref().map(|before| before.md5);
        let after = Some(self.change.after.md5);
        let ours = match self.standing {
            After => [before, None],
            Restored => [before, after],
            // Deleted by an undo.
            Before if self.change.is_new() => [after, None],
            // What exists and is as before was not written at all.
            Before | Neither => [None, None],
        };
        !ours.contains(&Some(stored))
    }

    /// Tells whether an undo has taken the state back; one that exists and is as before never needed it.
    pub(super) fn is_taken_back(&self) -> bool {
        self.is(&[Restored]) || (self.is(&[Before]) && self.change.is_new())
    }

    /// Tells whether the state is one that the migration writes in this wave.
    pub(super) fn is_written_in(&self, wave: u32) -> bool {
        self.change.wave == wave && !self.change.is_unchanged()
    }
}
