//! Reading every state where it lives, and what must be there and what must not.

use std::collections::BTreeMap;

use super::side_by_side;
use super::stores::{Stores, backend_error};
use crate::backend::StateBackend;
use crate::diagnostic::Diagnostic;
use crate::error::CommandError;
use crate::plan::PlanFile;
use crate::plan::backend::describe;
use crate::stack::{StateId, StateLocation};
use crate::state::Snapshot;

/// Reads all states, some at a time.
pub(super) fn read_all(
    locations: &BTreeMap<StateId, StateLocation>,
    stores: &Stores,
) -> Result<BTreeMap<StateId, Snapshot>, CommandError> {
    let mut list = Vec::new();
    for (id, location) in locations {
        list.push((id, stores.open_for_reading(location)?));
    }
    let readings = side_by_side::each(&list, |(_, store)| read_one(&**store));
    let mut snapshots = BTreeMap::new();
    for ((id, _), reading) in list.iter().zip(readings) {
        let reading =
            reading.map_err(|error| error.note(format!("it is the state of `{id}`; nothing was written")));
        if let Some(snapshot) = reading? {
            snapshots.insert((*id).clone(), snapshot);
        }
    }
    Ok(snapshots)
}

fn read_one(store: &dyn StateBackend) -> Result<Option<Snapshot>, CommandError> {
    let at = store.describe();
    let reading = store
        .read()
        .and_then(|reading| reading.checked(&at))
        .map_err(|error| backend_error(&error))?;
    let Some(object) = reading.object else {
        return Ok(None);
    };
    Snapshot::read(object.bytes).map_err(|error| {
        CommandError::new(format!("{at} is not a state that can be cut: {error}")).hint(error.advice())
    })
}

/// Refuses sources without a state, and states where the plan file expects none.
pub(super) fn check_presence(
    plan: &PlanFile,
    snapshots: &BTreeMap<StateId, Snapshot>,
    locations: &BTreeMap<StateId, StateLocation>,
) -> Result<(), CommandError> {
    let place = |id: &StateId| locations.get(id).map_or_else(String::new, describe);
    let mut findings = Vec::new();
    let mut must_be_there: Vec<StateId> = plan
        .sources
        .iter()
        .map(|source| StateId::Source(source.name.value.clone()))
        .collect();
    must_be_there.extend(
        plan.returns
            .iter()
            .map(|back| StateId::Stack(back.name.value.clone())),
    );
    for id in must_be_there.iter().filter(|id| !snapshots.contains_key(id)) {
        let finding = Diagnostic::error(format!("there is no state for `{id}` at {}", place(id)));
        findings.push(
            finding
                .note("nothing was written")
                .hint("check bucket, key and workspace"),
        );
    }
    for stack in &plan.stacks {
        let id = StateId::Stack(stack.name.value.clone());
        match (stack.existing, snapshots.get(&id)) {
            (false, Some(found)) if !found.is_empty() => {
                let message = format!(
                    "there is a state for the new stack `{id}` already, at {}",
                    place(&id)
                );
                let finding = Diagnostic::error(message).at(&plan.file, stack.name.span.clone());
                let hint = "add `existing = true` to the block to merge into it, or choose another key";
                findings.push(finding.note("nothing was written").hint(hint));
            }
            (true, None) => {
                let message = format!(
                    "there is no state for the existing stack `{id}` at {}",
                    place(&id)
                );
                let finding = Diagnostic::error(message).at(&plan.file, stack.name.span.clone());
                findings.push(
                    finding
                        .note("nothing was written")
                        .hint("remove `existing = true` to create it"),
                );
            }
            _ => {}
        }
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(findings.into())
    }
}
