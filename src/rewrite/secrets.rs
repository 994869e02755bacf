//! Which values are secret: by the state, by `sensitive` outputs and variables, by name.

mod taint;

use std::collections::{BTreeMap, BTreeSet};

use self::taint::is_tainted;
use super::Input;
use super::closure::{Cut, Reading};
use super::ownership::Ownership;
use super::text;
use super::values::Values;
use crate::address::{InstanceKey, ModuleAddr, ModuleInstanceAddr, ModuleStep, ResourceAddr, ResourceMode};
use crate::config::{Item, Literal, ModuleSource};
use crate::contract::sounds_secret;
use crate::contract::value::Value;
use crate::diagnostic::Diagnostic;
use crate::json;
use crate::stack::StateId;
use crate::state::{Resource, Snapshot};

/// How secret a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Secrecy {
    /// Not at all.
    Open,
    /// By its name, by a name in it, or because the same text is sensitive elsewhere; Terraform shows it.
    ByName,
    /// Terraform knows it as sensitive.
    Sensitive,
}

/// The secrets of one monolith.
pub(super) struct Secrets<'a> {
    input: &'a Input<'a>,
    /// Attributes of root resources and outputs of modules, with how secret they are; open ones too.
    known: BTreeMap<Item, BTreeMap<String, Secrecy>>,
}

impl<'a> Secrets<'a> {
    /// Finds the secrets among what `ownership` knows.
    pub fn new(input: &'a Input<'a>, ownership: &Ownership, values: &Values<'_>) -> Self {
        let mut known = BTreeMap::new();
        let hidden = hidden_texts(input);
        for item in ownership.keys() {
            let mut found = match item {
                Item::Resource { .. } => of_resource(input, &ModuleAddr::default(), item),
                Item::Module(name) => of_module(input, name),
                _ => BTreeMap::new(),
            };
            for (name, secrecy) in found.iter_mut().filter(|(_, secrecy)| **secrecy == Secrecy::Open) {
                if values_of(values, input, item, name)
                    .iter()
                    .any(|value| holds_secret(value, &hidden))
                {
                    *secrecy = Secrecy::ByName;
                }
            }
            known.insert(item.clone(), found);
        }
        Self { input, known }
    }

    /// Returns how secret an attribute or output is.
    pub fn secrecy(&self, item: &Item, name: &str) -> Secrecy {
        let known = self.known.get(item).and_then(|known| known.get(name));
        match known {
            Some(found) => *found,
            None if sounds_secret(name) => Secrecy::ByName,
            None => Secrecy::Open,
        }
    }

