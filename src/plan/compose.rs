//! The migration plan of a computation, and the computation of a plan again from the original states.
//!
//! A plan holds addresses and hashes, never content. With the originals it gives every result again, byte for byte:
//! that is how `resume` works on another machine, and how a saved plan is executed.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::PlanFile;
use super::compute::{Computed, changes};
use super::migration::{After, Before, MigrationPlan, PlanFault, PlannedState, Role, StackDependency};
use super::preset::{self, PresetError};
use crate::graph::EdgeKind;
use crate::moves::{ConservationError, MoveError, NewState, StateInput, States, apply, conserve};
use crate::stack::{StateId, StateLocation};
use crate::state::{Fingerprint, Snapshot};

impl Computed {
    /// Puts the plan together: where every state lives, what it was, what it will be.
    ///
    /// `snapshots` are the states as they were read, `prints` those of the new states, as they were taken. A stack that gets nothing is not part of the plan.
    ///
    /// # Errors
    ///
    /// A fault of the plan as a whole; none is expected after a successful computation.
    pub fn migration(
        &self,
        plan: &PlanFile,
        environment: &str,
        locations: &BTreeMap<StateId, StateLocation>,
        snapshots: &BTreeMap<StateId, Snapshot>,
        prints: &BTreeMap<StateId, Fingerprint>,
    ) -> Result<MigrationPlan, PlanFault> {
        let mut states = Vec::new();
        for id in plan.write_order() {
            let Some(location) = locations.get(&id) else {
                continue;
            };
            let before = snapshots.get(&id);
            let written = prints.get(&id);
            if before.is_none() && written.is_none() {
                continue;
            }
            states.push(PlannedState {
                role: self.assignment.role(&id).unwrap_or(Role::Gives),
                location: location.clone(),
                before: before.map_or(Before::Absent, |snapshot| {
                    Before::Exists(Fingerprint::of(snapshot))
                }),
                after: written.map_or(After::Unchanged, |print| After::Written(print.clone())),
                id,
            });
        }
        let migration = MigrationPlan {
            name: plan.name.value.clone(),
            environment: environment.to_owned(),
            states,
            moves: self.assignment.instances.clone(),
            outputs: self.assignment.outputs.clone(),
            presets: self.presets.clone(),
            dependencies: self.dependencies(),
            warnings: self
                .assignment
                .warnings
                .iter()
                .map(|found| found.message.clone())
                .collect(),
        };
        migration.check()?;
        Ok(migration)
    }

    fn dependencies(&self) -> Vec<StackDependency> {
        let mut counted: BTreeMap<(&StateId, &StateId), (usize, usize)> = BTreeMap::new();
        for cut in &self.stacks.cut {
            let (values, ordering) = counted.entry((&cut.from, &cut.to)).or_default();
            match cut.edge.kind {
                EdgeKind::Value => *values += 1,
                EdgeKind::Ordering => *ordering += 1,
            }
        }
        let listed = counted
            .into_iter()
            .map(|((consumer, producer), (values, ordering))| StackDependency {
                consumer: consumer.clone(),
                producer: producer.clone(),
                values,
                ordering,
            });
        listed.collect()
    }
}

/// Why a plan does not give its results again.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// An original is not the one that the plan saw.
    #[error("the original of `{0}` is not the state that the plan was made from")]
    WrongOriginal(StateId),
    /// The plan has a state before, and no original was given.
    #[error("the original of `{0}` is missing")]
    NoOriginal(StateId),
    /// No source is among the states.
    #[error("the plan has no source with a state")]
    NoSource,
    /// An output cannot be given its value.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The moves cannot be made.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// The result is not conserved.
    #[error(transparent)]
    Conservation(#[from] ConservationError),
    /// The result is another one than planned.
    #[error("computing `{0}` again gives another result than the plan expects")]
    OtherResult(StateId),
}

impl MigrationPlan {
    /// Computes the results again from the originals: every state that is written, with its bytes.
    ///
    /// # Errors
    ///
    /// Originals that are not those of the plan, and results that are not the expected ones, byte for byte.
    pub fn replay(
        &self,
        originals: &BTreeMap<StateId, Snapshot>,
    ) -> Result<BTreeMap<StateId, Vec<u8>>, ReplayError> {
        let source = originals.iter().find(|(id, _)| matches!(id, StateId::Source(_)));
        let (_, source) = source.ok_or(ReplayError::NoSource)?;
        let mut states: States<'_> = BTreeMap::new();
        for state in &self.states {
            let input = match (&state.before, originals.get(&state.id)) {
                (Before::Exists(expected), Some(found)) if Fingerprint::of(found) == *expected => {
                    StateInput::Existing(found)
                }
                (Before::Exists(_), Some(_)) => return Err(ReplayError::WrongOriginal(state.id.clone())),
                (Before::Exists(_), None) => return Err(ReplayError::NoOriginal(state.id.clone())),
                (Before::Absent, _) => {
                    let After::Written(after) = &state.after else {
                        continue;
                    };
                    StateInput::New(NewState::like(source, after.lineage.clone()))
                }
            };
            states.insert(state.id.clone(), input);
        }
        let mut changes = changes(self.moves.clone(), &self.outputs);
        let read: BTreeMap<StateId, &Snapshot> = originals
            .iter()
            .map(|(id, snapshot)| (id.clone(), snapshot))
            .collect();
        changes.set_outputs = preset::values(&self.presets, &read)?;
        let conserved = conserve(&states, &changes, apply(&states, &changes)?)?;
        let mut results = BTreeMap::new();
        for (id, outcome) in conserved.states {
            if let crate::moves::StateOutcome::Written(snapshot) = outcome {
                results.insert(id, snapshot);
            }
        }
        self.compare(&results)?;
        Ok(results
            .into_iter()
            .map(|(id, snapshot)| (id, snapshot.into_bytes()))
            .collect())
    }

    fn compare(&self, results: &BTreeMap<StateId, Box<Snapshot>>) -> Result<(), ReplayError> {
        let mut expected = BTreeSet::new();
        for state in &self.states {
            if let After::Written(after) = &state.after {
                expected.insert(&state.id);
                if results
                    .get(&state.id)
                    .is_none_or(|found| Fingerprint::of(found) != *after)
                {
                    return Err(ReplayError::OtherResult(state.id.clone()));
                }
            }
        }
        match results.keys().find(|id| !expected.contains(id)) {
            Some(surplus) => Err(ReplayError::OtherResult(surplus.clone())),
            None => Ok(()),
        }
    }
}
