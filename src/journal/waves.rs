//! The order of writes: a state may lose an object only when the state that gets it is already durable.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::stack::StateId;

/// States that give objects to one another in a circle: no order of writes is safe for them.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the states {} exchange objects in a circle; cut it into two migrations", list(.states))]
pub struct Circle {
    /// The states of all circles, sorted.
    pub states: Vec<StateId>,
}

fn list(states: &[StateId]) -> String {
    let names: Vec<_> = states.iter().map(|state| format!("`{state}`")).collect();
    names.join(", ")
}

/// Returns each state's wave: 0 for those that lose nothing, and above those of all states that get its objects.
///
/// `flows` are (loses, gets); a state may be in `states` without any flow.
///
/// # Errors
///
/// States that exchange objects in a circle.
pub fn waves(
    states: impl IntoIterator<Item = StateId>,
    flows: &[(StateId, StateId)],
) -> Result<BTreeMap<StateId, u32>, Circle> {
    let mut open: BTreeMap<StateId, BTreeSet<&StateId>> =
        states.into_iter().map(|state| (state, BTreeSet::new())).collect();
    for (from, to) in flows {
        open.entry(to.clone()).or_default();
        open.entry(from.clone()).or_default().insert(to);
    }
    let mut done: BTreeMap<StateId, u32> = BTreeMap::new();
    for wave in 0.. {
        let ready: Vec<StateId> = open
            .iter()
            .filter(|(_, gets)| gets.iter().all(|state| done.contains_key(*state)))
            .map(|(state, _)| state.clone())
            .collect();
        if ready.is_empty() {
            break;
        }
        for state in ready {
            open.remove(&state);
            done.insert(state, wave);
        }
    }
    if open.is_empty() {
        return Ok(done);
    }
    Err(Circle {
        states: circles(&open),
    })
}

/// Keeps of the states that could not be ordered those that are on a circle, not those that only wait for one.
fn circles(open: &BTreeMap<StateId, BTreeSet<&StateId>>) -> Vec<StateId> {
    let reaches_itself = |start: &StateId| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&StateId> = open[start].iter().copied().collect();
        while let Some(state) = next.pop() {
            if state == start {
                return true;
            }
            if seen.insert(state) {
                next.extend(open.get(state).into_iter().flatten().copied());
            }
        }
        false
    };
    open.keys()
        .filter(|state| reaches_itself(state))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> StateId {
        StateId::Stack(name.parse().unwrap())
    }

    fn check(flows: &[(&str, &str)], expected: &str) {
        let flows: Vec<_> = flows.iter().map(|(from, to)| (id(from), id(to))).collect();
        let found = match waves([id("lone")], &flows) {
            Ok(waves) => waves
                .iter()
                .map(|(state, wave)| format!("{state}={wave}"))
                .collect::<Vec<_>>()
                .join(" "),
            Err(circle) => circle.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn getters_come_before_losers() {
        check(&[], "lone=0");
        check(&[("mono", "a"), ("mono", "b")], "a=0 b=0 lone=0 mono=1");
        check(&[("mono", "a"), ("old", "mono")], "a=0 lone=0 mono=1 old=2");
        check(
            &[("mono", "a"), ("old", "mono"), ("old", "a")],
            "a=0 lone=0 mono=1 old=2",
        );
        check(
            &[("a", "b"), ("b", "a"), ("c", "a")],
            "the states `a`, `b` exchange objects in a circle; cut it into two migrations",
        );
    }
}
