//! Where everything goes: finds the objects that are moved, groups them by their new resource, and refuses collisions.

use std::collections::HashMap;

use super::{At, Changes, HuskMove, InstanceMove, MoveError, ProviderChoice};
use crate::address::{InstanceKey, MoveableAddr, ProviderConfigAddr, ResourceAddr, ResourceInstanceAddr};
use crate::stack::StateId;
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
    pub(super) state: usize,
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
    /// In the order in which they are written.
    pub(super) objects: Vec<Incoming<'a>>,
    pub(super) husks: Vec<IncomingHusk<'a>>,
    /// The entry of the state that they join.
    pub(super) joins: Option<usize>,
    /// What `provider` the entry has, if it is new and has one.
    pub(super) provider: Option<ProviderConfigAddr>,
}

/// Where everything goes.
pub(super) struct Placement<'a> {
    pub(super) sources: Vec<Source<'a>>,
    /// For each state and each of its objects the number of its move, or [`STAYS`].
    pub(super) moved: Vec<Vec<u32>>,
    /// For each state the husks that leave: position of the entry → number of its move.
    pub(super) husks: Vec<HashMap<usize, usize>>,
    /// For each state what arrives, in the order in which it is written.
    pub(super) groups: Vec<Vec<Group<'a>>>,
    /// For each move of an instance the position of its group in its new state.
    pub(super) group_of: Vec<u32>,
    /// For each move of a husk the same.
    pub(super) husk_group_of: Vec<u32>,
}

