//! `stackcut plan` on states in S3, from the backend block to the report.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::lab::{Lab, TABLE};
use crate::support::terraform::Terraform;
use crate::support::tools::tools;

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
pub(super) fn monolith(lab: &Lab, dir: &Path, backend: &str) {
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
    stackcut_in(lab.aws.env(), dir, args)
}

pub(super) fn stackcut_in(env: Vec<(String, String)>, dir: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stackcut"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .envs(env)
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
        let reads = [
            "s3 GET ",
            "s3 HEAD ",
            "dynamodb GetItem ",
            "dynamodb TransactGetItems ",
        ];
        assert!(reads.iter().any(|read| request.starts_with(read)), "{request}");
    }
    let saved = fs::read_to_string(dir.path().join("saved.json")).unwrap();
    assert!(!format!("{saved}{stdout}{stderr}").contains("hunter2"));
    assert_eq!(lab.aws.list_objects(&lab.bucket, ""), ["mono.tfstate"]);
    assert!(lab.aws.list_items(TABLE).is_empty());
}

/// The environment without keys, region and endpoint: all of it comes from the configuration.
pub(super) fn bare_env(lab: &Lab) -> Vec<(String, String)> {
    let mut env = lab.aws.env();
    env.retain(|(name, _)| {
        !["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"].contains(&name.as_str())
            && !name.ends_with("REGION")
    });
    env
}

/// The arguments that `bare_env` leaves out, nested ones too.
pub(super) fn connection(lab: &Lab) -> String {
    format!(
        "region = \"eu-central-1\"\naccess_key = \"{}\"\nsecret_key = \"hunter2-key\"\nendpoints = {{\n  s3 = \"{url}\"\n  dynamodb = \"{url}\"\n}}\nuse_path_style = true\nskip_credentials_validation = true\nskip_requesting_account_id = true\nskip_region_validation = true\n",
        lab.aws.id(),
        url = lab.aws.endpoint()
    )
}

/// Plans, and returns what was printed; no credential may be in it or in the saved plan.
fn plans(lab: &Lab, dir: &Path) -> String {
    let (code, stdout, stderr) =
        stackcut_in(bare_env(lab), dir, &["plan", "plan.hcl", "--out", "saved.json"]);
    assert_eq!(code, 2, "{stdout}{stderr}");
    let saved = fs::read_to_string(dir.join("saved.json")).unwrap();
    let all = format!("{stdout}{stderr}{saved}");
    assert!(!all.contains("hunter2") && !saved.contains(lab.aws.id()), "{all}");
    let expected = format!("s3://{}/stacks/orders.tfstate", lab.bucket);
    assert!(stdout.contains(&expected), "{stdout}");
    all
}

#[test]
fn credentials_in_the_block_are_used_and_not_kept() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    monolith(&lab, dir.path(), &connection(&lab));
    plans(&lab, dir.path());
}

#[test]
fn saved_init_data_is_gone_by() {
    let lab = Lab::new();
    let bin = tools().terraforms().first().unwrap();
    let dir = tempfile::tempdir().unwrap();
    monolith(&lab, dir.path(), "");
    let code = fs::read_to_string(dir.path().join("main.tf")).unwrap();
    let partial = code.replace(&format!("bucket = \"{}\"", lab.bucket), "");
    fs::write(dir.path().join("main.tf"), partial).unwrap();
    fs::write(dir.path().join("lab.s3.tfbackend"), connection(&lab)).unwrap();
    let bucket = format!("-backend-config=bucket={}", lab.bucket);
    let init = ["init", "-no-color", "-backend-config=lab.s3.tfbackend", &bucket];
    Terraform::new(bin, dir.path()).run(&init).ok();
    fs::remove_file(dir.path().join("lab.s3.tfbackend")).unwrap();
    plans(&lab, dir.path());
}

#[test]
fn files_of_backend_arguments_need_no_init() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    monolith(&lab, dir.path(), "");
    let code = fs::read_to_string(dir.path().join("main.tf")).unwrap();
    let elsewhere = code.replace(&lab.bucket, "another-bucket");
    fs::write(dir.path().join("main.tf"), elsewhere).unwrap();
    fs::write(dir.path().join("common.tfbackend"), connection(&lab)).unwrap();
    let bucket = format!("bucket = \"{}\"\n", lab.bucket);
    fs::write(dir.path().join("lab.tfbackend"), bucket).unwrap();
    let plan = PLAN
        .replace(
            "dir = \".\"",
            "dir = \".\"\n    backend_config = [\"common.tfbackend\", \"${environment}.tfbackend\"]",
        )
        .replace(
            "  defaults {",
            "  environment \"lab\" {\n    values = { environment = \"lab\" }\n  }\n\n  defaults {",
        );
    fs::write(dir.path().join("plan.hcl"), plan).unwrap();
    plans(&lab, dir.path());
}

