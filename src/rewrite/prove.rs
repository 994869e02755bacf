//! The static proof: code and state of every stack fit together, without Terraform and without credentials.
//!
//! The emitted text is read anew, as anyone would read it. Every object in a state has a block of the right form in that
//! stack's code, every block that must have an object has one, every reference names something that is there, every
//! contract that is read is told, and no two stacks wait for each other.

mod around;
mod code;
mod crossing;
mod faithful;
mod skeleton;
mod types;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use code::Codes;
pub(super) use faithful::Faithful;
pub(super) use types::lost_types;

use super::{FileTree, Rewritten};
use crate::address::{ConfigResourceAddr, InstanceKey, ModuleAddr, ResourceInstanceAddr, ResourceMode};
use crate::config::{CallTarget, Configuration, Item, Mode, Module, Role, Target};
use crate::contract::ContractModule;
use crate::diagnostic::Diagnostic;
use crate::lint;
use crate::plan::assign::InstanceMove;
use crate::stack::StateId;
use crate::state::{Instance, Snapshot};

/// Proves that code and states fit. `after` are the states as they will be; `undeployed` the blocks of the monolith
/// that had no object before either, `before` the code of the sources before the cut, and `moves` what was moved.
///
/// Returns everything that does not fit; nothing is the proof.
pub fn prove(
    rewritten: &Rewritten,
    after: &BTreeMap<StateId, &Snapshot>,
    undeployed: &BTreeSet<ConfigResourceAddr>,
    before: &BTreeMap<StateId, &Configuration>,
    moves: &[InstanceMove],
) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let codes = Codes::of(rewritten);
    let renamed = renamed(moves);
    let states: BTreeSet<&StateId> = rewritten.trees.keys().chain(after.keys()).collect();
    for state in states {
        let after = after.get(state).copied();
        faults.extend(prove_state(&codes, state, after, None, undeployed));
    }
    faults.extend(prove_between(rewritten, &codes));
    let faithful = Faithful::new(rewritten, &codes, before, &renamed);
    faults.extend(faithful.check());
    faults
}

/// Returns the blocks of root modules whose name or module changes, by both names.
pub(super) fn renamed(moves: &[InstanceMove]) -> BTreeSet<Item> {
    let outermost = |address: &ResourceInstanceAddr| match address.resource.module.0.first() {
        Some(step) => Item::Module(step.name.clone()),
        None => Item::from(&address.resource.config()),
    };
    let renames = moves
        .iter()
        .filter(|moved| moved.from.resource.config() != moved.to.resource.config());
    renames
        .flat_map(|moved| [outermost(&moved.from), outermost(&moved.to)])
        .collect()
}

/// Proves the code of one state; none where the cut has no code for it and needs none.
///
/// What the code did not declare `before` either need not be declared now.
pub(super) fn prove_state(
    codes: &Codes<'_>,
    state: &StateId,
    after: Option<&Snapshot>,
    before: Option<&Configuration>,
    undeployed: &BTreeSet<ConfigResourceAddr>,
) -> Vec<Diagnostic> {
    let Some(code) = codes.get(state) else {
        let is_empty = after.is_none_or(|after| after.resources().next().is_none());
        let fault = || Diagnostic::error(format!("`{state}` has a state and no code"));
        return (!is_empty).then(fault).into_iter().collect();
    };
    let faults = match code.configuration() {
        Ok(configuration) => prove_code(configuration, after, before, undeployed),
        Err(faults) => faults.to_vec(),
    };
    let within = |fault: Diagnostic| fault.note(format!("in the code of `{state}`"));
    faults.into_iter().map(within).collect()
}

