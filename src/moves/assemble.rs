//! The text of one state after the moves: slices of the originals, and the few pieces that change.

mod lists;

use std::ops::Range;

use lists::Lists;

use super::MoveError;
use super::apply::{CutDependency, DroppedDependency};
use super::dependencies::Fates;
use super::head::{OutputChanges, check_results_edit, edit_member};
use super::object::{self, OBJECT_DEPTH};
use super::place::{Group, Incoming, Placement, STAYS};
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
