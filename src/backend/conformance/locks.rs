//! Taking, reading and releasing locks.

use std::sync::Barrier;
use std::thread;

use super::{Case, Check, info, is_locked, refused};
use crate::backend::{BackendError, Expect, LockInfo};

pub(super) const CHECKS: &[Check] = &[
    ("lock", excludes_everybody_else),
    ("lock-again", is_taken_again_with_the_same_id),
    ("unlock", releases_only_the_lock_of_this_id),
    ("lock-race", lets_one_of_many_lock),
    ("lock-stays", outlives_its_holder),
    ("lock-gone", notices_or_survives_a_second_release),
];

fn excludes_everybody_else(case: &Case<'_>) {
    let (ours, theirs) = (case.open(), case.open());
    assert_eq!(ours.standing_lock().unwrap(), None);
    let lock = ours.lock(&info(1)).unwrap();
    assert_eq!(*lock.id(), info(1).id);
    let error = refused(theirs.lock(&info(2)), is_locked);
    assert!(error.frees().is_some_and(|frees| !frees.is_empty()));
    let BackendError::Locked { holder, .. } = error else {
        unreachable!("checked above");
    };
    let shown = LockInfo {
        path: holder.path.clone(),
        ..info(1)
    };
    assert_eq!(*holder, shown, "the whole info is shown");
    assert!(!holder.path.is_empty(), "the backend names the state");
    let standing = theirs.standing_lock().unwrap().unwrap();
    assert_eq!(standing.holder, Ok(shown));
    ours.unlock(lock.id()).unwrap();
    assert_eq!(theirs.standing_lock().unwrap(), None);
    let lock = theirs.lock(&info(2)).unwrap();
    theirs.unlock(lock.id()).unwrap();
}

fn is_taken_again_with_the_same_id(case: &Case<'_>) {
    case.open().lock(&info(1)).unwrap();
    let again = LockInfo {
        info: "resumed".to_owned(),
        ..info(1)
    };
    let state = case.open();
    let lock = state.lock(&again).unwrap();
    state.write(&lock, b"{}", &Expect::Absent).unwrap();
    state.unlock(lock.id()).unwrap();
}

fn releases_only_the_lock_of_this_id(case: &Case<'_>) {
    let state = case.open();
    let lock = state.lock(&info(1)).unwrap();
    refused(case.open().unlock(&info(2).id), is_locked);
    assert!(state.standing_lock().unwrap().unwrap().is(lock.id()));
    case.open().unlock(lock.id()).unwrap();
    assert_eq!(state.standing_lock().unwrap(), None);
}

fn lets_one_of_many_lock(case: &Case<'_>) {
    for _ in 0..3 {
        let start = Barrier::new(6);
        let winners = thread::scope(|scope| {
            let run = |id| {
                let start = &start;
                scope.spawn(move || {
                    let state = case.open();
                    start.wait();
                    match state.lock(&info(id)) {
                        Ok(lock) => Some(lock.id().clone()),
                        Err(BackendError::Locked { .. } | BackendError::Conflict { .. }) => None,
                        Err(error) => panic!("{error:?}"),
                    }
                })
            };
            let threads: Vec<_> = (1..=6).map(run).collect();
            let joined = threads.into_iter().filter_map(|thread| thread.join().unwrap());
            joined.collect::<Vec<_>>()
        });
        // Two-part locks may exclude each other, so that nobody wins; never may two.
        assert!(winners.len() <= 1, "{winners:?}");
        let standing = case.open().standing_lock().unwrap();
        assert_eq!(standing.is_some(), winners.len() == 1);
        if let Some(winner) = winners.first() {
            assert!(standing.unwrap().is(winner));
            case.open().unlock(winner).unwrap();
        }
    }
}

fn outlives_its_holder(case: &Case<'_>) {
    let state = case.open();
    let lock = state.lock(&info(1)).unwrap();
    state.write(&lock, b"{}", &Expect::Absent).unwrap();
    drop(lock);
    drop(state);
    refused(case.open().lock(&info(2)), is_locked);
    assert_eq!(
        case.open().read().unwrap().bytes(),
        Some(&b"{}"[..]),
        "a lock stops no reader"
    );
    case.open().unlock(&info(1).id).unwrap();
}

fn notices_or_survives_a_second_release(case: &Case<'_>) {
    let state = case.open();
    state.unlock(&info(1).id).unwrap();
    let lock = state.lock(&info(1)).unwrap();
    state.unlock(lock.id()).unwrap();
    state.unlock(lock.id()).unwrap();
    assert_eq!(state.read().unwrap().object, None, "locking left no state behind");
}
