//! Which blocks move from a module to the root, and what they are called there.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{InstanceKey, ResourceInstanceAddr, ResourceMode};
use crate::config::Item;
use crate::diagnostic::Diagnostic;
use crate::rewrite::Input;
use crate::rewrite::naming::free;

/// One block to be lifted out of one module instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    /// The call.
    pub(super) call: String,
    /// Its key.
    pub(super) key: Option<InstanceKey>,
    /// The block in the module.
    pub(super) item: Item,
}

/// Where a lifted block is at the root, and its instances.
pub(super) struct Place {
    /// Its address there.
    pub(super) item: Item,
    /// Where its instances are now.
    pub(super) instances: Vec<ResourceInstanceAddr>,
}

/// Finds the blocks that move from a module to the root, and the names they get there.
pub(super) fn wanted(input: &Input<'_>) -> Result<BTreeMap<Wanted, Place>, Vec<Diagnostic>> {
    let mut found: BTreeMap<Wanted, Place> = BTreeMap::new();
    let mut taken: BTreeSet<Item> = input
        .configuration
        .root()
        .source
        .items()
        .map(|(item, _)| item.clone())
        .collect();
    let mut faults = Vec::new();
    for instance in input
        .assignment
        .instances
        .iter()
        .filter(|found| found.giver == *input.source)
    {
        let steps = &instance.from.resource.module.0;
        let is_lifted = !steps.is_empty()
            && instance.to.resource.module.0.is_empty()
            && instance.from.resource.mode == ResourceMode::Managed;
        if !is_lifted {
            continue;
        }
        let [step] = &steps[..] else {
            let message = format!(
                "`{}` is in a module of a module: only blocks of modules that the root module calls can be lifted out",
                instance.from
            );
            faults.push(
                Diagnostic::error(message)
                    .note("nothing was written")
                    .hint("take the outer module as a whole, or move the block out in the monolith first"),
            );
            continue;
        };
        let wanted = Wanted {
            call: step.name.clone(),
            key: step.key.clone(),
            item: Item::from(&instance.from.resource.config()),
        };
        let place = found.entry(wanted).or_insert_with(|| {
            let item = free_item(&taken, &Item::from(&instance.to.resource.config()));
            taken.insert(item.clone());
            Place {
                item,
                instances: Vec::new(),
            }
        });
        place.instances.push(instance.from.clone());
    }
    match faults.is_empty() {
        true => Ok(found),
        false => Err(faults),
    }
}

/// Returns an address that nothing at the root has: the one that is wanted, or one with a number.
fn free_item(taken: &BTreeSet<Item>, wanted: &Item) -> Item {
    let Item::Resource {
        mode,
        type_name,
        name,
    } = wanted
    else {
        return wanted.clone();
    };
    let named = |name: &str| Item::Resource {
        mode: *mode,
        type_name: type_name.clone(),
        name: name.to_owned(),
    };
    named(&free(name, |name| taken.contains(&named(name))))
}
