//! Stopping and going on, releasing, discarding.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::copies::copies;
use super::harness::{
    End, NAMES, Notes, Process, World, check_always, check_end, found, id, is_not_started, migration_id,
};
use crate::backend::faulty::{EffectDoor, Fault};
use crate::backend::recording::Recorder;
use crate::execute::{
    Cause, Interrupt, Kind, Left, Outcome, PlannedResults, Progress, discard, list, release,
};
use crate::journal::{Finished, Phase};

/// An interrupt after every single thing that can be noticed: before the first write everything is given back, after it
/// the journal keeps the place.
#[test]
fn interrupts_stop_at_safe_points() {
    for parallelism in [1, 2, 4] {
        interrupt_everywhere(World::memory, parallelism);
        interrupt_everywhere(World::local, parallelism);
    }
}

fn interrupt_everywhere(start: fn() -> World, parallelism: usize) {
    let mut kinds = BTreeSet::new();
    for count in 0..200 {
        let world = start();
        let interrupt = Interrupt::default();
        let mut process = Process::new("one");
        process.parallelism = parallelism;
        process.notes = Notes {
            stop_after: Some((count, interrupt.clone())),
            ..Notes::default()
        };
        process.interrupt = interrupt.clone();
        let result = process.apply(&world.handles());
        check_always(&world);
        let Err(error) = result else {
            check_end(&world, End::Fenced);
            if interrupt.is_raised() {
                continue;
            }
            assert!(count > 20);
            assert_eq!(kinds.len(), 2, "{kinds:?}");
            return;
        };
        assert_eq!(error.kind(), Kind::Interrupted);
        kinds.insert(format!("{:?}", error.left));
        match error.left {
            Left::NothingWritten => {
                check_end(&world, End::Original);
                assert_eq!(copies(&world), 0);
            }
            Left::Unfinished(_) if count % 2 == 0 => {
                Process::new("two").resume(&world.handles()).unwrap();
                check_end(&world, End::Fenced);
            }
            Left::Unfinished(_) => {
                Process::new("two").undo(&world.handles()).unwrap();
                check_end(&world, End::Undone);
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("the apply never ends");
}

#[test]
fn an_interrupt_before_the_start_does_nothing() {
    let world = World::memory();
    let process = Process::new("one");
    process.interrupt.raise();
    let error = process.apply(&world.handles()).unwrap_err();
    assert_eq!((error.kind(), error.left), (Kind::Interrupted, Left::Untouched));
    assert!(is_not_started(&world.handles()));
}

#[test]
fn the_fence_falls_only_when_the_code_lets_it() {
    let world = World::memory();
    Process::new("one").apply(&world.handles()).unwrap();
    let World::Memory(store) = &world else {
        unreachable!()
    };
    let info = &store.locks()["bucket/mono.tfstate"];
    assert!(info.contains("stackcut release 20261125-shop-1"), "{info}");
    assert!(info.contains("\"Operation\":\"stackcut-apply\""), "{info}");
    let process = Process::new("two");
    let handles = world.handles();
    let declared = ["terraform_data.orders".to_owned(), "module.net".to_owned()];
    let error = release(
        process.context(),
        &handles,
        found(&handles).unwrap(),
        &declared,
        &PlannedResults,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the code still declares 2 resources that moved away: terraform_data.orders, module.net"
    );
    check_end(&world, End::Fenced);
    // Somebody tears it down by force: that is seen, and said.
    store.set_lock("bucket/mono.tfstate", None);
    assert_eq!(
        Process::new("three").resume(&handles).unwrap(),
        Outcome::Fenced {
            held: vec![],
            lost: vec![id("mono")]
        }
    );
    assert_eq!(process.release(&handles).unwrap(), Outcome::Completed);
    check_end(&world, End::Completed);
}

/// Content and lineage are the original's, byte for byte; the serial goes on rising; what was new is gone.
#[test]
fn an_undone_state_has_a_higher_serial() {
    let world = World::memory();
    Process::new("one").apply(&world.handles()).unwrap();
    let serials = |world: &World| NAMES.map(|name| world.serial(name));
    assert_eq!(serials(&world), [Some(1), Some(42), Some(4), Some(8), Some(9)]);
    Process::new("two").undo(&world.handles()).unwrap();
    assert_eq!(serials(&world), [None, Some(43), Some(5), Some(9), Some(9)]);
    check_end(&world, End::Undone);
}

/// Taken back before a state was written, it keeps its serial: what does not change is not written.
#[test]
fn an_undo_in_the_middle_writes_only_what_was_written() {
    let world = World::memory();
    let door = Arc::new(EffectDoor::failing(10, Fault::DiesAfter));
    Process::new("one").apply(&world.gated(&door)).unwrap_err();
    Process::new("two").undo(&world.handles()).unwrap();
    assert_eq!(
        NAMES.map(|name| world.serial(name)),
        [None, Some(41), Some(3), Some(7), Some(9)]
    );
    check_end(&world, End::Undone);
}

#[test]
fn release_is_for_fenced_migrations() {
    let world = World::memory();
    let door = Arc::new(EffectDoor::failing(11, Fault::DiesAfter));
    Process::new("one").apply(&world.gated(&door)).unwrap_err();
    let error = Process::new("two").release(&world.handles()).unwrap_err();
    assert!(matches!(error.cause, Cause::NotNow(Phase::Writing(2))));
    assert!(error.hint().contains("stackcut resume"));
}

/// An undo lets a late request of the process before it land first; a resume need not.
#[test]
fn undo_waits_for_what_may_still_be_under_way() {
    let world = World::memory();
    let door = Arc::new(EffectDoor::failing(11, Fault::DiesAfter));
    Process::new("one").apply(&world.gated(&door)).unwrap_err();
    let process = Process::new("two");
    process.undo(&world.fork().handles()).unwrap();
    let settled = process
        .notes
        .heard
        .lock()
        .unwrap()
        .iter()
        .any(|progress| matches!(progress, Progress::Settling { wait } if wait.as_secs() == 10));
    assert!(settled);
    let process = Process::new("three");
    process.resume(&world.handles()).unwrap();
    assert!(
        !process
            .notes
            .heard
            .lock()
            .unwrap()
            .iter()
            .any(|progress| matches!(progress, Progress::Settling { .. }))
    );
}

/// The backups go, the journal stays; a crash at any effect, and then `discard` again or `resume`.
#[test]
fn what_is_over_can_be_discarded() {
    let world = World::memory();
    Process::new("one").apply(&world.handles()).unwrap();
    let handles = world.handles();
    let process = Process::new("two");
    let refused = discard(process.context(), &handles, found(&handles).unwrap()).unwrap_err();
    assert!(matches!(refused.cause, Cause::NotNow(Phase::Fenced)));
    check_end(&world, End::Fenced);
    process.release(&handles).unwrap();
    for fault in [
        Fault::Refused,
        Fault::AnswerLost,
        Fault::DiesBefore,
        Fault::DiesAfter,
    ] {
        for effect in 0.. {
            let copy = world.fork();
            let door = Arc::new(EffectDoor::failing(effect, fault));
            let gated = copy.gated(&door);
            let result = discard(process.context(), &gated, found(&gated).unwrap());
            let fresh = copy.handles();
            if let Err(error) = result {
                let begun = found(&fresh).unwrap().journal().phase() != Phase::Completed;
                let resumed = process.resume(&copy.fork().handles()).unwrap();
                assert_eq!(resumed, Outcome::Completed);
                // The first record may be there although its answer was lost.
                if effect > 0 {
                    assert!(begun);
                    assert_eq!((error.kind(), error.left), (Kind::Other, Left::Discarding));
                }
            }
            discard(process.context(), &fresh, found(&fresh).unwrap()).unwrap();
            check_discarded(&copy, &world);
            if door.effects() <= effect {
                assert_eq!(effect, 1 + 3 + 1);
                break;
            }
        }
    }
}

#[track_caller]
fn check_discarded(world: &World, before: &World) {
    let handles = world.handles();
    for name in NAMES {
        assert!(handles[&id(name)].list_sidecars("backup/").unwrap().is_empty());
        assert_eq!(world.bytes(name), before.bytes(name));
        assert!(!world.is_locked(name));
    }
    assert_eq!(list(&*handles[&id("mono")]).unwrap(), [migration_id()]);
    let summary = found(&handles).unwrap().summary();
    assert_eq!(summary.phase, Phase::Discarded(Finished::Completed));
    assert_eq!(summary.phase.to_string(), "completed, without backups");
    assert!(summary.backups.is_empty());
    assert_eq!(summary.next(), None);
    // Nothing more happens to it, and there is no way back.
    let recorder = Arc::new(Recorder::default());
    let gated = world.gated(&recorder);
    let process = Process::new("later");
    assert_eq!(process.resume(&gated).unwrap(), Outcome::Completed);
    assert_eq!(process.release(&gated).unwrap(), Outcome::Completed);
    discard(process.context(), &gated, found(&gated).unwrap()).unwrap();
    let error = process.undo(&gated).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the backups of this migration were discarded, so it cannot be undone"
    );
    assert_eq!(error.left, Left::AsItWas(summary.phase));
    assert!(
        error
            .hint()
            .contains("plan a migration that moves the objects back")
    );
    assert!(recorder.mutations().is_empty());
}

#[test]
fn what_was_undone_can_be_discarded() {
    let world = World::memory();
    let process = Process::new("one");
    process.apply(&world.handles()).unwrap();
    process.undo(&world.handles()).unwrap();
    let handles = world.handles();
    discard(process.context(), &handles, found(&handles).unwrap()).unwrap();
    assert_eq!(process.undo(&handles).unwrap(), Outcome::Undone);
    let phase = found(&handles).unwrap().journal().phase();
    assert_eq!(phase, Phase::Discarded(Finished::Undone));
}
