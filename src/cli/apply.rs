//! `stackcut apply`: carries plans out.

mod saved;
mod unit;

use std::path::PathBuf;

use clap::Args;

use self::unit::Unit;
pub(super) use self::unit::ended_well;
use super::conduct::{ConductArgs, Conductor, failure};
use super::journals::saved_plan;
use super::project::{Project, check_shared};
use super::signals;
use super::stores::Stores;
use super::{RunFormat, print};
use crate::error::{CommandError, Exit};
use crate::report::count;
use crate::report::migration::{CommandReport, Ending, RunReport};
use crate::ui::Ui;

/// Carry a migration out: move states, under locks, with a journal and backups
///
/// Takes plan files, which are computed now, and plans saved by `stackcut plan --out`, which are carried out exactly as
/// they were saved, or refused (exit code 4) if a state moved on since. Shows what will happen and asks; without a
/// terminal it needs --auto-approve. Several files and environments are carried out one after the other, each as a
/// migration of its own; the first that fails stops the rest.
///
/// Every state is locked, read again, compared with the plan, and backed up before the first write. What is interrupted,
/// by a signal or a crash, is ended by `stackcut resume` or taken back by `stackcut undo`.
///
/// A source that lost resources while its code still declares them stays locked until `stackcut release`: an apply of
/// that code would create them again. A saved plan does not know the code, so after it every such source stays locked.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// Plan files and saved plans
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only environments of plan files whose name matches; `*` stands for anything [default: all]
    #[arg(long, value_name = "GLOB")]
    env: Option<String>,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    #[command(flatten)]
    conduct: ConductArgs,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
}

/// Runs the migrations.
pub(super) fn run(args: &ApplyArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let stores = Stores::default();
    let units = units(args, &stores, ui)?;
    unit::check_overlaps(&units)?;
    for unit in units.iter().filter(|unit| !unit.is_done()) {
        unit.check_fences()?;
    }
    show(&units, args, ui)?;
    let open: Vec<&Unit> = units.iter().filter(|unit| !unit.is_done()).collect();
    if !open.is_empty() && !args.auto_approve {
        let moves: usize = open.iter().map(|unit| unit.moves()).sum();
        let written: usize = open.iter().map(|unit| unit.written()).sum();
        let question = format!(
            "Move {} now, and write {}?",
            count(moves, "instance"),
            count(written, "state")
        );
        approve(ui, &question, "apply")?;
    }
    let conductor = Conductor::new(args.conduct, ui)?;
    let (runs, stopped) = carry_out(&units, &conductor, &stores, ui);
    let report = CommandReport::new("apply", runs);
    match args.format {
        RunFormat::Json => print(ui, &report.json())?,
        RunFormat::Text => print(ui, &text(&report))?,
    }
    stopped.map_or(Ok(Exit::Success), Err)
}

fn units(args: &ApplyArgs, stores: &Stores, ui: &Ui) -> Result<Vec<Unit>, CommandError> {
    let mut units = Vec::new();
    for file in &args.files {
        if let Some(plan) = saved_plan(file)? {
            units.push(Unit::saved(file, plan, stores)?);
            continue;
        }
        let project = Project::read(file, ui)?;
        let environments = project.environments(args.env.as_deref())?;
        check_shared(&project, &environments)?;
        for environment in &environments {
            let prepared = project.prepare(stores, environment, ui)?;
            units.push(Unit::fresh(file, &project, prepared, ui)?);
        }
    }
    Ok(units)
}

/// Shows what will happen: on stdout for people, aside where stdout is a program's.
fn show(units: &[Unit], args: &ApplyArgs, ui: &Ui) -> Result<(), CommandError> {
    for unit in units.iter().filter(|unit| !unit.is_done()) {
        let text = unit.text();
        match args.format {
            RunFormat::Text => print(ui, &format!("{text}\n"))?,
            RunFormat::Json if !args.auto_approve => ui.say(&text),
            RunFormat::Json => {}
        }
    }
    Ok(())
}

/// Asks for a yes.
pub(super) fn approve(ui: &Ui, question: &str, verb: &str) -> Result<(), CommandError> {
    if !ui.can_ask() {
        return Err(
            CommandError::usage("nobody can be asked here: this is no terminal")
                .note("nothing was changed")
                .hint(format!("run `stackcut {verb}` with --auto-approve")),
        );
    }
    match ui.ask(question) {
        Ok(true) => Ok(()),
        Ok(false) => Err(CommandError::new("not approved").note("nothing was changed")),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
            signals::give_way();
            Err(signals::interrupted())
        }
        Err(error) => {
            Err(CommandError::new(format!("cannot read the answer: {error}")).note("nothing was changed"))
        }
    }
}

/// Carries units out until one fails.
fn carry_out(
    units: &[Unit],
    conductor: &Conductor<'_>,
    stores: &Stores,
    ui: &Ui,
) -> (Vec<RunReport>, Option<CommandError>) {
    let _executing = conductor.executing();
    let mut runs = Vec::new();
    let mut stopped: Option<CommandError> = None;
    for unit in units {
        if stopped.is_some() {
            let ending = if unit.is_done() {
                Ending::NothingToDo
            } else {
                Ending::NotStarted
            };
            runs.push(unit.report(ending));
            continue;
        }
        if unit.is_done() {
            runs.push(unit.report(Ending::NothingToDo));
            continue;
        }
        if units.len() > 1 {
            ui.say(&format!("{}:", unit.name()));
        }
        match unit.carry_out(conductor, stores) {
            Ok(run) => runs.push(run),
            Err((mut run, error)) => {
                run.error = Some(failure(&error));
                runs.push(*run);
                stopped = Some(error);
            }
        }
    }
    let several = units.len() > 1;
    let stopped = stopped.map(|error| {
        if several {
            error.note(balance(&runs))
        } else {
            error
        }
    });
    (runs, stopped)
}

/// Says what was done and what not.
fn balance(runs: &[RunReport]) -> String {
    let named = |fits: &dyn Fn(Ending) -> bool| {
        let names: Vec<String> = runs
            .iter()
            .filter(|run| fits(run.ending))
            .map(|run| format!("{} ({})", run.split, run.environment))
            .collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    format!(
        "carried out: {}; not begun: {}",
        named(&|ending| matches!(ending, Ending::Completed | Ending::Fenced)),
        named(&|ending| ending == Ending::NotStarted)
    )
}

/// Returns how everything ended, for people; the failed one is an error and said as such.
fn text(report: &CommandReport) -> String {
    report
        .runs
        .iter()
        .filter(|run| run.ending != Ending::Failed)
        .map(RunReport::text)
        .collect()
}
