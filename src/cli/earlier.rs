//! Migrations that went before: an unfinished one must be ended first, a finished one need not be made again.

use std::collections::BTreeMap;

use super::conduct::{explain, reaching};
use super::stores::{Stores, backend_error};
use crate::error::{CommandError, Exit};
use crate::execute;
use crate::journal::{Finished, MigrationId, Phase};
use crate::plan::file::Taking;
use crate::plan::migration::{After, PlannedState};
use crate::plan::{MigrationPlan, PlanFile, format_v1};
use crate::stack::{StackName, StateId, StateLocation};
use crate::state::Snapshot;

/// The finished migrations of some sources.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// Those that were not undone.
    done: Vec<(MigrationId, MigrationPlan)>,
    /// Those whose fence stands, with the names of their sources.
    pub(super) fences: Vec<(MigrationId, String)>,
}

impl Earlier {
    /// Looks beside sources. `reach` is what commands need to find their migrations.
    ///
    /// # Errors
    ///
    /// A migration that is unfinished: whatever was read now would be a state in the middle of something.
    pub(super) fn look<'a>(
        stores: &Stores,
        reach: &str,
        sources: impl Iterator<Item = (&'a StateId, &'a StateLocation)>,
    ) -> Result<Self, CommandError> {
        let mut earlier = Self::default();
        for (state, location) in sources {
            let home = stores.open_for_reading(location)?;
            for id in execute::list(&*home).map_err(|error| backend_error(&error))? {
                let found = execute::find(state, &*home, &id).map_err(|error| explain(&error, reach))?;
                let phase = found.journal().phase();
                let migration = found.journal().migration();
                let over = match phase {
                    // Only backups are still to be deleted.
                    Phase::Discarding(over) => Some(over),
                    phase => phase.finished(),
                };
                match over {
                    Some(Finished::Aborted | Finished::Undone) => continue,
                    Some(Finished::Fenced | Finished::Completed) => {}
                    None => return Err(unfinished(&id, phase, &home.describe(), reach)),
                }
                let plan = format_v1::read(&migration.plan).map_err(|error| {
                    CommandError::new(format!("the plan in the journal of migration {id}: {error}"))
                        .note("nothing was written")
                })?;
                if phase == Phase::Fenced {
                    let held: Vec<String> = migration.fenced().map(|state| state.id.to_string()).collect();
                    earlier.fences.push((id.clone(), held.join(", ")));
                }
                earlier.done.push((id, plan));
            }
        }
        Ok(earlier)
    }

    /// Takes what was carried out already out of a plan file, so that carrying it out twice finds nothing to do.
    ///
    /// A stack is done if an earlier migration of this split and environment gave it the state that it has, and its
    /// patterns find nothing more. If they do find more, that is merged into the state that is there.
    pub(super) fn without_what_is_done(
        &self,
        plan: &PlanFile,
        environment: &str,
        mut snapshots: BTreeMap<StateId, Snapshot>,
    ) -> (PlanFile, BTreeMap<StateId, Snapshot>) {
        let mut left = plan.clone();
        left.stacks.retain_mut(|stack| {
            let id = StateId::Stack(stack.name.value.clone());
            if !self.made(&plan.name.value, environment, &id, snapshots.get(&id)) {
                return true;
            }
            if finds_something(&stack.taking, &snapshots) {
                stack.existing = true;
                return true;
            }
            snapshots.remove(&id);
            false
        });
        left.returns.retain(|back| {
            let id = StateId::Stack(back.name.value.clone());
            let is_empty = snapshots.get(&id).is_some_and(Snapshot::is_empty);
            if !is_empty || !self.made(&plan.name.value, environment, &id, snapshots.get(&id)) {
                return true;
            }
            snapshots.remove(&id);
            false
        });
        (left, snapshots)
    }

    /// Tells whether a state is one that an earlier migration wrote.
    fn made(&self, split: &StackName, environment: &str, id: &StateId, now: Option<&Snapshot>) -> bool {
        let Some(now) = now else { return false };
        let wrote = |state: &PlannedState| match &state.after {
            After::Written(print) => state.id == *id && print.lineage == *now.lineage(),
            After::Unchanged => false,
        };
        self.done.iter().any(|(_, plan)| {
            plan.name == *split && plan.environment == environment && plan.states.iter().any(wrote)
        })
    }
}

/// Tells whether patterns or outputs still find something in a source's state.
fn finds_something(taking: &Taking, snapshots: &BTreeMap<StateId, Snapshot>) -> bool {
    let is_about = |wanted: Option<&StackName>, id: &StateId| match id {
        StateId::Source(name) => wanted.is_none_or(|wanted| wanted == name),
        StateId::Stack(_) => false,
    };
    snapshots.iter().any(|(id, snapshot)| {
        let takes: Vec<_> = taking
            .takes
            .iter()
            .filter(|take| is_about(take.source.as_ref(), id))
            .collect();
        let instance = !takes.is_empty()
            && snapshot
                .instances()
                .any(|found| takes.iter().any(|take| take.pattern.value.matches(&found.addr())));
        instance
            || taking.outputs.iter().any(|output| {
                is_about(output.source.as_ref(), id)
                    && snapshot.outputs().any(|found| found.name() == output.name.value)
            })
    })
}

fn unfinished(id: &MigrationId, phase: Phase, place: &str, reach: &str) -> CommandError {
    let hint = format!("run `stackcut resume {id}` to go on, or `stackcut undo {id}` to go back");
    CommandError::new(format!("migration {id} is unfinished: it stopped while {phase}"))
        .note(format!("its journal lies beside {place}"))
        .note("nothing was written")
        .hint(reaching(&hint, id, reach))
        .exit(Exit::Locked)
}
