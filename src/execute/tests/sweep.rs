//! The crash sweep: every effect of every verb fails in every way, and somebody else goes on.

use std::sync::Arc;

use super::fixture::{Shape, shape};
use super::harness::{End, Process, World, check_always, check_end, found, is_not_started};
use crate::backend::faulty::{EffectDoor, Fault};
use crate::execute::{ExecuteError, Handles, Outcome};
use crate::journal::Phase;

/// The kinds that differ for whoever comes next.
const SOME: [Fault; 4] = [
    Fault::Refused,
    Fault::AnswerLost,
    Fault::DiesBefore,
    Fault::DiesAfter,
];

const ALL: [Fault; 6] = [
    Fault::Refused,
    Fault::Throttled,
    Fault::AnswerLost,
    Fault::RequestLost,
    Fault::DiesBefore,
    Fault::DiesAfter,
];

type Verb = fn(&Process, &Handles) -> Result<Outcome, ExecuteError>;

/// Runs a verb with a failing effect for n = 0, 1, 2 … on copies of a world, until none fails; returns every world
/// that came out, and how many effects the verb has.
fn sweep(start: &World, verb: Verb, faults: &[Fault], parallelism: usize) -> (Vec<World>, usize) {
    let mut worlds = Vec::new();
    let mut most = 0;
    for &fault in faults {
        for effect in 0.. {
            assert!(effect < 500, "{fault:?}: the verb does not end");
            let world = start.fork();
            let door = Arc::new(EffectDoor::failing(effect, fault));
            let mut process = Process::new(&format!("{fault:?}-{effect}"));
            process.parallelism = parallelism;
            let result = verb(&process, &world.gated(&door));
            check_always(&world);
            if door.effects() <= effect {
                result.unwrap_or_else(|error| panic!("{fault:?} at {effect} was not met: {error}"));
                most = most.max(effect);
                break;
            }
            if door.is_dead() {
                assert!(result.is_err(), "{fault:?} at {effect}");
            }
            worlds.push(world);
        }
    }
    (worlds, most)
}

/// Lets a new process end the work, and checks where that leads.
#[track_caller]
pub(super) fn end(world: &World, verb: Verb) -> End {
    let handles = world.handles();
    if is_not_started(&handles) {
        check_end(world, End::Original);
        return End::Original;
    }
    let process = Process::new("successor");
    let outcome = verb(&process, &handles).unwrap_or_else(|error| panic!("{error}: {:?}", error.notes()));
    let end = match outcome {
        Outcome::Fenced { held, lost } => {
            assert_eq!((held.len(), lost.len()), (1, 0));
            End::Fenced
        }
        Outcome::Completed => End::Completed,
        Outcome::Aborted { .. } => End::Original,
        Outcome::Undone => End::Undone,
    };
    check_end(world, end);
    end
}

fn is_dead(fault: Fault) -> bool {
    matches!(fault, Fault::DiesBefore | Fault::DiesAfter)
}

#[track_caller]
fn ends(worlds: &[World], verb: Verb, allowed: &[End]) {
    for world in worlds {
        let world = world.fork();
        let end = end(&world, verb);
        assert!(allowed.contains(&end), "{end:?}");
    }
}

fn fenced(start: World) -> World {
    Process::new("first").apply(&start.handles()).unwrap();
    check_end(&start, End::Fenced);
    start
}

#[test]
fn apply_in_memory() {
    let start = World::memory();
    let (worlds, effects) = sweep(&start, Process::apply, &ALL, 1);
    // First record, 5 locks, a record of all writes, 3 backups, 4 objects and digests, release 1+4+1.
    assert_eq!(effects, 1 + 5 + 1 + 3 + 8 + 1 + 4 + 1);
    ends(&worlds, Process::resume, &[End::Original, End::Fenced]);
    ends(&worlds, Process::undo, &[End::Original, End::Undone]);
    // In parallel the n-th effect is another one each time; what must hold holds all the same.
    let (worlds, _) = sweep(&start, Process::apply, &ALL, 4);
    ends(&worlds, Process::resume, &[End::Original, End::Fenced]);
}

/// Whatever the first wave is made of, and however many things are done at once; and a second death on the way.
#[test]
fn first_waves_of_every_kind() {
    for (first, parallelism) in [
        (Shape::Existing, 1),
        (Shape::Existing, 4),
        (Shape::New, 1),
        (Shape::New, 4),
        (Shape::Mixed, 4),
    ] {
        shape(first);
        let (worlds, _) = sweep(&World::memory(), Process::apply, &SOME, parallelism);
        ends(&worlds, Process::resume, &[End::Original, End::Fenced]);
        ends(&worlds, Process::undo, &[End::Original, End::Undone]);
        let crashed = worlds.iter().step_by(13);
        for world in crashed.filter(|world| !is_not_started(&world.handles())) {
            for verb in [Process::resume, Process::undo] as [Verb; 2] {
                let (worlds, _) = sweep(world, verb, &[Fault::DiesAfter], parallelism);
                ends(
                    &worlds,
                    Process::resume,
                    &[End::Original, End::Fenced, End::Undone],
                );
                ends(&worlds, Process::undo, &[End::Original, End::Undone]);
            }
        }
    }
    shape(Shape::Mixed);
}

