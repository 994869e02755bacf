//! The contracts' content as it will be, computed from the state before anything is written.

mod ledger;

use std::collections::{BTreeMap, BTreeSet};

use super::closure::Cut;
use super::export_blocks;
use super::exports::{Exports, Half, attributes};
use super::naming::Names;
use super::ownership::Repetition;
use super::reading::Document;
use super::secrets::Secrets;
use super::text;
use super::values::{Scope, Values};
use crate::address::{InstanceKey, ModuleInstanceAddr, ModuleStep};
use crate::config::Item;
use crate::contract::document_limit;
use crate::contract::value::Value;
use crate::diagnostic::Diagnostic;
use crate::moves;
use crate::plan::contract::{ContractSettings, ContractStore};
use crate::stack::StateId;

/// What is needed to compute contents.
pub(super) struct Documents<'d, 'a> {
    /// The analysis.
    pub cut: &'d Cut<'a>,
    /// The names.
    pub names: &'d Names,
    /// The secrets.
    pub secrets: &'d Secrets<'a>,
    /// The values.
    pub values: &'d Values<'a>,
    /// What is handed on.
    pub exports: &'d Exports,
    /// How.
    pub settings: &'d BTreeMap<StateId, ContractSettings>,
}

impl Documents<'_, '_> {
    /// Returns the value of one half of a contract; none where part of it is not known before an apply.
    pub fn half(&self, producer: &StateId, half: Half) -> Option<Value> {
        let mut doc = Value::Object(BTreeMap::new());
        for (item, export) in self.exports.get(producer).into_iter().flatten() {
            let Some(attributes) = attributes(item, export, self.secrets, half) else {
                continue;
            };
            let value = self.item(producer, item, attributes.as_ref())?;
            insert(&mut doc, self.names.path(item), value);
        }
        for (name, value, sensitive) in self.added(producer) {
            if sensitive == (half == Half::Private) {
                insert(&mut doc, &[name], value?);
            }
        }
        Some(doc)
    }

    /// Returns what `export` blocks add: name, value, whether it is secret.
    fn added(&self, producer: &StateId) -> Vec<(String, Option<Value>, bool)> {
        let StateId::Stack(name) = producer else {
            return Vec::new();
        };
        let exports = self
            .cut
            .input
            .plan
            .stack(name)
            .map_or(&[][..], |stack| &stack.exports);
        exports
            .iter()
            .map(|export| {
                let value = export_blocks::in_words_of_the_source(self.cut, producer, export)
                    .parse()
                    .ok()
                    .and_then(|expr| self.values.expr(&Scope::root(), &expr));
                (export.name.value.clone(), value, export.sensitive)
            })
            .collect()
    }

    /// Returns one item in its shape.
    fn item(&self, producer: &StateId, item: &Item, attributes: Option<&BTreeSet<String>>) -> Option<Value> {
        let (owned, part) = self.cut.part(producer, item)?;
        let restricted = |key: Option<&InstanceKey>| self.instance(item, key, attributes);
        match owned.repetition {
            Repetition::None => restricted(None),
            Repetition::Count if !owned.is_split() => {
                let all = part.keys.iter().map(|key| restricted(Some(key)));
                all.collect::<Option<Vec<Value>>>().map(Value::List)
            }
            _ => {
                let all = part
                    .keys
                    .iter()
                    .map(|key| Some((text::key_text(key), restricted(Some(key))?)));
                all.collect::<Option<BTreeMap<String, Value>>>()
                    .map(Value::Object)
            }
        }
    }

    fn instance(
        &self,
        item: &Item,
        key: Option<&InstanceKey>,
        attributes: Option<&BTreeSet<String>>,
    ) -> Option<Value> {
        let root = ModuleInstanceAddr::root();
        if let Item::Module(name) = item {
            let inside = ModuleInstanceAddr(vec![ModuleStep {
                name: name.clone(),
                key: key.cloned(),
            }]);
            let names: BTreeSet<String> = match attributes {
                Some(names) => names.clone(),
                None => self.secrets.attributes(item),
            };
            let outputs = names.into_iter().map(|name| {
                let value = self.values.item(&inside, &Item::Output(name.clone()))?;
                Some((name, value))
            });
            return outputs
                .collect::<Option<BTreeMap<String, Value>>>()
                .map(Value::Object);
        }
        let whole = self.values.item(&root, item)?;
        let one = match key {
            Some(key) => whole.get(&text::key_text(key))?.clone(),
            None => whole,
        };
        match (attributes, one) {
            (None, one) => Some(one),
            (Some(names), Value::Object(members)) => {
                let kept = names
                    .iter()
                    .map(|name| Some((name.clone(), members.get(name)?.clone())));
                kept.collect::<Option<BTreeMap<String, Value>>>()
                    .map(Value::Object)
            }
            _ => None,
        }
    }