/// Proves what holds between the states: contracts are told, and nobody waits for each other.
pub(super) fn prove_between(rewritten: &Rewritten, codes: &Codes<'_>) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for (consumer, upstreams) in &rewritten.upstreams {
        for upstream in upstreams {
            let told = rewritten
                .ledger
                .contracts
                .iter()
                .any(|contract| contract.producer == *upstream.name());
            if !told {
                faults.push(Diagnostic::error(format!(
                    "`{consumer}` reads a contract that `{upstream}` does not tell"
                )));
            }
            let place = |state: &StateId| rewritten.order.iter().position(|known| known == state);
            if place(upstream) >= place(consumer) {
                faults.push(Diagnostic::error(format!(
                    "`{consumer}` and `{upstream}` wait for each other"
                )));
            }
        }
    }
    faults.extend(
        rewritten
            .ledger
            .faults()
            .iter()
            .map(|fault| Diagnostic::error(fault.to_string())),
    );
    // What cannot be read is a fault of its state.
    faults.extend(lint::untold(&codes.roots(), &rewritten.ledger));
    faults
}

/// Proves one root module against one state.
pub fn prove_one(
    files: &FileTree,
    state: Option<&Snapshot>,
    undeployed: &BTreeSet<ConfigResourceAddr>,
) -> Vec<Diagnostic> {
    match code::Code::of([files]).configuration() {
        Ok(configuration) => prove_code(configuration, state, None, undeployed),
        Err(faults) => faults.to_vec(),
    }
}

fn prove_code(
    configuration: &Configuration,
    state: Option<&Snapshot>,
    before: Option<&Configuration>,
    undeployed: &BTreeSet<ConfigResourceAddr>,
) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut deployed = BTreeSet::new();
    for address in state.into_iter().flat_map(managed) {
        deployed.insert(address.resource.config());
        let was_right = || before.is_none_or(|before| has_block(before, &address).is_none());
        faults.extend(has_block(configuration, &address).filter(|_| was_right()));
    }
    faults.extend(undeclared_names(configuration));
    for module in configuration.modules() {
        for (item, pieces) in module.source.items() {
            if !must_exist(configuration, module, item) {
                continue;
            }
            let Some(address) = address_of(&module.address, item) else {
                continue;
            };
            if !deployed.contains(&address) && !undeployed.contains(&address) {
                let (file, block) = module.source.block(pieces[0].block);
                faults.push(
                    Diagnostic::error(format!("{address} is in the code, but not in the state"))
                        .at(&file.source, block.header.clone()),
                );
            }
        }
    }
    faults
}

fn managed(state: &Snapshot) -> impl Iterator<Item = ResourceInstanceAddr> {
    let all = state.instances().map(Instance::addr);
    all.filter(|address| address.resource.mode == ResourceMode::Managed)
}

/// Finds objects of a state that have no block, or one that is repeated in another way.
pub fn undeclared_objects(configuration: &Configuration, state: &Snapshot) -> Vec<Diagnostic> {
    misfits(configuration, state).map(|(_, fault)| fault).collect()
}

/// Finds the same, with the addresses.
pub(super) fn misfits(
    configuration: &Configuration,
    state: &Snapshot,
) -> impl Iterator<Item = (ResourceInstanceAddr, Diagnostic)> {
    managed(state).filter_map(|address| {
        let fault = has_block(configuration, &address)?;
        Some((address, fault))
    })
}

/// Finds names in a root module and in every module it calls that nothing declares.
pub fn undeclared_names(configuration: &Configuration) -> Vec<Diagnostic> {
    let modules = configuration.modules();
    modules
        .flat_map(|module| references(configuration, module))
        .collect()
}

fn address_of(module: &ModuleAddr, item: &Item) -> Option<ConfigResourceAddr> {
    match item {
        Item::Resource {
            mode: Mode::Managed,
            type_name,
            name,
        } => Some(ConfigResourceAddr {
            module: module.clone(),
            mode: ResourceMode::Managed,
            type_name: type_name.clone(),
            name: name.clone(),
        }),
        _ => None,
    }
}

