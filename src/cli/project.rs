//! A plan file with the code it is about: its environments, where their states live, and what opens them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::input::{RootModule, read_plan};
use super::paths::{absolute, joined, shown};
use super::plan_files::reach;
use super::stores::Stores;
use crate::config::{Configuration, EffectiveBackend};
use crate::error::{CommandError, Exit};
use crate::plan::PlanFile;
use crate::plan::file::SourceBlock;
use crate::stack::{Environment, StackName, StateId, StateLocation};
use crate::ui::Ui;

/// A plan file with the root modules of its sources.
pub(super) struct Project {
    pub(super) plan: PlanFile,
    /// The directory of the plan file, as it was named.
    beside: PathBuf,
    /// The directory that the plan file's relative paths start from, absolute.
    base: PathBuf,
    pub(super) modules: BTreeMap<StateId, RootModule>,
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

    /// Returns the option that leads a command to this plan file's migrations.
    pub(super) fn reach(&self) -> String {
        reach(Path::new(&self.plan.file.path))
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

/// Returns the directory of a plan file.
fn beside(path: &Path) -> &Path {
    path.parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
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
