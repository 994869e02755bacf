//! `stackcut plan`: the dry run against the real states.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::prepare::Prepared;
use super::project::{Project, check_shared};
use super::signals;
use super::stores::Stores;
use super::verify::VerifyArgs;
use super::{ReportFormat, print};
use crate::diagnostic::Diagnostic;
use crate::error::{CommandError, Exit};
use crate::plan::format_v1;
use crate::report::REPORT_VERSION;
use crate::report::split::SplitReport;
use crate::ui::Ui;
use crate::verify::Proof;

/// Compute a migration of states, and write nothing
///
/// Reads every state where it lives, under no lock, computes the whole migration, and proves that nothing would be lost,
/// doubled or altered. Makes no call that could change anything. Exit code 2 says that there is something to do.
///
/// With `--verify terraform` every new stack is also planned by real Terraform or OpenTofu, in scratch copies, with the
/// credentials at hand. Where anything real would be created, updated, replaced or deleted the command fails with exit
/// code 1 and names it; what the monolith's own plan would change anyway is told apart.
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
    #[command(flatten)]
    verify: VerifyArgs,
}

/// Runs the rehearsal.
pub(super) fn run(args: &PlanArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let terraform = args.verify.executable()?;
    let stores = Stores::default();
    let mut prepared = Vec::new();
    let mut proofs = Vec::new();
    for file in &args.files {
        let project = Project::read(file, ui)?;
        let environments = project.environments(args.env.as_deref())?;
        check_shared(&project, &environments)?;
        for environment in &environments {
            let result = project.prepare(&stores, environment, ui)?;
            let proof = match &terraform {
                Some(terraform) => Some(args.verify.prove(terraform, &project, environment, &result, ui)?),
                None => None,
            };
            prepared.push(result);
            proofs.push(proof);
        }
    }
    let faults: Vec<Diagnostic> = proofs.iter().flatten().flat_map(Proof::faults).collect();
    if let (Some(out), true) = (&args.out, faults.is_empty()) {
        save(out, &prepared)?;
        ui.done(&format!("saved the plan to {}", out.display()));
    }
    print(ui, &render(&prepared, &proofs, args.format))?;
    if !faults.is_empty() {
        return Err(faults.into());
    }
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

/// A report with the proof that goes with it.
#[derive(Serialize)]
struct Proven<'a> {
    #[serde(flatten)]
    report: &'a SplitReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<serde_json::Value>,
}

/// All reports of one `plan`.
#[derive(Serialize)]
struct Plans<'a> {
    version: u32,
    command: &'static str,
    plans: Vec<Proven<'a>>,
}

/// Returns the reports one after the other, each with its proof where there is one; JSON as one document.
fn render(prepared: &[Prepared], proofs: &[Option<Proof>], format: ReportFormat) -> String {
    let proofs = proofs.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    let all = prepared.iter().zip(proofs);
    match format {
        ReportFormat::Text => all
            .map(|(one, proof)| with(one.text(), proof.map(Proof::text)))
            .collect::<Vec<_>>()
            .join("\n"),
        ReportFormat::Markdown => all
            .map(|(one, proof)| with(one.report.markdown(), proof.map(Proof::markdown)))
            .collect::<Vec<_>>()
            .join("\n"),
        ReportFormat::Json => {
            let plans = all.map(|(one, proof)| Proven {
                report: &one.report,
                proof: proof.map(Proof::json),
            });
            let document = Plans {
                version: REPORT_VERSION,
                command: "plan",
                plans: plans.collect(),
            };
            let mut text =
                serde_json::to_string_pretty(&document).expect("strings and numbers always serialise");
            text.push('\n');
            text
        }
    }
}

/// Puts a proof below a report.
fn with(report: String, proof: Option<String>) -> String {
    match proof {
        Some(proof) => format!("{report}\n{proof}"),
        None => report,
    }
}
