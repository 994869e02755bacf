//! Where everything goes: finds the objects that are moved, groups them by their new resource, and refuses collisions.

mod check;

use std::collections::HashMap;

use super::{At, Changes, HuskMove, InstanceMove, MoveError};
use crate::address::{InstanceKey, MoveableAddr, ProviderConfigAddr, ResourceAddr, ResourceInstanceAddr};
use crate::stack::StateId;
use crate::state::hash::FastMap;
use crate::state::{Instance, Resource, ResourceOrder, Snapshot, compare_instances};

/// Marks an object that is not moved.
pub(super) const STAYS: u32 = u32::MAX;

/// One state of the run. A new one is a skeleton without content.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) id: &'a StateId,
    pub(super) snapshot: &'a Snapshot,
    pub(super) is_new: bool,
}

/// An object that arrives in a state.
#[derive(Clone, Copy)]
pub(super) struct Incoming<'a> {
    /// Position of the state it comes from.
    pub(super) state: u32,
    /// Number of its group.
    group: u32,
    pub(super) instance: Instance<'a>,
    /// Its key after the move.
    pub(super) key: Option<&'a InstanceKey>,
    pub(super) movement: &'a InstanceMove,
}

/// A husk that arrives in a state.
#[derive(Clone, Copy)]
pub(super) struct IncomingHusk<'a> {
    pub(super) state: usize,
    pub(super) resource: Resource<'a>,
    pub(super) movement: &'a HuskMove,
}

/// Everything that arrives at one resource address of one state.
pub(super) struct Group<'a> {
    pub(super) addr: &'a ResourceAddr,
    /// Range of its objects among all that arrive in the state.
    objects: (u32, u32),
    pub(super) husks: Vec<IncomingHusk<'a>>,
    /// The entry of the state that they join.
    pub(super) joins: Option<u32>,
    /// What `provider` a new entry gets, if not that of its header.
    pub(super) provider: Option<Box<ProviderConfigAddr>>,
}

/// Where everything goes.
pub(super) struct Placement<'a> {
    pub(super) sources: Vec<Source<'a>>,
    positions: HashMap<&'a StateId, usize>,
    /// For each state and each of its objects the number of its move, or [`STAYS`].
    pub(super) moved: Vec<Vec<u32>>,
    /// For each state the husks that leave: position of the entry → number of its move.
    pub(super) husks: Vec<HashMap<usize, usize>>,
    /// For each state what arrives, by groups, within them in the order in which it is written.
    incoming: Vec<Vec<Incoming<'a>>>,
    /// For each state where it arrives, in the order in which it is written.
    pub(super) groups: Vec<Vec<Group<'a>>>,
    /// For each move of an instance its new state and its group there.
    pub(super) group_of: Vec<(u32, u32)>,
    /// For each move of a husk its group.
    pub(super) husk_group_of: Vec<u32>,
}

impl<'a> Placement<'a> {
    /// Finds all that moves.
    pub(super) fn new(sources: Vec<Source<'a>>, changes: &'a Changes) -> Result<Self, MoveError> {
        let mut placing = Placing {
            group_at: sources.iter().map(|_| FastMap::default()).collect(),
            placement: Self {
                positions: sources
                    .iter()
                    .enumerate()
                    .map(|(at, source)| (source.id, at))
                    .collect(),
                moved: sources
                    .iter()
                    .map(|source| vec![STAYS; source.snapshot.object_count()])
                    .collect(),
                husks: vec![HashMap::new(); sources.len()],
                incoming: sources.iter().map(|_| Vec::new()).collect(),
                groups: sources.iter().map(|_| Vec::new()).collect(),
                group_of: Vec::with_capacity(changes.instances.len()),
                husk_group_of: Vec::with_capacity(changes.husks.len()),
                sources,
            },
        };
        for (number, movement) in changes.instances.iter().enumerate() {
            let place = placing.instance(number, movement, changes)?;
            placing.placement.group_of.push(place);
        }
        for (number, movement) in changes.husks.iter().enumerate() {
            let group = placing.husk(number, movement)?;
            placing.placement.husk_group_of.push(group);
        }
        let mut placement = placing.placement;
        let ranks: Vec<Vec<u32>> = (0..placement.sources.len())
            .map(|state| placement.sort(state))
            .collect();
        for (state, group) in &mut placement.group_of {
            *group = ranks[*state as usize][*group as usize];
        }
        for (group, movement) in placement.husk_group_of.iter_mut().zip(&changes.husks) {
            *group = ranks[placement.positions[&movement.to.state]][*group as usize];
        }
        for state in 0..placement.sources.len() {
            placement.settle(state)?;
        }
        Ok(placement)
    }

