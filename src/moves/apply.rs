//! The new states: put together in parallel, then checked by [`conserve`](super::conserve()).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::assemble::{Assembled, Assembler, Edits, text_of};
use super::dependencies::Fates;
use super::head::output_changes;
use super::place::{Placement, Source};
use super::{At, Changes, MoveError, NewState, StateInput, States};
use crate::address::{ConfigResourceAddr, ResourceInstanceAddr};
use crate::json::quote;
use crate::stack::StateId;
use crate::state::{Layout, Serial, Snapshot, reformat_into};

/// All states after the moves, not checked yet: [`conserve`](super::conserve()) gives them out.
#[must_use = "the results are given out by `conserve`"]
pub struct ApplyOutcome {
    /// Every state of the run in the order of their ids, with its new text if it changes.
    pub(super) states: Vec<(StateId, Option<String>)>,
    pub(super) cut: Vec<CutDependency>,
    pub(super) dropped: Vec<DroppedDependency>,
}

/// Shows counts only: a state's content is secret.
impl std::fmt::Debug for ApplyOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplyOutcome")
            .field("states", &self.states.len())
            .field("cut", &self.cut.len())
            .field("dropped", &self.dropped.len())
            .finish()
    }
}

/// A dependency of an object on something that is in another state now: where a data contract is needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CutDependency {
    /// The object that depends, where it is after the moves.
    pub consumer: Arc<At<ResourceInstanceAddr>>,
    /// What it depends on, where it was before the moves.
    pub producer: Arc<At<ConfigResourceAddr>>,
    /// Where that is after the moves, as far as it is in other states than the consumer.
    pub went_to: Arc<[At<ConfigResourceAddr>]>,
    /// Whether some instances of it are still in the consumer's state, so that the entry stays.
    pub stays_in_part: bool,
}

/// An entry of `dependencies` that was dropped without anything having been cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DroppedDependency {
    /// The object that had the entry, where it is after the moves.
    pub consumer: Arc<At<ResourceInstanceAddr>>,
    /// The entry.
    pub entry: String,
    /// Why it was dropped.
    pub reason: DropReason,
}

/// Why an entry of `dependencies` was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// It named nothing before the moves, and in its new surroundings it could come to name something else.
    Dangling,
    /// It would have named the object's own resource, which Terraform cannot destroy.
    ToItself,
    /// It would have closed a cycle, which Terraform cannot destroy.
    Cycle,
}

/// Makes all changes at once.
///
/// Nothing is returned unless everything can be done. The results have not been checked yet: hand them to
/// [`conserve`](super::conserve()).
pub fn apply(states: &States<'_>, changes: &Changes) -> Result<ApplyOutcome, MoveError> {
    decide(states, changes, |decided| {
        let texts = in_parallel(decided.len(), |state| decided.text(state));
        ApplyOutcome {
            states: states.keys().cloned().zip(texts).collect(),
            cut: decided.cut,
            dropped: decided.dropped,
        }
    })
}

/// Every state of the run: decided, and not put together yet.
pub(super) struct Decided<'a> {
    /// For each state its original (or skeleton), and what changes in it; taken when it is put together.
    states: Vec<(&'a Snapshot, Mutex<Option<Edits<'a>>>)>,
    pub(super) cut: Vec<CutDependency>,
    pub(super) dropped: Vec<DroppedDependency>,
}

impl Decided<'_> {
    /// Returns the number of states.
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// Puts the text of a state together, once; `None` where nothing in it changes.
    pub(super) fn text(&self, state: usize) -> Option<String> {
        let (snapshot, edits) = &self.states[state];
        // Taken once; a poisoned lock could only mean that taking it panicked.
        let edits = edits.lock().map_or(None, |mut edits| edits.take());
        edits.map(|edits| text_of(snapshot, edits))
    }
}

