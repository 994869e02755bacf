//! When originals are copied: beside new states, and all of them before the first is overwritten.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::harness::{
    End, NAMES, Process, World, check_always, check_end, found, id, migration_id, originals,
};
use crate::backend::BackendError;
use crate::backend::faulty::{EffectDoor, Fault};
use crate::backend::gated::{Call, Gate, Operation};
use crate::execute::{Cause, ExecuteError, Handles, Kind, Left, Outcome, discard};
use crate::journal::Phase;

fn is_of_copy(operation: &Operation) -> bool {
    matches!(operation, Operation::CreateSidecar(name) | Operation::GetSidecar(name) if name.as_str().starts_with("backup/"))
}

pub(super) fn copies(world: &World) -> usize {
    let has_copy = |name: &&&str| !world.open(name).list_sidecars("backup/").unwrap().is_empty();
    NAMES.iter().filter(has_copy).count()
}

/// Holds the new state's write up until all copies were read back.
#[derive(Default)]
struct CopiesFirst {
    read_back: Mutex<usize>,
    more: Condvar,
}

impl Gate for CopiesFirst {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        if matches!(call.operation, Operation::Write { .. }) && call.at.ends_with("/fresh.tfstate") {
            let read_back = self.read_back.lock().unwrap();
            let (read_back, waited) = self
                .more
                .wait_timeout_while(read_back, Duration::from_mins(1), |read_back| *read_back < 3)
                .unwrap();
            assert!(
                !waited.timed_out(),
                "only {read_back} copies were read back meanwhile"
            );
        }
        let answer = run();
        if matches!(call.operation, Operation::GetSidecar(_)) && is_of_copy(&call.operation) {
            *self.read_back.lock().unwrap() += 1;
            self.more.notify_all();
        }
        answer
    }
}

#[test]
fn new_states_are_written_meanwhile() {
    let world = World::memory();
    let mut process = Process::new("one");
    process.parallelism = 2;
    let gate = Arc::new(CopiesFirst::default());
    process.apply(&world.gated(&gate)).unwrap();
    check_end(&world, End::Fenced);
}

/// Refuses calls on copies: the first few of one kind, or all.
struct Refuser {
    name: &'static str,
    refusals: Mutex<usize>,
}

impl Refuser {
    fn new(name: &'static str, refusals: usize) -> Arc<Self> {
        Arc::new(Self {
            name,
            refusals: Mutex::new(refusals),
        })
    }
}

impl Gate for Refuser {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        let mut refusals = self.refusals.lock().unwrap();
        if is_of_copy(&call.operation) && call.operation.name() == self.name && *refusals > 0 {
            *refusals -= 1;
            return Err(BackendError::AccessDenied {
                at: call.at,
                action: "s3:GetObject",
                detail: "AccessDenied".into(),
            });
        }
        drop(refusals);
        run()
    }
}

#[test]
fn a_copy_that_could_not_be_read_beside_new_states_is_read_again() {
    let world = World::memory();
    let mut process = Process::new("one");
    process.parallelism = 4;
    let gate = Refuser::new("get sidecar", 2);
    process.apply(&world.gated(&gate)).unwrap();
    assert_eq!(*gate.refusals.lock().unwrap(), 0);
    check_end(&world, End::Fenced);
}

#[test]
fn nothing_is_written_where_no_copy_can_be() {
    for parallelism in [1, 4] {
        let world = World::memory();
        let mut process = Process::new("one");
        process.parallelism = parallelism;
        let error = process
            .apply(&world.gated(&Refuser::new("create sidecar", usize::MAX)))
            .unwrap_err();
        assert_eq!(error.left, Left::NothingWritten);
        let phase = found(&world.handles()).unwrap().journal().phase();
        assert_eq!(phase, Phase::Aborted);
        check_end(&world, End::Original);
        assert_eq!(copies(&world), 0);
    }
}

#[test]
fn nothing_is_overwritten_where_no_copy_can_be_read_back() {
    for parallelism in [1, 4] {
        let world = World::memory();
        let mut process = Process::new("one");
        process.parallelism = parallelism;
        let blind = Refuser::new("get sidecar", usize::MAX);
        let error = process.apply(&world.gated(&blind)).unwrap_err();
        assert_eq!(error.left, Left::Unfinished(Phase::Writing(2)));
        assert!(world.bytes("fresh").is_some());
        for (name, original) in originals() {
            assert_eq!(world.bytes(name).unwrap(), original.as_bytes());
        }
        let successor = world.fork();
        Process::new("two").resume(&successor.handles()).unwrap();
        check_end(&successor, End::Fenced);
        Process::new("three").undo(&world.handles()).unwrap();
        check_end(&world, End::Undone);
    }
}

