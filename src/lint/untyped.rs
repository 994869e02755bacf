//! Values that lose their types on the way: JSON has neither sets nor typed lists and maps.
//!
//! Most arguments have a type of their own and do not mind. Where a state keeps a type beside the value of an argument
//! (`terraform_data`), the argument has none: whether that type survives is worth knowing before an apply.

use std::collections::BTreeMap;

use super::reads::{self, Reading, Sink};
use super::shape::Step;
use super::sharing::shown;
use super::told::{self, Half};
use super::{Read, Root};
use crate::address::{ConfigResourceAddr, ResourceMode};
use crate::config::BlockKind;
use crate::contract::value::Value;
use crate::diagnostic::Diagnostic;

/// Finds arguments without a type of their own that get collections from contracts as plain lists and objects.
///
/// `contents` are the documents by producer, as far as they are known; `is_typed` tells whether the state keeps a
/// collection's type beside the value of an argument.
pub fn untyped(
    roots: &[Root<'_>],
    contents: &BTreeMap<&str, Value>,
    is_typed: &dyn Fn(&ConfigResourceAddr, &str) -> bool,
) -> Vec<Diagnostic> {
    let stacks: Vec<Read<'_>> = roots.iter().map(|root| Read::of(root, None)).collect();
    let told = told::of_all(&stacks);
    let mut found: Vec<Diagnostic> = Vec::new();
    for source in reads::of_all(&stacks, &told) {
        for place in source
            .uses
            .iter()
            .filter(|place| !place.is_handed_on && place.cast.is_none())
        {
            let (Some(sink), Some(reading)) = (&place.sink, source.reading(place)) else {
                continue;
            };
            let Some(address) = address(sink) else { continue };
            let is_lost = contents
                .get(reading.producer.as_str())
                .is_some_and(|content| loses_types(content, &reading));
            if !is_lost || !is_typed(&address, sink.argument) {
                continue;
            }
            let pointer = shown(reading.half, &reading.steps);
            let message = format!(
                "`{address}` has no type for `{}`, and lists, sets and maps in it lose theirs on the way",
                sink.argument
            );
            let diagnostic = Diagnostic::warning(message)
                .at(&place.file.source, place.span.clone())
                .note(format!(
                    "in the code of `{}`; `{pointer}` of the contract of `{}` crosses as JSON",
                    source.stack, reading.producer
                ))
                .hint(
                    "its plan may show an update: `plan --verify terraform` tells; say `toset(…)`, `tolist(…)` or `tomap(…)` around the attribute in the monolith",
                );
            if !found.contains(&diagnostic) {
                found.push(diagnostic);
            }
        }
    }
    found
}

fn address(sink: &Sink<'_>) -> Option<ConfigResourceAddr> {
    (sink.block.kind == BlockKind::Resource).then(|| ConfigResourceAddr {
        module: sink.module.clone(),
        mode: ResourceMode::Managed,
        type_name: sink.block.label(0).to_owned(),
        name: sink.block.label(1).to_owned(),
    })
}

/// Tells whether what is read is a list, or an object with lists or objects in it.
fn loses_types(content: &Value, reading: &Reading) -> bool {
    let half = match reading.half {
        Half::Public => "public",
        Half::Private => "private",
    };
    let read = content.get(half).and_then(|half| at(half, &reading.steps));
    match read {
        Some(Value::List(_)) => true,
        Some(Value::Object(members)) => members
            .values()
            .any(|member| matches!(member, Value::List(_) | Value::Object(_))),
        _ => false,
    }
}

/// Follows steps; what stands for several elements leads into the first.
fn at<'v>(value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value);
    };
    let inner = match (step, value) {
        (Step::Name(name), _) => value.get(name),
        (_, Value::List(items)) => items.first(),
        (Step::Splat, _) => Some(value),
        (_, Value::Object(members)) => members.values().next(),
        _ => None,
    };
    at(inner?, rest)
}
