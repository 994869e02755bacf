//! What a plan file says: its words as types, each with its place in the text.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::backend::BackendKind;
use super::contract::ContractBlock;
use super::read;
use super::template::Template;
use crate::address::MoveableAddr;
use crate::address::pattern::Pattern;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::stack::{Layer, StackName, StateId};

/// A value and where it stands in the plan file (bytes).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place, quotes included.
    pub span: Range<usize>,
}

/// A plan file.
#[derive(Clone, Debug)]
pub struct PlanFile {
    /// The text.
    pub file: Arc<SourceFile>,
    /// Label of the `split` block.
    pub name: Spanned<StackName>,
    /// The monoliths (mostly one), in file order.
    pub sources: Vec<SourceBlock>,
    /// Environments in file order; empty where the file names none.
    pub environments: Vec<EnvironmentBlock>,
    /// What holds for every stack.
    pub defaults: Defaults,
    /// Stacks in file order.
    pub stacks: Vec<StackBlock>,
    /// Stacks that go back into a source, in file order.
    pub returns: Vec<ReturnBlock>,
    /// The `gitops` block, not looked into here.
    pub gitops: Option<Range<usize>>,
}

/// A `source` block: a root module that gives resources away.
#[derive(Clone, Debug)]
pub struct SourceBlock {
    /// The label, or the split's name where there is none.
    pub name: Spanned<StackName>,
    /// Directory of the root module, relative to the plan file.
    pub dir: Spanned<String>,
    /// Replaces or completes what the root module's own backend block says.
    pub backend: Option<BackendBlock>,
    /// A local state file, relative to `dir`.
    pub state: Option<Template>,
    /// The workspace.
    pub workspace: Option<Template>,
    /// Files of backend arguments, relative to `dir`, in the order in which `init` gets them with `-backend-config`.
    pub backend_config: Vec<Template>,
    /// Variable files for every environment, relative to `dir`.
    pub var_files: Vec<Spanned<String>>,
}

/// An `environment` block.
#[derive(Clone, Debug)]
pub struct EnvironmentBlock {
    /// The label, for example `tenant-a/stage`.
    pub name: Spanned<String>,
    /// `prod`, `non-prod` …
    pub class: Option<Spanned<String>>,
    /// Values for templates.
    pub values: BTreeMap<String, Spanned<String>>,
    /// Variable files, relative to the source's `dir`, after those of the source.
    pub var_files: Vec<Spanned<String>>,
    /// Backend arguments of this environment, by flat name.
    pub backend: BTreeMap<String, Argument>,
}

/// The `defaults` block.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Where new stacks' states live.
    pub backend: Option<BackendBlock>,
    /// The workspace of new stacks' states.
    pub workspace: Option<Template>,
    /// How stacks hand values on.
    pub contract: Option<ContractBlock>,
}

/// A `backend "TYPE"` block.
#[derive(Clone, Debug)]
pub struct BackendBlock {
    /// The type.
    pub kind: BackendKind,
    /// Where the block stands.
    pub span: Range<usize>,
    /// Its arguments, by flat name; never a credential.
    pub arguments: BTreeMap<String, Argument>,
}

/// One backend argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Where its name stands.
    pub name: Range<usize>,
    /// Its value.
    pub value: ArgumentValue,
}

/// The value of a backend argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgumentValue {
    /// A number or truth value, as written.
    Plain(String),
    /// A text.
    Text(Template),
    /// A list of texts.
    List(Vec<Template>),
}

/// A `stack` block: a target.
#[derive(Clone, Debug)]
pub struct StackBlock {
    /// The label.
    pub name: Spanned<StackName>,
    /// The layer; `service` where the block says nothing.
    pub layer: Layer,
    /// One line for people.
    pub description: Option<Spanned<String>>,
    /// Whether its state exists already and is merged into.
    pub existing: bool,
    /// Directory of its root module, where it exists already.
    pub dir: Option<Spanned<String>>,
    /// What it takes.
    pub taking: Taking,
    /// Contract values renamed or added.
    pub exports: Vec<ExportBlock>,
    /// Differences that are known and allowed.
    pub accepts: Vec<AcceptBlock>,
    /// Sensitive values that may cross, by name.
    pub allow_sensitive: Vec<Spanned<String>>,
    /// Stacks whose contract may be absent.
    pub optional_upstreams: Vec<Spanned<StackName>>,
    /// Where its state lives; completes the default.
    pub backend: Option<BackendBlock>,
    /// Workspace of its state.
    pub workspace: Option<Template>,
    /// How it hands values on; completes the default.
    pub contract: Option<ContractBlock>,
}

