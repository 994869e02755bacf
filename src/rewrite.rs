//! New root modules: what each stack's code is after the cut, put together from slices of the monolith's.
//!
//! [`rewrite`] takes the monolith's code and state and who gets what, and gives for every state a tree of files. Blocks
//! are copied as text with their comments, into files of the same names; only references that cross a cut, repetitions
//! that are divided and names that change are replaced. Nothing is ever printed back from a parsed tree.
//!
//! It refuses what it cannot do, with the place and a way out, and then gives nothing at all.

mod access;
mod align;
mod already;
mod backend;
mod closure;
mod contract_files;
mod cycle;
mod doc;
mod documents;
mod each;
mod emit;
mod export_blocks;
mod exports;
mod follow;
mod joined;
mod json_syntax;
mod lift;
mod naming;
mod ownership;
mod paths;
mod prove;
mod reading;
mod refer;
mod secrets;
mod splice;
mod text;
mod tree;
mod types;
mod uses;
mod values;
mod vendor;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{CallTarget, Configuration, Item, LoadOptions, LockFile, Variables};
use crate::contract;
use crate::diagnostic::{Diagnostic, Severity};
use crate::moves;
use crate::plan::contract::{ContractSettings, ContractStore};
use crate::plan::{Assignment, PlanFile};
use crate::source_tree::SourceTree;
use crate::stack::{StateId, StateLocation};
use crate::state::Snapshot;

pub use already::Told;
pub use follow::{Following, NotFollowed, Proof, dir_of};
pub use prove::{prove, prove_one, undeclared_names, undeclared_objects};
pub use reading::{Document, Reading};
pub(crate) use text::quote;

/// Files by their paths relative to a root module, `/` between the parts.
pub type FileTree = BTreeMap<String, Vec<u8>>;

/// What a rewrite is made from.
pub struct Input<'a> {
    /// The plan file.
    pub plan: &'a PlanFile,
    /// The monolith.
    pub source: &'a StateId,
    /// Its code as it was read.
    pub configuration: &'a Configuration,
    /// Its files.
    pub code: Code<'a>,
    /// Its state before the cut.
    pub snapshot: &'a Snapshot,
    /// Who gets what.
    pub assignment: &'a Assignment,
    /// Where each state lives.
    pub locations: &'a BTreeMap<StateId, StateLocation>,
    /// How each state, the monolith's included, hands values on.
    pub contracts: &'a BTreeMap<StateId, ContractSettings>,
}

/// What is there of a root module's code, beside what was read of it.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    /// How it was read.
    pub options: &'a LoadOptions,
    /// Its files.
    pub tree: &'a dyn SourceTree,
    /// The paths of all files that may be carried along, relative to the root module: those below it and below local
    /// modules outside of it. Without `.terraform`, states and version control.
    pub paths: &'a BTreeSet<String>,
    /// The variable files of the environment.
    pub variables: &'a Variables,
    /// Paths of the variable files that the plan file names, relative to the root module.
    pub variable_paths: &'a [String],
    /// The lock file.
    pub lock_file: Option<&'a LockFile>,
}

/// What comes out.
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// The root module of every state: of the stacks, and what is left of the monolith.
    pub trees: BTreeMap<StateId, FileTree>,
    /// Code beside the monolith (`../modules`) that what is left of it may call. It stays where it is.
    pub outside: FileTree,
    /// Root outputs that follow what they name and that the plan file does not list; their states must follow.
    pub outputs: Vec<moves::OutputMove>,
    /// Outputs that states must have from the beginning, so that contracts can be read before an apply.
    pub set_outputs: Vec<moves::OutputValue>,
    /// Who tells what to whom: `contracts.json`.
    pub ledger: contract::Ledger,
    /// For each producer the JSON Schema of its document.
    pub schemas: BTreeMap<StateId, String>,
    /// For each state those whose contracts it reads.
    pub upstreams: BTreeMap<StateId, BTreeSet<StateId>>,
    /// For each state how its code reads the contracts of others.
    pub readings: BTreeMap<StateId, Vec<Reading>>,
    /// The name of the module (or of the outputs) with which each producer tells.
    pub contract_name: String,
    /// For each producer how it tells.
    pub stores: BTreeMap<StateId, ContractStore>,
    /// For each producer its document as far as the state alone tells it; absent where a value is known only after an
    /// apply.
    pub documents: BTreeMap<StateId, Document>,
    /// States in the order in which they can be applied: producers first.
    pub order: Vec<StateId>,
    /// Worth knowing: what was dropped, what a person must look after.
    pub warnings: Vec<Diagnostic>,
}

