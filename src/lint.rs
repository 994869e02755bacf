//! Lints of stacks as they are written, emitted or edited by hand: what makes them depend on each other in secret, leaks,
//! or breaks readers.
//!
//! [`check`] takes the trees of some stacks and the ledger of their contracts, and gives findings in a fixed order. It
//! judges what is written: it runs nothing, evaluates nothing but constants, and never looks at a value of a state.

mod backends;
mod contracts;
mod names;
mod patterns;
mod reads;
mod rule;
mod secrets;
mod shape;
mod sharing;
mod states;
mod told;
mod untyped;

use std::collections::BTreeSet;

pub use rule::Rule;
pub use untyped::untyped;

use crate::config::{BackendInputs, ConfigError, Configuration, LoadOptions};
use crate::contract::Ledger;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source_tree::SourceTree;
use crate::stack::StateLocation;
use crate::state::Snapshot;

/// One stack as it is written.
pub struct Stack<'a> {
    /// Its name: that of its directory.
    pub name: String,
    /// Its files.
    pub tree: &'a dyn SourceTree,
    /// The paths of all files below its root module, without what `init` keeps.
    pub paths: BTreeSet<String>,
    /// Its state, where one is at hand.
    pub state: Option<State>,
    /// Directories of modules that are beside another copy of it; see [`LoadOptions::elsewhere`].
    pub elsewhere: BTreeSet<String>,
}

/// A state that is at hand.
pub struct State {
    /// Where it was read from, as people know it.
    pub shown: String,
    /// What it holds.
    pub snapshot: Snapshot,
}

/// What is checked.
pub struct Input<'a> {
    /// The stacks.
    pub stacks: Vec<Stack<'a>>,
    /// The ledger that lies with them, as people know it, and what it says.
    pub ledger: Option<(String, Ledger)>,
    /// An older ledger that readers rely on.
    pub against: Option<Ledger>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What rule is broken.
    pub rule: Rule,
    /// The stack; none where it is about several.
    pub stack: Option<String>,
    /// What, where, and what to do.
    pub diagnostic: Diagnostic,
}

/// The code of one stack, where it could be read.
pub struct Root<'a> {
    /// The name of the stack.
    pub name: &'a str,
    /// Its files.
    pub tree: &'a dyn SourceTree,
    /// What was read of them.
    pub configuration: &'a Configuration,
}

/// A stack whose code could be read.
struct Read<'a> {
    name: String,
    tree: &'a dyn SourceTree,
    configuration: &'a Configuration,
    /// Where its state lives, as far as the text says.
    location: Option<StateLocation>,
    state: Option<&'a State>,
}

impl<'a> Read<'a> {
    fn of(root: &Root<'a>, state: Option<&'a State>) -> Self {
        let backend = root.configuration.backend(root.tree, &BackendInputs::default());
        Self {
            name: root.name.to_owned(),
            tree: root.tree,
            configuration: root.configuration,
            location: backend.ok().map(|backend| backend.location),
            state,
        }
    }
}

/// Checks stacks; findings are sorted by stack, then as the rules are.
///
/// Returns nothing where nothing is wrong. Warnings and errors are told apart by the severity of each finding.
pub fn check(input: &Input<'_>) -> Vec<Finding> {
    let mut found = Found::default();
    let loaded: Vec<Option<Configuration>> =
        input.stacks.iter().map(|stack| load(stack, &mut found)).collect();
    let mut stacks = Vec::new();
    for (stack, configuration) in input.stacks.iter().zip(&loaded) {
        let read = configuration.as_ref().map(|configuration| {
            let root = Root {
                name: &stack.name,
                tree: stack.tree,
                configuration,
            };
            Read::of(&root, stack.state.as_ref())
        });
        states::leftovers(stack, read.as_ref(), &mut found);
        stacks.extend(read);
    }
    for read in &stacks {
        names::check(read, &mut found);
        states::check(read, &mut found);
        secrets::outputs(read, &mut found);
        patterns::check(read, &mut found);
    }
    backends::check(&stacks, &mut found);
    let told = told::of_all(&stacks);
    let reads = reads::of_all(&stacks, &told);
    let ledger = input.ledger.as_ref().map(|(_, ledger)| ledger);
    sharing::check(&told, &reads, ledger, &mut found);
    secrets::documents(&stacks, &told, ledger, &mut found);
    contracts::check(input, &stacks, &told, &reads, &mut found);
    found.sorted()
}

/// Finds what stacks read of contracts and no contract tells, or tells in a form in which it cannot be read: the rule
/// [`Rule::ContractUnknown`], and [`Rule::ContractRetyped`] as far as it is about readers.
///
/// `roots` are all stacks; the ledger stands for what their code does not say.
pub fn untold(roots: &[Root<'_>], ledger: &Ledger) -> Vec<Diagnostic> {
    let stacks: Vec<Read<'_>> = roots.iter().map(|root| Read::of(root, None)).collect();
    let told = told::of_all(&stacks);
    let reads = reads::of_all(&stacks, &told);
    let mut found = Found::default();
    contracts::readings(stacks.len(), &told, &reads, Some(ledger), &mut found);
    let findings = found.sorted().into_iter();
    findings.map(|finding| finding.diagnostic).collect()
}

/// Reads the code of a stack; none where that cannot be done.
fn load(stack: &Stack<'_>, found: &mut Found) -> Option<Configuration> {
    let options = LoadOptions {
        elsewhere: stack.elsewhere.clone(),
        ..LoadOptions::default()
    };
    let faults = match Configuration::load(stack.tree, &options) {
        Ok(configuration) => {
            let warnings = configuration.diagnostics.clone();
            found.all(&stack.name, Rule::Configuration, warnings);
            return Some(configuration);
        }
        Err(ConfigError::Invalid { diagnostics, .. }) => diagnostics,
        Err(error) => vec![Diagnostic::error(error.to_string())],
    };
    found.all(&stack.name, Rule::Configuration, faults);
    None
}

/// Findings as they are collected.
#[derive(Default)]
struct Found(Vec<Finding>);

impl Found {
    fn add(&mut self, stack: &str, rule: Rule, diagnostic: Diagnostic) {
        self.0.push(Finding {
            rule,
            stack: Some(stack.to_owned()),
            diagnostic,
        });
    }

    fn about_all(&mut self, rule: Rule, diagnostic: Diagnostic) {
        self.0.push(Finding {
            rule,
            stack: None,
            diagnostic,
        });
    }

    fn all(&mut self, stack: &str, rule: Rule, diagnostics: Vec<Diagnostic>) {
        for diagnostic in diagnostics {
            self.add(stack, rule, diagnostic);
        }
    }

    /// A module that is called twice is read twice: what is wrong in it is said once.
    fn sorted(self) -> Vec<Finding> {
        let mut kept: Vec<Finding> = Vec::new();
        for finding in self.0 {
            if !kept.contains(&finding) {
                kept.push(finding);
            }
        }
        let place = |finding: &Finding| {
            finding
                .diagnostic
                .location
                .as_ref()
                .map(|(file, span)| (file.path.clone(), span.start))
        };
        kept.sort_by_key(|finding| {
            let severity = finding.diagnostic.severity != Severity::Error;
            (finding.stack.clone(), severity, finding.rule, place(finding))
        });
        kept
    }
}

/// Tells whether findings are a negative verdict.
pub fn is_negative(findings: &[Finding], warnings_count: bool) -> bool {
    findings
        .iter()
        .any(|finding| warnings_count || finding.diagnostic.severity == Severity::Error)
}

#[cfg(test)]
mod tests;
