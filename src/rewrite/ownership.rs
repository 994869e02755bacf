//! Which state owns which root-level block, whole or by keys, and in which form it stands there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Input;
use crate::address::{InstanceKey, ResourceInstanceAddr, ResourceMode};
use crate::config::{Item, Mode};
use crate::diagnostic::Diagnostic;
use crate::stack::StateId;

/// How a block is repeated in the monolith.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repetition {
    /// It stands for one instance.
    None,
    /// `count`.
    Count,
    /// `for_each`.
    ForEach,
}

/// The form of a block in one state's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it was.
    AsIs,
    /// One instance, without repetition: it had this key.
    Single(InstanceKey),
    /// Repeated, but only these keys.
    Only(Vec<InstanceKey>),
}

/// What one state has of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The form.
    pub form: Form,
    /// The item under its name there.
    pub item: Item,
    /// The keys in the monolith; empty for a block without repetition or without instances.
    pub keys: Vec<InstanceKey>,
}

/// A block that creates something, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owned {
    /// How it is repeated.
    pub repetition: Repetition,
    /// Its parts by state.
    pub parts: BTreeMap<StateId, Part>,
}

impl Owned {
    /// Tells whether several states have parts of it.
    pub fn is_split(&self) -> bool {
        self.parts.len() > 1
    }

    /// Returns the state that has a key.
    pub fn owner_of(&self, key: &InstanceKey) -> Option<&StateId> {
        self.parts
            .iter()
            .find_map(|(state, part)| part.keys.contains(key).then_some(state))
    }
}

/// Resources and module calls of the root module that create something.
pub(super) type Ownership = BTreeMap<Item, Owned>;

/// Where one instance of a root-level block goes: state, new item, new key.
type Destination = (StateId, Item, Option<InstanceKey>);

/// Divides the root module's blocks.
pub(super) fn ownership(input: &Input<'_>) -> Result<Ownership, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let found = destinations(input, &mut faults);
    let mut ownership = Ownership::new();
    let root = &input.configuration.root().source;
    for (item, _) in root.items().filter(|(item, _)| creates(input, item)) {
        let repetition = repetition(input, item);
        let parts = match found.get(item) {
            Some(keys) if !keys.is_empty() => parts(input, item, repetition, keys, &mut faults),
            _ => undeployed(input, item),
        };
        ownership.insert(item.clone(), Owned { repetition, parts });
    }
    for (item, keys) in &found {
        let taken = keys.values().flatten().any(|(state, ..)| state != input.source);
        if taken && root.declarations(item).is_empty() {
            let message = format!("{} is in the state, but not in the code", item.describe());
            faults.push(Diagnostic::error(message).hint(
                "leave it in the monolith (take it out of `take`), or write its block and apply before the split",
            ));
        }
    }
    match faults.is_empty() {
        true => Ok(ownership),
        false => Err(faults),
    }
}

/// Tells whether an item of the root module creates something that a state holds.
fn creates(input: &Input<'_>, item: &Item) -> bool {
    match item {
        Item::Resource { mode, .. } => *mode == Mode::Managed,
        Item::Module(name) => {
            let in_code = input
                .configuration
                .modules()
                .filter(|module| module.address.0.first() == Some(name))
                .flat_map(|module| module.source.items())
                .any(|(item, _)| {
                    matches!(
                        item,
                        Item::Resource {
                            mode: Mode::Managed,
                            ..
                        }
                    )
                });
            let in_state = || {
                input.snapshot.resources().any(|resource| {
                    resource.addr().mode == ResourceMode::Managed
                        && resource.addr().module.0.first().map(|step| &step.name) == Some(name)
                })
            };
            in_code || in_state()
        }
        _ => false,
    }
}

fn repetition(input: &Input<'_>, item: &Item) -> Repetition {
    let root = &input.configuration.root().source;
    match (root.attribute(item, "for_each"), root.attribute(item, "count")) {
        (Some(_), _) => Repetition::ForEach,
        (None, Some(_)) => Repetition::Count,
        (None, None) => Repetition::None,
    }
}

