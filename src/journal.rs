//! The intent log of a migration, and the pure state machine over it.
//!
//! A journal is a chain of records beside the first source state. Each record is durable *before* the effects it names
//! begin, so that whoever reads it knows all that may have happened. What did happen is not recorded: it is observed.
//! Every state is found at its *before* hash, its *after* hash, its *restored* hash (an undo put it back), or at
//! neither, which is the named outcome *stuck*.
//!
//! - [`Migration`]: what the first record holds: the states, their hashes before and after, the order of writes, and
//!   the saved plan from which every result can be computed again. No content of a state.
//! - [`Event`], [`Phase`], [`next_phase`]: the log and its state machine; total, and an illegal event is an error.
//! - [`Journal`]: a replayed log. [`Record`]: one record as text, chained by checksums ([`mod@format`]).
//! - [`Standing`], [`Sighting`]: where a state was found. [`decide()`]: the next step; nothing else chooses one.
//! - [`waves`]: the order of writes, from which state gives objects to which.
//!
//! Everything here is a function of its arguments: no clock, no file, no randomness.

mod decide;
mod error;
mod event;
pub mod format;
mod migration;
mod phase;
mod record;
mod replay;
mod standing;
pub mod waves;

pub use decide::{Decision, Needs, Observed, Step, decide, gives_back, needs};
pub use error::JournalError;
pub use event::{Event, Image, Original, Writing};
pub use migration::{InvalidMigration, InvalidMigrationId, Migration, MigrationId, StateChange};
pub use phase::{Finished, IllegalEvent, Phase, UndoFrom, next_phase};
pub use record::Record;
pub use replay::{Journal, Torn};
pub use standing::{DigestSight, Misfit, Sighting, Standing, standing};
