//! From a plan file and the states it is about to everything that a migration does: one function for every rehearsal
//! and for the real thing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::assign::{self, assign};
use super::preset::{self, Preset, PresetError};
use super::{Assignment, Inventory, PlanFile};
use crate::address::{ConfigResourceAddr, ModuleAddr, ResourceInstanceAddr, ResourceMode};
use crate::config::{CallTarget, Configuration};
use crate::diagnostic::Diagnostic;
use crate::graph::{Graph, Joined, StackGraph, StateCut};
use crate::moves::{
    At, Carried, CarryError, Changes, InstanceMove, NewState, OutputMove, OutputTransfer, ProviderChoice,
    StateInput, States, carry_out,
};
use crate::stack::StateId;
use crate::state::{Lineage, Serial, Snapshot};

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

/// Takes a new state: writes it somewhere, or notes its hashes.
pub type Take<'t> = dyn Fn(&StateId, &Snapshot) -> Result<(), Diagnostic> + Sync + 't;

/// A state after the migration, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// Its lineage.
    pub lineage: Lineage,
    /// Its serial.
    pub serial: Serial,
    /// Resources with at least one object.
    pub resources: usize,
    /// Instance objects, deposed ones included.
    pub objects: usize,
    /// Length in bytes.
    pub bytes: usize,
}

impl After {
    /// Describes a state.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            lineage: snapshot.lineage().clone(),
            serial: snapshot.serial(),
            resources: snapshot
                .resources()
                .filter(|resource| !resource.is_husk())
                .count(),
            objects: snapshot.object_count(),
            bytes: snapshot.bytes().len(),
        }
    }
}

/// Who gets what, before any state is made: the first half of a computation.
#[derive(Debug)]
pub struct Assigned {
    /// Who gets what.
    pub assignment: Assignment,
    /// Code and state of each source, joined.
    pub joined: BTreeMap<StateId, Joined>,
}

impl Assigned {
    /// Tells whether any source has blocks that could follow.
    pub fn has_code(&self) -> bool {
        self.joined.values().any(|joined| !joined.instances.is_empty())
    }
}

/// What comes out: who gets what, and every state afterwards.
#[derive(Debug)]
pub struct Computed {
    /// Who gets what.
    pub assignment: Assignment,
    /// The states afterwards: found in order, and taken.
    pub carried: Carried<After>,
    /// Code and state of each source, joined.
    pub joined: BTreeMap<StateId, Joined>,
    /// What crosses between the states.
    pub stacks: StackGraph,
    /// Outputs that states get so that contracts can be read before an apply.
    pub presets: Vec<Preset>,
}

