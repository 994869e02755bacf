//! The dependency lists of one state: which are written anew, and what is reported of them.

use std::sync::Arc;

use super::super::At;
use super::super::apply::{CutDependency, DropReason, DroppedDependency};
use super::super::dependencies::{Fates, NewList};
use super::super::place::STAYS;
use super::Assembler;
use crate::state::Instance;
use crate::state::hash::FastMap;

/// The new dependency lists of a state's objects.
#[derive(Default)]
pub(super) struct Lists<'a> {
    /// By position of the state from which the object comes, and number of the object in it.
    numbers: FastMap<(u32, u32), u32>,
    /// In the order of the objects.
    lists: Vec<((u32, u32), NewList<'a>)>,
}

impl<'a> Lists<'a> {
    /// Returns the list of an object that must be written anew.
    pub(super) fn of(&self, from: usize, instance: Instance<'_>) -> Option<&NewList<'a>> {
        let number = *self.numbers.get(&(from as u32, instance.index() as u32))?;
        Some(&self.lists[number as usize].1).filter(|list| list.changed)
    }
}

impl<'a> Assembler<'a, '_> {
    /// Makes all lists that must be written anew, and those that only need to be reported.
    pub(super) fn lists(&self) -> Lists<'a> {
        let snapshot = self.snapshot();
        let mut lists = Vec::new();
        let merges = self.fates.merges(self.state);
        let touched = self.fates.touched(self.state);
        if merges || touched.iter().any(|&touched| touched) {
            let moved = &self.placement.moved[self.state];
            for instance in snapshot.instances() {
                let ids = instance.dependency_ids();
                let needed = merges || ids.iter().any(|&id| touched[id as usize]);
                if moved[instance.index()] == STAYS && needed {
                    let own = self.fates.entry_name(self.state, instance.resource().index());
                    let list = self.fates.list(instance, self.state, self.state, own, false);
                    lists.push(((self.state as u32, instance.index() as u32), (own, false, list)));
                }
            }
        }
        for (number, group) in self.groups().iter().enumerate() {
            let own = self.fates.group_name(self.state, number);
            for object in self.placement.objects(self.state, group) {
                if !object.instance.dependency_ids().is_empty() {
                    let from = object.state as usize;
                    let list = self.fates.list(object.instance, from, self.state, own, true);
                    lists.push(((object.state, object.instance.index() as u32), (own, true, list)));
                }
            }
        }
        let (places, mut lists): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
        if merges {
            Fates::break_cycles(&mut lists);
        }
        let lists = lists.into_iter().map(|(_, _, list)| list);
        let all = places.into_iter().zip(lists);
        let lists: Vec<_> = all
            .filter(|(_, list)| list.changed || !list.parted.is_empty())
            .collect();
        let numbers = lists
            .iter()
            .enumerate()
            .map(|(number, (place, _))| (*place, number as u32));
        Lists {
            numbers: numbers.collect(),
            lists,
        }
    }

    pub(super) fn report(&self, lists: &Lists<'a>) -> (Vec<CutDependency>, Vec<DroppedDependency>) {
        let (mut cut, mut dropped) = (Vec::new(), Vec::new());
        if lists.lists.is_empty() {
            return (cut, dropped);
        }
        let arrived = self
            .groups()
            .iter()
            .flat_map(|group| self.placement.objects(self.state, group));
        let arrived: FastMap<_, _> = arrived
            .map(|object| {
                (
                    (object.state, object.instance.index() as u32),
                    &object.movement.to,
                )
            })
            .collect();
        for (place, list) in &lists.lists {
            let from = place.0 as usize;
            // Where the object is after the moves.
            let consumer = Arc::new(match arrived.get(place) {
                Some(&to) => to.clone(),
                None => {
                    let source = &self.placement.sources[from];
                    At::new(source.id.clone(), source.snapshot.object(place.1 as usize).addr())
                }
            });
            let parted = list.parted.iter().map(|&entry| (entry, true));
            for (entry, stays_in_part) in list.cut.iter().map(|&entry| (entry, false)).chain(parted) {
                let producer = self.fates.producer(self.placement, from, entry);
                let elsewhere = || {
                    let places = producer.went_to.iter();
                    places
                        .filter(|place| place.state != consumer.state)
                        .cloned()
                        .collect()
                };
                cut.push(CutDependency {
                    consumer: Arc::clone(&consumer),
                    producer: Arc::clone(&producer.at),
                    went_to: if stays_in_part {
                        elsewhere()
                    } else {
                        Arc::clone(&producer.went_to)
                    },
                    stays_in_part,
                });
            }
            for (entries, reason) in [
                (&list.dangling, DropReason::Dangling),
                (&list.to_itself, DropReason::ToItself),
                (&list.cyclic, DropReason::Cycle),
            ] {
                dropped.extend(entries.iter().map(|entry| DroppedDependency {
                    consumer: Arc::clone(&consumer),
                    entry: entry.clone(),
                    reason,
                }));
            }
        }
        (cut, dropped)
    }
}
