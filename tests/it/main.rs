//! The one integration test binary: whole commands, real Terraform, real files.

mod acme;
mod arrows;
mod docs;
mod plan_file;
mod states;
mod support;
mod tools_test;
