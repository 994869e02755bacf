# Parcels leave when they are paid, so shipping listens to payments and looks at the order.

resource "aws_sns_topic_subscription" "shipping_payments" {
  topic_arn     = module.service["payments"].topic_arn
  protocol      = "sqs"
  endpoint      = module.service["shipping"].queue.arn
  filter_policy = <<-JSON
    {"state":["captured","refunded"]}
  JSON
}

resource "aws_iam_role_policy" "shipping_orders" {
  name = "orders"
  role = module.service["shipping"].role.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for arn in compact([module.service["orders"].table_arn]) : {
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem"]
        Resource = [arn]
      }
    ]
  })
}

# Carriers: code => queue settings. The keys are the carriers' own codes.
locals {
  carriers = {
    "dhl.de"     = 30
    "post nl"    = 60
    "ups \"eu\"" = 45
  }

  carrier_names = { for code, _ in local.carriers : code => trim(replace(code, "/[^a-z]+/", "-"), "-") }
}

resource "aws_sqs_queue" "carrier" {
  for_each = local.carriers

  name                       = "${local.name}-carrier-${local.carrier_names[each.key]}"
  visibility_timeout_seconds = each.value
  tags                       = merge(local.tags, { Service = "shipping", Carrier = local.carrier_names[each.key] })
}

resource "aws_ssm_parameter" "carriers" {
  name  = "${local.prefix}/shipping/carriers"
  type  = "String"
  value = jsonencode({ for code, queue in aws_sqs_queue.carrier : code => queue.id })
  tags  = merge(local.tags, { Service = "shipping" })
}
