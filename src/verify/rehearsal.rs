//! The rehearsal: scratch copies, plans in order, judgements.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::OnceLock;

use thiserror::Error;

use super::judge::{Surroundings, judge};
use super::order::in_order;
use super::overlay::{Known, Overlay, PRIVATE_VARIABLES, Places, STATE, WORKSPACES};
use super::plan_json::Plan;
use super::proof::{Failure, Proof, RootProof};
use super::told::Told;
use crate::plan::assign::InstanceMove;
use crate::plan::contract::ContractStore;
use crate::rewrite::{Document, FileTree, Reading, Rewritten};
use crate::stack::{StateId, StateLocation};
use crate::terraform::{
    Cache, Original, Planning, RootFiles, Scratch, ScratchRoot, Stop, Terraform, TerraformError,
};

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

/// One state's code and content after the cut.
#[derive(Clone, Debug)]
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
    /// The monolith's directory.
    pub original: Option<Original>,
}

/// The monolith before the cut.
#[derive(Clone, Debug)]
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
#[derive(Debug)]
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

/// What a rehearsal of one rewritten monolith is made from.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// Name of the environment.
    pub environment: &'a str,
    /// The code.
    pub rewritten: &'a Rewritten,
    /// The states after the cut.
    pub after: &'a BTreeMap<StateId, &'a [u8]>,
    /// The monolith.
    pub source: &'a StateId,
    /// Its directory.
    pub original: &'a Original,
    /// Its state before the cut.
    pub before: &'a [u8],
    /// Its variable files in this environment, as the plan file has them.
    pub variable_paths: &'a [String],
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

/// What one plan came to.
struct Planned {
    plan: Plan,
    told: Told,
    notes: Vec<String>,
}

type Outcome = Result<Planned, Failure>;