/// Tells whether an item creates exactly one object, whatever values are: nothing around it is repeated, and it is no
/// part of a contract.
fn must_exist(configuration: &Configuration, module: &Module, item: &Item) -> bool {
    let is_repeated = |module: &Module, item: &Item| {
        ["for_each", "count"]
            .iter()
            .any(|name| module.source.attribute(item, name).is_some())
    };
    if is_repeated(module, item)
        || !matches!(
            item,
            Item::Resource {
                mode: Mode::Managed,
                ..
            }
        )
    {
        return false;
    }
    if ContractModule::ALL
        .iter()
        .any(|contract| module.source.dir.ends_with(contract.name()))
    {
        return false;
    }
    let mut at = ModuleAddr::default();
    for name in &module.address.0 {
        let Some(caller) = configuration.module(&at) else {
            return false;
        };
        if is_repeated(caller, &Item::Module(name.clone())) {
            return false;
        }
        at.0.push(name.clone());
    }
    true
}

/// Checks that an object has a block, and that the block and every call around it is repeated as its keys say.
fn has_block(configuration: &Configuration, address: &ResourceInstanceAddr) -> Option<Diagnostic> {
    let mut at = ModuleAddr::default();
    for step in &address.resource.module.0 {
        let module = configuration.module(&at)?;
        let item = Item::Module(step.name.clone());
        if let Some(fault) = fits(module, &item, step.key.as_ref(), address) {
            return Some(fault);
        }
        if module
            .calls
            .get(&step.name)
            .is_some_and(|call| call.target == CallTarget::Unknown)
        {
            // What is inside a module that is not installed is not known.
            return None;
        }
        at.0.push(step.name.clone());
    }
    let module = configuration.module(&at)?;
    fits(
        module,
        &Item::from(&address.resource.config()),
        address.key.as_ref(),
        address,
    )
}

fn fits(
    module: &Module,
    item: &Item,
    key: Option<&InstanceKey>,
    address: &ResourceInstanceAddr,
) -> Option<Diagnostic> {
    if module.source.declarations(item).is_empty() {
        let message = format!(
            "{address} is in the state, but {} is not in the code",
            item.describe()
        );
        return Some(Diagnostic::error(message));
    }
    let has = |name| module.source.attribute(item, name).is_some();
    let is_right = match key {
        Some(InstanceKey::Str(_)) => has("for_each"),
        Some(InstanceKey::Int(_)) => has("count"),
        None => !has("for_each") && !has("count"),
    };
    let (file, block) = module.source.block(module.source.declarations(item)[0].block);
    (!is_right).then(|| {
        let message = format!(
            "{address} is in the state, but {} is repeated in another way",
            item.describe()
        );
        Diagnostic::error(message).at(&file.source, block.header.clone())
    })
}

/// Checks that every reference of a module names something that is there.
fn references(configuration: &Configuration, module: &Module) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for (item, _) in module.source.items() {
        for (block, reference) in module.source.references(item) {
            let missing = match &reference.target {
                // Names in there may be of things that are gone.
                _ if reference.place.role == Role::ImportKey => None,
                Target::Module { name, output } => {
                    missing_output(configuration, module, name, output.as_deref())
                }
                target => super::access::item_of(target)
                    .filter(|named| module.source.declarations(named).is_empty())
                    .map(|named| named.describe()),
            };
            if let Some(missing) = missing {
                let (file, _) = module.source.block(block);
                faults.push(
                    Diagnostic::error(format!("{missing} is named here, and not declared"))
                        .at(&file.source, reference.span.clone()),
                );
            }
        }
    }
    faults
}

fn missing_output(
    configuration: &Configuration,
    module: &Module,
    name: &str,
    output: Option<&str>,
) -> Option<String> {
    let call = Item::Module(name.to_owned());
    if module.source.declarations(&call).is_empty() {
        return Some(call.describe());
    }
    let inside = configuration.module(&module.child(name))?;
    let output = Item::Output(output?.to_owned());
    inside
        .source
        .declarations(&output)
        .is_empty()
        .then(|| format!("{} of module `{name}`", output.describe()))
}
