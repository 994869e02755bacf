//! The code that follows a cut: reading all of it that may be carried along, and computing states and code together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::input::{RootModule, config_error, fresh_lineages};
use super::output::{MANIFEST, MARKER};
use crate::config::{LockFile, Variables};
use crate::diagnostic::Diagnostic;
use crate::error::CommandError;
use crate::plan::PlanFile;
use crate::plan::compute::{Computed, Inputs, Take};
use crate::rewrite::{self, Code, Following, NotFollowed, Proof, Rewritten, Told};
use crate::stack::{Environment, StateId, StateLocation};
use crate::state::Snapshot;
use crate::workdir::WorkDir;

/// A source's files, beside its configuration.
struct Files {
    tree: WorkDir,
    paths: BTreeSet<String>,
    variables: Variables,
    variable_paths: Vec<String>,
    lock_file: Option<LockFile>,
}

/// What a cut is computed from.
pub(super) struct Cut<'a> {
    pub(super) plan: &'a PlanFile,
    pub(super) environment: &'a Environment,
    pub(super) modules: &'a BTreeMap<StateId, RootModule>,
    pub(super) snapshots: &'a BTreeMap<StateId, Snapshot>,
}

/// Says where states will live.
pub(super) type Locate<'l> = dyn Fn() -> Result<BTreeMap<StateId, StateLocation>, CommandError> + 'l;

/// States and code, computed together.
pub(super) struct Together {
    pub(super) computed: Computed,
    /// The code; none where states move alone.
    pub(super) code: Result<Rewritten, NotFollowed>,
}

impl Cut<'_> {
    /// Computes states and code. `take` is given every new state, from several threads; `locate` says where states will
    /// live, which only code has to know.
    ///
    /// That there is no code is no error here: see [`Together::code`].
    pub(super) fn compute(&self, locate: &Locate<'_>, take: &Take<'_>) -> Result<Together, CommandError> {
        let inputs = self.inputs()?;
        let mut assigned = inputs.assign()?;
        if !assigned.has_code() || assigned.assignment.instances.is_empty() {
            let computed = inputs.carry(assigned, Vec::new(), take)?;
            let code = Err(NotFollowed::NoCode);
            return Ok(Together { computed, code });
        }
        let locations = as_written(locate()?);
        let mut files = BTreeMap::new();
        for source in &self.plan.sources {
            let id = StateId::Source(source.name.value.clone());
            if let Some(module) = self.modules.get(&id) {
                let variable_paths = self.plan.var_files(source, self.environment);
                files.insert(id, Files::read(module, variable_paths)?);
            }
        }
        let contracts = rewrite::contract_settings(self.plan, self.environment, &locations)?;
        let code = files.iter().map(|(id, files)| {
            let code = Code {
                options: &self.modules[id].options,
                tree: &files.tree,
                paths: &files.paths,
                variables: &files.variables,
                variable_paths: &files.variable_paths,
                lock_file: files.lock_file.as_ref(),
            };
            (id.clone(), code)
        });
        let following = Following {
            inputs: &inputs,
            code: code.collect(),
            locations: &locations,
            contracts: &contracts,
        };
        let (mut rewritten, presets) = match following.follow(&mut assigned) {
            Ok(found) => found,
            Err(reason) => {
                let computed = inputs.carry(assigned, Vec::new(), take)?;
                let code = Err(reason);
                return Ok(Together { computed, code });
            }
        };
        let proof = Proof::new(&rewritten, &inputs.code, &assigned);
        let faults = Mutex::new(proof.between());
        let taken = Mutex::new(BTreeSet::new());
        let take = |id: &StateId, snapshot: &Snapshot| {
            let found = proof.state(id, snapshot);
            faults.lock().expect("no holder panics").extend(found);
            taken.lock().expect("no holder panics").insert(id.clone());
            take(id, snapshot)
        };
        let computed = inputs.carry(assigned, presets, &take)?;
        let taken = taken.into_inner().expect("no holder panics");
        let mut faults = faults.into_inner().expect("no holder panics");
        for (id, snapshot) in self.snapshots.iter().filter(|(id, _)| !taken.contains(id)) {
            faults.extend(proof.state(id, snapshot));
        }
        if faults.is_empty() {
            let mut lost = proof.lost_types(&inputs.snapshots);
            rewritten.warnings.append(&mut lost);
            let code = Ok(rewritten);
            return Ok(Together { computed, code });
        }
        let told = Told::apart(
            faults,
            &inputs.code,
            &inputs.snapshots,
            &computed.assignment.instances,
        );
        Err(unproved(told))
    }

    /// Computes the states alone.
    pub(super) fn compute_states(&self, take: &Take<'_>) -> Result<Computed, CommandError> {
        Ok(self.inputs()?.compute(take)?)
    }

    fn inputs(&self) -> Result<Inputs<'_>, CommandError> {
        let code = self.modules.iter();
        let snapshots = self.snapshots.iter();
        Ok(Inputs {
            plan: self.plan,
            code: code
                .map(|(id, module)| (id.clone(), &module.configuration))
                .collect(),
            snapshots: snapshots.map(|(id, snapshot)| (id.clone(), snapshot)).collect(),
            lineages: fresh_lineages(self.plan)?,
        })
    }
}

