//! What tests of small monoliths share: a plan file around stacks, formatting, and the whole way from code to proof.

use super::lab::{CutMade, Lab};
use crate::support::terraform::Terraform;
use crate::support::tools::tools;

/// The `split` block around stacks, with states in files and contracts in remote states.
pub fn plan(stacks: &str) -> String {
    format!(
        "split \"mono\" {{\n  source {{ dir = \".\" }}\n  defaults {{\n    backend \"local\" {{ path = \"STATES/${{stack}}.tfstate\" }}\n    \
         contract {{ store = \"remote_state\" }}\n  }}\n{stacks}\n}}\n"
    )
}

/// Applies a monolith, cuts it, and proves every stack with the newest Terraform.
pub fn check(files: &[(&str, &str)], stacks: &str) -> CutMade {
    let lab = Lab::new(tools().terraform(), files, &plan(stacks)).apply();
    let cut = lab.cut();
    cut.prove();
    cut
}

/// Formats code with Terraform.
pub fn formatted(code: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("main.tf"), code.trim_start()).unwrap();
    let terraform = Terraform::new(tools().terraform(), dir.path());
    terraform.run(&["fmt"]).ok();
    std::fs::read_to_string(dir.path().join("main.tf")).unwrap()
}

/// Pairs of paths and texts, borrowed, as a [`Lab`] takes them.
pub fn borrowed<'f>(files: &'f [(&'f str, String)]) -> Vec<(&'f str, &'f str)> {
    files.iter().map(|(path, text)| (*path, text.as_str())).collect()
}

/// Cuts an applied monolith and returns how that is refused.
pub fn refusal(files: &[(&str, &str)], stacks: &str) -> String {
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.trim_start()))
        .collect();
    Lab::new(tools().terraform(), &files, &plan(stacks))
        .apply()
        .refusal()
}
