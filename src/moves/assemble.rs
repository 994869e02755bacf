//! The text of one state after the moves: slices of the originals, and the few pieces that change.

use std::ops::Range;
use std::sync::Arc;

use super::apply::{CutDependency, DropReason, DroppedDependency};
use super::dependencies::{Fates, NewList};
use super::head::{OutputChanges, check_results_edit, edit_member};
use super::object::{self, OBJECT_DEPTH};
use super::place::{Group, Incoming, Placement, STAYS};
use super::{At, MoveError};
use crate::address::ConfigResourceAddr;
use crate::json::quote;
use crate::state::hash::FastMap;
use crate::state::{
    Element, Instance, List, ObjectEdit, Resource, ResourceOrder, Serial, Snapshot, Text, TopField,
    compare_instances, reformat_into,
};

/// What changes in a state's text: ranges of the original, and what stands there instead.
pub(super) type Edits<'a> = Vec<(Range<usize>, Text<'a>)>;

/// Puts the text of a state together.
pub(super) fn text_of(snapshot: &Snapshot, edits: Edits<'_>) -> String {
    splice(snapshot.text(), edits)
}

/// What becomes of a state, if anything in it changes.
pub(super) struct Assembled<'a> {
    pub(super) edits: Option<Edits<'a>>,
    pub(super) cut: Vec<CutDependency>,
    pub(super) dropped: Vec<DroppedDependency>,
}

/// Puts one state together.
pub(super) struct Assembler<'a, 'p> {
    pub(super) placement: &'p Placement<'a>,
    pub(super) fates: &'p Fates<'a>,
    pub(super) state: usize,
    pub(super) outputs: &'p OutputChanges<'a>,
}

/// The new dependency lists of a state's objects.
#[derive(Default)]
struct Lists<'a> {
    /// By position of the state from which the object comes, and number of the object in it.
    numbers: FastMap<(u32, u32), u32>,
    /// In the order of the objects.
    lists: Vec<((u32, u32), NewList<'a>)>,
}

