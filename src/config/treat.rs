//! What Terraform does with an argument, by its block and name: evaluates it, reads it as names, or keeps it static.

use super::BlockKind;
use super::reference::Role;

/// How an argument is searched for references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// An expression, in that role.
    Expression(Role),
    /// Names of objects; a string's text is a reference too.
    Names(Role),
    /// A provider, resource or module by name: only keys in brackets are expressions.
    Keys(Role),
    /// Nothing in it is a reference.
    Nothing,
}

/// Returns the treatment of the argument `name` inside the nested blocks `within` (outermost first).
pub(super) fn treatment(kind: &BlockKind, within: &[&str], name: &str, destroys: bool) -> Treatment {
    use Treatment::{Expression, Keys, Names, Nothing};
    if within.first() == Some(&"dynamic") || within.len() >= 2 {
        let dynamic = within.len() >= 2 && within[within.len() - 2] == "dynamic";
        if dynamic && name == "for_each" {
            return Expression(Role::DynamicForEach);
        }
        if dynamic && name == "iterator" {
            return Nothing;
        }
    }
    match (kind, within, name) {
        (BlockKind::Moved, ..)
        | (BlockKind::Removed, [], "from")
        | (BlockKind::Variable, [], "type")
        | (BlockKind::Provider, [], "alias")
        | (BlockKind::Terraform, ["required_providers", ..], _) => Nothing,
        (BlockKind::Import, [], "to") => Keys(Role::ImportKey),
        (BlockKind::Import, [], "provider") | (BlockKind::Module, [], "providers") => Keys(Role::ProviderKey),
        (BlockKind::Module, [], "source" | "version") => Expression(Role::Source),
        (BlockKind::Check, ["data", ..], "provider") => Keys(Role::ProviderKey),
        (BlockKind::Check, ["data", ..], "depends_on") => Names(Role::DependsOn),
        (BlockKind::Check, ["assert"], _) => Expression(Role::Condition),
        (BlockKind::Output | BlockKind::Module, [], "depends_on") => Names(Role::DependsOn),
        (BlockKind::Output | BlockKind::Variable, ["precondition" | "validation"], _) => {
            Expression(Role::Condition)
        }
        (BlockKind::Module | BlockKind::Provider | BlockKind::Import, [], "for_each") => {
            Expression(Role::ForEach)
        }
        (BlockKind::Module, [], "count") => Expression(Role::Count),
        (BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral | BlockKind::Action, ..) => {
            of_resource(within, name, destroys)
        }
        (BlockKind::Removed, ["provisioner", ..], _) => of_resource(within, name, destroys),
        _ => Expression(Role::Value),
    }
}

fn of_resource(within: &[&str], name: &str, destroys: bool) -> Treatment {
    use Treatment::{Expression, Keys, Names, Nothing};
    match (within, name) {
        ([], "provider") => Keys(Role::ProviderKey),
        ([], "count") => Expression(Role::Count),
        ([], "for_each") => Expression(Role::ForEach),
        ([], "depends_on") => Names(Role::DependsOn),
        (["lifecycle"], "ignore_changes") | (["lifecycle", "action_trigger"], "events") => Nothing,
        (["lifecycle"], "replace_triggered_by") => Names(Role::ReplaceTriggeredBy),
        (["lifecycle", "action_trigger"], "actions") => Names(Role::Lifecycle),
        (["lifecycle", "precondition" | "postcondition"], _) => Expression(Role::Condition),
        (["lifecycle", ..], _) => Expression(Role::Lifecycle),
        (["provisioner", _], "when" | "on_failure") => Nothing,
        (["provisioner", ..], _) if destroys => Expression(Role::DestroyProvisioner),
        (["provisioner", ..], _) => Expression(Role::Provisioner),
        (["connection"], _) => Expression(Role::Connection),
        _ => Expression(Role::Value),
    }
}

/// Tells whether a nested block of that name is Terraform's own; the number is that of its labels.
pub(super) fn own_nested_block(kind: &BlockKind, within: &[&str], name: &str) -> Option<usize> {
    match (kind, within, name) {
        (BlockKind::Terraform, [], "backend" | "provider_meta") => Some(1),
        (BlockKind::Terraform, [], "cloud" | "required_providers" | "encryption")
        | (BlockKind::Terraform, ["cloud"], "workspaces") => Some(0),
        (BlockKind::Check, [], "data") => Some(2),
        (BlockKind::Check, [], "assert") => Some(0),
        (BlockKind::Output, [], "precondition") | (BlockKind::Variable, [], "validation") => Some(0),
        (BlockKind::Removed, [], "lifecycle") => Some(0),
        (BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral, [], "lifecycle" | "connection") => {
            Some(0)
        }
        (BlockKind::Resource | BlockKind::Removed, [], "provisioner") => Some(1),
        (BlockKind::Resource | BlockKind::Removed, ["provisioner", _], "connection") => Some(0),
        (_, ["lifecycle"], "precondition" | "postcondition" | "action_trigger") => Some(0),
        (BlockKind::Action, [], "config") => Some(0),
        (_, [.., "dynamic", _], "content") => Some(0),
        (
            BlockKind::Resource
            | BlockKind::Data
            | BlockKind::Ephemeral
            | BlockKind::Provider
            | BlockKind::Action,
            _,
            "dynamic",
        ) => Some(1),
        _ => None,
    }
}
