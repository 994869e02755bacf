//! `stackcut status` and `stackcut history`: how migrations stand.

use std::path::PathBuf;

use clap::Args;

use super::conduct::who_of;
use super::journals::{Known, Problem, search};
use super::side_by_side;
use super::stores::{Stores, backend_error};
use super::{RunFormat, print};
use crate::diagnostic::Diagnostic;
use crate::error::{CommandError, Exit};
use crate::journal::{Finished, Phase};
use crate::report::migration::{BackupLine, MigrationLine, Shown, Standing, StatusReport, places};
use crate::ui::Ui;

/// Show unfinished, fenced and finished migrations, and what to do about them
///
/// Looks beside the sources of the plan files given, in every environment. What waits for somebody comes first, with what
/// to do; what is over follows, one line for each. With -v, all is told of each. Changes nothing.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Plan files and saved plans [default: every `*.hcl` below ./plans, and the plan files here]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// List also the attempts that were given up before anything was written; JSON always does
    #[arg(long)]
    all: bool,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
}

/// List the migrations that are over, oldest first
///
/// Those that were carried out and released, and those that were undone or given up. Looks beside the sources of the
/// plan files given, in every environment. Changes nothing.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Plan files and saved plans [default: every `*.hcl` below ./plans, and the plan files here]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How the report is printed on stdout
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
}

/// Shows how migrations stand.
pub(super) fn run(args: &StatusArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let order = |line: &MigrationLine| {
        (
            standing_order(line.standing),
            std::cmp::Reverse(line.last.clone()),
        )
    };
    let report = |lines: &mut Vec<MigrationLine>| lines.sort_by_key(order);
    let shown = Shown {
        details: ui.is_verbose(),
        attempts: args.all,
    };
    show(&args.files, args.format, ui, report, |report, nothing| {
        report.text(nothing, shown)
    })
}

/// Lists what is over.
pub(super) fn history(args: &HistoryArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let report = |lines: &mut Vec<MigrationLine>| {
        lines.retain(|line| line.standing == Standing::Finished);
        lines.sort_by_key(|line| (line.last.clone(), line.id.clone()));
    };
    show(&args.files, args.format, ui, report, |report, nothing| {
        report.history(&nothing.replacen("no migration", "no migration is over", 1))
    })
}

fn show(
    files: &[PathBuf],
    format: RunFormat,
    ui: &Ui,
    arrange: impl Fn(&mut Vec<MigrationLine>),
    text: impl Fn(&StatusReport, &str) -> String,
) -> Result<Exit, CommandError> {
    let stores = Stores::default();
    let mut found = search(files, &stores, ui)?;
    let mut lines = Vec::new();
    let looked = side_by_side::each(&found.known, |known| fences(known, &stores));
    for (known, (lost, unknown)) in found.known.iter().zip(looked) {
        found.problems.extend(unknown.into_iter().map(Problem::from));
        lines.push(line(known, lost));
    }
    arrange(&mut lines);
    let problems: Vec<Diagnostic> = found
        .problems
        .iter()
        .flat_map(|problem| problem.error.findings.clone())
        .collect();
    ui.findings(&problems);
    let problems = problems.into_iter().map(|finding| finding.message).collect();
    let report = StatusReport::new(lines, problems);
    let nothing = match found.looked.as_slice() {
        [] if found.problems.is_empty() => {
            "no migration: found no plan file in ./plans or here; name one".to_owned()
        }
        [] => "no migration: no source could be looked at".to_owned(),
        looked if found.problems.iter().any(|problem| problem.journal_of.is_some()) => {
            format!("no migration that can be read beside {}", looked.join(", "))
        }
        looked => format!("no migration beside {}", looked.join(", ")),
    };
    print(
        ui,
        &match format {
            RunFormat::Json => report.json(),
            RunFormat::Text => text(&report, &nothing),
        },
    )?;
    Ok(if found.problems.is_empty() {
        Exit::Success
    } else {
        Exit::Error
    })
}

