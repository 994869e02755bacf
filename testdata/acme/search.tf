module "search" {
  source = "./modules/search"
  count  = var.search_enabled ? 1 : 0

  name         = "${local.name}-search"
  vpc_id       = aws_vpc.main.id
  client_cidrs = aws_subnet.private[*].cidr_block
  topic_arn    = aws_sns_topic.catalog_changes.arn
  tables = {
    products = aws_dynamodb_table.products
    prices   = aws_dynamodb_table.prices
  }
  kms_key_arn     = aws_kms_key.main.arn
  alarm_topic_arn = aws_sns_topic.alarms.arn
  tags            = merge(local.tags, { Service = "search" })
}

moved {
  from = module.search
  to   = module.search[0]
}

resource "aws_ssm_parameter" "search_queues" {
  count = var.search_enabled ? 1 : 0

  name  = "${local.prefix}/search/queues"
  type  = "StringList"
  value = join(",", [for key in sort(keys(module.search[0].queue_names)) : module.search[0].queue_names[key]])
  tags  = merge(local.tags, { Service = "search" })
}
