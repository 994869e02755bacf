//! From a plan file and the states it is about to everything that a migration does: one function for every rehearsal
//! and for the real thing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::assign::{self, assign};
use super::{Assignment, Inventory, PlanFile};
use crate::address::{ConfigResourceAddr, ModuleAddr, ResourceInstanceAddr, ResourceMode};
use crate::config::{CallTarget, Configuration};
use crate::diagnostic::Diagnostic;
use crate::graph::{Graph, Joined, StackGraph, StateCut};
use crate::moves::{
    At, Changes, Conserved, InstanceMove, NewState, OutputMove, OutputTransfer, ProviderChoice, StateInput,
    States, apply, conserve,
};
use crate::stack::StateId;
use crate::state::{Lineage, Snapshot};

/// What a computation reads.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// The plan file.
    pub plan: &'a PlanFile,
    /// The code of the sources (and of existing stacks, where it was read).
    pub code: BTreeMap<StateId, &'a Configuration>,
    /// Every state that exists.
    pub snapshots: BTreeMap<StateId, &'a Snapshot>,
    /// For every stack a lineage that no other state has; used where the stack has no state yet.
    pub lineages: BTreeMap<StateId, Lineage>,
}

/// What comes out: who gets what, and every state afterwards.
#[derive(Debug)]
pub struct Computed {
    /// Who gets what.
    pub assignment: Assignment,
    /// The exact changes.
    pub changes: Changes,
    /// The states afterwards, checked.
    pub conserved: Conserved,
    /// Code and state of each source, joined.
    pub joined: BTreeMap<StateId, Joined>,
    /// What crosses between the states.
    pub stacks: StackGraph,
}

impl Inputs<'_> {
    /// Computes the migration.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the plan file, the moves or (which would be our fault) their result. Nothing has
    /// been written.
    pub fn compute(&self) -> Result<Computed, Vec<Diagnostic>> {
        let joined = self.joined();
        let assignment = assign(self.plan, &self.inventories(&joined))?;
        let changes = changes(&assignment.instances, &assignment.outputs);
        let conserved = self.conserved(&changes)?;
        let stacks = cut(&joined, &assignment, &conserved);
        Ok(Computed {
            assignment,
            changes,
            conserved,
            joined,
            stacks,
        })
    }

    fn joined(&self) -> BTreeMap<StateId, Joined> {
        let with_code = self.code.iter().map(|(id, configuration)| {
            let snapshot = self.snapshots.get(id).copied();
            (
                id.clone(),
                Joined::declared(
                    Graph::build(configuration),
                    snapshot,
                    &opaque_modules(configuration),
                ),
            )
        });
        with_code.collect()
    }

    fn inventories(&self, joined: &BTreeMap<StateId, Joined>) -> BTreeMap<StateId, Inventory> {
        let mut inventories: BTreeMap<StateId, Inventory> = BTreeMap::new();
        for (id, snapshot) in &self.snapshots {
            let inventory = inventories.entry(id.clone()).or_default();
            let mut instances = BTreeSet::new();
            instances.extend(snapshot.instances().map(crate::state::Instance::addr));
            inventory.instances = instances.into_iter().collect();
            inventory.outputs = snapshot
                .outputs()
                .map(|output| output.name().to_owned())
                .collect();
        }
        for (id, joined) in joined {
            let inventory = inventories.entry(id.clone()).or_default();
            inventory.blocks = joined.graph.resources().into_iter().cloned().collect();
        }
        inventories
    }

    fn conserved(&self, changes: &Changes) -> Result<Conserved, Vec<Diagnostic>> {
        let Some(first) = self
            .snapshots
            .iter()
            .find(|(id, _)| matches!(id, StateId::Source(_)))
            .map(|(_, s)| *s)
        else {
            let finding = Diagnostic::error("no source of this plan has a state").note("nothing was written");
            return Err(vec![finding.hint(
                "apply the monolith once, or name its state with `state` in the `source` block",
            )]);
        };
        let mut states: States<'_> = self
            .snapshots
            .iter()
            .map(|(id, snapshot)| (id.clone(), StateInput::Existing(snapshot)))
            .collect();
        for (id, lineage) in &self.lineages {
            states
                .entry(id.clone())
                .or_insert_with(|| StateInput::New(NewState::like(first, lineage.clone())));
        }
        let outcome = apply(&states, changes)
            .map_err(|error| vec![Diagnostic::error(error.to_string()).note("nothing was written")])?;
        conserve(&states, changes, outcome).map_err(|error| {
            let finding = Diagnostic::error(format!("the result is not what it must be: {error}"));
            vec![
                finding
                    .note("nothing was written")
                    .hint("this is a defect of stackcut: please report it"),
            ]
        })
    }
}

