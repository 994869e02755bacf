//! How a reference reaches what it names, seen from one state: as it was, under another name, or by a contract.

use std::collections::BTreeSet;

use super::ownership::{Form, Owned, Ownership, Part, Repetition};
use super::text;
use crate::address::InstanceKey;
use crate::config::{ConfigFile, Item, Mode, Reference, Span, StepKind, Target};
use crate::stack::StateId;

/// The block around a reference, as it stands in one state.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The key that the block had before it lost its repetition.
    pub single: Option<InstanceKey>,
    /// The keys of the instances it still has, where it is repeated.
    pub keys: Vec<InstanceKey>,
    /// What `each.value` was for that key.
    pub value: Option<EachValue>,
}

/// What stands for `each.value` in a block without repetition.
#[derive(Clone, Debug)]
pub(super) enum EachValue {
    /// The key: elements of a set are their own keys.
    Key,
    /// A part of the `for_each` expression: its span, and what follows it.
    Expression {
        /// Where it stands, in the file of the `for_each` argument.
        span: Span,
        /// Index of that file.
        file: usize,
        /// Whether it needs parentheses before a step.
        loose: bool,
        /// The step to the member.
        suffix: String,
        /// How the part is written.
        written: Written,
    },
}

/// How a part of an argument is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// In HCL.
    Hcl,
    /// As a JSON value, which is an HCL expression too.
    JsonValue,
    /// Inside of a JSON string, as a template: `"${…}"`.
    JsonTemplate,
}

/// How a reference reaches its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// As it stands.
    Same,
    /// The root, and so many steps behind it, are replaced by this text.
    Own {
        /// The new text.
        text: String,
        /// How many steps behind the root it replaces.
        steps: usize,
    },
    /// By the contract of another state.
    Remote {
        /// The state.
        owner: StateId,
        /// The key that becomes the member of an object, where a counted block is divided.
        member: Option<InstanceKey>,
    },
    /// Instances of several states, or an own instance that lost its key, put together.
    View {
        /// The keys that can be asked for; none: all.
        keys: Option<BTreeSet<InstanceKey>>,
    },
}

/// Returns the item of the root module that a reference names, if it names one.
pub(super) fn item_of(target: &Target) -> Option<Item> {
    match target {
        Target::Resource {
            mode,
            type_name,
            name,
        } => Some(Item::Resource {
            mode: *mode,
            type_name: type_name.clone(),
            name: name.clone(),
        }),
        Target::Module { name, .. } => Some(Item::Module(name.clone())),
        Target::Action { type_name, name } => Some(Item::Action {
            type_name: type_name.clone(),
            name: name.clone(),
        }),
        Target::Var(name) => Some(Item::Variable(name.clone())),
        Target::Local(name) => Some(Item::Local(name.clone())),
        _ => None,
    }
}

/// Returns the key of an index step, if the text or the scope tells it.
fn known_key(file: &ConfigFile, step: &StepKind, scope: &Scope) -> Option<InstanceKey> {
    match step {
        StepKind::Index(key) => Some(key.clone()),
        StepKind::LegacyIndex(number) => Some(InstanceKey::Int(*number)),
        StepKind::IndexExpression(span) => {
            let is_own = match file.text(span).trim() {
                "each.key" | "count.index" => true,
                "each.value" => matches!(scope.value, Some(EachValue::Key)),
                _ => false,
            };
            scope.single.clone().filter(|_| is_own)
        }
        _ => None,
    }
}

