//! `stackcut resume`: goes on with what was interrupted.

use clap::Args;

use super::RunFormat;
use super::conduct::ConductArgs;
use super::job::{Done, Job, TargetArgs};
use crate::error::{CommandError, Exit};
use crate::execute::{self, PlannedResults};
use crate::ui::Ui;

/// Go on with an interrupted migration, or with its interrupted undo
///
/// Works from any machine that reaches the states: where they are, and what becomes of them, stands in the journal beside
/// the source, not in the plan file. A migration that is over is left as it is.
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    conduct: ConductArgs,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
}

/// Goes on.
pub(super) fn run(args: &ResumeArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let job = Job::start("resume", &args.target, args.conduct, args.format, ui)?;
    job.run(|context, known, handles| {
        execute::resume(context, handles, known.found.clone(), &PlannedResults).map(Done::Outcome)
    })
}
