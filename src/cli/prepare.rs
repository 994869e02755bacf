//! What `plan` and `apply` have in common: reading every state where it lives, and computing the migration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::code::{Cut, Together};
use super::earlier::Earlier;
use super::input::{RootModule, read_plan};
use super::paths::{absolute, joined, shown};
use super::stores::{Stores, backend_error};
use crate::backend::StateBackend;
use crate::config::{Configuration, EffectiveBackend};
use crate::diagnostic::Diagnostic;
use crate::error::{CommandError, Exit};
use crate::plan::backend::describe;
use crate::plan::file::SourceBlock;
use crate::plan::migration::Fingerprint;
use crate::plan::{MigrationPlan, PlanFile};
use crate::report::split::SplitReport;
use crate::rewrite::{NotFollowed, Rewritten};
use crate::stack::{Environment, StackName, StateId, StateLocation};
use crate::state::Snapshot;
use crate::ui::Ui;

/// How many states are read at once.
const READERS: usize = 16;

/// A plan file with the root modules of its sources.
pub(super) struct Project {
    pub(super) plan: PlanFile,
    /// The directory of the plan file, as it was named.
    beside: PathBuf,
    /// The directory that the plan file's relative paths start from, absolute.
    base: PathBuf,
    pub(super) modules: BTreeMap<StateId, RootModule>,
}

/// One environment of a project, computed.
pub(super) struct Prepared {
    pub(super) migration: MigrationPlan,
    pub(super) report: SplitReport,
    pub(super) earlier: Earlier,
    /// The code of every stack and of what is left of the sources; why there is none.
    pub(super) code: Result<Rewritten, NotFollowed>,
    /// The states as they were read.
    pub(super) snapshots: BTreeMap<StateId, Snapshot>,
}

impl Prepared {
    /// Returns the report for people.
    pub(super) fn text(&self) -> String {
        if self.migration.is_empty() {
            let MigrationPlan {
                name, environment, ..
            } = &self.migration;
            return format!("{name}: nothing to do, environment {environment}\n");
        }
        self.report.text()
    }

    /// Says what a person should know of the code, and why it does not follow if it does not.
    fn tell_of_code(&self, ui: &Ui) {
        match &self.code {
            Ok(code) => code.warnings.iter().for_each(|warning| ui.finding(warning)),
            Err(reason) => reason
                .as_warnings()
                .iter()
                .for_each(|warning| ui.finding(warning)),
        }
    }

    /// Computes the content of every state that the migration writes.
    pub(super) fn new_states(&self) -> Result<BTreeMap<StateId, Vec<u8>>, CommandError> {
        let replayed = self.migration.replay(&self.snapshots);
        replayed.map_err(|error| CommandError::new(error.to_string()).note("nothing was written"))
    }
}

impl Project {
    /// Reads a plan file and the code of its sources.
    pub(super) fn read(path: &Path, ui: &Ui) -> Result<Self, CommandError> {
        let plan = read_plan(path)?;
        let beside = beside(path);
        let mut modules = BTreeMap::new();
        for source in &plan.sources {
            let module = RootModule::read(&shown(beside, &source.dir.value), ui)?;
            modules.insert(StateId::Source(source.name.value.clone()), module);
        }
        Self::of(plan, path, modules)
    }

    /// Takes a plan file and the code of its sources, read before.
    pub(super) fn of(
        plan: PlanFile,
        path: &Path,
        modules: BTreeMap<StateId, RootModule>,
    ) -> Result<Self, CommandError> {
        let beside = beside(path);
        let base = std::fs::canonicalize(beside)
            .map_err(|error| CommandError::new(format!("cannot find {}: {error}", beside.display())))?;
        Ok(Self {
            plan,
            beside: beside.to_owned(),
            base,
            modules,
        })
    }

    /// Reads the code of every state that gives something away; none where the plan file does not say where it is.
    pub(super) fn code_of(&self, id: &StateId, ui: &Ui) -> Result<Option<Configuration>, CommandError> {
        if let Some(module) = self.modules.get(id) {
            return Ok(Some(module.configuration.clone()));
        }
        let back = self
            .plan
            .returns
            .iter()
            .find(|back| StateId::Stack(back.name.value.clone()) == *id);
        let Some(dir) = back.and_then(|back| back.dir.as_ref()) else {
            return Ok(None);
        };
        let module = RootModule::read(&shown(&self.beside, &dir.value), ui)?;
        Ok(Some(module.configuration))
    }

    /// Returns the environments whose names match a glob (`*` stands for any run of characters).
    pub(super) fn environments(&self, glob: Option<&str>) -> Result<Vec<Environment>, CommandError> {
        let all = self.plan.environments();
        let Some(glob) = glob else { return Ok(all) };
        let known: Vec<String> = all.iter().map(|environment| environment.name.clone()).collect();
        let found: Vec<Environment> = all
            .into_iter()
            .filter(|environment| fits(glob, &environment.name))
            .collect();
        if found.is_empty() {
            return Err(CommandError::usage(format!("no environment matches `{glob}`"))
                .note("nothing was written")
                .hint(format!("the plan file has: {}", known.join(", "))));
        }
        Ok(found)
    }

