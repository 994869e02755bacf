//! A small migration of three waves, worlds it happens in, and what must be true of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use crate::backend::clock::TestClock;
use crate::backend::gated::{Gate, Gated};
use crate::backend::local::LocalBackend;
use crate::backend::memory::MemoryStore;
use crate::backend::settling::Settling;
use crate::backend::{DigestStanding, StateBackend};
use crate::diagnostic::SourceFile;
use crate::execute::{
    Cause, Context, ExecuteError, FoundJournal, Handles, Interrupt, Observer, Outcome, PlannedResults,
    Progress, Surroundings, apply, find, migration, release, resume, undo,
};
use crate::journal::{Migration, MigrationId, StateChange};
use crate::plan::compute::Inputs;
use crate::plan::migration::Fingerprint;
use crate::plan::{MigrationPlan, PlanFile};
use crate::stack::{StateId, StateLocation};
use crate::state::{Lineage, Sha256Digest, Snapshot};

/// Stands in every object; must never leave the states and their backups.
pub(super) const SECRET: &str = "s3cr3t-p4ssw0rd";

/// `old` goes back into `mono`, which gives to the existing `orders` and to the new `fresh`: three waves.
const PLAN: &str = r#"
split "shop" {
  source "mono" {
    dir   = "mono"
    state = "terraform.tfstate"
  }

  source "other" {
    dir   = "other"
    state = "terraform.tfstate"
  }

  defaults {
    backend "local" {
      path = "${stack}/terraform.tfstate"
    }
  }

  stack "orders" {
    layer    = "service"
    existing = true
    take     = ["terraform_data.orders", "terraform_data.by_key[\"a.b/\\\"é\"]"]
  }

  stack "fresh" {
    layer = "network"
    take  = ["module.net", "terraform_data.shared"]
  }

  return "old" {
    layer = "service"
    to    = "mono"
  }
}
"#;

pub(crate) fn id(name: &str) -> StateId {
    let parsed = name.parse().unwrap();
    match name {
        "mono" | "other" => StateId::Source(parsed),
        _ => StateId::Stack(parsed),
    }
}

fn object(module: &str, name: &str, key: &str, deposed: bool) -> String {
    let key_field = match key {
        "" => String::new(),
        key => format!("\n          \"index_key\": {key},"),
    };
    let oid = format!("{module}{name}{key}").replace(['"', '\\'], "'");
    let mut instances = vec![instance(&key_field, "", &oid)];
    if deposed {
        instances.push(instance(
            &key_field,
            "\n          \"deposed\": \"0badcafe\",",
            &format!("{oid}-deposed"),
        ));
    }
    let module = match module {
        "" => String::new(),
        module => format!("\n      \"module\": \"{module}\","),
    };
    format!(
        "    {{{module}\n      \"mode\": \"managed\",\n      \"type\": \"terraform_data\",\n      \"name\": \"{name}\",\n      \
         \"provider\": \"provider[\\\"terraform.io/builtin/terraform\\\"]\",\n      \"instances\": [\n{}\n      ]\n    }}",
        instances.join(",\n")
    )
}

fn instance(key: &str, deposed: &str, oid: &str) -> String {
    format!(
        "        {{{key}{deposed}\n          \"schema_version\": 0,\n          \"attributes\": {{\n            \
         \"id\": \"oid:{oid}\",\n            \"big\": 12345678901234567890.10,\n            \"password\": \"{SECRET}\"\n          \
         }},\n          \"sensitive_attributes\": []\n        }}"
    )
}

fn state(lineage: &str, serial: u64, objects: &[String]) -> String {
    format!(
        "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": {serial},\n  \"lineage\": \"{lineage}\",\n  \
         \"outputs\": {{}},\n  \"resources\": [\n{}\n  ],\n  \"check_results\": null\n}}\n",
        objects.join(",\n")
    )
}

