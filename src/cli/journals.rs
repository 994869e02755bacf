//! Finding migrations: their journals lie beside the sources of plan files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::conduct::explain;
use super::plan_files::{default_files, reach, reach_saved};
use super::project::Project;
use super::side_by_side;
use super::stores::{Stores, backend_error};
use crate::backend::StateBackend;
use crate::error::{CommandError, Exit};
use crate::execute::{self, FoundJournal, Handles};
use crate::journal::{MigrationId, Phase};
use crate::plan::{MigrationPlan, format_v1};
use crate::stack::{StackName, StateId, StateLocation};
use crate::ui::Ui;

/// A migration with all that is needed to go on with it.
pub(super) struct Known {
    /// The plan file or saved plan beside whose source it was found.
    pub(super) file: PathBuf,
    pub(super) found: FoundJournal,
    /// What it does, as its journal says: the plan file may say something else by now.
    pub(super) plan: MigrationPlan,
    /// The code, where a plan file led here.
    pub(super) project: Option<Arc<Project>>,
}

/// What a search found.
#[derive(Default)]
pub(super) struct Search {
    pub(super) known: Vec<Known>,
    /// Every place where journals may lie and that could be looked at.
    pub(super) looked: Vec<String>,
    /// The ID of every journal that is there.
    listed: Vec<MigrationId>,
    /// What could not be looked at.
    pub(super) problems: Vec<Problem>,
}

/// A plan file or a place that could not be looked at, or a journal that cannot be read.
pub(super) struct Problem {
    /// Whose journal.
    pub(super) journal_of: Option<MigrationId>,
    pub(super) error: CommandError,
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        Self {
            journal_of: None,
            error,
        }
    }
}

/// The places that one file leads to.
struct FileHomes {
    file: PathBuf,
    split: StackName,
    project: Option<Arc<Project>>,
    homes: Vec<(StateId, StateLocation)>,
}

impl Known {
    pub(super) fn id(&self) -> &MigrationId {
        &self.found.journal().migration().id
    }

    pub(super) fn phase(&self) -> Phase {
        self.found.journal().phase()
    }

    /// Opens the states where the journal says they are.
    pub(super) fn handles(&self, stores: &Stores) -> Result<Handles, CommandError> {
        open(&self.plan, stores)
    }

    /// Returns the option that leads a command to this migration; nothing where it is found without.
    pub(super) fn reach(&self) -> String {
        match self.project {
            Some(_) => reach(&self.file),
            None => reach_saved(&self.file, &self.plan),
        }
    }
}

/// Opens every state of a plan.
pub(super) fn open(plan: &MigrationPlan, stores: &Stores) -> Result<Handles, CommandError> {
    let mut handles = Handles::new();
    for state in &plan.states {
        handles.insert(state.id.clone(), stores.open(&state.location)?);
    }
    Ok(handles)
}

/// Looks beside the sources of the files given, or of every plan file that is found here.
pub(super) fn search(given: &[PathBuf], stores: &Stores, ui: &Ui) -> Result<Search, CommandError> {
    search_for(None, given, stores, ui)
}

/// Looks for all migrations, or reads the journal of one only.
fn search_for(
    one: Option<&MigrationId>,
    given: &[PathBuf],
    stores: &Stores,
    ui: &Ui,
) -> Result<Search, CommandError> {
    let files = match given {
        [] => default_files()?,
        given => given.to_vec(),
    };
    let mut found = Search::default();
    let mut all = Vec::new();
    for file in files {
        match homes(&file, stores, ui) {
            Ok(homes) => all.push(homes),
            Err(error) if given.is_empty() || error.exit != Exit::Usage => found.problems.push(error.into()),
            Err(error) => return Err(error),
        }
    }
    let places = places(&all, stores, &mut found);
    let journals = list_all(&places, &mut found);
    let wanted: Vec<&Journal<'_>> = journals
        .iter()
        .filter(|journal| one.is_none_or(|one| journal.id == *one))
        .collect();
    let read = side_by_side::each(&wanted, |journal| journal.read());
    for (journal, read) in wanted.into_iter().zip(read) {
        match read {
            Ok(known) => found.known.push(known),
            Err(error) => found.problems.push(Problem {
                journal_of: Some(journal.id.clone()),
                error,
            }),
        }
    }
    found.listed = journals.iter().map(|journal| journal.id.clone()).collect();
    ui.findings(&stores.take_findings());
    Ok(found)
}

/// A place where journals may lie.
struct Place<'a> {
    state: &'a StateId,
    location: &'a StateLocation,
    store: Arc<dyn StateBackend>,
    /// The files that lead here.
    files: Vec<&'a FileHomes>,
}

/// A journal that is there.
struct Journal<'a> {
    id: MigrationId,
    place: &'a Place<'a>,
    /// The files that lead here.
    files: Vec<&'a FileHomes>,
}

/// Opens every place once, however many files lead there.
fn places<'a>(all: &'a [FileHomes], stores: &Stores, into: &mut Search) -> Vec<Place<'a>> {
    let mut places: Vec<Place<'a>> = Vec::new();
    for file in all {
        for (state, location) in &file.homes {
            if let Some(known) = places.iter_mut().find(|place| place.location == location) {
                known.files.push(file);
                continue;
            }
            match stores.open_for_reading(location) {
                Ok(store) => places.push(Place {
                    state,
                    location,
                    store,
                    files: vec![file],
                }),
                Err(error) => into.problems.push(error.into()),
            }
        }
    }
    places
}

