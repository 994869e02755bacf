//! Sensitive values on their way through locals, variables and outputs.

use std::collections::BTreeSet;

use super::{Secrecy, is_marked, of_resource};
use crate::address::ModuleAddr;
use crate::config::{Item, Mode, Target};
use crate::rewrite::Input;

/// Tells whether a sensitive value flows into an item of a module.
pub(super) fn is_tainted(
    input: &Input<'_>,
    module: &ModuleAddr,
    item: &Item,
    seen: &mut BTreeSet<(ModuleAddr, Item)>,
) -> bool {
    if !seen.insert((module.clone(), item.clone())) {
        return false;
    }
    let Some(found) = input.configuration.module(module) else {
        return false;
    };
    let source = &found.source;
    if matches!(item, Item::Output(_) | Item::Variable(_)) && is_marked(source, item) {
        return true;
    }
    if let (Item::Variable(name), Some((call, outer))) = (item, module.0.split_last()) {
        return argument_is_tainted(input, &ModuleAddr(outer.to_vec()), call, name, seen);
    }
    source
        .references(item)
        .into_iter()
        .any(|(_, reference)| match &reference.target {
            Target::Local(name) => is_tainted(input, module, &Item::Local(name.clone()), seen),
            Target::Var(name) => is_tainted(input, module, &Item::Variable(name.clone()), seen),
            Target::Module {
                name,
                output: Some(output),
            } => {
                let mut inner = module.clone();
                inner.0.push(name.clone());
                is_tainted(input, &inner, &Item::Output(output.clone()), seen)
            }
            Target::Resource {
                mode: Mode::Managed,
                type_name,
                name,
            } => {
                let item = Item::Resource {
                    mode: Mode::Managed,
                    type_name: type_name.clone(),
                    name: name.clone(),
                };
                let attributes = of_resource(input, module, &item);
                let named = reference.steps.iter().find_map(|step| match &step.kind {
                    crate::config::StepKind::Attr(name) => Some(name),
                    _ => None,
                });
                match named {
                    Some(name) => attributes.get(name) == Some(&Secrecy::Sensitive),
                    None => false,
                }
            }
            _ => false,
        })
}

/// Tells whether a sensitive value flows into an argument of a call.
fn argument_is_tainted(
    input: &Input<'_>,
    caller: &ModuleAddr,
    call: &str,
    argument: &str,
    seen: &mut BTreeSet<(ModuleAddr, Item)>,
) -> bool {
    let Some(module) = input.configuration.module(caller) else {
        return false;
    };
    let item = Item::Module(call.to_owned());
    let Some((_, found)) = module.source.attribute(&item, argument) else {
        return false;
    };
    let span = found.span.clone();
    let references = module.source.references(&item);
    references
        .into_iter()
        .filter(|(_, reference)| span.start <= reference.span.start && reference.span.end <= span.end)
        .any(|(_, reference)| match &reference.target {
            Target::Local(name) => is_tainted(input, caller, &Item::Local(name.clone()), seen),
            Target::Var(name) => is_tainted(input, caller, &Item::Variable(name.clone()), seen),
            Target::Module {
                name,
                output: Some(output),
            } => {
                let mut inner = caller.clone();
                inner.0.push(name.clone());
                is_tainted(input, &inner, &Item::Output(output.clone()), seen)
            }
            _ => false,
        })
}
