//! `stackcut undo`: takes a migration back.

use clap::Args;

use super::RunFormat;
use super::apply::approve;
use super::conduct::ConductArgs;
use super::job::{Done, Job, TargetArgs};
use crate::error::{CommandError, Exit};
use crate::execute::{self, PlannedResults};
use crate::journal::Finished;
use crate::report::count;
use crate::ui::Ui;

/// Take a migration back: sources get their objects back, then the stacks lose them
///
/// From wherever it stopped, and also days after it was carried out, as long as every state is exactly as the migration
/// left it (exit code 4 otherwise). Asks; without a terminal it needs --auto-approve.
#[derive(Debug, Args)]
pub(super) struct UndoArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    #[command(flatten)]
    conduct: ConductArgs,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
}

/// Walks back.
pub(super) fn run(args: &UndoArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let job = Job::start("undo", &args.target, args.conduct, args.format, ui)?;
    let is_over = matches!(
        job.known.phase().finished(),
        Some(Finished::Aborted | Finished::Undone)
    );
    if !is_over && !args.auto_approve {
        let states = job.known.found.journal().migration().states();
        let changed = states.iter().filter(|state| !state.is_unchanged()).count();
        let question = format!(
            "Take migration {} back, and give {} the content from before?",
            job.known.id(),
            count(changed, "state")
        );
        approve(ui, &question, "undo")?;
    }
    job.run(|context, known, handles| {
        execute::undo(context, handles, known.found.clone(), &PlannedResults).map(Done::Outcome)
    })
}