/// Lists the journals of all places, each once: two locations may differ, and be one place.
fn list_all<'a>(places: &'a [Place<'a>], into: &mut Search) -> Vec<Journal<'a>> {
    let listed = side_by_side::each(places, |place| execute::list(&*place.store));
    let mut at = BTreeMap::new();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut journals: Vec<Journal<'a>> = Vec::new();
    for (place, listed) in places.iter().zip(listed) {
        let name = place.store.describe();
        let is_new = asked.insert(name.clone());
        let ids = match listed {
            Ok(ids) => {
                if !into.looked.contains(&name) {
                    into.looked.push(name);
                }
                ids
            }
            Err(error) if is_new => {
                into.problems.push(backend_error(&error).into());
                continue;
            }
            Err(_) => continue,
        };
        for id in ids {
            let key = (place.store.lock_key().to_owned(), id.clone());
            let known: usize = *at.entry(key).or_insert(journals.len());
            match journals.get_mut(known) {
                Some(journal) => journal.files.extend(&place.files),
                None => journals.push(Journal {
                    id,
                    place,
                    files: place.files.clone(),
                }),
            }
        }
    }
    journals
}

impl Journal<'_> {
    fn read(&self) -> Result<Known, CommandError> {
        let Self { id, place, files } = self;
        let first = files.first().expect("a place is one that a file leads to");
        let found = execute::find(place.state, &*place.store, id)
            .map_err(|error| explain(&error, &reach(&first.file)))?;
        let plan = format_v1::read(&found.journal().migration().plan).map_err(|error| {
            CommandError::new(format!("the plan in the journal of migration {id}: {error}"))
                .note("nothing was changed")
                .hint("use the version of stackcut that began it")
        })?;
        // A migration belongs to the file of its split, if several lead to it.
        let file = files.iter().find(|file| file.split == plan.name).unwrap_or(first);
        Ok(Known {
            file: file.file.clone(),
            found,
            plan,
            project: file.project.clone(),
        })
    }
}

/// Returns the places where journals of a file's migrations may lie.
fn homes(file: &Path, stores: &Stores, ui: &Ui) -> Result<FileHomes, CommandError> {
    if let Some(plan) = saved_plan(file)? {
        return Ok(FileHomes {
            file: file.to_owned(),
            split: plan.name.clone(),
            project: None,
            homes: plan
                .states
                .iter()
                .filter(|state| matches!(state.id, StateId::Source(_)))
                .map(|state| (state.id.clone(), state.location.clone()))
                .collect(),
        });
    }
    let project = Project::read(file, ui)?;
    project.homes(file, stores)
}

impl Project {
    /// Returns where journals of this plan file's migrations may lie.
    fn homes(self, file: &Path, stores: &Stores) -> Result<FileHomes, CommandError> {
        let mut homes: Vec<(StateId, StateLocation)> = Vec::new();
        for environment in self.environments(None)? {
            for (id, location) in self.open_to(stores, &environment)? {
                if matches!(id, StateId::Source(_)) {
                    homes.push((id, location));
                }
            }
        }
        Ok(FileHomes {
            file: file.to_owned(),
            split: self.plan.name.value.clone(),
            project: Some(Arc::new(self)),
            homes,
        })
    }
}

/// Reads a saved plan; `None` where the file is a plan file, or cannot be read (which its reader says better).
pub(super) fn saved_plan(file: &Path) -> Result<Option<MigrationPlan>, CommandError> {
    let Ok(text) = fs::read_to_string(file) else {
        return Ok(None);
    };
    if !format_v1::is_saved_plan(&text) {
        return Ok(None);
    }
    format_v1::read(&text).map(Some).map_err(|error| {
        CommandError::new(format!("{}: {error}", file.display()))
            .note("nothing was changed")
            .hint("save it again with `stackcut plan --out`")
    })
}

/// Finds one migration by its ID.
pub(super) fn find(
    id: &MigrationId,
    given: &[PathBuf],
    stores: &Stores,
    ui: &Ui,
) -> Result<Known, CommandError> {
    let Search {
        known,
        looked,
        listed,
        mut problems,
    } = search_for(Some(id), given, stores, ui)?;
    if let Some(known) = known.into_iter().next() {
        return Ok(known);
    }
    // It is there, and cannot be read: that is all there is to say.
    let unreadable = problems
        .iter()
        .position(|problem| problem.journal_of.as_ref() == Some(id));
    if let Some(at) = unreadable {
        return Err(problems.swap_remove(at).error);
    }
    let message = if problems.is_empty() {
        format!("there is no migration {id}")
    } else {
        format!("migration {id} is nowhere that could be looked at")
    };
    let mut error = CommandError::new(message).note("nothing was changed");
    for place in &looked {
        error = error.note(format!("looked beside {place}"));
    }
    if looked.is_empty() && problems.is_empty() {
        error = error.note("found no plan file in ./plans or here");
    }
    let near: Vec<&str> = listed.iter().map(MigrationId::as_str).collect();
    if !near.is_empty() {
        error = error.note(format!("there are: {}", near.join(", ")));
    }
    let hint = "name its plan file with --plan; `stackcut status` lists every migration of a plan file";
    error = error.hint(hint);
    // What could not be looked at may be why.
    for problem in problems.into_iter().rev() {
        error.findings.splice(0..0, problem.error.findings);
    }
    Err(error)
}
