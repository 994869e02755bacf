//! A process that is overtaken: others, on other machines, take the migration over and end it while this one sleeps
//! between two calls, for however long. What it does when it wakes up must harm nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::harness::{End, NAMES, Process, World, check_always, check_end, found, id};
use crate::backend::BackendError;
use crate::backend::clock::{Clock as _, TestClock};
use crate::backend::faulty::{EffectDoor, Fault};
use crate::backend::gated::{Call, Gate, Operation};
use crate::execute::{Cause, ExecuteError, Handles, Outcome, PlannedResults, Progress, undo};
use crate::journal::Phase;

/// What a process does.
type Verb = fn(&Process, &Handles) -> Result<Outcome, ExecuteError>;

/// Puts a process to sleep after its n-th call, or in the middle of it, and lets others work meanwhile.
struct Overtaker {
    world: World,
    sleeper: Arc<Process>,
    after: usize,
    /// By whose time it sleeps in the middle of the call, which is lost.
    loses: Option<Arc<TestClock>>,
    verbs: &'static [Verb],
    calls: Mutex<usize>,
    ended: Mutex<Option<Result<Outcome, ExecuteError>>>,
}

impl Gate for Overtaker {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        let now = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        let answer = match &self.loses {
            Some(clock) if now == self.after => {
                clock.sleep(Duration::from_hours(1));
                Err(BackendError::Network {
                    at: call.at,
                    action: "any",
                    detail: "the connection was lost".into(),
                })
            }
            _ => run(),
        };
        if now == self.after {
            for verb in self.verbs {
                let ended = verb(&Process::new("other"), &self.world.handles());
                *self.ended.lock().unwrap() = Some(ended);
            }
            self.sleeper.context().surroundings.sleep(Duration::from_hours(1));
        }
        answer
    }
}

fn end_of(phase: Phase) -> End {
    match phase {
        Phase::Fenced => End::Fenced,
        Phase::Completed => End::Completed,
        Phase::Aborted => End::Original,
        Phase::Undone => End::Undone,
        other => panic!("nobody is at work any more, and the migration is {other}"),
    }
}

/// A world whose store does as S3 does: it takes a write from whoever names the right version.
fn world() -> (World, World) {
    let World::Memory(store) = World::memory() else {
        unreachable!("it is in memory")
    };
    store.ask_no_locks();
    (World::Memory(store.clone()), World::Memory(store))
}

fn overtake(name: &str, first: &[Verb], sleeper: Verb, verbs: &'static [Verb]) {
    overtake_at(name, first, sleeper, verbs, false);
    overtake_at(name, first, sleeper, verbs, true);
}

fn overtake_at(name: &str, first: &[Verb], sleeper: Verb, verbs: &'static [Verb], loses: bool) {
    // Without its first record there is nothing to go on with.
    for after in 1 + usize::from(loses).. {
        let clock = Arc::new(TestClock::default());
        let (world, same) = world();
        for verb in first {
            verb(&Process::new("earlier"), &world.handles()).unwrap();
        }
        let process = Arc::new(Process::new("one"));
        let gate = Arc::new(Overtaker {
            world: same,
            sleeper: process.clone(),
            after,
            loses: loses.then(|| clock.clone()),
            verbs,
            calls: Mutex::default(),
            ended: Mutex::default(),
        });
        let result = sleeper(&process, &world.settled_by(&gate, &clock));
        let Some(ended) = gate.ended.lock().unwrap().take() else {
            assert!(after > 10);
            return;
        };
        ended.unwrap();
        println!(
            "{name} {} {after}: {:?}",
            if loses { "in" } else { "after" },
            result.as_ref().map_err(ToString::to_string)
        );
        check_always(&world);
        // What the journal says is so.
        check_end(&world, end_of(found(&world.handles()).unwrap().journal().phase()));
        if let Err(error) = result {
            assert!(matches!(error.cause, Cause::Concurrent { .. }), "{error}");
        }
    }
}