/// The states before, by name.
pub(crate) fn originals() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        (
            "mono",
            state(
                "11111111-aaaa-bbbb-cccc-000000000001",
                41,
                &[
                    object("", "by_key", r#""a.b/\"é""#, false),
                    object("", "kept", "", true),
                    object("", "orders", "", true),
                    object("", "shared", "0", false),
                    object(r#"module.net[\"x\"]"#, "inner", "", false),
                ],
            ),
        ),
        (
            "other",
            state(
                "11111111-aaaa-bbbb-cccc-000000000005",
                9,
                &[object("", "unrelated", "", false)],
            ),
        ),
        (
            "orders",
            state(
                "11111111-aaaa-bbbb-cccc-000000000002",
                7,
                &[object("", "already", "", false)],
            ),
        ),
        (
            "old",
            state(
                "11111111-aaaa-bbbb-cccc-000000000003",
                3,
                &[object("", "back_a", "", false), object("", "back_b", "1", false)],
            ),
        ),
    ])
}

/// All states of the plan, existing or not.
pub(super) const NAMES: [&str; 5] = ["fresh", "mono", "old", "orders", "other"];

/// The plan, computed once by the real rooms.
pub(super) fn plan() -> &'static MigrationPlan {
    static PLANNED: LazyLock<MigrationPlan> = LazyLock::new(|| {
        let file = SourceFile {
            path: "shop.hcl".into(),
            text: PLAN.into(),
        };
        let file = PlanFile::read(Arc::new(file)).unwrap_or_else(|faults| panic!("{}", faults[0]));
        let snapshots: BTreeMap<StateId, Snapshot> = originals()
            .into_iter()
            .map(|(name, text)| (id(name), Snapshot::read(text).unwrap().unwrap()))
            .collect();
        let inputs = Inputs {
            plan: &file,
            code: BTreeMap::new(),
            snapshots: snapshots
                .iter()
                .map(|(id, snapshot)| (id.clone(), snapshot))
                .collect(),
            lineages: BTreeMap::from([
                (id("fresh"), Lineage::from_random([0xfe; 16])),
                (id("orders"), Lineage::from_random([0xff; 16])),
            ]),
        };
        let prints = Mutex::new(BTreeMap::new());
        let take = |id: &StateId, snapshot: &Snapshot| {
            prints
                .lock()
                .unwrap()
                .insert(id.clone(), Fingerprint::of(snapshot));
            Ok(())
        };
        let computed = inputs
            .compute(&take)
            .unwrap_or_else(|faults| panic!("{}", faults[0]));
        let prints = prints.into_inner().unwrap();
        let location = |name: &str| StateLocation {
            backend: "local".into(),
            arguments: BTreeMap::from([("path".to_owned(), format!("/{name}.tfstate"))]),
            workspace: "default".into(),
        };
        let locations = NAMES.iter().map(|name| (id(name), location(name))).collect();
        computed
            .migration(&file, "prod", &locations, &snapshots, &prints)
            .unwrap()
    });
    &PLANNED
}

