# One JSON document in one S3 object. With `data` it is written, without it is read.

terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 4.0"
    }
  }
}

variable "bucket" {
  description = "The bucket"
  type        = string
}

variable "path" {
  description = "Prefix of the key, for example configuration"
  type        = string
}

variable "name" {
  description = "Last segment of the key: the stack"
  type        = string
}

variable "data" {
  description = "The document; empty: read it"
  type        = any
  default     = {}
}

variable "tags" {
  type    = map(string)
  default = {}
}

locals {
  key    = join("/", compact([trim(var.path, "/"), trim(var.name, "/")]))
  writes = length(keys(var.data)) > 0
}

resource "aws_s3_object" "this" {
  count = local.writes ? 1 : 0

  bucket                 = var.bucket
  key                    = local.key
  content                = jsonencode(var.data)
  content_type           = "application/json"
  server_side_encryption = "AES256"
  tags                   = var.tags
}

data "aws_s3_object" "this" {
  count = local.writes ? 0 : 1

  bucket = var.bucket
  key    = local.key
}

# `try`, not a condition: the two sides of a condition must have one type.
output "value" {
  description = "The document, as written or as read"
  value       = try(jsondecode(data.aws_s3_object.this[0].body), var.data)
  sensitive   = true
}
