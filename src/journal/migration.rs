//! What a migration is, as its journal's first record says it: states, hashes, order. No content of a state.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::stack::{LockId, StateId};
use crate::state::{Fingerprint, Serial};

/// Names one migration of one environment; part of object keys and of what people type.
///
/// Lower-case letters, digits and `-`, at most 80, starting with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MigrationId(String);

/// A text that cannot be a migration's ID.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not a migration ID: expected lower-case letters, digits and `-` (at most 80)")]
pub struct InvalidMigrationId {
    /// The refused text.
    pub text: String,
}

impl MigrationId {
    /// Returns the ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MigrationId {
    type Err = InvalidMigrationId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > 80 || text.starts_with('-') || !text.chars().all(fits) {
            return Err(InvalidMigrationId {
                text: text.to_owned(),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One state that a migration changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Which state.
    pub id: StateId,
    /// Where it is, in words people know (`bucket/key` or a path); also the order in which locks are taken.
    pub place: String,
    /// The ID under which we lock it.
    pub lock: LockId,
    /// When it is written: wave 0 first, and a wave only after the one before was read back. A state may lose objects
    /// only to states of lower waves (see [`waves`](super::waves)).
    pub wave: u32,
    /// Whether its lock stays after the last write, until the code no longer declares what it lost.
    pub fence: bool,
    /// What the plan saw; `None` where there must be no state.
    pub before: Option<Fingerprint>,
    /// What will be there.
    pub after: Fingerprint,
}

impl StateChange {
    /// Tells whether the content stays as it is, so that nothing is written.
    pub fn is_unchanged(&self) -> bool {
        self.before
            .as_ref()
            .is_some_and(|before| before.sha256 == self.after.sha256)
    }

    /// Tells whether the state is created by the migration.
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }
}

/// One migration of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its name.
    pub id: MigrationId,
    /// The states, each once, in the order in which their locks are taken.
    states: Vec<StateChange>,
    /// The saved plan as JSON text: addresses and hashes. With the originals it gives every result again.
    pub plan: String,
}

/// A list of states that no migration can have.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidMigration {
    /// Nothing to do.
    #[error("the migration changes no state")]
    NoStates,
    /// Named twice.
    #[error("state `{0}` is listed twice")]
    Twice(StateId),
    /// Two states in one place.
    #[error("two states have the same place: {0}")]
    SamePlace(String),
    /// An ID used for two locks, or an empty one.
    #[error("lock ID `{0}` is empty or used twice")]
    LockId(LockId),
    /// An existing state would change its lineage, or not rise by one.
    #[error("state `{0}` must keep its lineage and its serial must rise by one")]
    Succession(StateId),
    /// A new state must start at serial 1 with a lineage.
    #[error("new state `{0}` must have a lineage and serial 1")]
    Beginning(StateId),
}

impl Migration {
    /// Checks the states and puts them into the order in which their locks are taken (by place, byte-wise).
    ///
    /// # Errors
    ///
    /// Anything that would break the rules about lineage and serial, and every ambiguity.
    pub fn new(
        id: MigrationId,
        mut states: Vec<StateChange>,
        plan: String,
    ) -> Result<Self, InvalidMigration> {
        if states.is_empty() {
            return Err(InvalidMigration::NoStates);
        }
        states.sort_by(|a, b| a.place.cmp(&b.place));
        let mut ids = BTreeSet::new();
        let mut locks = BTreeSet::new();
        for pair in states.windows(2) {
            if pair[0].place == pair[1].place {
                return Err(InvalidMigration::SamePlace(pair[0].place.clone()));
            }
        }
        for state in &states {
            if !ids.insert(&state.id) {
                return Err(InvalidMigration::Twice(state.id.clone()));
            }
            if state.lock.as_str().is_empty() || !locks.insert(&state.lock) {
                return Err(InvalidMigration::LockId(state.lock.clone()));
            }
            check_succession(state)?;
        }
        Ok(Self { id, states, plan })
    }

    /// Returns the states in the order in which their locks are taken.
    pub fn states(&self) -> &[StateChange] {
        &self.states
    }

    /// Returns one state.
    pub fn state(&self, id: &StateId) -> Option<&StateChange> {
        self.states.iter().find(|state| &state.id == id)
    }

