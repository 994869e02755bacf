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
