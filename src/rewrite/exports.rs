//! What each state hands on: the objects that others read, in their shape, restricted to what is used.

use std::collections::{BTreeMap, BTreeSet};

use super::access::Taken;
use super::closure::Cut;
use super::doc::Doc;
use super::naming::Names;
use super::ownership::{Form, Repetition};
use super::secrets::{Secrecy, Secrets};
use super::text;
use crate::address::InstanceKey;
use crate::config::Item;
use crate::diagnostic::Diagnostic;
use crate::stack::StateId;

/// What is handed on of one item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Export {
    /// Whether the object is handed on as a whole (without what is secret).
    pub whole: bool,
    /// Whether somebody reads which instances there are.
    pub keys: bool,
    /// Attributes by name.
    pub public: BTreeSet<String>,
    /// Secret attributes that may cross.
    pub private: BTreeSet<String>,
    /// Secret attributes that a whole object leaves out.
    pub withheld: BTreeSet<String>,
}

/// For each producer, what it hands on.
pub(super) type Exports = BTreeMap<StateId, BTreeMap<Item, Export>>;

/// Collects what is handed on; secrets that may not cross go to `faults`.
pub(super) fn exports(cut: &Cut<'_>, secrets: &Secrets<'_>, faults: &mut Vec<Diagnostic>) -> Exports {
    let mut exports = Exports::new();
    for ((producer, item), readings) in &cut.readings {
        let export = exports
            .entry(producer.clone())
            .or_default()
            .entry(item.clone())
            .or_default();
        for reading in readings {
            match &reading.taken {
                Taken::Keys => export.keys = true,
                Taken::Whole => {
                    export.whole = true;
                    for name in secrets.of_item(item) {
                        match secrets.is_allowed(producer, &reading.consumer, item, &name) {
                            true => export.private.insert(name),
                            false => export.withheld.insert(name),
                        };
                    }
                }
                Taken::Attribute(name) => match secrets.secrecy(item, name) {
                    Secrecy::Open => {
                        export.public.insert(name.clone());
                    }
                    _ if secrets.is_allowed(producer, &reading.consumer, item, name) => {
                        export.private.insert(name.clone());
                    }
                    _ => faults.push(secrets.refusal(cut, producer, reading, item, name)),
                },
            }
        }
    }
    exports
}

/// Which half of the contract is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// What everyone may see.
    Public,
    /// What the plan file allows to cross though it is secret.
    Private,
}

/// Returns the value of one half of a producer's contract.
pub(super) fn document(
    cut: &Cut<'_>,
    names: &Names,
    producer: &StateId,
    exported: &BTreeMap<Item, Export>,
    secrets: &Secrets<'_>,
    half: Half,
) -> Doc {
    let mut doc = Doc::Object(Vec::new());
    for (item, export) in exported {
        let Some(attributes) = attributes(item, export, secrets, half) else {
            continue;
        };
        if let Some(value) = object(cut, producer, item, attributes.as_ref()) {
            doc.insert(names.path(item), value);
        }
    }
    doc
}

/// Returns the attributes of an item in one half of the contract (inner none: all); none where it is not in it.
pub(super) fn attributes(
    item: &Item,
    export: &Export,
    secrets: &Secrets<'_>,
    half: Half,
) -> Option<Option<BTreeSet<String>>> {
    let hides_nothing = export.withheld.is_empty() && export.private.is_empty();
    match half {
        Half::Public if export.whole && hides_nothing => Some(None),
        Half::Public if export.whole => {
            let mut known = secrets.attributes(item);
            known.retain(|name| secrets.secrecy(item, name) == Secrecy::Open);
            Some(Some(known))
        }
        Half::Public if export.public.is_empty() && !export.private.is_empty() && !export.keys => None,
        Half::Public => Some(Some(export.public.clone())),
        Half::Private if export.private.is_empty() => None,
        Half::Private => Some(Some(export.private.clone())),
    }
}

/// Returns the expression of one item in its original shape; `attributes` restricts the objects, none is all of them.
fn object(
    cut: &Cut<'_>,
    producer: &StateId,
    item: &Item,
    attributes: Option<&BTreeSet<String>>,
) -> Option<Doc> {
    let (owned, part) = cut.part(producer, item)?;
    let root = text::root_of(&part.item);
    let restricted = |of: &str| match attributes {
        None => Doc::Text(of.to_owned()),
        Some(names) => Doc::Object(
            names
                .iter()
                .map(|name| (name.clone(), Doc::Text(format!("{of}{}", text::step(name)))))
                .collect(),
        ),
    };
    let inline = |of: &str| match attributes {
        None => of.to_owned(),
        Some(names) if names.is_empty() => "{}".to_owned(),
        Some(names) => {
            let members: Vec<String> = names
                .iter()
                .map(|name| format!("{} = {of}{}", text::member(name), text::step(name)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
    };
    let member = |key: &InstanceKey, value: Doc| Doc::Object(vec![(text::key_text(key), value)]);
    let is_divided_count = owned.repetition == Repetition::Count && owned.is_split();
    Some(match (owned.repetition, &part.form) {
        (Repetition::None, _) => restricted(&root),
        (Repetition::ForEach, Form::Single(key)) => member(key, restricted(&root)),
        (Repetition::Count, Form::Single(key)) if is_divided_count => member(key, restricted(&root)),
        (Repetition::Count, Form::Single(_)) => Doc::Text(format!("[{}]", inline(&root))),
        (Repetition::ForEach, _) => match attributes {
            None => Doc::Text(root),
            Some(_) => Doc::Text(format!("{{ for key, one in {root} : key => {} }}", inline("one"))),
        },
        (Repetition::Count, _) if is_divided_count => Doc::Text(format!(
            "{{ for index, one in {root} : index => {} }}",
            inline("one")
        )),
        (Repetition::Count, _) => match attributes {
            None => Doc::Text(root),
            Some(_) => Doc::Text(format!("[for one in {root} : {}]", inline("one"))),
        },
    })
}
