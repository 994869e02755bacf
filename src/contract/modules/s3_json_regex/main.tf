# All JSON documents below a prefix of a bucket whose keys fit a pattern: absent ones are absent.

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
  description = "Prefix of the keys, for example configuration"
  type        = string
}

variable "name" {
  description = "A prefix below `path`"
  type        = string
  default     = null
}

variable "include_filter_regex" {
  description = "Pattern of the full keys to read; anchor it: ^configuration/(base|network)$"
  type        = string
  default     = null
}

variable "exclude_filter_regex" {
  description = "Pattern of the full keys to leave out; not looked at where `include_filter_regex` is given"
  type        = string
  default     = null
}

variable "lock" {
  description = "Name of the reader: leaves an object <key>/<lock>.lock beside each document it reads"
  type        = string
  default     = null
}

locals {
  prefix = "${join("/", compact([trim(var.path, "/"), trim(var.name == null ? "" : var.name, "/")]))}/"

  documents = [
    for key in data.aws_s3_objects.this.keys : key
    if !can(regex("\\.lock$", key))
  ]
  chosen = toset([
    for key in local.documents : key
    if var.include_filter_regex != null ? can(regex(var.include_filter_regex, key)) : !can(regex(coalesce(var.exclude_filter_regex, "^$"), key))
  ])
}

data "aws_s3_objects" "this" {
  bucket = var.bucket
  prefix = local.prefix
}

data "aws_s3_object" "this" {
  for_each = local.chosen

  bucket = var.bucket
  key    = each.value
}

resource "aws_s3_object" "lock" {
  for_each = var.lock == null ? toset([]) : local.chosen

  bucket                 = var.bucket
  key                    = "${each.value}/${var.lock}.lock"
  content                = "true"
  server_side_encryption = "AES256"
}

output "values" {
  description = "Last segment of the key => document"
  value       = { for key, object in data.aws_s3_object.this : basename(key) => jsondecode(object.body) }
  sensitive   = true
}

output "all_paths_found" {
  value = local.documents
}

output "filtered_paths" {
  value = local.chosen
}
