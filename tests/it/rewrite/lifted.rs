//! Blocks lifted out of modules to the root of a stack.

use super::slices::{check, formatted};

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
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
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