impl<'a> Lists<'a> {
    /// Returns the list of an object that must be written anew.
    fn of(&self, from: usize, instance: Instance<'_>) -> Option<&NewList<'a>> {
        let number = *self.numbers.get(&(from as u32, instance.index() as u32))?;
        Some(&self.lists[number as usize].1).filter(|list| list.changed)
    }
}

impl<'a> Assembler<'a, '_> {
    fn snapshot(&self) -> &'a Snapshot {
        self.placement.sources[self.state].snapshot
    }

    fn groups(&self) -> &[Group<'a>] {
        &self.placement.groups[self.state]
    }

    /// Decides what changes in the state and reports what happened to dependencies.
    pub(super) fn run(&self) -> Result<Assembled<'a>, MoveError> {
        let lists = self.lists();
        let (cut, dropped) = self.report(&lists);
        let snapshot = self.snapshot();
        let mut edits: Edits<'a> = Vec::new();
        edits.extend(self.outputs.edit(snapshot));
        edits.extend(self.resources_edit(&lists));
        edits.extend(check_results_edit(self.placement, self.state));
        edits.retain(|(range, text)| !text.is(&snapshot.text()[range.clone()]));
        let edits = if edits.is_empty() {
            None
        } else {
            let serial = self.serial()?;
            if !self.placement.sources[self.state].is_new {
                edits.push(serial_edit(snapshot, serial));
            }
            Some(edits)
        };
        Ok(Assembled { edits, cut, dropped })
    }

    fn serial(&self) -> Result<Serial, MoveError> {
        let source = &self.placement.sources[self.state];
        if source.is_new {
            return Ok(Serial::FIRST);
        }
        source
            .snapshot
            .serial()
            .next()
            .ok_or_else(|| MoveError::SerialExhausted {
                state: source.id.clone(),
            })
    }

    /// Makes all lists that must be written anew, and those that only need to be reported.
    fn lists(&self) -> Lists<'a> {
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

    fn report(&self, lists: &Lists<'a>) -> (Vec<CutDependency>, Vec<DroppedDependency>) {
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
        let mut producers: FastMap<(usize, u32), Producer> = FastMap::default();
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
            let parted = list.parted.iter().map(|&name| (name, true));
            for (name, stays_in_part) in list.cut.iter().map(|&name| (name, false)).chain(parted) {
                let (producer, went_to) = producers
                    .entry((from, name))
                    .or_insert_with(|| self.producer(from, name))
                    .clone();
                cut.push(CutDependency {
                    consumer: Arc::clone(&consumer),
                    producer,
                    went_to,
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

    /// Returns a resource as it was named before the moves, and the other states it is in after them.
    fn producer(&self, from: usize, name: u32) -> Producer {
        let id = |state: usize| self.placement.sources[state].id.clone();
        let places = self.fates.places(from, name).iter();
        let elsewhere = places.filter(|place| place.0 as usize != self.state);
        let went_to = elsewhere.map(|&(state, name)| At::new(id(state as usize), self.fates.name(name)));
        (
            Arc::new(At::new(id(from), self.fates.name(name))),
            went_to.collect(),
        )
    }

    fn resources_edit(&self, lists: &Lists<'a>) -> Option<(Range<usize>, Text<'a>)> {
        let snapshot = self.snapshot();
        let mut joined: FastMap<u32, &Group<'a>> = FastMap::default();
        let mut new = Vec::new();
        for group in self.groups() {
            match group.joins {
                Some(entry) => {
                    joined.insert(entry, group);
                }
                None => new.push(group),
            }
        }
        let mut new = new.into_iter().peekable();
        let mut elements = Vec::with_capacity(snapshot.resources().len());
        let mut changed = false;
        for resource in snapshot.resources() {
            if new.peek().is_some() {
                let order = ResourceOrder::of(resource.addr());
                while let Some(group) = new.next_if(|group| ResourceOrder::of(group.addr) < order) {
                    elements.push(Element::New(self.new_entry(group, lists)));
                }
            }
            if !self.placement.entry_stays(self.state, resource) {
                changed = true;
                continue;
            }
            let group = joined.get(&(resource.index() as u32)).copied();
            if group.is_some() || self.is_touched(resource, lists) {
                changed = true;
                elements.push(Element::New(self.changed_entry(resource, group, lists)));
            } else {
                elements.push(Element::Kept(resource.index()));
            }
        }
        elements.extend(new.map(|group| Element::New(self.new_entry(group, lists))));
        if !changed && elements.len() == snapshot.resources().len() {
            return None;
        }
        let ranges: Vec<_> = snapshot.resources().map(Resource::span).collect();
        Some(edit_member(
            snapshot,
            TopField::Resources,
            ('[', ']'),
            &ranges,
            elements,
        ))
    }

    fn is_touched(&self, resource: Resource<'a>, lists: &Lists<'a>) -> bool {
        let moved = &self.placement.moved[self.state];
        resource
            .instances()
            .any(|instance| moved[instance.index()] != STAYS || lists.of(self.state, instance).is_some())
    }

    /// An entry that stays, with objects that left, came, or have other dependencies.
    fn changed_entry(
        &self,
        resource: Resource<'a>,
        group: Option<&Group<'a>>,
        lists: &Lists<'a>,
    ) -> Text<'a> {
        let snapshot = self.snapshot();
        let text = snapshot.text();
        let moved = &self.placement.moved[self.state];
        let arriving = group.map_or(&[][..], |group| self.placement.objects(self.state, group));
        let mut arriving = arriving.iter().peekable();
        let mut elements = Vec::new();
        for (position, instance) in resource.instances().enumerate() {
            let here = (instance.key(), instance.deposed());
            while let Some(object) = arriving
                .next_if(|object| compare_instances((object.key, object.instance.deposed()), here).is_lt())
            {
                elements.push(Element::New(self.arriving_object(object, lists)));
            }
            if moved[instance.index()] != STAYS {
                continue;
            }
            elements.push(match lists.of(self.state, instance) {
                None => Element::Kept(position),
                Some(list) => {
                    let mut out = Text::new();
                    object::staying(instance, list).write_all(&mut out);
                    Element::New(out)
                }
            });
        }
        elements.extend(arriving.map(|object| Element::New(self.arriving_object(object, lists))));
        let ranges: Vec<_> = resource.instances().map(Instance::span).collect();
        let mut out = Text::new();
        let (before, list, after) = around_list(
            resource,
            &ObjectEdit::new(text, snapshot.layout(), resource.span()),
        );
        out.append(before);
        let rewritten = List {
            text,
            layout: snapshot.layout(),
            range: (list.start, list.end),
            elements: &ranges,
            brackets: ('[', ']'),
            depth: OBJECT_DEPTH - 1,
        };
        rewritten.write(elements, &mut out);
        out.append(after);
        out
    }

    fn arriving_object(&self, object: &Incoming<'a>, lists: &Lists<'a>) -> Text<'a> {
        let edit = object::moving(object, lists.of(object.state as usize, object.instance));
        let mut out = Text::new();
        let fits = object::fits(object.instance, self.snapshot());
        object::write(&edit, fits, self.snapshot().layout(), &mut out);
        out
    }

    /// An entry that is new in the state: the header of the old one with what the move changes.
    fn new_entry(&self, group: &Group<'a>, lists: &Lists<'a>) -> Text<'a> {
        let head = self.placement.head(self.state, group);
        let head = head.expect("a group is made by its first object or husk");
        let objects = self.placement.objects(self.state, group);
        let layout = self.snapshot().layout();
        let edit = self.header_edit(group, head);
        let source = head.snapshot();
        let fits = std::ptr::eq(source, self.snapshot()) || source.layout().fits(layout);
        let whole = objects.len() == head.object_count()
            && objects.iter().enumerate().all(|(at, object)| {
                std::ptr::eq(object.instance.snapshot(), source)
                    && object.instance.index() == head.object_at(at).index()
                    && object::moving(object, lists.of(object.state as usize, object.instance)).is_empty()
            });
        let mut out = Text::new();
        if whole && fits {
            edit.write_all(&mut out);
            return out;
        }
        let (before, _, after) = around_list(head, &edit);
        let write = |part: Text<'a>, depth: usize, out: &mut Text<'a>| {
            if fits {
                return out.append(part);
            }
            let mut laid_out = String::new();
            reformat_into(&part.into_string(), layout, depth, &mut laid_out);
            out.own(laid_out);
        };
        write(before, 2, &mut out);
        self.new_list_of_objects(group, lists, &mut out);
        write(after, 3, &mut out);
        out
    }

    fn new_list_of_objects(&self, group: &Group<'a>, lists: &Lists<'a>, out: &mut Text<'a>) {
        let objects = self.placement.objects(self.state, group);
        if objects.is_empty() {
            return out.slice("[]");
        }
        let layout = self.snapshot().layout();
        for (position, object) in objects.iter().enumerate() {
            out.slice(if position == 0 { "[" } else { "," });
            out.slice(layout.line_break(OBJECT_DEPTH));
            out.append(self.arriving_object(object, lists));
        }
        out.slice(layout.line_break(OBJECT_DEPTH - 1));
        out.slice("]");
    }

    fn header_edit(&self, group: &Group<'a>, head: Resource<'a>) -> ObjectEdit<'a> {
        let source = head.snapshot();
        let mut edit = ObjectEdit::new(source.text(), source.layout(), head.span());
        let (old, new) = (head.addr(), group.addr);
        if old.module != new.module {
            let text = quote(&new.module.to_string());
            match head.module_field() {
                Some(field) if new.module.is_root() => edit.remove(&field),
                Some(field) => edit.replace(field.value, text),
                None => edit.insert_first("module", &text),
            }
        }
        if old.name != new.name {
            edit.replace(head.name_field().value, quote(&new.name));
        }
        if let (Some(old), Some(new), Some(field)) = (head.provider(), &group.provider, head.provider_field())
            && *old != **new
        {
            edit.replace(field.value, quote(&new.to_string()));
        }
        edit
    }
}

