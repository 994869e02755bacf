//! `--verify`: how far the result of a plan is proven before anything is written.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::input::{RootModule, data_dir};
use super::prepare::Prepared;
use super::project::Project;
use super::signals;
use crate::diagnostic::Diagnostic;
use crate::error::{CommandError, Exit};
use crate::execute::Interrupt;
use crate::rewrite::{self, NotFollowed};
use crate::stack::{Environment, StateId};
use crate::terraform::{Original, Terraform, TerraformError};
use crate::ui::Ui;
use crate::verify::{Parts, Proof, Rehearsal, Source, Step, VerifyError};

/// How the result is proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Verification {
    /// Code and states are compared: no terraform, no credentials
    #[default]
    Static,
    /// Every stack is also planned by real Terraform or OpenTofu, in scratch copies
    Terraform,
}

/// Arguments of the proof.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// How it is proven that nothing real changes
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    verify: Verification,
    /// The terraform or tofu executable, a path or a name [default: terraform, else tofu]
    #[arg(long, value_name = "PATH")]
    terraform: Option<PathBuf>,
    /// How many stacks are planned at once
    #[arg(long, value_name = "N", default_value = "4", value_parser = super::conduct::at_least_one)]
    parallelism: NonZeroUsize,
    /// How long one run of terraform may take, for example 30s or 5m
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = super::duration::parse)]
    terraform_timeout: Duration,
}

impl VerifyArgs {
    /// Finds the executable where real plans are wanted; best done before the long work.
    pub(super) fn executable(&self) -> Result<Option<Terraform>, CommandError> {
        match self.verify {
            Verification::Static => Ok(None),
            Verification::Terraform => {
                let interrupt = Interrupt::default();
                let at_work = signals::executing(&interrupt);
                let found = Terraform::find(self.terraform.as_deref(), &|| interrupt.is_raised());
                drop(at_work);
                let found = found.map_err(|error| fault(&error))?;
                Ok(Some(found.timeout(self.terraform_timeout)))
            }
        }
    }

    /// Plans what was computed for one environment.
    pub(super) fn prove(
        &self,
        terraform: &Terraform,
        project: &Project,
        environment: &Environment,
        prepared: &Prepared,
        ui: &Ui,
    ) -> Result<Proof, CommandError> {
        let code = prepared.code.as_ref().map_err(no_code)?;
        let sources = sources(project, environment, prepared)?;
        let written = prepared.new_states()?;
        let mut after: BTreeMap<StateId, &[u8]> = BTreeMap::new();
        for (id, snapshot) in &prepared.snapshots {
            after.insert(id.clone(), snapshot.bytes());
        }
        for (id, bytes) in &written {
            after.insert(id.clone(), bytes);
        }
        let locations = project.locations(environment)?;
        let rehearsal = Rehearsal::new(&Parts {
            environment: &environment.name,
            rewritten: code,
            after: &after,
            sources: &sources,
            locations: &locations,
            moves: &prepared.migration.moves,
        });
        self.run(terraform, &rehearsal, ui)
    }

    fn run(&self, terraform: &Terraform, rehearsal: &Rehearsal<'_>, ui: &Ui) -> Result<Proof, CommandError> {
        let all = rehearsal.stacks.len() + rehearsal.baselines.len();
        let bar = ui.progress(u64::try_from(all).unwrap_or(u64::MAX), "planning");
        let done = Mutex::new(0_usize);
        let progress = |step: &Step| {
            let mut done = done.lock().expect("no holder panics");
            *done += 1;
            let what = match step.is_baseline {
                true => format!("{} as it is", step.id),
                false => step.id.to_string(),
            };
            let verb = if step.planned { "planned" } else { "could not plan" };
            bar.suspend(|| ui.say(&format!("{verb} {what} ({done} of {all})")));
            bar.inc(1);
        };
        let interrupt = Interrupt::default();
        let at_work = signals::executing(&interrupt);
        let outcome = rehearsal.run(terraform, self.parallelism, &|| interrupt.is_raised(), &progress);
        drop(at_work);
        bar.finish_and_clear();
        let proof = outcome.map_err(|error| match error {
            VerifyError::Interrupted => interrupted(),
            VerifyError::Terraform(error) => fault(&error),
        })?;
        ui.findings(&proof.warnings());
        Ok(proof)
    }
}

fn interrupted() -> CommandError {
    CommandError::new("interrupted")
        .note("nothing was written; every terraform was stopped, and the scratch copies are gone")
        .exit(Exit::Interrupted)
}

fn fault(error: &TerraformError) -> CommandError {
    if matches!(error, TerraformError::Interrupted { .. }) {
        return interrupted();
    }
    let said = error.stderr().into_iter().flat_map(str::lines);
    let found = said.fold(Diagnostic::error(error.to_string()), |found, line| {
        found.note(line)
    });
    CommandError::from(found.note("nothing was written").hint(error.advice()))
}

/// Says why there is nothing to plan.
fn no_code(reason: &NotFollowed) -> CommandError {
    let mut findings = match reason {
        NotFollowed::NoCode => Vec::new(),
        NotFollowed::StatesOnly(found) | NotFollowed::Refused(found) => found.clone(),
    };
    findings.push(
        Diagnostic::error("there is no code to plan: the states move alone")
            .note("nothing was written")
            .hint("leave `--verify terraform` away, or change the plan file so that the code can follow"),
    );
    findings.into()
}

fn sources<'p>(
    project: &Project,
    environment: &Environment,
    prepared: &'p Prepared,
) -> Result<BTreeMap<StateId, Source<'p>>, CommandError> {
    let mut sources = BTreeMap::new();
    for source in &project.plan.sources {
        let id = StateId::Source(source.name.value.clone());
        let (Some(module), Some(before)) = (project.modules.get(&id), prepared.snapshots.get(&id)) else {
            continue;
        };
        let source = Source {
            original: original(module)?,
            before: before.bytes(),
            variable_paths: project.plan.var_files(source, environment),
        };
        sources.insert(id, source);
    }
    Ok(sources)
}

/// Returns the directory of a root module as a rehearsal needs it.
fn original(module: &RootModule) -> Result<Original, CommandError> {
    let failed =
        |error: std::io::Error| CommandError::new(format!("cannot find {}: {error}", module.dir.display()));
    let dir = std::fs::canonicalize(&module.dir).map_err(failed)?;
    let mut outside = rewrite::directories(&module.configuration);
    outside.remove("");
    Ok(Original {
        data_dir: dir.join(Path::new(&data_dir())),
        dir,
        outside,
    })
}