    /// Returns the position of a state of the run.
    pub(super) fn position(&self, state: &StateId) -> u32 {
        self.positions[state] as u32
    }

    /// Returns what arrives at a group's address, in the order in which it is written.
    pub(super) fn objects(&self, state: usize, group: &Group<'a>) -> &[Incoming<'a>] {
        &self.incoming[state][group.objects.0 as usize..group.objects.1 as usize]
    }

    /// Returns the entry whose header a new entry gets: that of its first object.
    pub(super) fn head(&self, state: usize, group: &Group<'a>) -> Option<Resource<'a>> {
        let object = self
            .objects(state, group)
            .first()
            .map(|object| object.instance.resource());
        object.or_else(|| group.husks.first().map(|husk| husk.resource))
    }

    /// Tells whether an entry of a state is still there afterwards.
    pub(super) fn entry_stays(&self, state: usize, resource: Resource<'_>) -> bool {
        if resource.is_husk() {
            !self.husks[state].contains_key(&resource.index())
        } else {
            let moved = &self.moved[state];
            resource
                .instances()
                .any(|instance| moved[instance.index()] == STAYS)
        }
    }

    /// Sorts the groups of a state as entries are written, and what arrives as instances are; returns for each group
    /// where it went.
    fn sort(&mut self, state: usize) -> Vec<u32> {
        let groups = &mut self.groups[state];
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_cached_key(|&at| ResourceOrder::of(groups[at].addr));
        let mut ranks = vec![0; groups.len()];
        for (new, &old) in order.iter().enumerate() {
            ranks[old] = new as u32;
        }
        let mut taken: Vec<_> = std::mem::take(groups).into_iter().map(Some).collect();
        groups.extend(order.into_iter().filter_map(|old| taken[old].take()));
        let incoming = &mut self.incoming[state];
        for object in incoming.iter_mut() {
            object.group = ranks[object.group as usize];
        }
        incoming.sort_by(|a, b| {
            let identity = |object: &Incoming<'a>| (object.key, object.instance.deposed());
            a.group
                .cmp(&b.group)
                .then_with(|| compare_instances(identity(a), identity(b)))
        });
        for (at, object) in incoming.iter().enumerate() {
            let range = &mut groups[object.group as usize].objects;
            if range.1 == 0 {
                range.0 = at as u32;
            }
            range.1 = at as u32 + 1;
        }
        ranks
    }

    fn settle(&mut self, state: usize) -> Result<(), MoveError> {
        let mut groups = std::mem::take(&mut self.groups[state]);
        for group in &mut groups {
            let existing = self.sources[state].snapshot.resource(group.addr);
            let existing = existing.filter(|resource| self.entry_stays(state, *resource));
            group.joins = existing.map(|resource| resource.index() as u32);
            self.check_collisions(state, group, existing)?;
            self.check_forms(state, group, existing)?;
            self.check_unknown_fields(state, group, existing)?;
            group.provider = self.check_providers(state, group, existing)?;
        }
        self.groups[state] = groups;
        Ok(())
    }
}

fn whole(at: &At<ResourceAddr>) -> At<MoveableAddr> {
    At::new(at.state.clone(), MoveableAddr::Resource(at.addr.clone()))
}

/// Names an instance as a person would.
pub(super) fn moveable(addr: &ResourceInstanceAddr) -> MoveableAddr {
    match addr.key {
        Some(_) => MoveableAddr::Instance(addr.clone()),
        None => MoveableAddr::Resource(addr.resource.clone()),
    }
}

/// Refuses what could not be found again: a migration is written down as addresses.
fn check_reads_back(at: &At<ResourceInstanceAddr>) -> Result<(), MoveError> {
    match at.addr.reads_back() {
        true => Ok(()),
        false => Err(MoveError::NoAddress {
            at: Box::new(at.clone()),
        }),
    }
}

/// Refuses a change of type or mode.
pub(super) fn check_kinds(
    from: (&StateId, &ResourceAddr),
    to: (&StateId, &ResourceAddr),
    named: impl Fn() -> (At<MoveableAddr>, At<MoveableAddr>),
) -> Result<(), MoveError> {
    if from.1.mode != to.1.mode {
        let (from, to) = named();
        return Err(MoveError::ModeDiffers { from, to });
    }
    if from.1.type_name != to.1.type_name {
        let (from, to) = named();
        return Err(MoveError::TypeDiffers { from, to });
    }
    if from == to {
        let (from, _) = named();
        return Err(MoveError::SamePlace { from });
    }
    Ok(())
}

/// The placement while moves are still being read.
struct Placing<'a> {
    placement: Placement<'a>,
    group_at: Vec<FastMap<&'a ResourceAddr, u32>>,
}