impl<'a> Placement<'a> {
    /// Finds all that moves.
    pub(super) fn new(sources: Vec<Source<'a>>, changes: &'a Changes) -> Result<Self, MoveError> {
        let mut placing = Placing {
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
            groups: sources.iter().map(|_| Vec::new()).collect(),
            group_at: vec![HashMap::new(); sources.len()],
            sources,
        };
        let mut group_of = Vec::with_capacity(changes.instances.len());
        for (number, movement) in changes.instances.iter().enumerate() {
            group_of.push(placing.instance(number, movement, changes)?);
        }
        let mut husk_group_of = Vec::with_capacity(changes.husks.len());
        for (number, movement) in changes.husks.iter().enumerate() {
            husk_group_of.push(placing.husk(number, movement)?);
        }
        let mut placement = Self {
            sources: placing.sources,
            moved: placing.moved,
            husks: placing.husks,
            groups: placing.groups,
            group_of,
            husk_group_of,
        };
        for state in 0..placement.sources.len() {
            placement.settle(state)?;
        }
        placement.sort_groups(changes, &placing.positions);
        Ok(placement)
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

    fn settle(&mut self, state: usize) -> Result<(), MoveError> {
        let mut groups = std::mem::take(&mut self.groups[state]);
        for group in &mut groups {
            let existing = self.sources[state].snapshot.resource(group.addr);
            let existing = existing.filter(|resource| self.entry_stays(state, *resource));
            group.joins = existing.map(Resource::index);
            group.objects.sort_by(|a, b| {
                compare_instances((a.key, a.instance.deposed()), (b.key, b.instance.deposed()))
            });
            self.check_collisions(state, group, existing)?;
            self.check_forms(state, group, existing)?;
            self.check_unknown_fields(state, group, existing)?;
            group.provider = self.check_providers(state, group, existing)?;
        }
        self.groups[state] = groups;
        Ok(())
    }

    fn check_collisions(
        &self,
        state: usize,
        group: &Group<'a>,
        existing: Option<Resource<'a>>,
    ) -> Result<(), MoveError> {
        let collision = |movement: &InstanceMove, other: Option<&InstanceMove>| MoveError::InstanceExists {
            from: Box::new(movement.from.clone()),
            to: Box::new(movement.to.clone()),
            other: other.map(|other| Box::new(other.from.clone())),
        };
        for pair in group.objects.windows(2) {
            if pair[0].key == pair[1].key && !std::ptr::eq(pair[0].movement, pair[1].movement) {
                return Err(collision(pair[1].movement, Some(pair[0].movement)));
            }
        }
        let moved = &self.moved[state];
        for kept in existing.into_iter().flat_map(Resource::instances) {
            if moved[kept.index()] == STAYS {
                let at = group.objects.partition_point(|object| object.key < kept.key());
                if let Some(object) = group.objects.get(at).filter(|object| object.key == kept.key()) {
                    return Err(collision(object.movement, None));
                }
            }
        }
        // Two husks at one address, or a husk on an entry that stays: nobody's instance, but two entries.
        let entries = group.husks.len() + usize::from(existing.is_some() || !group.objects.is_empty());
        match group.husks.first() {
            Some(husk) if entries > 1 => Err(MoveError::ResourceExists {
                from: whole(&husk.movement.from),
                to: whole(&husk.movement.to),
            }),
            _ => Ok(()),
        }
    }

    /// Own providers (OpenTofu) and the entry's provider exclude each other.
    fn check_forms(
        &self,
        state: usize,
        group: &Group<'a>,
        existing: Option<Resource<'a>>,
    ) -> Result<(), MoveError> {
        let mut forms = existing
            .map(|resource| resource.provider().is_none())
            .into_iter()
            .chain(
                group
                    .objects
                    .iter()
                    .map(|object| object.instance.own_provider().is_some()),
            );
        let first = forms.next();
        if forms.all(|form| Some(form) == first) {
            return Ok(());
        }
        Err(MoveError::ProviderForms {
            to: At::new(self.sources[state].id.clone(), group.addr.clone()),
        })
    }

    /// Entries that become one must not lose a field that we do not know.
    fn check_unknown_fields(
        &self,
        state: usize,
        group: &Group<'a>,
        existing: Option<Resource<'a>>,
    ) -> Result<(), MoveError> {
        let Some(head) = existing.or_else(|| group.head()) else {
            return Ok(());
        };
        let mut known: Option<Vec<(String, String)>> = None;
        let mut checked = vec![(std::ptr::from_ref(head.snapshot()), head.index())];
        for object in &group.objects {
            let entry = object.instance.resource();
            let identity = (std::ptr::from_ref(entry.snapshot()), entry.index());
            if checked.last() == Some(&identity) || checked.contains(&identity) {
                continue;
            }
            checked.push(identity);
            let known = known.get_or_insert_with(|| unknown_fields(head));
            let missing = unknown_fields(entry)
                .into_iter()
                .find(|field| !known.contains(field));
            if let Some((field, _)) = missing {
                return Err(MoveError::UnknownField {
                    from: At::new(self.sources[object.state].id.clone(), entry.addr().clone()),
                    to: At::new(self.sources[state].id.clone(), group.addr.clone()),
                    field,
                });
            }
        }
        Ok(())
    }

    /// Checks that no object changes its provider; returns the `provider` of a new entry.
    fn check_providers(
        &self,
        state: usize,
        group: &Group<'a>,
        existing: Option<Resource<'a>>,
    ) -> Result<Option<ProviderConfigAddr>, MoveError> {
        let differs = |moved: &ProviderConfigAddr, wanted: &ProviderConfigAddr| MoveError::ProviderDiffers {
            to: At::new(self.sources[state].id.clone(), group.addr.clone()),
            moved: Box::new(moved.clone()),
            wanted: Box::new(wanted.clone()),
        };
        let mut chosen = existing.and_then(Resource::provider).cloned();
        let objects = group.objects.iter().map(|object| {
            (
                object.state,
                object.instance.provider(),
                &object.movement.provider,
            )
        });
        let husks = group.husks.iter().filter_map(|husk| {
            let provider = husk.resource.provider()?;
            Some((husk.state, provider, &husk.movement.provider))
        });
        let own = group
            .objects
            .first()
            .is_some_and(|object| object.instance.own_provider().is_some());
        for (from, provider, choice) in objects.chain(husks) {
            if let ProviderChoice::At(asked) = choice
                && asked.provider != provider.provider
            {
                return Err(differs(provider, asked));
            }
            if own {
                continue;
            }
            let wanted = chosen.get_or_insert_with(|| choose(provider, choice, from == state));
            if wanted.provider != provider.provider {
                return Err(differs(provider, wanted));
            }
        }
        Ok(chosen.filter(|_| existing.is_none()))
    }

    /// Sorts the groups of each state as entries are written, and tells each move where its group went.
    fn sort_groups(&mut self, changes: &Changes, positions: &HashMap<&StateId, usize>) {
        let mut places = Vec::with_capacity(self.groups.len());
        for groups in &mut self.groups {
            let mut order: Vec<usize> = (0..groups.len()).collect();
            order.sort_by_cached_key(|&at| ResourceOrder::of(groups[at].addr));
            let mut place = vec![0; groups.len()];
            for (new, &old) in order.iter().enumerate() {
                place[old] = new as u32;
            }
            let mut taken: Vec<_> = std::mem::take(groups).into_iter().map(Some).collect();
            groups.extend(order.into_iter().filter_map(|old| taken[old].take()));
            places.push(place);
        }
        for (group, movement) in self.group_of.iter_mut().zip(&changes.instances) {
            *group = places[positions[&movement.to.state]][*group as usize];
        }
        for (group, movement) in self.husk_group_of.iter_mut().zip(&changes.husks) {
            *group = places[positions[&movement.to.state]][*group as usize];
        }
    }
}

impl<'a> Group<'a> {
    /// Returns the entry whose header a new entry gets: that of its first object.
    pub(super) fn head(&self) -> Option<Resource<'a>> {
        let object = self.objects.first().map(|object| object.instance.resource());
        object.or_else(|| self.husks.first().map(|husk| husk.resource))
    }
}

