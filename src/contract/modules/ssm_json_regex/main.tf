# All JSON documents below a path of the SSM Parameter Store whose names fit a pattern: absent ones are absent.

terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 4.45"
    }
  }
}

variable "path" {
  description = "Path of the parameters, for example /configuration"
  type        = string
}

variable "name" {
  description = "A path below `path`"
  type        = string
  default     = null
}

variable "include_filter_regex" {
  description = "Pattern of the full names to read; anchor it: ^/configuration/(base|network)$"
  type        = string
  default     = null
}

variable "exclude_filter_regex" {
  description = "Pattern of the full names to leave out; not looked at where `include_filter_regex` is given"
  type        = string
  default     = null
}

variable "lock" {
  description = "Name of the reader: leaves a parameter <name>/<lock>.lock beside each document it reads"
  type        = string
  default     = null
}

locals {
  path = "/${join("/", compact([trim(var.path, "/"), trim(var.name == null ? "" : var.name, "/")]))}"

  found = nonsensitive(data.aws_ssm_parameters_by_path.this.names)
  documents = [
    for name in local.found : name
    if !can(regex("\\.lock$", name))
  ]
  chosen = toset([
    for name in local.documents : name
    if var.include_filter_regex != null ? can(regex(var.include_filter_regex, name)) : !can(regex(coalesce(var.exclude_filter_regex, "^$"), name))
  ])
}

data "aws_ssm_parameters_by_path" "this" {
  path            = local.path
  recursive       = true
  with_decryption = false
}

data "aws_ssm_parameter" "this" {
  for_each = local.chosen

  name = each.value
}

resource "aws_ssm_parameter" "lock" {
  for_each = var.lock == null ? toset([]) : local.chosen

  name  = "${each.value}/${var.lock}.lock"
  type  = "String"
  value = "true"
}

output "values" {
  description = "Last segment of the name => document"
  value       = { for name, parameter in data.aws_ssm_parameter.this : basename(name) => jsondecode(parameter.value) }
  sensitive   = true
}

output "all_paths_found" {
  value = local.documents
}

output "filtered_paths" {
  value = local.chosen
}
