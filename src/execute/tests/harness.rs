//! Worlds in which migrations happen, and the processes at work in them.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

pub(super) use super::check::{End, check_always, check_end};
use super::fixture::plan;
pub(super) use super::fixture::{NAMES, SECRET, migration_id};
pub(crate) use super::fixture::{id, originals};
use crate::backend::StateBackend;
use crate::backend::clock::TestClock;
use crate::backend::gated::{Gate, Gated};
use crate::backend::local::LocalBackend;
use crate::backend::memory::MemoryStore;
use crate::backend::settling::Settling;
use crate::execute::{
    Cause, Context, ExecuteError, FoundJournal, Handles, Interrupt, Observer, Outcome, PlannedResults,
    Progress, Surroundings, apply, find, migration, release, resume, undo,
};
use crate::journal::{Migration, StateChange};
use crate::stack::{StateId, StateLocation};
use crate::state::Snapshot;

/// Where states live, as long as processes come and go.
pub(super) enum World {
    Memory(MemoryStore),
    Local(tempfile::TempDir),
}

impl World {
    pub(super) fn memory() -> Self {
        let store = MemoryStore::default();
        for (name, text) in originals() {
            store.overwrite(&format!("bucket/{name}.tfstate"), text.as_bytes());
        }
        Self::Memory(store)
    }

    pub(super) fn local() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in originals() {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join("terraform.tfstate"), text).unwrap();
        }
        Self::Local(dir)
    }

    /// Returns a world that is as this one and goes its own way from here.
    pub(super) fn fork(&self) -> Self {
        match self {
            Self::Memory(store) => Self::Memory(store.fork()),
            Self::Local(dir) => {
                let copy = tempfile::tempdir().unwrap();
                copy_dir(dir.path(), copy.path());
                Self::Local(copy)
            }
        }
    }

    pub(super) fn open(&self, name: &str) -> Arc<dyn StateBackend> {
        match self {
            Self::Memory(store) => Arc::new(store.state(&format!("bucket/{name}.tfstate"))),
            Self::Local(dir) => {
                let location = StateLocation {
                    backend: "local".into(),
                    arguments: BTreeMap::new(),
                    workspace: "default".into(),
                };
                Arc::new(LocalBackend::from_location(&dir.path().join(name), &location).unwrap())
            }
        }
    }

    /// Opens the handles of one process.
    pub(super) fn handles(&self) -> Handles {
        NAMES.iter().map(|name| (id(name), self.open(name))).collect()
    }

    /// Opens the handles of one process behind a gate.
    pub(super) fn gated<G: Gate + 'static>(&self, gate: &Arc<G>) -> Handles {
        let gate_one = |handle| Arc::new(Gated::new(handle, gate)) as Arc<dyn StateBackend>;
        self.handles()
            .into_iter()
            .map(|(id, handle)| (id, gate_one(handle)))
            .collect()
    }

    /// Opens the handles of one process behind a gate, with lost answers settled.
    pub(super) fn settled<G: Gate + 'static>(&self, gate: &Arc<G>) -> Handles {
        self.settled_by(gate, &Arc::default())
    }

    /// Does the same, by the clock given.
    pub(super) fn settled_by<G: Gate + 'static>(&self, gate: &Arc<G>, clock: &Arc<TestClock>) -> Handles {
        self.gated(gate)
            .into_iter()
            .map(|(id, handle)| {
                let settled: Arc<dyn StateBackend> = Arc::new(Settling::new(handle, clock.clone()));
                (id, settled)
            })
            .collect()
    }

    /// Returns a state's bytes, read past everything.
    pub(super) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let bytes = match self {
            Self::Memory(store) => store.bytes(&format!("bucket/{name}.tfstate")),
            // Through a handle: opening the file a second time would drop this process's record lock.
            Self::Local(_) => self.open(name).read().unwrap().object.map(|object| object.bytes),
        };
        bytes.filter(|bytes| !bytes.is_empty())
    }

    /// Writes a state past every lock.
    pub(super) fn overwrite(&self, name: &str, bytes: &[u8]) {
        match self {
            Self::Memory(store) => store.overwrite(&format!("bucket/{name}.tfstate"), bytes),
            Self::Local(dir) => {
                fs::create_dir_all(dir.path().join(name)).unwrap();
                fs::write(dir.path().join(name).join("terraform.tfstate"), bytes).unwrap();
            }
        }
    }

    /// Returns the ids of the objects of a state.
    pub(super) fn objects(&self, name: &str) -> Vec<String> {
        let Some(bytes) = self.bytes(name) else {
            return Vec::new();
        };
        let snapshot = Snapshot::read(bytes).unwrap().unwrap();
        let text = snapshot.text();
        text.match_indices("\"oid:")
            .map(|(at, start)| text[at + start.len()..].split('"').next().unwrap().to_owned())
            .collect()
    }

    pub(super) fn is_locked(&self, name: &str) -> bool {
        self.open(name).standing_lock().unwrap().is_some()
    }

    /// Returns everything beside the states: journals and backups.
    pub(super) fn sidecars(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        for name in NAMES {
            let handle = self.open(name);
            for sidecar in handle.list_sidecars("").unwrap() {
                let bytes = handle.get_sidecar(&sidecar).unwrap().unwrap();
                found.push((format!("{name}/{sidecar}"), bytes));
            }
        }
        found
    }

    pub(super) fn serial(&self, name: &str) -> Option<u64> {
        let snapshot = Snapshot::read(self.bytes(name)?).unwrap()?;
        Some(snapshot.serial().0)
    }
}

