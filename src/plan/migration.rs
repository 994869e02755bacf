//! The finished plan for one environment: what will be written where, and what must still be true by then.
//!
//! It holds no state content and no credentials. It is saved by [`format_v1`](super::format_v1).

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::assign::{InstanceMove, OutputMove};
use super::backend;
use super::preset::Preset;
use crate::stack::{StackName, StateId, StateLocation};
pub use crate::state::Fingerprint;
use crate::state::{Lineage, Serial};

/// Everything that a migration does in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationPlan {
    /// The split's name.
    pub name: StackName,
    /// The environment.
    pub environment: String,
    /// Every state that is read or written, in an order in which they can be written: whoever gets something comes
    /// before whoever gave it.
    pub states: Vec<PlannedState>,
    /// The instances that change their state or their address.
    pub moves: Vec<InstanceMove>,
    /// The root outputs that change their state.
    pub outputs: Vec<OutputMove>,
    /// The root outputs that are given a value, so that contracts can be read before an apply. Their content is named by
    /// where it stands in the originals, never spelled.
    pub presets: Vec<Preset>,
    /// Which stack reads which.
    pub dependencies: Vec<StackDependency>,
    /// What people should know before they say yes.
    pub warnings: Vec<String>,
}

/// One state of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedState {
    /// Which one.
    pub id: StateId,
    /// Where it lives.
    pub location: StateLocation,
    /// What happens to it.
    pub role: Role,
    /// What it was when the plan was made; it is written only if it still is.
    pub before: Before,
    /// What it will be.
    pub after: After,
}

/// What happens to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It gives instances or outputs away.
    Gives,
    /// It gets instances or outputs.
    Gets,
    /// Both: a source that is cut while a stack goes back into it.
    GivesAndGets,
}

impl Role {
    /// Tells whether it loses something.
    pub fn gives(self) -> bool {
        matches!(self, Self::Gives | Self::GivesAndGets)
    }

    /// Tells whether it gets something.
    pub fn gets(self) -> bool {
        matches!(self, Self::Gets | Self::GivesAndGets)
    }
}

/// What a state was when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// It did not exist (or was empty): it must not exist when it is written.
    Absent,
    /// It existed, with this content.
    Exists(Fingerprint),
}

/// What a state will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Its content does not change, so it is not written.
    Unchanged,
    /// It is written, with this content.
    Written(Fingerprint),
}

/// One stack reads values of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackDependency {
    /// Who reads.
    pub consumer: StateId,
    /// Whose values are read.
    pub producer: StateId,
    /// How many values cross.
    pub values: usize,
    /// How many ordering edges (`depends_on`) are dropped.
    pub ordering: usize,
}

/// Why a plan is not one that can be executed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PlanFault {
    /// A state is listed twice.
    #[error("the state `{id}` is listed twice")]
    DuplicateState {
        /// The state.
        id: StateId,
    },
    /// Two states share a location.
    #[error("`{first}` and `{second}` are the same state: {place}")]
    SharedLocation {
        /// One of them.
        first: StateId,
        /// The other.
        second: StateId,
        /// Bucket and key, or path.
        place: String,
    },
    /// A move or an output names a state that is not listed, or whose role does not fit.
    #[error("`{what}` moves from `{giver}` to `{taker}`, but the plan does not list them so")]
    WrongRole {
        /// Address or output.
        what: String,
        /// The giving state.
        giver: StateId,
        /// The getting state.
        taker: StateId,
    },
    /// An instance or an output leaves twice, or two arrive at one place.
    #[error("`{what}` of `{id}` stands in two moves")]
    DoubleMove {
        /// Address or output.
        what: String,
        /// The state.
        id: StateId,
    },
    /// An output is given a value in a state that is not written, or twice.
    #[error("the output `{name}` would be given a value in `{id}`, which the plan does not allow")]
    StrayPreset {
        /// The output.
        name: String,
        /// The state.
        id: StateId,
    },
    /// Lineage or serial after the write do not follow from those before.
    #[error(
        "the state `{id}` would get serial {serial} and lineage `{lineage}`, which does not follow from what it has"
    )]
    WrongSuccession {
        /// The state.
        id: StateId,
        /// The planned serial.
        serial: Serial,
        /// The planned lineage.
        lineage: Lineage,
    },
    /// A state that gives is written before the one that gets.
    #[error("`{giver}` would be written before `{taker}`, which gets instances from it")]
    WrongOrder {
        /// The giving state.
        giver: StateId,
        /// The getting state.
        taker: StateId,
    },
    /// A location holds a credential.
    #[error("the location of `{id}` holds the credential `{argument}`")]
    Credential {
        /// The state.
        id: StateId,
        /// The argument; never its value.
        argument: String,
    },
}

