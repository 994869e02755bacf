//! What must be where: for every object and husk before the moves its one place after them.

use std::collections::HashMap;

use super::super::{At, Changes, HuskMove, InstanceMove};
use super::{ConservationError, Pair};
use crate::address::{InstanceKey, ResourceAddr};
use crate::state::hash::FastMap;
use crate::state::{Instance, Resource, compare_instances};

/// An object that must be somewhere.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    /// Number of the entry it belongs to.
    entry: u32,
    /// Position of the state it comes from.
    pub(super) from: u32,
    pub(super) key: Option<&'a InstanceKey>,
    pub(super) instance: Instance<'a>,
    pub(super) movement: Option<&'a InstanceMove>,
}

/// What must be at one resource address.
#[derive(Default)]
struct Entry<'a> {
    /// Range of its objects.
    objects: (u32, u32),
    husk: Option<Box<(Resource<'a>, Option<&'a HuskMove>)>>,
    stays: Option<Resource<'a>>,
}

/// What must be at one resource address.
pub(super) struct ExpectedEntry<'e, 'a> {
    /// Sorted as instances are.
    pub(super) objects: &'e [Expected<'a>],
    /// The husk that must be there, with its move.
    pub(super) husk: Option<(Resource<'a>, Option<&'a HuskMove>)>,
    /// The entry that was there before and stays.
    pub(super) stays: Option<Resource<'a>>,
}

/// What must be in one state.
#[derive(Default)]
struct State<'a> {
    numbers: FastMap<&'a ResourceAddr, u32>,
    entries: Vec<Entry<'a>>,
    objects: Vec<Expected<'a>>,
}

impl<'a> State<'a> {
    fn entry(&mut self, addr: &'a ResourceAddr) -> u32 {
        let entries = &mut self.entries;
        *self.numbers.entry(addr).or_insert_with(|| {
            entries.push(Entry::default());
            entries.len() as u32 - 1
        })
    }
}

/// What must be where.
pub(super) struct Expectations<'a> {
    states: Vec<State<'a>>,
}

/// The moves of one resource's instances, by key.
type MovesFrom<'a> = FastMap<&'a ResourceAddr, Vec<(Option<&'a InstanceKey>, &'a InstanceMove)>>;