    /// Returns the state beside which the journal lies: the first source that changes, or else the first source.
    ///
    /// People know where their sources are; a stack that goes back into one may be cleared away.
    pub fn home(&self) -> &StateId {
        let sources = || {
            self.states
                .iter()
                .filter(|state| matches!(state.id, StateId::Source(_)))
        };
        let changed = sources().find(|state| !state.is_unchanged());
        let home = changed.or_else(|| sources().next()).unwrap_or(&self.states[0]);
        &home.id
    }

    /// Returns the waves that write something, in order.
    pub fn waves(&self) -> Vec<u32> {
        let waves: BTreeSet<u32> = self
            .states
            .iter()
            .filter(|state| !state.is_unchanged())
            .map(|state| state.wave)
            .collect();
        waves.into_iter().collect()
    }

    /// Returns the states whose lock stays as a fence.
    pub fn fenced(&self) -> impl Iterator<Item = &StateChange> {
        self.states.iter().filter(|state| state.fence)
    }
}

fn check_succession(state: &StateChange) -> Result<(), InvalidMigration> {
    let Some(before) = &state.before else {
        let begins = state.after.serial == Serial::FIRST && !state.after.lineage.is_empty();
        return if begins {
            Ok(())
        } else {
            Err(InvalidMigration::Beginning(state.id.clone()))
        };
    };
    let rises = before.serial.next() == Some(state.after.serial) && before.lineage == state.after.lineage;
    if rises || state.is_unchanged() {
        Ok(())
    } else {
        Err(InvalidMigration::Succession(state.id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::decide::testing::{change, migration};
    use crate::state::Lineage;

    #[test]
    fn ids_fit_into_keys() {
        for good in ["a", "20261125-acme-9f3a", "0"] {
            assert_eq!(good.parse::<MigrationId>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "A", "a/b", "..", "é", &"a".repeat(81)] {
            assert!(bad.parse::<MigrationId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn refuses_what_breaks_the_rules() {
        let id: MigrationId = "m".parse().unwrap();
        let good = migration().states().to_vec();
        let make = |states: Vec<StateChange>| Migration::new(id.clone(), states, String::new());
        assert_eq!(make(vec![]).unwrap_err(), InvalidMigration::NoStates);
        let edit = |at: usize, edit: &dyn Fn(&mut StateChange)| {
            let mut states = good.clone();
            edit(&mut states[at]);
            make(states).unwrap_err()
        };
        let source = good.iter().position(|s| s.id.to_string() == "mono").unwrap();
        let fresh = good.iter().position(StateChange::is_new).unwrap();
        assert!(matches!(
            edit(source, &|s| s.after.serial = Serial(9)),
            InvalidMigration::Succession(_)
        ));
        assert!(matches!(
            edit(source, &|s| s.after.lineage = Lineage::new("other")),
            InvalidMigration::Succession(_)
        ));
        assert!(matches!(
            edit(fresh, &|s| s.after.serial = Serial(2)),
            InvalidMigration::Beginning(_)
        ));
        assert!(matches!(
            edit(0, &|s| s.lock = LockId::new("")),
            InvalidMigration::LockId(_)
        ));
        assert!(matches!(
            edit(0, &|s| s.lock = good[1].lock.clone()),
            InvalidMigration::LockId(_)
        ));
        assert!(matches!(
            edit(0, &|s| s.place = good[1].place.clone()),
            InvalidMigration::SamePlace(_)
        ));
        assert!(matches!(
            edit(0, &|s| s.id = good[1].id.clone()),
            InvalidMigration::Twice(_)
        ));
    }

    #[test]
    fn locks_are_sorted_and_the_journal_lies_beside_a_source() {
        let migration = migration();
        let places: Vec<_> = migration.states().iter().map(|s| s.place.as_str()).collect();
        assert_eq!(places, ["b/a", "b/mono", "b/n"]);
        assert_eq!(migration.home().to_string(), "mono");
        assert_eq!(migration.waves(), [0, 1]);
        let unchanged = {
            let mut state = change("x", "b/x", 7, Some(("l", 3)), ("l", 4));
            state.after = state.before.clone().unwrap();
            state
        };
        assert!(unchanged.is_unchanged());
        let both = Migration::new(migration.id.clone(), vec![unchanged], String::new()).unwrap();
        assert!(both.waves().is_empty());
    }
}
