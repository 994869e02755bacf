//! Copies of originals that nobody needs any more: they hold secrets, and so none may be left lying around.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::copies::copies;
use super::harness::{End, Process, World, check_always, check_end, found};
use crate::backend::faulty::{EffectDoor, Fault};
use crate::backend::gated::{Call, Gate, Gated, Operation};
use crate::backend::{BackendError, StateBackend};
use crate::execute::{Cause, discard};
use crate::journal::{Finished, Phase};

type Others = fn(&World);

/// Puts a process to sleep before it sends its first copy, and lets others work meanwhile.
struct Sleeper {
    world: World,
    process: Arc<Process>,
    others: Others,
    slept: Mutex<bool>,
}

impl Gate for Sleeper {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        let is_record = matches!(&call.operation, Operation::CreateSidecar(name) if name.as_str().ends_with("/000002.json"));
        let is_copy =
            matches!(&call.operation, Operation::CreateSidecar(name) if name.as_str().starts_with("backup/"));
        if is_copy || is_record {
            // One of them sleeps, and the whole process with it.
            let mut slept = self.slept.lock().unwrap();
            if !std::mem::replace(&mut *slept, true) {
                (self.others)(&self.world);
                self.process.context().surroundings.sleep(Duration::from_hours(1));
            }
        }
        run()
    }
}

fn discarded(world: &World, process: &Process) {
    let handles = world.handles();
    discard(process.context(), &handles, found(&handles).unwrap()).unwrap();
    assert_eq!(copies(world), 0);
}

/// Copies that are sent while the record of the writes is on its way, after another process has given the migration up.
#[test]
fn copies_that_come_too_late_are_taken_back() {
    let cases: [(Others, Phase); 2] = [
        (
            |world| drop(Process::new("other").undo(&world.handles()).unwrap()),
            Phase::Aborted,
        ),
        (
            |world| {
                let other = Process::new("other");
                other.undo(&world.handles()).unwrap();
                discarded(world, &other);
            },
            Phase::Discarded(Finished::Aborted),
        ),
    ];
    for (others, phase) in cases {
        for parallelism in [1, 2, 4] {
            let World::Memory(store) = World::memory() else {
                unreachable!("it is in memory")
            };
            let (world, same) = (World::Memory(store.clone()), World::Memory(store));
            let mut process = Process::new("one");
            process.parallelism = parallelism;
            let process = Arc::new(process);
            let gate = Arc::new(Sleeper {
                world: same,
                process: process.clone(),
                others,
                slept: Mutex::default(),
            });
            let error = process.apply(&world.gated(&gate)).unwrap_err();
            assert!(*gate.slept.lock().unwrap());
            assert!(matches!(error.cause, Cause::Concurrent { .. }), "{error}");
            assert_eq!(found(&world.handles()).unwrap().journal().phase(), phase);
            assert_eq!(copies(&world), 0, "{phase:?}, parallelism {parallelism}");
            check_end(&world, End::Original);
        }
    }
}

/// Whoever gives a migration up takes back what the one before had copied; what it cannot, a discard does.
#[test]
fn what_is_given_up_keeps_no_copies() {
    let mut copied = 0;
    for start in [World::memory, World::local] {
        for effect in 1.. {
            let world = start();
            let door = Arc::new(EffectDoor::failing(effect, Fault::DiesAfter));
            let result = Process::new("one").apply(&world.gated(&door));
            check_always(&world);
            if door.effects() <= effect {
                result.unwrap();
                break;
            }
            if found(&world.handles()).unwrap().journal().phase() != Phase::Preparing {
                continue;
            }
            copied += copies(&world);
            Process::new("two").undo(&world.handles()).unwrap();
            check_end(&world, End::Original);
            assert_eq!(copies(&world), 0, "after {effect}");
            assert!(found(&world.handles()).unwrap().summary().backups.is_empty());
        }
    }
    assert!(copied > 3);
}

/// A process that dies while it gives up, at any effect: the next one takes back what it still finds.
#[test]
fn who_goes_on_with_giving_up_takes_the_copies_back() {
    let mut deaths = 0;
    for effect in 0.. {
        let world = World::memory();
        let first = Arc::new(EffectDoor::failing(8, Fault::Refused));
        let second = Arc::new(EffectDoor::failing(effect + 9, Fault::DiesAfter));
        let gate = |handle| Arc::new(Gated::new(handle, &first)) as Arc<dyn StateBackend>;
        let twice = world.gated(&second).into_iter();
        let twice = twice.map(|(id, handle)| (id, gate(handle))).collect();
        Process::new("one").apply(&twice).unwrap_err();
        check_always(&world);
        if !second.is_dead() {
            break;
        }
        if found(&world.handles()).unwrap().journal().phase() == Phase::Aborting {
            deaths += 1;
            Process::new("two").resume(&world.handles()).unwrap();
            check_end(&world, End::Original);
            assert_eq!(copies(&world), 0, "after {effect}");
        }
    }
    assert!(deaths > 3, "{deaths}");
}

/// What was announced and given up was not backed up: nothing says so.
#[test]
fn what_was_announced_and_given_up_has_no_backups() {
    let world = World::memory();
    // The second copy, after the first record, five locks, and the record of the writes.
    let door = Arc::new(EffectDoor::failing(8, Fault::Refused));
    Process::new("one").apply(&world.gated(&door)).unwrap_err();
    let found = found(&world.handles()).unwrap();
    assert_eq!(found.journal().phase(), Phase::Aborted);
    assert!(
        found
            .journal()
            .records()
            .iter()
            .any(|record| record.event.name() == "writes_intended")
    );
    assert!(found.summary().backups.is_empty());
    assert_eq!(copies(&world), 0);
}
