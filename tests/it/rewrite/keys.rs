//! Single keys of repeated blocks go to stacks of their own.

use super::small::{borrowed, check, formatted};

#[test]
fn keys_go_to_stacks_of_their_own() {
    let code = r#"
locals {
  services = {
    orders   = { size = 1, tags = ["a"] }
    payments = { size = 2, tags = [] }
    "ship/it ${"x"}" = { size = 3, tags = ["c"] }
  }

  names = toset(["orders", "payments"])
}

module "service" {
  source   = "./service"
  for_each = local.services

  name = each.key
  size = each.value.size
  tags = each.value["tags"]
}

resource "terraform_data" "set" {
  for_each = toset(["orders", "payments"])
  input    = "${each.key}:${each.value}:${module.service[each.key].id}"
}

resource "terraform_data" "named" {
  for_each = local.names
  input    = "${each.value} ${each.key}"
}

resource "terraform_data" "literal" {
  for_each = {
    orders   = { of = module.service["orders"].id }
    payments = { of = "b" }
  }

  input = each.value.of
}

resource "terraform_data" "counted" {
  count = 3

  input = "n${count.index}"
}

resource "terraform_data" "picks" {
  input = [terraform_data.counted[2].output, terraform_data.counted[0].output, module.service["payments"].id]
}

resource "terraform_data" "all" {
  input = {
    ids   = { for name, service in module.service : name => service.id }
    sizes = [for service in values(module.service) : service.size]
    ns    = terraform_data.counted[*].output
    count = length(terraform_data.counted)
    keys  = keys(module.service)
    set   = [for key, one in terraform_data.set : "${key} ${one.output}"]
  }
}

output "all" {
  value = terraform_data.all.output
}
"#;
    let service = r#"
variable "name" {}
variable "size" {}
variable "tags" {}

resource "terraform_data" "this" {
  input = "${var.name} ${var.size} ${length(var.tags)}"
}

output "id" {
  value = terraform_data.this.output
}

output "size" {
  value = var.size
}

output "everything" {
  value = { name = var.name, data = terraform_data.this }
}
"#;
    let stacks = r#"
  stack "orders" {
    take = ["module.service[\"orders\"]", "terraform_data.set[\"orders\"]", "terraform_data.literal[\"orders\"]", "terraform_data.counted[2]", "terraform_data.named[\"orders\"]"]
    move {
      from = "terraform_data.named[\"orders\"]"
      to   = "terraform_data.named"
    }
    move {
      from = "module.service[\"orders\"]"
      to   = "module.orders"
    }
    move {
      from = "terraform_data.literal[\"orders\"]"
      to   = "terraform_data.literal"
    }
    move {
      from = "terraform_data.counted[2]"
      to   = "terraform_data.third"
    }
  }
  stack "payments" {
    take = ["module.service[\"payments\"]", "terraform_data.set[\"payments\"]", "terraform_data.literal[\"payments\"]"]
    move {
      from = "terraform_data.set[\"payments\"]"
      to   = "terraform_data.set"
    }
  }
  stack "all" { take = ["terraform_data.all"] }
"#;
    let files = [
        ("main.tf", formatted(code)),
        ("service/main.tf", formatted(service)),
    ];
    let files = borrowed(&files);
    let cut = check(&files, stacks);
    insta::assert_snapshot!(cut.text("orders", "main.tf"), @r#"
    locals {
      services = {
        orders           = { size = 1, tags = ["a"] }
        payments         = { size = 2, tags = [] }
        "ship/it ${"x"}" = { size = 3, tags = ["c"] }
      }
    }

    module "orders" {
      source = "./service"

      name = "orders"
      size = local.services["orders"].size
      tags = local.services["orders"]["tags"]
    }

    resource "terraform_data" "set" {
      for_each = { for key, value in toset(["orders", "payments"]) : key => value if contains(["orders"], key) }
      input    = "${each.key}:${each.value}:${ { orders = module.orders }[each.key].id}"
    }

    resource "terraform_data" "named" {
      input = "orders orders"
    }

    resource "terraform_data" "literal" {
      input = { of = module.orders.id }.of
    }

    resource "terraform_data" "third" {
      input = "n2"
    }
    "#);
}

#[test]
fn keys_of_json_blocks_go_to_stacks_of_their_own() {
    let code = r#"
locals {
  services = {
    orders   = { size = 1 }
    payments = { size = 2 }
    "ship\"it" = { size = 3 }
  }
}

resource "terraform_data" "all" {
  input = {
    made    = { for key, one in terraform_data.made : key => one.output }
    set     = values(terraform_data.set)[*].output
    object  = terraform_data.object["b"].output
    counted = terraform_data.counted[*].output
    modules = [for one in module.service : one.id]
  }
}
"#;
    let json = r#"{
  "//": "by a generator",
  "module": {
    "service": {
      "source": "./service",
      "for_each": "${local.services}",
      "name": "${each.key} of ${lookup(each.value, \"size\")}"
    }
  },
  "resource": {
    "terraform_data": {
      "made": {
        "for_each": "${local.services}",
        "input": {"name": "${each.key}", "size": "${each.value.size}", "text": "<${each.key}> ${\"q\"}"}
      },
      "set": {
        "for_each": "${toset([\"x\", \"y\", \"z\"])}",
        "input": "${each.key}${each.value}"
      },
      "object": {
        "for_each": {"a": {"deep": ["${terraform_data.set[\"x\"].output}", 1]}, "b": {"deep": ["/", 2]}, "c": {"deep": []}},
        "input": "${each.value.deep}"
      },
      "counted": {"count": 3, "input": "n${count.index}"}
    }
  }
}
"#;
    let service = "variable \"name\" {}\n\nresource \"terraform_data\" \"this\" {\n  input = var.name\n}\n\noutput \"id\" {\n  value = terraform_data.this.output\n}\n";
    let stacks = r#"
  stack "one" {
    take = [
      "terraform_data.made[\"ship\\\"it\"]", "terraform_data.set[\"x\"]", "terraform_data.object[\"a\"]",
      "terraform_data.counted[2]", "module.service[\"orders\"]",
    ]
    move {
      from = "terraform_data.made[\"ship\\\"it\"]"
      to   = "terraform_data.ship"
    }
    move {
      from = "terraform_data.set[\"x\"]"
      to   = "terraform_data.set"
    }
    move {
      from = "terraform_data.object[\"a\"]"
      to   = "terraform_data.object"
    }
    move {
      from = "terraform_data.counted[2]"
      to   = "terraform_data.third"
    }
    move {
      from = "module.service[\"orders\"]"
      to   = "module.orders"
    }
  }
  stack "two" { take = ["terraform_data.made[\"orders\"]", "terraform_data.set[\"y\"]", "terraform_data.object[\"b\"]"] }
  stack "all" { take = ["terraform_data.all"] }
"#;
    let files = [
        ("main.tf", formatted(code)),
        ("made.tf.json", json.to_owned()),
        ("service/main.tf", service.to_owned()),
    ];
    let cut = check(&borrowed(&files), stacks);
    insta::assert_snapshot!(cut.text("one", "made.tf.json"), @r#"
    {
      "//": "by a generator",
      "module": {
        "orders": {
          "source": "./service",
          "name": "orders of ${lookup(local.services[\"orders\"], \"size\")}"
        }
      },
      "resource": {
        "terraform_data": {
          "ship": {
            "input": {"name": "${\"ship\\\"it\"}", "size": "${local.services[\"ship\\\"it\"].size}", "text": "<${\"ship\\\"it\"}> ${\"q\"}"}
          },
          "set": {
            "input": "xx"
          },
          "object": {
            "input": "${ {\"deep\": [\"${terraform_data.set.output}\", 1]}.deep}"
          },
          "third": {"input": "n2"}
        }
      }
    }
    "#);
    insta::assert_snapshot!(cut.text("two", "made.tf.json"), @r#"
    {
      "//": "by a generator",
      "resource": {
        "terraform_data": {
          "made": {
            "for_each": "${{ for key, value in local.services : key => value if contains([\"orders\"], key) }}",
            "input": {"name": "${each.key}", "size": "${each.value.size}", "text": "<${each.key}> ${\"q\"}"}
          },
          "set": {
            "for_each": "${{ for key, value in toset([\"x\", \"y\", \"z\"]) : key => value if contains([\"y\"], key) }}",
            "input": "${each.key}${each.value}"
          },
          "object": {
            "for_each": {"b": {"deep": ["/", 2]}},
            "input": "${each.value.deep}"
          }
        }
      }
    }
    "#);
    insta::assert_snapshot!(cut.text("mono", "made.tf.json"), @r#"
    {
      "//": "by a generator",
      "module": {
        "service": {
          "source": "./service",
          "for_each": "${{ for key, value in local.services : key => value if contains([\"payments\", \"ship\\\"it\"], key) }}",
          "name": "${each.key} of ${lookup(each.value, \"size\")}"
        }
      },
      "resource": {
        "terraform_data": {
          "made": {
            "for_each": "${{ for key, value in local.services : key => value if contains([\"payments\"], key) }}",
            "input": {"name": "${each.key}", "size": "${each.value.size}", "text": "<${each.key}> ${\"q\"}"}
          },
          "set": {
            "for_each": "${{ for key, value in toset([\"x\", \"y\", \"z\"]) : key => value if contains([\"z\"], key) }}",
            "input": "${each.key}${each.value}"
          },
          "object": {
            "for_each": {"c": {"deep": []}},
            "input": "${each.value.deep}"
          },
          "counted": {"count": 2, "input": "n${count.index}"}
        }
      }
    }
    "#);
}

#[test]
fn attributes_are_read_of_the_one_instance_that_lost_its_key() {
    let cut = check(
        &[(
            "main.tf",
            r#"
resource "terraform_data" "made" {
  count = 1
  input = { name = "n", deep = { list = ["x"] } }
}

resource "terraform_data" "reader" {
  input = {
    name = terraform_data.made[0].output.name
    item = terraform_data.made.0.output.deep.list[0]
    all  = terraform_data.made[*].output.deep
    id   = one(terraform_data.made[*].id)
    many = length(terraform_data.made)
  }
}
"#
            .trim_start(),
        )],
        r#"
  stack "one" {
    take = ["terraform_data.made"]

    move {
      from = "terraform_data.made[0]"
      to   = "terraform_data.made"
    }
  }
"#,
    );
    let text = cut.text("mono", "main.tf");
    assert!(text.contains("local.one.data.made[0].output.name"), "{text}");
}
