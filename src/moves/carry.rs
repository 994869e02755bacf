//! Apply and conserve in one go, with no more results in memory than there are processors.

use std::sync::Mutex;

use thiserror::Error;

use super::apply::decide;
use super::conserve::judge;
use super::{
    Changes, ConservationError, ConservationReport, CutDependency, DroppedDependency, MoveError, States,
};
use crate::stack::StateId;
use crate::state::Snapshot;

/// What was carried out.
#[derive(Clone, Debug)]
pub struct Carried<T> {
    /// Every state of the run in the order of their ids, with what was made of its new version; `None` where nothing in
    /// it changes.
    pub states: Vec<(StateId, Option<T>)>,
    /// Dependencies on what is in another state now.
    pub cut: Vec<CutDependency>,
    /// Entries of `dependencies` that were dropped for another reason.
    pub dropped: Vec<DroppedDependency>,
    /// What was counted.
    pub report: ConservationReport,
}

/// Why it was not carried out.
#[derive(Debug, Error)]
pub enum CarryError<E> {
    /// The changes cannot be made.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// A result does not hold what it must.
    #[error(transparent)]
    Conservation(#[from] ConservationError),
    /// Whoever takes the results could not.
    #[error("a result could not be taken")]
    Take(E),
}

/// Makes all changes and gives each new state to `take` as soon as it was read again and found in order.
///
/// `take` is called from several threads. A later state may still be found wrong: what was taken counts only when this
/// returns without an error.
pub fn carry_out<T: Send, E: Send>(
    states: &States<'_>,
    changes: &Changes,
    take: &(dyn Fn(&StateId, Snapshot) -> Result<T, E> + Sync),
) -> Result<Carried<T>, CarryError<E>> {
    let refused: Mutex<Option<E>> = Mutex::new(None);
    let give = |id: &StateId, after: Option<Snapshot>| match take(id, after?) {
        Ok(taken) => Some(taken),
        Err(error) => {
            if let Ok(mut refused) = refused.lock() {
                refused.get_or_insert(error);
            }
            None
        }
    };
    let carried = decide(states, changes, |mut decided| {
        let cut = std::mem::take(&mut decided.cut);
        let dropped = std::mem::take(&mut decided.dropped);
        let text = |state: usize| decided.text(state);
        let (states, report) = judge(states, changes, (&cut, &dropped), &text, &give)?;
        Ok::<_, ConservationError>(Carried {
            states,
            cut,
            dropped,
            report,
        })
    })??;
    match refused.into_inner() {
        Ok(Some(error)) => Err(CarryError::Take(error)),
        _ => Ok(carried),
    }
}
