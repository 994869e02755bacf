//! The journal's store fails for good from one record on (a full disk, a revoked permission): from there on nothing
//! else happens, and whoever comes when it works again ends the work.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::harness::{End, Process, World, check_always, check_end, found, is_not_started};
use super::sweep::end;
use crate::backend::BackendError;
use crate::backend::gated::{Call, Gate, Operation};
use crate::execute::{Cause, ExecuteError, Handles, Outcome, discard};
use crate::journal::Phase;

/// How appends fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Down {
    /// They do not happen.
    Full,
    /// They happen, and their answers are lost.
    Mute,
}

/// Lets no append through from one record on, and remembers what was tried afterwards.
struct JournalDown {
    from: u64,
    down: Down,
    failed: AtomicBool,
    after: Mutex<Vec<Operation>>,
}

fn record_of(operation: &Operation) -> Option<u64> {
    let (Operation::CreateSidecar(name) | Operation::DeleteSidecar(name)) = operation else {
        return None;
    };
    let rest = name.as_str().strip_prefix("journal/")?;
    rest.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

impl Gate for JournalDown {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        match record_of(&call.operation) {
            Some(record) if record >= self.from => {
                self.failed.store(true, Ordering::SeqCst);
                if self.down == Down::Mute {
                    // An append that fails on its own has an answer, and that one is lost as well.
                    let _ = run();
                    return Err(BackendError::Ambiguous {
                        at: call.at,
                        action: "append",
                        detail: "no answer".into(),
                    });
                }
                Err(BackendError::Io {
                    at: call.at,
                    action: "append",
                    source: std::io::Error::from(std::io::ErrorKind::StorageFull),
                })
            }
            _ => {
                if self.failed.load(Ordering::SeqCst) && call.operation.is_mutating() {
                    self.after.lock().unwrap().push(call.operation);
                }
                run()
            }
        }
    }
}

type Verb = fn(&Process, &Handles) -> Result<Outcome, ExecuteError>;

/// Runs a verb on copies of a world with the journal failing from each record on. Every world that comes out is given
/// to each successor, with the ends it may come to.
fn sweep(start: &World, verb: Verb, successors: &[(Verb, &[End])]) -> usize {
    let first = found(&start.handles()).map_or(1, |found| found.journal().next_sequence());
    let mut records = 0;
    for down in [Down::Full, Down::Mute] {
        for from in first.. {
            let world = start.fork();
            let gate = Arc::new(JournalDown {
                from,
                down,
                failed: AtomicBool::default(),
                after: Mutex::default(),
            });
            let result = verb(&Process::new("failing"), &world.gated(&gate));
            check_always(&world);
            if !gate.failed.load(Ordering::SeqCst) {
                result.unwrap();
                records = records.max(usize::try_from(from - first).unwrap());
                break;
            }
            let error = result.unwrap_err();
            assert!(
                matches!(error.cause, Cause::JournalStore { .. }),
                "{down:?} from {from}: {error}"
            );
            let after = gate.after.lock().unwrap();
            assert!(after.is_empty(), "{down:?} from {from}: {after:?}");
            for (successor, allowed) in successors {
                let world = world.fork();
                let end = end(&world, *successor);
                assert!(allowed.contains(&end), "{down:?} from {from}: {end:?}");
            }
        }
    }
    records
}

#[test]
fn under_an_apply() {
    let records = sweep(
        &World::memory(),
        Process::apply,
        &[
            (Process::resume, &[End::Original, End::Fenced]),
            (Process::undo, &[End::Original, End::Undone]),
        ],
    );
    assert_eq!(records, 4);
}

#[test]
fn under_an_undo_and_a_release() {
    let start = World::memory();
    Process::new("one").apply(&start.handles()).unwrap();
    let records = sweep(
        &start,
        Process::undo,
        &[
            (Process::resume, &[End::Fenced, End::Undone]),
            (Process::undo, &[End::Undone]),
        ],
    );
    assert_eq!(records, 6);
    let records = sweep(
        &start,
        Process::release,
        &[
            (Process::resume, &[End::Fenced, End::Completed]),
            (Process::release, &[End::Completed]),
        ],
    );
    assert_eq!(records, 2);
}

/// A resume appends first of all, so it touches nothing while the journal is down.
#[test]
fn under_a_resume() {
    use crate::backend::faulty::{EffectDoor, Fault};
    for effect in [3, 8, 12, 16, 20] {
        let start = World::memory();
        let door = Arc::new(EffectDoor::failing(effect, Fault::DiesAfter));
        Process::new("one").apply(&start.gated(&door)).unwrap_err();
        assert!(!is_not_started(&start.handles()));
        sweep(
            &start,
            Process::resume,
            &[(Process::resume, &[End::Original, End::Fenced])],
        );
    }
}

#[test]
fn under_a_discard() {
    let start = World::memory();
    Process::new("one").apply(&start.handles()).unwrap();
    Process::new("one").release(&start.handles()).unwrap();
    let verb: Verb =
        |process, handles| discard(process.context(), handles, found(handles)?).map(|()| Outcome::Completed);
    let first = found(&start.handles()).unwrap().journal().next_sequence();
    for down in [Down::Full, Down::Mute] {
        for from in [first, first + 1] {
            let world = start.fork();
            let gate = Arc::new(JournalDown {
                from,
                down,
                failed: AtomicBool::default(),
                after: Mutex::default(),
            });
            let error = verb(&Process::new("failing"), &world.gated(&gate)).unwrap_err();
            assert!(matches!(error.cause, Cause::JournalStore { .. }));
            assert!(gate.after.lock().unwrap().is_empty());
            if from == first {
                // Not one backup went before its record.
                check_end(&world, End::Completed);
            }
            verb(&Process::new("two"), &world.handles()).unwrap();
            let phase = found(&world.handles()).unwrap().journal().phase();
            assert!(matches!(phase, Phase::Discarded(_)));
        }
    }
}
