//! Commands on one migration, found by its ID.

use std::path::PathBuf;

use clap::Args;

use super::apply::ended_well;
use super::conduct::{ConductArgs, Conductor, explain, failure};
use super::journals::{Known, find};
use super::stores::Stores;
use super::{RunFormat, print};
use crate::error::{CommandError, Exit};
use crate::execute::{Context, ExecuteError, Handles, Outcome};
use crate::journal::MigrationId;
use crate::report::migration::{CommandReport, Ending, RunReport};
use crate::ui::Ui;

/// Which migration.
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// The migration's ID, as `apply` and `status` print it
    id: MigrationId,
    /// A plan file or saved plan beside whose source its journal lies [default: every `*.hcl` below ./plans, and the plan files here]
    #[arg(long = "plan", value_name = "FILE")]
    plans: Vec<PathBuf>,
}

/// How a command ended well.
pub(super) enum Done {
    /// The migration stands so now.
    Outcome(Outcome),
    /// It is no more.
    Discarded,
}

/// One command on one migration.
pub(super) struct Job<'a> {
    pub(super) known: Known,
    pub(super) handles: Handles,
    command: &'static str,
    conduct: ConductArgs,
    format: RunFormat,
    ui: &'a Ui,
}

impl<'a> Job<'a> {
    /// Finds the migration and opens its states.
    pub(super) fn start(
        command: &'static str,
        target: &TargetArgs,
        conduct: ConductArgs,
        format: RunFormat,
        ui: &'a Ui,
    ) -> Result<Self, CommandError> {
        let stores = Stores::default();
        let known = find(&target.id, &target.plans, &stores, ui)?;
        let handles = known.handles(&stores)?;
        Ok(Self {
            known,
            handles,
            command,
            conduct,
            format,
            ui,
        })
    }

    /// Runs it, and prints how it ended.
    pub(super) fn run(
        self,
        run: impl FnOnce(Context<'_>, &Known, &Handles) -> Result<Done, ExecuteError>,
    ) -> Result<Exit, CommandError> {
        let conductor = Conductor::new(self.conduct, self.ui)?;
        let migration = self.known.found.journal().migration();
        let id = migration.id.clone();
        let reach = self.known.reach();
        let executing = conductor.executing();
        let ended = conductor.conduct(migration, &self.known.plan, |context| {
            run(context, &self.known, &self.handles)
        });
        drop(executing);
        let mut report = self.report(Ending::Failed);
        let stopped = match ended {
            Ok(Done::Outcome(outcome)) => {
                ended_well(&mut report, outcome, &id, &reach);
                None
            }
            Ok(Done::Discarded) => {
                report.ending = Ending::Discarded;
                None
            }
            Err(error) => {
                let error = explain(&error, &reach);
                report.error = Some(failure(&error));
                Some(error)
            }
        };
        self.print(report, stopped.is_some())?;
        stopped.map_or(Ok(Exit::Success), Err)
    }

    /// Ends the command without running it.
    pub(super) fn fail(&self, error: CommandError) -> Result<Exit, CommandError> {
        let mut report = self.report(Ending::Failed);
        report.error = Some(failure(&error));
        self.print(report, true)?;
        Err(error)
    }

    fn report(&self, ending: Ending) -> RunReport {
        RunReport {
            file: self.known.file.display().to_string(),
            split: self.known.plan.name.to_string(),
            environment: self.known.plan.environment.clone(),
            migration: Some(self.known.id().to_string()),
            ending,
            plan: None,
            fence: Vec::new(),
            fence_lost: Vec::new(),
            reason: None,
            error: None,
            next: None,
        }
    }

    fn print(&self, report: RunReport, is_error: bool) -> Result<(), CommandError> {
        match self.format {
            RunFormat::Json => print(self.ui, &CommandReport::new(self.command, vec![report]).json()),
            RunFormat::Text if is_error => Ok(()),
            RunFormat::Text => print(self.ui, &report.text()),
        }
    }
}
