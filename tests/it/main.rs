//! The one integration test binary: whole commands, real Terraform, real files.

mod arrows;
mod docs;
mod support;

mod tools_test;
