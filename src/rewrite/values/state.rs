//! Values of resources, as the state has them.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{InstanceKey, ModuleInstanceAddr, ResourceAddr};
use crate::config::Item;
use crate::contract::value::Value;
use crate::rewrite::ownership::Repetition;
use crate::rewrite::text;
use crate::state::Snapshot;

/// Returns a resource: an object, or a list or map of them.
pub(super) fn resource(
    snapshot: &Snapshot,
    module: &ModuleInstanceAddr,
    item: &Item,
    repetition: Repetition,
) -> Option<Value> {
    let Item::Resource {
        mode,
        type_name,
        name,
    } = item
    else {
        return None;
    };
    let address = ResourceAddr {
        module: module.clone(),
        mode: mode.in_state()?,
        type_name: type_name.clone(),
        name: name.clone(),
    };
    let mut found: BTreeMap<Option<InstanceKey>, Value> = BTreeMap::new();
    for instance in snapshot
        .resource(&address)
        .into_iter()
        .flat_map(crate::state::Resource::instances)
    {
        if instance.deposed().is_none() {
            found.insert(instance.key().cloned(), attributes(instance.attributes()?)?);
        }
    }
    match repetition {
        Repetition::None => found.remove(&None),
        Repetition::Count => Some(Value::List(found.into_values().collect())),
        Repetition::ForEach => {
            let pairs = found
                .into_iter()
                .map(|(key, value)| Some((text::key_text(&key?), value)));
            pairs
                .collect::<Option<BTreeMap<String, Value>>>()
                .map(Value::Object)
        }
    }
}

/// Returns the keys of a module call that the state knows.
pub(super) fn module_keys(
    snapshot: &Snapshot,
    module: &ModuleInstanceAddr,
    name: &str,
) -> BTreeSet<InstanceKey> {
    let depth = module.0.len();
    snapshot
        .resources()
        .filter(|resource| resource.addr().module.is_within(module))
        .filter_map(|resource| resource.addr().module.0.get(depth).cloned())
        .filter(|step| step.name == name)
        .filter_map(|step| step.key)
        .collect()
}

fn attributes(text: &str) -> Option<Value> {
    Value::from_json(text).map(unwrapped)
}

/// A value of no fixed type is kept with its type beside it.
fn unwrapped(value: Value) -> Value {
    match value {
        Value::Object(mut members) => {
            let is_dynamic = members.len() == 2
                && members.contains_key("value")
                && members.get("type").is_some_and(is_type);
            match members.remove("value") {
                Some(value) if is_dynamic => value,
                Some(value) => {
                    members.insert("value".to_owned(), value);
                    Value::Object(
                        members
                            .into_iter()
                            .map(|(key, value)| (key, unwrapped(value)))
                            .collect(),
                    )
                }
                None => Value::Object(
                    members
                        .into_iter()
                        .map(|(key, value)| (key, unwrapped(value)))
                        .collect(),
                ),
            }
        }
        Value::List(items) => Value::List(items.into_iter().map(unwrapped).collect()),
        other => other,
    }
}

/// Tells whether a value spells a Terraform type.
fn is_type(value: &Value) -> bool {
    match value {
        Value::String(name) => ["string", "number", "bool", "dynamic"].contains(&name.as_str()),
        Value::List(items) => match items.as_slice() {
            [Value::String(kind), inner] => match (kind.as_str(), inner) {
                ("list" | "set" | "map", inner) => is_type(inner),
                ("tuple", Value::List(items)) => items.iter().all(is_type),
                ("object", Value::Object(members)) => members.values().all(is_type),
                _ => false,
            },
            [Value::String(kind), Value::Object(members), Value::List(_)] => {
                kind == "object" && members.values().all(is_type)
            }
            _ => false,
        },
        _ => false,
    }
}
