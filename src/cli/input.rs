//! Reading what commands work on: a root module, its local state, a plan file.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{
    BackendInputs, BackendSetting, ConfigError, Configuration, EffectiveBackend, LoadOptions,
};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::error::{CommandError, Exit};
use crate::plan::PlanFile;
use crate::stack::StateId;
use crate::state::{Lineage, Snapshot};
use crate::ui::Ui;
use crate::workdir::WorkDir;

/// A root module in a real directory.
#[derive(Debug)]
pub(super) struct RootModule {
    pub(super) dir: PathBuf,
    /// How it was read.
    pub(super) options: LoadOptions,
    pub(super) configuration: Configuration,
    pub(super) backend: EffectiveBackend,
}

/// Returns where `init` keeps its data.
pub(super) fn data_dir() -> String {
    env::var("TF_DATA_DIR")
        .ok()
        .filter(|dir| !dir.is_empty())
        .unwrap_or_else(|| ".terraform".to_owned())
}

/// Returns what the environment says about the backend.
fn inputs() -> BackendInputs {
    BackendInputs {
        data_dir: data_dir(),
        workspace: env::var("TF_WORKSPACE").ok().filter(|name| !name.is_empty()),
        ..BackendInputs::default()
    }
}

impl RootModule {
    /// Reads a root module; warnings are printed.
    pub(super) fn read(dir: &Path, ui: &Ui) -> Result<Self, CommandError> {
        let tree = WorkDir::new(dir);
        let options = LoadOptions {
            data_dir: data_dir(),
            ..LoadOptions::default()
        };
        let configuration = Configuration::load(&tree, &options).map_err(config_error)?;
        let backend = configuration.backend(&tree, &inputs()).map_err(config_error)?;
        ui.findings(&configuration.diagnostics);
        ui.findings(&backend.diagnostics);
        Ok(Self {
            dir: dir.to_owned(),
            options,
            configuration,
            backend,
        })
    }

    /// Returns where the state lives with these files of backend arguments on top, as after an `init` with them.
    pub(super) fn backend_with(&self, files: Vec<String>) -> Result<EffectiveBackend, CommandError> {
        let tree = WorkDir::new(&self.dir);
        let inputs = BackendInputs {
            settings: files.into_iter().map(BackendSetting::File).collect(),
            ..inputs()
        };
        self.configuration.backend(&tree, &inputs).map_err(config_error)
    }

    /// Returns the path at which a local copy of the state is looked for: where the local backend has it, else
    /// `terraform.tfstate` beside the code.
    pub(super) fn local_state_path(&self) -> PathBuf {
        let location = &self.backend.location;
        match location.arguments.get("path") {
            Some(path) if location.backend == "local" && location.workspace == "default" => {
                self.dir.join(path)
            }
            _ if location.backend == "local" && location.workspace != "default" => {
                let workspaces = location
                    .arguments
                    .get("workspace_dir")
                    .map_or("terraform.tfstate.d", String::as_str);
                self.dir
                    .join(workspaces)
                    .join(&location.workspace)
                    .join("terraform.tfstate")
            }
            _ => self.dir.join("terraform.tfstate"),
        }
    }
}

pub(super) fn config_error(error: ConfigError) -> CommandError {
    match error {
        ConfigError::Source(error) => CommandError::new(error.to_string()).note("nothing was written"),
        ConfigError::Invalid { diagnostics, .. } => {
            CommandError::from(diagnostics).note("nothing was written")
        }
    }
}

/// Reads a state file; `None` where there is none, or it is empty.
pub(super) fn read_state(path: &Path) -> Result<Option<Snapshot>, CommandError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("cannot read {}: {error}", path.display());
            return Err(CommandError::new(message).note("nothing was written"));
        }
    };
    Snapshot::read(bytes).map_err(|error| {
        let within = error.address.as_ref().map(|address| format!(" in `{address}`"));
        let finding = Diagnostic::error(format!(
            "{} is not a state that can be cut: {}{}",
            path.display(),
            error.refusal,
            within.unwrap_or_default()
        ));
        // The place without its line: what stands there may be secret.
        let place = error.place;
        let at = format!(
            "at {}:{}:{} (byte {})",
            path.display(),
            place.line,
            place.column,
            place.offset
        );
        CommandError::from(finding.note(at).note("nothing was written").hint(error.advice()))
    })
}

/// Reads a plan file.
pub(super) fn read_plan(path: &Path) -> Result<PlanFile, CommandError> {
    let text = fs::read(path).map_err(|error| {
        let message = format!("cannot read the plan file {}: {error}", path.display());
        CommandError::new(message)
            .note("nothing was written")
            .hint("docs/plan-file.md shows how to write one")
            .exit(Exit::Usage)
    })?;
    let text = String::from_utf8(text).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("the plan file {} is not UTF-8 text at byte {at}", path.display());
        CommandError::new(message).note("nothing was written")
    })?;
    let file = Arc::new(SourceFile {
        path: path.display().to_string(),
        text,
    });
    PlanFile::read(file).map_err(|found| CommandError::from(found).note("nothing was written"))
}

/// Draws a lineage for every stack of a plan file.
pub(super) fn fresh_lineages(plan: &PlanFile) -> Result<BTreeMap<StateId, Lineage>, CommandError> {
    let mut lineages = BTreeMap::new();
    for stack in &plan.stacks {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| CommandError::new(format!("no random bytes: {error}")))?;
        lineages.insert(
            StateId::Stack(stack.name.value.clone()),
            Lineage::from_random(bytes),
        );
    }
    Ok(lineages)
}
