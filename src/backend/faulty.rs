//! The gate that makes one chosen effect fail: the crash sweep goes through it, effect by effect.
//!
//! An *effect* is a mutating call. One door counts the effects of all handles behind it, so that "the seventh effect
//! of an apply" is one place in the whole run, whatever state it belongs to.

use std::sync::Mutex;

use super::BackendError;
use super::gated::{Call, Gate};

/// How the chosen effect fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not happen: access denied. Everything after it works again.
    Refused,
    /// It does not happen: the store is busy. Everything after it works again.
    Throttled,
    /// It happens, and its answer is lost. Everything after it works again.
    AnswerLost,
    /// It does not happen, its answer never comes. Everything after it works again.
    RequestLost,
    /// The process dies before it: neither it nor any later call happens, reads included.
    DiesBefore,
    /// The process dies after it happened, before it knows.
    DiesAfter,
}

/// Counts effects and makes one of them fail.
#[derive(Debug)]
pub struct EffectDoor {
    plan: Option<(usize, Fault)>,
    passed: Mutex<Passed>,
}

#[derive(Debug, Default)]
struct Passed {
    effects: usize,
    dead: bool,
}

impl EffectDoor {
    /// Creates a door where nothing fails; it only counts.
    pub fn sound() -> Self {
        Self {
            plan: None,
            passed: Mutex::default(),
        }
    }

    /// Creates a door where the effect of this number (counted from 0) fails.
    pub fn failing(effect: usize, fault: Fault) -> Self {
        Self {
            plan: Some((effect, fault)),
            passed: Mutex::default(),
        }
    }

    /// Returns how many effects were tried so far.
    pub fn effects(&self) -> usize {
        self.passed.lock().expect("no holder panics").effects
    }

    /// Tells whether the process has died in here.
    pub fn is_dead(&self) -> bool {
        self.passed.lock().expect("no holder panics").dead
    }

    /// Counts a call and says what becomes of it; `Err` for a process that is dead already.
    fn admit(&self, call: &Call) -> Result<Option<Fault>, BackendError> {
        let mut passed = self.passed.lock().expect("no holder panics");
        if passed.dead {
            return Err(stopped(call));
        }
        if !call.operation.is_mutating() {
            return Ok(None);
        }
        let number = passed.effects;
        passed.effects += 1;
        let fault = self
            .plan
            .filter(|(effect, _)| *effect == number)
            .map(|(_, fault)| fault);
        if matches!(fault, Some(Fault::DiesBefore | Fault::DiesAfter)) {
            passed.dead = true;
        }
        Ok(fault)
    }
}

fn stopped(call: &Call) -> BackendError {
    BackendError::Stopped {
        at: call.at.clone(),
        action: call.operation.name(),
    }
}

impl Gate for EffectDoor {
    fn pass<T>(&self, call: Call, run: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
        let action = call.operation.name();
        let Some(fault) = self.admit(&call)? else {
            return run();
        };
        let detail = "injected fault".to_owned();
        match fault {
            Fault::Refused => Err(BackendError::AccessDenied {
                at: call.at,
                action,
                detail,
            }),
            Fault::Throttled => Err(BackendError::Throttled { at: call.at, action }),
            Fault::AnswerLost => {
                // An effect that fails on its own has an answer, and that one is lost as well.
                let _ = run();
                Err(BackendError::Ambiguous {
                    at: call.at,
                    action,
                    detail,
                })
            }
            Fault::RequestLost => Err(BackendError::Network {
                at: call.at,
                action,
                detail,
            }),
            Fault::DiesBefore => Err(stopped(&call)),
            Fault::DiesAfter => {
                let _ = run();
                Err(stopped(&call))
            }
        }
    }
}
