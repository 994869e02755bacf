//! The rehearsal: scratch copies, plans in order, judgements.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::OnceLock;

use thiserror::Error;

use super::judge::{Surroundings, judge};
use super::order::in_order;
use super::proof::{Failure, Proof, RootProof};
use super::stage::{Outcome, Stage};
use super::told::Told;
use crate::plan::assign::InstanceMove;
use crate::plan::contract::ContractStore;
use crate::rewrite::{Document, FileTree, Reading, Rewritten};
use crate::stack::{StateId, StateLocation};
use crate::terraform::{Cache, Original, Scratch, Stop, Terraform, TerraformError};

/// Why there is no proof at all, neither way.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// It was asked to stop; every child is dead and every scratch directory gone.
    #[error("the proof was interrupted")]
    Interrupted,
    /// Before the first plan.
    #[error(transparent)]
    Terraform(#[from] TerraformError),
}

/// One state's code and content after the cut. Holds secrets: it has no `Debug`.
#[derive(Clone)]
pub struct Stack<'a> {
    /// Whose.
    pub id: StateId,
    /// The root module.
    pub files: &'a FileTree,
    /// The candidate state; none where there is none.
    pub state: Option<&'a [u8]>,
    /// The workspace.
    pub workspace: String,
    /// Variable files, relative to the root module.
    pub var_files: Vec<PathBuf>,
    /// How it reads others.
    pub readings: &'a [Reading],
    /// How it tells others.
    pub store: Option<ContractStore>,
    /// Addresses that were others in the monolith: here → there.
    pub origins: BTreeMap<String, String>,
    /// The monolith it was cut from.
    pub source: Option<StateId>,
    /// That one's directory.
    pub original: Option<Original>,
}

/// The monolith before the cut. Holds secrets: it has no `Debug`.
#[derive(Clone)]
pub struct Baseline<'a> {
    /// Which.
    pub id: StateId,
    /// Where it is.
    pub original: Original,
    /// Its state.
    pub state: &'a [u8],
    /// The workspace.
    pub workspace: String,
    /// Variable files, absolute.
    pub var_files: Vec<PathBuf>,
}

/// One environment's states and code, ready to be planned.
pub struct Rehearsal<'a> {
    /// Name of the environment.
    pub environment: String,
    /// What is there after the cut.
    pub stacks: Vec<Stack<'a>>,
    /// What was there before.
    pub baselines: Vec<Baseline<'a>>,
    /// The module call or output with which producers tell.
    pub contract_name: &'a str,
    /// What the states alone tell of contracts.
    pub documents: &'a BTreeMap<StateId, Document>,
}

/// One monolith, as a rehearsal needs it. Holds secrets: it has no `Debug`.
#[derive(Clone)]
pub struct Source<'a> {
    /// Its directory.
    pub original: Original,
    /// Its state before the cut.
    pub before: &'a [u8],
    /// Its variable files in this environment, as the plan file has them.
    pub variable_paths: Vec<String>,
}

/// What a rehearsal of one environment is made from.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// Name of the environment.
    pub environment: &'a str,
    /// The code.
    pub rewritten: &'a Rewritten,
    /// The states after the cut.
    pub after: &'a BTreeMap<StateId, &'a [u8]>,
    /// The monoliths.
    pub sources: &'a BTreeMap<StateId, Source<'a>>,
    /// Where each state lives.
    pub locations: &'a BTreeMap<StateId, StateLocation>,
    /// Who went where.
    pub moves: &'a [InstanceMove],
}

/// A step that was taken, for a line of progress.
#[derive(Clone, Debug)]
pub struct Step {
    /// Whose plan is done.
    pub id: StateId,
    /// Whether it is that of the monolith before the cut.
    pub is_baseline: bool,
    /// Whether a plan came of it.
    pub planned: bool,
}

impl<'a> Parts<'a> {
    fn workspace(&self, id: &StateId) -> String {
        let location = self.locations.get(id);
        location.map_or_else(|| "default".to_owned(), |location| location.workspace.clone())
    }

    /// Returns the monolith that a state was cut from; the first where a stack has no object yet.
    fn source_of(&self, id: &StateId) -> Option<&'a StateId> {
        let giver = self
            .moves
            .iter()
            .find(|moved| moved.taker == *id)
            .map(|moved| &moved.giver);
        let itself = self.sources.contains_key(id).then_some(id);
        let known = itself.or(giver).and_then(|id| self.sources.get_key_value(id));
        known.or_else(|| self.sources.first_key_value()).map(|(id, _)| id)
    }

    fn stack(&self, id: &StateId, files: &'a FileTree) -> Stack<'a> {
        let rewritten = self.rewritten;
        let source = self.source_of(id);
        let from = source.and_then(|source| self.sources.get(source));
        // As the rewrite places them: nothing lies outside of a root module.
        let given = from.into_iter().flat_map(|source| &source.variable_paths);
        let given = given.map(|path| path.trim_start_matches("../"));
        let var_files = given.filter(|path| files.contains_key(*path)).map(PathBuf::from);
        let moved = self
            .moves
            .iter()
            .filter(|moved| moved.taker == *id && moved.from != moved.to);
        Stack {
            id: id.clone(),
            files,
            state: self.after.get(id).copied(),
            workspace: self.workspace(id),
            var_files: var_files.collect(),
            readings: rewritten.readings.get(id).map_or(&[], Vec::as_slice),
            store: rewritten.stores.get(id).copied(),
            origins: moved
                .map(|moved| (moved.to.to_string(), moved.from.to_string()))
                .collect(),
            source: source.cloned(),
            original: from.map(|source| source.original.clone()),
        }
    }
}

