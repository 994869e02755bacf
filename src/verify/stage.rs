//! One plan of a rehearsal: a scratch copy with its state and what its upstreams tell, and Terraform in it.

use std::collections::BTreeMap;

use super::overlay::{Known, Overlay, PRIVATE_VARIABLES, Places, STATE, WORKSPACES};
use super::plan_json::Plan;
use super::proof::Failure;
use super::rehearsal::{Baseline, Rehearsal, Stack};
use super::told::Told;
use crate::rewrite::Reading;
use crate::stack::StateId;
use crate::terraform::{Cache, Planning, RootFiles, Scratch, ScratchRoot, Stop, Terraform, TerraformError};

/// What one plan came to.
pub(super) struct Planned {
    pub plan: Plan,
    pub told: Told,
    pub notes: Vec<String>,
}

pub(super) type Outcome = Result<Planned, Failure>;

/// Everything that a plan needs.
pub(super) struct Stage<'r, 'a> {
    pub rehearsal: &'r Rehearsal<'a>,
    pub terraform: &'r Terraform,
    pub scratch: &'r Scratch,
    pub cache: &'r Cache,
    pub stop: Stop<'r>,
}

impl Stage<'_, '_> {
    /// Plans a monolith as it is.
    pub fn baseline(&self, baseline: &Baseline<'_>) -> Outcome {
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

    /// Plans a stack with what its upstreams tell.
    pub fn stack(&self, stack: &Stack<'_>, told: &BTreeMap<&StateId, &Told>) -> Outcome {
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
            let is_rehearsed = self.rehearsal.stacks.iter().any(|stack| stack.id == *producer);
            if !is_rehearsed {
                notes.push(format!("planned with what `{producer}` tells in its store now"));
                return Ok(());
            }
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
            overlay.give(reading, contract, known, places, version, &declares);
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
