//! Work in the order of its dependencies, several pieces at once.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, OnceLock};

/// What is ready, and what waits for how much.
struct Queue {
    ready: VecDeque<usize>,
    waits: Vec<usize>,
    unfinished: usize,
}

/// Runs `work` on every piece, each after those it waits for, at most `bound` at a time. It sees the results of those.
///
/// Returns the results in the order of the pieces. A piece in a cycle never runs and has none.
pub(super) fn in_order<T: Send + Sync>(
    bound: NonZeroUsize,
    waits_for: &[BTreeSet<usize>],
    work: impl Fn(usize, &[OnceLock<T>]) -> T + Sync,
) -> Vec<Option<T>> {
    let results: Vec<OnceLock<T>> = waits_for.iter().map(|_| OnceLock::new()).collect();
    let waits: Vec<usize> = waits_for.iter().map(BTreeSet::len).collect();
    let queue = Mutex::new(Queue {
        ready: (0..waits.len()).filter(|&piece| waits[piece] == 0).collect(),
        unfinished: reachable(waits_for),
        waits,
    });
    let changed = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..bound.get().min(waits_for.len()) {
            scope.spawn(|| {
                while let Some(piece) = next(&queue, &changed) {
                    // Finished even where it panics: others would wait for ever, and the scope passes the panic on.
                    let _finished = Finished {
                        piece,
                        waits_for,
                        queue: &queue,
                        changed: &changed,
                    };
                    let _ = results[piece].set(work(piece, &results));
                }
            });
        }
    });
    results.into_iter().map(OnceLock::into_inner).collect()
}

/// Counts the pieces that can ever run.
fn reachable(waits_for: &[BTreeSet<usize>]) -> usize {
    let mut done = BTreeSet::new();
    loop {
        let more: Vec<usize> = (0..waits_for.len())
            .filter(|piece| !done.contains(piece) && waits_for[*piece].is_subset(&done))
            .collect();
        if more.is_empty() {
            return done.len();
        }
        done.extend(more);
    }
}

fn next(queue: &Mutex<Queue>, changed: &Condvar) -> Option<usize> {
    let mut queue = queue.lock().expect("no holder panics");
    loop {
        if queue.unfinished == 0 {
            return None;
        }
        if let Some(piece) = queue.ready.pop_front() {
            return Some(piece);
        }
        queue = changed.wait(queue).expect("no holder panics");
    }
}

struct Finished<'a> {
    piece: usize,
    waits_for: &'a [BTreeSet<usize>],
    queue: &'a Mutex<Queue>,
    changed: &'a Condvar,
}

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        let mut queue = self.queue.lock().expect("no holder panics");
        queue.unfinished -= 1;
        for (piece, waits_for) in self.waits_for.iter().enumerate() {
            if waits_for.contains(&self.piece) {
                queue.waits[piece] -= 1;
                if queue.waits[piece] == 0 {
                    queue.ready.push_back(piece);
                }
            }
        }
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    fn bound(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).unwrap()
    }

    #[test]
    fn nothing_runs_before_what_it_waits_for() {
        // 3 waits for 0 and 1, 2 for 3, 4 for nobody, 5 for 2.
        let waits: Vec<BTreeSet<usize>> = [vec![], vec![], vec![3], vec![0, 1], vec![], vec![2]]
            .map(BTreeSet::from_iter)
            .into();
        for workers in [1, 2, 8] {
            let results = in_order(bound(workers), &waits, |piece, results| {
                waits[piece]
                    .iter()
                    .map(|&other| results[other].get().unwrap())
                    .sum::<usize>()
                    + 1
            });
            assert_eq!(
                results.into_iter().map(Option::unwrap).collect::<Vec<_>>(),
                [1, 1, 4, 3, 1, 5]
            );
        }
        assert!(in_order(bound(2), &[], |_, _: &[OnceLock<()>]| ()).is_empty());
    }

    #[test]
    fn a_cycle_is_left_out() {
        let waits: Vec<BTreeSet<usize>> = [vec![1], vec![0], vec![], vec![2]]
            .map(BTreeSet::from_iter)
            .into();
        let results = in_order(bound(2), &waits, |piece, _| piece);
        assert_eq!(results, [None, None, Some(2), Some(3)]);
    }

    #[test]
    fn independent_pieces_run_at_once_within_the_bound() {
        let (at_work, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let waits = vec![BTreeSet::new(); 6];
        in_order(bound(3), &waits, |_, _| {
            let now = at_work.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(50));
            at_work.fetch_sub(1, Ordering::SeqCst);
        });
        let most = most.load(Ordering::SeqCst);
        assert!((2..=3).contains(&most), "{most} at once");
    }
}
