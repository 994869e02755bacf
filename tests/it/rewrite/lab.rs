//! A monolith in a scratch directory: applied by real Terraform, cut, and every stack planned in order.

pub mod aws;
mod judge;
mod quick;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stackcut::address::ConfigResourceAddr;
use stackcut::config::{BackendInputs, Configuration, LoadOptions, LockFile, Variables};
use stackcut::diagnostic::{Diagnostic, SourceFile};
use stackcut::graph::Orphan;
use stackcut::moves::{self, NewState, StateInput, States};
use stackcut::plan::PlanFile;
use stackcut::plan::assign::InstanceMove;
use stackcut::plan::compute::Inputs;
use stackcut::rewrite::{self, Code, Input, Rewritten};
use stackcut::stack::{StateId, StateLocation};
use stackcut::state::{Lineage, Snapshot};
use stackcut::workdir::WorkDir;
use tempfile::TempDir;

use crate::support::terraform::{Terraform, changes};
use crate::support::tools::TerraformBin;

/// Three directories: the monolith, what it is cut into, and the states of that.
pub struct Lab {
    scratch: TempDir,
    /// The monolith's directory.
    pub monolith: PathBuf,
    terraform: Terraform,
    plan: String,
}

/// What a cut gave.
pub struct CutMade {
    pub rewritten: Rewritten,
    /// Content of every state after the cut.
    pub after: BTreeMap<StateId, Vec<u8>>,
    /// Content of the monolith's state before the cut.
    pub before: Vec<u8>,
    /// The monolith.
    pub source: StateId,
    /// Who went where.
    pub moves: Vec<InstanceMove>,
    /// Where every state lives.
    pub locations: BTreeMap<StateId, StateLocation>,
    /// Variable files of the environment.
    pub variable_paths: Vec<String>,
    undeployed: BTreeSet<ConfigResourceAddr>,
    configuration: Configuration,
    dir: PathBuf,
    terraform: Terraform,
}

impl Lab {
    /// Writes a monolith and a plan file. In the plan file `STATES` is the directory of the new states.
    pub fn new(bin: &TerraformBin, files: &[(&str, &str)], plan: &str) -> Self {
        let scratch = tempfile::tempdir().expect("a scratch directory can be made");
        let monolith = scratch.path().join("monolith");
        for (path, text) in files {
            write(&monolith.join(path), text.as_bytes());
        }
        Self::at(scratch, Terraform::new(bin, &monolith), monolith, plan)
    }

    /// Takes a monolith that is there already, somewhere in the scratch directory.
    pub fn at(scratch: TempDir, terraform: Terraform, monolith: PathBuf, plan: &str) -> Self {
        let states = scratch.path().join("states");
        let plan = plan.replace("STATES", &states.display().to_string());
        Self {
            monolith,
            terraform,
            plan,
            scratch,
        }
    }

    /// Applies the monolith.
    pub fn apply(self) -> Self {
        self.terraform.init();
        self.terraform.apply();
        self
    }

    fn state_path(&self) -> PathBuf {
        self.monolith.join("terraform.tfstate")
    }

    /// Cuts the monolith; the faults where that is refused.
    pub fn try_cut(&self) -> Result<CutMade, Vec<Diagnostic>> {
        self.try_cut_in(0)
    }

