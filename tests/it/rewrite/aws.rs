//! AWS on an emulator: provider settings, dynamic blocks, documents in SSM and S3.

use super::lab::aws::OnAws;
use crate::support::terraform::changes;
use crate::support::{NETWORK, flavours};

const CODE: &str = r#"
terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 3.39"
    }
  }
}

# The region is decided elsewhere.
provider "aws" {
  alias  = "far"
  region = terraform_data.region.input
}

resource "terraform_data" "region" {
  input = "us-east-1"
}

resource "aws_sqs_queue" "far" {
  provider = aws.far
  name     = "far"
}

resource "aws_iam_role" "role" {
  name                = "role"
  managed_policy_arns = [aws_iam_policy.p["a"].arn, aws_iam_policy.p["b.c"].arn]

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_policy" "p" {
  for_each = toset(["a", "b.c"])

  name   = each.key
  policy = data.aws_iam_policy_document.p[each.key].json
}

data "aws_iam_policy_document" "p" {
  for_each = toset(["a", "b.c"])

  statement {
    sid       = replace(title(each.key), ".", "")
    actions   = ["s3:*"]
    resources = [aws_vpc.main.arn]
  }
}

resource "aws_security_group" "app" {
  name   = "app"
  vpc_id = aws_vpc.main.id

  dynamic "ingress" {
    for_each = aws_subnet.private
    iterator = net

    content {
      description = "from ${net.key}, ${net.value.id}"
      protocol    = "tcp"
      from_port   = 80
      to_port     = 80
      cidr_blocks = [net.value.cidr_block]
    }
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = aws_subnet.private[*].cidr_block
  }
}

resource "aws_ssm_parameter" "summary" {
  name  = "/summary"
  type  = "String"
  value = jsonencode({ vpc = aws_vpc.main, roles = aws_iam_role.role.managed_policy_arns, far = aws_sqs_queue.far.arn })
}
"#;

const STACKS: &str = r#"
  stack "network" { take = ["aws_vpc.main", "aws_subnet.*", "terraform_data.region"] }
  stack "access" { take = ["aws_iam_role.*", "aws_iam_policy.*"] }
  stack "app" { take = ["aws_security_group.app", "aws_ssm_parameter.summary", "aws_sqs_queue.far"] }
"#;

/// A consumer that can live without its producer.
#[test]
fn an_upstream_may_be_absent() {
    let code = r#"
provider "aws" {
  region = "eu-central-1"
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}

resource "terraform_data" "reader" {
  input = [aws_sqs_queue.orders.name, "x"]
}
"#;
    let stacks = r#"
  stack "orders" { take = ["aws_sqs_queue.orders"] }
  stack "reader" {
    take               = ["terraform_data.reader"]
    optional_upstreams = ["orders"]
  }
"#;
    let contract = ["store = \"s3\"", "bucket = \"BUCKET\""];
    let OnAws { lab, bucket, .. } = OnAws::new(code, &[], stacks, &contract);
    let cut = lab.cut();
    insta::assert_snapshot!(cut.text("reader", "upstream.tf").replace(&bucket, "BUCKET"), @r#"
    # What this stack reads of others.
    module "orders" {
      source = "./modules/s3_json_regex"

      bucket               = "BUCKET"
      path                 = "/configuration"
      include_filter_regex = "^configuration/orders$"
    }

    locals {
      orders_installed = try(nonsensitive(module.orders.values["orders"]).installed, false)
      orders           = try(nonsensitive(module.orders.values["orders"]).public, null)
    }
    "#);
    insta::assert_snapshot!(cut.text("reader", "main.tf"), @r#"
    provider "aws" {
      region = "eu-central-1"
    }

    resource "terraform_data" "reader" {
      input = [try(local.orders.sqs_queue.orders.name, null), "x"]
    }
    "#);
    let reader = cut
        .rewritten
        .order
        .iter()
        .find(|id| id.name().as_str() == "reader")
        .unwrap();
    let terraform = cut.terraform(reader);
    terraform.init();
    // Nobody has told anything yet: the value is null, and no error.
    assert_eq!(changes(&terraform.plan_json()), ["terraform_data.reader: update"]);
    cut.prove();
}

fn prove(contract: &[&str]) {
    let lab = OnAws::new(&[NETWORK, CODE].concat(), &["far"], STACKS, contract).lab;
    let cut = lab.cut();
    cut.prove();
    let app = cut.text("app", "main.tf");
    assert!(app.contains("for_each = local.network.subnet.private\n"), "{app}");
    assert!(
        app.contains("region = local.network.data.region.input\n"),
        "{app}"
    );
    assert!(
        !cut.text("network", "main.tf").contains("alias"),
        "no one needs that provider there"
    );
}

#[test]
fn values_cross_through_every_store() {
    for flavour in flavours() {
        match flavour {
            "s3" => prove(&[
                "store = \"s3\"",
                "bucket = \"BUCKET\"",
                "path = \"/contracts/prod\"",
            ]),
            store => prove(&[&format!("store = \"{store}\"")]),
        }
    }
}
