# Search predates modules/service and has two queues: one for changes as they
# come, one for the nightly rebuild of the whole index.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

locals {
  queues = {
    "changes.live"    = { timeout = 30, threshold = 500 }
    "changes.rebuild" = { timeout = 900, threshold = 10 }
  }
}

module "queue" {
  source   = "../queue"
  for_each = local.queues

  name               = "${var.name}-${replace(each.key, ".", "-")}"
  visibility_timeout = each.value.timeout
  alarm_threshold    = each.value.threshold
  alarm_topic_arn    = var.alarm_topic_arn
  kms_key_arn        = var.kms_key_arn
  topic_arns         = each.key == "changes.live" ? [var.topic_arn] : []
  tags               = var.tags
}

resource "aws_sns_topic_subscription" "changes" {
  topic_arn            = var.topic_arn
  protocol             = "sqs"
  endpoint             = module.queue["changes.live"].arn
  raw_message_delivery = true
}

resource "aws_cloudwatch_event_rule" "rebuild" {
  name                = "${var.name}-rebuild"
  schedule_expression = "cron(0 2 * * ? *)"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "rebuild" {
  rule      = aws_cloudwatch_event_rule.rebuild.name
  target_id = "queue"
  arn       = module.queue["changes.rebuild"].arn
}

resource "aws_iam_role" "indexer" {
  name = "${var.name}-indexer"
  tags = var.tags

  assume_role_policy = file("${path.module}/policies/assume-tasks.json")
}

resource "aws_iam_role_policy" "indexer" {
  name = "indexer"
  role = aws_iam_role.indexer.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "sqs:*Message"
        Resource = [for queue in module.queue : queue.arn]
      },
      {
        Effect   = "Allow"
        Action   = ["dynamodb:Scan", "dynamodb:GetItem"]
        Resource = values(var.tables)[*].arn
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${replace(var.name, "-", "/")}"
  retention_in_days = 14
  tags              = var.tags
}

resource "aws_security_group" "this" {
  name        = var.name
  description = "Search nodes"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = var.name })
}

resource "aws_security_group_rule" "nodes" {
  for_each = { for i, cidr in var.client_cidrs : "zone.${i}" => cidr }

  type              = "ingress"
  security_group_id = aws_security_group.this.id
  protocol          = "tcp"
  from_port         = 9200
  to_port           = 9200
  cidr_blocks       = [each.value]
}
