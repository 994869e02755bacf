//! What stacks read of contracts: from the module, remote state or variable that brings a document, through locals, to
//! the places where its values are used.

mod path;

use std::collections::BTreeMap;

use self::path::path;

use super::Read;
use super::patterns::calls;
use super::shape::Step;
use super::told::{Half, Told};
use crate::config::{Block, BlockKind, ConfigFile, Item, Mode, Reference, Span, Target};
use crate::contract::ContractModule;
use crate::stack::StateLocation;

/// How a stack gets a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A module that reads one document: whose.
    Module(String),
    /// A module that reads all that fit a pattern.
    Pattern,
    /// The state of another stack: whose, and the output that holds its document.
    RemoteState(String, Option<String>),
    /// A variable that holds one half.
    Variable(String, Half),
}

/// Where a document comes in.
pub(super) struct Source<'r> {
    /// The stack that reads.
    pub stack: &'r str,
    /// Its file.
    pub file: &'r ConfigFile,
    /// The head of its block.
    pub span: Span,
    /// How.
    pub way: Way,
    /// Parameter path or key prefix, where that is a constant.
    pub path: Option<String>,
    /// The places that use it, directly or through locals, with the steps from it.
    pub uses: Vec<Use<'r>>,
    /// Locals that stand for it or for a part of it, and that nothing names.
    pub idle: Vec<(&'r ConfigFile, Span, String)>,
}

/// A place that uses a part of a document.
pub(super) struct Use<'r> {
    /// The file.
    pub file: &'r ConfigFile,
    /// Where.
    pub span: Span,
    /// The steps from the source.
    steps: Vec<Step>,
    /// A function that says which type is expected.
    pub cast: Option<&'static str>,
}

/// What a place reads of a contract.
pub(super) struct Reading {
    /// Whose.
    pub producer: String,
    /// Which half.
    pub half: Half,
    /// The steps into it.
    pub steps: Vec<Step>,
}

impl Source<'_> {
    /// Returns whose document this is, where that does not depend on the place of use.
    pub fn producer(&self) -> Option<&str> {
        match &self.way {
            Way::Module(name) | Way::RemoteState(name, _) | Way::Variable(name, _) => Some(name),
            Way::Pattern => None,
        }
    }

    /// Tells whether this is used, and the same document's other half in another variable.
    pub fn is_used_half_of(&self, other: &Self) -> bool {
        let halves = match (&self.way, &other.way) {
            (Way::Variable(one, _), Way::Variable(two, _)) => one == two,
            _ => false,
        };
        halves && self.stack == other.stack && !self.uses.is_empty()
    }

    /// Returns what a place reads; none where it takes the document as a whole, or something else of the source.
    pub fn reading(&self, place: &Use<'_>) -> Option<Reading> {
        let name = |at: usize| match place.steps.get(at) {
            Some(Step::Name(name)) => Some(name.as_str()),
            _ => None,
        };
        let (producer, half, taken) = match &self.way {
            Way::Module(producer) if name(0) == Some("value") => {
                (producer.clone(), Half::named(name(1)?)?, 2)
            }
            Way::Pattern if name(0) == Some("values") => (name(1)?.to_owned(), Half::named(name(2)?)?, 3),
            Way::RemoteState(producer, output) if name(0) == Some("outputs") => {
                let found = name(1)?;
                let is_private = found.ends_with("_private");
                let document = found.strip_suffix("_private").unwrap_or(found);
                let is_document = match output {
                    Some(output) => output == document,
                    None => document.starts_with("contract"),
                };
                match (is_document, is_private) {
                    (false, _) => return None,
                    (true, true) => (producer.clone(), Half::Private, 2),
                    (true, false) => (producer.clone(), Half::named(name(2)?)?, 3),
                }
            }
            Way::Variable(producer, half) => (producer.clone(), *half, 0),
            _ => return None,
        };
        let steps = place.steps.get(taken..)?.to_vec();
        Some(Reading {
            producer,
            half,
            steps,
        })
    }

    /// Tells whether a place takes something of a remote state that is no contract.
    pub fn is_beside_the_contract(&self, place: &Use<'_>) -> bool {
        let Way::RemoteState(_, output) = &self.way else {
            return false;
        };
        let is_document = |name: &str| {
            let name = name.strip_suffix("_private").unwrap_or(name);
            output
                .as_ref()
                .map_or_else(|| name.starts_with("contract"), |output| output == name)
        };
        !matches!(place.steps.get(1), Some(Step::Name(name)) if is_document(name))
    }
}

