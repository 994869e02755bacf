//! Journals where they lie: one object per record beside a source state, each created once and never changed.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use super::Handles;
use super::backup;
use super::context::Context;
use super::error::{Cause, ExecuteError, Left};
use super::outcome::{Backup, Summary};
use crate::backend::{BackendError, SidecarName, StateBackend};
use crate::journal::{Event, Journal, Migration, MigrationId, Original, Phase, Record, Torn};
use crate::parallel;
use crate::stack::StateId;

const DIR: &str = "journal/";
/// How many records of a journal are read at once.
const RECORDS_AT_ONCE: NonZeroUsize = NonZeroUsize::new(8).expect("it is not zero");

/// A journal as it was found.
#[derive(Clone, Debug)]
pub struct FoundJournal {
    pub(super) journal: Journal,
    pub(super) torn: Option<Torn>,
}

impl FoundJournal {
    /// Returns the journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns how the migration stands.
    pub fn summary(&self) -> Summary {
        let journal = &self.journal;
        let records = journal.records();
        let migration = journal.migration();
        let at = |record: Option<&Record>| record.map(|record| record.at.clone()).unwrap_or_default();
        Summary {
            id: migration.id.clone(),
            started: at(records.first()),
            last: at(records.last()),
            phase: journal.phase(),
            stuck: journal.is_stuck(),
            states: migration
                .states()
                .iter()
                .map(|state| (state.id.clone(), state.place.clone()))
                .collect(),
            backups: backups(journal),
        }
    }
}

fn backups(journal: &Journal) -> Vec<Backup> {
    if matches!(
        journal.phase(),
        Phase::Aborting | Phase::Aborted | Phase::Discarding(_) | Phase::Discarded(_)
    ) {
        return Vec::new();
    }
    let announces = |record: &Record| {
        matches!(
            record.event,
            Event::WaveIntended { .. } | Event::WritesIntended { .. }
        )
    };
    if !journal.records().iter().any(announces) {
        // Not all are there for sure, and nothing was overwritten.
        return Vec::new();
    }
    let originals = originals(journal);
    let migration = journal.migration();
    backup::needed(migration)
        .map(|change| Backup {
            state: change.id.clone(),
            place: change.place.clone(),
            name: backup::name(&migration.id).to_string(),
            version_id: originals
                .iter()
                .find(|original| original.state == change.id)
                .map(|original| original.version_id.clone()),
        })
        .collect()
}

/// Returns what the stores keep themselves.
fn originals(journal: &Journal) -> Vec<&Original> {
    let mut told = Vec::new();
    for record in journal.records() {
        if let Event::BackupsIntended { originals }
        | Event::WaveIntended { originals, .. }
        | Event::WritesIntended { originals, .. } = &record.event
        {
            told.extend(originals);
        }
    }
    told
}

fn record_name(id: &MigrationId, sequence: u64) -> SidecarName {
    format!("{DIR}{id}/{sequence:06}.json")
        .parse()
        .expect("IDs and numbers make names")
}

/// Reads the journal of a migration, beside the state given.
///
/// # Errors
///
/// No such journal, or one that cannot be believed. Nothing is changed.
pub fn find(
    state: &StateId,
    home: &dyn StateBackend,
    id: &MigrationId,
) -> Result<FoundJournal, ExecuteError> {
    let failed = |cause| ExecuteError {
        migration: id.clone(),
        cause,
        left: Left::Untouched,
    };
    let store = |source| {
        failed(Cause::JournalStore {
            state: state.clone(),
            source,
        })
    };
    let names = home.list_sidecars(&format!("{DIR}{id}/")).map_err(store)?;
    let records = names
        .iter()
        .filter_map(|name| Some((sequence_of(id, name)?, name)));
    let records: Vec<(u64, &SidecarName)> = records.collect();
    let read = parallel::each(RECORDS_AT_ONCE, &records, |(_, name)| home.get_sidecar(name));
    let mut texts = Vec::new();
    for ((sequence, _), text) in records.iter().zip(read) {
        // Gone since it was listed: the replay will miss it.
        if let Some(text) = text.map_err(store)? {
            texts.push((*sequence, text));
        }
    }
    if texts.is_empty() {
        return Err(failed(Cause::NotFound(state.clone())));
    }
    let (journal, torn) = Journal::replay(texts).map_err(|error| failed(error.into()))?;
    Ok(FoundJournal { journal, torn })
}

fn sequence_of(id: &MigrationId, name: &SidecarName) -> Option<u64> {
    let rest = name.as_str().strip_prefix(DIR)?.strip_prefix(id.as_str())?;
    rest.strip_prefix('/')?.strip_suffix(".json")?.parse().ok()
}