/// What was announced and never begun needs no copy to be taken back.
#[test]
fn an_undo_takes_originals_where_they_stand() {
    let world = announced();
    assert_eq!(
        found(&world.handles()).unwrap().journal().phase(),
        Phase::Writing(2)
    );
    Process::new("two").undo(&world.handles()).unwrap();
    check_end(&world, End::Undone);
    assert_eq!(copies(&world), 0);
}

/// Whoever took a copy away that is needed: an undo says so before it touches anything.
#[test]
fn what_was_overwritten_is_not_taken_for_an_original() {
    let start = World::memory();
    for effect in 0.. {
        let world = start.fork();
        let door = Arc::new(EffectDoor::failing(effect, Fault::DiesAfter));
        Process::new("one").apply(&world.gated(&door)).unwrap_err();
        check_always(&world);
        if world.serial("orders") == Some(8) {
            assert_eq!(
                found(&world.handles()).unwrap().journal().phase(),
                Phase::Writing(2)
            );
            let name = format!("backup/{}.tfstate", migration_id()).parse().unwrap();
            let orders = world.open("orders");
            let kept = orders.get_sidecar(&name).unwrap().unwrap();
            orders.delete_sidecar(&name).unwrap();
            let error = Process::new("two").undo(&world.handles()).unwrap_err();
            assert!(matches!(error.cause, Cause::BackupMissing { ref state, .. } if *state == id("orders")));
            assert_eq!(world.serial("orders"), Some(8));
            orders.put_sidecar(&name, &kept).unwrap();
            Process::new("three").undo(&world.handles()).unwrap();
            check_end(&world, End::Undone);
            return;
        }
    }
}

/// Dies when the writes are announced and nothing else was done.
fn announced() -> World {
    let world = World::memory();
    // After the first record, five locks and the record of the writes.
    let door = Arc::new(EffectDoor::failing(6, Fault::DiesAfter));
    Process::new("one").apply(&world.gated(&door)).unwrap_err();
    assert_eq!(copies(&world), 0);
    world
}

/// Writes the migration's result for a state, as a person can who has it, and the copy of its original.
fn write_by_hand(world: &World, name: &str) {
    let applied = World::memory();
    Process::new("elsewhere").apply(&applied.handles()).unwrap();
    world.overwrite(name, &applied.bytes(name).unwrap());
    let backup = format!("backup/{}.tfstate", migration_id()).parse().unwrap();
    let original = originals()[name].clone();
    world
        .open(name)
        .put_sidecar(&backup, original.as_bytes())
        .unwrap();
}

/// That one state is as after does not tell that all originals were copied.
#[test]
fn who_goes_on_copies_whatever_stands() {
    for parallelism in [1, 4] {
        let world = announced();
        write_by_hand(&world, "orders");
        let mut process = Process::new("two");
        process.parallelism = parallelism;
        process.resume(&world.handles()).unwrap();
        assert_eq!(copies(&world), 3);
        check_end(&world, End::Fenced);
    }
}

/// An undo that finds an original nowhere begins nothing: it could not be ended once that state is known again.
#[test]
fn an_undo_begins_with_all_originals() {
    let world = announced();
    let other = originals()["orders"].replace("\"serial\": 7", "\"serial\": 70");
    world.overwrite("orders", other.as_bytes());
    // It dies after its first two records, or would.
    let door = Arc::new(EffectDoor::failing(1, Fault::DiesAfter));
    let error = Process::new("two").undo(&world.gated(&door)).unwrap_err();
    let phase = found(&world.handles()).unwrap().journal().phase();
    assert_eq!((error.kind(), phase), (Kind::Stuck, Phase::Writing(2)));
    // A person brings the state to one of the versions that the migration knows.
    write_by_hand(&world, "orders");
    Process::new("three").undo(&world.handles()).unwrap();
    check_end(&world, End::Undone);
}

/// Copies that are torn, or of other content, as long as the originals stand.
#[test]
fn bad_copies_are_no_copies() {
    type Verb = fn(&Process, &Handles) -> Result<Outcome, ExecuteError>;
    let verbs: [(Verb, End); 2] = [(Process::resume, End::Fenced), (Process::undo, End::Undone)];
    for (verb, end) in verbs {
        for parallelism in [1, 4] {
            for keep in [0, 10, usize::MAX] {
                let world = announced();
                let backup = format!("backup/{}.tfstate", migration_id()).parse().unwrap();
                for name in ["mono", "old", "orders"] {
                    let mut text = originals()[name].replace("\"version\": 4", "\"version\": 5");
                    text.truncate(keep);
                    world.open(name).put_sidecar(&backup, text.as_bytes()).unwrap();
                }
                let mut process = Process::new("two");
                process.parallelism = parallelism;
                verb(&process, &world.handles()).unwrap();
                if end == End::Undone {
                    // Nothing was written, so nothing was copied either; a discard deletes what is there.
                    let handles = world.handles();
                    discard(process.context(), &handles, found(&handles).unwrap()).unwrap();
                    assert_eq!(copies(&world), 0);
                }
                check_end(&world, end);
            }
        }
    }
}
