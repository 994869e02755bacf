//! Time, as far as this room needs it: waiting, and knowing when the wait was long enough.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

/// A clock that runs forward, but for what somebody sets. Its zero means nothing.
pub trait Clock: Send + Sync {
    /// Returns the time since the clock's zero.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The system's clock, which goes on while the machine is asleep.
#[derive(Debug)]
pub struct SystemClock {
    zero: Instant,
    wall_zero: SystemTime,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            zero: Instant::now(),
            wall_zero: SystemTime::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // An instant does not know of a sleep of the machine; the time on the wall does, but can be set back.
        let on_the_wall = self.wall_zero.elapsed().unwrap_or_default();
        self.zero.elapsed().max(on_the_wall)
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
