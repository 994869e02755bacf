//! What refusals are about, and where we differ on purpose.

use stackcut::moves::MoveError;

use crate::support::terraform::Output;

/// Where we differ from Terraform, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    /// `state mv` clears the whole list of everything that mentions what moved; we put the new address into it.
    Cleared,
    /// `state mv` keeps entries that name nothing in the state where the object goes; we drop them.
    Dangling,
    /// `state mv` leaves entries as they are where they name a keyed module, or only some of what they name moved; we
    /// put the new address into the list.
    Stale,
    /// `state mv` lets an object join a resource of another provider and so changes its provider; we refuse.
    Provider,
    /// A resource that has one instance without key and others with keys: to `state mv` its address means the one
    /// without key, to us all of them.
    MixedKeys,
    /// Moving something to where it is: `state mv` says that the place is taken, we say what is wrong.
    SamePlace,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    Type,
    Mode,
    Kind,
    Root,
    NotFound,
    WholeResource,
    InstanceExists,
    ResourceExists,
    ModuleExists,
    Provider,
    SamePlace,
}

/// Returns what a refusal by Terraform is about.
pub(super) fn theirs(output: &Output) -> Reason {
    let said = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let reasons = [
        ("resource types don't match", Reason::Type),
        ("can be moved only to another", Reason::Mode),
        (
            "so the target must also be a whole resource",
            Reason::WholeResource,
        ),
        ("the target must also be a", Reason::Kind),
        ("does not match anything in the current state", Reason::NotFound),
        ("The current state does not contain", Reason::NotFound),
        (
            "there is already a resource instance at that address",
            Reason::InstanceExists,
        ),
        (
            "there is already a resource at that address",
            Reason::ResourceExists,
        ),
        ("destination module already exists", Reason::ModuleExists),
    ];
    let mut found = reasons.iter().filter(|(text, _)| said.contains(text));
    let (_, reason) = found
        .next()
        .unwrap_or_else(|| panic!("an unknown refusal\n{output}"));
    *reason
}

/// Returns what a refusal of ours is about.
pub(super) fn ours(error: &MoveError) -> Reason {
    match error {
        MoveError::NotFound { .. } => Reason::NotFound,
        MoveError::SamePlace { .. } => Reason::SamePlace,
        MoveError::TypeDiffers { .. } => Reason::Type,
        MoveError::ModeDiffers { .. } => Reason::Mode,
        MoveError::KindDiffers { .. } => Reason::Kind,
        MoveError::RootModule { .. } => Reason::Root,
        MoveError::WholeResource { .. } => Reason::WholeResource,
        MoveError::InstanceExists { .. } => Reason::InstanceExists,
        MoveError::ResourceExists { .. } => Reason::ResourceExists,
        MoveError::ModuleExists { .. } => Reason::ModuleExists,
        MoveError::ProviderDiffers { .. } => Reason::Provider,
        other => panic!("a refusal that one move cannot have: {other}"),
    }
}
