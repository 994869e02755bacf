//! A real Terraform on the same state.

use std::fs;
use std::path::Path;

use super::lab::Lab;
use crate::support::terraform::Terraform;
use crate::support::tools::TerraformBin;

/// A root module with one resource, its state at `key`.
pub(super) fn module(
    lab: &Lab,
    dir: &Path,
    bin: &TerraformBin,
    key: &str,
    arguments: &[(&str, &str)],
) -> Terraform {
    write_code(
        lab,
        dir,
        key,
        arguments,
        "resource \"terraform_data\" \"x\" {\n  input = 1\n}\n",
    );
    Terraform::new(bin, dir).envs(lab.aws.env())
}

/// Writes the backend block and some code.
pub(super) fn write_code(lab: &Lab, dir: &Path, key: &str, arguments: &[(&str, &str)], code: &str) {
    let mut text = format!(
        "terraform {{\n  backend \"s3\" {{\n    bucket = \"{}\"\n    key    = \"{key}\"\n",
        lab.bucket
    );
    for (name, value) in arguments {
        text += &format!("    {name} = \"{value}\"\n");
    }
    text += "  }\n}\n";
    text += code;
    fs::write(dir.join("main.tf"), text).unwrap();
}
