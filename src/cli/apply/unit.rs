//! One migration to carry out: from a plan file, computed now, or from a saved plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::saved::{self, Found};
use crate::cli::conduct::{Conductor, explain, new_id, random, reaching};
use crate::cli::earlier::Earlier;
use crate::cli::journals::open;
use crate::cli::plan_files::{reach, reach_saved};
use crate::cli::prepare::Prepared;
use crate::cli::project::Project;
use crate::cli::stores::Stores;
use crate::error::{CommandError, Exit};
use crate::execute::{self, Cause, ExecuteError, Left, Outcome, PlannedResults};
use crate::journal::{Migration, MigrationId};
use crate::plan::MigrationPlan;
use crate::plan::backend::{describe, identity};
use crate::plan::fence::{leaving, still_declared};
use crate::plan::migration::After;
use crate::report::migration::{Ending, PlanReport, RunReport};
use crate::report::split::SplitReport;
use crate::stack::StateId;
use crate::ui::Ui;

/// A migration that may be carried out.
pub(super) struct Unit {
    file: PathBuf,
    plan: MigrationPlan,
    /// What people are shown; none for a saved plan, which knows less.
    report: Option<SplitReport>,
    earlier: Earlier,
    /// The states that keep their lock.
    fenced: BTreeSet<StateId>,
    done: bool,
}

impl Unit {
    /// Takes a plan file's environment.
    pub(super) fn fresh(
        file: &Path,
        project: &Project,
        prepared: Prepared,
        ui: &Ui,
    ) -> Result<Self, CommandError> {
        let plan = prepared.migration;
        let mut fenced = BTreeSet::new();
        for state in &plan.states {
            if leaving(&plan, &state.id).next().is_none() {
                continue;
            }
            let code = project.code_of(&state.id, ui)?;
            if !still_declared(&plan, &state.id, code.as_ref()).is_empty() {
                fenced.insert(state.id.clone());
            }
        }
        Ok(Self {
            file: file.to_owned(),
            done: plan.is_empty(),
            plan,
            report: Some(prepared.report),
            earlier: prepared.earlier,
            fenced,
        })
    }

    /// Takes a saved plan, if every state still is what it was made from.
    pub(super) fn saved(file: &Path, plan: MigrationPlan, stores: &Stores) -> Result<Self, CommandError> {
        let locations: BTreeMap<_, _> = plan
            .states
            .iter()
            .map(|state| (state.id.clone(), state.location.clone()))
            .collect();
        let sources = locations
            .iter()
            .filter(|(id, _)| matches!(id, StateId::Source(_)));
        let earlier = Earlier::look(stores, &reach_saved(file, &plan), sources)?;
        let done = match saved::look(&plan, &locations, stores)? {
            Found::AsPlanned => plan.is_empty(),
            Found::CarriedOut => true,
        };
        let fenced = plan
            .states
            .iter()
            .filter(|state| leaving(&plan, &state.id).next().is_some())
            .map(|state| state.id.clone())
            .collect();
        Ok(Self {
            file: file.to_owned(),
            plan,
            report: None,
            earlier,
            fenced,
            done,
        })
    }

    /// Tells whether nothing is left to do.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Returns the unit's name for people.
    pub(super) fn name(&self) -> String {
        format!("{}, environment {}", self.file.display(), self.plan.environment)
    }

    /// Returns the option that leads a command to its migrations.
    fn reach(&self) -> String {
        match self.report {
            Some(_) => reach(&self.file),
            None => reach_saved(&self.file, &self.plan),
        }
    }

    /// Counts the instances that move.
    pub(super) fn moves(&self) -> usize {
        self.plan.moves.len()
    }

    /// Counts the states that are written.
    pub(super) fn written(&self) -> usize {
        let written = |after: &After| matches!(after, After::Written(_));
        self.plan
            .states
            .iter()
            .filter(|state| written(&state.after))
            .count()
    }

    /// Returns what will happen.
    pub(super) fn text(&self) -> String {
        match &self.report {
            Some(report) => report.text(),
            None => PlanReport::new(&self.plan).text(),
        }
    }

