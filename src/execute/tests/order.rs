//! The order of effects, as a recorder saw it.

use std::sync::Arc;

use super::harness::{End, Process, World, check_end, found, id, migration_id};
use crate::backend::gated::Operation;
use crate::backend::recording::Recorder;
use crate::execute::{Outcome, list};

/// Shows the effects of a run, one per line: `place: what`.
fn effects(recorder: &Recorder) -> Vec<String> {
    let calls = recorder.calls();
    let shown = calls.iter().filter(|call| call.call.operation.is_mutating());
    shown
        .map(|call| {
            let at = call
                .call
                .at
                .rsplit('/')
                .next()
                .unwrap()
                .trim_end_matches(".tfstate");
            let what = match &call.call.operation {
                Operation::CreateSidecar(name) if name.as_str().starts_with("journal/") => {
                    let number = name
                        .as_str()
                        .rsplit('/')
                        .next()
                        .unwrap()
                        .trim_end_matches(".json");
                    format!("record {}", number.trim_start_matches('0'))
                }
                Operation::CreateSidecar(_) => "backup".to_owned(),
                other => other.name().to_owned(),
            };
            format!("{at}: {what}")
        })
        .collect()
}

#[test]
fn every_effect_has_its_place() {
    let world = World::memory();
    let recorder = Arc::new(Recorder::default());
    Process::new("one").apply(&world.gated(&recorder)).unwrap();
    insta::assert_snapshot!(effects(&recorder).join("\n"), @r"
    mono: record 1
    mono: lock
    fresh: lock
    old: lock
    orders: lock
    other: lock
    mono: record 2
    mono: backup
    old: backup
    orders: backup
    fresh: write
    fresh: write digest
    orders: write
    orders: write digest
    mono: write
    mono: write digest
    old: write
    old: write digest
    mono: record 3
    fresh: unlock
    old: unlock
    orders: unlock
    other: unlock
    mono: record 4
    ");
    let kinds: Vec<_> = found(&world.handles())
        .unwrap()
        .journal()
        .records()
        .iter()
        .map(|record| record.event.name())
        .collect();
    insta::assert_snapshot!(kinds.join(" "), @r"
    started writes_intended release_intended fenced
    ");

    let recorder = Arc::new(Recorder::default());
    Process::new("two").undo(&world.gated(&recorder)).unwrap();
    insta::assert_snapshot!(effects(&recorder).join("\n"), @r"
    mono: record 5
    mono: lock
    fresh: lock
    old: lock
    orders: lock
    mono: record 6
    old: write
    old: write digest
    mono: record 7
    mono: write
    mono: write digest
    mono: record 8
    fresh: remove
    fresh: remove digest
    orders: write
    orders: write digest
    mono: record 9
    fresh: unlock
    mono: unlock
    old: unlock
    orders: unlock
    mono: record 10
    ");
    check_end(&world, End::Undone);
}

/// A state is asked for no more often than it must be: the numbers that the documentation states.
#[test]
fn calls_per_state() {
    let world = World::memory();
    let recorder = Arc::new(Recorder::default());
    Process::new("one").apply(&world.gated(&recorder)).unwrap();
    let count = |name: &str| {
        let calls = recorder.calls();
        let mut names: Vec<&str> = calls
            .iter()
            .filter(|call| call.call.at == format!("memory://bucket/{name}.tfstate"))
            .map(|call| call.call.operation.name())
            .collect();
        names.sort_unstable();
        names.join(", ")
    };
    assert_eq!(
        count("fresh"),
        "confirm, confirm, lock, unlock, write, write digest"
    );
    assert_eq!(
        count("orders"),
        "create sidecar, get sidecar, lock, read, read, unlock, write, write digest"
    );
    assert_eq!(count("other"), "lock, read, unlock");
}

#[test]
fn what_is_done_is_not_done_again() {
    let world = World::memory();
    Process::new("one").apply(&world.handles()).unwrap();
    let quiet = |verb: fn(&Process, &crate::execute::Handles) -> _, expected: &Outcome| {
        let recorder = Arc::new(Recorder::default());
        let outcome: Outcome = Result::unwrap(verb(&Process::new("again"), &world.gated(&recorder)));
        assert_eq!(&outcome, expected);
        assert!(recorder.mutations().is_empty(), "{:?}", recorder.mutations());
    };
    let fenced = Outcome::Fenced {
        held: vec![id("mono")],
        lost: vec![],
    };
    quiet(Process::resume, &fenced);
    check_end(&world, End::Fenced);
    Process::new("two").release(&world.handles()).unwrap();
    quiet(Process::release, &Outcome::Completed);
    quiet(Process::resume, &Outcome::Completed);
    check_end(&world, End::Completed);
    Process::new("three").undo(&world.handles()).unwrap();
    quiet(Process::undo, &Outcome::Undone);
    quiet(Process::resume, &Outcome::Undone);
    check_end(&world, End::Undone);
    assert_eq!(list(&*world.handles()[&id("mono")]).unwrap(), [migration_id()]);
}