    /// Returns every secret attribute of an item.
    pub fn of_item(&self, item: &Item) -> Vec<String> {
        let known = self.known.get(item).into_iter().flatten();
        known
            .filter(|(_, secrecy)| **secrecy > Secrecy::Open)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Returns every attribute of an item that the state or the code has.
    pub fn attributes(&self, item: &Item) -> BTreeSet<String> {
        self.known
            .get(item)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Tells whether the plan file lets a secret cross: by the attribute's name, or with its item before it; in the
    /// block of the producer or of the consumer.
    pub fn is_allowed(&self, producer: &StateId, consumer: &StateId, item: &Item, name: &str) -> bool {
        let root = text::root_of(item);
        let full = format!("{root}.{name}");
        let listed = |state: &StateId| {
            let StateId::Stack(stack) = state else {
                return false;
            };
            let allowed = self
                .input
                .plan
                .stack(stack)
                .map_or(&[][..], |stack| &stack.allow_sensitive);
            allowed
                .iter()
                .any(|allowed| allowed.value == name || allowed.value == full || allowed.value == root)
        };
        listed(producer) || listed(consumer)
    }

    /// Refuses a secret that nobody allowed.
    pub fn refusal(
        &self,
        cut: &Cut<'_>,
        producer: &StateId,
        reading: &Reading,
        item: &Item,
        name: &str,
    ) -> Diagnostic {
        let full = format!("{}.{name}", text::root_of(item));
        let why = match self.secrecy(item, name) {
            Secrecy::ByName => "its name, a name in it, or the same text elsewhere says that it is secret",
            _ => "Terraform knows it as sensitive",
        };
        let stack = match (&reading.consumer, producer) {
            (StateId::Stack(stack), _) | (_, StateId::Stack(stack)) => stack.as_str(),
            _ => "the stack",
        };
        Diagnostic::error(format!("the secret `{full}` of `{producer}` would cross to `{}`", reading.consumer))
            .at(&cut.file(reading.block).source, reading.span.clone())
            .note(format!("{why}; nothing was written"))
            .hint(format!(
                "hand on the ARN of the secret instead and read it there; or allow it by name: `allow_sensitive = \
                 [\"{full}\"]` in the block of `{stack}`"
            ))
    }
}

/// Returns the attributes that the state has of a resource, with their secrecy.
fn of_resource(input: &Input<'_>, module: &ModuleAddr, item: &Item) -> BTreeMap<String, Secrecy> {
    let Item::Resource { type_name, name, .. } = item else {
        return BTreeMap::new();
    };
    let mut found: BTreeMap<String, Secrecy> = BTreeMap::new();
    let resources = in_state(input.snapshot, module, type_name, name);
    for instance in resources.into_iter().flat_map(Resource::instances) {
        let attributes = instance.attributes().and_then(|text| json::parse(text).ok());
        for member in attributes
            .as_ref()
            .and_then(json::Node::members)
            .unwrap_or_default()
        {
            let secrecy = match sounds_secret(&member.key) && has_content(&member.value) {
                true => Secrecy::ByName,
                false => Secrecy::Open,
            };
            let known = found.entry(member.key.clone()).or_insert(secrecy);
            *known = (*known).max(secrecy);
        }
        let mut hidden = BTreeSet::new();
        for path in sensitive_paths(instance.sensitive_attributes()) {
            if let Some(value) = attributes.as_ref().and_then(|attributes| attributes.get(&path)) {
                texts(&Value::from_node(value), &mut hidden);
            }
            found.insert(path, Secrecy::Sensitive);
        }
        // What an object hides in one place it may show in another, as `terraform_data` does with its output.
        for member in attributes
            .as_ref()
            .and_then(json::Node::members)
            .unwrap_or_default()
        {
            let known = found.entry(member.key.clone()).or_insert(Secrecy::Open);
            if *known == Secrecy::Open
                && !hidden.is_empty()
                && holds_secret(&Value::from_node(&member.value), &hidden)
            {
                *known = Secrecy::ByName;
            }
        }
    }
    found
}

/// Returns the resources of a managed block in the state: one for every instance of its module.
pub(super) fn in_state<'s>(
    snapshot: &'s Snapshot,
    module: &ModuleAddr,
    type_name: &str,
    name: &str,
) -> Vec<Resource<'s>> {
    if module.0.is_empty() {
        // There is only one, and it is found at once: this is asked for every block and every reference.
        let address = ResourceAddr {
            module: ModuleInstanceAddr::root(),
            mode: ResourceMode::Managed,
            type_name: type_name.to_owned(),
            name: name.to_owned(),
        };
        return snapshot.resource(&address).into_iter().collect();
    }
    let is_wanted = |address: &ResourceAddr| {
        let steps = &address.module.0;
        address.name == *name
            && address.type_name == *type_name
            && address.mode == ResourceMode::Managed
            && steps.len() == module.0.len()
            && steps.iter().zip(&module.0).all(|(step, name)| step.name == *name)
    };
    let all = snapshot.resources();
    all.filter(|resource| is_wanted(resource.addr())).collect()
}

/// A flag or an empty text is no secret, whatever its name.
fn has_content(node: &json::Node) -> bool {
    match &node.value {
        json::Value::String(text) => !text.is_empty(),
        json::Value::Array(elements) => !elements.is_empty(),
        json::Value::Object(members) => !members.is_empty(),
        _ => false,
    }
}

