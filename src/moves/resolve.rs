//! From what people ask for to single instance moves, under the rules of `terraform state mv`.
//!
//! Requests are followed one after the other, so that one can move on what another has moved (`a` to `b`, `b` to `c`).
//! A destination needs to be free only at the end, so that two things can swap places (`a` to `b`, `b` to `a`): while
//! two are at one address, a request that names it means the one that was there first.

mod check;

use std::collections::HashMap;
use std::rc::Rc;

use check::check_request;

use super::{At, Changes, HuskMove, InstanceMove, MoveError, ProviderChoice, StateInput, States};
use crate::address::{InstanceKey, ModuleInstanceAddr, MoveableAddr, ResourceAddr, ResourceInstanceAddr};
use crate::stack::StateId;
use crate::state::hash::{FastMap, FastSet};
use crate::state::{Resource, Snapshot};

/// One move as a person or a plan file asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveRequest {
    /// What moves.
    pub from: At<MoveableAddr>,
    /// Where it goes.
    pub to: At<MoveableAddr>,
    /// The provider configuration to record it under.
    pub provider: ProviderChoice,
}

/// Turns requests into moves of single instances and husks.
///
/// The rules are those of `terraform state mv`: types and modes stay, a whole resource or module needs a free
/// address, an instance may join a resource, a whole resource with keys does not become a single instance.
pub fn resolve(states: &States<'_>, requests: &[MoveRequest]) -> Result<Changes, MoveError> {
    let mut resolver = Resolver::new(states);
    for (number, request) in requests.iter().enumerate() {
        resolver.follow(number, request)?;
    }
    resolver.check_destinations(requests)?;
    Ok(resolver.changes(requests))
}

/// Something that has been moved by at least one request.
struct Item<'a> {
    from: (usize, Origin<'a>),
    to: (usize, Rc<ResourceAddr>, Option<InstanceKey>),
    /// Number of the request that last chose its provider.
    provider: usize,
}

/// What it was before all requests.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Origin<'a> {
    Instance(usize, Option<&'a InstanceKey>),
    Husk(usize),
}

/// Something that was at a destination when a request named it.
enum Occupant {
    /// An entry of a state as it was read.
    Entry(usize, usize),
    /// Something moved there by an earlier request.
    Item(usize),
}

struct Resolver<'a> {
    ids: Vec<&'a StateId>,
    snapshots: Vec<Option<&'a Snapshot>>,
    positions: HashMap<&'a StateId, usize>,
    /// For each state its modules and the entries in them.
    modules: Vec<FastMap<&'a ModuleInstanceAddr, Vec<usize>>>,
    left: FastSet<(usize, Origin<'a>)>,
    items: Vec<Item<'a>>,
    /// For each state what has been moved there and is there still.
    arrived: Vec<FastMap<Rc<ResourceAddr>, Vec<usize>>>,
    /// For each request what must be gone from its destination in the end.
    occupants: Vec<Vec<Occupant>>,
}

impl<'a> Resolver<'a> {
    fn new(states: &'a States<'_>) -> Self {
        let snapshots: Vec<Option<&'a Snapshot>> = states
            .values()
            .map(|input| match input {
                StateInput::Existing(snapshot) => Some(*snapshot),
                StateInput::New(_) => None,
            })
            .collect();
        let modules = snapshots.iter().map(|snapshot| {
            let mut modules: FastMap<&ModuleInstanceAddr, Vec<usize>> = FastMap::default();
            for resource in snapshot.iter().flat_map(|snapshot| snapshot.resources()) {
                modules
                    .entry(&resource.addr().module)
                    .or_default()
                    .push(resource.index());
            }
            modules
        });
        Self {
            modules: modules.collect(),
            ids: states.keys().collect(),
            positions: states.keys().enumerate().map(|(at, id)| (id, at)).collect(),
            left: FastSet::default(),
            items: Vec::new(),
            arrived: vec![FastMap::default(); snapshots.len()],
            occupants: Vec::new(),
            snapshots,
        }
    }

    fn position(&self, state: &StateId) -> Result<usize, MoveError> {
        let unknown = || MoveError::UnknownState { state: state.clone() };
        self.positions.get(state).copied().ok_or_else(unknown)
    }

