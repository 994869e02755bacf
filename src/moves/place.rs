//! Where everything goes: finds the objects that are moved, groups them by their new resource, and refuses collisions.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{At, Changes, HuskMove, InstanceMove, MoveError, ProviderChoice};
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
        let objects = self.objects(state, group);
        for pair in objects.windows(2) {
            if pair[0].key == pair[1].key && !std::ptr::eq(pair[0].movement, pair[1].movement) {
                return Err(collision(pair[1].movement, Some(pair[0].movement)));
            }
        }
        let moved = &self.moved[state];
        for kept in existing.into_iter().flat_map(Resource::instances) {
            if moved[kept.index()] == STAYS {
                let at = objects.partition_point(|object| object.key < kept.key());
                if let Some(object) = objects.get(at).filter(|object| object.key == kept.key()) {
                    return Err(collision(object.movement, None));
                }
            }
        }
        // Two husks at one address, or a husk on an entry that stays: nobody's instance, but two entries.
        let entries = group.husks.len() + usize::from(existing.is_some() || !objects.is_empty());
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
                self.objects(state, group)
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
        let Some(head) = existing.or_else(|| self.head(state, group)) else {
            return Ok(());
        };
        let is_head = |entry: Resource<'a>| {
            std::ptr::eq(entry.snapshot(), head.snapshot()) && entry.index() == head.index()
        };
        if self
            .objects(state, group)
            .iter()
            .all(|object| is_head(object.instance.resource()))
        {
            return Ok(());
        }
        let mut known: Option<Vec<(String, String)>> = None;
        let mut checked = vec![(std::ptr::from_ref(head.snapshot()), head.index())];
        for object in self.objects(state, group) {
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
                    from: At::new(
                        self.sources[object.state as usize].id.clone(),
                        entry.addr().clone(),
                    ),
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
    ) -> Result<Option<Box<ProviderConfigAddr>>, MoveError> {
        let differs = |moved: &ProviderConfigAddr, wanted: &ProviderConfigAddr| MoveError::ProviderDiffers {
            to: At::new(self.sources[state].id.clone(), group.addr.clone()),
            moved: Box::new(moved.clone()),
            wanted: Box::new(wanted.clone()),
        };
        let mut chosen = existing.and_then(Resource::provider).map(Cow::Borrowed);
        let objects = self.objects(state, group);
        let own = objects
            .first()
            .is_some_and(|object| object.instance.own_provider().is_some());
        let objects = objects.iter().map(|object| {
            let provider = object.instance.provider();
            (object.state as usize, provider, &object.movement.provider)
        });
        let husks = group.husks.iter().filter_map(|husk| {
            let provider = husk.resource.provider()?;
            Some((husk.state, provider, &husk.movement.provider))
        });
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
        let head = self.head(state, group).and_then(Resource::provider);
        let changes = existing.is_none() && chosen.as_deref() != head;
        Ok(chosen
            .filter(|_| changes)
            .map(|chosen| Box::new(chosen.into_owned())))
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

fn choose<'p>(
    provider: &'p ProviderConfigAddr,
    choice: &'p ProviderChoice,
    same_state: bool,
) -> Cow<'p, ProviderConfigAddr> {
    match choice {
        ProviderChoice::At(asked) => Cow::Borrowed(asked.as_ref()),
        ProviderChoice::Keep => Cow::Borrowed(provider),
        ProviderChoice::Auto if same_state || provider.module.0.is_empty() => Cow::Borrowed(provider),
        ProviderChoice::Auto => Cow::Owned(ProviderConfigAddr::root_default(provider.provider.clone())),
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
