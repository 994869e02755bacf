//! The code of a whole plan file: every source rewritten, put together, and proved against the states as they are made.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, FileTree, Input, Rewritten, beyond, prove, rewrite};
use crate::address::ConfigResourceAddr;
use crate::config::{Configuration, Item};
use crate::diagnostic::{Diagnostic, Severity};
use crate::graph::Orphan;
use crate::plan::assign::OutputMove;
use crate::plan::compute::{Assigned, Inputs};
use crate::plan::contract::ContractSettings;
use crate::plan::preset::{Preset, presets};
use crate::stack::{StateId, StateLocation};
use crate::state::Snapshot;

/// A computation whose code is to follow.
pub struct Following<'a> {
    /// What the computation reads.
    pub inputs: &'a Inputs<'a>,
    /// The code of each source.
    pub code: BTreeMap<StateId, Code<'a>>,
    /// Where each state lives.
    pub locations: &'a BTreeMap<StateId, StateLocation>,
    /// How each state hands values on.
    pub contracts: &'a BTreeMap<StateId, ContractSettings>,
}

/// Why states move alone.
#[derive(Debug)]
pub enum NotFollowed {
    /// There is no block that could follow.
    NoCode,
    /// The plan file asks something of states that cannot be done with code.
    StatesOnly(Vec<Diagnostic>),
    /// The code cannot be cut so.
    Refused(Vec<Diagnostic>),
}

impl NotFollowed {
    /// Returns the reasons as warnings, for who goes on with the states alone.
    pub fn as_warnings(&self) -> Vec<Diagnostic> {
        let (found, hint) = match self {
            Self::NoCode => return Vec::new(),
            Self::StatesOnly(found) => (found, "write the code by hand, and plan it with real Terraform"),
            Self::Refused(found) => (
                found,
                "follow the advice above before the apply, or write the code by hand; where the new code is emitted and committed already, go on",
            ),
        };
        let mut warnings = found.clone();
        for warning in &mut warnings {
            warning.severity = Severity::Warning;
            warning.notes.retain(|note| note != "nothing was written");
        }
        warnings.push(Diagnostic::warning("the code does not follow: the states move alone").hint(hint));
        warnings
    }
}

impl Following<'_> {
    /// Rewrites the code of every source. The assignment gets the outputs that follow, and the presets are those of the
    /// new states.
    ///
    /// # Errors
    ///
    /// Why there is no code; then the assignment is as it was.
    pub fn follow(&self, assigned: &mut Assigned) -> Result<(Rewritten, Vec<Preset>), NotFollowed> {
        if !assigned.has_code() {
            return Err(NotFollowed::NoCode);
        }
        let mut all: Option<Rewritten> = None;
        let mut refusals = Vec::new();
        for (source, code) in &self.code {
            let (Some(configuration), Some(snapshot)) =
                (self.inputs.code.get(source), self.inputs.snapshots.get(source))
            else {
                continue;
            };
            let input = Input {
                plan: self.inputs.plan,
                source,
                configuration,
                code: *code,
                snapshot,
                assignment: &assigned.assignment,
                locations: self.locations,
                contracts: self.contracts,
            };
            let beyond = beyond(&input);
            if !beyond.is_empty() {
                return Err(NotFollowed::StatesOnly(beyond));
            }
            match rewrite(&input) {
                Ok(one) => {
                    all = Some(match all {
                        None => one,
                        Some(others) => others.with(one).map_err(NotFollowed::StatesOnly)?,
                    });
                }
                Err(mut found) => refusals.append(&mut found),
            }
        }
        if !refusals.is_empty() {
            return Err(NotFollowed::Refused(refusals));
        }
        let mut rewritten = all.ok_or(NotFollowed::NoCode)?;
        let (presets, mut warnings) = presets(&rewritten.set_outputs, &self.inputs.snapshots);
        rewritten.warnings.append(&mut warnings);
        let followed = rewritten.outputs.iter().map(|output| OutputMove {
            giver: output.from.state.clone(),
            taker: output.to.state.clone(),
            name: output.from.addr.clone(),
        });
        assigned.assignment.outputs.extend(followed);
        Ok((rewritten, presets))
    }
}