impl<'a> Placing<'a> {
    fn position(&self, state: &StateId) -> Result<usize, MoveError> {
        let known = self.placement.positions.get(state);
        known
            .copied()
            .ok_or_else(|| MoveError::UnknownState { state: state.clone() })
    }

    fn instance(
        &mut self,
        number: usize,
        movement: &'a InstanceMove,
        changes: &Changes,
    ) -> Result<(u32, u32), MoveError> {
        let (from, to) = (&movement.from, &movement.to);
        let (source, target) = (self.position(&from.state)?, self.position(&to.state)?);
        let named = || {
            (
                At::new(from.state.clone(), moveable(&from.addr)),
                At::new(to.state.clone(), moveable(&to.addr)),
            )
        };
        if from == to {
            return Err(MoveError::SamePlace { from: named().0 });
        }
        check_reads_back(from)?;
        check_reads_back(to)?;
        if from.addr.resource != to.addr.resource {
            check_kinds(
                (&from.state, &from.addr.resource),
                (&to.state, &to.addr.resource),
                named,
            )?;
        }
        let group = self.group(target, &to.addr.resource);
        let mut found = false;
        let snapshot: &'a Snapshot = self.placement.sources[source].snapshot;
        if let Some(resource) = snapshot.resource(&from.addr.resource) {
            for instance in resource.objects(from.addr.key.as_ref()) {
                found = true;
                let slot = &mut self.placement.moved[source][instance.index()];
                if *slot != STAYS {
                    return Err(MoveError::MovedTwice {
                        from: Box::new(from.clone()),
                        first: Box::new(changes.instances[*slot as usize].to.clone()),
                        second: Box::new(to.clone()),
                    });
                }
                *slot = number as u32;
                self.placement.incoming[target].push(Incoming {
                    state: source as u32,
                    group,
                    instance,
                    key: to.addr.key.as_ref(),
                    movement,
                });
            }
        }
        if found {
            return Ok((target as u32, group));
        }
        Err(MoveError::NotFound {
            from: named().0,
            nearest: Vec::new(),
        })
    }

    fn husk(&mut self, number: usize, movement: &'a HuskMove) -> Result<u32, MoveError> {
        let (from, to) = (&movement.from, &movement.to);
        let (source, target) = (self.position(&from.state)?, self.position(&to.state)?);
        for at in [from, to] {
            check_reads_back(&At::new(at.state.clone(), at.addr.instance(None)))?;
        }
        check_kinds((&from.state, &from.addr), (&to.state, &to.addr), || {
            (whole(from), whole(to))
        })?;
        let snapshot: &'a Snapshot = self.placement.sources[source].snapshot;
        let husk = snapshot
            .resource(&from.addr)
            .filter(|resource| resource.is_husk());
        let unmoved = husk.filter(|resource| !self.placement.husks[source].contains_key(&resource.index()));
        let Some(resource) = unmoved else {
            return Err(MoveError::NotFound {
                from: whole(from),
                nearest: Vec::new(),
            });
        };
        self.placement.husks[source].insert(resource.index(), number);
        let group = self.group(target, &to.addr);
        self.placement.groups[target][group as usize]
            .husks
            .push(IncomingHusk {
                state: source,
                resource,
                movement,
            });
        Ok(group)
    }

    fn group(&mut self, state: usize, addr: &'a ResourceAddr) -> u32 {
        let groups = &mut self.placement.groups[state];
        *self.group_at[state].entry(addr).or_insert_with(|| {
            groups.push(Group {
                addr,
                objects: (0, 0),
                husks: Vec::new(),
                joins: None,
                provider: None,
            });
            groups.len() as u32 - 1
        })
    }
}
