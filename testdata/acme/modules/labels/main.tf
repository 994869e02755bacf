# Names and tags in one place. No resources, so it may be called from anywhere.

variable "namespace" {
  type = string
}

variable "component" {
  type = string
}

variable "tags" {
  type    = map(string)
  default = {}
}

locals {
  id = lower(join("-", compact([var.namespace, var.component])))
}

output "id" {
  value = local.id
}

output "tags" {
  value = merge(var.tags, { Component = var.component })
}
