//! Values cross wherever they stand, and stay what they were.

use super::lab::Lab;
use super::small::plan;
use crate::support::tools::tools;

/// Every place a crossing value may stand.
const PLACES: &str = r#"
locals {
  prefix = "shop"
  zones  = ["a", "b", "c"]

  # Half of the repository reads this.
  network = {
    id      = terraform_data.vpc.output.id
    subnets = terraform_data.subnet[*].output
    by_zone = { for zone, subnet in terraform_data.zone : zone => subnet.output.cidr }
  }
}

resource "terraform_data" "vpc" {
  input = {
    id      = "${local.prefix}-vpc"
    numbers = [1, 2.5, -3]
    flag    = true
    nothing = null
    tags    = { Name = "vpc", "a.b" = "c" }
  }
}

resource "terraform_data" "subnet" {
  count = 3
  input = "subnet-${local.zones[count.index]}"
}

resource "terraform_data" "zone" {
  for_each = toset(local.zones)
  input    = { cidr = "10.0.${each.key}", name = each.value }
}

# ---- what reads ----

resource "terraform_data" "attribute" {
  input = terraform_data.vpc.output.id
}

resource "terraform_data" "deep" {
  input = [
    terraform_data.vpc.output.numbers[1],
    terraform_data.vpc.output.flag,
    terraform_data.vpc.output.nothing,
    terraform_data.vpc.output.tags["a.b"],
  ]
}

resource "terraform_data" "template" {
  input = "in ${terraform_data.vpc.output.id}, %{if terraform_data.vpc.output.flag}yes%{else}no%{endif}"
}

resource "terraform_data" "heredoc" {
  input = <<-EOT
    vpc: ${terraform_data.vpc.output.id}
    %{for subnet in terraform_data.subnet~}
    subnet: ${subnet.output}
    %{endfor~}
  EOT
}

resource "terraform_data" "splats" {
  input = {
    full   = terraform_data.subnet[*].output # every one
    legacy = terraform_data.subnet.*.output  # as of old
    single = terraform_data.vpc[*].output.id
  }
}

resource "terraform_data" "indexed" {
  count = 2
  input = terraform_data.subnet[count.index].output
}

resource "terraform_data" "by_other" {
  for_each = terraform_data.zone
  input    = "${each.key} ${each.value.output.cidr} ${terraform_data.zone[each.key].output.name}"
}

resource "terraform_data" "through_local" {
  input = [local.network.id, local.network.subnets, local.network.by_zone["a"]]

  lifecycle {
    precondition {
      condition     = terraform_data.vpc.output.flag
      error_message = "no ${terraform_data.vpc.output.id}"
    }
  }

  depends_on = [terraform_data.vpc]
}

resource "terraform_data" "for_expression" {
  input = {
    for zone, subnet in terraform_data.zone : zone => upper(subnet.output.cidr) if zone != "b"
  }
}

module "child" {
  source  = "./modules/child"
  network = local.network
  name    = terraform_data.vpc.output.id
}

output "child" {
  value = module.child.text
}

output "vpc" {
  value = terraform_data.vpc.output.id
}
"#;

const CHILD: &str = r#"
variable "network" {
  type = object({ id = string, subnets = list(string), by_zone = map(string) })
}

variable "name" {}

module "sibling" {
  source = "../sibling"
  name   = var.name
}

resource "terraform_data" "this" {
  input = "${file("${path.module}/hello.txt")}${var.network.id} ${join(",", var.network.subnets)} ${module.sibling.name}"
}

output "text" {
  value = terraform_data.this.output
}
"#;

const SIBLING: &str = r#"
variable "name" {}

output "name" {
  value = "sibling of ${var.name}"
}
"#;

fn places() -> Vec<(&'static str, &'static str)> {
    vec![
        ("main.tf", PLACES.trim_start()),
        ("modules/child/main.tf", CHILD.trim_start()),
        ("modules/child/hello.txt", "hello "),
        ("modules/sibling/main.tf", SIBLING.trim_start()),
    ]
}

const PLACES_PLAN: &str = r#"
  stack "network" { take = ["terraform_data.vpc", "terraform_data.subnet", "terraform_data.zone"] }
  stack "app" {
    take = [
      "terraform_data.attribute", "terraform_data.deep", "terraform_data.template", "terraform_data.heredoc",
      "terraform_data.splats", "terraform_data.indexed", "terraform_data.by_other", "terraform_data.through_local",
      "terraform_data.for_expression", "module.child",
    ]
  }
"#;

#[test]
fn values_cross_wherever_they_stand() {
    for bin in tools().terraforms() {
        let lab = Lab::new(bin, &places(), &plan(PLACES_PLAN)).apply();
        let cut = lab.cut();
        cut.prove();
    }
}

#[test]
fn values_cross_as_variables() {
    let plan = plan(PLACES_PLAN).replace("remote_state", "variables");
    let lab = Lab::new(tools().terraform(), &places(), &plan).apply();
    let cut = lab.cut();
    cut.prove();
    let values = cut.text("app", "contracts.auto.tfvars.json");
    assert!(values.contains("\"numbers\": [\n"), "{values}");
}
