//! What must be where: for every object and husk before the moves its one place after them.

use std::collections::HashMap;

use super::super::{At, Changes, HuskMove, InstanceMove};
use super::{ConservationError, Pair};
use crate::address::{InstanceKey, ResourceAddr};
use crate::state::{Instance, Resource, compare_instances};

/// An object that must be somewhere.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) key: Option<&'a InstanceKey>,
    pub(super) instance: Instance<'a>,
    /// Position of the state it comes from.
    pub(super) from: usize,
    pub(super) movement: Option<&'a InstanceMove>,
}

/// What must be at one resource address.
#[derive(Default)]
pub(super) struct ExpectedEntry<'a> {
    /// Sorted as instances are.
    pub(super) objects: Vec<Expected<'a>>,
    /// The husk that must be there, with its move.
    pub(super) husk: Option<(Resource<'a>, Option<&'a HuskMove>)>,
    /// The entry that was there before and stays.
    pub(super) stays: Option<Resource<'a>>,
}

/// What must be where.
pub(super) struct Expectations<'a> {
    entries: Vec<HashMap<&'a ResourceAddr, ExpectedEntry<'a>>>,
}

type MovesFrom<'a> = HashMap<&'a ResourceAddr, HashMap<Option<&'a InstanceKey>, &'a InstanceMove>>;

impl<'a> Expectations<'a> {
    pub(super) fn new(pairs: &[Pair<'a>], changes: &'a Changes) -> Result<Self, ConservationError> {
        let positions: HashMap<_, _> = pairs.iter().enumerate().map(|(at, pair)| (pair.id, at)).collect();
        let mut moves: Vec<MovesFrom<'a>> = pairs.iter().map(|_| HashMap::new()).collect();
        let mut husks: Vec<HashMap<&'a ResourceAddr, &'a HuskMove>> =
            pairs.iter().map(|_| HashMap::new()).collect();
        for movement in &changes.instances {
            moves[positions[&movement.from.state]]
                .entry(&movement.from.addr.resource)
                .or_default()
                .insert(movement.from.addr.key.as_ref(), movement);
        }
        for movement in &changes.husks {
            husks[positions[&movement.from.state]].insert(&movement.from.addr, movement);
        }
        let mut expectations = Self {
            entries: pairs.iter().map(|_| HashMap::new()).collect(),
        };
        for (state, pair) in pairs.iter().enumerate() {
            let Some(before) = pair.before() else { continue };
            for resource in before.resources() {
                let moves = moves[state].get(resource.addr());
                let mut stays = false;
                for instance in resource.instances() {
                    let movement = moves.and_then(|moves| moves.get(&instance.key())).copied();
                    stays |= movement.is_none();
                    let (to, addr, key) = match movement {
                        None => (state, resource.addr(), instance.key()),
                        Some(movement) => {
                            let addr = &movement.to.addr;
                            (positions[&movement.to.state], &addr.resource, addr.key.as_ref())
                        }
                    };
                    let entry = expectations.entries[to].entry(addr).or_default();
                    entry.objects.push(Expected {
                        key,
                        instance,
                        from: state,
                        movement,
                    });
                }
                if resource.is_husk() {
                    let movement = husks[state].get(resource.addr()).copied();
                    stays = movement.is_none();
                    let (to, addr) = match movement {
                        None => (state, resource.addr()),
                        Some(movement) => (positions[&movement.to.state], &movement.to.addr),
                    };
                    let entry = expectations.entries[to].entry(addr).or_default();
                    entry.husk = Some((resource, movement));
                }
                if stays {
                    let entry = expectations.entries[state].entry(resource.addr()).or_default();
                    entry.stays = Some(resource);
                }
            }
        }
        expectations.settle(pairs)?;
        Ok(expectations)
    }

    fn settle(&mut self, pairs: &[Pair<'a>]) -> Result<(), ConservationError> {
        for (entries, pair) in self.entries.iter_mut().zip(pairs) {
            for (addr, entry) in entries {
                entry.objects.sort_by(|a, b| {
                    compare_instances((a.key, a.instance.deposed()), (b.key, b.instance.deposed()))
                });
                let same = entry.objects.windows(2).find(|two| {
                    let identity = |one: &Expected<'a>| (one.key, one.instance.deposed());
                    identity(&two[0]) == identity(&two[1])
                });
                if let Some(two) = same {
                    return Err(ConservationError::Collision {
                        at: pair.at(addr.instance(two[0].key.cloned())),
                    });
                }
            }
        }
        Ok(())
    }

    /// Returns what must be at an address of a state.
    pub(super) fn at(&self, state: usize, addr: &ResourceAddr) -> Option<&ExpectedEntry<'a>> {
        self.entries[state].get(addr)
    }

    /// Returns the number of entries that a state must have.
    pub(super) fn count(&self, state: usize) -> usize {
        self.entries[state].len()
    }

    /// Returns an entry that a state must have and has not.
    pub(super) fn missing(
        &self,
        state: usize,
        pairs: &[Pair<'a>],
        is_there: impl Fn(&ResourceAddr) -> bool,
    ) -> Option<ConservationError> {
        let (addr, entry) = self.entries[state].iter().find(|(addr, _)| !is_there(addr))?;
        Some(match entry.objects.first() {
            Some(lost) => lost_error(pairs, state, addr, lost),
            None => ConservationError::Husk {
                at: pairs[state].at((*addr).clone()),
                expected: true,
            },
        })
    }

    /// Checks that nothing is expected in a state that does not come into being.
    pub(super) fn check_absent(&self, state: usize, pair: &Pair<'_>) -> Result<(), ConservationError> {
        match self.entries[state].iter().next() {
            None => Ok(()),
            Some((addr, _)) => Err(ConservationError::Entry {
                at: pair.at((*addr).clone()),
                member: "instances".to_owned(),
            }),
        }
    }
}

pub(super) fn lost_error(
    pairs: &[Pair<'_>],
    state: usize,
    addr: &ResourceAddr,
    lost: &Expected<'_>,
) -> ConservationError {
    ConservationError::Lost {
        from: Box::new(At::new(pairs[lost.from].id.clone(), lost.instance.addr())),
        to: pairs[state].at(addr.instance(lost.key.cloned())),
    }
}