/// Returns the first steps of the paths in `sensitive_attributes`.
fn sensitive_paths(text: Option<&str>) -> Vec<String> {
    let Some(node) = text.and_then(|text| json::parse(text).ok()) else {
        return Vec::new();
    };
    let first = |path: &json::Node| {
        let step = path.elements()?.first()?;
        Some(step.get("value")?.as_str()?.to_owned())
    };
    node.elements()
        .unwrap_or_default()
        .iter()
        .filter_map(first)
        .collect()
}

/// Returns the outputs of a module with their secrecy.
fn of_module(input: &Input<'_>, call: &str) -> BTreeMap<String, Secrecy> {
    let address = ModuleAddr(vec![call.to_owned()]);
    let Some(module) = input.configuration.module(&address) else {
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for (item, _) in module.source.items() {
        let Item::Output(name) = item else { continue };
        let secrecy = if is_tainted(input, &address, item, &mut BTreeSet::new()) {
            Secrecy::Sensitive
        } else if sounds_secret(name) {
            Secrecy::ByName
        } else {
            Secrecy::Open
        };
        found.insert(name.clone(), secrecy);
    }
    found
}

/// The shortest text that is looked for elsewhere: shorter ones stand everywhere.
const SHORTEST: usize = 6;

/// Returns the texts of sensitive variables. (Not those of sensitive attributes: some providers hide what is no secret,
/// such as the value of every SSM parameter.)
fn hidden_texts(input: &Input<'_>) -> BTreeSet<String> {
    let mut hidden = BTreeSet::new();
    let root = &input.configuration.root().source;
    for (item, _) in root.items() {
        let Item::Variable(name) = item else { continue };
        if !is_marked(root, item) {
            continue;
        }
        let given = input
            .code
            .variables
            .get(name)
            .and_then(|(file, entry)| file.literal(entry));
        let default = || {
            let (file, default) = root.attribute(item, "default")?;
            file.literal(&default.value)
        };
        if let Some(value) = given
            .or_else(default)
            .and_then(|literal| Value::from_json(&literal.to_json()))
        {
            texts(&value, &mut hidden);
        }
    }
    hidden
}

fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST => {
            found.insert(text.clone());
        }
        Value::List(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

/// Tells whether a hidden text, or something under a secret name, is in a value.
fn holds_secret(value: &Value, hidden: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => hidden.contains(text),
        Value::List(items) => items.iter().any(|item| holds_secret(item, hidden)),
        Value::Object(members) => members.iter().any(|(name, member)| {
            let is_named = sounds_secret(name) && matches!(member, Value::String(text) if !text.is_empty());
            is_named || holds_secret(member, hidden)
        }),
        _ => false,
    }
}

/// Returns the values of an attribute or output in every instance, where they are known.
fn values_of(values: &Values<'_>, input: &Input<'_>, item: &Item, name: &str) -> Vec<Value> {
    let root = ModuleInstanceAddr::root();
    let Item::Module(call) = item else {
        let Some(whole) = values.item(&root, item) else {
            return Vec::new();
        };
        let own = whole.get(name).cloned();
        let each = match whole {
            Value::List(items) => items,
            Value::Object(members) => members.into_values().collect(),
            _ => Vec::new(),
        };
        return own
            .into_iter()
            .chain(each.iter().filter_map(|one| one.get(name).cloned()))
            .collect();
    };
    let resources = input.snapshot.resources();
    let keys: BTreeSet<Option<InstanceKey>> = resources
        .filter_map(|resource| resource.addr().module.0.first().cloned())
        .filter(|step| step.name == *call)
        .map(|step| step.key)
        .collect();
    keys.into_iter()
        .filter_map(|key| {
            let name_of_call = call.clone();
            let inside = ModuleInstanceAddr(vec![ModuleStep {
                name: name_of_call,
                key,
            }]);
            values.item(&inside, &Item::Output(name.to_owned()))
        })
        .collect()
}

fn is_marked(module: &ModuleSource, item: &Item) -> bool {
    module
        .attribute(item, "sensitive")
        .and_then(|(file, argument)| file.literal(&argument.value))
        == Some(Literal::Bool(true))
}