/// Collects for each root-level block and key where its instances go.
fn destinations(
    input: &Input<'_>,
    faults: &mut Vec<Diagnostic>,
) -> BTreeMap<Item, BTreeMap<Option<InstanceKey>, BTreeSet<Destination>>> {
    let moves: HashMap<&ResourceInstanceAddr, (&StateId, &ResourceInstanceAddr)> = input
        .assignment
        .instances
        .iter()
        .filter(|found| found.giver == *input.source)
        .map(|found| (&found.from, (&found.taker, &found.to)))
        .collect();
    let mut found: BTreeMap<Item, BTreeMap<Option<InstanceKey>, BTreeSet<Destination>>> = BTreeMap::new();
    for instance in input.snapshot.instances() {
        let from = instance.addr();
        if from.resource.mode != ResourceMode::Managed {
            continue;
        }
        let stays = (input.source, &from);
        let (state, to) = moves.get(&from).copied().unwrap_or(stays);
        match destination(&from, state, to) {
            Some((item, key, destination)) => {
                let keys = found.entry(item).or_default();
                keys.entry(key).or_default().insert(destination);
            }
            None => faults.push(inside(&from, state, to)),
        }
    }
    found
}

/// Returns the root-level block and key of an instance, and where that goes; none where the move is not one of the
/// whole block.
fn destination(
    from: &ResourceInstanceAddr,
    state: &StateId,
    to: &ResourceInstanceAddr,
) -> Option<(Item, Option<InstanceKey>, Destination)> {
    let (was, is) = (&from.resource, &to.resource);
    match (was.module.0.split_first(), is.module.0.split_first()) {
        (None, None) => {
            let item = |resource: &crate::address::ResourceAddr| Item::from(&resource.config());
            (was.type_name == is.type_name).then(|| {
                (
                    item(was),
                    from.key.clone(),
                    (state.clone(), item(is), to.key.clone()),
                )
            })
        }
        (Some((was_step, was_rest)), Some((is_step, is_rest))) => {
            let same = was_rest == is_rest
                && from.key == to.key
                && (&was.type_name, &was.name) == (&is.type_name, &is.name);
            let destination = (
                state.clone(),
                Item::Module(is_step.name.clone()),
                is_step.key.clone(),
            );
            same.then(|| {
                (
                    Item::Module(was_step.name.clone()),
                    was_step.key.clone(),
                    destination,
                )
            })
        }
        _ => None,
    }
}

/// Refuses a move that changes what is inside a module.
fn inside(from: &ResourceInstanceAddr, state: &StateId, to: &ResourceInstanceAddr) -> Diagnostic {
    Diagnostic::error(format!(
        "`{from}` becomes `{to}` in `{state}`: the code of a module would have to be taken apart for that"
    ))
    .note("nothing was written")
    .hint(
        "take the module instance as a whole, without this `move`; or move the block out of the module in the \
         monolith first, with a `moved` block and an apply",
    )
}

fn parts(
    input: &Input<'_>,
    item: &Item,
    repetition: Repetition,
    keys: &BTreeMap<Option<InstanceKey>, BTreeSet<Destination>>,
    faults: &mut Vec<Diagnostic>,
) -> BTreeMap<StateId, Part> {
    let mut by_state: BTreeMap<StateId, Vec<(Option<InstanceKey>, &Destination)>> = BTreeMap::new();
    for (key, destinations) in keys {
        if destinations.len() > 1 {
            faults.push(torn(input, item, key.as_ref(), destinations));
            continue;
        }
        for destination in destinations {
            let list = by_state.entry(destination.0.clone()).or_default();
            list.push((key.clone(), destination));
        }
    }
    let is_split = by_state.len() > 1;
    let mut parts = BTreeMap::new();
    for (state, list) in by_state {
        match form(input, item, repetition, is_split, &list) {
            Ok(form) => {
                let fault = in_json(input, item, &form).filter(|fault| !faults.contains(fault));
                faults.extend(fault);
                let part = Part {
                    form,
                    item: list[0].1.1.clone(),
                    keys: list.iter().filter_map(|(key, _)| key.clone()).collect(),
                };
                parts.insert(state, part);
            }
            Err(fault) => faults.push(*fault),
        }
    }
    parts
}

fn at_block(input: &Input<'_>, item: &Item, fault: Diagnostic) -> Diagnostic {
    let root = &input.configuration.root().source;
    match root.declarations(item).first() {
        Some(first) => {
            let (file, block) = root.block(first.block);
            fault.at(&file.source, block.header.clone())
        }
        None => fault,
    }
}

fn torn(
    input: &Input<'_>,
    item: &Item,
    key: Option<&InstanceKey>,
    destinations: &BTreeSet<Destination>,
) -> Diagnostic {
    let states: BTreeSet<String> = destinations
        .iter()
        .map(|(state, ..)| format!("`{state}`"))
        .collect();
    let states: Vec<String> = states.into_iter().collect();
    let instance = key.map_or_else(String::new, |key| {
        format!(", instance {}", super::text::index(key))
    });
    let message = format!(
        "{}{instance} would be in several states ({}): a module call cannot be divided",
        item.describe(),
        states.join(", ")
    );
    let hint = "take the module instance as a whole (`module.NAME` or `module.NAME[\"key\"]`), or lift single blocks out of \
                it with `move` blocks whose `to` has no module";
    at_block(
        input,
        item,
        Diagnostic::error(message).note("nothing was written").hint(hint),
    )
}

