//! What cannot be cut is refused whole, with its place and a way out.

use std::fs;

use super::desk::Desk;
use super::workflow::{PLAN, applied};

const FILE: &str = "plans/shop.hcl";
const SPLIT: [&str; 6] = ["split", "infra", "--plan", FILE, "--out", "out"];

fn with(desk: &Desk, code: &str, stacks: &str) {
    desk.write("infra/more.tf", code);
    let plan = PLAN.trim_end().strip_suffix('}').unwrap();
    desk.write(FILE, &format!("{plan}{stacks}}}\n"));
    let terraform = desk.terraform(crate::support::tools::tools().terraform(), "infra");
    terraform.apply();
}

#[test]
fn a_cycle_is_shown_with_its_references_and_the_smallest_way_out() {
    let desk = applied();
    with(
        &desk,
        r#"
resource "terraform_data" "back" {
  input = terraform_data.hall.output
}

resource "terraform_data" "forth" {
  input = terraform_data.back.output
}
"#,
        r#"
  stack "one" { take = ["terraform_data.back"] }
  stack "two" { take = ["terraform_data.hall", "terraform_data.forth"] }
"#,
    );
    let refused = desk.run(&SPLIT).code(1);
    assert!(refused.stdout.is_empty() && !desk.path("out").exists());
    insta::assert_snapshot!(refused.stderr, @r#"
    ✓ read infra and infra/terraform.tfstate
    error: the contracts of `one`, `two` form a cycle
      = note: `two` reads `terraform_data.back` of `one` at infra/more.tf:7:11
      = note: `one` reads `terraform_data.hall` of `two` at infra/more.tf:3:11
      = note: nothing was written
    hint: the cycle would be broken if `terraform_data.forth` went to `one`

    error: the code cannot be cut as the plan file says
      = note: nothing was written
    hint: follow the advice above, or cut the states alone with --states-only
    "#);
    let refused = desk.run(&[&SPLIT[..], &["--format", "json"]].concat()).code(1);
    let report = refused.json();
    insta::assert_snapshot!(format!("{:#}", report["refusals"]), @r#"
    [
      {
        "at": null,
        "hint": "the cycle would be broken if `terraform_data.forth` went to `one`",
        "message": "the contracts of `one`, `two` form a cycle",
        "notes": [
          "`two` reads `terraform_data.back` of `one` at infra/more.tf:7:11",
          "`one` reads `terraform_data.hall` of `two` at infra/more.tf:3:11",
          "nothing was written"
        ]
      }
    ]
    "#);
    assert!(!desk.path("out").exists());
    // The states alone can be cut, with a negative verdict.
    let alone = desk.run(&[&SPLIT[..], &["--states-only"]].concat()).code(2);
    assert!(
        alone.stdout.contains("✗ no stacks depend on each other: 1 cycle"),
        "{}",
        alone.stdout
    );
    assert!(desk.path("out/states/one.tfstate").exists() && !desk.path("out/stacks").exists());
    // A plan says it as well, and goes on.
    let planned = desk.run(&["plan", FILE]).code(2);
    assert!(
        planned
            .stdout
            .contains("✗ the code can follow: refused for 1 reason"),
        "{}",
        planned.stdout
    );
    assert!(
        planned
            .stderr
            .contains("warning: the contracts of `one`, `two` form a cycle"),
        "{}",
        planned.stderr
    );
    let refused = desk.run(&["emit", FILE, "--out", "new"]).code(1);
    assert!(
        refused.stderr.contains("form a cycle") && !desk.path("new").exists(),
        "{}",
        refused.stderr
    );
}

#[test]
fn every_refusal_is_told_and_nothing_is_written() {
    let desk = applied();
    with(
        &desk,
        r#"
resource "terraform_data" "one" {
  input = 1

  lifecycle {
    replace_triggered_by = [terraform_data.vpc]
  }
}

resource "terraform_data" "two" {
  input = 2

  lifecycle {
    replace_triggered_by = [terraform_data.orders]
  }
}
"#,
        "",
    );
    desk.write("out/.stackcut", "Written by stackcut.\n");
    desk.write("out/old", "as it was");
    let refused = desk.run(&SPLIT).code(1);
    insta::assert_snapshot!(refused.stderr, @r#"
    ✓ read infra and infra/terraform.tfstate
    error: `replace_triggered_by` cannot reach into another state
       --> infra/more.tf:14:29
       |
    14 |     replace_triggered_by = [terraform_data.orders]
       |                             ^^^^^^^^^^^^^^^^^^^^^
      = note: this block goes to `shop`; nothing was written
    hint: take both into one stack, or replace the reference by a `terraform_data` whose input is the value that matters (`triggers_replace`), and apply that in the monolith first

    error: `replace_triggered_by` cannot reach into another state
      --> infra/more.tf:6:29
      |
    6 |     replace_triggered_by = [terraform_data.vpc]
      |                             ^^^^^^^^^^^^^^^^^^
      = note: this block goes to `shop`; nothing was written
    hint: take both into one stack, or replace the reference by a `terraform_data` whose input is the value that matters (`triggers_replace`), and apply that in the monolith first

    error: the code cannot be cut as the plan file says
      = note: nothing was written
    hint: follow the advice above, or cut the states alone with --states-only
    "#);
    assert_eq!(desk.tree("out").len(), 2, "an earlier result is kept");
}

#[test]
fn what_only_states_can_do_is_said() {
    let desk = applied();
    desk.write(
        FILE,
        &PLAN.replace("stack \"orders\" {", "stack \"orders\" {\n    existing = true"),
    );
    let state = r#"{"version": 4, "terraform_version": "1.5.0", "serial": 7, "lineage": "l", "outputs": {}, "resources": []}"#;
    desk.write("states/orders.tfstate", state);
    let planned = desk.run(&["plan", FILE]).code(2);
    insta::assert_snapshot!(planned.stderr, @r#"
    warning: `orders` has code already: blocks are not written into it
       --> plans/shop.hcl:22:9
       |
    22 |   stack "orders" {
       |         ^^^^^^^^
    hint: move the state with this plan file, and take the blocks over by hand; a plan of the stack with real Terraform proves the result
    warning: the code does not follow: the states move alone
    hint: write the code by hand, and plan it with real Terraform
    ✓ computed plans/shop.hcl, environment default
    "#);
    assert!(
        !planned.stdout.contains("code and states fit"),
        "{}",
        planned.stdout
    );
    let refused = desk.run(&["emit", FILE, "--out", "new"]).code(1);
    assert!(
        refused.stderr.contains("`orders` has code already"),
        "{}",
        refused.stderr
    );
    assert!(!desk.path("new").exists());
}

#[test]
fn a_state_without_code_is_cut_alone() {
    let desk = applied();
    fs::write(desk.path("infra/main.tf"), "terraform {\n}\n").unwrap();
    let split = desk.run(&SPLIT).code(0);
    assert!(
        split
            .stderr
            .contains("warning: infra declares no resources: the states move alone"),
        "{}",
        split.stderr
    );
    assert!(desk.path("out/states/orders.tfstate").exists() && !desk.path("out/stacks").exists());
}