fn copy_dir(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Time that passes only where somebody waits.
#[derive(Debug, Default)]
pub(super) struct TestTime {
    seconds: AtomicI64,
}

impl Surroundings for TestTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + self.seconds.load(Ordering::SeqCst)).unwrap()
    }

    fn sleep(&self, time: Duration) {
        let seconds = i64::try_from(time.as_secs()).unwrap();
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// Remembers what it was told; may ask for a stop in return.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) heard: Mutex<Vec<Progress>>,
    pub(super) stop_after: Option<(usize, Interrupt)>,
}

impl Observer for Notes {
    fn on(&self, progress: &Progress) {
        let mut heard = self.heard.lock().unwrap();
        heard.push(progress.clone());
        if let Some((count, interrupt)) = &self.stop_after
            && heard.len() > *count
        {
            interrupt.raise();
        }
    }
}

/// One process: its own session, time, wishes.
pub(super) struct Process {
    session: String,
    pub(super) time: TestTime,
    pub(super) interrupt: Interrupt,
    pub(super) notes: Notes,
    pub(super) lock_timeout: Duration,
    pub(super) parallelism: usize,
}

impl Process {
    pub(super) fn new(session: &str) -> Self {
        Self {
            session: session.to_owned(),
            time: TestTime::default(),
            interrupt: Interrupt::default(),
            notes: Notes::default(),
            lock_timeout: Duration::ZERO,
            parallelism: 1,
        }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context {
            surroundings: &self.time,
            session: &self.session,
            who: "me@here",
            version: "0.1.0",
            lock_timeout: self.lock_timeout,
            settle: Duration::from_secs(10),
            parallelism: NonZeroUsize::new(self.parallelism).unwrap(),
            interrupt: &self.interrupt,
            observer: &self.notes,
        }
    }

    pub(super) fn apply(&self, handles: &Handles) -> Result<Outcome, ExecuteError> {
        apply(self.context(), handles, migration_for(handles), &PlannedResults)
    }

    pub(super) fn resume(&self, handles: &Handles) -> Result<Outcome, ExecuteError> {
        resume(self.context(), handles, found(handles)?, &PlannedResults)
    }

    pub(super) fn undo(&self, handles: &Handles) -> Result<Outcome, ExecuteError> {
        undo(self.context(), handles, found(handles)?, &PlannedResults)
    }

    pub(super) fn release(&self, handles: &Handles) -> Result<Outcome, ExecuteError> {
        release(self.context(), handles, found(handles)?, &[], &PlannedResults)
    }
}

pub(super) fn migration_for(handles: &Handles) -> Migration {
    let mut next = 0_u8;
    let mut lock_ids = || {
        next += 1;
        [next; 16]
    };
    let fenced = |state: &StateId| *state == id("mono");
    migration(plan(), migration_id(), handles, fenced, &mut lock_ids).unwrap()
}

/// One state of the migration.
pub(crate) fn change_of(name: &str) -> StateChange {
    migration_for(&World::memory().handles())
        .state(&id(name))
        .unwrap()
        .clone()
}

/// The journal lies beside the source that changes.
pub(super) const HOME: &str = "mono";

pub(super) fn found(handles: &Handles) -> Result<FoundJournal, ExecuteError> {
    find(&id(HOME), &*handles[&id(HOME)], &migration_id())
}

pub(super) fn is_not_started(handles: &Handles) -> bool {
    matches!(
        found(handles),
        Err(ExecuteError {
            cause: Cause::NotFound(_),
            ..
        })
    )
}