/// Returns the fields of an entry that the format gives no meaning, with their text; `each` is known to be ignored.
fn unknown_fields(resource: Resource<'_>) -> Vec<(String, String)> {
    let text = resource.snapshot().text();
    let mut fields = resource.unknown_fields();
    fields.retain(|(name, _)| name != "each");
    let value = |range: std::ops::Range<usize>| {
        let mut plain = String::new();
        crate::state::reformat_into(&text[range], crate::state::Layout::Compact, 0, &mut plain);
        plain
    };
    fields
        .into_iter()
        .map(|(name, field)| (name, value(field.value)))
        .collect()
}

fn choose(provider: &ProviderConfigAddr, choice: &ProviderChoice, same_state: bool) -> ProviderConfigAddr {
    match choice {
        ProviderChoice::At(asked) => asked.clone(),
        ProviderChoice::Keep => provider.clone(),
        ProviderChoice::Auto if same_state || provider.module.0.is_empty() => provider.clone(),
        ProviderChoice::Auto => ProviderConfigAddr::root_default(provider.provider.clone()),
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
    sources: Vec<Source<'a>>,
    positions: HashMap<&'a StateId, usize>,
    moved: Vec<Vec<u32>>,
    husks: Vec<HashMap<usize, usize>>,
    groups: Vec<Vec<Group<'a>>>,
    group_at: Vec<HashMap<&'a ResourceAddr, u32>>,
}

impl<'a> Placing<'a> {
    fn position(&self, state: &StateId) -> Result<usize, MoveError> {
        self.positions
            .get(state)
            .copied()
            .ok_or_else(|| MoveError::UnknownState { state: state.clone() })
    }

    fn instance(
        &mut self,
        number: usize,
        movement: &'a InstanceMove,
        changes: &Changes,
    ) -> Result<u32, MoveError> {
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
        if from.addr.resource != to.addr.resource {
            check_kinds(
                (&from.state, &from.addr.resource),
                (&to.state, &to.addr.resource),
                named,
            )?;
        }
        let group = self.group(target, &to.addr.resource);
        let mut found = false;
        let snapshot: &'a Snapshot = self.sources[source].snapshot;
        if let Some(resource) = snapshot.resource(&from.addr.resource) {
            for instance in resource.objects(from.addr.key.as_ref()) {
                found = true;
                let slot = &mut self.moved[source][instance.index()];
                if *slot != STAYS {
                    return Err(MoveError::MovedTwice {
                        from: Box::new(from.clone()),
                        first: Box::new(changes.instances[*slot as usize].to.clone()),
                        second: Box::new(to.clone()),
                    });
                }
                *slot = number as u32;
                self.groups[target][group as usize].objects.push(Incoming {
                    state: source,
                    instance,
                    key: to.addr.key.as_ref(),
                    movement,
                });
            }
        }
        if found {
            return Ok(group);
        }
        Err(MoveError::NotFound {
            from: named().0,
            nearest: Vec::new(),
        })
    }

    fn husk(&mut self, number: usize, movement: &'a HuskMove) -> Result<u32, MoveError> {
        let (from, to) = (&movement.from, &movement.to);
        let (source, target) = (self.position(&from.state)?, self.position(&to.state)?);
        check_kinds((&from.state, &from.addr), (&to.state, &to.addr), || {
            (whole(from), whole(to))
        })?;
        let snapshot: &'a Snapshot = self.sources[source].snapshot;
        let husk = snapshot
            .resource(&from.addr)
            .filter(|resource| resource.is_husk());
        let unmoved = husk.filter(|resource| !self.husks[source].contains_key(&resource.index()));
        let Some(resource) = unmoved else {
            return Err(MoveError::NotFound {
                from: whole(from),
                nearest: Vec::new(),
            });
        };
        self.husks[source].insert(resource.index(), number);
        let group = self.group(target, &to.addr);
        self.groups[target][group as usize].husks.push(IncomingHusk {
            state: source,
            resource,
            movement,
        });
        Ok(group)
    }

    fn group(&mut self, state: usize, addr: &'a ResourceAddr) -> u32 {
        let groups = &mut self.groups[state];
        *self.group_at[state].entry(addr).or_insert_with(|| {
            groups.push(Group {
                addr,
                objects: Vec::new(),
                husks: Vec::new(),
                joins: None,
                provider: None,
            });
            groups.len() as u32 - 1
        })
    }
}