impl<'a> Rehearsal<'a> {
    /// Puts a rehearsal together.
    pub fn new(parts: &Parts<'a>) -> Self {
        let workspace = |id: &StateId| {
            let location = parts.locations.get(id);
            location.map_or_else(|| "default".to_owned(), |location| location.workspace.clone())
        };
        let rewritten = parts.rewritten;
        let stacks = rewritten.trees.iter().map(|(id, files)| {
            // As the rewrite places them: nothing lies outside of a root module.
            let given = parts
                .variable_paths
                .iter()
                .map(|path| path.trim_start_matches("../"));
            let var_files = given.filter(|path| files.contains_key(*path)).map(PathBuf::from);
            let moved = parts
                .moves
                .iter()
                .filter(|moved| moved.taker == *id && moved.from != moved.to);
            Stack {
                id: id.clone(),
                files,
                state: parts.after.get(id).copied(),
                workspace: workspace(id),
                var_files: var_files.collect(),
                readings: rewritten.readings.get(id).map_or(&[], Vec::as_slice),
                store: rewritten.stores.get(id).copied(),
                origins: moved
                    .map(|moved| (moved.to.to_string(), moved.from.to_string()))
                    .collect(),
                original: Some(parts.original.clone()),
            }
        });
        let absolute = parts
            .variable_paths
            .iter()
            .map(|path| parts.original.dir.join(path));
        Self {
            environment: parts.environment.to_owned(),
            stacks: stacks.collect(),
            baselines: vec![Baseline {
                id: parts.source.clone(),
                original: parts.original.clone(),
                state: parts.before,
                workspace: workspace(parts.source),
                var_files: absolute.collect(),
            }],
            contract_name: &rewritten.contract_name,
            documents: &rewritten.documents,
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
        let mut baseline = Plan {
            whole: true,
            ..Plan::default()
        };
        let mut baselines = Vec::new();
        for (before, outcome) in self.baselines.iter().zip(outcomes.by_ref()) {
            let failure = match outcome {
                Ok(planned) => {
                    baseline.changes.extend(planned.plan.changes);
                    baseline.drift.extend(planned.plan.drift);
                    baseline.deferred.extend(planned.plan.deferred);
                    baseline.outputs.extend(planned.plan.outputs);
                    baseline.invoked.extend(planned.plan.invoked);
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
                baseline: Some(&baseline),
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

/// Everything that a plan needs.
struct Stage<'r, 'a> {
    rehearsal: &'r Rehearsal<'a>,
    terraform: &'r Terraform,
    scratch: &'r Scratch,
    cache: &'r Cache,
    stop: Stop<'r>,
}

impl Stage<'_, '_> {
    fn baseline(&self, baseline: &Baseline<'_>) -> Outcome {
        let name = baseline.id.name().as_str();
        let root = self
            .scratch
            .root(name, RootFiles::Copy, Some(&baseline.original))?;
        let overlay = overlay(&root)?;
        root.write(&overlay.file.0, overlay.file.1.as_bytes())?;
        let planning = Planning {
            workspace: baseline.workspace.clone(),
            var_files: baseline.var_files.clone(),
        };
        place_state(&root, Some(baseline.state), &planning.workspace)?;
        let json = self
            .terraform
            .plan_json(&root, &planning, self.cache, self.stop)?;
        Ok(Planned {
            plan: Plan::read(&json)?,
            told: Told::default(),
            notes: Vec::new(),
        })
    }

    fn stack(&self, stack: &Stack<'_>, told: &BTreeMap<&StateId, &Told>) -> Outcome {
        let name = stack.id.name().as_str();
        let files = match stack.id {
            StateId::Source(_) => RootFiles::Beside(stack.files),
            StateId::Stack(_) => RootFiles::Alone(stack.files),
        };
        let root = self.scratch.root(name, files, stack.original.as_ref())?;
        let mut overlay = overlay(&root)?;
        let mut notes = Vec::new();
        for reading in stack.readings {
            self.hand_on(stack, reading, told, &root, &mut overlay, &mut notes)?;
        }
        root.write(&overlay.file.0, overlay.file.1.as_bytes())?;
        for (path, bytes) in &overlay.beside {
            root.write_beside(path, bytes)?;
        }
        let mut planning = Planning {
            workspace: stack.workspace.clone(),
            var_files: stack.var_files.clone(),
        };
        if let Some(variables) = overlay.variable_file() {
            let path = root.write_beside(PRIVATE_VARIABLES, &variables)?;
            planning.var_files.push(path);
        }
        place_state(&root, stack.state, &planning.workspace)?;
        let json = self
            .terraform
            .plan_json(&root, &planning, self.cache, self.stop)?;
        let told = stack
            .store
            .map(|store| Told::read(&json, self.rehearsal.contract_name, store));
        Ok(Planned {
            plan: Plan::read(&json)?,
            told: told.unwrap_or_default(),
            notes,
        })
    }

    /// Gives a stack what one upstream tells.
    fn hand_on(
        &self,
        stack: &Stack<'_>,
        reading: &Reading,
        told: &BTreeMap<&StateId, &Told>,
        root: &ScratchRoot,
        overlay: &mut Overlay,
        notes: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let (contract, producer) = (self.rehearsal.contract_name, &reading.producer);
        let document = self.rehearsal.documents.get(producer);
        let known = Known::new(reading, contract, told.get(producer).copied(), document);
        let Some(known) = known else {
            return Err(Failure::new(
                format!("what `{producer}` tells is not known before it is applied"),
                format!("apply `{producer}` after the cut, and plan `{}` then", stack.id),
            ));
        };
        if !known.planned {
            notes.push(format!(
                "planned with what the state of `{producer}` tells: its plan does not say"
            ));
        }
        let declares = |name: &str| {
            let block = format!("variable \"{name}\"");
            let code = stack
                .files
                .iter()
                .filter(|(path, _)| path.ends_with(".tf") && !path.contains('/'));
            code.into_iter()
                .any(|(_, text)| String::from_utf8_lossy(text).contains(&block))
        };
        let version = self.terraform.version();
        with_places(root, |places| {
            overlay.give(reading, contract, known, places, version, &declares)
        });
        Ok(())
    }
}

fn overlay(root: &ScratchRoot) -> Result<Overlay, TerraformError> {
    let names = root.configuration_files()?;
    Ok(with_places(root, |places| Overlay::new(&names, places)))
}

fn with_places<T>(root: &ScratchRoot, use_them: impl FnOnce(&Places<'_>) -> T) -> T {
    use_them(&Places {
        absolute: &|path| root.beside(path).display().to_string(),
        relative: &|path| root.beside_from_root(path),
    })
}

/// Puts a state where the local backend looks for it.
fn place_state(root: &ScratchRoot, state: Option<&[u8]>, workspace: &str) -> Result<(), TerraformError> {
    let path = match workspace {
        "" | "default" => STATE.to_owned(),
        workspace => format!("{WORKSPACES}/{workspace}/terraform.tfstate"),
    };
    if let Some(state) = state {
        root.write_beside(&path, state)?;
    }
    Ok(())
}
