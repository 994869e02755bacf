# Notifications: everybody tells it something, nobody listens to it.

resource "aws_sns_topic_subscription" "notifications" {
  for_each = {
    "orders.*"   = module.service["orders"].topic_arn
    "payments.*" = module.service["payments"].topic_arn
    "shipping.*" = module.service["shipping"].topic_arn
  }

  topic_arn = each.value
  protocol  = "sqs"
  endpoint  = module.service["notifications"].queue.arn
}

# Snippets that replace a placeholder in a mail.
locals {
  snippets = {
    "$${customer.name}" = "Customer"
    "$${order.id}"      = "Order number"
    "%%{if vip}"        = "Thank you for your loyalty"
    "grüße"             = "Viele Grüße aus Berlin"
  }
}

resource "aws_dynamodb_table" "snippets" {
  name         = "${local.name}-mail-snippets"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "placeholder"

  attribute {
    name = "placeholder"
    type = "S"
  }

  tags = merge(local.tags, { Service = "notifications" })
}

resource "aws_dynamodb_table_item" "snippet" {
  for_each = local.snippets

  table_name = aws_dynamodb_table.snippets.name
  hash_key   = aws_dynamodb_table.snippets.hash_key

  item = jsonencode({
    placeholder = { S = each.key }
    text        = { S = each.value }
  })
}

resource "aws_ssm_parameter" "mail_template" {
  name = "${local.prefix}/notifications/template"
  type = "String"
  tags = merge(local.tags, { Service = "notifications" })

  value = templatefile("${path.module}/templates/mail.txt.tftpl", {
    shop  = var.domain
    zone  = aws_route53_zone.public.name
    links = { for page in ["orders", "returns"] : page => "https://${var.domain}/${page}" }
  })
}
