//! What identifies a version of a state: its lineage, its serial, and how two versions relate.

use std::fmt;

use crate::stack::uuid_layout;

/// The lineage of a state: given once, at creation, and compared byte for byte. Empty in some hand-made states, which
/// switches Terraform's check off.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lineage(String);

impl Lineage {
    /// Wraps a lineage as it was read.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Makes a fresh lineage of random bytes, in the form Terraform gives it (8-4-4-4-12 lower-case hex digits).
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid_layout(bytes))
    }

    /// Returns the lineage as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the state has no lineage.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The serial of a state: counts its writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(pub u64);

impl Serial {
    /// The serial of the first version of a new state.
    pub const FIRST: Self = Self(1);

    /// Returns the serial of the next version; none after the last number there is.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The head of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateMeta {
    /// Version of the program that wrote the state; may be empty.
    pub terraform_version: String,
    /// Number of this version of the state.
    pub serial: Serial,
    /// Which history it belongs to.
    pub lineage: Lineage,
}

/// How one version of a state relates to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Same lineage, same serial. The content may still differ: compare hashes.
    Same,
    /// Same lineage, lower serial.
    Older,
    /// Same lineage, higher serial.
    Newer,
    /// Different lineages: two states that have nothing to do with each other.
    Unrelated,
    /// At least one of them has no lineage; nothing can be said.
    Unknown,
}

impl StateMeta {
    /// Tells how this version relates to another.
    pub fn compare(&self, other: &Self) -> Relation {
        if self.lineage.is_empty() || other.lineage.is_empty() {
            return Relation::Unknown;
        }
        if self.lineage != other.lineage {
            return Relation::Unrelated;
        }
        match self.serial.cmp(&other.serial) {
            std::cmp::Ordering::Less => Relation::Older,
            std::cmp::Ordering::Equal => Relation::Same,
            std::cmp::Ordering::Greater => Relation::Newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(lineage: &str, serial: u64) -> StateMeta {
        StateMeta {
            terraform_version: "1.5.7".into(),
            serial: Serial(serial),
            lineage: Lineage::new(lineage),
        }
    }

    #[test]
    fn compares_versions() {
        for (left, right, expected) in [
            (meta("a", 1), meta("a", 1), Relation::Same),
            (meta("a", 1), meta("a", 2), Relation::Older),
            (meta("a", u64::MAX), meta("a", 2), Relation::Newer),
            (meta("a", 1), meta("A", 1), Relation::Unrelated),
            (meta("", 1), meta("a", 1), Relation::Unknown),
            (meta("a", 1), meta("", 1), Relation::Unknown),
        ] {
            assert_eq!(left.compare(&right), expected);
        }
    }

    #[test]
    fn makes_lineages_in_the_usual_form() {
        let lineage = Lineage::from_random(*b"\x3f\x0c\x00\xff0123456789ab");
        assert_eq!(lineage.as_str(), "3f0c00ff-3031-3233-3435-363738396162");
        assert_eq!(Serial(u64::MAX).next(), None);
        assert_eq!(Serial::FIRST.next(), Some(Serial(2)));
    }
}
