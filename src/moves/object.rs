//! The text of one instance object after the moves.

use super::ProviderChoice;
use super::dependencies::NewList;
use super::place::Incoming;
use crate::address::InstanceKey;
use crate::json::quote;
use crate::state::{Instance, Layout, ObjectEdit, Text, reformat_into};

/// The depth of the line on which an instance object begins.
pub(super) const OBJECT_DEPTH: usize = 4;

/// Returns the changes to an object that stays: at most its dependencies.
pub(super) fn staying<'a>(instance: Instance<'a>, dependencies: &NewList<'a>) -> ObjectEdit<'a> {
    let mut edit = start(instance);
    set_dependencies(&mut edit, instance, dependencies);
    edit
}

/// Returns the changes to an object that moves, with its new list if that changes.
pub(super) fn moving<'a>(object: &Incoming<'a>, dependencies: Option<&NewList<'a>>) -> ObjectEdit<'a> {
    let instance = object.instance;
    let mut edit = start(instance);
    set_key(&mut edit, instance, object.key);
    set_provider(&mut edit, instance, &object.movement.provider);
    if let Some(dependencies) = dependencies {
        set_dependencies(&mut edit, instance, dependencies);
    }
    edit
}

fn start(instance: Instance<'_>) -> ObjectEdit<'_> {
    let snapshot = instance.snapshot();
    ObjectEdit::new(snapshot.text(), snapshot.layout(), instance.span())
}

/// Tells whether a value of one text can be copied to another as it is.
pub(super) fn fits(instance: Instance<'_>, target: &crate::state::Snapshot) -> bool {
    std::ptr::eq(instance.snapshot(), target) || instance.snapshot().layout().fits(target.layout())
}

/// Appends an object with its changes, in the layout of the text it is appended to.
pub(super) fn write<'a>(edit: &ObjectEdit<'a>, fits: bool, layout: Layout, out: &mut Text<'a>) {
    if fits {
        return edit.write_all(out);
    }
    let mut text = Text::new();
    edit.write_all(&mut text);
    let mut laid_out = String::new();
    reformat_into(&text.into_string(), layout, OBJECT_DEPTH, &mut laid_out);
    out.own(laid_out);
}

/// Returns the JSON of an instance key.
pub(super) fn key_json(key: &InstanceKey) -> String {
    match key {
        InstanceKey::Int(number) => number.to_string(),
        InstanceKey::Str(text) => quote(text),
    }
}

fn set_key(edit: &mut ObjectEdit<'_>, instance: Instance<'_>, key: Option<&InstanceKey>) {
    if instance.key() == key {
        return;
    }
    match (instance.index_key_field(), key) {
        (Some(field), Some(key)) => edit.replace(field.value, key_json(key)),
        (Some(field), None) => edit.remove(&field),
        (None, Some(key)) => edit.insert_first("index_key", &key_json(key)),
        (None, None) => {}
    }
}

/// An instance's own provider changes only where a configuration with a key is asked for.
fn set_provider(edit: &mut ObjectEdit<'_>, instance: Instance<'_>, choice: &ProviderChoice) {
    let (Some(own), Some(field)) = (instance.own_provider(), instance.provider_field()) else {
        return;
    };
    if let ProviderChoice::At(asked) = choice
        && asked.key.is_some()
        && **asked != *own
    {
        edit.replace(field.value, quote(&asked.to_string()));
    }
}

/// Writes a list with the white space the old one had; without entries the member goes, as Terraform omits it.
fn set_dependencies(edit: &mut ObjectEdit<'_>, instance: Instance<'_>, dependencies: &NewList<'_>) {
    let Some(field) = instance.dependencies_field() else {
        return;
    };
    if dependencies.entries.is_empty() {
        return edit.remove(&field);
    }
    let old = &instance.snapshot().text()[field.value.clone()];
    let inside = &old[1..old.len() - 1];
    let before = &inside[..inside.len() - inside.trim_start().len()];
    let after = &inside[inside.trim_end().len()..];
    let mut list = String::from("[");
    for (position, entry) in dependencies.entries.iter().enumerate() {
        if position > 0 {
            list.push(',');
        }
        list.push_str(before);
        list.push_str(&entry.token);
    }
    list.push_str(after);
    list.push(']');
    edit.replace(field.value, list);
}
