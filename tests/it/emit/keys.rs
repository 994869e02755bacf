//! One key of a repeated block to its own stack, and blocks lifted out of a module: states and code of one `split`.

use std::fs;

use super::desk::Desk;
use crate::support::tools::tools;

const FILE: &str = "plan.hcl";

/// Applies the monolith, cuts it, and plans every stack with the states of the result.
fn split(files: &[(&str, &str)], stacks: &str, dirs: &[&str]) -> Desk {
    let plan = format!(
        "split \"shop\" {{\n  source {{\n    dir = \"infra\"\n  }}\n\n  defaults {{\n    backend \"local\" {{\n      path = \
         \"live/${{stack}}.tfstate\"\n    }}\n\n    contract {{\n      store = \"remote_state\"\n    }}\n  }}\n{stacks}}}\n"
    );
    let desk = Desk::new(files);
    desk.write(FILE, &plan);
    let terraform = desk.terraform(tools().terraform(), "infra");
    terraform.init();
    terraform.apply();
    terraform.settle();
    let cut = desk
        .run(&["split", "infra", "--plan", FILE, "--out", "out"])
        .code(0);
    assert!(cut.stdout.contains("✓ code and states fit"), "{}", cut.stdout);
    // A person takes the states where the code looks for them.
    fs::create_dir(desk.path("live")).unwrap();
    for entry in fs::read_dir(desk.path("out/states")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match name.as_str() {
            "shop.tfstate" => {
                // Where it was, for those that read it, and where its code will look.
                fs::copy(&path, desk.path("infra/terraform.tfstate")).unwrap();
                fs::copy(&path, desk.path("out/sources/shop/terraform.tfstate")).unwrap()
            }
            _ => fs::copy(&path, desk.path("live").join(name)).unwrap(),
        };
    }
    for bin in tools().terraforms() {
        for dir in dirs {
            let terraform = desk.terraform(bin, &format!("out/{dir}"));
            terraform.init();
            terraform.assert_no_changes();
            terraform
                .run(&["fmt", "-check", "-diff", "-recursive", "-no-color"])
                .ok();
        }
    }
    desk
}

#[test]
fn one_key_gets_a_stack_of_its_own() {
    let code = r#"locals {
  queues = {
    "orders.eu" = 10
    payments    = 20
    returns     = 30
  }
}

resource "terraform_data" "net" {
  count = 3
  input = count.index
}

# One for each service.
resource "terraform_data" "queue" {
  for_each = local.queues

  input = "${each.key} waits ${each.value} on ${terraform_data.net[0].output}"
}
"#;
    let stacks = r#"
  stack "orders" {
    take = ["terraform_data.queue[\"orders.eu\"]"]

    move {
      from = "terraform_data.queue[\"orders.eu\"]"
      to   = "terraform_data.queue"
    }
  }

  stack "last" {
    take = ["terraform_data.net[2]"]

    move {
      from = "terraform_data.net[2]"
      to   = "terraform_data.net"
    }
  }

  stack "money" {
    take = ["terraform_data.queue[\"payments\"]"]
  }
"#;
    let dirs = ["stacks/orders", "stacks/last", "stacks/money", "sources/shop"];
    let desk = split(&[("infra/main.tf", code)], stacks, &dirs);
    insta::assert_snapshot!(desk.read("out/stacks/orders/main.tf").split("# One").nth(1).unwrap(), @r#"
     for each service.
    resource "terraform_data" "queue" {
      input = "orders.eu waits ${local.queues["orders.eu"]} on ${local.shop.data.net["0"].output}"
    }
    "#);
    assert!(
        desk.read("out/states/orders.tfstate")
            .contains("\"name\": \"queue\"")
    );
    assert!(!desk.read("out/states/orders.tfstate").contains("index_key"));
    assert!(
        desk.read("out/states/money.tfstate")
            .contains("\"index_key\": \"payments\"")
    );
}

#[test]
fn blocks_are_lifted_out_of_a_module() {
    let code = r#"module "services" {
  source = "./services"
  prefix = "shop"
}

resource "terraform_data" "reader" {
  input = module.services.orders
}
"#;
    let inside = r#"variable "prefix" {
  type = string
}

locals {
  name = "${var.prefix}-orders"
}

# Everybody waits here.
resource "terraform_data" "orders" {
  input = local.name
}

resource "terraform_data" "returns" {
  input = "${var.prefix}-returns"
}

output "orders" {
  value = terraform_data.orders.output
}
"#;
    let stacks = r#"
  stack "orders" {
    take = ["module.services.terraform_data.orders"]

    move {
      from = "module.services.terraform_data.orders"
      to   = "terraform_data.orders"
    }
  }
"#;
    let files = [("infra/main.tf", code), ("infra/services/main.tf", inside)];
    let desk = split(&files, stacks, &["stacks/orders", "sources/shop"]);
    let all: Vec<String> = desk
        .tree("out/stacks/orders")
        .into_iter()
        .map(|(path, text)| format!("--- {path}\n{text}"))
        .collect();
    insta::assert_snapshot!(all.concat().replace(&desk.path("").display().to_string(), "DESK/"), @r#"
    --- backend.tf
    terraform {
      backend "local" {
        path = "DESK/live/orders.tfstate"
      }
    }
    --- contract.tf
    # What other stacks may read of this one.
    output "contract" {
      value = jsonencode({
        installed = true
        public = {
          data = {
            orders = {
              output = terraform_data.orders.output
            }
          }
        }
      })
    }
    --- main.tf
    locals {
      services_name   = "${local.services_prefix}-orders"
      services_prefix = "shop"
    }

    # Everybody waits here.
    resource "terraform_data" "orders" {
      input = local.services_name
    }
    "#);
    assert!(
        !desk
            .read("out/sources/shop/services/main.tf")
            .contains("\"orders\" {\n  input")
    );
}
