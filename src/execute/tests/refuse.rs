//! Refusals: what stops an execution, what it says, and that nothing is lost or left.

use std::sync::Arc;
use std::time::Duration;

use super::harness::{End, NAMES, Process, SECRET, World, check_always, check_end, found, id, originals};
use crate::backend::faulty::{EffectDoor, Fault};
use crate::backend::{BackendError, LockId, LockInfo};
use crate::execute::{Cause, ExecuteError, Kind, Left, Outcome, Progress};
use crate::journal::Phase;

fn foreign_lock(world: &World, name: &str) -> LockId {
    let id_ = LockId::from_random([0xee; 16]);
    let info = LockInfo {
        id: id_.clone(),
        operation: "OperationTypeApply".into(),
        info: String::new(),
        who: "colleague@laptop".into(),
        version: "1.11.4".into(),
        created: "2026-11-25T03:00:00Z".parse().unwrap(),
        path: String::new(),
    };
    world.handles()[&id(name)].lock(&info).unwrap();
    id_
}

/// Shows an error as a person gets it.
fn show(error: &ExecuteError) -> String {
    let mut text = format!("{:?} error: {error}", error.kind());
    for note in error.notes() {
        text.push_str(&format!("\n  {note}"));
    }
    text.push_str(&format!("\nhint: {}", error.hint()));
    assert!(!text.contains(SECRET));
    assert!(!format!("{error:?}").contains(SECRET));
    text
}

/// Rewrites a state as a colleague would: another content, and the given serial.
fn edited(name: &str, serial: u64) -> Vec<u8> {
    let text = &originals()[name];
    let now = format!("\"serial\": {}", World::memory().serial(name).unwrap());
    let text = text.replace(&now, &format!("\"serial\": {serial}"));
    text.replace("12345678901234567890.10", "7").into_bytes()
}

