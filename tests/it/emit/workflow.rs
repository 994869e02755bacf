//! From a monolith to stacks at rest, on local states: emit and commit before the move, or after it.

use super::desk::Desk;
use crate::support::tools::tools;

pub const CODE: &str = r#"terraform {
  backend "local" {
    path = "terraform.tfstate"
  }
}

variable "who" {
  default = "world"
}

# Everything is in it.
resource "terraform_data" "vpc" {
  input = "10.0.0.0/16"
}

resource "terraform_data" "orders" {
  input = "orders in ${terraform_data.vpc.output} for ${var.who}"
}

resource "terraform_data" "hall" {
  input = [terraform_data.vpc.output, terraform_data.orders.output]
}

output "vpc" {
  value = terraform_data.vpc.output
}
"#;

pub const PLAN: &str = r#"
split "shop" {
  source {
    dir = "../infra"
  }

  defaults {
    backend "local" {
      path = "../states/${stack}.tfstate"
    }

    contract {
      store = "remote_state"
    }
  }

  stack "network" {
    layer = "network"
    take  = ["terraform_data.vpc"]
  }

  stack "orders" {
    layer = "service"
    take  = ["terraform_data.orders"]
  }
}
"#;

const FILE: &str = "plans/shop.hcl";

pub fn applied() -> Desk {
    let desk = Desk::new(&[("infra/main.tf", CODE), (FILE, PLAN)]);
    let terraform = desk.terraform(tools().terraform(), "infra");
    terraform.init();
    terraform.apply();
    // The values are known after it, and wait in no output any more.
    terraform.settle();
    desk
}

fn plans_are_empty(desk: &Desk) {
    for bin in tools().terraforms() {
        for dir in ["new/stacks/network", "new/stacks/orders", "infra"] {
            let terraform = desk.terraform(bin, dir);
            terraform.init();
            terraform.assert_no_changes();
        }
    }
}

#[test]
fn emit_then_commit_then_apply() {
    let desk = applied();
    let emitted = desk.run(&["emit", FILE, "--out", "new"]).code(0);
    insta::assert_snapshot!(emitted.stdout, @r"
    added      contracts.json
    added      schemas/network.json
    added      schemas/orders.json
    added      sources/shop/main.tf
    added      sources/shop/upstream.tf
    added      stacks/network/contract.tf
    added      stacks/network/main.tf
    added      stacks/orders/contract.tf
    added      stacks/orders/main.tf
    added      stacks/orders/upstream.tf

    new: 10 added, 0 changed, 0 removed, 0 unchanged
    order of apply (default): network, orders, shop
    ");
    // The plan is saved before the code goes: what is left of it cannot be cut.
    desk.run(&["plan", FILE, "--out", "saved.json"]).code(2);
    desk.commit("new/sources/shop", "infra");
    desk.run(&["apply", "saved.json", "--auto-approve"]).code(0);
    let id = desk.migration(FILE);
    desk.run(&["release", &id]).code(0);
    plans_are_empty(&desk);
}

#[test]
fn apply_then_emit_then_commit() {
    let desk = applied();
    desk.run(&["emit", FILE, "--out", "before"]).code(0);
    desk.run(&["apply", FILE, "--auto-approve"]).code(0);
    desk.run(&["emit", FILE, "--out", "new"]).code(0);
    assert_eq!(desk.tree("before"), desk.tree("new"));
    desk.commit("new/sources/shop", "infra");
    let id = desk.migration(FILE);
    desk.run(&["release", &id]).code(0);
    plans_are_empty(&desk);
    // Stacks live on, and the fence is down: as long as the old code is at hand, the new is the same.
    desk.write("infra/main.tf", CODE);
    std::fs::remove_file(desk.path("infra/upstream.tf")).unwrap();
    desk.run(&["emit", FILE, "--out", "new", "--check"]).code(0);
    desk.run(&["undo", &id, "--auto-approve"]).code(0);
    desk.run(&["emit", FILE, "--out", "new", "--check"]).code(0);
}

/// What is left of the code does not tell which outputs follow and what contracts hold: states move, and outputs come
/// with an apply of each, producers first.
#[test]
fn emit_then_commit_then_apply_without_a_saved_plan() {
    let desk = applied();
    desk.run(&["emit", FILE, "--out", "new"]).code(0);
    desk.commit("new/sources/shop", "infra");
    let applied = desk.run(&["apply", FILE, "--auto-approve"]).code(0);
    assert!(
        applied
            .stderr
            .contains("warning: the code does not follow: the states move alone"),
        "{}",
        applied.stderr
    );
    let id = desk.migration(FILE);
    desk.run(&["release", &id]).code(0);
    for dir in ["new/stacks/network", "new/stacks/orders", "infra"] {
        let terraform = desk.terraform(tools().terraform(), dir);
        terraform.init();
        let found = crate::support::terraform::changes(&terraform.plan_json());
        assert!(
            found.iter().all(|change| change.starts_with("output.")),
            "{dir}: {found:?}"
        );
        terraform.apply();
    }
    plans_are_empty(&desk);
}

#[test]
fn what_is_left_of_a_monolith_cannot_be_cut_again() {
    let desk = applied();
    desk.run(&["emit", FILE, "--out", "new"]).code(0);
    desk.run(&["apply", FILE, "--auto-approve"]).code(0);
    desk.commit("new/sources/shop", "infra");
    let refused = desk.run(&["emit", FILE, "--out", "other"]).code(1);
    assert!(!desk.path("other").exists());
    assert!(
        refused
            .stderr
            .contains("check out the code of the monolith as it was before the cut"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_plan_file_that_says_something_else_than_was_done_is_refused() {
    let desk = applied();
    desk.run(&["apply", FILE, "--auto-approve"]).code(0);
    desk.write(
        FILE,
        &PLAN.replace("[\"terraform_data.orders\"]", "[\"terraform_data.hall\"]"),
    );
    let refused = desk.run(&["emit", FILE, "--out", "new"]).code(1);
    insta::assert_snapshot!(refused.stderr, @r#"
    error: `terraform_data.orders` was moved to `orders` as `terraform_data.orders`, and the plan file leaves it where it was
      = note: code is written for what was done; nothing was written
    hint: put the plan file back as it was when it was applied, or undo the migration
    "#);
}
