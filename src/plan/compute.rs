//! From a plan file and the states it is about to everything that a migration does: one function for every rehearsal
//! and for the real thing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Assignment, Inventory, PlanFile, assign};
use crate::address::{ModuleAddr, ResourceInstanceAddr, ResourceMode};
use crate::config::{CallTarget, Configuration};
use crate::diagnostic::Diagnostic;
use crate::graph::{Graph, Joined, StackGraph};
use crate::moves::{
    At, Changes, Conserved, HuskMove, InstanceMove, NewState, OutputMove, OutputTransfer, ProviderChoice,
    StateInput, States, apply, conserve,
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
        let changes = self.changes(&assignment);
        let conserved = self.conserved(&changes)?;
        let stacks = cut(&joined, &assignment);
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
                Joined::new(
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

    fn changes(&self, assignment: &Assignment) -> Changes {
        let instances = assignment
            .instances
            .iter()
            .map(|found| InstanceMove {
                from: At::new(found.giver.clone(), found.from.clone()),
                to: At::new(found.taker.clone(), found.to.clone()),
                provider: ProviderChoice::Auto,
            })
            .collect();
        let outputs = assignment
            .outputs
            .iter()
            .map(|found| OutputMove {
                from: At::new(found.giver.clone(), found.name.clone()),
                to: At::new(found.taker.clone(), found.name.clone()),
                transfer: OutputTransfer::Move,
            })
            .collect();
        Changes {
            instances,
            husks: self.husks(),
            outputs,
            set_outputs: Vec::new(),
        }
    }

    /// Returns the moves of resource entries without instances, for stacks that take the whole resource.
    fn husks(&self) -> Vec<HuskMove> {
        let mut husks = Vec::new();
        for (id, snapshot) in self
            .snapshots
            .iter()
            .filter(|(id, _)| matches!(id, StateId::Source(_)))
        {
            for resource in snapshot.resources().filter(|resource| resource.is_husk()) {
                let addr = resource.addr();
                let taker = self.plan.stacks.iter().find(|stack| {
                    let from_here = |source: &Option<_>| source.as_ref().is_none_or(|name| name == id.name());
                    let mut takes = stack.taking.takes.iter();
                    takes.any(|take| from_here(&take.source) && take.pattern.value.matches_resource(addr))
                });
                if let Some(stack) = taker {
                    husks.push(HuskMove {
                        from: At::new(id.clone(), addr.clone()),
                        to: At::new(StateId::Stack(stack.name.value.clone()), addr.clone()),
                        provider: ProviderChoice::Auto,
                    });
                }
            }
        }
        husks
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

fn cut(joined: &BTreeMap<StateId, Joined>, assignment: &Assignment) -> StackGraph {
    let takers: HashMap<(&StateId, &ResourceInstanceAddr), &StateId> = assignment
        .instances
        .iter()
        .map(|found| ((&found.giver, &found.from), &found.taker))
        .collect();
    let sources: Vec<(&StateId, &Joined)> = joined.iter().collect();
    StackGraph::cut(
        &sources,
        &|source, instance| match takers.get(&(source, instance)) {
            Some(taker) => Some((*taker).clone()),
            None if instance.resource.mode == ResourceMode::Data => None,
            None => Some(source.clone()),
        },
    )
}
