//! Whether the states still are what a saved plan was made from.

use std::collections::BTreeMap;

use crate::cli::states::read_all;
use crate::cli::stores::Stores;
use crate::error::{CommandError, Exit};
use crate::plan::MigrationPlan;
use crate::plan::backend::describe;
use crate::plan::migration::{After, Before, Fingerprint, PlannedState};
use crate::stack::{StateId, StateLocation};

/// How the states stand to a saved plan.
pub(super) enum Found {
    /// As it saw them.
    AsPlanned,
    /// As it would leave them.
    CarriedOut,
}

/// Looks at every state of a saved plan, under no lock; what counts is looked at again under locks.
///
/// # Errors
///
/// A state that is neither.
pub(super) fn look(
    plan: &MigrationPlan,
    locations: &BTreeMap<StateId, StateLocation>,
    stores: &Stores,
) -> Result<Found, CommandError> {
    let prints: BTreeMap<StateId, Fingerprint> = read_all(locations, stores)?
        .into_iter()
        .map(|(id, snapshot)| (id, Fingerprint::of(&snapshot)))
        .collect();
    let all = |fits: &dyn Fn(&PlannedState, Option<&Fingerprint>) -> bool| {
        plan.states.iter().all(|state| fits(state, prints.get(&state.id)))
    };
    if all(&is_before) {
        return Ok(Found::AsPlanned);
    }
    if all(&is_after) {
        return Ok(Found::CarriedOut);
    }
    let changed: Vec<&PlannedState> = plan
        .states
        .iter()
        .filter(|state| !is_before(state, prints.get(&state.id)))
        .collect();
    let names: Vec<String> = changed.iter().map(|state| format!("`{}`", state.id)).collect();
    let word = if changed.len() == 1 { "state" } else { "states" };
    let mut error = CommandError::new(format!(
        "{word} {} changed since the plan was made",
        names.join(", ")
    ));
    for state in changed {
        let planned = match &state.before {
            Before::Absent => "no state".to_owned(),
            Before::Exists(print) => version(print),
        };
        let found = prints
            .get(&state.id)
            .map_or_else(|| "no state".to_owned(), version);
        let content = if planned == found {
            " with other content"
        } else {
            ""
        };
        error = error.note(format!(
            "`{}` ({}): planned {planned}, found {found}{content}",
            state.id,
            describe(&state.location)
        ));
    }
    Err(error
        .note("nothing was written")
        .hint("run `stackcut plan` again and review the difference")
        .exit(Exit::StateChanged))
}

fn is_before(state: &PlannedState, found: Option<&Fingerprint>) -> bool {
    match (&state.before, found) {
        (Before::Absent, None) => true,
        (Before::Exists(print), Some(found)) => print == found,
        _ => false,
    }
}

fn is_after(state: &PlannedState, found: Option<&Fingerprint>) -> bool {
    match &state.after {
        After::Unchanged => is_before(state, found),
        After::Written(print) => found == Some(print),
    }
}

fn version(print: &Fingerprint) -> String {
    format!("serial {} of lineage {}", print.serial, print.lineage)
}