impl<'a> Expectations<'a> {
    pub(super) fn new(pairs: &[Pair<'a>], changes: &'a Changes) -> Result<Self, ConservationError> {
        let positions: HashMap<_, _> = pairs.iter().enumerate().map(|(at, pair)| (pair.id, at)).collect();
        let mut moves: Vec<MovesFrom<'a>> = pairs.iter().map(|_| FastMap::default()).collect();
        let mut husks: Vec<FastMap<&'a ResourceAddr, &'a HuskMove>> =
            pairs.iter().map(|_| FastMap::default()).collect();
        for movement in &changes.instances {
            let from = &movement.from;
            let moves = moves[positions[&from.state]].entry(&from.addr.resource);
            moves
                .or_insert_with(|| Vec::with_capacity(1))
                .push((from.addr.key.as_ref(), movement));
        }
        for movement in &changes.husks {
            husks[positions[&movement.from.state]].insert(&movement.from.addr, movement);
        }
        let mut expectations = Self {
            states: pairs.iter().map(|_| State::default()).collect(),
        };
        for (state, pair) in pairs.iter().enumerate() {
            for moves in moves[state].values_mut() {
                moves.sort_by_key(|(key, _)| *key);
            }
            for resource in pair
                .before()
                .into_iter()
                .flat_map(crate::state::Snapshot::resources)
            {
                let moves = moves[state].get(resource.addr()).map_or(&[][..], Vec::as_slice);
                if resource.is_husk() {
                    let movement = husks[state].get(resource.addr()).copied();
                    expectations.husk(state, resource, movement, |id| positions[id]);
                } else {
                    expectations.instances(state, resource, moves, |id| positions[id]);
                }
            }
        }
        expectations.settle(pairs)?;
        Ok(expectations)
    }

    fn instances(
        &mut self,
        state: usize,
        resource: Resource<'a>,
        moves: &[(Option<&'a InstanceKey>, &'a InstanceMove)],
        position: impl Fn(&'a crate::stack::StateId) -> usize,
    ) {
        let mut stays = None;
        for instance in resource.instances() {
            let found = moves.binary_search_by_key(&instance.key(), |(key, _)| *key);
            let movement = found.ok().map(|at| moves[at].1);
            let (to, entry, key) = match movement {
                None => {
                    let entry = *stays.get_or_insert_with(|| self.states[state].entry(resource.addr()));
                    (state, entry, instance.key())
                }
                Some(movement) => {
                    let to = position(&movement.to.state);
                    let entry = self.states[to].entry(&movement.to.addr.resource);
                    (to, entry, movement.to.addr.key.as_ref())
                }
            };
            self.states[to].objects.push(Expected {
                entry,
                from: state as u32,
                key,
                instance,
                movement,
            });
        }
        if let Some(entry) = stays {
            self.states[state].entries[entry as usize].stays = Some(resource);
        }
    }

    fn husk(
        &mut self,
        state: usize,
        resource: Resource<'a>,
        movement: Option<&'a HuskMove>,
        position: impl Fn(&'a crate::stack::StateId) -> usize,
    ) {
        let (to, addr) = match movement {
            None => (state, resource.addr()),
            Some(movement) => (position(&movement.to.state), &movement.to.addr),
        };
        let state = &mut self.states[to];
        let entry = state.entry(addr) as usize;
        state.entries[entry].husk = Some(Box::new((resource, movement)));
        if movement.is_none() {
            state.entries[entry].stays = Some(resource);
        }
    }

    fn settle(&mut self, pairs: &[Pair<'a>]) -> Result<(), ConservationError> {
        for (state, pair) in self.states.iter_mut().zip(pairs) {
            let identity = |one: &Expected<'a>| (one.key, one.instance.deposed());
            state.objects.sort_by(|a, b| {
                a.entry
                    .cmp(&b.entry)
                    .then_with(|| compare_instances(identity(a), identity(b)))
            });
            for (at, object) in state.objects.iter().enumerate() {
                let range = &mut state.entries[object.entry as usize].objects;
                if range.1 == 0 {
                    range.0 = at as u32;
                }
                range.1 = at as u32 + 1;
            }
            let mut neighbours = state.objects.windows(2);
            let same =
                neighbours.find(|two| two[0].entry == two[1].entry && identity(&two[0]) == identity(&two[1]));
            if let Some(two) = same {
                let found = state.numbers.iter().find(|(_, number)| **number == two[0].entry);
                let addr = found.map_or(two[0].instance.resource().addr(), |(addr, _)| *addr);
                return Err(ConservationError::Collision {
                    at: pair.at(addr.instance(two[0].key.cloned())),
                });
            }
        }
        Ok(())
    }

    fn view(&self, state: usize, number: u32) -> ExpectedEntry<'_, 'a> {
        let state = &self.states[state];
        let entry = &state.entries[number as usize];
        ExpectedEntry {
            objects: &state.objects[entry.objects.0 as usize..entry.objects.1 as usize],
            husk: entry.husk.as_deref().copied(),
            stays: entry.stays,
        }
    }

    /// Returns what must be at an address of a state.
    pub(super) fn at(&self, state: usize, addr: &ResourceAddr) -> Option<ExpectedEntry<'_, 'a>> {
        let number = *self.states[state].numbers.get(addr)?;
        Some(self.view(state, number))
    }

    /// Returns the number of entries that a state must have.
    pub(super) fn count(&self, state: usize) -> usize {
        self.states[state].entries.len()
    }

    /// Returns an entry that a state must have and has not.
    pub(super) fn missing(
        &self,
        state: usize,
        pairs: &[Pair<'a>],
        is_there: impl Fn(&ResourceAddr) -> bool,
    ) -> Option<ConservationError> {
        let mut numbers = self.states[state].numbers.iter();
        let (addr, &number) = numbers.find(|(addr, _)| !is_there(addr))?;
        Some(match self.view(state, number).objects.first() {
            Some(lost) => lost_error(pairs, state, addr, lost),
            None => ConservationError::Husk {
                at: pairs[state].at((*addr).clone()),
                expected: true,
            },
        })
    }

    /// Checks that nothing is expected in a state that does not come into being.
    pub(super) fn check_absent(&self, state: usize, pairs: &[Pair<'a>]) -> Result<(), ConservationError> {
        self.missing(state, pairs, |_| false).map_or(Ok(()), Err)
    }
}

pub(super) fn lost_error(
    pairs: &[Pair<'_>],
    state: usize,
    addr: &ResourceAddr,
    lost: &Expected<'_>,
) -> ConservationError {
    ConservationError::Lost {
        from: Box::new(At::new(
            pairs[lost.from as usize].id.clone(),
            lost.instance.addr(),
        )),
        to: pairs[state].at(addr.instance(lost.key.cloned())),
    }
}
