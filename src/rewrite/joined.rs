//! Objects that are read as a whole though a part of them is secret: put together from both halves of the contract.
//!
//! `[for db in aws_db_instance.all : "${db.address} ${db.password}"]` takes every instance, and of each of them a secret.
//! The public half has the instances without it, so each is completed from the private half.

use std::collections::BTreeSet;

use super::access::{self, Taken};
use super::ownership::Repetition;
use super::refer::Writer;
use super::secrets::Secrecy;
use super::text;
use super::uses;
use crate::address::InstanceKey;
use crate::config::{ConfigFile, Item, Reference};
use crate::stack::StateId;

impl Writer<'_, '_> {
    /// Returns the secrets that a reference to a whole object takes of it; none where it names one attribute.
    pub(super) fn secrets_within(
        &self,
        file: &ConfigFile,
        reference: &Reference,
        owner: &StateId,
        item: &Item,
    ) -> BTreeSet<String> {
        let owned = &self.cut.ownership[item];
        let none = BTreeSet::new();
        // Most items have no secret, and finding out what is taken costs time.
        if self.secrets.of_item(item).is_empty() {
            return none;
        }
        let taken = match access::taken(owned, reference) {
            Some(Taken::Attribute(_)) => return none,
            Some(taken) => BTreeSet::from([taken]),
            None => {
                let around = file
                    .blocks
                    .iter()
                    .find(|block| block.span.contains(&reference.span.start));
                let Some(block) = around else { return none };
                uses::taken(file, block, reference, owned.repetition != Repetition::None)
            }
        };
        self.secrets_of(owner, item, taken.iter())
    }

    /// Returns the secrets that this state takes anywhere of an item.
    pub(super) fn secrets_read(&self, owner: &StateId, item: &Item) -> BTreeSet<String> {
        let key = (owner.clone(), item.clone());
        let readings = self.cut.readings.get(&key).into_iter().flatten();
        let own = readings.filter(|reading| reading.consumer == *self.state);
        self.secrets_of(owner, item, own.map(|reading| &reading.taken))
    }

    fn secrets_of<'t>(
        &self,
        owner: &StateId,
        item: &Item,
        taken: impl Iterator<Item = &'t Taken>,
    ) -> BTreeSet<String> {
        let may = |name: &str| self.secrets.is_allowed(owner, self.state, item, name);
        let mut found = BTreeSet::new();
        for taken in taken {
            match taken {
                Taken::Keys => {}
                Taken::Whole => found.extend(self.secrets.of_item(item).into_iter().filter(|name| may(name))),
                Taken::Attribute(name) => {
                    if self.secrets.secrecy(item, name) > Secrecy::Open {
                        found.insert(name.clone());
                    }
                }
            }
        }
        found
    }

    /// Returns all that a producer tells of an item, these secrets too.
    pub(super) fn joined(&self, owner: &StateId, item: &Item, secrets: &BTreeSet<String>) -> String {
        let public = self.names.remote(owner, item, false);
        if secrets.is_empty() {
            return public;
        }
        let private = self.names.remote(owner, item, true);
        let owned = &self.cut.ownership[item];
        match owned.repetition {
            Repetition::None => self.completed(item, &public, &private, secrets),
            Repetition::Count if !owned.is_split() => format!(
                "[for index, one in {public} : {}]",
                self.completed(item, "one", &format!("{private}[index]"), secrets)
            ),
            _ => format!(
                "{{ for key, one in {public} : key => {} }}",
                self.completed(item, "one", &format!("{private}[key]"), secrets)
            ),
        }
    }

    /// Returns one instance of what a producer tells, these secrets too.
    pub(super) fn joined_instance(
        &self,
        owner: &StateId,
        item: &Item,
        key: &InstanceKey,
        secrets: &BTreeSet<String>,
    ) -> String {
        let index = match self.cut.ownership[item].is_split() {
            true => format!("[{}]", text::quote(&text::key_text(key))),
            false => text::index(key),
        };
        let half = |private| format!("{}{index}", self.names.remote(owner, item, private));
        match secrets.is_empty() {
            true => half(false),
            false => self.completed(item, &half(false), &half(true), secrets),
        }
    }

    fn completed(&self, item: &Item, public: &str, private: &str, secrets: &BTreeSet<String>) -> String {
        let members: Vec<String> = secrets
            .iter()
            .map(|name| {
                let value = format!("{private}{}", text::step(name));
                // Terraform never knew it as sensitive: were it now, the plan would show that as an update.
                let value = match self.secrets.secrecy(item, name) {
                    Secrecy::ByName => format!("nonsensitive({value})"),
                    _ => value,
                };
                format!("{} = {value}", text::member(name))
            })
            .collect();
        format!("merge({public}, {{ {} }})", members.join(", "))
    }
}
