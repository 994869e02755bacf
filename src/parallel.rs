//! Independent things at once: two, or many with a bound, and their results in order.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs one thing on a thread of its own beside another, and returns the results of both.
///
/// # Panics
///
/// Where one of them does.
pub fn both<A: Send, B>(beside: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let beside = scope.spawn(beside);
        let here = here();
        let beside = beside.join();
        (
            beside.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            here,
        )
    })
}

/// Runs a function on every item, at most `bound` at a time, and returns the results in the order of the items.
///
/// # Panics
///
/// Where the function does.
pub fn each<T: Sync, R: Send>(bound: NonZeroUsize, items: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = bound.get().min(items.len());
    if workers <= 1 {
        return items.iter().map(run).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..workers {
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
    let take = |slot: Mutex<Option<R>>| {
        slot.into_inner()
            .expect("each slot is locked once")
            .expect("every item was run, or the scope would have panicked")
    };
    results.into_iter().map(take).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_bound() {
        let items: Vec<usize> = (0..50).collect();
        let running = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let bound = NonZeroUsize::new(4).unwrap();
        let results = each(bound, &items, |item| {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_micros(200));
            running.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert_eq!(results, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        let most = most.into_inner();
        assert!((2..=4).contains(&most), "{most}");
        assert!(each(bound, &[] as &[u8], |item| *item).is_empty());
    }
}
