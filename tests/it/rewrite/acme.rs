//! The signature example: the acme monolith on an emulated AWS, cut into ten stacks and a remainder.

use std::fs;
use std::path::Path;

use super::lab::Lab;
use crate::acme::make::Made;

/// The example plan, with states in files instead of the bucket.
fn plan() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/acme.hcl");
    let plan = fs::read_to_string(path).unwrap();
    let start = plan.find("    backend \"s3\" {").unwrap();
    let end = start + plan[start..].find("    }\n").unwrap() + 6;
    let backend = "    backend \"local\" {\n      path = \"STATES/${stack}.tfstate\"\n    }\n";
    format!("{}{backend}{}", &plan[..start], &plan[end..])
}

#[test]
fn every_stack_of_acme_plans_empty() {
    let made = Made::new("acme", &["us_east_1"]);
    let terraform = made.terraform("prod.tfvars");
    terraform.apply();
    terraform.settle();
    terraform.run(&["fmt"]).ok();
    let scratch = tempfile::tempdir().unwrap();
    let monolith = terraform.dir().to_owned();
    let lab = Lab::at(scratch, terraform, monolith, &plan());
    let cut = lab.cut();
    if let Some(dir) = std::env::var_os("KEEP") {
        cut.copy_to(Path::new(&dir));
    }
    cut.prove();
}