/// Takes out of local locations what a backend block need not say.
fn as_written(mut locations: BTreeMap<StateId, StateLocation>) -> BTreeMap<StateId, StateLocation> {
    for location in locations.values_mut() {
        if location.backend == "local" && location.workspace == "default" {
            location.arguments.remove("workspace_dir");
        }
    }
    locations
}

/// Says that what was written does not fit: because the source does not, or, where nothing a person did leads there, by a
/// defect of ours.
fn unproved(told: Told) -> CommandError {
    let Told { before, mut ours } = told;
    let mut findings = before;
    findings.sort_by_key(|fault| {
        let place = fault.location.as_ref();
        (
            place.map(|(file, span)| (file.path.clone(), span.start)),
            fault.message.clone(),
        )
    });
    let is_theirs = !findings.is_empty();
    if !ours.is_empty() {
        ours.sort_by_key(ToString::to_string);
        let hint = match is_theirs {
            true => {
                "mend what stands above first; if this remains, it is a defect of stackcut: please report it"
            }
            false => {
                "this is a defect of stackcut: please report it; `stackcut split --states-only` cuts the states alone"
            }
        };
        let head = Diagnostic::error("the new code does not fit the new states")
            .note("nothing was written")
            .hint(hint);
        findings.push(head);
        findings.append(&mut ours);
    }
    if is_theirs {
        findings.push(
            Diagnostic::error(
                "the source does not fit together as it is, so what is cut from it cannot either",
            )
            .note("nothing was written")
            .hint("follow the advice above; `stackcut split --states-only` cuts the states alone"),
        );
    }
    findings.into()
}

impl Files {
    fn read(module: &RootModule, variable_paths: Vec<String>) -> Result<Self, CommandError> {
        let tree = WorkDir::new(&module.dir);
        let variables = Variables::load(&tree, &variable_paths).map_err(config_error)?;
        let lock_file = LockFile::load(&tree).map_err(config_error)?;
        let mut paths = BTreeSet::new();
        for dir in rewrite::directories(&module.configuration) {
            walk(&module.dir, &dir, &mut Vec::new(), &mut paths)?;
        }
        Ok(Self {
            tree,
            paths,
            variables,
            variable_paths,
            lock_file,
        })
    }
}

/// Lists the files below a directory that belong to code: no states, no hidden directories, no output of ours.
fn walk(
    root: &Path,
    dir: &str,
    above: &mut Vec<PathBuf>,
    paths: &mut BTreeSet<String>,
) -> Result<(), CommandError> {
    let place = root.join(dir);
    let failed = |error: std::io::Error| {
        CommandError::new(format!("cannot read {}: {error}", place.display())).note("nothing was written")
    };
    if !dir.is_empty() && !place.exists() {
        return Ok(());
    }
    // A link may lead back to where it is.
    let real = fs::canonicalize(&place).map_err(failed)?;
    let is_ours = || [MARKER, MANIFEST].iter().any(|name| place.join(name).is_file());
    if above.contains(&real) || (!dir.is_empty() && is_ours()) {
        return Ok(());
    }
    above.push(real);
    for entry in fs::read_dir(&place).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A name that is not Unicode cannot be named in code.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.contains(".tfstate") {
            continue;
        }
        let path = match dir {
            "" => name.clone(),
            dir => format!("{dir}/{name}"),
        };
        match fs::metadata(entry.path()) {
            Ok(found) if found.is_dir() && name.starts_with('.') => {}
            Ok(found) if found.is_dir() => walk(root, &path, above, paths)?,
            Ok(_) => {
                paths.insert(path);
            }
            // A link that leads nowhere.
            Err(_) => {}
        }
    }
    above.pop();
    Ok(())
}