impl<'a> Rehearsal<'a> {
    /// Puts a rehearsal together.
    pub fn new(parts: &Parts<'a>) -> Self {
        let stacks = parts.rewritten.trees.iter();
        let baselines = parts.sources.iter().map(|(id, source)| {
            let absolute = source
                .variable_paths
                .iter()
                .map(|path| source.original.dir.join(path));
            Baseline {
                id: id.clone(),
                original: source.original.clone(),
                state: source.before,
                workspace: parts.workspace(id),
                var_files: absolute.collect(),
            }
        });
        Self {
            environment: parts.environment.to_owned(),
            stacks: stacks.map(|(id, files)| parts.stack(id, files)).collect(),
            baselines: baselines.collect(),
            contract_name: &parts.rewritten.contract_name,
            documents: &parts.rewritten.documents,
        }
    }

    /// Plans everything and judges it. `progress` is called from several threads.
    ///
    /// # Errors
    ///
    /// An interruption, a scratch directory that cannot be made. That a stack cannot be planned is part of the proof.
    pub fn run(
        &self,
        terraform: &Terraform,
        parallelism: NonZeroUsize,
        stop: Stop<'_>,
        progress: &(dyn Fn(&Step) + Sync),
    ) -> Result<Proof, VerifyError> {
        let scratch = Scratch::new()?;
        let cache = Cache::new(&scratch, terraform)?;
        let stage = Stage {
            rehearsal: self,
            terraform,
            scratch: &scratch,
            cache: &cache,
            stop,
        };
        let first_stack = self.baselines.len();
        let outcomes = in_order(parallelism, &self.waits_for(), |piece, results| {
            let (id, outcome) = match self.baselines.get(piece) {
                Some(baseline) => (&baseline.id, stage.baseline(baseline)),
                None => {
                    let stack = &self.stacks[piece - first_stack];
                    (&stack.id, stage.stack(stack, &self.told(results)))
                }
            };
            if !stop() {
                progress(&Step {
                    id: id.clone(),
                    is_baseline: piece < first_stack,
                    planned: outcome.is_ok(),
                });
            }
            outcome
        });
        if stop() {
            return Err(VerifyError::Interrupted);
        }
        Ok(self.judged(terraform, outcomes))
    }

    /// For each piece of work (baselines, then stacks) those whose results it needs.
    fn waits_for(&self) -> Vec<BTreeSet<usize>> {
        let first = self.baselines.len();
        let place = |id: &StateId| Some(first + self.stacks.iter().position(|stack| stack.id == *id)?);
        let mut waits = vec![BTreeSet::new(); first];
        let stacks = self.stacks.iter().map(|stack| {
            let upstreams = stack
                .readings
                .iter()
                .filter_map(|reading| place(&reading.producer));
            upstreams.collect()
        });
        waits.extend(stacks);
        waits
    }

    fn told<'r>(&self, results: &'r [OnceLock<Outcome>]) -> BTreeMap<&StateId, &'r Told> {
        let stacks = self.stacks.iter().zip(&results[self.baselines.len()..]);
        let told = stacks.filter_map(|(stack, result)| {
            let planned = result.get()?.as_ref().ok()?;
            Some((&stack.id, &planned.told))
        });
        told.collect()
    }

    fn judged(&self, terraform: &Terraform, outcomes: Vec<Option<Outcome>>) -> Proof {
        let mut outcomes = outcomes.into_iter().map(|outcome| {
            outcome.unwrap_or_else(|| {
                Err(Failure::new(
                    "it reads, by way of others, what it tells itself",
                    "move what ties them together into one stack",
                ))
            })
        });
        let mut plans = BTreeMap::new();
        let mut baselines = Vec::new();
        for (before, outcome) in self.baselines.iter().zip(outcomes.by_ref()) {
            let failure = match outcome {
                Ok(planned) => {
                    plans.insert(&before.id, planned.plan);
                    None
                }
                Err(failure) => Some(failure),
            };
            baselines.push((before.id.clone(), failure));
        }
        let roots = self.stacks.iter().zip(outcomes).map(|(stack, outcome)| {
            let around = Surroundings {
                contract: matches!(stack.store, Some(ContractStore::Ssm | ContractStore::S3))
                    .then_some(self.contract_name),
                origins: Some(&stack.origins),
                baseline: stack.source.as_ref().and_then(|source| plans.get(source)),
            };
            match outcome {
                Ok(planned) => RootProof::new(stack.id.clone(), judge(&planned.plan, around), planned.notes),
                Err(failure) => RootProof::failed(stack.id.clone(), failure),
            }
        });
        Proof {
            terraform: terraform.to_string(),
            environment: self.environment.clone(),
            roots: roots.collect(),
            baselines,
        }
    }
}
