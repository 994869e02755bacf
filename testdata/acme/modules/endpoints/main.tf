variable "vpc_id" {
  type = string
}

variable "region" {
  type = string
}

variable "route_table_ids" {
  type = list(string)
}

variable "services" {
  type = set(string)
}

variable "tags" {
  type    = map(string)
  default = {}
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = var.services

  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids

  tags = merge(var.tags, { Name = each.key })
}

output "ids" {
  value = { for name, endpoint in aws_vpc_endpoint.gateway : name => endpoint.id }
}
