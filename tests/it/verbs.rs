//! The verbs that carry a migration out, as a person runs them: what they print, how they end, what they leave behind.
//!
//! `STACKCUT_KILLS=300 cargo test --test it verbs::kills` kills the program that many times instead of a few dozen.

mod apply;
mod desk;
mod fence;
mod hints;
mod kills;
mod locks;
mod questions;
mod secrets;
mod shop;
mod signals;
mod status;
mod undo;