impl Inputs<'_> {
    /// Computes the migration of the states alone; `take` is given every new state as soon as it was found in order,
    /// from several threads.
    ///
    /// What was taken counts only when this returns without an error.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the plan file, the moves or (which would be our fault) their result. Nothing has
    /// been written.
    pub fn compute(&self, take: &Take<'_>) -> Result<Computed, Vec<Diagnostic>> {
        self.carry(self.assign()?, Vec::new(), take)
    }

    /// Finds who gets what.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the plan file.
    pub fn assign(&self) -> Result<Assigned, Vec<Diagnostic>> {
        let joined = self.joined();
        let assignment = assign(self.plan, &self.inventories(&joined))?;
        Ok(Assigned { assignment, joined })
    }

    /// Makes the states of an assignment, with the outputs in `presets`; `take` as in [`compute`](Self::compute).
    ///
    /// # Errors
    ///
    /// As [`compute`](Self::compute).
    pub fn carry(
        &self,
        assigned: Assigned,
        presets: Vec<Preset>,
        take: &Take<'_>,
    ) -> Result<Computed, Vec<Diagnostic>> {
        let Assigned {
            mut assignment,
            joined,
        } = assigned;
        let mut changes = changes(std::mem::take(&mut assignment.instances), &assignment.outputs);
        let failed =
            |error: PresetError| vec![Diagnostic::error(error.to_string()).note("nothing was written")];
        changes.set_outputs = preset::values(&presets, &self.snapshots).map_err(failed)?;
        let carried = self.carried(&changes, take)?;
        assignment.instances = moves(changes);
        let stacks = cut(&joined, &assignment, &carried);
        Ok(Computed {
            assignment,
            carried,
            joined,
            stacks,
            presets,
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

    fn carried(&self, changes: &Changes, take: &Take<'_>) -> Result<Carried<After>, Vec<Diagnostic>> {
        let first = self
            .snapshots
            .iter()
            .find(|(id, _)| matches!(id, StateId::Source(_)));
        let Some((_, first)) = first else {
            let finding = Diagnostic::error("no source of this plan has a state").note("nothing was written");
            let hint = "apply the monolith once, or name its state with `state` in the `source` block";
            return Err(vec![finding.hint(hint)]);
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
        let keep = |id: &StateId, snapshot: Snapshot| take(id, &snapshot).map(|()| After::of(&snapshot));
        carry_out(&states, changes, &keep).map_err(|error| {
            vec![match error {
                CarryError::Move(error) => Diagnostic::error(error.to_string()).note("nothing was written"),
                CarryError::Conservation(error) => {
                    Diagnostic::error(format!("the result is not what it must be: {error}"))
                        .note("nothing was written")
                        .hint("this is a defect of stackcut: please report it")
                }
                CarryError::Take(finding) => finding,
            }]
        })
    }
}

/// Turns moves and outputs of a plan into the changes they are. The addresses go along: there are many, and large.
pub fn changes(instances: Vec<assign::InstanceMove>, outputs: &[assign::OutputMove]) -> Changes {
    let instances = instances
        .into_iter()
        .map(|found| InstanceMove {
            from: At::new(found.giver, found.from),
            to: At::new(found.taker, found.to),
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

/// Takes the moves back out of the changes.
fn moves(changes: Changes) -> Vec<assign::InstanceMove> {
    let moves = changes.instances.into_iter().map(|moved| assign::InstanceMove {
        giver: moved.from.state,
        from: moved.from.addr,
        taker: moved.to.state,
        to: moved.to.addr,
    });
    moves.collect()
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

fn cut(joined: &BTreeMap<StateId, Joined>, assignment: &Assignment, carried: &Carried<After>) -> StackGraph {
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
    StackGraph::cut(&sources, &owner, from_state(joined, moved, carried))
}

/// Collects what the state alone says about resources that no code declares, in the order of the texts.
fn from_state(
    joined: &BTreeMap<StateId, Joined>,
    moved: &[assign::InstanceMove],
    carried: &Carried<After>,
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
    let mut pairs: HashMap<(&StateId, &StateId), usize> = HashMap::new();
    // Consumers and producers are shared, so that being the same is being at the same place in memory.
    let mut counted: HashSet<(*const At<ConfigResourceAddr>, usize)> = HashSet::new();
    let mut consumer: Option<&Arc<At<ResourceInstanceAddr>>> = None;
    let mut skip = false;
    for cut in &carried.cut {
        if consumer.is_none_or(|consumer| !Arc::ptr_eq(consumer, &cut.consumer)) {
            if consumer.is_some_and(|consumer| consumer.state != cut.consumer.state) {
                counted.clear();
            }
            consumer = Some(&cut.consumer);
            skip = is_declared(&cut.consumer);
        }
        if skip {
            continue;
        }
        for (number, place) in cut.went_to.iter().enumerate() {
            let at = *pairs
                .entry((&cut.consumer.state, &place.state))
                .or_insert_with(|| {
                    found.push(StateCut {
                        from: cut.consumer.state.clone(),
                        to: place.state.clone(),
                        resources: 0,
                        example: cut.producer.addr.clone(),
                        entries: 0,
                    });
                    found.len() - 1
                });
            found[at].entries += 1;
            found[at].resources += usize::from(counted.insert((Arc::as_ptr(&cut.producer), number)));
        }
    }
    found
}
