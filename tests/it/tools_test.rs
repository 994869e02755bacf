//! The test tools themselves: every Terraform binary applies, plans empty, and locks, against the emulated AWS.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::support::moto::Moto;
use crate::support::terraform::{self, Terraform};
use crate::support::tools::{Flavour, tools};

const QUEUE_AND_PARAMETER: &str = r#"
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "us"
  region = "us-east-1"
}

data "aws_caller_identity" "me" {}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}

resource "aws_sqs_queue" "far" {
  provider = aws.us
  name     = "far"
}

resource "aws_ssm_parameter" "queue" {
  name  = "/shop/orders"
  type  = "String"
  value = aws_sqs_queue.orders.arn
}

output "account" {
  value = data.aws_caller_identity.me.account_id
}
"#;

#[test]
fn the_wrapped_terraform_comes_first_and_is_the_pinned_one() {
    let first = tools().terraform();
    assert_eq!(
        (first.version.as_str(), first.flavour),
        ("1.15.5", Flavour::Terraform)
    );
}

#[test]
fn every_terraform_applies_without_a_provider() {
    for bin in tools().terraforms() {
        let dir = tempfile::tempdir().unwrap();
        let code = r#"
            resource "terraform_data" "a" {
              for_each = toset(["x.y", "ü \"q\""])
              input    = each.key
            }
        "#;
        fs::write(dir.path().join("main.tf"), code).unwrap();
        let tf = Terraform::new(bin, dir.path());
        tf.init();
        assert_eq!(
            terraform::changes(&tf.plan_json()),
            [
                r#"terraform_data.a["x.y"]: create"#,
                r#"terraform_data.a["ü \"q\""]: create"#
            ]
        );
        tf.apply();
        tf.assert_no_changes();
        assert_eq!(
            tf.state_list(),
            [r#"terraform_data.a["x.y"]"#, r#"terraform_data.a["ü \"q\""]"#]
        );
        tf.destroy();
        assert!(tf.state_list().is_empty());
    }
}

/// The wrapper is a process like any other: exit codes, both streams, standard input, `-chdir` and variables.
#[test]
fn every_terraform_behaves_as_a_process() {
    for bin in tools().terraforms() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a b")).unwrap();
        fs::write(
            dir.path().join("a b/main.tf"),
            "variable \"v\" {}\noutput \"o\" { value = var.v }\n",
        )
        .unwrap();
        let tf = Terraform::new(bin, dir.path())
            .env("TF_VAR_v", "it's $HOME")
            .env("TF_INPUT", "1");
        tf.run(&["-chdir=a b", "init"]).ok();
        let planned = tf.run(&["-chdir=a b", "plan", "-detailed-exitcode", "-no-color"]);
        assert!(planned.stderr.is_empty(), "{planned}");
        assert!(planned.code(2).contains(r#"+ o = "it's $HOME""#));
        let failed = tf.run(&["-chdir=nowhere", "plan"]);
        assert!(!failed.stderr.is_empty() && failed.stdout.is_empty(), "{failed}");
        failed.code(1);

        let mut asked = tf.command(&["-chdir=a b", "apply", "-no-color"]);
        let mut child = asked
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"yes\n").unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success());
        assert!(
            String::from_utf8(done.stdout)
                .unwrap()
                .contains("Apply complete!")
        );
    }
}

#[test]
#[should_panic(expected = "not done in time")]
fn a_command_that_hangs_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let code = r#"resource "terraform_data" "a" { provisioner "local-exec" { command = "sleep 600" } }"#;
    fs::write(
        dir.path().join("main.tf"),
        code.replace('{', "{\n").replace('}', "\n}"),
    )
    .unwrap();
    let tf = Terraform::new(tools().terraform(), dir.path());
    tf.init();
    tf.timeout(Duration::from_secs(2)).apply();
}

