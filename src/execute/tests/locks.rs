//! Many locks at once: in parallel where nobody is in the way, and without deadlock or livelock where somebody is.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::fixture::id;
use super::harness::{End, NAMES, Process, World, change_of, check_end, found};
use crate::backend::faulty::{EffectDoor, Fault};
use crate::backend::gated::Operation;
use crate::backend::memory::MemoryStore;
use crate::backend::recording::Recorder;
use crate::backend::{LockId, LockInfo, StateBackend};
use crate::execute::lock::{Locks, Taking};
use crate::execute::{
    Context, Handles, Interrupt, Observer, Outcome, PlannedResults, Progress, Surroundings, apply,
};
use crate::journal::{Migration, StateChange};
use crate::stack::StateId;

fn foreign(world: &World, name: &str) -> LockId {
    let lock = LockInfo {
        id: LockId::from_random([0xee; 16]),
        operation: "OperationTypeApply".into(),
        info: String::new(),
        who: "colleague@laptop".into(),
        version: "1.11.4".into(),
        created: "2026-11-25T03:00:00Z".parse().unwrap(),
        path: String::new(),
    };
    world.handles()[&id(name)].lock(&lock).unwrap();
    lock.id
}

/// Looks at the locks whenever somebody waits, and frees the colleague's after some waits.
struct Watch<'a> {
    world: &'a World,
    held: &'a str,
    waits: AtomicUsize,
    free_after: usize,
    /// The locks that must stand while one is waited for.
    kept: BTreeSet<&'a str>,
}

impl Observer for Watch<'_> {
    fn on(&self, progress: &Progress) {
        if let Progress::Waiting { .. } = progress {
            self.waits.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Time passes where somebody waits; that is also when the locks are looked at.
impl Surroundings for Watch<'_> {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_795_000_000).unwrap()
    }

    fn sleep(&self, _: Duration) {
        let standing: BTreeSet<&str> = NAMES
            .into_iter()
            .filter(|name| self.world.is_locked(name))
            .collect();
        let mut kept = self.kept.clone();
        kept.insert(self.held);
        if standing.contains(self.held) {
            assert_eq!(standing, kept);
        }
        if self.waits.load(Ordering::SeqCst) >= self.free_after {
            self.world.handles()[&id(self.held)]
                .unlock(&LockId::from_random([0xee; 16]))
                .unwrap();
        }
    }
}

fn watch<'a>(world: &'a World, held: &'a str, kept: &[&'a str]) -> Watch<'a> {
    Watch {
        world,
        held,
        waits: AtomicUsize::new(0),
        free_after: 3,
        kept: kept.iter().copied().collect(),
    }
}

fn context<'a>(watch: &'a Watch<'a>, interrupt: &'a Interrupt) -> Context<'a> {
    Context {
        surroundings: watch,
        session: "waiting",
        who: "me@here",
        version: "0.1.0",
        lock_timeout: Duration::from_secs(60),
        settle: Duration::ZERO,
        parallelism: NonZeroUsize::new(4).unwrap(),
        interrupt,
        observer: watch,
    }
}

#[test]
fn nothing_is_held_while_a_lock_is_waited_for() {
    for held in NAMES {
        let world = World::memory();
        foreign(&world, held);
        let watch = watch(&world, held, &[]);
        let handles = world.handles();
        let migration = super::harness::migration_for(&handles);
        let interrupt = Interrupt::default();
        let outcome = apply(context(&watch, &interrupt), &handles, migration, &PlannedResults).unwrap();
        assert!(matches!(outcome, Outcome::Fenced { .. }));
        assert_eq!(watch.waits.into_inner(), 3);
        check_end(&world, End::Fenced);
    }
}

