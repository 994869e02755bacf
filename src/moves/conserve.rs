//! The proof that nothing was lost, doubled or altered. It runs on every apply.
//!
//! The results are read afresh and judged against the states before and the moves that were asked for, with none of
//! the code that wrote them: every object before must be exactly one object after, at the address the moves say, with
//! every byte it had but for the fields that its move defines; what did not move must be byte-identical; outputs, check
//! results, unknown fields, lineages and serials must be what the rules make of them. A failure is a fault of ours; it
//! stops everything before anything is written.

mod compare;
mod dependencies;
mod entries;
mod expect;
mod head;

use std::sync::Mutex;

use thiserror::Error;

use super::apply::in_parallel;
use super::{ApplyOutcome, At, Changes, CutDependency, DroppedDependency, StateInput, States};
use crate::address::{ResourceAddr, ResourceInstanceAddr};
use crate::stack::StateId;
use crate::state::{Snapshot, StateError};
use dependencies::Judge;
use expect::Expectations;

/// All states after the moves, found in order, and what had to be cut.
#[derive(Clone, Debug)]
pub struct Conserved {
    /// Every state of the run, in the order of their ids.
    pub states: Vec<(StateId, StateOutcome)>,
    /// Dependencies on what is in another state now, by state, object and entry in the order of the texts.
    pub cut: Vec<CutDependency>,
    /// Entries of `dependencies` that were dropped for another reason, in the same order.
    pub dropped: Vec<DroppedDependency>,
    /// What was counted.
    pub report: ConservationReport,
}

/// One state after the moves.
#[derive(Clone, Debug)]
pub enum StateOutcome {
    /// Nothing in it changes; it is not written. A new state of which this is said does not come into being.
    Unchanged,
    /// It is to be written: these bytes, which have been read again.
    Written(Box<Snapshot>),
}

impl StateOutcome {
    /// Returns the state to write, if there is one.
    pub fn written(&self) -> Option<&Snapshot> {
        match self {
            Self::Unchanged => None,
            Self::Written(snapshot) => Some(snapshot),
        }
    }
}

/// What was counted while everything was found in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConservationReport {
    /// States of the run.
    pub states: usize,
    /// States that are written.
    pub states_written: usize,
    /// Instance objects, current and deposed, before and after.
    pub objects: usize,
    /// Objects that moved.
    pub objects_moved: usize,
    /// Objects that did not move and are byte-identical.
    pub objects_identical: usize,
    /// Objects whose dependencies were rewritten.
    pub dependencies_rewritten: usize,
    /// Resource entries after the moves.
    pub entries: usize,
    /// Root outputs after the moves.
    pub outputs: usize,
    /// Bytes of the results that were compared.
    pub bytes: usize,
}

impl ConservationReport {
    fn add(&mut self, other: &Self) {
        self.states += other.states;
        self.states_written += other.states_written;
        self.objects += other.objects;
        self.objects_moved += other.objects_moved;
        self.objects_identical += other.objects_identical;
        self.dependencies_rewritten += other.dependencies_rewritten;
        self.entries += other.entries;
        self.outputs += other.outputs;
        self.bytes += other.bytes;
    }
}

/// A result that does not hold what it must. Nothing has been written when this is found.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConservationError {
    /// A result is not a state.
    #[error("the new {state} cannot be read: {error}")]
    Unreadable {
        /// The state.
        state: StateId,
        /// Why.
        error: StateError,
    },
    /// The results do not name the states that there were.
    #[error("the result lacks the state {state}, or has it twice")]
    States {
        /// The state.
        state: StateId,
    },
    /// A member of the top level is not what it must be.
    #[error("the new {state} has a wrong `{member}`")]
    Head {
        /// The state.
        state: StateId,
        /// The member.
        member: String,
    },
    /// An object is in no result.
    #[error("an object of {from} is lost; it should be at {to}")]
    Lost {
        /// Where it was.
        from: Box<At<ResourceInstanceAddr>>,
        /// Where it should be.
        to: Box<At<ResourceInstanceAddr>>,
    },
    /// Two objects should be at one place.
    #[error("two objects should be at {at}")]
    Collision {
        /// The place.
        at: Box<At<ResourceInstanceAddr>>,
    },
    /// An object that was nowhere before, or is twice now.
    #[error("an object appeared at {at} that no move brings there")]
    Appeared {
        /// Where it is.
        at: Box<At<ResourceInstanceAddr>>,
    },
    /// An object was altered.
    #[error("the object at {at} was altered in `{member}`")]
    Altered {
        /// Where it is now.
        at: Box<At<ResourceInstanceAddr>>,
        /// The member.
        member: String,
    },
    /// The dependencies of an object are not what the moves make of them.
    #[error("the object at {at} has wrong dependencies")]
    Dependencies {
        /// Where it is now.
        at: Box<At<ResourceInstanceAddr>>,
    },
    /// A dependency was cut and is not in the report.
    #[error("a dependency of the object at {at} was cut without being reported")]
    CutNotReported {
        /// Where the object is now.
        at: Box<At<ResourceInstanceAddr>>,
    },
    /// A resource entry lost or changed something besides its objects.
    #[error("the entry of {at} was altered in `{member}`")]
    Entry {
        /// Where it is now.
        at: Box<At<ResourceAddr>>,
        /// The member.
        member: String,
    },
    /// A resource entry without instances is missing, or one is there that should not be.
    #[error("the entry without instances at {at} should {}", if *.expected { "be there" } else { "not be there" })]
    Husk {
        /// The place.
        at: Box<At<ResourceAddr>>,
        /// Whether it should be there.
        expected: bool,
    },
    /// An output is missing, altered, or one too many.
    #[error("the output `{}` of {} is not what it must be", at.addr, at.state)]
    Output {
        /// The state and the name.
        at: At<String>,
    },
    /// The check results lost or changed something that did not move.
    #[error("the check results of {state} were altered at `{config_addr}`")]
    CheckResults {
        /// The state.
        state: StateId,
        /// The address of the entry.
        config_addr: String,
    },
}

