//! Where a state was found: at one of the hashes the journal knows, or at none of them.

use super::migration::StateChange;
use crate::state::{Fingerprint, Lineage, Md5Digest, Serial, Sha256Digest};

/// What the digest item beside a state says about the bytes that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestSight {
    /// It agrees, or this backend keeps none.
    Fits,
    /// There is none, though this backend keeps one.
    Missing,
    /// It is another object's.
    Differs(Md5Digest),
}

/// One look at one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Hash of what is there; `None` where no state is.
    pub sha256: Option<Sha256Digest>,
    /// What the bytes say they are, where they can be read at all.
    pub head: Option<(Lineage, Serial)>,
    /// The digest item.
    pub digest: DigestSight,
    /// The version ID in a bucket that keeps versions.
    pub version_id: Option<String>,
}

impl Sighting {
    /// The sight of no state and no digest.
    pub fn absent() -> Self {
        Self {
            sha256: None,
            head: None,
            digest: DigestSight::Fits,
            version_id: None,
        }
    }
}

/// Which known version a state is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// As the plan saw it.
    Before,
    /// As the plan wants it.
    After,
    /// As an undo wants it: the original content under a higher serial.
    Restored,
    /// None of these: someone else wrote.
    Neither,
}

/// A state that is not where it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Which state, and what is known about it.
    pub change: StateChange,
    /// What was found.
    pub found: Sighting,
    /// Where that is.
    pub standing: Standing,
}

/// Returns where a state stands. A state that the migration leaves unchanged stands at *before*.
pub fn standing(change: &StateChange, restored: Option<&Fingerprint>, found: &Sighting) -> Standing {
    let before = change.before.as_ref().map(|before| before.sha256);
    let is = |known: Option<Sha256Digest>| found.sha256 == known;
    if is(before) {
        Standing::Before
    } else if is(Some(change.after.sha256)) {
        Standing::After
    } else if restored.is_some_and(|restored| is(Some(restored.sha256))) {
        Standing::Restored
    } else {
        Standing::Neither
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::decide::testing::{change, print, sight};

    #[test]
    fn every_version_has_its_name() {
        let known = change("a", "b/a", 0, Some(("l", 3)), ("l", 4));
        let fresh = change("n", "b/n", 0, None, ("n", 1));
        let restored = print("l", 5);
        let absent = Sighting::absent();
        for (change, found, expected) in [
            (&known, sight("l", 3), Standing::Before),
            (&known, sight("l", 4), Standing::After),
            (&known, sight("l", 5), Standing::Restored),
            (&known, sight("l", 6), Standing::Neither),
            (&known, absent.clone(), Standing::Neither),
            (&fresh, absent, Standing::Before),
            (&fresh, sight("n", 1), Standing::After),
            (&fresh, sight("n", 2), Standing::Neither),
        ] {
            assert_eq!(standing(change, Some(&restored), &found), expected);
        }
        assert_eq!(standing(&known, None, &sight("l", 5)), Standing::Neither);
    }
}