#[test]
fn a_death_in_an_apply_loses_nothing_that_was_done() {
    let start = World::memory();
    let died: Vec<Fault> = ALL.into_iter().filter(|&fault| is_dead(fault)).collect();
    let (worlds, _) = sweep(&start, Process::apply, &died, 1);
    // The dead cannot give up, so whoever comes next finishes; only where no record was written is there nothing to do.
    ends(&worlds[1..], Process::resume, &[End::Fenced]);
    let untouched = worlds
        .iter()
        .filter(|world| is_not_started(&world.handles()))
        .count();
    assert_eq!(untouched, 1);
}

#[test]
fn resume_in_memory() {
    let start = World::memory();
    let (crashed, _) = sweep(&start, Process::apply, &[Fault::DiesAfter], 1);
    for world in crashed {
        let (worlds, _) = sweep(&world, Process::resume, &SOME, 1);
        ends(&worlds, Process::resume, &[End::Original, End::Fenced]);
    }
}

#[test]
fn undo_of_a_finished_migration_in_memory() {
    let start = fenced(World::memory());
    let (worlds, effects) = sweep(&start, Process::undo, &ALL, 1);
    assert!(effects > 20, "{effects}");
    for world in &worlds {
        let world = world.fork();
        let handles = world.handles();
        // A refused undo leaves the migration as it was.
        let expected = match found(&handles).unwrap().journal().phase() {
            Phase::Fenced => End::Fenced,
            Phase::UndoAborting(_) => End::Fenced,
            _ => End::Undone,
        };
        assert_eq!(end(&world, Process::resume), expected);
    }
    ends(&worlds, Process::undo, &[End::Undone]);
}

#[test]
fn undo_of_a_crashed_migration_in_memory() {
    let start = World::memory();
    let (crashed, _) = sweep(&start, Process::apply, &[Fault::DiesBefore], 1);
    for world in crashed.iter().filter(|world| !is_not_started(&world.handles())) {
        let (worlds, _) = sweep(world, Process::undo, &SOME, 1);
        ends(&worlds, Process::undo, &[End::Original, End::Undone]);
    }
}

#[test]
fn resume_of_a_crashed_undo_in_memory() {
    let start = fenced(World::memory());
    let (crashed, _) = sweep(&start, Process::undo, &[Fault::DiesAfter], 1);
    for world in crashed {
        let (worlds, _) = sweep(
            &world,
            Process::resume,
            &[Fault::DiesBefore, Fault::AnswerLost],
            1,
        );
        ends(&worlds, Process::undo, &[End::Undone]);
    }
}

#[test]
fn release_in_memory() {
    let start = fenced(World::memory());
    let (worlds, effects) = sweep(&start, Process::release, &ALL, 1);
    assert_eq!(effects, 3);
    ends(&worlds, Process::release, &[End::Completed]);
    ends(&worlds, Process::resume, &[End::Fenced, End::Completed]);
}

#[test]
fn lost_answers_are_settled_without_stopping() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Throttled] {
        for effect in 0..30 {
            let world = World::memory();
            let door = Arc::new(EffectDoor::failing(effect, fault));
            let outcome = Process::new("settled").apply(&world.settled(&door)).unwrap();
            assert!(matches!(outcome, Outcome::Fenced { .. }), "{fault:?} at {effect}");
            check_end(&world, End::Fenced);
        }
    }
}

#[test]
fn apply_on_files() {
    let start = World::local();
    let (worlds, effects) = sweep(&start, Process::apply, &SOME, 1);
    assert_eq!(effects, 1 + 5 + 1 + 3 + 4 + 1 + 4 + 1);
    // The journal names absolute paths, so the worlds themselves go on, not copies.
    for (number, world) in worlds.iter().enumerate() {
        let verb: Verb = if number % 2 == 0 {
            Process::resume
        } else {
            Process::undo
        };
        end(world, verb);
    }
}

#[test]
fn undo_on_files() {
    for fault in [Fault::AnswerLost, Fault::DiesBefore, Fault::DiesAfter] {
        for effect in 0.. {
            let world = fenced(World::local());
            let door = Arc::new(EffectDoor::failing(effect, fault));
            let result = Process::new("undoing").undo(&world.gated(&door));
            check_always(&world);
            if door.effects() <= effect {
                result.unwrap();
                check_end(&world, End::Undone);
                break;
            }
            assert_eq!(end(&world, Process::undo), End::Undone);
        }
    }
}
