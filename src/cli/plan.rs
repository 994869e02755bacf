//! `stackcut plan`: the dry run against the real states.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::prepare::{Prepared, Project, check_shared};
use super::signals;
use super::stores::Stores;
use super::{ReportFormat, print};
use crate::error::{CommandError, Exit};
use crate::plan::format_v1;
use crate::ui::Ui;

/// Compute a migration of states, and write nothing
///
/// Reads every state where it lives, under no lock, computes the whole migration, and proves that nothing would be lost,
/// doubled or altered. Makes no call that could change anything. Exit code 2 says that there is something to do.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Plan files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only environments whose name matches; `*` stands for anything [default: all]
    #[arg(long, value_name = "GLOB")]
    env: Option<String>,
    /// Save the plan of one environment as JSON; it holds addresses and hashes, no values
    #[arg(long, value_name = "SAVED")]
    out: Option<PathBuf>,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// Runs the rehearsal.
pub(super) fn run(args: &PlanArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let stores = Stores::default();
    let mut prepared = Vec::new();
    for file in &args.files {
        let project = Project::read(file, ui)?;
        let environments = project.environments(args.env.as_deref())?;
        check_shared(&project, &environments)?;
        for environment in &environments {
            let result = project.prepare(&stores, environment);
            for finding in stores.take_findings() {
                ui.finding(&finding);
            }
            let one = result?;
            one.tell_of_code(ui);
            prepared.push(one);
            ui.done(&format!(
                "computed {}, environment {}",
                file.display(),
                environment.name
            ));
        }
    }
    if let Some(out) = &args.out {
        save(out, &prepared)?;
        ui.done(&format!("saved the plan to {}", out.display()));
    }
    print(ui, &render(&prepared, args.format))?;
    let changes = prepared.iter().any(|one| !one.migration.is_empty());
    Ok(if changes { Exit::Changes } else { Exit::Success })
}

fn save(out: &std::path::Path, prepared: &[Prepared]) -> Result<(), CommandError> {
    let [one] = prepared else {
        return Err(CommandError::usage(format!(
            "a saved plan is for one environment, and {} were planned",
            prepared.len()
        ))
        .note("nothing was saved")
        .hint("choose one with --env"));
    };
    // What is saved gives the same states again, from the originals alone.
    one.new_states()?;
    let text = format_v1::write(&one.migration).map_err(|error| CommandError::new(error.to_string()))?;
    let _whole = signals::writing_files();
    fs::write(out, text)
        .map_err(|error| CommandError::new(format!("cannot write {}: {error}", out.display())))
}

/// Returns the reports one after the other; JSON as one array.
pub(super) fn render(prepared: &[Prepared], format: ReportFormat) -> String {
    match format {
        ReportFormat::Text => prepared.iter().map(Prepared::text).collect::<Vec<_>>().join("\n"),
        ReportFormat::Markdown => prepared
            .iter()
            .map(|one| one.report.markdown())
            .collect::<Vec<_>>()
            .join("\n"),
        ReportFormat::Json => {
            let all: Vec<&crate::report::split::SplitReport> =
                prepared.iter().map(|one| &one.report).collect();
            let mut text = serde_json::to_string_pretty(&all).expect("strings and numbers always serialise");
            text.push('\n');
            text
        }
    }
}
