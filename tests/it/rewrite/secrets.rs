//! Secrets cross only where the plan file allows it, and then apart from the rest.

use super::small::{check, formatted};

#[test]
fn secrets_that_are_allowed_cross_in_private() {
    let code = r#"
variable "given" {
  default   = "hush-hush"
  sensitive = true
}

resource "terraform_data" "db" {
  input = { user = "u", password = "p" }
}

module "db" {
  source = "./db"
  given  = var.given
}

resource "terraform_data" "app" {
  input = [module.db.admin_password, module.db.user]
}

resource "terraform_data" "hidden" {
  input = module.db.hidden
}
"#;
    let db = r#"
variable "given" {}

resource "terraform_data" "this" {
  input = ["x", "y"]
}

resource "terraform_data" "secret" {
  input = var.given
}

output "user" {
  value = terraform_data.this.output[0]
}

output "admin_password" {
  value = terraform_data.this.output[1]
}

output "hidden" {
  value = terraform_data.secret.output
}
"#;
    let stacks = r#"
  stack "db" {
    take            = ["module.db", "terraform_data.db"]
    allow_sensitive = ["module.db.hidden"]
  }
  stack "app" {
    take            = ["terraform_data.app", "terraform_data.hidden"]
    allow_sensitive = ["admin_password"]
  }
"#;
    let cut = check(
        &[("main.tf", &formatted(code)), ("db/main.tf", &formatted(db))],
        stacks,
    );
    insta::assert_snapshot!(cut.text("app", "main.tf"), @r#"
    resource "terraform_data" "app" {
      input = [nonsensitive(local.db_stack_private.db.admin_password), local.db_stack.db.user]
    }

    resource "terraform_data" "hidden" {
      input = nonsensitive(local.db_stack_private.db.hidden)
    }
    "#);
    insta::assert_snapshot!(cut.text("db", "contract.tf"), @r#"
    # What other stacks may read of this one.
    output "contract" {
      value = jsonencode({
        installed = true
        public = {
          db = {
            user = module.db.user
          }
        }
      })
    }

    output "contract_private" {
      value = jsonencode({
        db = {
          admin_password = module.db.admin_password
          hidden         = module.db.hidden
        }
      })
      sensitive = true
    }
    "#);
    insta::assert_snapshot!(cut.rewritten.ledger.to_json(), @r#"
    {
      "contracts": [
        {
          "path": "/configuration",
          "producer": "db",
          "size": 108,
          "store": "remote_state",
          "values": [
            {
              "consumers": [
                "app"
              ],
              "pointer": "/private/db/admin_password",
              "sensitive": true,
              "type": "string"
            },
            {
              "consumers": [
                "app"
              ],
              "pointer": "/private/db/hidden",
              "sensitive": true,
              "type": "string"
            },
            {
              "consumers": [
                "app"
              ],
              "pointer": "/public/db/user",
              "sensitive": false,
              "type": "string"
            }
          ]
        }
      ],
      "version": 1
    }
    "#);
}

#[test]
fn secrets_cross_with_whole_objects_too() {
    let code = r#"
variable "given" {
  default   = "hush-hush"
  sensitive = true
}

resource "terraform_data" "db" {
  for_each = toset(["a", "b"])
  input    = { host = each.key, password = var.given }
}

resource "terraform_data" "nodes" {
  count = 2
  input = { host = count.index, password = var.given }
}

module "db" {
  source   = "./db"
  for_each = toset(["a", "b"])
  name     = each.key
}

resource "terraform_data" "loop" {
  input = [for k, d in terraform_data.db : "${k}${d.output.password}${d.id}"]
}

resource "terraform_data" "each" {
  for_each = module.db
  input    = "${each.value.name} ${each.value.token}"
}

resource "terraform_data" "values" {
  input = join(",", values(module.db)[*].token)
}

resource "terraform_data" "whole" {
  input = module.db["a"]
}

resource "terraform_data" "nodes_whole" {
  input = [for node in terraform_data.nodes : node.output.host]
}

resource "terraform_data" "count" {
  input = "${length(terraform_data.nodes)} ${terraform_data.nodes[0].output.password}"
}
"#;
    let db = r#"
variable "name" {}

resource "terraform_data" "this" {
  input = var.name
}

output "name" {
  value = terraform_data.this.output
}

output "token" {
  value = "token-${terraform_data.this.id}"
}
"#;
    let stacks = r#"
  stack "data" {
    take            = ["terraform_data.db", "terraform_data.nodes", "module.db"]
    allow_sensitive = ["output", "token"]
  }
"#;
    let cut = check(
        &[("main.tf", &formatted(code)), ("db/main.tf", &formatted(db))],
        stacks,
    );
    insta::assert_snapshot!(cut.text("data", "contract.tf"), @r#"
    # What other stacks may read of this one.
    output "contract" {
      value = jsonencode({
        installed = true
        public = {
          data = {
            db    = { for key, one in terraform_data.db : key => { id = one.id } }
            nodes = [for one in terraform_data.nodes : {}]
          }
          db = { for key, one in module.db : key => { name = one.name } }
        }
      })
    }

    output "contract_private" {
      value = jsonencode({
        data = {
          db    = { for key, one in terraform_data.db : key => { output = one.output } }
          nodes = [for one in terraform_data.nodes : { output = one.output }]
        }
        db = { for key, one in module.db : key => { token = one.token } }
      })
      sensitive = true
    }
    "#);
}