#[test]
fn every_terraform_keeps_its_state_and_lock_in_the_emulated_aws() {
    for bin in tools().terraforms() {
        let aws = Moto::shared().account();
        let bucket = aws.unique_bucket("state");
        aws.create_lock_table("locks");
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("main.tf", QUEUE_AND_PARAMETER);
        write(
            "backend.tf",
            &terraform::s3_backend(&bucket, "shop/a b.tfstate", "locks"),
        );
        write(
            terraform::OVERRIDE_FILE,
            &terraform::aws_override(&aws.endpoint(), &["us"]),
        );
        let tf = Terraform::new(bin, dir.path()).envs(aws.env());

        tf.init();
        assert!(tf.state_list().is_empty());
        tf.apply();
        tf.settle();
        tf.assert_no_changes();

        let held = aws
            .get_object(&bucket, "shop/a b.tfstate")
            .expect("the state is in the bucket");
        assert_eq!(aws.list_objects(&bucket, "shop/"), ["shop/a b.tfstate"]);
        let lock_id = format!("{bucket}/shop/a b.tfstate");
        let items = aws.list_items("locks");
        assert_eq!(items.len(), 1, "the digest remains, the lock does not: {items:?}");
        assert_eq!(items[0]["LockID"], format!("{lock_id}-md5"));
        assert_eq!(items[0]["Digest"], md5_hex(&held));

        let account = tf.json(&["output", "-json", "account"]);
        assert_eq!(account, aws.id());
        let parameter = aws.get_parameter("/shop/orders").expect("it was applied");
        assert_eq!(
            parameter.value,
            format!("arn:aws:sqs:eu-central-1:{}:orders", aws.id())
        );

        // A lock that someone else holds is respected, and taken away it is free again.
        let info = format!(
            r#"{{"ID":"6f0d3f6a","Operation":"test","Info":"","Who":"us","Version":"1","Created":"2026-01-02T03:04:05Z","Path":"{lock_id}"}}"#
        );
        aws.put_item("locks", &[("LockID", &lock_id), ("Info", &info)]);
        let before = aws.requests().len();
        let refused = tf.run(&["plan", "-no-color"]);
        assert!(refused.stderr.contains("6f0d3f6a"), "{refused}");
        refused.code(1);
        let requests = aws.requests().split_off(before);
        assert!(
            requests.contains(&"dynamodb PutItem 400".to_owned()),
            "{requests:?}"
        );
        assert!(
            !requests.iter().any(|request| request.starts_with("s3 PUT")),
            "{requests:?}"
        );
        aws.delete_item("locks", &lock_id);
        tf.destroy();
        assert_eq!(aws.get_parameter("/shop/orders"), None);
    }
}

#[test]
fn accounts_see_nothing_of_each_other() {
    let (one, two) = (Moto::shared().account(), Moto::shared().account());
    one.create_lock_table("locks");
    two.create_lock_table("locks");
    one.put_item("locks", &[("LockID", "x"), ("Info", "one")]);
    one.put_parameter("/p", "1");
    assert_eq!(one.get_item("locks", "x").unwrap()["Info"], "one");
    assert_eq!(two.get_item("locks", "x"), None);
    assert_eq!(two.get_parameter("/p"), None);
}

#[test]
fn objects_come_back_as_they_went() {
    let aws = Moto::shared().account();
    let bucket = aws.unique_bucket("bytes");
    let key = "env:/dev/ü +&<k>.tfstate";
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    aws.put_object(&bucket, key, &bytes);
    assert!(aws.get_object(&bucket, key).unwrap() == bytes);
    for number in 0..1100 {
        aws.put_object(&bucket, &format!("many/{number:04}"), b"");
    }
    assert_eq!(aws.list_objects(&bucket, "many/").len(), 1100);
    assert_eq!(aws.list_objects(&bucket, "env:/"), [key]);
    aws.delete_object(&bucket, key);
    assert_eq!(aws.get_object(&bucket, key), None);
}

#[test]
fn a_server_of_ones_own_can_be_killed() {
    let mut moto = Moto::start();
    let aws = moto.account();
    aws.create_bucket("short-lived");
    moto.kill();
    assert!(std::net::TcpStream::connect(aws.address()).is_err());
}

/// Terraform's locks rest on one conditional write winning, whatever the number of writers.
#[test]
fn conditions_hold_among_racing_writers() {
    let aws = Moto::shared().account();
    let bucket = aws.unique_bucket("race");
    aws.create_lock_table("locks");
    let item = serde_json::json!({
        "TableName": "locks",
        "Item": { "LockID": { "S": "x" } },
        "ConditionExpression": "attribute_not_exists(LockID)",
    });
    let once = || {
        let put = aws
            .json("dynamodb", "DynamoDB_20120810.PutItem", &item)
            .accept(&[200, 400])
            .status
            == 200;
        (put, aws.put_object_if_absent(&bucket, "x.tflock", b"{}"))
    };
    let won: Vec<(bool, bool)> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..16).map(|_| scope.spawn(once)).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert_eq!(won.iter().filter(|(item, _)| *item).count(), 1);
    assert_eq!(won.iter().filter(|(_, object)| *object).count(), 1);
}

fn md5_hex(bytes: &[u8]) -> String {
    use md5::Digest as _;
    md5::Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
