//! Names that stackcut gives: locals, modules and files that no name of the user's collides with.

use std::collections::{BTreeMap, BTreeSet};

use super::Input;
use super::ownership::Ownership;
use super::text;
use crate::config::{Item, providers};
use crate::stack::StateId;

/// The names of one run; the same in every stack.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// For each state the local (and the module) with its contract.
    upstreams: BTreeMap<StateId, String>,
    /// For each divided item the local with all its instances.
    views: BTreeMap<Item, String>,
    /// For each item where it stands in its producer's contract.
    paths: BTreeMap<Item, Vec<String>>,
    /// The module that writes the contract.
    pub contract: String,
}

impl Names {
    /// Chooses the names.
    pub fn new(input: &Input<'_>, ownership: &Ownership, states: &[StateId]) -> Self {
        let mut taken = taken(input, ownership);
        let mut free = |wanted: &str, endings: &[&str]| -> String {
            let with_endings = endings.iter().map(|ending| format!("{wanted}{ending}"));
            let numbered = (2..).map(|number| format!("{wanted}_{number}"));
            let name = with_endings
                .chain(numbered)
                .find(|name| !taken.contains(name) && !taken.contains(&format!("{name}_private")))
                .expect("there is always a next number");
            taken.insert(name.clone());
            taken.insert(format!("{name}_private"));
            name
        };
        let upstreams = states
            .iter()
            .map(|state| {
                let wanted = state.name().as_str().replace('-', "_");
                (state.clone(), free(&wanted, &["", "_stack", "_contract"]))
            })
            .collect();
        let contract = free("contract", &["", "_document"]);
        let views = ownership
            .iter()
            .filter(|(_, owned)| owned.repetition != super::ownership::Repetition::None)
            .map(|(item, _)| {
                let wanted = match item {
                    Item::Resource { type_name, name, .. } => format!("{}_{name}", short(type_name)),
                    Item::Module(name) => name.clone(),
                    _ => String::new(),
                };
                let plural = format!("{wanted}s");
                let wanted = if wanted.ends_with('s') { wanted } else { plural };
                (item.clone(), free(&wanted, &["", "_everywhere"]))
            })
            .collect();
        Self {
            upstreams,
            views,
            paths: paths(ownership),
            contract,
        }
    }

    /// Returns the local with a state's contract; its private part is `…_private`.
    pub fn upstream(&self, state: &StateId) -> &str {
        self.upstreams.get(state).map_or("", String::as_str)
    }

    /// Returns the local with all instances of an item.
    pub fn view(&self, item: &Item) -> &str {
        self.views.get(item).map_or("", String::as_str)
    }

    /// Returns the members that lead to an item in its producer's contract.
    pub fn path(&self, item: &Item) -> &[String] {
        self.paths.get(item).map_or(&[], Vec::as_slice)
    }

    /// Returns an expression for an item in a producer's contract.
    pub fn remote(&self, owner: &StateId, item: &Item, private: bool) -> String {
        let ending = if private { "_private" } else { "" };
        let steps: String = self.path(item).iter().map(|name| text::step(name)).collect();
        format!("local.{}{ending}{steps}", self.upstream(owner))
    }
}

/// Returns a type without its provider.
pub(super) fn short(type_name: &str) -> &str {
    let provider = providers::implied_provider(type_name);
    type_name
        .strip_prefix(provider)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(type_name)
}

fn paths(ownership: &Ownership) -> BTreeMap<Item, Vec<String>> {
    let mut types: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut modules = BTreeSet::new();
    for item in ownership.keys() {
        match item {
            Item::Resource { type_name, .. } => {
                types.entry(short(type_name)).or_default().insert(type_name);
            }
            Item::Module(name) => {
                modules.insert(name.as_str());
            }
            _ => {}
        }
    }
    let path = |item: &Item| match item {
        Item::Resource { type_name, name, .. } => {
            let short = short(type_name);
            let is_clear = types[short].len() == 1;
            let first = if is_clear { short } else { type_name };
            vec![first.to_owned(), name.clone()]
        }
        Item::Module(name) if types.contains_key(name.as_str()) => vec![format!("module_{name}")],
        Item::Module(name) => vec![name.clone()],
        _ => Vec::new(),
    };
    ownership.keys().map(|item| (item.clone(), path(item))).collect()
}

/// Returns every name that a local, a module or a variable of the user's has.
fn taken(input: &Input<'_>, ownership: &Ownership) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    for (item, _) in input.configuration.root().source.items() {
        if let Item::Local(name) | Item::Module(name) | Item::Variable(name) | Item::Output(name) = item {
            taken.insert(name.clone());
        }
    }
    for part in ownership.values().flat_map(|owned| owned.parts.values()) {
        if let Item::Module(name) = &part.item {
            taken.insert(name.clone());
        }
    }
    taken
}

/// Returns the name that is wanted, or, where it is taken, the first of `NAME_2`, `NAME_3`, … that is not.
pub(super) fn free(wanted: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{wanted}_{number}"));
    std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|name| !is_taken(name))
        .expect("there is always a next number")
}

/// Returns the name of a `.tf` file that a tree does not have.
pub(super) fn free_file_name(taken: &BTreeSet<String>, wanted: &str) -> String {
    let file = |name: &str| format!("{name}.tf");
    file(&free(wanted, |name| taken.contains(&file(name))))
}