/// Rewrites a monolith.
///
/// # Errors
///
/// Everything that cannot be cut, each with its place and a way out; then nothing is given.
pub fn rewrite(input: &Input<'_>) -> Result<Rewritten, Vec<Diagnostic>> {
    let beyond = beyond(input);
    if !beyond.is_empty() {
        return Err(beyond);
    }
    match lift::lifted(input)? {
        None => cut_up(input),
        Some(lifted) => cut_up(&Input {
            configuration: &lifted.configuration,
            code: Code {
                tree: &lifted.tree,
                paths: &lifted.paths,
                ..input.code
            },
            snapshot: &lifted.snapshot,
            assignment: &lifted.assignment,
            ..*input
        }),
    }
}

/// Returns what a plan file may ask of states, but not of code.
fn beyond(input: &Input<'_>) -> Vec<Diagnostic> {
    let plan = input.plan;
    let mut faults = Vec::new();
    let mut refuse = |message: String, span: &std::ops::Range<usize>, hint: &str| {
        let fault = Diagnostic::error(message).at(&plan.file, span.clone());
        faults.push(fault.note("nothing was written").hint(hint));
    };
    for stack in &plan.stacks {
        let id = StateId::Stack(stack.name.value.clone());
        let givers: BTreeSet<&StateId> = input.assignment.taken_by(&id).map(|found| &found.giver).collect();
        if stack.existing && !givers.is_empty() {
            let message = format!("`{id}` has code already: blocks are not written into it");
            refuse(
                message,
                &stack.name.span,
                "move the state with this plan file, and take the blocks over by hand; a plan of the stack with real Terraform proves the result",
            );
        }
        if givers.len() > 1 {
            let message = format!("`{id}` gets blocks of several root modules: their code is not merged");
            refuse(
                message,
                &stack.name.span,
                "cut each source into stacks of its own first",
            );
        }
    }
    for back in &plan.returns {
        let message = format!(
            "the code of `{}` is not merged back into a root module",
            back.name.value
        );
        refuse(
            message,
            &back.name.span,
            "move the state with this plan file, and take the blocks over by hand",
        );
    }
    faults
}

/// Rewrites a monolith whose blocks are where they will be.
fn cut_up(input: &Input<'_>) -> Result<Rewritten, Vec<Diagnostic>> {
    let ownership = ownership::ownership(input)?;
    let states = states(input, &ownership);
    let cut = closure::Cut::new(input, ownership, &states);
    let mut faults = cut.faults.clone();
    let values = values::Values::new(input);
    let secrets = secrets::Secrets::new(input, &cut.ownership, &values);
    let names = naming::Names::new(input, &cut.ownership, &states);
    let exports = exports::exports(&cut, &secrets, &mut faults);
    export_blocks::check(&cut, &names, &secrets, &exports, &mut faults);
    let order = cycle::order(&cut, &states, &mut faults);
    let documents = documents::Documents {
        cut: &cut,
        names: &names,
        secrets: &secrets,
        values: &values,
        exports: &exports,
        settings: input.contracts,
    };
    let mut warnings = cut.warnings.clone();
    documents.check_sizes(&mut faults, &mut warnings);
    if !faults.is_empty() {
        return Err(faults);
    }
    let (ledger, schemas) = documents.ledger();
    let mut rewritten = Rewritten {
        order,
        outputs: followed(&cut),
        set_outputs: documents.outputs(&mut warnings),
        warnings,
        ledger,
        schemas,
        contract_name: names.contract.clone(),
        stores: documents.stores(),
        documents: documents.known(),
        ..Rewritten::default()
    };
    for path in input.code.paths.iter().filter(|path| path.starts_with("../")) {
        if let Some(bytes) = paths::read(input, path, &mut faults) {
            rewritten.outside.insert(path.clone(), bytes);
        }
    }
    let writer_of = |state| refer::Writer {
        cut: &cut,
        names: &names,
        secrets: &secrets,
        values: &values,
        state,
    };
    for state in &states {
        let mut tree = tree::tree(
            input,
            writer_of(state),
            &exports,
            &mut rewritten.warnings,
            &mut faults,
        );
        let given = documents.variables(state, &mut faults);
        if !given.is_empty() {
            let text = contract::schema::pretty(&contract::value::Value::Object(given));
            tree.insert("contracts.auto.tfvars.json".to_owned(), text.into_bytes());
        }
        rewritten.trees.insert(state.clone(), tree);
        let upstreams = cut.members[state].upstreams.clone();
        let readings = reading::readings(&writer_of(state), &upstreams, input.contracts);
        rewritten.readings.insert(state.clone(), readings);
        rewritten.upstreams.insert(state.clone(), upstreams);
    }
    let mut beside = directories(input.configuration);
    beside.retain(|dir| dir.starts_with("../"));
    if !beside.is_empty() {
        let name = input.source.name().to_string();
        rewritten.ledger.beside.insert(name, beside);
    }
    match faults.iter().any(|fault| fault.severity == Severity::Error) {
        true => Err(faults),
        false => Ok(rewritten),
    }
}

