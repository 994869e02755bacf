//! The plan file, and what becomes of it.
//!
//! A plan file (HCL, in git, reviewed like code) says how a monolith is cut. [`PlanFile::read`] reads it and finds
//! every fault at once, each with its place. [`PlanFile::environments`] and [`PlanFile::resolve_locations`] expand it
//! for one tenant × environment; [`assign()`] decides which stack takes which resource instance. The result for one
//! environment is a [`MigrationPlan`]; [`SavedPlan`](format_v1) is its form on disk.
//!
//! Everything here is a function from text and lists to values: no file is opened, nothing is random. Credentials
//! have no place in a plan file or in a saved plan, and are refused.
//!
//! Readers of other tools' migration files will stand beside `read` and give the same [`MigrationPlan`].

pub mod assign;
pub mod backend;
pub mod compose;
pub mod compute;
pub mod contract;
mod expand;
pub mod fence;
pub mod file;
pub mod format_v1;
pub mod locate;
pub mod migration;
pub mod preset;
mod read;
pub mod rejoin;
pub(crate) mod suggest;
pub mod template;
#[cfg(test)]
mod testing;

pub use assign::{Assignment, Inventory, assign};
pub use file::PlanFile;
pub use migration::MigrationPlan;
