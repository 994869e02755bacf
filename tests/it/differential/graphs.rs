//! Our graph against `terraform graph` and the `dependencies` of a real apply.

use std::collections::BTreeSet;
use std::path::Path;

use stackcut::config::{Configuration, LoadOptions};
use stackcut::graph::{Graph, Node};
use stackcut::state::Snapshot;
use stackcut::workdir::WorkDir;

use super::generate::{Files, root_module};
use super::{cases, write};
use crate::support::terraform::Terraform;
use crate::support::tools::{Flavour, TerraformBin, tools};

#[test]
fn generated_modules_have_the_graph_and_the_dependencies_that_terraform_says() {
    let mut found = Vec::new();
    for seed in cases(6) {
        let files = root_module(seed.0);
        for bin in tools().terraforms() {
            for line in judge(&files, bin) {
                found.push(format!(
                    "seed {}, {} {}: {line}",
                    seed.0,
                    bin.path.display(),
                    bin.version
                ));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Returns one line for each difference.
fn judge(files: &Files, bin: &TerraformBin) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), files);
    let tf = Terraform::new(bin, dir.path());
    tf.init();
    let graph = load(dir.path());
    let mut found = Vec::new();
    // OpenTofu's `graph` shows everything, not resources alone.
    if bin.flavour == Flavour::Terraform {
        let ours = drawn(&graph);
        let theirs = terraform_graph(&tf);
        found.extend(difference("edge", &ours, &theirs));
    }
    tf.apply();
    found.extend(dependencies(&graph, dir.path()));
    found
}

fn load(dir: &Path) -> Graph {
    Graph::build(&Configuration::load(&WorkDir::new(dir), &LoadOptions::default()).unwrap())
}

fn drawn(graph: &Graph) -> BTreeSet<String> {
    let edges = graph.reduced_resource_edges();
    let mut drawn: BTreeSet<String> = edges
        .into_iter()
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect();
    drawn.extend(graph.resources().into_iter().map(ToString::to_string));
    drawn
}

/// Returns the nodes and edges that `terraform graph` prints.
fn terraform_graph(tf: &Terraform) -> BTreeSet<String> {
    let text = tf.run(&["graph"]).ok();
    let lines = text.lines().map(|line| line.trim().trim_end_matches(';'));
    let unquoted = |text: &str| -> String {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    lines
        .filter(|line| line.starts_with('"'))
        .map(
            |line| match (line.split_once(" -> "), line.split_once(" [label")) {
                (Some((from, to)), _) => format!("{} -> {}", unquoted(from), unquoted(to)),
                (None, Some((node, _))) => unquoted(node),
                _ => panic!("`terraform graph` has a new kind of line: {line}"),
            },
        )
        .collect()
}

/// Compares the closure of every managed resource with the dependencies that an apply recorded.
fn dependencies(graph: &Graph, dir: &Path) -> Vec<String> {
    let snapshot = Snapshot::read(std::fs::read(dir.join("terraform.tfstate")).unwrap())
        .unwrap()
        .unwrap();
    let mut found = Vec::new();
    for instance in snapshot.instances() {
        let addr = instance.addr().resource.config();
        // The state of a data source has no list.
        if addr.is_data() {
            continue;
        }
        let ours = graph.closure(&Node::Resource(addr.clone()));
        let ours = ours.iter().map(|to| format!("{addr} => {to}")).collect();
        let theirs = instance
            .dependencies()
            .map(|to| format!("{addr} => {to}"))
            .collect();
        found.extend(difference("dependency", &ours, &theirs));
    }
    found.sort();
    found.dedup();
    found
}

fn difference(what: &str, ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> Vec<String> {
    let only_ours = ours
        .difference(theirs)
        .map(|one| format!("{what} only with us: {one}"));
    let only_theirs = theirs
        .difference(ours)
        .map(|one| format!("{what} only with Terraform: {one}"));
    only_ours.chain(only_theirs).collect()
}

/// What chance may miss: each rule once, where nothing else hides it.
#[test]
fn every_rule_of_dependencies_holds() {
    let files: Files = [
        ("main.tf", MAIN),
        ("more.tf.json", JSON),
        ("more_override.tf", OVERRIDE),
        ("child/main.tf", CHILD),
        ("leaf/main.tf", LEAF),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into();
    for bin in tools().terraforms() {
        assert_eq!(judge(&files, bin), Vec::<String>::new(), "{}", bin.version);
    }
}

const MAIN: &str = r#"
resource "terraform_data" "x" {
  for_each = toset(["unused", "used", "count", "order", "deep", "known", "json", "over", "valid", "conn", "key"])
  input    = each.key
}
resource "terraform_data" "a" {}
resource "terraform_data" "b" {}
resource "terraform_data" "c" {}
resource "terraform_data" "d" { input = "d" }
resource "terraform_data" "e" {}
resource "terraform_data" "f" {}

# An input that nobody uses, one that one output uses, one for the order, one for the number.
module "m" {
  source     = "./child"
  unused     = terraform_data.a.id
  used       = terraform_data.b.id
  count      = terraform_data.d.input == "d" ? 1 : 0
  depends_on = [terraform_data.c]
}
resource "terraform_data" "whole" { input = module.m }
resource "terraform_data" "one" { input = module.m[0].used }
resource "terraform_data" "none" { input = module.m[0].constant }
resource "terraform_data" "splat" { input = module.m[*].constant }
resource "terraform_data" "computed" { input = module.m[length("")].constant }
resource "terraform_data" "order" { depends_on = [module.m] }
resource "terraform_data" "ordered_output" { input = module.m[0].ordered }

# A name that hides a resource, in four ways.
resource "terraform_data" "hidden" {
  input = [
    [for terraform_data in [{ a = 1 }] : terraform_data.a],
    { for terraform_data, v in { k = 1 } : terraform_data => v },
    "%{for terraform_data in ["x"]}${terraform_data}%{endfor}",
  ]
}
# What stands before the `in` is outside.
resource "terraform_data" "source_of_for" { input = [for terraform_data in [terraform_data.a.id] : terraform_data] }
resource "terraform_data" "escape" { input = resource.terraform_data.e.id }
resource "terraform_data" "indexed" { input = terraform_data.x["${terraform_data.f.id == "" ? "used" : "used"}"].id }
resource "terraform_data" "checked" {
  lifecycle {
    replace_triggered_by = [terraform_data.a.id]
    ignore_changes       = [input]
    postcondition {
      condition     = self.id != terraform_data.b.id
      error_message = "never ${terraform_data.c.id}"
    }
  }
}
resource "terraform_data" "provisioned" {
  provisioner "local-exec" {
    command     = "true ${terraform_data.a.id}"
    environment = { B = terraform_data.b.id }
  }
  provisioner "local-exec" {
    when    = destroy
    command = "true ${self.id}"
  }
}
locals {
  one   = [local.two, local.three]
  two   = terraform_data.a.id
  three = { (terraform_data.b.id) = 1 }
}
resource "terraform_data" "through_locals" { input = local.one }
resource "terraform_data" "for_each" {
  for_each = terraform_data.d.input == "d" ? { k = 1 } : {}
}
resource "terraform_data" "heredoc" {
  input = <<-EOT
    ${terraform_data.a.id}
    $${terraform_data.b.id}
    %{~if terraform_data.c.id == ""~}
    %{endif~}
  EOT
}
output "root" { value = terraform_data.a.id }
"#;

const CHILD: &str = r#"
variable "unused" {}
variable "used" {}
resource "terraform_data" "alone" {}
resource "terraform_data" "apart" {}
resource "terraform_data" "user" { input = var.used }
output "used" { value = var.used }
output "constant" { value = "c" }
output "ordered" {
  value      = "c"
  depends_on = [terraform_data.alone]
}
module "leaf" {
  source     = "../leaf"
  for_each   = { k = 1 }
  value      = var.used
  depends_on = [terraform_data.apart]
}
"#;

const LEAF: &str = r#"
variable "value" {}
variable "other" {
  default = 1
}
resource "terraform_data" "leaf" {}
output "value" { value = var.value }
"#;

const JSON: &str = r#"{
  "resource": {"terraform_data": {
    "json": {
      "input": {"list": ["${terraform_data.a.id}", "no terraform_data.b.id", "%{ if true }${terraform_data.c.id}%{ endif }"]},
      "depends_on": ["terraform_data.e"]
    },
    "overridden": {"input": "${terraform_data.a.id}", "triggers_replace": ["${terraform_data.b.id}"]}
  }},
  "locals": {"from_json": "${terraform_data.json.id}"}
}"#;

const OVERRIDE: &str = r#"
resource "terraform_data" "overridden" {
  input = [terraform_data.c.id, local.from_json]
}
"#;

/// A provider configuration is in the graph too, and so is what it refers to.
#[test]
fn a_resource_waits_for_what_its_provider_configuration_refers_to() {
    let main = r#"
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
resource "terraform_data" "region" { input = "eu-central-1" }
resource "terraform_data" "role" {}
provider "aws" { region = terraform_data.region.input }
provider "aws" {
  alias  = "other"
  region = "eu-central-1"
  default_tags {
    tags = { role = terraform_data.role.id }
  }
}
resource "aws_sqs_queue" "default" {}
resource "aws_sqs_queue" "other" { provider = aws.other }
module "inherits" { source = "./child" }
module "is_given" {
  source    = "./child"
  providers = { aws = aws.other }
}
data "aws_region" "this" { provider = aws.other }
"#;
    let child = r#"
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
resource "aws_sns_topic" "inside" {}
"#;
    let files: Files = [("main.tf", main), ("child/main.tf", child)]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &files);
    let tf = Terraform::new(tools().terraform(), dir.path());
    tf.init();
    let ours = drawn(&load(dir.path()));
    assert_eq!(
        difference("edge", &ours, &terraform_graph(&tf)),
        Vec::<String>::new()
    );
    assert!(
        ours.contains("module.is_given.aws_sns_topic.inside -> terraform_data.role"),
        "{ours:?}"
    );
}

#[test]
fn the_closures_of_acme_are_the_dependencies_in_its_state() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/acme");
    assert_eq!(dependencies(&load(&dir), &dir), Vec::<String>::new());
}
