//! The judgement over `dependencies`: worked out anew from the states before and the moves.

use std::collections::{BTreeSet, HashMap};

use super::super::names::ConfigName;
use super::super::{At, Changes, CutDependency, DropReason, DroppedDependency};
use super::compare::same_tokens;
use super::expect::{Expectations, Expected};
use super::{ConservationError, Pair};
use crate::address::ResourceInstanceAddr;
use crate::state::Instance;
use crate::state::hash::{FastMap, FastSet};

/// Where a resource of a state goes: the states by position, the addresses there. May repeat itself.
type Goes<'a> = Vec<(usize, ConfigName<'a>)>;

/// What an entry of a state's `dependencies` names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// A resource of the state of which no instance moves.
    Unmoved,
    /// A resource of the state of which something moves.
    Moved,
    /// Nothing in the state.
    Nothing,
}

/// Everything that is needed to judge the list of any object.
pub(super) struct Judge<'a> {
    /// For each state, for each entry of its table of dependencies.
    names: Vec<Vec<Names>>,
    /// For each state the resources of which something moves.
    movers: Vec<FastMap<ConfigName<'a>, Goes<'a>>>,
    /// For each state the addresses at which something arrives.
    arrivals: Vec<FastSet<ConfigName<'a>>>,
    /// By consumer its first run of entries; all runs, each with the number of the next of the same consumer.
    cut: FastMap<&'a At<ResourceInstanceAddr>, u32>,
    cut_runs: Vec<(&'a [CutDependency], Option<u32>)>,
    cycles: FastMap<&'a At<ResourceInstanceAddr>, Vec<&'a str>>,
}

