# Records are written by the load balancers' controller, not here.
resource "aws_route53_zone" "public" {
  name    = var.domain
  comment = "Managed by terraform"
  tags    = local.tags_for["base"]
}

# The oldest workers look their queue up by a name that looks like DNS (and once was).
resource "aws_ssm_parameter" "queue_url" {
  for_each = toset(["orders", "payments"])

  name  = "${local.prefix}/queue/${each.key}.${local.platform.zone.name}"
  type  = "String"
  value = module.service[each.key].queue.url
  tags  = merge(local.tags, { Service = each.key })
}