impl MigrationPlan {
    /// Returns a state by its id.
    pub fn state(&self, id: &StateId) -> Option<&PlannedState> {
        self.states.iter().find(|state| state.id == *id)
    }

    /// Tells whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.states.iter().all(|state| state.after == After::Unchanged)
    }

    /// Checks that the plan holds together: what every migration must keep, before anything is touched.
    ///
    /// # Errors
    ///
    /// The first fault found.
    pub fn check(&self) -> Result<(), PlanFault> {
        let mut order: BTreeMap<&StateId, usize> = BTreeMap::new();
        let mut places: BTreeMap<String, &StateId> = BTreeMap::new();
        for (at, state) in self.states.iter().enumerate() {
            if order.insert(&state.id, at).is_some() {
                return Err(PlanFault::DuplicateState { id: state.id.clone() });
            }
            if let Some(first) = places.insert(backend::identity(&state.location), &state.id) {
                return Err(PlanFault::SharedLocation {
                    first: first.clone(),
                    second: state.id.clone(),
                    place: backend::describe(&state.location),
                });
            }
            state.check()?;
        }
        let mut leaves = BTreeSet::new();
        let mut arrives = BTreeSet::new();
        for found in &self.moves {
            self.check_move(&found.from.to_string(), &found.giver, &found.taker, &order)?;
            if !leaves.insert((&found.giver, &found.from)) {
                return Err(double(&found.from.to_string(), &found.giver));
            }
            if !arrives.insert((&found.taker, &found.to)) {
                return Err(double(&found.to.to_string(), &found.taker));
            }
        }
        let mut leaves = BTreeSet::new();
        let mut arrives = BTreeSet::new();
        for output in &self.outputs {
            self.check_move(&output.name, &output.giver, &output.taker, &order)?;
            if !leaves.insert((&output.giver, &output.name)) {
                return Err(double(&output.name, &output.giver));
            }
            if !arrives.insert((&output.taker, &output.name)) {
                return Err(double(&output.name, &output.taker));
            }
        }
        let mut given = BTreeSet::new();
        for preset in &self.presets {
            let is_written = (self.state(&preset.state)).is_some_and(|state| state.after != After::Unchanged);
            if !is_written || !given.insert((&preset.state, &preset.name)) {
                return Err(PlanFault::StrayPreset {
                    name: preset.name.clone(),
                    id: preset.state.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_move(
        &self,
        what: &str,
        giver: &StateId,
        taker: &StateId,
        order: &BTreeMap<&StateId, usize>,
    ) -> Result<(), PlanFault> {
        let listed = |id: &StateId| order.get(id).map(|&at| (at, self.states[at].role));
        match (listed(giver), listed(taker)) {
            (Some((from, gives)), Some((to, gets))) if gives.gives() && gets.gets() && from != to => {
                if to > from {
                    return Err(PlanFault::WrongOrder {
                        giver: giver.clone(),
                        taker: taker.clone(),
                    });
                }
                Ok(())
            }
            _ => Err(PlanFault::WrongRole {
                what: what.to_owned(),
                giver: giver.clone(),
                taker: taker.clone(),
            }),
        }
    }
}

impl PlannedState {
    /// Checks what one state must keep: its lineage, its serial, no credentials.
    fn check(&self) -> Result<(), PlanFault> {
        for (argument, value) in &self.location.arguments {
            if backend::is_credential(argument) || backend::carries_credential(value) {
                return Err(PlanFault::Credential {
                    id: self.id.clone(),
                    argument: argument.clone(),
                });
            }
        }
        let After::Written(after) = &self.after else {
            return Ok(());
        };
        let follows = match &self.before {
            Before::Absent => after.serial == Serial::FIRST && !after.lineage.is_empty(),
            Before::Exists(before) => {
                after.lineage == before.lineage && before.serial.next() == Some(after.serial)
            }
        };
        if follows {
            return Ok(());
        }
        Err(PlanFault::WrongSuccession {
            id: self.id.clone(),
            serial: after.serial,
            lineage: after.lineage.clone(),
        })
    }
}

fn double(what: &str, id: &StateId) -> PlanFault {
    PlanFault::DoubleMove {
        what: what.to_owned(),
        id: id.clone(),
    }
}
