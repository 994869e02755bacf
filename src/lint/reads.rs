//! What stacks read of contracts: from the module, remote state or variable that brings a document, through locals, to
//! the places where its values are used.

mod demand;
mod elements;
mod follow;
mod guards;
mod path;

use super::Read;
use super::patterns::calls;
use super::shape::{Shape, Step};
use super::told::{Half, Told};
use crate::address::ModuleAddr;
use crate::config::{Block, BlockKind, ConfigFile, Item, Mode, Span};
use crate::contract::ContractModule;
use crate::contract::value::Value;
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
    /// The bucket, where that is a constant.
    pub bucket: Option<String>,
    /// What it holds, where that is written down.
    pub given: Option<Shape>,
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
    /// How many of the steps lead to one member of several documents put together: another one may have it.
    member: Option<usize>,
    /// A function that says which type is expected.
    pub cast: Option<&'static str>,
    /// Whether it only hands on what others take: to a module, or to what walks through it.
    pub is_handed_on: bool,
    /// Whether it is asked for with care: by `try` or `can`, or under a condition.
    pub is_guarded: bool,
    /// The resource whose argument this is a part of.
    pub sink: Option<Sink<'r>>,
}

/// An argument of a resource.
#[derive(Clone)]
pub(super) struct Sink<'r> {
    /// The module around it.
    pub module: ModuleAddr,
    /// The resource's block.
    pub block: &'r Block,
    /// The argument.
    pub argument: &'r str,
}

/// What a place reads of a contract.
pub(super) struct Reading {
    /// Whose.
    pub producer: String,
    /// Which half.
    pub half: Half,
    /// The steps into it.
    pub steps: Vec<Step>,
    /// How many of the steps lead to a member that another document may have instead.
    pub member: Option<usize>,
    /// Whether it only hands on what others take.
    pub is_handed_on: bool,
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
            member: place.member.and_then(|end| end.checked_sub(taken)),
            is_handed_on: place.is_handed_on,
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
                    bucket: constant(file, block, "bucket"),
                    given: given(read, block),
                    uses: Vec::new(),
                    idle: Vec::new(),
                };
                follow::follow(read, &target(block), &mut source);
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

/// Returns what a variable holds, where that is written beside the code.
fn given(read: &Read<'_>, block: &Block) -> Option<Shape> {
    if block.kind != BlockKind::Variable {
        return None;
    }
    let bytes = read.tree.read("contracts.auto.tfvars.json").ok()??;
    let values = Value::from_json(std::str::from_utf8(&bytes).ok()?)?;
    values.get(block.label(0)).map(Shape::of_value)
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
