//! The whole way, on an emulated AWS: acme applied by real Terraform on S3, planned, moved and emitted by stackcut, its
//! new code planned and applied by real Terraform.
//!
//! `STACKCUT_FLAVOURS` says which stores keep the contracts: a list of `ssm`, `s3`, `remote_state` and `variables`, or
//! `all` (as in CI); `ssm`, the plan's own, unless set. Each takes some minutes. `flavours` has all of them on a small module.

use std::fs;
use std::path::Path;

use super::desk::{Desk, only_contracts};
use crate::acme::make::fixture;
use crate::support::flavours;
use crate::support::moto::Moto;
use crate::support::terraform::{OVERRIDE_FILE, Terraform, aws_override};
use crate::support::tools::{Flavour, TerraformBin, tools};

const MONOLITH: &str = "testdata/acme";
const PLAN: &str = "plans/acme.hcl";
/// The contract of that plan file.
const SSM: &str = "      store = \"ssm\"\n      path  = \"/configuration\"\n";

/// Takes acme and its plan file to a desk.
fn desk(aws: &Moto, flavour: &str) -> Desk {
    let desk = Desk::new(&[]);
    let account = aws.account();
    account.create_bucket("acme-terraform-states");
    account.create_lock_table("acme-terraform-locks");
    let code = fixture("acme");
    fs::create_dir_all(desk.path("testdata")).unwrap();
    // Another file system may be between them.
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(code.path())
        .arg(desk.path(MONOLITH))
        .status();
    assert!(copied.unwrap().success());
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join(PLAN);
    let plan = fs::read_to_string(plan).unwrap();
    assert!(plan.contains(SSM));
    let contract = match flavour {
        "ssm" => SSM.to_owned(),
        "s3" => "      store = \"s3\"\n      path  = \"contracts\"\n".to_owned(),
        other => format!("      store = \"{other}\"\n"),
    };
    desk.write(PLAN, &plan.replace(SSM, &contract));
    desk.envs(account.env())
}

/// Sends a root module's provider to the emulator.
fn redirect(desk: &Desk, aws: &Moto, dir: &str) {
    let has_far = desk
        .tree(dir)
        .iter()
        .any(|(path, text)| !path.contains('/') && text.contains("alias  = \"us_east_1\""));
    let aliases: &[&str] = if has_far { &["us_east_1"] } else { &[] };
    let text = aws_override(&aws.endpoint(), aliases);
    fs::write(desk.path(dir).join(OVERRIDE_FILE), text).unwrap();
}

/// Terraform with the variables of the environment, as far as there are any.
fn with_variables(desk: &Desk, terraform: Terraform, dir: &str) -> Terraform {
    let arguments = match desk.path(dir).join("prod.tfvars").exists() {
        true => "-var-file=prod.tfvars -parallelism=20",
        false => "-parallelism=20",
    };
    terraform
        .env("TF_CLI_ARGS_plan", arguments)
        .env("TF_CLI_ARGS_apply", arguments)
}

#[test]
fn acme_is_planned_moved_and_emitted_and_nothing_changes() {
    flavours().into_iter().for_each(prove);
}

fn prove(flavour: &str) {
    let aws = Moto::start();
    let desk = desk(&aws, flavour);
    let version = |bin: &&TerraformBin| -> Vec<u32> {
        bin.version
            .split('.')
            .filter_map(|number| number.parse().ok())
            .collect()
    };
    let bins = || {
        tools()
            .terraforms()
            .iter()
            .filter(|bin| bin.flavour == Flavour::Terraform)
    };
    let (oldest, newest) = (
        bins().min_by_key(version).unwrap(),
        bins().max_by_key(version).unwrap(),
    );
    let terraform = |dir: &str| with_variables(&desk, desk.terraform(oldest, dir), dir);

    redirect(&desk, &aws, MONOLITH);
    terraform(MONOLITH).init();
    terraform(MONOLITH).apply();
    terraform(MONOLITH).settle();
    // With the override file the stacks reach the emulator too, before one of them is written.
    prove_before_moving(&desk, oldest);
    fs::remove_file(desk.path(MONOLITH).join(OVERRIDE_FILE)).unwrap();

    let planned = desk.run(&["plan", PLAN]).code(2);
    assert!(
        planned.stdout.contains("✓ code and states fit: 11 root modules"),
        "{}",
        planned.stdout
    );
    desk.run(&["emit", PLAN, "--out", "before"]).code(0);
    desk.run(&["apply", PLAN, "--auto-approve"]).code(0);
    let emitted = desk
        .run(&["emit", PLAN, "--out", "new", "--format", "json"])
        .code(0);
    assert!(
        desk.tree("before") == desk.tree("new"),
        "the code depends on when it is written"
    );
    desk.commit("new/sources/acme", MONOLITH);
    let id = desk.migration(PLAN);
    desk.run(&["release", &id]).code(0);

    let order: Vec<String> = emitted.json()["order"][0]["root_modules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| match name.as_str().unwrap() {
            "acme" => MONOLITH.to_owned(),
            stack => format!("new/stacks/{stack}"),
        })
        .collect();
    assert_eq!(order.len(), 11);
    for dir in &order {
        redirect(&desk, &aws, dir);
        let terraform = terraform(dir);
        terraform.init();
        only_contracts(&terraform);
        terraform.apply();
        terraform.settle();
    }
    // The oldest has just found nothing to do in each of them, but for what came after: the newest looks at all.
    for dir in &order {
        let terraform = with_variables(&desk, desk.terraform(newest, dir), dir);
        terraform.init();
        terraform.assert_no_changes();
    }
}

/// Every stack, planned by real Terraform while everything is still in the monolith.
fn prove_before_moving(desk: &Desk, bin: &TerraformBin) {
    let before = desk.tree(MONOLITH);
    let program = bin.path.to_str().unwrap();
    let args = ["plan", PLAN, "--verify", "terraform", "--terraform", program];
    let proven = desk.run(&[&args[..], &["--format", "json"]].concat()).code(2);
    let proof = &proven.json()["plans"][0]["proof"];
    assert_eq!(proof["holds"], true, "{proof}");
    let verdicts: Vec<&str> = proof["states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|state| state["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts.len(), 11, "{verdicts:?}");
    for verdict in verdicts {
        assert!(matches!(verdict, "no-changes" | "only-contract"), "{proof}");
    }
    assert!(desk.tree(MONOLITH) == before, "the user's directory was touched");
}
