//! `export` blocks: expressions in the monolith's words or in the stack's, which the producer's code says in its own.

use super::small::{self, borrowed, check, formatted};

const CODE: &str = r#"
locals {
  prefix = "shop"
}

module "service" {
  source   = "./service"
  for_each = toset(["orders", "payments", "returns"])
  name     = "${local.prefix}-${each.key}"
}

resource "terraform_data" "named" {
  for_each = toset(["orders", "payments"])
  input    = "named ${each.key}"
}

resource "terraform_data" "counted" {
  count = 3
  input = "n${count.index}"
}

resource "terraform_data" "plain" {
  input = { id = "p" }
}

resource "terraform_data" "other" {
  input = terraform_data.plain.output.id
}
"#;

const SERVICE: &str = "variable \"name\" {}\n\nresource \"terraform_data\" \"this\" {\n  input = var.name\n}\n\noutput \"id\" {\n  value = terraform_data.this.output\n}\n";

const ORDERS: &str = r#"
  stack "orders" {
    take = [
      "module.service[\"orders\"]", "terraform_data.named[\"orders\"]", "terraform_data.counted[2]",
      "terraform_data.plain",
    ]
    move {
      from = "module.service[\"orders\"]"
      to   = "module.main"
    }
    move {
      from = "terraform_data.named[\"orders\"]"
      to   = "terraform_data.label"
    }
    move {
      from = "terraform_data.counted[2]"
      to   = "terraform_data.third"
    }
    move {
      from = "terraform_data.plain"
      to   = "terraform_data.simple"
    }
EXPORTS
  }
  stack "rest" {
    take = ["module.service[\"payments\"]", "module.service[\"returns\"]", "terraform_data.other"]
REST
  }
"#;

const EXPORTS: &str = r#"
    export "service_id" { value = "${module.service["orders"].id}/${local.prefix}" }
    export "named" { value = terraform_data.named["orders"].output }
    export "third" { value = [terraform_data.counted[2].output, length(terraform_data.counted)] }
    export "plain" { value = upper(terraform_data.plain.output.id) }
    export "all" { value = { for key, one in module.service : key => one.id } }
    export "as_here" { value = [terraform_data.simple.output, module.main.id, terraform_data.third.input] }
"#;

fn files() -> Vec<(&'static str, String)> {
    vec![
        ("main.tf", formatted(CODE)),
        ("service/main.tf", SERVICE.to_owned()),
    ]
}

#[test]
fn exports_follow_renames() {
    let files = files();
    let stacks = ORDERS.replace("EXPORTS", EXPORTS).replace(
        "REST",
        "    export \"ids\" { value = values(module.service)[*].id }",
    );
    let cut = check(&borrowed(&files), &stacks);
    insta::assert_snapshot!(cut.text("orders", "contract.tf"), @r#"
    # What other stacks may read of this one.
    output "contract" {
      value = jsonencode({
        installed = true
        public = {
          all     = { for key, one in { orders = module.main } : key => one.id }
          as_here = [terraform_data.simple.output, module.main.id, terraform_data.third.input]
          data = {
            plain = {
              output = terraform_data.simple.output
            }
          }
          named      = terraform_data.label.output
          plain      = upper(terraform_data.simple.output.id)
          service_id = "${module.main.id}/${local.prefix}"
          third      = [terraform_data.third.output, length([terraform_data.third])]
        }
      })
    }
    "#);
    insta::assert_snapshot!(cut.text("rest", "contract.tf"), @r#"
    # What other stacks may read of this one.
    output "contract" {
      value = jsonencode({
        installed = true
        public = {
          ids = values(module.service)[*].id
        }
      })
    }
    "#);
    let ledger = cut.rewritten.ledger.to_json();
    assert!(!ledger.contains("unknown"), "{ledger}");
}

fn refused(exports: &str) -> String {
    let files = files();
    let stacks = ORDERS.replace("EXPORTS", exports).replace("REST", "");
    small::refusal(&borrowed(&files), &stacks)
}

#[test]
fn exports_of_what_is_elsewhere_are_refused() {
    insta::assert_snapshot!(refused("    export \"x\" { value = [1, module.service[\"returns\"].id] }"), @r#"
error: the export `x` of `orders` names what goes to `rest`
   --> plan.hcl:29:30
   |
29 |     export "x" { value = [1, module.service["returns"].id] }
   |                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = note: nothing was written
hint: export it in the block of `rest`, or take both into one stack
"#);
    insta::assert_snapshot!(refused("    export \"x\" { value = terraform_data.typo.output }"), @r#"
    error: the export `x` of `orders` names resource `terraform_data.typo`, which is not in the code
       --> plan.hcl:29:26
       |
    29 |     export "x" { value = terraform_data.typo.output }
       |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^
      = note: nothing was written
    hint: name a block of the monolith, or one as it is called in the stack
    "#);
}

#[test]
fn exports_hide_and_shadow_nothing() {
    insta::assert_snapshot!(refused("    export \"data\" { value = terraform_data.plain.id }"), @r#"
    error: the contract of `orders` has a member `data` already: what others read of it is in there
       --> plan.hcl:29:12
       |
    29 |     export "data" { value = terraform_data.plain.id }
       |            ^^^^^^
      = note: nothing was written
    hint: give the export another name
    "#);
    let code = r#"
resource "terraform_data" "a" {
  input = { user = "u", password = "hush" }
}

module "db" {
  source = "./db"
}
"#;
    let db = r#"
resource "terraform_data" "this" {
  input = "x"
}

output "admin_password" {
  value = terraform_data.this.output
}
"#;
    let stacks = |ending: &str| {
        format!(
            "  stack \"one\" {{\n    take = [\"module.db\"]\n    export \"admin\" {{\n      value = module.db.admin_password\n{ending}    }}\n  }}\n"
        )
    };
    let files = [("main.tf", code.trim_start()), ("db/main.tf", db.trim_start())];
    insta::assert_snapshot!(small::refusal(&files, &stacks("")), @r#"
    error: the export `admin` of `one` shows the secret `module.db.admin_password` to everyone
       --> plan.hcl:10:15
       |
    10 |       value = module.db.admin_password
       |               ^^^^^^^^^^^^^^^^^^^^^^^^
      = note: nothing was written
    hint: add `sensitive = true` to the export, or hand on the ARN of the secret instead
    "#);
    let cut = check(&files, &stacks("      sensitive = true\n"));
    insta::assert_snapshot!(cut.text("one", "contract.tf"), @r#"
    # What other stacks may read of this one.
    output "contract" {
      value = jsonencode({
        installed = true
        public    = {}
      })
    }

    output "contract_private" {
      value = jsonencode({
        admin = module.db.admin_password
      })
      sensitive = true
    }
    "#);
}