    /// Returns where every state lives in an environment; local paths are made absolute.
    pub(super) fn locations(
        &self,
        environment: &Environment,
    ) -> Result<BTreeMap<StateId, StateLocation>, CommandError> {
        let mut found: BTreeMap<StackName, StateLocation> = BTreeMap::new();
        for source in &self.plan.sources {
            let mut location = self.backend(source, environment)?.location;
            let dir = joined(&self.base, Path::new(&source.dir.value));
            absolute(&mut location, &std::fs::canonicalize(&dir).unwrap_or(dir));
            found.insert(source.name.value.clone(), location);
        }
        let mut locations = self.plan.resolve_locations(environment, &found)?;
        for location in locations.values_mut() {
            absolute(location, &self.base);
        }
        Ok(locations)
    }

    /// Reads every state of an environment, under no lock, computes its migration, and says what is worth knowing.
    pub(super) fn prepare(
        &self,
        stores: &Stores,
        environment: &Environment,
        ui: &Ui,
    ) -> Result<Prepared, CommandError> {
        let prepared = self.compute_from(stores, environment);
        for finding in stores.take_findings() {
            ui.finding(&finding);
        }
        let prepared = prepared?;
        prepared.tell_of_code(ui);
        ui.done(&format!(
            "computed {}, environment {}",
            self.plan.file.path, environment.name
        ));
        Ok(prepared)
    }

    fn compute_from(&self, stores: &Stores, environment: &Environment) -> Result<Prepared, CommandError> {
        let mut locations = self.open_to(stores, environment)?;
        let sources = locations
            .iter()
            .filter(|(id, _)| matches!(id, StateId::Source(_)));
        let earlier = Earlier::look(stores, &self.reach(), sources)?;
        let snapshots = read_all(&locations, stores)?;
        let (plan, snapshots) = earlier.without_what_is_done(&self.plan, &environment.name, snapshots);
        locations.retain(|id, _| plan.states().iter().any(|(known, _)| known == id));
        check_presence(&plan, &snapshots, &locations)?;
        let (Together { computed, code }, prints) =
            self.compute(&plan, environment, &locations, &snapshots)?;
        let migration = computed
            .migration(&plan, &environment.name, &locations, &snapshots, &prints)
            .map_err(|fault| CommandError::new(fault.to_string()).note("nothing was written"))?;
        let mut report = SplitReport::new(&plan, &environment.name, &snapshots, &computed);
        report.place(&|id| locations.get(id).map(describe));
        match &code {
            Ok(code) => report.followed_by(code),
            Err(reason) => report.states_alone(reason),
        }
        Ok(Prepared {
            migration,
            report,
            earlier,
            code,
            snapshots,
        })
    }

    /// Returns the option that leads a command to this plan file's migrations.
    pub(super) fn reach(&self) -> String {
        super::journals::reach(Path::new(&self.plan.file.path))
    }

    /// Returns where a source's own root module keeps its state in an environment.
    fn backend(
        &self,
        source: &SourceBlock,
        environment: &Environment,
    ) -> Result<EffectiveBackend, CommandError> {
        let module = &self.modules[&StateId::Source(source.name.value.clone())];
        if source.backend_config.is_empty() {
            return Ok(module.backend.clone());
        }
        let files = self.plan.backend_config(source, environment);
        module.backend_with(files.map_err(|fault| CommandError::from(vec![fault]))?)
    }

    /// Returns where every state lives, and hands over the credentials that open it.
    pub(super) fn open_to(
        &self,
        stores: &Stores,
        environment: &Environment,
    ) -> Result<BTreeMap<StateId, StateLocation>, CommandError> {
        let locations = self.locations(environment)?;
        self.remember_credentials(stores, environment, &locations)?;
        Ok(locations)
    }

    /// Hands over the credentials in a source's code or saved init data: for its own state, and for stacks, which take
    /// their arguments from the first source. Who chooses another profile there chooses other credentials.
    fn remember_credentials(
        &self,
        stores: &Stores,
        environment: &Environment,
        locations: &BTreeMap<StateId, StateLocation>,
    ) -> Result<(), CommandError> {
        for (at, source) in self.plan.sources.iter().enumerate() {
            let found = self.backend(source, environment)?;
            let name = &source.name.value;
            for (id, location) in locations {
                let takes_from_it = match id {
                    StateId::Source(other) => other == name,
                    StateId::Stack(_) => at == 0,
                };
                let same = |name: &str| found.location.arguments.get(name) == location.arguments.get(name);
                if takes_from_it && found.location.backend == location.backend && same("profile") {
                    stores.remember(location, &found.credentials);
                }
            }
        }
        Ok(())
    }

    fn compute(
        &self,
        plan: &PlanFile,
        environment: &Environment,
        locations: &BTreeMap<StateId, StateLocation>,
        snapshots: &BTreeMap<StateId, Snapshot>,
    ) -> Result<(Together, BTreeMap<StateId, Fingerprint>), CommandError> {
        let prints = Mutex::new(BTreeMap::new());
        let take = |id: &StateId, snapshot: &Snapshot| {
            let print = Fingerprint::of(snapshot);
            prints.lock().expect("no holder panics").insert(id.clone(), print);
            Ok(())
        };
        let cut = Cut {
            plan,
            environment,
            modules: &self.modules,
            snapshots,
        };
        let together = cut.compute(&|| Ok(locations.clone()), &take)?;
        Ok((together, prints.into_inner().expect("no holder panics")))
    }
}

