//! Types that contracts do not carry, and that an argument without a type of its own would need.

use std::collections::BTreeMap;

use super::Codes;
use crate::address::ConfigResourceAddr;
use crate::contract::value::Value;
use crate::diagnostic::Diagnostic;
use crate::lint;
use crate::rewrite::Rewritten;
use crate::stack::StateId;
use crate::state::{Resource, Snapshot};

/// Warns of arguments that may be updated because a collection crosses as JSON. `before` are the states before the cut.
pub(in crate::rewrite) fn lost_types(
    rewritten: &Rewritten,
    codes: &Codes<'_>,
    before: &BTreeMap<StateId, &Snapshot>,
) -> Vec<Diagnostic> {
    let contents = rewritten.documents.iter().filter_map(|(producer, document)| {
        Some((producer.name().as_str(), Value::from_json(document.json())?))
    });
    let is_typed = |address: &ConfigResourceAddr, argument: &str| {
        let states = before.values();
        let resources = states.flat_map(|state| state.resources());
        let mut instances = resources
            .filter(|resource| resource.addr().config() == *address)
            .flat_map(Resource::instances);
        instances.any(|instance| {
            let attributes = instance.attributes().and_then(Value::from_json);
            let argument = attributes.as_ref().and_then(|found| found.get(argument));
            argument
                .and_then(|found| found.get("type"))
                .is_some_and(has_collection)
        })
    };
    lint::untyped(&codes.roots(), &contents.collect(), &is_typed)
}

/// Tells whether a type, as states write it, has a list, set or map in it.
fn has_collection(of_type: &Value) -> bool {
    match of_type {
        Value::List(parts) => match &parts[..] {
            [Value::String(kind), _, ..] if matches!(kind.as_str(), "list" | "set" | "map") => true,
            _ => parts.iter().any(has_collection),
        },
        Value::Object(members) => members.values().any(has_collection),
        _ => false,
    }
}