/// Decides what becomes of every state, in the order of their ids, and hands it on.
pub(super) fn decide<R>(
    states: &States<'_>,
    changes: &Changes,
    then: impl FnOnce(Decided<'_>) -> R,
) -> Result<R, MoveError> {
    check_lineages(states)?;
    let skeletons = skeletons(states)?;
    let mut new = skeletons.iter();
    let mut sources = Vec::with_capacity(states.len());
    for (id, input) in states {
        let (snapshot, is_new) = match input {
            StateInput::Existing(snapshot) => (*snapshot, false),
            StateInput::New(_) => (new.next().expect("one was made for each new state"), true),
        };
        sources.push(Source { id, snapshot, is_new });
    }
    let snapshots: Vec<&Snapshot> = sources.iter().map(|source| source.snapshot).collect();
    let mut decided = Decided {
        states: Vec::with_capacity(states.len()),
        cut: Vec::new(),
        dropped: Vec::new(),
    };
    for (snapshot, assembled) in snapshots.into_iter().zip(assemble(sources, changes)?) {
        let Assembled { edits, cut, dropped } = assembled?;
        decided.cut.extend(cut);
        decided.dropped.extend(dropped);
        decided.states.push((snapshot, Mutex::new(edits)));
    }
    Ok(then(decided))
}

/// Decides each state. What is needed only for deciding is gone when this returns.
fn assemble<'a>(
    sources: Vec<Source<'a>>,
    changes: &'a Changes,
) -> Result<Vec<Result<Assembled<'a>, MoveError>>, MoveError> {
    let placement = Placement::new(sources, changes)?;
    let outputs = output_changes(&placement, changes)?;
    let fates = Fates::new(&placement, changes);
    Ok(in_parallel(placement.sources.len(), |state| {
        let assembler = Assembler {
            placement: &placement,
            fates: &fates,
            state,
            outputs: &outputs[state],
        };
        assembler.run()
    }))
}

/// Two states with one lineage could be pushed over each other.
fn check_lineages(states: &States<'_>) -> Result<(), MoveError> {
    let lineage = |input: &StateInput<'_>| match input {
        StateInput::Existing(snapshot) => snapshot.lineage().clone(),
        StateInput::New(new) => new.lineage.clone(),
    };
    for (id, input) in states {
        if let StateInput::New(new) = input {
            let other = states
                .iter()
                .find(|(other, input)| *other != id && lineage(input) == new.lineage);
            if let Some((other, _)) = other {
                return Err(MoveError::LineageReused {
                    state: id.clone(),
                    other: other.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Lays out an empty state for each new one, in the order of their ids.
fn skeletons(states: &States<'_>) -> Result<Vec<Snapshot>, MoveError> {
    let mut found = Vec::new();
    for (id, input) in states {
        if let StateInput::New(new) = input {
            let snapshot = Snapshot::read(skeleton(new)).map_err(|error| MoveError::NewState {
                state: id.clone(),
                error,
            })?;
            found.push(snapshot.expect("a skeleton is not empty"));
        }
    }
    Ok(found)
}

fn skeleton(new: &NewState) -> String {
    let check_results = if new.check_results {
        ",\"check_results\":null"
    } else {
        ""
    };
    let compact = format!(
        "{{\"version\":4,\"terraform_version\":{},\"serial\":{},\"lineage\":{},\"outputs\":{{}},\"resources\":[]{check_results}}}",
        quote(&new.terraform_version),
        Serial::FIRST,
        quote(new.lineage.as_str())
    );
    let layout = match new.layout {
        Layout::Compact => Layout::Compact,
        Layout::Indented | Layout::Foreign => Layout::Indented,
    };
    let mut text = String::new();
    reformat_into(&compact, layout, 0, &mut text);
    text.push('\n');
    text
}

/// Does `count` independent pieces of work on as many threads as there are processors; results in order.
pub(super) fn in_parallel<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(count);
    if threads <= 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let worker = || {
            let mut mine = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return mine;
                }
                mine.push((at, work(at)));
            }
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let join = |handle: thread::ScopedJoinHandle<'_, Vec<(usize, T)>>| match handle.join() {
            Ok(mine) => mine,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        handles.into_iter().flat_map(join).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
