//! What an execution needs from outside: time, names, limits, the wish to stop, and somebody to tell.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::journal::Phase;
use crate::stack::StateId;

/// Time.
pub trait Surroundings: Sync {
    /// Returns the time of day.
    fn now(&self) -> Timestamp;

    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The system's time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSurroundings;

impl Surroundings for SystemSurroundings {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// The wish to stop, from a signal handler or a prompt. Heeded before the next effect.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks for a stop. Safe in a signal handler.
    pub fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Tells whether a stop was asked for.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Something that has just happened, or is about to take time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The migration stands here now; durable in its journal.
    Phase(Phase),
    /// A lock is held by somebody else; the next attempt comes after this time.
    Waiting {
        /// Which state.
        state: StateId,
        /// Who holds it, in one line.
        holder: String,
        /// How long.
        wait: Duration,
    },
    /// A request of a process that went away may still be under way; an undo lets this time pass first.
    Settling {
        /// How long.
        wait: Duration,
    },
    /// Locked by us.
    Locked(StateId),
    /// Read, and found at a known version.
    Read(StateId),
    /// The original is durable beside the state.
    BackedUp(StateId),
    /// Written, with its digest; not yet read back.
    Written(StateId),
    /// Given back, or deleted where it was new.
    Restored(StateId),
    /// Its digest item was made right.
    DigestRepaired(StateId),
    /// No longer locked by us.
    Unlocked(StateId),
}

/// Is told what happens; called from several threads.
pub trait Observer: Sync {
    /// Takes note.
    fn on(&self, progress: &Progress);
}

/// Takes no note.
impl Observer for () {
    fn on(&self, _: &Progress) {}
}

/// What an execution needs from outside.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Time.
    pub surroundings: &'a dyn Surroundings,
    /// Names this process in the journal: a random text, new for each.
    pub session: &'a str,
    /// Who locks: `user@host`.
    pub who: &'a str,
    /// The program's version, for lock information.
    pub version: &'a str,
    /// How long to wait for locks of others, in all.
    pub lock_timeout: Duration,
    /// How long an undo waits for requests of another process that may still be under way. That one sees within a ninth of
    /// it, and 5 s at most, that the migration is no longer its own. Zero where a lock is a process's own.
    pub settle: Duration,
    /// How many states are read at once, and how many are written. Calls that carry no content (locks, digests, a look at
    /// what should not be there yet) go wider where they travel over a network, unless this is 1.
    pub parallelism: NonZeroUsize,
    /// The wish to stop.
    pub interrupt: &'a Interrupt,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

impl Context<'_> {
    pub(super) fn tell(&self, progress: &Progress) {
        self.observer.on(progress);
    }

    pub(super) fn now_text(&self) -> String {
        self.surroundings.now().to_string()
    }

    /// Waits in small steps; false if a stop was asked for meanwhile.
    pub(super) fn wait(&self, time: Duration) -> bool {
        const STEP: Duration = Duration::from_secs(1);
        let mut left = time;
        while !left.is_zero() {
            if self.interrupt.is_raised() {
                return false;
            }
            let step = left.min(STEP);
            self.surroundings.sleep(step);
            left -= step;
        }
        !self.interrupt.is_raised()
    }
}