/// Finds every place in every stack that reads a contract.
pub(super) fn of_all<'r>(stacks: &'r [Read<'_>], told: &[Told<'_>]) -> Vec<Source<'r>> {
    let mut found = Vec::new();
    for read in stacks {
        let root = &read.configuration.root().source;
        for (_, file, block) in root.blocks() {
            if let Some(way) = way(stacks, read, told, file, block) {
                let mut source = Source {
                    stack: &read.name,
                    file,
                    span: block.header.clone(),
                    way,
                    path: constant(file, block, "path"),
                    uses: Vec::new(),
                    idle: Vec::new(),
                };
                follow(read, &target(block), &mut source);
                found.push(source);
            }
        }
    }
    found
}

fn target(block: &Block) -> Item {
    match block.kind {
        BlockKind::Module => Item::Module(block.label(0).to_owned()),
        BlockKind::Variable => Item::Variable(block.label(0).to_owned()),
        _ => Item::Resource {
            mode: Mode::Data,
            type_name: block.label(0).to_owned(),
            name: block.label(1).to_owned(),
        },
    }
}

fn constant(file: &ConfigFile, block: &Block, name: &str) -> Option<String> {
    file.string(&block.body.attribute(name)?.value)
}

/// Tells whether and how a block brings a document.
fn way(
    stacks: &[Read<'_>],
    read: &Read<'_>,
    told: &[Told<'_>],
    file: &ConfigFile,
    block: &Block,
) -> Option<Way> {
    let constant = |name: &str| constant(file, block, name);
    match block.kind {
        BlockKind::Module if calls(read, block, &[ContractModule::SsmStore, ContractModule::S3Store]) => {
            let writes = block.body.attribute("data").is_some();
            (!writes).then(|| constant("name").map(Way::Module))?
        }
        BlockKind::Module if calls(read, block, &[ContractModule::SsmRegex, ContractModule::S3Regex]) => {
            Some(Way::Pattern)
        }
        BlockKind::Data if block.label(0) == "terraform_remote_state" => {
            let owner = owner(stacks, file, block);
            let name = owner.map_or_else(|| block.label(1), |owner| &owner.name);
            let mut tellers = told.iter();
            let teller = tellers
                .find(|told| told.output.is_some() && (told.stack == name || same(&told.producer, name)));
            let producer = teller.map_or(name, |told| &told.producer);
            Some(Way::RemoteState(
                producer.to_owned(),
                teller.and_then(|told| told.output.clone()),
            ))
        }
        BlockKind::Variable => {
            let description = constant("description")?;
            let producer = description
                .strip_prefix("What `")?
                .split_once("` tells")?
                .0
                .to_owned();
            let is_private = block.label(0).ends_with("_private");
            let half = if is_private { Half::Private } else { Half::Public };
            Some(Way::Variable(producer, half))
        }
        _ => None,
    }
}

/// Tells whether a name in code stands for a stack.
pub(super) fn same(stack: &str, name: &str) -> bool {
    let stack = stack.replace('-', "_");
    let ending = name.strip_prefix(stack.as_str());
    ending.is_some_and(|ending| {
        matches!(ending, "" | "_stack" | "_contract")
            || ending
                .strip_prefix('_')
                .is_some_and(|rest| rest.parse::<u32>().is_ok())
    })
}

/// Finds the stack whose state a `terraform_remote_state` reads, by where it is.
fn owner<'s>(stacks: &'s [Read<'_>], file: &ConfigFile, block: &Block) -> Option<&'s Read<'s>> {
    let backend = file.string(&block.body.attribute("backend")?.value)?;
    let config = &block.body.attribute("config")?.value;
    let names: &[&str] = match backend.as_str() {
        "s3" => &["bucket", "key"],
        "local" => &["path"],
        _ => return None,
    };
    let said = |name: &&str| file.member_string(config, name);
    let wanted: Vec<String> = names.iter().filter_map(said).collect();
    if wanted.len() != names.len() {
        return None;
    }
    let is_there = |location: &StateLocation| {
        let mut pairs = names.iter().zip(&wanted);
        location.backend == backend && pairs.all(|(name, value)| location.arguments.get(*name) == Some(value))
    };
    stacks
        .iter()
        .find(|read| read.location.as_ref().is_some_and(is_there))
}

/// Follows a source through locals to the places of use.
fn follow<'r>(read: &'r Read<'_>, source: &Item, into: &mut Source<'r>) {
    // What stands for a part of the source: item → steps from the source.
    let mut known: BTreeMap<Item, Vec<Step>> = BTreeMap::from([(source.clone(), Vec::new())]);
    let mut queue = vec![source.clone()];
    while let Some(item) = queue.pop() {
        let prefix = known[&item].clone();
        let mut names = 0;
        for (file, local, reference) in places(read, &item) {
            names += 1;
            let path = path(file, reference);
            let mut steps = prefix.clone();
            steps.extend(path.steps);
            if let Some((name, value)) = &local
                && stands_alone(file, value, &path.span)
                && path.cast.is_none()
            {
                let local = Item::Local(name.clone());
                if let std::collections::btree_map::Entry::Vacant(free) = known.entry(local.clone()) {
                    free.insert(steps);
                    queue.push(local);
                }
                continue;
            }
            into.uses.push(Use {
                file,
                span: reference.span.clone(),
                steps,
                cast: path.cast,
            });
        }
        if let (0, Item::Local(name)) = (names, &item)
            && let Some((file, span)) = super::told::local(read, name)
        {
            into.idle.push((file, span, name.clone()));
        }
    }
}

/// A local: its name, and where its value stands.
type Local = (String, Span);

/// Finds the references to an item in the root module, each with the local around it.
fn places<'r>(read: &'r Read<'_>, item: &Item) -> Vec<(&'r ConfigFile, Option<Local>, &'r Reference)> {
    let root = &read.configuration.root().source;
    let mut found = Vec::new();
    for (_, file, block) in root.blocks() {
        for reference in block.references.iter().filter(|reference| names(reference, item)) {
            let around = block.body.attributes.iter().find(|argument| {
                block.kind == BlockKind::Locals
                    && argument.value.start <= reference.span.start
                    && reference.span.end <= argument.value.end
            });
            let local = around.map(|argument| (argument.name.clone(), argument.value.clone()));
            found.push((file, local, reference));
        }
    }
    found
}

fn names(reference: &Reference, item: &Item) -> bool {
    match (&reference.target, item) {
        (Target::Module { name, .. }, Item::Module(wanted)) => name == wanted,
        (Target::Local(name), Item::Local(wanted)) | (Target::Var(name), Item::Variable(wanted)) => {
            name == wanted
        }
        (
            Target::Resource {
                mode,
                type_name,
                name,
            },
            Item::Resource {
                mode: wanted_mode,
                type_name: wanted_type,
                name: wanted_name,
            },
        ) => (mode, type_name, name) == (wanted_mode, wanted_type, wanted_name),
        _ => false,
    }
}

/// Tells whether an expression is all that a local's value is.
fn stands_alone(file: &ConfigFile, value: &Span, span: &Span) -> bool {
    let around = file.text(&(value.start..span.start)).trim().is_empty()
        && file.text(&(span.end..value.end)).trim().is_empty();
    span.start >= value.start && around
}