const APPLY: Verb = |process, handles| process.apply(handles);
const UNDO: Verb = |process, handles| process.undo(handles);
const RESUME: Verb = |process, handles| process.resume(handles);
const RELEASE: Verb = |process, handles| process.release(handles);

#[test]
fn an_apply_is_overtaken() {
    overtake("undo", &[], APPLY, &[UNDO]);
    overtake("resume", &[], APPLY, &[RESUME]);
    overtake("release", &[], APPLY, &[RESUME, RELEASE]);
    overtake("resume and undo", &[], APPLY, &[RESUME, UNDO]);
}

#[test]
fn an_undo_is_overtaken() {
    overtake("resume", &[APPLY], UNDO, &[RESUME]);
    overtake("undo", &[APPLY], UNDO, &[UNDO]);
}

/// One that waits for a lock gives its others back just after another process has taken them over.
#[test]
fn locks_that_fell_are_taken_again_before_the_first_write() {
    let verbs: [(&[Verb], Verb); 2] = [(&[], RESUME), (&[APPLY], UNDO)];
    for (first, verb) in verbs {
        for name in ["fresh", "orders"] {
            let (world, same) = world();
            if first.is_empty() {
                let door = Arc::new(EffectDoor::failing(6, Fault::DiesBefore));
                APPLY(&Process::new("dead"), &world.gated(&door)).unwrap_err();
            }
            for verb in first {
                verb(&Process::new("earlier"), &world.handles()).unwrap();
            }
            let unlocker = Arc::new(Unlocker {
                world: same,
                state: name,
                is_done: Mutex::default(),
                was_unlocked: Mutex::default(),
            });
            verb(&Process::new("two"), &world.gated(&unlocker)).unwrap();
            assert!(*unlocker.is_done.lock().unwrap());
            assert_eq!(*unlocker.was_unlocked.lock().unwrap(), Vec::<String>::new());
        }
    }
}

/// Releases a lock under its own ID when the first content was read; sees what is written without a lock.
struct Unlocker {
    world: World,
    state: &'static str,
    is_done: Mutex<bool>,
    was_unlocked: Mutex<Vec<String>>,
}

impl Gate for Unlocker {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        if matches!(call.operation, Operation::Write { .. } | Operation::Remove)
            && NAMES
                .iter()
                .any(|name| call.at.ends_with(&format!("/{name}.tfstate")) && !self.world.is_locked(name))
        {
            self.was_unlocked.lock().unwrap().push(call.at.clone());
        }
        let is_read = call.operation == Operation::Read;
        let answer = run();
        if is_read && !std::mem::replace(&mut *self.is_done.lock().unwrap(), true) {
            let handle = self.world.open(self.state);
            if let Some(lock) = handle.standing_lock().unwrap() {
                handle.unlock(&lock.holder.unwrap().id).unwrap();
            }
        }
        answer
    }
}

/// An undo that sets out while late locks are being given back waits until that is over.
#[test]
fn an_undo_waits_for_late_locks_to_be_given_back() {
    let (world, _) = world();
    let handles = world.handles();
    APPLY(&Process::new("one"), &handles).unwrap();
    let journal = found(&handles).unwrap();
    let change = journal
        .journal()
        .migration()
        .state(&id("orders"))
        .unwrap()
        .clone();
    let mut info = crate::backend::conformance::info(0);
    info.id = change.lock.clone();
    handles[&change.id].lock(&info).unwrap();
    RESUME(&Process::new("two"), &handles).unwrap();
    check_end(&world, End::Fenced);
    let stale = Process::new("three");
    let error = undo(stale.context(), &handles, journal, &PlannedResults).unwrap_err();
    assert!(matches!(error.cause, Cause::Concurrent { .. }), "{error}");
    check_end(&world, End::Fenced);
    let process = Process::new("four");
    UNDO(&process, &handles).unwrap();
    let heard = process.notes.heard.lock().unwrap();
    assert!(
        heard
            .iter()
            .any(|progress| matches!(progress, Progress::Settling { wait } if wait.as_secs() == 10))
    );
    check_end(&world, End::Undone);
}
