//! `stackcut plan` on states in S3, from the backend block to the report.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::lab::{Lab, TABLE};

const STATE: &str = r#"{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": 7,
  "lineage": "8f6c0d0e-6a0f-3c4b-9d2a-b1f8d2c41a11",
  "outputs": {},
  "resources": [
    {
      "mode": "managed",
      "type": "terraform_data",
      "name": "orders",
      "provider": "provider[\"terraform.io/builtin/terraform\"]",
      "instances": [{ "schema_version": 0, "attributes": { "id": "hunter2" }, "sensitive_attributes": [] }]
    },
    {
      "mode": "managed",
      "type": "terraform_data",
      "name": "vpc",
      "provider": "provider[\"terraform.io/builtin/terraform\"]",
      "instances": [{ "schema_version": 0, "attributes": { "id": "v" }, "sensitive_attributes": [] }]
    }
  ],
  "check_results": null
}
"#;

const PLAN: &str = r#"
split "shop" {
  source "monolith" {
    dir = "."
  }
  defaults {
    backend "s3" {
      key = "stacks/${stack}.tfstate"
    }
  }
  stack "orders" {
    layer = "service"
    take  = ["terraform_data.orders"]
  }
}
"#;

/// Writes a monolith with these backend arguments, and its state into the bucket.
fn monolith(lab: &Lab, dir: &Path, backend: &str) {
    let code = format!(
        "terraform {{\n  backend \"s3\" {{\n    bucket = \"{}\"\n    key    = \"mono.tfstate\"\n{backend}\n  }}\n}}\n\nresource \"terraform_data\" \"orders\" {{}}\nresource \"terraform_data\" \"vpc\" {{}}\n",
        lab.bucket
    );
    fs::write(dir.join("main.tf"), code).unwrap();
    fs::write(dir.join("plan.hcl"), PLAN).unwrap();
    lab.aws.put_object(&lab.bucket, "mono.tfstate", STATE.as_bytes());
}

/// Runs a command as a person with this account's environment.
fn stackcut(lab: &Lab, dir: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stackcut"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .envs(lab.aws.env())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn reads_states_and_changes_nothing() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    monolith(
        &lab,
        dir.path(),
        &format!("dynamodb_table = \"{TABLE}\"\nuse_lockfile = true"),
    );
    let mut requests = Vec::new();
    let mut ended = (0, String::new(), String::new());
    let seen = lab.requests_of(|| {
        ended = stackcut(&lab, dir.path(), &["plan", "plan.hcl", "--out", "saved.json"]);
    });
    requests.extend(seen);
    let (code, stdout, stderr) = ended;
    assert_eq!(code, 2, "{stdout}{stderr}");
    assert!(
        stdout.contains(&format!("s3://{}/stacks/orders.tfstate", lab.bucket)),
        "{stdout}"
    );
    assert!(!requests.is_empty());
    for request in &requests {
        let reads = ["s3 GET ", "s3 HEAD ", "dynamodb GetItem "];
        assert!(reads.iter().any(|read| request.starts_with(read)), "{request}");
    }
    let saved = fs::read_to_string(dir.path().join("saved.json")).unwrap();
    assert!(!format!("{saved}{stdout}{stderr}").contains("hunter2"));
    assert_eq!(lab.aws.list_objects(&lab.bucket, ""), ["mono.tfstate"]);
    assert!(lab.aws.list_items(TABLE).is_empty());
}
