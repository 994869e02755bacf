//! `stackcut inspect`: what is in a root module and its state.

use std::path::PathBuf;

use clap::Args;

use super::input::{RootModule, read_state};
use super::{ReportFormat, print};
use crate::error::{CommandError, Exit};
use crate::graph::{Graph, Joined};
use crate::plan::compute::opaque_modules;
use crate::report::inspect::{InspectReport, Inspected};
use crate::ui::Ui;

/// Show what is in a root module and its state
///
/// Counts blocks, modules, providers, instances and sizes; lists what is declared and not deployed, deployed and not
/// declared, tainted or deposed, and whatever would stop a split. Prints addresses and counts, never values.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Directory of the root module
    dir: PathBuf,
    /// The state of the root module [default: terraform.tfstate in DIR, if it is there]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// Prints the overview.
pub(super) fn run(args: &InspectArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let module = RootModule::read(&args.dir, ui)?;
    let path = args.state.clone().unwrap_or_else(|| module.local_state_path());
    let snapshot = read_state(&path)?;
    let graph = Graph::build(&module.configuration);
    let opaque = opaque_modules(&module.configuration);
    let joined = Joined::new(graph, snapshot.as_ref(), &opaque);
    let report = InspectReport::new(&Inspected {
        dir: &args.dir.display().to_string(),
        configuration: &module.configuration,
        backend: &module.backend,
        state: snapshot
            .as_ref()
            .map(|snapshot| (path.display().to_string(), snapshot)),
        joined: &joined,
        opaque: &opaque,
    });
    let text = match args.format {
        ReportFormat::Json => report.json(),
        ReportFormat::Text => report.text(),
        ReportFormat::Markdown => report.markdown(),
    };
    print(ui, &text)?;
    Ok(Exit::Success)
}
