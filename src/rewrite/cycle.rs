//! The order of states, and what to do where there is none: the references that close a cycle, and the fewest blocks
//! that would have to go elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::access;
use super::closure::Cut;
use super::text;
use crate::config::{Item, Role};
use crate::diagnostic::Diagnostic;
use crate::stack::StateId;

/// The most blocks for which pairs are tried.
const MOST_FOR_PAIRS: usize = 60;

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
    let reads = reads(cut, &owners);
    if is_acyclic(&reads, &owners) {
        // Single keys or copied values make the cycle: that is beyond whole blocks.
        return None;
    }
    let mut changes: Vec<(&Item, &StateId)> = owners
        .iter()
        .flat_map(|(item, owner)| {
            inside
                .iter()
                .filter(move |to| *to != owner)
                .map(move |to| (*item, *to))
        })
        .collect();
    // A change that leaves a stack empty gives the stack up: others first.
    changes.sort_by_key(|(item, _)| owners.values().filter(|owner| **owner == owners[*item]).count() == 1);
    let breaks = |chosen: &[(&'c Item, &'c StateId)]| {
        let mut changed = owners.clone();
        changed.extend(chosen.iter().copied());
        is_acyclic(&reads, &changed)
    };
    if let Some(one) = changes.iter().find(|change| breaks(&[**change])) {
        return Some(vec![*one]);
    }
    if owners.len() > MOST_FOR_PAIRS {
        return None;
    }
    changes.iter().enumerate().find_map(|(at, first)| {
        let second = changes[at + 1..]
            .iter()
            .find(|second| second.0 != first.0 && breaks(&[*first, **second]))?;
        Some(vec![*first, *second])
    })
}

/// Tells whether no two states wait for each other.
fn is_acyclic(reads: &Reads<'_>, owners: &BTreeMap<&Item, &StateId>) -> bool {
    let mut waits: BTreeMap<&StateId, BTreeSet<&StateId>> = BTreeMap::new();
    for (item, others) in reads {
        for other in others {
            let (from, to) = (owners[*item], owners[*other]);
            if from != to {
                waits.entry(from).or_default().insert(to);
            }
        }
    }
    while !waits.is_empty() {
        let ready: Vec<&StateId> = waits
            .values()
            .flatten()
            .copied()
            .filter(|state| !waits.contains_key(state))
            .collect();
        if ready.is_empty() {
            return false;
        }
        for others in waits.values_mut() {
            others.retain(|other| !ready.contains(other));
        }
        waits.retain(|_, others| !others.is_empty());
    }
    true
}
