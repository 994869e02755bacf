//! What becomes of the entries of `dependencies`.
//!
//! Entries name resources as configuration does, without instance keys. An entry follows its resource: where the
//! resource (or a part of it) ends in the state of the object that names it, the entry gets the new address; where all
//! of it ends elsewhere, the entry is cut and reported. Objects that do not move keep their list byte for byte unless
//! it names something that did. Terraform fails on entries that name the object itself and on cycles, so neither is
//! ever made: only the merging of two resources into one can make them, and then the entries that would are dropped.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::names::ConfigName;
use super::place::{Placement, STAYS};
use super::{At, Changes};
use crate::address::ConfigResourceAddr;
use crate::json::quote;
use crate::state::Instance;
use crate::state::hash::{FastMap, FastSet};

/// A name that has no number: nothing of that name is in any state of the run.
const UNKNOWN: u32 = u32::MAX;

/// A place after the moves: position of the state, number of the name.
type Place = (u32, u32);

/// Where the resources of all states go, by their configuration addresses.
pub(super) struct Fates<'a> {
    names: Vec<ConfigName<'a>>,
    /// For each state, for each entry of its table of dependencies, the number of the name.
    entry_names: Vec<Vec<u32>>,
    goes: Vec<Goes>,
    /// For each state the names at which something arrives.
    arrives: Vec<FastSet<u32>>,
    /// For each state and group the name.
    group_names: Vec<Vec<u32>>,
    /// For each state and entry the name.
    resource_names: Vec<Vec<u32>>,
    /// For each state: whether two resources become one in it.
    merges: Vec<bool>,
    /// For each state and entry of its table of dependencies what reports say of it, made when first needed.
    producers: Vec<Vec<OnceLock<Producer>>>,
}

/// A resource before the moves, and the places it is at after them.
#[derive(Clone)]
pub(super) struct Producer {
    pub(super) at: Arc<At<ConfigResourceAddr>>,
    pub(super) went_to: Arc<[At<ConfigResourceAddr>]>,
}

/// Where the resources of one state go.
#[derive(Default)]
struct Goes {
    /// Number of the name → range in `places`.
    ranges: FastMap<u32, (u32, u32)>,
    /// Sorted within each range.
    places: Vec<Place>,
}

impl Goes {
    fn new(mut all: Vec<(u32, Place)>) -> Self {
        all.sort_unstable();
        all.dedup();
        let mut goes = Self {
            ranges: FastMap::default(),
            places: Vec::with_capacity(all.len()),
        };
        goes.ranges.reserve(all.len());
        for (name, place) in all {
            let at = goes.places.len() as u32;
            goes.places.push(place);
            goes.ranges.entry(name).or_insert((at, at)).1 = at + 1;
        }
        goes
    }

    fn get(&self, name: u32) -> Option<&[Place]> {
        let &(start, end) = self.ranges.get(&name)?;
        Some(&self.places[start as usize..end as usize])
    }
}

/// What becomes of one entry.
enum Fate<'f> {
    /// It stays as it is written.
    Stays,
    /// It gets these names.
    Becomes(&'f [Place]),
    /// What it named is in other states now.
    Cut,
    /// It named nothing, and may not begin to name something else now.
    Dangles,
}

/// A list of dependencies that is written anew.
#[derive(Default)]
pub(super) struct NewList<'a> {
    pub(super) entries: Vec<NewEntry<'a>>,
    /// Entries that were cut, by their position in the table of the state the object comes from.
    pub(super) cut: Vec<u32>,
    /// Entries whose resource is partly in other states now, likewise.
    pub(super) parted: Vec<u32>,
    /// Dropped entries, as addresses.
    pub(super) dangling: Vec<String>,
    pub(super) to_itself: Vec<String>,
    pub(super) cyclic: Vec<String>,
    pub(super) changed: bool,
}

/// One entry of a list that is written anew.
pub(super) struct NewEntry<'a> {
    text: Cow<'a, str>,
    pub(super) token: Cow<'a, str>,
    name: u32,
}

#[derive(Default)]
struct Names<'a> {
    numbers: FastMap<ConfigName<'a>, u32>,
    names: Vec<ConfigName<'a>>,
}

impl<'a> Names<'a> {
    fn number(&mut self, name: ConfigName<'a>) -> u32 {
        let names = &mut self.names;
        *self.numbers.entry(name).or_insert_with(|| {
            names.push(name);
            names.len() as u32 - 1
        })
    }
}