#[test]
fn traps_of_encryption_are_told_once() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    monolith(&lab, dir.path(), "kms_key_id = \"alias/states\"");
    let (code, _, stderr) = stackcut(&lab, dir.path(), &["plan", "plan.hcl"]);
    assert_eq!(code, 2, "{stderr}");
    assert_eq!(
        stderr
            .matches("`kms_key_id` is ignored without `encrypt = true`")
            .count(),
        1,
        "{stderr}"
    );
    monolith(&lab, dir.path(), "encrypt = true\nkms_key_id = \"alias/states\"");
    let mut env = lab.aws.env();
    env.push(("AWS_SSE_CUSTOMER_KEY".to_owned(), "A".repeat(43) + "="));
    let (code, _, stderr) = stackcut_in(env, dir.path(), &["plan", "plan.hcl"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("exclude each other"), "{stderr}");
}

#[test]
fn a_missing_bucket_and_missing_credentials_are_said_plainly() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    monolith(&lab, dir.path(), "");
    let code = fs::read_to_string(dir.path().join("main.tf")).unwrap();
    fs::write(
        dir.path().join("main.tf"),
        code.replace(&lab.bucket, "no-such-bucket-at-all"),
    )
    .unwrap();
    let (code, _, stderr) = stackcut(&lab, dir.path(), &["plan", "plan.hcl"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.contains("s3://no-such-bucket-at-all does not exist"),
        "{stderr}"
    );
    let mut env = bare_env(&lab);
    env.push(("AWS_REGION".to_owned(), "eu-central-1".to_owned()));
    let (code, _, stderr) = stackcut_in(env, dir.path(), &["plan", "plan.hcl"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("no credentials were found"), "{stderr}");
}

/// The target whose store is not there is named; so is what is left of a state that somebody deleted.
#[test]
fn what_cannot_be_read_says_whose_state_it_is_and_what_to_do() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    monolith(&lab, dir.path(), &format!("dynamodb_table = \"{TABLE}\""));
    let digest = format!("{}/stacks/orders.tfstate-md5", lab.bucket);
    let zeros = "0".repeat(32);
    lab.aws
        .put_item(TABLE, &[("LockID", &digest), ("Digest", &zeros)]);
    let (code, _, stderr) = stackcut(&lab, dir.path(), &["plan", "plan.hcl"]);
    assert_eq!(code, 5, "{stderr}");
    for part in [
        "it is the state of `orders`; nothing was written",
        &format!("where it was deleted on purpose, delete the item `{digest}` of the lock table too"),
    ] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    lab.aws.delete_item(TABLE, &digest);
    let elsewhere = PLAN.replace(
        "    layer = \"service\"\n",
        "    layer = \"service\"\n    backend \"s3\" {\n      bucket = \"no-such-bucket-at-all\"\n      key = \"k\"\n    }\n",
    );
    fs::write(dir.path().join("plan.hcl"), elsewhere).unwrap();
    let (code, _, stderr) = stackcut(&lab, dir.path(), &["plan", "plan.hcl"]);
    assert_eq!(code, 1, "{stderr}");
    for part in [
        "s3://no-such-bucket-at-all does not exist",
        "it is the state of `orders`; nothing was written",
        "hint: check its name, the region, and the account",
    ] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
}

#[test]
fn what_a_plan_file_may_say_the_backend_understands() {
    use stackcut::backend::s3::S3Config;
    use stackcut::plan::backend::{BackendKind, is_credential};
    let kind = BackendKind::S3;
    let members = "role_arn duration external_id policy policy_arns session_name source_identity tags.a \
        transitive_tag_keys web_identity_token web_identity_token_file s3 dynamodb iam sso sts";
    let nested = |word: &str| -> Vec<String> {
        let names = members.split(' ').map(|member| format!("{word}.{member}"));
        names.filter(|name| kind.knows(name)).collect()
    };
    for word in kind.words() {
        let names = match kind.knows(word) {
            true => vec![word.to_owned()],
            false => nested(word),
        };
        assert!(!names.is_empty(), "{word}");
        for name in names.iter().filter(|name| !is_credential(name)) {
            let arguments = [(name.clone(), "x".to_owned())].into();
            let problem = S3Config::effective(&arguments, "default", &|_| None).unwrap_err();
            assert!(
                !problem.to_string().contains("is not an argument of it"),
                "{problem}"
            );
        }
    }
}