    /// Refuses sources that an earlier migration still keeps locked.
    pub(super) fn check_fences(&self) -> Result<(), CommandError> {
        let Some((id, held)) = self.earlier.fences.first() else {
            return Ok(());
        };
        let hint = format!(
            "remove what moved from the code, run `stackcut release {id}`, then run `stackcut apply` again"
        );
        Err(
            CommandError::new(format!("migration {id} keeps {held} locked until it is released"))
                .note(format!("{} moves more out of the same source", self.name()))
                .note("nothing was written")
                .hint(reaching(&hint, id, &self.reach()))
                .exit(Exit::Locked),
        )
    }

    /// Returns a report without a run.
    pub(super) fn report(&self, ending: Ending) -> RunReport {
        RunReport {
            file: self.file.display().to_string(),
            split: self.plan.name.to_string(),
            environment: self.plan.environment.clone(),
            migration: None,
            ending,
            plan: Some(PlanReport::new(&self.plan)),
            fence: Vec::new(),
            fence_lost: Vec::new(),
            reason: None,
            error: None,
            next: self
                .earlier
                .fences
                .first()
                .map(|(id, _)| format!("stackcut release {id}{}", self.reach())),
        }
    }

    /// Carries it out.
    pub(super) fn carry_out(
        &self,
        conductor: &Conductor<'_>,
        stores: &Stores,
    ) -> Result<RunReport, (Box<RunReport>, CommandError)> {
        let failed = |error| (Box::new(self.report(Ending::Failed)), error);
        let id = new_id(&self.plan).map_err(failed)?;
        let handles = open(&self.plan, stores).map_err(failed)?;
        let migration = self.migration(&id, &handles).map_err(failed)?;
        let mut run = self.report(Ending::Failed);
        run.migration = Some(id.to_string());
        run.next = None;
        let ended = conductor.conduct(&migration, &self.plan, |context| {
            execute::apply(context, &handles, migration.clone(), &PlannedResults)
        });
        match ended {
            Ok(outcome) => {
                ended_well(&mut run, outcome, &id, &self.reach());
                Ok(run)
            }
            Err(error) => {
                if matches!(error.left, Left::Untouched) {
                    run.migration = None;
                }
                Err((Box::new(run), explain(&error, &self.reach())))
            }
        }
    }

    fn migration(&self, id: &MigrationId, handles: &execute::Handles) -> Result<Migration, CommandError> {
        let mut drawn = Vec::new();
        for _ in &self.plan.states {
            drawn.push(random::<16>()?);
        }
        let mut lock_ids = || drawn.pop().expect("one was drawn for each state");
        let fenced = |state: &StateId| self.fenced.contains(state);
        execute::migration(&self.plan, id.clone(), handles, fenced, &mut lock_ids).map_err(|cause: Cause| {
            let error = ExecuteError {
                migration: id.clone(),
                cause,
                left: Left::Untouched,
            };
            explain(&error, "")
        })
    }
}

/// Notes how an execution ended.
pub(in crate::cli) fn ended_well(run: &mut RunReport, outcome: Outcome, id: &MigrationId, reach: &str) {
    match outcome {
        Outcome::Completed => run.ending = Ending::Completed,
        Outcome::Undone => run.ending = Ending::Undone,
        Outcome::Aborted { reason } => {
            run.ending = Ending::Aborted;
            run.reason = Some(reason);
        }
        Outcome::Fenced { held, lost } => {
            run.ending = Ending::Fenced;
            run.fence = held.iter().map(ToString::to_string).collect();
            run.fence_lost = lost.iter().map(ToString::to_string).collect();
            run.next = Some(format!("stackcut release {id}{reach}"));
        }
    }
}

/// Refuses migrations of one run that share a state: the second was computed from what the first changes.
pub(super) fn check_overlaps(units: &[Unit]) -> Result<(), CommandError> {
    let mut seen: BTreeMap<String, &Unit> = BTreeMap::new();
    for unit in units.iter().filter(|unit| !unit.done) {
        for state in &unit.plan.states {
            if let Some(other) = seen.insert(identity(&state.location), unit) {
                return Err(CommandError::usage(format!(
                    "`{}` at {} is changed by two of these migrations",
                    state.id,
                    describe(&state.location)
                ))
                .note(format!("{}, and {}", other.name(), unit.name()))
                .note("nothing was written")
                .hint("apply them one after the other"));
            }
        }
    }
    Ok(())
}
