locals {
  # name below the prefix => value
  parameters = {
    "feature.flags"     = jsonencode({ checkout_v2 = local.is_prod, dark_mode = false })
    "shop/currency"     = "EUR"
    "shop/domain"       = var.domain
    "platform/cluster"  = aws_ecs_cluster.main.name
    "platform/kms-key"  = aws_kms_key.main.arn
    "platform/sessions" = module.sessions.table.name
  }
}

resource "aws_ssm_parameter" "shared" {
  for_each = local.parameters

  name  = "${local.prefix}/${each.key}"
  type  = "String"
  value = each.value
  tags  = local.tags_for["base"]
}
