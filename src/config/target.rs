//! What a traversal names, by its first steps.

use hcl_edit::Number;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};

use super::Mode;
use super::reference::Target;
use crate::address::InstanceKey;

/// Returns what a traversal with that first name refers to, and how many steps behind the name belong to it; `None`
/// for what Terraform refuses too, such as a resource type alone.
pub(super) fn target(first: &str, traversal: &Traversal) -> Option<(Target, usize)> {
    let attr = |index| attribute(traversal, index);
    let named = |make: fn(String) -> Target| Some((make(attr(0)?), 1));
    match first {
        "var" => named(Target::Var),
        "local" => named(Target::Local),
        "path" => named(Target::Path),
        "terraform" => named(Target::Terraform),
        "tofu" if matches!(attr(0).as_deref(), Some("workspace" | "applying")) => named(Target::Terraform),
        "each" => match attr(0)?.as_str() {
            "key" => Some((Target::EachKey, 1)),
            "value" => Some((Target::EachValue, 1)),
            _ => None,
        },
        "count" => (attr(0)? == "index").then_some((Target::CountIndex, 1)),
        "self" => Some((Target::SelfObject, 0)),
        "module" => {
            let target = Target::Module {
                name: attr(0)?,
                output: module_output(traversal),
            };
            Some((target, 1))
        }
        "action" => {
            let target = Target::Action {
                type_name: attr(0)?,
                name: attr(1)?,
            };
            Some((target, 2))
        }
        "data" => resource(Mode::Data, attr(0)?, attr(1)?, 2),
        "ephemeral" => resource(Mode::Ephemeral, attr(0)?, attr(1)?, 2),
        "resource" => resource(Mode::Managed, attr(0)?, attr(1)?, 2),
        // Reserved by Terraform.
        "template" | "lazy" | "arg" => None,
        _ => resource(Mode::Managed, first.to_owned(), attr(0)?, 1),
    }
}

fn resource(mode: Mode, type_name: String, name: String, steps: usize) -> Option<(Target, usize)> {
    Some((
        Target::Resource {
            mode,
            type_name,
            name,
        },
        steps,
    ))
}

fn attribute(traversal: &Traversal, index: usize) -> Option<String> {
    match traversal.operators.get(index)?.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
        _ => None,
    }
}

/// Returns the output behind `module.NAME`, an index or a splat.
fn module_output(traversal: &Traversal) -> Option<String> {
    for operator in traversal.operators.iter().skip(1) {
        match operator.value() {
            TraversalOperator::GetAttr(name) => return Some(name.as_str().to_owned()),
            TraversalOperator::Index(_)
            | TraversalOperator::FullSplat(_)
            | TraversalOperator::AttrSplat(_)
            | TraversalOperator::LegacyIndex(_) => {}
        }
    }
    None
}

/// Returns the key if the text alone tells it.
pub(super) fn literal_key(expr: &Expression) -> Option<InstanceKey> {
    match expr {
        Expression::String(text) => Some(InstanceKey::Str(text.as_str().to_owned())),
        Expression::Number(number) => number_key(number.value()),
        Expression::Parenthesis(inner) => literal_key(inner.inner()),
        _ => None,
    }
}

fn number_key(number: &Number) -> Option<InstanceKey> {
    number.as_u64().map(InstanceKey::Int)
}
