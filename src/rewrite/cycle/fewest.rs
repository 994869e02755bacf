//! The fewest blocks whose going elsewhere leaves no states that wait for each other.
//!
//! Blocks and states are numbers here. A change is tried without counting everything anew: only what its block reads and
//! what reads it can begin or cease to make one state wait for another.

use std::collections::BTreeMap;

use petgraph::algo::is_cyclic_directed;
use petgraph::graph::DiGraph;

/// The most blocks for which pairs are tried.
const MOST_FOR_PAIRS: usize = 60;

/// A block, and the state that it goes to.
pub(super) type Change = (usize, usize);

/// Which state waits for which, and because of how many readings.
pub(super) struct Waits {
    states: usize,
    /// The state of each block.
    owners: Vec<usize>,
    /// Which block reads which, each pair once.
    reads: Vec<(usize, usize)>,
    /// The readings that each block has a part in.
    parts: Vec<Vec<usize>>,
    /// How many readings make one state wait for another.
    counts: Vec<Vec<usize>>,
}

impl Waits {
    pub(super) fn new(states: usize, owners: Vec<usize>, reads: Vec<(usize, usize)>) -> Self {
        let mut parts = vec![Vec::new(); owners.len()];
        let mut counts = vec![vec![0; states]; states];
        for (number, &(reader, read)) in reads.iter().enumerate() {
            parts[reader].push(number);
            parts[read].push(number);
            counts[owners[reader]][owners[read]] += 1;
        }
        Self {
            states,
            owners,
            reads,
            parts,
            counts,
        }
    }

    /// Finds the fewest changes, at most two, that break every cycle; `None` where there are none that do, or no cycle.
    pub(super) fn fewest_changes(&self) -> Option<Vec<Change>> {
        if self.is_acyclic(&BTreeMap::new()) {
            return None;
        }
        let mut sizes = vec![0; self.states];
        for &owner in &self.owners {
            sizes[owner] += 1;
        }
        let to_others = |block: usize| {
            let owner = self.owners[block];
            (0..self.states)
                .filter(move |&to| to != owner)
                .map(move |to| (block, to))
        };
        let mut changes: Vec<Change> = (0..self.owners.len()).flat_map(to_others).collect();
        // A change that leaves a stack empty gives the stack up: others first.
        changes.sort_by_key(|&(block, _)| sizes[self.owners[block]] == 1);
        if let Some(&one) = changes.iter().find(|&&change| self.breaks(&[change])) {
            return Some(vec![one]);
        }
        if self.owners.len() > MOST_FOR_PAIRS {
            return None;
        }
        changes.iter().enumerate().find_map(|(at, &first)| {
            let mut others = changes[at + 1..].iter();
            let second = others.find(|&&second| second.0 != first.0 && self.breaks(&[first, second]))?;
            Some(vec![first, *second])
        })
    }

    /// Tells whether changes break every cycle there is.
    fn breaks(&self, changes: &[Change]) -> bool {
        let owner_after = |block: usize| {
            let change = changes.iter().find(|change| change.0 == block);
            change.map_or(self.owners[block], |change| change.1)
        };
        let mut readings: Vec<usize> = changes
            .iter()
            .flat_map(|change| &self.parts[change.0])
            .copied()
            .collect();
        readings.sort_unstable();
        readings.dedup();
        let mut differences: BTreeMap<(usize, usize), isize> = BTreeMap::new();
        for number in readings {
            let (reader, read) = self.reads[number];
            *differences
                .entry((self.owners[reader], self.owners[read]))
                .or_default() -= 1;
            *differences
                .entry((owner_after(reader), owner_after(read)))
                .or_default() += 1;
        }
        let ceases = |(&(from, to), &difference): (&(usize, usize), &isize)| {
            from != to && difference < 0 && self.count(from, to) + difference == 0
        };
        // Where no state ceases to wait for another, every cycle stays.
        differences.iter().any(ceases) && self.is_acyclic(&differences)
    }

    fn count(&self, from: usize, to: usize) -> isize {
        isize::try_from(self.counts[from][to]).unwrap_or(isize::MAX)
    }

    /// Tells whether no two states wait for each other, with these differences.
    fn is_acyclic(&self, differences: &BTreeMap<(usize, usize), isize>) -> bool {
        let waits = |from: usize, to: usize| {
            let difference = differences.get(&(from, to)).copied().unwrap_or_default();
            from != to && self.count(from, to) + difference > 0
        };
        let all = || 0..self.states;
        let pairs = all().flat_map(|from| all().map(move |to| (from, to)));
        let number = |state: usize| u32::try_from(state).expect("there are not so many states");
        let edges = pairs
            .filter(|&(from, to)| waits(from, to))
            .map(|(from, to)| (number(from), number(to)));
        !is_cyclic_directed(&DiGraph::<(), ()>::from_edges(edges))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::Random;

    /// The same without any shortcut.
    fn is_broken(states: usize, owners: &[usize], reads: &[(usize, usize)]) -> bool {
        let mut reaches = vec![vec![false; states]; states];
        for &(reader, read) in reads {
            reaches[owners[reader]][owners[read]] |= owners[reader] != owners[read];
        }
        for through in 0..states {
            for from in 0..states {
                for to in 0..states {
                    reaches[from][to] |= reaches[from][through] && reaches[through][to];
                }
            }
        }
        (0..states).all(|state| !reaches[state][state])
    }

    fn changed(owners: &[usize], changes: &[Change]) -> Vec<usize> {
        let mut owners = owners.to_vec();
        for &(block, to) in changes {
            owners[block] = to;
        }
        owners
    }

    #[test]
    fn finds_what_trying_everything_finds() {
        let mut found = [0; 4];
        for seed in 0..800 {
            let mut random = Random::new(seed);
            let mut next = |below| random.below(below);
            let (states, blocks) = (2 + next(4), 2 + next(7));
            let owners: Vec<usize> = (0..blocks).map(|_| next(states)).collect();
            let mut reads: Vec<(usize, usize)> =
                (0..next(12)).map(|_| (next(blocks), next(blocks))).collect();
            reads.sort_unstable();
            reads.dedup();
            let fewest = Waits::new(states, owners.clone(), reads.clone()).fewest_changes();
            let breaks = |changes: &[Change]| is_broken(states, &changed(&owners, changes), &reads);
            let all: Vec<Change> = (0..blocks)
                .flat_map(|block| (0..states).map(move |to| (block, to)))
                .collect();
            let least = if breaks(&[]) {
                0
            } else if all.iter().any(|&one| breaks(&[one])) {
                1
            } else if all.iter().any(|&one| all.iter().any(|&two| breaks(&[one, two]))) {
                2
            } else {
                3
            };
            found[least] += 1;
            match fewest {
                Some(changes) => {
                    assert_eq!(changes.len(), least, "seed {seed}");
                    assert!(breaks(&changes), "seed {seed}");
                }
                None => assert!(least == 0 || least == 3, "seed {seed}: {least}"),
            }
        }
        assert!(found.iter().all(|&count| count > 3), "{found:?}");
    }

    #[test]
    fn a_stack_is_given_up_last() {
        // State 1 has one block; of state 0 either block will do.
        let waits = Waits::new(2, vec![1, 0, 0], vec![(0, 1), (2, 0)]);
        assert_eq!(waits.fewest_changes(), Some(vec![(1, 1)]));
        // Of one block each, one is given up.
        let waits = Waits::new(2, vec![0, 1], vec![(0, 1), (1, 0)]);
        assert_eq!(waits.fewest_changes(), Some(vec![(0, 1)]));
    }
}
