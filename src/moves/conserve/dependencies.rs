//! The judgement over `dependencies`: worked out anew from the states before and the moves.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::{At, Changes, CutDependency, DropReason, DroppedDependency};
use super::compare::same_tokens;
use super::expect::{Expectations, Expected};
use super::{ConservationError, Pair};
use crate::address::{ConfigResourceAddr, ResourceAddr, ResourceInstanceAddr};
use crate::state::Instance;

/// Where a resource of a state goes: the states by position, the addresses there.
type Goes = BTreeSet<(usize, ConfigResourceAddr)>;

/// What an entry of a state's `dependencies` names.
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
    movers: Vec<HashMap<ConfigResourceAddr, Goes>>,
    /// For each state the addresses at which something arrives.
    arrivals: Vec<HashSet<ConfigResourceAddr>>,
    cut: HashMap<&'a At<ResourceInstanceAddr>, Vec<&'a At<ConfigResourceAddr>>>,
    cycles: HashMap<&'a At<ResourceInstanceAddr>, Vec<&'a str>>,
}

/// What a list must be.
struct Wanted {
    entries: BTreeSet<String>,
    /// Whether that is what the list was.
    same: bool,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        pairs: &[Pair<'a>],
        changes: &Changes,
        expectations: &Expectations<'_>,
        cut: &'a [CutDependency],
        dropped: &'a [DroppedDependency],
    ) -> Self {
        let positions: HashMap<_, _> = pairs.iter().enumerate().map(|(at, pair)| (pair.id, at)).collect();
        let mut judge = Self {
            names: Vec::with_capacity(pairs.len()),
            movers: pairs.iter().map(|_| HashMap::new()).collect(),
            arrivals: pairs.iter().map(|_| HashSet::new()).collect(),
            cut: HashMap::new(),
            cycles: HashMap::new(),
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
            let place = (to_state, to.config());
            judge.arrivals[to_state].insert(place.1.clone());
            judge.movers[from_state]
                .entry(from.config())
                .or_default()
                .insert(place);
        }
        for (state, pair) in pairs.iter().enumerate() {
            let names = judge.names_of(state, pair, expectations);
            judge.names.push(names);
        }
        for cut in cut {
            judge.cut.entry(&cut.consumer).or_default().push(&cut.producer);
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

    fn names_of(&mut self, state: usize, pair: &Pair<'_>, expectations: &Expectations<'_>) -> Vec<Names> {
        let Some(before) = pair.before() else {
            return Vec::new();
        };
        let mut present = HashSet::with_capacity(before.resources().len());
        for resource in before.resources() {
            let addr = resource.addr().config();
            let stays = expectations
                .at(state, resource.addr())
                .is_some_and(|entry| entry.stays.is_some());
            if let Some(goes) = self.movers[state].get_mut(&addr).filter(|_| stays) {
                goes.insert((state, addr.clone()));
            }
            present.insert(addr);
        }
        let names = (0..before.dependency_count() as u32).map(|id| {
            let addr = before.dependency(id).1;
            if self.movers[state].contains_key(addr) {
                Names::Moved
            } else if present.contains(addr) {
                Names::Unmoved
            } else {
                Names::Nothing
            }
        });
        names.collect()
    }

    /// Returns the resources of a state of which something moves.
    pub(super) fn movers(&self, state: usize) -> impl Iterator<Item = &ConfigResourceAddr> {
        self.movers[state].keys()
    }

    /// Checks the list of one object; returns 1 if it was rewritten.
    pub(super) fn check(
        &self,
        pair: &Pair<'_>,
        state: usize,
        expected: &Expected<'_>,
        after: Instance<'_>,
    ) -> Result<usize, ConservationError> {
        let wrong = || ConservationError::Dependencies {
            at: pair.at(after.addr()),
        };
        let wanted = self.wanted(pair, state, expected, after)?;
        let text = |instance: Instance<'_>| {
            let field = instance.dependencies_field()?;
            Some(instance.snapshot().text()[field.value].to_owned())
        };
        if wanted.same {
            let same = match (text(expected.instance), text(after)) {
                (None, None) => true,
                (Some(old), Some(new)) if expected.movement.is_none() => old == new,
                (Some(old), Some(new)) => same_tokens(&old, &new),
                _ => false,
            };
            return if same { Ok(0) } else { Err(wrong()) };
        }
        let found = after.dependencies().map(ToString::to_string);
        let in_order = found.eq(wanted.entries.iter().cloned());
        if in_order && wanted.entries.is_empty() == after.dependencies_field().is_none() {
            Ok(1)
        } else {
            Err(wrong())
        }
    }

    fn wanted(
        &self,
        pair: &Pair<'_>,
        state: usize,
        expected: &Expected<'_>,
        after: Instance<'_>,
    ) -> Result<Wanted, ConservationError> {
        let (from, before) = (expected.from, expected.instance);
        let moves = expected.movement.is_some();
        let own = after.resource().addr();
        let mut wanted = Wanted {
            entries: BTreeSet::new(),
            same: true,
        };
        let mut stays_its_own = false;
        for &id in before.dependency_ids() {
            let addr = before.snapshot().dependency(id).1;
            let here = match self.names[from][id as usize] {
                Names::Unmoved => from == state,
                Names::Moved => {
                    let goes = &self.movers[from][addr];
                    let images: Vec<_> = goes.iter().filter(|place| place.0 == state).collect();
                    let same = matches!(images[..], [(_, only)] if only == addr);
                    if !same {
                        wanted.same = false;
                        wanted
                            .entries
                            .extend(images.iter().map(|(_, image)| image.to_string()));
                    }
                    if goes.len() > images.len() {
                        self.check_reported(pair, expected, after, addr)?;
                    }
                    if !same {
                        continue;
                    }
                    true
                }
                Names::Nothing => {
                    wanted.same &= from == state && !self.arrivals[state].contains(addr);
                    if from == state && !self.arrivals[state].contains(addr) {
                        wanted.entries.insert(addr.to_string());
                    }
                    continue;
                }
            };
            if here {
                stays_its_own |= is_config_of(addr, own);
                wanted.entries.insert(addr.to_string());
            } else {
                wanted.same = false;
                self.check_reported(pair, expected, after, addr)?;
            }
        }
        self.drop_own_and_cyclic(pair, &mut wanted, after, moves || !stays_its_own);
        Ok(wanted)
    }

    /// An object never comes to depend on its own resource, nor on itself around a corner.
    fn drop_own_and_cyclic(&self, pair: &Pair<'_>, wanted: &mut Wanted, after: Instance<'_>, drop_own: bool) {
        if wanted.entries.is_empty() {
            return;
        }
        if drop_own
            && wanted
                .entries
                .remove(&after.resource().addr().config().to_string())
        {
            wanted.same = false;
        }
        if self.cycles.is_empty() {
            return;
        }
        if let Some(cyclic) = self.cycles.get(&*pair.at(after.addr())) {
            for entry in cyclic {
                wanted.same &= !wanted.entries.remove(*entry);
            }
        }
    }

    fn check_reported(
        &self,
        pair: &Pair<'_>,
        expected: &Expected<'_>,
        after: Instance<'_>,
        producer: &ConfigResourceAddr,
    ) -> Result<(), ConservationError> {
        let made;
        let consumer = match expected.movement {
            Some(movement) => &movement.to,
            None => {
                made = pair.at(after.addr());
                &*made
            }
        };
        let reported = self.cut.get(consumer);
        if reported.is_some_and(|producers| producers.iter().any(|cut| cut.addr == *producer)) {
            return Ok(());
        }
        Err(ConservationError::CutNotReported {
            at: pair.at(after.addr()),
        })
    }
}

fn is_config_of(config: &ConfigResourceAddr, resource: &ResourceAddr) -> bool {
    config.name == resource.name
        && config.type_name == resource.type_name
        && config.mode == resource.mode
        && config.module == resource.module.config()
}
