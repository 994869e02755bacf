//! The plan file of acme, with states in files. Acme as a whole is cut in `emit::signature`.

use std::fs;
use std::path::Path;

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
