//! The judge of judges: after a split, real Terraform plans no change in the stacks and in what is left.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::write;
use crate::support::terraform::Terraform;
use crate::support::tools::tools;

const MONOLITH: &str = r#"
locals {
  names = { "a.b" = 1, "c \"d\"" = 2 }
}
resource "terraform_data" "net" { input = { cidr = "10.0.0.0/8", big = 12345678901234567890 } }
resource "terraform_data" "subnet" {
  count = 3
  input = terraform_data.net.output.cidr
}
module "service" {
  source   = "./service"
  for_each = local.names
  net      = terraform_data.net.id
}
output "net" { value = terraform_data.net.id }
"#;

const SERVICE: &str = r#"
variable "net" {}
resource "terraform_data" "queue" { input = var.net }
resource "terraform_data" "alarm" {
  count            = 2
  triggers_replace = terraform_data.queue.id
}
"#;

const PLAN: &str = r#"
split "shop" {
  source {
    dir = "monolith"
  }
  stack "net" {
    layer = "network"
    take  = ["terraform_data.net", "terraform_data.subnet[*]"]
    move {
      from = "terraform_data.net"
      to   = "module.network.terraform_data.this"
    }
  }
  stack "ab" {
    layer = "service"
    take  = ["module.service[\"a.b\"]"]
    move {
      from = "module.service[\"a.b\"]"
      to   = "module.service"
    }
  }
}
"#;

/// The code of each state after the split; `NET` stands for the value that crosses.
const AFTER: [(&str, &str, &str); 3] = [
    (
        "net",
        "main.tf",
        r#"
module "network" { source = "./network" }
resource "terraform_data" "subnet" {
  count = 3
  input = "10.0.0.0/8"
}
"#,
    ),
    (
        "ab",
        "main.tf",
        r#"
module "service" {
  source = "./service"
  net    = "NET"
}
"#,
    ),
    (
        "shop",
        "main.tf",
        r#"
module "service" {
  source   = "./service"
  for_each = { "c \"d\"" = 2 }
  net      = "NET"
}
output "net" { value = "NET" }
"#,
    ),
];

#[test]
fn terraform_plans_no_change_after_a_split() {
    for bin in tools().terraforms() {
        let dir = tempfile::tempdir().unwrap();
        let place = |path: &str| dir.path().join(path);
        let files = [
            ("monolith/main.tf", MONOLITH),
            ("monolith/service/main.tf", SERVICE),
            ("plan.hcl", PLAN),
        ];
        write(
            dir.path(),
            &files
                .map(|(path, text)| (path.to_owned(), text.to_owned()))
                .into(),
        );
        let tf = Terraform::new(bin, place("monolith"));
        tf.init();
        tf.apply();
        let net = tf.run(&["output", "-raw", "net"]).ok();
        split(dir.path());
        for (name, file, code) in AFTER {
            let root = place(name);
            let network = r#"resource "terraform_data" "this" { input = { cidr = "10.0.0.0/8", big = 12345678901234567890 } }"#;
            let files = [
                (file, code),
                ("service/main.tf", SERVICE),
                ("network/main.tf", network),
            ];
            write(
                &root,
                &files
                    .map(|(path, text)| (path.to_owned(), text.replace("NET", &net)))
                    .into(),
            );
            let state = place(&format!("out/states/{name}.tfstate"));
            fs::copy(state, root.join("terraform.tfstate")).unwrap();
            let stack = tf.in_dir(&root);
            stack.init();
            stack.assert_no_changes();
        }
    }
}

fn split(dir: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_stackcut"))
        .current_dir(dir)
        .args([
            "split",
            "monolith",
            "--plan",
            "plan.hcl",
            "--out",
            "out",
            "--states-only",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