/// One state before the moves.
struct Pair<'a> {
    id: &'a StateId,
    input: &'a StateInput<'a>,
}

impl<'a> Pair<'a> {
    /// Returns the state as it was, if it was there.
    fn before(&self) -> Option<&'a Snapshot> {
        match self.input {
            StateInput::Existing(snapshot) => Some(snapshot),
            StateInput::New(_) => None,
        }
    }

    fn at<T>(&self, addr: T) -> Box<At<T>> {
        Box::new(At::new(self.id.clone(), addr))
    }
}

/// Checks the outcome of [`apply`](super::apply()) against the states before and the changes asked for, and gives the
/// new states out.
pub fn conserve(
    states: &States<'_>,
    changes: &Changes,
    outcome: ApplyOutcome,
) -> Result<Conserved, ConservationError> {
    let ApplyOutcome {
        states: results,
        cut,
        dropped,
    } = outcome;
    let mut texts = Vec::with_capacity(results.len());
    let mut ids = states.keys();
    for (id, text) in results {
        if ids.next() != Some(&id) {
            return Err(ConservationError::States { state: id });
        }
        texts.push(Mutex::new(text));
    }
    if let Some(lacking) = ids.next() {
        return Err(ConservationError::States {
            state: lacking.clone(),
        });
    }
    // Each text is taken once; a poisoned lock could only mean that taking it panicked.
    let text = |state: usize| {
        texts[state]
            .lock()
            .map_or(None, |mut text: std::sync::MutexGuard<'_, Option<String>>| {
                text.take()
            })
    };
    let keep = |_: &StateId, after: Option<Snapshot>| {
        after.map_or(StateOutcome::Unchanged, |after| {
            StateOutcome::Written(Box::new(after))
        })
    };
    let (states, report) = judge(states, changes, (&cut, &dropped), &text, &keep)?;
    Ok(Conserved {
        states,
        cut,
        dropped,
        report,
    })
}

/// Checks every state as it comes from `text`, and hands it to `take`, on as many threads as there are processors.
pub(super) fn judge<T: Send>(
    states: &States<'_>,
    changes: &Changes,
    (cut, dropped): (&[CutDependency], &[DroppedDependency]),
    text: &(dyn Fn(usize) -> Option<String> + Sync),
    take: &(dyn Fn(&StateId, Option<Snapshot>) -> T + Sync),
) -> Result<(Vec<(StateId, T)>, ConservationReport), ConservationError> {
    let pairs: Vec<_> = states.iter().map(|(id, input)| Pair { id, input }).collect();
    let expectations = Expectations::new(&pairs, changes)?;
    let check = Check {
        judge: Judge::new(&pairs, changes, &expectations, cut, dropped),
        expectations,
        pairs,
        changes,
    };
    let checked = in_parallel(check.pairs.len(), |state| {
        let (after, report) = check.state(state, text(state))?;
        Ok((take(check.pairs[state].id, after), report))
    });
    let mut report = ConservationReport::default();
    let mut taken = Vec::with_capacity(checked.len());
    for (id, checked) in states.keys().zip(checked) {
        let (given, counted) = checked?;
        report.add(&counted);
        taken.push((id.clone(), given));
    }
    Ok((taken, report))
}

struct Check<'a> {
    pairs: Vec<Pair<'a>>,
    expectations: Expectations<'a>,
    judge: Judge<'a>,
    changes: &'a Changes,
}

impl Check<'_> {
    fn state(
        &self,
        state: usize,
        text: Option<String>,
    ) -> Result<(Option<Snapshot>, ConservationReport), ConservationError> {
        let pair = &self.pairs[state];
        let mut report = ConservationReport {
            states: 1,
            ..ConservationReport::default()
        };
        let Some(text) = text else {
            self.content(state, pair.before(), &mut report)?;
            return Ok((None, report));
        };
        report.states_written = 1;
        report.bytes = text.len();
        let unreadable = |error| ConservationError::Unreadable {
            state: pair.id.clone(),
            error,
        };
        let empty = || ConservationError::Head {
            state: pair.id.clone(),
            member: "version".to_owned(),
        };
        let after = Snapshot::read(text).map_err(unreadable)?.ok_or_else(empty)?;
        head::check(pair, &after)?;
        self.content(state, Some(&after), &mut report)?;
        Ok((Some(after), report))
    }

    fn content(
        &self,
        state: usize,
        after: Option<&Snapshot>,
        report: &mut ConservationReport,
    ) -> Result<(), ConservationError> {
        let pair = &self.pairs[state];
        head::check_outputs(&self.pairs, state, after, self.changes)?;
        let Some(after) = after else {
            return self.expectations.check_absent(state, &self.pairs);
        };
        head::check_results(pair, after, &self.judge, state)?;
        entries::check(&self.pairs, state, after, &self.expectations, &self.judge, report)?;
        report.outputs = after.outputs().len();
        Ok(())
    }
}
