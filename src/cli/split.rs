//! `stackcut split`: the whole rehearsal in one go, on local copies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::input::{RootModule, fresh_lineages, read_plan, read_state};
use super::output::OutputDir;
use super::{ReportFormat, print};
use crate::diagnostic::Diagnostic;
use crate::error::{CommandError, Exit};
use crate::plan::PlanFile;
use crate::plan::compute::{Computed, Inputs};
use crate::report::split::SplitReport;
use crate::stack::{StackName, StateId};
use crate::state::Snapshot;
use crate::ui::Ui;

/// Cut a monolith on local copies and write the result into a directory
///
/// Reads the root module DIR and its state (terraform.tfstate in DIR, or --state), cuts the state as the plan file says,
/// proves that every object is in exactly one result, and writes OUT: `states/` with one state per stack and the reduced
/// source, `report.md` and `report.json`. Touches nothing outside OUT; needs no service and no terraform.
///
/// The states in OUT hold what the source held, secrets too; they are readable by you alone.
#[derive(Debug, Args)]
pub(super) struct SplitArgs {
    /// Directory of the root module
    dir: PathBuf,
    /// Directory to write; an earlier result is replaced, anything else is refused
    #[arg(long)]
    out: PathBuf,
    /// The plan file
    #[arg(long)]
    plan: PathBuf,
    /// The state of the root module [default: terraform.tfstate in DIR]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The environment of the plan file [default: the first]
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// Everything that was read.
struct Material {
    plan: PlanFile,
    environment: String,
    modules: BTreeMap<StateId, RootModule>,
    snapshots: BTreeMap<StateId, Snapshot>,
}

/// Runs the split.
pub(super) fn run(args: &SplitArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let material = read(args, ui)?;
    let out = OutputDir::start(&args.out)?;
    let computed = compute(&material, &out)?;
    for warning in &computed.assignment.warnings {
        ui.finding(warning);
    }
    let report = SplitReport::new(
        &material.plan,
        &material.environment,
        &material.snapshots,
        &computed,
    );
    // The process ends soon; giving back a million small pieces one by one would take longer than the split itself.
    std::mem::forget((material, computed));
    out.write("report.md", report.markdown().as_bytes())?;
    out.write("report.json", report.json().as_bytes())?;
    out.finish()?;
    let text = match args.format {
        ReportFormat::Text => report.text(),
        ReportFormat::Json => report.json(),
        ReportFormat::Markdown => report.markdown(),
    };
    print(ui, &text)?;
    ui.done(&format!(
        "wrote {}: states, report.md, report.json",
        args.out.display()
    ));
    Ok(Exit::Success)
}

fn read(args: &SplitArgs, ui: &Ui) -> Result<Material, CommandError> {
    let plan = read_plan(&args.plan)?;
    let environment = environment(&plan, args.env.as_deref(), ui)?;
    let beside = args.plan.parent().unwrap_or(Path::new(""));
    let mut modules = BTreeMap::new();
    let mut snapshots = BTreeMap::new();
    for (number, source) in plan.sources.iter().enumerate() {
        let id = StateId::Source(source.name.value.clone());
        // DIR stands for the first source; the others are where the plan file says.
        let dir = if number == 0 {
            args.dir.clone()
        } else {
            beside.join(&source.dir.value)
        };
        let module = RootModule::read(&dir, ui)?;
        let given = args.state.clone().filter(|_| number == 0);
        let path = given.unwrap_or_else(|| module.local_state_path());
        let snapshot = read_state(&path)?.ok_or_else(|| no_state(&path))?;
        ui.done(&format!("read {} and {}", dir.display(), path.display()));
        snapshots.insert(id.clone(), snapshot);
        modules.insert(id, module);
    }
    for (name, dir) in existing_stacks(&plan) {
        let Some(dir) = dir else {
            let message = format!(
                "the state of `{name}` exists already, and the plan file does not say where its code is"
            );
            return Err(CommandError::new(message)
                .note("nothing was written")
                .hint(format!(
                    "add `dir = \"…\"` to the block of `{name}`, and put a copy of its state there"
                )));
        };
        let path = beside.join(dir).join("terraform.tfstate");
        let snapshot = read_state(&path)?.ok_or_else(|| no_state(&path))?;
        snapshots.insert(StateId::Stack(name.clone()), snapshot);
    }
    Ok(Material {
        plan,
        environment,
        modules,
        snapshots,
    })
}

/// Returns the stacks whose states are there before the split: merged into, or given back.
fn existing_stacks(plan: &PlanFile) -> Vec<(&StackName, Option<&String>)> {
    let merged = plan.stacks.iter().filter(|stack| stack.existing);
    let merged = merged.map(|stack| (&stack.name.value, stack.dir.as_ref().map(|dir| &dir.value)));
    let returned = plan
        .returns
        .iter()
        .map(|back| (&back.name.value, back.dir.as_ref().map(|dir| &dir.value)));
    merged.chain(returned).collect()
}

fn no_state(path: &Path) -> CommandError {
    CommandError::new(format!("there is no state at {}", path.display()))
        .note("nothing was written")
        .hint("copy it there (`aws s3 cp s3://BUCKET/KEY terraform.tfstate`), or name it with --state")
        .exit(Exit::Usage)
}

fn environment(plan: &PlanFile, wanted: Option<&str>, ui: &Ui) -> Result<String, CommandError> {
    let known: Vec<String> = plan
        .environments()
        .into_iter()
        .map(|environment| environment.name)
        .collect();
    match wanted {
        Some(name) if known.iter().any(|known| known == name) => Ok(name.to_owned()),
        Some(name) => Err(
            CommandError::usage(format!("the plan file has no environment `{name}`"))
                .note("nothing was written")
                .hint(format!("it has: {}", known.join(", "))),
        ),
        None => {
            if known.len() > 1 {
                ui.say(&format!(
                    "environment {}, the first of {}; --env names another",
                    known[0],
                    known.len()
                ));
            }
            Ok(known.into_iter().next().unwrap_or_else(|| "default".to_owned()))
        }
    }
}

/// Computes the split; each new state is written as soon as it was found in order.
fn compute(material: &Material, out: &OutputDir) -> Result<Computed, CommandError> {
    let lineages = fresh_lineages(&material.plan)?;
    let inputs = Inputs {
        plan: &material.plan,
        code: material
            .modules
            .iter()
            .map(|(id, module)| (id.clone(), &module.configuration))
            .collect(),
        snapshots: material
            .snapshots
            .iter()
            .map(|(id, snapshot)| (id.clone(), snapshot))
            .collect(),
        lineages,
    };
    let take = |id: &StateId, snapshot: &Snapshot| {
        let written = out.write(&SplitReport::state_file(id), snapshot.bytes());
        written.map_err(|error| Diagnostic::error(error.to_string()))
    };
    let computed = inputs.compute(&take);
    computed.map_err(|found| CommandError::from(found).note("nothing was written"))
}
