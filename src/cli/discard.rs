//! `stackcut discard`: gives up the way back.

use clap::Args;

use super::RunFormat;
use super::apply::approve;
use super::conduct::ConductArgs;
use super::job::{Done, Job, TargetArgs};
use crate::error::{CommandError, Exit};
use crate::execute;
use crate::journal::Finished;
use crate::ui::Ui;

/// Delete the backups of a migration that is over
///
/// There is no way back afterwards. Its journal stays, for `stackcut history`. Asks; without a terminal it needs
/// --auto-approve.
#[derive(Debug, Args)]
pub(super) struct DiscardArgs {
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

/// Deletes the backups.
pub(super) fn run(args: &DiscardArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let job = Job::start("discard", &args.target, args.conduct, args.format, ui)?;
    let is_over = matches!(
        job.known.phase().finished(),
        Some(Finished::Completed | Finished::Aborted | Finished::Undone)
    );
    if is_over && !args.auto_approve {
        let question = format!(
            "Delete the backups of migration {} ({})? It cannot be undone afterwards.",
            job.known.id(),
            job.known.phase()
        );
        approve(ui, &question, "discard")?;
    }
    job.run(|context, known, handles| {
        execute::discard(context, handles, known.found.clone()).map(|()| Done::Discarded)
    })
}
