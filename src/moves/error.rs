//! Why a set of moves cannot be made. Nothing has been changed when one of these is returned.

use thiserror::Error;

use super::At;
use crate::address::{MoveableAddr, ProviderConfigAddr, ResourceAddr, ResourceInstanceAddr};
use crate::stack::StateId;
use crate::state::StateError;

/// A move that cannot be made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MoveError {
    /// A state that is not part of the run.
    #[error("no state is named `{state}` here")]
    UnknownState {
        /// The name.
        state: StateId,
    },
    /// Nothing is at the address.
    #[error("nothing is at {from}{}", Nearest(nearest))]
    NotFound {
        /// The address.
        from: At<MoveableAddr>,
        /// What is there instead: addresses that differ only in their keys.
        nearest: Vec<String>,
    },
    /// An address that could not be read again once it is written down, in a plan or a journal.
    #[error("{at} cannot be moved: its name or key is none that a configuration can have")]
    NoAddress {
        /// The instance, as far as it can be printed.
        at: Box<At<ResourceInstanceAddr>>,
    },
    /// Two moves of one instance.
    #[error("{from} is moved twice, to {first} and to {second}")]
    MovedTwice {
        /// The instance.
        from: Box<At<ResourceInstanceAddr>>,
        /// The destination named first.
        first: Box<At<ResourceInstanceAddr>>,
        /// The destination named second.
        second: Box<At<ResourceInstanceAddr>>,
    },
    /// From and to are the same.
    #[error("{from} is moved to where it is")]
    SamePlace {
        /// The address.
        from: At<MoveableAddr>,
    },
    /// Resource types differ.
    #[error("{from} cannot become {to}: the resource types differ")]
    TypeDiffers {
        /// From.
        from: At<MoveableAddr>,
        /// To.
        to: At<MoveableAddr>,
    },
    /// A managed resource and a data source.
    #[error("{from} cannot become {to}: one is a managed resource, the other a data source")]
    ModeDiffers {
        /// From.
        from: At<MoveableAddr>,
        /// To.
        to: At<MoveableAddr>,
    },
    /// A module and a resource.
    #[error("{from} cannot become {to}: one is a module, the other a resource")]
    KindDiffers {
        /// From.
        from: At<MoveableAddr>,
        /// To.
        to: At<MoveableAddr>,
    },
    /// The root module cannot be moved as a whole.
    #[error(
        "{from} cannot become {to}: the root module is not a place to move a module from or to; move its resources"
    )]
    RootModule {
        /// From.
        from: At<MoveableAddr>,
        /// To.
        to: At<MoveableAddr>,
    },
    /// A whole resource with keys to a single instance.
    #[error(
        "{from} is a whole resource with {count} instances, so its target must be a whole resource too, not {to}; name one instance, as `{example}`"
    )]
    WholeResource {
        /// From.
        from: At<MoveableAddr>,
        /// To.
        to: At<MoveableAddr>,
        /// How many instances there are.
        count: usize,
        /// An instance that could be named.
        example: String,
    },
    /// The destination of an instance is taken.
    #[error("{from} cannot move to {to}: there is an instance already{}", ByMove(other))]
    InstanceExists {
        /// From.
        from: Box<At<ResourceInstanceAddr>>,
        /// To.
        to: Box<At<ResourceInstanceAddr>>,
        /// The other instance that goes there, where it is a second move that collides.
        other: Option<Box<At<ResourceInstanceAddr>>>,
    },
    /// The destination of a whole resource is taken.
    #[error(
        "{from} cannot move to {to}: there is a resource at that address already; move single instances to join it"
    )]
    ResourceExists {
        /// From.
        from: At<MoveableAddr>,
        /// To.
        to: At<MoveableAddr>,
    },
    /// The destination of a module is taken.
    #[error(
        "{from} cannot move to {to}: there is a module at that address already; move its resources one by one to join it"
    )]
    ModuleExists {
        /// From.
        from: At<MoveableAddr>,
        /// To.
        to: At<MoveableAddr>,
    },
    /// A move would change the provider of an object.
    #[error(
        "{to} cannot get an object of `{moved}`: its provider there is `{wanted}`; a move never changes the provider"
    )]
    ProviderDiffers {
        /// The destination.
        to: At<ResourceAddr>,
        /// The configuration the object is recorded under.
        moved: Box<ProviderConfigAddr>,
        /// The configuration at the destination.
        wanted: Box<ProviderConfigAddr>,
    },
    /// Objects with their own provider and objects without meet in one resource.
    #[error(
        "{to} cannot hold both objects with a provider of their own (OpenTofu's `for_each` on providers) and objects without"
    )]
    ProviderForms {
        /// The destination.
        to: At<ResourceAddr>,
    },
    /// Entries that become one have different fields that this release does not know.
    #[error(
        "{from} cannot join {to}: its entry has the field `{field}`, which the other entry lacks or has with another value"
    )]
    UnknownField {
        /// From.
        from: At<ResourceAddr>,
        /// To.
        to: At<ResourceAddr>,
        /// The field.
        field: String,
    },
    /// No output of that name.
    #[error("no output is named `{}` in {}", from.addr, from.state)]
    OutputNotFound {
        /// Where it was looked for.
        from: At<String>,
    },
    /// The destination of an output is taken.
    #[error("there is an output named `{}` in {} already", to.addr, to.state)]
    OutputExists {
        /// The destination.
        to: At<String>,
    },
    /// An output's new type or value is not JSON.
    #[error("the {part} given for output `{}` in {} is not JSON", to.addr, to.state)]
    OutputNotJson {
        /// The destination.
        to: At<String>,
        /// `type` or `value`.
        part: &'static str,
    },
    /// A new state with the lineage of another.
    #[error("the new state {state} would share its lineage with {other}; one could be pushed over the other")]
    LineageReused {
        /// The new state.
        state: StateId,
        /// The state that has it.
        other: StateId,
    },
    /// A serial that cannot rise.
    #[error("the serial of {state} cannot be raised: it is the last number there is")]
    SerialExhausted {
        /// The state.
        state: StateId,
    },
    /// A new state could not be laid out; its lineage or version is not usable.
    #[error("the new state {state} cannot be made: {error}")]
    NewState {
        /// The state.
        state: StateId,
        /// Why.
        error: StateError,
    },
}

struct Nearest<'a>(&'a [String]);

impl std::fmt::Display for Nearest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("; there is ")?;
        for (position, addr) in self.0.iter().enumerate() {
            write!(f, "{}`{addr}`", if position == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

struct ByMove<'a>(&'a Option<Box<At<ResourceInstanceAddr>>>);

impl std::fmt::Display for ByMove<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(other) => write!(f, ", or goes there in the same run: {other}"),
            None => Ok(()),
        }
    }
}
