//! Every way of handing values on, with states in S3: nothing but contract objects is created.

use std::fs;

use super::desk::{Desk, only_contracts};
use crate::support::NETWORK;
use crate::support::moto::Moto;
use crate::support::terraform::{OVERRIDE_FILE, aws_override, s3_backend};
use crate::support::tools::tools;

const FILE: &str = "plan.hcl";

const CODE: &str = r#"
resource "aws_security_group" "app" {
  name   = "app"
  vpc_id = aws_vpc.main.id

  ingress {
    protocol    = "tcp"
    from_port   = 80
    to_port     = 80
    cidr_blocks = aws_subnet.private[*].cidr_block
  }
}

resource "aws_sqs_queue" "orders" {
  name = "orders-${aws_vpc.main.id}"
}

resource "aws_ssm_parameter" "summary" {
  name  = "/${aws_vpc.main.id}/summary"
  type  = "String"
  value = jsonencode({ queue = aws_sqs_queue.orders.id, subnets = aws_subnet.private[*].id })
}
"#;

const PLAN: &str = r#"
split "shop" {
  source {
    dir = "infra"
  }

  defaults {
    backend "s3" {
      key = "stacks/${stack}.tfstate"
    }

    contract {
      CONTRACT
    }
  }

  stack "network" {
    layer = "network"
    take  = ["aws_vpc.main", "aws_subnet.*"]
  }

  stack "app" {
    take = ["aws_security_group.app", "aws_sqs_queue.orders"]
  }
}
"#;

/// Applies, cuts and emits; plans and applies every root module in order, then plans all again.
///
/// `waits` says whether consumers need their producers to be applied before they plan empty.
fn prove(contract: &str, waits: bool) {
    let aws = Moto::shared().account();
    let bucket = aws.unique_bucket("flavours");
    aws.create_lock_table("locks");
    let desk = Desk::new(&[
        ("infra/main.tf", &[NETWORK, CODE].concat()),
        ("infra/backend.tf", &s3_backend(&bucket, "mono.tfstate", "locks")),
        (
            FILE,
            &PLAN.replace("CONTRACT", &contract.replace("BUCKET", &bucket)),
        ),
    ])
    .envs(aws.env());
    let endpoints = aws_override(&aws.endpoint(), &[]);
    let redirect = |dir: &str| fs::write(desk.path(dir).join(OVERRIDE_FILE), &endpoints).unwrap();
    redirect("infra");
    let terraform = desk.terraform(tools().terraform(), "infra");
    terraform.init();
    terraform.apply();
    terraform.settle();
    fs::remove_file(desk.path("infra").join(OVERRIDE_FILE)).unwrap();
    desk.run(&["emit", FILE, "--out", "before"]).code(0);
    desk.run(&["apply", FILE, "--auto-approve"]).code(0);
    desk.run(&["emit", FILE, "--out", "new"]).code(0);
    assert_eq!(desk.tree("before"), desk.tree("new"));
    desk.commit("new/sources/shop", "infra");
    let id = desk.migration(FILE);
    desk.run(&["release", &id]).code(0);
    let order = ["new/stacks/network", "new/stacks/app", "infra"];
    for dir in order {
        redirect(dir);
        let terraform = desk.terraform(tools().terraform(), dir);
        terraform.init();
        if !waits {
            terraform.assert_no_changes();
            continue;
        }
        only_contracts(&terraform);
        terraform.apply();
        terraform.settle();
    }
    for bin in tools().terraforms() {
        for dir in order {
            let terraform = desk.terraform(bin, dir);
            terraform.init();
            terraform.assert_no_changes();
        }
    }
}

#[test]
fn in_parameters() {
    prove("store = \"ssm\"", true);
}

#[test]
fn in_objects() {
    prove("store = \"s3\"\n      path = \"contracts\"", true);
}

#[test]
fn in_remote_states() {
    prove("store = \"remote_state\"", false);
}

#[test]
fn in_variables() {
    prove("store = \"variables\"", false);
}
