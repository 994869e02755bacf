//! Looking at many places at once: each costs a journey, and none waits for another.

use std::num::NonZeroUsize;

use crate::parallel;

/// How many places are looked at at once.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(16).expect("it is not zero");

/// Runs a function on every item, some at a time, and returns the results in the order of the items.
pub(super) fn each<T: Sync, R: Send>(items: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    parallel::each(AT_ONCE, items, run)
}
