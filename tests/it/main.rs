//! The one integration test binary: whole commands, real Terraform, real files.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails, as it must")]

mod acme;
mod arrows;
mod commands;
mod config;
mod differential;
mod docs;
mod emit;
mod execute;
mod fuzz;
mod plan_file;
mod rewrite;
mod s3;
mod states;
mod support;
mod tools_test;
mod verbs;
mod verify;
