//! Values cross wherever they stand, and stay what they were.
//!
//! Which test has which place, each planned by real Terraform in every stack:
//!
//! | place or value | test |
//! |---|---|
//! | attribute; deep in a list | here: `attribute`, `deep` |
//! | nested block | `aws`: `egress` of the security group; here: preconditions, provisioners |
//! | dynamic block with its iterator | `aws`: `ingress` with `iterator = net` |
//! | template directive, in a string and in a heredoc; strip marks | here: `template`, `heredoc`, `directives` |
//! | heredoc, indented and not; next to `$${` | here: `heredoc`, `directives` |
//! | for expression: collection, key, value, condition, grouping, nested | here: `for_expression`, `nested_for`; `random` |
//! | both splats; the old index `.0` | here: `splats`, `old_index`; `random` |
//! | index by another reference, itself crossing | here: `indexed`, `by_other`, `by_crossing` |
//! | `count` and `for_each` | here: `counted`, `by_other`; `types`: `each`, `choice`, `map` |
//! | whole object through a local | here: `through_local` |
//! | argument of a module call; of a sibling's call | here: `module.child` |
//! | key of an object, operand, condition, argument of functions | here: `operators` |
//! | provider settings | `aws`: `region` of the alias |
//! | precondition, postcondition, `check` block | here: `through_local`, `conditions`, `check.vpc` |
//! | provisioner | here: `provisioned` |
//! | output | here: `output.vpc`; `blocks` |
//! | JSON syntax; divided there | `blocks`; `keys`; `random` |
//! | override file, in HCL and in JSON | `blocks`; here: `overridden`, `overridden_by_json` |
//! | lists, sets, maps, numbers, booleans, nulls, objects; texts with `<&>` and `${` | `types` |
//! | names that collide: a local, variable, module or output like a stack | `blocks` |
//! | one instance without its key | `keys`, `random` |
//! | what was lifted out of a module | `lifted` |

use super::lab::Lab;
use super::small::{check, formatted, plan};
use crate::support::tools::tools;

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

#[test]
fn values_cross_as_variables() {
    let plan = plan(PLACES_PLAN).replace("remote_state", "variables");
    let lab = Lab::new(tools().terraform(), &places(), &plan).apply();
    let cut = lab.cut();
    cut.prove();
    let values = cut.text("app", "contracts.auto.tfvars.json");
    assert!(values.contains("\"numbers\": [\n"), "{values}");
}

const ODD_PLACES: &str = r#"
locals {
  zones = ["a", "b", "c"]
}

resource "terraform_data" "vpc" {
  input = {
    id    = "vpc-1"
    at    = 1
    many  = 2
    flag  = true
    pairs = [{ k = "x", v = 1 }, { k = "y", v = 2 }, { k = "x", v = 3 }]
  }
}

resource "terraform_data" "subnet" {
  count = 3
  input = { name = "subnet-${count.index}", tags = ["t${count.index}"] }
}

# ---- what reads ----

resource "terraform_data" "by_crossing" {
  input = [
    terraform_data.subnet[terraform_data.vpc.output.at].output.name,
    local.zones[terraform_data.vpc.output.at],
    terraform_data.subnet[terraform_data.vpc.output.many - 1].output.tags[0],
  ]
}

resource "terraform_data" "counted" {
  count = terraform_data.vpc.input.many
  input = terraform_data.subnet[count.index + 1].output.name
}

resource "terraform_data" "old_index" {
  input = [terraform_data.subnet.0.output.name, terraform_data.subnet.1.output.tags.0, terraform_data.subnet.*.output.name]
}

resource "terraform_data" "nested_for" {
  input = {
    grouped  = { for pair in terraform_data.vpc.output.pairs : pair.k => pair.v... }
    nested   = [for i, one in terraform_data.subnet : [for tag in one.output.tags : "${i}${tag}${terraform_data.vpc.output.id}"] if one.output.name != terraform_data.vpc.output.id]
    shadowed = [for terraform_data in [{ vpc = "mine" }] : terraform_data.vpc]
    flat     = flatten([for one in terraform_data.subnet[*].output : one.tags])
  }
}

