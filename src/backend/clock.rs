//! Time, as far as this room needs it: waiting, and knowing when the wait was long enough.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A clock that only runs forward. Its zero means nothing.
pub trait Clock: Send + Sync {
    /// Returns the time since the clock's zero.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock {
    zero: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { zero: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.zero.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A clock for tests: a sleep is over at once, and is remembered.
#[derive(Debug, Default)]
pub struct TestClock {
    sleeps: Mutex<Vec<Duration>>,
}

impl TestClock {
    /// Returns all sleeps so far.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.sleeps.lock().expect("no holder panics").clone()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Duration {
        self.sleeps().iter().sum()
    }

    fn sleep(&self, time: Duration) {
        self.sleeps.lock().expect("no holder panics").push(time);
    }
}
