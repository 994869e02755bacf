//! The states that code is cut from: as they are, or put together again if a migration cut them already.

use std::collections::BTreeMap;

use crate::cli::code::{Cut, Together};
use crate::cli::earlier::Beside;
use crate::cli::project::Project;
use crate::cli::states::{check_presence, read_all};
use crate::cli::stores::Stores;
use crate::diagnostic::Diagnostic;
use crate::error::CommandError;
use crate::journal::{Finished, Phase};
use crate::plan::MigrationPlan;
use crate::plan::assign::InstanceMove;
use crate::plan::rejoin::rejoin;
use crate::rewrite::{NotFollowed, Rewritten};
use crate::stack::{Environment, StateId, StateLocation};

/// Computes the code of one environment.
pub(super) fn gather(
    project: &Project,
    stores: &Stores,
    environment: &Environment,
) -> Result<Rewritten, CommandError> {
    let locations = project.open_to(stores, environment)?;
    let done = done(project, stores, environment, &locations)?;
    let snapshots = read_all(&locations, stores)?;
    if done.is_empty() {
        check_presence(&project.plan, &snapshots, &locations)?;
    }
    let rejoined = rejoin(&done, snapshots)?;
    let cut = Cut {
        plan: &project.plan,
        environment,
        modules: &project.modules,
        snapshots: &rejoined.snapshots,
    };
    let Together { computed, code } = cut.compute(&|| Ok(locations.clone()), &|_, _| Ok(()))?;
    check_agreement(&rejoined.moves, &computed.assignment.instances)?;
    code.map_err(|reason| refused(reason, !done.is_empty()))
}

/// Finds the migrations of a plan file that were carried out in an environment, the first one first.
fn done(
    project: &Project,
    stores: &Stores,
    environment: &Environment,
    locations: &BTreeMap<StateId, StateLocation>,
) -> Result<Vec<MigrationPlan>, CommandError> {
    let mut done = Vec::new();
    let sources = locations
        .iter()
        .filter(|(id, _)| matches!(id, StateId::Source(_)));
    let reach = project.reach();
    for found in Beside::read(stores, &reach, sources)? {
        let plan = found.plan()?;
        if plan.name != project.plan.name.value || plan.environment != environment.name {
            continue;
        }
        let started = found.journal.summary().started;
        match found.journal.journal().phase() {
            Phase::Releasing
            | Phase::Fenced
            | Phase::ReleasingFence
            | Phase::Completed
            | Phase::Discarding(Finished::Completed)
            | Phase::Discarded(Finished::Completed) => done.push((started, plan)),
            Phase::Preparing
            | Phase::Aborting
            | Phase::Aborted
            | Phase::Undone
            | Phase::Discarding(_)
            | Phase::Discarded(_) => {}
            Phase::Writing(_)
            | Phase::UndoLocking(_)
            | Phase::Undoing(_)
            | Phase::UndoReleasing
            | Phase::UndoAborting(_) => return Err(found.unfinished(&reach)),
        }
    }
    // Times are written so that their texts sort as they do.
    done.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(done.into_iter().map(|(_, plan)| plan).collect())
}

/// Refuses a plan file that says something else by now than what was carried out.
fn check_agreement(done: &[InstanceMove], wanted: &[InstanceMove]) -> Result<(), CommandError> {
    let wanted: BTreeMap<_, _> = wanted
        .iter()
        .map(|moved| ((&moved.giver, &moved.from), (&moved.taker, &moved.to)))
        .collect();
    let other = done
        .iter()
        .find(|moved| wanted.get(&(&moved.giver, &moved.from)) != Some(&(&moved.taker, &moved.to)));
    let Some(other) = other else { return Ok(()) };
    let now = match wanted.get(&(&other.giver, &other.from)) {
        Some((taker, to)) => format!("and the plan file gives it to `{taker}` as `{to}`"),
        None => "and the plan file leaves it where it was".to_owned(),
    };
    Err(CommandError::new(format!(
        "`{}` was moved to `{}` as `{}`, {now}",
        other.from, other.taker, other.to
    ))
    .note("code is written for what was done; nothing was written")
    .hint("put the plan file back as it was when it was applied, or undo the migration"))
}

fn refused(reason: NotFollowed, is_done: bool) -> CommandError {
    let mut findings = match reason {
        NotFollowed::NoCode => Vec::new(),
        NotFollowed::StatesOnly(found) | NotFollowed::Refused(found) => found,
    };
    let last = match findings.is_empty() {
        true => Diagnostic::error("there is no code that could follow"),
        false => Diagnostic::error("the code cannot be cut as the plan file says"),
    };
    if is_done {
        // What is to be done about each is said of a cut that is still to come.
        return already_cut(last, &findings);
    }
    let hint = "follow the advice above; what a plan file asks only of states has no code";
    findings.push(last.note("nothing was written").hint(hint));
    findings.into()
}

/// Says that what is left of the code cannot be cut again: in one finding, since nearly everything is missing then.
fn already_cut(mut last: Diagnostic, findings: &[Diagnostic]) -> CommandError {
    const SHOWN: usize = 5;
    for found in findings.iter().take(SHOWN) {
        last = last.note(found.message.clone());
    }
    if findings.len() > SHOWN {
        last = last.note(format!("… and {} more of the kind", findings.len() - SHOWN));
    }
    last.note("a migration has moved the states already; nothing was written")
        .hint("check out the code of the monolith as it was before the cut: what is left of it cannot be cut again")
        .into()
}
