//! The state and the assignment of the monolith with its blocks lifted.

use std::collections::BTreeMap;

use super::wanted::{Place, Wanted};
use crate::address::{ModuleInstanceAddr, ResourceInstanceAddr};
use crate::config::Item;
use crate::diagnostic::Diagnostic;
use crate::moves::{self, Changes, StateInput};
use crate::plan::Assignment;
use crate::rewrite::Input;
use crate::state::Snapshot;

/// Moves the instances of lifted blocks to the root, in the state and in the assignment.
pub(super) fn at_the_root(
    input: &Input<'_>,
    wanted: &BTreeMap<Wanted, Place>,
) -> Result<(Snapshot, Assignment), Vec<Diagnostic>> {
    let mut changes = Changes::default();
    let mut assignment = input.assignment.clone();
    let mut new: BTreeMap<&ResourceInstanceAddr, ResourceInstanceAddr> = BTreeMap::new();
    for place in wanted.values() {
        for from in &place.instances {
            let mut to = from.clone();
            to.resource.module = ModuleInstanceAddr::root();
            if let Item::Resource { type_name, name, .. } = &place.item {
                to.resource.type_name.clone_from(type_name);
                to.resource.name.clone_from(name);
            }
            changes.instances.push(moves::InstanceMove {
                from: moves::At::new(input.source.clone(), from.clone()),
                to: moves::At::new(input.source.clone(), to.clone()),
                provider: moves::ProviderChoice::Auto,
            });
            new.insert(from, to);
        }
    }
    for instance in &mut assignment.instances {
        if let Some(to) = new.get(&instance.from) {
            instance.from = to.clone();
        }
    }
    let before = BTreeMap::from([(input.source.clone(), StateInput::Existing(input.snapshot))]);
    let fault = |error: String| vec![Diagnostic::error(error).note("nothing was written")];
    let outcome = moves::apply(&before, &changes).map_err(|error| fault(error.to_string()))?;
    let conserved = moves::conserve(&before, &changes, outcome).map_err(|error| fault(error.to_string()))?;
    let after = conserved
        .states
        .iter()
        .find_map(|(_, outcome)| outcome.written().cloned());
    Ok((after.unwrap_or_else(|| input.snapshot.clone()), assignment))
}