/// What a list must be.
#[derive(Default)]
struct Wanted<'a> {
    entries: Vec<ConfigName<'a>>,
    /// Whether it must be something else than it was.
    changed: bool,
    /// Whether it names the object's own resource, and nothing about that changes.
    of_old: bool,
    /// What it loses, in whole or in part, to other states.
    cut: Vec<ConfigName<'a>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        pairs: &[Pair<'a>],
        changes: &'a Changes,
        expectations: &Expectations<'a>,
        cut: &'a [CutDependency],
        dropped: &'a [DroppedDependency],
    ) -> Self {
        let positions: HashMap<_, _> = pairs.iter().enumerate().map(|(at, pair)| (pair.id, at)).collect();
        let mut judge = Self {
            names: Vec::with_capacity(pairs.len()),
            movers: pairs.iter().map(|_| FastMap::default()).collect(),
            arrivals: pairs.iter().map(|_| FastSet::default()).collect(),
            cut: FastMap::default(),
            cut_runs: Vec::new(),
            cycles: FastMap::default(),
        };
        let instances = changes.instances.iter().map(|movement| {
            let (from, to) = (&movement.from, &movement.to);
            (&from.state, &from.addr.resource, &to.state, &to.addr.resource)
        });
        let husks = changes.husks.iter().map(|movement| {
            let (from, to) = (&movement.from, &movement.to);
            (&from.state, &from.addr, &to.state, &to.addr)
        });
        for (from_state, from, to_state, to) in instances.chain(husks) {
            let (from_state, to_state) = (positions[from_state], positions[to_state]);
            let place = (to_state, ConfigName::of(to));
            judge.arrivals[to_state].insert(place.1);
            let goes = judge.movers[from_state].entry(ConfigName::of(from));
            let goes = goes.or_insert_with(|| Vec::with_capacity(1));
            if goes.last() != Some(&place) {
                goes.push(place);
            }
        }
        for (state, pair) in pairs.iter().enumerate() {
            let names = judge.names_of(state, pair, expectations);
            judge.names.push(names);
        }
        for cut in cut.chunk_by(|a, b| a.consumer == b.consumer) {
            let number = judge.cut_runs.len() as u32;
            let before = judge.cut.insert(&cut[0].consumer, number);
            judge.cut_runs.push((cut, before));
        }
        for dropped in dropped
            .iter()
            .filter(|dropped| dropped.reason == DropReason::Cycle)
        {
            judge
                .cycles
                .entry(&dropped.consumer)
                .or_default()
                .push(&dropped.entry);
        }
        judge
    }

    fn names_of(&mut self, state: usize, pair: &Pair<'a>, expectations: &Expectations<'a>) -> Vec<Names> {
        let Some(before) = pair.before() else {
            return Vec::new();
        };
        let movers = &mut self.movers[state];
        let mut unmoved = FastSet::default();
        for resource in before.resources() {
            let name = ConfigName::of(resource.addr());
            match movers.get_mut(&name) {
                None => {
                    unmoved.insert(name);
                }
                Some(goes) => {
                    let entry = expectations.at(state, resource.addr());
                    if entry.is_some_and(|entry| entry.stays.is_some()) {
                        goes.push((state, name));
                    }
                }
            }
        }
        let names = (0..before.dependency_count() as u32).map(|id| {
            let name = ConfigName::from(before.dependency(id).1);
            if unmoved.contains(&name) {
                Names::Unmoved
            } else if movers.contains_key(&name) {
                Names::Moved
            } else {
                Names::Nothing
            }
        });
        names.collect()
    }

    /// Returns the resources of a state of which something moves.
    pub(super) fn movers(&self, state: usize) -> impl Iterator<Item = &ConfigName<'a>> {
        self.movers[state].keys()
    }

    /// Checks the list of one object; returns 1 if it was rewritten.
    pub(super) fn check(
        &self,
        pair: &Pair<'_>,
        state: usize,
        expected: &Expected<'a>,
        after: Instance<'_>,
    ) -> Result<usize, ConservationError> {
        let wrong = || ConservationError::Dependencies {
            at: pair.at(after.addr()),
        };
        let own = ConfigName::of(after.resource().addr());
        let mut wanted = self.wanted(state, expected, own);
        if !wanted.cut.is_empty() {
            self.check_reported(pair, expected, after, &wanted.cut)?;
        }
        self.drop_own_and_cyclic(pair, &mut wanted, own, after);
        if !wanted.changed {
            let same = match (text(expected.instance), text(after)) {
                (None, None) => true,
                (Some(old), Some(new)) if expected.movement.is_none() => old == new,
                (Some(old), Some(new)) => same_tokens(old, new),
                _ => false,
            };
            return if same { Ok(0) } else { Err(wrong()) };
        }
        let sorted: BTreeSet<String> = wanted.entries.iter().map(ToString::to_string).collect();
        let found = after.dependencies().map(ToString::to_string);
        if found.eq(sorted) && wanted.entries.is_empty() == after.dependencies_field().is_none() {
            Ok(1)
        } else {
            Err(wrong())
        }
    }

    /// Follows every entry that the object had.
    fn wanted(&self, state: usize, expected: &Expected<'a>, own: ConfigName<'_>) -> Wanted<'a> {
        let (from, before) = (expected.from as usize, expected.instance);
        let mut wanted = Wanted::default();
        // What names itself from of old, and does not move, may go on doing so.
        let stays = expected.movement.is_none();
        for &id in before.dependency_ids() {
            let name = ConfigName::from(before.snapshot().dependency(id).1);
            match self.names[from][id as usize] {
                Names::Unmoved if from == state => {
                    wanted.of_old |= stays && name == own;
                    wanted.entries.push(name);
                }
                Names::Unmoved => {
                    wanted.changed = true;
                    wanted.cut.push(name);
                }
                Names::Nothing if from == state && !self.arrivals[state].contains(&name) => {
                    wanted.entries.push(name);
                }
                Names::Nothing => wanted.changed = true,
                Names::Moved => {
                    let goes = &self.movers[from][&name];
                    let here = goes.iter().filter(|place| place.0 == state);
                    let before = wanted.entries.len();
                    wanted.entries.extend(here.map(|(_, image)| *image));
                    let images = &wanted.entries[before..];
                    let same = !images.is_empty() && images.iter().all(|image| *image == name);
                    wanted.changed |= !same;
                    wanted.of_old |= stays && same && name == own;
                    if goes.len() > images.len() {
                        wanted.cut.push(name);
                    }
                }
            }
        }
        wanted
    }

    /// An object never comes to depend on its own resource, nor on itself around a corner.
    fn drop_own_and_cyclic(
        &self,
        pair: &Pair<'_>,
        wanted: &mut Wanted<'a>,
        own: ConfigName<'_>,
        after: Instance<'_>,
    ) {
        let count = wanted.entries.len();
        if !wanted.of_old {
            wanted.entries.retain(|name| *name != own);
        }
        if !self.cycles.is_empty()
            && let Some(cyclic) = self.cycles.get(&*pair.at(after.addr()))
        {
            wanted
                .entries
                .retain(|name| !cyclic.contains(&&*name.to_string()));
        }
        wanted.changed |= wanted.entries.len() < count;
    }

    fn check_reported(
        &self,
        pair: &Pair<'_>,
        expected: &Expected<'_>,
        after: Instance<'_>,
        cut: &[ConfigName<'_>],
    ) -> Result<(), ConservationError> {
        let made;
        let consumer = match expected.movement {
            Some(movement) => &movement.to,
            None => {
                made = pair.at(after.addr());
                &*made
            }
        };
        let is_reported = |name: &ConfigName<'_>| {
            let mut run = self.cut.get(consumer).copied();
            while let Some(number) = run {
                let (entries, next) = self.cut_runs[number as usize];
                if entries
                    .iter()
                    .any(|cut| ConfigName::from(&cut.producer.addr) == *name)
                {
                    return true;
                }
                run = next;
            }
            false
        };
        if cut.iter().all(is_reported) {
            return Ok(());
        }
        Err(ConservationError::CutNotReported {
            at: pair.at(after.addr()),
        })
    }
}

/// Returns the text of an object's list.
fn text(instance: Instance<'_>) -> Option<&str> {
    let field = instance.dependencies_field()?;
    Some(&instance.snapshot().text()[field.value])
}
