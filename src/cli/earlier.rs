//! Migrations that went before: an unfinished one must be ended first, a finished one need not be made again.

use std::collections::BTreeMap;

use super::conduct::{explain, reaching, who_of};
use super::side_by_side;
use super::stores::{Stores, backend_error};
use crate::error::{CommandError, Exit};
use crate::execute::{self, FoundJournal};
use crate::journal::{Finished, MigrationId, Phase};
use crate::plan::file::Taking;
use crate::plan::migration::{After, PlannedState};
use crate::plan::{MigrationPlan, PlanFile, format_v1};
use crate::report::migration::to_seconds;
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

/// A journal that lies beside a source.
pub(super) struct Beside {
    pub(super) id: MigrationId,
    pub(super) journal: FoundJournal,
    /// The source's state, as people know it.
    place: String,
}

impl Beside {
    /// Reads every journal beside some sources, many at once. `reach` is what commands need to find their migrations.
    pub(super) fn read<'a>(
        stores: &Stores,
        reach: &str,
        sources: impl Iterator<Item = (&'a StateId, &'a StateLocation)>,
    ) -> Result<Vec<Self>, CommandError> {
        let mut homes = Vec::new();
        for (state, location) in sources {
            homes.push((state, stores.open_for_reading(location)?));
        }
        let listed = side_by_side::each(&homes, |(_, home)| execute::list(&**home));
        let mut journals = Vec::new();
        for ((state, home), listed) in homes.iter().zip(listed) {
            let ids = listed.map_err(|error| backend_error(&error))?;
            journals.extend(ids.into_iter().map(|id| (*state, home, id)));
        }
        let read = side_by_side::each(&journals, |(state, home, id)| execute::find(state, &***home, id));
        let all = journals.into_iter().zip(read).map(|((_, home, id), found)| {
            Ok(Self {
                id,
                journal: found.map_err(|error| explain(&error, reach))?,
                place: home.describe(),
            })
        });
        all.collect()
    }

    /// Returns what it does.
    pub(super) fn plan(&self) -> Result<MigrationPlan, CommandError> {
        format_v1::read(&self.journal.journal().migration().plan).map_err(|error| {
            CommandError::new(format!(
                "the plan in the journal of migration {}: {error}",
                self.id
            ))
            .note("nothing was written")
        })
    }

    /// Refuses what would come between. Whether a process is still at work on it, nobody can tell from here; but when
    /// its last record was written, everybody can.
    pub(super) fn unfinished(&self, reach: &str) -> CommandError {
        let Self { id, journal, place } = self;
        let phase = journal.journal().phase();
        let hint = if phase.is_undo() {
            format!("wait for it; if nobody is at work on it, run `stackcut resume {id}` to go on")
        } else {
            format!(
                "wait for it; if nobody is at work on it, run `stackcut resume {id}` to go on, or `stackcut undo {id}` to go back"
            )
        };
        let last = journal.journal().records().last();
        let by = last.map_or("somebody", |record| who_of(&record.session));
        let at = to_seconds(&journal.summary().last);
        CommandError::new(format!(
            "migration {id} is unfinished: {phase}, or cut off at that"
        ))
        .note(format!("its last step was at {at}, by {by}"))
        .note(format!("its journal lies beside {place}"))
        .note("nothing was written")
        .hint(reaching(&hint, id, reach))
        .exit(Exit::Locked)
    }
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
        for found in Beside::read(stores, reach, sources)? {
            earlier.add(found, reach)?;
        }
        Ok(earlier)
    }

    /// Takes note of one.
    fn add(&mut self, found: Beside, reach: &str) -> Result<(), CommandError> {
        let phase = found.journal.journal().phase();
        let over = match phase {
            // Only backups are still to be deleted.
            Phase::Discarding(over) => Some(over),
            phase => phase.finished(),
        };
        match over {
            Some(Finished::Aborted | Finished::Undone) => return Ok(()),
            Some(Finished::Fenced | Finished::Completed) => {}
            None => return Err(found.unfinished(reach)),
        }
        let plan = found.plan()?;
        let id = found.id;
        if phase == Phase::Fenced {
            let migration = found.journal.journal().migration();
            let held: Vec<String> = migration.fenced().map(|state| state.id.to_string()).collect();
            self.fences.push((id.clone(), held.join(", ")));
        }
        self.done.push((id, plan));
        Ok(())
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
