//! What comes along with blocks: locals, comments, overrides, history, modules from elsewhere; and names that collide.

use super::small::{check, formatted};

#[test]
fn two_stacks_without_crossings() {
    let code = r#"
# Our queue.
locals {
  name        = "shop"
  unused      = 1
  longer_name = "x"
}

variable "region" {
  default = "eu"
}

resource "terraform_data" "a" {
  input = "${local.name}-a-${var.region}"
}

# The other one.
resource "terraform_data" "b" {
  for_each = toset(["x", "y"])
  input    = each.key
}

output "b" {
  value = terraform_data.b["x"].output
}
"#;
    let stacks = r#"
  stack "one" { take = ["terraform_data.a"] }
  stack "two" { take = ["terraform_data.b"] }
"#;
    let cut = check(&[("main.tf", code.trim_start())], stacks);
    insta::assert_snapshot!(cut.text("one", "main.tf"), @r#"
    # Our queue.
    locals {
      name = "shop"
    }

    variable "region" {
      default = "eu"
    }

    resource "terraform_data" "a" {
      input = "${local.name}-a-${var.region}"
    }
    "#);
    insta::assert_snapshot!(cut.text("two", "main.tf"), @r#"
    # The other one.
    resource "terraform_data" "b" {
      for_each = toset(["x", "y"])
      input    = each.key
    }

    output "b" {
      value = terraform_data.b["x"].output
    }
    "#);
}

#[test]
fn names_do_not_collide() {
    let code = r#"
variable "app" {
  default = "v"
}

locals {
  network         = { id = terraform_data.network.output }
  network_private = 1
  used            = local.network_private
}

module "network_stack" {
  source = "./m"
  value  = terraform_data.network.output
}

resource "terraform_data" "network" {
  input = var.app
}

resource "terraform_data" "app" {
  input = [local.network.id, local.used, module.network_stack.value]
}

output "contract" {
  value = terraform_data.network.output
}

output "back" {
  value = [terraform_data.app.output, module.network_stack.id]
}
"#;
    let module = "variable \"value\" {}\n\nresource \"terraform_data\" \"data\" {\n  input = var.value\n}\n\noutput \"value\" {\n  value = var.value\n}\n\noutput \"id\" {\n  value = terraform_data.data.output\n}\n";
    let stacks = r#"
  stack "network" { take = ["terraform_data.network", "module.network_stack"] }
  stack "app" { take = ["terraform_data.app"] }
"#;
    let cut = check(
        &[
            ("main.tf", &formatted(code)),
            ("m/main.tf", module),
            ("upstream.tf", "# ours\n"),
            ("contract.tf", ""),
        ],
        stacks,
    );
    insta::assert_snapshot!(cut.text("app", "upstream_2.tf"), @r#"
    # What this stack reads of others.
    data "terraform_remote_state" "network_contract" {
      backend = "local"

      config = {
        path = "LAB/states/network.tfstate"
      }
    }

    locals {
      network_contract = jsondecode(data.terraform_remote_state.network_contract.outputs.contract_document).public
    }
    "#);
}

#[test]
fn overrides_json_and_history_are_carried() {
    let main = r#"
terraform {
  required_version = ">= 1.0"

  backend "local" {
    path = "terraform.tfstate"
  }
}

# Moved long ago.
moved {
  from = terraform_data.old
  to   = terraform_data.base
}

moved {
  from = module.gone
  to   = module.kept
}

resource "terraform_data" "base" {
  input = "base"
}

resource "terraform_data" "reader" {
  input = "not this"

  lifecycle {
    create_before_destroy = true
  }
}

check "base" {
  assert {
    condition     = terraform_data.base.output != ""
    error_message = "empty"
  }
}

removed {
  from = terraform_data.forgotten

  lifecycle {
    destroy = false
  }
}
"#;
    let overriding = r#"
resource "terraform_data" "reader" {
  input = "${terraform_data.base.output} but that"
}
"#;
    let json = r#"{
  "//": "by a generator",
  "locals": {"list": ["a", "b"], "gone": "x"},
  "resource": {
    "terraform_data": {
      "json": {
        "for_each": "${toset(local.list)}",
        "input": "${each.key} of ${terraform_data.base.output} and ${lookup({\"a\" = terraform_data.base.output}, \"a\")}",
        "depends_on": ["terraform_data.base", "terraform_data.json_too"]
      },
      "json_too": {"input": {"deep": ["${terraform_data.base.output}"]}}
    }
  },
  "output": {"json": {"value": "${terraform_data.json[\"a\"].output}"}}
}
"#;
    let stacks = r#"
  stack "base" { take = ["terraform_data.base"] }
  stack "rest" { take = ["terraform_data.reader", "terraform_data.json", "terraform_data.json_too"] }
"#;
    let cut = check(
        &[
            ("main.tf", main.trim_start()),
            ("main_override.tf", overriding.trim_start()),
            ("generated.tf.json", json),
        ],
        stacks,
    );
    insta::assert_snapshot!(cut.text("rest", "main_override.tf"), @r#"
    resource "terraform_data" "reader" {
      input = "${local.base.data.base.output} but that"
    }
    "#);
    insta::assert_snapshot!(cut.text("rest", "generated.tf.json"), @r#"
    {
      "//": "by a generator",
      "locals": {"list": ["a", "b"]},
      "resource": {
        "terraform_data": {
          "json": {
            "for_each": "${toset(local.list)}",
            "input": "${each.key} of ${local.base.data.base.output} and ${lookup({\"a\" = local.base.data.base.output}, \"a\")}",
            "depends_on": ["terraform_data.json_too"]
          },
          "json_too": {"input": {"deep": ["${local.base.data.base.output}"]}}
        }
      },
      "output": {"json": {"value": "${terraform_data.json[\"a\"].output}"}}
    }
    "#);
    insta::assert_snapshot!(cut.text("base", "main.tf"), @r#"
    terraform {
      required_version = ">= 1.0"

      backend "local" {
        path = "LAB/states/base.tfstate"
      }
    }

    # Moved long ago.
    moved {
      from = terraform_data.old
      to   = terraform_data.base
    }

    resource "terraform_data" "base" {
      input = "base"
    }

    check "base" {
      assert {
        condition     = terraform_data.base.output != ""
        error_message = "empty"
      }
    }
    "#);
}

#[test]
fn modules_from_outside_come_along() {
    let code = "module \"a\" {\n  source = \"../shared/a\"\n}\n\nmodule \"inner\" {\n  source = \"./inner\"\n  value  = module.a.value\n}\n";
    let a = "module \"b\" {\n  source = \"../../deep/b\"\n}\n\nresource \"terraform_data\" \"this\" {\n  input = \"a ${module.b.value}\"\n}\n\noutput \"value\" {\n  value = terraform_data.this.output\n}\n";
    let b = "output \"value\" {\n  value = file(\"${path.module}/b.txt\")\n}\n";
    let inner = "variable \"value\" {}\n\nmodule \"b\" {\n  source = \"../../deep/b\"\n}\n\nresource \"terraform_data\" \"this\" {\n  input = \"${var.value} ${module.b.value}\"\n}\n";
    let stacks = r#"
  stack "one" { take = ["module.a"] }
  stack "two" { take = ["module.inner"] }
"#;
    let files = [
        ("main.tf", code),
        ("../shared/a/main.tf", a),
        ("../deep/b/main.tf", b),
        ("../deep/b/b.txt", "b"),
        ("inner/main.tf", inner),
    ];
    let cut = check(&files, stacks);
    let (_, tree) = cut
        .rewritten
        .trees
        .iter()
        .find(|(id, _)| id.name().as_str() == "two")
        .unwrap();
    assert!(tree.contains_key("modules/deep/b/b.txt"), "{:?}", tree.keys());
    insta::assert_snapshot!(cut.text("two", "inner/main.tf"), @r#"
    variable "value" {}

    module "b" {
      source = "../modules/deep/b"
    }

    resource "terraform_data" "this" {
      input = "${var.value} ${module.b.value}"
    }
    "#);
}

#[test]
fn modules_of_one_name_inside_and_outside_do_not_get_mixed_up() {
    let code = "module \"out\" {\n  source = \"../modules/x\"\n}\n\nmodule \"in\" {\n  source = \"./modules/x\"\n}\n";
    let module =
        |what: &str| format!("resource \"terraform_data\" \"{what}\" {{\n  input = \"{what}\"\n}}\n");
    let (outside, inside) = (module("outside"), module("inside"));
    let cut = check(
        &[
            ("main.tf", code),
            ("../modules/x/main.tf", &outside),
            ("modules/x/main.tf", &inside),
        ],
        "  stack \"one\" {\n    take = [\"module.out\", \"module.in\"]\n  }\n",
    );
    insta::assert_snapshot!(cut.text("one", "main.tf"), @r#"
    module "out" {
      source = "./modules/x_2"
    }

    module "in" {
      source = "./modules/x"
    }
    "#);
    assert_eq!(
        cut.rewritten.ledger.beside["mono"],
        std::collections::BTreeSet::from(["../modules/x".to_owned()])
    );
    assert_eq!(cut.text("one", "modules/x/main.tf"), inside);
    assert_eq!(cut.text("one", "modules/x_2/main.tf"), outside);
}

#[test]
fn a_module_outside_that_blocks_are_lifted_from_is_copied_for_the_monolith() {
    let code = "module \"shared\" {\n  source = \"../shared\"\n}\n";
    let shared = "resource \"terraform_data\" \"goes\" {\n  input = \"goes\"\n}\n\nresource \"terraform_data\" \"stays\" {\n  input = \"stays\"\n}\n";
    let stacks = r#"
  stack "one" {
    take = ["module.shared.terraform_data.goes"]
    move {
      from = "module.shared.terraform_data.goes"
      to   = "terraform_data.goes"
    }
  }
"#;
    let cut = check(&[("main.tf", code), ("../shared/main.tf", shared)], stacks);
    insta::assert_snapshot!(cut.text("mono", "main.tf"), @r#"
    module "shared" {
      source = "./modules/shared"
    }
    "#);
    assert_eq!(
        cut.text("mono", "modules/shared/main.tf"),
        "resource \"terraform_data\" \"stays\" {\n  input = \"stays\"\n}\n"
    );
}
