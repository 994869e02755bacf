//! Small monoliths of `terraform_data`, cut and planned.

use super::lab::{CutMade, Lab};
use crate::support::tools::tools;

/// The `split` block around stacks, with states in files and contracts in remote states.
pub fn plan(stacks: &str) -> String {
    format!(
        "split \"mono\" {{\n  source {{ dir = \".\" }}\n  defaults {{\n    backend \"local\" {{ path = \"STATES/${{stack}}.tfstate\" }}\n    \
         contract {{ store = \"remote_state\" }}\n  }}\n{stacks}\n}}\n"
    )
}

/// Every place a crossing value may stand.
const PLACES: &str = r#"
locals {
  prefix = "shop"
  zones  = ["a", "b", "c"]

  # Half of the repository reads this.
  network = {
    id      = terraform_data.vpc.output.id
    subnets = terraform_data.subnet[*].output
    by_zone = { for zone, subnet in terraform_data.zone : zone => subnet.output.cidr }
  }
}

resource "terraform_data" "vpc" {
  input = {
    id      = "${local.prefix}-vpc"
    numbers = [1, 2.5, -3]
    flag    = true
    nothing = null
    tags    = { Name = "vpc", "a.b" = "c" }
  }
}

resource "terraform_data" "subnet" {
  count = 3
  input = "subnet-${local.zones[count.index]}"
}

resource "terraform_data" "zone" {
  for_each = toset(local.zones)
  input    = { cidr = "10.0.${each.key}", name = each.value }
}

# ---- what reads ----

resource "terraform_data" "attribute" {
  input = terraform_data.vpc.output.id
}

resource "terraform_data" "deep" {
  input = [
    terraform_data.vpc.output.numbers[1],
    terraform_data.vpc.output.flag,
    terraform_data.vpc.output.nothing,
    terraform_data.vpc.output.tags["a.b"],
  ]
}

resource "terraform_data" "template" {
  input = "in ${terraform_data.vpc.output.id}, %{if terraform_data.vpc.output.flag}yes%{else}no%{endif}"
}

resource "terraform_data" "heredoc" {
  input = <<-EOT
    vpc: ${terraform_data.vpc.output.id}
    %{for subnet in terraform_data.subnet~}
    subnet: ${subnet.output}
    %{endfor~}
  EOT
}

resource "terraform_data" "splats" {
  input = {
    full   = terraform_data.subnet[*].output # every one
    legacy = terraform_data.subnet.*.output  # as of old
    single = terraform_data.vpc[*].output.id
  }
}

resource "terraform_data" "indexed" {
  count = 2
  input = terraform_data.subnet[count.index].output
}

resource "terraform_data" "by_other" {
  for_each = terraform_data.zone
  input    = "${each.key} ${each.value.output.cidr} ${terraform_data.zone[each.key].output.name}"
}

resource "terraform_data" "through_local" {
  input = [local.network.id, local.network.subnets, local.network.by_zone["a"]]

  lifecycle {
    precondition {
      condition     = terraform_data.vpc.output.flag
      error_message = "no ${terraform_data.vpc.output.id}"
    }
  }

  depends_on = [terraform_data.vpc]
}

resource "terraform_data" "for_expression" {
  input = {
    for zone, subnet in terraform_data.zone : zone => upper(subnet.output.cidr) if zone != "b"
  }
}

module "child" {
  source  = "./modules/child"
  network = local.network
  name    = terraform_data.vpc.output.id
}

output "child" {
  value = module.child.text
}

output "vpc" {
  value = terraform_data.vpc.output.id
}
"#;

const CHILD: &str = r#"
variable "network" {
  type = object({ id = string, subnets = list(string), by_zone = map(string) })
}

variable "name" {}

module "sibling" {
  source = "../sibling"
  name   = var.name
}

resource "terraform_data" "this" {
  input = "${file("${path.module}/hello.txt")}${var.network.id} ${join(",", var.network.subnets)} ${module.sibling.name}"
}

output "text" {
  value = terraform_data.this.output
}
"#;

const SIBLING: &str = r#"
variable "name" {}

output "name" {
  value = "sibling of ${var.name}"
}
"#;

fn places() -> Vec<(&'static str, &'static str)> {
    vec![
        ("main.tf", PLACES.trim_start()),
        ("modules/child/main.tf", CHILD.trim_start()),
        ("modules/child/hello.txt", "hello "),
        ("modules/sibling/main.tf", SIBLING.trim_start()),
    ]
}

const PLACES_PLAN: &str = r#"
  stack "network" { take = ["terraform_data.vpc", "terraform_data.subnet", "terraform_data.zone"] }
  stack "app" {
    take = [
      "terraform_data.attribute", "terraform_data.deep", "terraform_data.template", "terraform_data.heredoc",
      "terraform_data.splats", "terraform_data.indexed", "terraform_data.by_other", "terraform_data.through_local",
      "terraform_data.for_expression", "module.child",
    ]
  }
"#;

#[test]
fn values_cross_wherever_they_stand() {
    for bin in tools().terraforms() {
        let lab = Lab::new(bin, &places(), &plan(PLACES_PLAN)).apply();
        let cut = lab.cut();
        cut.prove();
    }
}