impl<'a> Fates<'a> {
    /// Follows all resources of all states.
    pub(super) fn new(placement: &Placement<'a>, changes: &Changes) -> Self {
        let mut names = Names::default();
        let group_names: Vec<Vec<u32>> = placement
            .groups
            .iter()
            .map(|groups| {
                groups
                    .iter()
                    .map(|group| names.number(ConfigName::of(group.addr)))
                    .collect()
            })
            .collect();
        let count = placement.sources.len();
        let mut fates = Self {
            names: Vec::new(),
            entry_names: Vec::with_capacity(count),
            goes: Vec::with_capacity(count),
            arrives: group_names
                .iter()
                .map(|names| names.iter().copied().collect())
                .collect(),
            merges: vec![false; count],
            producers: placement
                .sources
                .iter()
                .map(|source| {
                    (0..source.snapshot.dependency_count())
                        .map(|_| OnceLock::new())
                        .collect()
                })
                .collect(),
            group_names,
            resource_names: Vec::with_capacity(count),
        };
        let mut origins: FastMap<Place, Place> = FastMap::default();
        for state in 0..count {
            let all = fates.follow(state, placement, changes, &mut names);
            for &(name, place) in &all {
                let origin = (state as u32, name);
                if *origins.entry(place).or_insert(origin) != origin {
                    fates.merges[place.0 as usize] = true;
                }
            }
            fates.goes.push(Goes::new(all));
        }
        for source in &placement.sources {
            let snapshot = source.snapshot;
            let entries = (0..snapshot.dependency_count() as u32).map(|id| {
                let name = ConfigName::from(snapshot.dependency(id).1);
                names.numbers.get(&name).copied().unwrap_or(UNKNOWN)
            });
            fates.entry_names.push(entries.collect());
        }
        fates.names = names.names;
        fates
    }

    /// Lists where the resources of a state go.
    fn follow(
        &mut self,
        state: usize,
        placement: &Placement<'a>,
        changes: &Changes,
        names: &mut Names<'a>,
    ) -> Vec<(u32, Place)> {
        let snapshot = placement.sources[state].snapshot;
        let mut all = Vec::with_capacity(snapshot.resources().len());
        let mut resource_names = Vec::with_capacity(snapshot.resources().len());
        let arrival = |target: u32, group: u32| (target, self.group_names[target as usize][group as usize]);
        for resource in snapshot.resources() {
            let name = names.number(ConfigName::of(resource.addr()));
            resource_names.push(name);
            if resource.is_husk() {
                all.push(match placement.husks[state].get(&resource.index()) {
                    None => (name, (state as u32, name)),
                    Some(&number) => {
                        let target = placement.position(&changes.husks[number].to.state);
                        (name, arrival(target, placement.husk_group_of[number]))
                    }
                });
            }
            for instance in resource.instances() {
                let place = match placement.moved[state][instance.index()] {
                    STAYS => (state as u32, name),
                    number => {
                        let (target, group) = placement.group_of[number as usize];
                        arrival(target, group)
                    }
                };
                if all.last() != Some(&(name, place)) {
                    all.push((name, place));
                }
            }
        }
        self.resource_names.push(resource_names);
        all
    }

    /// Returns what an entry of a state's table names, and where that is now.
    pub(super) fn producer(&self, placement: &Placement<'a>, from: usize, entry: u32) -> &Producer {
        self.producers[from][entry as usize].get_or_init(|| {
            let id = |state: usize| placement.sources[state].id.clone();
            let addr = placement.sources[from].snapshot.dependency(entry).1.clone();
            let places = self.places(from, self.entry_names[from][entry as usize]).iter();
            let went_to =
                places.map(|&(state, name)| At::new(id(state as usize), self.names[name as usize].to_addr()));
            Producer {
                at: Arc::new(At::new(id(from), addr)),
                went_to: went_to.collect(),
            }
        })
    }

    /// Returns the name of a group.
    pub(super) fn group_name(&self, state: usize, group: usize) -> u32 {
        self.group_names[state][group]
    }

    /// Returns the name of an entry of a state, as it was before the moves.
    pub(super) fn entry_name(&self, state: usize, entry: usize) -> u32 {
        self.resource_names[state][entry]
    }

    /// Returns where the resource of that name in a state goes.
    fn places(&self, state: usize, name: u32) -> &[Place] {
        self.goes[state].get(name).unwrap_or(&[])
    }

    /// Tells whether two resources become one in a state.
    pub(super) fn merges(&self, state: usize) -> bool {
        self.merges[state]
    }

    fn fate(&self, from: usize, entry: u32, to: usize) -> (u32, Fate<'_>) {
        let name = self.entry_names[from][entry as usize];
        let Some(places) = self.goes[from].get(name) else {
            let shadowed = name != UNKNOWN && self.arrives[to].contains(&name);
            let fate = if from != to || shadowed {
                Fate::Dangles
            } else {
                Fate::Stays
            };
            return (name, fate);
        };
        let start = places.partition_point(|place| (place.0 as usize) < to);
        let end = places.partition_point(|place| place.0 as usize <= to);
        let fate = match &places[start..end] {
            [] => Fate::Cut,
            [(_, only)] if *only == name => Fate::Stays,
            here => Fate::Becomes(here),
        };
        (name, fate)
    }

