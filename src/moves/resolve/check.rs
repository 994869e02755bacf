//! The rules: what may become what, and which destinations must be free.

use super::super::place::check_kinds;
use super::super::{MoveError, MoveRequest};
use super::{Occupant, Origin, Resolver, rebase};
use crate::address::{InstanceKey, ModuleInstanceAddr, MoveableAddr, ResourceAddr};
use crate::state::Resource;
use crate::state::hash::{FastMap, FastSet};

impl<'a> Resolver<'a> {
    /// A whole resource becomes a single instance only if it is one.
    pub(super) fn check_whole(
        &self,
        state: usize,
        request: &MoveRequest,
        origins: &[Origin<'a>],
        items: &[usize],
    ) -> Result<(), MoveError> {
        let (MoveableAddr::Resource(_), MoveableAddr::Instance(_)) = (&request.from.addr, &request.to.addr)
        else {
            return Ok(());
        };
        if self.is_single(&request.from.addr, state, origins, items) {
            return Ok(());
        }
        let first = match (origins, items) {
            ([origin, ..], _) => self.addr_of(state, *origin),
            ([], [item, ..]) => ((*self.items[*item].to.1).clone(), self.items[*item].to.2.clone()),
            ([], []) => return Ok(()),
        };
        let husks = origins.iter().filter(|origin| matches!(origin, Origin::Husk(_)));
        Err(MoveError::WholeResource {
            from: request.from.clone(),
            to: request.to.clone(),
            count: origins.len() + items.len() - husks.count(),
            example: first.0.instance(first.1).to_string(),
        })
    }

    /// Tells whether the address of a resource means a single instance: the only one, and without a key.
    pub(super) fn is_single(
        &self,
        from: &MoveableAddr,
        state: usize,
        origins: &[Origin<'a>],
        items: &[usize],
    ) -> bool {
        let key = match (origins, items) {
            ([origin @ Origin::Instance(..)], []) => self.addr_of(state, *origin).1,
            ([], [item]) if !matches!(self.items[*item].from.1, Origin::Husk(_)) => {
                self.items[*item].to.2.clone()
            }
            _ => return false,
        };
        key.is_none() && matches!(from, MoveableAddr::Resource(_))
    }

    /// Returns what must leave the destination of a whole resource or module.
    pub(super) fn occupants_of(&self, state: usize, request: &MoveRequest) -> Vec<Occupant> {
        let to = &request.to.addr;
        if matches!(to, MoveableAddr::Instance(_)) || matches!(request.from.addr, MoveableAddr::Instance(_)) {
            return Vec::new();
        }
        let entries = self.entries(state, to);
        let stays = |resource: &Resource<'a>| self.entry_stays(state, *resource);
        let mut found: Vec<_> = entries
            .into_iter()
            .filter(stays)
            .map(|resource| Occupant::Entry(state, resource.index()))
            .collect();
        let there = self.arrived_at(state, to).into_iter();
        found.extend(
            there
                .flat_map(|(_, items)| items)
                .map(|&item| Occupant::Item(item)),
        );
        found
    }

    /// Keeps the occupants that stand in a module to which something moves: modules merge where each module instance
    /// has its resources from one side.
    pub(super) fn in_the_way(
        &self,
        mut occupants: Vec<Occupant>,
        from: usize,
        request: &MoveRequest,
        origins: &[Origin<'a>],
        items: &[usize],
    ) -> Vec<Occupant> {
        if occupants.is_empty() || !matches!(request.to.addr, MoveableAddr::Module(_)) {
            return occupants;
        }
        let moved = origins.iter().map(|&origin| self.addr_of(from, origin).0);
        let moved = moved.chain(items.iter().map(|&item| (*self.items[item].to.1).clone()));
        let filled: FastSet<ModuleInstanceAddr> = moved
            .map(|resource| rebase((resource, None), request).0.module)
            .collect();
        occupants.retain(|occupant| {
            filled.contains(match occupant {
                Occupant::Entry(state, entry) => &self.entry(*state, *entry).addr().module,
                Occupant::Item(item) => &self.items[*item].to.1.module,
            })
        });
        occupants
    }

    pub(super) fn check_destinations(&self, requests: &[MoveRequest]) -> Result<(), MoveError> {
        for (request, occupants) in requests.iter().zip(&self.occupants) {
            let to = &request.to.addr;
            let taken = occupants.iter().any(|occupant| match occupant {
                Occupant::Entry(state, entry) => self.entry_stays(*state, self.entry(*state, *entry)),
                Occupant::Item(item) => {
                    let (state, resource, _) = &self.items[*item].to;
                    *self.ids[*state] == request.to.state
                        && match to {
                            MoveableAddr::Module(module) => resource.module.is_within(module),
                            MoveableAddr::Resource(wanted) => **resource == *wanted,
                            MoveableAddr::Instance(_) => false,
                        }
                }
            });
            if taken {
                let (from, to) = (request.from.clone(), request.to.clone());
                return Err(match to.addr {
                    MoveableAddr::Module(_) => MoveError::ModuleExists { from, to },
                    _ => MoveError::ResourceExists { from, to },
                });
            }
        }
        self.check_instances()
    }

    /// Refuses two instances at one address.
    fn check_instances(&self) -> Result<(), MoveError> {
        let mut taken: FastMap<(usize, &ResourceAddr, &Option<InstanceKey>), usize> = FastMap::default();
        for (number, item) in self.items.iter().enumerate() {
            if matches!(item.from.1, Origin::Husk(_)) {
                continue;
            }
            let (state, resource, key) = &item.to;
            let other = taken.insert((*state, resource, key), number);
            if other.is_some() || self.is_owned(*state, resource, key.as_ref()) {
                return Err(MoveError::InstanceExists {
                    from: Box::new(self.origin_of(item)),
                    to: Box::new(self.destination_of(item)),
                    other: other.map(|other| Box::new(self.origin_of(&self.items[other]))),
                });
            }
        }
        Ok(())
    }

    /// Returns what is there that differs only in instance keys.
    pub(super) fn nearest(&self, state: usize, addr: &MoveableAddr) -> Vec<String> {
        let Some(snapshot) = self.snapshots[state] else {
            return Vec::new();
        };
        let mut found: Vec<String> = Vec::new();
        match addr {
            MoveableAddr::Module(module) => {
                let wanted = module.config();
                let depth = wanted.0.len();
                let same = self.modules[state]
                    .keys()
                    .filter(|found| found.config().0.starts_with(&wanted.0))
                    .map(|found| ModuleInstanceAddr(found.0[..depth].to_vec()).to_string());
                found.extend(same);
            }
            MoveableAddr::Resource(resource) => {
                let wanted = resource.config();
                let same = snapshot
                    .resources()
                    .filter(|found| found.addr().config() == wanted);
                found.extend(same.map(|found| found.addr().to_string()));
            }
            MoveableAddr::Instance(instance) => {
                let resource = snapshot.resource(&instance.resource);
                found.extend(
                    resource
                        .into_iter()
                        .flat_map(Resource::instances)
                        .map(|i| i.addr().to_string()),
                );
            }
        }
        found.sort();
        found.dedup();
        found.truncate(5);
        found
    }
}

/// Checks what can be checked without looking at the states.
pub(super) fn check_request(request: &MoveRequest) -> Result<(), MoveError> {
    let named = || (request.from.clone(), request.to.clone());
    if request.from == request.to {
        return Err(MoveError::SamePlace {
            from: request.from.clone(),
        });
    }
    let resource = |addr: &MoveableAddr| match addr {
        MoveableAddr::Module(_) => None,
        MoveableAddr::Resource(resource) => Some(resource.clone()),
        MoveableAddr::Instance(instance) => Some(instance.resource.clone()),
    };
    match (resource(&request.from.addr), resource(&request.to.addr)) {
        (Some(from), Some(to)) if from == to => Ok(()),
        (Some(from), Some(to)) => check_kinds((&request.from.state, &from), (&request.to.state, &to), named),
        (None, None) => {
            if request.from.addr.module().is_root() || request.to.addr.module().is_root() {
                let (from, to) = named();
                return Err(MoveError::RootModule { from, to });
            }
            Ok(())
        }
        _ => {
            let (from, to) = named();
            Err(MoveError::KindDiffers { from, to })
        }
    }
}