/// Applies a monolith, cuts it, and proves every stack with the newest Terraform.
pub fn check(files: &[(&str, &str)], stacks: &str) -> CutMade {
    let lab = Lab::new(tools().terraform(), files, &plan(stacks)).apply();
    let cut = lab.cut();
    cut.prove();
    cut
}

#[test]
fn values_cross_as_variables() {
    let plan = plan(PLACES_PLAN).replace("remote_state", "variables");
    let lab = Lab::new(tools().terraform(), &places(), &plan).apply();
    let cut = lab.cut();
    cut.prove();
    let values = cut.text("app", "contracts.auto.tfvars.json");
    assert!(values.contains("\"numbers\": [\n"), "{values}");
}

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
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
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

/// Formats code with Terraform.
pub fn formatted(code: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("main.tf"), code.trim_start()).unwrap();
    let terraform = crate::support::terraform::Terraform::new(tools().terraform(), dir.path());
    terraform.run(&["fmt"]).ok();
    std::fs::read_to_string(dir.path().join("main.tf")).unwrap()
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
fn sets_and_types_are_restored() {
    let code = r#"
resource "terraform_data" "types" {
  input = {
    set   = toset(["b", "a"])
    list  = tolist(["x", "y"])
    map   = tomap({ k = "v" })
    big   = 123456789012345678901234567890
    small = 0.1
    empty = []
    text  = "<&> ${"$"}{x} \u2028 ü"
  }
}

resource "terraform_data" "each" {
  for_each = terraform_data.types.input.set
  input    = each.value
}

resource "terraform_data" "choice" {
  for_each = true ? terraform_data.types.input.set : toset([])
  input    = "${each.key} ${each.value}"
}

resource "terraform_data" "map" {
  for_each = terraform_data.types.input.map
  input    = each.value
}

resource "terraform_data" "rest" {
  input = [
    length(terraform_data.types.output.list), terraform_data.types.output.big, terraform_data.types.output.small,
    terraform_data.types.output.empty, terraform_data.types.output.text, element(terraform_data.types.output.list, 3),
    true ? terraform_data.types.output.list : [], merge(terraform_data.types.output.map, { a = "b" }),
  ]
}
"#;
    let stacks = r#"
  stack "types" { take = ["terraform_data.types"] }
  stack "use" { take = ["terraform_data.each", "terraform_data.choice", "terraform_data.map", "terraform_data.rest"] }
"#;
    let cut = check(&[("main.tf", &formatted(code))], stacks);
    let text = cut.text("use", "main.tf");
    assert!(
        text.contains("for_each = toset(local.types.data.types.input.set)\n"),
        "{text}"
    );
    assert!(
        text.contains("for_each = true ? toset(local.types.data.types.input.set) : toset([])\n"),
        "{text}"
    );
    assert!(
        text.contains("for_each = local.types.data.types.input.map\n"),
        "{text}"
    );
}

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
fn collections_stay_what_they_were() {
    let code = r#"
resource "terraform_data" "base" {
  input = {
    list = tolist(["x", "y"])
    set  = toset(["b", "a"])
    map  = tomap({ k = 1 })
    deep = { numbers = tolist([1, 2]) }
  }
}

resource "terraform_data" "keyed" {
  for_each = toset(["p", "q"])
  input    = toset([each.key, "z"])
}

module "m" {
  source = "./m"
  names  = ["n1", "n2"]
}

resource "terraform_data" "use" {
  input = {
    list   = terraform_data.base.output.list
    set    = terraform_data.base.input.set
    map    = terraform_data.base.output.map
    deep   = terraform_data.base.output.deep.numbers
    keyed  = terraform_data.keyed["p"].output
    names  = module.m.names
    upper  = module.m.upper
    passed = module.m.passed
    tuple  = module.m.tuple
    first  = module.m.names[0]
    all    = jsonencode(module.m.names)
  }
}
"#;
    let module = r#"
variable "names" {
  type = list(string)
}

locals {
  upper = toset([for name in var.names : upper(name)])
}

resource "terraform_data" "this" {
  input = var.names
}

output "names" {
  value = var.names
}

output "upper" {
  value = local.upper
}

output "passed" {
  value = terraform_data.this.output
}

output "tuple" {
  value = [for name in var.names : name]
}
"#;
    let stacks = r#"
  stack "base" { take = ["terraform_data.base", "terraform_data.keyed", "module.m"] }
  stack "use" { take = ["terraform_data.use"] }
"#;
    let cut = check(
        &[("main.tf", &formatted(code)), ("m/main.tf", &formatted(module))],
        stacks,
    );
    insta::assert_snapshot!(cut.text("use", "main.tf"), @r#"
    resource "terraform_data" "use" {
      input = {
        list   = tolist(local.base.data.base.output.list)
        set    = toset(local.base.data.base.input.set)
        map    = tomap(local.base.data.base.output.map)
        deep   = tolist(local.base.data.base.output.deep.numbers)
        keyed  = toset(local.base.data.keyed["p"].output)
        names  = tolist(local.base.m.names)
        upper  = toset(local.base.m.upper)
        passed = tolist(local.base.m.passed)
        tuple  = local.base.m.tuple
        first  = local.base.m.names[0]
        all    = jsonencode(tolist(local.base.m.names))
      }
    }
    "#);
}
