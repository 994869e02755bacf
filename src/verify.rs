//! The proof by real plans: every new stack is planned in a scratch copy before anything is written, and must have
//! nothing to do.
//!
//! Stacks are planned in the order of their contracts, independent ones at once. What a consumer reads of a producer is
//! what the producer's own plan says it will tell; where that is not known before an apply, what the state tells. The
//! verdict is read from plan JSON, never from an exit code. The untouched monolith is planned once as the baseline: what
//! it would change anyway is not blamed on the cut.
//!
//! All but [`Rehearsal::run`] is pure. Values never leave it: a [`Proof`] holds addresses, actions and names of attributes.

mod judge;
mod order;
mod overlay;
mod plan_json;
mod proof;
mod rehearsal;
mod report;
mod stage;
mod told;

pub use judge::{Class, Finding, Judgement, Surroundings, Verdict, judge};
pub use plan_json::{Action, Change, OutputChange, Plan, PlanJsonError};
pub use proof::{Failure, Proof, RootProof};
pub use rehearsal::{Baseline, Parts, Rehearsal, Source, Stack, Step, VerifyError};
pub use told::Told;
