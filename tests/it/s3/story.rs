//! The classic hole of long migrations, on S3: a colleague applies between the reading and the writing of a state.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::lab::{Lab, TABLE};
use crate::support::terraform::{Terraform, s3_backend};
use crate::support::tools::{TerraformBin, tools};

const CODE: &str = r#"
resource "terraform_data" "vpc" {
  input = "vpc"
}

resource "terraform_data" "orders" {
  for_each = toset(["a.b", "say \"hi\""])
  input    = each.key
}
"#;

const COLLEAGUE: &str = "terraform_data.colleague";

const PLAN: &str = r#"
split "shop" {
  source {
    dir = "mono"
  }
  defaults {
    backend "s3" {
      key = "ours/${stack}.tfstate"
    }
  }
  stack "orders" {
    layer = "service"
    take  = ["terraform_data.orders"]
  }
}
"#;

/// Lays out a monolith whose state is at this key, and applies it.
fn monolith(lab: &Lab, bin: &TerraformBin, root: &Path, key: &str) -> Terraform {
    let dir = root.join("mono");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("backend.tf"), s3_backend(&lab.bucket, key, TABLE)).unwrap();
    fs::write(dir.join("main.tf"), CODE).unwrap();
    fs::write(root.join("plan.hcl"), PLAN).unwrap();
    let terraform = Terraform::new(bin, dir).envs(lab.aws.env());
    terraform.init();
    terraform.apply();
    terraform
}

/// What the colleague does meanwhile.
fn colleague_applies(terraform: &Terraform) {
    let code = "resource \"terraform_data\" \"colleague\" {}\n";
    fs::write(terraform.dir().join("colleague.tf"), code).unwrap();
    terraform.apply();
    assert!(terraform.state_list().contains(&COLLEAGUE.to_owned()));
}

fn stackcut(lab: &Lab, root: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stackcut"))
        .args(args)
        .current_dir(root)
        .env_clear()
        .envs(lab.aws.env())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), said)
}

/// The commands that a tool of the tfmigrate kind runs: pull, move on files, push. The push succeeds.
#[test]
fn pull_move_and_push_lose_what_a_colleague_applied_meanwhile() {
    let lab = Lab::new();
    for (index, bin) in tools().terraforms().iter().enumerate() {
        let root = tempfile::tempdir().unwrap();
        let terraform = monolith(&lab, bin, root.path(), &format!("theirs/{index}.tfstate"));
        let work = root.path().join("work.tfstate");
        fs::write(&work, terraform.state_pull()).unwrap();
        let work = work.to_str().unwrap();
        let out = root.path().join("out.tfstate").display().to_string();
        let files = [format!("-state={work}"), format!("-state-out={out}")];
        // Each move raises the serial by one; with two of them it passes the colleague's.
        for moved in [
            r#"terraform_data.orders["a.b"]"#,
            r#"terraform_data.orders["say \"hi\""]"#,
        ] {
            let args = ["state", "mv", &files[0], &files[1], moved, moved];
            terraform.run(&args).ok();
        }
        colleague_applies(&terraform);
        terraform.run(&["state", "push", work]).ok();
        assert!(!terraform.state_list().contains(&COLLEAGUE.to_owned()));
    }
}

#[test]
fn a_saved_plan_is_refused_when_a_colleague_applied_meanwhile() {
    let lab = Lab::new();
    for (index, bin) in tools().terraforms().iter().enumerate() {
        let root = tempfile::tempdir().unwrap();
        let key = format!("mono/{index}.tfstate");
        let terraform = monolith(&lab, bin, root.path(), &key);
        let (code, said) = stackcut(&lab, root.path(), &["plan", "plan.hcl", "--out", "saved.json"]);
        assert_eq!(code, 2, "{said}");
        colleague_applies(&terraform);
        let before = lab.aws.get_object(&lab.bucket, &key);
        let (code, said) = stackcut(&lab, root.path(), &["apply", "saved.json", "--auto-approve"]);
        assert_eq!(code, 4, "{said}");
        assert_eq!(lab.aws.get_object(&lab.bucket, &key), before);
        let target = "ours/orders.tfstate";
        assert_eq!(lab.aws.get_object(&lab.bucket, target), None);
        // No lock is left: the colleague goes on, and finds nothing to do.
        terraform.assert_no_changes();
        terraform.apply();

        // Planned again, it moves; the colleague's resource stays, and the lock too, until the code has followed.
        let (code, said) = stackcut(&lab, root.path(), &["apply", "plan.hcl", "--auto-approve"]);
        assert_eq!(code, 0, "{said}");
        let refused = terraform.run(&["plan", "-input=false"]);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains("stackcut release"), "{refused}");
        assert_eq!(terraform.state_list(), [COLLEAGUE, "terraform_data.vpc"]);
        lab.aws.delete_object(&lab.bucket, target);
        lab.aws
            .delete_item(TABLE, &format!("{}/{target}-md5", lab.bucket));
    }
}
