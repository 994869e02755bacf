//! States as they would be if finished migrations had not been: for code, which is cut from the whole monolith, before
//! and after its state was cut.
//!
//! What a migration moved is moved back, as far as it is still there. The result is computed with and never written: what
//! cannot be known any more (dependencies that were cut) stays away.

use std::collections::{BTreeMap, BTreeSet};

use super::assign::InstanceMove;
use super::migration::{Before, MigrationPlan};
use crate::diagnostic::Diagnostic;
use crate::moves::{self, At, Changes, OutputMove, OutputTransfer, ProviderChoice, StateInput, States};
use crate::stack::StateId;
use crate::state::{Instance, Snapshot};

/// States with what was moved back.
#[derive(Debug)]
pub struct Rejoined {
    /// The states; those that came into being by a migration are gone.
    pub snapshots: BTreeMap<StateId, Snapshot>,
    /// What was moved back, as it had been moved.
    pub moves: Vec<InstanceMove>,
}

/// Moves back what `done` moved; the plans are in the order in which they were carried out.
///
/// # Errors
///
/// An object that cannot go back: its old address is taken, or its source has no state.
pub fn rejoin(
    done: &[MigrationPlan],
    snapshots: BTreeMap<StateId, Snapshot>,
) -> Result<Rejoined, Vec<Diagnostic>> {
    let mut rejoined = Rejoined {
        snapshots,
        moves: Vec::new(),
    };
    for plan in done.iter().rev() {
        rejoined.back(plan)?;
    }
    Ok(rejoined)
}

impl Rejoined {
    fn back(&mut self, plan: &MigrationPlan) -> Result<(), Vec<Diagnostic>> {
        let there: BTreeMap<&StateId, BTreeSet<_>> = self
            .snapshots
            .iter()
            .map(|(id, snapshot)| (id, snapshot.instances().map(Instance::addr).collect()))
            .collect();
        let mut found = Vec::new();
        for moved in &plan.moves {
            if there
                .get(&moved.taker)
                .is_some_and(|there| there.contains(&moved.to))
            {
                found.push(moved.clone());
            }
        }
        let instances = found.iter().map(|moved| moves::InstanceMove {
            from: At::new(moved.taker.clone(), moved.to.clone()),
            to: At::new(moved.giver.clone(), moved.from.clone()),
            provider: ProviderChoice::Auto,
        });
        let has = |id: &StateId, name: &str| {
            let snapshot = self.snapshots.get(id);
            snapshot.is_some_and(|snapshot| snapshot.output(name).is_some())
        };
        let outputs = plan.outputs.iter().filter(|output| {
            has(&output.taker, &output.name)
                && !has(&output.giver, &output.name)
                && self.snapshots.contains_key(&output.giver)
        });
        let outputs = outputs.map(|output| OutputMove {
            from: At::new(output.taker.clone(), output.name.clone()),
            to: At::new(output.giver.clone(), output.name.clone()),
            transfer: OutputTransfer::Move,
        });
        let changes = Changes {
            instances: instances.collect(),
            outputs: outputs.collect(),
            ..Changes::default()
        };
        let states: States<'_> = self
            .snapshots
            .iter()
            .map(|(id, snapshot)| (id.clone(), StateInput::Existing(snapshot)))
            .collect();
        let outcome = moves::apply(&states, &changes).map_err(refused)?;
        let conserved = moves::conserve(&states, &changes, outcome).map_err(refused)?;
        let written = conserved
            .states
            .into_iter()
            .filter_map(|(id, outcome)| Some((id, outcome.written()?.clone())));
        let written: Vec<(StateId, Snapshot)> = written.collect();
        self.snapshots.extend(written);
        for state in plan.states.iter().filter(|state| state.before == Before::Absent) {
            self.snapshots.remove(&state.id);
        }
        self.moves.append(&mut found);
        Ok(())
    }
}

fn refused(error: impl std::fmt::Display) -> Vec<Diagnostic> {
    let message = format!("the monolith cannot be put together again from the states: {error}");
    let hint = "was the old code applied again, or an object imported twice? `stackcut inspect` shows what a state holds";
    vec![Diagnostic::error(message).note("nothing was written").hint(hint)]
}
