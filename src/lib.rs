//! stackcut cuts a Terraform or OpenTofu monolith (one root module, one state) into layered, per-service
//! stacks, without changing one real resource.
//!
//! The rooms and the arrows between them are described in `docs/architecture.md`.

pub mod address;
pub mod backend;
pub mod cli;
pub mod config;
pub mod contract;
pub mod diagnostic;
pub mod error;
pub mod execute;
pub mod graph;
pub mod journal;
pub mod json;
pub mod lint;
pub mod moves;
pub mod parallel;
pub mod plan;
pub mod report;
pub mod rewrite;
pub mod source_tree;
pub mod stack;
pub mod state;
pub mod terraform;
pub mod ui;
pub mod verify;
pub mod workdir;
