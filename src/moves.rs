//! Moves: resource instances change their state or their address, and not one byte more changes than that takes.
//!
//! [`resolve()`] turns what people ask for (modules, resources, instances) into single instance moves, under all rules
//! of `terraform state mv`. [`apply()`] makes the new states by splicing slices of the old ones. [`conserve()`] then reads
//! the results afresh and proves that nothing was lost, doubled or altered; it runs on every apply, not only in tests.
//! [`carry_out`] is both in one go, state by state, so that large results need not stand in memory together.
//! All three are pure: states in, states out.

mod apply;
mod assemble;
mod carry;
mod conserve;
mod dependencies;
mod error;
mod head;
mod names;
mod object;
mod place;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

pub use apply::{ApplyOutcome, CutDependency, DropReason, DroppedDependency, apply};
pub use carry::{Carried, CarryError, carry_out};
pub use conserve::{ConservationError, ConservationReport, Conserved, StateOutcome, conserve};
pub use error::MoveError;
pub use resolve::{MoveRequest, resolve};

use crate::address::{ProviderConfigAddr, ResourceAddr, ResourceInstanceAddr};
use crate::stack::StateId;
use crate::state::{Layout, Lineage, Snapshot};

/// The states of one run, before any move.
pub type States<'a> = BTreeMap<StateId, StateInput<'a>>;

/// One state before the moves.
#[derive(Clone, Debug)]
pub enum StateInput<'a> {
    /// A state that exists.
    Existing(&'a Snapshot),
    /// A state that does not exist yet. It comes into being if something moves into it.
    New(NewState),
}

/// What a new state needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewState {
    /// A lineage that no other state has.
    pub lineage: Lineage,
    /// The version to record; the source's.
    pub terraform_version: String,
    /// The layout; the source's.
    pub layout: Layout,
    /// Whether the state has a `check_results` member, as all do that Terraform ≥ 1.3 wrote.
    pub check_results: bool,
}

impl NewState {
    /// Makes a new state in the manner of an existing one.
    pub fn like(source: &Snapshot, lineage: Lineage) -> Self {
        Self {
            lineage,
            terraform_version: source.terraform_version().to_owned(),
            layout: source.layout(),
            check_results: source.field(crate::state::TopField::CheckResults).is_some(),
        }
    }
}

/// An address in a state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At<T> {
    /// The state.
    pub state: StateId,
    /// The address in it.
    pub addr: T,
}

impl<T> At<T> {
    /// Places an address in a state.
    pub fn new(state: StateId, addr: T) -> Self {
        Self { state, addr }
    }
}

/// Shows `address (in state)`.
impl<T: fmt::Display> fmt::Display for At<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (in {})", self.addr, self.state)
    }
}

/// Which provider configuration a moved object is recorded under. The provider itself never changes, and an object that
/// joins a resource of its new state takes that resource's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProviderChoice {
    /// Within a state as it was; in another state the root module's configuration: of the same alias where the old one
    /// was the root module's too, the default one where it was a child module's.
    #[default]
    Auto,
    /// As it was.
    Keep,
    /// This configuration, which the code of the new state is known to use. An instance's own provider (OpenTofu) is
    /// replaced only by one with a key.
    At(Box<ProviderConfigAddr>),
}

/// The move of one resource instance with all its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceMove {
    /// Where it is.
    pub from: At<ResourceInstanceAddr>,
    /// Where it goes.
    pub to: At<ResourceInstanceAddr>,
    /// Its provider configuration.
    pub provider: ProviderChoice,
}

/// The move of a resource entry without instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HuskMove {
    /// Where it is.
    pub from: At<ResourceAddr>,
    /// Where it goes.
    pub to: At<ResourceAddr>,
    /// Its provider configuration.
    pub provider: ProviderChoice,
}

/// Whether the source keeps an output that another state gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputTransfer {
    /// The source loses it.
    Move,
    /// The source keeps it.
    Copy,
}

/// A root output that follows its resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputMove {
    /// Where it is, and its name.
    pub from: At<String>,
    /// Where it goes, and its name there.
    pub to: At<String>,
    /// Whether the source keeps it.
    pub transfer: OutputTransfer,
}

/// A root output given a value, new or not. Shown without the value.
#[derive(Clone, PartialEq, Eq)]
pub struct OutputValue {
    /// The state, and the name in it.
    pub at: At<String>,
    /// JSON of the type, as Terraform stores it: `"string"`, `["list","string"]`.
    pub type_json: String,
    /// JSON of the value.
    pub value_json: String,
    /// Whether the output is sensitive.
    pub sensitive: bool,
}

impl fmt::Debug for OutputValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputValue")
            .field("at", &self.at)
            .field("type_json", &self.type_json)
            .field("sensitive", &self.sensitive)
            .finish_non_exhaustive()
    }
}

/// Everything that changes in one run. All changes happen at once: addresses on the left are those before the run,
/// those on the right those after it, so that two instances can swap places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Instances.
    pub instances: Vec<InstanceMove>,
    /// Resource entries without instances.
    pub husks: Vec<HuskMove>,
    /// Outputs that follow.
    pub outputs: Vec<OutputMove>,
    /// Outputs that are given a value.
    pub set_outputs: Vec<OutputValue>,
}