/// A `return` block: a stack whose resources go back into a source.
#[derive(Clone, Debug)]
pub struct ReturnBlock {
    /// The label: the stack that is given up.
    pub name: Spanned<StackName>,
    /// The source that gets its resources.
    pub to: Spanned<StackName>,
    /// The layer, for templates that name it; `service` where the block says nothing.
    pub layer: Layer,
    /// Directory of the stack's root module.
    pub dir: Option<Spanned<String>>,
    /// What goes back; empty `takes` means everything.
    pub taking: Taking,
    /// Where the stack's state lives; completes the default.
    pub backend: Option<BackendBlock>,
    /// Workspace of the stack's state.
    pub workspace: Option<Template>,
}

/// What a target takes and how it is renamed.
#[derive(Clone, Debug, Default)]
pub struct Taking {
    /// Patterns over resource instances.
    pub takes: Vec<Take>,
    /// Root outputs that follow.
    pub outputs: Vec<OutputTake>,
    /// Renames.
    pub moves: Vec<MoveBlock>,
}

/// One pattern of a `take` list.
#[derive(Clone, Debug)]
pub struct Take {
    /// The source it is about; none means every source.
    pub source: Option<StackName>,
    /// The pattern as written, unescaped.
    pub text: String,
    /// The pattern.
    pub pattern: Spanned<Pattern>,
}

/// One name of an `outputs` list.
#[derive(Clone, Debug)]
pub struct OutputTake {
    /// The source it is about; none means every source.
    pub source: Option<StackName>,
    /// The output.
    pub name: Spanned<String>,
}

/// A `move` block: taken under one address, known under another from then on.
#[derive(Clone, Debug)]
pub struct MoveBlock {
    /// The source it is about; none means every source.
    pub source: Option<StackName>,
    /// The address in the source.
    pub from: Spanned<MoveableAddr>,
    /// The address in the target.
    pub to: Spanned<MoveableAddr>,
}

/// An `export` block: a contract value that is renamed or added.
#[derive(Clone, Debug)]
pub struct ExportBlock {
    /// The name of the value in the contract.
    pub name: Spanned<String>,
    /// The expression as it stands in the plan file.
    pub value: Spanned<String>,
    /// What the expression reads, in order of appearance.
    pub references: Vec<ExportReference>,
    /// Whether the value goes under `private`.
    pub sensitive: bool,
}

/// One reference inside an `export` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportReference {
    /// Where the reference stands, operators included.
    pub span: Range<usize>,
    /// What it is rooted at, as text: `aws_sqs_queue.orders`, `data.aws_region.current`, `module.vpc`, `local.x`, `var.x`.
    pub root: String,
}

/// An `accept` block: a difference that is known and allowed.
#[derive(Clone, Debug)]
pub struct AcceptBlock {
    /// Addresses in the stack.
    pub address: Spanned<Pattern>,
    /// The attributes that may differ.
    pub attributes: Vec<Spanned<String>>,
    /// Why it is allowed, for the report.
    pub reason: Option<Spanned<String>>,
}

impl PlanFile {
    /// Reads a plan file.
    ///
    /// # Errors
    ///
    /// Every fault that was found, in file order. A text that is not HCL gives one.
    pub fn read(file: Arc<SourceFile>) -> Result<Self, Vec<Diagnostic>> {
        read::plan_file(file)
    }

    /// Returns the stack of that name.
    pub fn stack(&self, name: &StackName) -> Option<&StackBlock> {
        self.stacks.iter().find(|stack| stack.name.value == *name)
    }

    /// Returns the source of that name.
    pub fn source(&self, name: &StackName) -> Option<&SourceBlock> {
        self.sources.iter().find(|source| source.name.value == *name)
    }

    /// Returns every state this plan file is about, with the place of its name: sources, stacks, returned stacks.
    pub fn states(&self) -> Vec<(StateId, Range<usize>)> {
        let sources = self
            .sources
            .iter()
            .map(|block| (StateId::Source(block.name.value.clone()), block.name.span.clone()));
        let stacks = self
            .stacks
            .iter()
            .map(|block| (StateId::Stack(block.name.value.clone()), block.name.span.clone()));
        let returns = self
            .returns
            .iter()
            .map(|block| (StateId::Stack(block.name.value.clone()), block.name.span.clone()));
        sources.chain(stacks).chain(returns).collect()
    }

    /// Returns every state in an order in which they can be written: stacks get, sources give to stacks and get from
    /// returned stacks, returned stacks only give. Who gets always comes before who gives.
    pub fn write_order(&self) -> Vec<StateId> {
        let mut order: Vec<StateId> = self
            .stacks
            .iter()
            .map(|block| StateId::Stack(block.name.value.clone()))
            .collect();
        order.extend(
            self.sources
                .iter()
                .map(|block| StateId::Source(block.name.value.clone())),
        );
        order.extend(
            self.returns
                .iter()
                .map(|block| StateId::Stack(block.name.value.clone())),
        );
        order
    }

    /// Returns where the name of a state stands.
    pub(super) fn span_of(&self, id: &StateId) -> Range<usize> {
        self.states()
            .into_iter()
            .find(|(other, _)| other == id)
            .map_or(self.name.span.clone(), |(_, span)| span)
    }
}