pub(super) fn migration_id() -> MigrationId {
    "20261125-shop-1".parse().unwrap()
}

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

    fn open(&self, name: &str) -> Arc<dyn StateBackend> {
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
        let clock = Arc::new(TestClock::default());
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
    fn objects(&self, name: &str) -> Vec<String> {
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
    fn sidecars(&self) -> Vec<(String, Vec<u8>)> {
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

/// All objects there are.
fn all_objects() -> BTreeSet<String> {
    let world = World::memory();
    NAMES.iter().flat_map(|name| world.objects(name)).collect()
}

/// What holds at every moment, whatever was cut off where: no object is in no state; one that is in two states is under
/// our locks in both; no secret is anywhere but in states and backups.
#[track_caller]
pub(super) fn check_always(world: &World) {
    static ALL: LazyLock<BTreeSet<String>> = LazyLock::new(all_objects);
    let mut owners: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in NAMES {
        for object in world.objects(name) {
            owners.entry(object).or_default().push(name);
        }
    }
    let found: BTreeSet<String> = owners.keys().cloned().collect();
    assert_eq!(found, *ALL, "an object is lost");
    for (object, names) in &owners {
        assert!(names.len() <= 2, "{object} is in {names:?}");
        if names.len() == 2 {
            assert!(
                names.iter().all(|name| world.is_locked(name)),
                "{object} is in {names:?}, and not all are locked"
            );
        }
    }
    for (name, bytes) in world.sidecars() {
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(
            text.contains(SECRET),
            name.contains("/backup/"),
            "{name} and the secret"
        );
    }
}

/// How a world must look when nobody is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Never begun, or given up.
    Original,
    /// Applied and fenced.
    Fenced,
    /// Applied, fence down.
    Completed,
    /// Applied and taken back, or taken back in the middle.
    Undone,
}

/// Checks all invariants of a world at rest.
#[track_caller]
pub(super) fn check_end(world: &World, end: End) {
    check_always(world);
    for name in NAMES {
        assert_eq!(
            world.is_locked(name),
            end == End::Fenced && name == "mono",
            "lock of {name} at {end:?}"
        );
        check_content(world, name, end);
        let handle = world.open(name);
        let digest = handle.read().unwrap().digest;
        let fits = match digest {
            DigestStanding::NotKept | DigestStanding::Matches => true,
            DigestStanding::Missing => world.bytes(name).is_none(),
            DigestStanding::Stale { .. } => false,
        };
        assert!(fits, "digest of {name} at {end:?}: {digest:?}");
        check_backup(world, name, end);
    }
    if let World::Local(dir) = world {
        check_files(dir.path(), end);
    }
}

#[track_caller]
fn check_content(world: &World, name: &str, end: End) {
    let original = originals().get(name).cloned();
    let planned = plan().state(&id(name)).unwrap();
    let bytes = world.bytes(name);
    let sha = bytes.as_deref().map(Sha256Digest::of);
    let before = original.as_ref().map(|text| Sha256Digest::of(text.as_bytes()));
    let after = match &planned.after {
        crate::plan::migration::After::Written(print) => Some(Sha256Digest(print.sha256)),
        crate::plan::migration::After::Unchanged => before,
    };
    match end {
        End::Original => assert_eq!(sha, before, "{name}"),
        End::Fenced | End::Completed => assert_eq!(sha, after, "{name}"),
        End::Undone => {
            // The original, but for a serial that may be two higher.
            let text = bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            let serial = world.serial(name);
            let raised = original.clone().map(|text| {
                let from = Snapshot::read(text.clone()).unwrap().unwrap().serial().0;
                text.replace(
                    &format!("\"serial\": {from},"),
                    &format!("\"serial\": {},", from + 2),
                )
            });
            assert!(text == original || text == raised, "{name}, serial {serial:?}");
        }
    }
}

#[track_caller]
fn check_backup(world: &World, name: &str, end: End) {
    let planned = plan().state(&id(name)).unwrap();
    let is_changed = planned.after != crate::plan::migration::After::Unchanged;
    let wanted = originals().get(name).filter(|_| is_changed).cloned();
    let backup = format!("backup/{}.tfstate", migration_id()).parse().unwrap();
    let found = world.open(name).get_sidecar(&backup).unwrap();
    match (end, found) {
        // An undo or an end before the backups were made leaves none.
        (End::Original | End::Undone, None) => {}
        (_, found) => assert_eq!(
            found.map(|bytes| String::from_utf8(bytes).unwrap()),
            wanted,
            "backup of {name} at {end:?}"
        ),
    }
}

/// Nothing but states, sidecars and the fence lies around; what holds content is for its owner only.
#[track_caller]
fn check_files(root: &Path, end: End) {
    use std::os::unix::fs::PermissionsExt as _;
    let mut stack = vec![root.to_path_buf()];
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let inside: PathBuf = path.strip_prefix(root).unwrap().to_path_buf();
            let text = inside.display().to_string();
            let beside = text.contains(".terraform.tfstate.stackcut/");
            if path.is_dir() {
                let fence = name == ".terraform.tfstate.lock.info";
                assert!(
                    !fence || (end == End::Fenced && text.starts_with("mono/")),
                    "{text}"
                );
                let known = name == ".terraform.tfstate.stackcut" || fence || !name.starts_with('.');
                assert!(known, "{text} at {end:?}");
                stack.push(path);
                continue;
            }
            assert!(!(beside && name.starts_with('.')), "{text} at {end:?}");
            if beside {
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{text} has mode {mode:o}");
            }
        }
    }
}
