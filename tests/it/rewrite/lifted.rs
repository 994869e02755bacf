//! Blocks lifted out of modules to the root of a stack.

use super::small::{borrowed, check, formatted};

const ROOT: &str = r#"
locals {
  prefix = "shop"
}

module "services" {
  source = "./services"

  name   = "${local.prefix}-main"
  zone   = local.prefix
  sizes  = { small = 1, large = 2 }
  retain = 3
}

output "orders" {
  value = module.services.orders
}

output "summary" {
  value = module.services.summary
}
"#;

const SERVICES: &str = r#"
variable "name" {}

variable "zone" {
  default = "none"
}

variable "sizes" {
  type = map(number)
}

variable "retain" {}

variable "color" {
  default = "red"
}

locals {
  full = "${var.name}.${var.zone}"
  tags = { Name = local.full, Color = var.color }
}

module "labels" {
  source = "../labels"
  name   = local.full
}

# Orders come in here.
resource "terraform_data" "orders" {
  input = {
    name   = "${var.name}-orders"
    tags   = local.tags
    label  = module.labels.text
    topic  = terraform_data.topic.output
    retain = var.retain
    file   = file("${path.module}/hello.txt")
  }
}

resource "terraform_data" "sized" {
  for_each = var.sizes
  input    = "${each.key} ${each.value} ${terraform_data.orders.output.name}"
}

resource "terraform_data" "topic" {
  input = "topic of ${var.name}"
}

resource "terraform_data" "summary" {
  input = [terraform_data.orders.output.name, { for key, one in terraform_data.sized : key => one.output }]
}

output "orders" {
  value = terraform_data.orders.output.name
}

output "summary" {
  value = terraform_data.summary.output
}
"#;

const LABELS: &str = "variable \"name\" {}\n\noutput \"text\" {\n  value = \"label ${var.name}\"\n}\n";

fn files() -> Vec<(&'static str, String)> {
    vec![
        ("main.tf", formatted(ROOT)),
        ("services/main.tf", formatted(SERVICES)),
        ("services/hello.txt", "hello".to_owned()),
        ("labels/main.tf", LABELS.to_owned()),
    ]
}