    fn entry(&self, state: usize, entry: usize) -> Resource<'a> {
        let snapshot = self.snapshots[state].expect("only states with entries are asked for one");
        snapshot.resource_at(entry)
    }

    fn follow(&mut self, number: usize, request: &MoveRequest) -> Result<(), MoveError> {
        let from = self.position(&request.from.state)?;
        let to = self.position(&request.to.state)?;
        check_request(request)?;
        let origins = self.origins(from, &request.from.addr);
        let items = self.items_at(from, &request.from.addr);
        if origins.is_empty() && items.is_empty() {
            return Err(MoveError::NotFound {
                from: request.from.clone(),
                nearest: self.nearest(from, &request.from.addr),
            });
        }
        self.check_whole(from, request, &origins, &items)?;
        for &origin in &origins {
            self.left.insert((from, origin));
        }
        for &item in &items {
            let at = &self.items[item].to.1;
            if let Some(there) = self.arrived[from].get_mut(at) {
                there.retain(|&other| other != item);
            }
        }
        // A single instance needs a free place only for itself, as if it were named with its key.
        let occupants = match self.is_single(&request.from.addr, from, &origins, &items) {
            true => Vec::new(),
            false => {
                let occupants = self.occupants_of(to, request);
                self.in_the_way(occupants, from, request, &origins, &items)
            }
        };
        self.occupants.push(occupants);
        for origin in origins {
            let (resource, key) = rebase(self.addr_of(from, origin), request);
            let resource = self.arrive(to, resource, self.items.len());
            self.items.push(Item {
                from: (from, origin),
                to: (to, resource, key),
                provider: number,
            });
        }
        for at in items {
            let (_, resource, key) = &self.items[at].to;
            let (resource, key) = rebase(((**resource).clone(), key.clone()), request);
            let resource = self.arrive(to, resource, at);
            let item = &mut self.items[at];
            item.to = (to, resource, key);
            if request.provider != ProviderChoice::Auto {
                item.provider = number;
            }
        }
        Ok(())
    }

    /// Notes that an item is at a resource now; returns the address, held once for all that are there.
    fn arrive(&mut self, state: usize, resource: ResourceAddr, item: usize) -> Rc<ResourceAddr> {
        let arrived = &mut self.arrived[state];
        let known = arrived
            .get_key_value(&resource)
            .map(|(known, _)| Rc::clone(known));
        let resource = known.unwrap_or_else(|| Rc::new(resource));
        let there = arrived.entry(Rc::clone(&resource));
        there.or_insert_with(|| Vec::with_capacity(1)).push(item);
        resource
    }

    fn addr_of(&self, state: usize, origin: Origin<'a>) -> (ResourceAddr, Option<InstanceKey>) {
        match origin {
            Origin::Instance(entry, key) => (self.entry(state, entry).addr().clone(), key.cloned()),
            Origin::Husk(entry) => (self.entry(state, entry).addr().clone(), None),
        }
    }

    /// Returns the entries of a state that an address names or contains.
    fn entries(&self, state: usize, addr: &MoveableAddr) -> Vec<Resource<'a>> {
        let Some(snapshot) = self.snapshots[state] else {
            return Vec::new();
        };
        match addr {
            MoveableAddr::Module(module) => {
                let modules = self.modules[state]
                    .iter()
                    .filter(|(found, _)| found.is_within(module));
                let mut entries: Vec<usize> = modules.flat_map(|(_, entries)| entries).copied().collect();
                entries.sort_unstable();
                entries
                    .into_iter()
                    .map(|entry| self.entry(state, entry))
                    .collect()
            }
            MoveableAddr::Resource(resource) => snapshot.resource(resource).into_iter().collect(),
            MoveableAddr::Instance(instance) => snapshot.resource(&instance.resource).into_iter().collect(),
        }
    }

    /// Returns what has not been moved yet and is at an address.
    fn origins(&self, state: usize, addr: &MoveableAddr) -> Vec<Origin<'a>> {
        let mut found = Vec::new();
        for resource in self.entries(state, addr) {
            if resource.is_husk() && !matches!(addr, MoveableAddr::Instance(_)) {
                found.push(Origin::Husk(resource.index()));
            }
            if let MoveableAddr::Instance(wanted) = addr {
                let first = resource.objects(wanted.key.as_ref()).first().copied();
                found.extend(first.map(|instance| Origin::Instance(resource.index(), instance.key())));
                continue;
            }
            let mut keys = FastSet::default();
            for instance in resource.instances() {
                if keys.insert(instance.key()) {
                    found.push(Origin::Instance(resource.index(), instance.key()));
                }
            }
        }
        found.retain(|&origin| !self.left.contains(&(state, origin)));
        found
    }

    /// Returns the resources of a state that an address names or contains and to which earlier requests moved something.
    fn arrived_at(&self, state: usize, addr: &MoveableAddr) -> Vec<(&ResourceAddr, &[usize])> {
        let arrived = &self.arrived[state];
        let resource = match addr {
            MoveableAddr::Module(module) => {
                let there = arrived
                    .iter()
                    .filter(|(resource, _)| resource.module.is_within(module));
                return there
                    .map(|(resource, items)| (&**resource, items.as_slice()))
                    .collect();
            }
            MoveableAddr::Resource(resource) => resource,
            MoveableAddr::Instance(instance) => &instance.resource,
        };
        let there = arrived.get_key_value(resource);
        there
            .map(|(resource, items)| (&**resource, items.as_slice()))
            .into_iter()
            .collect()
    }

    /// Returns what earlier requests moved to an address, but for what waits there for the first owner to leave.
    fn items_at(&self, state: usize, addr: &MoveableAddr) -> Vec<usize> {
        let mut found = Vec::new();
        for (resource, items) in self.arrived_at(state, addr) {
            for &at in items {
                let key = self.items[at].to.2.as_ref();
                let wanted = match addr {
                    MoveableAddr::Instance(wanted) => key == wanted.key.as_ref(),
                    _ => true,
                };
                if wanted && !self.is_owned(state, resource, key) {
                    found.push(at);
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// Tells whether an instance that was at an address from the beginning is still there.
    fn is_owned(&self, state: usize, resource: &ResourceAddr, key: Option<&InstanceKey>) -> bool {
        let entry = self.snapshots[state].and_then(|snapshot| snapshot.resource(resource));
        let first = entry.and_then(|entry| entry.objects(key).first().copied());
        first.is_some_and(|first| {
            let origin = Origin::Instance(first.resource().index(), first.key());
            !self.left.contains(&(state, origin))
        })
    }

    fn entry_stays(&self, state: usize, resource: Resource<'a>) -> bool {
        let left = |origin| self.left.contains(&(state, origin));
        if resource.is_husk() {
            return !left(Origin::Husk(resource.index()));
        }
        let mut instances = resource.instances();
        instances.any(|instance| !left(Origin::Instance(resource.index(), instance.key())))
    }

    fn origin_of(&self, item: &Item<'a>) -> At<ResourceInstanceAddr> {
        let (resource, key) = self.addr_of(item.from.0, item.from.1);
        At::new(
            self.ids[item.from.0].clone(),
            ResourceInstanceAddr { resource, key },
        )
    }

    fn destination_of(&self, item: &Item<'a>) -> At<ResourceInstanceAddr> {
        let (state, resource, key) = item.to.clone();
        let resource = Rc::unwrap_or_clone(resource);
        At::new(self.ids[state].clone(), ResourceInstanceAddr { resource, key })
    }

    fn changes(mut self, requests: &[MoveRequest]) -> Changes {
        let mut changes = Changes::default();
        let items = std::mem::take(&mut self.items);
        self.arrived.clear();
        changes.instances.reserve_exact(items.len());
        for item in items {
            let from = self.origin_of(&item);
            let (state, resource, key) = item.to;
            let resource = Rc::unwrap_or_clone(resource);
            let to = At::new(self.ids[state].clone(), ResourceInstanceAddr { resource, key });
            if from == to {
                continue; // Moved away and back again.
            }
            let provider = requests[item.provider].provider.clone();
            match item.from.1 {
                Origin::Instance(..) => changes.instances.push(InstanceMove { from, to, provider }),
                Origin::Husk(_) => changes.husks.push(HuskMove {
                    from: At::new(from.state, from.addr.resource),
                    to: At::new(to.state, to.addr.resource),
                    provider,
                }),
            }
        }
        changes
    }
}

/// Returns where a request takes an address that it concerns.
fn rebase(
    (resource, key): (ResourceAddr, Option<InstanceKey>),
    request: &MoveRequest,
) -> (ResourceAddr, Option<InstanceKey>) {
    let instance = ResourceInstanceAddr { resource, key };
    let moved = instance.rebase(&request.from.addr, &request.to.addr);
    let moved = moved.unwrap_or(instance);
    (moved.resource, moved.key)
}
