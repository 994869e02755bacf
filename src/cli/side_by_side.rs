//! Looking at many places at once: each costs a journey, and none waits for another.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many places are looked at at once.
const AT_ONCE: usize = 16;

/// Runs a function on every item, some at a time, and returns the results in the order of the items.
pub(super) fn each<T: Sync, R: Send>(items: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if items.len() <= 1 {
        return items.iter().map(run).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = run(item);
                    *results[at].lock().expect("each slot is locked once") = Some(result);
                }
            });
        }
    });
    results
        .into_iter()
        .map(|slot| {
            slot.into_inner()
                .expect("each slot is locked once")
                .expect("every item was run, or the scope would have panicked")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items_and_few_run_at_once() {
        let items: Vec<usize> = (0..100).collect();
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let results = each(&items, |item| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // The first ones take longest.
            std::thread::sleep(std::time::Duration::from_micros(2000 / (1 + *item as u64)));
            running.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert_eq!(results, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        let most = most.into_inner();
        assert!((2..=AT_ONCE).contains(&most), "{most}");
        assert!(each(&[] as &[u8], |item| *item).is_empty());
    }
}
