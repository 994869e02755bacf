//! The gate that notes every call: what proves that a plan changes nothing, and that effects come in their order.

use std::sync::Mutex;

use super::BackendError;
use super::gated::{Call, Gate, Operation};

/// One call and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The call.
    pub call: Call,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// Notes calls in the order of their answers.
#[derive(Debug, Default)]
pub struct Recorder {
    calls: Mutex<Vec<Recorded>>,
}

impl Recorder {
    /// Returns all calls so far.
    pub fn calls(&self) -> Vec<Recorded> {
        self.calls.lock().expect("no holder panics").clone()
    }

    /// Returns the operations of all calls so far that could change something, successful or not.
    pub fn mutations(&self) -> Vec<Operation> {
        let calls = self.calls().into_iter().map(|recorded| recorded.call.operation);
        calls.filter(Operation::is_mutating).collect()
    }
}

impl Gate for Recorder {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        let result = run();
        self.calls.lock().expect("no holder panics").push(Recorded {
            call,
            succeeded: result.is_ok(),
        });
        result
    }
}