/// Returns the states that get code: the monolith, and every stack of the plan file that gets something.
fn states(input: &Input<'_>, ownership: &ownership::Ownership) -> Vec<StateId> {
    let mut states = vec![input.source.clone()];
    for stack in &input.plan.stacks {
        let id = StateId::Stack(stack.name.value.clone());
        if ownership.values().any(|owned| owned.parts.contains_key(&id)) {
            states.push(id);
        }
    }
    states
}

/// Returns the outputs whose states must follow though the plan file does not say so.
fn followed(cut: &closure::Cut<'_>) -> Vec<moves::OutputMove> {
    let source = cut.input.source;
    let mut found = Vec::new();
    for (item, taker) in &cut.followers {
        let Item::Output(name) = item else { continue };
        let is_listed = cut
            .input
            .assignment
            .outputs
            .iter()
            .any(|output| output.name == *name);
        if !is_listed && cut.input.snapshot.output(name).is_some() {
            found.push(moves::OutputMove {
                from: moves::At::new(source.clone(), name.clone()),
                to: moves::At::new(taker.clone(), name.clone()),
                transfer: moves::OutputTransfer::Move,
            });
        }
    }
    found
}

/// Returns the directories whose files a rewrite may carry: the root module, and local modules outside of it.
pub fn directories(configuration: &Configuration) -> BTreeSet<String> {
    let mut found = BTreeSet::from([String::new()]);
    for module in configuration.modules() {
        for call in module.calls.values() {
            if let CallTarget::Local(dir) = &call.target
                && dir.starts_with("../")
            {
                found.insert(dir.clone());
            }
        }
    }
    found
}

/// Returns how states hand values on where the plan file has no block of its own for them: the monolith.
///
/// # Errors
///
/// Those of [`PlanFile::contract_settings`].
pub fn contract_settings(
    plan: &PlanFile,
    environment: &crate::stack::Environment,
    locations: &BTreeMap<StateId, StateLocation>,
) -> Result<BTreeMap<StateId, ContractSettings>, Vec<Diagnostic>> {
    let mut settings = BTreeMap::new();
    for stack in &plan.stacks {
        let id = StateId::Stack(stack.name.value.clone());
        let found = plan.contract_settings(environment, stack, locations.get(&id))?;
        settings.insert(id, found);
    }
    for source in &plan.sources {
        let id = StateId::Source(source.name.value.clone());
        let Some(first) = plan.stacks.first() else {
            continue;
        };
        let mut like = first.clone();
        like.name = source.name.clone();
        like.contract = None;
        let found = plan.contract_settings(environment, &like, locations.get(&id))?;
        settings.insert(id, found);
    }
    Ok(settings)
}

/// Tells whether a store keeps its documents in AWS.
pub fn needs_aws(store: ContractStore) -> bool {
    matches!(store, ContractStore::Ssm | ContractStore::S3)
}