/// Returns moves and outputs of a plan in the terms of the moves.
pub(super) fn changes(instances: &[assign::InstanceMove], outputs: &[assign::OutputMove]) -> Changes {
    let instances = instances
        .iter()
        .map(|found| InstanceMove {
            from: At::new(found.giver.clone(), found.from.clone()),
            to: At::new(found.taker.clone(), found.to.clone()),
            provider: ProviderChoice::Auto,
        })
        .collect();
    let outputs = outputs
        .iter()
        .map(|found| OutputMove {
            from: At::new(found.giver.clone(), found.name.clone()),
            to: At::new(found.taker.clone(), found.name.clone()),
            transfer: OutputTransfer::Move,
        })
        .collect();
    Changes {
        instances,
        outputs,
        ..Changes::default()
    }
}

/// Returns the modules whose code could not be read.
pub fn opaque_modules(configuration: &Configuration) -> BTreeSet<ModuleAddr> {
    let calls = configuration.modules().flat_map(|module| {
        let unknown = module
            .calls
            .iter()
            .filter(|(_, call)| call.target == CallTarget::Unknown);
        unknown.map(|(name, _)| module.child(name))
    });
    calls.collect()
}

fn cut(joined: &BTreeMap<StateId, Joined>, assignment: &Assignment, conserved: &Conserved) -> StackGraph {
    let any_code = joined.values().any(|joined| !joined.instances.is_empty());
    let moved = if any_code {
        assignment.instances.as_slice()
    } else {
        &[]
    };
    let takers: HashMap<(&StateId, &ResourceInstanceAddr), &StateId> = moved
        .iter()
        .map(|found| ((&found.giver, &found.from), &found.taker))
        .collect();
    let sources: Vec<(&StateId, &Joined)> = joined.iter().collect();
    let owner = |source: &StateId, instance: &ResourceInstanceAddr| match takers.get(&(source, instance)) {
        Some(taker) => Some((*taker).clone()),
        None if instance.resource.mode == ResourceMode::Data => None,
        None => Some(source.clone()),
    };
    StackGraph::cut(&sources, &owner, from_state(joined, moved, conserved))
}

/// Collects what the state alone says about resources that no code declares, in the order of the texts.
fn from_state(
    joined: &BTreeMap<StateId, Joined>,
    moved: &[assign::InstanceMove],
    conserved: &Conserved,
) -> Vec<StateCut> {
    // `cut` names consumers by where they are now; what came from elsewhere had another address there.
    let origins: HashMap<(&StateId, &ResourceInstanceAddr), (&StateId, &ResourceInstanceAddr)> = moved
        .iter()
        .map(|found| ((&found.taker, &found.to), (&found.giver, &found.from)))
        .collect();
    let is_declared = |consumer: &At<ResourceInstanceAddr>| {
        let here = (&consumer.state, &consumer.addr);
        let (state, addr) = origins.get(&here).copied().unwrap_or(here);
        let joined = joined.get(state).filter(|joined| !joined.instances.is_empty());
        joined.is_some_and(|joined| joined.instances.contains_key(&addr.resource.config()))
    };
    let mut found: Vec<StateCut> = Vec::new();
    // Consumers and producers are shared, so that being the same is being at the same place in memory.
    let mut known: HashMap<(*const At<ConfigResourceAddr>, usize), usize> = HashMap::new();
    let mut consumer: Option<&Arc<At<ResourceInstanceAddr>>> = None;
    let mut skip = false;
    for cut in &conserved.cut {
        if consumer.is_none_or(|consumer| !Arc::ptr_eq(consumer, &cut.consumer)) {
            if consumer.is_some_and(|consumer| consumer.state != cut.consumer.state) {
                known.clear();
            }
            consumer = Some(&cut.consumer);
            skip = is_declared(&cut.consumer);
        }
        if skip {
            continue;
        }
        for (number, place) in cut.went_to.iter().enumerate() {
            let at = *known
                .entry((Arc::as_ptr(&cut.producer), number))
                .or_insert_with(|| {
                    found.push(StateCut {
                        from: cut.consumer.state.clone(),
                        to: place.state.clone(),
                        resource: cut.producer.addr.clone(),
                        instances: 0,
                    });
                    found.len() - 1
                });
            found[at].instances += 1;
        }
    }
    found
}
