//! The order of states, and what to do where there is none: the references that close a cycle, and the fewest blocks
//! that would have to go elsewhere.

mod fewest;

use std::collections::{BTreeMap, BTreeSet};

use fewest::Waits;

use super::access;
use super::closure::Cut;
use super::text;
use crate::config::{Item, Role};
use crate::diagnostic::Diagnostic;
use crate::stack::StateId;

/// Puts the states into an order in which every one comes after those it reads; cycles are refused.
pub(super) fn order(cut: &Cut<'_>, states: &[StateId], faults: &mut Vec<Diagnostic>) -> Vec<StateId> {
    let mut order: Vec<StateId> = Vec::new();
    let mut left: Vec<&StateId> = states.iter().collect();
    while !left.is_empty() {
        let is_ready = |state: &StateId| {
            let upstreams = &cut.members[state].upstreams;
            upstreams.iter().all(|upstream| order.contains(upstream))
        };
        // The monolith comes last among equals: nobody should depend on it.
        let next = left
            .iter()
            .position(|state| is_ready(state) && !matches!(state, StateId::Source(_)))
            .or_else(|| left.iter().position(|state| is_ready(state)));
        let Some(next) = next else {
            faults.push(cycle(cut, &left));
            break;
        };
        order.push(left.remove(next).clone());
    }
    order
}

/// Describes the cycles among states none of which can come first.
fn cycle(cut: &Cut<'_>, left: &[&StateId]) -> Diagnostic {
    let mut inside: BTreeSet<&StateId> = left.iter().copied().collect();
    // Who only reads the cycle is no part of it.
    loop {
        let is_read = |state: &StateId| {
            inside
                .iter()
                .any(|other| cut.members[*other].upstreams.contains(state))
        };
        let kept: BTreeSet<&StateId> = inside.iter().copied().filter(|state| is_read(state)).collect();
        if kept.len() == inside.len() {
            break;
        }
        inside = kept;
    }
    let names: Vec<String> = inside.iter().map(|state| format!("`{state}`")).collect();
    let mut fault = Diagnostic::error(format!("the contracts of {} form a cycle", names.join(", ")));
    let mut told = BTreeSet::new();
    let mut notes = Vec::new();
    let mut numbers: BTreeMap<(&StateId, &StateId), usize> = BTreeMap::new();
    for ((producer, item), readings) in &cut.readings {
        for reading in readings {
            if !inside.contains(producer) || !inside.contains(&reading.consumer) {
                continue;
            }
            let file = cut.file(reading.block);
            let at = file.source.position(reading.span.start);
            let note = format!(
                "`{}` reads `{}` of `{producer}` at {}:{}:{}",
                reading.consumer,
                text::root_of(item),
                file.source.path,
                at.line,
                at.column
            );
            if told.insert(note.clone()) {
                let number = numbers.entry((&reading.consumer, producer)).or_default();
                *number += 1;
                notes.push((*number, note));
            }
        }
    }
    // The first of each direction together: where there are many, the first are what is shown.
    notes.sort_by_key(|(number, _)| *number);
    fault.notes.extend(notes.into_iter().map(|(_, note)| note));
    let hint = match smallest(cut, &inside) {
        Some(changes) => {
            let changes: Vec<String> = changes
                .iter()
                .map(|(item, state)| format!("`{}` went to `{state}`", text::root_of(item)))
                .collect();
            format!("the cycle would be broken if {}", changes.join(" and "))
        }
        None => "move what both sides read into a stack of its own".to_owned(),
    };
    fault.note("nothing was written").hint(hint)
}

/// What each block of the cycle's states reads of the others', through anything that is copied.
type Reads<'a> = BTreeMap<&'a Item, BTreeSet<&'a Item>>;

fn reads<'c>(cut: &'c Cut<'_>, owners: &BTreeMap<&'c Item, &'c StateId>) -> Reads<'c> {
    let root = &cut.input.configuration.root().source;
    let mut reads = Reads::new();
    for &item in owners.keys() {
        let mut seen = BTreeSet::from([item.clone()]);
        let mut queue = vec![item.clone()];
        while let Some(at) = queue.pop() {
            for (_, reference) in root.references(&at) {
                let Some(target) =
                    access::item_of(&reference.target).filter(|_| reference.place.role != Role::DependsOn)
                else {
                    continue;
                };
                match cut.ownership.get_key_value(&target) {
                    Some((known, _)) if known != item && owners.contains_key(known) => {
                        reads.entry(item).or_default().insert(known);
                    }
                    Some(_) => {}
                    None if seen.insert(target.clone()) => queue.push(target),
                    None => {}
                }
            }
        }
    }
    reads
}

/// Finds the fewest blocks, at most two, whose going to another state of the cycle breaks it.
fn smallest<'c>(cut: &'c Cut<'_>, inside: &BTreeSet<&'c StateId>) -> Option<Vec<(&'c Item, &'c StateId)>> {
    let mut owners: BTreeMap<&Item, &StateId> = BTreeMap::new();
    for (item, owned) in &cut.ownership {
        let owner = owned.parts.keys().next().filter(|_| !owned.is_split());
        if let Some(owner) = owner.filter(|owner| inside.contains(owner)) {
            owners.insert(item, owner);
        }
    }
    let blocks: Vec<&Item> = owners.keys().copied().collect();
    let states: Vec<&StateId> = inside.iter().copied().collect();
    let block_number = |item: &Item| blocks.binary_search(&item).expect("each has an owner");
    let state_number = |state: &StateId| states.binary_search(&state).expect("each is inside");
    let reads = reads(cut, &owners);
    let pairs = reads
        .iter()
        .flat_map(|(item, others)| others.iter().map(move |other| (*item, *other)));
    let waits = Waits::new(
        states.len(),
        owners.values().map(|owner| state_number(owner)).collect(),
        pairs
            .map(|(item, other)| (block_number(item), block_number(other)))
            .collect(),
    );
    // No cycle here: single keys or copied values make it, and that is beyond whole blocks.
    let changes = waits.fewest_changes()?;
    Some(
        changes
            .into_iter()
            .map(|(block, to)| (blocks[block], states[to]))
            .collect(),
    )
}
