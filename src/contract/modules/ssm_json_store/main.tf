# One JSON document in one SSM parameter. With `data` it is written, without it is read.

terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 3.0"
    }
  }
}

variable "path" {
  description = "Path of the parameter, for example /configuration"
  type        = string
}

variable "name" {
  description = "Last segment of the parameter's name: the stack"
  type        = string
}

variable "data" {
  description = "The document; empty: read it"
  type        = any
  default     = {}
}

variable "tier" {
  description = "Standard holds 4096 bytes, Advanced 8192"
  type        = string
  default     = "Standard"
}

variable "key_id" {
  description = "KMS key; the account's own key for SSM where nothing is said"
  type        = string
  default     = null
}

variable "data_base64_encode" {
  description = "Whether the document is kept as Base64, which needs a third more room"
  type        = bool
  default     = false
}

variable "tags" {
  type    = map(string)
  default = {}
}

locals {
  parameter = "/${join("/", compact([trim(var.path, "/"), trim(var.name, "/")]))}"
  writes    = length(keys(var.data)) > 0
  document  = jsonencode(var.data)
}

resource "aws_ssm_parameter" "this" {
  count = local.writes ? 1 : 0

  name   = local.parameter
  type   = "SecureString"
  tier   = var.tier
  key_id = var.key_id
  value  = var.data_base64_encode ? base64encode(local.document) : local.document
  tags   = var.tags
}

data "aws_ssm_parameter" "this" {
  count = local.writes ? 0 : 1

  name = local.parameter
}

# `try`, not a condition: the two sides of a condition must have one type.
output "value" {
  description = "The document, as written or as read"
  value       = try(jsondecode(data.aws_ssm_parameter.this[0].value), jsondecode(base64decode(data.aws_ssm_parameter.this[0].value)), var.data)
  sensitive   = true
}