/// Refuses sources without a state, and states where the plan file expects none.
pub(super) fn check_presence(
    plan: &PlanFile,
    snapshots: &BTreeMap<StateId, Snapshot>,
    locations: &BTreeMap<StateId, StateLocation>,
) -> Result<(), CommandError> {
    let place = |id: &StateId| locations.get(id).map_or_else(String::new, describe);
    let mut findings = Vec::new();
    let mut must_be_there: Vec<StateId> = plan
        .sources
        .iter()
        .map(|source| StateId::Source(source.name.value.clone()))
        .collect();
    must_be_there.extend(
        plan.returns
            .iter()
            .map(|back| StateId::Stack(back.name.value.clone())),
    );
    for id in must_be_there.iter().filter(|id| !snapshots.contains_key(id)) {
        let finding = Diagnostic::error(format!("there is no state for `{id}` at {}", place(id)));
        findings.push(
            finding
                .note("nothing was written")
                .hint("check bucket, key and workspace"),
        );
    }
    for stack in &plan.stacks {
        let id = StateId::Stack(stack.name.value.clone());
        match (stack.existing, snapshots.get(&id)) {
            (false, Some(found)) if !found.is_empty() => {
                let message = format!(
                    "there is a state for the new stack `{id}` already, at {}",
                    place(&id)
                );
                let finding = Diagnostic::error(message).at(&plan.file, stack.name.span.clone());
                let hint = "add `existing = true` to the block to merge into it, or choose another key";
                findings.push(finding.note("nothing was written").hint(hint));
            }
            (true, None) => {
                let message = format!(
                    "there is no state for the existing stack `{id}` at {}",
                    place(&id)
                );
                let finding = Diagnostic::error(message).at(&plan.file, stack.name.span.clone());
                findings.push(
                    finding
                        .note("nothing was written")
                        .hint("remove `existing = true` to create it"),
                );
            }
            _ => {}
        }
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(findings.into())
    }
}

/// Returns the directory of a plan file.
fn beside(path: &Path) -> &Path {
    path.parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Reads all states, some at a time.
pub(super) fn read_all(
    locations: &BTreeMap<StateId, StateLocation>,
    stores: &Stores,
) -> Result<BTreeMap<StateId, Snapshot>, CommandError> {
    let mut list = Vec::new();
    for (id, location) in locations {
        list.push((id, stores.open_for_reading(location)?));
    }
    let mut snapshots = BTreeMap::new();
    for chunk in list.chunks(READERS) {
        let readings: Vec<Result<Option<Snapshot>, CommandError>> = std::thread::scope(|scope| {
            let threads: Vec<_> = chunk
                .iter()
                .map(|(_, store)| scope.spawn(|| read_one(&**store)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("a reader does not panic"))
                .collect()
        });
        for ((id, _), reading) in chunk.iter().zip(readings) {
            let reading = reading
                .map_err(|error| error.note(format!("it is the state of `{id}`; nothing was written")));
            if let Some(snapshot) = reading? {
                snapshots.insert((*id).clone(), snapshot);
            }
        }
    }
    Ok(snapshots)
}

fn read_one(store: &dyn StateBackend) -> Result<Option<Snapshot>, CommandError> {
    let at = store.describe();
    let reading = store
        .read()
        .and_then(|reading| reading.checked(&at))
        .map_err(|error| backend_error(&error))?;
    let Some(object) = reading.object else {
        return Ok(None);
    };
    Snapshot::read(object.bytes).map_err(|error| {
        CommandError::new(format!("{at} is not a state that can be cut: {error}")).hint(error.advice())
    })
}

/// Tells whether a name matches a glob.
fn fits(glob: &str, name: &str) -> bool {
    match glob.split_once('*') {
        None => glob == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|&at| rest.is_char_boundary(at))
                .any(|at| fits(tail, &rest[at..]))
        }),
    }
}

/// Refuses plan files whose environments share a state.
pub(super) fn check_shared(project: &Project, environments: &[Environment]) -> Result<(), CommandError> {
    let mut located = Vec::new();
    for environment in environments {
        located.push((environment, project.locations(environment)?));
    }
    let findings = project
        .plan
        .shared_between(located.iter().map(|(environment, found)| (*environment, found)));
    if findings.is_empty() {
        Ok(())
    } else {
        Err(CommandError::from(findings).exit(Exit::Error))
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn environment_globs() {
        let table = [
            ("tenant-a/*", "tenant-a/stage", true),
            ("*/prod", "tenant-b/prod", true),
            ("*", "é", true),
            ("prod", "prod", true),
            ("prod", "prod2", false),
            ("*/prod", "prod", false),
        ];
        for (glob, name, expected) in table {
            assert_eq!(fits(glob, name), expected, "{glob} {name}");
        }
    }
}
