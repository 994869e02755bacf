//! The static proof on generated code that somebody changed: whatever changes the meaning is found.

use std::fs;
use std::path::Path;

use stackcut::rewrite::Rewritten;
use stackcut::stack::StateId;

use super::lab::{CutMade, Lab};
use crate::support::terraform::Terraform;
use crate::support::tools::tools;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// The cut of acme, as plans/acme.hcl has it; contracts are in this store.
fn acme(store: &str) -> CutMade {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = tempfile::tempdir().unwrap();
    let monolith = scratch.path().join("monolith");
    copy(&root.join("testdata/acme"), &monolith);
    let plan = fs::read_to_string(root.join("plans/acme.hcl")).unwrap();
    let plan = match store {
        "ssm" => plan,
        store => plan.replace(
            "store = \"ssm\"\n      path  = \"/configuration\"",
            &format!("store = \"{store}\""),
        ),
    };
    let terraform = Terraform::new(tools().terraform(), &monolith);
    Lab::at(scratch, terraform, monolith, &plan).cut()
}

fn id(rewritten: &Rewritten, name: &str) -> StateId {
    let mut ids = rewritten.trees.keys();
    ids.find(|id| id.name().as_str() == name).unwrap().clone()
}

/// Returns the text without one line, for each line that tells a value; and without one member of an object in a line.
fn without_one_value(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut is_told = false;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        is_told |= line.trim_start().starts_with("data ") || line.contains("jsonencode(");
        let (name, value) = line.trim().split_once(" = ").unwrap_or_default();
        let name = name.trim();
        let inline = line.rfind("=> { ").or_else(|| line.rfind(" : { "));
        if let (true, Some(start)) = (is_told, inline) {
            let start = at + start + 5;
            let close = start + text[start..].find(" }").unwrap();
            let members: Vec<&str> = text[start..close].split(", ").collect();
            for without in 0..members.len() {
                let mut kept = members.clone();
                let gone = kept.remove(without);
                let changed = format!("{}{}{}", &text[..start], kept.join(", "), &text[close..]);
                found.push((format!("{name}: {gone}"), changed));
            }
        } else if is_told && !name.is_empty() && name != "installed" && !value.ends_with(['{', '(', '}']) {
            found.push((line.trim().to_owned(), format!("{}{}", &text[..at], &text[end..])));
        }
        at = end;
    }
    found
}

fn every_told_value_is_missed(store: &str, at_least: usize) {
    let cut = acme(store);
    assert_eq!(cut.faults(&cut.rewritten), Vec::<String>::new());
    let mut tried = 0;
    for producer in &cut.rewritten.order {
        let Some(text) = cut.rewritten.trees[producer].get("contract.tf") else {
            continue;
        };
        for (gone, changed) in without_one_value(std::str::from_utf8(text).unwrap()) {
            tried += 1;
            let mut mutated = cut.rewritten.clone();
            let tree = mutated.trees.get_mut(producer).unwrap();
            tree.insert("contract.tf".into(), changed.clone().into_bytes());
            let faults = cut.faults(&mutated);
            assert!(
                faults.iter().any(|fault| fault.contains("does not tell")),
                "{producer} without {gone}: {faults:#?}\n{changed}"
            );
        }
    }
    assert!(tried >= at_least, "{tried} values are told");
}

#[test]
fn a_told_value_that_is_gone_is_missed_by_its_readers() {
    every_told_value_is_missed("ssm", 39);
}

#[test]
fn an_output_that_tells_less_is_missed_by_its_readers() {
    every_told_value_is_missed("remote_state", 39);
}

#[test]
fn a_variable_file_that_says_less_is_missed_by_its_reader() {
    let cut = acme("variables");
    let mut tried = 0;
    for (reader, tree) in &cut.rewritten.trees {
        let Some(text) = tree.get("contracts.auto.tfvars.json") else {
            continue;
        };
        let given: serde_json::Value = serde_json::from_slice(text).unwrap();
        for upstream in given.as_object().unwrap().keys() {
            let mut without = given.clone();
            without[upstream] = serde_json::json!({});
            let mut mutated = cut.rewritten.clone();
            let text = serde_json::to_vec(&without).unwrap();
            mutated
                .trees
                .get_mut(reader)
                .unwrap()
                .insert("contracts.auto.tfvars.json".into(), text);
            let faults = cut.faults(&mutated);
            assert!(
                faults.iter().any(|fault| fault.contains("does not tell")),
                "{reader}: {faults:#?}"
            );
            tried += 1;
        }
    }
    assert!(tried > 5);
}

#[test]
fn a_contract_that_is_looked_for_elsewhere_is_not_found() {
    let cut = acme("ssm");
    let mut mutated = cut.rewritten.clone();
    let orders = id(&mutated, "orders");
    let text = String::from_utf8(mutated.trees[&orders]["upstream.tf"].clone()).unwrap();
    let changed = text.replacen("path = \"/configuration\"", "path = \"/other\"", 1);
    assert_ne!(text, changed);
    mutated
        .trees
        .get_mut(&orders)
        .unwrap()
        .insert("upstream.tf".into(), changed.into_bytes());
    let faults = cut.faults(&mutated);
    assert!(
        faults
            .iter()
            .any(|fault| fault.contains("looks for the contract")),
        "{faults:#?}"
    );
}