impl Rewritten {
    /// Adds what came of another source.
    fn with(mut self, other: Self) -> Result<Self, Vec<Diagnostic>> {
        if self.contract_name != other.contract_name {
            let message = "the sources use names in such ways that their contracts cannot be called the same";
            let fault = Diagnostic::error(message).note("nothing was written");
            return Err(vec![fault.hint("cut each source with a plan file of its own")]);
        }
        self.trees.extend(other.trees);
        self.outside.extend(other.outside);
        self.outputs.extend(other.outputs);
        self.set_outputs.extend(other.set_outputs);
        self.ledger.contracts.extend(other.ledger.contracts);
        self.ledger.beside.extend(other.ledger.beside);
        self.schemas.extend(other.schemas);
        self.upstreams.extend(other.upstreams);
        self.readings.extend(other.readings);
        self.stores.extend(other.stores);
        self.documents.extend(other.documents);
        self.order.extend(other.order);
        self.warnings.extend(other.warnings);
        Ok(self)
    }

    /// Returns everything that is written for a cut, by paths relative to its directory: `stacks/NAME/…` for stacks,
    /// `sources/NAME/…` for what is left of sources, `contracts.json`, `schemas/NAME.json`.
    pub fn files(&self) -> FileTree {
        let mut files = self.contract_files();
        for (id, tree) in &self.trees {
            let dir = dir_of(id);
            files.extend(
                tree.iter()
                    .map(|(path, bytes)| (format!("{dir}/{path}"), bytes.clone())),
            );
        }
        files
    }

    /// Returns the part of [`files`](Self::files) that is about contracts.
    pub fn contract_files(&self) -> FileTree {
        let mut files = FileTree::from([("contracts.json".to_owned(), self.ledger.to_json().into_bytes())]);
        for (id, schema) in &self.schemas {
            files.insert(format!("schemas/{id}.json"), schema.clone().into_bytes());
        }
        files
    }
}

/// Returns the directory of a state's root module among the files of a cut.
pub fn dir_of(id: &StateId) -> String {
    match id {
        StateId::Stack(name) => format!("stacks/{name}"),
        StateId::Source(name) => format!("sources/{name}"),
    }
}

/// The static proof of a cut, state by state, as the states are made.
pub struct Proof<'a> {
    rewritten: &'a Rewritten,
    codes: prove::Codes<'a>,
    before: &'a BTreeMap<StateId, &'a Configuration>,
    undeployed: BTreeSet<ConfigResourceAddr>,
    renamed: BTreeSet<Item>,
}

impl<'a> Proof<'a> {
    /// Starts a proof. `before` is the code of the sources before the cut.
    pub fn new(
        rewritten: &'a Rewritten,
        before: &'a BTreeMap<StateId, &'a Configuration>,
        assigned: &Assigned,
    ) -> Self {
        let orphans = assigned.joined.values().flat_map(|joined| &joined.orphans);
        let undeployed = orphans.filter_map(|orphan| match orphan {
            Orphan::DeclaredNotDeployed(address) => Some(address.clone()),
            Orphan::DeployedNotDeclared(_) => None,
        });
        Self {
            rewritten,
            codes: prove::Codes::of(rewritten),
            before,
            undeployed: undeployed.collect(),
            renamed: prove::renamed(&assigned.assignment.instances),
        }
    }

    /// Proves that the code of one state fits it. What no code declared before needs none now.
    pub fn state(&self, id: &StateId, after: &Snapshot) -> Vec<Diagnostic> {
        prove::prove_state(
            &self.codes,
            id,
            Some(after),
            self.before.get(id).copied(),
            &self.undeployed,
        )
    }

    /// Proves what holds between the states, and that every block says what it said before.
    pub fn between(&self) -> Vec<Diagnostic> {
        let mut faults = prove::prove_between(self.rewritten, &self.codes);
        let faithful = prove::Faithful::new(self.rewritten, &self.codes, self.before, &self.renamed);
        faults.extend(faithful.check());
        faults
    }

    /// Warns of values whose types a contract does not carry, where the state says that it matters. `before` are the
    /// states before the cut.
    pub fn lost_types(&self, before: &BTreeMap<StateId, &Snapshot>) -> Vec<Diagnostic> {
        prove::lost_types(self.rewritten, &self.codes, before)
    }
}
