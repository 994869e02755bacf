# A small root module whose state holds what an interrupted life leaves behind:
# deposed objects (also two of one instance, and one without a current object),
# tainted instances, sensitive paths and numbers that no float can hold.
#
# The state is what is left after applying 1.tfvars, 2.tfvars and 3.tfvars in
# turn and two `terraform taint`. Each apply fails somewhere: a bucket that still
# holds something cannot be deleted, and somebody keeps putting things into these.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 3.39"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

variable "archives" {
  description = "name => generation"
  type        = map(number)
}

resource "aws_s3_bucket" "archive" {
  for_each = var.archives

  bucket = "acme-archive-${each.value}-${trim(replace(each.key, "/[^a-z]+/", "-"), "-")}"
  tags   = { Generation = each.value }

  # The successor is there first, so the old one is deposed until it is gone.
  lifecycle {
    create_before_destroy = true
  }
}

# Created, but not set up: tainted.
resource "terraform_data" "shaky" {
  count = 2

  input = {
    label = "shaky <${count.index}> & co"
    size  = 98765432109876543210987654321
    ratio = 100.0 / 3
  }

  provisioner "local-exec" {
    command = "exit ${count.index}"
  }
}

resource "terraform_data" "secret" {
  input = {
    user     = "acme"
    password = sensitive("example-only")
  }
}

module "box" {
  source   = "./box"
  for_each = toset(["x.y", "plain"])

  label  = each.key
  inside = terraform_data.secret.id
}

output "archives" {
  value = { for name, bucket in aws_s3_bucket.archive : name => bucket.id }
}
