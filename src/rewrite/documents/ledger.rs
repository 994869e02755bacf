//! Who tells what to whom: the ledger of all contracts, and a schema for each.

use std::collections::{BTreeMap, BTreeSet};

use super::Documents;
use crate::config::Item;
use crate::contract::ledger::{Contract, Crossing, Ledger};
use crate::contract::schema;
use crate::contract::value::Value;
use crate::rewrite::access::Taken;
use crate::rewrite::exports::{Half, attributes};
use crate::rewrite::ownership::Repetition;
use crate::rewrite::secrets::Secrecy;
use crate::rewrite::text;
use crate::stack::StateId;

impl Documents<'_, '_> {
    /// Returns the ledger of all contracts, and a schema for each.
    pub fn ledger(&self) -> (Ledger, BTreeMap<StateId, String>) {
        let mut contracts = Vec::new();
        let mut schemas = BTreeMap::new();
        for producer in self.producers() {
            let Some(settings) = self.settings.get(&producer) else {
                continue;
            };
            let halves = [
                ("public", Half::Public, self.half(&producer, Half::Public)),
                ("private", Half::Private, self.half(&producer, Half::Private)),
            ];
            let size = self.document(&producer).map(|document| document.to_json().len());
            let mut values = Vec::new();
            for (item, export) in self.exports.get(&producer).into_iter().flatten() {
                for (half_name, half, document) in &halves {
                    if attributes(item, export, self.secrets, *half).is_some() {
                        self.crossings(&producer, item, *half, half_name, document.as_ref(), &mut values);
                    }
                }
            }
            for (name, value, sensitive) in self.added(&producer) {
                let half = if sensitive { "private" } else { "public" };
                values.push(Crossing {
                    pointer: format!("/{half}/{name}"),
                    kind: value.as_ref().map_or("unknown", Value::type_name).to_owned(),
                    sensitive,
                    consumers: Vec::new(),
                });
            }
            values.sort();
            let [(_, _, public), (_, _, private)] = &halves;
            schemas.insert(
                producer.clone(),
                schema::of_contract(producer.name().as_str(), public.as_ref(), private.as_ref()),
            );
            contracts.push(Contract {
                producer: producer.name().clone(),
                store: settings.store.as_str().to_owned(),
                path: settings.path.clone(),
                size,
                values,
            });
        }
        (
            Ledger {
                contracts,
                ..Ledger::default()
            },
            schemas,
        )
    }

    /// Lists what crosses of one item.
    fn crossings(
        &self,
        producer: &StateId,
        item: &Item,
        half: Half,
        half_name: &str,
        document: Option<&Value>,
        values: &mut Vec<Crossing>,
    ) {
        let Some((owned, part)) = self.cut.part(producer, item) else {
            return;
        };
        let path = self.names.path(item);
        let base: String = path.iter().map(|step| format!("/{}", escaped(step))).collect();
        let start = document.and_then(|document| path.iter().try_fold(document, |at, step| at.get(step)));
        for (name, consumers) in self.readers(producer, item, half) {
            // In a repeated block the first instance tells the type.
            let one = match owned.repetition {
                Repetition::None => start,
                _ => start.and_then(|all| match (all, part.keys.first()) {
                    (Value::List(items), _) => items.first(),
                    (Value::Object(_), Some(key)) => all.get(&text::key_text(key)),
                    _ => None,
                }),
            };
            let (pointer, value) = match name {
                Some(name) => {
                    let each = if owned.repetition == Repetition::None {
                        ""
                    } else {
                        "/*"
                    };
                    (
                        format!("/{half_name}{base}{each}/{}", escaped(&name)),
                        one.and_then(|one| one.get(&name)),
                    )
                }
                None => (format!("/{half_name}{base}"), start),
            };
            values.push(Crossing {
                pointer,
                kind: value.map_or("unknown", Value::type_name).to_owned(),
                sensitive: half == Half::Private,
                consumers: consumers.into_iter().map(|state| state.name().clone()).collect(),
            });
        }
    }

    /// Returns who reads what of one half of an item; none stands for the whole item.
    fn readers(
        &self,
        producer: &StateId,
        item: &Item,
        half: Half,
    ) -> BTreeMap<Option<String>, BTreeSet<&StateId>> {
        let readings = self.cut.readings.get(&(producer.clone(), item.clone()));
        let mut by_name: BTreeMap<Option<String>, BTreeSet<&StateId>> = BTreeMap::new();
        let secrets = self.secrets.of_item(item);
        for reading in readings.into_iter().flatten() {
            let name = match &reading.taken {
                Taken::Attribute(name) => {
                    let is_private = self.secrets.secrecy(item, name) > Secrecy::Open;
                    if is_private != (half == Half::Private) {
                        continue;
                    }
                    Some(name.clone())
                }
                Taken::Whole if half == Half::Public => None,
                Taken::Keys if half == Half::Public => None,
                Taken::Whole => {
                    let may =
                        |name: &&String| self.secrets.is_allowed(producer, &reading.consumer, item, name);
                    for name in secrets.iter().filter(may) {
                        by_name
                            .entry(Some(name.clone()))
                            .or_default()
                            .insert(&reading.consumer);
                    }
                    continue;
                }
                _ => continue,
            };
            by_name.entry(name).or_default().insert(&reading.consumer);
        }
        by_name
    }
}

/// Escapes a step of a JSON pointer.
fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}
