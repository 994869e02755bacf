//! The signature example: the acme monolith on an emulated AWS, cut into ten stacks and a remainder.
//!
//! `STACKCUT_FLAVOURS` says which stores keep the contracts: a list of `ssm`, `s3`, `remote_state` and `variables`, or
//! `all` (as in CI); `ssm`, the plan's own, unless set. Each takes about a minute. `STACKCUT_KEEP` names a directory for
//! what was emitted.

use std::fs;
use std::path::Path;

use super::lab::Lab;
use crate::acme::make::Made;

const FLAVOURS: [&str; 4] = ["ssm", "s3", "remote_state", "variables"];

/// The contract of the example plan.
pub const SSM: &str = "      store = \"ssm\"\n      path  = \"/configuration\"\n";

/// The example plan, with states in files instead of the bucket, and contracts in a store.
pub fn plan(contract: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/acme.hcl");
    let plan = fs::read_to_string(path).unwrap();
    let backend = "    backend \"local\" {\n      path = \"STATES/${stack}.tfstate\"\n    }\n";
    let plan = with_block(&plan, "    backend \"s3\" {", backend);
    with_block(
        &plan,
        "    contract {",
        &format!("    contract {{\n{contract}    }}\n"),
    )
}

/// Puts a block in the place of the one that begins so.
fn with_block(plan: &str, begin: &str, new: &str) -> String {
    let start = plan.find(begin).unwrap();
    let end = start + plan[start..].find("    }\n").unwrap() + 6;
    format!("{}{new}{}", &plan[..start], &plan[end..])
}

#[test]
fn every_stack_of_acme_plans_empty() {
    let wanted = std::env::var("STACKCUT_FLAVOURS").unwrap_or_else(|_| "ssm".to_owned());
    let wanted: Vec<&str> = match wanted.as_str() {
        "all" => FLAVOURS.to_vec(),
        list => list.split(',').collect(),
    };
    for flavour in wanted {
        assert!(
            FLAVOURS.contains(&flavour),
            "{flavour} is no flavour: {FLAVOURS:?}"
        );
        prove(flavour);
    }
}

fn prove(flavour: &str) {
    let made = Made::new("acme", &["us_east_1"]);
    let contract = match flavour {
        "ssm" => SSM.to_owned(),
        "s3" => {
            let bucket = made.account().unique_bucket("contracts");
            format!("      store  = \"s3\"\n      bucket = \"{bucket}\"\n")
        }
        other => format!("      store = \"{other}\"\n"),
    };
    let terraform = made.terraform("prod.tfvars");
    terraform.apply();
    terraform.settle();
    terraform.run(&["fmt"]).ok();
    let scratch = tempfile::tempdir().unwrap();
    let monolith = terraform.dir().to_owned();
    let lab = Lab::at(scratch, terraform, monolith, &plan(&contract));
    let cut = lab.cut();
    if let Some(dir) = std::env::var_os("STACKCUT_KEEP") {
        cut.copy_to(&Path::new(&dir).join(flavour));
    }
    cut.prove();
}
