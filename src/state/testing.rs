//! States for tests and benches: a model of a state that can be rendered in any layout, and a generator of large
//! states that look like those of a grown AWS monolith.
//!
//! The model is independent of the reader and the writer: it prints JSON from its own description, so what they do can
//! be judged against it.

mod large;
mod model;

pub use large::{LargeState, generate_state};
pub use model::{Model, ModelInstance, ModelOutput, ModelResource, Random};
