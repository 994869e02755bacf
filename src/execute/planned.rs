//! From a plan to a migration, and from a migration's plan to its results.

use std::collections::BTreeMap;

use super::{Cause, Handles, Originals, Recompute, RecomputeError};
use crate::journal::{Migration, MigrationId, StateChange, waves};
use crate::plan::migration::{After, Before};
use crate::plan::{MigrationPlan, format_v1};
use crate::stack::{LockId, StateId};
use crate::state::Snapshot;

/// Gives each state its lock ID: 16 random bytes, drawn at the surface.
pub type LockIds<'a> = dyn FnMut() -> [u8; 16] + 'a;

/// Makes a migration of a plan.
///
/// `fenced` says which states keep their lock after the last write: those whose code still declares what they lose.
///
/// # Errors
///
/// A state without a store, a circle of moves, a plan that does not hold together.
pub fn migration(
    plan: &MigrationPlan,
    id: MigrationId,
    handles: &Handles,
    fenced: impl Fn(&StateId) -> bool,
    lock_ids: &mut LockIds<'_>,
) -> Result<Migration, Cause> {
    let recompute = |reason: String| Cause::Recompute(reason);
    let text = format_v1::write(plan).map_err(|error| recompute(error.to_string()))?;
    let instances = plan
        .moves
        .iter()
        .filter(|found| found.giver != found.taker)
        .map(|found| (found.giver.clone(), found.taker.clone()));
    let outputs = plan
        .outputs
        .iter()
        .map(|found| (found.giver.clone(), found.taker.clone()));
    let mut flows: Vec<(StateId, StateId)> = instances.chain(outputs).collect();
    flows.sort();
    flows.dedup();
    let ids = plan.states.iter().map(|state| state.id.clone());
    let waves = waves::waves(ids, &flows).map_err(|circle| recompute(circle.to_string()))?;
    let mut states = Vec::new();
    for state in &plan.states {
        let handle = handles
            .get(&state.id)
            .ok_or_else(|| Cause::NoHandle(state.id.clone()))?;
        let before = match &state.before {
            Before::Absent => None,
            Before::Exists(print) => Some(print.clone()),
        };
        let after = match (&state.after, &before) {
            (After::Written(print), _) => print.clone(),
            (After::Unchanged, Some(before)) => before.clone(),
            // Neither there nor written: nothing to lock or to look at.
            (After::Unchanged, None) => continue,
        };
        states.push(StateChange {
            id: state.id.clone(),
            place: handle.lock_key().to_owned(),
            lock: LockId::from_random(lock_ids()),
            wave: waves.get(&state.id).copied().unwrap_or_default(),
            fence: state.after != After::Unchanged && fenced(&state.id),
            before,
            after,
        });
    }
    Ok(Migration::new(id, states, text)?)
}

/// Computes results by making the moves of the saved plan in the journal again.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlannedResults;

impl Recompute for PlannedResults {
    fn results(
        &self,
        plan: &str,
        originals: &Originals<'_>,
    ) -> Result<BTreeMap<StateId, Vec<u8>>, RecomputeError> {
        let plan = format_v1::read(plan).map_err(|error| RecomputeError(error.to_string()))?;
        let mut snapshots = BTreeMap::new();
        for (id, bytes) in originals {
            let Some(bytes) = bytes else { continue };
            let read = Snapshot::read(*bytes).map_err(|error| RecomputeError(format!("`{id}`: {error}")))?;
            if let Some(snapshot) = read {
                snapshots.insert(id.clone(), snapshot);
            }
        }
        plan.replay(&snapshots)
            .map_err(|error| RecomputeError(error.to_string()))
    }
}