#[test]
fn a_block_leaves_its_module() {
    let files = files();
    let files = borrowed(&files);
    let stacks = r#"
  stack "topics" {
    take = ["module.services.terraform_data.topic"]
    move {
      from = "module.services.terraform_data.topic"
      to   = "terraform_data.topic"
    }
  }
  stack "orders" {
    take = ["module.services.terraform_data.orders", "module.services.terraform_data.sized"]
    move {
      from = "module.services.terraform_data.orders"
      to   = "terraform_data.orders"
    }
    move {
      from = "module.services.terraform_data.sized"
      to   = "terraform_data.sized"
    }
  }
"#;
    let cut = check(&files, stacks);
    insta::assert_snapshot!(cut.text("orders", "main.tf"), @r#"
    locals {
      prefix = "shop"
    }

    locals {
      services_full  = "${local.services_name}.${local.prefix}"
      services_name  = "${local.prefix}-main"
      services_sizes = { small = 1, large = 2 }
      services_tags  = { Name = local.services_full, Color = "red" }
    }

    module "services_labels" {
      source = "./labels"
      name   = local.services_full
    }

    # Orders come in here.
    resource "terraform_data" "orders" {
      input = {
        name   = "${local.services_name}-orders"
        tags   = local.services_tags
        label  = module.services_labels.text
        topic  = local.topics.data.topic.output
        retain = 3
        file   = file("${path.module}/services/hello.txt")
      }
    }

    resource "terraform_data" "sized" {
      for_each = local.services_sizes
      input    = "${each.key} ${each.value} ${terraform_data.orders.output.name}"
    }
    "#);
    insta::assert_snapshot!(cut.text("mono", "main.tf"), @r#"
    locals {
      prefix = "shop"
    }

    module "services" {
      source = "./services"

      name        = "${local.prefix}-main"
      zone        = local.prefix
      sizes       = { small = 1, large = 2 }
      retain      = 3
      data_orders = { output = local.orders_stack.data.orders.output }
      data_sized  = local.orders_stack.data.sized
    }

    output "orders" {
      value = module.services.orders
    }

    output "summary" {
      value = module.services.summary
    }
    "#);
}

const EACH: &str = r#"
locals {
  services = {
    orders  = { size = 1, kind = "a" }
    returns = { size = 2, kind = "b" }
  }
}

module "service" {
  source   = "./service"
  for_each = local.services

  name = "svc-${each.key}"
  size = each.value.size * 2
  kind = each.value.kind
}

module "other" {
  source = "./service"
  name   = "other"
  size   = 5
}

resource "terraform_data" "reader" {
  input = { for name, service in module.service : name => service.queue }
}
"#;

const SERVICE: &str = r#"
variable "name" {}
variable "size" {}

variable "kind" {
  default = "none"
}

resource "terraform_data" "queue" {
  count = 2
  input = "${var.name}-${var.kind}-${count.index}-${var.size}"
}

resource "terraform_data" "rest" {
  input = terraform_data.queue[*].output
}

output "queue" {
  value = terraform_data.queue[0].output
}
"#;

#[test]
fn blocks_of_every_key_leave_a_module_that_others_call_too() {
    let (root, service) = (formatted(EACH), formatted(SERVICE));
    let files = [("main.tf", root.as_str()), ("service/main.tf", service.as_str())];
    let stacks = r#"
  stack "orders" {
    take = ["module.service[\"orders\"].terraform_data.queue"]
    move {
      from = "module.service[\"orders\"].terraform_data.queue"
      to   = "terraform_data.queue"
    }
  }
  stack "returns" {
    take = ["module.service[\"returns\"].terraform_data.queue"]
    move {
      from = "module.service[\"returns\"].terraform_data.queue"
      to   = "terraform_data.queue"
    }
  }
"#;
    let cut = check(&files, stacks);
    insta::assert_snapshot!(cut.text("returns", "main.tf"), @r#"
    locals {
      services = {
        orders  = { size = 1, kind = "a" }
        returns = { size = 2, kind = "b" }
      }
    }

    locals {
      service_returns_name = "svc-returns"
      service_returns_size = local.services["returns"].size * 2
    }

    resource "terraform_data" "queue" {
      count = 2
      input = "${local.service_returns_name}-${local.services["returns"].kind}-${count.index}-${local.service_returns_size}"
    }
    "#);
    insta::assert_snapshot!(cut.text("mono", "main.tf"), @r#"
    locals {
      services = {
        orders  = { size = 1, kind = "a" }
        returns = { size = 2, kind = "b" }
      }
    }

    module "service" {
      source   = "./service_service"
      for_each = local.services

      name       = "svc-${each.key}"
      size       = each.value.size * 2
      kind       = each.value.kind
      data_queue = { orders = local.orders.data.queue, returns = local.returns.data.queue_2 }[each.key]
    }

    module "other" {
      source = "./service"
      name   = "other"
      size   = 5
    }

    resource "terraform_data" "reader" {
      input = { for name, service in module.service : name => service.queue }
    }
    "#);
}

#[test]
fn one_key_is_dissolved_while_others_stay() {
    let reader = "{ for name, service in module.service : name => service.queue }";
    let root = formatted(&EACH.replace(
        reader,
        "[module.service[\"orders\"].queue, module.service[\"returns\"].queue]",
    ));
    let service = formatted(SERVICE);
    let files = [("main.tf", root.as_str()), ("service/main.tf", service.as_str())];
    let stacks = r#"
  stack "orders" {
    take = ["module.service[\"orders\"]"]
    move {
      from = "module.service[\"orders\"].terraform_data.queue"
      to   = "terraform_data.queue"
    }
    move {
      from = "module.service[\"orders\"].terraform_data.rest"
      to   = "terraform_data.rest"
    }
  }
"#;
    let cut = check(&files, stacks);
    insta::assert_snapshot!(cut.text("orders", "main.tf"), @r#"
    locals {
      services = {
        orders  = { size = 1, kind = "a" }
        returns = { size = 2, kind = "b" }
      }
    }

    locals {
      service_orders_name = "svc-orders"
      service_orders_size = local.services["orders"].size * 2
    }

    resource "terraform_data" "queue" {
      count = 2
      input = "${local.service_orders_name}-${local.services["orders"].kind}-${count.index}-${local.service_orders_size}"
    }

    resource "terraform_data" "rest" {
      input = terraform_data.queue[*].output
    }
    "#);
    insta::assert_snapshot!(cut.text("mono", "main.tf"), @r#"
    locals {
      services = {
        orders  = { size = 1, kind = "a" }
        returns = { size = 2, kind = "b" }
      }
    }

    module "service" {
      source   = "./service"
      for_each = { for key, value in local.services : key => value if contains(["returns"], key) }

      name = "svc-${each.key}"
      size = each.value.size * 2
      kind = each.value.kind
    }

    module "other" {
      source = "./service"
      name   = "other"
      size   = 5
    }

    resource "terraform_data" "reader" {
      input = [local.service_orders_queue, module.service["returns"].queue]
    }

    locals {
      service_orders_queue = local.orders.data.queue[0].output
    }
    "#);
}