/// A monolith with something of everything, and where it goes.
const CODE: &str = r#"
variable "size" {
  type    = number
  default = 1
}

locals {
  name = "shop"
  note = "one"
}

provider "terraform" {
  alias = "far"
}

resource "terraform_data" "vpc" {
  provider = terraform.far
  input    = { id = "vpc", arn = "arn" }
}

resource "terraform_data" "other" {
  input = { id = "other", arn = "arn" }
}

resource "terraform_data" "zone" {
  for_each = toset(["a", "b"])
  input    = { name = each.key, cidr = each.value }
}

resource "terraform_data" "one" {
  input = "${local.name} ${terraform_data.vpc.output.id} ${var.size}"
}

resource "terraform_data" "two" {
  input            = <<-EOT
    ${terraform_data.other.output.id}
      ${terraform_data.one.output}
  EOT
  triggers_replace = [local.note, var.size]
  depends_on       = [terraform_data.one, terraform_data.vpc]

  lifecycle {
    ignore_changes        = [triggers_replace]
    create_before_destroy = true
  }
}

resource "terraform_data" "keyed" {
  for_each = { x = terraform_data.vpc.output.id, y = terraform_data.other.output.arn }
  input    = [each.key, each.value, terraform_data.zone["a"].output.cidr]

  provisioner "local-exec" {
    command = "echo ${self.id}"
  }
}

check "name" {
  assert {
    condition     = terraform_data.one.output != ""
    error_message = "empty"
  }
}

output "two" {
  value = terraform_data.two.output
}
"#;

const STACKS: &str = r#"
  stack "network" { take = ["terraform_data.vpc", "terraform_data.other", "terraform_data.zone"] }
  stack "app" { take = ["terraform_data.one", "terraform_data.two", "terraform_data.keyed"] }
"#;

/// What a careless rewrite might do: stack, file, what was written, what it would write.
const MUTATIONS: [(&str, &str, &str, &str); 26] = [
    // References: swapped, to something else, to another attribute or key.
    (
        "app",
        "main.tf",
        "local.network.data.vpc.output.id} ${var",
        "local.network.data.other.output.id} ${var",
    ),
    (
        "app",
        "main.tf",
        "local.network.data.vpc.output.id} ${var",
        "local.network.data.vpc.output.arn} ${var",
    ),
    (
        "app",
        "main.tf",
        "${terraform_data.one.output}",
        "${terraform_data.two.output}",
    ),
    ("app", "main.tf", "${local.name}", "${local.note}"),
    (
        "app",
        "main.tf",
        "[local.note, var.size]",
        "[var.size, local.note]",
    ),
    ("app", "main.tf", "each.key, each.value", "each.value, each.key"),
    ("app", "main.tf", "zone[\"a\"]", "zone[\"b\"]"),
    ("app", "main.tf", "self.id", "self.output"),
    // What is told: of something else, of another attribute.
    (
        "network",
        "contract.tf",
        "terraform_data.vpc.output",
        "terraform_data.other.output",
    ),
    ("network", "contract.tf", "one.output", "one.input"),
    // What is gone or new.
    (
        "app",
        "main.tf",
        "  depends_on       = [terraform_data.one]\n",
        "",
    ),
    ("app", "main.tf", "    create_before_destroy = true\n", ""),
    (
        "app",
        "main.tf",
        "create_before_destroy = true",
        "prevent_destroy = true",
    ),
    (
        "app",
        "main.tf",
        "  lifecycle {\n    ignore_changes        = [triggers_replace]\n    create_before_destroy = true\n  }\n",
        "",
    ),
    (
        "app",
        "main.tf",
        "  provisioner \"local-exec\" {\n    command = \"echo ${self.id}\"\n  }\n",
        "",
    ),
    ("app", "main.tf", "check \"name\"", "check \"other\""),
    ("network", "main.tf", "arn = \"arn\"", "arn = \"arm\""),
    ("network", "main.tf", "  provider = terraform.far\n", ""),
    (
        "network",
        "main.tf",
        "provider \"terraform\" {\n  alias = \"far\"\n}\n",
        "",
    ),
    // Texts and keys.
    (
        "app",
        "main.tf",
        "      ${terraform_data.one",
        "    ${terraform_data.one",
    ),
    ("app", "main.tf", "echo", "rm"),
    ("app", "main.tf", "{ x = ", "{ z = "),
    ("network", "main.tf", "toset([\"a\", \"b\"])", "toset([\"a\"])"),
    ("app", "main.tf", "default = 1", "default = 2"),
    ("app", "main.tf", "name = \"shop\"", "name = \"stop\""),
    (
        "app",
        "main.tf",
        "value = terraform_data.two.output",
        "value = terraform_data.two.input",
    ),
];

#[test]
fn whatever_says_something_else_is_found() {
    let cut = super::small::check(&[("main.tf", CODE.trim_start())], STACKS);
    let mut missed = Vec::new();
    for (stack, file, from, to) in MUTATIONS {
        let mut mutated = cut.rewritten.clone();
        let id = id(&mutated, stack);
        let tree = mutated.trees.get_mut(&id).unwrap();
        let text = String::from_utf8(tree[file].clone()).unwrap();
        assert!(text.contains(from), "{stack}/{file} has no {from}:\n{text}");
        tree.insert(file.into(), text.replacen(from, to, 1).into_bytes());
        if cut.faults(&mutated).is_empty() {
            missed.push((from, to));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