resource "terraform_data" "operators" {
  input = {
    (terraform_data.vpc.output.id)        = 1
    "${terraform_data.vpc.output.id}-key" = 2
    sum                                   = terraform_data.vpc.output.at + -terraform_data.vpc.output.many
    choice                                = terraform_data.vpc.output.flag ? terraform_data.subnet[0].output.name : "none"
    negated                               = !terraform_data.vpc.output.flag || terraform_data.vpc.output.at >= 1
    call                                  = format("%s-%d", terraform_data.vpc.output.id, terraform_data.vpc.output.at)
    rest                                  = concat(terraform_data.subnet[*].output.tags...)
    tried                                 = try(terraform_data.vpc.output.missing, terraform_data.vpc.output.id)
    parens                                = (terraform_data.vpc.output).id
  }
}

resource "terraform_data" "directives" {
  input = [
    "%{for one in terraform_data.subnet~} $${not} ${one.output.name} %{~endfor}%%{if}",
    "%{if terraform_data.vpc.output.flag~} ${"in ${terraform_data.vpc.output.id}"} %{else~} no %{endif~}",
    <<EOT
raw ${terraform_data.vpc.output.id} $${kept}
  %{for i, one in terraform_data.subnet}${i}=${one.output.name},%{endfor}
EOT
    ,
    <<-EOT
      indented ${jsonencode({
        deep = terraform_data.vpc.output.pairs[*].k
      })}
        further ${~terraform_data.vpc.output.at~}
    EOT
  ]
}

resource "terraform_data" "conditions" {
  input = 1

  lifecycle {
    postcondition {
      condition     = self.output == terraform_data.vpc.output.at
      error_message = "not ${terraform_data.vpc.output.at}"
    }
  }
}

resource "terraform_data" "provisioned" {
  input            = "p"
  triggers_replace = [terraform_data.vpc.output.id, { many = terraform_data.vpc.output.many }]

  provisioner "local-exec" {
    command     = "test \"$ID\" = ${terraform_data.vpc.output.id}"
    environment = { ID = terraform_data.vpc.output.id }
  }
}

resource "terraform_data" "overridden" {
  input = "not this"
}

resource "terraform_data" "overridden_by_json" {
  input = "nor this"
}

check "vpc" {
  assert {
    condition     = terraform_data.vpc.output.flag && terraform_data.conditions.output == 1
    error_message = "no ${terraform_data.vpc.output.id}"
  }
}
"#;

const ODD_OVERRIDE: &str = "resource \"terraform_data\" \"overridden\" {\n  input = [terraform_data.vpc.output.id, terraform_data.subnet[*].output.name]\n}\n";

const ODD_JSON_OVERRIDE: &str = "{\n  \"resource\": {\n    \"terraform_data\": {\n      \"overridden_by_json\": {\"input\": [\"${terraform_data.vpc.output.at}\", \"%{for one in terraform_data.subnet}${one.output.name}%{endfor}\"]}\n    }\n  }\n}\n";

#[test]
fn values_cross_in_odd_places() {
    let code = formatted(ODD_PLACES);
    let files = [
        ("main.tf", code.as_str()),
        ("main_override.tf", ODD_OVERRIDE),
        ("more_override.tf.json", ODD_JSON_OVERRIDE),
    ];
    let stacks = r#"
  stack "network" { take = ["terraform_data.vpc", "terraform_data.subnet"] }
  stack "app" {
    take = [
      "terraform_data.by_crossing", "terraform_data.counted", "terraform_data.old_index", "terraform_data.nested_for",
      "terraform_data.operators", "terraform_data.directives", "terraform_data.conditions",
      "terraform_data.provisioned", "terraform_data.overridden", "terraform_data.overridden_by_json",
    ]
  }
"#;
    let cut = check(&files, stacks);
    // No reference to the other stack is left; a name that a for expression gives is none.
    for path in ["main.tf", "main_override.tf", "more_override.tf.json"] {
        let text = cut
            .text("app", path)
            .replace("in [{ vpc = \"mine\" }] : terraform_data.vpc]", "");
        assert!(!text.contains("terraform_data.vpc"), "{path}: {text}");
        assert!(!text.contains("terraform_data.subnet"), "{path}: {text}");
    }
    // The values, as the contract has them, under every flavour.
    let plan = plan(stacks).replace("remote_state", "variables");
    let lab = Lab::new(tools().terraform(), &files, &plan).apply();
    lab.cut().prove();
}