#[test]
fn a_held_lock_is_waited_for_and_then_shown() {
    let world = World::memory();
    foreign_lock(&world, "orders");
    let mut process = Process::new("one");
    process.lock_timeout = Duration::from_secs(40);
    let error = process.apply(&world.handles()).unwrap_err();
    insta::assert_snapshot!(show(&error), @r#"
    Locked error: state `orders`: memory://bucket/orders.tfstate is locked by colleague@laptop since 2026-11-25 03:00:00 UTC (OperationTypeApply, lock ID eeeeeeee-eeee-eeee-eeee-eeeeeeeeeeee)
      nothing was written, and no lock of this migration is left
    hint: wait (--lock-timeout); when you are sure that nobody is at work: set_lock("bucket/orders.tfstate", None)
    "#);
    let waits: Vec<u64> = process
        .notes
        .heard
        .lock()
        .unwrap()
        .iter()
        .filter_map(|progress| match progress {
            Progress::Waiting { wait, .. } => Some(wait.as_secs()),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 9]);
    assert_eq!(error.left, Left::NothingWritten);
    assert!(world.is_locked("orders"), "the lock of others is left alone");
    world.handles()[&id("orders")]
        .unlock(&LockId::from_random([0xee; 16]))
        .unwrap();
    check_end(&world, End::Original);
    let again = Process::new("two").resume(&world.handles()).unwrap();
    assert!(matches!(again, Outcome::Aborted { .. }));
}

#[test]
fn a_state_that_changed_is_refused() {
    let refused = |change: &dyn Fn(&World)| {
        let world = World::memory();
        change(&world);
        let before: Vec<_> = NAMES.iter().map(|name| world.bytes(name)).collect();
        let error = Process::new("one").apply(&world.handles()).unwrap_err();
        let after: Vec<_> = NAMES.iter().map(|name| world.bytes(name)).collect();
        assert_eq!(before, after);
        assert!(NAMES.iter().all(|name| !world.is_locked(name)));
        assert_eq!(error.kind(), Kind::StateChanged);
        show(&error)
    };
    insta::assert_snapshot!(refused(&|world| world.overwrite("mono", &edited("mono", 43))), @r"
    StateChanged error: state `mono` changed since the plan was made
      `mono` (bucket/mono.tfstate): expected serial 41 of lineage 11111111-aaaa-bbbb-cccc-000000000001, found serial 43 of lineage 11111111-aaaa-bbbb-cccc-000000000001
      nothing was written, and no lock of this migration is left
    hint: run `stackcut plan` again and review the difference
    ");
    insta::assert_snapshot!(refused(&|world| {
        // The classic hole: same serial, other content.
        world.overwrite("mono", &edited("mono", 41));
        world.overwrite("fresh", &edited("old", 5));
    }), @r"
    StateChanged error: states `fresh`, `mono` changed since the plan was made
      `fresh` (bucket/fresh.tfstate): expected no state, found serial 5 of lineage 11111111-aaaa-bbbb-cccc-000000000003
      `mono` (bucket/mono.tfstate): expected serial 41 of lineage 11111111-aaaa-bbbb-cccc-000000000001, found serial 41 of lineage 11111111-aaaa-bbbb-cccc-000000000001 with other content
      nothing was written, and no lock of this migration is left
    hint: run `stackcut plan` again and review the difference
    ");
    insta::assert_snapshot!(refused(&|world| {
        let World::Memory(store) = world else { unreachable!() };
        store.set_digest("bucket/mono.tfstate", Some("00000000000000000000000000000000"));
        store.overwrite("bucket/orders.tfstate", b"not a state");
    }), @r"
    StateChanged error: states `mono`, `orders` changed since the plan was made
      `mono` (bucket/mono.tfstate): expected serial 41 of lineage 11111111-aaaa-bbbb-cccc-000000000001, found serial 41 of lineage 11111111-aaaa-bbbb-cccc-000000000001, with a digest item of other content
      `orders` (bucket/orders.tfstate): expected serial 7 of lineage 11111111-aaaa-bbbb-cccc-000000000002, found something that is no state
      nothing was written, and no lock of this migration is left
    hint: run `stackcut plan` again and review the difference
    ");
}

#[test]
fn a_state_that_changed_in_the_middle_is_stuck_and_left_alone() {
    let world = World::memory();
    let door = Arc::new(EffectDoor::failing(12, Fault::DiesAfter));
    Process::new("one").apply(&world.gated(&door)).unwrap_err();
    let phase = found(&world.handles()).unwrap().journal().phase();
    assert_eq!(phase, Phase::Writing(2));
    check_always(&world);
    // Somebody writes past the lock.
    world.overwrite("mono", &edited("mono", 42));
    let before: Vec<_> = NAMES.iter().map(|name| world.bytes(name)).collect();
    let error = Process::new("two").resume(&world.handles()).unwrap_err();
    insta::assert_snapshot!(show(&error), @r"
    Stuck error: stuck: state `mono` is neither as before nor as after the migration
      `mono` (bucket/mono.tfstate): expected serial 41 of lineage 11111111-aaaa-bbbb-cccc-000000000001 or serial 42 of lineage 11111111-aaaa-bbbb-cccc-000000000001, found serial 42 of lineage 11111111-aaaa-bbbb-cccc-000000000001 with other content
      the migration stopped while writing states; its locks are kept, every object is in at least one state, and every original stands or is backed up
    hint: find out who wrote, bring the named states back to a known version, then run `stackcut resume 20261125-shop-1`
    ");
    let undo = Process::new("three").undo(&world.handles()).unwrap_err();
    assert_eq!(undo.kind(), Kind::Stuck);
    let after: Vec<_> = NAMES.iter().map(|name| world.bytes(name)).collect();
    assert_eq!(before, after);
    let summary = found(&world.handles()).unwrap().summary();
    assert_eq!(summary.phase, Phase::Writing(2));
    assert_eq!(summary.backups.len(), 3);
    // A person brings the original back; then it goes on.
    world.overwrite("mono", originals()["mono"].as_bytes());
    Process::new("four").resume(&world.handles()).unwrap();
    check_end(&world, End::Fenced);
}

/// Copies of originals that nothing was written over would be nothing but secrets that lie around.
#[test]
fn who_gives_up_takes_the_copies_back() {
    let world = World::local();
    // After the first record, five locks and one copy.
    let door = Arc::new(EffectDoor::failing(8, Fault::Refused));
    let error = Process::new("one").apply(&world.gated(&door)).unwrap_err();
    assert_eq!(error.left, Left::NothingWritten);
    let handles = world.handles();
    for name in NAMES {
        assert_eq!(handles[&id(name)].list_sidecars("backup/").unwrap(), [], "{name}");
    }
    assert!(found(&handles).unwrap().summary().backups.is_empty());
    check_end(&world, End::Original);
}

#[test]
fn undo_is_refused_once_a_state_moved_on() {
    let world = World::memory();
    Process::new("one").apply(&world.handles()).unwrap();
    let fresh = String::from_utf8(world.bytes("fresh").unwrap()).unwrap();
    world.overwrite(
        "fresh",
        fresh.replace("\"serial\": 1", "\"serial\": 2").as_bytes(),
    );
    let error = Process::new("two").undo(&world.handles()).unwrap_err();
    insta::assert_snapshot!(show(&error), @r"
    StateChanged error: state `fresh` changed since the migration
      `fresh` (bucket/fresh.tfstate): expected serial 1 of lineage fefefefe-fefe-fefe-fefe-fefefefefefe, found serial 2 of lineage fefefefe-fefe-fefe-fefe-fefefefefefe
      nothing was written; the migration is fenced, as before
    hint: plan a migration that moves the objects back instead
    ");
    assert_eq!(found(&world.handles()).unwrap().journal().phase(), Phase::Fenced);
    assert!(
        NAMES
            .iter()
            .all(|name| world.is_locked(name) == (*name == "mono"))
    );
    // Put back, it works.
    world.overwrite("fresh", fresh.as_bytes());
    Process::new("three").undo(&world.handles()).unwrap();
    check_end(&world, End::Undone);
}

#[test]
fn undo_needs_its_locks_and_its_backups() {
    let world = World::memory();
    Process::new("one").apply(&world.handles()).unwrap();
    let foreign = foreign_lock(&world, "orders");
    let error = Process::new("two").undo(&world.handles()).unwrap_err();
    assert_eq!(
        (error.kind(), error.left),
        (Kind::Locked, Left::AsItWas(Phase::Fenced))
    );
    world.handles()[&id("orders")].unlock(&foreign).unwrap();
    check_end(&world, End::Fenced);
    let mono = &world.handles()[&id("mono")];
    let names = mono.list_sidecars("backup/").unwrap();
    let kept = mono.get_sidecar(&names[0]).unwrap().unwrap();
    mono.put_sidecar(&names[0], b"torn").unwrap();
    let error = Process::new("three").undo(&world.handles()).unwrap_err();
    assert!(matches!(error.cause, Cause::BackupDiffers { .. }));
    mono.delete_sidecar(&names[0]).unwrap();
    let error = Process::new("four").undo(&world.handles()).unwrap_err();
    insta::assert_snapshot!(show(&error), @r"
    Other error: the backup of `mono` (backup/20261125-shop-1.tfstate) is missing
      nothing was written; the migration is fenced, as before
    hint: restore it under that name (a bucket that keeps versions has it), then run the same command again; an undo can also be a migration that moves the objects back
    ");
    mono.put_sidecar(&names[0], &kept).unwrap();
    Process::new("five").undo(&world.handles()).unwrap();
    check_end(&world, End::Undone);
}

/// A process that was waiting for a lock got it after another had given the migration up, and died of it.
#[test]
fn locks_that_came_too_late_are_freed_by_a_resume() {
    for (end, is_fenced) in [(End::Original, false), (End::Fenced, true)] {
        let world = World::memory();
        let process = Process::new("one");
        if is_fenced {
            process.apply(&world.handles()).unwrap();
        } else {
            let door = Arc::new(EffectDoor::failing(4, Fault::Refused));
            process.apply(&world.gated(&door)).unwrap_err();
        }
        let handles = world.handles();
        let journal = found(&handles).unwrap();
        for change in journal.journal().migration().states() {
            let mut info = crate::backend::conformance::info(0);
            info.id = change.lock.clone();
            handles[&change.id].lock(&info).unwrap();
        }
        let theirs = handles[&id("orders")].standing_lock().unwrap();
        assert!(theirs.is_some());
        Process::new("two").resume(&handles).unwrap();
        check_end(&world, end);
    }
}

#[test]
fn two_processes_never_work_on_one_migration() {
    let world = World::memory();
    let door = Arc::new(EffectDoor::failing(20, Fault::DiesBefore));
    Process::new("one").apply(&world.gated(&door)).unwrap_err();
    // Both read the journal; the second to append finds that the first was there.
    let handles = world.handles();
    let stale = found(&handles).unwrap();
    Process::new("two").resume(&handles).unwrap();
    let late = Process::new("three");
    let error =
        crate::execute::resume(late.context(), &handles, stale, &crate::execute::PlannedResults).unwrap_err();
    insta::assert_snapshot!(show(&error), @r"
    Other error: another process works on this migration: it wrote record 4 of the journal
      this process stopped at that; what it did stands in the journal, and so do the locks it took
    hint: wait for it; if it is gone, run `stackcut resume 20261125-shop-1`
    ");
    check_end(&world, End::Fenced);
    let again = Process::new("four").apply(&handles).unwrap_err();
    assert!(matches!(again.cause, Cause::AlreadyStarted));
    check_end(&world, End::Fenced);
}

#[test]
fn a_torn_last_record_is_written_anew_and_a_corrupt_one_is_named() {
    let world = World::memory();
    let door = Arc::new(EffectDoor::failing(20, Fault::DiesBefore));
    Process::new("one").apply(&world.gated(&door)).unwrap_err();
    let handles = world.handles();
    let home = &handles[&id("mono")];
    let next = found(&handles).unwrap().journal().next_sequence();
    let name = format!("journal/20261125-shop-1/{next:06}.json").parse().unwrap();
    home.put_sidecar(&name, b"{\"format\":1,\"seq").unwrap();
    Process::new("two").resume(&handles).unwrap();
    check_end(&world, End::Fenced);
    let name = "journal/20261125-shop-1/000003.json".parse().unwrap();
    let mut bytes = home.get_sidecar(&name).unwrap().unwrap();
    bytes[30] ^= 1;
    home.put_sidecar(&name, &bytes).unwrap();
    let error = Process::new("three").resume(&handles).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 3 of the journal is corrupt: its checksum is wrong"
    );
}

#[test]
fn other_places_are_not_touched() {
    let world = World::memory();
    Process::new("one").apply(&world.handles()).unwrap();
    let mut handles = world.handles();
    let other = handles[&id("orders")].clone();
    handles.insert(id("fresh"), other);
    let error = Process::new("two").undo(&handles).unwrap_err();
    insta::assert_snapshot!(show(&error), @r"
    Other error: `fresh` was migrated at bucket/fresh.tfstate, but is configured at bucket/orders.tfstate now
      nothing was written; the migration is fenced, as before
    hint: use the configuration that the migration was made with
    ");
    handles.remove(&id("fresh"));
    let error = Process::new("two").undo(&handles).unwrap_err();
    assert!(matches!(error.cause, Cause::NoHandle(_)));
    check_end(&world, End::Fenced);
}

/// In the middle of an undo there is only one way on; where a call was denied, what helps comes first.
#[test]
fn the_hint_fits_the_way_it_was_going() {
    let hint = |cause, phase| {
        let error = ExecuteError {
            migration: super::fixture::migration_id(),
            cause,
            left: Left::Unfinished(phase),
        };
        error.hint()
    };
    let denied = || Cause::Backend {
        state: id("mono"),
        source: BackendError::AccessDenied {
            at: "s3://b/k".to_owned(),
            action: "s3:DeleteObject",
            detail: "AccessDenied".to_owned(),
        },
    };
    let undo = "stackcut undo";
    assert!(hint(Cause::Interrupted, Phase::Writing(0)).contains(undo));
    assert!(!hint(Cause::Interrupted, Phase::Undoing(0)).contains(undo));
    assert!(hint(denied(), Phase::Writing(0)).starts_with("grant s3:DeleteObject"));
    assert!(hint(denied(), Phase::Writing(0)).contains(undo));
    assert!(hint(denied(), Phase::Undoing(0)).starts_with("grant s3:DeleteObject"));
    assert!(!hint(denied(), Phase::Undoing(0)).contains(undo));
}