/// Lists the migrations whose journals lie beside a state.
///
/// # Errors
///
/// A store that cannot be listed.
pub fn list(home: &dyn StateBackend) -> Result<Vec<MigrationId>, BackendError> {
    let names = home.list_sidecars(DIR)?;
    let ids: BTreeSet<MigrationId> = names
        .iter()
        .filter_map(|name| {
            // Any record will do: a journal that lost its first one must not look as if there were none.
            let id: MigrationId = name.as_str().strip_prefix(DIR)?.split('/').next()?.parse().ok()?;
            sequence_of(&id, name).map(|_| id)
        })
        .collect();
    Ok(ids.into_iter().collect())
}

/// A journal that is being written.
pub(super) struct Writer<'a> {
    context: Context<'a>,
    home: &'a dyn StateBackend,
    state: StateId,
    journal: Journal,
    torn: Option<Torn>,
}

impl<'a> Writer<'a> {
    /// Writes the first record of a migration.
    pub(super) fn start(
        context: Context<'a>,
        handles: &'a Handles,
        migration: Migration,
    ) -> Result<Self, Cause> {
        let state = migration.home().clone();
        let home = handles.get(&state).ok_or(Cause::NoHandle(state.clone()))?;
        let record = Journal::first_record(migration, context.session, &context.now_text());
        let journal = Journal::begin(record.clone())?;
        let writer = Self {
            context,
            home: &**home,
            state,
            journal,
            torn: None,
        };
        match writer.create(&record) {
            Err(Cause::Concurrent { .. }) => Err(Cause::AlreadyStarted),
            created => created.map(|()| writer),
        }
    }

    /// Goes on with a journal that was found.
    pub(super) fn open(
        context: Context<'a>,
        handles: &'a Handles,
        found: FoundJournal,
    ) -> Result<Self, Cause> {
        let state = found.journal.migration().home().clone();
        let home = handles.get(&state).ok_or(Cause::NoHandle(state.clone()))?;
        Ok(Self {
            context,
            home: &**home,
            state,
            journal: found.journal,
            torn: found.torn,
        })
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Writes an event's record, which is durable when this returns; to be [noted](Self::note).
    pub(super) fn write(&self, event: Event) -> Result<Record, Cause> {
        let record = self
            .journal
            .next_record(self.context.session, &self.context.now_text(), event)
            .map_err(|source| {
                Cause::Journal(crate::journal::JournalError::Illegal {
                    sequence: self.journal.next_sequence(),
                    source,
                })
            })?;
        self.create(&record)?;
        Ok(record)
    }

    /// Goes on from a record that was written.
    pub(super) fn note(&mut self, record: Record) -> Result<(), Cause> {
        Ok(self.journal.append(record)?)
    }

    /// Makes sure that nobody else has gone on with this journal.
    pub(super) fn check(&self) -> Result<(), Cause> {
        let sequence = self.journal.next_sequence();
        let name = record_name(&self.journal.migration().id, sequence);
        let found = self
            .home
            .get_sidecar(&name)
            .map_err(|source| self.failed(source))?;
        match found {
            Some(text) if !Record::is_torn(&text) => Err(Cause::Concurrent { sequence }),
            _ => Ok(()),
        }
    }

    fn create(&self, record: &Record) -> Result<(), Cause> {
        let name = record_name(&self.journal.migration().id, record.sequence);
        let text = record.to_text();
        if self.torn.as_ref().is_some_and(|torn| torn.0 == record.sequence) {
            self.clear(&name)?;
        }
        match self.home.create_sidecar(&name, text.as_bytes()) {
            Ok(()) => Ok(()),
            Err(BackendError::PreconditionFailed { .. }) => self.is_ours(record, &name, &text),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Deletes a record that was never written whole. What somebody else who goes on here has written anew by now stays.
    fn clear(&self, name: &SidecarName) -> Result<(), Cause> {
        let found = self
            .home
            .get_sidecar(name)
            .map_err(|source| self.failed(source))?;
        match found {
            Some(text) if Record::is_torn(&text) => self
                .home
                .delete_sidecar(name)
                .map_err(|source| self.failed(source)),
            _ => Ok(()),
        }
    }

    /// A record that is there already may be our own, if the answer to an earlier attempt was lost.
    fn is_ours(&self, record: &Record, name: &SidecarName, text: &str) -> Result<(), Cause> {
        let found = self
            .home
            .get_sidecar(name)
            .map_err(|source| self.failed(source))?;
        if found.is_some_and(|found| found == text.as_bytes()) {
            Ok(())
        } else {
            Err(Cause::Concurrent {
                sequence: record.sequence,
            })
        }
    }

    fn failed(&self, source: BackendError) -> Cause {
        Cause::JournalStore {
            state: self.state.clone(),
            source,
        }
    }
}
