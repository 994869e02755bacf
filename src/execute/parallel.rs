//! How many calls on stores are under way at once.
//!
//! What carries the content of states is bounded by what was asked for ([`Turns`]). Calls that carry nothing (locks,
//! digests, a look at what should not be there) go many more at once where they travel ([`wide`]): a store that can put
//! them together then does.

use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex};

use super::Handles;
pub(super) use crate::parallel::each;

/// How many calls that carry nothing are under way at once.
const WIDE: usize = 128;

/// Returns the bound for calls that carry nothing. One at a time stays one at a time; and where no call travels, more
/// threads would only be in each other's way.
pub(super) fn wide(bound: NonZeroUsize, handles: &Handles) -> NonZeroUsize {
    let is_remote = || handles.values().any(|handle| handle.is_remote());
    if bound.get() > 1 && is_remote() {
        bound.max(NonZeroUsize::new(WIDE).expect("it is not zero"))
    } else {
        bound
    }
}

/// Turns for what is bounded, taken within what is not.
#[derive(Debug)]
pub(super) struct Turns {
    free: Mutex<usize>,
    given_back: Condvar,
}

/// A turn, until it is dropped.
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    pub(super) fn new(bound: NonZeroUsize) -> Self {
        Self {
            free: Mutex::new(bound.get()),
            given_back: Condvar::new(),
        }
    }

    /// Waits for a turn.
    pub(super) fn take(&self) -> Turn<'_> {
        let mut free = self.free.lock().expect("no holder panics");
        while *free == 0 {
            free = self.given_back.wait(free).expect("no holder panics");
        }
        *free -= 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().expect("no holder panics") += 1;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::backend::StateBackend;
    use crate::backend::local::LocalBackend;
    use crate::backend::memory::MemoryStore;
    use crate::execute::tests::id;
    use crate::stack::StateLocation;

    fn only(handle: impl StateBackend + 'static) -> Handles {
        Handles::from([(id("mono"), Arc::new(handle) as Arc<dyn StateBackend>)])
    }

    #[test]
    fn turns_bound_what_is_wide() {
        let bound = NonZeroUsize::new(3).unwrap();
        let one = NonZeroUsize::MIN;
        let location = StateLocation {
            backend: "local".into(),
            arguments: BTreeMap::new(),
            workspace: "default".into(),
        };
        let dir = tempfile::tempdir().unwrap();
        let local = only(LocalBackend::from_location(dir.path(), &location).unwrap());
        let memory = only(MemoryStore::default().state("bucket/mono.tfstate"));
        let widths = [(bound, &memory), (one, &memory), (bound, &local)];
        assert_eq!(
            widths.map(|(bound, handles)| wide(bound, handles).get()),
            [WIDE, 1, 3]
        );
        let turns = Turns::new(bound);
        let running = AtomicUsize::new(0);
        let (within, around) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let all = AtomicUsize::new(0);
        each(wide(bound, &memory), &[(); 60], |()| {
            around.fetch_max(all.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let turn = turns.take();
            within.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_micros(200));
            running.fetch_sub(1, Ordering::SeqCst);
            drop(turn);
            all.fetch_sub(1, Ordering::SeqCst);
        });
        let within = within.into_inner();
        assert!((2..=3).contains(&within), "{within}");
        assert!(around.into_inner() > 3);
    }
}
