# Catalog: the first service, all of it at the root.

resource "aws_dynamodb_table" "products" {
  name         = "${local.name}-products"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "sku"

  attribute {
    name = "sku"
    type = "S"
  }

  attribute {
    name = "brand"
    type = "S"
  }

  global_secondary_index {
    name            = "by-brand"
    hash_key        = "brand"
    projection_type = "ALL"
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.main.arn
  }

  tags = merge(local.tags, { Service = "catalog" })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_dynamodb_table" "prices" {
  name           = "${local.name}-prices"
  billing_mode   = "PROVISIONED"
  read_capacity  = local.is_prod ? 20 : 2
  write_capacity = 2
  hash_key       = "sku"
  range_key      = "valid_from"

  attribute {
    name = "sku"
    type = "S"
  }

  attribute {
    name = "valid_from"
    type = "N"
  }

  tags = merge(local.tags, { Service = "catalog" })

  lifecycle {
    ignore_changes = [read_capacity, write_capacity] # scaled by the platform team
  }
}

resource "aws_sns_topic" "catalog_changes" {
  name              = "${local.name}-catalog-changes"
  kms_master_key_id = aws_kms_key.main.key_id
  tags              = merge(local.tags, { Service = "catalog" })
}

# Imports from suppliers: files land in the bucket of exports (historical reasons),
# one queue per supplier.
locals {
  suppliers = ["northwind", "contoso"]
}

resource "aws_sqs_queue" "catalog_import" {
  count = length(local.suppliers)

  name                       = "${local.name}-catalog-import-${local.suppliers[count.index]}"
  visibility_timeout_seconds = 600
  kms_master_key_id          = aws_kms_alias.main.arn

  redrive_policy = <<-JSON
    {"deadLetterTargetArn":"${aws_sqs_queue.catalog_import_dead.arn}","maxReceiveCount":3}
  JSON

  tags = merge(local.tags, { Service = "catalog", Supplier = local.suppliers[count.index] })
}

resource "aws_sqs_queue" "catalog_import_dead" {
  name = "${local.name}-catalog-import-dead"
  tags = merge(local.tags, { Service = "catalog" })
}

resource "aws_cloudwatch_metric_alarm" "catalog_import" {
  for_each = { for i, supplier in local.suppliers : supplier => aws_sqs_queue.catalog_import[i].name }

  alarm_name          = "${each.value}-age"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  statistic           = "Maximum"
  period              = 900
  evaluation_periods  = 4
  threshold           = 86400
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = aws_sns_topic.alarms[*].arn
  dimensions          = { QueueName = each.value }
}

resource "aws_iam_role" "catalog" {
  name                 = "${local.name}-catalog"
  assume_role_policy   = data.aws_iam_policy_document.assume["tasks"].json
  permissions_boundary = local.platform.permissions
  tags                 = merge(local.tags, { Service = "catalog" })
}

resource "aws_iam_role_policy" "catalog" {
  name = "catalog"
  role = aws_iam_role.catalog.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Tables"
          Effect   = "Allow"
          Action   = ["dynamodb:*"]
          Resource = [aws_dynamodb_table.products.arn, "${aws_dynamodb_table.products.arn}/index/*", aws_dynamodb_table.prices.arn]
        },
        {
          Sid      = "Files"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${module.bucket["exports"].arn}/*"]
        },
      ],
      [
        for queue in aws_sqs_queue.catalog_import : {
          Sid      = replace(title(queue.tags["Supplier"]), " ", "")
          Effect   = "Allow"
          Action   = ["sqs:*"]
          Resource = [queue.arn]
        }
      ],
    )
  })
}

resource "aws_security_group" "catalog" {
  name        = "${local.name}-catalog"
  description = "Service catalog"
  vpc_id      = local.network.vpc_id

  ingress {
    description     = "from inside"
    protocol        = "tcp"
    from_port       = 8080
    to_port         = 8080
    security_groups = values(local.network.security_groups)
  }

  tags = merge(local.tags, { Service = "catalog", Name = "${local.name}-catalog" })
}

resource "aws_cloudwatch_log_group" "catalog" {
  name              = "${local.prefix}/catalog"
  retention_in_days = var.log_retention_days
  tags              = merge(local.tags, { Service = "catalog" })
}