    /// Cuts the monolith in one of the plan file's environments, by its number.
    pub fn try_cut_in(&self, environment: usize) -> Result<CutMade, Vec<Diagnostic>> {
        let tree = WorkDir::new(&self.monolith);
        let configuration =
            Configuration::load(&tree, &LoadOptions::default()).expect("Terraform reads it too");
        let plan = PlanFile::read(Arc::new(SourceFile {
            path: "plan.hcl".into(),
            text: self.plan.clone(),
        }))
        .unwrap_or_else(|faults| panic!("{}", shown(&faults)));
        let environment = plan.environments().remove(environment);
        let source = StateId::Source(plan.sources[0].name.value.clone());
        let snapshot = Snapshot::read(fs::read(self.state_path()).expect("it was applied"))
            .expect("Terraform wrote it")
            .expect("it is not empty");
        let lineages: BTreeMap<StateId, Lineage> = plan
            .stacks
            .iter()
            .enumerate()
            .map(|(number, stack)| {
                let bytes = [u8::try_from(number).unwrap(); 16];
                (
                    StateId::Stack(stack.name.value.clone()),
                    Lineage::from_random(bytes),
                )
            })
            .collect();
        let inputs = Inputs {
            plan: &plan,
            code: BTreeMap::from([(source.clone(), &configuration)]),
            snapshots: BTreeMap::from([(source.clone(), &snapshot)]),
            lineages: lineages.clone(),
        };
        let computed = inputs.compute(&|_, _| Ok(()))?;
        let backend = configuration
            .backend(&tree, &BackendInputs::default())
            .expect("the monolith has a backend");
        let found = BTreeMap::from([(plan.sources[0].name.value.clone(), backend.location)]);
        let mut locations = plan.resolve_locations(&environment, &found)?;
        // Read by others, the monolith's state needs a path that holds everywhere.
        let path = self
            .scratch
            .path()
            .join("rest")
            .join(source.name().as_str())
            .join("terraform.tfstate");
        if let Some(location) = locations
            .get_mut(&source)
            .filter(|location| location.backend == "local")
        {
            location
                .arguments
                .insert("path".into(), path.display().to_string());
        }
        let contracts = rewrite::contract_settings(&plan, &environment, &locations)?;
        let variable_paths = plan.var_files(&plan.sources[0], &environment);
        let variables = Variables::load(&tree, &variable_paths).expect("Terraform reads them too");
        let lock_file = LockFile::load(&tree).expect("Terraform wrote it");
        let mut paths = BTreeSet::new();
        for dir in rewrite::directories(&configuration) {
            walk(&self.monolith, &dir, &mut paths);
        }
        let rewritten = rewrite::rewrite(&Input {
            plan: &plan,
            source: &source,
            configuration: &configuration,
            code: Code {
                options: &LoadOptions::default(),
                tree: &tree,
                paths: &paths,
                variables: &variables,
                variable_paths: &variable_paths,
                lock_file: lock_file.as_ref(),
            },
            snapshot: &snapshot,
            assignment: &computed.assignment,
            locations: &locations,
            contracts: &contracts,
        })?;
        let mut changes = stackcut::plan::compute::changes(
            computed.assignment.instances.clone(),
            &computed.assignment.outputs,
        );
        changes.outputs.extend(rewritten.outputs.iter().cloned());
        changes.set_outputs.extend(rewritten.set_outputs.iter().cloned());
        let mut states: States<'_> = BTreeMap::from([(source.clone(), StateInput::Existing(&snapshot))]);
        for (id, lineage) in lineages {
            states.insert(id, StateInput::New(NewState::like(&snapshot, lineage)));
        }
        let outcome = moves::apply(&states, &changes).expect("the moves were computed before");
        let conserved = moves::conserve(&states, &changes, outcome).expect("nothing is lost");
        let content = conserved.states.iter().filter_map(|(id, outcome)| {
            let kept = (*id == source).then(|| snapshot.bytes().to_vec());
            let written = outcome.written().map(|after| after.bytes().to_vec());
            Some((id.clone(), written.or(kept)?))
        });
        let undeployed = computed.joined[&source]
            .orphans
            .iter()
            .filter_map(|orphan| match orphan {
                Orphan::DeclaredNotDeployed(address) => Some(address.clone()),
                Orphan::DeployedNotDeclared(_) => None,
            });
        let made = CutMade {
            undeployed: undeployed.collect(),
            configuration: configuration.clone(),
            rewritten,
            after: content.collect(),
            before: snapshot.bytes().to_vec(),
            source: source.clone(),
            moves: computed.assignment.instances.clone(),
            locations: locations.clone(),
            variable_paths: variable_paths.clone(),
            dir: self.scratch.path().to_owned(),
            terraform: self.terraform.clone(),
        };
        let faults = made.faults(&made.rewritten);
        assert!(
            faults.is_empty(),
            "the static proof fails:\n{}",
            faults.join("\n")
        );
        made.assert_lints_clean();
        made.write();
        for (id, outcome) in &conserved.states {
            let bytes = match outcome.written() {
                Some(after) => after.bytes().to_vec(),
                None if *id == source => snapshot.bytes().to_vec(),
                None => continue,
            };
            match id {
                StateId::Stack(name) => {
                    write(&made.dir.join(format!("states/{name}.tfstate")), &bytes);
                }
                StateId::Source(_) => write(&made.stack(id).join("terraform.tfstate"), &bytes),
            }
        }
        Ok(made)
    }

    /// Cuts the monolith.
    pub fn cut(&self) -> CutMade {
        self.try_cut()
            .unwrap_or_else(|faults| panic!("{}", shown(&faults)))
    }

    /// Returns what the refusal says.
    pub fn refusal(&self) -> String {
        match self.try_cut() {
            Ok(_) => panic!("it was not refused"),
            Err(faults) => shown(&faults).replace(&self.scratch.path().display().to_string(), "LAB"),
        }
    }
}