    /// Tells for each entry in a state's table whether objects that stay in the state must drop or rename it, or
    /// whether its resource is partly elsewhere now.
    pub(super) fn touched(&self, state: usize) -> Vec<bool> {
        (0..self.entry_names[state].len() as u32)
            .map(|entry| {
                let (name, fate) = self.fate(state, entry, state);
                !matches!(fate, Fate::Stays) || self.is_parted(state, name, state)
            })
            .collect()
    }

    fn is_parted(&self, from: usize, name: u32, to: usize) -> bool {
        self.places(from, name).iter().any(|place| place.0 as usize != to)
    }

    /// Follows the list of one object: from which state, to which, and under which name it is there.
    pub(super) fn list(
        &self,
        instance: Instance<'a>,
        from: usize,
        to: usize,
        own: u32,
        moves: bool,
    ) -> NewList<'a> {
        let snapshot = instance.snapshot();
        let mut list = NewList::default();
        for &entry in instance.dependency_ids() {
            let (token, addr) = snapshot.dependency(entry);
            let (name, fate) = self.fate(from, entry, to);
            match fate {
                // An entry that names the object itself is an old fault; an object that stays keeps even that.
                Fate::Stays if moves && name == own => {
                    list.changed = true;
                    list.to_itself.push(addr.to_string());
                }
                Fate::Stays => list.entries.push(NewEntry::kept(token, addr, name)),
                Fate::Dangles => {
                    list.changed = true;
                    list.dangling.push(addr.to_string());
                }
                Fate::Cut => {
                    list.changed = true;
                    list.cut.push(entry);
                }
                Fate::Becomes(places) => {
                    list.changed = true;
                    list.become_these(places, own, self);
                }
            }
            if matches!(fate, Fate::Stays | Fate::Becomes(_)) && self.is_parted(from, name, to) {
                list.parted.push(entry);
            }
        }
        if list.changed {
            list.entries.sort_by(|a, b| a.text.cmp(&b.text));
            list.entries.dedup_by(|a, b| a.text == b.text);
        }
        list
    }

    /// Drops entries until no cycle is left that the lists did not have before. `lists` holds, for every object of the
    /// state, its name, whether each entry is new in the state (all of a moved object's are), and the list.
    pub(super) fn break_cycles(lists: &mut [(u32, bool, NewList<'_>)]) {
        let mut graph = DiGraph::<u32, ()>::new();
        let mut nodes: FastMap<u32, NodeIndex> = FastMap::default();
        for (own, _, list) in lists.iter() {
            let from = *nodes.entry(*own).or_insert_with(|| graph.add_node(*own));
            for entry in list.entries.iter().filter(|entry| entry.name != UNKNOWN) {
                let to = *nodes
                    .entry(entry.name)
                    .or_insert_with(|| graph.add_node(entry.name));
                graph.add_edge(from, to, ());
            }
        }
        let mut component: FastMap<u32, usize> = FastMap::default();
        for (number, members) in kosaraju_scc(&graph).into_iter().enumerate() {
            if members.len() > 1 {
                component.extend(members.into_iter().map(|node| (graph[node], number)));
            }
        }
        for (own, all_new, list) in lists {
            let Some(ring) = component.get(own) else { continue };
            if !*all_new && !list.changed {
                continue;
            }
            let (stay, drop) = std::mem::take(&mut list.entries)
                .into_iter()
                .partition(|entry: &NewEntry<'_>| component.get(&entry.name) != Some(ring));
            list.entries = stay;
            list.changed |= !Vec::is_empty(&drop);
            list.cyclic.extend(
                drop.into_iter()
                    .map(|entry: NewEntry<'_>| entry.text.into_owned()),
            );
        }
    }
}

impl<'a> NewEntry<'a> {
    /// An entry that keeps its spelling.
    fn kept(token: &'a str, addr: &ConfigResourceAddr, name: u32) -> Self {
        let plain = &token[1..token.len() - 1];
        // Instance keys, white space and the like are rare; without them the token spells the address.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let text = if plain.bytes().all(is_plain) && !plain.contains("resource.") {
            Cow::Borrowed(plain)
        } else {
            Cow::Owned(addr.to_string())
        };
        let token = Cow::Borrowed(token);
        Self { text, token, name }
    }
}

impl<'a> NewList<'a> {
    fn become_these(&mut self, places: &[Place], own: u32, fates: &Fates<'a>) {
        for &(_, name) in places {
            let text = fates.names[name as usize].to_string();
            if name == own {
                self.to_itself.push(text);
            } else {
                self.entries.push(NewEntry {
                    token: Cow::Owned(quote(&text)),
                    text: Cow::Owned(text),
                    name,
                });
            }
        }
    }
}