    /// Returns the producers: who has something to tell.
    pub fn producers(&self) -> Vec<StateId> {
        let mut all: BTreeSet<StateId> = self.exports.keys().cloned().collect();
        for stack in self
            .cut
            .input
            .plan
            .stacks
            .iter()
            .filter(|stack| !stack.exports.is_empty())
        {
            all.insert(StateId::Stack(stack.name.value.clone()));
        }
        all.into_iter()
            .filter(|state| self.cut.members.contains_key(state))
            .collect()
    }

    /// Returns how each producer tells.
    pub fn stores(&self) -> BTreeMap<StateId, ContractStore> {
        let stores = self.producers().into_iter().filter_map(|producer| {
            let store = self.settings.get(&producer)?.store;
            Some((producer, store))
        });
        stores.collect()
    }

    /// Returns the documents that are known from the state alone.
    pub fn known(&self) -> BTreeMap<StateId, Document> {
        let known = self.producers().into_iter().filter_map(|producer| {
            let document = Document::new(self.document(&producer)?.to_json());
            Some((producer, document))
        });
        known.collect()
    }

    /// Refuses documents that their store cannot hold.
    pub fn check_sizes(&self, faults: &mut Vec<Diagnostic>, warnings: &mut Vec<Diagnostic>) {
        for producer in self.producers() {
            let Some(settings) = self.settings.get(&producer) else {
                continue;
            };
            let Some(limit) = document_limit(settings.store, settings.tier) else {
                continue;
            };
            match self.document(&producer).map(|document| document.to_json().len()) {
                Some(size) if size > limit => faults.push(
                    Diagnostic::error(format!(
                        "the contract of `{producer}` has {size} bytes, and its parameter holds {limit}"
                    ))
                    .note("nothing was written")
                    .hint("say `store = \"s3\"` in its `contract` block; `tier = \"advanced\"` holds 8192 bytes, at a price"),
                ),
                Some(_) => {}
                None => warnings.push(
                    Diagnostic::warning(format!("the size of the contract of `{producer}` is not known before its apply"))
                        .hint(format!("its parameter holds {limit} bytes; `store = \"s3\"` has no such limit")),
                ),
            }
        }
    }

    /// Returns the whole document of a producer.
    pub fn document(&self, producer: &StateId) -> Option<Value> {
        Some(Value::Object(BTreeMap::from([
            ("installed".to_owned(), Value::Bool(true)),
            ("public".to_owned(), self.half(producer, Half::Public)?),
            ("private".to_owned(), self.half(producer, Half::Private)?),
        ])))
    }

    /// Returns the outputs that producers' states need so that nothing must be applied before consumers plan.
    pub fn outputs(&self, warnings: &mut Vec<Diagnostic>) -> Vec<moves::OutputValue> {
        let mut outputs = Vec::new();
        for producer in self.producers() {
            if self.settings.get(&producer).map(|settings| settings.store) != Some(ContractStore::RemoteState)
            {
                continue;
            }
            let name = &self.names.contract;
            let public = self.half(&producer, Half::Public).map(|public| {
                Value::Object(BTreeMap::from([
                    ("installed".to_owned(), Value::Bool(true)),
                    ("public".to_owned(), public),
                ]))
            });
            let private = self.half(&producer, Half::Private);
            let is_empty = |value: &Value| *value == Value::Object(BTreeMap::new());
            for (name, value, sensitive) in [
                (name.clone(), public, false),
                (format!("{name}_private"), private, true),
            ] {
                match value {
                    Some(value) if sensitive && is_empty(&value) => {}
                    Some(value) => outputs.push(moves::OutputValue {
                        at: moves::At::new(producer.clone(), name),
                        type_json: "\"string\"".to_owned(),
                        value_json: crate::json::quote(&value.to_json()),
                        sensitive,
                    }),
                    None => warnings.push(
                        Diagnostic::warning(format!(
                            "the output `{name}` of `{producer}` is not known before an apply"
                        ))
                        .hint(format!(
                            "apply `{producer}` before the stacks that read it are planned"
                        )),
                    ),
                }
            }
        }
        outputs
    }

    /// Returns the values of a consumer's variables, by name; a value that is not known is a fault.
    pub fn variables(&self, consumer: &StateId, faults: &mut Vec<Diagnostic>) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        for upstream in &self.cut.members[consumer].upstreams {
            if self.settings.get(upstream).map(|settings| settings.store) != Some(ContractStore::Variables) {
                continue;
            }
            match self.half(upstream, Half::Public) {
                Some(value) => {
                    found.insert(self.names.upstream(upstream).to_owned(), value);
                }
                None => faults.push(
                    Diagnostic::error(format!(
                        "a value that `{consumer}` reads of `{upstream}` cannot be computed from the state alone"
                    ))
                    .note("with `store = \"variables\"` all values are written down; nothing was written")
                    .hint("use `store = \"ssm\"`, `\"s3\"` or `\"remote_state\"` for this producer"),
                ),
            }
        }
        found
    }
}

fn insert(doc: &mut Value, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *doc = value;
        return;
    };
    if let Value::Object(members) = doc {
        let next = members
            .entry(first.clone())
            .or_insert_with(|| Value::Object(BTreeMap::new()));
        insert(next, rest, value);
    }
}
