//! What cannot be cut is refused with its place and a way out, and nothing is written.

use super::lab::Lab;
use super::small::{self, plan};
use crate::support::tools::tools;

fn refusal(code: &str, stacks: &str) -> String {
    small::refusal(&[("main.tf", code)], stacks)
}

const TWO: &str = r#"
  stack "one" { take = ["terraform_data.a"] }
  stack "two" { take = ["terraform_data.b"] }
"#;

#[test]
fn replacement_across_a_cut() {
    let code = r#"
resource "terraform_data" "a" {
  input = 1
}

resource "terraform_data" "b" {
  input = 2

  lifecycle {
    replace_triggered_by = [terraform_data.a]
  }
}
"#;
    insta::assert_snapshot!(refusal(code, TWO), @r#"
    error: `replace_triggered_by` cannot reach into another state
      --> LAB/monolith/main.tf:9:29
      |
    9 |     replace_triggered_by = [terraform_data.a]
      |                             ^^^^^^^^^^^^^^^^
      = note: this block goes to `two`; nothing was written
    hint: take both into one stack, or replace the reference by a `terraform_data` whose input is the value that matters (`triggers_replace`), and apply that in the monolith first
    "#);
}

#[test]
fn stacks_that_read_each_other() {
    let code = r#"
resource "terraform_data" "a" {
  input = 1
}

resource "terraform_data" "b" {
  input = terraform_data.a.output
}

resource "terraform_data" "c" {
  input = terraform_data.b.output
}
"#;
    let stacks = r#"
  stack "one" { take = ["terraform_data.a", "terraform_data.c"] }
  stack "two" { take = ["terraform_data.b"] }
"#;
    insta::assert_snapshot!(refusal(code, stacks), @r#"
    error: the contracts of `one`, `two` form a cycle
      = note: `two` reads `terraform_data.a` of `one` at LAB/monolith/main.tf:6:11
      = note: `one` reads `terraform_data.b` of `two` at LAB/monolith/main.tf:10:11
      = note: nothing was written
    hint: the cycle would be broken if `terraform_data.a` went to `two`
    "#);
}

#[test]
fn a_secret_that_nobody_allowed() {
    let code = r#"
resource "terraform_data" "a" {
  input = { password = "hush" }
}

module "db" {
  source = "./db"
}

resource "terraform_data" "b" {
  input = [module.db.admin_password, module.db.hidden]
}
"#;
    let db = r#"
resource "terraform_data" "this" {
  input = "x"
}

output "admin_password" {
  value = terraform_data.this.output
}

output "hidden" {
  value     = terraform_data.this.output
  sensitive = true
}
"#;
    let stacks = r#"
  stack "one" { take = ["module.db"] }
  stack "two" { take = ["terraform_data.b"] }
"#;
    let files = [("main.tf", code), ("db/main.tf", db)];
    insta::assert_snapshot!(small::refusal(&files, stacks), @r#"
    error: the secret `module.db.admin_password` of `one` would cross to `two`
       --> LAB/monolith/main.tf:10:12
       |
    10 |   input = [module.db.admin_password, module.db.hidden]
       |            ^^^^^^^^^^^^^^^^^^^^^^^^
      = note: its name, a name in it, or the same text elsewhere says that it is secret; nothing was written
    hint: hand on the ARN of the secret instead and read it there; or allow it by name: `allow_sensitive = ["module.db.admin_password"]` in the block of `two`

    error: the secret `module.db.hidden` of `one` would cross to `two`
       --> LAB/monolith/main.tf:10:38
       |
    10 |   input = [module.db.admin_password, module.db.hidden]
       |                                      ^^^^^^^^^^^^^^^^
      = note: Terraform knows it as sensitive; nothing was written
    hint: hand on the ARN of the secret instead and read it there; or allow it by name: `allow_sensitive = ["module.db.hidden"]` in the block of `two`
    "#);
}

#[test]
fn counted_instances_that_count_cannot_give() {
    let code = r#"
resource "terraform_data" "a" {
  count = 3
  input = count.index
}
"#;
    let stacks = r#"
  stack "one" { take = ["terraform_data.a[1]"] }
"#;
    insta::assert_snapshot!(refusal(code, stacks), @r#"
    error: `mono` gets instances [0], [2] of resource `terraform_data.a`, which `count` cannot give alone
      --> LAB/monolith/main.tf:1:1
      |
    1 | resource "terraform_data" "a" {
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = note: nothing was written
    hint: give each of them a name of its own with a `move` block (`from = "…[2]"`, `to = "…"`), or take the first ones, or all

    error: `one` gets instances [1] of resource `terraform_data.a`, which `count` cannot give alone
      --> LAB/monolith/main.tf:1:1
      |
    1 | resource "terraform_data" "a" {
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = note: nothing was written
    hint: give each of them a name of its own with a `move` block (`from = "…[2]"`, `to = "…"`), or take the first ones, or all
    "#);
}

#[test]
fn a_module_that_would_be_torn() {
    let code = r#"
module "m" {
  source = "./m"
}
"#;
    let m = r#"
resource "terraform_data" "a" {
  input = 1
}

resource "terraform_data" "b" {
  input = 2
}
"#;
    let stacks = r#"
  stack "one" { take = ["module.m.terraform_data.a"] }
"#;
    let files = [("main.tf", code), ("m/main.tf", m)];
    insta::assert_snapshot!(small::refusal(&files, stacks), @r#"
    error: module call `m` would be in several states (`mono`, `one`): a module call cannot be divided
      --> LAB/monolith/main.tf:1:1
      |
    1 | module "m" {
      | ^^^^^^^^^^
      = note: nothing was written
    hint: take the module instance as a whole (`module.NAME` or `module.NAME["key"]`), or lift single blocks out of it with `move` blocks whose `to` has no module
    "#);
}

#[test]
fn a_contract_that_its_parameter_cannot_hold() {
    let code = r#"
resource "terraform_data" "a" {
  input = join(",", [for i in range(1000) : "item ${i}"])
}

resource "terraform_data" "b" {
  input = terraform_data.a.output
}
"#;
    let plan = plan(TWO).replace("remote_state", "ssm");
    let lab = Lab::new(tools().terraform(), &[("main.tf", code.trim_start())], &plan).apply();
    insta::assert_snapshot!(lab.refusal(), @r#"
    error: the contract of `one` has 8958 bytes, and its parameter holds 4096
      = note: nothing was written
    hint: say `store = "s3"` in its `contract` block; `tier = "advanced"` holds 8192 bytes, at a price
    "#);
}

#[test]
fn a_block_of_which_one_instance_stays_in_its_module() {
    let code = r#"
module "m" {
  source   = "./m"
  for_each = toset(["a", "b"])
}
"#;
    let m = "resource \"terraform_data\" \"x\" {\n  input = 1\n}\n\nresource \"terraform_data\" \"y\" {}\n";
    let stacks = r#"
  stack "one" {
    take = ["module.m[\"a\"].terraform_data.x"]
    move {
      from = "module.m[\"a\"].terraform_data.x"
      to   = "terraform_data.x"
    }
  }
"#;
    let files = [("main.tf", code), ("m/main.tf", m)];
    insta::assert_snapshot!(small::refusal(&files, stacks), @r#"
    error: `module.m["b"].terraform_data.x` stays in its module, while others of resource `terraform_data.x` leave it
      = note: nothing was written
    hint: take them all out, or take whole instances of the module
    "#);
}

#[test]
fn the_fewest_blocks_that_break_a_cycle_are_named() {
    let code = r#"
resource "terraform_data" "a" {
  input = 1
}

resource "terraform_data" "b" {
  input = [terraform_data.a.output, local.through]
}

locals {
  through = terraform_data.key.output
}

resource "terraform_data" "key" {
  input = 3
}

resource "terraform_data" "c" {
  input = terraform_data.b.output
}

resource "terraform_data" "watcher" {
  input = terraform_data.c.output
}
"#;
    let stacks = r#"
  stack "one" { take = ["terraform_data.a", "terraform_data.c", "terraform_data.key"] }
  stack "two" { take = ["terraform_data.b"] }
"#;
    insta::assert_snapshot!(refusal(code, stacks), @r#"
    error: the contracts of `one`, `two` form a cycle
      = note: `two` reads `terraform_data.a` of `one` at LAB/monolith/main.tf:6:12
      = note: `one` reads `terraform_data.b` of `two` at LAB/monolith/main.tf:18:11
      = note: `two` reads `terraform_data.key` of `one` at LAB/monolith/main.tf:10:13
      = note: nothing was written
    hint: the cycle would be broken if `terraform_data.c` went to `two`
    "#);
}

#[test]
fn json_that_cannot_be_divided() {
    let code = r#"{
  "resource": {
    "terraform_data": {
      "a": {
        "for_each": {"${\"k\"}": 1, "l": 2},
        "input": "${each.value}"
      }
    }
  }
}
"#;
    let stacks = "  stack \"one\" { take = [\"terraform_data.a[\\\"k\\\"]\"] }\n";
    let files = [("main.tf.json", code), ("empty.tf", "")];
    insta::assert_snapshot!(small::refusal(&files, stacks), @r#"
    error: resource `terraform_data.a` would be divided by its keys, and its `for_each` in JSON syntax is neither an object with constant names nor one template
      --> LAB/monolith/main.tf.json:5:9
      |
    5 |         "for_each": {"${\"k\"}": 1, "l": 2},
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = note: nothing was written
    hint: write it as one template, `"${local.all}"`; or take all of its keys; or write the block in HCL first
    "#);
}