impl CutMade {
    /// Returns the directory of a state's code.
    pub fn stack(&self, id: &StateId) -> PathBuf {
        let kind = match id {
            StateId::Stack(_) => "stacks",
            StateId::Source(_) => "rest",
        };
        self.dir.join(kind).join(id.name().as_str())
    }

    fn write(&self) {
        for (id, tree) in &self.rewritten.trees {
            for (path, bytes) in tree {
                write(&self.stack(id).join(path), bytes);
            }
        }
    }

    /// Returns the text of a file of a stack.
    pub fn text(&self, stack: &str, path: &str) -> String {
        let trees = &self.rewritten.trees;
        let tree = trees
            .iter()
            .find(|(id, _)| id.name().as_str() == stack)
            .unwrap_or_else(|| panic!("no {stack}"))
            .1;
        let bytes = tree
            .get(path)
            .unwrap_or_else(|| panic!("{stack} has {:?}", tree.keys().collect::<Vec<_>>()));
        let text = String::from_utf8(bytes.clone()).unwrap();
        text.replace(&self.dir.display().to_string(), "LAB")
    }

    /// Terraform in the directory of a state.
    pub fn terraform(&self, id: &StateId) -> Terraform {
        self.terraform.in_dir(self.stack(id))
    }

    /// Initialises, formats, validates, plans and applies every stack in order, then plans them again.
    ///
    /// Nothing may change but contract objects, and afterwards nothing at all.
    pub fn prove(&self) {
        self.prove_with(|_, _| {});
    }

    /// As [`prove`](Self::prove), with something to do in each directory before.
    pub fn prove_with(&self, prepare: impl Fn(&StateId, &Path)) {
        for id in &self.rewritten.order {
            let dir = self.stack(id);
            prepare(id, &dir);
            let terraform = self.terraform(id);
            terraform.init();
            terraform.run(&["validate", "-no-color"]).ok();
            terraform
                .run(&["fmt", "-check", "-diff", "-recursive", "-no-color"])
                .ok();
            let found = changes(&terraform.plan_json());
            let real: Vec<&String> = found.iter().filter(|change| !is_contract(change)).collect();
            assert!(
                real.is_empty(),
                "{id} in {}:\n{real:#?}\n{}",
                dir.display(),
                self.listing(id)
            );
            terraform.apply();
            terraform.settle();
        }
        for id in &self.rewritten.order {
            self.terraform(id).assert_no_changes();
        }
    }

    /// Plans every stack at once, without applying any: what a contract needs is in the states already.
    pub fn prove_by_plans(&self) {
        for id in &self.rewritten.order {
            let terraform = self.terraform(id);
            terraform.init();
            let found = changes(&terraform.plan_json());
            assert!(found.is_empty(), "{id}:\n{found:#?}\n{}", self.listing(id));
            terraform
                .run(&["fmt", "-check", "-diff", "-recursive", "-no-color"])
                .ok();
        }
    }

    /// Shows all code of a stack, for messages.
    pub fn listing(&self, id: &StateId) -> String {
        let tree = &self.rewritten.trees[id];
        let code = tree
            .iter()
            .filter(|(path, _)| path.ends_with(".tf") && !path.contains('/'));
        let shown: Vec<String> = code
            .map(|(path, bytes)| format!("--- {path}\n{}", String::from_utf8_lossy(bytes)))
            .collect();
        shown.join("\n")
    }
}

fn is_contract(change: &str) -> bool {
    let is_object = [
        ".aws_ssm_parameter.this[0]: create",
        ".aws_s3_bucket_object.this[0]: create",
        ".aws_s3_object.this[0]: create",
    ]
    .iter()
    .any(|ending| change.ends_with(ending));
    change.starts_with("module.contract") && is_object
}

fn shown(faults: &[Diagnostic]) -> String {
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    shown.join("\n\n")
}

pub fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("it has a directory")).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Lists the files below a directory.
fn walk(root: &Path, dir: &str, paths: &mut BTreeSet<String>) {
    for entry in fs::read_dir(root.join(dir)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name == ".terraform"
            || name.contains(".tfstate")
            || name == crate::support::terraform::OVERRIDE_FILE
        {
            continue;
        }
        let path = if dir.is_empty() {
            name
        } else {
            format!("{dir}/{name}")
        };
        if entry.file_type().unwrap().is_dir() {
            walk(root, &path, paths);
        } else {
            paths.insert(path);
        }
    }
}
