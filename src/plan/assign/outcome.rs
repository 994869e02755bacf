//! What an assignment is made from, and what it says.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::address::{ConfigResourceAddr, ResourceInstanceAddr};
use crate::diagnostic::Diagnostic;
use crate::plan::migration::Role;
use crate::stack::StateId;

/// What one state holds and its code declares.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The instances of the state, data sources included, each once.
    pub instances: Vec<ResourceInstanceAddr>,
    /// The resource and data blocks of the code, in all its modules. May be empty where no code was read.
    pub blocks: Vec<ConfigResourceAddr>,
    /// The root outputs of the state or of the code.
    pub outputs: Vec<String>,
}

/// Who gets what. Lists are in the order of the inventories, giver by giver.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// Every instance that leaves its state.
    pub instances: Vec<InstanceMove>,
    /// Every root output that leaves its state.
    pub outputs: Vec<OutputMove>,
    /// Blocks without an instance that a target takes; only their code moves.
    pub undeployed: Vec<BlockMove>,
    /// What each pattern of the plan file matched, in file order.
    pub patterns: Vec<PatternMatch>,
    /// How many instances stay, by giver.
    pub stays: BTreeMap<StateId, usize>,
    /// Worth knowing; nothing stops.
    pub warnings: Vec<Diagnostic>,
}

/// One instance that leaves its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceMove {
    /// The state that has it.
    pub giver: StateId,
    /// Its address there.
    pub from: ResourceInstanceAddr,
    /// The state that gets it.
    pub taker: StateId,
    /// Its address there.
    pub to: ResourceInstanceAddr,
}

/// One root output that leaves its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputMove {
    /// The state that has it.
    pub giver: StateId,
    /// The state that gets it.
    pub taker: StateId,
    /// Its name.
    pub name: String,
}

/// One block whose code moves though the state has no instance of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMove {
    /// The state whose code has it.
    pub giver: StateId,
    /// The block.
    pub address: ConfigResourceAddr,
    /// Who takes it; several where patterns name different keys of one module.
    pub takers: Vec<StateId>,
}

/// What one pattern matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternMatch {
    /// The target whose pattern it is.
    pub taker: StateId,
    /// The pattern as written.
    pub text: String,
    /// Where it stands.
    pub span: Range<usize>,
    /// How many instances it matched.
    pub instances: usize,
    /// How many blocks without instances it matched.
    pub blocks: usize,
}

impl Assignment {
    /// Returns what happens to a state; none where it neither gives nor gets anything.
    pub fn role(&self, id: &StateId) -> Option<Role> {
        let gives = self.instances.iter().any(|found| found.giver == *id)
            || self.outputs.iter().any(|output| output.giver == *id);
        let gets = self.instances.iter().any(|found| found.taker == *id)
            || self.outputs.iter().any(|output| output.taker == *id);
        match (gives, gets) {
            (true, true) => Some(Role::GivesAndGets),
            (true, false) => Some(Role::Gives),
            (false, true) => Some(Role::Gets),
            (false, false) => None,
        }
    }

    /// Returns what a state gets, in order.
    pub fn taken_by<'a>(&'a self, taker: &'a StateId) -> impl Iterator<Item = &'a InstanceMove> {
        self.instances.iter().filter(move |found| found.taker == *taker)
    }
}