fn standing_order(standing: Standing) -> u8 {
    match standing {
        Standing::Unfinished => 0,
        Standing::Fenced => 1,
        Standing::Finished => 2,
    }
}

/// Returns the states of a fenced migration whose lock is gone, and why one could not be looked at.
fn fences(known: &Known, stores: &Stores) -> (Vec<String>, Vec<CommandError>) {
    let mut lost = Vec::new();
    let mut unknown = Vec::new();
    if known.phase() != Phase::Fenced {
        return (lost, unknown);
    }
    for fence in known.found.journal().migration().fenced() {
        let Some(state) = known.plan.states.iter().find(|state| state.id == fence.id) else {
            continue;
        };
        let standing = stores
            .open_for_reading(&state.location)
            .and_then(|store| store.standing_lock().map_err(|error| backend_error(&error)));
        match standing {
            Ok(Some(standing)) if standing.is(&fence.lock) => {}
            Ok(_) => lost.push(fence.id.to_string()),
            Err(error) => {
                unknown.push(error.note(format!("the lock of `{}` could not be looked at", fence.id)));
            }
        }
    }
    (lost, unknown)
}

/// Tells whether a migration ended before its first write.
fn changed_nothing(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::Aborted | Phase::Discarding(Finished::Aborted) | Phase::Discarded(Finished::Aborted)
    )
}

fn line(known: &Known, fence_lost: Vec<String>) -> MigrationLine {
    let journal = known.found.journal();
    let migration = journal.migration();
    let summary = known.found.summary();
    let session = |at: usize| {
        let record = journal.records().get(at);
        record
            .map_or("somebody", |record| who_of(&record.session))
            .to_owned()
    };
    let phase = known.phase();
    let standing = match phase.finished() {
        None => Standing::Unfinished,
        Some(Finished::Fenced) => Standing::Fenced,
        Some(_) => Standing::Finished,
    };
    let (advice, next) = next(known);
    MigrationLine {
        id: migration.id.to_string(),
        split: known.plan.name.to_string(),
        environment: known.plan.environment.clone(),
        file: known.file.display().to_string(),
        standing,
        phase: phase.to_string(),
        stuck: journal.is_stuck(),
        changed_nothing: changed_nothing(phase),
        started: summary.started,
        started_by: session(0),
        last: summary.last,
        last_by: session(journal.records().len().saturating_sub(1)),
        fence_lost,
        states: places(migration),
        backups: summary
            .backups
            .into_iter()
            .map(|backup| BackupLine {
                state: backup.state.to_string(),
                name: backup.name,
                version_id: backup.version_id,
            })
            .collect(),
        next,
        advice,
    }
}

/// Returns what to do first, and the commands that may come next.
fn next(known: &Known) -> (Option<String>, Vec<String>) {
    let id = known.id();
    let reach = known.reach();
    let commands = |verbs: &[&str]| {
        verbs
            .iter()
            .map(|verb| format!("stackcut {verb} {id}{reach}"))
            .collect()
    };
    let journal = known.found.journal();
    match known.phase() {
        _ if journal.is_stuck() => (
            Some(
                "find out who wrote, and bring the states back to a known version (the backup of what this migration \
                 wrote over lies beside it)"
                    .to_owned(),
            ),
            commands(&["resume"]),
        ),
        Phase::Completed => (None, commands(&["undo", "discard"])),
        Phase::Aborted | Phase::Undone => (None, commands(&["discard"])),
        Phase::Discarding(_) => (None, commands(&["discard"])),
        Phase::Discarded(_) => (None, Vec::new()),
        Phase::Fenced => (
            Some("remove what moved from the code of the sources".to_owned()),
            commands(&["release", "undo"]),
        ),
        Phase::UndoLocking(_)
        | Phase::Undoing(_)
        | Phase::UndoReleasing
        | Phase::UndoAborting(_)
        | Phase::Aborting => (None, commands(&["resume"])),
        _ => (None, commands(&["resume", "undo"])),
    }
}
