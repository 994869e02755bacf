//! A lab on the emulated AWS.

use super::{Lab, write};
use crate::rewrite::small::{formatted, plan};
use crate::support::aws::Account;
use crate::support::moto::Moto;
use crate::support::terraform::{Terraform, aws_override};
use crate::support::tools::tools;

/// A monolith in an account of its own.
pub struct OnAws {
    pub lab: Lab,
    pub aws: Account,
    /// A bucket for contracts.
    pub bucket: String,
}

impl OnAws {
    /// Applies code (with provider configurations of these aliases), to be cut into these stacks. `contract` is the
    /// arguments of the `contract` block, in which `BUCKET` is the bucket.
    pub fn new(code: &str, aliases: &[&str], stacks: &str, contract: &[&str]) -> Self {
        let aws = Moto::shared().account();
        let bucket = aws.unique_bucket("contracts");
        let scratch = tempfile::tempdir().unwrap();
        let monolith = scratch.path().join("monolith");
        write(&monolith.join("main.tf"), formatted(code).as_bytes());
        let endpoints = formatted(&aws_override(&aws.endpoint(), aliases));
        write(&monolith.join("endpoints_override.tf"), endpoints.as_bytes());
        let terraform = Terraform::new(tools().terraform(), &monolith).envs(aws.env());
        terraform.init();
        terraform.apply();
        terraform.settle();
        let contract = contract.join("\n      ").replace("BUCKET", &bucket);
        let contract = format!("contract {{\n      {contract}\n    }}");
        let plan = plan(stacks).replace("contract { store = \"remote_state\" }", &contract);
        let lab = Lab::at(scratch, terraform, monolith, &plan);
        Self { lab, aws, bucket }
    }
}
