//! What moved away and is still declared: while it is, an apply of the old code would create it again.
//!
//! Only managed resources count: a data source that is still declared is read again and changes nothing.

mod keys;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::keys::Keys;
use super::MigrationPlan;
use crate::address::{InstanceKey, ResourceInstanceAddr, ResourceMode};
use crate::config::{CallTarget, Configuration, Item, Mode, Module};
use crate::stack::StateId;

/// An instance that left its state while its code may still ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillDeclared {
    /// The state that it left.
    pub state: StateId,
    /// Its address there.
    pub address: ResourceInstanceAddr,
    /// `file:line` of the block that declares it; none where no code is known.
    pub place: Option<String>,
    /// Why that is not certain, where it is not.
    pub doubt: Option<String>,
}

/// Returns the managed instances that leave a state for good.
pub fn leaving<'a>(
    plan: &'a MigrationPlan,
    giver: &'a StateId,
) -> impl Iterator<Item = &'a ResourceInstanceAddr> {
    let arriving: BTreeSet<&ResourceInstanceAddr> = plan
        .moves
        .iter()
        .filter(|found| found.taker == *giver)
        .map(|found| &found.to)
        .collect();
    plan.moves.iter().filter_map(move |found| {
        let leaves = found.giver == *giver
            && found.taker != *giver
            && found.from.resource.mode == ResourceMode::Managed
            && !arriving.contains(&found.from);
        leaves.then_some(&found.from)
    })
}

/// Returns what left a state and is, or may be, still declared by its code; in the plan's order.
///
/// Without code everything is in doubt.
pub fn still_declared(
    plan: &MigrationPlan,
    giver: &StateId,
    code: Option<&Configuration>,
) -> Vec<StillDeclared> {
    leaving(plan, giver)
        .filter_map(|address| {
            let (place, doubt) = match code {
                None => (None, Some("its code is not known here".to_owned())),
                Some(code) => match declaration(code, address) {
                    Declared::No => return None,
                    Declared::Yes(place) => (Some(place), None),
                    Declared::Perhaps(place, doubt) => (Some(place), Some(doubt)),
                },
            };
            Some(StillDeclared {
                state: giver.clone(),
                address: address.clone(),
                place,
                doubt,
            })
        })
        .collect()
}

/// What the code says about one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Declared {
    No,
    Yes(String),
    Perhaps(String, String),
}

fn declaration(code: &Configuration, address: &ResourceInstanceAddr) -> Declared {
    let mut module = code.root();
    let mut doubt = None;
    for step in &address.resource.module.0 {
        let Some(call) = module.calls.get(&step.name) else {
            return Declared::No;
        };
        let item = Item::Module(step.name.clone());
        match has_key(module, &item, step.key.as_ref()) {
            Has::No => return Declared::No,
            Has::Yes => {}
            Has::Perhaps(why) => doubt = doubt.or(Some(why)),
        }
        let inside = code.module(&module.child(&step.name));
        module = match (inside, &call.target) {
            (Some(inside), CallTarget::Local(_) | CallTarget::Installed(_)) => inside,
            _ => {
                let why = format!(
                    "`module.{}` is not installed: run `terraform init` there",
                    step.name
                );
                return Declared::Perhaps(place(module, &item), doubt.unwrap_or(why));
            }
        };
    }
    let item = Item::Resource {
        mode: Mode::Managed,
        type_name: address.resource.type_name.clone(),
        name: address.resource.name.clone(),
    };
    if module.source.declarations(&item).is_empty() {
        return Declared::No;
    }
    match has_key(module, &item, address.key.as_ref()) {
        Has::No => Declared::No,
        Has::Yes => match doubt {
            None => Declared::Yes(place(module, &item)),
            Some(why) => Declared::Perhaps(place(module, &item), why),
        },
        Has::Perhaps(why) => Declared::Perhaps(place(module, &item), doubt.unwrap_or(why)),
    }
}

/// Whether a block has an instance of one key.
enum Has {
    No,
    Yes,
    Perhaps(String),
}

fn has_key(module: &Module, item: &Item, key: Option<&InstanceKey>) -> Has {
    let found = match (keys::of(&module.source, item), key) {
        // Terraform moves the one instance of a block to the first key when `count` is added, and back.
        (Keys::One, None | Some(InstanceKey::Int(0))) => true,
        (Keys::One, Some(_)) => false,
        (Keys::Count(count), None) => count > 0,
        (Keys::Count(count), Some(InstanceKey::Int(index))) => *index < count,
        (Keys::Set(keys), Some(InstanceKey::Str(key))) => keys.contains(key),
        (Keys::Count(_) | Keys::Set(_), _) => false,
        (Keys::Among { keys, .. }, Some(InstanceKey::Str(key))) if !keys.contains(key) => false,
        (Keys::Among { argument, at, .. } | Keys::Unknown { argument, at }, _) => {
            return Has::Perhaps(format!("`{argument}` at {at} is not known before a plan"));
        }
    };
    if found { Has::Yes } else { Has::No }
}

/// Returns `file:line` of the block that declares an item.
fn place(module: &Module, item: &Item) -> String {
    let Some(first) = module.source.declarations(item).first() else {
        return String::new();
    };
    let (file, block) = module.source.block(first.block);
    let at = file.source.position(block.header.start);
    format!("{}:{}", file.source.path, at.line)
}