/// An undo waits without what it took, but never takes down the fence; and what is half written stays locked.
#[test]
fn what_protects_is_held_while_a_lock_is_waited_for() {
    let fenced = World::memory();
    Process::new("one").apply(&fenced.handles()).unwrap();
    let written = World::memory();
    let door = Arc::new(EffectDoor::failing(12, Fault::DiesAfter));
    Process::new("one").apply(&written.gated(&door)).unwrap_err();
    let World::Memory(store) = &written else {
        unreachable!()
    };
    store.set_lock("bucket/orders.tfstate", None);
    for (world, kept, end) in [
        (fenced, &["mono"][..], End::Undone),
        (written, &["fresh", "mono", "old", "other"], End::Undone),
    ] {
        foreign(&world, "orders");
        let watch = watch(&world, "orders", kept);
        let interrupt = Interrupt::default();
        let handles = world.handles();
        let journal = found(&handles).unwrap();
        let outcome = crate::execute::undo(context(&watch, &interrupt), &handles, journal, &PlannedResults);
        assert_eq!(outcome.unwrap(), Outcome::Undone);
        assert_eq!(watch.waits.into_inner(), 3);
        if kept.len() > 1 {
            // The unchanged state's lock is the crashed apply's; an undo has released it with the others.
            assert!(!world.is_locked("other"));
        }
        check_end(&world, end);
    }
}

/// The home comes first, alone: a run that cannot go on takes nothing from anybody.
#[test]
fn a_held_source_stops_a_run_before_it_takes_anything() {
    let world = World::memory();
    foreign(&world, "mono");
    let recorder = Arc::new(Recorder::default());
    Process::new("one").apply(&world.gated(&recorder)).unwrap_err();
    let locks = recorder.mutations();
    let locks = locks.iter().filter(|call| matches!(call, Operation::Lock(_)));
    assert_eq!(locks.count(), 1);
}

/// Real time, in small steps.
struct Quick;

impl Surroundings for Quick {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time / 2000);
    }
}

fn racing_migration(number: u8, states: &[usize]) -> Migration {
    let change = |&state: &usize| StateChange {
        id: StateId::Stack(format!("s{state}").parse().unwrap()),
        place: format!("bucket/{state}.tfstate"),
        lock: LockId::from_random([number * 16 + state as u8; 16]),
        ..change_of("fresh")
    };
    let id = format!("m-{number}").parse().unwrap();
    Migration::new(id, states.iter().map(change).collect(), String::new()).unwrap()
}

/// Runs whose states overlap in every way, each over and over. All get all their locks, and no two the same at once.
#[test]
fn racing_runs_all_get_their_locks() {
    const ROUNDS: usize = 30;
    let store = MemoryStore::default();
    let owners: Vec<AtomicUsize> = (0..8).map(|_| AtomicUsize::new(0)).collect();
    let sets: [&[usize]; 5] = [&[0, 1, 2, 3], &[3, 4, 5, 0], &[5, 6, 7, 1], &[7, 2, 4], &[6, 0]];
    std::thread::scope(|scope| {
        for (set, number) in sets.iter().zip(1_u8..) {
            let (store, owners) = (&store, &owners);
            scope.spawn(move || {
                let migration = racing_migration(number, set);
                let handle = |change: &StateChange| {
                    let handle: Arc<dyn StateBackend> = Arc::new(store.state(&change.place));
                    (change.id.clone(), handle)
                };
                let handles: Handles = migration.states().iter().map(handle).collect();
                let interrupt = Interrupt::default();
                let context = Context {
                    surroundings: &Quick,
                    session: "racing",
                    who: "me@here",
                    version: "0.1.0",
                    lock_timeout: Duration::from_secs(120),
                    settle: Duration::ZERO,
                    parallelism: NonZeroUsize::new(4).unwrap(),
                    interrupt: &interrupt,
                    observer: &(),
                };
                let taking = Taking {
                    context: &context,
                    handles: &handles,
                    migration: &migration,
                    operation: "race",
                    yields: &|_| true,
                    still_ours: &|| Ok(()),
                };
                let wanted: Vec<&StateChange> = migration.states().iter().collect();
                let ids: Vec<StateId> = wanted.iter().map(|change| change.id.clone()).collect();
                for _ in 0..ROUNDS {
                    let mut locks = Locks::default();
                    locks.take(&taking, &wanted).unwrap();
                    for &state in *set {
                        assert_eq!(owners[state].swap(usize::from(number), Ordering::SeqCst), 0);
                    }
                    std::thread::yield_now();
                    for &state in *set {
                        owners[state].store(0, Ordering::SeqCst);
                    }
                    locks.release(&context, &handles, &migration, &ids).unwrap();
                }
            });
        }
    });
    assert!(store.locks().is_empty());
}
