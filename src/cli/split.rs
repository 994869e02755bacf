//! `stackcut split`: the whole rehearsal in one go, on local copies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::code::{Cut, Together};
use super::input::{RootModule, read_plan, read_state};
use super::output::OutputDir;
use super::project::Project;
use super::{ReportFormat, print};
use crate::diagnostic::Diagnostic;
use crate::error::{CommandError, Exit};
use crate::plan::PlanFile;
use crate::plan::compute::Computed;
use crate::report::split::SplitReport;
use crate::rewrite::{NotFollowed, Rewritten};
use crate::stack::{Environment, StackName, StateId};
use crate::state::Snapshot;
use crate::ui::Ui;

/// Cut a monolith on local copies and write the result into a directory
///
/// Reads the root module DIR and its state (terraform.tfstate in DIR, or --state), cuts both as the plan file says, and
/// proves that every object is in exactly one result and has its block there. Writes OUT: `stacks/` with the root module
/// of every stack, `sources/` with what is left of the monolith, `contracts.json` and `schemas/` with what they tell each
/// other, `states/` with their states, `report.md` and `report.json`. Touches nothing outside OUT; needs no service and
/// no terraform.
///
/// What cannot be cut is refused with its place, and nothing is written. The states in OUT hold what the source held,
/// secrets too; they are readable by you alone.
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
    /// Cut the state alone, and write no code
    #[arg(long)]
    states_only: bool,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// Everything that was read.
struct Material {
    project: Project,
    environment: Environment,
    snapshots: BTreeMap<StateId, Snapshot>,
}

/// Runs the split.
pub(super) fn run(args: &SplitArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let material = read(args, ui)?;
    let out = OutputDir::start(&args.out)?;
    let (computed, code) = compute(args, &material, &out)?;
    ui.findings(&computed.assignment.warnings);
    let mut report = SplitReport::new(
        &material.project.plan,
        &material.environment.name,
        &material.snapshots,
        &computed,
    );
    let written = match &code {
        Some(Ok(code)) => {
            report.followed_by(code);
            ui.findings(&code.warnings);
            write_code(&out, code)?;
            "root modules, contracts, states, report.md, report.json"
        }
        Some(Err(NotFollowed::NoCode)) => {
            ui.finding(&no_code(args));
            "states, report.md, report.json"
        }
        Some(Err(reason)) => {
            report.states_alone(reason);
            if args.format == ReportFormat::Json {
                print(ui, &report.json())?;
            }
            return Err(refused(reason));
        }
        None => "states, report.md, report.json",
    };
    // The process ends soon; giving back a million small pieces one by one would take longer than the split itself.
    std::mem::forget((material, computed, code));
    out.write("report.md", report.markdown().as_bytes())?;
    out.write("report.json", report.json().as_bytes())?;
    out.finish()?;
    let text = match args.format {
        ReportFormat::Text => report.text(),
        ReportFormat::Json => report.json(),
        ReportFormat::Markdown => report.markdown(),
    };
    print(ui, &text)?;
    ui.done(&format!("wrote {}: {written}", args.out.display()));
    Ok(match report.holds() {
        true => Exit::Success,
        false => Exit::Changes,
    })
}

fn write_code(out: &OutputDir, code: &Rewritten) -> Result<(), CommandError> {
    for (path, bytes) in code.files() {
        out.write_code(&path, &bytes)?;
    }
    Ok(())
}

fn no_code(args: &SplitArgs) -> Diagnostic {
    let message = format!(
        "{} declares no resources: the states move alone",
        args.dir.display()
    );
    Diagnostic::warning(message).hint("name the directory of the code, or say --states-only")
}

/// Says why there is no code, and that there is nothing at all then.
fn refused(reason: &NotFollowed) -> CommandError {
    let found = match reason {
        NotFollowed::NoCode => &[][..],
        NotFollowed::StatesOnly(found) | NotFollowed::Refused(found) => found,
    };
    let mut findings = found.to_vec();
    findings.push(
        Diagnostic::error("the code cannot be cut as the plan file says")
            .note("nothing was written")
            .hint("follow the advice above, or cut the states alone with --states-only"),
    );
    findings.into()
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
        project: Project::of(plan, &args.plan, modules)?,
        environment,
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

fn environment(plan: &PlanFile, wanted: Option<&str>, ui: &Ui) -> Result<Environment, CommandError> {
    let mut known = plan.environments();
    let names: Vec<String> = known.iter().map(|environment| environment.name.clone()).collect();
    let at = match wanted {
        Some(name) => names.iter().position(|known| known == name).ok_or_else(|| {
            CommandError::usage(format!("the plan file has no environment `{name}`"))
                .note("nothing was written")
                .hint(format!("it has: {}", names.join(", ")))
        })?,
        None => {
            if names.len() > 1 {
                ui.say(&format!(
                    "environment {}, the first of {}; --env names another",
                    names[0],
                    names.len()
                ));
            }
            0
        }
    };
    Ok(known.swap_remove(at))
}

/// Computes the split; each new state is written as soon as it was found in order.
fn compute(
    args: &SplitArgs,
    material: &Material,
    out: &OutputDir,
) -> Result<(Computed, Option<Result<Rewritten, NotFollowed>>), CommandError> {
    let take = |id: &StateId, snapshot: &Snapshot| {
        let written = out.write(&SplitReport::state_file(id), snapshot.bytes());
        written.map_err(|error| Diagnostic::error(error.to_string()))
    };
    let Material {
        project,
        environment,
        snapshots,
    } = material;
    let cut = Cut {
        plan: &project.plan,
        environment,
        modules: &project.modules,
        snapshots,
    };
    let nothing = |error: CommandError| error.note("nothing was written");
    if args.states_only {
        return Ok((cut.compute_states(&take).map_err(nothing)?, None));
    }
    let locate = || project.locations(environment);
    let Together { computed, code } = cut.compute(&locate, &take).map_err(nothing)?;
    Ok((computed, Some(code)))
}
