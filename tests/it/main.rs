//! The one integration test binary: whole commands, real Terraform, real files.

mod support;

mod tools_test;