/// A resource before the moves, and where it is after them.
type Producer = (Arc<At<ConfigResourceAddr>>, Arc<[At<ConfigResourceAddr>]>);

/// Splits an entry around its list of instances: what stands before, the list, what stands after.
fn around_list<'a>(resource: Resource<'a>, edit: &ObjectEdit<'a>) -> (Text<'a>, Range<usize>, Text<'a>) {
    let (mut before, mut after) = (Text::new(), Text::new());
    let span = resource.span();
    match resource.instances_field() {
        Some(field) => {
            edit.write(span.start..field.value.start, &mut before);
            edit.write(field.value.end..span.end, &mut after);
            (before, field.value, after)
        }
        None => {
            // Terraform always writes the member; a hand-made husk may lack it.
            let name_end = resource.name_field().value.end;
            edit.write(span.start..name_end, &mut before);
            before.own(",\"instances\":");
            edit.write(name_end..span.end, &mut after);
            (before, name_end..name_end, after)
        }
    }
}

/// Returns the change that gives a state its next serial.
fn serial_edit<'a>(snapshot: &'a Snapshot, serial: Serial) -> (Range<usize>, Text<'a>) {
    let mut out = Text::new();
    if let Some(field) = snapshot.field(TopField::Serial) {
        out.own(serial.to_string());
        return (field.value, out);
    }
    let version = snapshot
        .field(TopField::Version)
        .expect("a state without version is not read");
    let layout = snapshot.layout();
    out.own(format!(
        ",{}\"serial\"{}{serial}",
        layout.line_break(1),
        layout.colon()
    ));
    (version.value.end..version.value.end, out)
}

fn splice<'a>(text: &'a str, mut edits: Vec<(Range<usize>, Text<'a>)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = Text::new();
    let mut at = 0;
    for (range, piece) in edits {
        out.slice(&text[at..range.start]);
        out.append(piece);
        at = range.end;
    }
    out.slice(&text[at..]);
    out.into_string()
}