/// Returns how `state` reaches what a reference to `item` names.
pub(super) fn access(
    ownership: &Ownership,
    state: &StateId,
    item: &Item,
    file: &ConfigFile,
    reference: &Reference,
    scope: &Scope,
) -> Access {
    let Some(owned) = ownership.get(item) else {
        return Access::Same;
    };
    let step = reference.steps.first().map(|step| &step.kind);
    if owned.repetition == Repetition::None {
        return whole(owned, state, item);
    }
    let key = step.and_then(|step| known_key(file, step, scope));
    if let Some((key, owner)) = key.and_then(|key| owned.owner_of(&key).map(|owner| (key, owner))) {
        if owner != state {
            let member = (owned.repetition == Repetition::Count && owned.is_split()).then_some(key);
            return Access::Remote {
                owner: owner.clone(),
                member,
            };
        }
        let part = &owned.parts[state];
        return match part.form {
            Form::Single(_) => Access::Own {
                text: text::root_of(&part.item),
                steps: 1,
            },
            _ => renamed(part, item),
        };
    }
    let by_own_key = matches!(step, Some(StepKind::IndexExpression(span))
        if matches!(file.text(span).trim(), "each.key" | "count.index"));
    let keys: Option<BTreeSet<InstanceKey>> =
        (by_own_key && !scope.keys.is_empty()).then(|| scope.keys.iter().cloned().collect());
    several(owned, state, item, keys)
}

/// A block that one state has as a whole.
fn whole(owned: &Owned, state: &StateId, item: &Item) -> Access {
    match owned.parts.iter().next() {
        Some((owner, part)) if owner == state => renamed(part, item),
        Some((owner, _)) => Access::Remote {
            owner: owner.clone(),
            member: None,
        },
        None => Access::Same,
    }
}

fn renamed(part: &Part, item: &Item) -> Access {
    match part.item == *item {
        true => Access::Same,
        false => Access::Own {
            text: text::root_of(&part.item),
            steps: 0,
        },
    }
}

/// All instances, or those of some keys.
fn several(owned: &Owned, state: &StateId, item: &Item, keys: Option<BTreeSet<InstanceKey>>) -> Access {
    let owners = owners(owned, keys.as_ref());
    let one = match owners.len() {
        1 => owners.first().copied(),
        _ => None,
    };
    match one {
        Some(owner) if owner == state => {
            let part = &owned.parts[owner];
            let has_all = !owned.is_split() || keys.is_some();
            match part.form {
                Form::Single(_) => Access::View { keys },
                _ if has_all => renamed(part, item),
                _ => Access::View { keys },
            }
        }
        Some(owner) if !(owned.repetition == Repetition::Count && owned.is_split()) => Access::Remote {
            owner: owner.clone(),
            member: None,
        },
        _ => Access::View { keys },
    }
}

/// Returns the states that have these keys, or any.
pub(super) fn owners<'o>(owned: &'o Owned, keys: Option<&BTreeSet<InstanceKey>>) -> BTreeSet<&'o StateId> {
    let found: BTreeSet<&StateId> = match keys {
        Some(keys) => keys.iter().filter_map(|key| owned.owner_of(key)).collect(),
        None => BTreeSet::new(),
    };
    match found.is_empty() {
        true => owned.parts.keys().collect(),
        false => found,
    }
}

/// What a reference takes from an object: the attribute, or all of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Taken {
    /// Only which instances there are.
    Keys,
    /// Everything.
    Whole,
    /// This attribute.
    Attribute(String),
}

/// Returns what the steps of a reference take, where they say so; none where only the surroundings can tell.
pub(super) fn taken(owned: &Owned, reference: &Reference) -> Option<Taken> {
    let mut steps = reference.steps.iter().map(|step| &step.kind).peekable();
    let is_repeated = owned.repetition != Repetition::None;
    match steps.peek() {
        Some(StepKind::AttrSplat | StepKind::FullSplat) => {
            steps.next();
        }
        Some(StepKind::Index(_) | StepKind::IndexExpression(_) | StepKind::LegacyIndex(_)) if is_repeated => {
            steps.next();
        }
        None if is_repeated => return None,
        _ => {}
    }
    match steps.next() {
        Some(StepKind::Attr(name)) => Some(Taken::Attribute(name.clone())),
        Some(StepKind::Index(InstanceKey::Str(name))) => Some(Taken::Attribute(name.clone())),
        Some(_) => Some(Taken::Whole),
        None => None,
    }
}

/// Tells whether an item is read again by whoever needs it, rather than owned.
pub(super) fn is_copied(ownership: &Ownership, item: &Item) -> bool {
    match item {
        Item::Resource { mode, .. } => *mode != Mode::Managed,
        Item::Module(_) => !ownership.contains_key(item),
        Item::Variable(_) | Item::Local(_) | Item::Action { .. } => true,
        _ => false,
    }
}
