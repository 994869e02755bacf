//! What `plan` and `apply` have in common: computing the migration of one environment from states as they are.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::code::{Cut, Together};
use super::earlier::Earlier;
use super::project::Project;
use super::states::{check_presence, read_all};
use super::stores::Stores;
use crate::diagnostic::Diagnostic;
use crate::error::CommandError;
use crate::plan::backend::describe;
use crate::plan::migration::Fingerprint;
use crate::plan::{MigrationPlan, PlanFile};
use crate::report::split::SplitReport;
use crate::rewrite::{NotFollowed, Rewritten};
use crate::stack::{Environment, StateId, StateLocation};
use crate::state::Snapshot;
use crate::ui::Ui;

/// One environment of a project, computed.
pub(super) struct Prepared {
    pub(super) migration: MigrationPlan,
    pub(super) report: SplitReport,
    pub(super) earlier: Earlier,
    /// The code of every stack and of what is left of the sources; why there is none.
    pub(super) code: Result<Rewritten, NotFollowed>,
    /// What is worth knowing of the plan file.
    warnings: Vec<Diagnostic>,
    /// The states as they were read.
    pub(super) snapshots: BTreeMap<StateId, Snapshot>,
}

impl Prepared {
    /// Returns the report for people.
    pub(super) fn text(&self) -> String {
        if self.migration.is_empty() {
            let MigrationPlan {
                name, environment, ..
            } = &self.migration;
            return format!("{name}: nothing to do, environment {environment}\n");
        }
        self.report.text()
    }

    /// Says what a person should know of the plan file and of the code, and why it does not follow if it does not.
    fn tell(&self, ui: &Ui) {
        ui.findings(&self.warnings);
        match &self.code {
            Ok(code) => ui.findings(&code.warnings),
            Err(reason) => ui.findings(&reason.as_warnings()),
        }
    }

    /// Computes the content of every state that the migration writes.
    pub(super) fn new_states(&self) -> Result<BTreeMap<StateId, Vec<u8>>, CommandError> {
        let replayed = self.migration.replay(&self.snapshots);
        replayed.map_err(|error| CommandError::new(error.to_string()).note("nothing was written"))
    }
}

impl Project {
    /// Reads every state of an environment, under no lock, computes its migration, and says what is worth knowing.
    pub(super) fn prepare(
        &self,
        stores: &Stores,
        environment: &Environment,
        ui: &Ui,
    ) -> Result<Prepared, CommandError> {
        let prepared = self.compute_from(stores, environment);
        ui.findings(&stores.take_findings());
        let prepared = prepared?;
        prepared.tell(ui);
        ui.done(&format!(
            "computed {}, environment {}",
            self.plan.file.path, environment.name
        ));
        Ok(prepared)
    }

    fn compute_from(&self, stores: &Stores, environment: &Environment) -> Result<Prepared, CommandError> {
        let mut locations = self.open_to(stores, environment)?;
        let sources = locations
            .iter()
            .filter(|(id, _)| matches!(id, StateId::Source(_)));
        let earlier = Earlier::look(stores, &self.reach(), sources)?;
        let snapshots = read_all(&locations, stores)?;
        let (plan, snapshots) = earlier.without_what_is_done(&self.plan, &environment.name, snapshots);
        locations.retain(|id, _| plan.states().iter().any(|(known, _)| known == id));
        check_presence(&plan, &snapshots, &locations)?;
        let (Together { computed, code }, prints) =
            self.compute(&plan, environment, &locations, &snapshots)?;
        let migration = computed
            .migration(&plan, &environment.name, &locations, &snapshots, &prints)
            .map_err(|fault| CommandError::new(fault.to_string()).note("nothing was written"))?;
        let mut report = SplitReport::new(&plan, &environment.name, &snapshots, &computed);
        report.place(&|id| locations.get(id).map(describe));
        match &code {
            Ok(code) => report.followed_by(code),
            Err(reason) => report.states_alone(reason),
        }
        Ok(Prepared {
            migration,
            report,
            earlier,
            code,
            warnings: computed.assignment.warnings,
            snapshots,
        })
    }

    fn compute(
        &self,
        plan: &PlanFile,
        environment: &Environment,
        locations: &BTreeMap<StateId, StateLocation>,
        snapshots: &BTreeMap<StateId, Snapshot>,
    ) -> Result<(Together, BTreeMap<StateId, Fingerprint>), CommandError> {
        let prints = Mutex::new(BTreeMap::new());
        let take = |id: &StateId, snapshot: &Snapshot| {
            let print = Fingerprint::of(snapshot);
            prints.lock().expect("no holder panics").insert(id.clone(), print);
            Ok(())
        };
        let cut = Cut {
            plan,
            environment,
            modules: &self.modules,
            snapshots,
        };
        let together = cut.compute(&|| Ok(locations.clone()), &take)?;
        Ok((together, prints.into_inner().expect("no holder panics")))
    }
}
