//! Cuts that are right: nothing is found, whatever the monolith is made of.

use std::fs;

use stackcut::verify::Verdict;

use super::stage::{Stage, assert_holds, fingerprint, root, verdicts};
use crate::rewrite::lab::{Lab, write};
use crate::rewrite::small::{formatted, plan};
use crate::support::terraform::Terraform;
use crate::support::tools::tools;

const CODE: &str = r#"
resource "terraform_data" "vpc" {
  input = { id = "vpc-1", zones = ["a", "b"] }
}

resource "terraform_data" "queue" {
  for_each = toset(["in", "out.v2"])

  input = "${terraform_data.vpc.output.id}-${each.key}"
}

resource "terraform_data" "orders" {
  input            = [for queue in terraform_data.queue : queue.output]
  triggers_replace = terraform_data.vpc.output.zones
}

resource "terraform_data" "alone" {
  input = 12345678901234567890
}

output "vpc" {
  value = terraform_data.vpc.output.id
}
"#;

const STACKS: &str = r#"
  stack "network" { take = ["terraform_data.vpc"] }
  stack "queues" { take = ["terraform_data.queue"] }
  stack "orders" { take = ["terraform_data.orders"] }
"#;

#[test]
fn every_binary_finds_nothing_and_touches_nothing() {
    for bin in tools().terraforms() {
        let lab = Lab::new(bin, &[("main.tf", &formatted(CODE))], &plan(STACKS)).apply();
        // What a real directory has: data of `init`, a state, a lock file.
        write(
            &lab.monolith.join(".terraform.lock.hcl"),
            b"# This file is maintained automatically.\n",
        );
        write(&lab.monolith.join(".terraform/environment"), b"default");
        let cut = lab.cut();
        let before = fingerprint(&lab.monolith);
        let proof = Stage::with(&lab, bin).run(&cut);
        assert_holds(&proof);
        assert_eq!(
            fingerprint(&lab.monolith),
            before,
            "the user's directory is as it was"
        );
        let expected = ["mono", "network", "orders", "queues"].map(|name| (name, Verdict::NoChanges));
        assert_eq!(verdicts(&proof), expected, "{}", proof.text());
        let text = proof
            .text()
            .replace(&bin.version, "X.Y.Z")
            .replace("OpenTofu", "Terraform");
        insta::allow_duplicates! {
            insta::assert_snapshot!(text, @"
            proof by Terraform X.Y.Z, environment default
              mono     no changes
              network  no changes
              orders   no changes
              queues   no changes
            no real object would be touched
            ");
        }
    }
}

#[test]
fn variables_hand_on_secrets_too() {
    let code = r#"
variable "password" {
  default   = "s3cret-of-the-test"
  sensitive = true
}

resource "terraform_data" "db" {
  input = var.password
}

resource "terraform_data" "app" {
  input = terraform_data.db.output
}
"#;
    let stacks = r#"
  stack "db" { take = ["terraform_data.db"] }
  stack "app" {
    take            = ["terraform_data.app"]
    allow_sensitive = ["terraform_data.db.output"]
  }
"#;
    let plan = plan(stacks).replace("remote_state", "variables");
    let lab = Lab::new(tools().terraform(), &[("main.tf", &formatted(code))], &plan).apply();
    let cut = lab.cut();
    let proof = Stage::new(&lab).run(&cut);
    assert_holds(&proof);
    assert_eq!(
        root(&proof, "app").verdict,
        Verdict::NoChanges,
        "{}",
        proof.text()
    );
}

/// Each environment has its own variable files, and the stacks get theirs.
#[test]
fn environments_have_their_own_variable_files() {
    let code = r#"
variable "size" {
  type = number
}

variable "name" {
  type = string
}

resource "terraform_data" "a" {
  input = "${var.name}-${var.size}"
}

resource "terraform_data" "b" {
  input = [terraform_data.a.output, var.size]
}
"#;
    let stacks = r#"
  environment "stage" {
    values    = { environment = "stage" }
    var_files = ["env/stage.tfvars"]
  }
  environment "prod" {
    values    = { environment = "prod" }
    var_files = ["env/prod.tfvars"]
  }
  stack "a" { take = ["terraform_data.a"] }
  stack "b" { take = ["terraform_data.b"] }
"#;
    let plan = plan(stacks)
        .replace(
            "source { dir = \".\" }",
            "source {\n    dir       = \".\"\n    var_files = [\"common.tfvars\"]\n  }",
        )
        .replace("STATES/${stack}", "STATES/${environment}-${stack}");
    let files = [
        ("main.tf", &*formatted(code)),
        ("common.tfvars", "name = \"shop\"\n"),
        ("env/stage.tfvars", "size = 1\n"),
        ("env/prod.tfvars", "size = 9\n"),
    ];
    for (number, name) in ["stage", "prod"].into_iter().enumerate() {
        let lab = Lab::new(tools().terraform(), &files, &plan);
        let given = format!("-var-file=common.tfvars -var-file=env/{name}.tfvars");
        let terraform = Terraform::new(tools().terraform(), &lab.monolith).env("TF_CLI_ARGS_apply", given);
        terraform.init();
        terraform.apply();
        let right = lab.try_cut_in(number).ok().unwrap();
        let proof = Stage::new(&lab).run(&right);
        assert_holds(&proof);
        assert!(
            verdicts(&proof)
                .iter()
                .all(|(_, verdict)| *verdict == Verdict::NoChanges),
            "{}",
            proof.text()
        );
        // With the other environment's files the monolith itself would change, and so would the stacks.
        let wrong = lab.try_cut_in(1 - number).ok().unwrap();
        let proof = Stage::new(&lab).run(&wrong);
        assert_eq!(root(&proof, "a").verdict, Verdict::OnlyKnown, "{}", proof.text());
    }
}

/// A workspace's name is a value, and states of workspaces live elsewhere.
#[test]
fn workspaces_keep_their_names() {
    let code = r#"
resource "terraform_data" "a" {
  input = "a-${terraform.workspace}"
}

resource "terraform_data" "b" {
  input = "b-${terraform.workspace}"
}
"#;
    let plan = plan("  stack \"a\" { take = [\"terraform_data.a\"] }\n");
    let lab = Lab::new(tools().terraform(), &[("main.tf", &formatted(code))], &plan);
    let terraform = Terraform::new(tools().terraform(), &lab.monolith);
    terraform.init();
    terraform.run(&["workspace", "new", "blue"]).ok();
    terraform.apply();
    fs::copy(
        lab.monolith.join("terraform.tfstate.d/blue/terraform.tfstate"),
        lab.monolith.join("terraform.tfstate"),
    )
    .unwrap();
    let mut cut = lab.cut();
    for location in cut.locations.values_mut() {
        location.workspace = "blue".to_owned();
    }
    let proof = Stage::new(&lab).run(&cut);
    assert_holds(&proof);
    for location in cut.locations.values_mut() {
        location.workspace = "default".to_owned();
    }
    // What the monolith's own plan changes in that workspace is not the cut's doing.
    let proof = Stage::new(&lab).run(&cut);
    assert_eq!(root(&proof, "a").verdict, Verdict::OnlyKnown, "{}", proof.text());
}

/// Modules and files beside the root module, a backend that cannot be reached, override files that want the last word.
#[test]
fn neighbours_backends_and_overrides() {
    let code = r#"
terraform {
  backend "s3" {
    bucket = "nobody-has-this"
    key    = "x"
    region = "eu-central-1"
  }
}

module "m" {
  source = "../modules/m"
  value  = terraform_data.a.output
}

resource "terraform_data" "a" {
  input = "${basename(path.cwd)}-${length(fileset(path.module, "*.json"))}"
}

resource "terraform_data" "b" {
  input = length(fileset(path.module, "**/*.json"))
}
"#;
    let inner = r#"
variable "value" {}

resource "terraform_data" "inner" {
  input = [var.value, file("${path.module}/../../shared.txt")]
}
"#;
    let local = "terraform {\n  backend \"local\" {\n    path = \"terraform.tfstate\"\n  }\n}\n";
    let stacks = "  stack \"b\" { take = [\"terraform_data.b\"] }\n";
    let files = [
        ("main.tf", &*formatted(code)),
        ("zzzz_override.tf", local),
        ("data.json", "{}"),
        ("../modules/m/main.tf", &*formatted(inner)),
        ("../shared.txt", "shared"),
    ];
    let lab = Lab::new(tools().terraform(), &files, &plan(stacks)).apply();
    let cut = lab.cut();
    let mut stage = Stage::new(&lab);
    stage.outside = vec!["../modules/m".to_owned()];
    let modules = lab.monolith.join("../modules");
    let before = fingerprint(&modules);
    let proof = stage.run(&cut);
    assert_holds(&proof);
    assert_eq!(
        root(&proof, "mono").verdict,
        Verdict::NoChanges,
        "{}",
        proof.text()
    );
    assert_eq!(root(&proof, "b").verdict, Verdict::NoChanges, "{}", proof.text());
    assert_eq!(fingerprint(&modules), before);
}