fn form(
    input: &Input<'_>,
    item: &Item,
    repetition: Repetition,
    is_split: bool,
    list: &[(Option<InstanceKey>, &Destination)],
) -> Result<Form, Box<Diagnostic>> {
    let refuse = |message: String, hint: &str| {
        let fault = Diagnostic::error(message).note("nothing was written").hint(hint);
        Err(Box::new(at_block(input, item, fault)))
    };
    let named: BTreeSet<&Item> = list.iter().map(|(_, (_, to, _))| to).collect();
    if named.len() > 1 {
        let message = format!(
            "instances of {} would get several names in one stack",
            item.describe()
        );
        return refuse(message, "rename all of its instances alike, or none");
    }
    let keeps = list.iter().all(|(key, (_, _, to))| key == to);
    match list {
        _ if keeps && (repetition == Repetition::None || !is_split) => Ok(Form::AsIs),
        [(Some(key), (_, _, None))] => Ok(Form::Single(key.clone())),
        _ if keeps => {
            let keys: Vec<InstanceKey> = list.iter().filter_map(|(key, _)| key.clone()).collect();
            let is_prefix = keys
                .iter()
                .enumerate()
                .all(|(at, key)| *key == InstanceKey::Int(at as u64));
            if repetition == Repetition::Count && !is_prefix {
                let state = &list[0].1.0;
                let message = format!(
                    "`{state}` gets instances {} of {}, which `count` cannot give alone",
                    list_keys(&keys),
                    item.describe()
                );
                return refuse(
                    message,
                    "give each of them a name of its own with a `move` block (`from = \"…[2]\"`, `to = \"…\"`), or take \
                     the first ones, or all",
                );
            }
            Ok(Form::Only(keys))
        }
        _ => {
            let message = format!("the keys of {} would change", item.describe());
            refuse(
                message,
                "a `move` block may take the key of one instance away; other changes of keys are made in the monolith \
                 first, with `moved` blocks",
            )
        }
    }
}

/// A repetition in JSON syntax is divided where it is an object with constant names, or one template as a whole.
fn in_json(input: &Input<'_>, item: &Item, form: &Form) -> Option<Diagnostic> {
    let root = &input.configuration.root().source;
    let name = ["for_each", "count"]
        .into_iter()
        .find(|name| root.attribute(item, name).is_some());
    let (file, argument) = root.attribute(item, name?)?;
    if *form == Form::AsIs || file.syntax != crate::config::Syntax::Json || argument.name == "count" {
        return None;
    }
    let is_object = crate::json::parse(file.text(&argument.value)).is_ok_and(|node| {
        let members = node.members();
        members.is_some_and(|members| members.iter().all(|member| !member.key.contains("${")))
    });
    let can_be_divided = is_object || super::each::template(file, &argument.value).is_some();
    (!can_be_divided).then(|| {
        let message = format!(
            "{} would be divided by its keys, and its `for_each` in JSON syntax is neither an object with constant names \
             nor one template",
            item.describe()
        );
        Diagnostic::error(message)
            .at(&file.source, argument.span.clone())
            .note("nothing was written")
            .hint("write it as one template, `\"${local.all}\"`; or take all of its keys; or write the block in HCL first")
    })
}

fn list_keys(keys: &[InstanceKey]) -> String {
    let keys: Vec<String> = keys.iter().map(super::text::index).collect();
    keys.join(", ")
}

/// A block without instances goes where the plan file takes it, else it stays.
fn undeployed(input: &Input<'_>, item: &Item) -> BTreeMap<StateId, Part> {
    let matches = |address: &crate::address::ConfigResourceAddr| match item {
        Item::Module(name) => address.module.0.first() == Some(name),
        _ => address.module.0.is_empty() && Item::from(address) == *item,
    };
    let moved = input
        .assignment
        .undeployed
        .iter()
        .find(|found| found.giver == *input.source && matches(&found.address));
    let owner = moved
        .and_then(|found| found.takers.first())
        .unwrap_or(input.source);
    let part = Part {
        form: Form::AsIs,
        item: item.clone(),
        keys: Vec::new(),
    };
    BTreeMap::from([(owner.clone(), part)])
}
