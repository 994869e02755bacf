//! The signature example: the acme monolith on an emulated AWS, cut into ten stacks and a remainder.

use std::fs;
use std::path::Path;

use super::lab::Lab;
use crate::acme::make::Made;

/// The example plan, with states in files instead of the bucket.
pub fn plan() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/acme.hcl");
    let plan = fs::read_to_string(path).unwrap();
    let start = plan.find("    backend \"s3\" {").unwrap();
    let end = start + plan[start..].find("    }\n").unwrap() + 6;
    let backend = "    backend \"local\" {\n      path = \"STATES/${stack}.tfstate\"\n    }\n";
    let plan = format!("{}{backend}{}", &plan[..start], &plan[end..]);
    // Another store than the plan's own, for a look by hand or in CI.
    match std::env::var("STACKCUT_STORE") {
        Ok(store) => plan
            .replace("store = \"ssm\"", &format!("store = \"{store}\""))
            .replace("      path  = \"/configuration\"\n", ""),
        Err(_) => plan,
    }
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
    if let Some(dir) = std::env::var_os("STACKCUT_KEEP") {
        cut.copy_to(Path::new(&dir));
    }
    cut.prove();
}
